"""The include graph of a set of files: which files each include may read, and in which order.

A graph maps each file to the files that it includes, in order. It may have too many includes,
because conditions are not evaluated. It lacks one only where a macro names the included file; clang
reports which files a unit really read.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kgraph.extract.pch.include_scan import Include, scan_file

IncludeGraph = Mapping[str, tuple[str, ...]]


def list_search_folders(flags: Iterable[str]) -> list[str]:
    """The folders along which headers are looked up, from a command's arguments."""
    return [argument[2:] for argument in flags if argument.startswith("-I")]


class SuffixIndex:
    """Files by the ends of their paths, which tells what an include may read.

    `folders` are the search folders of includes in angle brackets, in order.
    """

    def __init__(self, files: Iterable[str], folders: Sequence[str] = ()) -> None:
        self._folders = tuple(map(os.path.normpath, folders))
        self._files: dict[str, list[str]] = {}
        for file in files:
            suffix = ""
            for part in reversed(file.split("/")):
                suffix = f"{part}/{suffix}" if suffix else part
                self._files.setdefault(suffix, []).append(file)

    def find(self, include: Include) -> list[str]:
        """The files that an include may read."""
        found = self.find_named(include.name)
        if include.is_searched and len(found) > 1:
            for folder in self._folders:
                if (file := f"{folder}/{include.name}") in found:
                    return [file]
        return found

    def find_named(self, name: str) -> list[str]:
        """The files whose paths end with the name of an include."""
        suffix = os.path.normpath(name) if "./" in name or "//" in name else name
        while suffix.startswith("../"):
            suffix = suffix[3:]
        return self._files.get(suffix, [])


def build_include_graph(
    files: Iterable[str], index: SuffixIndex
) -> dict[str, tuple[str, ...]]:
    """For each file the files that its includes may read, in order."""
    return {file: tuple(dict.fromkeys(target for include in scan_file(file).includes
                                      for target in index.find(include)))
            for file in files}


def drop_unfollowed_includes(
    graph: IncludeGraph, includers: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """A graph without the includes that were not followed when its files were read.

    The files of `graph` are in the order in which they were read; `includers` says which file
    included each first. A file that was read to its end before another was begun did not include
    that one.
    """
    positions = {file: position for position, file in enumerate(graph)}
    return {
        file: tuple(target for target in targets
                    if positions[target] < positions[file]
                    or file in _find_includers(target, includers))
        for file, targets in graph.items()}


def _find_includers(file: str, includers: Mapping[str, str]) -> set[str]:
    """The files inside which a file was read first."""
    found: set[str] = set()
    while (includer := includers.get(file, "")) and includer not in found:
        found.add(includer)
        file = includer
    return found


def find_reachable(starts: Iterable[str], graph: Mapping[str, Iterable[str]]) -> set[str]:
    """The files that are read from `starts`, these included; or the nodes of any other graph.

    networkx has this, too. Every worker would have to import it, which takes longer than all calls.
    """
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting.extend(graph.get(file, ()))
    return reached


def iter_reading_order(
    starts: Iterable[str], graph: IncludeGraph, read: dict[str, int], open_files: dict[str, int]
) -> Iterator[str]:
    """The files that are reachable from `starts` and not yet in `read`, in reading order.

    Updates both dictionaries as it goes on. `read` gets each file with its position when the next
    one is asked for. `open_files` holds the files that are not read to their end yet, with the
    number of the include that they are at, from 1.
    """
    stack = [iter(list(starts))]
    names = [""]
    while stack:
        for file in stack[-1]:
            open_files[names[-1]] = open_files.get(names[-1], 0) + 1
            if file not in read:
                yield file
                read[file] = len(read)
                stack.append(iter(graph.get(file, ())))
                names.append(file)
                break
        else:
            stack.pop()
            open_files.pop(names.pop(), None)
