"""Figures: what is drawn is the data, nothing is shown, and no setting is changed."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import matplotlib
import numpy as np
import pytest
from scipy import sparse

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from mpas_lite.evaluation.score_tables import scene_table
from mpas_lite.plots.axes import legend_below
from mpas_lite.plots.charts import plot_scores, plot_training
from mpas_lite.plots.frame_figures import plot_graph, plot_mask, plot_particles, plot_pipeline
from mpas_lite.plots.palette import PALETTE

FRAME = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


@dataclass(frozen=True)
class Particles:
    position: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True)
class History:
    loss: list[float]
    segmentation: list[float]
    air: list[float]


PARTICLES = Particles(
    position=np.array([[10, 20], [30, 40], [50, 5], [60, 45]], np.float32),
    velocity=np.array([[1, 0], [0, -2], [0.5, 0.5], [0, 0]], np.float32),
)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    for number in plt.get_fignums():
        plt.figure(number).savefig(BytesIO(), format="png", dpi=30)  # it can be drawn, too
    plt.close("all")


def square(top: int, left: int, size: int = 10) -> np.ndarray:
    mask = np.zeros(FRAME.shape[:2], bool)
    mask[top : top + size, left : left + size] = True
    return mask


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def shown(ax: Axes) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def test_particles_are_where_they_are_and_point_where_they_go() -> None:
    ax = plot_particles(FRAME, PARTICLES, ahead=8)
    (arrows,) = (c for c in ax.collections if isinstance(c, Quiver))
    np.testing.assert_allclose(arrows.XY, PARTICLES.position)
    np.testing.assert_allclose(np.c_[arrows.U, arrows.V], PARTICLES.velocity * 8)
    assert (arrows.angles, arrows.scale, arrows.scale_units) == ("xy", 1, "xy")  # in pixels of the frame
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (px)", "y (px)")
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 63.5), (47.5, -0.5))  # y points down
    assert legend(ax) == ["particles (4)"]


def test_dropped_particles_are_grey_crosses_and_groups_have_colours_and_marks() -> None:
    ax = plot_particles(FRAME, PARTICLES, np.array([2, 0, 7, 7]))
    assert legend(ax) == ["dropped (1)", "kept (3, 2 groups)"]
    drawn = {line.get_marker(): [] for line in ax.lines}
    for line in ax.lines:
        drawn[line.get_marker()].append((line.get_color(), line.get_xydata().tolist()))
    assert drawn["x"] == [("dimgrey", [[30, 40]])]
    assert drawn["o"][0] == (PALETTE["orange"], [[50, 5], [60, 45]])  # the largest group first
    assert drawn["s"] == [(PALETTE["sky"], [[10, 20]])]  # another mark, for those who do not see the colours


def test_no_particles_is_no_error() -> None:
    nothing = Particles(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
    assert legend(plot_particles(FRAME, nothing, np.zeros(0, int))) == ["dropped (0)", "kept (0, 0 groups)"]
    plot_graph(FRAME, nothing.position, sparse.csr_array((0, 0)))


def test_labels_must_be_as_many_as_particles() -> None:
    with pytest.raises(ValueError, match="4 particles need as many labels"):
        plot_particles(FRAME, PARTICLES, np.ones(3, int))


def test_mask_tints_its_pixels_only() -> None:
    ax = plot_mask(FRAME, square(10, 10))
    changed = (shown(ax) != FRAME).any(axis=2)
    assert changed[square(10, 10)].mean() > 0.95
    assert not changed[~square(9, 9, 12)].any()
    assert ax.get_legend() is None
    np.testing.assert_array_equal(shown(plot_mask(FRAME, square(0, 0, 0))), FRAME)


def test_hit_miss_and_false_alarm_have_their_colours() -> None:
    ax = plot_mask(FRAME, square(10, 10), square(10, 15))
    assert legend(ax) == ["hit", "miss", "false alarm"]
    assert ax.get_title() == "IoU 0.33"
    image = shown(ax).astype(float)
    where = {"sky": (15, 17), "yellow": (15, 22), "vermillion": (15, 12)}
    for name, pixel in where.items():
        tint = image[pixel] - image[pixel].mean()
        pure = np.array(to_rgb(PALETTE[name])) * 255
        np.testing.assert_allclose(tint, 0.6 * (pure - pure.mean()), atol=2)  # the rest is grey
    assert np.ptp(image[40, 50]) == 0


def test_pixels_without_truth_stay_as_they_are_and_do_not_count() -> None:
    valid = ~square(10, 10, 5)
    ax = plot_mask(FRAME, square(10, 10), square(10, 15), valid=valid)
    assert ax.get_title() == f"IoU {50 / 125:.2f}"
    assert np.ptp(shown(ax)[12, 12].astype(int)) == 0


def test_graph_draws_every_edge_with_its_weight() -> None:
    W = sparse.csr_array(np.array([[0, 0.9, 0, 0], [0.9, 0, 0.2, 0], [0, 0, 0, 0], [0, 0, 0.5, 0]]))
    ax = plot_graph(FRAME, PARTICLES.position, W)
    (edges,) = (c for c in ax.collections if isinstance(c, LineCollection))
    drawn = {
        (tuple(a), tuple(b)): weight for (a, b), weight in zip(edges.get_segments(), edges.get_array(), strict=True)
    }
    p = [tuple(xy) for xy in PARTICLES.position]
    assert drawn == {(p[0], p[1]): 0.9, (p[1], p[0]): 0.9, (p[1], p[2]): 0.2, (p[3], p[2]): 0.5}
    assert list(edges.get_array()) == sorted(edges.get_array())  # the heavy ones on top
    assert list(edges.get_linewidths()) == sorted(edges.get_linewidths())
    assert list(edges.get_alpha()) == sorted(edges.get_alpha())
    assert ax.get_title() == "4 particles, 4 edges"
    assert [other.get_ylabel() for other in ax.figure.axes if other is not ax] == ["velocity correlation $w_{ij}$"]
    with pytest.raises(ValueError, match="needs a row for each"):
        plot_graph(FRAME, PARTICLES.position[:3], W)


def test_graph_without_clipping_or_scale() -> None:
    W = sparse.csr_array(np.array([[0, -1.0], [0.5, 0]]))
    ax = plot_graph(FRAME, PARTICLES.position[:2], W, colorbar=False)
    assert len(ax.figure.axes) == 1
    assert ax.collections[0].get_clim() == (-1, 1)
    assert ax.collections[0].get_array().tolist() == [0.5, -1.0]  # on top what is heavy, of either sign


def test_a_legend_lies_beneath_everything_and_close() -> None:
    """Nothing of the Axes is hidden; without ticks the legend is nearer."""
    gaps = []
    for ticks in ({}, {"xticks": [], "xlabel": ""}):
        ax = plot_particles(FRAME, PARTICLES)
        ax.set(**ticks)
        legend_below(ax)
        ax.figure.canvas.draw()
        box = ax.get_legend().get_window_extent()
        above = [label.get_window_extent().y0 for label in ax.get_xticklabels() if label.get_text()]
        assert box.y1 <= min([ax.get_window_extent().y0, *above])
        gaps.append(ax.get_window_extent().y0 - box.y1)
    assert gaps[1] < 0.3 * gaps[0]


def test_pipeline_is_a_row_of_four() -> None:
    row = plot_pipeline(FRAME, PARTICLES, np.array([0, 1, 1, 1]), square(5, 5), square(10, 10), square(10, 10))
    assert [ax.get_title() for ax in row] == [
        "frame",
        "particles",
        "pseudo-label: IoU 0.14",
        "network: IoU 1.00",
    ]
    np.testing.assert_array_equal(shown(row[0]), FRAME)
    assert all(len(ax.get_xticks()) == 0 for ax in row)
    bare = plot_pipeline(FRAME, PARTICLES, None, square(5, 5), square(10, 10))
    assert [ax.get_title() for ax in bare] == ["frame", "particles", "pseudo-label", "network"]


def test_pipeline_draws_on_given_axes() -> None:
    axes = Figure().subplots(2, 2)
    row = plot_pipeline(FRAME, PARTICLES, None, square(5, 5), square(10, 10), axes=axes)
    assert list(row) == list(axes.ravel())
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match="four Axes, not 3"):
        plot_pipeline(FRAME, PARTICLES, None, square(5, 5), square(10, 10), axes=axes.ravel()[:3])


def test_training_has_a_curve_for_each_loss() -> None:
    history = History(loss=[0.9, 0.5, 0.3], segmentation=[0.8, 0.45, 0.28], air=[0.1, 0.05, 0.02])
    ax = plot_training(history)
    curves = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert curves == {
        "total": [[1, 0.9], [2, 0.5], [3, 0.3]],
        "segmentation": [[1, 0.8], [2, 0.45], [3, 0.28]],
        "AIR": [[1, 0.1], [2, 0.05], [3, 0.02]],
    }
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    rows = [{"loss": 0.9, "segmentation": 0.8, "air": 0.1}, {"loss": 0.5, "segmentation": 0.45, "air": 0.05}]
    by_row = {line.get_label(): line.get_xydata().tolist() for line in plot_training(rows).lines}
    assert by_row == {name: points[:2] for name, points in curves.items()}
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_training_without_siamese_branch_has_one_curve() -> None:
    ax = plot_training(History(loss=[0.9, 0.5], segmentation=[0.9, 0.5], air=[0.0, 0.0]))
    assert [line.get_label() for line in ax.lines] == ["segmentation"]
    with pytest.raises(ValueError, match="history is empty"):
        plot_training(History([], [], []))


def test_scores_are_the_heights_of_the_bars() -> None:
    table = scene_table({"CM+CRM": {"plaza": 0.5, "hall": 0.6}, "MPASNET": {"plaza": 0.7}})
    ax = plot_scores(table)
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in ax.containers}
    np.testing.assert_allclose(heights["CM+CRM"], [0.5, 0.6, 0.55])
    np.testing.assert_allclose(heights["MPASNET"], [0.7, np.nan, np.nan])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["plaza", "hall", "mIoU"]
    assert sorted(text.get_text() for text in ax.texts) == ["0.50", "0.55", "0.60", "0.70"]
    assert legend(ax) == ["CM+CRM", "MPASNET"]
    bars = [bar for bars in ax.containers for bar in bars]
    (band,) = (patch for patch in ax.patches if patch not in bars)
    assert band.get_extents().contains(*ax.transData.transform((2, 0.5))), "the mean stands apart"
    assert not band.get_extents().contains(*ax.transData.transform((1, 0.5)))
    with pytest.raises(ValueError, match="table is empty"):
        plot_scores([])


def test_many_methods_leave_room_for_their_bars() -> None:
    table = scene_table({f"method {n}, named": {"plaza": 0.5} for n in range(6)})
    figure = Figure(figsize=(8, 5), layout="constrained")
    ax = plot_scores(table, figure.subplots())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "axes sizes collapsed to zero"
        figure.savefig(BytesIO(), format="png", dpi=30)
    assert min(ax.get_position().size) > 0.7


def test_every_plot_draws_on_the_axes_it_is_given() -> None:
    W = sparse.csr_array(np.ones((4, 4)) - np.eye(4))
    history = History([0.9, 0.5], [0.8, 0.4], [0.1, 0.1])
    table = scene_table({"MOG2": {"plaza": 0.5}})
    plots = [
        lambda ax: plot_particles(FRAME, PARTICLES, ax=ax),
        lambda ax: plot_mask(FRAME, square(1, 1), square(2, 2), ax),
        lambda ax: plot_graph(FRAME, PARTICLES.position, W, ax),
        lambda ax: plot_training(history, ax),
        lambda ax: plot_scores(table, ax),
    ]
    for plot in plots:
        figure = Figure()
        ax = figure.subplots()
        assert plot(ax) is ax
        figure.savefig(BytesIO(), format="png", dpi=30)
    assert not plt.get_fignums()  # no figure beside the one given


def test_importing_plots_loads_neither_torch_nor_pyplot() -> None:
    code = (
        "import sys, mpas_lite.plots; [getattr(mpas_lite.plots, name) for name in mpas_lite.plots.__all__]; "
        "print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
