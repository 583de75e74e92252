"""How one function reaches another: the k paths with the fewest choices.

question.py asks; search.py is A* over the states of state_space.py, guided by lower_bounds.py;
constraints.py says what a path may do, costs.py what a hop costs; no_path.py explains why there is
none, count.py counts further paths.
"""

from kgraph.query.paths.question import PathQuestion, find_paths

__all__ = ["PathQuestion", "find_paths"]
