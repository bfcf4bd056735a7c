"""The network that comes with the package: it has seen many crowds, and is where others may begin.

What it learned from, and under which licences, stands beside it in ``shipped/NOTICE.md``.
"""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

GENERAL = "general"
FILE = Path(__file__).parent / "shipped" / "general.safetensors"
ENCODER = "tf_efficientnet_lite0"


def net_file(name_or_file: str | Path) -> Path:
    """The file of a net: that of the one that comes along for ``"general"``, else the path as it is.

    Examples
    --------
    >>> net_file("out/model.safetensors").name, net_file("general").name
    ('model.safetensors', 'general.safetensors')
    """
    path = Path(name_or_file)
    return FILE if str(path) == GENERAL and not path.is_file() else path


def begin_as_general(net: nn.Module) -> None:
    """Give a net all of the general network's weights that fit it: psi and head where they are as wide."""
    own = net.state_dict()
    general = load_file(FILE)
    given = {name: weight for name, weight in general.items() if name in own and weight.shape == own[name].shape}
    net.load_state_dict({**own, **given})
