"""The six places by name, in the order of the paper's scenes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpas_lite.scenes.places.aerial import aerial
from mpas_lite.scenes.places.crossing import crossing
from mpas_lite.scenes.places.group_split import group_split
from mpas_lite.scenes.places.marathon_bend import marathon_bend
from mpas_lite.scenes.places.place import Place
from mpas_lite.scenes.places.sparse_square import sparse_square
from mpas_lite.scenes.places.street_flow import street_flow

PLACES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Place]] = {
    "aerial": aerial,
    "group_split": group_split,
    "street_flow": street_flow,
    "marathon_bend": marathon_bend,
    "crossing": crossing,
    "sparse_square": sparse_square,
}
