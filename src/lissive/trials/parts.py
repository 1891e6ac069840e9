"""The parts that a trial's design is made of: who is asked, what an arm gets, run-in, periods, endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.case.products import Product, causes, label_titration, product, products
from lissive.trials.measures import EVENTS, MEASURES
from lissive.trials.size import MOST_PATIENTS
from lissive.typed import Row, nearest, raise_all, refuse

MEND = "correct the value."


def field(description: str, default: Any = ..., *, unit: str = "", **limits: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


class Spread(Row):
    """How a rating is distributed among those who are asked."""

    mean: float = field("Mean.", ge=0, le=1000)
    sd: float = field("Standard deviation.", ge=0, le=1000)


class Range(Row):
    """What somebody's rating has to be for them to be let in."""

    at_least: float | None = field("Lowest that is let in.", None, ge=0, le=1000)
    at_most: float | None = field("Highest that is let in.", None, ge=0, le=1000)


class Population(Row):
    """Who is asked, and who of them is let in."""

    cause: str = field("What causes the spasms.")
    baseline: Mapping[str, Spread] = field("Measure to its true distribution; the tables' if not given.", {})
    inclusion: Mapping[str, Range] = field("Measure to what the week before must show.", {})
    most_screened: int = field(
        "Screening ends here, for better or worse.", 20_000, unit="people", ge=1, le=1_000_000
    )
    fed: bool | None = field("Whether doses are taken with food; drawn if not given.", None)
    heavy_users: bool = field("Whether they use cannabis daily.", False)

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
            check_measure(name, rated=True)
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

    product: str | None = field("Name of a product in the products table; its route is taken.", None)
    placebo: bool = field("Whether it only looks like that.", False)
    thc_mg_per_unit: float | None = field(
        "THC in a unit, where not the product's.", None, unit="mg", ge=0, le=1000
    )
    cbd_mg_per_unit: float | None = field(
        "CBD in a unit, where not the product's.", None, unit="mg", ge=0, le=6000
    )
    units_counted: str = field("What a unit is called: spray, capsule, cigarette.", "unit", max_length=20)
    titration: Literal["self", "label", "fixed"] = field(
        "self: up until relieved or unwell; label: the same within the label's days; fixed: always the most.",
        "self",
    )
    most_per_day: int = field("Most units a day.", unit="units a day", ge=0, le=1000)
    first_per_day: int = field("Units on the first day.", 1, unit="units a day", ge=0, le=1000)
    step: int = field("Units by which a day may go up.", 1, unit="units a day", ge=1, le=100)
    step_days: int = field("Days between two steps up.", 1, unit="days", ge=1, le=60)
    titration_days: int | None = field(
        "Days after which nobody goes up; none if not given.", None, ge=1, le=730
    )
    doses_per_day: int | None = field(
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

    measure: str = field("What has to have fallen since before the run-in.", "spasticity_nrs")
    falls_by_pct: float = field("Least fall.", unit="%", ge=-1000, le=100)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        if value in MEASURES and MEASURES[value].kind == "impression":
            able = [name for name, measure in MEASURES.items() if measure.kind != "impression"]
            raise refuse(f"is {value!r}, which does not fall.", f"{', '.join(able)}.", MEND)
        return check_measure(value, rated=True)


class RunIn(Row):
    """A part before randomisation in which all get the same, and after which some are let go."""

    arm: str = field("Arm whose treatment all get.")
    weeks: int = field("Length.", unit="weeks", ge=1, le=52)
    patients: int | None = field(
        "How many enter it; as many as are randomised if nobody is let go.", None, ge=1, le=MOST_PATIENTS
    )
    keep: Keep | None = field("Who stays; everybody if not given.", None)
    washout_days: int = field("Days without treatment before randomisation.", 0, unit="days", ge=0, le=180)
    washout_loses_pct: float | None = field(
        "Least share of the run-in's fall that has to be lost by the end of the wash-out; anybody is randomised if"
        " not given.",
        None,
        unit="%",
        ge=0,
        le=200,
    )
    keep_dose: bool = field("Whether the dose found in it is gone on with.", True)


class Stratum(Row):
    """Randomisation is done apart for those below and those from a rating on."""

    measure: str = field("What was measured just before randomisation.")
    cut: float = field("Rating from which somebody is in the upper stratum.", ge=0, le=1000)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        return check_measure(value, rated=True)


class Crossover(Row):
    """Each patient goes through several arms, one a period."""

    sequences: tuple[tuple[str, ...], ...] = field(
        "Orders of arms; patients are shared out over them evenly.", min_length=1
    )
    washout_days: int = field("Days without treatment between periods.", 0, unit="days", ge=0, le=180)


class Endpoint(Row):
    """One thing that is compared between arms."""

    measure: str = field("What is measured, or an event.")
    at_week: float | None = field("Visit; the last if not given.", None, unit="weeks", ge=0, le=104)
    falls_by_pct: float | None = field(
        "Counts who has fallen by this much: responders.", None, unit="%", gt=0, le=100
    )
    rises_by_pct: float | None = field(
        "Treatment failure: a rise by this much since randomisation.", None, unit="%", gt=0, le=500
    )
    since: Literal["randomisation", "screening"] = field(
        "What a change is counted from: the last week before randomisation or before everything.",
        "randomisation",
    )

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        return check_measure(value, rated=False)

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

    control: str | None = field(
        "Arm that the others are compared with; the first placebo arm if not given.", None
    )
    missing: Literal["locf", "observed", "baseline"] = field(
        "What stands for a missing visit: the last one seen, nothing, or no change.", "locf"
    )
    alpha: float = field("Two-sided level of a finding.", 0.05, gt=0, lt=1)


def check_measure(name: str, *, rated: bool) -> str:
    known = [*MEASURES] if rated else [*MEASURES, *EVENTS]
    if name not in known:
        raise refuse(f"is {name!r}.{nearest(name, known)}", f"{', '.join(known)}.", MEND)
    return name
