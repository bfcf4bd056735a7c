"""Training throughput against the same network's bare forward and backward pass, in one process.

On a machine with a GPU, the paper's network (hrnet_w48, siamese, 512x512, bf16), and with all of its 8 GPUs:

    python -m benchmarks.gpu_training
    python -m benchmarks.gpu_training --devices 8

Anywhere, in a few minutes, to see that it works, with one and with two processes:

    OMP_NUM_THREADS=1 python -m benchmarks.gpu_training --devices 2 --encoder hrnet_w18_small --size 192 \
        --batch-size 4 --steps 8 --precision 32-true

Pairs: one core reads and augments them. Bare: forward and backward of both views on tensors that are on the device
already, no optimizer. Training: all of ``fit``: reading and augmenting pairs, losses, optimizer, log. They take turns;
the medians of the rounds are compared.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric

from mpas_lite.files.atomic import write_json
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.fitting import fit
from mpas_lite.training.pairs import PairDataset
from mpas_lite.training.records import read_log
from mpas_lite.training.views import TrainingViews
from mpas_lite.video.images import write_image

WARM_UP = 5  # steps that are not counted: cuDNN chooses, workers start


def write_pairs(folder: Path, number: int, size: int) -> None:
    """Frames of smooth noise with one bright square each, which is the mask."""
    rng = np.random.default_rng(0)
    for i in range(number):
        coarse = rng.integers(0, 120, (size // 8, size // 8, 3), dtype=np.uint8)
        frame = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
        frame = np.pad(frame, ((0, size - frame.shape[0]), (0, size - frame.shape[1]), (0, 0)), mode="edge")
        mask = np.zeros((size, size), bool)
        top, left = rng.integers(0, size // 2, 2)
        mask[top : top + size // 3, left : left + size // 3] = True
        frame[mask] += 100
        write_image(folder / f"frames/{i:06d}.png", frame)
        write_image(folder / f"masks/{i:06d}.png", mask)


def reading(pairs: Path, size: int) -> float:
    """Pairs/s that one core reads and augments: what a worker of ``fit`` does."""
    views = TrainingViews(PairDataset(pairs, long_side=size), "real", seed=0)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    started = time.perf_counter()
    for index in range(len(views)):
        views[0, index]
    seconds = time.perf_counter() - started
    cv2.setNumThreads(threads)
    return len(views) / seconds


def bare(fabric: Fabric, net: MPASNet, batch_size: int, size: int, steps: int) -> float:
    """Images/s of forward and backward alone."""
    memory = torch.channels_last  # as fit keeps it
    model = fabric.setup_module(net.train().to(memory_format=memory))
    x, x_hat = (torch.rand(batch_size, 3, size, size, device=fabric.device).to(memory_format=memory) for _ in range(2))
    started = 0.0
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            wait(fabric.device)
            started = time.perf_counter()
        model.zero_grad()
        prob, f, f_hat = model(x, x_hat)
        fabric.backward(prob.mean() + (f - f_hat).square().mean())
    wait(fabric.device)
    return batch_size * steps / (time.perf_counter() - started)


def training(net: MPASNet, pairs: Path, batch_size: int, devices: int, options: dict) -> float:
    """Images/s of ``fit``, all devices together, out of its own log."""
    with tempfile.TemporaryDirectory() as out:
        fit(net, pairs, out=out, epochs=devices, batch_size=batch_size, devices=devices, checkpoint_every=10**9,
            progress=False, **options)  # fmt: skip
        rows = read_log(Path(out) / "log.csv")[WARM_UP:]
    return len(rows) / sum(1 / float(row["images_per_s"]) for row in rows)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="hrnet_w48")
    parser.add_argument("--size", type=int, default=512, help="of the square frames, px")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--devices", type=int, default=1, help="train on so many, too; each with --batch-size pairs")
    parser.add_argument("--compile", action="store_true", help="of training; the bare net stays as it is")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    asked = parser.parse_args()

    fabric = Fabric(accelerator="auto", devices=1, precision=asked.precision)
    net = MPASNet(asked.encoder)
    options = {
        "long_side": asked.size,
        "precision": asked.precision,
        "compile": asked.compile,
        "workers": asked.workers,
    }
    several = f"training on {asked.devices}"
    names = ["pairs", "bare", "training"] + [several] * (asked.devices > 1)
    rates: dict[str, list[float]] = {name: [] for name in names}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_pairs(Path(folder), asked.batch_size * (WARM_UP + asked.steps), asked.size)
        for _ in range(asked.rounds):
            for name in rates:
                if fabric.device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats(fabric.device)
                if name == "pairs":
                    rates[name].append(reading(Path(folder), asked.size))
                elif name == "bare":
                    rates[name].append(bare(fabric, net, asked.batch_size, asked.size, asked.steps))
                else:
                    net.zero_grad(set_to_none=True)
                    devices = asked.devices if name == several else 1
                    rates[name].append(training(net, Path(folder), asked.batch_size, devices, options))
                if fabric.device.type == "cuda" and name in ("bare", "training"):
                    memory[name] = torch.cuda.max_memory_allocated(fabric.device) / 2**30
    medians = {name: statistics.median(values) for name, values in rates.items()}
    device = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else "CPU"
    print(
        f"{asked.encoder}, siamese, {asked.size}x{asked.size}, batch {asked.batch_size}, {asked.precision}, on {device}"
    )
    for name, median in medians.items():
        spent = f", {memory[name]:.1f} GiB at most" if name in memory else ""
        print(f"{name:>13}: {median:.2f} images/s ({', '.join(f'{value:.2f}' for value in rates[name])}){spent}")
    ratios = {"training / bare": medians["training"] / medians["bare"]}
    if several in medians:
        ratios[f"{several} / training"] = medians[several] / medians["training"]
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.3f}")
    if asked.json:
        write_json(asked.json, {"images_per_s": rates, "ratios": ratios, "GiB": memory, "device": device})


if __name__ == "__main__":
    main()
