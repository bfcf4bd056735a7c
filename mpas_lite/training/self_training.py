"""Rounds of self-training: a network corrects the labels that taught it. Beyond the paper.

A label from motion misses who stands, and marks what moves besides people. Its mistakes differ from frame to frame,
but people look alike in all of them, so a network is often right where its label is wrong. Hence, in rounds::

    teacher   the average of the network over its last steps, trained on the labels from motion
    correct   each label is outvoted where the teacher is sure, and stays where it is not
    student   the network goes on with the corrected labels, and is the next teacher

A network that believes itself can also drift away. So some pairs are held out from the start: no network is
trained on them. A round counts only if the student agrees better than its teacher with what *motion* says on these;
otherwise it is dropped and the rounds end. No ground truth is looked at.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpas_lite.files.ledger import claim, ledger_folders
from mpas_lite.network.inference import segment
from mpas_lite.network.mpasnet import MPASNet
from mpas_lite.options import takes_options
from mpas_lite.training.config import TrainConfig
from mpas_lite.training.fitting import History, fit
from mpas_lite.training.pairs import PairDataset, valid_path
from mpas_lite.training.validation import pair_iou
from mpas_lite.video.arrays import Mask
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.masks import read_mask


@dataclass(frozen=True)
class Rounds:
    """How a network corrects its labels.

    Attributes
    ----------
    most : int
        Rounds at most; 0: plain training, on all pairs.
    trust : float
        Vote of the teacher against the label's, 0 to 1. With 0.6 a label is lost where the teacher's probability is
        below 0.17, and won where it is above 0.83.
    share : float
        Length of a round, in epochs of the first training.
    held_out : int
        One pair in so many is never trained on.
    average : float
        Decay of the moving average over the steps that makes the teacher.
    """

    most: int = 1
    trust: float = 0.6
    share: float = 0.5
    held_out: int = 8
    average: float = 0.95

    def __post_init__(self) -> None:
        if self.most < 0 or self.held_out < 2:
            raise ValueError(f"most={self.most}, held_out={self.held_out}: give rounds from 0, held_out from 2 on.")
        if not 0 < self.trust < 1 or not self.share > 0:
            raise ValueError(f"trust={self.trust}, share={self.share}: trust lies between 0 and 1, share above 0.")

    def first(self, steps: int) -> float:
        """Steps of the first training, when it and all rounds together are to have so many."""
        return steps / (1 + self.most * self.share)


@dataclass(frozen=True)
class SelfTrainingResult:
    """What the rounds came to.

    Attributes
    ----------
    history : History
        Of the first training.
    agreement : list of float
        IoU with the labels from motion on the pairs held out: before the rounds, and after each that was made.
    kept : int
        Rounds that count.
    """

    history: History
    agreement: list[float]
    kept: int


@takes_options(config=TrainConfig)
def fit_in_rounds(
    net: MPASNet,
    pairs: str | Path | Sequence[str | Path] | PairDataset,
    out: str | Path,
    *,
    rounds: Rounds | None = None,
    config: TrainConfig,
    say: Callable[[str], None] = print,
    **options: Any,
) -> SelfTrainingResult:
    """Train a net in place, then let it correct its labels and go on, as long as that helps.

    Parameters
    ----------
    net : MPASNet
    pairs : str, Path, sequence of these, or PairDataset
        As for :func:`mpas_lite.fit`.
    out : str or Path
        Gets ``0/`` (checkpoint and log of the first training), and of each round ``1/``, ``2/``, ... with the
        corrected masks; without rounds checkpoint and log themselves. Run again, it goes on where it stopped.
    rounds : Rounds, optional
    config : TrainConfig, optional
        Of :func:`mpas_lite.fit`, as a whole or by the settings' own names; ``epochs`` of the first training.
    say : callable
        Gets a line for each round.
    **options
        Of :func:`mpas_lite.fit`, too.

    Returns
    -------
    SelfTrainingResult

    Raises
    ------
    ValueError
        If there is one pair only; and whatever ``fit`` raises.
    """
    rounds = rounds or Rounds()
    out = Path(out)
    if not any(ledger_folders(out / "0")):
        claim(out)
    dataset = pairs
    if not isinstance(dataset, PairDataset):
        dataset = PairDataset(dataset, long_side=config.long_side, skip_damaged=True)
    if rounds.most == 0:
        return SelfTrainingResult(fit(net, dataset, out=out, config=config, **options), [], 0)
    train, held = hold_out(dataset, rounds.held_out)
    config = replace(config, ema=rounds.average)
    again = replace(config, keep=None, epochs=max(1, math.ceil(config.epochs * rounds.share)))
    history = fit(net, train, out=out / "0", config=config, **options)
    agreement, kept = [pair_iou(net, held)], 0
    for number in range(1, rounds.most + 1):
        student = copy.deepcopy(net)
        corrected = correct(net, train, out / str(number), rounds.trust)
        fit(student, corrected, out=out / str(number), config=again, **options)
        agreement.append(pair_iou(student, held))
        helps = agreement[-1] > agreement[-2]
        say(
            f"    round {number}: agreement with motion on {len(held)} pairs held out {agreement[-2]:.3f} -> "
            f"{agreement[-1]:.3f}, {'kept' if helps else 'dropped'}"
        )
        if not helps:
            break
        net.load_state_dict(student.state_dict())
        net.provenance.update(student.provenance)
        kept = number
    return SelfTrainingResult(history, agreement, kept)


def hold_out(pairs: PairDataset, every: int) -> tuple[PairDataset, PairDataset]:
    """Part pairs in those to train on, and one in ``every`` to judge by, from the middle of each stretch.

    At least one is held out.

    Raises
    ------
    ValueError
        If there are fewer than two pairs.
    """
    if len(pairs) < 2:
        raise ValueError("One pair cannot be held out and trained on: label more frames, or use no rounds.")
    judged = set(range(min(every, len(pairs)) // 2, len(pairs), every))
    train, held = copy.copy(pairs), copy.copy(pairs)
    train.paths = [path for index, path in enumerate(pairs.paths) if index not in judged]
    held.paths = [path for index, path in enumerate(pairs.paths) if index in judged]
    return train, held


def outvoted(label: Mask, probability: NDArray[np.floating], trust: float, valid: Mask | None = None) -> Mask:
    """A label corrected by a teacher: crowd where their weighted votes are above one half.

    Parameters
    ----------
    label : Mask
        (H, W) bool.
    probability : NDArray
        (H, W) float: the teacher's, 0 to 1.
    trust : float
        The teacher's vote; the label has the rest.
    valid : Mask, optional
        (H, W) bool: where the label is sure of itself; elsewhere the teacher alone decides.

    Returns
    -------
    Mask
        (H, W) bool.

    Examples
    --------
    >>> label = np.array([True, True, False, False])
    >>> outvoted(label, np.array([0.1, 0.3, 0.7, 0.9]), 0.6)
    array([False,  True, False,  True])
    """
    votes = (1 - trust) * label + trust * probability
    crowd: Mask = (votes if valid is None else np.where(valid, votes, probability)) > 0.5
    return crowd


def correct(teacher: MPASNet, pairs: PairDataset, out: Path, trust: float) -> PairDataset:
    """The same pairs with corrected masks, written to ``out/<clip>/masks/``."""
    corrected = copy.copy(pairs)
    corrected.paths = []
    for frame_path, mask_path in pairs.paths:
        frame, label = read_image(frame_path), read_mask(mask_path) > 127
        doubt = valid_path(mask_path)
        valid = read_mask(doubt) > 127 if doubt.exists() else None
        ((_, probability),) = segment(teacher, frame[None], probability=True)
        mask = out / mask_path.parents[1].name / "masks" / mask_path.name
        write_image(mask, outvoted(label, probability, trust, valid))
        corrected.paths.append((frame_path, mask))
    return corrected
