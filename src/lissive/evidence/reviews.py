"""Published pooled results, recomputed from their rows.

reproduce() -> one `Reproduced` for each: published beside computed, and whether they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from lissive.errors import EvidenceError
from lissive.evidence.comparison import Comparison, Given, Group, weakest
from lissive.evidence.effect import Effect, effect
from lissive.evidence.heterogeneity import why_unbelievable
from lissive.evidence.pooling import Pooled, pool_effects
from lissive.marked import read_marked
from lissive.typed import Row, read_typed

DATA = Path(__file__).parent / "data"
STATUS = {
    "reproduced": "equal to the published precision",
    "approximate": "close, from part of the rows",
    "differs": "not equal",
    "rejected": "published, not credible",
    "rows missing": "not recomputable: not all of its rows are available",
}


@dataclass(frozen=True)
class Printed:
    """What a review prints of one result; None where it does not."""

    provenance: str
    estimate: float | None = None
    """None where the result is one of many studies, each beside its own numbers."""
    measure: str | None = None
    ci: tuple[float, float] | None = None
    n: float | None = None
    k: int | None = None
    tau2: float | None = None
    i2: float | None = None

    def to_json(self) -> dict[str, Any]:
        names = ("measure", "estimate", "ci", "n", "k", "tau2", "i2", "provenance")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class RowCheck:
    """One study's row of a review beside what its own numbers give: estimate, lower and upper limit."""

    study: str
    published: tuple[float, float, float]
    computed: tuple[float, float, float]

    @property
    def difference(self) -> float:
        """The largest of the three."""
        return max(abs(a - b) for a, b in zip(self.published, self.computed, strict=True))


@dataclass(frozen=True)
class Reproduced:
    """One published result. `ok` is None where it cannot be computed; False where it differs or is rejected."""

    id: str
    what: str
    published: Printed
    computed: Pooled | None
    """None where nothing is pooled: see `checks`, or the note."""
    ok: bool | None
    status: str
    compared: tuple[str, ...]
    provenance: str
    """Of the weakest row that it was computed from."""
    note: str = ""
    effects: tuple[Effect, ...] = ()
    """What was pooled."""
    checks: tuple[RowCheck, ...] = ()
    """Study by study, where the review's rows are checked and nothing is pooled."""

    @property
    def largest_difference(self) -> float:
        return max(each.difference for each in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "what": self.what,
            "published": self._published_json(),
            "computed": self._computed_json(),
            "ok": self.ok,
            "status": self.status,
            "compared": list(self.compared),
            "provenance": self.provenance,
            "note": self.note,
            "rows": [_effect_json(each) for each in self.effects]
            + [{**asdict(each), "difference": each.difference} for each in self.checks],
        }

    def _published_json(self) -> dict[str, Any]:
        rows = {"rows": [each.published for each in self.checks]} if self.checks else {}
        return {**rows, **self.published.to_json()}

    def _computed_json(self) -> dict[str, Any] | None:
        if self.checks:
            rows = [each.computed for each in self.checks]
            return {"rows": rows, "largest_difference": self.largest_difference}
        found = self.computed
        if found is None:
            return None
        return {
            "measure": found.measure,
            "estimate": found.estimate,
            "ci": found.ci,
            "n": participants_of(found),
            "k": found.k,
            "tau2": found.tau2,
            "q": found.q,
            "i2": found.i2,
        }


def participants_of(pooled: Pooled) -> float | None:
    """Participants of a pooled estimate; None where a study does not report them."""
    return pooled.n if pooled.n_stated_by == pooled.k else None


def _effect_json(each: Effect) -> dict[str, Any]:
    return {"study": each.study, "estimate": each.estimate, "se": each.se, "provenance": each.provenance}


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
    """Every published result in the tables: recomputed where its rows are available, otherwise with the reason."""
    return [*_pooled(), *_by_row(), *_vectors(), *_rejected()]


def disagrees(found: Sequence[Reproduced]) -> list[Reproduced]:
    """Those that should be equal and are not."""
    return [each for each in found if each.status == "differs"]


@cache
def _reviews() -> dict[str, Mapping[str, Any]]:
    path, example = DATA / "meta.yaml", "reviews: []"
    data, _ = read_marked(path, wrong=EvidenceError, example=example, most_fields=20_000, shipped=True)
    return {each["id"]: each for each in data["reviews"]}


# -- pooled results --------------------------------------------------------------------------------------
def _pooled() -> Iterator[Reproduced]:
    checks = read_typed(
        DATA / "reproduce.yaml",
        _Checks,
        EvidenceError,
        example="checks: []",
        thing="the checks",
        shipped=True,
    )
    for check in checks.checks:
        yield _recomputed(check)


