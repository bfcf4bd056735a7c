"""How fast every slider of the notebooks answers: ``python -m benchmarks.widgets``.

Each control goes through its values, the others rest where the notebook has them. One answer is all that happens
in the kernel after a control has moved, until line and picture have their new values.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import mpas_lite as mp
from benchmarks.measure import HEADER, Row
from mpas_lite.course.widgets.beyond import fusion_explorer, place_explorer, refinement_explorer
from mpas_lite.course.widgets.collectiveness import noise_explorer, outlier_explorer
from mpas_lite.course.widgets.explorer import Explorer
from mpas_lite.course.widgets.graph import reach_explorer, series_explorer
from mpas_lite.course.widgets.losses import imbalance_explorer
from mpas_lite.course.widgets.losses import noise_explorer as label_explorer
from mpas_lite.course.widgets.merging import merging_explorer
from mpas_lite.course.widgets.particles import particles_explorer
from mpas_lite.course.widgets.siamese import light_explorer, masks_explorer
from mpas_lite.course.widgets.walks import walk_explorer

LIMIT, USUAL = 150, 100  # ms: the worst answer, and the median


def explorers() -> dict[str, Callable[[], Explorer]]:
    """Each explorer of the course, over a bundled clip."""
    clip = mp.sample_path("street_flow")
    video = mp.read_video(clip)
    particles = next(p for p in mp.track(video) if p.frame == 40)
    _, frame = next(video.frames([40]))
    W = mp.crowd_graph(particles.position, particles.velocity, k=20)
    five = np.array([[0, 0], [2, 0.9], [0.6, 2.2], [4.3, 1.2], [5.6, 2.6]])
    their_W = mp.crowd_graph(five, np.array([[5, 0], [4, 3], [3, 4], [5, 0], [-4, 3]]), k=2)
    crossing = mp.sample_path("crossing")
    rng = np.random.default_rng(0)
    return {
        "01 particles": lambda: particles_explorer(mp.render_scene("marathon_bend", seed=3, frames=31)),
        "02 series": lambda: series_explorer(W[:30, :30], 20),
        "02 walks": lambda: walk_explorer(five, their_W, 1 / 4, 2, start=3, end=1, length=3),
        "02 reach": lambda: reach_explorer(frame, particles.position, W, 1 / 40, 20),
        "03 noise": noise_explorer,
        "03 outliers": lambda: outlier_explorer(frame, particles),
        "04 merging": lambda: merging_explorer(clip, truth=clip / "truth" / "crowd", index=20),
        "05 imbalance": imbalance_explorer,
        "05 wrong labels": label_explorer,
        "06 masks": lambda: masks_explorer(frame[::2, ::2], {step: rng.random((120, 160)) for step in range(7)}),
        "06 light": lambda: light_explorer({"net": mp.MPASNet("test_efficientnet").eval()}, frame[::2, ::2]),
        "07 place": place_explorer,
        "07 refinement": lambda: refinement_explorer(clip, clip / "truth" / "crowd", index=40),
        "07 fusion": lambda: fusion_explorer(mp.load("general"), crossing, crossing / "truth", index=40),
    }


def values(control: Any) -> list[Any]:
    """Up to nine values of a control, the ends among them."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if not hasattr(control, "max"):
        return [True, False]
    kind = type(control.value)
    return [kind(control.min + n / 8 * (control.max - control.min)) for n in range(9)]


def answers(explorer: Explorer) -> list[float]:
    """Milliseconds of each answer."""
    explorer.show()
    taken = []
    for control in explorer.controls.values():
        rest = control.value
        for value in values(control):
            if value == control.value:
                continue
            start = perf_counter()
            control.value = value
            taken.append(1000 * (perf_counter() - start))
        control.value = rest
    return taken


def rows(quick: bool) -> Iterator[Row]:
    """Median and worst answer of each explorer."""
    for name, make in explorers().items():
        explorer = make()
        taken = answers(explorer)
        control = f"{len(taken)} answers"
        yield Row(f"slider of {name}", control, f"{median(taken):.0f} ms", "", median(taken), USUAL, unit=" ms")
        yield Row(f"slider of {name}, worst", control, f"{max(taken):.0f} ms", "", max(taken), LIMIT, unit=" ms")
        if quick:
            return


def main() -> None:
    """Print a table: median and worst answer of each explorer."""
    print(HEADER)
    for row in rows(quick=False):
        print(row, flush=True)


if __name__ == "__main__":
    main()
