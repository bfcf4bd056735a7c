"""What is refused before it is opened: pipes and devices, and pictures that are too large.

The limit is 64 million pixels (4K video has 8). The environment variable ``MPAS_LITE_MAX_MEGAPIXELS`` raises it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mpas_lite.files.sentences import reason_of

MAX_PIXELS = 64_000_000
LIMIT_VARIABLE = "MPAS_LITE_MAX_MEGAPIXELS"


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
        raise ValueError(
            f"{path} cannot be opened ({reason_of(error)}). Check the path and the permissions."
        ) from error
    if stat.S_ISDIR(mode):
        raise ValueError(f"{path} is a folder, where a file is wanted.")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path} is a pipe or a device, not a file. Save what it gives as a file first.")
