"""Slides of the notebooks: what is on them, and that nothing overflows in a real browser."""

import re
import shutil

import pytest

from mpas_lite.course.teaching import slides


def text(source, name="a"):
    return {"cell_type": "markdown", "id": name, "source": source, "metadata": {}}


def code(source, name, tags=(), outputs=()):
    return {"cell_type": "code", "id": name, "source": source, "outputs": [*outputs], "metadata": {"tags": list(tags)}}


@pytest.fixture(scope="module")
def browser():
    path = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not path:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


LOWEST = """number => {
    Reveal.slide(number, 0, 99);
    const slide = Reveal.getCurrentSlide();
    const seen = [...slide.querySelectorAll('*')].filter(one => !one.closest('aside'));
    const boxes = seen.map(one => one.getBoundingClientRect());
    const [bottom, right] = ['bottom', 'right'].map(side => Math.max(...boxes.map(box => box[side])));
    return [bottom, right, slide.innerText.length];
}"""


@pytest.mark.slow
@pytest.mark.parametrize("number", ["02", "04", "05"])
def test_no_slide_overflows_and_none_needs_a_network(number, browser, tmp_path):
    for package in ("latex2mathml", "nbconvert"):
        pytest.importorskip(package)
    if slides.reveal_folder() is None:
        pytest.skip("sphinx-revealjs is not installed")
    (written,) = slides.write_slides(tmp_path, [number])
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(written.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count >= 12
    for n in range(count):
        bottom, right, letters = page.evaluate(LOWEST, n)
        assert bottom <= 720, f"slide {n + 1}"
        assert right <= 1280, f"slide {n + 1}"
        assert letters > 10
    assert not errors
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    text = page.content()
    assert "$" not in re.sub(r"<script.*?</script>|<style.*?</style>|data:image[^\"]*", "", text, flags=re.DOTALL)
    page.close()


def test_slides_leave_out_code_exercises_and_what_is_bonus():
    cells = [
        text("# 04 Title\n\nSaid.\n\n**Time:** 5 minutes."),
        code("hidden = 1", "a"),
        code("print(1)", "b", outputs=[{"output_type": "stream", "name": "stdout", "text": ["one\n", "two"]}]),
        code("shown = 1", "c", ["slide-code"]),
        text("**What we saw.** It."),
        text("## Deep (bonus)\n\n**not shown**"),
        text("## Exercises\n\n**not shown**\n\n### Exercise 1\n\n- not shown"),
        text("**not shown**", "solution-text-04-1"),
        text("## Recap\n\n- a $x$ b"),
    ]
    found = [
        (cell["metadata"]["slideshow"]["slide_type"], cell) for cell in slides.slide_copy({"cells": cells})["cells"]
    ]
    shown = [(kind, cell["source"] or cell["outputs"][0]["text"]) for kind, cell in found]
    assert shown == [
        ("slide", "# 04 Title"),
        ("-", "one\ntwo"),
        ("-", "```python\nshown = 1\n```"),
        ("fragment", "**What we saw.** It."),
        ("notes", "Said."),
        ("slide", "## Recap"),
        ("-", "- a $x$ b"),
    ]


def test_a_full_slide_goes_on_at_the_next():
    cells = [text("## Long\n\n" + "\n\n".join(f"**{n}** " + 40 * "words " for n in range(8)))]
    found = slides.slide_copy({"cells": cells})["cells"]
    assert [cell["source"] for cell in found if cell["metadata"]["slideshow"]["slide_type"] == "slide"] == 2 * [
        "## Long"
    ]
