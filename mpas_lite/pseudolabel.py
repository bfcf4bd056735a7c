"""Labels without a labeller: a video in, pairs of (frame, pseudo-label) out, on disk.

This is where the first half of the method comes together (Section 3.1 of the paper)::

    window of frames -> particles -> crowd graph -> collective merging -> circular region merging

The pairs can be looked at with any image viewer::

    pairs/<clip>/frames/000020.png      the kept frame
    pairs/<clip>/masks/000020.png       its pseudo-label, 0 or 255
    pairs/<clip>/manifest.json          where they come from, with every parameter
    pairs/<clip>/frames.json            the name that each kept frame has in the source
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from mpas_lite.collectiveness import collective_merging
from mpas_lite.crm import circular_region_merging
from mpas_lite.files import read_image, read_json, write_image, write_json
from mpas_lite.graph import crowd_graph
from mpas_lite.tracking import Particles, particles_of_window, windows
from mpas_lite.video import Video, read_video


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

    ``error`` is the sentence that says why a clip could not be labelled; None where all went well.
    """

    name: str
    folder: Path
    pairs: int = 0
    empty: int = 0
    error: str | None = None


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
    folder = Path(out) / (name or video.name)
    manifest = {
        "source": video.source,
        "fps": video.fps,
        "shape": list(video.shape),
        "settings": asdict(settings),
    }
    _check_same(folder / "manifest.json", manifest)
    write_json(folder / "manifest.json", manifest)
    names: dict[str, str] = {}
    empty = 0
    total = max(0, len(video) - settings.interval - 1) // settings.every + 1
    steps = windows(video, every=settings.every, interval=settings.interval)
    for index, frames in tqdm(steps, f"label {video.name}", total, unit="frame", disable=not progress):
        frame_path, mask_path = (folder / kind / f"{index:06d}.png" for kind in ("frames", "masks"))
        if frame_path.exists() and mask_path.exists():
            mask = read_image(mask_path, grey=True) > 0
        else:
            mask = label_window(index, frames, settings).mask
            write_image(mask_path, mask)
            write_image(frame_path, frames[0])  # last: a pair without its frame is not yet one
        names[f"{index:06d}"] = video.frame_name(index)
        empty += not mask.any()
    write_json(folder / "frames.json", names)
    write_json(folder / "manifest.json", {**manifest, "pairs": len(names), "empty": empty})
    if empty == len(names):
        warnings.warn(
            f"{video.source}: nothing moves together in any of the {len(names)} kept frames; all labels are empty. "
            "Is the crowd standing still, or slower than min_speed?",
            stacklevel=2,
        )
    return Labelled(folder.name, folder, len(names), empty)


def _check_same(path: Path, manifest: dict) -> None:
    """Refuse to mix pairs of different origin in one folder."""
    if not path.exists():
        return
    before = read_json(path)
    then, now = before.get("settings", {}), manifest["settings"]
    changed = [f"{key} {then.get(key)} -> {now[key]}" for key in now if then.get(key) != now[key]]
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
    progress: bool = True,
) -> list[Labelled]:
    """Label many clips, in ``jobs`` processes; one bad clip is reported and does not end the run.

    Parameters
    ----------
    sources : paths
        Clips of the same name get ``-2``, ``-3``, ... behind it.
    out, settings, progress
        See :func:`pseudo_label`.
    jobs : int
        Processes at a time (joblib); -1 for one a core.

    Returns
    -------
    list of Labelled
        In the order of the sources; where ``error`` is not None the clip has no, or not all, pairs.
    """
    named = name_clips(sources)
    alone = len(named) == 1 or jobs == 1
    work = (delayed(_label_or_say_why)(source, out, settings, name, progress and alone) for name, source in named)
    results = Parallel(n_jobs=jobs, return_as="generator")(work)
    return list(tqdm(results, "label", len(named), unit="clip", disable=not progress or len(named) == 1))


def name_clips(sources: Iterable[str | Path]) -> list[tuple[str, str | Path]]:
    """A name of its own for every source: the clip's, with ``-2``, ``-3``, ... where it is taken.

    A source that cannot be read is named by its path; reading it later says what is wrong.
    """
    taken: set[str] = set()
    named = []
    for source in sources:
        try:
            clip = read_video(source).name
        except (ValueError, OSError):
            clip = Path(source).stem or "clip"
        name, number = clip, 2
        while name in taken:
            name, number = f"{clip}-{number}", number + 1
        taken.add(name)
        named.append((name, source))
    return named


def _label_or_say_why(
    source: str | Path, out: str | Path, settings: LabelSettings | None, name: str, progress: bool
) -> Labelled:
    try:
        return pseudo_label(source, out, settings=settings, name=name, progress=progress)
    except (
        ValueError,
        FileNotFoundError,
    ) as error:  # a full disk ends the run: no other clip would fare better
        return Labelled(name, Path(out) / name, error=str(error))
