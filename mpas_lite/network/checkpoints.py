"""What is kept of a net: its weights alone, to use it, or a run's whole state, to go on with it."""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn

from mpas_lite.files.atomic import atomic_write, blame, check_schema
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.settings import LONG_SIDE, WIDTH
from mpas_lite.network.tensorfiles import differing, is_archive_of, not_finite, read_torch
from mpas_lite.video.capture import plain_path

_FORMAT = "mpas_lite net 1"
_AGAIN = "Train or copy it again."
_MOST_JSON = 1 << 24  # characters
_LARGE = 2.0**53

_CONFIG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["encoder", "siamese", "width", "long_side"],
    "properties": {
        "encoder": {"type": "string", "maxLength": 200},
        "siamese": {"type": "boolean"},
        "fusion": {"type": "boolean"},  # only where there is none, see MPASNet.config
        "width": {"type": "integer", "minimum": WIDTH.least, "maximum": WIDTH.most},
        "long_side": {"type": ["integer", "null"], "minimum": LONG_SIDE.least, "maximum": LONG_SIDE.most},
    },
}
_COUNT = {"type": "integer", "minimum": 0, "maximum": _LARGE}
_PROVENANCE = {
    "type": "object",
    "properties": {
        "encoder_weights": {"type": ["string", "null"]},
        "pairs": _COUNT,
        "epochs": _COUNT,
        "steps": _COUNT,
        "settings": {"type": "object"},
        "config": {"type": "object"},
        "skipped": {"type": "array", "items": {"type": "string"}},
        "validation_iou": {"type": ["number", "null"]},
    },
}
_NUMBER = {"type": "number", "minimum": -1e300, "maximum": 1e300}
_THREE = {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}
_CHECKPOINT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["weights", "optimizer", "scaling", "run", "step", "sums", "history", "validation"],
    "properties": {
        "weights": {"type": "object"},
        "averaged": {"type": "object"},
        "optimizer": {
            "type": "object",
            "required": ["state", "param_groups"],
            "properties": {
                "state": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 1}},
                "param_groups": {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1},
            },
        },
        "scaling": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(
                ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"), _NUMBER
            ),
        },
        "run": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        "step": _COUNT | {"minimum": 1},
        "sums": _THREE,
        "history": {"type": "array", "items": _THREE},
        "validation": {"type": "array", "items": {"type": ["number", "null"]}},
    },
}


# ------------------------------------------------------------------------------------------------- weights


