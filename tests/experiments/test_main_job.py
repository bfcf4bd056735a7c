"""The main job's own parts; what it does as a whole is tested through its command, in test_cli.py."""

import json
import math
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mpas_lite.experiments.main_job import _Job, run
from mpas_lite.experiments.networks import epochs_of
from mpas_lite.experiments.results import RunResult
from mpas_lite.experiments.settings import RunSettings
from mpas_lite.files.atomic import read_json
from mpas_lite.options import changed
from mpas_lite.training.config import TrainConfig
from mpas_lite.training.self_training import Rounds
from mpas_lite.video.clip import clips_of
from mpas_lite.video.images import write_image
from tests.helpers import DEADLY

pytestmark = pytest.mark.slow


@pytest.fixture
def sources(tmp_path, moving_square):
    """Clips of 30, 30 and 20 frames, a file of text, a path where nothing is, and files that kill their decoder."""
    for name in ("a", "ü b", "deadly", "deadly-too"):
        writer = cv2.VideoWriter(str(tmp_path / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
        for frame in moving_square:
            writer.write(frame)
        writer.release()
    for t, frame in enumerate(moving_square[:20]):
        write_image(tmp_path / "folder" / f"{t:03d}.png", frame)
    (tmp_path / "text.mp4").write_text("no video")
    names = ("a.avi", "deadly.avi", "text.mp4", "ü b.avi", "nowhere", "folder", "deadly-too.avi")
    return [tmp_path / name for name in names]


def stride(sources, **settings):
    """One frame in so many, as the main job chooses it; and the clips that it has opened for that."""
    job, clips = _Job(None, RunSettings(**settings), "cpu", 1, False, str).with_stride(clips_of(sources))
    return job.settings.label.every, [clip.name for clip in clips if clip.is_open]


def test_the_stride_gives_the_pairs_that_are_wanted_but_no_more_than_twenty_frames_lie_between(tmp_path, sources):
    assert stride(sources, pairs=10) == (14, ["a", "deadly", "ü b", "folder", "deadly-too"])  # of 140 frames
    assert stride(sources, pairs=7) == (20, ["a", "deadly", "ü b", "folder", "deadly-too"])
    assert stride(sources, pairs=6)[0] == 20  # not 23: a longer one than the paper's would leave pairs out
    assert stride(sources[:1], pairs=144)[0] == 1
    label = replace(RunSettings().label, every=7)
    assert stride(sources, pairs=10, label=label) == (7, [])  # as it is set; nothing is counted


def test_a_file_that_kills_its_decoder_is_not_counted(tmp_path, sources, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert stride(sources, pairs=10) == (8, ["a", "ü b", "folder"])  # of 80 frames
    assert stride(sources[1:2]) == (1, [])


def test_masks_are_fused_where_labels_are_refined_unless_it_is_said_otherwise():
    circles = replace(RunSettings().label, refine=None)
    fuses = [RunSettings(), RunSettings(label=circles), RunSettings(background=False), RunSettings.paper()]
    assert [settings.fuses for settings in fuses] == [True, False, False, False]
    assert RunSettings(label=circles, background=True).fuses


def test_a_run_leaves_masks_of_both_kinds_or_the_networks_alone(tmp_path, sources):
    for background, kinds in ((None, ["masks", "persons"]), (False, ["masks"])):
        out, settings = tmp_path / f"out-{background}", replace(FAST, background=background)
        run(sources[:1], out, settings=settings, accelerator="cpu", progress=False, say=str)
        assert [kind for kind in ("masks", "persons") if len(list((out / kind).glob("*.png"))) == 30] == kinds
        assert ("background" in read_json(out / "segment.json")) == (background is None)


def test_rounds_are_part_of_the_steps():
    """40 pairs in batches of 4 are 10 steps an epoch; a round takes half of the first training's."""
    config = TrainConfig(batch_size=4, epochs=12)
    assert [epochs_of(100, 40, config, Rounds(most=most)) for most in (0, 1, 2)] == [10, 7, 5]
    assert [epochs_of(None, 40, config, Rounds(most=most)) for most in (0, 1, 2)] == [12, 8, 6]
    assert epochs_of(1, 40, config, Rounds(most=2)) == 1


FAST = RunSettings(encoder="mobilenetv3_small_050", encoder_weights=None, steps=2, long_side=64, pairs=10)


def test_scores_stand_under_the_name_of_the_network_that_was_trained(tmp_path, sources):
    (clip,) = clips_of(sources[:1])
    for settings, name in (
        (RunSettings(), "MPASNET*"),
        (changed(RunSettings(), siamese=True), "MPASNET"),
        (RunSettings.paper(), "MPASNET"),
    ):
        job = _Job(tmp_path, settings, "cpu", 1, False, str)
        assert job.result_of(clip, tmp_path, tmp_path, {}).network == name


def test_steps_are_those_of_pairs_with_a_crowd(tmp_path, moving_square):
    """Nothing moves in the first half of the clip, so epochs are shorter than its pairs say, and there are more."""
    late = np.concatenate([np.repeat(moving_square[:1], 15, axis=0), moving_square[:21]])
    for t, frame in enumerate(late):
        write_image(tmp_path / "late" / f"{t:03d}.png", frame)
    label = replace(FAST.label, every=2)
    settings = changed(replace(FAST, label=label), steps=40, batch_size=2)
    result = run([tmp_path / "late"], tmp_path / "out", settings=settings, accelerator="cpu", progress=False, say=str)
    pairs, empty = result.clips["late"]["pairs"], result.clips["late"]["empty"]
    with_crowd = math.ceil((pairs - empty) / 2)
    assert with_crowd < math.ceil(pairs / 2)
    assert result.training["epochs"] == round(40 / with_crowd) > round(40 / math.ceil(pairs / 2))
    assert result.training["steps"] == result.training["epochs"] * with_crowd


@pytest.mark.parametrize("every", [0, 2])
def test_a_folder_of_frames_is_looked_through_once_on_its_way_through_a_run(tmp_path, sources, looks, every):
    """It is listed once, and each header read once (by another process with a free stride)."""
    folder = sources[5]
    settings = replace(FAST, label=replace(FAST.label, every=every))
    result = run([folder], tmp_path / "out", settings=settings, accelerator="cpu", progress=False, say=str)
    assert result.clips["folder"]["pairs"] == 8
    assert looks == [folder, *(sorted(folder.iterdir()) if every else [])]


def test_the_result_is_a_record_and_reads_as_the_file_does(tmp_path, sources):
    result = run([sources[5]], tmp_path / "out", settings=FAST, accelerator="cpu", progress=False, say=str)
    assert isinstance(result, RunResult)
    assert result == read_json(tmp_path / "out/metrics.json") == json.loads(json.dumps(dict(result)))
    assert list(result) == ["settings", "clips", "training", "iou", "iou_unseen", "frames"]
    assert result["training"] is result.training
    assert result["settings"]["label"]["every"] == 2
    assert result.get("nothing") is None
    with pytest.raises(KeyError):
        result["as_dict"]
    with pytest.raises(AttributeError):
        result.iou = {}
