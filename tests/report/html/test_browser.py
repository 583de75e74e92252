"""The HTML report in a real browser: headless Chromium, driven through its own driver."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph import api
from kgraph.check.document.query_files import read_shipped_queries
from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.report.html import make_site, make_standalone_page, write_site
from tests.support.processes import PATIENCE
from tests.support.report_pages import answer_path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium-driver)"
)]


@pytest.fixture(scope="module")
def folder(mini: CallGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("site") / "out"
    chains = [api.check(mini, query.name) for query in read_shipped_queries()]
    paths = [answer_path(mini, "SyS_sendto", "veth_xmit")]
    write_site(found, make_site(mini, SourceText(mini), chains, paths))
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[object]":
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    profile = tmp_path_factory.mktemp("profile")
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                     "--force-prefers-reduced-motion",
                     f"--user-data-dir={profile}", "--window-size=1200,900"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(PATIENCE)
    yield driver
    driver.quit()


PAGES = ("index.html", "coverage.html", "chain/veth.html", "path/SyS_sendto-veth_xmit.html",
         "function/veth_xmit.html", "table/veth_netdev_ops.html",
         "slot/net_device_ops.ndo_start_xmit.html")


def visit(browser, folder: Path, page: str) -> None:
    browser.get((folder / page).as_uri())


def some_source(folder: Path) -> str:
    return next(f"source/{file.name}" for file in sorted((folder / "source").iterdir()))


def test_no_error_on_the_console_and_no_request_leaves(browser, folder: Path) -> None:
    for page in (*PAGES, some_source(folder)):
        visit(browser, folder, page)
        assert browser.get_log("browser") == [], page
        for entry in browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                assert url.startswith((folder.as_uri(), "data:", "chrome")), url
        # The style applies: the policy of the page allows it.
        assert browser.execute_script("return getComputedStyle(document.body).margin") == "0px"


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, folder: Path, width: int, theme: str) -> None:
    import axe_core_python

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600})
    for page in (*PAGES, some_source(folder)):
        visit(browser, folder, page)
        browser.execute_script(f"document.documentElement.dataset.theme = '{theme}';"
                               "document.querySelectorAll('details').forEach(d => d.open = true)")
        browser.execute_script(axe)
        found = browser.execute_async_script(
            "axe.run().then(arguments[0], error => arguments[0]({violations: [String(error)]}))"
        )
        serious = [
            (item["id"], [node["html"][:120] for node in item["nodes"][:3]])
            for item in found["violations"] if item["impact"] in ("serious", "critical")
        ]
        assert serious == [], (page, serious)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, (page, wide)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_folding_and_unfolding(browser, folder: Path) -> None:
    visit(browser, folder, "chain/veth.html")
    shown = "return [...document.querySelectorAll('.lines li')].filter(l => !l.hidden).length"
    before = browser.execute_script(shown)
    knob = browser.find_elements("css selector", ".fold")[0]
    inner = browser.find_elements("css selector", ".fold")[1]
    inner.click()
    knob.click()
    assert knob.get_attribute("aria-expanded") == "false"
    assert browser.execute_script(shown) < before
    knob.click()
    between = browser.execute_script(shown)
    assert between < before  # what was folded inside stays folded
    inner.click()
    assert browser.execute_script(shown) == before


def test_search_finds_and_leads_there(browser, folder: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, folder, "index.html")
    box = browser.find_element("id", "search")
    box.send_keys("veth_xm")
    assert browser.find_element("id", "found").text == "1 found"
    box.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("/function/veth_xmit.html")


def test_following_a_citation_from_the_picture_to_the_source(browser, folder: Path) -> None:
    visit(browser, folder, "chain/veth.html")
    link = browser.find_elements("css selector", ".swim a")[3]
    click = "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    browser.execute_script(click, link)
    anchor = browser.current_url.partition("#")[2]
    assert anchor.startswith("line-")
    proof = browser.find_element("css selector", f"#{anchor} details.proof")
    assert proof.get_attribute("open") is not None
    proof.find_element("css selector", "a.cite").click()
    line = browser.current_url.partition("#")[2]
    assert "marked" in browser.find_element("id", line).get_attribute("class")


def test_theme_is_kept(browser, folder: Path) -> None:
    visit(browser, folder, "index.html")
    theme = "return document.documentElement.dataset.theme || 'automatic'"
    colour = "return getComputedStyle(document.body).backgroundColor"
    seen = {}
    for _ in range(3):
        browser.find_element("id", "theme").click()
        seen[browser.execute_script(theme)] = browser.execute_script(colour)
        visit(browser, folder, "coverage.html")
    assert set(seen) == {"automatic", "light", "dark"}
    assert seen["light"] != seen["dark"]


def test_a_page_of_its_own_holds_style_and_script(browser, mini: CallGraph, tmp_path: Path) -> None:
    page = tmp_path / "path.html"
    found = make_standalone_page(
        mini, SourceText(mini), answer_path(mini, "SyS_clone", "setup_net")
    )
    page.write_text(found, encoding="utf-8")
    visit(browser, tmp_path, "path.html")
    assert browser.get_log("browser") == []
    assert browser.execute_script("return getComputedStyle(document.body).margin") == "0px"
    assert browser.find_element("id", "theme").is_displayed()


def test_prints_every_proof(browser, folder: Path) -> None:
    visit(browser, folder, "chain/netns.html")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    closed = "return document.querySelectorAll('details.proof:not([open])').length"
    assert browser.execute_script(closed) == 0
    assert len(browser.print_page()) > 10_000


def test_keyboard_alone(browser, folder: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, folder, "chain/netns.html")
    browser.find_element("css selector", "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("class") == "skip"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("#main")
    knob = browser.find_elements("css selector", ".fold")[0]
    browser.execute_script("arguments[0].focus()", knob)
    knob.send_keys(Keys.SPACE)
    assert knob.get_attribute("aria-expanded") == "false"


def set_width(browser, width: int) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600})


def test_a_picture_fits_zooms_and_moves(browser, folder: Path) -> None:
    set_width(browser, 1200)
    visit(browser, folder, "path/SyS_sendto-veth_xmit.html")
    size = "const b = document.querySelector('.lanes svg').getBoundingClientRect(); return b.width"
    frame = "return document.querySelector('.frame.lanes')."
    before = browser.execute_script(size)
    first = browser.find_element("css selector", ".lanes .box text")
    view = browser.find_element("css selector", ".frame.lanes")
    assert view.rect["x"] <= first.rect["x"] <= view.rect["x"] + view.rect["width"]
    larger, smaller, width, everything = browser.find_elements("css selector", ".zoom")
    larger.click()
    assert browser.execute_script(size) > before
    smaller.click()
    everything.click()
    assert browser.execute_script(frame + "scrollHeight") <= browser.execute_script(
        frame + "clientHeight") + 1
    width.click()
    assert browser.execute_script(frame + "scrollWidth") <= browser.execute_script(
        frame + "clientWidth") + 1
    assert browser.get_log("browser") == []


def test_a_narrow_screen_gets_the_vertical_form(browser, folder: Path) -> None:
    set_width(browser, 390)
    visit(browser, folder, "path/SyS_sendto-veth_xmit.html")
    assert not browser.find_element("css selector", ".frame.lanes").is_displayed()
    assert browser.find_element("css selector", ".frame.list svg").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
