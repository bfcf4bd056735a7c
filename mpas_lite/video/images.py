"""Reading and writing single images: looked at before they are decoded, and decoded in one way everywhere.

An image file is untrusted input. Its header is read first, so that a file that claims a picture larger than
:func:`.limits.max_pixels` is refused before memory is reserved for it, and a file that ends before its picture does is
named instead of being filled up with grey. OpenCV decodes; the EXIF orientation is applied here, for the size and
for the pixels alike.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from mpas_lite.files.atomic import atomic_write
from mpas_lite.files.sentences import one_line, reason_of
from mpas_lite.video.image_headers import Damaged, read_header
from mpas_lite.video.limits import check_regular, check_size, max_pixels

_BYTES_PER_PIXEL = 16  # of the longest file that an image can need: four channels of 32 bit, not compressed


def read_image(path: str | Path, *, grey: bool = False) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 RGB, or with ``grey=True`` as (H, W) uint8, turned as its EXIF data says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an image that OpenCV can read, is cut off, or is larger than :func:`.limits.max_pixels`.
    """
    image = _decode(path, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    return image if grey else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_unchanged(path: str | Path) -> np.ndarray:
    """Read an image as it is stored: its own depth and channels, not turned.

    Returns
    -------
    (H, W), (H, W, 3) RGB or (H, W, 4) RGBA array
        uint8, uint16 or what else the file holds. A palette is resolved to its colours.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_image`.
    """
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.ndim == 3 and image.shape[2] == 1:
        return image[:, :, 0]
    if image.ndim == 3 and image.shape[2] in (3, 4):
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return image


def read_deep(path: str | Path) -> np.ndarray:
    """Read an image as (H, W, 3) RGB, turned as its EXIF data says: uint8, or uint16 where it is stored in 16 bits.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_image`; and if the values are neither of the two, as floating-point numbers are.
    """
    image = _decode(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"{path} holds {image.dtype} values. Convert it to 8 or 16 bits a colour.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def image_shape(path: str | Path) -> tuple[int, int]:
    """Height and width of an image, turned as its EXIF data says; nothing is decoded.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_image`, as far as it shows without decoding: a file that is cut off is refused here too.
    """
    return image_view(path)[0]


def image_view(path: str | Path) -> tuple[tuple[int, int], int]:
    """Height and width as :func:`image_shape`, and the EXIF orientation (1 to 8, 1 is upright) that led to them."""
    with _naming(path):
        check_regular(path)
        with open(path, "rb") as file:
            header = read_header(file)
    check_size(path, header.height, header.width)
    return header.shape, header.orientation


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image, whole or not at all, in the format its ending names (PNG, JPEG, ...).

    Parameters
    ----------
    path : str or Path
    image : (H, W, 3) uint8 RGB, (H, W) uint8 grey, or (H, W) bool, which is written as 0 and 255
    """
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded_well, encoded = cv2.imencode(Path(path).suffix, image)
    if not encoded_well:
        raise ValueError(f"{path}: an image of shape {image.shape} and type {image.dtype} cannot be written so.")
    with atomic_write(path) as temporary:  # not cv2.imwrite: that hides a full disk
        temporary.write_bytes(encoded.tobytes())


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong with an image into a ValueError that names its file."""
    try:
        yield
    except Damaged as error:
        raise ValueError(f"{path} {error}") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({reason_of(error)}). Check the file and its permissions.") from error
    except (cv2.error, MemoryError, OverflowError, struct.error) as error:
        raise ValueError(f"{path} cannot be decoded ({one_line(error, 400)}). Is it damaged?") from error


def _decode(path: str | Path, flag: int) -> np.ndarray:
    """Decode an image file with OpenCV; with ``IMREAD_UNCHANGED`` as stored, else turned as EXIF says."""
    with _naming(path):
        check_regular(path)
        size = os.path.getsize(path)
        if size > max_pixels() * _BYTES_PER_PIXEL:
            raise Damaged(f"is {size / 1e9:.1f} GB long: no image of a size that is read.")
        data = Path(path).read_bytes()  # not cv2.imread: that cannot take every name, nor any but ASCII on Windows
        header = read_header(io.BytesIO(data))
        check_size(path, header.height, header.width)
        pixels = np.frombuffer(data, np.uint8)
        # OpenCV turns nothing, with IMREAD_UNCHANGED (-1) never and else if told so; but always the images of a TIFF.
        image = cv2.imdecode(pixels, flag if flag < 0 else flag | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise Damaged("is not an image that can be read. Is it damaged, or another kind of file?")
        if flag >= 0 and not header.is_turned:
            image = _turned(image, header.orientation)
        if flag >= 0 and image.shape[:2] != header.shape:
            raise Damaged("says one size in its header and holds another. Is it damaged?")
        return image


def _turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror a stored picture to how it is meant to be seen (EXIF orientation 1 to 8)."""
    if orientation == 1:
        return image
    if orientation >= 5:
        image = cv2.transpose(image)
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    return cv2.flip(image, flips[orientation]) if orientation in flips else image
