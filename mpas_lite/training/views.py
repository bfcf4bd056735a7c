"""The two views of a pair that training sees, other ones in every epoch: the second is the siamese branch's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mpas_lite.training.augmentation import AUGMENTATIONS, change_colours, literal_colours, paste_people, rescale, zoom
from mpas_lite.training.config import Augmentation
from mpas_lite.training.pairs import PairDataset, as_image, pad_to
from mpas_lite.video.arrays import Frame, Mask


class TrainingViews(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Two views of every pair, other ones in every epoch.

    Indexing gives ``(x, x_hat, mask, valid)``: (3, H, W) uint8 twice, (1, H, W) bool twice. What is drawn depends on
    (seed, epoch, index) alone, so that a resumed run sees what the killed one would have seen.

    Parameters
    ----------
    pairs : PairDataset
    augmentation : {"real", "literal", "none"}
        ``"literal"``: for x_hat what the paper names, ``ColorJitter`` and ``RandomGrayscale(p=0.1)`` "with default
        parameters in PyTorch". ``ColorJitter()`` with its default parameters changes nothing, so nine times in ten
        both views are one image and the AIR loss is 0.
        ``"real"``: flip, a crop scaled up again, and for x_hat a change of light and colour that is one.
        ``"none"``: both views are the frame.
    seed : int
    sizes : float
        With ``"real"``: the frame, as large as it is on disk, is also scaled by up to this factor either way from its
        working size, and a window cut out of it; what is smaller than the window stands in it several times. 1: not.
    paste : float
        With ``"real"``: into so many of the frames, 0 to 1, the people of another pair are pasted.

    Notes
    -----
    Flip and crop move both views and the mask alike: Eq. 7 compares the views position by position, so
    x_hat may differ from x in colour only.

    In a loop of your own, call :meth:`set_epoch` before each epoch, or every epoch sees the same views::

        views = TrainingViews(PairDataset("pairs"))
        for epoch in range(20):
            views.set_epoch(epoch)
            for x, x_hat, mask, valid in DataLoader(views, batch_size=4, shuffle=True, num_workers=2):
                prob, f, f_hat = net.two_views(x / 255, x_hat / 255)

    A loader with ``persistent_workers=True`` keeps its copies of the data set, which do not hear of a new epoch:
    give it a sampler of keys ``(epoch, index)``, as ``fit`` does.
    """

    def __init__(
        self,
        pairs: PairDataset,
        augmentation: Augmentation = "real",
        *,
        seed: int = 0,
        sizes: float = 1.0,
        paste: float = 0.0,
    ) -> None:
        if augmentation not in AUGMENTATIONS:
            raise ValueError(f"augmentation={augmentation!r}: choose {', '.join(AUGMENTATIONS)}.")
        self.pairs = pairs
        self.augmentation = augmentation
        self.seed = seed
        self.sizes = sizes
        self.paste = paste
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Give the views of this epoch from now on, where an index comes without one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, key: int | tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The views of a pair, by its index, or by ``(epoch, index)`` whatever epoch was set."""
        epoch, index = key if isinstance(key, tuple) else (self.epoch, key)
        index = range(len(self))[index]  # from the end, too, and IndexError beyond it
        rng = np.random.default_rng([self.seed, epoch, index])  # per sample, not per batch
        image, mask, valid = self._moved(index, rng) if self.augmentation == "real" else self.pairs.read(index)
        if self.augmentation == "real" and self.paste and rng.random() < self.paste:
            image, mask, valid = self._with_others(rng, *pad_to(self.pairs.shape, image, mask, valid))
        image, mask, valid = pad_to(self.pairs.shape, image, mask, valid)
        x = as_image(image)
        if self.augmentation == "real":
            x_hat = as_image(change_colours(image, rng))
        elif self.augmentation == "literal":
            x_hat = literal_colours(x, rng)
        else:
            x_hat = x
        return x, x_hat, torch.from_numpy(mask)[None], torch.from_numpy(valid)[None]

    def _moved(self, index: int, rng: np.random.Generator) -> tuple[Frame, Mask, Mask]:
        """A pair flipped, and cut and scaled: both views and the mask alike."""
        resized = self.sizes > 1
        image, mask, valid = self._of_another_size(index, rng) if resized else self.pairs.read(index)
        if rng.random() < 0.5:
            image, mask, valid = image[:, ::-1], mask[:, ::-1], valid[:, ::-1]
        if not resized:
            image, both = zoom(image, np.dstack([mask, valid]), rng)
            mask, valid = both[..., 0], both[..., 1]
        return image, mask, valid

    def _of_another_size(self, index: int, rng: np.random.Generator) -> tuple[Frame, Mask, Mask]:
        """A pair as it would be nearer or farther: scaled by up to ``sizes`` either way, and of the pairs' shape."""
        image, mask, valid = self.pairs.read_files(index)
        usual = min(1.0, self.pairs.long_side / max(mask.shape))
        scale = usual * float(np.exp(rng.uniform(-1, 1) * np.log(self.sizes)))
        image, both = rescale(image, np.dstack([mask, valid]) > 127, self.pairs.shape, scale, rng)
        return image, both[..., 0], both[..., 1]

    def _with_others(self, rng: np.random.Generator, image: Frame, mask: Mask, valid: Mask) -> tuple[Frame, Mask, Mask]:
        """A picture with the people of another pair before it: those that its label is sure of."""
        other, people, sure = pad_to(self.pairs.shape, *self._moved(int(rng.integers(len(self))), rng))
        pasted, mask = paste_people(image, mask, other, people & sure)
        return pasted, mask, valid | (people & sure)
