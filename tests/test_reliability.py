"""The campaigns of benchmarks/RELIABILITY.md in small, and readers that get whatever hypothesis thinks of."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mpas_lite.evaluation.labelme import labelme_mask
from mpas_lite.files.atomic import read_json
from mpas_lite.motion.tracklets import read_tracklets
from mpas_lite.options import options_of, parse_changes
from mpas_lite.training.config import TrainingConfig, read_config
from mpas_lite.training.records import read_log
from tests.helpers import ROOT

if not (ROOT / "benchmarks").is_dir() or not sys.platform.startswith("linux"):
    pytest.skip("the campaigns run in a source tree, on Linux", allow_module_level=True)
sys.path.insert(0, str(ROOT))
from benchmarks import fuzz, kill, mutants
from benchmarks.kinds import KINDS

pytestmark = pytest.mark.slow

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def campaign(name: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT, errors="replace")


# ------------------------------------------------------------------------------------------- the campaigns


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole inputs of every kind."""
    folder = tmp_path_factory.mktemp("seeds") / "seeds"
    done = campaign("inputs", folder)
    assert done.returncode == 0, done.stderr
    return folder


GROUPS = [[*KINDS][start::4] for start in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize("kinds", GROUPS, ids=[", ".join(kinds) for kinds in GROUPS])
def test_half_a_minute_of_damaged_inputs_ends_in_sentences(seeds: Path, kinds: list[str]) -> None:
    only = [word for kind in kinds for word in ("--only", kind)]
    done = campaign("fuzz", "--seeds", seeds, "--inputs", 10**6, "--seconds", 30, *only)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    for kind in kinds:
        assert f"| {kind} | " in done.stdout


@pytest.mark.slow
def test_killed_commands_end_as_undisturbed_ones() -> None:
    done = campaign("kill", "--moments", 5, "--only", "label --refine", "--only", "label, 3 clips, --jobs 2")
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"


@pytest.mark.slow
def test_a_collection_with_damaged_clips_is_labelled_but_for_those() -> None:
    done = campaign("collection", "--clips", 20)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"


# ------------------------------------------------------------------------------- do the campaigns see anything?


def test_equal_seeds_make_equal_damage_and_others_other(tmp_path: Path) -> None:
    data, others = json.dumps({"a": [1, 2, {"b": None}], "c": "x" * 50}).encode(), [b"one", b"two" * 50]
    for mutate in (mutants.damaged, mutants.json_text, mutants.table_text):
        many = [[mutate(random.Random(f"{seed} {n}"), data, others) for n in range(60)] for seed in (1, 1, 2)]
        assert many[0] == many[1] != many[2]
        assert len(set(many[0])) > 40


def test_the_fuzzer_notices_what_must_not_be(tmp_path: Path) -> None:
    def judged(said: str = "", *written: str, words: str = "label in/a --out out") -> list[str]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        (folder / "in").mkdir(parents=True)
        (folder / "in" / "a").write_text("a")
        (folder / "said").write_text(said)
        trial = fuzz.Trial("video", 0, folder, words.split(), False, fuzz.digests(folder / "in"))
        for name in written:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("new")
        fuzz.judge(trial)
        return trial.wrong

    assert judged("mpas-lite: a sentence.", "out/masks/1.png") == []
    assert judged("Traceback (most recent call last):\n...") == ["traceback"]
    assert judged("mpas-lite: Something went wrong that should not have (KeyError: 'a').") == ["traceback"]
    assert judged("", "in/a") == ["changed"]
    assert judged("", "masks/1.png") == judged("", "in/b") == judged("", "out/.partial-1") == ["outside or left over"]
    assert judged("", "in/new/b", words="label in/a --out in/new") == []


@pytest.mark.parametrize(
    ("child", "wrong"),
    [
        ("os.kill(os.getpid(), 11)", ["death"]),
        ("os._exit(3)", ["other exit code"]),
        ("b'x' * 300_000_000; os._exit(2)", ["over 0.25 GB"]),
        ("time.sleep(60)", ["hang"]),
        ("os._exit(2)", []),
    ],
)
def test_the_fuzzer_notices_how_a_process_ends(tmp_path: Path, child: str, wrong: list[str]) -> None:
    patience = 2.0 if wrong == ["hang"] else 60.0  # a busy machine starts slowly
    code = f"""
import json, subprocess, sys, time
from pathlib import Path
from benchmarks import fuzz

fuzz.PATIENCE, fuzz.MEMORY = {patience}, 0.25
fuzz.WRONG = ("traceback", "hang", "death", "over 0.25 GB", "other exit code")
process = subprocess.Popen([sys.executable, "-c", {f"import os, time; {child}"!r}], start_new_session=True)
trial = fuzz.Trial("video", 0, Path({str(tmp_path)!r}), [], False, process=process.pid, start=time.monotonic())
while not fuzz.has_ended(trial):
    time.sleep(0.01)
process.returncode = 0  # it has been waited for
print(json.dumps(trial.wrong))
"""  # in a process of its own: Linux counts what this one takes as taken by those that it starts
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT)
    assert json.loads(done.stdout) == wrong, done.stderr


