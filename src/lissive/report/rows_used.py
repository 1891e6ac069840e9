"""Rows of the tables that a run used, each with where its number comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lissive.model.parameters import RECALLED, load_parameters
from lissive.report.run_record import Record
from lissive.table import rows_of

_PACKAGE = Path(__file__).parents[1]
_PARAMETERS = "model/parameters"
_ENZYME = "cyp2c9_activity"
_RATED = ("course_sd", "course_days", "rating_sd")
_OF_A_PRODUCT = (
    "thc_per_unit cbd_per_unit label_max_per_day morning_from morning_to evening_from evening_to".split()
)
"""Figures of a product that a forecast computes with; the others are limits that a case is held against."""


@dataclass(frozen=True)
class Used:
    """One row that a run used."""

    name: str
    provenance: str
    folder: str
    """The package of the table, whose sources.tsv the keys are in."""
    keys: tuple[str, ...]

    @property
    def is_recalled(self) -> bool:
        return self.provenance.endswith(RECALLED)


def used_rows(cause: str, live: set[str], record: Record | None) -> Iterator[Used]:
    """The rows behind the live parameters, and those of the other tables that a run sampled or a case chose from."""
    given = record.given if record else {}
    drawn = set(record.drawn) if record else set()
    people = {row["name"] for row in _rows(f"{_PARAMETERS}/people.tsv")}
    for name, row in load_parameters(cause).items():
        if name in live and name not in given and not (name in drawn and (name in people or name == _ENZYME)):
            yield Used(name, row.provenance, _PARAMETERS, row.sources)
    yield from _people(live & drawn)
    if record is not None and record.case is not None:
        yield from _of_a_case(record.case, live)


def _people(drawn: set[str]) -> Iterator[Used]:
    """Distributions of patient characteristics, where the run sampled them."""
    for row in _rows(f"{_PARAMETERS}/people.tsv"):
        if row["name"] in drawn or (_ENZYME in drawn and row["name"].startswith("cyp2c9_allele")):
            yield _used(f"people: {row['name']}", row, _PARAMETERS)
    for row in _rows(f"{_PARAMETERS}/genotypes.tsv") if _ENZYME in drawn else ():
        yield _used(f"genotype {row['genotype']}", row, _PARAMETERS)


def _of_a_case(case: Mapping[str, object], live: set[str]) -> Iterator[Used]:
    pair = str(case["cyp2c9"] or "")
    for row in _rows(f"{_PARAMETERS}/genotypes.tsv") if _ENZYME in live else ():
        if row["genotype"] in (pair, "/".join(reversed(pair.split("/")))):
            yield _used(f"genotype {row['genotype']}", row, _PARAMETERS)
    for row in _rows(f"{_PARAMETERS}/interactions.tsv"):
        if row["medicine"] in case["medicines"] and row["parameter"] in live:  # type: ignore[operator]
            yield _used(f"{row['medicine']} on {row['parameter']}", row, _PARAMETERS)
    product = case["product"]
    for row in _rows("case/products.tsv"):
        if row["product"] == product and row["name"] in _OF_A_PRODUCT:
            yield _used(f"{product}: {row['name']}", row, "case")
    for row in _rows("simulation/ratings.tsv"):
        if row["name"] in _RATED:
            yield _used(f"ratings: {row['name']}", row, "simulation")
    if case["titrated"]:
        for row in _rows("case/titration.tsv"):
            if row["product"] == product:
                yield _used(f"{product}: titration by day", row, "case")
        for row in _rows("simulation/titration.tsv"):
            if row["name"] == "other_adverse":  # of trials
                continue
            yield _used(f"titration: {row['name']}", row, "simulation")


def _used(name: str, row: Mapping[str, str], folder: str) -> Used:
    keys = tuple(key.strip() for key in row["source"].split(";") if key.strip() not in ("", "-"))
    return Used(name, row["provenance"], folder, keys)


def sources_of(folder: str) -> dict[str, dict[str, str]]:
    """Key to the row of a package's own sources; empty where it has none and cites in words."""
    place = f"{folder}/sources.tsv"
    return {row["key"]: row for row in _rows(place)} if (_PACKAGE / place).exists() else {}


def _rows(place: str) -> list[dict[str, str]]:
    return rows_of(_PACKAGE / place)
