"""Reading and writing single images: looked at before they are decoded, and decoded in one way everywhere.

An image file is untrusted input. Its header is read first, so that a file that claims a picture larger than
:func:`max_pixels` is refused before memory is reserved for it, and a file that ends before its picture does is
named instead of being filled up with grey. OpenCV decodes; the EXIF orientation is applied here, for the size and
for the pixels alike.

The limit is 64 million pixels (4K video has 8). The environment variable ``MPAS_LITE_MAX_MEGAPIXELS`` raises it.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from mpas_lite.files.atomic import atomic_write

MAX_PIXELS = 64_000_000
LIMIT_VARIABLE = "MPAS_LITE_MAX_MEGAPIXELS"
_BYTES_PER_PIXEL = 16  # of the longest file that an image can need: four channels of 32 bit, not compressed
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_CUT_OFF = "ends before its picture does: it is cut off or damaged. Replace or remove it."
_NO_FRAME_HEADER = frozenset({0xC4, 0xC8, 0xCC})  # of the JPEG markers C0 to CF, those that hold no size
_ORIENTATION = 0x0112  # EXIF tag


class _Header(NamedTuple):
    """What an image file says of itself: its size, and how a viewer is to turn it (EXIF, 1 to 8).

    ``is_turned``: the size is that of the turned picture, and OpenCV turns the pixels (TIFF).
    """

    height: int
    width: int
    orientation: int
    is_turned: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture as a viewer shows it."""
        aside = self.orientation >= 5 and not self.is_turned
        return (self.width, self.height) if aside else (self.height, self.width)


class _Damaged(Exception):
    """Why an image cannot be read, as the end of a sentence that names the file."""


def max_pixels() -> int:
    """Largest number of pixels that an image may have: 64 million, or what the environment variable says.

    Raises
    ------
    ValueError
        If ``MPAS_LITE_MAX_MEGAPIXELS`` is not a positive number.

    Examples
    --------
    >>> max_pixels()
    64000000
    """
    given = os.environ.get(LIMIT_VARIABLE)
    if not given:
        return MAX_PIXELS
    try:
        megapixels = float(given)
    except ValueError:
        megapixels = 0.0
    if not 0 < megapixels < 1e6:
        raise ValueError(f"{LIMIT_VARIABLE}={given!r} is not a number of million pixels. Give one such as 200.")
    return int(megapixels * 1_000_000)


def check_size(path: str | Path, height: int, width: int) -> None:
    """Refuse a picture that is larger than :func:`max_pixels`, before anything is reserved for it.

    Raises
    ------
    ValueError
        If it is too large, or has no pixel; the message names the file.
    """
    if height < 1 or width < 1:
        raise ValueError(f"{path} claims a picture of {width}x{height} px. Is it damaged?")
    limit = max_pixels()
    if height * width > limit:
        raise ValueError(
            f"{path} claims a picture of {width}x{height} px, more than the {limit / 1e6:g} million pixels that are "
            f"read. If that is right, set the environment variable {LIMIT_VARIABLE} to a larger number."
        )


def read_image(path: str | Path, *, grey: bool = False) -> np.ndarray:
    """Read an image as (H, W, 3) uint8 RGB, or with ``grey=True`` as (H, W) uint8, turned as its EXIF data says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an image that OpenCV can read, is cut off, or is larger than :func:`max_pixels`.
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
            header = _header(file)
    check_size(path, header.height, header.width)
    return header.shape, header.orientation


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image, whole or not at all, in the format its ending names (PNG, JPEG, ...).

    Parameters
    ----------
    path : path
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


def check_regular(path: str | Path) -> None:
    """Refuse what is no ordinary file: a folder, and a pipe or device, which would be waited for without end.

    Raises
    ------
    FileNotFoundError
        If there is nothing at that path, or a link to nothing.
    ValueError
        If it is something else than a file, or may not be looked at.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        where = f"a link to {os.readlink(path)}, which is not there" if path.is_symlink() else "no file or folder"
        raise FileNotFoundError(f"{path} is {where}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be opened ({_reason(error)}). Check the path and the permissions.") from error
    if stat.S_ISDIR(mode):
        raise ValueError(f"{path} is a folder, where a file is wanted.")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path} is a pipe or a device, not a file. Save what it gives as a file first.")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong with an image into a ValueError that names its file."""
    try:
        yield
    except _Damaged as error:
        raise ValueError(f"{path} {error}") from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({_reason(error)}). Check the file and its permissions.") from error
    except (cv2.error, MemoryError, OverflowError, struct.error) as error:
        raise ValueError(f"{path} cannot be decoded ({' '.join(str(error).split())}). Is it damaged?") from error


