"""What would be taken, how much of it, and for how long."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Literal, Self, get_args

from pydantic import field_validator, model_validator
from pydantic_core import PydanticCustomError

from lissive.case.fact import Facts, brief, fact, is_mass, one_of, worded
from lissive.case.products import Product, product, products, start_low, titrations
from lissive.typed import raise_all, refuse
from lissive.units import magnitude

Titration = Literal["label", "fixed", "start_low", "start_low_conservative", "start_low_rapid"]
_BY_MASS = ("dose", "thc_mg", "cbd_mg")
"""Fields of one dose in mg."""
_OILS_WITH_THC = ("oil", "balanced_oil", "thc_oil")


class Plan(Facts):
    """The plan that a forecast is asked for."""

    product: str | None = fact("Product.", examples=["nabiximols"])
    titration: Annotated[Titration, worded("titration", *get_args(Titration))] | None = fact(
        "`label`: the label's schedule; `start_low`, `start_low_conservative`, `start_low_rapid`: a published "
        "consensus; `fixed`: one dose."
    )
    weeks: int | None = fact("How long.", unit="weeks", ge=1, le=104, examples=[12])
    thc_mg: float | None = fact(
        "THC in one dose; of what is inhaled, in the material.", unit="mg", ge=0, le=1000, examples=[2.5]
    )
    cbd_mg: float | None = fact(
        "CBD in one dose; of what is inhaled, in the material.", unit="mg", ge=0, le=6000, examples=[2.5]
    )
    doses_per_day: int | None = fact(
        "Doses a day of such a product.", unit="a day", ge=1, le=24, examples=[2]
    )
    sprays_per_day: int | None = fact(
        "Sprays a day, where the titration is fixed.", unit="sprays", ge=1, examples=[8]
    )
    max_sprays_per_day: int | None = fact(
        "Maximum sprays a day of the titration (default: the label's).",
        unit="sprays",
        choice=True,
        ge=1,
        examples=[8],
    )
    dose: str | None = fact(
        "One dose of a product that is counted in mg, in place of thc_mg (of CBD: cbd_mg).", examples=["5 mg"]
    )
    fed: bool | None = fact("Taken with food.")
    override: str | None = fact(
        "Reason for going beyond the label.", choice=True, min_length=3, examples=["dose of an earlier trial"]
    )

    @field_validator("product")
    @classmethod
    def _known_product(cls, value: str | None) -> str | None:
        return value if value is None else one_of("product", value, products())

    @field_validator("dose")
    @classmethod
    def _is_mass(cls, value: str | None) -> str | None:
        if value is not None:
            is_mass(value, "mg")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.product is not None:
            mine = product(self.product)
            raise_all(
                itertools.chain(
                    self._check_titration(mine), self._check_counting(mine), self._check_content(mine)
                )
            )
        return self

    def _check_titration(self, mine: Product) -> Iterator[PydanticCustomError]:
        if self.titration is None or not mine.modelled:  # the forecast says why there is none
            return
        if self.titration not in (known := titrations(mine.name)):
            kind = "label titration" if self.titration == "label" else "published schedule of this name"
            yield refuse(
                f"is {self.titration!r}, but {mine.name} has no {kind}.",
                f"{', '.join(known)}.",
                field="titration",
            )
        elif self.titration != "fixed":
            for name in ("sprays_per_day", *_BY_MASS, "doses_per_day"):
                if (value := getattr(self, name)) is not None:
                    also = (
                        ", or limit the titration by max_sprays_per_day" if mine.counted_in == "spray" else ""
                    )
                    yield refuse(
                        f"is {brief(value)} while titration is {self.titration}.",
                        do=f"write titration: fixed{also}.",
                        field=name,
                    )

    def _check_counting(self, mine: Product) -> Iterator[PydanticCustomError]:
        by_spray = ("sprays_per_day", "max_sprays_per_day")
        counted = "thc_mg" if mine.counts_thc else "cbd_mg"
        strays, right = (
            ((*_BY_MASS, "doses_per_day"), by_spray[0])
            if mine.counted_in == "spray"
            else (by_spray, f"{counted} and doses_per_day")
        )
        for name in strays:
            if (value := getattr(self, name)) is not None:
                yield refuse(
                    f"is {brief(value)}, but {mine.name} is counted in {mine.counted_in}.",
                    do=f"give {right} instead.",
                    field=name,
                )
        if self.dose is not None and mine.counted_in == "mg" and getattr(self, counted) is not None:
            yield refuse(
                f"is {self.dose!r}, and {counted} is given too.", do="keep one of the two.", field="dose"
            )

    def _check_content(self, mine: Product) -> Iterator[PydanticCustomError]:
        """A dose of THC or CBD that this product has none of, or nothing else than."""
        for name, per_unit in (("thc_mg", mine.thc_mg_per_unit), ("cbd_mg", mine.cbd_mg_per_unit)):
            if per_unit == 0 and (getattr(self, name) or 0) > 0:
                yield refuse(f"is {getattr(self, name):g}, but {mine.label} has none.", field=name)
        if self.thc_mg == 0 and mine.name in _OILS_WITH_THC:
            yield refuse(f"is 0, but {mine.label} has THC.", do="write product: cbd_oil.", field="thc_mg")
        elif self.cbd_mg == 0 and mine.thc_mg_per_unit and mine.cbd_mg_per_unit:
            yield refuse(f"is 0, but {mine.label} has CBD.", do="write product: thc_oil.", field="cbd_mg")
        elif (self.thc_mg if mine.counts_thc else self.cbd_mg) == 0 and not (self.thc_mg or self.cbd_mg):
            counted = "thc_mg" if mine.counts_thc else "cbd_mg"
            yield refuse("is 0, so there is no dose.", "more than 0 mg.", field=counted)

    def mg_per_unit(self) -> tuple[float | None, float | None]:
        """THC and CBD of one spray or of one fixed dose [mg]; None where it is not stated.

        >>> Plan(product="balanced_oil", thc_mg=5.0).mg_per_unit(), Plan(product="oil", thc_mg=5.0).mg_per_unit()
        ((5.0, 5.0), (5.0, None))
        """
        if self.product is None:
            return None, None
        mine = product(self.product)
        if mine.counted_in == "spray":
            return mine.thc_mg_per_unit, mine.cbd_mg_per_unit
        thc, cbd = self.thc_mg, self.cbd_mg
        if self.dose is not None:
            thc, cbd = (self.dose_mg, cbd) if mine.counts_thc else (thc, self.dose_mg)
        return _share(thc, cbd, mine.thc_mg_per_unit, mine.cbd_mg_per_unit), _share(
            cbd, thc, mine.cbd_mg_per_unit, mine.thc_mg_per_unit
        )

    @property
    def units_per_day(self) -> int | None:
        """The most sprays or doses a day that the plan states."""
        stated = [each for each in (self.sprays_per_day, self.max_sprays_per_day) if each is not None]
        if any(getattr(self, name) is not None for name in _BY_MASS):
            stated.append(self.doses_per_day or 1)
        return max(stated, default=None)

    def most_mg_per_day(self) -> tuple[float | None, float | None]:
        """THC and CBD of the largest day that the plan states [mg]; None where it is not stated."""
        if self.product is not None and (low := start_low(self.titration or "", self.product)):
            return low.steps[-1].thc_mg, low.steps[-1].cbd_mg
        n = self.units_per_day
        thc, cbd = (None if n is None or mg is None else n * mg for mg in self.mg_per_unit())
        return thc, cbd

    @property
    def is_fixed(self) -> bool:
        """Whether it is one dose: so stated, or a dose without a titration."""
        return self.titration == "fixed" or (
            self.titration is None and self.max_sprays_per_day is None and self.units_per_day is not None
        )

    def dose_text(self) -> str:
        """The dose of a day as it is stated, or nothing.

        >>> Plan(product="oil", thc_mg=2.5, cbd_mg=2.5, doses_per_day=2).dose_text()
        '2.5 mg THC + 2.5 mg CBD, 2 times a day'
        """
        if self.sprays_per_day is not None:
            return f"{self.sprays_per_day} sprays a day"
        parts = [
            f"{mg:g} mg {name}" for name, mg in (("THC", self.thc_mg), ("CBD", self.cbd_mg)) if mg is not None
        ]
        if self.dose is not None and self.product is not None:
            mine = product(self.product)
            is_plain = 0 in (mine.thc_mg_per_unit, mine.cbd_mg_per_unit)  # nothing else could be meant
            parts.insert(0, self.dose if is_plain else f"{self.dose} {'THC' if mine.counts_thc else 'CBD'}")
        times = "" if self.doses_per_day is None else f", {self.doses_per_day} times a day"
        return f"{' + '.join(parts)}{times}" if parts else times.removeprefix(", ")

    def amounts(self, mine: Product) -> Iterator[tuple[str, float, float | None]]:
        """Field, size of the day that it states in what the product is counted in, and the most of CBD alone."""
        for name in ("sprays_per_day", "max_sprays_per_day"):
            if (value := getattr(self, name)) is not None:
                yield name, float(value), None
        times = self.doses_per_day or 1
        counted = "thc_mg" if mine.counts_thc else "cbd_mg"
        if self.dose is not None:
            yield "dose", magnitude(self.dose, "mg") * times, None
        if (value := getattr(self, counted)) is not None:
            yield counted, value * times, None
        most = mine.figure("cbd_ceiling_per_day")
        if counted == "thc_mg" and self.cbd_mg is not None and most is not None:
            yield "cbd_mg", self.cbd_mg * times, most

    @property
    def dose_mg(self) -> float | None:
        return None if self.dose is None else magnitude(self.dose, "mg")

    def _asked(self) -> Iterator[str]:
        counted_in = product(self.product).counted_in if self.product else ""
        is_titrated = self.titration not in (None, "fixed")
        idle = {*_BY_MASS, "doses_per_day"} if counted_in != "mg" or is_titrated else set[str]()
        idle |= {"sprays_per_day"} if counted_in != "spray" or is_titrated else set()
        if (
            counted_in == "mg"
        ):  # of a dose one way of saying it is enough, and CBD where it is not known anyhow
            mine, (thc, cbd) = product(self.product or ""), self.mg_per_unit()
            idle |= {"thc_mg"} if thc is not None or not mine.counts_thc else set()
            idle |= {"cbd_mg"} if cbd is not None else set()
        return (name for name in super()._asked() if name not in idle)


def _share(
    stated: float | None, other: float | None, mine: float | None, others: float | None
) -> float | None:
    """One of THC and CBD: as stated; else what the product's own ratio gives from the other."""
    if stated is not None or mine == 0:
        return stated or 0.0
    return other * mine / others if other is not None and mine and others else None


def too_much(
    mine: Product, plan: Plan, field: str, amount: float, most: float, *, at_ceiling: bool
) -> PydanticCustomError:
    name = field.rpartition(".")[2]
    unit = "sprays" if mine.counted_in == "spray" else "mg"
    value = getattr(plan, name)
    said = f"is {value if name == 'dose' else brief(value)}"
    if name in _BY_MASS:
        said += f", {amount:g} mg a day"
    if at_ceiling:
        do = "lower the dose; higher doses have no data, and plan.override does not lift this limit."
    else:
        do = "lower the dose, or write the reason for more in plan.override."
    why = "the maximum that is simulated" if at_ceiling else "the maximum of the label"
    return refuse(f"{said}.", f"up to {most:g} {unit} a day, {why}.", do, field=field)
