"""Shows a result: the result itself on standard output, and what else you should know on standard
error.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph import api
from kgraph.cli.output import remark, write_json, write_json_list, write_lines

if TYPE_CHECKING:
    from kgraph.api import CallGraph, DocumentedScenario, RowPartner, SourceText
    from kgraph.model.results import Alias, Contradiction, IndexDescription, Neighbours
    from kgraph.report.json import LineReader
    from kgraph.report.quickfix import Place

COULD_NOT_TELL = 3  # an exit status


def write_result(
    graph: "CallGraph", form: str, encode: "Callable[[LineReader], object]",
    lines: Iterable[str],
) -> None:
    """Write a result as JSON, which `encode` makes with a reader of source lines, or as text."""
    if form != "json":
        write_lines(lines)
        return
    text = api.SourceText(graph)
    write_json(encode(text.read_line))
    remark_changed_files(text)


def write_list(
    graph: "CallGraph", form: str, record: dict[str, object],
    encode_items: "Callable[[LineReader], Iterable[object]]", lines: Iterable[str],
) -> None:
    """Write a result that may be long, item by item: as JSON, `record` with the items in its last
    value, an empty list; or as text.
    """
    if form != "json":
        write_lines(lines)
        return
    text = api.SourceText(graph)
    write_json_list(record, encode_items(text.read_line))
    remark_changed_files(text)


def write_places(graph: "CallGraph", places: "Iterable[Place]") -> None:
    """Write places for an editor, relative to the current folder."""
    from kgraph.report.quickfix import format_places

    write_lines(format_places(places, graph.description, str(Path.cwd())))


def remark_aliases(aliases: "Iterable[Alias | None]") -> None:
    """Say which names are aliases, and of what."""
    for alias in aliases:
        if alias is not None:
            remark(f"{alias.name} is an alias of {alias.function}")


def remark_names(remarks: Iterable[str]) -> None:
    """Say how names were understood that may mean several things."""
    for text in remarks:
        remark(text)


def remark_scenario(documented: "DocumentedScenario | None") -> None:
    """Say which documented scenario was used, or why not."""
    if documented is None:
        return
    from kgraph.report.text import format_scenario

    if documented.misfit:
        remark(f"the scenario of query {documented.query} does not fit this index"
               f" ({documented.misfit}); it was not used")
    else:
        scenario = format_scenario(documented.scenario)
        remark(f"using the scenario of query {documented.query}: {scenario}"
               " (--no-scenario ignores it)")


def remark_partners(partners: "Iterable[RowPartner]") -> None:
    """Propose the pins that go with those that were used."""
    from kgraph.report.text import format_row_partner

    for partner in partners:
        remark(format_row_partner(partner))


def remark_contradiction(found: "Contradiction") -> None:
    """Name the cheaper path that was left out, and why."""
    from kgraph.report.text import format_contradiction

    remark(format_contradiction(found))


def remark_open_sites(found: "Neighbours") -> None:
    """Name the calls of a function that have no candidate."""
    for open_site in found.open_sites:
        site, fit = open_site.site, open_site.by_type
        by_type = f", {fit} functions have its type" if fit else ""
        remark(f"{site.location}: {site.expression}() has no candidate, {site.status}:"
               f" {site.reason}{by_type}")


def remark_partial_index(description: "IndexDescription") -> None:
    """Say that the index holds only a part of the tree, so that nothing found proves little."""
    if description.only:
        remark(f"the index holds {', '.join(description.only)} only: calls through other parts of"
               " the tree are not in it")
    if description.rust:
        remark("the configuration has Rust code, which kgraph does not read: its calls are not in"
               " the index")


def remark_changed_files(text: "SourceText") -> None:
    """Say which cited files have changed since they were indexed."""
    if text.changed_files:
        files = sorted(text.changed_files)
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        remark(
            f"{', '.join(files[:3])}{more} changed since the tree was indexed: their source lines"
            " are left out (`kgraph index` updates the index)"
        )
