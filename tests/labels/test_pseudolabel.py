import errno
import os
import warnings
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

import mpas_lite
from mpas_lite.files.atomic import read_json, write_json
from mpas_lite.labels import batch, pseudolabel, refined
from mpas_lite.labels.batch import pseudo_label_many
from mpas_lite.labels.frames import label_frames
from mpas_lite.labels.pseudolabel import pseudo_label
from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.video import finding
from mpas_lite.video.clip import clips_of
from mpas_lite.video.images import read_image, write_image

SMALL = LabelSettings(every=10, radius=5)


def test_labels_cover_the_moving_square_and_little_else(moving_square):
    for labelled in label_frames(moving_square, SMALL):
        truth = np.zeros(labelled.mask.shape, bool)
        left = 10 + 2 * labelled.index
        truth[40:80, left : left + 40] = True
        assert labelled.mask[truth].mean() > 0.9
        # Beyond the square: the radius, and half of Lucas-Kanade's window that edges drag along.
        truth[40 - 13 : 80 + 13, max(0, left - 13) : left + 40 + 13] = True
        assert labelled.mask[~truth].mean() < 0.005


def test_pairs_on_disk_with_every_parameter(tmp_path, moving_square):
    result = pseudo_label(moving_square, tmp_path, settings=SMALL, name="square", progress=False)
    assert (result.pairs, result.empty, result.error) == (3, 0, None)
    names = sorted(p.name for p in (tmp_path / "square" / "frames").iterdir())
    assert (
        names
        == ["000000.png", "000010.png", "000020.png"]
        == sorted(p.name for p in (tmp_path / "square" / "masks").iterdir())
    )
    np.testing.assert_array_equal(read_image(tmp_path / "square/frames/000010.png"), moving_square[10])
    mask = read_image(tmp_path / "square/masks/000010.png", grey=True)
    assert set(np.unique(mask)) == {0, 255}
    manifest = read_json(tmp_path / "square" / "manifest.json")
    assert manifest["settings"] == asdict(SMALL)
    assert (manifest["source"], manifest["pairs"]) == ("array", 3)


def test_an_interrupted_run_goes_on(tmp_path, moving_square):
    pseudo_label(moving_square, tmp_path, settings=SMALL, name="square", progress=False)
    masks = tmp_path / "square" / "masks"
    before = {p.name: p.read_bytes() for p in masks.iterdir()}
    (tmp_path / "square" / "frames" / "000010.png").unlink()
    kept = (masks / "000020.png").stat().st_mtime_ns
    result = pseudo_label(moving_square, tmp_path, settings=SMALL, name="square", progress=False)
    assert result.pairs == 3
    assert {p.name: p.read_bytes() for p in masks.iterdir()} == before
    assert (masks / "000020.png").stat().st_mtime_ns == kept


def test_other_settings_or_another_source_are_not_mixed_in(tmp_path, moving_square):
    pseudo_label(moving_square, tmp_path, settings=SMALL, name="square", progress=False)
    with pytest.raises(ValueError, match=r"radius 5 -> 9.*Choose another folder"):
        pseudo_label(moving_square, tmp_path, settings=SMALL, radius=9, name="square", progress=False)
    write_image(tmp_path / "other" / "1.png", moving_square[0])
    with pytest.raises(ValueError, match="source array -> "):
        pseudo_label(tmp_path / "other", tmp_path, settings=SMALL, name="square", progress=False)


def test_where_nothing_moves_the_labels_are_empty_and_a_warning_says_so(tmp_path, moving_square):
    still = np.repeat(moving_square[:1], 12, axis=0)
    with pytest.warns(UserWarning, match="nothing moves together"):
        result = pseudo_label(still, tmp_path, settings=SMALL, progress=False)
    assert result.pairs == result.empty == 1


@pytest.mark.parametrize("out", ["clips/plaza/frames", "clips"])
def test_pairs_never_go_where_frames_are_read(tmp_path, moving_square, out):
    frames = tmp_path / "clips" / "plaza" / "frames"
    for t, frame in enumerate(moving_square[:12]):
        write_image(frames / f"{t:06d}.png", frame)
    before = everything(tmp_path)
    with pytest.raises(ValueError, match=r"which (is|are) read"):
        pseudo_label(frames, tmp_path / out, settings=SMALL, progress=False)
    with pytest.raises(ValueError, match=r"which (is|are) read"):
        pseudo_label_many([frames], tmp_path / out, settings=SMALL, progress=False)
    assert everything(tmp_path) == before


