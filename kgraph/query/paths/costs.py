"""What a step of a path costs beside what the index says of its hop (kgraph.store.hop_costs).

Bindings and pins leave fewer candidates to a call than it has in the index: it is cheaper. A
path that stays in its folder is preferred (from net/ipv4 back to net/ipv4 rather than to
net/ipv6; a function of a header counts as where it is called from), most of all where a call has
candidates in that folder.
"""

from kgraph.store.hop_costs import HOP, choice_cost, hop_cost

__all__ = ["CHANGE_OF_FOLDER", "HOP", "LEFT_FOLDER", "choice_cost", "hop_cost"]

CHANGE_OF_FOLDER = HOP // 2
LEFT_FOLDER = 2 * HOP  # though there are candidates in it
