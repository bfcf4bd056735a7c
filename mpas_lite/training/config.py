"""What a training run is made with: each setting declared once, and a TOML file for each published run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mpas_lite.network.settings import NetConfig
from mpas_lite.options import check, did_you_mean, flat, option, part, read_toml, to_record, to_toml, with_values

FOLDER = Path(__file__).parent / "configs"

Augmentation = Literal["real", "literal", "none"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed", "auto"]

# The most that a number may be is no advice: beyond it a slip of the keyboard is likelier than a purpose, and memory
# or processes would run out long after the command was given.


@dataclass(frozen=True)
class TrainConfig:
    """What a run's result depends on, beside the net and the pairs."""

    epochs: int = option(20, "Passes over the pairs.", least=1, most=10**9)
    batch_size: int = option(4, "Pairs a step and device.", least=1, most=10**6)
    accumulate: int = option(
        1, "Batches whose gradients make one step: a larger batch in the memory of one.", least=1, most=4096
    )
    lr: float = option(0.02, "Learning rate of stochastic gradient descent.", least=0, most=10**6, paper=0.02)
    momentum: float = option(0.9, "Momentum.", least=0, most=10**6, paper=0.9)
    weight_decay: float = option(1e-4, "Weight decay.", least=0, most=10**6, paper=1e-4)
    schedule: Literal["constant", "cosine"] = option("constant", "The rate: one, or falling to 0 with the last step.")
    loss: Literal["dice", "cross_entropy"] = option("dice", "L_SEG: Eq. 6, or what it is compared with.", paper="dice")
    literal_dice: bool = option(False, "Divide the Dice loss by W'H' as Eq. 6 is printed.")
    air_weight: float = option(1.0, "Weight of Eq. 7; 0 leaves SFA without AIR.", least=0, most=10**6, paper=1.0)
    augmentation: Augmentation = option(
        "real", "What x_hat differs by: another light, just what the paper writes, or nothing.", paper="literal"
    )
    view: Literal["clean", "augmented"] = option(
        "clean", "What a net without the siamese branch sees: x, or x_hat in its place (ours, not the paper's)."
    )
    sizes: float = option(
        1.0, "Augmentation also scales frames up and down, by this factor at most: people of all sizes (ours). 1: not.",
        least=1, most=16,
    )  # fmt: skip
    paste: float = option(
        0.0,
        "Augmentation pastes the people of another pair into so many of the frames, 0 to 1 (ours).",
        least=0,
        most=1,
    )
    long_side: int = option(320, "Larger frames are scaled down to this longer side.", unit="px", least=32, most=10**9)
    empty: bool = option(
        True, "Learn from pairs without a crowd, too: of those the Dice loss teaches next to nothing (not: ours)."
    )
    keep: float | None = option(
        None,
        "Where a net that has learned before is surer of people than this, a label's background does not count (ours).",
        least=0,
        most=1,
    )
    freeze: int = option(
        0,
        "The encoder's weights up to this one of its 4 maps stay as they came: quicker (ours).",
        least=0,
        most=4,
    )
    ema: float | None = option(
        None, "Decay (0.999, say) of a moving average of the weights, then the result.", above=0, below=1
    )
    seed: int = option(0, "Of the order of the pairs, the augmentation and dropout.", least=0, most=2**63 - 1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Runtime:
    """On what a run is done. Several devices share each step's images; batch norm's statistics are over all of them."""

    accelerator: str = option("auto", "cpu, cuda, mps, ...; auto: the best there is.", names=())
    devices: int = option(1, "Of each machine; under torchrun or srun what these have started.", least=1, most=256)
    num_nodes: int = option(1, "Machines.", least=1, most=65_536)
    strategy: str = option("auto", "How lightning-fabric spreads the work over devices.")
    precision: Precision = option("32-true", "Of the computation; auto: bf16-mixed on a CUDA GPU, else 32-true.")
    compile: bool = option(False, "Hand the net to torch.compile first: pays in long runs on a GPU.")
    channels_last: bool | None = option(
        None, "Keep maps as (B, H, W, C) in memory; by default on CUDA and a CPU, where convolutions want it."
    )
    workers: int | None = option(
        None, "Processes that read pairs; by default none on a CPU, beside a GPU 8 at most.", least=0, most=256
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def processes(self) -> int:
        """That share each step's images."""
        return self.devices * self.num_nodes


@dataclass(frozen=True)
class Upkeep:
    """How often a run is judged and kept, which changes nothing in it."""

    validate_every: int = option(1, "Epochs from one validation to the next.", least=1, most=10**9)
    checkpoint_every: int = option(
        100, "Steps between checkpoints; there is also one after each epoch.", least=1, most=10**9
    )

    def __post_init__(self) -> None:
        check(self)


@flat
@dataclass(frozen=True)
class TrainingConfig:
    """All that decides what ``mpas-lite train`` makes of its pairs; in a file the word ``"none"`` is None."""

    net: NetConfig = part(NetConfig)
    train: TrainConfig = part(TrainConfig)
    runtime: Runtime = part(Runtime)
    upkeep: Upkeep = part(Upkeep)

    def deciding(self) -> dict[str, Any]:
        """What the weights depend on, for the record in them: not who reads the pairs, where, and how often it saves.

        Runs that differ in the other settings alone give files of equal bytes.
        """
        runtime = {"devices": self.runtime.devices, "precision": self.runtime.precision}
        return {**to_record(self.net), **to_record(self.train), **runtime}


def config_names() -> list[str]:
    """Names of the configurations that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_config(name_or_file: str | Path | None = None, changes: Mapping[str, Any] | None = None) -> TrainingConfig:
    """A configuration by name or from a file, with changes on top; what neither names has its default.

    Parameters
    ----------
    name_or_file : str or path, optional
        One of :func:`config_names`, or a TOML file with settings at its top level.
    changes : mapping, optional
        Settings that win over the file's. None means None, as does the word "none" where a setting may be None.

    Raises
    ------
    ValueError
        If there is no such configuration, a key is unknown (the message names the nearest match), or a value is of
        another type or not allowed.

    Examples
    --------
    >>> read_config("small", {"epochs": 3}).net.encoder
    'hrnet_w18_small'
    >>> read_config(changes={"epoch": 3})
    Traceback (most recent call last):
    ValueError: There is no setting 'epoch'. Did you mean epochs?
    """
    config = TrainingConfig()
    if name_or_file is not None:
        content = read_toml(_find(name_or_file))
        try:
            config = with_values(config, content)
        except ValueError as error:
            raise ValueError(f"{name_or_file}: {error}") from None
    return with_values(config, changes or {})


def write_config(config: TrainingConfig) -> str:
    """TOML that :func:`read_config` reads back as an equal configuration; what is None by default is left out."""
    return to_toml(config)


def _find(name_or_file: str | Path) -> Path:
    names = config_names()
    path = FOLDER / f"{name_or_file}.toml" if str(name_or_file) in names else Path(name_or_file)
    if not path.is_file():
        raise ValueError(
            f"There is no configuration {str(name_or_file)!r}.{did_you_mean(str(name_or_file), names)} "
            f"Give a .toml file or one of {', '.join(names)}."
        )
    return path
