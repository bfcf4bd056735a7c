"""Badges and install cells: made from the addresses in pyproject.toml, where there are any, and from nothing else."""

import importlib.util
import re

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.helpers import ROOT, notebooks_build

FOLDER = ROOT / "notebooks"
build = notebooks_build()
NAMES = [path.stem for path in build.source_paths()]
every_notebook = pytest.mark.parametrize("name", NAMES)


@every_notebook
def test_badge_and_install_cell_come_and_go_with_the_address(name):
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert build.linked(text, name, build.addresses()) == text, "run: python notebooks/build.py --links"
    somewhere = build.Addresses("https://github.com/some-one/else-where", "https://pypi.org/project/else-where")
    moved = build.linked(text, name, somewhere)
    assert moved.count("some-one/else-where") == 2
    assert moved.count("%pip install -q else-where\n") == 1
    assert build.linked(moved, name, somewhere) == moved
    assert build.linked(moved, name, build.addresses()) == text
    assert not [line for line in build.linked(text, name, build.Addresses()).splitlines() if "pip install -q" in line]
    assert "colab.research" not in build.linked(text, name, build.Addresses())


def test_the_readmes_badges_come_and_go_with_the_address():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert build.linked_readme(readme, build.addresses()) == readme, "run: python notebooks/build.py --links"
    moved = build.linked_readme(readme, build.Addresses("https://github.com/some-one/else-where"))
    assert moved.count("some-one/else-where/blob/main/notebooks/") == len(NAMES)
    assert build.linked_readme(moved, build.addresses()) == readme


def test_nobody_installs_from_an_address_that_nobody_owns():
    """An address that pyproject does not know stands nowhere, so that nobody can register it and serve code from it."""
    known = build.addresses().repository
    texts = [path for path in ROOT.glob("*.*") if path.suffix in (".md", ".cff", ".toml")]
    for path in (*FOLDER.glob("*.py"), *FOLDER.glob("*.ipynb"), *texts):
        for address in re.findall(r"github\.com/[\w-]+/mpas[_-]lite", path.read_text(encoding="utf-8")):
            assert address in known, path.name


@pytest.mark.parametrize("nothing", ["", "[project]\nRepository = 'x'\n"])
def test_addresses_are_read_from_pyprojects_urls(nothing):
    assert build.addresses(nothing) == build.addresses(nothing + "\n[project.urls]\nPaper = 'x'\n") == build.Addresses()
    urls = '\n[project.urls]\nPaper = "p"\nRepository = "https://github.com/a/b/"\nPackage = "https://pypi.org/project/c"\n'
    assert build.addresses(nothing + urls) == build.Addresses("https://github.com/a/b", "https://pypi.org/project/c")


BOTH = ["install -q c", 'install -q "mpas_lite @ git+https://github.com/a/b"']


@pytest.mark.filterwarnings("ignore:To exit")
@pytest.mark.parametrize("comes_with", ["it is there", *BOTH, "nothing"])
@pytest.mark.parametrize("asks", [BOTH, BOTH[1:], []], ids=["index and repository", "repository", "nobody owns one"])
def test_the_package_is_installed_where_it_is_missing_or_a_sentence_says_so(asks, comes_with, monkeypatch, capsys):
    at = build.Addresses("https://github.com/a/b" * bool(asks), "https://pypi.org/project/c" * (len(asks) > 1))
    there, asked = [comes_with == "it is there"], []

    def pip(line):
        asked.append(line)
        there[0] |= line == comes_with

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if there[0] else None)
    shell = InteractiveShell()
    shell.register_magic_function(pip, magic_name="pip")
    result = shell.run_cell(build.install_cell(at).replace("# %pip", "%pip"))
    tried = [] if comes_with == "it is there" else asks
    assert asked == (tried[: tried.index(comes_with) + 1] if comes_with in tried else tried)
    assert result.success == there[0]
    if not there[0]:
        assert isinstance(result.error_in_exec, SystemExit)
        assert re.fullmatch(
            r"mpas_lite (could not be|is not) installed( here)?\. Run `pip install \.` .*", str(result.error_in_exec)
        )
    assert "installed" not in capsys.readouterr().out.replace("could not be installed", "").replace(
        "is not installed", ""
    )