def test_a_folder_of_frames_is_looked_through_once(tmp_path, moving_square, monkeypatch):
    for t, frame in enumerate(moving_square[:12]):
        write_image(tmp_path / "clip" / f"{t:03d}.png", frame)
    contents, looked = finding.contents, []
    monkeypatch.setattr(finding, "contents", lambda folder: looked.append(folder) or contents(folder))
    pseudo_label_many([tmp_path / "clip"], tmp_path / "pairs", settings=SMALL, progress=False)
    assert looked == [tmp_path / "clip"]


@pytest.mark.parametrize("refine", [None, Refinement(standing=False)], ids=["circles", "refined"])
@pytest.mark.filterwarnings("ignore:.*(size of people|background)")
def test_pairs_of_another_version_are_kept_and_said_to_be(tmp_path, moving_square, recwarn, refine):
    settings = replace(SMALL, refine=refine)
    pseudo_label(moving_square, tmp_path, settings=settings, name="square", progress=False)
    manifest = tmp_path / "square" / "manifest.json"
    old = {**read_json(manifest), "mpas_lite": "0.0.9"}
    write_json(manifest, old)
    again = {"settings": settings, "name": "square", "progress": False}
    with pytest.warns(UserWarning, match=r"square holds pairs of another version of mpas_lite \(0\.0\.9\)"):
        pseudo_label(moving_square, tmp_path, **again)
    assert read_json(manifest) == old
    del old["mpas_lite"]
    write_json(manifest, old)
    with pytest.warns(UserWarning, match=r"version of mpas_lite \(unknown\), which are kept"):
        pseudo_label(moving_square, tmp_path, **again)
    for mask in (tmp_path / "square" / "masks").iterdir():
        mask.unlink()
    recwarn.clear()
    pseudo_label(moving_square, tmp_path, **again)  # nothing is kept
    assert not [str(one.message) for one in recwarn if "holds pairs" in str(one.message)]
    assert read_json(manifest)["mpas_lite"] == mpas_lite.__version__


def test_one_empty_label_is_no_reason_to_warn(tmp_path, moving_square, recwarn):
    late = np.concatenate([np.repeat(moving_square[:1], 10, axis=0), moving_square[:20]])
    result = pseudo_label(late, tmp_path, settings=SMALL, progress=False)
    assert (result.pairs, result.empty) == (3, 1)
    assert not recwarn.list


