"""The numbers that notebook 06 draws are those of benchmarks/RESULTS.md."""

from __future__ import annotations

import re

import pytest

from mpas_lite.experiments import air_study
from mpas_lite.experiments.table_statistics import mean_and_std
from tests.helpers import ROOT


def _cell(values: list[float]) -> str:
    mean, std = mean_and_std(values)
    return f"{mean:.3f}" + ("" if std is None else f" ± {std:.3f}")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_table_in_the_results_has_the_recorded_numbers(split):
    results = ROOT / "benchmarks" / "RESULTS.md"
    if not results.exists():
        pytest.skip("the benchmarks are not here")
    lines = [re.sub(r"[*\\]", "", line) for line in results.read_text(encoding="utf-8").splitlines()]
    for variant, clips in air_study()["miou"].items():
        same, out = (clips[f"{split}, crowd, {name}"] for name in ("same kinds", "left out"))
        wanted = " | ".join(_cell(of[light]) for of in (same, out) for light in ("lit", "other light"))
        assert any(line.startswith(f"| {variant.replace('*', '')} |") and wanted in line for line in lines), variant
