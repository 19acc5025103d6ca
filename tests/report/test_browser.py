"""The pages in headless Chromium, where selenium and the browser are installed."""

import base64
import importlib.util
import json
from pathlib import Path

import pytest

from jaxnets.report import claims_page
from tests.browsers import NEEDED, chromium, webdriver
from tests.report import comparisons, made_up

ui = pytest.importorskip("selenium.webdriver.support.ui")
pytestmark = [pytest.mark.slow, NEEDED]

NAMES = ("sgd", "momentum", "<img src=x onerror=alert(1)>")
LOOKS = [(width, dark) for width in (1280, 390) for dark in (False, True)]


@pytest.fixture(scope="module")
def driver():
    with chromium(performance="ALL") as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page of claims, one of a comparison on one task with hundreds of runs, and one of two tasks."""
    folder = tmp_path_factory.mktemp("pages")
    large = comparisons.make(NAMES, search="random", trials=64, seeds=2, confirm=8)
    several = comparisons.make(tasks=2, seeds=1, confirm=2, trials=5)
    texts = {
        "claims": claims_page.html("Nets", "About.", made_up.sections(folder), "By hand.", ["A quick run."], "sst2")
    }
    for name, made in {"large": large, "several": several}.items():
        texts[name] = comparisons.page(*made, "python run.py")
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def show(driver, path, width=1280, dark=False):
    look(driver, width, dark)
    driver.get(path.as_uri())
    if path.stem != "claims":
        until(driver, lambda: driver.execute_script("return document.documentElement.dataset.drawn === 'yes'"))


def look(driver, width=1280, dark=False):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.fixture
def claims(driver, folder):
    show(driver, folder / "claims.html")
    driver.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    yield driver
    assert driver.get_log("browser") == []


@pytest.fixture
def large(driver, folder):
    show(driver, folder / "large.html")
    yield driver
    assert driver.get_log("browser") == []


def until(driver, holds, seconds=10):
    return ui.WebDriverWait(driver, seconds, 0.05).until(lambda _: holds())


def one(driver, selector):
    return driver.find_element("css selector", selector)


def all_of(driver, selector):
    return driver.find_elements("css selector", selector)


# ---- all pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("name", ["claims", "large", "several"])
def test_a_page_fits_the_screen_fetches_nothing_and_has_no_violation(driver, folder, name, width, dark):
    show(driver, folder / f"{name}.html", width, dark)
    driver.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    right = (
        "return [...document.querySelectorAll('.chart svg')].every(s => s.getBoundingClientRect().right <= innerWidth)"
    )
    assert driver.execute_script(right)
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert {url.split(":")[0] for url in urls} <= {"file", "data"}
    if found := importlib.util.find_spec("axe_core_python"):
        driver.execute_script((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
        run = "const done = arguments[0]; axe.run().then(found => done(found.violations.map(one => one.id)));"
        assert driver.execute_async_script(run) == []


# ---- claims -----------------------------------------------------------------------------------------------------


def test_details_are_folded_open_by_keyboard_and_unfold_on_paper(driver, folder):
    show(driver, folder / "claims.html")
    details, keys = one(driver, "#optimizers details"), webdriver.Keys
    assert details.get_attribute("open") is None
    count = (
        "addEventListener('beforeprint', () => { window.seen = document.querySelectorAll('details[open]').length; })"
    )
    driver.execute_script(count)
    assert base64.b64decode(driver.print_page()).startswith(b"%PDF")
    assert driver.execute_script("return window.seen") == 6
    assert all_of(driver, "details[open]") == []
    one(driver, "#optimizers summary").send_keys(keys.ENTER)
    assert "What decides" in details.text


def test_a_figure_opens_large_and_closes_by_keyboard_button_and_click(claims):
    button, large, keys = one(claims, "#optimizers .zoom"), one(claims, "#large"), webdriver.Keys
    small = one(claims, "#optimizers .zoom img").size["width"]
    for close in ("key", "button", "click"):
        button.send_keys(keys.ENTER)
        assert large.is_displayed()
        assert one(claims, "#large img").size["width"] > 2 * small
        assert one(claims, "#large figcaption").text == f"A line {made_up.HOSTILE}."
        if close == "key":
            claims.switch_to.active_element.send_keys(keys.ESCAPE)
            assert claims.switch_to.active_element == button
        elif close == "button":
            one(claims, "#large button").click()
        else:
            actions = webdriver.ActionChains(claims, duration=0)
            actions.w3c_actions.pointer_action.move_to_location(3, 3)
            actions.w3c_actions.pointer_action.click()
            actions.perform()
        assert not large.is_displayed()


# ---- a comparison -----------------------------------------------------------------------------------------------


def column(driver, name):
    """The texts of a column of the table of runs, as it is shown."""
    place = [head.text.split()[0] for head in all_of(driver, "#runs-table thead th")].index(name)
    script = (
        "return [...document.querySelectorAll('#runs-table tbody tr')].map(row => row.cells[arguments[0]].innerText)"
    )
    return driver.execute_script(script, place)


def test_figures_are_drawn_and_told(large):
    charts = all_of(large, ".chart[role=graphics-document]")
    assert len(charts) == len(all_of(large, "figcaption")) == 8
    assert all(len(chart.get_attribute("aria-label")) > 20 for chart in charts)
    assert all(svg.size["height"] > 60 for svg in all_of(large, ".chart svg"))


def test_headers_sort_by_click_and_keyboard(large):
    head = next(one for one in all_of(large, "#runs-table thead button") if one.text.startswith("test accuracy"))
    for descending in (False, True):
        head.click()
        values = [float(text.rstrip("%")) for text in column(large, "test") if text != "–"]
        assert values == sorted(values, reverse=descending)
    parent = large.execute_script("return arguments[0].parentElement.getAttribute('aria-sort')", head)
    assert parent == "descending"
    first = one(large, "#runs-table thead button")
    first.send_keys(webdriver.Keys.ENTER)
    assert large.execute_script("return getComputedStyle(arguments[0]).outlineWidth", first) == "3px"
    assert [int(text) for text in column(large, "run")] == list(range(100))


def test_the_filter_leaves_rows_with_all_words_a_hundred_at_a_time(large):
    assert not one(large, "#previous").is_enabled()
    one(large, "#next").click()
    assert column(large, "run") == [str(number) for number in range(100, 200)]
    assert one(large, "#shown").text == "Rows 101 to 200 of 408"
    one(large, "#filter").send_keys("sgd diverged")
    assert one(large, "#shown").text.startswith("Rows 1 to ")
    assert all("diverged at step 120" in text for text in column(large, "status"))
    one(large, "#filter").send_keys(" nonsense")
    assert one(large, "#shown").text == "No row contains these words"


SPOT = """
const path = arguments[0], box = path.getBBox(), closed = path.getAttribute('d').endsWith('Z');
const spot = closed ? new DOMPoint(box.x + box.width / 2, box.y + box.height / 2)
  : path.getPointAtLength(path.getTotalLength() - 0.5);
