"""The notebooks are tests wherever nbval is installed, and count as slow; without it all other tests still run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Run the notebooks in this very environment, and compare the outputs that are tagged nbval-check-output."""
    os.environ.setdefault("MPAS_LITE_CLAIMS", "strict")  # what a notebook claims of its numbers is tested, too
    option = config.option
    if not hasattr(option, "nbval_lax"):
        return
    option.nbval_lax = not option.nbval
    option.nbval_current_env = True
    option.nbval_cell_timeout = min(option.nbval_cell_timeout, 300)
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(ROOT / "notebooks" / "sanitize.cfg")


@pytest.fixture(autouse=True)
def _examples_leave_nothing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example in a docstring puts in a temporary folder goes when it has passed."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.setattr(tempfile, "tempdir", str(request.getfixturevalue("tmp_path")))


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it where notebooks are passed over."""
    return None if hasattr(config.option, "nbval_lax") else "notebooks: not tested, nbval is not installed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the notebooks out of the fast loop, `pytest -m "not slow"`."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")
