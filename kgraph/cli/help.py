"""`kgraph help`: finds the pages of the documentation and shows one in your pager."""

from pathlib import Path

import click

from kgraph.cli.output import write_lines

_OVERVIEW = "README"


@click.command("help")
@click.argument("topic", required=False, shell_complete=lambda _context, _parameter, start: [
    topic for topic in sorted(_find_pages()) if topic.startswith(start)])
@click.pass_context
def help_verb(context: click.Context, topic: str | None) -> None:
    """Show a page of the documentation, or the options of a verb.

    Without TOPIC: the list of topics. If a verb has a page of its own, you get the page; `kgraph
    VERB --help` shows the options. On a terminal the page opens in your pager ($PAGER).
    """
    pages = _find_pages()
    name = topic or _OVERVIEW
    if name in pages:
        write_lines(pages[name].read_text(encoding="utf-8").splitlines(), exact=True)
        return
    group = context.find_root().command
    verb = group.get_command(context, name) if isinstance(group, click.Group) else None
    if verb is None:
        raise click.UsageError(f"no topic `{name}`; `kgraph help` lists all topics")
    with click.Context(verb, info_name=name, parent=context.parent) as verb_context:
        click.echo(verb.get_help(verb_context))


def _find_pages() -> dict[str, Path]:
    """The pages by topic."""
    from kgraph.resources import find_resource

    return {page.stem: page for page in find_resource("docs").glob("*.md")}
