"""Boxes drawn in text, one below the other, with an arrow from the caller's to that of the callee.

The upper and the lower edge are drawn with `+---+` or box characters, the arrow with `|`, `v` and
their like.
"""

import re
from collections.abc import Sequence

from kgraph.check.document.formats.region import SURE, ReadCall, Region

_EDGE = re.compile(r"\s*[+┌┏╔╭└┗╚╰][-─━═┬┴+]{3,}[+┐┓╗╮┘┛╝╯](?P<more>\s*\S.*)?\s*$")
_INSIDE = re.compile(r"\s*[|│┃║](?P<text>[^|│┃║]*)[|│┃║]\s*$")
_LINK = re.compile(r"\s*[|│┃║vV↓▼⇓⬇]\s*$")
_CALL = re.compile(
    r"\s*((?=\w*_)[A-Za-z_]\w*|[A-Za-z_]\w*(?=\())\s*(?:\([^()]*\)\s*)?$", re.ASCII)
_SIDE_BY_SIDE = "boxes that stand side by side are not read"


class BoxReader:
    """Reads a column of boxes. The first line in a box is its function."""

    name = "boxes"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """The upper edge of a box, with a line of text under it."""
        if not _EDGE.match(texts[place]) or place + 2 >= len(texts):
            return 0
        inside = _INSIDE.match(texts[place + 1])
        if inside is None:
            return 0
        return SURE if _CALL.match(inside["text"]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The boxes up to the first line that is no part of one and no arrow."""
        region = Region(place)
        caller: int | None = None
        in_box = is_linked = has_name = False
        while place < len(texts):
            text = texts[place]
            edge, inside = _EDGE.match(text), _INSIDE.match(text)
            if edge is not None and edge["more"]:
                region.unread[place] = _SIDE_BY_SIDE
            elif edge is not None:
                in_box, has_name = not in_box, False
                is_linked = is_linked and in_box
            elif in_box and inside is not None:
                found = _CALL.match(inside["text"]) if not has_name else None
                if found is not None:
                    region.calls[place] = ReadCall(found[1], caller=caller if is_linked else None)
                    caller, has_name = place, True
            elif _LINK.match(text):
                is_linked = True
            else:
                break
            place += 1
        region.end = max(place, region.end + 1)
        if not region.calls:
            region.unread.clear()  # a picture of something else
        return region
