"""Draws indirect call sites to judge by hand: `python -m tests.bench.drawn_sites [--index FILE]`.

Strata are what a site comes to (the rule that resolved it, or why it has no candidate), in
proportion to their holders; within one the holder is drawn first, then one of its call sites, so
that a macro that calls through one slot at a thousand places is drawn no more than another. The
same index and seed give the same sites. What was judged last stands in drawn_sites.txt.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from random import Random

import kgraph
from kgraph.graph import CallGraph

Strata = dict[str, dict[str, list[int]]]


def main() -> None:
    """Print a line a site: where, what is called, through what, and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=30)
    given = parser.parse_args()
    graph = kgraph.api.open_graph(given.index)
    for number in draw_sites(strata(graph), given.count, Random(given.seed)):
        site = graph.site(number)
        caller = graph.function(site.caller)
        callees = len({graph.edge_callee[edge] for edge in graph.edges_of(number)})
        print(f"{site.location}: {caller}() calls {site.expression}() through {site.holder or '-'}:"
              f" {site.rule or site.reason} ({site.status}), {callees} candidates")


def strata(graph: CallGraph) -> Strata:
    """Rule or status -> holder -> its call sites, by number."""
    found: Strata = defaultdict(lambda: defaultdict(list))
    rows = graph.reader.fetch_rows(
        "SELECT s.id, h.text, CASE s.status WHEN 'resolved' THEN r.text ELSE s.status END"
        " FROM site s JOIN text r ON r.id = s.rule LEFT JOIN text h ON h.id = s.holder"
        " WHERE s.status != 'direct' ORDER BY s.id")
    for number, holder, stratum in rows:
        found[stratum][holder or ""].append(number)
    return found


def draw_sites(found: Strata, count: int, random: Random) -> list[int]:
    """So many call sites, at least one of each stratum."""
    holders = sum(map(len, found.values()))
    chosen = []
    for stratum in sorted(found, key=lambda name: (len(found[name]), name)):
        left = count - len(chosen)
        share = max(1, round(count * len(found[stratum]) / holders))
        names = random.sample(sorted(found[stratum]), min(share, left, len(found[stratum])))
        chosen += [random.choice(found[stratum][name]) for name in names]
    return chosen


if __name__ == "__main__":
    main()
