"""What an image file says of itself, and whether all of it is there; nothing is decoded.

PNG and JPEG are walked through by hand, which is quick; the rest is left to Pillow.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Callable
from typing import NamedTuple

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_CUT_OFF = "ends before its picture does: it is cut off or damaged. Replace or remove it."
_NO_FRAME_HEADER = frozenset({0xC4, 0xC8, 0xCC})  # of the JPEG markers C0 to CF, those that hold no size
_ORIENTATION = 0x0112  # EXIF tag


class ImageHeader(NamedTuple):
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


class Damaged(Exception):
    """Why an image cannot be read, as the end of a sentence that names the file."""


def read_header(file: io.BufferedIOBase | io.BufferedReader) -> ImageHeader:
    """Size and orientation of the image in an open file; PNG and JPEG by hand, which is quick, the rest by Pillow."""
    start = file.read(8)
    if start == _PNG:
        return _png_header(file)
    if start[:2] == _JPEG:
        file.seek(2)
        return _jpeg_header(file)
    file.seek(0)
    return _other_header(file)


def _png_header(file: io.BufferedIOBase) -> ImageHeader:
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
            raise Damaged(_CUT_OFF)
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack(">II", file.read(8))
            shape = height, width
        elif kind == b"eXIf":
            orientation = _exif_orientation(file.read(length))
        elif kind == b"IEND":
            if shape is None:
                break
            return ImageHeader(*shape, orientation)
        position += 12 + length
    raise Damaged(_CUT_OFF)


def _jpeg_header(file: io.BufferedIOBase) -> ImageHeader:
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
            return ImageHeader(height, width, orientation)
        if marker == 0xE1 and segment[:6] == b"Exif\0\0":
            orientation = _exif_orientation(segment[6:])
    raise Damaged(_CUT_OFF)


def _next_marker(file: io.BufferedIOBase) -> int | None:
    """The next marker of a JPEG, past any filling bytes."""
    byte = file.read(1)
    if byte != b"\xff":
        return None
    while byte == b"\xff":
        byte = file.read(1)
    return byte[0] if byte else None


def _check_jpeg_ends(file: io.BufferedIOBase) -> None:
    """Refuse a JPEG that is cut off: OpenCV would fill up what is missing with grey."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 2, 0))
    if file.read(2) == _JPEG_END:
        return
    file.seek(0)  # something may lie behind the picture, as other data of a camera: look for its end in all of it
    data = file.read()
    if data.rfind(_JPEG_END) <= data.rfind(b"\xff\xda"):  # the start of its last scan, if it comes to that
        raise Damaged(_CUT_OFF)


def _other_header(file: io.BufferedIOBase | io.BufferedReader) -> ImageHeader:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow has its own mind about what is too large; ours is asked next
            with Image.open(file) as image:  # type: ignore[arg-type, unused-ignore]
                width, height = image.size
                orientation = _valid_orientation(lambda: image.getexif().get(_ORIENTATION, 1))
                return ImageHeader(height, width, orientation, is_turned=image.format == "TIFF")
    except Image.DecompressionBombError:
        raise Damaged("claims a picture of more than 178 million pixels, which is not read.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error, MemoryError, OverflowError):
        raise Damaged("is not an image that can be read. Is it damaged, or another kind of file?") from None


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
