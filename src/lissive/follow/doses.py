"""What was taken, as a schedule of doses: day by day from the diary, then on at the last week's dose, or not at all."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import product
from lissive.case.products import Product
from lissive.errors import CaseError, DiaryError
from lissive.follow.diary import Diary, Dose
from lissive.model.equations import Equations
from lissive.simulation.dosing import ROUTES, clock, day_of
from lissive.simulation.schedule import Schedule, doses

DAY = 24.0
MOST_DAYS = 728
"""Of a diary from the first dose on: the 104 weeks that a plan may have. One wrong year would be solved for hours."""
RECENT = 7
"""Days whose dose is continued."""


@dataclass(frozen=True)
class Taken:
    """Doses from the first day of treatment on; `days` of them are in the diary."""

    start: datetime.date
    days: int
    per_day: tuple[tuple[Dose, ...], ...]
    """(day,) what was taken; of a day without an entry, what was taken on the day before it."""
    carried: int
    """Days on which the dose is not written and that of the day before is assumed."""
    units: FloatArray
    """(day,) sprays, or mg of what the product is counted in."""
    until: int
    """Days up to the last one with a dose; fewer than `days` where the drug was stopped."""
    others: tuple[tuple[str, ...], ...]
    """(day,) names of products that are not the case's."""

    @property
    def ended(self) -> int:
        """Days without a dose at the diary's end, where they are a week or more; else 0."""
        return self.days - self.until if self.days - self.until >= RECENT else 0

    @property
    def recent(self) -> float:
        """Units a day over the last week with the drug."""
        return float(self.units[max(0, self.until - RECENT) : self.until].mean())

    @property
    def treated(self) -> FloatArray:
        """(day,) 1 under treatment, 0 in each week or more without any dose, with which the placebo response ends."""
        none = np.array([not _mass(each) for each in self.per_day])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], none, [False]]).astype(int)))
        found = np.ones(self.days)
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            if after - first >= RECENT:
                found[first:after] = 0.0
        return found

    @property
    def mixed(self) -> bool:
        """Whether another product than the case's was taken on a week of days or more."""
        return sum(bool(each) for each in self.others) >= RECENT


def taken_of(diary: Diary, what: Product) -> Taken:
    """The doses of a diary.

    Raises       DiaryError where it has none.
    """
    dosed = {day.date: day.doses for day in diary.days if day.doses is not None}
    start = next((date for date, each in dosed.items() if _mass(each)), None)
    if start is None:
        raise DiaryError(
            f"The diary has no dose: there is no treatment to follow.{diary.without}",
            where=diary.path,
            allowed="sprays, or thc_mg and cbd_mg, over 0 on some day.",
            do="write what was taken on each day, 0 where nothing was; before treatment, go on with the diary.",
        )
    days = (diary.days[-1].date - start).days + 1
    if days > MOST_DAYS:
        raise DiaryError(
            f"The diary runs over {days} days, from the first dose on {start} to {diary.days[-1].date}.",
            where=diary.path,
            allowed=f"up to {MOST_DAYS} days.",
            do="check the dates of its first and last rows, or keep only the rows of the last two years.",
        )
    last: tuple[Dose, ...] = ()
    per_day, carried = [], 0
    for k in range(days):
        found = dosed.get(start + datetime.timedelta(days=k))
        carried += found is None
        last = last if found is None else tuple(found)
        per_day.append(last)
    units = np.array([units_of(each, what) for each in per_day])
    until = 1 + max(k for k, each in enumerate(per_day) if _mass(each))
    others = tuple(
        tuple(dict.fromkeys(dose.product for dose in each if _is_other(dose, what))) for each in per_day
    )
    return Taken(start, days, tuple(per_day), carried, units, until, others)


def _mass(each: tuple[Dose, ...] | None) -> float:
    return sum(dose.sprays + dose.thc_mg + dose.cbd_mg for dose in each or ())


def units_of(each: tuple[Dose, ...], what: Product) -> float:
    """What a day comes to in what the product is counted in, whatever its rows are written in."""
    spray = what if what.counted_in == "spray" else product("nabiximols")
    thc, cbd = spray.thc_mg_per_unit or 0.0, spray.cbd_mg_per_unit or 0.0
    if what is spray:
        return sum(dose.sprays + max(dose.thc_mg / thc, dose.cbd_mg / cbd) for dose in each)
    if what.counts_thc:
        return sum(dose.thc_mg + dose.sprays * thc for dose in each)
    return sum(dose.cbd_mg + dose.sprays * cbd for dose in each)


