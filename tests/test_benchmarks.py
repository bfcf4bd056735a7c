"""The benchmarks' own arithmetic; what they measure is not tested here."""

import os
import subprocess
import sys

import pytest

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
