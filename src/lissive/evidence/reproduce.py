"""Published pooled results, computed again from the rows that they were made of.

reproduce() -> one `Reproduced` for each: published beside computed, and whether they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from lissive.errors import EvidenceError
from lissive.evidence.bias import why_unbelievable
from lissive.evidence.comparison import Comparison, Given, Group, weakest
from lissive.evidence.effect import Effect, effect
from lissive.evidence.pool import pool
from lissive.marked import read_marked
from lissive.typed import Row, read_typed

DATA = Path(__file__).parent / "data"
STATUS = {
    "reproduced": "the same to the published precision",
    "approximate": "close, from part of the rows",
    "differs": "not the same",
    "rejected": "published, and not to be believed",
    "rows missing": "cannot be computed: not all of its rows are here",
}


@dataclass(frozen=True)
class Reproduced:
    """One published result. `ok` is None where it cannot be computed; False where it differs or is rejected."""

    id: str
    what: str
    published: Mapping[str, Any]
    computed: Mapping[str, Any] | None
    ok: bool | None
    status: str
    compared: tuple[str, ...]
    provenance: str
    """Of the weakest row that it was computed from."""
    note: str = ""
    rows: tuple[Mapping[str, Any], ...] = field(default=())


class _RowGiven(Row):
    study: str
    estimate: float
    low: float
    high: float
    provenance: str


class _Check(Row):
    id: str
    review: str
    outcome: str
    measure: str
    method: str
    model: str
    tau2: str
    rows_from: str = ""
    rows: tuple[_RowGiven, ...] = ()
    compare: tuple[str, ...]
    within: float = Field(gt=0)
    note: str = ""


class _Checks(Row):
    schema_version: int
    about: str
    checks: tuple[_Check, ...]


def reproduce() -> list[Reproduced]:
    """Everything that the shipped tables let one recompute, and what they do not, with the reason."""
    return [*_pooled(), *_by_row(), *_vectors(), *_rejected()]


def disagrees(found: Sequence[Reproduced]) -> list[Reproduced]:
    """Those that should be the same and are not."""
    return [each for each in found if each.status == "differs"]


@cache
def _reviews() -> dict[str, Mapping[str, Any]]:
    data, _ = read_marked(DATA / "meta.yaml", wrong=EvidenceError, example="reviews: []", most_fields=20_000)
    return {each["id"]: each for each in data["reviews"]}


# -- pooled results --------------------------------------------------------------------------------------
def _pooled() -> Iterator[Reproduced]:
    checks = read_typed(
        DATA / "reproduce.yaml",
        _Checks,
        EvidenceError,
        lambda every: every[0],
        example="checks: []",
        thing="the checks",
    )
    for check in checks.checks:
        yield _recomputed(check)


def _recomputed(check: _Check) -> Reproduced:
    published = _published(check)
    effects = [effect(each, check.measure) for each in _comparisons(check)]
    figure = pool(effects, model=check.model, tau2=check.tau2, ci="Wald", method=check.method)
    assert figure is not None
    computed = {
        "measure": check.measure,
        "estimate": figure.estimate,
        "ci": list(figure.ci),
        "n": figure.n if figure.n_stated_by == figure.k else None,
        "k": figure.k,
        "tau2": figure.tau2,
        "q": figure.q,
        "i2": figure.i2,
    }
    same = all(_near(published[name], computed[name], check.within) for name in check.compare)
    complete = published.get("k") in (None, figure.k) and "ci" in check.compare
    return Reproduced(
        id=check.id,
        what=f"{_reviews()[check.review]['citation'].split('.')[0]}: {check.outcome}",
        published=published,
        computed=computed,
        ok=same,
        status="differs" if not same else "reproduced" if complete else "approximate",
        compared=check.compare,
        provenance=weakest(tuple(each.provenance for each in effects)),
        note=check.note,
        rows=tuple(_row(each) for each in effects),
    )


def _published(check: _Check) -> dict[str, Any]:
    review = _reviews()[check.review]
    row = next((each for each in review["outcomes"] if each["outcome"] == check.outcome), None)
    if row is None:
        raise EvidenceError(
            f"{check.id}: {check.review} has no outcome {check.outcome!r}.",
            where=str(DATA / "reproduce.yaml"),
            do="correct the outcome.",
        )
    found: dict[str, Any] = {"measure": check.measure, "estimate": row["pooled"]["value"]}
    if row.get("ci") is not None:
        found["ci"] = list(row["ci"]["value"])
    for name, key in (("n", "N"), ("k", "k"), ("i2", "i2_pct")):
        if key in row:
            found[name] = row[key]["value"]
    found["provenance"] = row["pooled"]["provenance"]
    return found


def _comparisons(check: _Check) -> list[Comparison]:
    rows = [
        _comparison(
            each.study, each.provenance, given=Given(check.measure, each.estimate, each.low, each.high)
        )
        for each in check.rows
    ]
    rows.extend(
        _comparison(
            each["study"],
            each["provenance"].split()[0],
            active=Group("active", each["n1"], each["e"]),
            control=Group("control", each["n2"], each["c"]),
        )
        for each in (_reviews()[check.rows_from]["studies"] if check.rows_from else ())
    )
    return rows


def _comparison(
    study: str,
    provenance: str,
    *,
    active: Group | None = None,
    control: Group | None = None,
    given: Given | None = None,
) -> Comparison:
    return Comparison(
        study, study, "", "", "parallel", active=active, control=control, given=given, provenance=provenance
    )


def _near(published: Any, computed: Any, within: float) -> bool:
    if isinstance(published, list):
        return all(_near(a, b, within) for a, b in zip(published, computed, strict=True))
    return bool(abs(published - computed) <= within * (1 + 1e-9))


def _row(each: Effect) -> dict[str, Any]:
    return {"study": each.study, "estimate": each.estimate, "se": each.se, "provenance": each.provenance}


# -- per-study rows of a review: effect and interval from counts or means --------------------------------------
PER_STUDY = "cochrane_CD012182_pub3_perstudy"
PRINTED = 1e-4
"""The review's rows have four decimals, and its limits are of 1.96 standard errors."""


