"""`kgraph cscope` prints the lines of cscope, and the editors' own interfaces to cscope read them.

The programs are asked themselves where they are installed: cscope, vim, an nvim that still has
`:cs`, emacs with xcscope, and cscope_maps.nvim ($KGRAPH_CSCOPE_MAPS is its folder, $KGRAPH_NVIM an
nvim of 0.10 or later).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kgraph.resources import find_mini_linux

VETH_CALL = "include/linux/netdevice.h", "__netdev_start_xmit", 135
MINI = find_mini_linux()
LINE = re.compile(r"(\S+) (\S+) (\d+) (.*)")


@pytest.fixture
def ask(kgraph, mini_index: Path):
    def ask(*words: str, cwd: Path = MINI):
        answer = kgraph("cscope", "-f", str(mini_index), *words, cwd=cwd)
        assert answer.returncode == 0, answer.stderr
        found = [LINE.fullmatch(line) for line in answer.stdout.splitlines()]
        assert all(found), answer.stdout
        return [(each[1], each[2], int(each[3])) for each in found if each is not None]
    return ask


def test_each_field_has_its_lines(ask) -> None:
    assert ask("-dL", "-1", "veth_xmit") == [("drivers/net/veth.c", "veth_xmit", 17)]
    assert ask("-dL", "-3", "veth_xmit") == [VETH_CALL]
    assert ask("-L3veth_xmit") == ask("-d", "-L", "-3", "veth_xmit") == [VETH_CALL]
    assert ("drivers/net/veth.c", "dev_forward_skb", 26) in ask("-dL2", "veth_xmit")
    called = {name for _, name, _ in ask("-dL2", "__netdev_start_xmit")}
    assert {"veth_xmit", "e1000_xmit_frame"} <= called
    assert ("drivers/net/veth.c", "<global>", 61) in ask("-dL9", "ndo_start_xmit")
    assert ask("-dL9", "net_device_ops.ndo_start_xmit") == ask("-dL9", "ndo_start_xmit")
    assert ask("-dL3", "ndo_start_xmit") == [VETH_CALL]
    every = ask("-dL0", "veth_xmit")
    assert {("drivers/net/veth.c", "veth_xmit", 17), ("drivers/net/veth.c", "<global>", 61),
            VETH_CALL} <= set(every)
    assert ask("-dL7", "veth.c") == [("drivers/net/veth.c", "<unknown>", 1)]
    assert ask("-dL1", "nosuch") == []


def test_text_is_searched_in_the_files_that_units_read(ask) -> None:
    assert ("drivers/net/veth.c", "<unknown>", 17) in ask("-dL4", "veth_xmit(struct")
    assert ask("-dL4", "VETH_XMIT(") == []
    assert ask("-dLC", "-4", "VETH_XMIT(") == ask("-dL4", "veth_xmit(")
    assert ("drivers/net/veth.c", "<unknown>", 17) in ask("-dL6", "^static .*veth_x[l-n]it")
    assert ("drivers/net/dummy.c", "<unknown>", 2) in ask("-dL8", "netdevice.h")
    assert ask("-dL8", "device.h") == []


def test_a_pattern_means_whole_names_of_functions(ask) -> None:
    assert {name for _, name, _ in ask("-dL1", "veth_(open|close)")} == {"veth_open", "veth_close"}
    assert ask("-dL1", "veth_(open|clo)") == ask("-dL1", "veth_open")
    assert ask("-dLC1", "VETH_OPEN") == ask("-dL1", "veth_open")


def test_files_are_written_for_the_folder_that_asks(ask, tmp_path: Path) -> None:
    path = find_mini_linux() / "drivers/net/veth.c"
    assert ask("-dL1", "veth_xmit", cwd=path.parent)[0][0] == "veth.c"
    assert ask("-dL1", "veth_xmit", cwd=tmp_path)[0][0] == str(path)
    assert ask("-dL1", "veth_xmit", "-P", "/x", cwd=tmp_path)[0][0] == "/x/drivers/net/veth.c"


def test_any_file_of_a_tree_leads_to_its_index(kgraph, cache_of_tree: Path) -> None:
    (cache_of_tree / "cscope.out").write_text("cscope 15 nothing\n")
    answer = kgraph("cscope", "-f", "cscope.out", "-L", "-1", "f", cwd=cache_of_tree)
    assert answer.stdout == "a.c f 1 int f(void)\n"


@pytest.fixture
def cache_of_tree(kgraph, tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text("int f(void)\n{\n\treturn 0;\n}\n")
    (tree / "compile_commands.json").write_text(
        '[{"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}]')
    assert kgraph("index", str(tree), "-j1").returncode == 0
    return tree


def test_lines_that_changed_are_unknown_and_named(kgraph, cache_of_tree: Path) -> None:
    (cache_of_tree / "a.c").write_text("\nint f(void)\n{\n\treturn 0;\n}\n")
    answer = kgraph("cscope", "-dL1", "f", cwd=cache_of_tree)
    assert answer.stdout == "a.c f 1 <unknown>\n"
    assert "a.c changed since the tree was indexed" in answer.stderr


def ask_lines(mini_index: Path, questions: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kgraph", "cscope", "-dl", "-f", str(mini_index)], input=questions,
        cwd=find_mini_linux(), capture_output=True, check=False, timeout=60)


def test_line_mode(mini_index: Path) -> None:
    answer = ask_lines(
        mini_index, b"3veth_xmit\n1nosuch\nc\n1VETH_OPEN\n5x\n6((\n\xff\x00\nZ\n0\nq\n1f\n")
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0
    assert lines[0] == ">> cscope: 1 lines"
    assert lines[1].startswith("include/linux/netdevice.h __netdev_start_xmit 135 ")
    assert lines[2:4] == [">> cscope: 0 lines", ">> >> cscope: 1 lines"]
    assert lines[4].startswith("drivers/net/veth.c veth_open ")
    assert [line for line in lines[5:] if "lines" in line] == [
        ">> cscope: 0 lines", ">> cscope: 0 lines", ">> >> >> cscope: 0 lines"]
    errors = answer.stderr.decode()
    assert "kgraph never writes into a tree" in errors
    assert "no regular expression" in errors
    assert "cscope: unknown command 'Z'" in errors
    assert ask_lines(mini_index, b"").stdout == b">> "


@pytest.mark.parametrize("words", [
    ("-dL",), ("-dL1", "f", "-2", "g"), ("-l", "-L", "-1", "f"), ("-b",), ("-dL1", ""),
    ("-dL5", "f"), ("-dL6", "(("), ("--nosuch",), ("-dL1", "f", "more")])
def test_wrong_words_are_errors(kgraph, mini_index: Path, words: tuple[str, ...]) -> None:
    answer = kgraph("cscope", "-f", str(mini_index), *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("kgraph: ")


@pytest.mark.skipif(shutil.which("cscope") is None, reason="cscope is not installed")
def test_nothing_that_cscope_itself_finds_is_missing(ask, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(find_mini_linux(), tree)
    subprocess.run(["cscope", "-Rbk"], cwd=tree, check=True, timeout=60)
    for question in ("1veth_xmit", "3dev_queue_xmit", "2veth_xmit", "7veth.c", "8netdevice.h",
                     "9ndo_start_xmit", "3ndo_start_xmit", "4veth_xmit(struct"):
        theirs = subprocess.run(["cscope", f"-dL{question}"], cwd=tree, check=True, text=True,
                                capture_output=True, timeout=60).stdout.splitlines()
        found = [LINE.fullmatch(line) for line in theirs]
        # Which function is around a text or an #include is said by neither.
        wanted = {(each[1], "" if question[0] == "8" else each[2], int(each[3]))
                  for each in found if each is not None}
        ours = {(file, "" if question[0] == "8" else name, line)
                for file, name, line in ask(f"-dL{question}")}
        assert wanted
        assert wanted <= ours, question


def make_wrapper(folder: Path, name: str) -> Path:
    """An executable of this name that is `kgraph cscope`."""
    program = folder / name
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kgraph cscope "$@"\n')
    program.chmod(0o755)
    return program


VIM = """
set nocompatible cscopequickfix=s-,c-,d-,g-,t-,a- cscopeprg=PROGRAM
cs add INDEX TREE
redir! > OUT
for [kind, name] in [['c', 'veth_xmit'], ['g', 'dev_queue_xmit'], ['d', 'veth_xmit'],
      \\ ['t', 'veth_xmit(struct'], ['a', 'ndo_start_xmit']]
  silent! execute 'cs find' kind name
  for each in getqflist()
    silent echo kind . ' ' . bufname(each.bufnr) . ':' . each.lnum . ' ' . each.text
  endfor
