"""Our end of a pipe to another process, at which nothing waits.

A process may stop in the middle of a message, or take none while its own is not taken: so what is
sent waits here until it goes, and what comes waits until it is whole. Frames are those of
multiprocessing.connection.Connection, which the other end has.
"""

import pickle
import select
import socket
import struct
import time
from collections.abc import Iterable

_SHORT, _LONG = struct.Struct("!i"), struct.Struct("!Q")
_LONGEST = 0x7FFFFFFF  # bytes of a message whose length fits the short form
_PIECE = 1 << 18
_GRACE = 1.0  # seconds that who is late is given to be heard


class Wire:
    """Messages to and from a process. `received` counts the bytes that have come."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._out = bytearray()
        self._in = bytearray()
        self.received = 0

    @property
    def closed(self) -> bool:
        """Whether our end is closed."""
        return self._end.fileno() < 0

    @property
    def waits(self) -> bool:
        """Whether something is to be sent yet."""
        return bool(self._out)

    def fileno(self) -> int:
        """The descriptor."""
        return self._end.fileno()

    def close(self) -> None:
        """Close our end."""
        self._end.close()

    def put(self, message: object) -> None:
        """Send a pickle of `message`, as far as that goes now."""
        data = pickle.dumps(message)
        if len(data) <= _LONGEST:
            self._out += _SHORT.pack(len(data))
        else:
            self._out += _SHORT.pack(-1) + _LONG.pack(len(data))
        self._out += data
        self.push()

    def push(self) -> None:
        """Send what goes now. That the other end is closed is told by `pull`."""
        try:
            while self._out:
                del self._out[:self._end.send(self._out[:_PIECE])]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()

    def pull(self) -> bytes | None:
        """The next message, None where it is not whole yet; EOFError where none will come."""
        while not self.has_message:
            try:
                piece = self._end.recv(_PIECE)
            except BlockingIOError:
                return None
            except OSError:
                piece = b""
            if not piece:
                raise EOFError
            self._in += piece
            self.received += len(piece)
        start, end = self._extent()
        message = bytes(self._in[start:end])
        del self._in[:end]
        return message

    @property
    def has_message(self) -> bool:
        """Whether a whole message is here, so that nothing has to come."""
        return len(self._in) >= self._extent()[1]

    def _extent(self) -> tuple[int, int]:
        """Where the next message starts and ends, as far as its head is here."""
        start, length = _SHORT.size, 0
        if len(self._in) >= start:
            length, = _SHORT.unpack_from(self._in)
            if length == -1:
                start, length = start + _LONG.size, 0
                if len(self._in) >= start:
                    length, = _LONG.unpack_from(self._in, _SHORT.size)
        return start, start + length


def wait(wires: Iterable[Wire], seconds: float) -> list[Wire]:
    """Wait until some of the wires can be pulled, or pushed where they have to be; these."""
    numbers = {wire.fileno(): wire for wire in wires}
    here = [wire for wire in numbers.values() if wire.has_message]
    poll = select.poll()
    for number, wire in numbers.items():
        poll.register(number, select.POLLIN | (select.POLLOUT if wire.waits else 0))
    found = poll.poll(0 if here else max(0.0, seconds) * 1000)
    return list(dict.fromkeys(here + [numbers[number] for number, _ in found]))


class Deadline:
    """When a wire has to have brought a message. It is put off while one comes, and once for a
    moment: who was stopped himself may find all of them late, and then what they had sent."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self._wire = wire
        self._received = -1

    def has_passed(self) -> bool:
        """Whether it is over; to be asked when what has come was pulled."""
        if time.monotonic() <= self.ends:
            return False
        if self._wire.received == self._received:
            return True
        self._received, self.ends = self._wire.received, time.monotonic() + _GRACE
        return False


def answer(wire: Wire, seconds: float) -> bytes | None:
    """The next message, None where none has come after some seconds; EOFError as for `pull`."""
    deadline = Deadline(wire, seconds)
    while True:
        wire.push()
        message = wire.pull()
        if message is not None or deadline.has_passed():
            return message
        wait([wire], deadline.ends - time.monotonic())
