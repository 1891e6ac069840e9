"""A trial as it is planned: who, what, when, what is measured and how it is analysed. Frozen data, no behaviour.

Days count from the start of the run-in, or from randomisation where there is none; weeks of visits count from
randomisation (in a crossover: from the start of each period).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.case.products import Product, causes, label_titration, product, products
from lissive.trials.measures import EVENTS, MEASURES
from lissive.typed import Row, nearest, raise_all, refuse

MEND = "correct the value."


def _field(description: str, default: Any = ..., *, unit: str = "", **limits: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


class Spread(Row):
    """How a rating is distributed among those who are asked."""

    mean: float = _field("Mean.", ge=0, le=1000)
    sd: float = _field("Standard deviation.", ge=0, le=1000)


class Range(Row):
    """What somebody's rating has to be for them to be let in."""

    at_least: float | None = _field("Lowest that is let in.", None, ge=0, le=1000)
    at_most: float | None = _field("Highest that is let in.", None, ge=0, le=1000)


class Population(Row):
    """Who is asked, and who of them is let in."""

    cause: str = _field("What causes the spasms.")
    baseline: Mapping[str, Spread] = _field("Measure to its true distribution; the tables' if not given.", {})
    inclusion: Mapping[str, Range] = _field("Measure to what the week before must show.", {})
    most_screened: int = _field(
        "Screening ends here, for better or worse.", 20_000, unit="people", ge=1, le=1_000_000
    )
    fed: bool | None = _field("Whether doses are taken with food; drawn if not given.", None)
    heavy_users: bool = _field("Whether they use cannabis daily.", False)

    @field_validator("cause")
    @classmethod
    def _known_cause(cls, value: str) -> str:
        if value not in causes():
            raise refuse(f"is {value!r}.{nearest(value, causes())}", f"{', '.join(causes())}.", MEND)
        return value

    @field_validator("baseline", "inclusion")
    @classmethod
    def _known_measures(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            _check_measure(name, rated=True)
            if MEASURES[name].baseline == "-" or MEASURES[name].kind == "impression":
                able = [n for n, m in MEASURES.items() if m.baseline != "-" and m.kind != "impression"]
                raise refuse(
                    f"names {name!r}, which has no level before treatment.", f"{', '.join(able)}.", MEND
                )
        return value

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        for name, wanted in self.inclusion.items():
            low, high = MEASURES[name].lower, MEASURES[name].upper
            least = low if wanted.at_least is None else wanted.at_least
            most = high if wanted.at_most is None else wanted.at_most
            if least > most or least > high or most < low:
                yield refuse(
                    f"lets nobody in: from {least:g} to {most:g}.",
                    f"a part of {low:g} to {high:g}, at_least below at_most.",
                    MEND,
                    field=f"inclusion.{name}",
                )


class Arm(Row):
    """What one arm is given, by whose decision."""

    product: str | None = _field("Name of a product in the products table; its route is taken.", None)
    placebo: bool = _field("Whether it only looks like that.", False)
    thc_mg_per_unit: float | None = _field(
        "THC in a unit, where not the product's.", None, unit="mg", ge=0, le=1000
    )
    cbd_mg_per_unit: float | None = _field(
        "CBD in a unit, where not the product's.", None, unit="mg", ge=0, le=6000
    )
    units_counted: str = _field("What a unit is called: spray, capsule, cigarette.", "unit", max_length=20)
    titration: Literal["self", "label", "fixed"] = _field(
        "self: up until relieved or unwell; label: the same within the label's days; fixed: always the most.",
        "self",
    )
    most_per_day: int = _field("Most units a day.", unit="units a day", ge=0, le=1000)
    first_per_day: int = _field("Units on the first day.", 1, unit="units a day", ge=0, le=1000)
    step: int = _field("Units by which a day may go up.", 1, unit="units a day", ge=1, le=100)
    step_days: int = _field("Days between two steps up.", 1, unit="days", ge=1, le=60)
    titration_days: int | None = _field(
        "Days after which nobody goes up; none if not given.", None, ge=1, le=730
    )
    doses_per_day: int | None = _field(
        "Times a day at which units are taken; each at its own time if not given.", None, ge=1, le=12
    )

    @property
    def what(self) -> Product:
        assert self.product is not None
        return product(self.product)

    @property
    def thc_mg(self) -> float:
        """THC in a unit [mg]."""
        own = self.thc_mg_per_unit
        return own if own is not None else self.what.thc_mg_per_unit or 0.0

    @property
    def cbd_mg(self) -> float:
        """CBD in a unit [mg]."""
        own = self.cbd_mg_per_unit
        return own if own is not None else self.what.cbd_mg_per_unit or 0.0

    @field_validator("product")
    @classmethod
    def _known_product(cls, value: str | None) -> str | None:
        if value is not None and value not in products():
            raise refuse(f"is {value!r}.{nearest(value, products())}", f"{', '.join(products())}.", MEND)
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        if self.product is None:
            if self.most_per_day:
                yield refuse(
                    f"is {self.most_per_day}, of no product.",
                    "0, or name the product.",
                    MEND,
                    field="most_per_day",
                )
            return
        if self.titration == "label" and not label_titration(self.product):
            yield refuse(
                f"is 'label', but no label says how {self.product} is titrated.",
                "self, fixed.",
                MEND,
                field="titration",
            )
        ceiling, counted = self.what.ceiling_per_day, self.what.counted_in
        # a product is counted in sprays, or in mg of THC (of CBD where it has none)
        amount = self.most_per_day * (1.0 if counted == "spray" else self.thc_mg or self.cbd_mg)
        if ceiling is not None and amount > ceiling:
            yield refuse(
                f"is {self.most_per_day} units, {amount:g} {counted} a day.",
                f"up to {ceiling:g} {counted} a day of {self.product}.",
                "lower the titration's most.",
                field="most_per_day",
            )
        if self.first_per_day > self.most_per_day:
            yield refuse(
                f"is {self.first_per_day}, more than most_per_day.",
                f"up to {self.most_per_day}.",
                MEND,
                field="first_per_day",
            )


class Keep(Row):
    """Who of a run-in is randomised."""

    measure: str = _field("What has to have fallen since before the run-in.", "spasticity_nrs")
    falls_by_pct: float = _field("Least fall.", unit="%", ge=-1000, le=100)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        if value in MEASURES and MEASURES[value].kind == "impression":
            able = [name for name, measure in MEASURES.items() if measure.kind != "impression"]
            raise refuse(f"is {value!r}, which does not fall.", f"{', '.join(able)}.", MEND)
        return _check_measure(value, rated=True)


class RunIn(Row):
    """A part before randomisation in which all get the same, and after which some are let go."""

    arm: str = _field("Arm whose treatment all get.")
    weeks: int = _field("Length.", unit="weeks", ge=1, le=52)
    patients: int | None = _field(
        "How many enter it; as many as are randomised if nobody is let go.", None, ge=1, le=200_000
    )
    keep: Keep | None = _field("Who stays; everybody if not given.", None)
    washout_days: int = _field("Days without treatment before randomisation.", 0, unit="days", ge=0, le=180)
    washout_loses_pct: float | None = _field(
        "Least share of the run-in's fall that has to be lost by the end of the wash-out; anybody is randomised if"
        " not given.",
        None,
        unit="%",
        ge=0,
        le=200,
    )
    keep_dose: bool = _field("Whether the dose found in it is gone on with.", True)


class Stratum(Row):
    """Randomisation is done apart for those below and those from a rating on."""

    measure: str = _field("What was measured just before randomisation.")
    cut: float = _field("Rating from which somebody is in the upper stratum.", ge=0, le=1000)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        return _check_measure(value, rated=True)


class Crossover(Row):
    """Each patient goes through several arms, one a period."""

    sequences: tuple[tuple[str, ...], ...] = _field(
        "Orders of arms; patients are shared out over them evenly.", min_length=1
    )
    washout_days: int = _field("Days without treatment between periods.", 0, unit="days", ge=0, le=180)


class Endpoint(Row):
    """One thing that is compared between arms."""

    measure: str = _field("What is measured, or an event.")
    at_week: float | None = _field("Visit; the last if not given.", None, unit="weeks", ge=0, le=104)
    falls_by_pct: float | None = _field(
        "Counts who has fallen by this much: responders.", None, unit="%", gt=0, le=100
    )
    rises_by_pct: float | None = _field(
        "Treatment failure: a rise by this much since randomisation.", None, unit="%", gt=0, le=500
    )
    since: Literal["randomisation", "screening"] = _field(
        "What a change is counted from: the last week before randomisation or before everything.",
        "randomisation",
    )

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        return _check_measure(value, rated=False)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        if (self.measure == "failure") != (self.rises_by_pct is not None):
            rated = "only failure has it." if self.rises_by_pct is not None else "above 0 to 500 %."
            said = f"is {self.rises_by_pct:g}" if self.rises_by_pct is not None else "is missing"
            yield refuse(f"{said} for {self.measure}.", rated, MEND, field="rises_by_pct")
        if self.falls_by_pct is not None and (
            self.measure in EVENTS or MEASURES[self.measure].kind == "impression"
        ):
            yield refuse(
                f"is {self.falls_by_pct:g} for {self.measure}, which has no responders.",
                "only a rating, a count or an assessment has it.",
                "take it out.",
                field="falls_by_pct",
            )

    @property
    def name(self) -> str:
        """Name in tables, as spasticity_nrs_responders_30pct."""
        return f"{self.measure}_responders_{self.falls_by_pct:g}pct" if self.falls_by_pct else self.measure


class Analysis(Row):
    """How arms are compared."""

    control: str | None = _field(
        "Arm that the others are compared with; the first placebo arm if not given.", None
    )
    missing: Literal["locf", "observed", "baseline"] = _field(
        "What stands for a missing visit: the last one seen, nothing, or no change.", "locf"
    )
    alpha: float = _field("Two-sided level of a finding.", 0.05, gt=0, lt=1)


class Design(Row):
    """A whole trial."""

    trial: str = _field("Name.", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    title: str = _field("What it is about.", "")
    population: Population
    run_in: RunIn | None = None
    patients: int | None = _field(
        "How many are randomised; all that a run-in keeps if not given.", None, ge=1, le=200_000
    )
    ratio: Mapping[str, int] = _field("Arm to its share at randomisation; even if not given.", {})
    strata: tuple[Stratum, ...] = _field(
        "Randomisation is balanced within each of these; not if not given.", ()
    )
    seed: int | None = _field("Of all that is drawn, where the command does not say.", None, ge=0)
    arms: Mapping[str, Arm] = _field("Name to arm.", min_length=1)
    weeks: float = _field(
        "Length from randomisation, or of each period of a crossover.", unit="weeks", gt=0, le=104
    )
    crossover: Crossover | None = None
    visits_weeks: tuple[float, ...] = _field("Weeks of visits since randomisation.", min_length=1)
    endpoints: tuple[Endpoint, ...] = _field("What is compared; the first is the primary one.", min_length=1)
    relief: Literal["spasticity_nrs", "pain_nrs"] = _field(
        "By what patients judge whether to go up.", "spasticity_nrs"
    )
    diary_days: int = _field(
        "Days of diary that a visit's rating is the mean of.", 7, unit="days", ge=1, le=28
    )
    diary_compliance: float = _field("Share of diary days that are filled in.", 0.9, ge=0.01, le=1)
    rated_at_visits: bool = _field("Ratings are given once, at the visit, and no diary is kept.", False)
    drop_out: bool = _field("Whether people leave.", True)
    analysis: Analysis = Analysis()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        raise_all(itertools.chain(self._wrong_arms(), self._wrong_visits(), self._wrong_numbers()))
        return self

    def _wrong_arms(self) -> Iterator[PydanticCustomError]:
        known = f"{', '.join(self.arms)}."
        named = {f"ratio.{name}": name for name in self.ratio}
        if self.run_in:
            named["run_in.arm"] = self.run_in.arm
        if self.analysis.control:
            named["analysis.control"] = self.analysis.control
        for place, sequence in enumerate(self.crossover.sequences if self.crossover else ()):
            named |= {f"crossover.sequences.{place}": name for name in sequence}
        for field, name in named.items():
            if name not in self.arms:
                yield refuse(
                    f"is {name!r}, which is no arm.{nearest(name, self.arms)}", known, MEND, field=field
                )
        if self.crossover and len({len(s) for s in self.crossover.sequences}) > 1:
            yield refuse(
                "have different lengths.", "as many periods in each.", MEND, field="crossover.sequences"
            )
        if self.ratio and self.crossover:
            yield refuse(
                "is given, but patients of a crossover are shared out over its sequences evenly.",
                "no ratio in a crossover.",
                "take it out, or name a sequence several times.",
                field="ratio",
            )
        if self.ratio and not sum(self.ratio.values()):
            yield refuse("sums to nobody.", "a share above 0 for some arm.", MEND, field="ratio")
        if any(share < 0 for share in self.ratio.values()):
            yield refuse("has a share below 0.", "whole numbers of 0 or more.", MEND, field="ratio")

    def _wrong_visits(self) -> Iterator[PydanticCustomError]:
        visits = self.visits_weeks
        if list(visits) != sorted(set(visits)) or round(visits[0] * 7) < 1 or visits[-1] > self.weeks:
            yield refuse(
                f"are {', '.join(f'{v:g}' for v in visits)}.",
                f"rising, a day or more and up to {self.weeks:g}, where treatment ends.",
                MEND,
                field="visits_weeks",
            )
        for k, endpoint in enumerate(self.endpoints):
            if endpoint.at_week is not None and endpoint.at_week not in visits:
                yield refuse(
                    f"is {endpoint.at_week:g}, but {endpoint.name} is not measured then: there is no such visit.",
                    f"{', '.join(f'{v:g}' for v in visits)}.",
                    "add the visit to visits_weeks, or name one that there is.",
                    field=f"endpoints.{k}.at_week",
                )
            if endpoint.measure == "failure" and self.crossover:
                yield refuse(
                    "is a time to treatment failure, of which a crossover has no analysis.",
                    "anything else.",
                    "take the endpoint out.",
                    field=f"endpoints.{k}.measure",
                )
        names = [(each.name, each.at_week) for each in self.endpoints]
        for k, name in enumerate(names):
            if name in names[:k]:
                yield refuse(f"{name[0]} comes twice.", "each endpoint once.", MEND, field=f"endpoints.{k}")

    def _wrong_numbers(self) -> Iterator[PydanticCustomError]:
        entering = self.run_in.patients if self.run_in else None
        if self.patients is None and entering is None:
            yield refuse("is missing.", "how many are randomised.", "write it.", field="patients")
        if self.patients is not None and self.patients < len(self.shares):
            yield refuse(
                f"is {self.patients} for {len(self.shares)} arms.",
                f"{len(self.shares)} or more.",
                MEND,
                field="patients",
            )
        if (
            self.run_in
            and self.run_in.washout_loses_pct is not None
            and not (self.run_in.keep and self.run_in.washout_days)
        ):
            yield refuse(
                "needs a rule of who is kept and days of wash-out.",
                "with run_in.keep and run_in.washout_days.",
                "write them, or leave it out.",
                field="run_in.washout_loses_pct",
            )
        if entering is not None and self.patients is not None and entering < self.patients:
            yield refuse(
                f"is {entering}, fewer than are to be randomised.",
                f"{self.patients} or more.",
                MEND,
                field="run_in.patients",
            )

    @property
    def shares(self) -> dict[str, int]:
        """Arm (or number of a sequence) to its share at randomisation."""
        if self.crossover:
            return {str(k): 1 for k in range(len(self.crossover.sequences))}
        return dict(self.ratio) if self.ratio else dict.fromkeys(self.arms, 1)

    @property
    def control(self) -> str:
        """Arm that the others are compared with."""
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


def _check_measure(name: str, *, rated: bool) -> str:
    known = [*MEASURES] if rated else [*MEASURES, *EVENTS]
    if name not in known:
        raise refuse(f"is {name!r}.{nearest(name, known)}", f"{', '.join(known)}.", MEND)
    return name
