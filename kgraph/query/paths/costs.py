"""What a hop costs. A reader prefers few choices to few hops.

The unit is a direct call: it costs 1 hop, which is DIRECT_COST (4096) as an integer. An indirect
call with n candidates costs 1 + 3 log2(n) hops: with one candidate as much as a direct call, with
16 as much as thirteen. A path through one call with 16 candidates, say the drivers of a bus, is
therefore taken only if every path of calls that name their callee is more than twelve hops longer.
A deferred call leaves the caller's context and costs six hops more. A candidate by type costs
forty hops more, so it comes last.

Ties are broken twice. A path that stays in its folder is preferred (from net/ipv4 back to
net/ipv4 rather than to net/ipv6; a function of a header counts as where it is called from).
Then a path through functions that call few others: a call is more likely the purpose of a
function that makes two calls than of one that makes thirty. These weigh at most 1/32 and 1/128
of a hop. Costs are integers, so sums are exact in any order.
"""

from functools import cache
from math import log2

from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT, FLAG_TYPE

DIRECT_COST = 4096  # 1 hop
CALLBACK_COST = DIRECT_COST  # the least that a call through a parameter with a binding costs
CHANGE_OF_FOLDER = DIRECT_COST // 32
_MAX_CALLEES_COST = DIRECT_COST // 128


def choice_cost(width: int) -> int:
    """What a choice among `width` candidates adds to the cost of a hop."""
    return round(3 * DIRECT_COST * log2(max(1, width)))


@cache
def hop_cost(width: int, flags: int, callees: int = 0) -> int:
    """The cost of a hop through a call site with `width` candidates, from a function that calls
    `callees` others. `flags` are FLAG_* of kgraph.store.arrays.
    """
    cost = DIRECT_COST + min(callees, _MAX_CALLEES_COST)
    if flags & FLAG_INDIRECT:
        cost += choice_cost(width)
    if flags & FLAG_DEFERRED:
        cost += 6 * DIRECT_COST
    if flags & FLAG_TYPE:
        cost += 40 * DIRECT_COST
    return cost
