"""Lines of C as HTML, by Pygments: classes only, colours are the style sheet's."""

from collections.abc import Sequence

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import CLexer

from kgraph.report.site.cleaning import clean

_LEXER = CLexer(stripnl=False, ensurenl=True)
_FORMATTER = HtmlFormatter(nowrap=True)
_WIDEST = 300


def highlighted(lines: Sequence[str]) -> list[Markup]:
    """Each line as HTML; what is longer than 300 characters is cut, and says so by an ellipsis."""
    text = "\n".join(
        clean(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…") for line in lines
    )
    found = str(highlight(text, _LEXER, _FORMATTER)).split("\n")
    # Made by the formatter, which escapes every token.
    return [Markup(line) for line in found[: len(lines)]]  # noqa: S704
