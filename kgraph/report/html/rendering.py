"""Renders page records to HTML with Jinja2. Everything is escaped."""

from base64 import b64encode
from hashlib import sha256

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from kgraph.report.html.links import Links
from kgraph.report.picture.layout import STROKES, Drawing
from kgraph.report.templates import escape_unshowable
from kgraph.resources import find_resource

ASSETS = ("style.css", "script.js")


class Renderer:
    """Renders the templates of reports/."""

    def __init__(self) -> None:
        self._folder = find_resource("reports")
        self._templates = Environment(
            loader=FileSystemLoader(self._folder), autoescape=True, trim_blocks=True,
            lstrip_blocks=True, undefined=StrictUndefined, finalize=_to_text,
        )
        self._templates.globals["stroke"] = lambda hop: STROKES[hop.kind]

    def asset(self, name: str) -> str:
        """The text of a style sheet (that of pages holds that of pictures) or script."""
        text = (self._folder / name).read_text(encoding="utf-8")
        return text + self.asset("picture.css") if name == "style.css" else text

    def page(self, template: str, links: Links, **values: object) -> str:
        """A page of a site, which finds style and script in the folder that `links` leads to."""
        policy = ("default-src 'none'; style-src 'self' file:; script-src 'self' file:;"
                  " base-uri 'none'; form-action 'none'")
        return self._render(template, links, policy, "", "", values)

    def standalone(self, template: str, links: Links, **values: object) -> str:
        """A page that holds its style and script."""
        style, script = map(self.asset, ASSETS)
        policy = (f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
                  " base-uri 'none'; form-action 'none'")
        return self._render(template, links, policy, style, script, values)

    def _render(
        self, template: str, links: Links, policy: str, style: str, script: str,
        values: dict[str, object],
    ) -> str:
        # Style and script are ours, and come from the package.
        return self._templates.get_template(template).render(
            links=links, policy=policy, style=Markup(style), script=Markup(script),  # noqa: S704
            **values,
        )

    def svg(self, drawing: Drawing) -> str:
        """A picture as a file of its own."""
        style = Markup(self.asset("picture.css"))  # noqa: S704
        return self._templates.get_template("picture-file.svg").render(
            drawing=drawing, number=1, style=style
        )


def _to_text(value: object) -> object:
    """What an expression of a template shows: a Location or a function is text, too."""
    if isinstance(value, Undefined | Markup):
        return value
    return escape_unshowable(str(value))


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