def test_names_that_are_not_ours_are_no_frames(tmp_path):
    for name in ("000020.png", "1000000.png", "20.png", "0000020.png", "mask.png", "000040.jpg", "\u0661\u0661.png"):
        (tmp_path / name).touch()
    assert pseudolabel.frame_indices_in(tmp_path) == {20, 1_000_000}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_refined_clip_is_kept_as_long_as_it_is_whole(tmp_path, moving_square, monkeypatch):
    settings = LabelSettings(every=3, radius=5, refine=Refinement(standing=False))
    late = np.concatenate([np.repeat(moving_square[:1], 12, axis=0), moving_square[:18]])
    first = pseudo_label(late, tmp_path, settings=settings, name="late", progress=False)
    assert 0 < first.empty < first.pairs
    before = everything(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(refined, "label_window", lambda *_: pytest.fail("it was labelled anew"))
        assert pseudo_label(late, tmp_path, settings=settings, name="late", progress=False) == first
    assert everything(tmp_path) == before
    notes = read_json(tmp_path / "late" / "manifest.json")["notes"]
    assert notes == ["No size of people could be measured: only 8 regions look like a person standing alone."]
    for kind in ("masks", "frames"):
        (tmp_path / "late" / kind / "000003.png").unlink()
        assert pseudo_label(late, tmp_path, settings=settings, name="late", progress=False) == first
        assert everything(tmp_path) == before


def test_fewer_particles_than_neighbours_are_no_error(moving_square):
    few = list(label_frames(moving_square, LabelSettings(every=10, max_corners=60, k=50)))
    assert all(0 < len(labelled.particles) < 50 for labelled in few)


@pytest.mark.slow
def test_one_bad_clip_does_not_end_the_run(tmp_path, moving_square):
    for t, frame in enumerate(moving_square):
        write_image(tmp_path / "good" / f"{t:03d}.png", frame)
    (tmp_path / "bad.mp4").write_text("no video")
    sources = [tmp_path / "bad.mp4", tmp_path / "good", tmp_path / "missing.avi"]
    bad, good, missing = pseudo_label_many(sources, tmp_path / "pairs", settings=SMALL, progress=False)
    assert "bad.mp4 is not a video" in bad.error
    assert "missing.avi" in missing.error
    assert (good.error, good.pairs) == (None, 3)


@pytest.mark.slow
def test_two_processes_write_what_one_does(tmp_path, moving_square):
    for name in ("a", "b"):
        for t, frame in enumerate(moving_square[:16]):
            write_image(tmp_path / name / f"{t:03d}.png", frame)
    sources = [tmp_path / "a", tmp_path / "b"]
    for jobs in (1, 2, 100_000):  # no more are started than there are clips
        pseudo_label_many(sources, tmp_path / f"pairs{jobs}", settings=SMALL, jobs=jobs, progress=False)
    one, two = (
        {p.relative_to(tmp_path / root): p.read_bytes() for p in (tmp_path / root).rglob("*.png")}
        for root in ("pairs1", "pairs2")
    )
    assert one == two
    assert len(one) == 2 * 2 * 2


def everything(folder):
    """What stands in a folder, but for our list of it."""
    return {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".mpas_lite" not in p.parts
    }


def test_a_resumed_run_looks_only_at_what_is_missing(tmp_path, moving_square, monkeypatch):
    settings = LabelSettings(every=3, radius=5)  # windows overlap
    for t, frame in enumerate(moving_square):
        write_image(tmp_path / "clip" / f"{t:03d}.png", frame)
    pseudo_label(tmp_path / "clip", tmp_path, settings=settings, name="square", progress=False)
    pairs = everything(tmp_path / "square")
    for number in (6, 9, 24):
        (tmp_path / "square" / "masks" / f"{number:06d}.png").unlink()
    windows, seen = pseudolabel.label_window, []

    def noting(index, frames, settings):
        seen.append((index, len(frames)))
        return windows(index, frames, settings)

    monkeypatch.setattr(pseudolabel, "label_window", noting)
    result = pseudo_label(tmp_path / "clip", tmp_path, settings=settings, name="square", progress=False)
    assert seen == [(6, 6), (9, 6), (24, 6)]
    assert (result.pairs, result.empty) == (9, 0)
    assert everything(tmp_path / "square") == pairs


@pytest.mark.parametrize("jobs", [0, -2])
def test_numbers_of_processes_that_are_none(tmp_path, jobs):
    with pytest.raises(ValueError, match=r"jobs=.* or -1 for one a core"):
        pseudo_label_many([tmp_path], tmp_path / "out", jobs=jobs)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_warnings_of_other_processes_come_home(tmp_path, moving_square, jobs):
    for name in ("a", "b"):
        for t in range(8):
            write_image(tmp_path / name / f"{t:03d}.png", moving_square[0])
    with pytest.warns(UserWarning, match="nothing moves together") as caught:
        pseudo_label_many(
            [tmp_path / "a", tmp_path / "b"], tmp_path / "pairs", settings=SMALL, jobs=jobs, progress=False
        )
    assert sorted(str(w.message).split(":")[0] for w in caught) == [str(tmp_path / "a"), str(tmp_path / "b")]


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (OSError(errno.EIO, "no such luck"), "no such luck"),
        (ValueError("a sentence"), "a sentence"),
        (MemoryError(), "clip: labelling it takes more memory than there is."),
        (KeyError("two\n  lines"), "clip cannot be labelled (KeyError: 'two\\n lines')."),
    ],
)
def test_whatever_goes_wrong_with_a_clip_is_said_of_it(tmp_path, moving_square, monkeypatch, problem, why):
    def fail(*_, **__):
        raise problem

    write_image(tmp_path / "clip" / "1.png", moving_square[0])
    monkeypatch.setattr(batch, "pseudo_label", fail)
    (result,) = pseudo_label_many([tmp_path / "clip"], tmp_path / "pairs", progress=False)
    assert (result.name, result.folder, result.pairs) == ("clip", tmp_path / "pairs" / "clip", 0)
    assert result.error.endswith(why)


