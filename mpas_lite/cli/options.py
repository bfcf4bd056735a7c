"""Options that several commands share, and are no settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mpas_lite.cli.settings import Section, settings_options
from mpas_lite.labels.settings import LabelSettings


class _Path(click.Path):
    """A file or folder; an empty name is none, though Python takes it for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("", b""):
            self.fail("the name is empty. Write . for the current folder.", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)
LABELS, NETWORK, TRAINING, MACHINE = "Labels", "Network", "Training", "Machine"

quiet = click.option("--quiet", is_flag=True, help="No progress bars.")
device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    help="What computes.  [default: auto, the best there is]",
    cls=Section,
    section=MACHINE,
)
jobs = click.option(
    "--jobs", default=1, help="Clips labelled side by side.  [default: 1]", cls=Section, section=MACHINE
)
_refine = click.option(
    "--refine/--no-refine",
    default=None,
    help="Beyond the paper: use that the camera stands still.  [default: yes with `run`, no with `label`]",
    cls=Section,
    section=LABELS,
)


def label_options(usual: LabelSettings) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options of labelling, with their defaults for the help; :func:`changed_labels` reads them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return settings_options(LabelSettings, LABELS, usual=usual)(_refine(command))

    return decorate


def changed_labels(settings: LabelSettings, given: dict[str, Any], refine: bool | None) -> LabelSettings:
    """The settings with what was given in its place."""
    from mpas_lite.labels.refine.settings import Refinement
    from mpas_lite.options import changed

    if refine is not None:
        given = {**given, "refine": Refinement() if refine else None}
    return changed(settings, **given)
