"""Other plans and questions beside a case's own plan: a second plan, the nearest that can be had, what if.

The gates hold: what is known not to be obtainable there, contraindicated, or for a child is not forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.access.cases import of_case
from lissive.case import Case, Plan, make_case, product, read_case
from lissive.case.products import titrations
from lissive.case_answer.gates import product_status, unfit_for
from lissive.errors import CaseError
from lissive.forecast import needs
from lissive.forecast.beside import Side, SideBySide, beside, what_if
from lissive.given import path_of
from lissive.marked import read_marked
from lissive.safety import safety_of
from lissive.typed import typed


@dataclass(frozen=True)
class NotCompared:
    """Why two treatments are not forecast side by side."""

    asked: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "why_not": self.why}


def read_plan(path: str | Path) -> Plan:
    """The plan in a file of its own, with the fields of a case's `plan`; or that of a case.

    Raises       CaseError with every finding.
    """
    path = path_of(path, wrong=CaseError)
    data, lines = read_marked(path, wrong=CaseError, example="product: oil")
    if "plan" in data or "case" in data:
        return read_case(path).plan
    return typed(data, lines, path, Plan, CaseError, thing="the plan")


def compared(
    case: Case,
    plans: Sequence[Plan] = (),
    what_ifs: Sequence[str] = (),
    *,
    nearest: bool = False,
    subjects: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[SideBySide | NotCompared]:
    """Each question with its answer, in the same virtual patients.

    Parameters
    ----------
    plans : other plans, each beside the case's.      what_ifs : words of `WHAT_IFS`.
    nearest : also the nearest product that can be had, where the planned one cannot.
    """
    pairs: list[tuple[str, tuple[Side, Side, tuple[str, ...]] | str]] = []
    for plan in plans:
        other = _with_plan(case, plan)
        asked = f"{plan_words(case.plan)}, or {plan_words(plan)}"
        pairs.append((asked, _refused(case) or _refused(other) or _two_plans(case, other)))
    if nearest:
        pairs.append(("the nearest product that can be had", _nearest(case)))
    pairs += [(f"what if: {word}", _refused(case) or what_if(case, word)) for word in what_ifs]
    for asked, found in pairs:
        if isinstance(found, str):
            yield NotCompared(asked, found)
        else:
            first, second, notes = found
            yield beside(
                asked,
                first,
                second,
                subjects=subjects,
                seed=seed,
                threads=threads,
                notes=notes,
                progress=progress,
            )


def _refused(case: Case) -> str:
    """Why a case's plan is not forecast, or nothing."""
    if missing := needs(case):
        return "; ".join(f"{each.field}: {each.what}" for each in missing)
    if product_status(of_case(case)) == "not_obtainable":
        return f"{product(case.plan.product or '').label} cannot be had there"
    return unfit_for(case, safety_of(case))


def _two_plans(case: Case, other: Case) -> tuple[Side, Side, tuple[str, ...]]:
    return Side(plan_words(case.plan), case), Side(plan_words(other.plan), other), ()


def _with_plan(case: Case, plan: Plan) -> Case:
    return make_case({**case.model_dump(mode="json"), "plan": plan.model_dump(mode="json"), "plans": None})


def plan_words(plan: Plan) -> str:
    """A plan in a few words."""
    if plan.product is None:
        return "no product"
    how = plan.dose_text() or (plan.titration or "").replace("_", " ")
    return f"{product(plan.product).label}{', ' if how else ''}{how}"


# -- the nearest that can be had -------------------------------------------------------------------
def _nearest(case: Case) -> tuple[Side, Side, tuple[str, ...]] | str:
    """The nearest product against placebo; or why there is none."""
    found = of_case(case)
    if case.plan.product is None or found is None:
        return "the case names no product, or no place and day"
    if found.product.status != "not_obtainable":
        return "the planned product is not known to be unobtainable there"
    if not found.product.nearest:
        return "nothing that comes near to it is known to be obtainable there"
    name = found.product.nearest[0]
    plan = _plan_like(case.plan, name)
    if plan is None:
        return (
            f"{product(name).label} can be had, but how to plan it does not follow from the plan; write it in a file "
            "and use --compare"
        )
    try:
        other = _with_plan(case, plan)
    except CaseError as error:
        return f"{product(name).label} can be had, but not as planned: {error.what}"
    if why := _refused(other):
        return why
    note = (
        f"{product(name).label} in place of {product(case.plan.product).label}: the same mg of THC and CBD is not the "
        "same treatment by another route or product."
    )
    words = plan_words(plan)
    return Side("placebo", other, placebo=True), Side(words, other), (note,)


def _plan_like(plan: Plan, name: str) -> Plan | None:
    """A plan of another product with the same mg, or by a published titration where the plan titrates."""
    common = {"product": name, "weeks": plan.weeks, "fed": plan.fed}
    if plan.is_fixed:
        thc, cbd = plan.mg_per_unit()
        times = plan.sprays_per_day or plan.doses_per_day
        return Plan.model_validate(
            {**common, "titration": "fixed", "thc_mg": thc, "cbd_mg": cbd, "doses_per_day": times}
        )
    low = [each for each in titrations(name) if each.startswith("start_low")]
    return Plan.model_validate({**common, "titration": low[0]}) if low else None
