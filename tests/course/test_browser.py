"""End to end: JupyterLab in a real headless browser, a notebook run from top to bottom, a slider moved by keyboard."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec

import pytest

from mpas_lite.course.notebooks import copy_notebooks, notebook_paths

pytestmark = pytest.mark.slow
BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
EXPLORER = ".jp-OutputArea-output .widget-vbox:has(> .explorer-picture)"
PENDING = """() => [...document.querySelectorAll('.jp-CodeCell')].filter(
    cell => !/\\d/.test(cell.querySelector('.jp-InputPrompt').textContent)
            && cell.querySelector('.cm-content').textContent.trim()).length"""
COMPLAINTS = "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"


@pytest.fixture(scope="module")
def page(jupyterlab):
    if not BROWSER:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """Address of a JupyterLab over the students' copies, with its settings and state in a folder of its own."""
    if find_spec("jupyterlab") is None:
        pytest.skip("jupyterlab is not installed")
    state = tmp_path_factory.mktemp("jupyter")
    course = tmp_path_factory.mktemp("course")
    copy_notebooks(course, student=True)
    for name, content in SETTINGS.items():
        path = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = {**os.environ, **{name: str(state / folder) for name, folder in folders.items()}}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={course}"]
    with open(state / "log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log, cwd=course
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server, state / "log")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for(address, server, log):
    for _ in range(240):
        assert server.poll() is None, f"JupyterLab did not start: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


def run_all(page, address, name):
    """Open a notebook, run all of its cells, and see that none of them complains."""
    page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
    page.get_by_text(re.compile(r"\| Idle")).wait_for()  # in the status bar; before, Run asks for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    for _ in range(600):
        complaints = page.locator(COMPLAINTS)
        assert complaints.count() == 0, complaints.first.inner_text()
        if page.evaluate(PENDING) == 0:
            return
        page.wait_for_timeout(500)
    pytest.fail(f"{name} did not end: {page.evaluate(PENDING)} cells are left")


def state_of(explorer):
    """The picture's address and the text of the line, once both have come: they do in two messages."""
    picture = explorer.locator("> .explorer-picture img")
    for _ in range(50):
        line = explorer.locator("> .widget-html:not(.explorer-picture)").inner_text()
        if "".join(line.split()) in "".join(picture.get_attribute("alt").split()):
            return picture.get_attribute("src"), line
        explorer.page.wait_for_timeout(100)
    pytest.fail(f"the picture has another text: {picture.get_attribute('alt')}; the line: {line}")


@pytest.mark.parametrize(
    ("name", "number"), [("02_crowd_graph", r"\d[\d.]*"), ("04_circular_region_merging", r"IoU\D*\d[\d.]*")]
)
def test_a_slider_moved_by_keyboard_changes_picture_and_number(page, jupyterlab, name, number):
    if name not in {path.stem for path in notebook_paths()}:
        pytest.skip(f"{name} is not here")
    run_all(page, jupyterlab, name)
    explorer = page.locator(EXPLORER).first
    handles = explorer.locator(".noUi-handle, .ui-slider-handle")
    handles.first.wait_for(timeout=120_000)
    for one in page.locator(EXPLORER).all():
        assert one.bounding_box()["height"] <= 620, "controls and picture do not fit on a screen together"
    seen = {state_of(explorer)}
    for n in range(handles.count()):
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):  # one of them moves, even at an end
            before = state_of(explorer)
            handles.nth(n).focus()
            handles.nth(n).press(key)
            for _ in range(20):
                page.wait_for_timeout(100)
                if state_of(explorer) != before:
                    break
            seen.add(state_of(explorer))
    assert all("cannot be drawn" not in line for _, line in seen)
    assert len({picture for picture, _ in seen}) > 1, "the picture stays"
    numbers = {tuple(re.findall(number, line)) for _, line in seen}
    assert () not in numbers, "the line lacks its number"
    assert len(numbers) > 1, "the number in the line stays"
    assert page.locator(COMPLAINTS).count() == 0
