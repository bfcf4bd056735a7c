"""The command line as a user meets it: what it leaves behind, and what it says when something is wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from mpas_lite import cli
from mpas_lite.files.atomic import read_json
from mpas_lite.network.weights import fingerprint, load
from mpas_lite.training.records import read_log
from mpas_lite.video.images import read_image, write_image

pytestmark = pytest.mark.slow


def mpas_lite(capsys, monkeypatch, *arguments):
    """Run ``mpas-lite ARGUMENTS`` in this process: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["mpas-lite", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


@pytest.fixture
def call(capsys, monkeypatch):
    return lambda *arguments: mpas_lite(capsys, monkeypatch, *arguments)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, moving_square):
    """The moving square as a folder of frames, with ground truth for every tenth frame."""
    folder = tmp_path_factory.mktemp("clips") / "square"
    for t, frame in enumerate(moving_square):
        write_image(folder / f"{t:06d}.png", frame)
        truth = np.zeros(frame.shape[:2], bool)
        truth[40:80, 10 + 2 * t : 50 + 2 * t] = True
        if t % 10 == 0:
            write_image(folder / "truth" / "crowd" / f"{t:06d}.png", truth)
            write_image(folder / "truth" / "person" / f"{t:06d}.png", truth)
    return folder


FAST = ("--steps", 4, "--long-side", 96, "--every", 5, "--device", "cpu", "--quiet")


def test_run_leaves_all_that_it_promises_and_goes_on_where_it_stopped(call, clip, tmp_path):
    out = tmp_path / "out"
    code, said, _ = call("run", clip, "--out", out, "--batch-size", 1, *FAST)
    assert code == 0
    assert "| CM+CRM |" in said
    assert "MOG2 closed" in said
    assert len(list((out / "masks").glob("*.png"))) == 30
    assert set(np.unique(read_image(out / "masks" / "000003.png", grey=True))) <= {0, 255}
    assert len(list((out / "pairs" / "square" / "frames").glob("*.png"))) == 5
    for name in ("model.safetensors", "overlay.mp4", "report.html"):
        assert (out / name).stat().st_size > 0
    metrics = read_json(out / "metrics.json")
    methods = {"CM+CRM", "refined labels", "MOG2", "MOG2 closed", "MPASNET*"}
    assert set(metrics["iou"]["square"]["crowd"]) == methods
    assert all(0 <= value <= 1 for value in metrics["iou"]["square"]["crowd"].values())
    rates = [float(row["lr"]) for row in read_log(out / "training" / "log.csv")]
    assert rates == pytest.approx([0.01, 0.0090451, 0.0065451, 0.0034549, 0.0009549], rel=1e-4)  # half a cosine's wave
    weights = fingerprint(load(out / "model.safetensors"))
    kept = (out / "masks" / "000003.png").stat().st_mtime_ns

    code, again, _ = call("run", clip, "--out", out, "--batch-size", 1, *FAST)
    assert code == 0
    assert again == said
    assert fingerprint(load(out / "model.safetensors")) == weights
    assert (out / "masks" / "000003.png").stat().st_mtime_ns == kept


def test_no_refine_and_paper_are_the_papers_circles(call, clip, tmp_path):
    from mpas_lite.experiments.settings import RunSettings

    assert RunSettings.paper().label.refine is None
    assert RunSettings().label.refine is not None
    out = tmp_path / "out"
    code, said, _ = call("run", clip, "--out", out, "--no-refine", *FAST)
    assert code == 0
    assert "refined labels" not in said
    assert not (out / "pairs" / "square" / "circles").exists()
    assert call("label", clip, "--out", tmp_path / "refined", "--refine", "--every", 5, "--quiet")[0] == 0
    assert call("label", clip, "--out", tmp_path / "plain", "--every", 5, "--quiet")[0] == 0
    circles, masks = (sorted((tmp_path / "refined" / "square" / kind).glob("*.png")) for kind in ("circles", "masks"))
    plain = sorted((tmp_path / "plain" / "square" / "masks").glob("*.png"))
    assert len(circles) == len(masks) == len(plain) == 5
    assert [p.read_bytes() for p in circles] == [
        p.read_bytes() for p in plain
    ]  # the paper's labels are kept as they are


def test_the_steps_alone_do_what_run_does(call, clip, tmp_path):
    assert call("label", clip, "--out", tmp_path / "pairs", "--every", 5, "--radius", 6, "--quiet")[0] == 0
    code, said, _ = call(
        *("train", tmp_path / "pairs", "--out", tmp_path / "net", "--encoder", "hrnet_w18_small"),
        *("--epochs", 2, "--long-side", 96, "--device", "cpu", "--quiet"),
    )
    assert code == 0
    assert "model.safetensors" in said
    code, said, _ = call(
        *("segment", clip, "--weights", tmp_path / "net" / "model.safetensors"),
        *("--out", tmp_path / "seg", "--every", 10, "--quiet"),
    )
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "seg" / "masks").iterdir()) == ["000000.png", "000010.png", "000020.png"]
    assert (tmp_path / "seg" / "overlay.mp4").exists()
    code, said, _ = call("evaluate", tmp_path / "seg" / "masks", clip / "truth" / "crowd")
    assert code == 0
    assert "over 3 frames" in said


