"""Labelling many clips at once: in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from joblib import Parallel, cpu_count, delayed, effective_n_jobs, parallel_config
from joblib.externals.loky import get_reusable_executor
from tqdm.auto import tqdm

from mpas_lite.files.atomic import is_full
from mpas_lite.files.outputs import check_apart
from mpas_lite.files.sentences import one_line
from mpas_lite.labels.pseudolabel import ClipLabels, pseudo_label
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.runtime.children import be_a_child, python_command
from mpas_lite.video.clip import Clip, clips_of


def pseudo_label_many(
    sources: Iterable[str | Path | Clip],
    out: str | Path,
    *,
    settings: LabelSettings | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    taken: Iterable[str] = (),
    progress: bool = True,
) -> list[ClipLabels]:
    """Label many clips, in processes of their own; one bad clip is reported and does not end the run.

    Not even a file so damaged that it takes its process with it (decoders do die of such) ends the run.

    Parameters
    ----------
    sources : iterable of str, Path or Clip
        Clips of the same name get ``-2``, ``-3``, ... behind it.
    out : str or Path
    settings : LabelSettings, optional
    progress : bool
        As for :func:`pseudo_label`.
    jobs : int
        Processes at a time (joblib); -1 for one a core. The cores are shared out among them.
    scheduler : str, optional
        Address of a Dask scheduler, as ``tcp://10.0.0.1:8786``: its workers label the clips, each core one at
        a time, and ``jobs`` does not count. They must see sources and ``out`` under the same paths. Needs
        ``pip install "mpas_lite[dask]"``.
    taken : iterable of str
        Names that no clip gets.

    Returns
    -------
    list of ClipLabels
        In the order of the sources; where ``error`` is not None the clip has no, or not all, pairs.

    Raises
    ------
    ValueError
        If no scheduler answers at that address, Dask is not installed, or pairs would be written where something is
        read.
    OSError
        If the disk is full: no other clip would fare better.
    """
    if jobs == 0 or jobs < -1:
        raise ValueError(f"jobs={jobs}: give a number of processes, or -1 for one a core.")
    clips = clips_of(sources, taken)
    check_apart((Path(out) / clip.name for clip in clips), (path for clip in clips for path in clip.paths()))
    if len(clips) == 1 and scheduler is None:
        return [_label_or_say_why(_Task(clips[0], Path(out), settings, progress))]
    jobs = min(effective_n_jobs(jobs), len(clips))
    alone = jobs == 1 and scheduler is None
    threads = max(1, cpu_count() // jobs) if scheduler is None else 1
    tasks = [_Task(clip, Path(out), settings, progress and alone, threads) for clip in clips]
    labelled: dict[int, ClipLabels] = {}
    with _workers(jobs, threads, scheduler):
        results = _label_all(tasks, alone, apart=scheduler is not None)
        try:
            for number, result in tqdm(results, "label", len(clips), unit="clip", disable=not progress):
                labelled[number] = result
                for note in result.notes:
                    warnings.warn(note, stacklevel=2)
        except KeyboardInterrupt:
            if scheduler is None:
                get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise
    return [labelled[number] for number in range(len(clips))]


@dataclass(frozen=True)
class _Task:
    """One clip to label, wherever that is done; ``threads``: how many OpenCV takes, None: as many as it does."""

    clip: Clip
    out: Path
    settings: LabelSettings | None
    progress: bool
    threads: int | None = None

    def failed(self, why: str) -> ClipLabels:
        return ClipLabels(self.clip.name, self.out / self.clip.name, error=why)


@contextmanager
def _workers(jobs: int, threads: int, scheduler: str | None) -> Iterator[None]:
    """Where joblib's tasks go: processes of this machine, or a Dask cluster."""
    if scheduler is None:
        # Two processes at least, as joblib would take one to mean this very process.
        here: AbstractContextManager[object] = parallel_config(
            "loky",
            n_jobs=max(jobs, 2),
            inner_max_num_threads=threads,
            initializer=be_a_child,
            initargs=(os.getpid(),),
        )
        with here:
            yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError('A Dask scheduler needs Dask: pip install "mpas_lite[dask]"') from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"No Dask scheduler answers at {scheduler} ({error}). Start one with `dask scheduler`."
        ) from None
    with client, parallel_config("dask"):
        yield


def _label_all(tasks: list[_Task], alone: bool, apart: bool) -> Iterator[tuple[int, ClipLabels]]:
    """Number and result of each task, as they come; ``alone``: one at a time.

    Processes label one clip after the other. If one of them dies, nobody knows of which clip: those that are
    left are then labelled ``apart``, in a process each, which costs the better part of a second and names the
    one that kills it. On a cluster all are: the death of a Dask worker takes the results with it that it holds.
    """
    left = dict(enumerate(tasks))
    dispatch = 1 if alone else "2 * n_jobs"
    while left:
        work = [delayed(_numbered)(number, task, apart) for number, task in left.items()]
        try:
            for number, result in Parallel(batch_size=1, pre_dispatch=dispatch, return_as="generator_unordered")(work):
                del left[number]
                yield number, result
        except BrokenProcessPool:
            if apart:
                raise
            apart = True


def _numbered(number: int, task: _Task, apart: bool) -> tuple[int, ClipLabels]:
    return number, _label_apart(task) if apart else _label_aside(task)


def _label_apart(task: _Task) -> ClipLabels:
    """Label a clip in a process that may die of it."""
    serve = f"from mpas_lite.labels import batch; batch._serve({os.getpid()})"
    child = subprocess.run(python_command(serve), input=pickle.dumps(task), stdout=subprocess.PIPE)
    if child.returncode == 0:
        answer = pickle.loads(child.stdout)
        if isinstance(answer, ClipLabels):
            return answer
        raise answer
    return task.failed(
        f"{task.clip.source}: the process that labelled it died (exit code {child.returncode}). The file is probably "
        "damaged."
    )


def _serve(parent: int) -> None:
    """The other end of `_label_apart`: a task comes in, a result or a full disk's OSError goes out."""
    answer: ClipLabels | OSError
    be_a_child(parent)
    try:
        answer = _label_aside(pickle.load(sys.stdin.buffer))
    except OSError as error:
        answer = error
    pickle.dump(answer, sys.stdout.buffer)


def _label_aside(task: _Task) -> ClipLabels:
    """Label a clip in a process whose warnings nobody would see."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        labelled = _label_or_say_why(task)
    return replace(labelled, notes=tuple(str(w.message) for w in caught if w.category is UserWarning))


def _label_or_say_why(task: _Task) -> ClipLabels:
    """Label a clip, or say why it cannot be done."""
    if task.threads is not None:
        cv2.setNumThreads(task.threads)
    source = task.clip.source
    try:
        return pseudo_label(task.clip, task.out, settings=task.settings, progress=task.progress)
    except OSError as problem:
        if is_full(problem):  # no other clip would fare better
            raise
        return task.failed(str(problem))
    except ValueError as problem:
        return task.failed(str(problem))
    except MemoryError:
        return task.failed(f"{source}: labelling it takes more memory than there is.")
    except Exception as problem:  # one clip never ends a run over many
        return task.failed(f"{source} cannot be labelled ({type(problem).__name__}: {one_line(problem)}).")
