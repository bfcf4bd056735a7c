"""Explorers on a page that has no kernel: their states drawn beforehand, and plain HTML controls to choose one.

Each control keeps some of its positions. Where they fit, all combinations are drawn; where there would be too many,
one control moves at a time, and the others stand where they stood first.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from mpas_lite.course.widgets.explorer import Explorer

_FEWEST = 4  # positions of a slider in a grid: with fewer it is no slider


@dataclass(frozen=True)
class Positions:
    """Where a control can stand on a page.

    Attributes
    ----------
    name : str
        The keyword of the explorer's callback.
    description : str
        What the control is called.
    values, labels : lists
        What the callback gets, and what a reader sees.
    first : int
        Where it stands at first.
    menu : bool
        Whether it is a menu rather than a slider.
    """

    name: str
    description: str
    values: list[Any]
    labels: list[str]
    first: int
    menu: bool = False

    def thinned(self, count: int) -> Positions:
        """Return so many of the positions, evenly spread; the ends and the first one are among them."""
        last = len(self.values) - 1
        if count > last:
            return self
        kept = {round(n * last / (count - 1)) for n in range(count)}
        inside = [n for n in kept if n not in (0, last)]
        if self.first not in kept and inside:
            kept.remove(min(inside, key=lambda n: abs(n - self.first)))
            kept.add(self.first)
        chosen = sorted(kept | {self.first})
        return Positions(
            self.name,
            self.description,
            [self.values[n] for n in chosen],
            [self.labels[n] for n in chosen],
            chosen.index(self.first),
            self.menu,
        )


def positions_of(name: str, control: Any) -> Positions:
    """Return all positions of a control of ipywidgets: a slider of numbers or of choices, or a menu.

    Examples
    --------
    >>> import ipywidgets
    >>> slider = ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.25, description="tau")
    >>> positions_of("threshold", slider).labels
    ['0.00', '0.25', '0.50', '0.75', '1.00']
    """
    if hasattr(control, "options"):
        pairs = [option if isinstance(option, tuple) else (str(option), option) for option in control.options]
        labels, values = [str(label) for label, _ in pairs], [value for _, value in pairs]
        menu = "Dropdown" in type(control).__name__
    else:
        count = round((control.max - control.min) / control.step) + 1
        whole = isinstance(control.step, int) and isinstance(control.min, int)
        values = [control.min + n * control.step if whole else _clean(control, n) for n in range(count)]
        values[_nearest(values, control.value)] = control.value
        labels, menu = [format(value, control.readout_format) for value in values], False
    first = values.index(control.value)
    return Positions(name, control.description, values, labels, first, menu)


def _clean(control: Any, n: int) -> float:
    return round(float(control.min + n * control.step), 10)


def _nearest(values: Sequence[Any], value: Any) -> int:
    return min(range(len(values)), key=lambda n: abs(values[n] - value))


def plan(explorer: Explorer, most: int) -> tuple[list[Positions], bool]:
    """Choose the positions of an explorer's controls so that there are at most about ``most`` states.

    Menus keep all that they offer. Sliders lose positions, the longest first, but keep four.

    Returns
    -------
    positions : list of Positions
    together : bool
        Whether all combinations are drawn, or one control moves at a time.
    """
    whole = [positions_of(name, control) for name, control in explorer.controls.items()]
    counts = [len(one.values) for one in whole]
    while prod(counts) > most:
        slack = [0 if one.menu else count - _FEWEST for one, count in zip(whole, counts, strict=True)]
        if max(slack) <= 0:
            each = max(2, min(most // len(whole), 10))
            return [one.thinned(each) for one in whole], False
        counts[slack.index(max(slack))] -= 1
    return [one.thinned(count) for one, count in zip(whole, counts, strict=True)], True


def _combinations(positions: Sequence[Positions], together: bool) -> Iterator[tuple[int, ...]]:
    if together:
        yield from product(*(range(len(one.values)) for one in positions))
        return
    first = tuple(one.first for one in positions)
    yield first
    for n, one in enumerate(positions):
        yield from ((*first[:n], at, *first[n + 1 :]) for at in range(len(one.values)) if at != one.first)


def write_static(explorer: Explorer, folder: Path, *, name: str, address: str, most: int = 100) -> str:
    """Draw an explorer's states into a folder, and return the HTML that shows them.

    Parameters
    ----------
    explorer : Explorer
    folder : path
        Gets the pictures, WebP; equal ones once. Made if need be.
    name : str
        Of the explorer, without spaces: the ids of its controls begin with it.
    address : str
        The folder as the page calls it.
    most : int
        How many states there may be.

    Returns
    -------
    str
        A ``div`` of class "static-explorer". Without JavaScript it shows the first state and says so.
    """
    positions, together = plan(explorer, most)
    folder.mkdir(parents=True, exist_ok=True)
    states = {}
    for at in _combinations(positions, together):
        given = {one.name: one.values[n] for one, n in zip(positions, at, strict=True)}
        figure, line = explorer.callback(**given)
        packed, size = _webp(figure)
        file = f"{hashlib.sha256(packed).hexdigest()[:16]}.webp"
        (folder / file).write_bytes(packed)
        alt = " ".join(f"{explorer.alt} {html.unescape(re.sub(r'<[^>]+>', '', line))}".split())
        states["-".join(map(str, at))] = {"picture": f"{address}/{file}", "line": line, "alt": alt}
    first = states["-".join(str(one.first) for one in positions)]
    record = {"together": together, "labels": [one.labels for one in positions], "states": states}
    data = json.dumps(record, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    controls = "".join(_control(f"{name}-{one.name}", one) for one in positions)
    width, height = size
    return (
        f'<div class="static-explorer" id="{name}" role="group" aria-label="Explorer">\n'
        f'<div class="static-controls">{controls}</div>\n'
        f'<div class="static-line" aria-live="polite">{first["line"]}</div>\n'
        f'<img src="{first["picture"]}" alt="{html.escape(first["alt"])}" width="{width}" height="{height}">\n'
        f'<p class="static-note">{_note(positions, explorer, together)}</p>\n'
        f'<script type="application/json">{data}</script>\n</div>'
    )


def _control(identity: str, one: Positions) -> str:
    """A labelled slider with its reading, or a labelled menu."""
    label = f'<label for="{identity}">{html.escape(one.description)}</label>'
    if one.menu:
        marks = [" selected" if n == one.first else "" for n in range(len(one.values))]
        options = "".join(
            f'<option value="{n}"{mark}>{html.escape(text)}</option>'
            for n, (mark, text) in enumerate(zip(marks, one.labels, strict=True))
        )
        return f'{label}<select id="{identity}" data-first="{one.first}" autocomplete="off">{options}</select>'
    shown = html.escape(one.labels[one.first])
    return (
        f'{label}<span class="static-slider"><input type="range" id="{identity}" min="0" max="{len(one.values) - 1}" '
        f'step="1" value="{one.first}" data-first="{one.first}" aria-valuetext="{shown}" autocomplete="off">'
        f'<output for="{identity}">{shown}</output></span>'
    )


def _note(positions: Sequence[Positions], explorer: Explorer, together: bool) -> str:
    whole = prod(len(positions_of(name, control).values) for name, control in explorer.controls.items())
    if not together:
        return (
            "Drawn beforehand: here one control moves at a time, and the others go back to where they stood. In the "
            "notebook all move freely."
        )
    if prod(len(one.values) for one in positions) == whole:
        return "Drawn beforehand, every state of the notebook's explorer."
    return "Drawn beforehand: the sliders stop at some of their positions. In the notebook they stop at all."


def _webp(figure: Any) -> tuple[bytes, tuple[int, int]]:
    """The figure as the smaller of two WebP files, without loss or nearly so, and its width and height in px."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    packed = []
    for options in ({"lossless": True, "method": 1}, {"quality": 72, "method": 2}):
        file = io.BytesIO()
        image.save(file, "webp", **options)
        packed.append(file.getvalue())
    return min(packed, key=len), image.size
