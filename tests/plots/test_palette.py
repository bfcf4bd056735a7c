"""Who does not see colours: simulated, and measured as differences of colour (CIELAB) and as contrast (WCAG).

Deuteranopia after Machado, Oliveira and Fernandes (2009), severity 1. Where colour alone carries meaning, colours must
differ by 15 or more and have patterns of their own; patterns are black, and must stand out from their colour.
"""

import ast
from itertools import combinations

import numpy as np
import pytest

from mpas_lite.course.widgets.beyond.refinement import _WHY
from mpas_lite.plots.axes import name_region, new_axes
from mpas_lite.plots.overlays import overlay_parts, pattern
from mpas_lite.plots.palette import ERROR_COLORS, INK, PALETTE, PATTERNS, rgb
from tests.helpers import ROOT

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
TOGETHER = {
    "what a mask has right and wrong": list(ERROR_COLORS.values()),
    "why something is labelled, notebook 07": list(_WHY.values()),
    "taken out, notebook 07": ["sky", "purple", "vermillion"],
    "faults of a label, notebook 04": ["sky", "yellow", "vermillion", "purple"],
}


def linear(color):
    """Of a colour of the palette or a hexadecimal one, in light: 0 to 1."""
    digits = PALETTE.get(color, color)[1:]
    value = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(light):
    return float(light @ TO_XYZ[1])


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(light):
    xyz = TO_XYZ @ np.clip(light, 0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one, other):
    """What is left of the difference of two colours, Delta E (1976)."""
    return float(np.linalg.norm(lab(DEUTERANOPIA @ linear(one)) - lab(DEUTERANOPIA @ linear(other))))


def test_the_simulation_keeps_grey_and_mixes_up_red_and_green():
    for grey in ("#404040", "#999999", "#FFFFFF"):
        np.testing.assert_allclose(DEUTERANOPIA @ linear(grey), linear(grey), atol=2e-3)
    before = np.linalg.norm(lab(linear("#D06060")) - lab(linear("#809060")))
    assert difference("#D06060", "#809060") < before / 3


@pytest.mark.parametrize("colors", TOGETHER.values(), ids=TOGETHER)
def test_regions_differ_in_colour_or_pattern_whoever_looks(colors):
    for one, other in combinations(colors, 2):
        assert PATTERNS.get(one) != PATTERNS.get(other)  # in grey, too
        assert difference(one, other) > 15


def test_purple_needs_its_pattern():
    """In grey it is the grey of pavement, and for deuteranopes, too: which is why regions have patterns."""
    assert difference("purple", "grey") < 15
    assert PATTERNS["purple"]


@pytest.mark.parametrize("color", PATTERNS)
def test_patterns_stand_out_from_their_colour(color):
    tint = 0.6 * np.array(rgb(color)) + 0.4 * 128  # as overlay_parts mixes it, over the grey of a street
    assert contrast(linear("#{:02X}{:02X}{:02X}".format(*tint.astype(int))), linear("black")) > 3


def test_patterns_are_different_and_leave_most_of_the_colour():
    drawn = {kind: pattern(kind, (240, 320)) for kind in PATTERNS.values()}
    assert len(drawn) == len(PATTERNS)
    for one, other in combinations(drawn.values(), 2):
        assert (one != other).mean() > 0.09
    for kind, on in drawn.items():
        assert 0.1 < on.mean() < 0.26, kind
        assert 0.8 < pattern(kind, (960, 1280)).mean() / on.mean() < 1.25  # coarser, not denser


def test_regions_are_drawn_with_their_patterns_and_one_alone_without():
    frame, all_of_it = np.full((240, 320, 3), 200, np.uint8), np.zeros((240, 320), bool)
    all_of_it[20:-20, 20:-20] = True
    parts = {"hit": ~all_of_it, "miss": all_of_it}
    inside = (slice(30, -30), slice(30, -30))
    black = (overlay_parts(frame, parts, ERROR_COLORS) == 0).all(axis=2)
    assert np.array_equal(black[inside], pattern(".", (240, 320))[inside])
    assert not black[:15].any()
    assert not (overlay_parts(frame, {"miss": all_of_it}, ERROR_COLORS) == 0).all(axis=2).any()


def test_legends_show_the_patterns():
    ax = new_axes(None, (2, 2))
    name_region(ax, "shadow", "purple")
    (square,), (name,) = ax.get_legend_handles_labels()
    assert (name, set(square.get_hatch())) == ("shadow", {"\\"})


@pytest.mark.parametrize("name", PALETTE)
def test_ink_can_be_read_on_white_and_is_the_same_colour(name):
    assert contrast(linear(INK[name]), linear("#FFFFFF")) >= 4.5
    if name not in ("grey", "black"):
        one, other = linear(INK[name]), linear(name)
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.98


def test_why_ink_is_needed():
    readable = {name for name in PALETTE if contrast(linear(name), linear("#FFFFFF")) >= 4.5}
    assert readable == {"blue", "black"}


WORDS = {"text", "set_title", "set_xlabel", "set_ylabel", "annotate", "suptitle"}
DRAWN = [
    path for folder in ("mpas_lite/plots", "mpas_lite/course", "notebooks") for path in (ROOT / folder).rglob("*.py")
]


def colours_of_words(path):
    """Where words are written in a colour of the palette, by line: the name of the table that it is taken from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WORDS:
            for keyword in node.keywords:
                if keyword.arg == "color" and isinstance(keyword.value, ast.Subscript):
                    yield node.lineno, ast.unparse(keyword.value.value), ast.unparse(node)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_words_are_written_in_ink(path):
    for line, table, call in colours_of_words(path):
        assert table == "INK" or "marks[" in call, f"{path.name}, line {line}"  # a mark in a key is no word


def test_words_in_colour_are_found(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("ax.text(1, 2, 'flat', color=PALETTE['sky'])\nax.plot(1, 2, color=PALETTE['sky'])\n")
    assert [(line, table) for line, table, _ in colours_of_words(path)] == [(1, "PALETTE")]
