"""The label of a frame: particles, their graph, the crowds among them, circles around those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mpas_lite.crowd.graph import crowd_graph
from mpas_lite.crowd.merging import collective_merging
from mpas_lite.labels.circles import circular_region_merging
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.motion.klt import Particles, particles_of_window, windows
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.reader import read_video
from mpas_lite.video.video import Video


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
    frame: Frame
    particles: Particles
    labels: np.ndarray
    mask: Mask


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
    video : Video, str, Path or array
        What :func:`mpas_lite.read_video` takes.
    settings : LabelSettings, optional
    """
    settings = settings or LabelSettings()
    video = read_video(video)
    for index, frames in windows(video, every=settings.every, interval=settings.interval):
        yield label_window(index, frames, settings)


def label_window(index: int, frames: list[Frame], settings: LabelSettings) -> LabelledFrame:
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
