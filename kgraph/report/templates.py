"""The templates of reports/, with everything that they show made safe.

Jinja escapes what HTML would read as markup. A browser also obeys some characters instead of
showing them: control characters, and those that reverse the direction of text. They are replaced by
something visible.
"""

import re
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from kgraph.report.picture.drawing import MEANING, STROKES
from kgraph.resources import find_resource

# What the figures on candidates are called on a page.
FIGURE_NAMES = {
    "mean": "mean", "p50": "median", "p90": "90 of 100 have at most",
    "p99": "99 of 100 have at most",
    "by_type_mean": "mean by type alone",
}

_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\ufffe\uffff]"
)


def escape_unshowable(text: str) -> str:
    """The text with its unshowable characters written as <U+XXXX>."""
    return _UNSHOWABLE.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


def render(template: str, **values: object) -> str:
    """The text of a template of reports/ with these values."""
    return _load_environment().get_template(template).render(**values)


def read_asset(name: str) -> Markup:
    """A style sheet or script of reports/, for a page or picture that holds it."""
    # It is ours, and comes from the package.
    return Markup((find_resource("reports") / name).read_text(encoding="utf-8"))  # noqa: S704


@cache
def _load_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(find_resource("reports")), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined, finalize=_to_text,
    )
    environment.globals["kind"] = lambda hop: MEANING[STROKES[hop.kind]]
    environment.globals["figure_names"] = FIGURE_NAMES
    return environment


def _to_text(value: object) -> object:
    """What an expression of a template shows: a Location or a function is text, too."""
    if isinstance(value, Undefined | Markup):
        return value
    return escape_unshowable(str(value))
