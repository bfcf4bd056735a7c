"""Pairs of frame and mask on disk as a torch data set."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from mpas_lite.network.input_size import resize, working_shape
from mpas_lite.video.arrays import Frame, Mask
from mpas_lite.video.finding import IMAGE_ENDINGS, is_visible
from mpas_lite.video.images import image_shape, read_image
from mpas_lite.video.masks import read_mask


class PairDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Frames and their masks, scaled to one working size and padded to one shape.

    Clips of different sizes train together: each frame is scaled until its longer side is ``long_side``
    (smaller ones stay as they are), then padded to the largest height and width there is. The padding
    repeats the frame's edge and is marked as not valid.

    Parameters
    ----------
    pairs : str, Path or sequence of these
        A folder that ``pseudo_label`` wrote (clips below it, each with ``frames/`` and ``masks/`` of equal
        names), one such clip, or several of either.
    long_side : int
        Longer side of the frames in px.
    skip_damaged : bool
        Read every file through and leave out the pairs of which one is damaged or no mask, in place of raising at
        the first bad header. What is left depends on the files alone.

    Attributes
    ----------
    paths : list of tuple of Path
        Frame and mask of each pair.
    skipped : list of str
        Pairs left out, and why.
    shape : tuple of int
        Height and width of all items, px.
    left_out : dict from Path to NDArray
        By frame, pixels that are not valid beside those that its files name, (H, ceil(W / 8)) uint8, a bit each.

    Indexing gives ``(image, mask, valid)``: (3, H, W) uint8 RGB, (1, H, W) bool, (1, H, W) bool. Not valid are
    the padding, and where there is a folder ``valid/`` beside ``masks/`` the pixels that a label is not sure of.

    Raises
    ------
    ValueError
        If there are no pairs (or no whole ones), a mask is missing, or frame and mask differ in size. Reading a pair
        raises it too, if its mask is not clearly one: see :func:`mpas_lite.video.masks.read_mask`.
    FileNotFoundError
        If a folder does not exist.
    """

    def __init__(
        self, pairs: str | Path | Sequence[str | Path], *, long_side: int = 320, skip_damaged: bool = False
    ) -> None:
        if long_side < 32:
            raise ValueError(f"long_side={long_side} px is too small to see anybody; use 32 or more.")
        self.long_side = long_side
        folders = [pairs] if isinstance(pairs, str | Path) else list(pairs)
        if not folders:
            raise ValueError("No folder of pairs was given.")
        self.paths = [pair for folder in folders for pair in find_pairs(folder)]
        self.skipped: list[str] = []
        self.left_out: dict[Path, NDArray[np.uint8]] = {}
        if skip_damaged:
            with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
                damages = list(pool.map(_damage_of_pair, self.paths))
            self.skipped = [damage for damage in damages if damage]
            self.paths = [pair for pair, damage in zip(self.paths, damages, strict=True) if not damage]
            if not self.paths:
                raise ValueError(f"None of the {len(self.skipped)} pairs can be read. The first: {self.skipped[0]}")
        shapes = [working_shape(_size(frame, mask), long_side) for frame, mask in self.paths]
        self.shape = (max(height for height, _ in shapes), max(width for _, width in shapes))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        image, mask, valid = pad_to(self.shape, *self.read(index))
        return as_image(image), torch.from_numpy(mask)[None], torch.from_numpy(valid)[None]

    def read(self, index: int) -> tuple[Frame, Mask, Mask]:
        """Frame (h, w, 3) uint8 RGB, mask and valid (h, w) bool of one pair, scaled but not padded."""
        image, mask, valid = (resize(one, self.long_side) for one in self.read_files(index))
        return image, mask > 127, valid > 127

    def read_files(self, index: int) -> tuple[Frame, NDArray[np.uint8], NDArray[np.uint8]]:
        """The same at its own size, mask and valid as 0 and 255."""
        frame_path, mask_path = self.paths[index]
        image, mask = read_image(frame_path), read_mask(mask_path)
        doubt_path = valid_path(mask_path)
        valid = read_mask(doubt_path) if doubt_path.exists() else np.full_like(mask, 255)
        for path, one in ((mask_path, mask), (doubt_path, valid)):
            if one.shape != image.shape[:2]:
                raise ValueError(f"{path} is {one.shape}, its frame {image.shape[:2]}: sizes must be equal.")
        if frame_path in self.left_out:
            valid[np.unpackbits(self.left_out[frame_path], axis=1, count=valid.shape[1]) > 0] = 0
        return image, mask, valid

    def name(self, index: int) -> str:
        """Clip and frame of one pair, to tell people: ``clip/000020.png``."""
        frame, _ = self.paths[index]
        return f"{frame.parents[1].name}/{frame.name}"

    def is_empty(self) -> bool:
        """Whether no mask has a single pixel: then there is nothing to learn from."""
        return not any(read_mask(mask).any() for _, mask in self.paths)

    def with_crowd(self) -> PairDataset:
        """The pairs whose mask has a crowd in it, at the same size; what is left out is for the others to say."""
        some = copy.copy(self)
        some.paths = [(frame, mask) for frame, mask in self.paths if read_mask(mask).any()]
        return some

    def fingerprint(self) -> str:
        """Sha-256 of all masks and of the frames' names and sizes: another one means other pairs."""
        digest = hashlib.sha256()
        for frame, mask in self.paths:
            clip = frame.parents[1].name
            digest.update(f"{clip}/{frame.name} {frame.stat().st_size}\n".encode())
            digest.update(mask.read_bytes())
            if valid_path(mask).exists():
                digest.update(valid_path(mask).read_bytes())
        return digest.hexdigest()