endfor
redir END
qa!
"""


@pytest.mark.parametrize("editor", [("vim", "-u", "NONE", "-N", "-es"),
                                    ("nvim", "--headless", "-u", "NONE")])
def test_vim_finds(mini_index: Path, tmp_path: Path, editor: tuple[str, ...]) -> None:
    if shutil.which(editor[0]) is None:
        pytest.skip(f"{editor[0]} is not installed")
    if editor[0] == "vim" and "+cscope" not in subprocess.run(
            ["vim", "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this vim has no :cscope")
    if editor[0] == "nvim" and not re.match(r"NVIM v0\.[0-8]\.", subprocess.run(
            ["nvim", "--version"], capture_output=True, text=True, check=True).stdout):
        pytest.skip("this nvim has no :cscope, which 0.9 removed")
    script, out = tmp_path / "x.vim", tmp_path / "out"
    script.write_text(
        VIM.replace("PROGRAM", str(make_wrapper(tmp_path, "kgraph-cscope")))
        .replace("INDEX", str(mini_index)).replace("TREE", str(find_mini_linux()))
        .replace("OUT", str(out)))
    subprocess.run([*editor, "-S", str(script)], cwd=tmp_path, check=False, timeout=60,
                   stdin=subprocess.DEVNULL, capture_output=True)
    found = out.read_text()
    tree = find_mini_linux()
    assert f"c {tree}/include/linux/netdevice.h:135 <<__netdev_start_xmit>> return ops" in found
    assert f"g {tree}/net/core/dev.c:143 <<dev_queue_xmit>>" in found
    assert f"d {tree}/drivers/net/veth.c:26 <<dev_forward_skb>>" in found
    assert f"t {tree}/drivers/net/veth.c:17" in found
    assert re.search(rf"a {tree}/drivers/net/veth\.c:61 ", found)


XCSCOPE = """
(require 'xcscope)
(setq cscope-program "PROGRAM" cscope-option-do-not-update-database t)
(find-file "FILE")
(defun ask (number name)
  (cscope-call "Finding" number name)
  (while cscope-process (accept-process-output cscope-process 0.1))
  (set-buffer (get-file-buffer "FILE"))
  (with-current-buffer "*cscope*" (princ (buffer-substring-no-properties (point-min) (point-max)))))
(ask 3 "veth_xmit")
(ask 1 "dev_queue_xmit")
"""


def has_xcscope() -> bool:
    if shutil.which("emacs") is None:
        return False
    return subprocess.run(["emacs", "--batch", "--eval", "(require 'xcscope)"], check=False,
                          capture_output=True, timeout=60).returncode == 0


def test_xcscope_finds(mini_index: Path, tmp_path: Path) -> None:
    if not has_xcscope():
        pytest.skip("emacs with xcscope is not installed")
    tree = tmp_path / "tree"
    shutil.copytree(find_mini_linux(), tree)
    shutil.copyfile(mini_index, tree / "cscope.out")
    script = tmp_path / "x.el"
    script.write_text(XCSCOPE.replace("PROGRAM", str(make_wrapper(tmp_path, "kgraph-cscope")))
                      .replace("FILE", str(tree / "net/core/dev.c")))
    answer = subprocess.run(["emacs", "--batch", "-l", str(script)], cwd=tmp_path, check=False,
                            capture_output=True, text=True, timeout=60)
    assert "netdevice.h:" in answer.stdout, answer.stderr
    assert re.search(r"__netdev_start_xmit\[135\]\s+return ops->ndo_start_xmit", answer.stdout)
    assert re.search(r"dev_queue_xmit\[143\]", answer.stdout)


MAPS = """
vim.opt.rtp:append("PLUGIN")
require("cscope_maps").setup({ cscope = { exec = "cscope", db_file = "INDEX::TREE",
  picker = "quickfix", skip_picker_for_single_result = false } })
vim.cmd("Cscope find c veth_xmit")
local lines = {}
for _, each in ipairs(vim.fn.getqflist()) do
  table.insert(lines, vim.fn.bufname(each.bufnr) .. ":" .. each.lnum .. " " .. each.text)
end
vim.fn.writefile(lines, "OUT")
vim.cmd("qa!")
"""


def test_cscope_maps_finds(mini_index: Path, tmp_path: Path) -> None:
    plugin, nvim = os.environ.get("KGRAPH_CSCOPE_MAPS"), os.environ.get("KGRAPH_NVIM")
    if not plugin or not nvim:
        pytest.skip("KGRAPH_CSCOPE_MAPS and KGRAPH_NVIM name no cscope_maps.nvim and no nvim")
    make_wrapper(tmp_path, "cscope")  # the plugin knows programs of this name only
    script, out = tmp_path / "x.lua", tmp_path / "out"
    script.write_text(MAPS.replace("PLUGIN", plugin).replace("INDEX", str(mini_index))
                      .replace("TREE", str(find_mini_linux())).replace("OUT", str(out)))
    subprocess.run(
        [nvim, "--headless", "-u", "NONE", "-S", str(script)], cwd=tmp_path, check=False,
        timeout=60, stdin=subprocess.DEVNULL, capture_output=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert "netdevice.h:135 <<__netdev_start_xmit>>" in out.read_text()
