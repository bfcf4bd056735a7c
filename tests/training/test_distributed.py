"""Several processes on one CPU (gloo): they train as one process with all their images would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mpas_lite.network.batchnorm import synchronised
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.network.weights import load
from mpas_lite.training.fitting import fit
from tests.helpers import ROOT, write_pairs

pytestmark = pytest.mark.slow

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("RANK", "WORLD_SIZE", "SLURM_"))},
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
TRAIN = """
import os, sys, torch
from mpas_lite.network.weights import save
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.training.fitting import fit

if __name__ == "__main__":
    clip, out, encoder, devices, batch_size, epochs = sys.argv[1:7]
    torch.manual_seed(0)
    net = MPASNet(encoder, width=8)
    fit(net, clip, out=out, devices=int(devices), batch_size=int(batch_size), epochs=int(epochs), accelerator="cpu",
        augmentation="none", momentum=0.0, weight_decay=0.0, checkpoint_every=1, progress=False)
    save(net, out + "/net.safetensors")
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven frames of dark noise with one bright square each, which is the mask: two processes get 2 and 2, 2 and 1."""
    return write_pairs(tmp_path_factory.mktemp("pairs") / "clip", 7)


def assert_same_training(found: MPASNet, expected: MPASNet, start: MPASNet) -> None:
    """Every weight has moved by the same vector, but for rounding; some have moved visibly."""
    moves = 0.0
    for (name, one), two, before in zip(
        expected.named_parameters(), found.parameters(), start.parameters(), strict=True
    ):
        moves = max(moves, float((one - before).detach().abs().max()))
        torch.testing.assert_close(two, one, rtol=1e-3, atol=2e-5, msg=name)
    assert moves > 2e-3


# ------------------------------------------------------------------------------------------- batch norm

JOINT = """
import sys, torch, torch.distributed as dist
from mpas_lite.network.batchnorm import synchronised
from mpas_lite.network.mpasnet import MPASNet

def work(rank, file):
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    torch.manual_seed(0)
    net = synchronised(MPASNet(sys.argv[2], width=8, siamese=False).double(), torch.device("cpu")).train()
    x = torch.rand(5, 3, 64, 64, dtype=torch.float64)
    mine = x[:3] if rank == 0 else x[3:]
    (net(mine).square().sum((1, 2, 3)).sum()).backward()
    for weight in net.parameters():
        dist.all_reduce(weight.grad)
    if rank == 0:
        gradients = {name: weight.grad for name, weight in net.named_parameters()}
        torch.save({"gradients": gradients, "state": net.state_dict()}, sys.argv[3])
    dist.barrier()
    dist.destroy_process_group()

if __name__ == "__main__":
    torch.multiprocessing.spawn(work, args=(sys.argv[1],), nprocs=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["test_resnet", "test_efficientnet"])  # plain batch norm; timm's with activation
def test_gradients_and_statistics_over_two_processes_are_those_of_the_joint_batch(tmp_path: Path, encoder: str) -> None:
    script = tmp_path / "joint.py"
    script.write_text(JOINT)
    command = [sys.executable, str(script), str(tmp_path / "meeting"), encoder, str(tmp_path / "found.pt")]
    subprocess.run(command, env=ENVIRONMENT, check=True, timeout=120)
    found = torch.load(tmp_path / "found.pt", weights_only=True)

    torch.manual_seed(0)
    net = MPASNet(encoder, width=8, siamese=False).double().train()
    net(torch.rand(5, 3, 64, 64, dtype=torch.float64)).square().sum((1, 2, 3)).sum().backward()
    expected = {name: weight.grad for name, weight in net.named_parameters()}
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():  # some are 0 but for rounding: a batch norm follows
        found_one = found["gradients"][name]
        torch.testing.assert_close(
            found_one, gradient, rtol=1e-6, atol=1e-9 * largest, msg=lambda m, n=name: f"{n}: {m}"
        )
    assert found["state"].keys() == net.state_dict().keys()
    for name, buffer in net.named_buffers():
        torch.testing.assert_close(found["state"][name], buffer, rtol=1e-9, atol=1e-9, msg=name)


def test_a_synchronised_copy_alone_is_the_net_itself() -> None:
    torch.manual_seed(0)
    net = MPASNet("test_efficientnet", width=8, siamese=False).eval()
    copied = synchronised(net, torch.device("cpu"))
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(copied(x), net(x))
    assert next(copied.parameters()).data_ptr() != next(net.parameters()).data_ptr()


