"""What the numeric settings of a network and of its training may be, in one place."""

from __future__ import annotations

import math

# The least and the most. The most is no advice: beyond it a slip of the keyboard is likelier than a purpose, and memory
# or processes would run out long after the command was given.
BOUNDS: dict[str, tuple[float, float]] = {
    "width": (1, 16_384),
    "long_side": (1, 10**9),
    "epochs": (1, 10**9),
    "batch_size": (1, 10**6),
    "accumulate": (1, 4096),
    "lr": (0, 10**6),
    "momentum": (0, 10**6),
    "weight_decay": (0, 10**6),
    "air_weight": (0, 10**6),
    "seed": (0, 2**63 - 1),
    "devices": (1, 256),
    "num_nodes": (1, 65_536),
    "workers": (0, 256),
    "validate_every": (1, 10**9),
    "checkpoint_every": (1, 10**9),
}


def check_bounds(name: str, value: float | None) -> None:
    """Refuse a setting that is out of its bounds; one without bounds, or None, passes.

    Examples
    --------
    >>> check_bounds("width", 64)
    >>> check_bounds("width", 0)
    Traceback (most recent call last):
    ValueError: width=0: it must be 1 or more.
    >>> check_bounds("width", 10**9)
    Traceback (most recent call last):
    ValueError: width=1000000000: it must be 16384 at most.
    """
    if name == "ema" and value is not None and not 0 < value < 1:
        raise ValueError(f"ema={value}: it must lie between 0 and 1, as 0.999.")
    if value is None or name not in BOUNDS:
        return
    least, most = BOUNDS[name]
    if math.isnan(value) or value < least:
        raise ValueError(f"{name}={value}: it must be {least} or more.")
    if value > most:
        raise ValueError(f"{name}={value}: it must be {most} at most.")
