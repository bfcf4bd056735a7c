"""Everything that only a GPU can show, as one Markdown table, in a few minutes on one GPU.

    python -m benchmarks.gpu_check
    python -m benchmarks.gpu_check --only segment --only resume
    python -m benchmarks.gpu_check --small          # anywhere, also on a CPU: does it run at all?

Each part prints its rows as soon as it has them; a part that fails says so in its row, and the next one begins.
The table of the last run stands in benchmarks/README.md.
"""

from __future__ import annotations

import copy
import math
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from lightning_fabric import Fabric

from benchmarks.gpu_training import WARM_UP, bare, training, wait, write_pairs
from mpas_lite import MPASNet, fit, recalibrate_batch_norm, segment
from mpas_lite.experiments.reproduction import reproduce
from mpas_lite.experiments.settings import ReproduceSettings

Row = tuple[str, str, str]  # what, measured, aim

# Means and standard deviations of three seeds on a CPU, from RESULTS.md: hrnet_w18_small from scratch, 936 steps.
ON_CPU = {"dice": (0.417, 0.006), "dice-sfa-air": (0.401, 0.004)}


@dataclass(frozen=True)
class Sizes:
    """How much work: that of the paper, or a little of it."""

    encoder: str = "hrnet_w48"
    little: str = "hrnet_w18_small"
    side: int = 512
    batch: int = 8
    steps: int = 20
    rounds: int = 2
    frames: int = 64
    table: ReproduceSettings = field(default_factory=lambda: ReproduceSettings(precision="bf16-mixed"))


SMALL = Sizes(
    encoder="hrnet_w18_small", side=96, batch=2, steps=3, rounds=1, frames=4,
    table=ReproduceSettings(steps=2, train_clips=1, clips=1, frames=40, score_frames=2, long_side=96),
)  # fmt: skip


