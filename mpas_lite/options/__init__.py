"""One declaration of each setting, and what is derived from it: checks, files, records, command line and tables.

A setting is a field of a frozen dataclass, declared once::

    @dataclass(frozen=True)
    class TrainConfig:
        lr: float = option(0.02, "Learning rate.", least=0, most=1e6, paper=0.02)
        schedule: Literal["constant", "cosine"] = option("constant", "How the rate falls.")

        def __post_init__(self) -> None:
            check(self)

Its type says what it may be (a whole number, one of some words, or None), the rest stands in ``option``. A dataclass
may hold others: parts whose settings go by their own names (:func:`part`), or tables with a name of theirs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
