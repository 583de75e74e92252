"""Tools about ways through the graph: paths, what reaches what, written chains."""

from collections import Counter
from typing import Annotated

from msgspec import Meta

from kgraph import api
from kgraph.agents.answers import Draft, Item, Limit, describe_function, list_gaps, list_open_calls
from kgraph.agents.names import find_unknown
from kgraph.agents.tool import Asked, Name, Text, Tool
from kgraph.model.results import Finding
from kgraph.model.verdicts import LineVerdict


class FindPath(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one function reaches another: the calls of the likeliest paths, in order, each with its
    place and why it is believed (`path` is the number of the path). Ends may be `syscall:*`, a slot
    or a file as well.
    """

    name_of_tool = "find_path"
    caller: Name
    callee: Name
    via: Annotated[tuple[Name, ...], Meta(max_length=20)] = ()
    avoid: Annotated[tuple[Name, ...], Meta(max_length=20)] = ()
    paths: Annotated[int, Meta(ge=1, le=20, description="How many different paths.")] = 1
    limit: Limit = 100

    def answer(self, asked: Asked) -> Draft:
        unknown = find_unknown(asked, (self.caller, self.callee))
        if unknown is not None:
            return unknown
        result = asked.index.paths(
            self.caller, self.callee, via=self.via, avoid=self.avoid, count=self.paths)
        answer = result.answer
        items = [(number, hop) for number, path in enumerate(answer.paths, 1) for hop in path.hops]
        remarks = list(result.remarks)
        if result.documented is not None and not result.documented.misfit:
            remarks.append(f"under the documented scenario `{result.documented.query}`")
        if answer.contradiction is not None:
            remarks.append(f"a cheaper way was refused: {answer.contradiction.reason}")
        gaps = [] if answer.frontier is None else list_gaps(answer.frontier)
        least = "at least " if answer.others_at_least else ""
        summary = (f"{len(answer.paths)} of the paths from {self.caller} to {self.callee};"
                   f" {least}{answer.others} others" if answer.paths
                   else f"no path from {self.caller} to {self.callee} was found")
        return Draft(
            finding=answer.finding, summary=summary, items=items,
            encode=lambda item: {"path": item[0], **asked.hop(item[1])},
            complete=not (answer.others or answer.others_at_least), remarks=remarks,
            would_decide=gaps if answer.finding is Finding.OPEN else ())


class Reach(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether `caller` reaches `callee`. Without `caller`: which system calls lead to it, nearest
    first; only the first is tried as a path, ask find_path about the others.
    """

    name_of_tool = "reach"
    callee: Name
    caller: Annotated[str, Meta(max_length=300)] = ""

    def answer(self, asked: Asked) -> Draft:
        unknown = find_unknown(asked, (*filter(None, (self.caller,)), self.callee))
        if unknown is not None:
            return unknown
        if not self.caller:
            return self._find_syscalls(asked)
        found = asked.index.reachable(self.caller, self.callee)
        verb = {Finding.FOUND: "reaches", Finding.NONE: "does not reach",
                Finding.OPEN: "is not known to reach"}[found.finding]
        return Draft(
            finding=found.finding, summary=f"{self.caller} {verb} {self.callee}",
            would_decide=[] if found.frontier is None or found.finding is Finding.NONE
            else list_gaps(found.frontier))

    def _find_syscalls(self, asked: Asked) -> Draft:
        calls = api.reaching_syscalls(asked.index.graph, self.callee)
        first = calls and asked.index.reachable(str(calls[0].function), self.callee)
        if not calls:
            from kgraph.query.paths.no_path import find_open_callers

            function = asked.index.function(self.callee)
            gaps = list_open_calls(find_open_callers(asked.index.graph, function.number))
            return Draft(
                finding=Finding.OPEN,
                summary=f"no known calls lead from a system call to {function}",
                would_decide=gaps or [("reach with a `caller`: callers of its callers may be called"
                                      " where kgraph cannot see")])
        return Draft(
            finding=Finding.FOUND if first else Finding.OPEN, complete=False,
            summary=f"calls lead from {len(calls)} system calls to {self.callee}",
            items=calls, encode=lambda call: {
                **describe_function(call.function), "distance": call.distance,
                "path": ("found" if first else "not found") if call is calls[0] else "not tried"},
            would_decide=[] if first else ["find_path from each of these"])


class CheckChain(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Judges a written call chain or a printed stack, line by line: a function a line, callees
    indented below their callers, with FILE:LINE if you have it. Status: found if every claim holds,
    proved none if one is refuted, could not tell else.
    """

    name_of_tool = "check_chain"
    text: Text
    limit: Limit = 200

    def answer(self, asked: Asked) -> Draft:
        from kgraph.check.document.parser import parse_document
        from kgraph.check.document.subjects import Subject

        data = self.text.encode("utf-8", "surrogatepass")
        checked = asked.index.check(Subject(parse_document("chain", data), data)).check
        counts = Counter(line.verdict.value for line in checked.claims)
        wrong = any(line.verdict.is_wrong for line in checked.lines)
        gaps = [f"line {line.line.number}: {line.note or 'whether this holds'}"
                for line in checked.lines if line.verdict.is_open]
        if not checked.claims:
            gaps.append("a chain: no line of the text is a claim")
        finding = Finding.NONE if wrong else Finding.OPEN if gaps else Finding.FOUND
        return Draft(
            finding=finding, complete=not gaps, would_decide=gaps[:20],
            summary=", ".join(f"{count} {name}" for name, count in counts.items()) or "no claims",
            items=checked.lines, encode=_describe_line)


def _describe_line(line: LineVerdict) -> Item:
    return {
        "line": line.line.number, "text": line.line.text.strip()[:200],
        "verdict": line.verdict.value, "citation": line.citation.value,
        "should_cite": str(line.found) if line.found else None, "note": line.note,
        "leaves_out": [str(hop.callee) for hop in line.via[:8]],
    }