def train_ratio(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """All of ``fit`` against the network's bare forward and backward pass."""
    write_pairs(folder, s.batch * (WARM_UP + s.steps), s.side)
    net, fabric = MPASNet(s.encoder), _fabric(device, "bf16-mixed")
    rates: dict[str, list[float]] = {"bare": [], "fit": []}
    for _ in range(s.rounds):
        rates["bare"].append(bare(fabric, net, s.batch, s.side, s.steps))
        net.zero_grad(set_to_none=True)
        _reset_memory(device)
        rates["fit"].append(training(net, folder, s.batch, 1, _options(s, device, precision="bf16-mixed")))
    what = f"{s.encoder}, siamese, {s.side}x{s.side}, batch {s.batch}, bf16"
    yield f"bare forward and backward: {what}", f"{_spread(rates['bare'])} images/s", ""
    yield f"`fit`: {what}", f"{_spread(rates['fit'])} images/s, {_memory(device)}", ""
    ratio = statistics.median(rates["fit"]) / statistics.median(rates["bare"])
    yield "`fit` / bare", f"{ratio:.3f}", "at least 0.9"
    for channels_last in (False, True):
        options = _options(s, device, precision="bf16-mixed", channels_last=channels_last)
        yield f"`fit`, channels_last={channels_last}", f"{training(net, folder, s.batch, 1, options):.1f} images/s", ""


def read_workers(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """Images/s of a small network, whose GPU waits for pairs, by the number of processes that read them."""
    write_pairs(folder, s.batch * (WARM_UP + s.steps), s.side)
    net = MPASNet(s.little)
    for workers in (0, 2, 4, 8):
        options = _options(s, device, precision="bf16-mixed", workers=workers)
        rate = training(net, folder, s.batch, 1, options)
        yield f"`fit`, {s.little}, {s.side}x{s.side}, {workers} workers", f"{rate:.1f} images/s", ""


def compare_precisions(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """The loss of the same run in three precisions: what 16 bits change."""
    write_pairs(folder, s.batch * 4, s.side // 2)
    torch.manual_seed(0)
    first = MPASNet(s.little)
    curves = {}
    for precision in ("32-true", "bf16-mixed", "16-mixed"):
        with tempfile.TemporaryDirectory() as out:
            net = copy.deepcopy(first)
            fit(net, folder, out=out, epochs=3 * s.steps // 4, batch_size=s.batch, long_side=s.side // 2, lr=0.01,
                accelerator=device.type, precision=precision, progress=False, workers=0)  # fmt: skip
            curves[precision] = _losses(Path(out))
    reference = curves["32-true"]
    for precision, curve in curves.items():
        apart = np.abs(_smooth(curve) - _smooth(reference)).max()
        measured = f"loss {curve[0]:.3f} -> {curve[-5:].mean():.3f}; from float32 at most {apart:.3f} apart"
        yield f"{len(curve)} steps of {s.little}, {precision}", measured, "like float32"


def resume(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """A run that begins on one device and goes on on another, and one that is interrupted on the GPU."""
    write_pairs(folder, 12, 96)
    torch.manual_seed(0)
    first = MPASNet(s.little)

    def train(*legs: tuple[str, int]) -> tuple[MPASNet, Any]:
        net = copy.deepcopy(first)
        with tempfile.TemporaryDirectory() as out:
            for kind, epochs in legs:
                history = fit(net, folder, out=out, epochs=epochs, batch_size=4, long_side=96, lr=0.01,
                              accelerator=kind, progress=False, workers=0)  # fmt: skip
        return net, history

    whole, cpu = train((device.type, 4)), train(("cpu", 4))
    again = train((device.type, 4))
    yield "the same run twice on the GPU: weights apart by", _apart(whole[0], again[0]), "0, or as cuDNN chooses"
    halves = train((device.type, 2), (device.type, 4))
    yield "interrupted on the GPU and resumed: weights apart by", _apart(whole[0], halves[0]), "as twice the same"
    for legs in (("cpu", device.type), (device.type, "cpu")):
        _, history = train((legs[0], 2), (legs[1], 4))
        measured = f"{history.steps} steps, last loss {history.loss[-1]:.4f} (all on the CPU {cpu[1].loss[-1]:.4f})"
        yield f"begun on {legs[0]}, resumed on {legs[1]}", measured, "12 steps"


def segment_rates(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """Frames/s of ``segment``, and of the network alone in either order of memory and precision."""
    net = MPASNet(s.encoder, long_side=s.side).to(device)
    frames = np.random.default_rng(0).integers(0, 255, (s.frames, s.side * 3 // 4, s.side, 3), dtype=np.uint8)
    some = torch.from_numpy(frames[: s.batch]).permute(0, 3, 1, 2).to(device) / 255
    recalibrate_batch_norm(net, [some])  # untrained maps grow from layer to layer, and hide every difference
    list(segment(net, frames[: s.batch], device=device))  # cuDNN chooses
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        masks = list(segment(net, frames, device=device))
        rates.append(len(masks) / (time.perf_counter() - started))
    yield f"`segment`, {s.encoder}, {s.side}x{s.side * 3 // 4}", f"{_spread(rates)} frames/s", ""
    wanted = None
    for precision in ("float32", "bfloat16"):
        for name, order in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
            model, image = copy.deepcopy(net).to(memory_format=order), some.to(memory_format=order)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                prob = model(image)
                rate = s.batch / _median_seconds(lambda model=model, image=image: model(image), device)
            wanted = prob if wanted is None else wanted
            off, flipped = float((prob - wanted).abs().mean()), float(((prob > 0.5) != (wanted > 0.5)).float().mean())
            measured = f"{rate:.1f} frames/s; probabilities {off:.1e} apart, {flipped:.2%} of the mask changes"
            yield f"the network alone, {precision}, {name}", measured, ""


def compiled(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """``torch.compile``: what it costs at first and gives afterwards; ended if it takes over two minutes."""
    write_pairs(folder, s.batch * (WARM_UP + 3 * s.steps), s.side // 2)
    for compile_it in (False, True):
        code = (
            "import time, torch; from benchmarks.gpu_training import training; from mpas_lite import MPASNet\n"
            "from pathlib import Path\n"
            "if __name__ == '__main__':\n"
            "    started = time.perf_counter()\n"
            f"    rate = training(MPASNet({s.little!r}), Path({str(folder)!r}), {s.batch}, 1, "
            f"{_options(s, device, precision='bf16-mixed', compile=compile_it) | {'long_side': s.side // 2}!r})\n"
            "    print(f'{rate:.1f} images/s after the first steps, {time.perf_counter() - started:.0f} s in all')"
        )
        what = f"`fit`, {s.little}, {s.side // 2}x{s.side // 2}, compile={compile_it}"
        try:
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
            yield what, done.stdout.strip().splitlines()[-1], ""
        except subprocess.TimeoutExpired:
            yield what, "not done after 120 s", ""
        except subprocess.CalledProcessError as error:
            yield what, f"failed: {error.stderr.strip().splitlines()[-1][:200]}", ""


def table1(s: Sizes, device: torch.device, folder: Path) -> Iterator[Row]:
    """One seed of Table 1, as ``mpas-lite reproduce table1`` runs it, in bf16, beside the CPU's numbers."""
    results = reproduce("table1", folder, seeds=(0,), settings=s.table, accelerator=device.type, jobs=8,
                        progress=False, say=lambda line: print(f"  {line}", file=sys.stderr, flush=True))  # fmt: skip
    for row in results["rows"]:
        if row["run"] in ON_CPU:
            mean, std = ON_CPU[row["run"]]
            measured = f"{row['iou']['crowd']['mean']:.3f} mIoU in {sum(row['seconds']):.0f} s"
            yield f"Table 1, {row['name']}, {s.table.encoder}, {s.table.precision}, seed 0", measured, f"{mean} ± {std}"


PARTS: dict[str, Callable[[Sizes, torch.device, Path], Iterator[Row]]] = {
    "train": train_ratio,
    "workers": read_workers,
    "precision": compare_precisions,
    "resume": resume,
    "segment": segment_rates,
    "compile": compiled,
    "table1": table1,
}


def _fabric(device: torch.device, precision: Any) -> Fabric:
    return Fabric(accelerator=device.type, devices=1, precision=precision)


def _options(s: Sizes, device: torch.device, **more: Any) -> dict[str, Any]:
    return {"long_side": s.side, "accelerator": device.type, **more}


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f}" + (
        f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""
    )


def _reset_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _memory(device: torch.device) -> str:
    return f"{torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB" if device.type == "cuda" else "memory not asked"


def _losses(out: Path) -> np.ndarray:
    from mpas_lite.training.records import read_log

    return np.array([float(row["loss"]) for row in read_log(out / "log.csv")])


def _smooth(curve: np.ndarray, over: int = 5) -> np.ndarray:
    return np.convolve(curve, np.full(over, 1 / over), mode="valid") if len(curve) >= over else curve


def _apart(one: MPASNet, other: MPASNet) -> str:
    """Distance of all weights together, as a share of their length."""
    a, b = (torch.cat([weight.detach().flatten() for weight in net.parameters()]) for net in (one, other))
    return f"{float((a - b).norm() / a.norm()):.1e}"


def _median_seconds(call: Callable[[], Any], device: torch.device, repeat: int = 10) -> float:
    seconds = []
    for _ in range(repeat + 2):
        started = time.perf_counter()
        call()
        wait(device)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="One part, or several.")
@click.option("--small", is_flag=True, help="Little work, on any device: does it run at all?")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table to this file, too.")
def main(only: Iterable[str], small: bool, out: Path | None) -> None:
    """Measure, and print one Markdown table."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else "no GPU: the CPU"
    lines: list[str] = []

    def tell(line: str) -> None:
        print(line, flush=True)
        lines.append(line)
        if out:
            out.write_text("\n".join(lines) + "\n", encoding="utf-8")

    tell(f"{name}; torch {torch.__version__}\n")
    tell("| what | measured | aim |\n|:--|:--|:--|")
    for part in only or PARTS:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                for row in PARTS[part](SMALL if small else Sizes(), device, Path(folder)):
                    tell("| " + " | ".join(row) + " |")
            except Exception as error:  # whatever it is, the other parts are still to be measured
                tell(f"| {part} | failed: {type(error).__name__}: {' '.join(str(error).split())[:300]} | |")
        print(f"  ({part}: {math.ceil(time.perf_counter() - started)} s)", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
