"""The paper's tables: every row with every seed, gone on with, refused with other settings, exact to read."""

import json
import re
import shutil
import statistics
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from mpas_lite import cli
from mpas_lite.cli import reproduce as reproduce_command
from mpas_lite.datasets.crowd_databases import _scene_list
from mpas_lite.evaluation.scores import iou
from mpas_lite.experiments import reproduction as module
from mpas_lite.experiments.reproduction import reproduce
from mpas_lite.experiments.scored_clips import scored_clip, truths_of
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.table_statistics import mean_and_std
from mpas_lite.experiments.table_text import _NOTES, format_table
from mpas_lite.experiments.tables import PAPER_SCENES, TABLES
from mpas_lite.files.atomic import read_json, write_json
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.weights import load
from mpas_lite.scenes.benchmark import write_scene
from mpas_lite.scenes.renderer import render_scene
from mpas_lite.video.clip import Clip
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import read_video
from tests.helpers import ROOT, make_crowd_clip

pytestmark = pytest.mark.slow

TINY = ReproduceSettings(
    label=LabelSettings(every=5, radius=4, quality=0.02, min_distance=2.0, min_size=5),
    encoder="mobilenetv3_small_050",
    steps=2,
    long_side=64,
    frames=16,
    train_clips=1,
    clips=1,
    score_frames=2,
)