@pytest.fixture
def pairs(tmp_path):
    """Four frames of dark noise, each with a bright square that is the mask."""
    rng = np.random.default_rng(0)
    for i in range(4):
        frame, mask = rng.integers(0, 60, (48, 64, 3), dtype=np.uint8), np.zeros((48, 64), bool)
        mask[10:30, 5 * i : 5 * i + 20] = True
        frame[mask] += 150
        write_image(tmp_path / "pairs/clip/frames" / f"{i:06d}.png", frame)
        write_image(tmp_path / "pairs/clip/masks" / f"{i:06d}.png", mask)
    return tmp_path / "pairs"


def test_train_with_a_configuration_leaves_it_beside_and_inside_the_weights(call, pairs, tmp_path):
    (tmp_path / "mine.toml").write_text("encoder = 'test_resnet'\nwidth = 8\nepochs = 9\nlr = 0.5\nbatch_size = 2\n")
    arguments = ("train", pairs, "--config", tmp_path / "mine.toml", "--set", "lr=0.01", "--set", "ema=0.5", "--quiet")
    arguments += ("--epochs", 1, "--device", "cpu", "--validate", pairs)
    assert call(*arguments, "--out", tmp_path / "a")[0] == 0
    out = tmp_path / "a"
    assert {path.name for path in out.iterdir()} >= {"model.safetensors", "config.toml", "MODEL_CARD.md", "log.csv"}
    net = load(out / "model.safetensors")
    config = net.provenance["config"]
    assert (config["encoder"], config["epochs"], config["lr"], config["ema"]) == ("test_resnet", 1, 0.01, 0.5)
    assert net.provenance["validation_iou"] is not None
    again = ("train", pairs, "--config", out / "config.toml", "--validate", pairs, "--quiet")
    assert call(*again, "--out", tmp_path / "b")[0] == 0
    again = load(tmp_path / "b" / "model.safetensors")
    assert (fingerprint(again), again.provenance) == (fingerprint(net), net.provenance)
    for name in ("config.toml", "MODEL_CARD.md"):
        assert (out / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_train_names_what_it_left_out(call, pairs, tmp_path):
    bad = pairs / "clip/frames/000002.png"
    bad.write_bytes(bad.read_bytes()[:100])
    options = ("--set", "width=8", "--encoder", "test_resnet", "--epochs", 1, "--device", "cpu", "--quiet")
    code, _, err = call("train", pairs, "--out", tmp_path / "out", *options)
    assert code == 0
    assert "note: 1 of 4 pairs were left out as damaged" in err
    assert "000002.png" in err
    (tmp_path / "out" / "model.safetensors").unlink()
    code, _, err = call("train", pairs, "--out", tmp_path / "out", *options[:3], "resnet18", *options[4:])
    assert code == 2
    assert "is of another run: the net's encoder is resnet18 and was test_resnet" in err


def test_several_clips_one_of_them_bad(call, clip, tmp_path):
    (tmp_path / "bad.mp4").write_text("no video")
    code, said, _ = call("run", clip, tmp_path / "bad.mp4", "--out", tmp_path / "out", *FAST)
    assert code == 0
    assert "left out: " in said
    assert "bad.mp4 is not a video" in said
    assert (tmp_path / "out" / "square" / "overlay.mp4").exists()
    code, said, _ = call("label", clip, tmp_path / "bad.mp4", "--out", tmp_path / "pairs", "--quiet")
    assert code == 1
    assert "square: 2 pairs" in said


def still(path):
    for t in range(12):
        write_image(path / f"{t}.png", np.full((40, 60, 3), 90, np.uint8))
    return path


def single(path):
    write_image(path / "0.png", np.zeros((40, 60, 3), np.uint8))
    return path


def text(path):
    path.write_text("words")
    return path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (lambda p, clip: ["run", p / "nothing.mp4", "--out", p / "out"], "There is no file or folder"),
        (lambda p, clip: ["run", text(p / "a.mp4"), "--out", p / "out"], "a.mp4 is not a video"),
        (lambda p, clip: ["run", single(p / "one"), "--out", p / "out"], "has 1 frame; to see motion"),
        (lambda p, clip: ["run", still(p / "still"), "--out", p / "out", *FAST], "Nothing moves in these pairs"),
        (
            lambda p, clip: ["run", clip, "--out", p / "out", "-z", "0.05", *FAST],
            r"z must be .*below 1/K = 1/20.*it is 0\.05",
        ),
        (lambda p, clip: ["run", clip, clip, "--truth", p, "--out", p / "out"], "exactly one INPUT"),
        (lambda p, clip: ["run", clip, "--truth", p / "none", "--out", p / "out", *FAST], "no folder .*none"),
        (lambda p, clip: ["run", clip, "--out", p / "out", "--encoder", "hrnet_w84", *FAST], "hrnet_w48"),
        (lambda p, clip: ["label", clip, "--out", p / "out", "--radius", "-2"], r"radius=-2\.0: it must be above 0"),
        (lambda p, clip: ["label", clip, "--out", p / "out", "--every", 0, "--quiet"], r"every \(0\).* at least 1"),
        (lambda p, clip: ["train", p, "--out", p / "out", "--encoder", "test_resnet"], "pairs|frames"),
        (lambda p, clip: ["train", p, "--out", p / "out", "--config", "papr"], "Did you mean paper"),
        (lambda p, clip: ["train", p, "--out", p / "out", "--set", "epoch=3"], "Did you mean epochs"),
        (lambda p, clip: ["train", p, "--out", p / "out", "--set", "lr=fast"], "lr = 'fast': it must be a number"),
        (
            lambda p, clip: ["segment", clip, "--weights", text(p / "w.safetensors"), "--out", p / "out"],
            r"w\.safetensors",
        ),
        (lambda p, clip: ["evaluate", single(p / "one"), clip / "truth" / "crowd"], "values|pixels|size|60x40"),
        (lambda p, clip: ["evaluate", p / "none", clip / "truth" / "crowd"], "none"),
        (lambda p, clip: ["run", clip], "--out"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(call, clip, tmp_path, arguments, sentence):
    import re

    code, _, err = call(*arguments(tmp_path, clip))
    assert code == 2
    assert "Traceback" not in err
    assert re.search(sentence, err), err


def test_ground_truth_of_another_clip_is_refused(call, clip, tmp_path):
    write_image(tmp_path / "pred" / "000900.png", np.zeros((120, 160), bool))
    code, _, err = call("evaluate", tmp_path / "pred", clip / "truth" / "crowd")
    assert code == 2
    assert "No frame is in both folders" in err


def test_a_folder_in_use_is_refused_and_left_alone(call, clip, tmp_path):
    hold = (
        "from mpas_lite.files.ledger import lock_folder\n"
        f"with lock_folder({str(tmp_path)!r}):\n    print('held', flush=True)\n    input()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        code, _, err = call("run", clip, "--out", tmp_path, *FAST)
        other.communicate(b"\n")
    assert code == 2
    assert "in use by another run" in err
    assert [p.name for p in tmp_path.iterdir()] == [".mpas_lite"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are a matter of POSIX")
def test_no_space_left_is_a_sentence_and_the_run_goes_on_when_there_is(clip, tmp_path):
    """A limit on the size of files stands in for a full disk: the weights do not fit."""
    command = [sys.executable, "-m", "mpas_lite.cli", "run", str(clip), "--out", str(tmp_path / "out"), *map(str, FAST)]
    limited = (
        "import resource, signal, sys, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY));"
        f"sys.argv = {command[2:]!r}; runpy.run_module('mpas_lite.cli', run_name='__main__')"
    )
    full = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, env={**os.environ})
    assert full.returncode == 2, full.stderr
    assert "No space is left" in full.stderr
    assert not list((tmp_path / "out").rglob(".partial-*"))
    assert not list((tmp_path / "out").rglob("*.safetensors"))
    after = subprocess.run(command, capture_output=True, text=True)
    assert after.returncode == 0, after.stderr
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_help_of_every_command():
    for name in (None, *cli.cli.commands):
        result = CliRunner().invoke(cli.cli, [name, "--help"] if name else ["--help"])
        assert result.exit_code == 0
        assert "Usage:" in result.output


@pytest.mark.slow
def test_scenes_writes_clips_that_evaluate_understands(call, tmp_path):
    code, said, _ = call("scenes", tmp_path, "--split", "validation", "--clips", 1, "--frames", 6)
    assert code == 0
    assert "6 clips" in said
    truth = next((tmp_path / "validation").iterdir()) / "truth"
    code, said, _ = call("evaluate", truth / "crowd", truth / "crowd")
    assert "IoU 1.0000 over 6 frames" in said


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {}),
        ({"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "0"}),
    ],
)
def test_threads_that_wait_spin_shortly_unless_the_environment_says_how_long(call, monkeypatch, given, asked):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    monkeypatch.setattr(os, "environ", {**kept, **given})
    assert call("--version")[0] == 0
    assert os.environ == {**kept, **given, **asked}
