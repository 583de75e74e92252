"""Random edits of a tree of the kinds that are made all the time."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

Edit = Callable[[Path, Random], None]


def sources(tree: Path, suffix: str) -> list[Path]:
    return sorted(tree.rglob(f"*{suffix}"))


def add_comment(tree: Path, random: Random) -> None:
    path = random.choice(sources(tree, ".c"))
    lines = path.read_text().splitlines()
    lines.insert(random.randrange(len(lines)), "")
    path.write_text("\n".join(lines) + "\n")


def add_function(tree: Path, random: Random) -> None:
    path = random.choice(sources(tree, ".c"))
    number = random.randrange(10**9)
    path.write_text(path.read_text() + (
        f"static int called_{number}(int a)\n{{\n\treturn a;\n}}\n"
        f"int (*held_{number})(int) = called_{number};\n"
        f"int added_{number}(int a)\n{{\n\treturn held_{number}(a);\n}}\n"))


def edit_header(tree: Path, random: Random) -> None:
    path = random.choice(sources(tree / "include", ".h"))
    number = random.randrange(10**9)
    path.write_text(path.read_text() + f"static inline void inline_{number}(void)\n{{\n}}\n")


def delete_lines(tree: Path, random: Random) -> None:
    path = random.choice(sources(tree, ".c"))
    lines = path.read_text().splitlines()
    del lines[random.randrange(len(lines)):][:3]
    path.write_text("\n".join(lines) + "\n")


def read_commands(tree: Path) -> list[dict[str, object]]:
    commands: list[dict[str, object]] = json.loads((tree / "compile_commands.json").read_text())
    return commands


def add_unit(tree: Path, random: Random) -> None:
    commands = read_commands(tree)
    number = random.randrange(10**9)
    model = random.choice(commands)
    name = f"net/new_{number}.c"
    (tree / name).write_text(f"int new_{number}(void)\n{{\n\treturn 0;\n}}\n")
    arguments = [str(word) for word in model["arguments"]]  # type: ignore[attr-defined]
    arguments[arguments.index("-o") + 1] = name.replace(".c", ".o")
    commands.append({**model, "file": name, "arguments": [*arguments[:-1], name]})
    (tree / "compile_commands.json").write_text(json.dumps(commands))


def delete_unit(tree: Path, random: Random) -> None:
    commands = read_commands(tree)
    gone = commands.pop(random.randrange(len(commands)))
    if random.random() < 0.5:
        (tree / str(gone["file"])).unlink()
    (tree / "compile_commands.json").write_text(json.dumps(commands))


def change_symbol(tree: Path, random: Random) -> None:
    path = tree / "include/generated/autoconf.h"
    lines = path.read_text().splitlines()
    if random.random() < 0.5:
        lines.append(random.choice(["#define CONFIG_IP_MULTICAST 1", "#define CONFIG_UNUSED 1"]))
    elif lines:
        lines.pop(random.randrange(len(lines)))
    path.write_text("\n".join(lines) + "\n")


def change_command(tree: Path, random: Random) -> None:
    commands = read_commands(tree)
    arguments = random.choice(commands)["arguments"]
    arguments.insert(1, f"-DEXTRA_{random.randrange(3)}")  # type: ignore[attr-defined]
    (tree / "compile_commands.json").write_text(json.dumps(commands))


def shadow_header(tree: Path, random: Random) -> None:
    """A header beside a unit is found before the one of the same name elsewhere."""
    path = random.choice(sources(tree / "include/net", ".h"))
    folder = random.choice(sources(tree, ".c")).parent
    (folder / path.name).write_text(path.read_text() + "\n")


def touch(tree: Path, random: Random) -> None:
    path = random.choice(sources(tree, ".c"))
    path.touch()


EDITS: list[Edit] = [add_comment, add_function, edit_header, delete_lines, add_unit, delete_unit,
                     change_symbol, change_command, shadow_header, touch]
