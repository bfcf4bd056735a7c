"""A video file read forward through OpenCV, with what OpenCV does not say of itself.

OpenCV takes a name with a colon for an address, dies of a name that is not Unicode, ends a video at the first
damaged packet, and gives whatever lies in memory where a picture cannot be converted (interlaced video, OpenCV 5).
All of this is seen to here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from mpas_lite.video.containers import codec_of, is_playlist
from mpas_lite.video.limits import check_regular, check_size

_PATIENCE = 500  # failed attempts in a row after which the video is at its end; a few ms in all
_DELAY = 64  # frames that a decoder may hold back
_SAMPLE = 37  # of every so many rows one is compared first
_CODECS = {"av01": "AV1 video", "vvc1": "H.266/VVC video", "hev1": "HEVC video", "hvc1": "HEVC video"}
_ONE_AT_A_TIME = threading.RLock()  # threads that catch at once would leave the file to each other
_ALONE = "import cv2, sys; c = cv2.VideoCapture(sys.argv[1]); c.read(); c.read()"


class Capture:
    """A video file, read forward.

    Attributes
    ----------
    index : int
        Of the frame that was grabbed last, -1 before the first. Damaged frames that were passed over are counted,
        as far as the time stamps tell.
    gaps : list of (int, int)
        First and last index of each run of frames that could not be decoded, though later ones could.
    fps, claimed : float, float
        As the container says, whatever that is.
    """

    def __init__(self, path: Path) -> None:
        check_regular(path)
        try:
            playlist = is_playlist(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror}). Check its permissions.") from error
        if playlist:
            raise ValueError(f"{path} is a list of other files or addresses, no video. Give the video itself.")
        self._path = path
        with plain_path(path) as name, standard_error() as said:
            self._capture = cv2.VideoCapture(name)
        if not self._capture.isOpened():
            raise ValueError(_why_not(path, said.text, opened=False))
        check_size(path, *(int(self._get(p)) for p in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)))
        self.fps = self._get(cv2.CAP_PROP_FPS)
        self.claimed = self._get(cv2.CAP_PROP_FRAME_COUNT)
        self.index = -1
        self.gaps: list[tuple[int, int]] = []
        self._time: float | None = None  # of the frame grabbed last, in ms
        self._damaged = 0  # failed attempts whose gap was not seen yet
        self._watched = 0  # so many frames on, a gap is looked for
        self._last: np.ndarray | None = None  # the picture retrieved last
        self._said = ""  # by ffmpeg on the way to the first frame

    def _get(self, what: int) -> float:
        value = float(self._capture.get(what))
        return value if np.isfinite(value) else 0.0

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def grab(self) -> bool:
        """Go to the next frame that can be decoded; False at the end of the video."""
        if self.index >= 0:
            return self._grab()
        with standard_error() as said:  # a file without a frame says the same a hundred times
            found = self._grab()
        self._said = said.text
        return found

    def _grab(self) -> bool:
        failed = 0
        while not self._capture.grab():  # also after a damaged packet, behind which the video may go on
            failed += 1
            if failed == _PATIENCE:
                return False
        time = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        if failed:
            self._damaged, self._watched = self._damaged + failed, _DELAY
        if self._watched:
            self._pass_over(self._lost(time, failed))
            self._watched -= 1
        self.index += 1
        self._time = time
        return True

    def _pass_over(self, lost: int) -> None:
        if lost:
            self.gaps.append((self.index + 1, self.index + lost))
            self.index += lost
            self._damaged -= lost
            self._watched = _DELAY if self._damaged > 0 else 1
        if self._watched == 1:
            self._damaged = 0

    def _lost(self, time: float, failed: int) -> int:
        """How many frames are missing between the last one and that at ``time``.

        A decoder says that a packet is damaged when it takes it in, and gives out some frames that it still has: the
        gap comes a little later, and the time stamps tell where. Without credible ones it is taken to be here. Frames
        that are lost without a failed attempt are not known: many a good video has no steady rate.
        """
        begin = -1000 / self.fps if self._time is None and self.fps > 0 else self._time
        if begin is None or not time > begin:
            return failed
        lost = round((time - begin) * self.fps / 1000) - 1
        return lost if 0 <= lost <= 10 * self._damaged + 10 else failed

    def retrieve(self) -> np.ndarray | None:
        """The grabbed frame, (H, W, 3) uint8 BGR; None if there is none.

        Raises
        ------
        ValueError
            If OpenCV gives something else than the picture.
        """
        if self._last is None:
            with standard_error() as said:
                decodes, image = self._capture.retrieve()
            self._check_converted(said.text)
        else:
            decodes, image = self._capture.retrieve()
            if decodes and _same(image, self._last):  # a still picture, or one that was never converted
                self._check_converted(self._complaints())
        if not decodes or image is None:
            return None
        self._last = image
        return image

    def _complaints(self) -> str:
        """What is said while the frame is converted once more."""
        if os.name == "nt":  # ffmpeg's own standard error cannot be taken hold of from here
            return complaints_alone(self._path) if self.index == 1 else ""
        with standard_error() as said:
            self._capture.retrieve()
        return said.text

    def _check_converted(self, said: str) -> None:
        if "interlaced to progressive" in said:
            raise ValueError(
                f"{self._path}: frame {self.index} is interlaced, which this OpenCV ({cv2.__version__}) cannot "
                f"convert: it would give the same wrong picture for every frame. Deinterlace the video first: "
                f"{_ffmpeg_line(self._path, '-vf yadif', 'progressive')}"
            )
        if "(Invalid argument): fmt:" in said:
            raise ValueError(
                f"{self._path}: frame {self.index} has a picture format that this OpenCV ({cv2.__version__}) cannot "
                f"convert. Convert the video first: {_ffmpeg_line(self._path, '', 'converted')}"
            )

    def no_frame(self) -> str:
        """Why not a single frame could be decoded, in a sentence."""
        return _why_not(self._path, self._said, opened=True, code=int(self._get(cv2.CAP_PROP_FOURCC)))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two pictures are equal; few rows tell that most are not."""
    return a.shape == b.shape and np.array_equal(a[::_SAMPLE], b[::_SAMPLE]) and np.array_equal(a, b)