def test_a_full_disk_ends_the_run(tmp_path, moving_square, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_image(tmp_path / "clip" / "1.png", moving_square[0])
    monkeypatch.setattr(batch, "pseudo_label", full)
    with pytest.raises(OSError, match="No space left"):
        pseudo_label_many([tmp_path / "clip"], tmp_path / "pairs", progress=False)


@pytest.mark.parametrize(("jobs", "threads"), [(1, 8), (2, 4), (3, 2)])
def test_the_cores_are_shared_out(tmp_path, moving_square, monkeypatch, jobs, threads):
    for name in ("a", "b", "c", "d"):
        write_image(tmp_path / name / "1.png", moving_square[0])
    seen = []
    monkeypatch.setattr(batch, "cpu_count", lambda: 8)
    monkeypatch.setattr(batch, "effective_n_jobs", lambda jobs: jobs)
    monkeypatch.setattr(batch, "_label_all", lambda tasks, *_, **__: seen.extend(tasks) or enumerate(map(done, tasks)))
    results = pseudo_label_many([tmp_path / n for n in "abcd"], tmp_path / "pairs", jobs=jobs, progress=False)
    assert [task.threads for task in seen] == [threads] * 4
    assert [result.name for result in results] == ["a", "b", "c", "d"]


def done(task):
    return pseudolabel.ClipLabels(task.clip.name, task.out)


# -------------------------------------------------------------------------- files that kill their process

DEADLY = """
import os, pathlib
read = pathlib.Path.read_bytes
pathlib.Path.read_bytes = lambda path: os._exit(77) if "deadly" in str(path) else read(path)
"""


@contextmanager
def decoder_that_dies(folder, monkeypatch):
    """New processes, not this one, have an OpenCV that dies of images with "deadly" in their path."""
    (folder / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    get_reusable_executor().shutdown(wait=True)  # joblib's processes of the tests before
    yield
    get_reusable_executor().shutdown(wait=True)


def deadly_among_good(folder, moving_square):
    for name in ("a", "b", "deadly", "c", "d"):
        for t, frame in enumerate(moving_square[:16]):
            write_image(folder / name / f"{t:03d}.png", frame)
    return [folder / name for name in ("a", "b", "deadly", "c", "d")]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_kills_its_process_does_not_end_the_run(tmp_path, moving_square, monkeypatch, jobs):
    sources = deadly_among_good(tmp_path, moving_square)
    with decoder_that_dies(tmp_path, monkeypatch), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib says so too
        labelled = pseudo_label_many(sources, tmp_path / "pairs", settings=SMALL, jobs=jobs, progress=False)
    assert [clip.name for clip in labelled] == ["a", "b", "deadly", "c", "d"]
    assert [clip.pairs for clip in labelled] == [2, 2, 0, 2, 2]
    assert [bool(clip.error) for clip in labelled] == [False, False, True, False, False]
    assert "deadly: the process that labelled it died (exit code 77)" in labelled[2].error


# ------------------------------------------------------------------------------------------------- a cluster


@contextmanager
def cluster(**options):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, **options
    ) as local:
        yield local.scheduler_address


@pytest.mark.slow
def test_a_cluster_writes_what_one_process_does_even_if_its_workers_die(tmp_path, moving_square, monkeypatch):
    sources = deadly_among_good(tmp_path, moving_square)
    good = [source for source in sources if source.name != "deadly"]
    pseudo_label_many(good, tmp_path / "here", settings=SMALL, progress=False)
    with decoder_that_dies(tmp_path, monkeypatch), cluster() as address:
        labelled = pseudo_label_many(sources, tmp_path / "there", settings=SMALL, scheduler=address, progress=False)
    assert [clip.pairs for clip in labelled] == [2, 2, 0, 2, 2]
    assert "died (exit code 77)" in labelled[2].error
    here, there = (
        {p.relative_to(tmp_path / root): p.read_bytes() for p in (tmp_path / root).rglob("*.png")}
        for root in ("here", "there")
    )
    assert here == there
    assert len(here) == 4 * 2 * 2


def test_a_scheduler_that_is_not_there_is_named(tmp_path, moving_square, monkeypatch):
    distributed = pytest.importorskip("distributed")

    def nobody(address, timeout):
        raise OSError(f"timed out after {timeout} s")

    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(ValueError, match=r"No Dask scheduler answers at tcp://nowhere:1 .*dask scheduler"):
        pseudo_label_many([tmp_path / "a"], tmp_path / "pairs", scheduler="tcp://nowhere:1")


def test_clips_of_the_same_name_keep_apart(tmp_path, moving_square):
    for place in ("here", "there"):
        write_image(tmp_path / place / "01" / "1.png", moving_square[0])
    named = clips_of([tmp_path / "here" / "01", tmp_path / "there" / "01"])
    assert [clip.name for clip in named] == ["01", "01-2"]


def test_real_input_end_to_end(real_data, tmp_path):
    """CDnet's pedestrians: the labels of the faithful method, against the published ground truth."""
    from mpas_lite.evaluation.scores import evaluate

    frames = real_data / "cdnet_pedestrians" / "input"
    for number in range(401, 471):
        (tmp_path / "input").mkdir(exist_ok=True)
        (tmp_path / "input" / f"in{number:06d}.jpg").symlink_to(frames / f"in{number:06d}.jpg")
    result = pseudo_label(tmp_path / "input", tmp_path / "pairs", radius=6, name="cdnet", progress=False)
    assert result.pairs == 4
    score = evaluate(result.folder / "masks", real_data / "cdnet_pedestrians" / "groundtruth")
    assert score.frames == (401, 421, 441, 461)
    assert score.pooled > 0.15
