"""How the experiments label, train, segment and score: the settings of the main job and of the paper's tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mpas_lite.labels.refine.settings import Refinement
from mpas_lite.labels.settings import LabelSettings
from mpas_lite.scenes.benchmark import SPLITS


@dataclass(frozen=True)
class RunSettings:
    """How the main job labels, trains and segments.

    The defaults were chosen by measuring, on scenes of the validation seeds (the table is in benchmarks/RESULTS.md):
    smaller circles around more, but stronger corners than the paper's; an encoder that knows pictures (ImageNet).

    Attributes
    ----------
    label : LabelSettings
        ``label.every = 0`` chooses the stride so that the clips give about ``pairs`` pairs.
    encoder, encoder_weights : str
        Of :class:`mpas_lite.MPASNet`.
    siamese, fusion, width
        Of :class:`mpas_lite.MPASNet`: the siamese branch, what it brings to the head, and the maps of psi.
    pairs : int
        Pairs wanted of all clips together, where the stride is free.
    steps : int
        Training steps; whole epochs, as many as come nearest.
    batch_size, lr, schedule, loss, air_weight, augmentation, long_side, seed
        Of :func:`mpas_lite.fit`.
    rounds : int
        Rounds of self-training at most, beyond the paper; see `training.self_training`. ``steps`` holds them all.
    segment_every : int
        Segment one frame in so many.
    """

    label: LabelSettings = field(
        default_factory=lambda: LabelSettings(
            every=0, radius=1 / 60, quality=0.02, min_distance=2.0, refine=Refinement()
        )
    )
    encoder: str = "tf_efficientnet_lite0"
    encoder_weights: str | None = "offline"
    siamese: bool = True
    fusion: bool = True
    width: int | None = 64
    pairs: int = 144
    steps: int = 150
    batch_size: int = 4
    lr: float = 0.02
    schedule: str = "cosine"
    loss: str = "dice"
    air_weight: float = 0.1
    augmentation: str = "real"
    long_side: int = 320
    seed: int = 0
    rounds: int = 0
    segment_every: int = 1

    @classmethod
    def paper(cls) -> RunSettings:
        """The paper's own settings: HRNetV2-W48 from ImageNet, one frame in 20, circles of 20 px, a rate of 0.02.

        What the paper leaves open stays ours, as do the number of steps and the size of the frames; the list is in
        benchmarks/PAPER.md.
        """
        return cls(
            label=LabelSettings(),
            encoder="hrnet_w48",
            encoder_weights="imagenet",
            width=None,
            schedule="constant",
            air_weight=1.0,
            augmentation="literal",
        )

    def with_encoder(self, encoder: str, encoder_weights: str | None = None) -> RunSettings:
        """Another encoder; weights that are not named are those of the hub where these were, else random ones.

        An encoder's weights fit no other, but the hub has some for nearly all. "none" are random ones, too.
        """
        weights = encoder_weights or ("imagenet" if self.encoder_weights == "imagenet" else None)
        return replace(self, encoder=encoder, encoder_weights=None if weights == "none" else weights)


@dataclass(frozen=True)
class ReproduceSettings:
    """How the rows of the tables are labelled, trained and scored: all rows alike.

    The defaults fit on one core of a CPU, both tables with three seeds in less than two hours. They were chosen on
    validation scenes.

    Attributes
    ----------
    label : LabelSettings
        Of the pseudo-labels, for training and for the row CM+CRM alike.
    encoder, encoder_weights, width
        Of :class:`mpas_lite.MPASNet`. Without weights nothing labelled is involved at all.
    steps : int
        Training steps; whole epochs, as many as come nearest.
    batch_size, lr, schedule, air_weight, augmentation, long_side, precision
        Of :func:`mpas_lite.fit`; ``air_weight`` for the rows that have AIR.
    split : str
        Of the synthetic scenes that are scored: "test", or "validation" to choose settings by.
    train_clips, clips : int
        Synthetic clips of each kind to train on, and to score.
    frames : int
        Frames of a synthetic clip.
    score_frames : int
        At most so many frames of a clip are scored, evenly spaced, the same for every row.
    """

    label: LabelSettings = field(
        default_factory=lambda: LabelSettings(every=10, radius=1 / 60, quality=0.02, min_distance=2.0)
    )
    encoder: str = "hrnet_w18_small"
    encoder_weights: str | None = None
    width: int | None = 64
    steps: int = 936
    batch_size: int = 4
    lr: float = 0.02
    schedule: str = "cosine"
    air_weight: float = 0.1
    augmentation: str = "real"
    long_side: int = 192
    precision: str = "32-true"
    split: str = "test"
    train_clips: int = 4
    clips: int = 2
    frames: int = 120
    score_frames: int = 12

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "train_clips", "clips", "frames", "score_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: it must be 1 or more.")
        if self.split not in SPLITS or self.split == "train":
            raise ValueError(f"split={self.split!r}: scenes to score are of the split test, validation or samples.")
