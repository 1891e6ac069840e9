"""Rows of figures in a user's own file: fields that nothing reads, and two numbers of participants."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from lissive.evidence._lint_figures import Fault, Place, fault_at, places
from lissive.evidence.read import Located
from lissive.publications.loose import READ, UNCLEAR
from lissive.publications.tables import dotted, number
from lissive.publications.tidy import is_tidy
from lissive.typed import nearest

_MEANS = ("mean", "change_mean", "mean_change", "change", "end_mean", "median")
_SHOWN = re.compile(
    r"(?:.+_)?pp(?:_.+)?|p_.+|.+_p|baseline_.+|.+_significant|nnt_.+|F|interaction|time|weeks|se_or_sd|"
    r"sd_change_implied|rate_per_py"
)
"""Fields that are kept beside those that are read."""


def row_fields(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Fields of a row of figures that nothing reads: a misspelt deviation would be dropped in silence.

    Of a user's own file; a row without a figure that is read is listed as left out.
    """
    for entry in entries:
        is_loose = entry.own is not None and not entry.row.rejected and not is_tidy(entry.data)
        rows = entry.results if is_loose else ()
        for _, group in itertools.groupby(rows, key=lambda row: row.line):
            line = list(group)
            unread = [row for row in line if row.statistic in ("other", "words") and row.detail not in READ]
            if len(unread) == len(line):
                continue
            for row in unread:
                if row.detail and row.detail != UNCLEAR and not _SHOWN.fullmatch(row.detail):
                    hint = nearest(row.detail, READ) or f" Allowed: {', '.join(READ)}."
                    what = f"{dotted((*row.loc, row.detail))} is a field that is not read.{hint}"
                    yield Fault("row fields", entry.id, entry.where(*row.loc, row.detail), what)


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
    """Rows of a user's own file with a figure."""
    for place in places(entry for entry in entries if entry.own is not None):
        if place.block is not None:
            yield place
