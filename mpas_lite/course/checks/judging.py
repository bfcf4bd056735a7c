"""How an answer is judged: called on cases, compared with the library, and told in one sentence what is off."""

from __future__ import annotations

import copy
import linecache
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse

Mistake = tuple[str, Callable[..., Any]]  # what to say, and the wrong answer that it is said to
_FOREIGN = (
    str(Path(__file__).parents[2]),
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen",
    "<__array_function__",
)


class NotYet(AssertionError):
    """An answer is not right yet; the message says what is off."""


@dataclass(frozen=True)
class Answer:
    """A student's function, as it is called by a check.

    Attributes
    ----------
    function : callable
        What the student wrote.
    name : str
        As the exercise calls it.
    hint : str
        What to do first, for somebody who has written nothing yet.
    """

    function: Callable[..., Any]
    name: str
    hint: str

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function.

        Raises
        ------
        NotYet
            If it returns nothing, raises, or changes what it is given.
        """
        before = [_kept(argument) for argument in arguments]
        try:
            result = self.function(*arguments, **named)
        except NotImplementedError:
            result = None
        except (Exception, SystemExit) as error:
            raise NotYet(stopped(error)) from None
        if result is None or result is ...:
            raise NotYet(f"{self.name} returns nothing yet; {self.hint}")
        for argument, kept in zip(arguments, before, strict=True):
            if kept is not None and not _equal(argument, kept):
                raise NotYet(f"{self.name} changes what it is given, and the caller still needs that; work on a copy.")
        return result


def stopped(error: BaseException) -> str:
    """A sentence about an error: which, and in which line of the student's own code, not of a library."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_FOREIGN)]
    what = f"the code stopped with {type(error).__name__}: {textwrap.shorten(str(error), 160, placeholder=' ...')}"
    if not own:
        return what
    line = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    place = f"line {own[-1].lineno} of {own[-1].name}" + (f": {line}" if line else "")
    return f"{what} ({place})"


def compare(
    answer: Callable[..., Any],
    cases: Iterable[Sequence[Any]],
    right: Callable[..., Any],
    *,
    form: Callable[[Any], Any],
    mistakes: Sequence[Mistake],
    say: Callable[..., str],
) -> None:
    """Call an answer on all cases and compare with what is right.

    Parameters
    ----------
    answer : callable
        Usually an `Answer`.
    cases : iterable of tuples
        The arguments of each call.
    right : callable
        Gives the right result of a case.
    form : callable
        Brings a result into the form that is compared, or says by `NotYet` that it cannot be.
    mistakes : sequence of (str, callable)
        Usual wrong answers, each with its sentence: said if all results are those of the wrong answer.
    say : callable
        ``say(got, wanted, *case)``: the sentence if it is none of them.

    Raises
    ------
    NotYet
        If a result is off.
    """
    cases = list(cases)
    got = [form(answer(*case)) for case in cases]
    wanted = [form(right(*case)) for case in cases]
    off = [number for number, (one, other) in enumerate(zip(got, wanted, strict=True)) if not alike(one, other)]
    if not off:
        return
    for sentence, wrong in mistakes:
        if all(_as_wrong(wrong, case, one, form) for case, one in zip(cases, got, strict=True)):
            raise NotYet(sentence)
    first = off[0]
    raise NotYet(say(got[first], wanted[first], *cases[first]))


def alike(one: Any, other: Any) -> bool:
    """Whether two results are the same; numbers up to rounding and a harmless epsilon."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape:
            return False
        if one.dtype == bool or other.dtype == bool:
            return bool(np.array_equal(one, other))
        return bool(np.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True))
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True))
    return bool(one == other)


def number(result: Any) -> float:
    """One number, of whatever library."""
    array = _array(result)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise NotYet(f"one number is asked for, not {_described(result, array)}.")
    return float(array.reshape(()))


def whole_number(result: Any) -> int:
    """A count; a float is none."""
    array = _array(result)
    if array.ndim != 0 or array.dtype.kind not in "iu":
        what = f"{result!r}" if array.ndim == 0 else _described(result, array)
        raise NotYet(f"a whole number is asked for (an int), not {what}.")
    return int(array)


def yes_or_no(result: Any) -> bool:
    """True or False."""
    array = _array(result)
    if array.ndim != 0 or array.dtype != bool:
        raise NotYet(f"True or False is asked for, not {_described(result, array)}.")
    return bool(array)


def numbers(result: Any) -> np.ndarray:
    """An array of numbers, of whatever library."""
    array = _array(result)
    if array.dtype.kind not in "fiu":
        raise NotYet(f"an array of numbers is asked for, not {_described(result, array)}.")
    return array.astype(float)


def mask(result: Any) -> np.ndarray:
    """An array of True and False."""
    array = _array(result)
    if array.dtype != bool:
        raise NotYet(f"the result should hold True and False (dtype bool); yours is {_described(result, array)}.")
    return array


def _array(result: Any) -> np.ndarray:
    if hasattr(result, "detach"):
        result = result.detach().cpu().numpy()
    if issparse(result):
        result = result.toarray()
    try:
        return np.asarray(result)
    except (ValueError, TypeError, RuntimeError):  # rows of several lengths, or tensors among them
        return np.empty(1, dtype=object)


def _described(result: Any, array: np.ndarray) -> str:
    if array.dtype.kind in "OUS" or isinstance(result, (set, dict)):
        return f"a {type(result).__name__}"
    if array.ndim == 0:
        return repr(array[()].item())
    return f"an array of shape {array.shape} and dtype {array.dtype}"


def _as_wrong(wrong: Callable[..., Any], case: Sequence[Any], got: Any, form: Callable[[Any], Any]) -> bool:
    try:
        with np.errstate(all="ignore"):
            return alike(got, form(wrong(*case)))
    except (NotYet, ArithmeticError, ValueError, IndexError):
        return False  # this wrong answer has nothing to say to the case


def _kept(argument: Any) -> Any:
    """A copy of what can be changed by mistake, or None."""
    if isinstance(argument, (np.ndarray, list)) or issparse(argument):
        return copy.deepcopy(argument)
    torch = sys.modules.get("torch")
    return argument.detach().clone() if torch is not None and isinstance(argument, torch.Tensor) else None


def _equal(argument: Any, kept: Any) -> bool:
    if issparse(argument):
        return bool(argument.nnz == kept.nnz and np.array_equal(argument.data, kept.data))
    if isinstance(argument, list):
        return len(argument) == len(kept) and all(np.array_equal(a, b) for a, b in zip(argument, kept, strict=True))
    if isinstance(argument, np.ndarray):
        return np.array_equal(argument, kept, equal_nan=argument.dtype.kind == "f")
    return bool((argument.detach() == kept).all())