def schedule_of(equations: Equations, taken: Taken, what: Product, *, continuing: int) -> Schedule:
    """All doses of the diary, and of so many days after it, each as in the last week with the drug.

    Sprays count as the case's product; mg of a row go by its own route, or the product's.
    """
    days = [taken.per_day[k] for k in range(taken.days)]
    week = days[max(0, taken.until - RECENT) : taken.until]
    days += [week[k % len(week)] for k in range(continuing)]
    parts = [doses([], 0, 0.0)]
    for k, each in enumerate(days):
        for dose in each:
            parts += _shifted(_dose(equations, dose, what), k * DAY)
    time, action, target, value = (
        np.concatenate([getattr(part, column) for part in parts])
        for column in ("time", "action", "target", "value")
    )
    order = np.argsort(time, kind="stable")
    return Schedule(time[order], action[order], target[order], value[order])


def _dose(equations: Equations, dose: Dose, what: Product) -> list[Schedule]:
    own, depot = product_of(dose, what), _depot(dose, what)
    found = []
    if dose.sprays:
        per_spray = what if what.counted_in == "spray" else product("nabiximols")
        units = round(dose.sprays)
        times = clock(per_spray, units) if dose.hour is None else np.full(units, dose.hour)
        thc, cbd = per_spray.thc_mg_per_unit or 0.0, per_spray.cbd_mg_per_unit or 0.0
        found.append(day_of(equations, ROUTES[per_spray.route], times, thc_mg=thc, cbd_mg=cbd))
    if dose.thc_mg or dose.cbd_mg:
        times = clock(own, 1) if dose.hour is None else np.array([dose.hour])
        found.append(day_of(equations, depot, times, thc_mg=dose.thc_mg, cbd_mg=dose.cbd_mg))
    return found


def product_of(dose: Dose, what: Product) -> Product:
    """The product of a dose: the row's, where it names one that is known, else the case's."""
    return what if not dose.product or _is_unknown(dose.product) else product(dose.product)


def _is_other(dose: Dose, what: Product) -> bool:
    """Whether something that is not the case's product was taken; sprays without a name are the case's."""
    if not _mass((dose,)) or not dose.product:
        return False
    return _is_unknown(dose.product) or product(dose.product) is not what


def unmodelled(taken: Taken) -> tuple[str, ...]:
    """Labels of products in the diary that are known and of which there is no model."""
    named = {dose.product for each in taken.per_day for dose in each if dose.product}
    known = (product(name) for name in sorted(named) if not _is_unknown(name))
    return tuple(dict.fromkeys(each.label for each in known if not each.modelled))


def _is_unknown(name: str) -> bool:
    try:
        product(name)
    except CaseError:
        return True
    return False


def assumed(taken: Taken, what: Product) -> Iterator[str]:
    """What had to be assumed of the doses."""
    every = [dose for each in taken.per_day for dose in each]
    if names := sorted({dose.product for dose in every if dose.product and _is_unknown(dose.product)}):
        yield f"Products that are not known were taken as {what.label}: {', '.join(names)}."
    if days := sum(bool(each) for each in taken.others):
        named = ", ".join(sorted({name for each in taken.others for name in each}))
        yield (
            f"On {days} of {taken.days} days another product than the case's was taken ({named}). An effect is "
            "that of all that was taken; the label's rule and doses are for the case's product alone."
        )
    if what.counted_in != "spray" and any(dose.sprays for dose in every):
        yield "Sprays were taken as nabiximols."
    if what.counted_in == "spray" and any(dose.thc_mg or dose.cbd_mg for dose in every):
        yield "Doses in mg are counted as sprays that hold as much THC, or as much CBD where that is more."
    if any((dose.thc_mg or dose.cbd_mg) and dose.hour is None for dose in every):
        yield "A dose in mg without a time was taken at 15:00."
    if taken.carried:
        yield f"On {taken.carried} of {taken.days} days no dose is written; the dose of the day before was assumed."
    if taken.until < taken.days:
        yield f"The last dose was {taken.days - taken.until} days before the diary's end."


def _depot(dose: Dose, what: Product) -> str:
    return ROUTES[dose.route or product_of(dose, what).route]


def _shifted(parts: list[Schedule], by: float) -> list[Schedule]:
    return [Schedule(each.time + by, each.action, each.target, each.value) for each in parts]
