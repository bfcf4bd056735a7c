"""SETTINGS.md lists every setting as it is declared. Written anew by ``python -m tests.options.test_documentation``."""

from __future__ import annotations

import pytest

from mpas_lite.experiments.settings import ReproduceSettings, RunSettings
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.settings import NetConfig
from mpas_lite.options import UNNAMED, options_of, own_options, to_markdown, to_record
from mpas_lite.training.config import Runtime, TrainConfig, Upkeep, read_config
from tests.helpers import ROOT

PAGE = ROOT / "SETTINGS.md"
INTRODUCTION = """\
# Every setting

Each is declared once, as a field of a frozen dataclass; the options of the command line, the TOML files, the records
in networks and folders, the arguments of `mp.fit` and this page are made of that. A value that is not allowed is
refused in one sentence. Under "paper" stands what the paper names; [benchmarks/PAPER.md](benchmarks/PAPER.md) tells the
rest. On the command line `max_corners` is `--max-corners`; `k` and `z` are `-k` and `-z`.

To add one: a field in its class, and its use. Nothing else.
"""
CHAPTERS = {
    "Labels": (LabelSettings, "`mp.LabelSettings`, of `mpas-lite label` and `run`."),
    "Beyond the paper": (Refinement, "`mp.Refinement`, in `LabelSettings(refine=...)`: which steps, and how far each."),
    "Network": (NetConfig, "Arguments of `mp.MPASNet`; of `mpas-lite train`, `run` and `reproduce`."),
    "Training": (TrainConfig, "Arguments of `mp.fit`: what a run's result depends on."),
    "Machine": (Runtime, "Arguments of `mp.fit`: on what a run is done."),
    "Upkeep": (Upkeep, "Arguments of `mp.fit`: how often a run is judged and kept."),
    "The main job": (
        RunSettings,
        "`mp.RunSettings`, of `mpas-lite run`, beside labels, network, training and machine.",
    ),
    "The paper's tables": (ReproduceSettings, "`mp.ReproduceSettings`, of `mpas-lite reproduce`, likewise."),
}


def page() -> str:
    """What SETTINGS.md has to say."""
    chapters = [INTRODUCTION]
    for title, (cls, words) in CHAPTERS.items():
        chapters.append(f"## {title}\n\n{words}\n\n{to_markdown(cls, own=True)}")
    rows = ["| setting | default | `paper` | `main_job` | `small` |", "|:--|:--|:--|:--|:--|"]
    records = [to_record(read_config(name)) for name in (None, "paper", "main_job", "small")]
    for name in records[0]:
        values = [record[name] for record in records]
        if any(value != values[0] for value in values):
            rows.append(f"| `{name}` | " + " | ".join(str(value) for value in values) + " |")
    words = (
        "In `mpas_lite/training/configs/`, for `train --config NAME`; `run --paper` takes the first, `run` the second."
    )
    chapters.append(f"## The configurations that come along\n\n{words}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(chapters)


@pytest.mark.skipif(not PAGE.exists(), reason="runs in a source tree only")
def test_the_page_lists_every_setting_as_it_is_declared() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.options.test_documentation"


def test_what_the_paper_names_is_what_its_configuration_takes() -> None:
    config = read_config("paper")
    named = {name: each.paper for name, each in options_of(type(config)).items() if each.paper is not UNNAMED}
    assert named == {name: to_record(config)[name] for name in named}
    assert {"encoder", "encoder_weights", "siamese", "lr", "momentum", "weight_decay", "air_weight"} <= set(named)
    label = {name: each.paper for name, each in own_options(LabelSettings).items() if each.paper is not UNNAMED}
    assert label == {"every": 20, "k": 20, "z": None, "threshold": 0.6, "radius": 20.0}
    assert label == {name: to_record(RunSettings.paper())["label"][name] for name in label}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
