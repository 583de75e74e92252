"""Whether a name exists: in the code that is compiled, or anywhere in the text of the tree.

Absence is proved by both: no definition that the compiler saw has the name, with all macros
expanded, and no C source of the tree has the word, nor two words that a macro could glue to it in
code that the configuration leaves out. A name that is glued from three words there is not excluded.
"""

from msgspec import Struct

from kgraph.graph import CallGraph
from kgraph.graph.tree_search import TreeSearch
from kgraph.model.location import Location
from kgraph.model.results import Finding, KnownFunction, NamedThing


class Existence(Struct, frozen=True):
    """What has a name. `compiled` are functions, `things` macros, tables and slots of the index.
    Else `place` is where the text of the tree has the word, `is_read` if an indexed unit reads that
    file; and `glued` are two words that a macro might glue to the name.
    """

    compiled: tuple[KnownFunction, ...] = ()
    things: tuple[NamedThing, ...] = ()
    place: Location | None = None
    is_read: bool = False
    glued: tuple[str, str] | None = None

    @property
    def finding(self) -> Finding:
        """Whether the name exists."""
        if self.compiled or self.things or self.place:
            return Finding.FOUND
        return Finding.OPEN if self.glued else Finding.NONE


def find_existence(graph: CallGraph, name: str) -> Existence:
    """What has a name: an identifier, or RECORD.FIELD. Reads the tree's text only for a name that
    the index lacks.
    """
    compiled = tuple(graph.find_functions(name))
    things = tuple(_find_things(graph, name))
    if compiled or things:
        return Existence(compiled, things)
    if not name.isidentifier() or not name.isascii():
        return Existence()
    search = TreeSearch(graph.description)
    place = search.find_name(name)
    if place is None:
        return Existence(glued=search.find_glued(name))
    return Existence(place=place, is_read=place.path in graph.find_read_files())


def _find_things(graph: CallGraph, name: str) -> list[NamedThing]:
    macros = [NamedThing("macro", name, each.location)
              for each in graph.find_macro_definitions(name)]
    objects = [NamedThing("object", name, each.location, each.id.image, each.type)
               for each in graph.find_objects(name)]
    record, _, field = name.rpartition(".")
    bindings = len(graph.find_bindings_to_field(record, field)) if record else 0
    slot = [NamedThing("slot", name, bindings=bindings)] if record and (
        bindings or graph.is_holder(name)) else []
    return macros + objects + slot
