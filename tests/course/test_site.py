"""The site: what it is made of; and, built whole and opened in a headless browser at two widths without a network."""

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REASON = "the source tree with docs/, and the extra docs, are not here"
SkipNode = pytest.importorskip("docutils.nodes", reason=REASON).SkipNode
links, mathml, messages, notebooks, pages, source = (
    pytest.importorskip(f"docs.make.{name}", reason=REASON)
    for name in ("links", "mathml", "messages", "notebooks", "pages", "source")
)
BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
MOVING = ("02_crowd_graph", "03_collectiveness", "04_circular_region_merging", "05_losses")


@pytest.mark.parametrize("module", [links, messages])
def test_examples(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_links_lead_to_pages_and_nowhere_else():
    places = {"README.md": "overview.md", "docs/a/b.md": "a/b.md", "notebooks/02.ipynb": "notebooks/02.ipynb"}
    text = (
        "[![x](https://e.org/b.svg)](https://e.org)\n[m](x.py#L3) [n](../../notebooks/02.ipynb#Why-so?)\n"
        "```\n[m](x.py)\n```"
    )
    assert links.relink(text, "docs/a/b.md", places) == (
        "[x](https://e.org)\nm [n](../notebooks/02.ipynb#why-so)\n```\n[m](x.py)\n```"
    )
    assert links.relink("[a](docs/a/b.md#c) ![p](p.png)", "README.md", places) == "[a](a/b.md#c) ![p](p.png)"


def test_equations_keep_their_number_and_their_latex():
    class Writer:
        def __init__(self):
            self.body = []

    class Node(dict):
        def astext(self):
            return r"\phi = Z \mathbf{1} < \kappa \tag{5}"

    writer = Writer()
    with pytest.raises(SkipNode):
        mathml.display(writer, Node())
    shown = "".join(writer.body)
    assert '<span class="eqno">(5)</span>' in shown
    assert "<mn>\N{MATHEMATICAL BOLD DIGIT ONE}</mn>" in shown
    assert r"\mathbf{1} &lt; \kappa</annotation>" in shown
    assert "tag" not in shown


def test_messages_are_what_is_raised_and_not_what_is_explained(tmp_path):
    (tmp_path / "a.py").write_text(
        '"""A module. It says nothing."""\n'
        "def f(k, *, help='How many there are.'):\n"
        "    '''Raise something, or not.'''\n"
        "    if k < 0:\n"
        "        raise ValueError(f'k={k!r} must not be negative; ' + 'give 0 or more')\n"
        "    reason = f'{k} is too large. Take less.'\n"
        "    option(3, 'Number of the neighbours.')\n"
        "    raise TypeError(reason)\n"
    )
    said = [message.text for message in messages.messages_of(tmp_path)]
    assert said == ["k=… must not be negative; give 0 or more", "… is too large. Take less."]


def words(text):
    """The words of a message or of a pattern, without what looks like a value: a name in quotes, a file."""
    plain = re.sub(r"\\[a-z]\+?|'[^']*'|\S+\\?\.[a-z0-9]{2,4}\b", " ", text)
    return set(re.findall(r"[A-Za-z]{3,}", plain))


@pytest.mark.slow
def test_the_page_of_messages_has_those_that_tests_provoke():
    """Half of a pattern's words stand in one message, or most in those of a file: the others may be values."""
    told = messages.messages_of(ROOT / "mpas_lite")
    each, files = [words(message.text) for message in told], {}
    for message, its in zip(told, each, strict=True):
        files.setdefault(message.file, set()).update(its)

    def known(text):
        asked = words(text)
        return any(2 * len(asked & its) >= len(asked) for its in each) or any(
            4 * len(asked & its) >= 3 * len(asked) for its in files.values()
        )

    answers = ("course/test_checks.py", "course/test_claims.py")  # no errors: what exercises and notebooks say
    patterns = [(file, text) for file, text in messages.patterns_of(ROOT / "tests") if file not in answers]
    expected = [(file, text) for file, text in patterns if len(words(text)) > 3]
    missing = [(file, text) for file, text in expected if not known(text)]
    assert len(expected) > 100
    assert len(missing) <= 0.08 * len(expected), missing


@pytest.mark.slow
def test_every_public_name_has_its_place_in_the_reference():
    named = {name.removeprefix("mpas_lite.") for name in pages.names_of_rooms().values()}
    assert not sorted(pages.PUBLIC - named - {"__version__"})
    assert all((ROOT / "mpas_lite" / room.replace(".", "/") / "__init__.pyi").is_file() for room in pages.ROOMS)
    folders = {path.parent.name for path in (ROOT / "mpas_lite").glob("*/__init__.pyi")}
    assert folders - set(pages.ROOMS) <= {"cli"}


def test_every_page_of_the_repository_is_there():
    assert [file for file in source.REPOSITORY if not (ROOT / file).is_file()] == []
    assert {path.name for path in (ROOT / "benchmarks").glob("*.md")} == {
        Path(file).name for file in source.REPOSITORY if file.startswith("benchmarks/")
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site, warnings being errors, with few states of each explorer."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "docs", "--out", str(folder / "site"), "--work", str(folder), "--states", "4"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return folder / "site"


@pytest.fixture(scope="module")
def browser():
    if not BROWSER:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=BROWSER, args=["--headless", "--no-sandbox", "--disable-gpu"])


@pytest.fixture(params=[1280, 390])
def page(request, browser):
    """A page of so many px that notes what it complains of, and every request that is not for a file of the site."""
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text) if message.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("requestfailed", lambda asked: 0 if "ABORTED" in asked.failure else page.faults.append(asked.url))
    page.on("request", lambda asked: 0 if asked.url.startswith(("file:", "data:")) else page.faults.append(asked.url))
    yield page
    page.close()


