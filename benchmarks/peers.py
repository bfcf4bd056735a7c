"""Beside the best background subtraction: ``python -m benchmarks.peers CLIP TRUTH [--masks NAME=FOLDER ...]``.

Each method sees the whole clip twice, as it comes; raw and closed (as `mog2_masks` closes), first and second pass, its
person IoU over all pixels of all frames with truth stands in a row. Ours are masks that were made before, of the frames
that they are of: those of `mpas-lite label` or `mpas-lite run`.

MOG2 and KNN are OpenCV's. SuBSENSE, PAWCS, LOBSTER and ViBe are pybgs's, which is no dependency of ours: with Debian's
``libopencv-dev`` and ``cmake``, ``pip install pybgs`` builds it in some ten minutes. Without it they are left out.
``--methods ViBe LOBSTER`` runs these alone.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from mpas_lite.evaluation.background_subtraction import close_mask
from mpas_lite.evaluation.ground_truth import read_ground_truth, truth_of
from mpas_lite.evaluation.scores import evaluate
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.reader import read_video

Subtractor = Callable[[Frame], Mask]
OPENCV: dict[str, Callable[[], object]] = {
    "MOG2": lambda: cv2.createBackgroundSubtractorMOG2(500, 16, True),
    "KNN": lambda: cv2.createBackgroundSubtractorKNN(500, 400, True),
}
PYBGS = ("SuBSENSE", "PAWCS", "LOBSTER", "ViBe")


def subtractors(names: Sequence[str]) -> dict[str, Callable[[], object]]:
    """What makes each of these methods anew: OpenCV's, and pybgs's where it is there."""
    makers = {name: OPENCV[name] for name in names if name in OPENCV}
    others = [name for name in names if name in PYBGS]
    if not others:
        return makers
    try:
        pybgs = importlib.import_module("pybgs")
    except ImportError:
        print(f"pybgs is not installed: {', '.join(others)} left out.", file=sys.stderr)
        return makers
    return makers | {name: getattr(pybgs, name) for name in others}


def scores(make: Callable[[], object], clip: Path, truth: dict[int, Path]) -> list[float]:
    """IoU of a method: first pass raw, closed, second pass raw, closed."""
    found = []
    with in_scratch_folder():
        method = make()
        for _ in range(2):
            overlap = np.zeros((2, 2), np.int64)  # raw, closed: intersection, union
            for index, frame in read_video(clip):
                mask = method.apply(np.ascontiguousarray(frame[..., ::-1])) == 255  # type: ignore[attr-defined]
                if index in truth:
                    target, valid = read_ground_truth(truth[index])
                    for row, tried in zip(overlap, (mask, close_mask(mask)), strict=True):
                        row += ((tried & target & valid).sum(), ((tried | target) & valid).sum())
            found += [float(both / max(either, 1)) for both, either in overlap]
        del method
    return found


@contextlib.contextmanager
def in_scratch_folder() -> Iterator[None]:
    """Work where pybgs may write its settings, and let it say what it likes to nobody."""
    here, out = Path.cwd(), os.dup(1)
    with tempfile.TemporaryDirectory(prefix="mpas-peers-") as folder, open(os.devnull, "w") as nobody:
        Path(folder, "config").mkdir()
        sys.stdout.flush()
        os.chdir(folder)
        os.dup2(nobody.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(out, 1)
            os.close(out)
            os.chdir(here)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--methods", nargs="*", choices=[*OPENCV, *PYBGS], default=[*OPENCV, *PYBGS], metavar="NAME")
    parser.add_argument("--masks", action="append", default=[], metavar="NAME=FOLDER")
    args = parser.parse_args()
    clip, folder = args.clip.resolve(), args.truth.resolve()
    truth = truth_of(read_video(clip), folder)
    print(f"| {len(truth)} frames | first pass | closed | second pass | closed |\n|:--|--:|--:|--:|--:|")
    for name, make in subtractors(args.methods).items():
        print("| " + " | ".join([name, *(f"{value:.3f}" for value in scores(make, clip, truth))]) + " |", flush=True)
    for name, _, masks in (each.partition("=") for each in args.masks):
        ours = evaluate(masks, folder)
        print(f"| {name}, {len(ours.frames)} frames | | | {ours.pooled:.3f} | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
