"""The live view in headless Chromium, where selenium and the browser are installed."""

import threading

import pytest

from jaxnets.lab import serving
from tests.browsers import NEEDED, chromium

ui = pytest.importorskip("selenium.webdriver.support.ui")
pytestmark = NEEDED

HOSTILE = "<img src=x onerror=alert(1)>"
DOT = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"
RUNNING = {
    "name": HOSTILE,
    "state": "running",
    "words": "Running.",
    "share": 0.25,
    "facts": ["1 of 4 runs ended", "x" * 60],
    "columns": ["run", "optimizer", "a long name of a hyperparameter", "status", "dev accuracy", "train loss"],
    "rows": [["0", HOSTILE, "0.1", "running", "50.0%", "1"]],
    "num_runs": 1,
    "pictures": [{"caption": "Accuracy on dev.", "source": DOT}],
}


@pytest.fixture
def browser():
    with chromium() as one:
        yield one


def test_the_page_follows_the_sweep(browser):
    state = dict(RUNNING)
    with serving.Server(0, lambda: state) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(f"http://localhost:{server.port}/")

        def text(name):
            return browser.execute_script("return document.getElementById(arguments[0]).textContent", name)

        wait = ui.WebDriverWait(browser, 15, 0.05)
        wait.until(lambda _: text("state") == "Running.")
        assert text("name") == HOSTILE
        assert HOSTILE in text("body")
        assert browser.execute_script("return document.getElementById('progress').value") == 0.25
        assert browser.execute_script("return document.images.length") == 1
        assert browser.execute_script("return document.images[0].alt").startswith("Accuracy on dev.")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        state.update(state="finished", words="Finished.", share=1.0)
        wait.until(lambda _: text("state") == "Finished.")
        server.shutdown()
    assert browser.get_log("browser") == []