def test_the_kill_test_notices_what_differs(tmp_path: Path) -> None:
    def folder(name: str, **files: bytes) -> Path:
        for file, content in files.items():
            (tmp_path / name / "masks").mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "masks" / file).write_bytes(content)
        return tmp_path / name

    whole = folder("whole", a=b"1", b=b"2")
    assert kill.compare(whole, folder("same", a=b"1", b=b"2"), {}) == Counter()
    assert kill.compare(whole, folder("other", a=b"1", b=b"3"), {}) == Counter({"files differ": 1})
    assert kill.compare(whole, folder("missing", a=b"1"), {"overlay.mp4": 3}) == Counter(
        {"files differ": 1, "films": 1}
    )
    left = folder("left", **{"a": b"1", "b": b"2", ".partial-3": b""})
    assert kill.compare(whole, left, {}) == Counter({".partial": 1})


# ------------------------------------------------------------------------------------------- readers, in process

anything = st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
often = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@often
@given(data=anything)
@example(data="²,1,2,3\n".encode())
@example(data=b"\xff\xfe")
def test_no_reader_of_text_is_surprised_by_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    for read in (read_tracklets, read_log, read_config, read_json, labelme_mask):
        try:
            read(path)
        except ValueError as error:  # JSON of any form is JSON
            assert str(path) in str(error), read  # noqa: PT017


@often
@given(number=st.integers(-5, 10**7), points=st.lists(st.tuples(*[st.integers(-(10**7), 10**7)] * 3), max_size=4))
def test_tracklets_are_read_as_they_stand_or_refused(
    tmp_path: Path, number: int, points: list[tuple[int, int, int]]
) -> None:
    path = tmp_path / "klt_3000_10_trk.txt"
    path.write_text(f"{number}\t{''.join(f'({x},{y},{t})' for x, y, t in points)}\n")
    try:
        (found,) = read_tracklets(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert found.start == points[0][2] - 1
        np.testing.assert_array_equal(found.position, [point[:2] for point in points])


@often
@given(name=st.sampled_from([*options_of(TrainingConfig), "x", ""]), value=st.text(max_size=30))
def test_settings_are_taken_or_refused_by_name(name: str, value: str) -> None:
    try:
        config = read_config(changes=parse_changes([f"{name}={value}"]))
    except ValueError as error:
        assert name in str(error)  # noqa: PT017
    else:
        assert name in options_of(TrainingConfig)
        assert read_config(changes={name: getattr(config, name)}) == config


@often
@given(content=st.fixed_dictionaries({}, optional={
    "shapes": st.one_of(values, st.lists(st.fixed_dictionaries({"label": st.text(max_size=5)}, optional={
        "shape_type": st.one_of(values, st.sampled_from(["polygon", "rectangle", "circle", "mask", "point"])),
        "points": st.one_of(values, st.lists(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2), max_size=5)),
        "mask": values,
    }), max_size=3)),
    "imageHeight": st.one_of(values, st.integers(1, 100)), "imageWidth": st.one_of(values, st.integers(1, 100)),
}))  # fmt: skip
def test_a_labelme_file_is_a_mask_or_refused(tmp_path: Path, content: dict) -> None:
    path = tmp_path / "000001.json"
    path.write_text(json.dumps(content))
    try:
        mask = labelme_mask(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert mask.dtype == bool
        assert mask.shape == (content["imageHeight"], content["imageWidth"])
