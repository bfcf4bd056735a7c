"""The user's files are sacred: whatever the layout of inputs and outputs, no command changes or deletes one."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpas_lite import cli
from mpas_lite.files.ledger import HOME
from mpas_lite.scenes.benchmark import _write_video
from mpas_lite.video.images import write_image


def sums(folder):
    """Every file below a folder that is not our own list: its kind and checksum, links as links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if HOME in name.parts or (path.is_dir() and not path.is_symlink()):
            continue
        found[name] = os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def run(*arguments):
    before = sys.argv
    sys.argv = ["mpas-lite", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as end:
            cli.main()
    finally:
        sys.argv = before
    return end.value.code or 0


@pytest.fixture(scope="module")
def made(tmp_path_factory, moving_square):
    """A folder as people have it: clips, masks, LabelMe files, pairs, weights, and a link or two."""
    import torch

    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.network.weights import save

    root = tmp_path_factory.mktemp("made") / "root"
    for t in range(12):
        write_image(root / "data" / "plaza" / "frames" / f"{t:06d}.png", moving_square[t])
        truth = np.zeros(moving_square.shape[1:3], bool)
        truth[40:80, 10 + 2 * t : 50 + 2 * t] = True
        write_image(root / "data" / "plaza" / "truth" / f"{t:06d}.png", truth)
    (root / "videos").mkdir()
    _write_video(root / "videos" / "a.mkv", moving_square[:12], 25.0)
    (root / "videos" / "notes.txt").write_text("mine")
    torch.manual_seed(0)
    net = MPASNet("test_resnet", width=8)
    net.long_side = 64
    save(net, root / "videos" / "a.safetensors")
    assert run("label", root / "videos" / "a.mkv", "--out", root / "pairs", "--every", 2, "--radius", 6, "--quiet") == 0
    shutil.rmtree(root / "pairs" / HOME)  # they are now the user's own
    shutil.rmtree(root / "pairs" / "a" / HOME)
    arguments = (root / "pairs/a/masks", root / "pairs/a/frames", "--out", root / "lm")
    assert run("labelme", "write", *arguments) == 0
    shutil.rmtree(root / "lm" / HOME, ignore_errors=True)
    (root / "link").symlink_to("data")
    (root / "data" / "plaza" / "masks").symlink_to("truth")
    return root


PLACES = [
    *(".", "data", "data/plaza", "data/plaza/frames", "data/plaza/truth", "data/plaza/masks", "link", "link/plaza"),
    *("link/plaza/frames", "videos", "videos/a", "videos/a.mkv", "videos/notes.txt", "pairs", "pairs/a", "lm"),
    *("pairs/a/frames", "pairs/a/masks", "new", "new/deep", "data/../lm", "link/plaza/../plaza/frames", "pairs/a/.."),
]
CLIPS = [
    "data/plaza/frames",
    "link/plaza/frames",
    "videos/a.mkv",
    "pairs/a/frames",
    "data/plaza/frames/../frames",
    "lm",
]
MASKS = ["data/plaza/truth", "data/plaza/masks", "pairs/a/masks", "link/plaza/truth"]


def check(made, tmp_path_factory, arguments, out):
    """Run a command in a copy: what was there stays, and what is new lies in ``out``."""
    root = tmp_path_factory.mktemp("copy") / "root"
    shutil.copytree(made, root, symlinks=True)
    before = sums(root)
    place = Path(os.path.realpath(root / out))
    here = os.getcwd()
    os.chdir(root)
    try:
        code = run(*arguments)
    finally:
        os.chdir(here)
    after = sums(root)
    assert {name: after.get(name) for name in before} == before, arguments
    for name in after.keys() - before.keys():
        assert Path(os.path.realpath(root / name)).is_relative_to(place), (name, arguments)
    assert code in (0, 1, 2), arguments
    shutil.rmtree(root)
    return code


ANYWHERE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.mark.slow
@given(st.data())
@ANYWHERE
def test_labelling_and_labelme_change_nothing_that_is_there(made, tmp_path_factory, capsys, data):
    out = data.draw(st.sampled_from(PLACES))
    command = data.draw(st.sampled_from(["label", "refine", "read", "write", "evaluate", "notebooks"]))
    clip, masks = data.draw(st.sampled_from(CLIPS)), data.draw(st.sampled_from(MASKS))
    label = ("label", clip, "--out", out, "--every", 3, "--radius", 6, "--quiet")
    check(
        made,
        tmp_path_factory,
        {
            "label": label,
            "refine": (*label, "--refine"),
            "read": ("labelme", "read", data.draw(st.sampled_from(["lm", "pairs/../lm"])), "--out", out),
            "write": ("labelme", "write", masks, clip, "--out", out),
            "evaluate": ("evaluate", masks, masks, "--json", f"{out}/000003.png"),
            "notebooks": ("notebooks", out, "--student"),
        }[command],
        out,
    )


@pytest.mark.slow
@given(st.data())
@settings(ANYWHERE, max_examples=24)
def test_segmenting_training_and_running_change_nothing_that_is_there(made, tmp_path_factory, capsys, data):
    out = data.draw(st.sampled_from(PLACES))
    command = data.draw(st.sampled_from(["segment", "segment", "train", "run", "scenes"]))
    clip = data.draw(st.sampled_from(CLIPS))
    net = ("--encoder", "test_resnet", "--device", "cpu", "--long-side", 64, "--quiet")
    with_weights = ("--weights", "videos/a.safetensors", "--device", "cpu", "--quiet")
    check(
        made,
        tmp_path_factory,
        {
            "segment": ("segment", clip, "--out", out, *with_weights),
            "train": ("train", "pairs", "--out", out, "--epochs", 1, "--set", "width=8", *net),
            "scenes": ("scenes", out, "--split", "validation", "--clips", 1, "--frames", 1),
            "run": ("run", clip, "--out", out, "--steps", 1, "--every", 3, "--truth", "data/plaza/truth", *net),
        }[command],
        out,
    )


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (("label", "data/plaza/frames", "--out", "data", "--every", 5, "--radius", 6, "--quiet"), "data"),
        (("segment", "data/plaza/masks", "--weights", "videos/a.safetensors", "--out", "data/plaza"), "data/plaza"),
        (("labelme", "read", "lm", "--out", "lm"), "lm"),
        (("labelme", "write", "pairs/a/masks", "videos/a.mkv", "--out", "pairs/a/masks"), "pairs/a/masks"),
        (("label", "videos/a.mkv", "--out", ""), "."),
        (("run", "videos/a.mkv", "--out", "videos/notes.txt"), "new"),
        (("train", "pairs", "--out", "pairs/a/masks", "--encoder", "test_resnet", "--quiet"), "new"),
    ],
)
def test_what_would_touch_an_input_is_refused_in_a_sentence(made, tmp_path_factory, capsys, arguments, out):
    assert check(made, tmp_path_factory, arguments, out) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) <= 4


def test_a_video_beside_its_output_goes_on_working(made, tmp_path_factory, capsys):
    label = ("label", "videos/a.mkv", "--out", "videos", "--every", 3, "--radius", 6, "--quiet")
    assert check(made, tmp_path_factory, label, "videos") == 0


def test_dot_dot_as_input_writes_into_out(made, tmp_path_factory, capsys):
    label = ("label", "data/plaza/frames/../../plaza/frames", "--out", "new", "--every", 3, "--radius", 6, "--quiet")
    assert check(made, tmp_path_factory, label, "new") == 0
