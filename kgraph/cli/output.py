"""Writes to the terminal: data to standard output, progress and remarks to standard error."""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.textfile import is_file, is_there

if TYPE_CHECKING:
    from kgraph.cli.pager import Screen
    from kgraph.cli.terminal import LinkMaker, Terminal

# Control characters but tab and newline, those of Latin-1 included (some terminals obey them), and
# characters that reorder text on the screen.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LATE_CONTROLS = re.compile(r"[\x7f-\x9f]")  # json.dumps does not escape these
_UNDECODED = re.compile("[\udc80-\udcff]")
_WRITABLE = 0o222
_CANNOT_REPLACE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)


def replace_closed_streams() -> None:
    """Open the null device for standard streams that were closed before kgraph started. Otherwise
    the first files that are opened would take their place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode))


def discard_unwritten() -> None:
    """Discard what standard output and error no longer accept. Otherwise the interpreter tries
    again at exit and complains.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def escape_controls(text: str) -> str:
    """A text with its control characters escaped, so that a terminal shows them."""
    return _CONTROLS.sub(_escape, text)


def _escape(found: "re.Match[str]") -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xff else f"\\u{code:04x}"


class _Output:
    """How standard output is written: found out at the first line that is."""

    def __init__(self) -> None:
        self.pages = True
        self.make_link: LinkMaker | None = None
        self._terminal: Terminal | None = None
        self._screen: Screen | None = None
        self._is_known = False

    def look(self) -> "tuple[Terminal | None, Screen | None]":
        """What formats lines, if standard output is a terminal or colours are forced; what shows
        them, if it is a terminal.
        """
        if not self._is_known:
            self._is_known = True
            is_terminal = sys.stdout.isatty()
            if is_terminal or os.environ.get("FORCE_COLOR"):
                self._terminal = self._make_terminal(is_terminal=is_terminal)
            if is_terminal:
                from kgraph.cli.pager import Screen, find_pager

                self._screen = Screen(
                    find_pager() if self.pages else [], shutil.get_terminal_size().lines)
        return self._terminal, self._screen

    def _make_terminal(self, *, is_terminal: bool) -> "Terminal":
        from kgraph.cli.terminal import Terminal, get_width, wants_colour

        has_links = is_terminal and os.environ.get("TERM") != "dumb"
        return Terminal(
            width=get_width() if is_terminal else None,
            colour=wants_colour(is_terminal=is_terminal),
            make_link=self._find_link if has_links else None)

    def _find_link(self, path: str, line: int) -> str:
        return "" if self.make_link is None else self.make_link(path, line)

    def close(self) -> None:
        """Show what was written, and wait for the reader of a pager."""
        if self._screen is not None:
            self._screen.close()


_OUTPUT = _Output()


def forbid_pager() -> None:
    """Write everything to the terminal itself."""
    _OUTPUT.pages = False


def link_places(make_link: "LinkMaker") -> None:
    """On a terminal, places lead to the address that `make_link` gives."""
    _OUTPUT.make_link = make_link


def finish_output() -> None:
    """Show what was written, and wait for the reader of a pager."""
    global _OUTPUT
    output, _OUTPUT = _OUTPUT, _Output()
    output.close()


def _write(data: bytes) -> None:
    _, screen = _OUTPUT.look()
    if screen is None:
        sys.stdout.buffer.write(data)
    else:
        screen.write(data)


def write_lines(lines: Iterable[str], *, exact: bool = False, plain: bool = False) -> None:
    """Write lines of data. Control characters from documents or source are escaped, unless `exact`;
    bytes of the source that are not UTF-8 are written as they were. On a terminal lines are
    coloured and wrapped, unless they are `plain`.
    """
    terminal = None if plain else _OUTPUT.look()[0]
    for line in lines if exact else map(escape_controls, lines):
        shown = (line,) if exact or terminal is None else terminal.format_line(line)
        for part in shown:
            _write(f"{part}\n".encode("utf-8", "surrogateescape"))


def write_json(record: object, *, indent: int | None = 2) -> None:
    """Write a record as JSON."""
    _write_json_text(f"{_format_json(record, indent)}\n")


def write_json_list(record: dict[str, object], items: Iterable[object]) -> None:
    """Write a record as JSON whose last value is a list, here empty, of `items`. They are written
    one by one.
    """
    head, end, foot = _format_json(record, 2).rpartition("]")
    _write_json_text(head)
    separator = "\n    "
    for item in items:
        _write_json_text(separator + _format_json(item, 2).replace("\n", "\n    "))
        separator = ",\n    "
    _write_json_text(f"{end}{foot}\n" if separator[0] == "\n" else f"\n  {end}{foot}\n")


def _format_json(record: object, indent: int | None) -> str:
    text = json.dumps(record, indent=indent, ensure_ascii=False)
    return _LATE_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _write_json_text(text: str) -> None:
    _write(text.encode("utf-8", "backslashreplace"))