def save(net: MPASNet, path: str | Path) -> None:
    """Write weights and architecture to one safetensors file, whole or not at all; equal nets give equal bytes.

    Parameters
    ----------
    net : MPASNet
    path : path
        Ends in ``.safetensors``. A file there is replaced only if it is a net that this function wrote.
    """
    from mpas_lite import __version__

    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"{path} should end in .safetensors, which is what is written.")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    data = memoryview(serialize(weights))
    values = data[_start(data[:8]) :]
    described = {"config": json.dumps(net.config), "provenance": json.dumps(net.provenance)}
    digest = _digest(described)
    digest.update(values)
    metadata = {"format": _FORMAT, "mpas_lite": __version__, "sha256": digest.hexdigest(), **described}
    tensors = json.loads(bytes(data[8 : -len(values)]))
    header = json.dumps({"__metadata__": metadata} | tensors, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # what the format asks for, so that values lie at multiples of 8
    with atomic_write(path, ours=is_net) as temporary:
        # Not save_file: on a full disk that raises no OSError. It also writes the metadata in random order.
        temporary.write_bytes(struct.pack("<Q", len(header)) + header + values)


def load(path: str | Path, device: str | torch.device = "cpu") -> MPASNet:
    """Read a net that :func:`save` wrote; nothing else is needed, nothing is downloaded.

    Sizes are compared before anything is reserved, and what the file says of itself is checked as a whole: a
    damaged file gives an error, not other masks.

    Parameters
    ----------
    path : path
    device : str or torch.device

    Returns
    -------
    MPASNet
        In eval mode.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a net of mpas_lite, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. `mpas-lite train` writes one.")
    with blame(path, _AGAIN), _whole(path) as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != _FORMAT:
            raise ValueError(
                f"{path} holds weights, but not those of a net that this mpas_lite wrote. To start from "
                "another model's weights, give them to MPASNet as encoder_weights."
            )
        config = _described(metadata, "config", _CONFIG, path)
        provenance = _described(metadata, "provenance", _PROVENANCE, path)
        wanted = _described_only(config, path)
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _check_weights(weights, wanted, path)
    if "sha256" in metadata:  # files of earlier versions have none
        digest = _digest(metadata)
        with open(path, "rb") as raw:
            raw.seek(_start(raw.read(8)))
            while piece := raw.read(1 << 20):
                digest.update(piece)
        if metadata["sha256"] != digest.hexdigest():
            raise ValueError(f"{path} is damaged: its checksum is wrong. {_AGAIN}")
    net = MPASNet(**config)
    net.load_state_dict(weights)
    net.provenance = provenance
    return net.eval().to(device)


@contextmanager
def _whole(path: Path) -> Iterator[Any]:
    """A safetensors file, opened."""
    try:
        with plain_path(path) as name, safe_open(name, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}). {_AGAIN}") from error


def is_net(path: Path) -> bool:
    """Whether a file is a net that :func:`save` wrote, of whatever version."""
    try:
        with plain_path(path) as name, safe_open(name, framework="pt") as file:
            return str((file.metadata() or {}).get("format")).startswith(_FORMAT.rpartition(" ")[0])
    except (SafetensorError, OSError):
        return False


def fingerprint(net: MPASNet) -> str:
    """Sha-256 of weights and architecture: equal for nets that give equal masks."""
    digest = hashlib.sha256(json.dumps(net.config).encode())
    for name, tensor in sorted(net.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _start(first: bytes | memoryview) -> int:
    """Where the values begin in a safetensors file, by its first 8 bytes: behind these and the header."""
    return 8 + int(struct.unpack("<Q", first)[0])


def _digest(described: Mapping[str, str]) -> Any:
    """The beginning of a net's checksum, which the values then go into."""
    return hashlib.sha256("\n".join(described[name] for name in ("config", "provenance")).encode())


def _described(metadata: Mapping[str, str], name: str, schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """One of the JSON texts in a file's metadata, checked."""
    text = metadata.get(name)
    try:
        content = json.loads(text) if text is not None and len(text) <= _MOST_JSON else None
    except (ValueError, RecursionError):
        content = None
    if content is None:
        raise ValueError(f"{path} does not say what net it holds: its {name!r} is missing or damaged. {_AGAIN}")
    check_schema(content, schema, path, _AGAIN)
    return dict(content)


def _described_only(config: dict[str, Any], path: Path) -> dict[str, Tensor]:
    """Names, shapes and types of the weights of a net; nothing is reserved for them."""
    try:
        with torch.device("meta"):
            return dict(MPASNet(**config).state_dict())
    except ValueError as error:
        raise ValueError(f"{path} names a net that cannot be made here: {error}") from error


def _check_weights(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights of other types, and such as give no probability at all."""
    unfit = differing(weights, wanted)
    if unfit:
        raise ValueError(f"The weights in {path} do not fit the architecture it names: {unfit}. {_AGAIN}")
    bad = not_finite(weights) or next(
        (name for name, tensor in weights.items() if name.endswith("running_var") and bool((tensor < 0).any())), None
    )
    if bad:
        raise ValueError(
            f"{path} cannot be used: in {bad} there are values that no training gives (NaN, infinite, or a negative "
            f"variance), and every mask would be empty. {_AGAIN}"
        )


# ------------------------------------------------------------------------------------------------- checkpoints


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a run's state (tensors, numbers, texts), whole or not at all; only another checkpoint is replaced."""
    data = io.BytesIO()  # torch.save to a file on a full disk is no OSError
    torch.save(content, data)
    with atomic_write(path, ours=is_checkpoint) as temporary:
        temporary.write_bytes(data.getbuffer())


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a checkpoint that :func:`write_checkpoint` wrote, by its structure alone."""
    return is_archive_of(path, (b"weights", b"optimizer", b"scaling", b"history", b"the net's encoder"))


def read_checkpoint(path: Path, run: dict[str, Any], net: nn.Module) -> dict[str, Any] | None:
    """Read a run's state, checked as a whole; None where there is none yet.

    Parameters
    ----------
    path : Path
    run : dict
        What the run depends on: a checkpoint of other values is another run's.
    net : nn.Module
        Gives the names, shapes and types that weights and momentum must have.

    Raises
    ------
    ValueError
        If the checkpoint is another run's, or damaged.
    """
    if not path.exists():
        return None
    afresh = f"Start afresh with resume=False, or another folder, or delete {path}."
    damaged = f"{path} is not a checkpoint that can be read"
    try:
        with blame(path, ""):
            content = read_torch(path)
            check_schema(content, _CHECKPOINT, path, "")
            before = content["run"]
            if not all(isinstance(name, str) for name in before):  # a schema looks at values only
                raise ValueError("a setting in it has no name")
    except ValueError as error:
        why = str(error).removeprefix(str(path)).strip().removeprefix("cannot be read (").rstrip("). ")
        raise ValueError(f"{damaged} ({why}). {afresh}") from error
    differ = [
        f"{name} is {_short(run.get(name))} and was {_short(before.get(name))}"
        for name in sorted({*run, *before})
        if run.get(name) != before.get(name)
    ]
    if differ:
        raise ValueError(f"{path} is of another run: {'; '.join(differ)}. {afresh}")
    unfit = _unfit(content, net)
    if unfit:
        raise ValueError(f"{damaged}: {unfit}. {afresh}")
    return content


def _unfit(content: Mapping[str, Any], net: nn.Module) -> str | None:
    """What in a checkpoint is not as this net's training leaves it."""
    numbers = [*content["sums"], *(value for epoch in content["history"] for value in epoch)]
    if not all(math.isfinite(value) for value in numbers):
        return "a loss in it is no number"
    if len(content["history"]) != len(content["validation"]) or len(content["history"]) > content["step"]:
        return "its epochs do not fit its steps"
    if ("averaged" in content) != (content["run"].get("ema") is not None):
        return "the averaged weights are missing, or too much"
    wanted = net.state_dict()
    averaged = {"n_averaged": torch.tensor(0)} | {f"module.{name}": tensor for name, tensor in wanted.items()}
    for name, like in (("weights", wanted), ("averaged", averaged)):
        if name in content:
            why = differing(content[name], like)
            bad = not_finite(content[name]) if why is None else None
            if why or bad:
                return f"in its {name}, {why or f'{bad} holds values that are no numbers'}"
    return _unfit_momentum(content["optimizer"]["state"], list(net.parameters()))


def _unfit_momentum(state: Mapping[Any, Any], weights: Sequence[Tensor]) -> str | None:
    for number, kept in state.items():
        if type(number) is not int or not 0 <= number < len(weights):
            return "the optimizer knows other weights"
        for name, value in kept.items():
            like = {"momentum_buffer": weights[number]}
            why = differing(kept, like) if value is not None or name not in like else None
            if why or (value is not None and not_finite(kept)):
                return f"the optimizer's state of weight {number} is damaged"
    return None


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:12]}..."
