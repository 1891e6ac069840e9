"""Checks of published studies, reviews and claims; what they look at is said in `lissive.evidence.lint`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lissive.check.tables import Fault, Row, Table, Tables
from lissive.errors import EvidenceError

if TYPE_CHECKING:
    from lissive.evidence.claim import Claim
    from lissive.evidence.read import Located

DATA = "evidence/data"
_PATTERNS = {"publications/names": "pattern", "publications/arms": "match", "evidence/causes": "match",
             "evidence/designs": "match", "evidence/products": "match", "evidence/comparators": "match",
             "evidence/claim_marks": "pattern", "evidence/claim_sizes": "pattern",
             "evidence/product_names": "named", "evidence/phrases": "pattern",
             "evidence/denials": "pattern"}  # fmt: skip
"""Tables with a column of patterns."""


def _tables(tables: Tables) -> list[Table]:
    return [table for table in tables.folder(DATA) if table.is_yaml]


def form(tables: Tables) -> Iterator[Fault]:
    from lissive.evidence.claim import claims_of

    for table in _tables(tables):
        try:
            _entries(table.text, table.shown)
            claims_of(table.text, Path(table.shown))
        except EvidenceError as error:
            for each in error.findings or (error,):
                yield each.where, str(each).removeprefix(f"{each.where}: ")


@lru_cache(maxsize=16)
def _entries(text: str, shown: str) -> tuple[Located, ...]:
    """The studies of a file; read once, and looked at by every check."""
    from lissive.evidence.read import entries_of

    return entries_of(text, Path(shown))


def look(name: str) -> Callable[[Tables], Iterator[Fault]]:
    """One of the checks that a user's file of studies goes through as well."""

    def looks(tables: Tables) -> Iterator[Fault]:
        from lissive.evidence.lint import LOOKS

        entries: list[Located] = []
        for table in _tables(tables):
            try:
                entries += _entries(table.text, table.shown)
            except EvidenceError:  # said by `form`
                continue
        for fault in LOOKS[name](tuple(entries)):
            yield fault.where, f"{fault.id}: {fault.what}"

    return looks


def certainty(tables: Tables) -> Iterator[Fault]:
    """Claims that state another certainty by rule than there is, or differ from it without a reason."""
    from lissive.evidence.answer import by_rule, rule_words
    from lissive.evidence.claim import claims_of
    from lissive.evidence.read import Studies

    entries: list[Located] = []
    claims: list[tuple[Table, int, Claim]] = []
    for table in _tables(tables):
        try:
            entries += _entries(table.text, table.shown)
            claims += [(table, k, each) for k, each in enumerate(claims_of(table.text, Path(table.shown)))]
        except EvidenceError:  # said by `form`
            continue
    studies = Studies(tuple(entries))
    for table, k, claim in claims:
        rule = rule_words(by_rule(claim, studies))
        if claim.by_rule != rule:
            do = f"write by_rule: {rule}" if rule else "remove by_rule"
            yield (
                _at(table, k),
                f"{claim.id}: by_rule is {claim.by_rule!r}, and the rule gives {rule!r}: {do}.",
            )
        elif claim.differs and not claim.certainty_note:
            what = f"certainty is {claim.certainty_label}, and by rule {rule}, without a reason"
            yield _at(table, k), f"{claim.id}: {what}: state it in certainty_note, or change certainty."


def _at(table: Table, k: int) -> str:
    """Where the certainty of a claim stands."""
    from lissive.marked import marked_text

    path, example = Path(table.shown), "claims: []"
    _, lines = marked_text(table.text, path, wrong=EvidenceError, example=example, shipped=True)
    return f"{table.shown}:{lines[('claims', k, 'certainty')]}"


def words(tables: Tables) -> Iterator[Fault]:
    for name, column in _PATTERNS.items():
        for row in _rows(tables, name):
            try:
                re.compile(row[column])
            except re.error as error:
                yield row.where, f"{row[column]!r} is no pattern: {error}."
    known = {row["outcome"] for row in _rows(tables, "publications/outcomes")}
    for row in _rows(tables, "publications/names"):
        for word in row["outcome"].split():
            if word not in known and word != "-":
                yield row.where, f"{word!r} is no outcome of outcomes.tsv."
    causes = {row["cause"] for row in (*_rows(tables, "evidence/causes"), *tables.rows_of("case/causes.tsv"))}
    for row in _rows(tables, "evidence/causes"):
        for word in row["near"].split():
            if word not in causes:
                yield row.where, f"{word!r} is no cause of causes.tsv."
    for row in _rows(tables, "publications/outcomes"):
        if row["better"] not in ("lower", "higher"):
            yield row.where, f"better is {row['better']!r}; one of lower, higher."


def _rows(tables: Tables, name: str) -> tuple[Row, ...]:
    return tables.rows_of(f"{name}.tsv")
