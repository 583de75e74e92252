"""How one function reaches another: path questions, with the scenario that documents the way."""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.logs import PackageLogger
from kgraph.model.results import Alias

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.document import Scenario
    from kgraph.model.results import PathAnswer, RequiredAnswer, WhyNot
    from kgraph.query.lookup import FoundFunction
    from kgraph.query.paths.question import PathQuestion
    from kgraph.query.pins import RowPartner

_LOG = PackageLogger("kgraph.api")


class DocumentedScenario(Struct, frozen=True):
    """The scenario of a query that documents the path you asked for. `misfit` says why it does not
    fit the index and was not used; "" if it was.
    """

    query: str
    scenario: "Scenario"
    misfit: str = ""


class PathResult(Struct, frozen=True):
    """The answer to a path question. `question` is the one that was answered: with aliases replaced
    and the scenario filled in. `partners` are pins that go with those of the question; they were
    not applied. `why_not` is asked for by explain_absence. `remarks` say how names were understood.
    """

    question: "PathQuestion"
    answer: "PathAnswer"
    aliases: tuple[Alias, ...] = ()
    documented: DocumentedScenario | None = None
    partners: "tuple[RowPartner, ...]" = ()
    why_not: "WhyNot | None" = None
    remarks: tuple[str, ...] = ()


def path(
    graph: "CallGraph", question: "PathQuestion", scenario: str | None = None, *,
    documented: bool = True,
) -> PathResult:
    """How one function reaches another. An end may also be a slot, a table, a file or folder, a
    pattern, or `syscall:*`: the nearest pairs of functions are answered for.

    `scenario` names a query (or its file) whose pins, via and avoid are used. Without it, and if
    the question has no via, avoid, pins or scenario of its own, kgraph uses the scenario of the
    query that documents this path, if one of those that come with kgraph does. `documented=False`
    prevents that. A documented scenario that does not fit the index is not used.

    Raises LookupFailed for an unknown or ambiguous name and for a pin that nothing supports,
    DocumentError for an unknown `scenario`.
    """
    from kgraph.query.paths.question import find_paths
    from kgraph.query.pins import propose_partners

    between = _path_between_sets(graph, question, scenario)
    if between is not None:
        return between
    question, ends = _resolve_ends(graph, question)
    used, answer = None, None
    if scenario is not None:
        question = _use_scenario(question, scenario)
    elif documented and not (
            question.via or question.avoid or question.bind or question.scenario):
        used, answer = _try_documented(graph, question)
        if used is not None and answer is not None:
            question = replace(question, scenario=used.scenario)
    if answer is None:
        answer = find_paths(graph, question)
    partners = propose_partners(graph, question.collect_pins())
    aliases = tuple(alias for alias in map(make_alias, ends) if alias is not None)
    remarks = tuple(dict.fromkeys(remark for end in ends for remark in end.remarks))
    return PathResult(question, answer, aliases, used, tuple(partners), remarks=remarks)


def _path_between_sets(
    graph: "CallGraph", question: "PathQuestion", scenario: str | None
) -> PathResult | None:
    """The result of `path` where an end means several functions; None where none does."""
    from kgraph.query.lookup import resolve_function
    from kgraph.query.paths.ends import find_end, find_paths_between

    names = question.caller, question.callee
    ends = [find_end(graph, name) for name in names]
    if ends == [None, None]:
        return None
    sets = [(resolve_function(graph, name).function,) if end is None else end.functions
            for name, end in zip(names, ends, strict=True)]
    if scenario is not None:
        question = _use_scenario(question, scenario)
    callers, callees = ([each.number for each in functions] for functions in sets)
    question, answer = find_paths_between(graph, question, callers, callees)
    remarks = tuple(
        f"`{end.text}` means {len(end.functions)} functions: each path is of one of them"
        for end in ends if end is not None)
    return PathResult(question, answer, remarks=remarks)


def explain_absence(graph: "CallGraph", result: PathResult, function: str) -> PathResult:
    """The result of `path`, with why its first path does not pass a function.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query.paths.why_not import explain_absence as explain

    return replace(result, why_not=explain(graph, result.question, function))


def required(graph: "CallGraph", question: "PathQuestion") -> "RequiredAnswer":
    """What every path passes: the functions that all ways by the calls of the index have in common,
    under `avoid`, `bind`, `deferred` and `types` of the question.

    These ways are more than the paths: calls are taken whether they can follow each other or not.
    So no path misses one of these functions, but there may be further ones that all paths pass.

    Raises LookupFailed for an unknown or ambiguous name.
    """
    from kgraph.query.paths.required import find_required

    return find_required(graph, question)


def _resolve_ends(
    graph: "CallGraph", question: "PathQuestion"
) -> "tuple[PathQuestion, list[FoundFunction]]":
    """The question with its ends resolved, and what they were resolved to."""
    from kgraph.query.lookup import qualify_name, resolve_function

    names = question.caller, question.callee
    found = [resolve_function(graph, name) for name in names]
    caller, callee = (qualify_name(graph, name) for name in names)
    return replace(question, caller=caller, callee=callee), found


def make_alias(found: "FoundFunction") -> Alias | None:
    """The alias that a name was, None if it was none."""
    return Alias(found.alias, found.function) if found.alias else None


def _use_scenario(question: "PathQuestion", name: str) -> "PathQuestion":
    """The question under the scenario of a query: under the part between its ends, if they are on
    the path of the query.
    """
    from kgraph.check.document.query_files import find_query
    from kgraph.query.scenarios import restrict_scenario

    query = find_query(name)
    part = restrict_scenario(query, question.caller, question.callee)
    return replace(question, scenario=part or query.scenario)


def _try_documented(
    graph: "CallGraph", question: "PathQuestion"
) -> "tuple[DocumentedScenario | None, PathAnswer | None]":
    """The scenario that documents the path, if any, and the answer under it, if it fits."""
    from kgraph.query.paths.question import find_paths

    found = _find_documented(question)
    if found is None:
        return None, None
    try:
        answer = find_paths(graph, replace(question, scenario=found.scenario))
        misfit = "" if answer.paths else "no path under it"
    except LookupFailed as error:
        misfit = error.message
    _LOG.debug("scenario of query %s: %s", found.query, misfit or "used")
    return (replace(found, misfit=misfit), None) if misfit else (found, answer)


def _find_documented(question: "PathQuestion") -> DocumentedScenario | None:
    """The scenario of the first query that documents the path with pins or via."""
    from kgraph.check.document.query_files import read_shipped_queries
    from kgraph.query.scenarios import restrict_scenario

    for query in read_shipped_queries():
        scenario = restrict_scenario(query, question.caller, question.callee)
        if scenario is not None and (scenario.pins or scenario.via):
            return DocumentedScenario(query.name, scenario)
    return None
