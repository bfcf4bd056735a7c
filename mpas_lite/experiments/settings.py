"""How the experiments label, train, segment and score: the settings of the main job and of the paper's tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.network.settings import NetConfig
from mpas_lite.options import changed, check, flat, option, options_of, part, to_record
from mpas_lite.training.config import Runtime, TrainConfig, read_config

STEPS, STEPS_FROM_PICTURES = 144, 150  # of the main job: on from the general network, or from an encoder alone
# Chosen for a start from the general network; a start from an encoder alone takes training's own defaults.
_WARM = ("batch_size", "lr", "sizes", "long_side", "keep")


@flat
@dataclass(frozen=True)
class RunSettings:
    """How the main job labels, trains and segments.

    The defaults were chosen by measuring, on scenes of the validation seeds (the table is in benchmarks/RESULTS.md):
    smaller circles around more, but stronger corners than the paper's; on from the network that comes along. Those of
    net and training stand in ``training/configs/main_job.toml``.

    Settings of ``net``, ``train`` and ``runtime`` go by their own names, too: ``RunSettings(lr=0.01).lr``.
    ``label.every = 0`` chooses the stride so that the clips give about ``pairs`` pairs.
    """

    label: LabelSettings = field(default_factory=lambda: LabelSettings.ours(every=0, refine=Refinement()))
    net: NetConfig = part(lambda: read_config("main_job").net)
    pairs: int = option(144, "Pairs wanted of all clips together, where the stride is free.", least=1)
    steps: int | None = option(
        STEPS, "Training steps, rounded to whole epochs; none: so many epochs as are set.", least=1
    )
    train: TrainConfig = part(lambda: read_config("main_job").train)
    rounds: int = option(0, "Rounds of self-training at most, beyond the paper; the steps hold them all.", least=0)
    segment_every: int = option(1, "Segment one frame in so many.", least=1)
    background: bool | None = option(
        None,
        "Masks beyond the paper: the background of a still camera tells where people end; by default where labels are "
        "refined, too.",
    )
    masks: Literal["both", "crowd", "person"] = option(
        "both",
        "Where it tells: of the crowd, as a person would outline it, or of persons alone; both: those in persons/.",
    )
    person_height: float | None = option(
        48,
        "Where the background tells how high people are and they are small, frames are segmented at a larger size, "
        "until people are so high.",
        unit="px",
        above=0,
    )
    runtime: Runtime = part(Runtime)

    def __post_init__(self) -> None:
        check(self)

    @property
    def fuses(self) -> bool:
        """Whether masks are fused with backgrounds: never with the paper's settings."""
        return self.label.refine is not None if self.background is None else self.background

    @classmethod
    def paper(cls) -> RunSettings:
        """The paper's labels, and the net and training of ``training/configs/paper.toml``; see benchmarks/PAPER.md."""
        config = read_config("paper")
        return cls(label=LabelSettings(), net=config.net, train=config.train, runtime=config.runtime, steps=None)

    @classmethod
    def fast(cls) -> RunSettings:
        """Half of the labels and of the steps, smaller frames, a higher rate."""
        return changed(cls(), pairs=72, steps=72, long_side=192, lr=0.02)

    def with_encoder(self, encoder: str, encoder_weights: str | None = None) -> RunSettings:
        """Another encoder; weights that are not named are those of the hub where these were, else random ones.

        An encoder's weights fit no other, but the hub has some for nearly all. "none" are random ones, too. What does
        not go on from the general network gets the batches, the size and the steps that a start from pictures needs.
        """
        weights = encoder_weights or ("imagenet" if self.net.encoder_weights == "imagenet" else None)
        weights = None if weights == "none" else weights
        cold = self.net.encoder_weights == "general" != weights
        usual = TrainConfig()
        changes: dict[str, Any] = {name: getattr(usual, name) for name in _WARM} if cold else {}
        if cold and self.steps is not None:
            changes["steps"] = round(self.steps * STEPS_FROM_PICTURES / STEPS)
        return changed(self, encoder=encoder, encoder_weights=weights, **changes)


@flat
@dataclass(frozen=True)
class ReproduceSettings:
    """How the rows of the tables are labelled, trained and scored: all rows alike.

    The defaults fit on one core of a CPU, both tables with three seeds in less than two hours. They were chosen on
    validation scenes. Settings of ``net``, ``train`` and ``runtime`` go by their own names, too. What a row or a run
    says stands above them: the branch, the loss, the seed; ``air_weight`` is for the rows that have AIR. Without
    ``encoder_weights`` nothing labelled is involved at all.
    """

    label: LabelSettings = field(default_factory=lambda: LabelSettings.ours(every=10))
    net: NetConfig = part(lambda: NetConfig("hrnet_w18_small"))
    steps: int = option(936, "Training steps of each run, rounded to whole epochs.", least=1)
    train: TrainConfig = part(lambda: TrainConfig(schedule="cosine", air_weight=0.1, long_side=192))
    runtime: Runtime = part(Runtime)
    split: Literal["test", "validation", "samples"] = option(
        "test", "Synthetic scenes that are scored; validation to choose settings by."
    )
    train_clips: int = option(4, "Synthetic clips of each kind to train on.", least=1)
    clips: int = option(2, "Synthetic clips of each kind to score.", least=1)
    frames: int = option(120, "Frames of a synthetic clip.", least=1)
    score_frames: int = option(12, "Frames of a clip that are scored at most, evenly spaced.", least=1)

    def __post_init__(self) -> None:
        check(self)

    def deciding(self) -> dict[str, Any]:
        """What the scores depend on, by name: not what each row and run says itself, nor on what it is computed."""
        not_asked = {"siamese", "fusion", "loss", "epochs", "seed", *options_of(Runtime)} - {"precision"}
        return {name: value for name, value in to_record(self).items() if name not in not_asked}