@pytest.mark.slow
def test_every_page_fits_and_asks_for_nothing_outside(site, page):
    width = page.viewport_size["width"]
    paths = sorted(site.rglob("*.html"))
    assert len(paths) > 50
    for path in paths if width < 1000 else paths[::4]:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path.name} is wider than {width} px"
        assert page.faults == [], path.name
        assert page.locator("img:not([alt]), img[alt='']").count() == 0, f"{path.name} has a picture without words"


@pytest.mark.slow
def test_every_control_of_every_explorer_moves_without_a_kernel(site, page):
    for name in MOVING:
        page.goto((site / "notebooks" / f"{name}.html").as_uri())
        explorers = page.locator(".static-explorer")
        assert explorers.count() >= 1, name
        for explorer in explorers.all():
            picture, pictures = explorer.locator("img"), set()
            for control in explorer.locator("input, select").all():
                identity, texts = control.get_attribute("id"), set()
                assert control.evaluate("one => one.labels.length") == 1
                control.focus()
                for key in ("Home", "ArrowDown", "End", "ArrowUp"):
                    control.press(key)
                    texts.add((picture.get_attribute("alt"), explorer.locator(".static-line").inner_html()))
                    pictures.add(picture.get_attribute("src"))
                assert len(texts) > 1, f"{identity} changes nothing"
                reading = explorer.locator(f"output[for='{identity}']")
                if reading.count():
                    assert reading.inner_text() == control.get_attribute("aria-valuetext")
            assert len(pictures) > 1, f"{name}: the picture stays"
            picture.evaluate("one => one.decode()")
    assert page.faults == []


@pytest.mark.slow
def test_equations_are_drawn_in_their_font(site, page):
    page.goto((site / "api" / "crowd.html").as_uri())
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px \"STIX Two Math\"')")
    boxes = [one.bounding_box() for one in page.locator("div.math math").all()]
    assert len(boxes) == 5
    assert all(box["height"] > 15 and box["width"] > 30 for box in boxes)
    fraction, sentence = page.locator("mfrac, munderover").first.bounding_box(), page.locator("p").first.bounding_box()
    assert fraction["height"] > 1.2 * min(sentence["height"], 26)  # written above each other, not in a row


@pytest.mark.slow
def test_explorers_stand_where_those_of_the_notebook_stand(site):
    """Their first states are what the notebooks show, so both were made alike."""
    import nbformat

    for name in MOVING:
        text = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        shown = re.findall(r'<div class="static-line" aria-live="polite">(.*?)</div>\n', text)
        cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
        made = [
            output.data["text/html"]
            for cell in cells
            if ".show()" in cell.source and cell.cell_type == "code"
            for output in cell.outputs
            if "text/html" in output.get("data", {}) and not notebooks.PICTURE.search(output.data["text/html"])
        ]
        assert shown == made, name
