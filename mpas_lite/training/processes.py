"""The processes of a run: who starts them, how they hear of each other, and what is said when one ends."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException
from tqdm.auto import tqdm

from mpas_lite.files.atomic import atomic_write
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.runtime.devices import check_devices
from mpas_lite.runtime.stopping import defer_interrupt, end_with_parent
from mpas_lite.training.config import Runtime
from mpas_lite.training.state import TrainState

_STARTS_PROCESSES = ("ddp_spawn", "ddp_fork", "ddp_notebook")
_GPU_WORKERS = 8  # at most, for each process
_GUARD = 'Put what the script does under `if __name__ == "__main__":`, or give workers=0 and devices=1.'


def set_up(runtime: Runtime) -> tuple[Fabric, Runtime]:
    """lightning-fabric for a run, and the runtime with nothing left open: as many devices as there really are, ..."""
    outside = TorchElasticEnvironment.detect() or SLURMEnvironment.detect()
    if outside:  # torchrun and SLURM know best how many processes they have started
        devices, num_nodes = _started(runtime.devices, runtime.num_nodes)
        runtime = replace(runtime, devices=devices, num_nodes=num_nodes)
    check_devices(runtime.accelerator, runtime.devices)
    if runtime.precision == "auto":
        runtime = replace(runtime, precision="bf16-mixed" if _has_bf16(runtime.accelerator) else "32-true")
    if runtime.strategy == "auto" and runtime.processes > 1:
        runtime = replace(runtime, strategy="ddp" if outside else "ddp_spawn")  # spawned processes train, no more
    fabric = _fabric(runtime)
    kind = fabric.device.type
    workers = 0 if kind == "cpu" else min(_GPU_WORKERS, (os.cpu_count() or 1) // runtime.devices)
    return fabric, replace(
        runtime,
        workers=workers if runtime.workers is None else runtime.workers,
        channels_last=kind in ("cuda", "cpu") if runtime.channels_last is None else runtime.channels_last,
    )


def launch(fabric: Fabric, train: Callable[..., Any], net: MPASNet, runtime: Runtime) -> tuple[str, TrainState]:
    """Let all processes train, and bring the weights back into the net. Gives how and where it ended.

    Parameters
    ----------
    fabric : Fabric
    train : callable
        :func:`~mpas_lite.training.loop.train`, which wants a Fabric and the net only.
    net : MPASNet
    runtime : Runtime
        As :func:`set_up` left it.
    """
    starts = runtime.strategy in _STARTS_PROCESSES
    _check_guard(starts or bool(runtime.workers))
    with defer_interrupt() as stop:
        end, state = _train_elsewhere(fabric, train, net, stop) if starts else fabric.launch(train, net)
    return "interrupted" if stop and end != "diverged" else end, state


@contextmanager
def readers_explained() -> Iterator[None]:
    """Say in one sentence what goes wrong in the processes that read pairs; torch may raise it at any moment."""
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        lines = str(error).strip().splitlines()
        if lines and lines[0].startswith("DataLoader worker"):
            why = lines[0].partition(". ")[0].rstrip(".")
            raise ChildProcessError(
                f"A process that reads pairs has ended: {why}. {_GUARD} If memory is short, fewer workers help."
            ) from None
        if lines and lines[0].startswith("Caught "):  # with the traceback of the process behind it
            raise ValueError(lines[-1].partition(": ")[2] or lines[-1]) from error
        raise


def quiet_worker(_: int) -> None:
    """What a process that reads pairs does first."""
    end_with_parent()
    cv2.setNumThreads(0)  # processes enough
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle


def _started(devices: int, num_nodes: int) -> tuple[int, int]:
    """Processes on each machine, and machines, that torchrun or SLURM has started; what was asked for must fit."""
    if TorchElasticEnvironment.detect():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return here, int(os.environ["WORLD_SIZE"]) // here
    machines, processes = int(os.environ.get("SLURM_NNODES", "1")), int(os.environ["SLURM_NTASKS"])
    here = processes // machines
    if processes > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise ValueError(f"SLURM has started {processes} processes: give sbatch or srun --ntasks-per-node={here}, too.")
    if devices * num_nodes > 1 and (devices, num_nodes) != (here, machines):
        raise ValueError(
            f"SLURM has started {here} processes on each of {machines} machines, but devices={devices} and "
            f"num_nodes={num_nodes}. Leave both out, or ask SLURM for as many: --nodes, --ntasks-per-node and srun."
        )
    return here, machines


def _has_bf16(accelerator: str) -> bool:
    """Whether the device is a CUDA GPU that computes with bfloat16 itself, as from Ampere on."""
    cuda = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return cuda and torch.cuda.get_device_capability()[0] >= 8


def _fabric(runtime: Runtime) -> Fabric:
    """lightning-fabric, whose many kinds of refusal become one."""
    try:
        return Fabric(
            accelerator=runtime.accelerator,
            devices=runtime.devices,
            num_nodes=runtime.num_nodes,
            strategy=runtime.strategy,
            precision=runtime.precision,
        )
    except (RuntimeError, TypeError, AttributeError, ImportError, MisconfigurationException) as error:
        raise ValueError(
            f"accelerator={runtime.accelerator!r}, devices={runtime.devices}, strategy={runtime.strategy!r}, "
            f"precision={runtime.precision!r} do not go here: {' '.join(str(error).split())}"
        ) from error


def _check_guard(needed: bool) -> None:
    """End a child that is still reading the script which it was started from, and has come to the training in it.

    It would start children of its own. The parent hears that it ended, and says why.
    """
    if needed and getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(f"fit() was reached while a child process reads the script again. {_GUARD}")


def _train_elsewhere(
    fabric: Fabric, train: Callable[..., Any], net: MPASNet, stop: Sequence[int]
) -> tuple[str, TrainState]:
    """Train in processes of their own, and bring the weights back through a file.

    The net goes there as a copy; what a process returns through lightning-fabric must be small. A signal that only
    this process got is passed on through a file, too, and so is what went wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.pt"
        try:
            with _signals_in(file.with_suffix(".stop"), stop):
                fabric.launch(partial(_train_into, train=train, file=file), net)
        except (ProcessRaisedException, ProcessExitedException) as error:
            if file.with_suffix(".error").exists():
                raise pickle.loads(file.with_suffix(".error").read_bytes()) from None
            why = str(error).strip().splitlines()[-1]
            if stop:  # Ctrl-C reaches the whole group: they may have ended while they were still starting
                raise KeyboardInterrupt("training was stopped before its first step") from None
            raise ChildProcessError(f"One of the training processes has ended ({why}). {_GUARD}") from error
        result = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(result["weights"])
    return result["end"], TrainState(**result["state"])


def _train_into(fabric: Fabric, net: MPASNet, train: Callable[..., Any], file: Path) -> None:
    end_with_parent()
    tqdm.set_lock(threading.RLock())  # its own is shared among processes, and left over where one is killed
    try:
        end, state = train(fabric, net, told=file.with_suffix(".stop").exists)
    except (ValueError, OSError) as error:
        with atomic_write(file.with_suffix(".error")) as temporary:
            temporary.write_bytes(pickle.dumps(error))
        raise
    if fabric.is_global_zero:
        torch.save({"end": end, "state": asdict(state), "weights": net.state_dict()}, file)


@contextmanager
def _signals_in(file: Path, stop: Sequence[int]) -> Iterator[None]:
    """Make the file as soon as a signal has come."""
    over = threading.Event()

    def watch() -> None:
        while not stop and not over.wait(0.2):
            pass
        if stop:
            file.touch()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