# --------------------------------------------------------------------------------------------- training


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["test_resnet", "test_efficientnet_ln"])  # with batch norm, without
def test_two_processes_train_like_one_with_the_joint_batch(clip: Path, tmp_path: Path, encoder: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    command = [sys.executable, str(script), str(clip), str(tmp_path), encoder, "2", "2", "1"]
    subprocess.run(command, env=ENVIRONMENT, check=True, timeout=300)
    two = load(tmp_path / "net.safetensors")

    torch.manual_seed(0)
    one = MPASNet(encoder, width=8)
    torch.manual_seed(0)
    start = MPASNet(encoder, width=8)
    options = {"augmentation": "none", "momentum": 0.0, "weight_decay": 0.0, "progress": False, "accelerator": "cpu"}
    history = fit(one, clip, epochs=1, batch_size=4, **options)
    assert history.steps == 2
    assert_same_training(two, one, start)


@pytest.mark.slow
def test_torchrun_one_process_killed_and_resumed(clip: Path, tmp_path: Path) -> None:
    """The weights on both ranks are equal, and those of a run that nobody killed."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN.replace('"/net.safetensors"', '"/net" + os.environ["RANK"] + ".safetensors"'))

    def start(out: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
        command += [str(clip), str(tmp_path / out), "test_resnet", "1", "2", "25"]
        return subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)

    killed = start("killed")
    while not (tmp_path / "killed" / "checkpoint.pt").exists():
        assert killed.poll() is None
        time.sleep(0.02)
    workers = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
    os.kill(int(workers[-1]), signal.SIGKILL)
    assert killed.wait(timeout=120) != 0
    assert not list((tmp_path / "killed").glob("net*"))
    assert torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)["step"] < 50

    assert start("killed").wait(timeout=120) == 0
    assert start("whole").wait(timeout=120) == 0
    states = [
        load(tmp_path / f"{out}/net{rank}.safetensors").state_dict() for out in ("killed", "whole") for rank in "01"
    ]
    for state in states[1:]:
        assert all(torch.equal(state[name], tensor) for name, tensor in states[0].items())


# ----------------------------------------------------------------------------------------- signals and orphans


def running(pid: int) -> bool:
    """Whether a process is there and is more than a name in a list."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def below(pid: int) -> list[int]:
    """Children and grandchildren."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [grandchild for child in children for grandchild in below(child)]


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads Linux's /proc")
ORPHANS = """
import multiprocessing, sys, time
from mpas_lite.runtime.stopping import end_with_parent

def child():
    end_with_parent()
    time.sleep(100)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for _ in range(2):
        context.Process(target=child).start()
    time.sleep(100)
"""


@needs_proc
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_a_killed_process_end(tmp_path: Path, method: str) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    parent = subprocess.Popen([sys.executable, str(script), method], env=ENVIRONMENT)
    most = {"fork": 2, "spawn": 3, "forkserver": 4}[method]  # with the tracker of resources and the server
    assert wait_until(lambda: len(below(parent.pid)) == most, 60)
    children = below(parent.pid)
    time.sleep(1)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not any(map(running, children)), 5)


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_the_main_process_alone_ends_all_processes(clip: Path, tmp_path: Path, number: int) -> None:
    """Two that train and two that read: they hear of SIGTERM and keep what they have; after SIGKILL they end."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN.replace("progress=False)", "workers=1, progress=False)"))
    command = [sys.executable, str(script), str(clip), str(tmp_path / "o"), "test_resnet", "2", "1", "100000"]
    main = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert wait_until((tmp_path / "o" / "checkpoint.pt").exists, 120)
    processes = below(main.pid)
    assert len(processes) >= 4
    os.kill(main.pid, number)
    _, said = main.communicate(timeout=60)
    assert main.returncode != 0
    if number == signal.SIGTERM:
        assert "KeyboardInterrupt: training was stopped after step" in said
    assert wait_until(lambda: not any(map(running, processes)), 5)
    assert torch.load(tmp_path / "o" / "checkpoint.pt", weights_only=True)["step"] >= 1


