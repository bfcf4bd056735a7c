"""What the bytes of a video file say about it that OpenCV does not: what an MP4 shows, and which codec it wants."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0\r\n", b"v=0\n", b"<?xml", b"<MPD", b"<smil")
_HOLDERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"})
_MOST_BOXES = 100_000  # of a sane file: what claims more is not walked through


class _Box(NamedTuple):
    kind: bytes
    start: int  # of its content
    end: int


class Track(NamedTuple):
    """The video track of an MP4 or MOV file: its codec's four letters, and how many frames it shows."""

    codec: str
    frames: int | None


def is_playlist(path: str | Path) -> bool:
    """Whether a file is a list of addresses or of other files, which ffmpeg would follow, and no video itself."""
    with open(path, "rb") as file:
        start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    return start.startswith(_PLAYLISTS)


def counts_frames(path: str | Path) -> bool:
    """Whether a file is of a kind that says how many frames, or seconds, it holds; MPEG streams do not."""
    with open(path, "rb") as file:
        start = file.read(5)
    return not (start[:3] == b"\0\0\1" or start[:4] == b"\0\0\0\1" or start[:1] == b"G" or start[4:] == b"G")


def codec_of(path: str | Path) -> str | None:
    """The four letters by which an MP4, MOV or AVI file names the codec of its video; None where it does not."""
    track = mp4_track(path)
    if track is not None:
        return track.codec
    with open(path, "rb") as file:
        start = file.read(4096)
    at = start.find(b"vids")
    if start[:4] != b"RIFF" or at < 0:
        return None
    return start[at + 4 : at + 8].decode("ascii", "replace")


def mp4_track(path: str | Path) -> Track | None:
    """The first video track of an MP4 or MOV file; None for other files and damaged ones.

    An edit list shows a part of what is stored, as where a phone trims a clip without copying it: ``frames`` is the
    number of frames in that part, to a frame or so; None where there is no edit list.
    """
    try:
        with open(path, "rb") as file:
            return _video_track(file)
    except (OSError, struct.error, ValueError, ZeroDivisionError, OverflowError):
        return None


def _video_track(file: BinaryIO) -> Track | None:
    size = file.seek(0, 2)
    file.seek(4)
    if file.read(4) not in (b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"):
        return None
    movie_scale = None
    track: dict[bytes, _Box] = {}
    for box in _boxes(file, 0, size):
        if box.kind == b"mvhd":
            movie_scale = _scale_and_duration(file, box)[0]
        elif box.kind == b"trak":
            track = {}
        elif box.kind in (b"elst", b"mdhd", b"hdlr", b"stts", b"stsd"):
            track[box.kind] = box
        if box.kind == b"hdlr" and _read(file, box, 8, 4) != b"vide":
            track = {}
        if {b"mdhd", b"hdlr", b"stts", b"stsd"} <= track.keys():
            codec = _read(file, track[b"stsd"], 12, 4).decode("ascii", "replace")
            edited = b"elst" in track and movie_scale
            return Track(codec, _shown(file, track, movie_scale) if edited and movie_scale else None)
    return None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """Boxes in the order of the file, those that hold others before what they hold."""
    todo, walked = [(start, end)], 0
    while todo:
        start, end = todo.pop()
        if end - start < 8 or walked > _MOST_BOXES:
            continue
        walked += 1
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            content += 8
        elif length == 0:
            length = end - start
        if start + length < content or start + length > end:
            continue
        todo.append((start + length, end))
        if kind in _HOLDERS:
            todo.append((content, start + length))
        yield _Box(kind, content, start + length)


def _read(file: BinaryIO, box: _Box, offset: int, length: int) -> bytes:
    file.seek(box.start + offset)
    return file.read(min(length, max(box.end - box.start - offset, 0)))


def _scale_and_duration(file: BinaryIO, box: _Box) -> tuple[int, int]:
    """Units a second, and the length in those, of an mvhd or mdhd box."""
    if _read(file, box, 0, 1) == b"\x01":
        return struct.unpack(">IQ", _read(file, box, 20, 12))
    return struct.unpack(">II", _read(file, box, 12, 8))


def _shown(file: BinaryIO, track: dict[bytes, _Box], movie_scale: int) -> int:
    """Number of frames within the edits, from their length and the mean rate of the frames."""
    (entries,) = struct.unpack(">I", _read(file, track[b"stts"], 4, 4))
    runs = _read(file, track[b"stts"], 8, 8 * min(entries, 1_000_000))
    samples = sum(count for count, _ in struct.iter_unpack(">II", runs))
    units = sum(count * step for count, step in struct.iter_unpack(">II", runs))
    scale, _ = _scale_and_duration(file, track[b"mdhd"])
    return min(samples, round(_edited_seconds(file, track[b"elst"], movie_scale) * samples * scale / units))


def _edited_seconds(file: BinaryIO, box: _Box, movie_scale: int) -> float:
    """Length of the edits that show something (an empty edit, media time -1, delays the start)."""
    form = ">QqI" if _read(file, box, 0, 1) == b"\x01" else ">IiI"
    (entries,) = struct.unpack(">I", _read(file, box, 4, 4))
    edits = _read(file, box, 8, struct.calcsize(form) * min(entries, 10_000))
    return sum(length for length, time, _ in struct.iter_unpack(form, edits) if time >= 0) / movie_scale