def _recomputed(check: _Check) -> Reproduced:
    published = _published(check)
    effects = [effect(each, check.measure) for each in _comparisons(check)]
    found = pool_effects(effects, model=check.model, tau2=check.tau2, ci="Wald", method=check.method)
    assert found is not None
    computed: dict[str, object] = {"estimate": found.estimate, "ci": found.ci, "n": participants_of(found)}
    computed |= {"k": found.k, "tau2": found.tau2, "i2": found.i2}
    same = all(_near(getattr(published, name), computed[name], check.within) for name in check.compare)
    complete = published.k in (None, found.k) and "ci" in check.compare
    return Reproduced(
        id=check.id,
        what=f"{_reviews()[check.review]['citation'].split('.')[0]}: {check.outcome}",
        published=published,
        computed=found,
        ok=same,
        status="differs" if not same else "reproduced" if complete else "approximate",
        compared=check.compare,
        provenance=weakest(tuple(each.provenance for each in effects)),
        note=check.note,
        effects=tuple(effects),
    )


def _published(check: _Check) -> Printed:
    review = _reviews()[check.review]
    row = next((each for each in review["outcomes"] if each["outcome"] == check.outcome), None)
    if row is None:
        raise EvidenceError(
            f"{check.id}: {check.review} has no outcome {check.outcome!r}.",
            where=str(DATA / "reproduce.yaml"),
            do="correct the outcome.",
        )
    ends = row.get("ci")
    n, k, i2 = (row[key]["value"] if key in row else None for key in ("N", "k", "i2_pct"))
    return Printed(
        provenance=row["pooled"]["provenance"],
        estimate=row["pooled"]["value"],
        measure=check.measure,
        ci=None if ends is None else tuple(ends["value"]),
        n=n,
        k=k,
        i2=i2,
    )


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


def _near(published: object, computed: object, within: float) -> bool:
    if isinstance(published, tuple) and isinstance(computed, tuple):
        return all(_near(a, b, within) for a, b in zip(published, computed, strict=True))
    assert isinstance(published, int | float)
    return isinstance(computed, int | float) and abs(published - computed) <= within * (1 + 1e-9)


# -- per-study rows of a review: effect and interval from counts or means --------------------------------------
PER_STUDY = "cochrane_CD012182_pub3_perstudy"
PRINTED = 1e-4
"""The review's rows have four decimals, and its limits are of 1.96 standard errors."""


def _by_row() -> Iterator[Reproduced]:
    rows = _reviews()[PER_STUDY]["per_study"]
    for analysis in dict.fromkeys(row["analysis"] for row in rows):
        mine = [row for row in rows if row["analysis"] == analysis]
        checks = tuple(_row_check(row) for row in mine)
        same = max(each.difference for each in checks) <= PRINTED
        yield Reproduced(
            id=f"{PER_STUDY}/{analysis}",
            what=f"CD012182 analysis {analysis}, {mine[0]['name']}: each study's {mine[0]['effect_type']}",
            published=Printed("read"),
            computed=None,
            ok=same,
            status="reproduced" if same else "differs",
            compared=("estimate", "ci"),
            provenance=weakest(tuple(row["provenance"] for row in mine)),
            checks=checks,
        )


def _row_check(row: Mapping[str, Any]) -> RowCheck:
    found = effect(
        _comparison(
            row["study"],
            row["provenance"],
            active=Group("active", row["eN"], row["e_n"], row["e_mean"], row["e_sd"]),
            control=Group("control", row["cN"], row["c_n"], row["c_mean"], row["c_sd"]),
        ),
        row["effect_type"],
    )
    computed = (found.y, found.y - 1.959964 * found.se, found.y + 1.959964 * found.se)
    return RowCheck(row["study"], (row["effect"], *row["ci"]), computed)


# -- pooled results whose rows are not all available -----------------------------------------------------------------
VECTORS = "cochrane_CD012182_computed_DL"


def _vectors() -> Iterator[Reproduced]:
    here = len({row["study"] for row in _reviews()[PER_STUDY]["per_study"]})
    for test in _reviews()[VECTORS]["tests"]:
        yield Reproduced(
            id=f"{VECTORS}/{test['group']}, {test['outcome']}",
            what=f"CD012182, {test['group']}, {test['outcome']}: all {test['k']} trials of neuropathic pain",
            published=Printed(
                provenance="derived",
                estimate=test["pooled"],
                ci=tuple(test["ci"]),
                k=test["k"],
                tau2=test["tau2"],
                i2=test["i2_pct"],
            ),
            computed=None,
            ok=None,
            status="rows missing",
            compared=(),
            provenance="derived",
            note=f"Only the rows of {here} trials in multiple sclerosis or spinal cord injury are available.",
        )


# -- published, not credible ---------------------------------------------------------------------------
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
                    published=Printed(
                        provenance=figure["provenance"],
                        estimate=figure["value"],
                        measure=measure,
                        ci=ci,
                        i2=i2,
                    ),
                    computed=None,
                    ok=False,
                    status="rejected",
                    compared=(),
                    provenance=figure["provenance"],
                    note=f"Rejected: {why}.",
                )
