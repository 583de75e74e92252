"""The lane of a function in a picture: from reports/lanes.toml, else from the function's folder."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from kgraph.errors import KgraphError
from kgraph.model.results import KnownFunction
from kgraph.resources import find_resource
from kgraph.toml import parse_toml, read_toml_text

ELSEWHERE = "Elsewhere"


@dataclass(frozen=True, slots=True)
class LaneRule:
    """A lane: patterns of the macros that define its functions, and prefixes of their paths."""

    title: str
    macros: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Lanes:
    """The lanes of rules."""

    def __init__(self, rules: tuple[LaneRule, ...]) -> None:
        self._rules = rules
        self._paths = sorted(
            ((path, rule.title) for rule in rules for path in rule.paths),
            key=lambda row: -len(row[0]),
        )

    def find_lane(self, function: KnownFunction, before: str = "") -> str:
        """The lane of a function whose caller is in the lane `before`."""
        for rule in self._rules:
            if any(fnmatchcase(function.macro, pattern) for pattern in rule.macros):
                return rule.title
        path = function.location.path if function.location else ""
        for prefix, title in self._paths:
            if path.startswith(prefix):
                return title
        folders = path.split("/")[:-1]
        if "include" in folders or not path:
            return before or ELSEWHERE
        return "/".join(folders[:2]) or ELSEWHERE


@cache
def load_lanes() -> Lanes:
    """The lanes of reports/lanes.toml. Raises KgraphError if the file cannot be read."""
    file = find_resource("reports") / "lanes.toml"
    text = read_toml_text(file, KgraphError, "install kgraph again")
    rows = parse_toml(str(file), text, KgraphError).get("lane", [])
    return Lanes(tuple(
        LaneRule(row["title"], tuple(row.get("macros", ())), tuple(row.get("paths", ())))
        for row in rows
    ))
