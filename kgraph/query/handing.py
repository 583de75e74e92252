"""Which calls of a path hand a callback on: the evidence of a call through a bound parameter.

The evidence that an edge has in the index is one of the ways in which the callback can get there.
In a path it came by the path's own calls, and these are what a reader wants cited.
"""

from collections.abc import Sequence

from kgraph.graph import CallGraph
from kgraph.model.edges import Evidence, Role
from kgraph.query.steps import Step


def handed_on(graph: CallGraph, steps: Sequence[Step]) -> tuple[Evidence, ...]:
    """The calls among `steps` that hand on what the last of them calls, first to last.

    Empty where the last step is no call through a parameter, or that parameter is not bound.
    """
    site = graph.site_of(steps[-1].edge) if steps[-1].edge >= 0 else -1
    callee = steps[-1].state.function
    parameter = graph.callbacks.get(site, -1)
    citations: list[Evidence] = []
    for step in reversed(steps[:-1]):
        if parameter < 0 or dict(step.state.bindings).get(parameter) != callee:
            break
        caller = graph.site_of(step.edge)
        function = graph.function(step.state.function)
        citations.append(
            Evidence(Role.ARGUMENT, graph.site(caller).location, f"{function}(#{parameter})")
        )
        values = [value for number, value in graph.forwards[caller] if number == parameter]
        parameter = -1 if callee in values else max((-1 - value for value in values), default=-1)
    return tuple(reversed(citations))