def pad_to(shape: tuple[int, int], image: Frame, mask: Mask, valid: Mask) -> tuple[Frame, Mask, Mask]:
    """Pad at the bottom and right by repeating the image's edge; mask and valid are False in the padding."""
    bottom, right = shape[0] - mask.shape[0], shape[1] - mask.shape[1]
    image = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="edge") if bottom or right else image
    return image, np.pad(mask, ((0, bottom), (0, right))), np.pad(valid, ((0, bottom), (0, right)))


def as_image(frame: Frame) -> Tensor:
    """(H, W, 3) array as (3, H, W) tensor."""
    return torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1)))


# ------------------------------------------------------------------------------------------------- files


def find_pairs(folder: str | Path) -> list[tuple[Path, Path]]:
    """Frame and mask of every pair under a folder, in order of clip and frame.

    Raises
    ------
    ValueError
        If there are none, or a frame has no mask.
    FileNotFoundError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Give one that `mpas-lite label` wrote.")
    clips = [folder] if (folder / "frames").is_dir() else sorted(p.parent for p in folder.glob("*/frames"))
    pairs = []
    for clip in clips:
        for frame in sorted(_visible_images(clip / "frames")):
            mask = clip / "masks" / f"{frame.stem}.png"
            if not mask.exists():
                raise ValueError(f"{frame} has no mask {mask}. Run `mpas-lite label` again.")
            pairs.append((frame, mask))
    if not pairs:
        raise ValueError(
            f"{folder} holds no pairs. It should hold frames/ and masks/, or clips that do; "
            "`mpas-lite label` writes such a folder."
        )
    return pairs


def valid_path(mask: Path) -> Path:
    """Where the pixels that a label is sure of stand, if anywhere: ``valid/`` beside ``masks/``."""
    return mask.parents[1] / "valid" / mask.name


def _visible_images(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if is_visible(path, IMAGE_ENDINGS)]


def _damage_of_pair(pair: tuple[Path, Path]) -> str | None:
    """Why a pair cannot be used; None if its files are whole."""
    frame, mask = pair
    doubt = valid_path(mask)
    problem = _damage(frame)
    for path in (mask, doubt) if doubt.exists() else (mask,):
        problem = problem or _damage(path) or _not_a_mask(path)
    return problem


def _damage(path: Path) -> str | None:
    """What is wrong with an image file, read to its end; OpenCV would fill what is missing with grey."""
    from PIL import Image

    try:
        image_shape(path)  # no picture of a size that is not read
        with Image.open(path) as image:
            if image.format == "PNG":
                image.verify()  # checks all checksums, in a tenth of the time that decoding takes
            else:
                image.load()
    except Exception as error:  # Pillow decodes what anybody may have written and raises all kinds
        return _named(path, error)
    return None


def _not_a_mask(path: Path) -> str | None:
    try:
        read_mask(path)
    except ValueError as error:
        return _named(path, error)
    return None


def _named(path: Path, error: Exception) -> str:
    """A file and what is wrong with it, its name once."""
    why = str(error).removeprefix(f"{path} ").replace(f" {str(path)!r}", "") or type(error).__name__
    return f"{path} ({why})"


def _size(frame: Path, mask: Path) -> tuple[int, int]:
    """Height and width from the files' headers alone."""
    sizes = [image_shape(path) for path in (frame, mask)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{frame} is {sizes[0][1]}x{sizes[0][0]} px, {mask} is {sizes[1][1]}x{sizes[1][0]} px: a frame "
            "and its mask must be of one size."
        )
    return sizes[0]