const at = spot.matrixTransform(path.getScreenCTM());
return [Math.round(at.x), Math.round(at.y)];
"""


@pytest.mark.parametrize(
    ("place", "marks"),
    [("accuracy_over_learning_rate", ".layer_2_marks path"), ("dev_accuracy", ".layer_4_marks path")],
)
def test_a_hover_names_the_run(large, place, marks):
    figure = one(large, f"#figure-{place}")
    large.execute_script("arguments[0].scrollIntoView({repeat: 'center'})", figure)
    found = figure.find_elements("css selector", marks)
    x, y = large.execute_script(SPOT, found[len(found) // 2])
    actions = webdriver.ActionChains(large, duration=0)
    for near in (1, 0):
        actions.w3c_actions.pointer_action.move_to_location(x, y + near)
    actions.perform()
    until(large, lambda: all_of(large, "#vg-tooltip-element.visible"))
    lines = one(large, "#vg-tooltip-element").text.splitlines()
    assert any(line.startswith("run ") and line.split()[-1].isdigit() for line in lines)


def test_the_axis_is_switched_and_a_task_is_chosen(driver, folder):
    show(driver, folder / "several.html")

    def words():
        return [text.text for text in all_of(driver, "#chart-dev_accuracy svg text")]

    assert "step" in words()
    labels = all_of(driver, "#figure-dev_accuracy fieldset label")
    assert [label.text.strip() for label in labels] == ["steps", "examples", "seconds"]
    for label, title in zip(labels[1:], ["examples seen", "seconds"], strict=True):
        label.click()
        until(driver, lambda title=title: title in words())
    driver.execute_script("document.querySelectorAll('.chart svg').forEach(chart => chart.classList.add('old'))")
    ui.Select(one(driver, "#task")).select_by_visible_text("task_1")
    until(driver, lambda: not all_of(driver, ".old"))
    assert driver.get_log("browser") == []
