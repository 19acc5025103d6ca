"""The page of a comparison in headless Chromium, where selenium and the browser are installed."""

import json

import pytest

from jaxnets.report import comparison_page
from tests.browsers import NEEDED, chromium, webdriver
from tests.report import studies

ui = pytest.importorskip("selenium.webdriver.support.ui")
pytestmark = [pytest.mark.slow, NEEDED]

HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = ("sgd", "momentum", HOSTILE)


@pytest.fixture(scope="module")
def driver():
    with chromium(performance="ALL") as one:
        yield one


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A page of one task with hundreds of runs, and one of two tasks."""
    folder = tmp_path_factory.mktemp("pages")
    large = studies.make(NAMES, search="random", trials=64, seeds=2, confirm=8)
    several = studies.make(tasks=2, seeds=1, confirm=2, trials=5)
    for name, (study, answer) in {"large": large, "several": several}.items():
        text = comparison_page.html(study, answer, command="python run.py", environment=studies.ENVIRONMENT)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def browser(driver, paths):
    """The large page, light, 1280 pixels wide, drawn."""
    show(driver, paths / "large.html")
    yield driver
    assert driver.get_log("browser") == []


def show(driver, path, width=1280, dark=False):
    look(driver, width, dark)
    driver.get(path.as_uri())
    drawn(driver)


def look(driver, width=1280, dark=False):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def until(driver, holds, seconds=10):
    return ui.WebDriverWait(driver, seconds, 0.05).until(lambda _: holds())


def drawn(driver):
    until(driver, lambda: driver.execute_script("return document.documentElement.dataset.drawn === 'yes'"))


def mark(driver):
    driver.execute_script("document.querySelectorAll('.chart svg').forEach(chart => chart.classList.add('old'))")


def drawn_anew(driver, count):
    until(driver, lambda: not all_of(driver, ".old") and len(all_of(driver, ".chart svg")) == count)


def all_of(driver, selector):
    return driver.find_elements("css selector", selector)


ROWS = "return [...document.querySelectorAll('#runs-table tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
SPOT = """
const path = arguments[0], box = path.getBBox(), closed = path.getAttribute('d').endsWith('Z');
const spot = closed ? new DOMPoint(box.x + box.width / 2, box.y + box.height / 2)
  : path.getPointAtLength(path.getTotalLength() - 0.5);
