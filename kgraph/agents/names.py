"""Tools about names: what exists, where it is defined, what was indexed."""

from typing import Any

from kgraph.agents.answers import Draft, Item, describe_function
from kgraph.agents.tool import Asked, File, Name, Tool, qualify
from kgraph.errors import LookupFailed
from kgraph.model.results import Finding


class IndexStatus(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was indexed: tree, release, configuration, how many calls were resolved, and whether
    files are newer than the index. Ask this first.
    """

    name_of_tool = "index_status"

    def answer(self, asked: Asked) -> Draft:
        graph = asked.index.graph
        about, coverage = graph.description, graph.reader.coverage
        newer = asked.keeper.list_newer_files()
        record: dict[str, Any] = {
            "tree": about.tree, "release": about.release, "config": about.config,
            "whole": about.whole, "only": list(about.only), "built": int(about.built),
            "units": coverage.units, "units_failed": coverage.failed,
            "functions": coverage.functions, "direct_calls": coverage.direct,
            "indirect_calls": coverage.indirect, "resolved": sum(coverage.resolved.values()),
            "proved_empty": sum(coverage.empty.values()), "unresolved": coverage.unresolved,
            "newer_files": len(newer), "newest": newer[:10],
        }
        return Draft(finding=Finding.FOUND, summary=f"{about.release or 'a tree'} at {about.tree}",
                     items=[record], complete=about.whole and not coverage.failed)


class SymbolExists(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether a name exists in the tree: as a compiled function, macro, object or slot, or in the
    text of code that this configuration leaves out. `proved none` is an answer, not a failed
    search. An unknown name takes some seconds, in which the whole tree is read.
    """

    name_of_tool = "symbol_exists"
    name: Name

    def answer(self, asked: Asked) -> Draft:
        from kgraph.query.existence import find_existence

        name = self.name.rpartition(":")[2].strip().removesuffix("()")
        found = find_existence(asked.index.graph, name)
        items: list[Item] = [{"kind": "function", **describe_function(each)}
                             for each in found.compiled]
        items += [{"kind": each.kind, "name": each.name, "at": str(each.location or ""),
                   "type": each.type, "bindings": each.bindings or None} for each in found.things]
        if found.place is not None:
            items.append({
                "kind": "text", "name": name, "at": str(found.place),
                "note": "in a file that is compiled, but not as a function of this configuration"
                if found.is_read else "in a file that this configuration does not compile"})
        gaps, remarks = [], []
        if found.glued:
            gaps.append("a configuration that compiles the macros that might glue it from"
                        f" `{found.glued[0]}` and `{found.glued[1]}`")
        if found.finding is Finding.NONE:
            remarks.append("no compiled code has the name, with all macros expanded, and no .c, .h"
                           " or .S file of the tree has the word")
        where = "compiled" if found.compiled or found.things else "in the text of the tree only"
        return Draft(
            finding=found.finding, items=items, would_decide=gaps, remarks=remarks,
            summary=f"{name} exists, {where}" if items else
            f"{name} may exist" if gaps else f"{name} does not exist")


class FindFunction(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where functions are defined. `name` may be a shell pattern (`tcp_v4_*`). All functions of the
    name are listed, static twins with their files.
    """

    name_of_tool = "find_function"
    name: Name
    file: File = ""

    def answer(self, asked: Asked) -> Draft:
        graph = asked.index.graph
        written = qualify(self.name, self.file)
        if any(letter in self.name for letter in "*?["):
            found = asked.index.functions(written)
        else:
            try:
                meant = asked.index.function(written)
            except LookupFailed as failed:
                return explain_unknown(asked, self.name, failed)
            twins = [] if self.file or ":" in self.name else graph.find_functions(meant.id.name)
            found = [meant, *(each for each in twins if each.number != meant.number)]
        if not found:
            return Draft(
                finding=Finding.NONE, summary=f"no compiled function matches {self.name}",
                remarks=["code of other configurations was not searched: ask symbol_exists"])
        plural = "s" if len(found) > 1 else ""
        return Draft(finding=Finding.FOUND, summary=f"{len(found)} function{plural}",
                     items=found, encode=describe_function)


class FunctionTool(Tool, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tool about one function."""

    name: Name
    file: File = ""

    def answer(self, asked: Asked) -> Draft:
        name = qualify(self.name, self.file)
        try:
            asked.index.function(name)
        except LookupFailed as failed:
            if not asked.index.graph.find_macro_definitions(self.name):
                return explain_unknown(asked, self.name, failed)
        return self.answer_for(asked, name)

    def answer_for(self, asked: Asked, name: str) -> Draft:
        """The answer for a name that the index knows."""
        raise NotImplementedError


def explain_unknown(asked: Asked, name: str, failed: LookupFailed) -> Draft:
    """The answer about a function that has no, or more than one, meaning."""
    bare = name.rpartition(":")[2]
    twins = [each for each in asked.index.graph.find_functions(bare) if each.location]
    if twins:
        return Draft(
            finding=Finding.OPEN, summary=f"{failed.message}; {failed.hint}", items=twins,
            encode=describe_function, complete=False,
            would_decide=["which of these functions is meant: give its `file`"])
    draft = SymbolExists(name=bare).answer(asked)
    return Draft(
        finding=Finding.OPEN if draft.finding is Finding.FOUND else draft.finding,
        summary=f"{failed.message}; {draft.summary}", items=draft.items, encode=draft.encode,
        complete=False, remarks=[failed.hint, *draft.remarks],
        would_decide=draft.would_decide or (
            ["an index of a configuration that compiles it"]
            if draft.finding is Finding.FOUND else []))


def find_unknown(asked: Asked, names: tuple[str, ...]) -> Draft | None:
    """The answer about the first of some ends that means nothing."""
    from kgraph.query.paths.ends import find_end

    for name in names:
        try:
            if find_end(asked.index.graph, name) is None:
                asked.index.function(name)
        except LookupFailed as failed:
            return explain_unknown(asked, name, failed)
    return None
