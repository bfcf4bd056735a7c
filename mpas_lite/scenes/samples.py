"""The clips that come with the package, one of each kind."""

from __future__ import annotations

from pathlib import Path

from mpas_lite.scenes.benchmark import SPLITS, write_scene
from mpas_lite.scenes.renderer import SCENE_NAMES, render_scene


def _sample_folder() -> Path:
    """data_samples in the source tree, or in an installed package."""
    here = Path(__file__).parents[1]  # of the package
    for folder in (here / "data_samples", here.parent / "data_samples"):
        if folder.is_dir():
            return folder
    raise ValueError("The bundled clips are not here. Make them: python -m mpas_lite.scenes.samples data_samples")


def sample_names() -> tuple[str, ...]:
    """The names of the bundled clips."""
    return tuple(sorted(f.parent.name for f in _sample_folder().glob("*/scene.json")))


def sample_path(name: str) -> Path:
    """The folder of a bundled clip: video, truth, walkers.csv and scene.json.

    Raises
    ------
    ValueError
        If there is no such clip; the message names those there are.
    """
    if name not in sample_names():
        raise ValueError(f"There is no bundled clip {name!r}. There are: {', '.join(sample_names())}.")
    return _sample_folder() / name


def write_samples(folder: str | Path) -> list[Path]:
    """Make the bundled clips anew, one of each kind: ``python -m mpas_lite.scenes.samples data_samples``.

    Parameters
    ----------
    folder : str or Path
        Each clip gets a folder of its kind's name, with the truth of every fifth frame.

    Returns
    -------
    list of Path
        The clips' folders.
    """
    written = []
    for i, name in enumerate(SCENE_NAMES):
        scene = render_scene(name, seed=SPLITS["samples"] + i, frames=100, noise=1.0)
        written.append(write_scene(scene, Path(folder) / name, truth_every=5))
    return written


if __name__ == "__main__":
    import sys

    for clip in write_samples(sys.argv[1] if len(sys.argv) > 1 else "data_samples"):
        print(clip)