def _by_row() -> Iterator[Reproduced]:
    rows = _reviews()[PER_STUDY]["per_study"]
    for analysis in dict.fromkeys(row["analysis"] for row in rows):
        mine = [row for row in rows if row["analysis"] == analysis]
        done = [_one_row(row) for row in mine]
        worst = max(each["difference"] for each in done)
        yield Reproduced(
            id=f"{PER_STUDY}/{analysis}",
            what=f"CD012182 analysis {analysis}, {mine[0]['name']}: each study's {mine[0]['effect_type']}",
            published={"rows": [[row["effect"], *row["ci"]] for row in mine], "provenance": "read"},
            computed={"rows": [each["computed"] for each in done], "largest_difference": worst},
            ok=worst <= PRINTED,
            status="reproduced" if worst <= PRINTED else "differs",
            compared=("estimate", "ci"),
            provenance=weakest(tuple(row["provenance"] for row in mine)),
            rows=tuple({"study": row["study"], **each} for row, each in zip(mine, done, strict=True)),
        )


def _one_row(row: Mapping[str, Any]) -> dict[str, Any]:
    found = effect(
        _comparison(
            row["study"],
            row["provenance"],
            active=Group("active", row["eN"], row["e_n"], row["e_mean"], row["e_sd"]),
            control=Group("control", row["cN"], row["c_n"], row["c_mean"], row["c_sd"]),
        ),
        row["effect_type"],
    )
    computed = [found.y, found.y - 1.959964 * found.se, found.y + 1.959964 * found.se]
    published = [row["effect"], *row["ci"]]
    return {
        "published": published,
        "computed": computed,
        "difference": max(abs(a - b) for a, b in zip(published, computed, strict=True)),
    }


# -- pooled figures whose rows are not all here -----------------------------------------------------------------
VECTORS = "cochrane_CD012182_computed_DL"


def _vectors() -> Iterator[Reproduced]:
    here = len({row["study"] for row in _reviews()[PER_STUDY]["per_study"]})
    for test in _reviews()[VECTORS]["tests"]:
        yield Reproduced(
            id=f"{VECTORS}/{test['group']}, {test['outcome']}",
            what=f"CD012182, {test['group']}, {test['outcome']}: all {test['k']} trials of neuropathic pain",
            published={
                "estimate": test["pooled"],
                "ci": list(test["ci"]),
                "k": test["k"],
                "tau2": test["tau2"],
                "i2": test["i2_pct"],
                "provenance": "derived",
            },
            computed=None,
            ok=None,
            status="rows missing",
            compared=(),
            provenance="derived",
            note=f"The rows here are those of {here} trials in multiple sclerosis or spinal cord injury.",
        )


# -- published, and not to be believed ---------------------------------------------------------------------------
def _rejected() -> Iterator[Reproduced]:
    for name, review in _reviews().items():
        for row in review.get("outcomes") or ():
            figure, interval = row.get("pooled"), row.get("ci")
            if not isinstance(figure, Mapping) or not isinstance(figure.get("value"), int | float):
                continue
            words = f"{row['outcome']} {row.get('model', '')}"
            measure = "SMD" if "SMD" in words else ""
            i2 = row["i2"]["value"] if "i2" in row else None
            ci = tuple(interval["value"]) if isinstance(interval, Mapping) else None
            why = why_unbelievable(measure, figure["value"], ci, i2)
            if why:
                yield Reproduced(
                    id=name,
                    what=f"{review['citation'].split(',')[0]}: {row['outcome']}",
                    published={
                        "measure": measure,
                        "estimate": figure["value"],
                        "ci": None if ci is None else list(ci),
                        "i2": i2,
                        "provenance": figure["provenance"],
                    },
                    computed=None,
                    ok=False,
                    status="rejected",
                    compared=(),
                    provenance=figure["provenance"],
                    note=f"Rejected: {why}.",
                )
