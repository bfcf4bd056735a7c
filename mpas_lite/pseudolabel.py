"""Labels without a labeller: a video in, pairs of (frame, pseudo-label) out, on disk.

This is where the first half of the method comes together (section 2.2 of the paper)::

    window of frames -> particles -> crowd graph -> collective merging -> circular region merging

The pairs can be looked at with any image viewer::

    pairs/<clip>/frames/000020.png      the kept frame
    pairs/<clip>/masks/000020.png       its pseudo-label, 0 or 255
    pairs/<clip>/manifest.json          where they come from, with every parameter
    pairs/<clip>/frames.json            the name that each kept frame has in the source

With ``LabelSettings(refine=Refinement())`` the labels go beyond the paper (see ``refine``); the paper's then lie
beside them in ``circles/``, and with ``Refinement(doubt=True)`` the pixels that a label is sure of in ``valid/``.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from array import array
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs, parallel_config
from joblib.externals.loky import get_reusable_executor
from tqdm.auto import tqdm

from mpas_lite.children import be_a_child, python_command
from mpas_lite.collectiveness import collective_merging
from mpas_lite.crm import circular_region_merging
from mpas_lite.files import changes, is_full, read_json, write_json, write_names
from mpas_lite.graph import crowd_graph
from mpas_lite.images import read_image, write_image
from mpas_lite.ledger import output_folder
from mpas_lite.outputs import check_apart, own_names, safe_name
from mpas_lite.refine import Refinement, Spread, refine_clip, working_scale
from mpas_lite.spill import Spill
from mpas_lite.tracking import Particles, particles_of_window, windows
from mpas_lite.video import Video, clip_name, read_video, source_paths
from mpas_lite.writing import in_background

_MANIFEST = {
    "type": "object",
    "required": ["source", "settings"],
    "properties": {
        "source": {"type": "string"},
        "settings": {"type": "object"},
        "pairs": {"type": "integer", "minimum": 0},
        "empty": {"type": "integer", "minimum": 0},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
_NAMES = {"type": "object", "propertyNames": {"pattern": "^[0-9]{1,12}$"}, "additionalProperties": {"type": "string"}}


@dataclass(frozen=True)
class LabelSettings:
    """Every parameter of the way from frames to pseudo-labels; the defaults are the paper's where it names one.

    Attributes
    ----------
    every : int
        One frame in so many is kept (paper: 20).
    interval, max_corners, quality, min_distance, min_speed, max_drift
        Of the particles, see :func:`mpas_lite.track`. The paper names none of them.
    k : int
        Neighbours in the crowd graph, K (paper: 20).
    z : float, optional
        Damping of Eq. 3; 1/(2K) if not given (Zhou et al.'s choice; the paper: 0 < z < 1/K).
    threshold : float
        Of collective merging, in units of kappa (paper: 0.6).
    min_size : int
        Groups of fewer particles are outliers (10 in Zhou et al.'s code).
    radius : float
        Of the circles in px, or below 1 as a fraction of the frame's height (paper: 20 px).
    refine : Refinement, optional
        Beyond the paper: labels that use the still camera too. None: the paper's circles.
    """

    every: int = 20
    interval: int = 5
    max_corners: int = 3000
    quality: float = 0.01
    min_distance: float = 3.0
    min_speed: float = 0.2
    max_drift: float = 1.0
    k: int = 20
    z: float | None = None
    threshold: float = 0.6
    min_size: int = 10
    radius: float = 20.0
    refine: Refinement | None = None


@dataclass(frozen=True)
class LabelledFrame:
    """One kept frame and what was found in it.

    Attributes
    ----------
    index : int
        0-based index in the video.
    frame : (H, W, 3) uint8 RGB
    particles : Particles
    labels : (N,) int
        Group of each particle, 0 for outliers.
    mask : (H, W) bool
        The pseudo-label.
    """

    index: int
    frame: np.ndarray
    particles: Particles
    labels: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Labelled:
    """What labelling a clip came to: its folder, and how many of its pairs have a crowd in them.

    ``error`` is the sentence that says why a clip could not be labelled; None where all went well. ``notes``
    are the warnings of a clip that was labelled in another process.
    """

    name: str
    folder: Path
    pairs: int = 0
    empty: int = 0
    error: str | None = None
    notes: tuple[str, ...] = ()


def label_particles(
    particles: Particles, shape: tuple[int, int], settings: LabelSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Crowd graph, collective merging and circular region merging of one frame's particles.

    Returns
    -------
    labels : (N,) int
        Group of each particle, 0 for outliers.
    mask : (H, W) bool
        The pseudo-label: discs around all particles that belong to a group.
    """
    W = crowd_graph(particles.position, particles.velocity, settings.k)
    labels = collective_merging(W, settings.z, threshold=settings.threshold, min_size=settings.min_size)
    return labels, circular_region_merging(particles.position[labels > 0], settings.radius, shape)


def label_frames(video: Video | str, settings: LabelSettings | None = None) -> Iterator[LabelledFrame]:
    """Pseudo-labels of a video's kept frames, one after the other, in memory.

    Parameters
    ----------
    video : Video, or anything :func:`mpas_lite.read_video` takes
    settings : LabelSettings, optional
    """
    settings = settings or LabelSettings()
    video = read_video(video)
    for index, frames in windows(video, every=settings.every, interval=settings.interval):
        yield label_window(index, frames, settings)


def label_window(index: int, frames: list[np.ndarray], settings: LabelSettings) -> LabelledFrame:
    """Pseudo-label of the first of some consecutive frames, (H, W, 3) uint8 RGB."""
    particles = particles_of_window(
        frames,
        index,
        max_corners=settings.max_corners,
        quality=settings.quality,
        min_distance=settings.min_distance,
        min_speed=settings.min_speed,
        max_drift=settings.max_drift,
    )
    labels, mask = label_particles(particles, frames[0].shape[:2], settings)
    return LabelledFrame(index, frames[0], particles, labels, mask)


def pseudo_label(
    source: Video | str | Path | np.ndarray,
    out: str | Path,
    *,
    settings: LabelSettings | None = None,
    name: str | None = None,
    progress: bool = True,
    **changes: float | None,
) -> Labelled:
    """Label a video by its motion and write the pairs to ``out/<clip>/``.

    Pairs that are there already, made with the same settings, are kept: an interrupted run goes on where it
    stopped.

    Parameters
    ----------
    source : anything :func:`mpas_lite.read_video` takes
    out : path
        The folder of pairs; the clip becomes a folder in it.
    settings : LabelSettings, optional
    name : str, optional
        Name of the clip; by default the source's.
    progress : bool
        Show a progress bar.
    **changes
        Single settings by name, as in ``pseudo_label(video, "pairs", every=5, radius=8)``.

    Returns
    -------
    Labelled

    Raises
    ------
    ValueError
        If the source cannot be read, is too short, or the folder holds pairs of another source or made with
        other settings.

    Warns
    -----
    UserWarning
        If nothing moves together in any kept frame, so that all labels are empty.
    """
    settings = replace(settings or LabelSettings(), **changes)  # type: ignore[arg-type]
    video = read_video(source, name=name)
    folder = Path(out) / safe_name(name or video.name)
    check_apart([folder], source_paths(video))
    with output_folder(folder, alone=False):
        return _label_into(folder, video, settings, progress)


def _label_into(folder: Path, video: Video, settings: LabelSettings, progress: bool) -> Labelled:
    manifest = {
        "source": video.source,
        "fps": video.fps,
        "shape": list(video.shape),
        "settings": asdict(settings),
    }
    _check_same(folder / "manifest.json", manifest)
    if not (folder / "manifest.json").exists():
        write_json(folder / "manifest.json", manifest)
    label = _label_by_circles if settings.refine is None else _label_refined
    kept, empty, notes = label(video, folder, settings, progress)
    write_names(folder / "frames.json", ((index, video.frame_name(index)) for index in kept))
    write_json(folder / "manifest.json", {**manifest, "pairs": len(kept), "empty": empty, "notes": notes})
    for note in notes:
        warnings.warn(f"{video.source}: {note}", stacklevel=3)
    if empty == len(kept):
        warnings.warn(
            f"{video.source}: nothing moves together in any of the {len(kept)} kept frames; all labels are empty. "
            "Is the crowd standing still, or slower than min_speed?",
            stacklevel=3,
        )
    return Labelled(folder.name, folder, len(kept), empty)


def _label_by_circles(
    video: Video, folder: Path, settings: LabelSettings, progress: bool
) -> tuple[array[int], int, list[str]]:
    """Write the paper's labels, frame by frame; return the kept frames, how many labels are empty, and no notes."""
    done = frame_indices_in(folder / "masks") & frame_indices_in(folder / "frames")
    kept = array("q", done)
    empty = _count_empty(folder, done)
    with in_background() as write:
        for index, frames in _windows(video, settings, progress, done):
            mask = label_window(index, frames, settings).mask
            write(write_image, _file(folder, "masks", index), mask)
            write(write_image, _file(folder, "frames", index), frames[0])  # last: without its frame it is no pair yet
            kept.append(index)
            empty += not mask.any()
    return array("q", sorted(kept)), empty, []


def _label_refined(
    video: Video, folder: Path, settings: LabelSettings, progress: bool
) -> tuple[array[int], int, list[str]]:
    """Write the paper's labels to ``circles/`` and the refined ones, which take a whole clip, to ``masks/``.

    A clip that was interrupted is labelled anew.
    """
    if (folder / "frames.json").exists():
        kept = array("q", map(int, read_json(folder / "frames.json", _NAMES)))
        if all(_file(folder, kind, index).exists() for kind in ("frames", "masks") for index in kept):
            manifest = read_json(folder / "manifest.json", _MANIFEST)
            return kept, _count_empty(folder, kept), manifest.get("notes", [])
    found: Spill[tuple[Particles, np.ndarray]] = Spill()
    starts, both = Spread(), Spread()  # of windows, and both their ends
    kept = array("q")
    with in_background() as write:
        for index, frames in _windows(video, settings, progress):
            one = label_window(index, frames, settings)
            write(write_image, _file(folder, "frames", index), one.frame)
            write(write_image, _file(folder, "circles", index), one.mask)
            found.append((one.particles, one.labels))
            kept.append(index)
            starts.add(frames[0])
            for frame in frames[:: settings.interval]:
                both.add(frame)
    least = kept[-1] + settings.interval + 1  # frames, as many as were seen; the file's own count may be wrong
    length = len(video) if least <= len(video) < least + settings.every else least
    short = length < 16 * settings.every  # then both ends of a window serve to tell the background
    survey, refined = refine_clip(
        ((index, read_image(_file(folder, "frames", index))) for index in kept),
        found,
        both.frames if short else starts.frames,
        radius=settings.radius,
        scale=working_scale(video.shape),
        settings=settings.refine,
    )
    empty = 0
    with in_background() as write:
        for label in refined:
            if settings.refine and settings.refine.doubt:
                write(write_image, _file(folder, "valid", label.index), label.valid)
            write(write_image, _file(folder, "masks", label.index), label.mask)
            empty += not label.mask.any()
    return kept, empty, list(survey.notes)


def frame_indices_in(folder: Path) -> set[int]:
    """Indices of the frames whose picture stands in a folder, ``NNNNNN.png`` each; other names are not ours."""
    names = (path.stem for path in folder.glob("*.png") if path.stem.isdecimal())
    return {int(name) for name in names if name == f"{int(name):06d}"}


def _file(folder: Path, kind: str, index: int) -> Path:
    """Where the picture of that kind of a kept frame stands."""
    return folder / kind / f"{index:06d}.png"


def _count_empty(folder: Path, indices: Iterable[int]) -> int:
    """How many of the labels that are there have no crowd in them."""
    return sum(not read_image(_file(folder, "masks", index), grey=True).any() for index in indices)


def _windows(
    video: Video, settings: LabelSettings, progress: bool, done: Iterable[int] = ()
) -> Iterator[tuple[int, list[np.ndarray]]]:
    """The windows of the kept frames that are not done, with a progress bar."""
    total = max(0, len(video) - settings.interval - 1) // settings.every + 1
    skip = frozenset(done)
    steps = windows(video, every=settings.every, interval=settings.interval, skip=skip)
    bar = tqdm(steps, f"label {video.name}", total, initial=len(skip), unit="frame", disable=not progress)
    yield from bar


def _check_same(path: Path, manifest: dict) -> None:
    """Refuse to mix pairs of different origin in one folder."""
    if not path.exists():
        if any(True for kind in ("frames", "masks") for _ in (path.parent / kind).glob("*.png")):
            raise ValueError(
                f"{path.parent} holds frames or masks that mpas_lite did not write. Choose another folder."
            )
        return
    before = read_json(path, _MANIFEST)
    then, now = before["settings"], manifest["settings"]
    changed = changes({name: then.get(name) for name in now}, now)
    if before.get("source") != manifest["source"]:
        changed.append(f"source {before.get('source')} -> {manifest['source']}")
    if changed:
        raise ValueError(
            f"{path.parent} holds pairs made otherwise ({'; '.join(changed)}). "
            "Choose another folder, or delete that one first."
        )


def pseudo_label_many(
    sources: Iterable[str | Path],
    out: str | Path,
    *,
    settings: LabelSettings | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    taken: Iterable[str] = (),
    progress: bool = True,
) -> list[Labelled]:
    """Label many clips, in processes of their own; one bad clip is reported and does not end the run.

    Not even a file so damaged that it takes its process with it (decoders do die of such) ends the run.

    Parameters
    ----------
    sources : paths
        Clips of the same name get ``-2``, ``-3``, ... behind it.
    out, settings, progress
        See :func:`pseudo_label`.
    jobs : int
        Processes at a time (joblib); -1 for one a core. The cores are shared out among them.
    scheduler : str, optional
        Address of a Dask scheduler, as ``tcp://10.0.0.1:8786``: its workers label the clips, each core one at
        a time, and ``jobs`` does not count. They must see sources and ``out`` under the same paths. Needs
        ``pip install "mpas_lite[dask]"``.
    taken : names
        No clip gets such a name.

    Returns
    -------
    list of Labelled
        In the order of the sources; where ``error`` is not None the clip has no, or not all, pairs.

    Raises
    ------
    ValueError
        If no scheduler answers at that address, Dask is not installed, or pairs would be written where something is
        read.
    OSError
        If the disk is full: no other clip would fare better.
    """
    if jobs == 0 or jobs < -1:
        raise ValueError(f"jobs={jobs}: give a number of processes, or -1 for one a core.")
    named = name_clips(sources, taken)
    check_apart((Path(out) / name for name, _ in named), paths_read(source for _, source in named))
    if len(named) == 1 and scheduler is None:
        return [_label_or_say_why(named[0][1], out, settings, named[0][0], progress, threads=None)]
    jobs = min(effective_n_jobs(jobs), len(named))
    alone = jobs == 1 and scheduler is None
    threads = max(1, cpu_count() // jobs) if scheduler is None else 1
    tasks = [(source, out, settings, name, progress and alone, threads) for name, source in named]
    labelled: dict[int, Labelled] = {}
    with _workers(jobs, threads, scheduler):
        results = _label_all(tasks, alone, apart=scheduler is not None)
        try:
            for number, result in tqdm(results, "label", len(named), unit="clip", disable=not progress):
                labelled[number] = result
                for note in result.notes:
                    warnings.warn(note, stacklevel=2)
        except KeyboardInterrupt:
            if scheduler is None:
                get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
    return [labelled[number] for number in range(len(named))]


@contextmanager
def _workers(jobs: int, threads: int, scheduler: str | None) -> Iterator[None]:
    """Where joblib's tasks go: processes of this machine, or a Dask cluster."""
    if scheduler is None:
        # Two processes at least, as joblib would take one to mean this very process.
        here: AbstractContextManager = parallel_config(
            "loky",
            n_jobs=max(jobs, 2),
            inner_max_num_threads=threads,
            initializer=be_a_child,
            initargs=(os.getpid(),),
        )
        with here:
            yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError('A Dask scheduler needs Dask: pip install "mpas_lite[dask]"') from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"No Dask scheduler answers at {scheduler} ({error}). Start one with `dask scheduler`."
        ) from None
    with client, parallel_config("dask"):
        yield


def _label_all(tasks: list[tuple], alone: bool, apart: bool) -> Iterator[tuple[int, Labelled]]:
    """Number and result of each task, as they come; ``alone``: one at a time.

    Processes label one clip after the other. If one of them dies, nobody knows of which clip: those that are
    left are then labelled ``apart``, in a process each, which costs the better part of a second and names the
    one that kills it. On a cluster all are: the death of a Dask worker takes the results with it that it holds.
    """
    left = dict(enumerate(tasks))
    dispatch = 1 if alone else "2 * n_jobs"
    while left:
        work = [delayed(_numbered)(number, task, apart) for number, task in left.items()]
        try:
            for number, result in Parallel(batch_size=1, pre_dispatch=dispatch, return_as="generator_unordered")(work):
                del left[number]
                yield number, result
        except BrokenProcessPool:
            if apart:
                raise
            apart = True


def _numbered(number: int, task: tuple, apart: bool) -> tuple[int, Labelled]:
    return number, _label_apart(task) if apart else _label_aside(*task)


def _label_apart(task: tuple) -> Labelled:
    """Label a clip in a process that may die of it."""
    serve = f"from mpas_lite import pseudolabel; pseudolabel._serve({os.getpid()})"
    child = subprocess.run(python_command(serve), input=pickle.dumps(task), stdout=subprocess.PIPE)
    if child.returncode == 0:
        answer = pickle.loads(child.stdout)
        if isinstance(answer, Labelled):
            return answer
        raise answer
    source, out, _, name, *_ = task
    why = f"{source}: the process that labelled it died (exit code {child.returncode}). The file is probably damaged."
    return Labelled(name, Path(out) / name, error=why)


def _serve(parent: int) -> None:
    """The other end of `_label_apart`: a task comes in, a result or a full disk's OSError goes out."""
    answer: Labelled | OSError
    be_a_child(parent)
    try:
        answer = _label_aside(*pickle.load(sys.stdin.buffer))
    except OSError as error:
        answer = error
    pickle.dump(answer, sys.stdout.buffer)


def _label_aside(*task: object) -> Labelled:
    """Label a clip in a process whose warnings nobody would see."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        labelled = _label_or_say_why(*task)  # type: ignore[arg-type]
    return replace(labelled, notes=tuple(str(w.message) for w in caught if w.category is UserWarning))


def name_clips(sources: Iterable[str | Path], taken: Iterable[str] = ()) -> list[tuple[str, str | Path]]:
    """A name of its own for every source: the clip's as one file name, with ``-2``, ``-3``, ... where it is taken.

    Nothing is decoded here. A source that is not there is named by its path; reading it later says what is wrong.
    """
    sources = list(sources)
    return list(zip(own_names(map(_name_of, sources), taken), sources, strict=True))


def _name_of(source: str | Path) -> str:
    try:
        return clip_name(source)
    except (ValueError, OSError):
        return Path(source).stem or "clip"


def paths_read(sources: Iterable[str | Path]) -> Iterator[Path]:
    """The files and folders that reading these sources touches; of one that cannot be read, the path itself."""
    for source in sources:
        try:
            yield from source_paths(source)
        except (ValueError, OSError):
            yield Path(source)


def _label_or_say_why(
    source: str | Path, out: str | Path, settings: LabelSettings | None, name: str, progress: bool, threads: int | None
) -> Labelled:
    """Label a clip with so many threads (None: as they are), or say why it cannot be done."""
    if threads is not None:
        cv2.setNumThreads(threads)
    error: str
    try:
        return pseudo_label(source, out, settings=settings, name=name, progress=progress)
    except OSError as problem:
        if is_full(problem):  # no other clip would fare better
            raise
        error = str(problem)
    except ValueError as problem:
        error = str(problem)
    except MemoryError:
        error = f"{source}: labelling it takes more memory than there is."
    except Exception as problem:  # one clip never ends a run over many
        error = f"{source} cannot be labelled ({type(problem).__name__}: {' '.join(str(problem).split())[:200]})."
    return Labelled(name, Path(out) / name, error=error)
