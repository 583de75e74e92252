"""Every reader of a format, and which of them reads the lines at a place."""

from collections.abc import Sequence

from kgraph.check.document.continuations import MAX_LINE_LENGTH
from kgraph.check.document.formats.boxes import BoxReader
from kgraph.check.document.formats.call_lists import FoldedStackReader, FunctionTraceReader
from kgraph.check.document.formats.function_graph import FunctionGraphReader
from kgraph.check.document.formats.graph_languages import (
    GraphvizReader,
    MermaidReader,
    PlantUmlReader,
)
from kgraph.check.document.formats.perf_report import PerfReportReader
from kgraph.check.document.formats.region import FormatReader
from kgraph.check.document.formats.stacks import (
    ArmStackReader,
    DebuggerStackReader,
    KernelStackReader,
    MapStackReader,
    PerfStackReader,
    PrintedStackReader,
)

READERS: tuple[FormatReader, ...] = (
    KernelStackReader(), ArmStackReader(), DebuggerStackReader(), PerfStackReader(),
    PrintedStackReader(), MapStackReader(), FunctionGraphReader(), FunctionTraceReader(),
    FoldedStackReader(), PerfReportReader(), GraphvizReader(), MermaidReader(), PlantUmlReader(),
    BoxReader(),
)


def find_reader(texts: Sequence[str], place: int) -> FormatReader | None:
    """The reader that is surest that its format begins at `place`; None if none is."""
    text = texts[place] if place < len(texts) else ""
    if not text or text.isspace() or len(text) > MAX_LINE_LENGTH:
        return None
    best, found = 0, None
    for reader in READERS:
        sure = reader.sniff(texts, place)
        if sure > best:
            best, found = sure, reader
    return found
