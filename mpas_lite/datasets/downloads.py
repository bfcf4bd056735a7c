"""Files that may be downloaded freely: fetched once, checked by their sha256, kept in a cache folder.

The cache is the folder that the environment variable ``MPAS_LITE_DATA`` names, else the operating system's place
for such things (``~/.cache/mpas_lite`` on Linux). A download that breaks off leaves what it has beside the file's
place, and the next attempt goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pooch
from tqdm.auto import tqdm

from mpas_lite.files.ledger import HOME, NotOurs, lock_folder

_TIMEOUT = (10.0, 30.0)  # s, to connect and between two pieces
_PIECE = 1 << 16  # bytes
_KEPT = "download-"  # what a download that broke off has, in the folder's .mpas_lite


class DownloadError(ValueError):
    """A file could not be had: no connection, no such file, or not the file that was expected."""


@dataclass(frozen=True)
class Remote:
    """A file that can be had from the net.

    Attributes
    ----------
    url : str
    sha256 : str
        64 hexadecimal digits. What has another sum is refused.
    about : str
        What it is and on what terms.
    """

    url: str
    sha256: str
    about: str


REGISTRY: Mapping[str, Remote] = MappingProxyType(
    {
        "vtest.avi": Remote(
            "https://raw.githubusercontent.com/opencv/opencv/4.10.0/samples/data/vtest.avi",
            "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
            "Sequence S2.L1 of PETS 2009 as OpenCV's samples carry it: 795 frames of 768x576, up to 8 people. "
            "From the source repository of OpenCV, which is under the Apache licence 2.0.",
        ),
    }
)


def cache_folder() -> Path:
    """The folder that downloads are kept in: ``$MPAS_LITE_DATA``, else the operating system's cache."""
    chosen = os.environ.get("MPAS_LITE_DATA")
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("mpas_lite"))


def download(
    name: str,
    *,
    folder: str | Path | None = None,
    progress: bool = True,
    registry: Mapping[str, Remote] = REGISTRY,
) -> Path:
    """Get a file, from the cache if it is there, else from the net.

    Parameters
    ----------
    name : str
        One of :data:`REGISTRY`, such as ``vtest.avi``.
    folder : str or Path, optional
        Where to keep it; :func:`cache_folder` by default.
    progress : bool
        Show a progress bar.
    registry : mapping from str to Remote
        What can be had.

    Returns
    -------
    Path
        The file; its sha256 is the one in the registry.

    Raises
    ------
    DownloadError
        If there is no connection or it breaks off (give the same call again: it goes on where it stopped), the
        server has no such file, or what it sends is another file. A ValueError.
    ValueError
        If no file of that name is known, or another process is downloading into the folder.
    """
    if name not in registry:
        raise ValueError(f"There is no file {name!r} to download; there are: {', '.join(registry)}.")
    remote = registry[name]
    place = (cache_folder() if folder is None else Path(folder)).expanduser()
    path, partial = place / name, place / HOME / f"{_KEPT}{name}"
    if path.is_file() and pooch.file_hash(str(path)) == remote.sha256:
        return path
    if folder is not None and os.path.lexists(path):  # in the cache it can only be ours, and damaged
        raise NotOurs(
            f"{path} is there already and is not the {name} that is expected: its sha256 differs. It stays as it is: "
            "move it away, or choose another folder with --out."
        )
    with ExitStack() as held:
        try:
            held.enter_context(lock_folder(place))
        except ValueError as error:
            if "in use" not in str(error):
                raise
            raise ValueError(f"Another process is downloading into {place}. Wait for it to end.") from None
        store = pooch.create(place, base_url="", registry={name: f"sha256:{remote.sha256}"}, urls={name: remote.url})
        went_on = partial.exists()
        try:
            _fetch(store, name, partial, progress)
        except _OtherFile as error:
            # What was left of an earlier attempt may be to blame: once more, from the start.
            if not went_on:
                raise DownloadError(str(error)) from None
            try:
                _fetch(store, name, partial, progress)
            except _OtherFile as again:
                raise DownloadError(str(again)) from None
    return path


class _OtherFile(Exception):
    """All of it came, and its sha256 is not the one expected."""


def _fetch(store: pooch.Pooch, name: str, partial: Path, progress: bool) -> None:
    """Download through pooch, which checks the sum and puts the file in its place whole or not at all."""

    def downloader(url: str, output: str | Path, _: Any) -> None:
        _go_on(url, partial, name, progress)
        os.replace(partial, output)  # from here on a wrong sum leaves nothing behind

    try:
        store.fetch(name, downloader=downloader)
    except DownloadError:
        raise
    except ValueError:  # pooch's word for a wrong sum
        raise _OtherFile(
            f"What {store.get_url(name)} sends is not the {name} that is expected: its sha256 differs. It was not "
            "kept. Does a proxy or a login page stand in between?"
        ) from None


def _go_on(url: str, partial: Path, name: str, progress: bool) -> None:
    """Download into ``partial``, going on from what is there if the server can."""
    import requests

    start = partial.stat().st_size if partial.exists() else 0
    # Not compressed on the way, lest the bytes of a range be counted in another file than ours.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    bar = tqdm(total=start + 1, desc=name, unit="B", unit_scale=True, disable=not progress)  # pooch sets its total
    with bar, open(partial, "ab") as file:

        def begin(response: requests.Response, **_: Any) -> None:
            nonlocal start
            if response.status_code == 200:  # the server sends all of it, asked or not
                start = file.truncate(0)

        get = pooch.HTTPDownloader(bar, _PIECE, headers=headers, timeout=_TIMEOUT, hooks={"response": begin})
        try:
            get(url, file, None)
        except requests.HTTPError as error:
            if error.response.status_code == 416:  # nothing lies beyond what we have: then all of it is there
                return
            raise DownloadError(
                f"{url} cannot be had: the server answers {error.response.status_code}. "
                "Is there a newer version of mpas_lite, which knows where the file is now?"
            ) from None
        except requests.RequestException as error:
            raise DownloadError(_broke_off(name, url, partial.stat().st_size, type(error).__name__)) from None
        announced = start + int(bar.total or 0)
        if (received := partial.stat().st_size) < announced:  # some versions of requests say nothing of it
            raise DownloadError(_broke_off(name, url, received, f"{announced} were announced"))


def _broke_off(name: str, url: str, received: int, reason: str) -> str:
    if not received:
        return f"{name} cannot be downloaded from {url} ({reason}). Is there a connection to the internet?"
    return (
        f"The download of {name} broke off after {received} bytes ({reason}). Do the same again: it goes on from there."
    )
