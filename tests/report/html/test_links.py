"""Names of pages, and links to code browsers."""

import pytest

from kgraph.model.location import Location
from kgraph.model.results import IndexDescription
from kgraph.report.html import LinkStyle
from kgraph.report.html.links import Links, PageNames, make_file_names


@pytest.mark.parametrize(("release", "tag"), [
    ("4.6.2", "v4.6.2"), ("5.10.0", "v5.10"), ("5.10.0-rc1", "v5.10-rc1"), ("", ""),
    ("6.1.2-vendor", ""),
])
def test_citations_lead_where_the_user_wants(release: str, tag: str) -> None:
    about = IndexDescription("/trees/linux", release, "")
    place = Location("net/a b.c", 7)
    links = {style: Links(PageNames(), about, style).to_outside(place) for style in LinkStyle}
    for style in (LinkStyle.ELIXIR, LinkStyle.GIT):
        assert (tag in links[style]) if tag else links[style] == ""
    assert links[LinkStyle.FILE] == "file:///trees/linux/net/a%20b.c#L7"
    assert links[LinkStyle.VSCODE] == "vscode://file/trees/linux/net/a%20b.c:7"


def test_names_of_pages_differ_where_case_does_not_count() -> None:
    found = make_file_names({1: "SyS_x", 2: "sys_x", 3: "a/b", 4: "a-b", 5: "plain"})
    assert len({name.lower() for name in found.values()}) == 5
    assert found[5] == "plain"
    assert found == make_file_names({5: "plain", 4: "a-b", 3: "a/b", 2: "sys_x", 1: "SyS_x"})
