"""What a network is made of: the settings of its encoder, its branch and psi."""

from __future__ import annotations

from dataclasses import dataclass

from mpas_lite.options import Option, check, option, own_options


@dataclass(frozen=True)
class NetConfig:
    """What :class:`~mpas_lite.network.mpasnet.MPASNet` is made of."""

    encoder: str = option(
        "hrnet_w48", "Any timm encoder: hrnet_w48, hrnet_w18_small, tf_efficientnet_lite0, ...", paper="hrnet_w48"
    )
    encoder_weights: str | None = option(
        None,
        "imagenet (timm's hub), offline (an extra), general (comes along, all of it), a file, or none: random.",
        paper="imagenet",
    )
    siamese: bool = option(True, "With the siamese branch, or without.", paper=True)
    fusion: bool = option(True, "The branch's features go to the head, too (SFA).", paper=True)
    width: int | None = option(64, "Maps of psi; none: as many as F has.", least=1, most=16_384, paper=None)

    def __post_init__(self) -> None:
        check(self)


WIDTH = own_options(NetConfig)["width"]
# Of the frames that a net was trained on, which stands in its file: it need not be one that training takes today.
LONG_SIDE = Option("long_side", None, (int, type(None)), unit="px", least=1, most=10**9)
