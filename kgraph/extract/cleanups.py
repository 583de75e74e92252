"""`__attribute__((cleanup(f)))`: f is called with the variable's address at the end of its scope.

libclang shows no attribute's function; the declaration as clang prints it names it.
"""

import re

from kgraph.extract.context import Context
from kgraph.extract.libclang import C, pretty
from kgraph.extract.nodes import Node
from kgraph.model.facts import CallSite
from kgraph.model.holders import Address, Named, Place, Symbol
from kgraph.model.names import FunctionId

MARK = "cleanup("  # in the text of every definition that has such a variable
_CLEANUP = re.compile(r"__attribute__\(\(cleanup\((\w+)\)\)\)")


def cleanup(context: Context, variable: Node, place: Place) -> None:
    """Record the call, where the declaration of a local variable asks for one."""
    policy = C.clang_getCursorPrintingPolicy(variable.cursor)
    printed = pretty(variable.cursor, policy)
    C.clang_PrintingPolicy_dispose(policy)
    found = _CLEANUP.search(printed)
    if found is None or context.function is None:
        return
    extent = context.unit.sources.extent(variable.cursor)
    context.calls.append(CallSite(
        caller=context.function, location=extent.start, extent=extent,
        ordinal=context.ordinal(extent.start),
        target=Symbol(FunctionId(found[1], "", context.unit.names.image), Named.CLEANUP),
        expression=found[1], arguments=((Address(place),),), guards=tuple(context.guards)))
