"""Renders page records to HTML, in a site or as a page that needs no other file.

Every page carries a content security policy that allows its own style and script, and nothing else.
"""

from base64 import b64encode
from hashlib import sha256

from markupsafe import Markup

from kgraph.report.html.links import Links
from kgraph.report.templates import read_asset, render

STYLE, SCRIPT = "style.css", "script.js"
_NO_MORE = "base-uri 'none'; form-action 'none'"


def render_style() -> Markup:
    """The style of pages, with that of the pictures in them."""
    return read_asset(STYLE) + read_asset("picture.css")


def render_page(template: str, links: Links, **values: object) -> str:
    """A page of a site. It finds style and script in the folder that `links` leads to."""
    policy = ("default-src 'none'; style-src 'self' file:; script-src 'self' file:;"
              f" {_NO_MORE}")
    return render(template, links=links, policy=policy, style="", script="", **values)


def render_standalone_page(template: str, links: Links, **values: object) -> str:
    """A page that holds its style and script."""
    style, script = render_style(), read_asset(SCRIPT)
    policy = (f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
              f" {_NO_MORE}")
    return render(template, links=links, policy=policy, style=style, script=script, **values)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
