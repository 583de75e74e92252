"""A precompiled header on disk: which files it holds, and what its macros mean.

Everything is found from the text of the files, without a preprocessor, except what clang reported
when the header was made (see precompile).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from kgraph.extract.pch.include_graph import SuffixIndex, find_reachable, list_search_folders
from kgraph.extract.pch.include_scan import scan_file

IRRELEVANT_MACROS = frozenset({
    "pr_fmt", "dev_fmt", "KBUILD_STR", "KBUILD_BASENAME", "KBUILD_MODNAME", "KBUILD_MODFILE",
    "__KBUILD_MODNAME", "KMSG_COMPONENT", "notrace"})
"""Macros that may mean anything although headers mention them: they change no fact.

They become parts of messages and section names, or say whether a function is traced.
"""
# Words of C to which a macro may add attributes, also attributes that are not facts (identities).
# Whether a file is read before or after such a macro does not matter; a unit's own definition does.
_QUALIFIERS = frozenset({"inline", "__inline", "__inline__"})
_IRRELEVANT_ATTRIBUTES = frozenset({
    "__attribute__", "always_inline", "no_instrument_function", "notrace"})


@dataclass(frozen=True, slots=True)
class MacroDependency:
    """Macros that a precompiled file mentions, but whose definers it does not include.

    `definers` are the files that define or undefine them, each with the number of files that it
    includes before that. `fallbacks` are those of them that define only what is not defined yet.
    `read_before` are those that decided what holds when the file was read, in order.
    """

    definers: dict[str, int]
    fallbacks: frozenset[str]
    read_before: tuple[str, ...]

    def is_met(self, read: Mapping[str, int], open_files: Mapping[str, int]) -> bool:
        """Whether the same definers decide, in the same order, at another point of reading.

        `read` and `open_files` are as in include_graph.iter_reading_order.
        """
        return self.read_before == order_definers(self.definers, self.fallbacks, read, open_files)


def order_definers(
    definers: Mapping[str, int], fallbacks: frozenset[str], read: Mapping[str, int],
    open_files: Mapping[str, int],
) -> tuple[str, ...]:
    """The definers that decide what the macros mean, in the order in which they were read.

    A fallback does not count if another definer was read: a definition after the fallback replaces
    it, and after a definition the fallback does nothing.
    """
    found = [definer for definer, before in definers.items() if definer in read
             and (definer not in open_files or before < open_files[definer])]
    firm = [definer for definer in found if definer not in fallbacks] or found
    return tuple(sorted(firm, key=read.__getitem__)) if len(firm) > 1 else tuple(firm)


@dataclass(frozen=True)
class PrecompiledHeader:
    """A precompiled header on disk. All file names in it are absolute.

    - `file`: where it is.
    - `directory`, `flags`: the working directory and the arguments it was made with.
    - `forced_includes`: files that every unit reads by command line.
    - `includes`: for each file in it, in reading order, the files that it may include.
    - `folder`: the folder whose units may use it, "" for all units.
    - `defined`: the macros of these files that are defined at its end.
    - `macro_definers`: for a macro that several files define or undefine, those that matter to its
      meaning; the last one is the one that defined it at the end.
    - `dependencies`: for each file the macros that its own includes do not settle.
    - `followed_includes`: `includes` without those that were not followed when it was made.
    - `keys`: the keys of the definitions of each file, by citation path.
    """

    file: str
    directory: str
    flags: tuple[str, ...]
    forced_includes: tuple[str, ...]
    includes: dict[str, tuple[str, ...]]
    folder: str = ""
    defined: frozenset[str] = frozenset()
    macro_definers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: dict[str, tuple[MacroDependency, ...]] = field(default_factory=dict)
    followed_includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _affected_names: dict[str, set[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def files_by_suffix(self) -> SuffixIndex:
        """The files by the ends of their paths."""
        return SuffixIndex(self.includes, list_search_folders(self.flags))

    @cached_property
    def code(self) -> frozenset[str]:
        """The identifiers of the files, outside macro bodies."""
        return frozenset().union(*(scan_file(file).code for file in self.includes))

    @cached_property
    def macros(self) -> dict[str, frozenset[str]]:
        """The macros of the files, each with the files that define or undefine it."""
        found: dict[str, frozenset[str]] = {}
        for file in self.includes:
            alone = frozenset((file,))  # one object for nearly all macros of the file
            for name in scan_file(file).bodies:
                known = found.get(name)
                found[name] = alone if known is None else known | alone
        return found

    @cached_property
    def bodies(self) -> dict[str, frozenset[str]]:
        """The names in the bodies of each macro."""
        return {name: _unite([scan_file(file).bodies[name] for file in files])
                for name, files in self.macros.items()}

    @cached_property
    def macros_by_name(self) -> dict[str, tuple[str, ...]]:
        """The names in macro bodies, each with the macros whose bodies hold it."""
        found: dict[str, list[str]] = {}
        for macro, body in self.bodies.items():
            for name in body:
                found.setdefault(name, []).append(macro)
        return {name: tuple(macros) for name, macros in found.items()}

    def has_name(self, name: str) -> bool:
        """Whether a macro could replace a name in these files; irrelevant ones are left out."""
        return name not in IRRELEVANT_MACROS and (
            name in self.code or name in self.macros or name in self.macros_by_name)

    @cached_property
    def attribute_macros(self) -> frozenset[str]:
        """The macros that stand for a word of C with attributes that are not facts (`inline`)."""
        return frozenset(
            name for name in _QUALIFIERS & self.macros.keys()
            if self.bodies[name] <= {name, *_IRRELEVANT_ATTRIBUTES}
            and all(name in scan_file(file).bodies[name] for file in self.macros[name]))

    @cached_property
    def read_first(self) -> dict[str, int]:
        """The files that every unit reads first, with their positions."""
        forced = find_reachable(self.forced_includes, self.includes)
        return {file: position for position, file in enumerate(
            file for file in self.includes if file in forced)}

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each file in reading order."""
        return {file: position for position, file in enumerate(self.includes)}

    def find_definers(self, macro: str) -> frozenset[str]:
        """The files that matter to the meaning of a macro."""
        return frozenset(self.macro_definers.get(macro, self.macros[macro]))

    def find_affected_names(self, macro: str) -> set[str]:
        """The names that mean something else in these files if a macro does."""
        if macro not in self._affected_names:
            self._affected_names[macro] = find_reachable([macro], self.macros_by_name)
        return self._affected_names[macro]

    def has_final_meaning(self, macro: str, read: Mapping[str, int]) -> bool:
        """Whether a macro already means what it means at the end of the header.

        `read` are the files that were begun so far, with their positions.
        """
        files = self.macros[macro]
        if macro not in self.macro_definers:  # one file defines it
            return macro not in self.defined or not files.isdisjoint(read)
        *others, final = self.macro_definers[macro] or [""]
        if not final:  # the compiler defines it, the same everywhere
            return True
        if macro in self.defined:
            return (final in read and final in self.positions
                    and self._is_in_order(final, others, read))
        begun = [file for file in files if file in read]
        return not begun or (len(begun) == len(files) and all(
            self._is_in_order(file, begun, read) for file in begun))

    def _is_in_order(self, file: str, others: Iterable[str], read: Mapping[str, int]) -> bool:
        """Whether a file is read after the same files as in this header."""
        return all((read[other] < read[file]) == (self.positions[other] < self.positions[file])
                   for other in others if other != file and other in read)


def _unite(sets: list[frozenset[str]]) -> frozenset[str]:
    """The union; of a single set this set itself."""
    return sets[0] if len(sets) == 1 else frozenset().union(*sets)


def encode_headers(headers: tuple[PrecompiledHeader, ...]) -> bytes:
    """Descriptions of headers as bytes, for decode_headers."""
    # By way of json: file names that are not UTF-8 are lone surrogates, which msgspec refuses.
    return json.dumps(msgspec.to_builtins(headers)).encode()


def decode_headers(data: bytes) -> tuple[PrecompiledHeader, ...]:
    """The headers that encode_headers encoded. Raises ValueError for other bytes."""
    return msgspec.convert(json.loads(data), tuple[PrecompiledHeader, ...])