@pytest.mark.slow
def test_what_goes_wrong_in_a_training_process_is_the_sentence_it_said(clip: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    full = "def full(*_):\n    raise OSError(28, 'No space left on device')\n\n"
    full += "from mpas_lite.training import state\nstate.write_checkpoint = full\n"
    script.write_text(TRAIN.replace("if __name__", f"{full}\nif __name__"))  # every process reads the script
    command = [sys.executable, str(script), str(clip), str(tmp_path / "o"), "test_resnet", "2", "2", "50"]
    said = subprocess.run(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, timeout=240, check=False).stderr
    assert said.strip().splitlines()[-1] == "OSError: [Errno 28] No space left on device"


@pytest.mark.slow
def test_a_training_process_that_is_killed_leaves_nothing_to_be_warned_of(tmp_path: Path) -> None:
    """What follows the sentence would hide it: of the processes of a run that fails, some are killed."""
    script = tmp_path / "train.py"
    script.write_text(
        "import multiprocessing, os, signal, sys\n"
        "from pathlib import Path\n"
        "from tqdm.auto import tqdm\n"
        "from mpas_lite.training.processes import _train_into\n\n"
        "def train(fabric, net, told):\n"
        "    tqdm([], disable=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n\n"
        "if __name__ == '__main__':\n"
        "    arguments = (None, None, train, Path(sys.argv[1]))\n"
        "    process = multiprocessing.get_context('spawn').Process(target=_train_into, args=arguments)\n"
        "    process.start()\n"
        "    process.join()\n"
        "    print(process.exitcode)\n"
    )
    command = [sys.executable, str(script), str(tmp_path / "result.pt")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout.strip(), done.stderr) == (str(-signal.SIGKILL), "")


@pytest.mark.slow
def test_readers_without_the_spawn_guard_are_explained(clip: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import multiprocessing\n"
        "multiprocessing.set_start_method('spawn', force=True)\n"
        "from mpas_lite.network.mpasnet import MPASNet\n"
        "from mpas_lite.training.fitting import fit\n"
        f"fit(MPASNet('test_resnet', width=8), {str(clip)!r}, epochs=1, workers=1, accelerator='cpu')\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, timeout=240, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1  # the script's own; its child says a sentence
    assert 'Put what the script does under `if __name__ == "__main__":`, or give workers=0' in done.stderr


# ------------------------------------------------------------------------------------------------- clusters


def train_command(clip: Path, out: Path, *more: str) -> list[str]:
    options = ["--encoder", "test_resnet", "--batch-size", "2", "--epochs", "1", "--device", "cpu", "--quiet"]
    return ["-m", "mpas_lite.cli", "train", str(clip), "--out", str(out), *options, *more]


def slurm(tasks: int, rank: int = 0) -> dict[str, str]:
    """What srun tells a process that it starts on a single machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    numbers = {"NTASKS": tasks, "NTASKS_PER_NODE": tasks, "NNODES": 1, "NODEID": 0, "PROCID": rank, "LOCALID": rank}
    about = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "crowd", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return ENVIRONMENT | about | {f"SLURM_{name}": str(number) for name, number in numbers.items()}


@pytest.mark.slow
def test_slurm_torchrun_and_devices_train_the_same(clip: Path, tmp_path: Path) -> None:
    """The command as a cluster runs it, in two processes: each ends well, and one writes; the weights are the same."""
    environment = slurm(2)
    tasks = [
        subprocess.Popen(
            [sys.executable, *train_command(clip, tmp_path / "slurm")],
            env=environment | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [task.communicate(timeout=240)[0] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0]
    assert "model.safetensors" in said[0]
    assert said[1] == ""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    torchrun += train_command(clip, tmp_path / "torchrun")
    subprocess.run(torchrun, env=ENVIRONMENT, check=True, timeout=240, stderr=subprocess.DEVNULL)
    alone = [sys.executable, *train_command(clip, tmp_path / "devices", "--devices", "2")]
    subprocess.run(alone, env=ENVIRONMENT, check=True, timeout=240)

    assert len(list((tmp_path / "slurm").rglob("*.safetensors"))) == 1
    nets = [load(tmp_path / how / "model.safetensors") for how in ("slurm", "torchrun", "devices")]
    assert all(net.provenance["settings"]["devices"] == 2 for net in nets)
    for net in nets[1:]:
        for (name, one), two in zip(nets[0].state_dict().items(), net.state_dict().values(), strict=True):
            assert torch.equal(one, two), name


@pytest.mark.parametrize(
    ("without", "devices", "sentence"),
    [
        ("SLURM_NTASKS_PER_NODE", 1, r"SLURM has started 4 processes: give sbatch or srun --ntasks-per-node=4, too\."),
        ("", 8, r"has started 4 processes on each of 1 machines, but devices=8 and num_nodes=1\. Leave both out"),
    ],
)
def test_what_slurm_started_and_what_is_asked_for_must_fit(
    clip: Path, monkeypatch: pytest.MonkeyPatch, without: str, devices: int, sentence: str
) -> None:
    for name, value in slurm(4).items():
        if name.startswith("SLURM_") and name != without:
            monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=sentence):
        fit(MPASNet("test_resnet", width=8), clip, devices=devices, accelerator="cpu", progress=False)


def test_an_interactive_allocation_is_no_cluster_run(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (slurm(4) | {"SLURM_JOB_NAME": "interactive"}).items():
        if name.startswith("SLURM_"):
            monkeypatch.setenv(name, value)
    history = fit(MPASNet("test_resnet", width=8), clip, epochs=1, batch_size=4, accelerator="cpu", progress=False)
    assert history.steps == 2