def write_file(path: Path, data: bytes, replaced: bytes | None = None) -> None:
    """Replace a file as a whole or not at all; its permissions stay. A pipe or terminal, and a file
    that cannot be replaced in its folder, is written in place. Raises OSError, also for a file that
    may not be written, and one that has other content than `replaced`, if that is given.
    """
    is_stream = str(path.absolute()).startswith(("/dev/", "/proc/"))  # may lead to an open file
    if is_stream or (is_there(path) and not is_file(path)):
        path.write_bytes(data)
        return
    if is_file(path) and not (path.stat().st_mode & _WRITABLE and os.access(path, os.W_OK)):
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    try:
        _replace_file(path.resolve(), data, replaced)
    except OSError as error:
        if error.errno not in _CANNOT_REPLACE:
            raise
        _refuse_changed(path, replaced)
        path.write_bytes(data)


def _refuse_changed(path: Path, replaced: bytes | None) -> None:
    """Raise OSError if a file has other content than it had when it was read."""
    if replaced is not None and path.read_bytes() != replaced:
        raise OSError(errno.ESTALE, "it was changed meanwhile", str(path))


def _replace_file(target: Path, data: bytes, replaced: bytes | None) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".kgraph.")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if is_there(target):
            unfinished.chmod(target.stat().st_mode & 0o7777)
        else:
            mask = os.umask(0)
            os.umask(mask)
            unfinished.chmod(0o666 & ~mask)
        _refuse_changed(target, replaced)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def escape_for_stderr(text: str) -> str:
    """A text for standard error: control characters and bytes that are not UTF-8 are escaped."""
    return escape_controls(_UNDECODED.sub(lambda found: f"\\x{ord(found[0]) & 0xff:02x}", text))


def remark(text: str) -> None:
    """Tell the user something on standard error, below what was written so far if both go to a
    terminal.
    """
    tell(f"kgraph: {escape_for_stderr(text)}")


def tell(line: str) -> None:
    """Write a line to standard error."""
    terminal, screen = _OUTPUT.look()
    if terminal is None or screen is None or not screen.takes_errors:
        print(line, file=sys.stderr)  # noqa: T201
        return
    for part in terminal.format_line(line):
        screen.write_error(f"{part}\n")


class ProgressBar:
    """Progress on standard error. On a terminal a bar, which moves each second; elsewhere, such as
    in a log, a line a minute. A timer's signal writes them: whatever runs is not waited for.
    """

    _WIDTH = 30
    _SECOND = 1.0
    _MINUTE = 60.0

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._colour = self._shown and not os.environ.get("NO_COLOR")
        self._interval = self._SECOND if self._shown else self._MINUTE
        self._started = self._step_started = time.monotonic()
        self._done = self._total = 0
        self._what = ""

    @contextlib.contextmanager
    def run_timer(self) -> Iterator[None]:
        """Show how time passes during the block. Outside the main thread nothing is shown."""
        try:
            before = signal.signal(signal.SIGALRM, self._show_time)
        except ValueError:
            yield
            return
        signal.setitimer(signal.ITIMER_REAL, self._interval, self._interval)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            self.clear()

    def begin_step(self, what: str) -> None:
        """Note what runs now, if nobody counts how far it is."""
        self._done, self._total, self._what = 0, 0, what
        self._step_started = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show that `done` of `total` are done, and what runs now."""
        if not total or not self._total:
            self._step_started = time.monotonic()
        self._done, self._total, self._what = done, total, what
        if self._shown:
            sys.stderr.write(f"\r\033[K{self._format_bar()}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Erase the bar."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _format_bar(self) -> str:
        seconds = int(time.monotonic() - self._step_started)
        if not self._total:
            return f"{self._what[:60]}{f' ({seconds} s)' if seconds else ''}"
        filled = self._WIDTH * self._done // self._total
        bar = "#" * filled + "-" * (self._WIDTH - filled)
        if self._colour:
            bar = f"\033[32m{bar[:filled]}\033[0m{bar[filled:]}"
        return f"[{bar}] {self._done}/{self._total} {self._what[:40]}"

    def _show_time(self, _number: int, _frame: object) -> None:
        # Not by sys.stderr: the signal may come while something else is written there.
        if self._shown:
            text = f"\r\033[K{self._format_bar()}"
        else:
            minutes = round((time.monotonic() - self._started) / self._MINUTE)
            count = f"{self._done} of {self._total}, " if self._total else ""
            text = escape_for_stderr(f"kgraph: {minutes} min: {count}{self._what}") + "\n"
        with contextlib.suppress(OSError, ValueError):  # it may be closed
            os.write(sys.stderr.fileno(), text.encode("utf-8", "backslashreplace"))
