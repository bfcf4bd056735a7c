"""What is kept of a net: its weights alone, to use it, or a run's whole state, to go on with it."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize

from mpas_lite.files import whole_file
from mpas_lite.network import MPASNet

_FORMAT = "mpas_lite net 1"


def save(net: MPASNet, path: str | Path) -> None:
    """Write weights and architecture to one safetensors file, whole or not at all.

    Parameters
    ----------
    net : MPASNet
    path : path
        Ends in ``.safetensors``.
    """
    from mpas_lite import __version__

    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"{path} should end in .safetensors, which is what is written.")
    metadata = {
        "format": _FORMAT,
        "mpas_lite": __version__,
        "config": json.dumps(net.config),
        "provenance": json.dumps(net.provenance),
    }
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(serialize(weights, metadata))  # not save_file: on a full disk that is no OSError


def load(path: str | Path, device: str | torch.device = "cpu") -> MPASNet:
    """Read a net that :func:`save` wrote; nothing else is needed, nothing is downloaded.

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
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}). Train or copy it again.") from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(
            f"{path} holds weights, but not those of a net that this mpas_lite wrote. To start from "
            "another model's weights, give them to MPASNet as encoder_weights."
        )
    net = MPASNet(**json.loads(metadata["config"]))
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"The weights in {path} do not fit the architecture it names: {net.config}.") from error
    net.provenance = json.loads(metadata["provenance"])
    return net.eval().to(device)


def fingerprint(net: MPASNet) -> str:
    """Sha-256 of weights and architecture: equal for nets that give equal masks."""
    digest = hashlib.sha256(json.dumps(net.config).encode())
    for name, tensor in sorted(net.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a run's state (tensors, numbers, texts), whole or not at all."""
    data = io.BytesIO()  # torch.save to a file on a full disk is no OSError
    torch.save(content, data)
    with whole_file(path) as temporary:
        temporary.write_bytes(data.getbuffer())


def read_checkpoint(path: Path, run: dict[str, Any]) -> dict[str, Any] | None:
    """Read a run's state; None where there is none yet.

    Parameters
    ----------
    path : Path
    run : dict
        What the run depends on: a checkpoint of other values is another run's.

    Raises
    ------
    ValueError
        If the checkpoint is another run's, or damaged.
    """
    if not path.exists():
        return None
    afresh = f"Start afresh with resume=False, or another folder, or delete {path}."
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        before = content["run"]
    except Exception as error:  # unpickling raises many kinds
        raise ValueError(f"{path} is not a checkpoint that can be read. {afresh}") from error
    differ = [
        f"{name} is {_short(run.get(name))} and was {_short(before.get(name))}"
        for name in sorted({*run, *before})
        if run.get(name) != before.get(name)
    ]
    if differ:
        raise ValueError(f"{path} is of another run: {'; '.join(differ)}. {afresh}")
    return content


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:12]}..."
