"""What a training step costs on a CPU, as a net is kept in memory and compiled: ``python -m benchmarks.training_step``.

One thread; forward, losses, backward and update on tensors that are there already. The variants take turns, and the
time is that of the processor, so that a busy machine shows little. ``--compile`` takes a C++ compiler and minutes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

from collections.abc import Callable
from statistics import median
from time import process_time

import click
import torch

from mpas_lite.network.losses import air_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet


def step_of(encoder: str, shape: tuple[int, int], batch: int, memory: torch.memory_format, compile: bool) -> Callable:
    """A siamese training step of a new net."""
    torch.manual_seed(0)
    net = MPASNet(encoder).train().to(memory_format=memory)
    model = torch.compile(net) if compile else net
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    x, x_hat = (torch.rand(batch, 3, *shape).to(memory_format=memory) for _ in range(2))
    target = torch.rand(batch, 1, *shape) > 0.7

    def step() -> None:
        optimizer.zero_grad()
        prob, f, f_hat = model(x, x_hat)
        (dice_loss(prob, target) + air_loss(f, f_hat)).backward()
        optimizer.step()

    return step


def cost(step: Callable[[], None]) -> float:
    """Seconds of the processor."""
    start = process_time()
    step()
    return process_time() - start


@click.command()
@click.option("--encoder", default="hrnet_w18_small", show_default=True)
@click.option("--size", type=(int, int), default=(320, 240), show_default=True, help="Width and height, px.")
@click.option("--batch-size", default=4, show_default=True)
@click.option("--rounds", default=8, show_default=True)
@click.option("--compile", is_flag=True, help="With torch.compile, too.")
def main(encoder: str, size: tuple[int, int], batch_size: int, rounds: int, compile: bool) -> None:
    """Print seconds a step, and as a share of the first variant's."""
    torch.set_num_threads(1)
    shape = size[1], size[0]
    variants = {"contiguous": (torch.contiguous_format, False), "channels_last": (torch.channels_last, False)}
    if compile:
        variants |= {f"{name}, compiled": (memory, True) for name, (memory, _) in variants.items()}
    steps = {name: step_of(encoder, shape, batch_size, *variant) for name, variant in variants.items()}
    first = {name: cost(step) for name, step in steps.items()}
    times = [{name: cost(step) for name, step in steps.items()} for _ in range(rounds)]
    for name in steps:
        share = median(time[name] / time["contiguous"] for time in times)
        print(f"{name}: {median(time[name] for time in times):.2f} s, {share:.2f}; first step {first[name]:.0f} s")


if __name__ == "__main__":
    main()
