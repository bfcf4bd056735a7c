"""The benchmarks' own arithmetic; what they measure is not tested here."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.helpers import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="runs in a source tree only")


@pytest.mark.slow
def test_one_command_prints_a_table_and_writes_what_it_measured(tmp_path):
    from mpas_lite.files.atomic import read_json

    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "startup", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| `import mpas_lite` |") == 1
    results = read_json(tmp_path / "results.json")
    assert results["machine"]["cores"] >= 1
    assert [row["target"] for row in results["rows"]] == [1.3]
    assert not (tmp_path / "cost.png").exists()


@pytest.mark.slow
def test_the_gpu_script_runs_on_a_cpu(tmp_path):
    from mpas_lite.files.atomic import read_json

    small = ["--encoder=test_resnet", "--size=64", "--batch-size=2", "--steps=2", "--rounds=1", "--precision=32-true"]
    command = [sys.executable, "-m", "benchmarks.gpu_training", *small, "--json", str(tmp_path / "numbers.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    numbers = read_json(tmp_path / "numbers.json")
    assert set(numbers["images_per_s"]) == {"pairs", "bare", "training"}
    rate = {name: values[0] for name, values in numbers["images_per_s"].items()}
    assert numbers["ratios"] == {"training / bare": pytest.approx(rate["training"] / rate["bare"])}


def test_ten_thousand_hours_by_hand():
    sys.path.insert(0, str(ROOT))
    from benchmarks.ten_thousand_hours import costs

    label = {"label_fps": 100, "grab_fps": 2500, "bytes_per_frame": 40_000, "every": 20}
    rows = [
        {"what": "`label` on a.avi", "raw": label},
        {"what": "`label` on 8 clips, 2 workers", "raw": {"speedup_over_it": 1.5}},
        {"what": "`segment`: masks and overlay on disk", "raw": {"segment_fps": 25}},
        {"what": "training step", "raw": {"step_s": 1.6, "batch": 4}},
    ]
    cost = costs({"rows": rows}, hours=1, fps=25, passes=3)
    assert cost["frames"] == 90_000
    assert cost["pairs"] == 4_500
    assert cost["label, core-hours"] == pytest.approx(0.25)
    assert cost["train, core-hours"] == pytest.approx(3 * 1125 * 1.6 / 3600)
    assert cost["segment every frame, core-hours"] == pytest.approx(1)
    assert cost["pairs, TB"] == pytest.approx(0.0036)
    assert not [name for name in cost if "GPU" in name]  # none was measured, none is made up
    assert costs({"rows": rows}, hours=1, gpu_segment_fps=900)["segment every frame, GPU-hours"] == pytest.approx(
        1 / 36
    )
    with pytest.raises(ValueError, match="no row 'training step'"):
        costs({"rows": rows[:3]})


def test_runs_over_many_scenes_by_hand():
    sys.path.insert(0, str(ROOT))
    from benchmarks.unseen_scenes import table

    scores = {
        ("aerial", "general"): [(0.5, 0.25), (0.75, 0.5)],
        ("aerial", "out/run"): [(0.25, 0.0), (0.25, 0.5)],
        ("crossing", "general"): [(1.0, 0.125)],
        ("crossing", "out/run"): [(0.75, 1.0)],
    }
    assert table(scores, ["general", "out/run"]).splitlines() == [
        "| | scenes | general | run |",
        "|:--|--:|--:|--:|",
        "| aerial | 2 | 0.625 / 0.375 | 0.250 / 0.250 |",
        "| crossing | 1 | 1.000 / 0.125 | 0.750 / 1.000 |",
        "| all | 3 | 0.812 / 0.250 | 0.500 / 0.625 |",
    ]


def test_things_are_strewn_behind_whoever_is_labelled(tmp_path):
    sys.path.insert(0, str(ROOT))
    from benchmarks.things import strewn, things_in
    from mpas_lite.video.images import read_image, write_image

    picture = np.zeros((32, 32, 4), np.uint8)
    picture[8:24, 4:28] = (250, 20, 20, 255)  # a red box on nothing
    Image.fromarray(picture).save(tmp_path / "1f6b2.webp", lossless=True)
    Image.fromarray(picture).save(tmp_path / "1f600.webp", lossless=True)  # a face: no thing
    (thing,) = things_in(tmp_path)
    assert thing.shape == (16, 24, 4)
    assert thing[..., 3].min() == 255
    people = np.zeros((60, 80), bool)
    people[20:50, 30:50] = True
    for index in range(4):
        write_image(tmp_path / "clip" / "frames" / f"{index:06d}.png", np.full((60, 80, 3), 200, np.uint8))
        write_image(tmp_path / "clip" / "masks" / f"{index:06d}.png", people)
    copy = strewn(tmp_path / "clip", [thing], tmp_path / "copies")
    again = strewn(tmp_path / "clip", [thing], tmp_path / "others")
    frames = [[read_image(file) for file in sorted((one / "frames").iterdir())] for one in (copy, again)]
    assert np.array_equal(*frames)
    assert (read_image(copy / "masks" / "000003.png", grey=True) > 127).tolist() == people.tolist()
    covered = [np.abs(frame.astype(int) - 200).max(2) > 30 for frame in frames[0]]
    assert not any(there[people].any() for there in covered)
    assert all(0.01 < there.mean() < 0.7 for there in covered)
    assert not np.array_equal(frames[0][0], frames[0][1])


def test_agreement_counts_what_counts():
    sys.path.insert(0, str(ROOT))
    from benchmarks.general_network import _agreement

    found, target, counts = (np.array([row], bool) for row in ([1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0]))
    assert _agreement([(found, target, counts)]) == {"iou": 0.333, "precision": 0.5, "recall": 0.5}
    assert _agreement([]) == {"iou": 1.0, "precision": 1.0, "recall": 1.0}


def test_pairs_of_nobody_are_empty_and_the_mean_of_two_nets_lies_between_them(tmp_path):
    sys.path.insert(0, str(ROOT))
    import torch

    from benchmarks.general_network import mean_of
    from benchmarks.lessons import nobody_pairs
    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.training.pairs import PairDataset
    from mpas_lite.video.images import write_image

    for index in range(5):
        write_image(tmp_path / "cars" / f"{index:06d}.png", np.full((48, 64, 3), 40 * index, np.uint8))
    pairs = PairDataset(nobody_pairs(f"{tmp_path / 'cars'}@2", tmp_path / "out"))
    assert [frame.name for frame, _ in pairs.paths] == ["000000.png", "000002.png", "000004.png"]
    assert pairs.is_empty()
    nets = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        nets.append(MPASNet("test_resnet", width=8))
    first, second = ({name: weight.clone() for name, weight in net.named_parameters()} for net in nets)
    mean = mean_of(*nets, 0.25, pairs)
    assert all(torch.allclose(w, 0.75 * first[name] + 0.25 * second[name]) for name, w in mean.named_parameters())
    assert mean.provenance["mean_with"]["share"] == 0.25


def test_quality_takes_the_masks_of_persons_and_measures_nothing_twice(tmp_path, monkeypatch, capsys):
    import json

    from benchmarks import quality

    ran = []

    def run(command, **_):
        out = command[command.index("--out") + 1]
        ran.append(command[-1])
        methods = {"MPASNET*": 0.5, "MPASNET* persons": 0.9} if "--siamese" not in command else {"MPASNET": 0.4}
        os.makedirs(out)
        with open(os.path.join(out, "metrics.json"), "w") as file:
            json.dump({"iou": {"input": {"truth": {"CM+CRM": 0.1, **methods}}}}, file)

    monkeypatch.setattr(quality.subprocess, "run", run)
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["quality", str(tmp_path), "street/input=street/truth"])
        quality.main()
    assert len(ran) == len(quality.WAYS)
    rows = {row["way"]: row for row in quality.rows_of(tmp_path / "quality.jsonl")}
    assert (rows["run"]["clip"], rows["run"]["iou"], rows["as before"]["iou"]) == ("street", 0.9, 0.4)
    assert "| street | --fast | 0.900 |" in capsys.readouterr().out
    assert (tmp_path / "quality.png").exists()
