"""Linkage: from a function or object as a unit refers to it to the one that is defined.

A module calls what vmlinux exports; code of a header belongs to no module, but may call into
one. The order: the definition of the same image, that of vmlinux, the only one of another
module. Images that are linked on their own (vdso, realmode ...) see only their own. Where the names
of an image get a prefix, both sides see each other's by it. An alias is followed to the function
that it stands for. A name without a definition stays as it is.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from kgraph.model.facts import Function, Object
from kgraph.model.ids import PREFIXED_IMAGES, VMLINUX, FunctionId, ObjectId

Id = TypeVar("Id", FunctionId, ObjectId)
ISOLATED = ("vdso", "realmode", "boot", "purgatory", "host")
"""Images that share no symbols with the running kernel: they are started by the boot loader, run
in user space, in another mode of the processor, or on the machine that builds."""


def is_isolated(image: str) -> bool:
    """Whether an image (also "vdso32") is linked by itself."""
    return image.startswith("vdso") or image in ISOLATED or image in PREFIXED_IMAGES


class FunctionLinker:
    """Links references to functions."""

    def __init__(self, functions: Mapping[FunctionId, Function]) -> None:
        self._functions = functions
        self._images = _group_by_name(functions)

    def link(self, reference: FunctionId) -> FunctionId:
        """The defined function that `reference` means, or `reference` itself."""
        current = _choose(reference, self._images)
        seen = {current}
        while current is not None:
            function = self._functions.get(current)
            if function is None or not function.alias_of:
                break
            target = self._alias_target(function)
            if target is None or target in seen:
                break
            seen.add(target)
            current = target
        return reference if current is None else current

    def _alias_target(self, function: Function) -> FunctionId | None:
        """What an alias stands for: in its own scope, external, or static in its file."""
        own = function.id
        for scope in (own.scope, "", function.location.path):
            wanted = FunctionId(function.alias_of, scope, own.image)
            if wanted in self._functions:
                return wanted
        return None


class ObjectLinker:
    """Links references to objects."""

    def __init__(self, objects: Mapping[ObjectId, Object]) -> None:
        self._objects = objects
        self._images = _group_by_name(objects)

    def link(self, reference: ObjectId) -> ObjectId:
        """The defined object that `reference` means, or `reference` itself."""
        current = _choose(reference, self._images)
        if current is None:
            return reference
        found = self._objects[current]
        for scope in (current.scope, "", found.location.path) if found.alias_of else ():
            wanted = ObjectId(found.alias_of, scope, current.image)
            if wanted in self._objects:
                return wanted
        return current


def _group_by_name(ids: Iterable[Id]) -> dict[tuple[str, str], list[Id]]:
    """Identities by name and scope."""
    result: dict[tuple[str, str], list[Id]] = {}
    for identity in ids:
        result.setdefault((identity.name, identity.scope), []).append(identity)
    return result


def _choose(
    reference: Id, images: Mapping[tuple[str, str], list[Id]]
) -> Id | None:
    """The identity of the reference's name and scope that its image is linked with."""
    found = images.get((reference.name, reference.scope), [])
    for image in (reference.image, VMLINUX):
        for identity in found:
            if identity.image == image and (image == reference.image
                                            or not is_isolated(reference.image)):
                return identity
    if is_isolated(reference.image):
        return (_find_prefixed(reference, images, reference.image, VMLINUX)
                if reference.image in PREFIXED_IMAGES else None)
    others = [identity for identity in found if not is_isolated(identity.image)]
    if len(others) == 1:
        return others[0]
    prefixed = (_find_prefixed(reference, images, VMLINUX, image) for image in PREFIXED_IMAGES)
    return next(filter(None, prefixed), None)


def _find_prefixed(
    reference: Id, images: Mapping[tuple[str, str], list[Id]], source: str, target: str
) -> Id | None:
    """What a reference in image `source` means in image `target`, one of which gives its names a
    prefix; None if neither does."""
    name = PREFIXED_IMAGES.get(source, "") + reference.name
    prefix = PREFIXED_IMAGES.get(target, "")
    if reference.scope or not name.startswith(prefix) or source == target:
        return None
    found = images.get((name.removeprefix(prefix), ""), ())
    return next((identity for identity in found if identity.image == target), None)
