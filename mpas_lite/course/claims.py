"""What a notebook claims of its own numbers, in a sentence each."""

from __future__ import annotations

import os
from typing import Any

STRICT = "MPAS_LITE_CLAIMS"  # environment variable; where it is "strict" a false claim is an error


def claim(sentence: str, *holds: Any) -> None:
    """Say in a sentence what the numbers show; where it does not hold, print so, and let the notebook go on.

    Who changes a parameter reads what changed with it. The build of the notebooks and the tests set
    ``MPAS_LITE_CLAIMS=strict``, and a false claim is an error there.

    Parameters
    ----------
    sentence : str
        The claim, in the present tense and with a full stop.
    *holds : bool
        Conditions; the claim holds if all of them do.

    Raises
    ------
    AssertionError
        If it does not hold, and claims are strict.

    Examples
    --------
    >>> claim("Three is more than two.", 3 > 2)
    """
    if all(bool(one) for one in holds):
        return
    words = f"With these values it does not hold: {sentence}"
    if os.environ.get(STRICT) == "strict":
        raise AssertionError(words)
    print(words)
