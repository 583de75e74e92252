"""Which macros the files of a precompiled header take from files that they do not include."""

from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.pch.compatible import find_shared_files
from kgraph.extract.pch.select import HeaderPlan
from tests.support.shorthand import unit

MAPS = {
    "include/linux/size.h": "#define SIZE 4\n",
    "include/inner/asm/map.h": "extern int map[SIZE];\n",
    "include/asm/map.h": "#include <linux/size.h>\n#include <inner/asm/map.h>\n",
}
ORDERS = {
    # headers in the order in which the precompiled one reads them, what a unit says, and whether
    # it may use that
    "a name in brackets is sought along the folders": (
        MAPS,
        "#include <asm/map.h>\n", True),
    "one in quotes may be any file of such a name": (
        MAPS,
        '#include "asm/map.h"\n', False),
    "a fallback next to a definition does not count": (
        {"include/linux/null.h": "#define NIL 0\n",
         "include/linux/or.h": "#ifndef NIL\n#define NIL 1\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return NIL; }\n"},
        "#include <linux/null.h>\n#include <linux/use.h>\n", True),
    "a fallback alone counts": (
        {"include/linux/null.h": "#define NIL 0\n",
         "include/linux/or.h": "#ifndef NIL\n#define NIL 1\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return NIL; }\n"},
        "#include <linux/or.h>\n#include <linux/use.h>\n", False),
    "a header of the unit's own is read before a macro gets its meaning": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include "own.h"\n#include <linux/other.h>\n', False),
    "it is read after that": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include <linux/other.h>\n#include "own.h"\n', True),
    "a macro's meaning comes from another file that the unit does not read": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/plain.h>\n#include "own.h"\n', False),
    "another file defines it under a condition that does not hold": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/other.h": "#ifdef NEVER\n#define HOW 2\n#endif\n"},
        '#include <linux/plain.h>\n#include "own.h"\n', True),
    "files give a macro its meaning in another order": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n"},
        '#include <linux/other.h>\n#include <linux/plain.h>\n#include "own.h"\n', False),
    "a macro of the unit expands to it where it is used": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/other.h": "int other;\n"},
        ("#include <linux/other.h>\n#define MINE HOW\n#include <linux/plain.h>\n"
         "int g(void) { return MINE; }\n"), True),
    "a macro of the unit expands to it where it is used before": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/other.h": "int other;\n"},
        ("#include <linux/other.h>\n#define MINE HOW\nenum { MINE };\n"
         "#include <linux/plain.h>\n"), False),
    "a unit's macro leads to another that it defines later": (
        {"include/linux/plain.h": "int plain;\n", "include/linux/other.h": "#define TWO ONE\n"},
        ("#define FIRST THEN\n#ifdef FIRST\n#endif\n#include <linux/plain.h>\n"
         "#define THEN TWO\nint FIRST;\n"), False),
    "a macro is mentioned, and then gets another meaning": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW one\n",
         "include/linux/other.h": "#undef HOW\n#define HOW two\n"},
        "#include <linux/other.h>\nint HOW;\n#include <linux/plain.h>\nlong HOW;\n", False),
    "a macro is undefined": (
        {"include/linux/un.h": "#undef HOW\n", "include/linux/plain.h": "#define HOW 1\n"},
        '#include <linux/plain.h>\n#include <linux/un.h>\n#include "own.h"\n', False),
    "a macro is defined after it was undefined": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/un.h": "#undef HOW\n"},
        '#include <linux/un.h>\n#include <linux/plain.h>\n#include "own.h"\n', False),
    "of two fallbacks the first counts": (
        {"include/linux/or.h": "#ifndef HOW\n#define HOW 1\n#endif\n",
         "include/linux/else.h": "#ifndef HOW\n#define HOW 2\n#endif\n"},
        '#include <linux/else.h>\n#include <linux/or.h>\n#include "own.h"\n', False),
    "a file's own fallback does not count after a definition": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h":
         "#ifndef HOW\n#define HOW 2\n#endif\nstatic inline int use(void) { return HOW; }\n"},
        "#include <linux/use.h>\n", False),
    "two files give a macro its meaning in another order before it is used": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW 1\n",
         "include/linux/other.h": "#undef HOW\n#define HOW 2\n",
         "include/linux/use.h": "static inline int use(void) { return HOW; }\n"},
        "#include <linux/other.h>\n#include <linux/plain.h>\n#include <linux/use.h>\n", False),
    "the unit defines a macro before a header that defines it anew": (
        {"include/linux/plain.h": "#undef HOW\n#define HOW one\n",
         "include/linux/other.h": "int other;\n"},
        "#define HOW two\n#include <linux/plain.h>\nint HOW;\n", False),
    "a condition leaves out where a macro is used": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h": "#ifdef NEVER\n"
         "static inline int never(void) { return HOW; }\n#endif\nint use(void);\n"},
        "#include <linux/use.h>\n", True),
    "it does so since another header is read before": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/on.h": "#define ON\n",
         "include/linux/use.h": "#if defined(ON) \\\n || defined(X)\nint use(void);\n"
         "#else\nstatic inline int use(void) { return HOW; }\n#endif\n"},
        "#include <linux/plain.h>\n#include <linux/use.h>\n", False),
    "a macro is defined anew under a condition that does not hold": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/via.h":
         "#ifdef NEVER\n#define VIA HOW\n#else\n#define VIA 2\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return VIA; }\n"},
        "#include <linux/via.h>\n#include <linux/use.h>\n", True),
    "a file is read again, and the condition holds then": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/twice.h":
         "#ifdef AGAIN\nstatic inline int twice(void) { return HOW; }\n#endif\n",
         "include/linux/again.h": "#define AGAIN\n#include <linux/twice.h>\n"},
        "#include <linux/twice.h>\n#include <linux/again.h>\n", False),
    "a macro is used after a comment of several lines": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/use.h":
         "/* one\n two\n three */\n#ifdef NEVER\nint never(void);\n#endif\n"
         "static inline int use(void) { return HOW; }\n"},
        "#include <linux/use.h>\n", False),
    "a macro continues after a comment of several lines": (
        {"include/linux/plain.h": "#define HOW 1\n", "include/linux/via.h":
         "#define VIA /* one\n two */ HOW\n#ifdef NEVER\nint never(void);\n#endif\n",
         "include/linux/use.h": "static inline int use(void) { return VIA; }\n"},
        "#include <linux/via.h>\n#include <linux/use.h>\n", False),
    "a macro's literal is no name": (
        {"include/linux/plain.h": "#define HOW 1\n",
         "include/linux/text.h": '#define SAY(x) say("HOW", x)\nint say(char *, int);\n',
         "include/linux/use.h": "static inline int use(void) { return SAY(1); }\n"},
        "#include <linux/text.h>\n#include <linux/use.h>\n", True),
    "inline may be defined away": (
        {"include/linux/words.h": "#define inline\n",
         "include/linux/use.h": "static inline int use(void) { return 1; }\n"},
        "#include <linux/use.h>\n", False),
    "attributes of inline functions are no fact": (
        {"include/linux/words.h": "#define inline inline __attribute__((always_inline))\n",
         "include/linux/use.h": "static inline int use(void) { return 1; }\n"},
        "#include <linux/use.h>\n#include <linux/words.h>\n", True),
}


