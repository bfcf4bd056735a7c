"""How long ``import mpas_lite`` takes: ``python -m benchmarks --only startup``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import ROOT, Row, paired


def rows(quick: bool) -> Iterator[Row]:
    """Importing the package against importing what it stands on."""

    def python(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

    ours, other, ratio = paired(
        lambda: python("import mpas_lite"), lambda: python("import numpy, scipy, cv2"), 3 if quick else 15
    )
    yield Row("`import mpas_lite`", "`import numpy, scipy, cv2`", f"{ours:.2f} s", f"{other:.2f} s", 1 / ratio, 1.3)
