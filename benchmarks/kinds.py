"""What can be damaged, and the command that then reads it: the kinds of inputs of the fuzz campaign."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import mutants
from benchmarks.inputs import LABEL, NET

_LABEL, _NET = f"{' '.join(LABEL)} --out out", f"{' '.join(NET)} --quiet --out out"
_EVALUATE = "evaluate in/pred in/cdnet/ped/groundtruth"
_SEGMENT = "--weights in/net/model.safetensors --device cpu --quiet --out out"
_RUN = "--encoder test_resnet --steps 2 --long-side 64 --device cpu --quiet --every 3 --min-size 2 --out out"


@dataclass(frozen=True)
class Way:
    """One way to damage something: what is copied (``a>b``: as b), which of it is damaged how, and the command."""

    copies: str
    target: str
    mutate: mutants.Mutator | None
    command: str


def _videos() -> list[Way]:
    ways = []
    for ending in ("mp4", "avi", "mkv", "webm"):
        clip = f"in/videos/clip.{ending}"
        ways += [Way(clip, clip, mutants.damaged, f"label {clip} {_LABEL}")] * 3
        ways.append(Way(f"{clip} in/net", clip, mutants.damaged, f"segment {clip} {_SEGMENT}"))
    return ways


def _frames() -> list[Way]:
    ways = []
    for folder in ("png", "jpg", "bmp", "tif", "exif"):
        ways += [Way(f"in/{folder}", f"in/{folder}/*", mutants.image, f"label in/{folder} {_LABEL}")] * 3
        ways.append(Way(f"in/{folder} in/net", f"in/{folder}/*", mutants.image, f"segment in/{folder} {_SEGMENT}"))
    return ways


KINDS: dict[str, list[Way]] = {
    "video": _videos(),
    "frames": _frames(),
    "pairs": [
        Way("in/pairs", "in/pairs/clip/*/*", mutants.image, f"train in/pairs --epochs 1 {_NET}"),
        Way("in/pairs_jpg", "in/pairs_jpg/clip/*/*", mutants.image, f"train in/pairs_jpg --epochs 1 {_NET}"),
        Way("in/pairs", "in/pairs/clip/*/*", mutants.image,
            "labelme write in/pairs/clip/masks in/pairs/clip/frames --out out"),
    ],
    "manifest.json": [
        Way("in/png labelled>out", "out/png/manifest.json", mutants.json_text, f"label in/png {_LABEL}"),
        Way("in/png refined>out", "out/png/manifest.json", mutants.json_text, f"label in/png --refine {_LABEL}"),
    ],
    "frames.json": [
        Way("in/png refined>out", "out/png/frames.json", mutants.json_text, f"label in/png --refine {_LABEL}"),
        Way("segmented>in/seg in/cdnet", "in/seg/frames.json", mutants.json_text,
            "evaluate in/seg/masks in/cdnet/ped/groundtruth"),
        Way("labelled>in/lab in/png", "in/lab/png/frames.json", mutants.json_text,
            "labelme write in/lab/png/masks in/png --out out"),
    ],
    "segment.json": [
        Way("in/png in/net segmented>out", "out/segment.json", mutants.json_text, f"segment in/png {_SEGMENT}"),
    ],
    "config.toml": [  # compiling takes minutes, and keeps what it makes in a folder of torch's own
        Way("in/pairs in/net", "in/net/config.toml", mutants.toml_text,
            f"train in/pairs --config in/net/config.toml --epochs 1 --set compile=false {_NET}"),
    ],
    "LabelMe": [
        Way("in/lm", "in/lm/*.json", mutants.json_text, "labelme read in/lm --out out"),
        Way("in/lm", "in/lm/*.json", mutants.json_text, "labelme read in/lm --out out --label crowd"),
    ],
    "weights": [
        Way("in/videos/clip.mp4 in/net", "in/net/model.safetensors", mutants.safetensors,
            f"segment in/videos/clip.mp4 --every 7 {_SEGMENT}"),
    ],
    "encoder weights": [
        Way("in/pairs in/encoder.safetensors", "in/encoder.safetensors", mutants.safetensors,
            f"train in/pairs --encoder-weights in/encoder.safetensors --epochs 1 {_NET}"),
        Way("in/pairs in/encoder.pth", "in/encoder.pth", mutants.pickled,
            f"train in/pairs --encoder-weights in/encoder.pth --epochs 1 {_NET}"),
    ],
    "checkpoint": [
        Way("in/pairs half-trained>out", "out/checkpoint.pt", mutants.pickled,
            f"train in/pairs --epochs 2 --validate in/pairs {_NET}"),
    ],
    "log.csv": [
        Way("in/pairs half-trained>out", "out/log.csv", mutants.table_text,
            f"train in/pairs --epochs 2 --validate in/pairs {_NET}"),
    ],
    "tracklets": [
        Way("in/crowd", "in/crowd/001-1/klt*", mutants.table_text, "tracklets in/crowd/001-1"),  # no command: a call
        Way("in/crowd", "in/crowd/001-1/*.txt", mutants.table_text, "clips cmd in/crowd"),
    ],
    "truth": [
        Way("in/pred in/cdnet", "in/cdnet/ped/groundtruth/*", mutants.image, _EVALUATE),
        Way("in/pred in/cdnet", "in/pred/*", mutants.image, f"{_EVALUATE} --json out/scores.json"),
        Way("in/pred in/cdnet", "in/cdnet/ped/*.txt", mutants.table_text, _EVALUATE),
        Way("in/cdnet", "in/cdnet/ped/*.txt", mutants.table_text, "clips cdnet in/cdnet"),
    ],
    "arguments": [
        Way(copies, "", None, command)
        for copies, command in (
            ("in/png", f"label in/png --radius 6 -k 20 -z 0.01 --threshold 0.6 --min-speed 0.2 {_LABEL}"),
            ("in/videos/clip.mp4", f"label in/videos/clip.mp4 --refine {_LABEL}"),
            ("in/png in/net", f"segment in/png --every 3 --threshold 0.5 --batch-size 8 {_SEGMENT}"),
            ("in/pairs", f"train in/pairs --epochs 1 --lr 0.02 --seed 0 --workers 0 --validate in/pairs {_NET}"),
            ("in/pairs", f"train in/pairs --epochs 1 --loss dice --schedule cosine --augmentation real {_NET}"),
            ("in/png in/pred", f"run in/png --truth in/pred {_RUN}"),
            ("in/pred in/cdnet", f"{_EVALUATE} --json out/scores.json"),
            ("in/png in/pred", "labelme write in/pred in/png --out out --label crowd --tolerance 1 --min-area 25"),
            ("in/lm", "labelme read in/lm --out out --label crowd"),
            ("in/crowd", "clips cmd in/crowd"),
            ("in/cdnet", "scenes out --split validation --clips 1 --frames 1"),
            ("in/png", "notebooks out --student"),
        )
    ],
}  # fmt: skip
# Options whose large numbers only take long or start many processes: that is what was asked for.
LARGE = ("--epochs", "--steps", "--clips", "--frames", "--rounds", "--devices", "--num-nodes")
