"""Clips that a table scores: each with its ground truth and the frames that count, the same for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpas_lite.evaluation.ground_truth import truth_folders, truth_of
from mpas_lite.evaluation.scores import score_masks
from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.video.arrays import Mask
from mpas_lite.video.clip import Clip, clips_of

Masks = Iterator[tuple[int, Mask]]


@dataclass(frozen=True)
class ScoredClip:
    """A clip with ground truth.

    Attributes
    ----------
    clip : Clip
    scene : str
        The scene of the table that it counts in.
    truth : dict from str to dict from int to Path
        Of each kind of ground truth the mask of each frame that has one.
    frames : tuple of int
        The frames that count.
    """

    clip: Clip
    scene: str
    truth: dict[str, dict[int, Path]]
    frames: tuple[int, ...]

    @property
    def name(self) -> str:
        """The clip's name."""
        return self.clip.name


def clips_by_scene(
    scenes: Mapping[str, Sequence[str | Path | Clip]] | Sequence[str | Path | Clip] | None,
) -> dict[str, list[Clip]]:
    """The clips of each scene, no two of one name; where no scenes are named, each clip is one."""
    if not isinstance(scenes, Mapping):
        return {clip.name: [clip] for clip in clips_of(scenes or ())}
    clips = iter(clips_of(source for sources in scenes.values() for source in sources))
    return {scene: [next(clips) for _ in sources] for scene, sources in scenes.items()}


def truths_of(clips: Iterable[Clip]) -> dict[Clip, dict[str, Path]]:
    """The folders of ground truth of each clip, by kind."""
    return {clip: truth_folders(clip.source, clip.truth) for clip in clips}


def scored_clip(clip: Clip, scene: str, folders: Mapping[str, Path], settings: ReproduceSettings) -> ScoredClip:
    """Read a clip's ground truth and choose frames from the middles of equal parts of it.

    The middles, as in a clip's first frame background subtraction has not seen a background yet.

    Raises
    ------
    FileNotFoundError, ValueError
        If the clip cannot be read, or no frame can be scored.
    """
    video = clip.video()
    if not folders:
        raise ValueError(
            f"{clip.source} has no ground truth beside it: masks in truth, truth/crowd, truth/person or (CDnet) "
            "groundtruth."
        )
    last = video.frame_indices()[-1] - settings.label.interval  # motion is seen over the frames that follow
    truth = {kind: truth_of(video, folder) for kind, folder in folders.items()}
    both = set.intersection(*map(set, truth.values()))
    frames = sorted(index for index in both if index <= last)
    if not frames:
        raise ValueError(f"{clip.source} has no frame with ground truth that {settings.label.interval} frames follow.")
    count = min(settings.score_frames, len(frames))
    chosen = tuple(frames[(2 * part + 1) * len(frames) // (2 * count)] for part in range(count))
    return ScoredClip(clip, scene, truth, chosen)


def score_clip(clip: ScoredClip, method: Callable[[ScoredClip], Masks]) -> dict[str, float]:
    """IoU of a method's masks against each kind of truth.

    Raises
    ------
    ValueError
        If the clip ends before the last of its frames that count.
    """
    masks = list(method(clip))
    if len(masks) < len(clip.frames):
        raise ValueError(f"{clip.clip.video().source} ends before its frame {clip.frames[len(masks)]}: it is cut off.")
    return {kind: score_masks(masks, truth, name=f"{clip.name} ({kind})").pooled for kind, truth in clip.truth.items()}