def quietly(*args, **kwargs):
    return reproduce(*args, **{"settings": TINY, "progress": False, "accelerator": "cpu", "say": str, **kwargs})


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two small clips with their truth."""
    folder = tmp_path_factory.mktemp("clips")
    for name, seed in (("aerial", 2000), ("crossing", 2001)):
        write_scene(render_scene(name, seed=seed, frames=16, shape=(90, 120)), folder / name, truth_every=5)
    return [folder / "aerial", folder / "crossing"]


@pytest.fixture(scope="module")
def done(clips, tmp_path_factory):
    """Table 1 with two seeds."""
    out = tmp_path_factory.mktemp("reproduced")
    return out, quietly("table1", out, scenes=clips, seeds=(0, 1))


def rows_of(results):
    return {row["name"]: row for row in results["rows"]}


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.slow
def test_labels_are_scored_as_by_hand(done, clips):
    _, results = done
    ours = rows_of(results)["CM+CRM"]["iou"]
    by_hand = {"crowd": [], "person": []}
    for clip in clips:
        masks = {found.index: found.mask for found in label_frames(read_video(clip), replace(TINY.label, every=1))}
        for kind in by_hand:
            both = [(masks[i], read_image(clip / f"truth/{kind}/{i:06d}.png", grey=True) == 255) for i in (0, 5, 10)]
            both = [both[0], both[2]]  # the middles of two equal parts of three frames, 0 and 10
            pooled = iou(np.concatenate([a for a, _ in both]), np.concatenate([b for _, b in both]))
            by_hand[kind].append(pooled)
    for kind, values in by_hand.items():
        assert ours[kind]["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12)
        assert [scene["mean"] for scene in ours[kind]["scenes"].values()] == pytest.approx(values, abs=1e-12)
        assert ours[kind]["std"] is None
    assert results["frames"] == 4


def test_seeds_give_mean_and_deviation(done):
    out, results = done
    for name, run in (("MPASNET*", "dice"), ("MPASNET", "dice-sfa-air")):
        row = rows_of(results)[name]["iou"]["crowd"]
        scores = [read_json(out / f"runs/{run}-seed{seed}/scores.json")["clips"] for seed in (0, 1)]
        mious = [statistics.fmean(of_clip["crowd"] for of_clip in by_clip.values()) for by_clip in scores]
        assert list(row["seeds"].values()) == mious
        assert row["mean"] == statistics.fmean(mious)
        assert row["std"] == statistics.stdev(mious)
        assert mious[0] != mious[1]


def test_networks_are_also_scored_in_another_light(done):
    _, results = done
    rows = rows_of(results)
    assert rows["CM+CRM"]["light"] == rows["MOG2"]["light"] == {}
    for name in ("MPASNET*", "MPASNET"):
        light = rows[name]["light"]["crowd"]
        assert set(light["seeds"]) == {"0", "1"}
        assert set(light["scenes"]) == set(rows[name]["iou"]["crowd"]["scenes"])
        assert 0 <= light["mean"] <= 1


def test_deviation_is_that_of_a_sample():
    assert mean_and_std([0.25, 0.5, 0.75]) == (0.5, 0.25)
    assert mean_and_std([0.5]) == (0.5, None)


def test_clips_of_one_scene_count_as_one(clips, tmp_path, done):
    """Two clips in one scene: its score is their mean, and the mIoU that of the only scene."""
    _, apart = done
    together = quietly("table1", tmp_path, scenes={"both": clips}, seeds=(0,))
    by_clip = [scene["mean"] for scene in rows_of(apart)["MOG2"]["iou"]["person"]["scenes"].values()]
    row = rows_of(together)["MOG2"]["iou"]["person"]
    assert row["scenes"] == {"both": {"mean": statistics.fmean(by_clip), "std": None}}
    assert row["mean"] == statistics.fmean(by_clip)


# ------------------------------------------------------------------------------------------------ going on


@pytest.mark.slow
def test_tables_share_runs_and_go_on(done, clips, monkeypatch):
    """Table 2 trains only what Table 1 has not; a run whose result is gone is the only one made again."""
    out, first = done
    import mpas_lite.training.self_training as training

    trained = []
    real_fit = training.fit

    def noting(net, pairs, **options):
        trained.append(options["out"].parent.name)
        return real_fit(net, pairs, **options)

    monkeypatch.setattr(training, "fit", noting)
    second = quietly("table2", out, scenes=clips, seeds=(0,))
    assert trained == ["dice-air-seed0", "dice-sfa-seed0", "ce-sfa-air-seed0", "ce-seed0"]
    for ours, theirs in (("Dice", "MPASNET*"), ("AIR + SFA, Dice", "MPASNET")):
        assert (
            rows_of(second)[ours]["iou"]["crowd"]["seeds"]["0"] == rows_of(first)[theirs]["iou"]["crowd"]["seeds"]["0"]
        )
    scores = {row["name"]: row["iou"]["crowd"]["seeds"]["0"] for row in second["rows"] if "Dice" in row["name"]}
    assert len(set(scores.values())) == 4, "two rows are one network"
    configs = {
        run: load(out / f"runs/{run}-seed0/model.safetensors").config for run in ("dice-air", "dice-sfa", "dice")
    }
    assert [(config["siamese"], config.get("fusion", True)) for config in configs.values()] == [
        (True, False), (True, True), (False, True)
    ]  # fmt: skip
    airs = {run: read_json(out / f"runs/{run}-seed0/training.json") for run in ("dice-air", "dice-sfa")}
    weights = {run: (t["loss"][0] - t["segmentation"][0]) / t["air"][0] for run, t in airs.items()}
    assert weights == {"dice-air": pytest.approx(0.1, rel=1e-3), "dice-sfa": pytest.approx(0, abs=1e-6)}

    trained.clear()
    before = (out / "runs/dice-seed1/scores.json").stat().st_mtime_ns
    shutil.rmtree(out / "runs/dice-sfa-air-seed1")
    again = quietly("table1", out, scenes=clips, seeds=(0, 1))
    assert trained == ["dice-sfa-air-seed1"]
    assert (out / "runs/dice-seed1/scores.json").stat().st_mtime_ns == before
    assert [row["iou"] for row in again["rows"]] == [row["iou"] for row in first["rows"]]

    trained.clear()
    (out / "runs/dice-seed1/scores.json").unlink()  # the net is there: scored again, not trained
    assert [row["iou"] for row in quietly("table1", out, scenes=clips, seeds=(0, 1))["rows"]] == [
        row["iou"] for row in first["rows"]
    ]
    assert not trained


def test_stopped_in_training_goes_on_from_the_checkpoint(done, clips, tmp_path, monkeypatch):
    import mpas_lite.training.self_training as training

    _, first = done
    real_fit = training.fit

    def stopped(net, pairs, **options):
        real_fit(net, pairs, **options, max_seconds=0)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        quietly("table1", tmp_path, scenes=clips, seeds=(0,))
    assert (tmp_path / "runs/dice-seed0/training/checkpoint.pt").exists()
    assert not (tmp_path / "runs/dice-seed0/scores.json").exists()
    partly = read_json(tmp_path / "table1/results.json")
    assert rows_of(partly)["CM+CRM"]["iou"]
    assert rows_of(partly)["MPASNET"]["iou"] == {}

    monkeypatch.setattr(training, "fit", real_fit)
    ended = quietly("table1", tmp_path, scenes=clips, seeds=(0,))
    for name in ("MPASNET*", "MPASNET"):
        ours, whole = (rows_of(results)[name]["iou"]["crowd"]["seeds"]["0"] for results in (ended, first))
        assert ours == whole
    assert not list(tmp_path.glob("runs/*/training"))


def test_other_settings_are_refused(done, clips):
    out, _ = done
    with pytest.raises(ValueError, match=r"other settings \(steps 2 -> 3\)\. Choose another folder"):
        quietly("table1", out, scenes=clips, settings=replace(TINY, steps=3))
    with pytest.raises(ValueError, match=r"label\.radius 4 -> 5"):
        quietly("table2", out, scenes=clips, settings=replace(TINY, label=replace(TINY.label, radius=5)))
    with pytest.raises(ValueError, match=r"other settings \(scenes "):
        quietly("table1", out, scenes=clips[:1])
    with pytest.raises(ValueError, match=r"other settings \(width 64 -> None\)"):
        quietly("table1", out, scenes=clips, settings=replace(TINY, width=None))


def test_runs_from_before_the_width_of_psi_was_a_setting_are_gone_on_with(done, clips):
    out, first = done
    path = out / "settings.json"
    settings = read_json(path)
    assert settings.pop("width") == 64
    write_json(path, settings)
    again = quietly("table1", out, scenes=clips, seeds=(0, 1))
    assert [row["iou"] for row in again["rows"]] == [row["iou"] for row in first["rows"]]


def test_weights_that_cannot_be_had_are_refused_before_anything_is_rendered_or_labelled(clips, done, tmp_path):
    settings = replace(TINY, encoder_weights=str(tmp_path / "none.pth"))
    with pytest.raises(ValueError, match="there is no such file"):
        quietly("table2", tmp_path / "out", settings=settings)
    assert not (tmp_path / "out" / "scenes").exists()
    assert not (tmp_path / "out" / "pairs").exists()


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"table": "table3"}, "no table 'table3'. Choose one of table1, table2, beyond"),
        ({"seeds": ()}, "give one or more different numbers"),
        ({"seeds": (1, 1)}, "give one or more different numbers"),
        ({"train": ["a.mp4"]}, "its own train split"),
    ],
)
def test_nonsense_is_refused(tmp_path, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        quietly(**{"table": "table1", "out": tmp_path, **arguments})


def test_settings_must_make_sense():
    with pytest.raises(ValueError, match="steps=0"):
        ReproduceSettings(steps=0)
    with pytest.raises(ValueError, match="split='train'"):
        ReproduceSettings(split="train")


def test_a_bad_scene_is_named_and_left_out(clips, tmp_path):
    broken = tmp_path / "broken"
    for index in range(12):
        write_image(broken / f"{index:06d}.png", np.zeros((90, 120, 3), np.uint8))
    said = []
    results = quietly(
        "table1", tmp_path / "out", scenes=[clips[0], broken, tmp_path / "absent.mp4"], train=clips, seeds=(0,),
        say=said.append,
    )  # fmt: skip
    assert list(results["scenes"]) == ["aerial"]
    assert "no ground truth beside it" in results["left_out"]["broken"]
    assert any("left out" in line and "broken" in line for line in said)
    assert "Left out: broken" in (tmp_path / "out/table1/table.md").read_text()
    with pytest.raises(ValueError, match="None of the scenes"):
        quietly("table1", tmp_path / "none", scenes=[broken], train=clips)


# ------------------------------------------------------------------------------------------------ the paper's scenes


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """Miniatures of both databases: four clips of the paper, three of them annotated, and one that is not of it."""
    folder = tmp_path_factory.mktemp("databases")
    for name, truth in (
        ("cuhk/2_36-1", "truth/crowd"),
        ("cuhk/2_36-2", "truth"),
        ("cuhk/2_35-1", None),
        ("cuhk/other-1", "truth"),
        ("cmd/marathonround-1", "truth"),
    ):
        clip = make_crowd_clip(folder / name)
        for n in (2, 5, 7, 12):  # by the names of the frames
            mask = np.zeros((60, 100), bool)
            mask[10:50, 5 + 2 * n : 45 + 2 * n] = True
            if truth:
                write_image(clip / truth / f"{n:06d}.png", mask)
    return folder


def test_a_clip_of_the_databases_is_read_without_its_mean_image(databases):
    for name, kind in (("cuhk/2_36-1", "crowd"), ("cuhk/2_36-2", "truth")):
        folder = databases / name / ("truth/crowd" if kind == "crowd" else "truth")
        clip = Clip.at(databases / name)
        assert truths_of([clip]) == {clip: {kind: folder}}
        scored = scored_clip(clip, "b", {kind: folder}, TINY)
        assert scored.truth == {kind: {n - 1: folder / f"{n:06d}.png" for n in (2, 5, 7, 12)}}
        assert scored.frames == (1, 6)  # the middles of 1, 4, 6; five frames follow each; 0 is 000001.jpg
        for index, frame in clip.video().frames(scored.frames):
            assert round(frame[1, 1].mean() / 10) == index + 1  # the grey of the corner says which frame


@pytest.mark.slow
def test_the_papers_scenes_by_the_command(databases, tmp_path):
    command = ["reproduce", "table1", "--out", str(tmp_path), "--seeds", "0", "--steps", "1", "--long-side", "64"]
    command += ["--encoder", "mobilenetv3_small_050", "--device", "cpu", "--quiet"]
    command += ["--paper-scenes", str(databases / "cuhk"), "--paper-scenes", str(databases / "cmd")]
    with pytest.warns(UserWarning, match="not at hand: .*2_35-2"):
        done = CliRunner().invoke(cli.cli, command, catch_exceptions=False)
    assert done.exit_code == 0
    results = read_json(tmp_path / "table1" / "results.json")
    assert results["scenes"] == {"2_36": ["2_36-1", "2_36-2"], "marathonround": ["marathonround-1"]}
    assert list(results["left_out"]) == ["2_35-1"]
    assert "2_35-1 has no ground truth beside it" in done.output
    assert {path.name for path in (tmp_path / "pairs").iterdir()} == {"2_36-1", "2_36-2", "2_35-1", "marathonround-1"}
    for name in ("CM+CRM", "MOG2", "MPASNET"):
        assert set(rows_of(results)[name]["iou"]["truth"]["scenes"]) == {"2_36", "marathonround"}
        assert set(rows_of(results)[name]["iou"]["crowd"]["scenes"]) == {"2_36"}
    crowd, truth = (cells_of(section) for section in done.output.split("## Against ")[1:])
    assert crowd["method"][-1] == "Scene1 (2_36)"
    assert truth["method"][-2:] == ["Scene1 (2_36)", "Scene4 (marathonround)"]
    ours = rows_of(results)["MPASNET"]["iou"]["truth"]["scenes"]
    assert truth["MPASNET"][-2:] == [f"{ours[scene]['mean']:.4f}" for scene in ("2_36", "marathonround")]
    assert truth["MPASNET, the paper's"] == ["0.6447", "–", "0.4887", "0.6553"]
    assert truth["CM+CRM, the paper's"] == ["0.4949", "–", "0.2561", "0.6921"]
    assert truth["CrowdRL, the paper's"] == ["0.5213", "–", "0.6279", "0.4673"]
    assert "CrowdRL" not in truth
    assert "MOG2 †" in truth
    assert "over 2_36, marathonround: CM+CRM 0.4741, CrowdRL 0.5476, MPASNET* 0.5228, MPASNET 0.5720." in done.output

    command[1] = "table2"  # of Scenes 1 to 3
    with pytest.warns(UserWarning, match="not at hand"):
        done = CliRunner().invoke(cli.cli, command, catch_exceptions=False)
    results = read_json(tmp_path / "table2" / "results.json")
    assert results["scenes"] == {"2_36": ["2_36-1", "2_36-2"]}
    table = cells_of(done.output.split("## Against ")[2])
    assert table["AIR, Dice, the paper's"] == ["0.6009", "–", "0.4709"]
    assert "Dice †" in table


def test_table_2_needs_one_of_its_scenes(databases, tmp_path):
    scenes = {"marathonround": [databases / "cmd" / "marathonround-1"]}
    with pytest.raises(ValueError, match="the paper's table2 is of 2_36, 1_8_groupSplit, 2_000455712"):
        quietly("table2", tmp_path, scenes=scenes, seeds=(0,))


def cells_of(section):
    """The cells of a Markdown table behind the first, by the first."""
    lines = [line for line in section.splitlines() if line.startswith("|") and "|:" not in line]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in rows}


def test_the_papers_scenes_must_be_there_and_alone(databases, tmp_path):
    with pytest.warns(UserWarning, match="not at hand"), pytest.raises(ValueError, match="No clip of the paper's"):
        reproduce_command._clips_of_paper((databases / "cuhk" / "other-1",))
    both = ["--scenes", str(databases), "--paper-scenes", str(databases)]
    done = CliRunner().invoke(cli.cli, ["reproduce", "table1", "--out", str(tmp_path), *both])
    assert done.exit_code == 2
    assert "give one of them" in done.output


# ------------------------------------------------------------------------------------------------ the table


def test_table_reads_exactly():
    iou = {"mean": 0.5, "std": 0.01234, "seeds": {}, "scenes": {"hall": {"mean": 0.5, "std": 0.01234}}}
    once = {"mean": 0.4, "std": None, "seeds": {}, "scenes": {"hall": {"mean": 0.4, "std": None}}}
    quoted = {name: {"miou": miou, "scenes": dict.fromkeys(PAPER_SCENES, miou)}
              for name, miou in (("CM+CRM", 0.4949), ("CrowdRL", 0.5213), ("MPASNET", 0.6447))}  # fmt: skip
    results = {
        "table": "table1",
        "rows": [
            {"name": "CM+CRM", "paper": quoted["CM+CRM"], "seconds": [30.0], "iou": {"crowd": once}, "light": {}},
            {"name": "CrowdRL", "paper": quoted["CrowdRL"], "seconds": [], "iou": {}, "light": {}},
            {"name": "MOG2", "paper": None, "seconds": [], "iou": {"crowd": once}, "light": {}},
            {"name": "MPASNET", "paper": quoted["MPASNET"], "seconds": [60.0, 90.0],
             "iou": {"crowd": iou, "person": once}, "light": {"crowd": once}},
        ],
        "seeds": [0, 1],
        "scenes": {"hall": ["hall-1", "hall-2"]},
        "frames": 24,
        "left_out": {},
        "settings": {"encoder": "e", "encoder_weights": None, "steps": 9, "batch_size": 4, "long_side": 64, "lr": 0.02,
                     "schedule": "cosine", "air_weight": 0.1, "augmentation": "real"},
        "machine": {"device": "a CPU", "cores": 2, "threads": 1},
        "versions": {"torch": "2"},
    }  # fmt: skip
    text = format_table(results)
    assert (
        """\
