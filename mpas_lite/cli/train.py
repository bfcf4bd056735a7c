"""``mpas-lite train``: a network from pairs."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

import mpas_lite
from mpas_lite.cli.group import cli
from mpas_lite.cli.options import MACHINE, NETWORK, PATH, TRAINING, device, quiet
from mpas_lite.cli.settings import given, settings_options
from mpas_lite.network.settings import NetConfig
from mpas_lite.training.config import Runtime, TrainConfig, TrainingConfig, Upkeep

_WRITTEN = ("model.safetensors", "config.toml", "MODEL_CARD.md", "log.csv", "checkpoint.pt")


@cli.command()
@click.argument("pairs", nargs=-1, required=True, type=PATH, metavar="PAIRS...")
@click.option("--out", type=PATH, required=True, help="Folder for model.safetensors and the checkpoint.")
@click.option("--config", help="A TOML file, or one that comes along: paper, small, main_job, general.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting of the config; repeat it.")
@click.option("--validate", type=PATH, multiple=True, help="Pairs whose masks are the truth: IoU into the log.")
@quiet
@settings_options(NetConfig, NETWORK)
@settings_options(TrainConfig, TRAINING)
@settings_options(Upkeep, TRAINING)
@device
@settings_options(Runtime, MACHINE)
def train(pairs: tuple[Path, ...], out: Path, config: str | None, assignments: tuple[str, ...],
          validate: tuple[Path, ...], device: str, quiet: bool, **_: Any) -> None:  # fmt: skip
    """Train a network on pairs that `label` wrote.

    Settings: options win over --set, --set over --config. Under torchrun or srun each process runs this command.
    OUT gets model.safetensors, config.toml (all settings), MODEL_CARD.md, log.csv and the checkpoint.
    """
    from mpas_lite.files.ledger import lock_folder, refuse_foreign
    from mpas_lite.files.outputs import check_apart
    from mpas_lite.options import parse_changes
    from mpas_lite.training.config import read_config, write_config

    changes = given(NetConfig, TrainConfig, Runtime, Upkeep)
    if device != "auto":
        changes["accelerator"] = device
    settings = read_config(config, parse_changes(assignments) | changes)
    first = _first_process()
    text = write_config(settings)
    weights = [] if settings.net.encoder_weights is None else [Path(settings.net.encoder_weights)]
    check_apart((out / name for name in _WRITTEN), [*_folders_read([*pairs, *validate]), *weights])
    with lock_folder(out) if first else nullcontext():
        if first:
            refuse_foreign((out / "config.toml",), lambda path: path.read_bytes() == text.encode())
            refuse_foreign(out / name for name in ("model.safetensors", "MODEL_CARD.md"))
        said = _train(list(pairs), out, settings, list(validate), progress=not quiet, first=first)
    if first:
        click.echo(said)


def _train(
    pairs: list[Path], out: Path, settings: TrainingConfig, validate: list[Path], *, progress: bool, first: bool
) -> str:
    """Train a new net, and let the first process write all that is said of it. Gives what there is to say."""
    import torch

    from mpas_lite.files.atomic import atomic_write
    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.network.weights import save
    from mpas_lite.options import to_record
    from mpas_lite.training.config import write_config
    from mpas_lite.training.fitting import fit
    from mpas_lite.training.records import model_card

    torch.manual_seed(settings.train.seed)
    net = MPASNet(**to_record(settings.net))
    history = fit(net, pairs, out=out, config=settings.train, runtime=settings.runtime, upkeep=settings.upkeep,
                  validate=validate or None, progress=progress)  # fmt: skip
    if first:
        net.provenance["config"] = settings.deciding()
        save(net, out / "model.safetensors")
        card = model_card(net.provenance, net.config, mpas_lite.__version__)
        for name, text in (("config.toml", write_config(settings)), ("MODEL_CARD.md", card)):
            with atomic_write(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
    return f"{history.steps} steps, loss {history.loss[-1]:.3f}: {out / 'model.safetensors'}"


def _folders_read(pairs: list[Path]) -> list[Path]:
    """The folders that training reads; what is wrong with pairs is said when they are read."""
    from mpas_lite.training.pairs import find_pairs

    folders: dict[Path, None] = {}
    for folder in pairs:
        try:
            for frame, mask in find_pairs(folder):
                folders |= {frame.parent: None, mask.parent: None, mask.parents[1] / "valid": None}
        except (ValueError, OSError):
            continue
    return list(folders)


def _first_process() -> bool:
    """Whether this is the first of the processes that torchrun or srun started, or the only one."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0
