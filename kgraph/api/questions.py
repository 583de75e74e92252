"""Questions about functions, tables, places and documents: one function a verb."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from kgraph.api.paths import make_alias
from kgraph.model.results import Neighbours

if TYPE_CHECKING:
    from kgraph.check.document.subjects import Subject
    from kgraph.graph import CallGraph
    from kgraph.model.document import Query
    from kgraph.model.results import NamedThing, OpsRow, SiteAnswer
    from kgraph.model.verdicts import ChainCheck
    from kgraph.query.call_tree import CallTree, ReachingCall
    from kgraph.query.neighbours import CalleeWalk
    from kgraph.query.pins import RowPartner


def callers(
    graph: "CallGraph", name: str, *, types: bool = False, deferred: bool = True, folder: str = ""
) -> Neighbours:
    """The calls that reach a function; with `types` also those that it only fits by its type.
    `folder`: only calls by functions that are defined in this folder or file. For a macro: one hop
    for each function that uses it.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_callers
    from kgraph.query.lookup import FoundMacro, resolve_name
    from kgraph.query.macros import iter_macro_callers

    found = resolve_name(graph, name)
    if isinstance(found, FoundMacro):
        hops = list(iter_macro_callers(graph, found.uses))
    else:
        hops = find_callers(graph, found.function, types=types, deferred=deferred)
    within = _find_within(graph, folder)
    if within is not None:
        hops = [hop for hop in hops if hop.caller.number in within]
    if isinstance(found, FoundMacro):
        return Neighbours(found.uses.macro, tuple(hops), remarks=found.remarks)
    return Neighbours(
        found.function, tuple(hops), make_alias(found), remarks=found.remarks)


def callees(
    graph: "CallGraph", name: str, *, depth: int = 1, types: bool = False, deferred: bool = True
) -> Neighbours:
    """The calls that a function makes, in the order of its lines, `depth` calls deep. For a macro:
    one hop for each function that calls through it reach.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_callees
    from kgraph.query.lookup import FoundMacro, resolve_name
    from kgraph.query.macros import iter_macro_callees
    from kgraph.query.neighbours import find_open_sites

    found = resolve_name(graph, name)
    if isinstance(found, FoundMacro):
        hops = list(iter_macro_callees(graph, found.uses))
        return Neighbours(found.uses.macro, tuple(hops), remarks=found.remarks)
    function = found.function
    hops = find_callees(graph, function, depth=depth, types=types, deferred=deferred)
    return Neighbours(
        function, tuple(hops), make_alias(found), find_open_sites(graph, function), found.remarks)


def select_callees(graph: "CallGraph", found: Neighbours, folder: str) -> Neighbours:
    """Of what `callees` found, the calls of functions that are defined in a folder or file.

    Raises LookupFailed for a folder without functions.
    """
    within = _find_within(graph, folder)
    return found if within is None else structs.replace(
        found, hops=tuple(hop for hop in found.hops if hop.callee.number in within))


def _find_within(graph: "CallGraph", folder: str) -> "frozenset[int] | None":
    """The functions in a folder or file, as the user names it; None for all, if it is ""."""
    from kgraph.query.call_site import find_folder
    from kgraph.query.neighbours import find_within

    return find_within(graph, find_folder(graph, folder)) if folder else None


def walk_callees(
    graph: "CallGraph", name: str, *, depth: int = 1, types: bool = False, deferred: bool = True
) -> "CalleeWalk":
    """The hops of `callees`, one by one as they are found: whatever the depth, they take little
    memory.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_function
    from kgraph.query.neighbours import CalleeWalk

    return CalleeWalk(
        graph, find_function(graph, name), depth=depth, types=types, deferred=deferred)


class CallTreeQuestion(Struct, frozen=True):
    """What a call tree shows: the `callers` of a function or its callees, `depth` calls deep, at
    most `limit` calls, between functions that are defined in `folder`.
    """

    callers: bool
    depth: int = 2
    limit: int = 1000
    types: bool = False
    deferred: bool = True
    folder: str = ""


def call_tree(graph: "CallGraph", name: str, question: CallTreeQuestion) -> "CallTree":
    """The callers or callees of a function as a tree, nearest first.

    Raises LookupFailed for an unknown or ambiguous name, and for a folder without functions.
    """
    from kgraph.query import find_function
    from kgraph.query.call_tree import TreeRequest, find_call_tree
    from kgraph.query.neighbours import Kinds

    kinds = Kinds(types=question.types, deferred=question.deferred)
    return find_call_tree(graph, find_function(graph, name), TreeRequest(
        question.callers, question.depth, question.limit, kinds,
        _find_within(graph, question.folder)))


def reaching_syscalls(
    graph: "CallGraph", name: str, *, deferred: bool = True, folder: str = ""
) -> "list[ReachingCall]":
    """The system calls from which calls lead to a function, nearest first. Ask `path` whether, and
    how, one of them does. `folder`: only those that are defined in this folder or file.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query import find_function
    from kgraph.query.call_tree import find_reaching_syscalls

    within = _find_within(graph, folder)
    found = find_reaching_syscalls(graph, find_function(graph, name), deferred=deferred)
    return [each for each in found if within is None or each.function.number in within]


def ops(graph: "CallGraph", name: str, *, folder: str = "") -> "list[OpsRow]":
    """What is bound in an ops table, struct or slot, or where a function is bound. `folder`: only
    what is bound in this folder or file.

    Raises LookupFailed where the index knows nothing of that name, or of that folder.
    """
    from kgraph.query import find_bindings
    from kgraph.query.call_site import find_folder

    rows = find_bindings(graph, name)
    inside = find_folder(graph, folder) if folder else ""
    return [row for row in rows if row.location.is_in(inside)]


def site(graph: "CallGraph", place: str) -> "list[SiteAnswer]":
    """What is called at FILE:LINE, in FILE or in a function, every candidate with its evidence.

    Raises LookupFailed where no call starts there; its hint names the nearest ones.
    """
    from kgraph.query import find_call_sites

    return find_call_sites(graph, place)


def find(graph: "CallGraph", pattern: str, kinds: Sequence[str] = ()) -> "list[NamedThing]":
    """The functions, macros, tables and slots (`kinds`: only these) whose names match a shell
    pattern, a regular expression, or have a text in them.

    Raises LookupFailed where none matches.
    """
    from kgraph.query.find import KINDS, find_names

    return find_names(graph, pattern, kinds or KINDS)


class CheckResult(Struct, frozen=True):
    """A checked document. `partners` are pins that go with those of its scenario."""

    subject: "Subject"
    check: "ChainCheck"
    partners: "tuple[RowPartner, ...]" = ()

    @property
    def query(self) -> "Query | None":
        """The query that the document is the chain of, None for a document."""
        return self.subject.query


def check(
    graph: "CallGraph", subject: "Subject | str", scenario: str | None = None
) -> CheckResult:
    """Which lines of a document (a file, or a query by its name) hold.

    The lines are judged under `scenario`, which names a query (or its file), else that of the query
    itself, else the one that the document's own claims make.

    Raises DocumentError for an unknown or unreadable document or scenario, LookupFailed for a pin
    that nothing supports.
    """
    from kgraph.check.document.query_files import find_query
    from kgraph.check.document.subjects import read_subject
    from kgraph.check.walk import check_document
    from kgraph.query.pins import propose_partners

    if isinstance(subject, str):
        subject = read_subject(subject)
    query = subject.query if scenario is None else find_query(scenario)
    checked = check_document(graph, subject.document, None if query is None else query.scenario)
    return CheckResult(subject, checked, tuple(propose_partners(graph, checked.scenario.pins)))