| method  |  paper | ours            | in another light | hall            |
|:--------|-------:|:----------------|:-----------------|:----------------|
| CM+CRM  | 0.4949 | 0.4000          | –                | 0.4000          |
| CrowdRL | 0.5213 | –               | –                | –               |
| MOG2 †  |      – | 0.4000          | –                | 0.4000          |
| MPASNET | 0.6447 | 0.5000 ± 0.0123 | 0.4000           | 0.5000 ± 0.0123 |
"""
        in text
    )
    assert "(2 clips, 24 frames)" in text
    assert "seeds 0, 1." in text
    assert "3 min on a CPU, 1 of 2 cores" in text
    assert text.count("## Against") == 2
    assert "paper |" not in text.split("## Against person masks")[1].split("##")[0]
    printed = cells_of(text.split("## The paper's figures, as printed")[1])
    assert printed["method"] == [*(f"Scene{n} ({name})" for n, name in enumerate(PAPER_SCENES, 1)), "mIoU"]
    assert printed["CrowdRL"] == ["0.5213"] * 7
    assert "MOG2 †" not in printed
    assert "† An addition of ours" in text


# Method, IoU on the scenes, mIoU: as the paper prints them.
PRINTED = {
    "table1": """\
CM [4] + CRM 0.2561 0.6410 0.5154 0.6921 0.5251 0.3608 0.4949
CrowdRL [10] 0.6279 0.4832 0.5746 0.4673 0.3298 0.6614 0.5213
MPASNET* 0.4707 0.6547 0.6151 0.5749 0.6614 0.6685 0.6009
MPASNET (Ours) 0.4887 0.7078 0.6617 0.6553 0.6655 0.6892 0.6447
""",
    "table2": """\