def _why_not(path: Path, said: str, *, opened: bool, code: int = 0) -> str:
    """Why a file gives no frame: this OpenCV lacks the codec, or the file is no good."""
    four = code.to_bytes(4, "little").decode("ascii", "replace") if 0 < code < 2**32 else ""
    if "Could not find decoder" in said or "hardware accelerated" in said:
        four = (codec_of(path) or four).strip("\0 ")
        codec = _CODECS.get(four.lower(), f"{four} video" if four.isprintable() and four else "video")
        return (
            f"{path} holds {codec}, for which this OpenCV ({cv2.__version__}) has no decoder. Convert it first: "
            f"{_ffmpeg_line(path, '', 'h264')}"
        )
    if opened:
        return f"{path} holds no frame that can be decoded. Is it empty, or cut off at the start?"
    return f"{path} is not a video that OpenCV can open. Is it damaged, or another kind of file?"


def _ffmpeg_line(path: Path, filters: str, what: str) -> str:
    new = path.with_name(f"{path.stem}-{what}.mp4")
    words = ["ffmpeg", "-i", shlex.quote(str(path)), filters, "-c:v libx264 -crf 18 -pix_fmt yuv420p -an"]
    return " ".join([word for word in words if word] + [shlex.quote(str(new))])


@contextmanager
def plain_path(path: str | Path) -> Iterator[str]:
    """A name of an existing file that OpenCV can take, for as long as it takes to open it.

    The absolute path, so that ``2021-05-01T12:30:00.mp4`` is no address. Where it is not Unicode (a name of the days
    of Latin-1), OpenCV would die of it: a link with a plain name stands for it.

    Examples
    --------
    >>> with plain_path("2021-05-01T12:30:00.mp4") as name:
    ...     os.path.isabs(name)
    True
    """
    absolute = os.path.abspath(path)
    try:
        absolute.encode("utf-8")
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            ending = "".join(c for c in os.path.splitext(absolute)[1] if c.isascii())
            link = os.path.join(folder, f"video{ending}")
            try:
                os.symlink(absolute, link)
            except OSError as error:
                raise ValueError(f"{absolute!a} has a name that OpenCV cannot take. Rename the file.") from error
            yield link
        return
    yield absolute


class _Said:
    """What was written to standard error."""

    text = ""


@contextmanager
def standard_error() -> Iterator[_Said]:
    """Catch what libraries write to standard error (file 2 of the process); nothing where that cannot be caught."""
    said = _Said()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as file:
        try:
            kept = os.dup(2)
        except OSError:
            yield said
            return
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            said.text = file.read(100_000).decode("utf-8", "replace")


def complaints_alone(path: Path) -> str:
    """What a process of its own writes to standard error while it reads the first two frames of a video."""
    with plain_path(path) as name:
        command = [sys.executable, "-c", _ALONE, name]
        try:
            done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        except (OSError, subprocess.SubprocessError):
            return ""
    return done.stderr.decode("utf-8", "replace")
