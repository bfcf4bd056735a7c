"""The network of an experiment: made with first weights of a seed, and trained for a number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpas_lite.experiments.settings import ReproduceSettings
from mpas_lite.experiments.tables import Row
from mpas_lite.files.atomic import write_json
from mpas_lite.files.ledger import remove_folder
from mpas_lite.network.settings import NetConfig
from mpas_lite.options import changed, to_record
from mpas_lite.training.config import TrainConfig

if TYPE_CHECKING:
    from mpas_lite.network.mpasnet import MPASNet
    from mpas_lite.training.self_training import Rounds


def new_network(config: NetConfig, seed: int) -> MPASNet:
    """A network whose first weights, as far as none are given, are those of a seed."""
    import torch  # only here: what needs no network does without

    from mpas_lite.network.mpasnet import MPASNet

    torch.manual_seed(seed)
    return MPASNet(**to_record(config))


def epochs_of(steps: int | None, pairs: int, config: TrainConfig, rounds: Rounds) -> int:
    """Epochs of the first training, such that it and all rounds together come nearest to a number of steps.

    Without such a number they come nearest to the epochs of the configuration.
    """
    from mpas_lite.training.plan import Plan

    plan = Plan(pairs, config)
    return max(1, round(rounds.first(steps or plan.steps) / plan.steps_per_epoch))


def device_of(accelerator: str) -> str:
    """The device to segment on, of an accelerator as training takes it."""
    return accelerator if accelerator in ("cpu", "cuda", "mps") else "auto"


def network_of(
    row: Row,
    seed: int,
    folder: Path,
    pairs: Sequence[Path],
    settings: ReproduceSettings,
    *,
    accelerator: str,
    workers: int,
    progress: bool,
    say: Callable[[str], None],
) -> MPASNet:
    """The network of a table's row with a seed, trained now or before: it and ``training.json`` lie in a folder."""
    from mpas_lite.network.weights import load, save
    from mpas_lite.training.pairs import find_pairs
    from mpas_lite.training.records import is_log
    from mpas_lite.training.self_training import Rounds, fit_in_rounds

    model = folder / "model.safetensors"
    if model.exists():
        return load(model)
    net = new_network(replace(settings.net, siamese=row.siamese, fusion=row.sfa), seed)
    count = sum(len(find_pairs(each)) for each in pairs)
    rounds = Rounds(most=row.rounds)
    taught = fit_in_rounds(
        net,
        list(pairs),
        folder / "training",
        rounds=rounds,
        config=changed(
            settings.train,
            epochs=epochs_of(settings.steps, count, settings.train, rounds),  # all rows have the same number of steps
            loss=row.loss,
            air_weight=settings.train.air_weight if row.air else 0.0,
            seed=seed,
        ),
        runtime=replace(settings.runtime, accelerator=accelerator, workers=workers),
        progress=progress,
        say=say,
    )
    history = taught.history
    losses = {"loss": history.loss, "segmentation": history.segmentation, "air": history.air}
    write_json(folder / "training.json", {"pairs": count, "steps": history.steps, **losses,
                                         "agreement": taught.agreement, "rounds": taught.kept})  # fmt: skip
    save(net, model)
    remove_folder(folder / "training", is_log)  # the checkpoint, larger than the net
    return load(model)
