"""A net in a file: its weights and what it is, whole or not at all, checked when it is read."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from mpas_lite.files.atomic import atomic_write, blame, check_schema
from mpas_lite.network.general import net_file
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.settings import LONG_SIDE, WIDTH
from mpas_lite.network.tensorfiles import COUNT, differing, not_finite
from mpas_lite.video.capture import plain_path

_FORMAT = "mpas_lite net 1"
_AGAIN = "Train or copy it again."
_MOST_JSON = 1 << 24  # characters

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
_PROVENANCE = {
    "type": "object",
    "properties": {
        "encoder_weights": {"type": ["string", "null"]},
        "pairs": COUNT,
        "epochs": COUNT,
        "steps": COUNT,
        "settings": {"type": "object"},
        "config": {"type": "object"},
        "skipped": {"type": "array", "items": {"type": "string"}},
        "validation_iou": {"type": ["number", "null"]},
    },
}


def save(net: MPASNet, path: str | Path, *, half: bool = False) -> None:
    """Write weights and architecture to one safetensors file, whole or not at all; equal nets give equal bytes.

    Parameters
    ----------
    net : MPASNet
    path : str or Path
        Ends in ``.safetensors``. A file there is replaced only if it is a net that this function wrote.
    half : bool
        Keep weights as float16: half the file, and probabilities that differ by some 1e-3. :func:`load` gives float32.
    """
    from mpas_lite import __version__

    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"{path} should end in .safetensors, which is what is written.")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    if half:
        weights = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
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
    path : str or Path
        ``"general"``: the one that comes with the package.
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
    path = net_file(path)
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
        weights = _whole_precision({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
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


def _whole_precision(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as a net has them: float32, also where the whole file was saved with half of that."""
    floating = [value for value in weights.values() if value.is_floating_point()]
    if any(value.dtype != torch.float16 for value in floating):
        return weights
    return {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}


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
