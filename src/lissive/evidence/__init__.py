"""What do the studies say? Published trials, meta-analyses and popular claims, with where every number comes from.

>>> from lissive.evidence import comparisons, shipped_studies
>>> found = comparisons(shipped_studies(), outcome="responders_30pct", cause="multiple_sclerosis")
>>> [(each.label, each.design) for each in found][:2]
[('Collin 2007', 'parallel'), ('Collin 2010', 'parallel')]
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

DATA = Path(__file__).parent / "data"
TRIALS = DATA / "trials.yaml"
"""Published trials, with the provenance of each figure; `lissive.trials.published` reads them."""
TIMECOURSE = DATA / "timecourse.yaml"
"""Onsets, plateaus, doses and retention over time."""

_PUBLIC = {
    "comparisons": "comparing",
    "left_out": "comparing",
    "read_studies": "read",
    "shipped_studies": "read",
    "shipped_reviews": "read",
    "outcomes": "words",
    "causes": "words",
    "products": "words",
}
"""Name to the module that has it: what trials reads of this room needs none of them."""

if TYPE_CHECKING:
    from lissive.evidence.comparing import comparisons, left_out
    from lissive.evidence.read import read_studies, shipped_reviews, shipped_studies
    from lissive.evidence.words import causes, outcomes, products


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_PUBLIC[name]}")
    for each, place in _PUBLIC.items():  # a module may have the name of what it gives: the function wins
        if place == _PUBLIC[name]:
            globals()[each] = getattr(module, each)
    return globals()[name]


__all__ = [
    "DATA",
    "TIMECOURSE",
    "TRIALS",
    "causes",
    "comparisons",
    "left_out",
    "outcomes",
    "products",
    "read_studies",
    "shipped_reviews",
    "shipped_studies",
]