def _decode(path: str | Path, flag: int) -> np.ndarray:
    """Decode an image file with OpenCV; with ``IMREAD_UNCHANGED`` as stored, else turned as EXIF says."""
    with _naming(path):
        check_regular(path)
        size = os.path.getsize(path)
        if size > max_pixels() * _BYTES_PER_PIXEL:
            raise _Damaged(f"is {size / 1e9:.1f} GB long: no image of a size that is read.")
        data = Path(path).read_bytes()  # not cv2.imread: that cannot take every name, nor any but ASCII on Windows
        header = _header(io.BytesIO(data))
        check_size(path, header.height, header.width)
        pixels = np.frombuffer(data, np.uint8)
        # OpenCV turns nothing, with IMREAD_UNCHANGED (-1) never and else if told so; but always the images of a TIFF.
        image = cv2.imdecode(pixels, flag if flag < 0 else flag | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise _Damaged("is not an image that can be read. Is it damaged, or another kind of file?")
        if flag >= 0 and not header.is_turned:
            image = _turned(image, header.orientation)
        if flag >= 0 and image.shape[:2] != header.shape:
            raise _Damaged("says one size in its header and holds another. Is it damaged?")
        return image


def _turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror a stored picture to how it is meant to be seen (EXIF orientation 1 to 8)."""
    if orientation == 1:
        return image
    if orientation >= 5:
        image = cv2.transpose(image)
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    return cv2.flip(image, flips[orientation]) if orientation in flips else image


def _header(file: io.BufferedIOBase | io.BufferedReader) -> _Header:
    """Size and orientation of the image in an open file; PNG and JPEG by hand, which is quick, the rest by Pillow."""
    start = file.read(8)
    if start == _PNG:
        return _png_header(file)
    if start[:2] == _JPEG:
        file.seek(2)
        return _jpeg_header(file)
    file.seek(0)
    return _other_header(file)


def _png_header(file: io.BufferedIOBase) -> _Header:
    """Walk over the chunks of a PNG; each must lie within the file."""
    size = file.seek(0, os.SEEK_END)
    position, shape, orientation = len(_PNG), None, 1
    while position < size:
        file.seek(position)
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        length, kind = struct.unpack(">I4s", chunk)
        if position + 12 + length > size:
            raise _Damaged(_CUT_OFF)
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack(">II", file.read(8))
            shape = height, width
        elif kind == b"eXIf":
            orientation = _exif_orientation(file.read(length))
        elif kind == b"IEND":
            if shape is None:
                break
            return _Header(*shape, orientation)
        position += 12 + length
    raise _Damaged(_CUT_OFF)


def _jpeg_header(file: io.BufferedIOBase) -> _Header:
    """Walk over the segments of a JPEG to the one that holds the size."""
    orientation = 1
    while (marker := _next_marker(file)) is not None:
        if marker in (0x01, 0xD8) or 0xD0 <= marker <= 0xD7:  # these stand alone
            continue
        head = file.read(2)
        if len(head) < 2 or marker == 0xD9:
            break
        (length,) = struct.unpack(">H", head)
        segment = file.read(max(length - 2, 0))
        if len(segment) < length - 2:
            break
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER:
            if len(segment) < 5:
                break
            height, width = struct.unpack(">HH", segment[1:5])
            _check_jpeg_ends(file)
            return _Header(height, width, orientation)
        if marker == 0xE1 and segment[:6] == b"Exif\0\0":
            orientation = _exif_orientation(segment[6:])
    raise _Damaged(_CUT_OFF)


def _next_marker(file: io.BufferedIOBase) -> int | None:
    """The next marker of a JPEG, past any filling bytes."""
    byte = file.read(1)
    if byte != b"\xff":
        return None
    while byte == b"\xff":
        byte = file.read(1)
    return byte[0] if byte else None


def _other_header(file: io.BufferedIOBase | io.BufferedReader) -> _Header:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow has its own mind about what is too large; ours is asked next
            with Image.open(file) as image:  # type: ignore[arg-type, unused-ignore]
                width, height = image.size
                orientation = _valid_orientation(lambda: image.getexif().get(_ORIENTATION, 1))
                return _Header(height, width, orientation, is_turned=image.format == "TIFF")
    except Image.DecompressionBombError:
        raise _Damaged("claims a picture of more than 178 million pixels, which is not read.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error, MemoryError, OverflowError):
        raise _Damaged("is not an image that can be read. Is it damaged, or another kind of file?") from None


def _exif_orientation(block: bytes) -> int:
    from PIL import Image

    def read() -> object:
        exif = Image.Exif()
        exif.load(block)
        return exif.get(_ORIENTATION, 1)

    return _valid_orientation(read)


def _valid_orientation(read: Callable[[], object]) -> int:
    """The orientation, or 1 where the EXIF data are damaged or say something that does not exist."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            orientation = read()
    except Exception:  # Pillow parses untrusted data here and raises all kinds; a viewer shows the picture unturned
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _check_jpeg_ends(file: io.BufferedIOBase) -> None:
    """Refuse a JPEG that is cut off: OpenCV would fill up what is missing with grey."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 2, 0))
    if file.read(2) == _JPEG_END:
        return
    file.seek(0)  # something may lie behind the picture, as other data of a camera: look for its end in all of it
    data = file.read()
    if data.rfind(_JPEG_END) <= data.rfind(b"\xff\xda"):  # the start of its last scan, if it comes to that
        raise _Damaged(_CUT_OFF)