X X Dice 0.4887 0.7078 0.6617 0.6194
X Dice 0.4709 0.6856 0.6462 0.6009
X Dice 0.4638 0.6788 0.6248 0.5891
X X CE 0.4735 0.6750 0.6489 0.5991
""",
}
WHICH = {  # our row of each printed one
    "table1": ("CM+CRM", "CrowdRL", "MPASNET*", "MPASNET"),
    "table2": ("AIR + SFA, Dice", "AIR, Dice", "SFA, Dice", "AIR + SFA, CE"),
}


def figures(lines):
    """The numbers with four decimals of each line."""
    return [[float(word) for word in line.split() if re.fullmatch(r"0\.\d{4}", word)] for line in lines]


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_every_quoted_figure_is_as_printed(table):
    quoted = {row.name: row.paper for row in TABLES[table] if row.paper}
    assert tuple(quoted) == WHICH[table]
    assert [[*row.scenes, row.miou] for row in quoted.values()] == figures(PRINTED[table].splitlines())
    added = {row.name for row in TABLES[table] if not row.paper}
    assert added == {"table1": {"MOG2", "MOG2 closed"}, "table2": {"Dice", "CE"}}[table]
    assert not any(row.paper for row in TABLES["beyond"])


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_what_counts_as_printed_is_in_the_papers_text(table):
    paper = ROOT.parent / "shared" / "paper" / "mpasnet_icip2021.txt"
    if not paper.is_file():
        pytest.skip("the paper's text is not at hand (../shared/paper)")
    lines = paper.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"Table {table[-1]}: "))
    rows = [line for line in lines[first : first + 14] if re.search(r"0\.\d{4}$", line)][:4]
    assert rows == PRINTED[table].splitlines()


def test_the_account_quotes_the_same_figures():
    account = ROOT / "benchmarks" / "PAPER.md"
    if not account.exists():
        pytest.skip("runs in a source tree only")
    for part in account.read_text(encoding="utf-8").split("## ")[1:]:
        table = "table1" if part.startswith("Table 1") else "table2"
        if part.startswith("Table "):
            found = figures(line.replace("|", " ") for line in part.splitlines() if line.startswith("|"))
            printed = figures(PRINTED[table].splitlines())
            assert [row[: len(printed[0])] for row in found if row] == printed
            means = [round(statistics.fmean(row[:-1]), 4) for row in printed]
            lost = [[], *([round(printed[0][-1] - row[-1], 4)] for row in printed[1:])]
            extra = [row[len(printed[0]) :] for row in found if row]
            assert extra == ([[mean] for mean in means] if table == "table1" else lost)


def test_the_scenes_are_the_papers_in_its_order():
    assert [scene["name"] for scene in _scene_list()] == list(PAPER_SCENES)


def test_air_contributes_the_most():
    """What settles the ticks of Table 2: without AIR the full model loses most."""
    miou = {row.name: row.paper.miou for row in TABLES["table2"] if row.paper}
    lost = {name: miou["AIR + SFA, Dice"] - value for name, value in miou.items()}
    assert max(lost, key=lost.get) == "SFA, Dice"
    rows = {row.name: row for row in TABLES["table2"]}
    assert [(rows[name].sfa, rows[name].air) for name in WHICH["table2"]] == [
        (True, True), (False, True), (True, False), (True, True)
    ]  # fmt: skip


def test_the_notes_say_where_a_printed_miou_is_no_mean():
    said = _NOTES["table1"]
    assert "the mean of the row's figures in MPASNET only" in said
    for name, mean, printed in (("CM+CRM", 0.4984, 0.4949), ("CrowdRL", 0.5240, 0.5213), ("MPASNET*", 0.6075, 0.6009)):
        assert f"{name}'s is {mean:.4f}, not {printed:.4f}" in said
    for row in TABLES["table2"]:
        assert row.paper is None or round(statistics.fmean(row.paper.scenes), 4) == row.paper.miou
    assert "mean over Scenes 1 to 3 is 0.5802" in _NOTES["table2"]
    assert '"AIR contributes the most"' in _NOTES["table2"]


def test_results_are_json_and_say_all(done, clips):
    out, _ = done
    results = quietly("table1", out, scenes=clips, seeds=(0, 1))
    assert json.loads(json.dumps(dict(results))) == read_json(out / "table1/results.json")
    assert {"settings", "machine", "versions", "seeds", "scenes"} <= results.keys()
    table = (out / "table1/table.md").read_text()
    for row in TABLES["table1"]:
        assert f"| {row.name} {'' if row.paper else '† '}" in table
    assert "Against person masks" in table


def test_the_synthetic_benchmark_is_split(tmp_path, monkeypatch):
    """By default train and test seeds; nothing is trained on what is scored."""
    asked = []
    monkeypatch.setattr(module, "render_benchmark", lambda folder, **options: asked.append(options) or [])
    with pytest.raises(ValueError, match="None of the scenes"):
        quietly("table1", tmp_path)
    assert [(options["split"], options["clips_per_kind"]) for options in asked] == [("train", 1), ("test", 1)]


@pytest.mark.slow
def test_beyond_the_paper_every_step_alone_and_left_out(done, clips, monkeypatch):
    """The table shares the circles' network with Table 1, and its networks learn from labels of their own."""
    out, first = done
    results = quietly("beyond", out, scenes=clips, seeds=(0,))
    rows = rows_of(results)
    assert set(rows) == {row.name for row in TABLES["beyond"]}
    assert rows["labels: circles"]["iou"] == rows_of(first)["CM+CRM"]["iou"]
    shared = rows["network from circles"]["iou"]["crowd"]["seeds"]["0"]
    assert shared == rows_of(first)["MPASNET"]["iou"]["crowd"]["seeds"]["0"]
    assert {folder.name for folder in out.glob("pairs*")} == {"pairs", "pairs-paper", "pairs-refined"}
    training = read_json(out / "runs/rounds-seed0/training.json")
    assert 1 <= len(training["agreement"]) <= 2
    table = format_table(results)
    assert "| paper" not in table
    assert "one round of self-training" in table
