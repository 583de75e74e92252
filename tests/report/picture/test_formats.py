"""Pictures in each of their languages, from the command line, read by the programs of these."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def draw(kgraph, mini_index: Path):
    def run(form: str, *question: str) -> str:
        answer = kgraph("path", *question, "--format", form, "--index", mini_index)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    return run


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "html"])
def test_path_in_every_form(kgraph, mini_index: Path, draw, form: str) -> None:
    text = draw(form, "SyS_clone", "setup_net")
    for name in ("SyS_clone", "copy_net_ns", "setup_net"):
        assert name in text
    none = kgraph("path", "setup_net", "SyS_clone", "--format", form, "--index", mini_index)
    assert none.returncode == 1
    assert "no path" in none.stdout + none.stderr


@pytest.mark.parametrize("count", ["1", "3"])
def test_svg_is_xml_with_its_style(draw, count: str) -> None:
    root = ET.fromstring(draw("svg", "SyS_sendto", "veth_xmit", "-k", count))
    assert root.tag == f"{SVG}svg"
    style = root.find(f"{SVG}style")
    assert style is not None
    assert ".swim" in (style.text or "")
    assert "veth_xmit" in "".join(root.itertext())


@pytest.mark.parametrize("count", ["1", "3"])
@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_graphviz_reads_dot(draw, count: str) -> None:
    text = draw("dot", "SyS_sendto", "veth_xmit", "-k", count)
    assert read_with_dot(text).count('class="node"') == text.count("[label=")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_graphviz_reads_the_exported_graph(kgraph, mini_index: Path) -> None:
    answer = kgraph("export", "--format", "dot", "--around", "veth_xmit", "--index", mini_index)
    assert 'class="node"' in read_with_dot(answer.stdout)


def read_with_dot(text: str) -> str:
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True,
                          timeout=PATIENCE, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.stderr == ""
    return done.stdout


MERMAID = os.environ.get("MERMAID_JS", "")


@pytest.mark.browser
@pytest.mark.skipif(
    not Path(MERMAID or "/nosuch").is_file() or shutil.which("chromium") is None,
    reason="needs chromium, and in MERMAID_JS the file mermaid.min.js (npm: mermaid)")
@pytest.mark.parametrize("count", ["1", "3"])
def test_mermaid_draws_it(draw, tmp_path: Path, count: str) -> None:
    text = draw("mermaid", "SyS_sendto", "veth_xmit", "-k", count)
    page = tmp_path / "page.html"
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    page.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><pre class=mermaid>{escaped}</pre>"
        f"<script src='{Path(MERMAID).as_uri()}'></script><script>mermaid.initialize("
        "{startOnLoad: true})</script>", encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000",
         page.as_uri()],
        capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "Syntax error" not in done.stdout
    drawn = re.findall(r'<g class="node ', done.stdout)
    assert len(drawn) == len(re.findall(r"^    n\d+\[", text, re.MULTILINE))
