"""Reads README.md and docs/ (links, commands with their outputs, files), writes the reference."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from tests.support.places import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^]\[]+\]\(([^)\s]+)\)")
ANY_LINES = "..."
_ENVIRONMENT = """
## Environment

| Variable | Meaning |
|---|---|
| `KGRAPH_INDEX` | The index to ask where `--index` is not given. |
| `XDG_CACHE_HOME` | The folder of `kgraph/`, the cache folder. Default: `~/.cache`. |
| `KGRAPH_LOG` | `debug`, `info` ...: log what a run decides to standard error. |
| `KGRAPH_TRACEBACK` | `1`: show the traceback of an internal error, or behind a damaged index. |
| `KGRAPH_PURE_PYTHON` | `1`: index without the compiled inner loop. Slower, with the same facts. |
| `NO_COLOR`, `FORCE_COLOR` | No colours on a terminal; colours in a pipe. |
| `KGRAPH_PAGER`, `PAGER` | The pager for what is longer than the screen. |
| `KGRAPH_LINKS` | Where places on a terminal lead: `file`, `vscode`, `elixir`, `git` or `none`. |
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is written to ("" for none), and its text."""

    language: str
    title: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block, and the output that is printed under it."""

    command: str
    output: str


def read_blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    found = []
    for match in _FENCE.finditer(text):
        words = match["info"].split()
        titles = [word.removeprefix("title=") for word in words if word.startswith("title=")]
        found.append(
            Block(words[0] if words else "", titles[0] if titles else "", match["text"]))
    return found


def read_commands(block: Block) -> list[Command]:
    """The commands of a console block."""
    return [
        Command(match[1], match[2])
        for match in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    ]


def read_links(text: str) -> list[str]:
    """The targets of the links of a page, without those in code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text)))


def output_fits(shown: str, real: str) -> bool:
    """Whether an output is what a page shows; a line `...` stands for any lines, and `...` within a
    line for anything."""
    pattern = ""
    for line in shown.splitlines():
        if line == ANY_LINES:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split(ANY_LINES)) + r"\n"
    return re.fullmatch(pattern, real) is not None


def make_reference(cli: click.Group) -> str:
    """docs/reference.md, from the definitions of verbs and options."""
    return "\n".join(_iter_reference(cli))


def _iter_reference(cli: click.Group) -> Iterator[str]:
    yield "# Reference of verbs and options"
    yield ""
    yield "Written by `pytest --bless` from the command line. `kgraph VERB --help` shows the same."
    yield ""
    yield ("`kgraph` itself has `--version` (`-V`), `--no-pager`, `--completion"
           " bash|zsh|fish` and `--help`; every verb has `--help`.")
    for name, verb in cli.commands.items():
        context = click.Context(verb, info_name=name)
        yield ""
        yield f"## kgraph {name}"
        yield ""
        arguments = " ".join(
            _argument(parameter) for parameter in verb.params
            if isinstance(parameter, click.Argument))
        yield f"`kgraph {name} [OPTIONS] {arguments}`".replace(" `", "`")
        yield ""
        yield _paragraphs(verb.help or "")
        options = [each for each in verb.params if isinstance(each, click.Option)]
        if options:
            yield ""
            yield "| Option | Meaning |"
            yield "|---|---|"
        for option in options:
            yield f"| {_spelling(option)} | {_meaning(option, context)} |"
    yield _ENVIRONMENT


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    if argument.metavar is None and not argument.required:
        name = f"[{name}]"
    return name if argument.metavar or argument.nargs == 1 else f"{name}..."


def _paragraphs(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n\n".join(
        " ".join(part.split()) for part in "\n".join(lines).split("\n\n") if part.strip())


def _spelling(option: click.Option) -> str:
    value = ""
    if isinstance(option.type, click.Choice):
        value = "|".join(map(str, option.type.choices))
    elif option.metavar:
        value = option.metavar
    elif not option.is_flag and not option.count:
        value = option.type.name.upper()
    if option.is_flag:
        value = ""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return f"{names} `{value}`".replace("|", "\\|") if value else names


def _meaning(option: click.Option, context: click.Context) -> str:
    parts = [" ".join((option.help or "").split()).replace("|", "\\|")]
    if isinstance(option.type, click.IntRange | click.FloatRange):
        low, high = option.type.min, option.type.max
        if low is not None and high is not None:
            parts.append(f"From {low} to {high}.")
    default = option.get_default(context)
    if option.show_default and isinstance(default, str | int) and not isinstance(default, bool):
        parts.append(f"Default: {default}.")
    if option.required:
        parts.append("Required.")
    return " ".join(parts)


def make_man_page(cli: click.Group) -> str:
    """docs/kgraph.1, from the definitions of verbs and options."""
    return "\n".join(_iter_man_page(cli)) + "\n"


def _iter_man_page(cli: click.Group) -> Iterator[str]:
    yield '.\\" Written by `pytest --bless` from the command line.'
    yield ".TH KGRAPH 1"
    yield ".SH NAME"
    yield f"kgraph \\- {_roff((cli.help or '').strip())}"
    yield ".SH SYNOPSIS"
    for name, verb in cli.commands.items():
        words = [_argument(each) for each in verb.params if isinstance(each, click.Argument)]
        yield f".B kgraph {name}"
        yield _roff(" ".join(["[OPTIONS]", *words]))
        yield ".br"
    yield ".SH OPTIONS"
    yield from _iter_man_options(cli)
    for name, verb in cli.commands.items():
        yield f".SH KGRAPH {name.upper()}"
        for paragraph in _paragraphs(verb.help or "").split("\n\n"):
            yield _roff(paragraph)
            yield ".PP"
        yield from _iter_man_options(verb)
    yield ".SH ENVIRONMENT"
    for row in _ENVIRONMENT.splitlines():
        if row.startswith("| `"):
            names, meaning = row.strip("| ").split(" | ")
            yield ".TP"
            yield f".B {_roff(names)}".replace("`", "")
            yield _roff(meaning).replace("`", "")
    yield ".SH SEE ALSO"
    yield "The documentation: kgraph help"


def _iter_man_options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option):
            names = _spelling(option).replace("`", "").replace("\\|", "|")
            yield from (".TP", f".B {_roff(names)}",
                        _roff(_meaning(option, context).replace("\\|", "|")))


def _roff(text: str) -> str:
    """A line of text for roff, in which nothing is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
