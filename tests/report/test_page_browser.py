"""The page of claims in headless Chromium, where selenium and the browser are installed."""

import base64
import importlib.util
from pathlib import Path

import pytest

from jaxnets.report import page
from tests.browsers import NEEDED, chromium, webdriver
from tests.report import made_up

pytestmark = [pytest.mark.slow, NEEDED]
LOOKS = [(width, dark) for width in (1280, 390) for dark in (False, True)]
VIOLATIONS = """
const [done] = [arguments[arguments.length - 1]];
axe.run().then(found => done(found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))])));
"""


@pytest.fixture(scope="module")
def driver():
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    text = page.html("Nets", "About nets.", made_up.sections(folder), "Made by hand.", ["A quick run."], "sst2")
    (folder / "page.html").write_text(text, encoding="utf-8")
    return (folder / "page.html").as_uri()


@pytest.fixture
def browser(driver, address):
    show(driver, address)
    yield driver
    assert driver.get_log("browser") == []


def show(driver, address, width=1280, dark=False):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    driver.get(address)


def one(driver, selector):
    return driver.find_element("css selector", selector)


def unfold(driver):
    driver.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true; })")


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_axe_finds_no_violation(driver, address, width, dark):
    found = importlib.util.find_spec("axe_core_python")
    if found is None:
        pytest.skip("axe-core-python is not installed")
    show(driver, address, width, dark)
    unfold(driver)
    driver.execute_script((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    assert driver.execute_async_script(VIOLATIONS) == []


@pytest.mark.parametrize(("width", "dark"), LOOKS[::2])
def test_nothing_is_wider_than_the_page(driver, address, width, dark):
    show(driver, address, width, dark)
    unfold(driver)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_details_are_folded_and_open_by_keyboard(browser):
    details = one(browser, "#optimizers details")
    assert details.get_attribute("open") is None
    summary = one(browser, "#optimizers summary")
    summary.send_keys(webdriver.Keys.ENTER)
    assert details.get_attribute("open") is not None
    assert "What decides" in details.text


@pytest.mark.parametrize("key", ["ENTER", "SPACE"])
def test_a_figure_opens_large_and_closes_by_keyboard(browser, key):
    unfold(browser)
    button, large = one(browser, "#optimizers .zoom"), one(browser, "#large")
    small = one(browser, "#optimizers .zoom img").size["width"]
    assert not large.is_displayed()
    button.send_keys(getattr(webdriver.Keys, key))
    assert large.is_displayed()
    assert one(browser, "#large img").size["width"] > 2 * small
    assert one(browser, "#large figcaption").text == f"A line {made_up.HOSTILE}."
    browser.switch_to.active_element.send_keys(webdriver.Keys.ESCAPE)
    assert not large.is_displayed()
    assert browser.switch_to.active_element == button


def test_a_figure_closes_by_its_button_and_by_a_click_beside_it(browser):
    unfold(browser)
    large = one(browser, "#large")
    for close in (lambda: one(browser, "#large button").click(), lambda: click_at(browser, 3, 3)):
        one(browser, "#optimizers .zoom").click()
        assert large.is_displayed()
        close()
        assert not large.is_displayed()


def click_at(driver, x, y):
    actions = webdriver.ActionChains(driver, duration=0)
    actions.w3c_actions.pointer_action.move_to_location(x, y)
    actions.w3c_actions.pointer_action.click()
    actions.perform()


def test_on_paper_all_is_unfolded(browser):
    counts = "return [...document.querySelectorAll('details')].filter(one => one.open).length"
    browser.execute_script("addEventListener('beforeprint', () => { window.seen = 0; })")
    browser.execute_script(
        "addEventListener('beforeprint', () => { window.seen = document.querySelectorAll('details[open]').length; })"
    )
    paper = base64.b64decode(browser.print_page())
    assert paper.startswith(b"%PDF")
    assert browser.execute_script("return window.seen") == 6
    assert browser.execute_script(counts) == 0
