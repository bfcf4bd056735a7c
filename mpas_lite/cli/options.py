"""Options that several commands share, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class _Path(click.Path):
    """A file or folder; an empty name is none, though Python takes it for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("", b""):
            self.fail("the name is empty. Write . for the current folder.", param, ctx)
        return super().convert(value, param, ctx)


class _Width(click.ParamType):
    """A number of maps, or the word none."""

    name = "INTEGER|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "none" else click.IntRange(1).convert(value, param, ctx)


_EXISTING = _Path(path_type=Path)
_DEVICES = click.Choice(["auto", "cpu", "cuda", "mps"])
_quiet = click.option("--quiet", is_flag=True, help="No progress bars.")


def _label_options(command: Callable) -> Callable:
    """Options of labelling, which `label` and `run` share. None: as the settings have it."""
    for option in reversed(
        [
            click.option("--every", type=click.IntRange(1), help="Keep one frame in so many (paper: 20)."),
            click.option("--radius", type=float, help="Of the circles: px, or below 1 a fraction of the height."),
            click.option("-k", "k", type=click.IntRange(1), help="Neighbours in the crowd graph, K (paper: 20)."),
            click.option("-z", "z", type=float, help="Damping of long paths, 0 < z < 1/K (default 1/(2K))."),
            click.option("--threshold", type=float, help="Of collective merging, in units of kappa (paper: 0.6)."),
            click.option("--min-size", type=int, help="Smaller groups of particles are outliers (10)."),
            click.option("--min-speed", type=float, help="Slower particles are background, px/frame (0.2)."),
            click.option(
                "--refine/--no-refine",
                default=None,
                help="Beyond the paper: use that the camera stands still (`run`'s default, not `label`'s).",
            ),
            click.option("--jobs", default=1, show_default=True, help="Clips labelled side by side."),
        ]
    ):
        command = option(command)
    return command


def _label_changes(options: dict[str, Any]) -> dict[str, Any]:
    """Take the labelling options that were given out of all options."""
    names = ("every", "radius", "k", "z", "threshold", "min_size", "min_speed")
    given = {name: options.pop(name) for name in names}
    refine = options.pop("refine")
    changes = {name: value for name, value in given.items() if value is not None}
    if refine is not None:
        from mpas_lite.labels.refine.settings import Refinement

        changes["refine"] = Refinement() if refine else None
    return changes


def _training_options(command: Callable) -> Callable:
    """Options of a network and its training, which `train`, `run` and `reproduce` share."""
    for option in reversed(
        [
            click.option(
                "--encoder", help="Any timm encoder: hrnet_w48 (paper), hrnet_w18_small, tf_efficientnet_lite0, ..."
            ),
            click.option(
                "--encoder-weights",
                help="imagenet (hub; the paper's), offline (extra), a file, or none: random weights.",
            ),
            click.option("--width", type=_Width(), help="Maps of psi (64), or none: as many as F has (paper)."),
            click.option("--batch-size", type=click.IntRange(1)),
            click.option("--lr", type=float, help="Learning rate (paper: 0.02)."),
            click.option("--schedule", type=click.Choice(["constant", "cosine"])),
            click.option("--air-weight", type=float, help="Weight of Eq. 7 (paper: 1)."),
            click.option("--augmentation", type=click.Choice(["real", "literal", "none"])),
            click.option("--long-side", type=click.IntRange(32), help="Frames are scaled down to so many px."),
            click.option("--device", type=_DEVICES, default="auto", show_default=True),
        ]
    ):
        command = option(command)
    return command


def _net_options(command: Callable) -> Callable:
    """Options of the one network that `train` and `run` train."""
    for option in reversed(
        [
            click.option("--siamese/--no-siamese", default=None, help="With the siamese branch (default) or not."),
            click.option("--fusion/--no-fusion", default=None, help="The branch's features go to the head, too (SFA)."),
            click.option("--loss", type=click.Choice(["dice", "cross_entropy"])),
            click.option("--seed", type=int),
        ]
    ):
        command = option(command)
    return _training_options(command)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the word none is None where a setting may be that."""
    given = {name: value for name, value in options.items() if value is not None}
    none = {name: None for name in ("encoder_weights", "width") if given.get(name) == "none"}
    return given | none
