"""Rows of figures in a user's own file: fields that nothing reads, and two numbers of participants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lissive.evidence._lint_figures import Fault, Place, fault_at, places
from lissive.evidence.read import Located
from lissive.publications.tables import number
from lissive.typed import nearest

READ = (
    "arm n N events pct person_time median iqr mean sd se ci level change_mean mean_change change change_sd change_se "
    "end_mean end_sd end_se diff diff_sd p value subgroup result significant"
).split()
"""Fields that a comparison is made of, or that are shown as they are."""
_MEANS = ("mean", "change_mean", "mean_change", "change", "end_mean", "median")
_SHOWN = re.compile(
    r"(?:.+_)?pp(?:_.+)?|.+_(?:pct|n)|p_.+|.+_p|baseline_.+|.+_significant|nnt_.+|F|interaction|time|weeks|"
    r"provenance|confidence|source_url|url|pointer|formula|notes?|comment|citation|consistency_check|se_or_sd|"
    r"sd_change_implied|rate_per_py"
)
"""Fields that are kept beside them."""
_FIGURES = frozenset(READ) - {"arm", "result", "significant", "subgroup"}


def row_fields(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Fields of a row of figures that nothing reads: a misspelt deviation would be dropped in silence."""
    for place in _rows(entries):
        for name in place.node:
            if name not in READ and not _SHOWN.fullmatch(name):
                hint = nearest(name, READ) or f" Allowed: {', '.join(READ)}; note for a remark."
                yield fault_at("row fields", place.at(name), f"is a field that is not read.{hint}")


def two_sizes(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Two numbers of participants in one row; a level that is none."""
    for place in _rows(entries):
        row = place.node
        n, total = number(row.get("n")), number(row.get("N"))
        of_means = any(number(row.get(name)) is not None for name in _MEANS)
        if n is not None and total is not None and n != total and (of_means or "events" in row):
            what = f"is {n:g} and N is {total:g}: both are participants of this row. Leave one."
            yield fault_at("sizes", place.at("n"), what)
        level = number(row.get("level"))
        if level is not None and not 0.5 <= level < 1:
            what = f"is {level:g}. Allowed: 0.5 to below 1, such as 0.9 for a 90 % interval."
            yield fault_at("sizes", place.at("level"), what)


def _rows(entries: tuple[Located, ...]) -> Iterator[Place]:
    """Rows of a user's own file with a figure that is read; a row without one is listed as left out."""
    for place in places(entry for entry in entries if entry.own is not None):
        row: Any = place.node
        if place.block is not None and _FIGURES & set(row):
            yield place
