"""Exercises of your own that say whether an answer is right, and if not, why; the course's are in `course.checks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpas_lite.course.checks.judging import stopped


def try_exercise(check: Callable[[Any], None], answer: Any) -> None:
    """Print what a self-check says of an answer: ``Right!``, or ``Not yet:`` and why.

    Parameters
    ----------
    check : function
        ``check(answer)`` asserts what a right answer fulfils, each assertion with a helpful sentence.
    answer : object
        What the exercise asks for, often a function.

    Examples
    --------
    >>> def check_double(double):
    ...     assert double(4) is not ..., "write your formula in place of the three dots."
    ...     assert double(4) == 8, f"double(4) is 8, not {double(4)}."
    >>> try_exercise(check_double, lambda x: ...)
    Not yet: write your formula in place of the three dots.
    >>> try_exercise(check_double, lambda x: x + 2)
    Not yet: double(4) is 8, not 6.
    >>> try_exercise(check_double, lambda x: 2 * x)
    Right!
    """
    try:
        check(answer)
    except AssertionError as error:
        print(f"Not yet: {error}" if str(error) else "Not yet.")
    except Exception as error:  # a student's code may raise anything, and the notebook goes on
        print(f"Not yet: {stopped(error)}")
    else:
        print("Right!")
