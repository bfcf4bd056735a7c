"""An explorer's controls and picture fit on a screen together, 620 px high as JupyterLab shows them."""

import html
import re
import struct
from math import ceil

import networkx as nx
import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.course.widgets.beyond import place_explorer
from mpas_lite.course.widgets.collectiveness import noise_explorer, outlier_explorer, sweep_noise
from mpas_lite.course.widgets.graph import reach_explorer, series_explorer
from mpas_lite.course.widgets.losses import noise_explorer as label_explorer
from mpas_lite.course.widgets.merging import merging_explorer
from mpas_lite.course.widgets.siamese import masks_explorer
from mpas_lite.course.widgets.walks import walk_explorer

CONTROL, LINE, LETTERS = 32, 28, 110  # px of a control and of a line of text; letters that a line has at least


def height(explorer):
    picture, text = explorer.draw()
    words = html.unescape(re.sub(r"<[^>]+>", "", text))
    return struct.unpack(">I", picture[20:24])[0] + CONTROL * len(explorer.controls) + LINE * ceil(len(words) / LETTERS)


def crowd(shape):
    rng = np.random.default_rng(0)
    position = rng.uniform(0, (shape[1], shape[0]), (60, 2))
    velocity = np.ones((60, 2)) + 0.1 * rng.standard_normal((60, 2))
    frame = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    return mp.Particles(frame=0, position=position, velocity=velocity), frame, mp.crowd_graph(position, velocity)


def of_graph(make):
    W = nx.to_numpy_array(nx.cycle_graph(5)) / 2
    if make is series_explorer:
        return make(W, 2)
    return make(np.random.default_rng(0).uniform(0, 3, (5, 2)), W, 0.25, 2)


@pytest.mark.parametrize("shape", [(240, 320), (180, 320), (200, 200), (320, 180)])
def test_frames_of_any_shape_fit(shape):
    particles, frame, _ = crowd(shape)
    assert height(outlier_explorer(frame, particles)) <= 620
    moving = np.stack([np.roll(frame, n, axis=1) for n in range(7)])
    assert height(merging_explorer(moving, min_speed=0)) <= 620


@pytest.mark.parametrize("shape", [(240, 320), (180, 320)])
def test_a_frame_of_the_course_fits(shape):
    particles, frame, W = crowd(shape)
    assert height(reach_explorer(frame, particles.position, W, 0.02, 20)) <= 620
    probs = {0: np.zeros(shape), 9: np.ones(shape)}
    assert height(masks_explorer(frame, probs, np.ones(shape, bool))) <= 620


@pytest.mark.parametrize("make", [walk_explorer, series_explorer])
def test_those_of_the_graph_fit(make):
    assert height(of_graph(make)) <= 620


@pytest.mark.slow
def test_those_that_compute_before_they_draw_fit():
    assert height(noise_explorer(sweep_noise([0, 0.5, 1], [0, 10], n=40))) <= 620
    assert height(place_explorer()) <= 620
    assert height(label_explorer()) <= 620
