"""Notebook 06's picture of the network, its masks that evolve, and another light."""

import numpy as np
import pytest
import torch

import mpas_lite as mp
from mpas_lite.course.widgets.siamese import another_light, draw_network, light_explorer, masks_explorer, shapes_of


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return mp.MPASNet("test_efficientnet").eval()


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)


def test_shapes_follow_the_strides(net):
    shapes = shapes_of(net, torch.zeros(1, 3, 50, 100))  # padded to 64 x 128
    channels = sum(net.encoder.feature_info.channels())
    assert shapes == {
        "x": (3, 50, 100),
        "F": (channels, 16, 32),
        "psi": (64, 16, 32),
        "head": (1, 16, 32),
        "prob": (1, 50, 100),
    }


def test_the_picture_says_every_shape(net):
    import matplotlib.pyplot as plt

    ax = draw_network(shapes_of(net, torch.zeros(1, 3, 64, 96)))
    text = " ".join(t.get_text() for t in ax.texts)
    for shape in ("3 x 64 x 96", "64 x 16 x 24", "1 x 16 x 24", "1 x 64 x 96", "L_{AIR}", "L_{SEG}"):
        assert shape in text
    plt.close(ax.figure)


def test_masks_follow_step_and_threshold(frame):
    truth = np.zeros((96, 128), bool)
    truth[:48] = True
    probs = {0: np.full((96, 128), 0.5), 10: np.where(truth, 0.9, 0.1)}
    explorer = masks_explorer(frame, probs, truth)
    assert explorer.controls["step"].value == 10
    assert "<b>1.00</b>" in explorer.callback(step=10, threshold=0.5)[1]
    assert "<b>50%</b>" in explorer.callback(step=10, threshold=0.5)[1]
    assert "<b>0%</b>" in explorer.callback(step=10, threshold=0.95)[1]
    assert "<b>100%</b>" in explorer.callback(step=0, threshold=0.05)[1]
    assert "IoU" not in masks_explorer(frame, probs).callback(step=0, threshold=0.5)[1]
    with pytest.raises(ValueError, match="probs is empty"):
        masks_explorer(frame, {})


def test_another_light_keeps_grey_grey_and_colours_apart(frame):
    assert np.array_equal(another_light(frame), frame)
    grey = another_light(frame, saturation=0)
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert np.array_equal(another_light(grey, brightness=-300), np.zeros_like(grey))


def test_the_key_of_another_light_claims_no_truth(net, frame, monkeypatch):
    keys = []
    monkeypatch.setattr("mpas_lite.course.widgets.siamese.add_key", lambda figure, x, y, key: keys.append(list(key)))
    light_explorer({"one": net}, frame)
    masks_explorer(frame, {0: np.full((96, 128), 0.5)}, np.ones((96, 128), bool))  # here there is truth
    assert keys == [["in both lights", "lost", "new"], ["hit", "miss", "false alarm"]]


def test_in_the_same_light_nothing_changes(net, frame):
    explorer = light_explorer({"one": net, "two": net}, frame)
    line = explorer.callback(name="one", brightness=0, saturation=1.0)[1]
    assert "<b>0.00</b>" in line
    assert "<b>1.00</b>" in line
    changed = explorer.callback(name="two", brightness=-60, saturation=0.0)[1]
    assert "<b>0.00</b>" not in changed
    for brightness in (-60, 60):
        for saturation in (0.0, 2.0):
            explorer.callback(name="one", brightness=brightness, saturation=saturation)
