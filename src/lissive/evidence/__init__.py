"""What do the studies say? Published trials, meta-analyses and popular claims, with where every number comes from.

>>> from lissive.evidence import pool
>>> answer = pool("responders_30pct", "multiple_sclerosis", design="parallel")
>>> answer.study_ids, round(answer.overall.pooled.estimate, 2)
(('collin_2007', 'collin_2010'), 1.69)
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

DATA = Path(__file__).parent / "data"
TRIALS = DATA / "trials.yaml"
"""Published trials, with the provenance of each figure; `lissive.trials.published` reads them."""
TIMECOURSE = DATA / "timecourse.yaml"
"""Onsets, plateaus, doses and retention over time."""

_PUBLIC = {
    "case_evidence": "case_answer",
    "causes": "words",
    "claims": "claim",
    "comparisons": "comparing",
    "left_out": "comparing",
    "outcomes": "words",
    "pool": "answer",
    "products": "words",
    "read_studies": "lint",
    "reproduce": "reviews",
    "shipped_reviews": "read",
    "shipped_studies": "read",
}
"""Name to the module that has it, loaded when it is first used. No name is that of a module."""

if TYPE_CHECKING:
    from lissive.evidence.answer import pool
    from lissive.evidence.case_answer import case_evidence
    from lissive.evidence.claim import claims
    from lissive.evidence.comparing import comparisons, left_out
    from lissive.evidence.lint import read_studies
    from lissive.evidence.read import shipped_reviews, shipped_studies
    from lissive.evidence.reviews import reproduce
    from lissive.evidence.words import causes, outcomes, products


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


__all__ = [
    "DATA",
    "TIMECOURSE",
    "TRIALS",
    "case_evidence",
    "causes",
    "claims",
    "comparisons",
    "left_out",
    "outcomes",
    "pool",
    "products",
    "read_studies",
    "reproduce",
    "shipped_reviews",
    "shipped_studies",
]
