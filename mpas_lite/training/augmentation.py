"""Augmentation: what may change between the two views of a frame, and what moves both views alike.

Every function takes a numpy generator and draws from nothing else.
"""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mpas_lite.training.config import Augmentation
from mpas_lite.video.arrays import Frame, Mask

AUGMENTATIONS = get_args(Augmentation)


def zoom(image: Frame, mask: Mask, rng: np.random.Generator) -> tuple[Frame, Mask]:
    """Cut out a window of 70 to 100% of both sides and scale it up to the old size.

    Parameters
    ----------
    image : Frame
        (H, W, 3) uint8 RGB.
    mask : Mask
        (H, W) bool, or (H, W, n) for several that must stay together.
    rng : Generator
        Every draw comes from it.

    Returns
    -------
    image : Frame
    mask : Mask
    """
    height, width = mask.shape[:2]
    share = rng.uniform(0.7, 1.0)
    h, w = max(1, round(height * share)), max(1, round(width * share))
    top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
    window = np.s_[top : top + h, left : left + w]
    zoomed = cv2.resize(np.ascontiguousarray(image[window]), (width, height), interpolation=cv2.INTER_LINEAR)
    grey = cv2.resize(mask[window].astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR)
    return zoomed, grey > 127


def rescale(
    image: Frame, mask: Mask, shape: tuple[int, int], scale: float, rng: np.random.Generator
) -> tuple[Frame, Mask]:
    """Scale a picture, and cut a window of a shape out of it; what is smaller than the window is repeated.

    So a person is seen near and far. A picture that is scaled down fills the window several times over, side by side
    and one above the other: no step is spent on padding.

    Parameters
    ----------
    image : Frame
        (H, W, 3) uint8 RGB.
    mask : Mask
        (H, W, n) bool: several that must stay together.
    shape : tuple of int
        Height and width of what comes out, px.
    scale : float
        Pixels of the result for one of the picture.
    rng : Generator
        Draws where the window lies, where there is a choice.

    Returns
    -------
    image : Frame
        (h, w, 3) uint8 RGB, of that shape.
    mask : Mask
        (h, w, n) bool.
    """
    there = np.array(mask.shape[:2])
    window = np.clip(np.round(np.array(shape) / scale).astype(int), 1, there)
    top, left = (int(rng.integers(most + 1)) for most in there - window)
    height, width = np.minimum(np.maximum(1, np.round(window * scale).astype(int)), shape)
    cut = np.s_[top : top + window[0], left : left + window[1]]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(np.ascontiguousarray(image[cut]), (int(width), int(height)), interpolation=way)
    grey = cv2.resize(mask[cut].astype(np.uint8) * 255, (int(width), int(height)), interpolation=way)
    around = ((0, shape[0] - height), (0, shape[1] - width), (0, 0))
    return np.pad(scaled, around, mode="wrap"), np.pad(grey.reshape(height, width, -1), around, mode="wrap") > 127


def paste_people(image: Frame, mask: Mask, other: Frame, people: Mask) -> tuple[Frame, Mask]:
    """Put the people of one picture before another, as they stand there; their outline is blended over some 2 px.

    Nobody walks into such a picture: what is to be known of those people is what they look like.

    Parameters
    ----------
    image, other : Frame
        (H, W, 3) uint8 RGB: the picture, and the one whose people it gets.
    mask, people : Mask
        (H, W) bool: where people are in either.

    Returns
    -------
    image : Frame
    mask : Mask
        Where people are now.
    """
    share = cv2.GaussianBlur(people.astype(np.float32), (0, 0), 0.8)[..., None]
    return np.round(image * (1 - share) + other * share).astype(np.uint8), mask | people


def change_colours(image: Frame, rng: np.random.Generator) -> Frame:
    """Another light: brightness, contrast, saturation, hue, sometimes grey; then blur and noise.

    All changes of colour are one affine map of RGB, y = gain * (S (x - grey level)) + offset, where S scales
    and turns the colour about the grey axis.

    Parameters
    ----------
    image : Frame
        (H, W, 3) uint8 RGB.
    rng : Generator
        Every draw comes from it.

    Returns
    -------
    Frame
        (H, W, 3) uint8 RGB.
    """
    brightness, contrast = rng.uniform(-40, 40), rng.uniform(0.6, 1.4)
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.5, 1.5)
    turn = rng.uniform(-0.3, 0.3)  # of the hue, in radians; a whole circle is 6.28
    colour = contrast * colour_matrix(saturation, turn)
    middle = np.full(3, image.mean())
    offset = middle + brightness - colour @ middle
    changed = cv2.transform(image, np.column_stack([colour, offset]))  # rounds and clips to 0...255
    if rng.random() < 0.3:
        changed = cv2.GaussianBlur(changed, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, 8))
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    return changed


def colour_matrix(saturation: float, turn: float) -> NDArray[np.float64]:
    """(3, 3) matrix on RGB that keeps grey and luma, and scales and turns the rest (in YIQ)."""
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    cos, sin = saturation * np.cos(turn), saturation * np.sin(turn)
    turned = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.linalg.inv(to_yiq) @ turned @ to_yiq


def literal_colours(x: Tensor, rng: np.random.Generator) -> Tensor:
    """The paper's ``ColorJitter`` and ``RandomGrayscale(p=0.1)`` with PyTorch's default parameters."""
    from torchvision.transforms import ColorJitter, RandomGrayscale

    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator
        torch.manual_seed(int(rng.integers(2**31)))
        changed: Tensor = RandomGrayscale(p=0.1)(ColorJitter()(x))
    return changed
