"""The parts of a trial's design: what can be measured, how large it may be, population, arms, run-in, endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.case.fact import one_of
from lissive.case.products import Product, label_titration, modelled_products, product
from lissive.case.vocabulary import modelled_causes
from lissive.errors import DesignError
from lissive.given import whole
from lissive.simulation.limits import memory
from lissive.table import rows_of
from lissive.typed import Row, nearest, raise_all, refuse


@dataclass(frozen=True)
class Measure:
    """One row of measures.tsv."""

    measure: str
    paramcd: str
    """Short name in ADaM data sets, up to 8 letters."""
    output: str
    """The model's output that it reads."""
    baseline: str
    """The model's parameter for it before treatment; - where there is none."""
    kind: str
    """rating (a diary or one rating), count (a day's number), assessed (by a clinician), impression (of change)."""
    label: str
    unit: str
    lower: float
    upper: float


def _read() -> dict[str, Measure]:
    rows = rows_of(Path(__file__).parent / "measures.tsv")
    texts = ("measure", "paramcd", "output", "baseline", "kind", "label", "unit")
    return {
        row["measure"]: Measure(
            **{name: row[name] for name in texts}, lower=float(row["lower"]), upper=float(row["upper"])
        )
        for row in rows
    }


MEASURES = _read()
IMPRESSIONS = tuple(name for name, each in MEASURES.items() if each.kind == "impression")
EVENTS = {
    "dizziness": "Dizziness, cumulative incidence",
    "withdrawal": "Discontinued, any reason",
    "withdrawal_adverse": "Discontinued due to adverse events",
    "failure": "Time to treatment failure",
    "dose": "Units a day",
}
"""Event to its label. `failure` needs rises_by_pct; discontinuation counts as failure."""


MOST_PATIENTS = 200_000
MOST_REPLICATES = 100_000
_STREAMS = 4
"""Numbers of 8 bytes that are held at once for each patient and day, while ratings are drawn."""


def replicates_of(value: Any, least: int = 1) -> int:
    """How often a trial is carried out."""
    return whole("replicates", value, wrong=DesignError, least=least, most=MOST_REPLICATES)


def check_memory(patients: int, days: int, columns: int, where: str) -> None:
    """Refuse what this machine has no memory for.

    Parameters
    ----------
    columns : numbers that are kept of each patient and day.
    """
    needed = 8 * (_STREAMS + columns) * days * patients
    have = memory()
    if needed > have:
        raise DesignError(
            f"{patients} patients over {days} days need {needed / 1e9:.2g} GB of memory; this machine has "
            f"{have / 1e9:.2g} GB.",
            where=where,
            allowed=f"about {int(patients * have / needed)} patients of this trial.",
            do="ask for fewer patients or a shorter trial; more replicates cost no memory.",
        )


MEND = "correct the value."


