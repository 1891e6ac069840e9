"""The design of a trial: population, treatments, visits, endpoints, analysis. Frozen data, no behaviour.

Days count from the start of the run-in, or from randomisation where there is none; weeks of visits count from
randomisation (in a crossover: from the start of each period).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.errors import DesignError
from lissive.extras import need
from lissive.given import path_of, whole
from lissive.marked import Loc, read_marked
from lissive.trials.parts import (
    MEASURES,
    MEND,
    MOST_PATIENTS,
    Arm,
    Crossover,
    Endpoint,
    Population,
    RunIn,
    Stratum,
    field,
)
from lissive.typed import Row, make_typed, nearest, raise_all, read_typed, refuse


class Interim(Row):
    """Looks at the primary endpoint before the end, at each of which the trial may stop for efficacy."""

    at: tuple[float, ...] = field(
        "Looks, as shares of the participants who are to be randomised, increasing.",
        min_length=1,
        max_length=9,
    )
    spending: Literal["obrien_fleming", "pocock"] = field(
        "How alpha is spent over the looks (Lan and DeMets): like O'Brien and Fleming's boundaries or like Pocock's.",
        "obrien_fleming",
    )

    @field_validator("at")
    @classmethod
    def _increasing(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)) or value[0] < 0.05 or value[-1] >= 1.0:
            raise refuse(
                f"is {', '.join(f'{each:g}' for each in value)}.", "increasing shares, 0.05 to below 1.", MEND
            )
        return value


ESTIMANDS = {
    "locf": ("while_on_treatment", "last observation carried forward"),
    "observed": ("while_on_treatment", "observed cases only"),
    "baseline": ("composite", "baseline observation carried forward"),
    "mmrm": ("hypothetical", "mixed model for repeated measures"),
    "multiple_imputation": ("hypothetical", "multiple imputation, missing at random"),
    "jump_to_reference": (
        "treatment_policy",
        "multiple imputation, after discontinuation as in the control arm",
    ),
}
"""How missing visits are handled: the strategy for discontinuation that it stands for (ICH E9(R1)), and in words."""
MODELLED = ("mmrm", "multiple_imputation", "jump_to_reference")
"""Of these, those by which missing changes are modelled; a missing responder is then none."""
_METHOD: Mapping[str | None, str] = {
    "treatment_policy": "jump_to_reference",
    "hypothetical": "mmrm",
    "while_on_treatment": "locf",
    "composite": "baseline",
}


class Analysis(Row):
    """Statistical analysis."""

    control: str | None = field("Control arm (default: the first placebo arm).", None)
    estimand: Literal["treatment_policy", "hypothetical", "while_on_treatment", "composite"] | None = field(
        "Strategy for discontinuation (ICH E9(R1); default: the one that `missing` stands for).", None
    )
    missing: Literal["locf", "observed", "baseline", "mmrm", "multiple_imputation", "jump_to_reference"] = (
        field(
            "Missing visits: last observation carried forward, observed cases only, baseline carried forward, mixed "
            "model for repeated measures, multiple imputation, or the same with jump to reference (default: the "
            "estimand's; else locf).",
            "locf",
        )
    )
    imputations: int = field("Imputations of each missing value.", 20, ge=2, le=50)
    alpha: float = field("Two-sided significance level.", 0.05, gt=0, lt=1)
    key_secondary: tuple[str, ...] = field(
        "Endpoints tested where the primary is significant (NAME or NAME@WEEK).", ()
    )
    multiplicity: Literal["holm", "fixed_sequence"] = field(
        "How the key secondary endpoints share alpha: by Holm, or each after the one before it.", "holm"
    )
    non_inferiority_margin: float | None = field(
        "The primary endpoint's change may be worse than the control's by less than this (default: superiority).",
        None,
        gt=0,
        le=1000,
    )
    interim: Interim | None = None

    @model_validator(mode="after")
    def _fits_estimand(self) -> Self:
        if self.estimand in _METHOD and "missing" not in self.model_fields_set:
            object.__setattr__(self, "missing", _METHOD[self.estimand])
        stands_for = ESTIMANDS[self.missing][0]
        if self.estimand is not None and self.estimand != stands_for:
            able = [name for name, (strategy, _) in ESTIMANDS.items() if strategy == self.estimand]
            wrong = refuse(
                f"is {self.missing}, which stands for {stands_for}, not for {self.estimand}.",
                f"{', '.join(able)}.",
                "choose one of these, or leave out one of the two.",
                field="missing",
            )
            raise_all(iter([wrong]))
        return self


class Design(Row):
    """A whole trial."""

    trial: str = field("Name.", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    title: str = field("Title.", "")
    population: Population
    run_in: RunIn | None = None
    patients: int | None = field(
        "Number randomised (default: all run-in responders).", None, ge=1, le=MOST_PATIENTS
    )
    ratio: Mapping[str, int] = field("Allocation ratio, arm to its share (default: equal).", {})
    strata: tuple[Stratum, ...] = field("Strata of randomisation (default: none).", ())
    seed: int | None = field("Random seed, unless the command gives one.", None, ge=0)
    arms: Mapping[str, Arm] = field("Name to arm.", min_length=1)
    weeks: float = field(
        "Length from randomisation, or of each period of a crossover.", unit="weeks", gt=0, le=104
    )
    crossover: Crossover | None = None
    visits_weeks: tuple[float, ...] = field("Weeks of visits since randomisation.", min_length=1)
    endpoints: tuple[Endpoint, ...] = field("Endpoints; the first is the primary one.", min_length=1)
    relief: Literal["spasticity_nrs", "pain_nrs"] = field(
        "Rating by which patients decide on up-titration.", "spasticity_nrs"
    )
    diary_days: int = field("Diary days whose mean is a visit's rating.", 7, unit="days", ge=1, le=28)
    diary_compliance: float = field("Proportion of diary days that are completed.", 0.9, ge=0.01, le=1)
    rated_at_visits: bool = field("Ratings are given once, at the visit; no diary.", False)
    after_dose_h: float | None = field(
        "Ratings and assessments are made twice a day, before the dose and this long after it; a change is their mean "
        "difference over the days of a period (default: change from before the period, by means of days).",
        None,
        unit="h",
        gt=0,
        le=8,
    )
    drop_out: bool = field("Whether participants can discontinue.", True)
    analysis: Analysis = Analysis()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        raise_all(
            itertools.chain(
                self._wrong_arms(),
                self._wrong_visits(),
                self._wrong_numbers(),
                self._wrong_analysis(),
                self._wrong_looks(),
            )
        )
        return self

    def _wrong_arms(self) -> Iterator[PydanticCustomError]:
        known = f"{', '.join(self.arms)}."
        named = {f"ratio.{name}": name for name in self.ratio}
        if self.run_in:
            named["run_in.arm"] = self.run_in.arm
        if self.analysis.control:
            named["analysis.control"] = self.analysis.control
        for place, sequence in enumerate(self.crossover.sequences if self.crossover else ()):
            named |= {f"crossover.sequences.{place}.{period}": name for period, name in enumerate(sequence)}
        for place_of, name in named.items():
            if name not in self.arms:
                yield refuse(
                    f"is {name!r}, which is not an arm.{nearest(name, self.arms)}",
                    known,
                    MEND,
                    field=place_of,
                )
        if self.crossover and len({len(s) for s in self.crossover.sequences}) > 1:
            yield refuse(
                "have different lengths.",
                "the same number of periods in each.",
                MEND,
                field="crossover.sequences",
            )
        if self.ratio and self.crossover:
            yield refuse(
                "is given, but a crossover allocates its sequences evenly.",
                "no ratio in a crossover.",
                "remove it, or list a sequence several times.",
                field="ratio",
            )
        if self.ratio and not sum(self.ratio.values()):
            yield refuse("sums to zero.", "a share above 0 for some arm.", MEND, field="ratio")
        if any(not 0 <= share <= MOST_PATIENTS for share in self.ratio.values()):
            what = "has a share below 0, or above the largest number of patients."
            yield refuse(what, f"whole numbers, 0 to {MOST_PATIENTS}.", MEND, field="ratio")

    def _wrong_visits(self) -> Iterator[PydanticCustomError]:
        visits = self.visits_weeks
        if list(visits) != sorted(set(visits)) or visits[0] * 7 <= 0.5 or visits[-1] > self.weeks:
            yield refuse(
                f"are {', '.join(f'{v:g}' for v in visits)}.",
                f"increasing, from one day to {self.weeks:g} weeks (end of treatment).",
                MEND,
                field="visits_weeks",
            )
        for k, endpoint in enumerate(self.endpoints):
            if endpoint.measure == "failure" and self.weeks < endpoint.weeks_in_a_row:
                yield refuse(
                    f"is failure, which needs {endpoint.weeks_in_a_row} weeks of diary; the trial has {self.weeks:g}.",
                    "a longer trial, or fewer weeks_in_a_row.",
                    MEND,
                    field=f"endpoints.{k}.measure",
                )
            if endpoint.at_week is not None and endpoint.at_week not in visits:
                yield refuse(
                    f"is {endpoint.at_week:g}, but there is no such visit for {endpoint.name}.",
                    f"{', '.join(f'{v:g}' for v in visits)}.",
                    "add the visit to visits_weeks, or name an existing one.",
                    field=f"endpoints.{k}.at_week",
                )
            if endpoint.measure == "failure" and self.crossover:
                yield refuse(
                    "is time to treatment failure, which is not analysed in a crossover.",
                    "other endpoints.",
                    "remove the endpoint.",
                    field=f"endpoints.{k}.measure",
                )
        names = [(each.name, each.at_week) for each in self.endpoints]
        for k, name in enumerate(names):
            if name in names[:k]:
                yield refuse(
                    f"{name[0]} is a duplicate.", "each endpoint once.", MEND, field=f"endpoints.{k}"
                )

    def _wrong_numbers(self) -> Iterator[PydanticCustomError]:
        entering = self.run_in.patients if self.run_in else None
        if self.patients is None and entering is None:
            yield refuse("is missing.", "the number randomised.", "add it.", field="patients")
        people, field = (
            (entering, "run_in.patients") if self.patients is None else (self.patients, "patients")
        )
        if people is not None and people < self.least_patients:
            shares = f" with shares of {', '.join(map(str, self.ratio.values()))}" if self.ratio else ""
            yield refuse(
                f"is {people} for {len(self.shares)} arms{shares}.",
                f"{self.least_patients} or more, so that no arm stays empty.",
                MEND,
                field=field,
            )
        if (
            self.run_in
            and self.run_in.washout_loses_pct is not None
            and not (self.run_in.keep and self.run_in.washout_days)
        ):
            yield refuse(
                "needs a response criterion and a wash-out.",
                "with run_in.keep and run_in.washout_days.",
                "add them, or remove it.",
                field="run_in.washout_loses_pct",
            )
        if entering is not None and self.patients is not None and entering < self.patients:
            yield refuse(
                f"is {entering}, fewer than the number randomised.",
                f"{self.patients} or more.",
                MEND,
                field="run_in.patients",
            )

    def _wrong_analysis(self) -> Iterator[PydanticCustomError]:
        plan, first = self.analysis, self.endpoints[0]
        if plan.missing in MODELLED and self.crossover:
            yield refuse(
                f"is {plan.missing}, but a crossover is analysed within participants.",
                "locf, observed, baseline.",
                MEND,
                field="analysis.missing",
            )
        able = [
            f"{each.name}@{self.week_of(each):g}" for each in self.endpoints[1:] if each.measure != "dose"
        ]
        for k, name in enumerate(plan.key_secondary):
            if self.endpoint_named(name) in (None, first) or name in plan.key_secondary[:k]:
                yield refuse(
                    f"names {name!r}, which is no other endpoint of the design, or comes twice.",
                    f"{', '.join(able) or 'other endpoints than the primary one'}.",
                    MEND,
                    field=f"analysis.key_secondary.{k}",
                )
        changes = first.measure in MEASURES and MEASURES[first.measure].kind in ("rating", "assessed")
        if plan.non_inferiority_margin is not None and (not changes or first.falls_by_pct):
            yield refuse(
                f"is {plan.non_inferiority_margin:g}, but the primary endpoint {first.name} is not compared as a "
                "difference.",
                "a primary endpoint that is a change of a rating or an assessment.",
                "make such an endpoint the first, or leave the margin out.",
                field="analysis.non_inferiority_margin",
            )
        if plan.interim and plan.non_inferiority_margin is not None:
            yield refuse(
                "is given with a non-inferiority margin.",
                "looks of a trial of superiority.",
                "leave out one of the two.",
                field="analysis.interim",
            )

    def _wrong_looks(self) -> Iterator[PydanticCustomError]:
        """What cannot be assessed before and after the dose of a day."""
        if self.after_dose_h is None:
            return
        often = [name for name, arm in self.arms.items() if arm.product and arm.doses_per_day != 1]
        if often or not any(arm.product for arm in self.arms.values()):
            yield refuse(
                f"is given, but {', '.join(often)} is not dosed once a day."
                if often
                else "is given, but no arm is dosed.",
                "arms with doses_per_day: 1, so that all are assessed at the same time.",
                "add it to each arm, or leave after_dose_h out.",
                field="after_dose_h",
            )
        for k, each in enumerate(self.endpoints):
            daily = each.measure in MEASURES and MEASURES[each.measure].kind == "count"
            if daily or each.measure == "failure":
                yield refuse(
                    f"is {each.measure}, which is counted over days.",
                    "ratings and assessments, where after_dose_h is given.",
                    "remove the endpoint, or after_dose_h.",
                    field=f"endpoints.{k}.measure",
                )

    def week_of(self, endpoint: Endpoint) -> float:
        """The visit at which an endpoint is compared."""
        return self.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week

    def endpoint_named(self, name: str) -> Endpoint | None:
        """The endpoint of this name, or of this name@week, that is compared."""
        for each in self.endpoints:
            if each.measure != "dose" and name in (each.name, f"{each.name}@{self.week_of(each):g}"):
                return each
        return None

    @property
    def days(self) -> int:
        """Length in whole days, from randomisation or of a period."""
        return max(round(self.weeks * 7), 1)

    @property
    def shares(self) -> dict[str, int]:
        """Arm (or number of a sequence) to its share at randomisation."""
        if self.crossover:
            return {str(k): 1 for k in range(len(self.crossover.sequences))}
        return dict(self.ratio) if self.ratio else dict.fromkeys(self.arms, 1)

    @property
    def least_patients(self) -> int:
        """With fewer, an arm that has a share is too small for one patient."""
        shares = [share for share in self.shares.values() if share > 0]
        return -(-sum(shares) // min(shares)) if shares else 1

    @property
    def control(self) -> str:
        """The control arm."""
        placebo = [name for name, arm in self.arms.items() if arm.placebo]
        return self.analysis.control or next(iter(placebo), next(iter(self.arms)))

    @property
    def kind(self) -> str:
        """crossover, enriched, withdrawal or parallel; a withdrawal study takes the drug away after a run-in on it."""
        if self.crossover:
            return "crossover"
        if (
            self.run_in is None or self.arms[self.run_in.arm].placebo
        ):  # a placebo run-in only lets people settle
            return "parallel"
        return "enriched" if self.run_in.washout_days else "withdrawal"


def read_design(path: str | Path) -> Design:
    """The design in a YAML or JSON file.

    Raises
    ------
    DesignError with every finding: file, line, field, what is allowed, what to do.
    """
    return read_typed(path, Design, DesignError, example="trial: a", thing="the design")


def make_design(data: Mapping[str, Any], *, where: str = "") -> Design:
    """The design in plain data; raises as `read_design` does."""
    return make_typed(data, Design, DesignError, where=where, thing="the design")


def need_analysis() -> None:
    """Refuse, before anything is simulated, a trial that could not be analysed here."""
    need("trials", "The analysis of a virtual trial", where="lissive trial", wrong=DesignError)


def planned(design: Design | str | Path, seed: int | None) -> tuple[Design, int]:
    """The design, read if it is a file, and the random seed: the one given, else the design's, else 1."""
    need_analysis()
    plan = (
        design
        if isinstance(design, Design)
        else read_design(path_of(design, wrong=DesignError, name="design"))
    )
    chosen = next(each for each in (seed, plan.seed, 1) if each is not None)
    return plan, whole("seed", chosen, wrong=DesignError, least=0)


@contextmanager
def located(path: str | Path) -> Iterator[None]:
    """What only turns out during simulation (nobody is eligible, say) is reported with its line in the file."""
    try:
        yield
    except DesignError as error:
        parts = error.where.split(".")
        if parts[0] not in Design.model_fields:
            raise
        _, lines = read_marked(Path(path), wrong=DesignError, example="trial: a")
        loc: Loc = tuple(parts)
        while loc and loc not in lines:  # a field that is not written: the nearest around it
            loc = loc[:-1]
        raise DesignError(
            f"{error.where}: {error.what}",
            where=f"{path}:{lines.get(loc, 1)}",
            allowed=error.allowed,
            do=error.do,
        ) from None
