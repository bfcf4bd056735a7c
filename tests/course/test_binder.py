"""Binder's files say what pyproject.toml, environment.yml and the CI say."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from mpas_lite.options import read_toml
from tests.helpers import ROOT

BINDER = ROOT / ".binder"
if not BINDER.is_dir():
    pytest.skip("the source tree is not here", allow_module_level=True)


def lines_of(name):
    return [line for line in (BINDER / name).read_text().splitlines() if line and not line.startswith("#")]


def test_requirements_are_the_package_and_what_a_reader_needs():
    described = read_toml(ROOT / "pyproject.toml")["project"]
    index, package = lines_of("requirements.txt")
    assert index.split()[1] in (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    extras = re.fullmatch(r"\.\[([\w,-]+)\]", package)[1].split(",")
    needed = {Requirement(line) for extra in extras for line in described["optional-dependencies"][extra]}
    assert "jupyterlab" in {one.name for one in needed}
    conda = (ROOT / "environment.yml").read_text()
    assert all(f"- {one.name} {one.specifier}\n" in conda for one in needed)


def test_python_is_one_that_the_package_takes():
    (runtime,) = lines_of("runtime.txt")
    version = re.fullmatch(r"python-(3\.\d+)", runtime)[1]
    assert version in SpecifierSet(read_toml(ROOT / "pyproject.toml")["project"]["requires-python"])


def test_the_system_packages_are_those_of_the_ci():
    assert set(lines_of("apt.txt")) <= set((ROOT / ".ci" / "run").read_text().split())