def field(description: str, default: Any = ..., *, unit: str = "", **limits: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


class Spread(Row):
    """Distribution of a rating in those screened."""

    mean: float = field("Mean.", ge=0, le=1000)
    sd: float = field("Standard deviation.", ge=0, le=1000)


class Range(Row):
    """Range of a rating for inclusion."""

    at_least: float | None = field("Minimum for inclusion.", None, ge=0, le=1000)
    at_most: float | None = field("Maximum for inclusion.", None, ge=0, le=1000)


class Population(Row):
    """Who is screened, and who of them is enrolled."""

    cause: str = field("Cause of the spasms.")
    baseline: Mapping[str, Spread] = field(
        "Measure to its true distribution in those screened (default: the tables').", {}
    )
    inclusion: Mapping[str, Range] = field(
        "Measure to the range that the mean of the week before must be in.", {}
    )
    most_screened: int = field("Maximum number screened.", 20_000, unit="people", ge=1, le=1_000_000)
    fed: bool | None = field("Whether doses are taken with food (default: drawn at random).", None)
    heavy_users: bool = field("Whether participants use cannabis daily.", False)

    @field_validator("cause")
    @classmethod
    def _known_cause(cls, value: str) -> str:
        return one_of("cause", value, modelled_causes(), do=MEND)

    @field_validator("baseline", "inclusion")
    @classmethod
    def _known_measures(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            check_measure(name, rated=True)
            if MEASURES[name].baseline == "-" or MEASURES[name].kind == "impression":
                able = [n for n, m in MEASURES.items() if m.baseline != "-" and m.kind != "impression"]
                raise refuse(f"names {name!r}, which has no baseline level.", f"{', '.join(able)}.", MEND)
        return value

    @model_validator(mode="after")
    def _includes_somebody(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        for name, wanted in self.inclusion.items():
            low, high = MEASURES[name].lower, MEASURES[name].upper
            least = low if wanted.at_least is None else wanted.at_least
            most = high if wanted.at_most is None else wanted.at_most
            if least > most or least > high or most < low:
                yield refuse(
                    f"excludes everyone: minimum {least:g}, maximum {most:g}.",
                    f"a range within {low:g} to {high:g}, at_least below at_most.",
                    MEND,
                    field=f"inclusion.{name}",
                )


class Arm(Row):
    """Treatment of one arm, and how it is titrated."""

    product: str | None = field("Product of the products table, which also gives the route.", None)
    placebo: bool = field("Whether it is a placebo of that product.", False)
    thc_mg_per_unit: float | None = field(
        "THC per unit, if not the product's.", None, unit="mg", ge=0, le=1000
    )
    cbd_mg_per_unit: float | None = field(
        "CBD per unit, if not the product's.", None, unit="mg", ge=0, le=6000
    )
    units_counted: str = field("Name of a unit: spray, capsule, cigarette.", "unit", max_length=20)
    titration: Literal["self", "free", "label", "fixed"] = field(
        "self: self-titrated to relief or intolerance; free: the same without a limit on the size of steps; label: "
        "the same by the label's schedule; fixed: the maximum.",
        "self",
    )
    most_per_day: int = field("Maximum daily dose.", unit="units a day", ge=0, le=1000)
    first_per_day: int = field("Units on the first day.", 1, unit="units a day", ge=0, le=1000)
    step: int = field("Units of one step up.", 1, unit="units a day", ge=1, le=100)
    step_days: int = field("Days between steps up.", 1, unit="days", ge=1, le=60)
    titration_days: int | None = field("Last day of up-titration (default: none).", None, ge=1, le=730)
    doses_per_day: int | None = field(
        "Dosing times a day (default: each unit at its own time).", None, ge=1, le=12
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
        return value if value is None else one_of("product", value, modelled_products(), do=MEND)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        if self.product is None:
            if self.most_per_day:
                yield refuse(
                    f"is {self.most_per_day}, but the arm has no product.",
                    "0, or a product.",
                    MEND,
                    field="most_per_day",
                )
            return
        if self.titration == "label" and not label_titration(self.product):
            yield refuse(
                f"is 'label', but {self.product} has no label titration.",
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
                "lower most_per_day.",
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
    """Response criterion of a run-in for randomisation."""

    measure: str = field("Measure that must have improved since before the run-in.", "spasticity_nrs")
    falls_by_pct: float = field("Minimum improvement.", unit="%", ge=-1000, le=100)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        if value in MEASURES and MEASURES[value].kind == "impression":
            able = [name for name, measure in MEASURES.items() if measure.kind != "impression"]
            raise refuse(
                f"is {value!r}, which has no improvement from baseline.", f"{', '.join(able)}.", MEND
            )
        return check_measure(value, rated=True)


class RunIn(Row):
    """Treatment of all before randomisation, with selection of responders or without."""

    arm: str = field("Arm whose treatment all receive.")
    weeks: int = field("Length.", unit="weeks", ge=1, le=52)
    patients: int | None = field(
        "Patients entering the run-in (default: as many as it takes until `patients` are randomised).",
        None,
        ge=1,
        le=MOST_PATIENTS,
    )
    keep: Keep | None = field("Response criterion for randomisation (default: none).", None)
    washout_days: int = field("Days without treatment before randomisation.", 0, unit="days", ge=0, le=180)
    washout_loses_pct: float | None = field(
        "Minimum loss of the run-in improvement at the end of the wash-out to be randomised (default: none).",
        None,
        unit="%",
        ge=0,
        le=200,
    )
    keep_dose: bool = field("Continue the run-in dose after randomisation.", True)
    established: bool = field(
        "The run-in is use in ordinary care before screening: who did not go on with it is never screened, and the "
        "inclusion criteria are met on the drug.",
        False,
    )


class Stratum(Row):
    """Randomisation is stratified by a rating: below the cut, or at it and above."""

    measure: str = field("Measure just before randomisation.")
    cut: float = field("Lowest rating of the upper stratum.", ge=0, le=1000)

    @field_validator("measure")
    @classmethod
    def _known(cls, value: str) -> str:
        return check_measure(value, rated=True)


class Crossover(Row):
    """Each participant receives several arms, one per period."""

    sequences: tuple[tuple[str, ...], ...] = field(
        "Orders of arms; participants are allocated to them evenly.", min_length=1
    )
    washout_days: int = field("Days without treatment between periods.", 0, unit="days", ge=0, le=180)


class Endpoint(Row):
    """One endpoint."""

    measure: str = field("Measure or event.")
    at_week: float | None = field("Visit (default: the last).", None, unit="weeks", ge=0, le=104)
    falls_by_pct: float | None = field(
        "Responder threshold: improvement from baseline of at least this much.", None, unit="%", gt=0, le=100
    )
    rises_by_pct: float | None = field(
        "Failure threshold: worsening since randomisation of at least this much.",
        None,
        unit="%",
        gt=0,
        le=500,
    )
    rises_by: float | None = field(
        "Failure: a rise of at least this much as well (default: the share alone).", None, gt=0, le=100
    )
    weeks_in_a_row: int = field(
        "Failure: weeks in a row whose mean of the diary has risen so much; the last of them is the day of failure.",
        2,
        unit="weeks",
        ge=1,
        le=52,
    )
    leaves: bool = field("Failure: whether it ends the participant's trial.", False)
    since: Literal["randomisation", "screening"] = field(
        "Baseline of a change: the week before randomisation, or before the run-in (screening).",
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
        for name in ("rises_by", "weeks_in_a_row", "leaves"):
            usual = type(self).model_fields[name].default
            if self.measure != "failure" and getattr(self, name) != usual:
                yield refuse(f"is given for {self.measure}.", "only failure has it.", MEND, field=name)
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


def check_measure(name: str, *, rated: bool) -> str:
    known = [*MEASURES] if rated else [*MEASURES, *EVENTS]
    if name not in known:
        raise refuse(f"is {name!r}.{nearest(name, known)}", f"{', '.join(known)}.", MEND)
    return name
