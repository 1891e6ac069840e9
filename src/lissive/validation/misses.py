"""Why a ratio that nothing was fitted on is missed: misses.tsv, written from what the model leaves out."""

from __future__ import annotations

from functools import cache

from lissive.validation.tables import rows

NOT_EXPLAINED = "Not explained yet."


@cache
def explanations() -> dict[tuple[str, str, str], str]:
    """(study, analyte as printed, metric) to the reason."""
    return {(row["study"], row["analyte"], row["metric"]): row["why"] for row in rows("misses.tsv")}


def why_missed(study: str, analyte: str, metric: str) -> str:
    """The reason on record, or the words that there is none.

    >>> why_missed("nobody2020", "THC", "ratio_AUC")
    'Not explained yet.'
    """
    return explanations().get((study, analyte, metric), NOT_EXPLAINED)
