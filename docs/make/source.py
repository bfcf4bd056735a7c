"""The site's source folder: pages of ``docs/``, of the repository and derived ones, as Sphinx shall read them."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from docs.make.explorers import MOVING
from docs.make.links import relink
from docs.make.messages import messages_of
from docs.make.notebooks import Figure, Place, write_page
from docs.make.pages import ROOMS, course_table, folder_page, gallery, message_list, title_of

# Pages of the repository, and where the site has them.
REPOSITORY = {
    "README.md": "overview.md",
    "SETTINGS.md": "settings.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "results/speed.md",
    "benchmarks/RESULTS.md": "results/quality.md",
    "benchmarks/PAPER.md": "results/paper.md",
    "benchmarks/RELIABILITY.md": "results/reliability.md",
    "benchmarks/MUTATION.md": "results/mutation.md",
    "data_samples/README.md": "samples.md",
}
DERIVED = "<!-- derived -->\n"  # in a page of docs/: what is derived follows here


def write_source(root: Path, folder: Path, *, cache: Path, most: int) -> None:
    """Put the source folder together; what was there before is deleted.

    Parameters
    ----------
    root : path
        The repository.
    folder, cache : path
        The source folder, and where the explorers' pictures are kept.
    most : int
        States of an explorer.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pages = pages_of(root)
    for file, place in pages.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (root / file).is_file():
            continue  # a folder's page of which nothing is written by hand
        if file.endswith(".md"):
            target.write_text(relink((root / file).read_text(encoding="utf-8"), file, pages), encoding="utf-8")
        elif not file.endswith(".ipynb"):
            shutil.copyfile(root / file, target)
    static = folder / "_static"
    shutil.copytree(root / "docs" / "_static", static, dirs_exist_ok=True)
    _copy_font(static)
    figures = _write_notebooks(root, folder, pages, cache, most)
    titles = {path.stem: title_of(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
    _derive(folder / "course.md", course_table(sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))))
    _derive(folder / "gallery.md", gallery(figures, titles))
    _derive(folder / "troubleshooting.md", message_list(messages_of(root / "mpas_lite")))
    for room in ROOMS:
        page = folder / "api" / f"{room.replace('.', '_')}.md"
        page.write_text(folder_page(room, page.read_text(encoding="utf-8") if page.is_file() else ""), encoding="utf-8")
    shutil.copyfile(root / "docs" / "conf.py", folder / "conf.py")


def pages_of(root: Path) -> dict[str, str]:
    """Return all files that the site takes, and where it has them."""
    own = sorted((root / "docs").rglob("*.md"))
    pages = {path.relative_to(root).as_posix(): path.relative_to(root / "docs").as_posix() for path in own}
    rooms = [f"api/{room.replace('.', '_')}.md" for room in ROOMS]
    pages |= {f"docs/{page}": page for page in rooms}
    pages |= {file: place for file, place in REPOSITORY.items() if (root / file).is_file()}
    for pattern in ("notebooks/[0-9][0-9]_*.ipynb", "notebooks/images/*.png", "CITATION.cff"):
        pages |= {path.relative_to(root).as_posix(): path.relative_to(root).as_posix() for path in root.glob(pattern)}
    for path in sorted((root / "docs").rglob("*.png")):
        pages[path.relative_to(root).as_posix()] = path.relative_to(root / "docs").as_posix()
    return pages


def _write_notebooks(root: Path, folder: Path, pages: dict[str, str], cache: Path, most: int) -> list[Figure]:
    figures: list[Figure] = []
    place = Place(folder / "notebooks", folder / "_static", cache, most)
    for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        figures += write_page(path, place, partial(relink, here=f"notebooks/{path.name}", pages=pages))
        if path.name.startswith(MOVING):
            drawn = folder / "_static" / "explorers" / path.stem
            shutil.copytree(cache / path.stem, drawn, ignore=shutil.ignore_patterns("*.json"))
    return figures


def _derive(page: Path, text: str) -> None:
    """Put what is derived into a page that is written by hand."""
    before, mark, after = page.read_text(encoding="utf-8").partition(DERIVED)
    assert mark, f"{page.name} does not say where what is derived goes"
    page.write_text(f"{before}{text}{after}", encoding="utf-8")


def _copy_font(static: Path) -> None:
    """Copy the font of equations, STIX Two Math (SIL Open Font License), as ziamath brings it."""
    import ziamath

    shutil.copy(Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf", static)