const at = spot.matrixTransform(path.getScreenCTM());
return [Math.round(at.x), Math.round(at.y)];
"""
RIGHT_EDGE = (
    "return Math.max(...[...document.querySelectorAll('.chart svg')].map(s => s.getBoundingClientRect().right))"
)


def column(driver, name):
    """The texts of a column of the table of runs, as it is shown."""
    heads = [head.text.split()[0] for head in all_of(driver, "#runs-table thead th")]
    script = (
        "return [...document.querySelectorAll('#runs-table tbody tr')].map(row => row.cells[arguments[0]].innerText)"
    )
    return driver.execute_script(script, heads.index(name))


def test_nothing_is_fetched_and_it_is_small(browser, paths):
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert {url.split(":")[0] for url in urls} <= {"file", "data"}
    assert all(path.stat().st_size < 5_000_000 for path in paths.iterdir())


def test_figures_are_drawn_and_told(browser):
    charts = all_of(browser, ".chart[role=graphics-document]")
    assert len(charts) == 9
    assert all(len(chart.get_attribute("aria-label")) > 20 for chart in charts)
    assert all(svg.size["height"] > 60 for svg in all_of(browser, ".chart svg"))
    assert len(all_of(browser, "figcaption")) == 9


def test_a_click_on_a_header_sorts(browser):
    head = next(one for one in all_of(browser, "#runs-table thead button") if one.text.startswith("test accuracy"))
    head.click()
    values = [float(text.rstrip("%")) for text in column(browser, "test") if text != "–"]
    assert values == sorted(values)
    head.click()
    values = [float(text.rstrip("%")) for text in column(browser, "test")]
    assert values == sorted(values, reverse=True)
    parent = browser.execute_script("return arguments[0].parentElement.getAttribute('aria-sort')", head)
    assert parent == "descending"
    assert len(all_of(browser, "#runs-table [aria-sort=none]")) == len(all_of(browser, "#runs-table th")) - 1


def test_the_keyboard_reaches_and_sorts(browser):
    browser.execute_script("document.getElementById('filter').focus()")
    keys = webdriver.Keys
    for _ in range(12):
        browser.switch_to.active_element.send_keys(keys.TAB)
        active = browser.switch_to.active_element
        if active.tag_name == "button" and active.text.startswith("run"):
            break
    assert active.text.startswith("run")
    width = browser.execute_script("return getComputedStyle(arguments[0]).outlineWidth", active)
    assert width == "3px"
    active.send_keys(keys.ENTER)
    numbers = [int(text) for text in column(browser, "run")]
    assert numbers == sorted(numbers, reverse=True)


def test_the_filter_leaves_rows_with_all_words(browser):
    field = browser.find_element("id", "filter")
    field.send_keys("sgd diverged")
    shown = browser.find_element("id", "shown")
    assert shown.text.startswith("Rows 1 to ")
    rows = [" ".join(cells) for cells in browser.execute_script(ROWS)]
    assert rows
    assert all("sgd" in row and "diverged at step 120" in row for row in rows)
    field.send_keys(" nonsense")
    assert shown.text == "No row contains these words"


def test_a_hundred_rows_at_a_time(browser):
    assert column(browser, "run") == [str(number) for number in range(100)]
    assert not browser.find_element("id", "previous").is_enabled()
    browser.find_element("id", "next").click()
    assert column(browser, "run") == [str(number) for number in range(100, 200)]
    assert browser.find_element("id", "shown").text == "Rows 101 to 200 of 408"


@pytest.mark.parametrize("place", ["standings", "rates", "dev_accuracy"])
def test_a_hover_names_the_run(browser, place):
    figure = browser.find_element("id", f"figure-{place}")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", figure)
    tip = {"standings": ".mark-rect path", "rates": ".layer_2_marks path", "dev_accuracy": ".layer_3_marks path"}[place]
    marks = figure.find_elements("css selector", tip)
    assert marks
    x, y = browser.execute_script(SPOT, marks[len(marks) // 2])
    actions = webdriver.ActionChains(browser, duration=0)
    for near in (1, 0):
        actions.w3c_actions.pointer_action.move_to_location(x, y + near)
    actions.perform()
    until(browser, lambda: browser.find_elements("css selector", "#vg-tooltip-element.visible"))
    lines = browser.find_element("id", "vg-tooltip-element").text.splitlines()
    assert any(line.startswith("run ") and line.split()[-1].isdigit() for line in lines)
    assert any(line.startswith("contestant ") for line in lines)


def test_the_axis_is_switched(browser):
    def words():
        return [one.text for one in all_of(browser, "#chart-dev_accuracy svg text")]

    assert "step" in words()
    labels = all_of(browser, "#figure-dev_accuracy fieldset label")
    assert [one.text.strip() for one in labels] == ["steps", "examples", "seconds"]
    for label, title in zip(labels[1:], ["examples seen", "seconds"], strict=True):
        label.click()
        until(browser, lambda title=title: title in words())
    assert "step" not in words()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_as_wide_as_the_screen(driver, paths, width):
    for name in ("large", "several"):
        show(driver, paths / f"{name}.html", width)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        assert driver.execute_script(RIGHT_EDGE) <= width


CONTRAST = """
const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
const numbers = text => parts(text).length === 3 ? [...parts(text), 1] : parts(text);
const linear = part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const behind = one => {
  for (let at = one; at; at = at.parentElement) {
    const back = numbers(getComputedStyle(at).backgroundColor);
    if (back[3] > 0) return back;
  }
  return [255, 255, 255, 1];
};
const hidden = one => ['SCRIPT', 'STYLE', 'NOSCRIPT', 'OPTION'].includes(one.tagName) || one.disabled
  || !one.getClientRects().length || ![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
const found = [];
let seen = 0;
for (const one of [...document.querySelectorAll('body *')].filter(one => !hidden(one))) {
  const style = getComputedStyle(one), drawn = one instanceof SVGElement;
  const front = numbers(drawn ? style.fill : style.color), back = behind(drawn ? one.closest('figure') : one);
  const [dim, bright] = [light(front), light(back)].sort((a, b) => a - b), ratio = (bright + 0.05) / (dim + 0.05);
  seen += 1;
  if (ratio < 4.5) found.push([one.tagName, one.textContent.slice(0, 30), ratio]);
}
return [seen, found];
"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_what_is_behind_it(browser, dark):
    mark(browser)
    look(browser, dark=dark)
    if dark:
        drawn_anew(browser, 9)
    seen, faint = browser.execute_script(CONTRAST)
    assert seen > 500
    assert faint == []


def test_a_task_is_chosen(driver, paths):
    show(driver, paths / "several.html")
    assert len(all_of(driver, "#chart-ranks svg")) == 1
    mark(driver)
    ui.Select(driver.find_element("id", "task")).select_by_visible_text("task_1")
    drawn_anew(driver, 10)
    until(driver, lambda: len(all_of(driver, "#chart-standings svg .mark-rect path")) == 6)
    assert driver.get_log("browser") == []
