"""The same virtual patients under two treatments: another plan, or one thing changed.

Ratings share within-subject fluctuation and the error of each rating, so their difference is of the treatments alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import Case, make_case, product
from lissive.errors import CaseError, SimulationError
from lissive.forecast.calibrated import Calibrated, calibration
from lissive.forecast.predict import RTOL, Outcome, follow, outcomes
from lissive.forecast.treatment import Treatment, treatment
from lissive.given import threads_of, whole
from lissive.model import load
from lissive.simulation.engine import Tolerances
from lissive.simulation.run import Settings

SAME = {"1/day": 0.05, "NRS": 0.05, "score": 0.05, "VAS": 0.5, "probability": 0.005}
"""By unit, what is smaller than this is no difference: it would not be seen in the digits that are shown."""
FEW = 0.05
"""A smaller share of patients does not make it depend on the person."""
NOT_COMPARED = frozenset({"walk_rated_nrs", "spasm_severity", "cb1_activation", "oh_thc_plasma_peak"})


@dataclass(frozen=True)
class Difference:
    """One outcome under both: means over patients, and second minus first within a patient."""

    name: str
    label: str
    unit: str
    first: float
    second: float
    mean: float
    p05: float
    p95: float
    ratio: tuple[float, float, float] | None
    """Second over first, for concentrations: median, 5th and 95th percentile; None where the first is 0."""
    better: float | None
    """Proportion of patients who do better under the second; None for concentrations."""
    worse: float | None

    @property
    def favours(self) -> Literal["first", "second", "neither", "depends"]:
        """Which is better in the model; `depends` where that differs between patients."""
        better, worse = self.better or 0.0, self.worse or 0.0
        if max(better, worse) < FEW or (better < 0.5 and worse < 0.5 and not (better and worse)):
            return "neither"
        if min(better, worse) >= FEW:
            return "depends"
        return "second" if better > worse else "first"


@dataclass(frozen=True)
class SideBySide:
    """Two treatments side by side."""

    asked: str
    first: str
    second: str
    week: int
    """The last week of the shorter plan."""
    last_day: bool
    """Whether the numbers are of the last day of that week alone."""
    rows: tuple[Difference, ...]
    calibrated: Calibrated
    """The lesser of the two."""
    subjects: int
    failed: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Side:
    """A case as it is under one of the two treatments."""

    label: str
    case: Case
    placebo: bool = False
    misses_last_day: bool = False


def beside(
    asked: str,
    first: Side,
    second: Side,
    *,
    subjects: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    notes: tuple[str, ...] = (),
    progress: Callable[[int], None] | None = None,
) -> SideBySide:
    """Both treatments in the same virtual patients.

    Raises       CaseError where one of the plans does not say enough to be run.
    """
    subjects = whole("subjects", subjects, wrong=SimulationError)
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    sides = [_treatment(first), _treatment(second)]
    weeks = min(each.weeks for each in sides)
    missing = frozenset({weeks * 7 - 1})
    for k, side in enumerate((first, second)):
        if side.misses_last_day:
            sides[k] = replace(sides[k], dosing=replace(sides[k].dosing, missed=missing))
    cause = first.case.spasm.cause
    assert cause is not None
    settings = Settings(Tolerances(rtol=RTOL), threads_of(threads, wrong=SimulationError))
    done = follow(sides, cause, weeks, subjects, seed, settings, progress)
    good = (done.status == 0).all(axis=0)
    last_day = second.misses_last_day or first.misses_last_day
    shown = done.last_day if last_day else {name: values[:, :, -1] for name, values in done.weekly.items()}
    compared = [each for each in outcomes() if each.name not in NOT_COMPARED and good.any()]
    rows = tuple(_difference(each, shown[each.name][:, good]) for each in compared)
    levels = [calibration(cause, each.product.name) for each in sides]
    worst = max(levels, key=("trials", "prior", "none").index)
    said = dict.fromkeys(note for side in sides for note in side.notes)
    if sides[0].weeks != sides[1].weeks:
        longer = (
            f"The plans take {sides[0].weeks} and {sides[1].weeks} weeks; both are shown at week {weeks}."
        )
        said = {longer: None, **said}
    return SideBySide(
        asked,
        first.label,
        second.label,
        weeks,
        last_day,
        rows,
        worst,
        subjects,
        int((~good).sum()),
        (*notes, *said),
    )


def _treatment(side: Side) -> Treatment:
    plan = treatment(side.case, load("lissive"))
    return replace(plan, dosing=replace(plan.dosing, placebo=side.placebo))


def _difference(outcome: Outcome, pair: FloatArray) -> Difference:
    """(side, subject) values to what is said of them."""
    first, second = pair
    gap = second - first
    low, high = np.quantile(gap, (0.05, 0.95))
    ratio: tuple[float, float, float] | None = None
    better = worse = None
    if outcome.unit in SAME:
        better, worse = (float((sign * gap <= -SAME[outcome.unit]).mean()) for sign in (1, -1))
    elif (first > 0).all():
        median, least, most = np.quantile(second / first, (0.5, 0.05, 0.95))
        ratio = (float(median), float(least), float(most))
    return Difference(
        name=outcome.name,
        label=outcome.label,
        unit=outcome.unit,
        first=float(first.mean()),
        second=float(second.mean()),
        mean=float(gap.mean()),
        p05=float(low),
        p95=float(high),
        ratio=ratio,
        better=better,
        worse=worse,
    )


# -- what if ---------------------------------------------------------------------------------------
WHAT_IFS = ("meal", "missed-dose", "ketoconazole", "cyp2c9-3")
_KETOCONAZOLE = (
    "Factors on enzymes are unverified. With ketoconazole 11-OH-THC rises far more in man than in this model: read the "
    "direction, not the size."
)
_CYP2C9 = "The residual activity of CYP2C9*3/*3 is unverified."


def what_if(case: Case, word: str) -> tuple[Side, Side, tuple[str, ...]]:
    """The plan as it is and with one thing changed, and what has to be known to read it.

    Raises       CaseError where that changes nothing, or is no such question.
    """
    if word == "meal":
        if case.plan.product is not None and product(case.plan.product).route == "inhaled":
            raise _no_change("A meal changes nothing of what is inhaled.", word)
        fasted, fed = (_changed(case, plan={"fed": each}) for each in (False, True))
        return Side("without food", fasted), Side("with a fatty meal", fed), ()
    if word == "missed-dose":
        planned = Side("as planned", case)
        return planned, Side("all doses of that day missed", case, misses_last_day=True), ()
    if word == "ketoconazole":
        current = [each.model_dump() for each in case.history.current or ()]
        if any(each["drug"].lower() == "ketoconazole" for each in current):
            raise _no_change("Ketoconazole is taken already.", word)
        taken = _changed(case, history={"current": [*current, {"drug": "ketoconazole"}]})
        return Side("as planned", case), Side("with ketoconazole", taken), (_KETOCONAZOLE,)
    if word == "cyp2c9-3":
        stated = case.person.cyp2c9 or "*1/*1"
        if stated == "*3/*3":
            raise _no_change("CYP2C9*3/*3 is stated already.", word)
        pair = [_changed(case, person={"cyp2c9": each}) for each in (stated, "*3/*3")]
        return Side(f"CYP2C9 {stated}", pair[0]), Side("CYP2C9 *3/*3", pair[1]), (_CYP2C9,)
    raise CaseError(
        f"Unknown question {word!r}.",
        where="--what-if",
        allowed=f"{', '.join(WHAT_IFS)}.",
        do="write one of these words.",
    )


def _no_change(what: str, word: str) -> CaseError:
    do = "ask another question, or give --compare a file with the other plan."
    allowed = "a question whose answer differs from the plan."
    return CaseError(what, where=f"--what-if {word}", allowed=allowed, do=do)


def _changed(case: Case, **parts: dict[str, Any]) -> Case:
    """The case with some fields of its parts set."""
    data = case.model_dump(mode="json")
    return make_case({**data, **{name: {**data[name], **fields} for name, fields in parts.items()}})
