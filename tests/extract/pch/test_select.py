"""Which headers are precompiled, for which units."""

from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.pch.compatible import find_shared_files, iter_matching_headers
from kgraph.extract.pch.select import plan_headers
from kgraph.model.units import TranslationUnit
from tests.support.header_tree import list_many_units, list_units
from tests.support.shorthand import unit

PRIVATE = ("#ifndef PRIVATE\n#define PRIVATE\n#include <linux/base.h>\n"
           "#define MAKE(x) void x(void);\n{lines}\n#endif\n")


def in_folder(root: Path, folder: str) -> list[TranslationUnit]:
    """12 units of a folder with a heavy header of its own, and one that does not guard itself."""
    (root / folder).mkdir()
    (root / folder / "private.h").write_text(
        PRIVATE.format(lines="\n".join(f"MAKE(made_{n})" for n in range(120))))
    (root / folder / "bare.h").write_text("struct bare { int x; };\n")
    for number in range(12):
        (root / folder / f"{number}.c").write_text(
            '#include <linux/second.h>\n#include "private.h"\n#include "bare.h"\n'
            f"void in_{folder}_{number}(void) {{ second(); made_1(); }}\n")
    return [unit(root, f"{folder}/{number}.c") for number in range(12)]


def test_many_units_have_a_second_header_with_less_in_it(root: Path) -> None:
    wide, narrow = plan_headers(list_many_units(root, 10))
    assert set(wide.names) == {*narrow.names, "linux/rare.h"}
    assert len(plan_headers(list_many_units(root, 0))) == 1  # it would be the same


def test_a_folder_with_heavy_headers_of_its_own_has_a_header(root: Path) -> None:
    units = [*in_folder(root, "one"), *list_units(root)]
    own, common = plan_headers(units)
    assert own.folder == f"{root}/one"
    assert own.names == ("linux/second.h", f"{root}/one/private.h")
    assert not common.folder
    headers = []
    for number, plan in enumerate((own, common)):
        made = Extractor(root, None, set()).extract_header(plan, root / f"common{number}")
        assert made is not None
        headers.append(made[0])
    assert list(iter_matching_headers(headers, units[0])) == headers
    assert list(iter_matching_headers(headers, units[-1])) == headers[1:]
    without, using = Extractor(root, None, set()), Extractor(root, None, set(), headers)
    for each in units:
        plain, short = without.extract(each), using.extract(each)
        assert (short.files, short.errors) == (plain.files, plain.errors)
        assert [d for d in short.definitions if d.subject.location.path == each.path] == [
            d for d in plain.definitions if d.subject.location.path == each.path]
    assert find_shared_files(headers[0], units[0], (units[0].file, f"{root}/one/bare.h")) == {
        f"{root}/{name}" for name in (
            "include/linux/base.h", "include/linux/second.h", "one/private.h")}


def test_a_folder_whose_headers_are_light_has_none_of_its_own(root: Path) -> None:
    units = in_folder(root, "one")
    (root / "one/private.h").write_text(PRIVATE.format(lines="void made_1(void);"))
    assert [plan.folder for plan in plan_headers(units)] == [""]
