"""One declaration of a setting: what it allows, and what it says when it is not that."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Literal

import numpy as np
import pytest

from mpas_lite.options import UNNAMED, check, option, own_options


@dataclass(frozen=True)
class Walk:
    speed: float = option(1.3, "How fast people walk.", unit="m/s", above=0, most=10, paper=1.2)
    people: int = option(4, "How many.", least=1, most=100)
    share: float | None = option(None, "Of those who stand.", above=0, below=1)
    way: Literal["left", "right"] = option("left", "Where they turn.")
    hat: Literal["cap", "hood"] | None = option(None, "What they wear.")
    fast: bool = option(False, "Whether they run.")
    name: str = option("", "What they are called.", names=("--name", "-n"))

    def __post_init__(self) -> None:
        check(self)


def test_all_that_is_said_of_a_setting_is_at_hand() -> None:
    options = own_options(Walk)
    assert list(options) == ["speed", "people", "share", "way", "hat", "fast", "name"]
    speed = options["speed"]
    assert (speed.default, speed.unit, speed.paper, speed.names) == (1.3, "m/s", 1.2, ("--speed",))
    assert speed.sentence == "How fast people walk, m/s."
    assert options["people"].paper is UNNAMED
    assert options["name"].names == ("--name", "-n")
    assert [each.kind for each in options.values()] == [
        *("a number", "a whole number", "a number or none", "left or right", "cap or hood", "true or false", "a text")
    ]
    assert [each.allowed for each in options.values()] == [
        *("above 0, 10 at most", "1 or more, 100 at most", "above 0, below 1", "left or right", "cap or hood", "", "")
    ]
    assert [each.optional for each in options.values()] == [False, False, True, False, True, False, False]
    assert options["way"].choices == ("left", "right")


@pytest.mark.parametrize(
    "values",
    [
        {"speed": 10, "people": 1},
        {"speed": 1e-9, "people": 100, "share": 0.5},
        {"speed": np.float32(2), "people": np.int64(3)},
        {"share": None, "hat": None, "way": "right"},
        {"hat": "hood", "fast": True, "name": "x"},
    ],
)
def test_what_is_allowed_is_taken_as_it_is(values: dict) -> None:
    walk = Walk(**values)
    assert {name: getattr(walk, name) for name in values} == values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"speed": 0}, "speed=0: it must be above 0."),
        ({"speed": 10.5}, "speed=10.5: it must be 10 at most."),
        ({"speed": float("nan")}, "speed=nan: it must be a number."),
        ({"speed": float("inf")}, "speed=inf: it must be 10 at most."),
        ({"speed": "fast"}, "speed='fast': it must be a number."),
        ({"speed": None}, "speed=None: it must be a number."),
        ({"people": 0}, "people=0: it must be 1 or more."),
        ({"people": 101}, "people=101: it must be 100 at most."),
        ({"people": True}, "people=True: it must be a whole number."),
        ({"share": 0}, "share=0: it must lie between 0 and 1."),
        ({"share": 1}, "share=1: it must lie between 0 and 1."),
        ({"share": float("nan")}, "share=nan: it must lie between 0 and 1."),
        ({"way": "up"}, "way='up': choose left or right."),
        ({"way": None}, "way=None: choose left or right."),
        ({"hat": "crown"}, "hat='crown': choose cap or hood."),
    ],
)
def test_what_is_not_allowed_is_named_in_one_sentence(values: dict, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole text is compared
        Walk(**values)
    assert str(caught.value) == said
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        replace(Walk(), **values)
    assert str(caught.value) == said


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Walk().speed = 2.0  # type: ignore[misc]