@pytest.mark.parametrize("number", range(len(ORDERS)), ids=list(ORDERS))
def test_what_headers_take_from_one_another(tmp_path: Path, number: int) -> None:
    headers, text, may = list(ORDERS.values())[number]
    for name, content in headers.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    names = tuple(name.removeprefix("include/") for name in headers)
    flags = ("-nostdinc", f"-I{tmp_path}/include", "-w")
    made = Extractor(tmp_path, None, set()).extract_header(
        HeaderPlan(names, str(tmp_path), flags), tmp_path / "common")
    assert made is not None
    header, shared = made
    (tmp_path / "s.c").write_text(text + "int f(void) { return 0; }\n")
    (tmp_path / "own.h").write_text("static inline int own(void) { return HOW; }\n")
    special = unit(tmp_path, "s.c")
    files = (special.file, *([f"{tmp_path}/own.h"] if "own.h" in text else ()))
    assert (find_shared_files(header, special, files) is not None) is may
    plain = Extractor(tmp_path, None, set()).extract(special)
    short = Extractor(tmp_path, None, set(), (header,)).extract(special)
    keys = {d.key for d in (*shared, *short.definitions)}
    assert {d.key for d in plain.definitions} <= keys  # with the header, or because it is not used
    assert short.files == plain.files
