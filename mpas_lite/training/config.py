"""Training configurations: a TOML file for each published run, with overrides, checked before anything is done."""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

from mpas_lite.network.bounds import check_bounds

FOLDER = Path(__file__).parent / "configs"
_MOST_BYTES = 1 << 20
_LONGEST = 4096  # of a text, as a path may be


PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")  # the weights stay float32


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """What a run's result depends on, beside the net and the pairs; see :func:`~mpas_lite.training.fitting.fit`."""

    epochs: int = 20
    batch_size: int = 4
    lr: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "constant"
    loss: str = "dice"
    literal_dice: bool = False
    air_weight: float = 1.0
    augmentation: str = "real"
    seed: int = 0
    accumulate: int = 1
    ema: float | None = None

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            check_bounds(name, value)
        for name, choices in (("schedule", ("constant", "cosine")), ("loss", ("dice", "cross_entropy"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose {' or '.join(choices)}.")


@dataclasses.dataclass(frozen=True)
class Runtime:
    """Where and how a run is done; see :func:`~mpas_lite.training.fitting.fit`."""

    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    compile: bool = False
    channels_last: bool | None = None
    workers: int | None = None
    validate_every: int = 1
    checkpoint_every: int = 100
    progress: bool = True

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision={self.precision!r}: choose {', '.join(PRECISIONS)}.")
        for name in ("devices", "num_nodes", "workers", "validate_every", "checkpoint_every"):
            check_bounds(name, getattr(self, name))

    @property
    def processes(self) -> int:
        """That share each step's images."""
        return self.devices * self.num_nodes


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """All that decides what ``mpas-lite train`` makes of its pairs.

    ``encoder``, ``encoder_weights``, ``siamese``, ``fusion`` and ``width`` are those of
    :class:`~mpas_lite.network.mpasnet.MPASNet`, all others those of :func:`~mpas_lite.training.fitting.fit`, with the
    same defaults.
    In a file the word ``"none"`` is None.
    """

    encoder: str = "hrnet_w48"
    encoder_weights: str | None = None
    siamese: bool = True
    fusion: bool = True
    width: int | None = 64
    epochs: int = 20
    batch_size: int = 4
    accumulate: int = 1
    lr: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "constant"
    loss: str = "dice"
    literal_dice: bool = False
    air_weight: float = 1.0
    augmentation: str = "real"
    long_side: int = 320
    ema: float | None = None
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    compile: bool = False
    channels_last: bool | None = None
    workers: int | None = None
    validate_every: int = 1
    checkpoint_every: int = 100

    def deciding(self) -> dict[str, Any]:
        """What the weights depend on, for the record in them: not who reads the pairs, where, and how often it saves.

        Runs that differ in the other settings alone give files of equal bytes.
        """
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _SURROUNDINGS}

    def net_options(self) -> dict[str, Any]:
        """What :class:`~mpas_lite.network.mpasnet.MPASNet` takes."""
        return {name: getattr(self, name) for name in _OF_THE_NET}

    def fit_options(self) -> dict[str, Any]:
        """What :func:`~mpas_lite.training.fitting.fit` takes."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _OF_THE_NET}


_SURROUNDINGS = (
    "accelerator",
    "num_nodes",
    "strategy",
    "compile",
    "channels_last",
    "workers",
    "validate_every",
    "checkpoint_every",
)
_OF_THE_NET = ("encoder", "encoder_weights", "siamese", "fusion", "width")


def config_names() -> list[str]:
    """Names of the configurations that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if not path.stem.endswith("_scenes"))


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
        another type or out of :data:`~mpas_lite.network.bounds.BOUNDS`.

    Examples
    --------
    >>> read_config("small", {"epochs": 3}).encoder
    'hrnet_w18_small'
    >>> read_config(changes={"epoch": 3})
    Traceback (most recent call last):
    ValueError: There is no setting 'epoch'. Did you mean epochs?
    """
    content = {} if name_or_file is None else _read(name_or_file)
    where = "" if name_or_file is None else f"{name_or_file}: "
    try:
        checked = {name: _checked(name, value) for name, value in content.items()}
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None
    checked |= {name: _checked(name, value) for name, value in (changes or {}).items()}
    return TrainingConfig(**checked)


def parse_changes(assignments: Iterable[str]) -> dict[str, Any]:
    """Settings from texts such as ``lr=0.01``; the value is read as TOML, else as a word, ``none`` as None.

    Examples
    --------
    >>> parse_changes(["lr=0.01", "loss=dice", "siamese=false", "ema=none"])
    {'lr': 0.01, 'loss': 'dice', 'siamese': False, 'ema': None}
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, text = (part.strip() for part in assignment.partition("="))
        if not (name and sign and text):
            raise ValueError(f"--set {assignment!r}: write it as key=value, for example --set lr=0.01.")
        try:
            changes[name] = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            changes[name] = None if text.lower() == "none" else text
    return changes


def write_config(config: TrainingConfig) -> str:
    """TOML that :func:`read_config` reads back as an equal configuration; what is None by default is left out."""
    values, usual = dataclasses.asdict(config), TrainingConfig()
    values = {name: "none" if value is None else value for name, value in values.items()
              if value is not None or getattr(usual, name) is not None}  # fmt: skip
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _read(name_or_file: str | Path) -> dict[str, Any]:
    names = config_names()
    path = FOLDER / f"{name_or_file}.toml" if str(name_or_file) in names else Path(name_or_file)
    if not path.is_file():
        raise ValueError(
            f"There is no configuration {str(name_or_file)!r}.{_meant(str(name_or_file), names)} "
            f"Give a .toml file or one of {', '.join(names)}."
        )
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is larger than any configuration. Give a .toml file as `mpas-lite train` writes.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{path} is not valid TOML that can be used: it is nested too deep.") from None
    except ValueError as error:  # of TOML, of UTF-8, of numbers with thousands of digits
        raise ValueError(f"{path} is not valid TOML ({error}).") from error


def _checked(name: str, value: Any) -> Any:
    """The value, of the setting's type; a whole number will do for a fraction."""
    kinds = get_type_hints(TrainingConfig)
    if name not in kinds:
        meant = _meant(name, list(kinds)) or f" There are {', '.join(kinds)}."
        raise ValueError(f"There is no setting {name!r}.{meant}")
    kind = kinds[name]
    allowed = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    if type(None) in allowed and isinstance(value, str) and value.lower() == "none":
        return None
    if type(value) is int and value.bit_length() > 64:
        raise ValueError(f"{name}: a number of {value.bit_length()} bits is too large.")
    if float in allowed and type(value) is int:
        value = float(value)
    if type(value) not in allowed:  # not isinstance: True is an int to Python, but no number of epochs
        wanted = " or ".join(_WORDS[each] for each in allowed)
        raise ValueError(f"{name} = {_shown(value)}: it must be {wanted}.")
    if isinstance(value, str) and (len(value) > _LONGEST or not value.isprintable()):
        raise ValueError(f"{name} = {_shown(value)}: it must be a printable text of {_LONGEST} characters at most.")
    if isinstance(value, int | float):
        check_bounds(name, value)
    return value


def _shown(value: Any) -> str:
    """A value for a message: as it is written, cut; of tables and lists only that they are such."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "none"}


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(near)}?" if near else ""
