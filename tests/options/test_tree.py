"""Settings that hold settings: changed, written down and read back by name."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from mpas_lite.options import (
    changed,
    check,
    flat,
    from_record,
    option,
    options_of,
    parse_changes,
    part,
    read_toml,
    takes_options,
    to_markdown,
    to_record,
    to_toml,
    with_values,
)


@dataclass(frozen=True)
class Shoes:
    size: float = option(42.0, "Of the foot.", above=0)
    laces: bool = option(True, "Whether they have some.")


@dataclass(frozen=True)
class Walk:
    speed: float = option(1.3, "How fast.", unit="m/s", above=0, paper=1.2)
    ema: float | None = option(None, "Decay.", above=0, below=1)
    way: Literal["left", "right"] = option("left", "Where to turn.")

    def __post_init__(self) -> None:
        check(self)


@flat
@dataclass(frozen=True)
class Trip:
    shoes: Shoes | None = None
    where: str = option("home", "Where to.")
    walk: Walk = part(lambda: Walk(speed=2.0))
    days: int = option(1, "How long.", least=1, paper=None)

    def __post_init__(self) -> None:
        check(self)


def test_parts_go_by_their_own_names_and_tables_do_not() -> None:
    assert list(options_of(Trip)) == ["where", "speed", "ema", "way", "days"]
    trip = Trip(speed=3.0, days=2)
    assert trip == Trip(walk=Walk(speed=3.0), days=2)
    assert (trip.speed, trip.way, trip.days) == (3.0, "left", 2)
    assert Trip().speed == 2.0  # the part's, not its class's
    with pytest.raises(AttributeError, match="'Trip' object has no attribute 'size'"):
        _ = trip.size


def test_a_flat_class_is_made_changed_and_copied_as_if_it_were_flat() -> None:
    assert list(inspect.signature(Trip).parameters) == ["shoes", "where", "speed", "ema", "way", "days", "walk"]
    assert inspect.signature(Trip).parameters["speed"].default == 2.0
    assert Trip(Shoes(), "out", 4.0) == Trip(shoes=Shoes(), where="out", walk=Walk(speed=4.0))
    assert Trip(walk=Walk(speed=5.0, way="right"), speed=6.0).walk == Walk(speed=6.0, way="right")
    assert replace(Trip(days=3), speed=4.0) == Trip(days=3, speed=4.0)
    for again in (copy.deepcopy(Trip(speed=3.0)), pickle.loads(pickle.dumps(Trip(speed=3.0)))):
        assert again == Trip(speed=3.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'sped'"):
        Trip(sped=1.0)
    with pytest.raises(ValueError, match="speed=0: it must be above 0"):
        Trip(speed=0)


def test_changes_find_their_part() -> None:
    assert changed(Trip(), speed=3.0, days=2) == Trip(speed=3.0, days=2)
    assert changed(Trip(), walk=Walk(), way="right").walk == Walk(way="right")
    assert changed(Trip(), shoes=Shoes(40)).shoes == Shoes(40)
    with pytest.raises(ValueError, match=r"There is no setting 'sped'\. Did you mean speed\?"):
        changed(Trip(), sped=3.0)
    with pytest.raises(ValueError, match=r"There is no setting 'xyzzy'\. There are where, speed, ema, way, days"):
        changed(Trip(), xyzzy=3.0)


def test_a_record_is_plain_and_comes_back() -> None:
    trip = Trip(Shoes(40.0), speed=3.0, ema=0.5)
    record = to_record(trip)
    assert record == {"shoes": {"size": 40.0, "laces": True}, "where": "home", "speed": 3.0, "ema": 0.5, "way": "left",
                      "days": 1}  # fmt: skip
    assert from_record(Trip, json.loads(json.dumps(record))) == trip
    assert from_record(Trip, to_record(Trip())) == Trip()


def test_a_record_from_before_has_the_default_and_one_from_elsewhere_is_refused() -> None:
    assert from_record(Trip, {"shoes": {"size": 40.0}, "days": 2}) == Trip(Shoes(40.0), days=2)
    with pytest.raises(ValueError, match="There is no setting 'sped'"):
        from_record(Trip, {"sped": 3.0})
    with pytest.raises(ValueError, match="There is no setting 'sise'"):
        from_record(Trip, {"shoes": {"sise": 40.0}})
    with pytest.raises(ValueError, match="days=0"):
        from_record(Trip, {"days": 0})


@pytest.mark.parametrize(
    "trip", [Trip(), Trip(speed=3.0, where='a "b"'), Trip(Shoes(40.0, False), ema=0.5), Trip(way="right", days=7)]
)
def test_toml_comes_back(trip: Trip, tmp_path: Path) -> None:
    (tmp_path / "trip.toml").write_text(to_toml(trip))
    assert with_values(Trip(), read_toml(tmp_path / "trip.toml")) == trip


def test_toml_holds_tables_and_the_word_none(tmp_path: Path) -> None:
    (tmp_path / "trip.toml").write_text('ema = "none"\nspeed = 3\n[shoes]\nlaces = false\n')
    trip = with_values(Trip(ema=0.5), read_toml(tmp_path / "trip.toml"))
    assert trip == Trip(Shoes(laces=False), speed=3.0)
    assert type(trip.speed) is float
    assert with_values(trip, {"shoes": "none"}) == Trip(speed=3.0)
    assert with_values(Trip(Shoes(40.0)), {"shoes": {"laces": False}}) == Trip(Shoes(40.0, laces=False))
    assert to_toml(trip).splitlines() == [
        'where = "home"', "speed = 3.0", 'way = "left"', "days = 1", "", "[shoes]", "size = 42.0", "laces = false"
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"shoes = 3: it must be a table, \[shoes\]"):
        with_values(Trip(), {"shoes": 3})


def test_assignments_are_read_as_toml_and_else_as_words() -> None:
    changes = parse_changes(["speed=3", "where = far away", "ema=none", "days=2"])
    assert with_values(Trip(), changes) == Trip(speed=3.0, where="far away", days=2)


def test_the_table_names_everything() -> None:
    assert to_markdown(Walk).splitlines()[2:] == [
        "| `speed` | 1.3 m/s | above 0 | 1.2 | How fast. |",
        "| `ema` | none | above 0, below 1 |  | Decay. |",
        "| `way` | left | left or right |  | Where to turn. |",
    ]
    assert "| `days` | 1 | 1 or more | none | How long. |" in to_markdown(Trip)


@takes_options(walk=Walk)
def go(where: str, *, walk: Walk, loud: bool = False, **others: int) -> tuple:
    """Go somewhere.

    Raises
    ------
    ValueError
        If there is no way.
    """
    return where, walk, loud, others


def test_a_function_takes_settings_by_name_or_as_a_part() -> None:
    assert go("home") == ("home", Walk(), False, {})
    assert go(where="home", speed=3.0, loud=True) == ("home", Walk(speed=3.0), True, {})
    assert go("home", walk=Walk(way="right"), speed=3.0, days=4) == (
        "home", Walk(speed=3.0, way="right"), False, {"days": 4}
    )  # fmt: skip
    with pytest.raises(ValueError, match="speed=0"):
        go("home", speed=0)
    with pytest.raises(TypeError, match="missing a required argument: 'where'"):
        go(speed=1)


def test_signature_and_help_of_such_a_function_name_every_setting() -> None:
    parameters = inspect.signature(go).parameters
    assert list(parameters) == ["where", "speed", "ema", "way", "loud", "walk", "others"]
    assert parameters["speed"].default == 1.3
    assert go.__doc__.index("Other Parameters") < go.__doc__.index("speed : float, default 1.3")
    assert "    How fast, m/s." in go.__doc__
    assert "ema : float or None, default None" in go.__doc__
    assert "way : {'left', 'right'}, default 'left'" in go.__doc__
    assert go.__doc__.index("Decay.") < go.__doc__.index("Raises")
    assert go.__name__ == "go"
