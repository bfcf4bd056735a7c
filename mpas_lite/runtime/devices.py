"""Which device computes, and one sentence where the one that was asked for is not there."""

from __future__ import annotations

import torch

_KINDS = ("auto", "cpu", "cuda", "mps", "gpu")


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """The device of a name, if this machine has it.

    Parameters
    ----------
    name : str or torch.device
        ``"cpu"``, ``"cuda"``, ``"mps"``, one of several as ``"cuda:1"``; ``"auto"``: a GPU if there is one; ``"gpu"``:
        a GPU of any kind.

    Raises
    ------
    ValueError
        If there is no such device.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    >>> pick_device("abacus")
    Traceback (most recent call last):
    ValueError: There is no device 'abacus'. Choose auto, cpu, cuda or mps.
    """
    wanted = str(name)
    kind, colon, number = wanted.partition(":")
    if kind not in _KINDS or (colon and not (number.isascii() and number.isdigit())):
        raise ValueError(f"There is no device {wanted!r}. Choose auto, cpu, cuda or mps.")
    if kind in ("auto", "gpu"):
        found = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        if kind == "gpu" and found == "cpu":
            raise ValueError(_missing("GPU"))
        return torch.device(found)
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(_missing("CUDA GPU"))
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError(_missing("Apple GPU (mps)"))
    if number and int(number) >= _count(kind):
        raise ValueError(f"There is no device {wanted!r}: of this kind torch finds {_count(kind)}, counted from 0.")
    return torch.device(wanted)


def check_devices(accelerator: str, devices: int) -> None:
    """Refuse what lightning-fabric's ``accelerator`` and ``devices`` cannot be on this machine.

    Parameters
    ----------
    accelerator : str
        See :func:`pick_device`; what it does not know (``"tpu"``) is left for lightning-fabric to judge.
    devices : int
        CPUs are processes: any number will do.

    Raises
    ------
    ValueError
        If there is no such device, or there are fewer.

    Examples
    --------
    >>> check_devices("cpu", 8)
    """
    if accelerator not in _KINDS:
        return
    kind = pick_device(accelerator).type
    if kind != "cpu" and devices > _count(kind):
        raise ValueError(f"devices={devices}, but torch finds {_count(kind)} of the kind {kind}. Ask for as many.")


def _count(kind: str) -> int:
    return torch.cuda.device_count() if kind == "cuda" else 1


def _missing(what: str) -> str:
    return (
        f"There is no {what} here that torch can use. Choose the device cpu, which is slower, or auto: the "
        "best there is. If there should be one, see https://pytorch.org/get-started for the torch that fits its driver."
    )
