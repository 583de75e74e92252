"""Registers the verbs, runs one, and turns errors into messages and exit statuses."""

import contextlib
import errno
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

from kgraph.cli import INTERRUPTED, USAGE, describe_missing_package
from kgraph.cli.callees import callees_verb
from kgraph.cli.callers import callers_verb
from kgraph.cli.check import check_verb
from kgraph.cli.completion import SHELLS, answer_shell, print_script
from kgraph.cli.cscope import cscope_verb
from kgraph.cli.diff import diff_verb
from kgraph.cli.export import export_verb
from kgraph.cli.find import find_verb
from kgraph.cli.help import help_verb
from kgraph.cli.impact import impact_verb
from kgraph.cli.index import index_verb
from kgraph.cli.lsp import lsp_verb
from kgraph.cli.mcp import mcp_verb
from kgraph.cli.ops import ops_verb
from kgraph.cli.output import (
    discard_unwritten,
    escape_for_stderr,
    finish_output,
    forbid_pager,
    replace_closed_streams,
    tell,
)
from kgraph.cli.path import path_verb
from kgraph.cli.reach import reach_verb
from kgraph.cli.report import report_verb
from kgraph.cli.site import site_verb
from kgraph.cli.status import status_verb
from kgraph.errors import KgraphError


def _print_version(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    """Print the version that pyproject.toml gave the installed package, and exit."""
    if not is_wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("kgraph")
    except PackageNotFoundError:
        found = "(a source tree that is not installed)"
    click.echo(f"kgraph {found}")
    context.exit()


class _Verbs(click.Group):
    """The verbs. Their short helps are wrapped, not cut off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.commands[name].get_short_help_str(limit=1000))
                for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=_Verbs, invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", "-V", is_flag=True, is_eager=True, expose_value=False,
              callback=_print_version, help="Show the version and exit.")
@click.option("--completion", type=click.Choice(SHELLS), is_eager=True, expose_value=False,
              callback=print_script, metavar="bash|zsh|fish",
              help="Print the script that completes words in this shell, and exit.")
@click.option("--no-pager", is_flag=True, help="Never show output in a pager.")
@click.pass_context
def cli(context: click.Context, no_pager: bool) -> None:
    """Call graphs of Linux kernel source, every hop cited as file:line."""
    if no_pager:
        forbid_pager()
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(USAGE)


for verb in (
    index_verb, status_verb, path_verb, callers_verb, callees_verb, ops_verb, site_verb,
    find_verb, check_verb, report_verb, export_verb, diff_verb, impact_verb, cscope_verb, lsp_verb,
    mcp_verb, reach_verb, help_verb,
):
    cli.add_command(verb)


class _Terminated(BaseException):
    """A signal asked us to end. It is raised so that unfinished work is cleaned up."""


def _raise_terminated(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise _Terminated(number)


def _install_signal_handlers() -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _raise_terminated)


def _set_up_logging() -> None:
    """Log to standard error as KGRAPH_LOG says ("debug", "info" ...)."""
    level = os.environ.get("KGRAPH_LOG", "").upper()
    if not level:
        return
    import logging

    if level not in logging.getLevelNamesMapping():
        names = ", ".join(logging.getLevelNamesMapping()).lower()
        raise KgraphError(f"KGRAPH_LOG={level.lower()} is not a level: it is one of {names}",
                          "`kgraph help reference` lists the environment variables")
    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("kgraph").setLevel(level)


def run() -> NoReturn:
    """Run the command line and exit."""
    status: object
    replace_closed_streams()
    try:
        _install_signal_handlers()
        _set_up_logging()
        asked = answer_shell(cli)
        if asked is not None:
            sys.exit(asked)
        # Not cli.main(): it answers an interrupt with an empty line, a closed pipe with status 1.
        with cli.make_context("kgraph", sys.argv[1:]) as context:
            status = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except _Terminated as ended:
        status = 128 + ended.args[0]
    except BrokenPipeError:  # the reader has enough
        status = 128 + signal.SIGPIPE
    except (KgraphError, click.ClickException, OSError, MemoryError) as error:
        if error.__cause__ is not None:  # such as what made us doubt the index
            _print_traceback_if_asked()
        status = _print_error(*_describe_error(error))
    except Exception as error:  # noqa: BLE001  a bug must not look like an answer
        _print_traceback_if_asked()
        status = _print_error(*_describe_internal_error(error))
    finish_output()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is left to be cleaned up
    discard_unwritten()
    sys.exit(status if isinstance(status, int) else 0)


def _print_traceback_if_asked() -> None:
    """Print the traceback of the exception that is handled, if KGRAPH_TRACEBACK is set."""
    if os.environ.get("KGRAPH_TRACEBACK"):
        traceback.print_exc()


def _describe_error(error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if isinstance(error, KgraphError):
        return error.message, error.hint
    if isinstance(error, click.UsageError):
        return error.format_message(), _usage_hint(error)
    if isinstance(error, click.ClickException):
        return error.format_message(), ""
    if isinstance(error, OSError):
        return _describe_os_error(error)
    return "out of memory", (
        "give --jobs a smaller number" if "index" in sys.argv[1:2] else "ask for less")


def _describe_os_error(error: OSError) -> tuple[str, str]:
    try:
        Path.cwd()
    except OSError:
        return "the current folder is gone or cannot be read", "change to another one"
    where = f"{error.filename}: " if error.filename else ""
    hint = ("give a shorter name" if error.errno == errno.ENAMETOOLONG
            else "check free disk space and permissions")
    return f"{where}{error.strerror or error}", hint


def _describe_internal_error(error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if isinstance(error, ModuleNotFoundError):
        message, hint = describe_missing_package(error)
        if message:
            return message, hint
    frame = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    hint = "please report it; run the command again with KGRAPH_TRACEBACK=1 and include the output"
    return f"internal error: {what} ({where})", hint


def _print_error(message: str, hint: str) -> int:
    """Print what is wrong and what to do, a line each; returns the exit status."""
    with contextlib.suppress(OSError):  # standard error may be closed
        for start, text in (("kgraph: ", message), ("hint: ", hint)):
            if text:
                tell(start + escape_for_stderr(" ".join(text.split())))
    return USAGE


def _usage_hint(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "kgraph"
    return f"`{command} --help` shows the usage"
