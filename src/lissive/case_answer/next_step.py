"""What comes next, and when: what has to be settled before, and the review."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lissive.access.answer import Answer
from lissive.case import Case, Plan, product
from lissive.case_answer.bottom_line import to_settle
from lissive.case_answer.gates import Gates
from lissive.case_answer.tables import cited, rows
from lissive.forecast import ForecastNeeds
from lissive.safety import Flag, SafetyAnswer, safety_of

REVIEW_WEEKS = 4
BEFORE = "before certifying or prescribing"
IN_FULL = 2
"""So many plans are written out."""
NO_RULE = "no published rule for stopping"


@dataclass(frozen=True)
class NextStep:
    """One step, on a day or after something."""

    what: str
    on: datetime.date | None = None
    after: str = ""
    source: str = ""
    """Where the rule is published; empty where it is this project's advice."""

    def to_json(self) -> dict[str, Any]:
        when = {"after": self.after} if self.on is None else {"on": self.on.isoformat()}
        return {"what": self.what, **when, "source": self.source or None}


def next_steps(
    case: Case, access: Answer | None, safety: SafetyAnswer, gate: Gates, needs: ForecastNeeds | None
) -> tuple[NextStep, ...]:
    """In order; the review is the last, and only where a plan may be carried out."""
    return tuple(_steps(case, access, safety, gate, needs))


def _steps(
    case: Case, access: Answer | None, safety: SafetyAnswer, gate: Gates, needs: ForecastNeeds | None
) -> Iterator[NextStep]:
    before: list[str] = []
    forbidden = safety.worst("contraindicated")
    if forbidden:
        yield NextStep("do not start as planned: contraindicated", after="now")
    else:
        before += _plans(to_settle(safety))
    unchecked = {"medicines": safety.unknown_drugs, "conditions": safety.unchecked_conditions}
    if names := " and ".join(what for what, each in unchecked.items() if each):
        before.append(f"look up or correct the {names} that were not checked")
    if access is not None and access.missing and not gate.by_prescription and not forbidden:
        before.append(f"find out {access.missing[0].asks}")
    if access is not None and "age_unknown" in access.blocks and not forbidden:
        before.append("state the age, as rules for minors differ")
    may_go_on = not forbidden and gate.product != "not_obtainable" and not gate.by_prescription
    if access is not None and may_go_on and (access.status, access.procedural) == ("eligible", "blocked"):
        before.append("arrange a visit that meets the rules")
    for what in before:
        yield NextStep(what, after=BEFORE)
    if gate.product == "not_obtainable":
        near = () if access is None else access.product.nearest
        fit = (each for each in near if not safety_of(with_product(case, each)).worst("contraindicated"))
        such = f", such as {product(each).label}" if (each := next(fit, None)) else ""
        if such or not forbidden:
            yield NextStep(f"plan a product that can be had{such}", after="now")
    elif case.plan.product is None:
        fields = [] if needs is None else [each.field for each in needs.needs if not each.no_model]
        yield NextStep(f"state {', '.join(fields) or 'plan.product'} in the case", after="now")
    elif not forbidden:
        yield review(case, gate)


def with_product(case: Case, name: str) -> Case:
    """The case with this product planned, and nothing said of its dose."""
    return case.model_copy(update={"plan": Plan(product=name)})


def _plans(flags: Sequence[Flag]) -> Iterator[str]:
    """What is agreed or measured, when and by whom, for each major flag; of many, where that stands."""
    if len(flags) > IN_FULL:
        names = ", ".join(dict.fromkeys(map(_named, flags)))
        yield f"settle {len(flags)} major safety flags ({names}); the plan for each is under Safety"
    elif flags:
        plans: dict[str, list[str]] = {}
        for flag in flags:
            plans.setdefault(_named(flag), []).append(_plan(flag))
        yield "settle " + " and ".join(f"{name} ({'; '.join(each)})" for name, each in plans.items())


def _named(flag: Flag) -> str:
    """The patient's own medicine or condition that it is about."""
    return flag.substances[0].replace("_", " ")


def _plan(flag: Flag) -> str:
    """The advice as parts of one sentence."""
    sentences = flag.advice.rstrip(".").split(". ")
    return "; ".join(
        f"{each[:1].lower() if each[1:2].islower() else each[:1]}{each[1:]}" for each in sentences
    )


def review(case: Case, gate: Gates) -> NextStep:
    """The published rule for stopping, of adults, where the plan has one; else a day to look."""
    rule = next(
        (
            row
            for row in rows("review")
            if (row["cause"], row["product"]) == (case.spasm.cause, case.plan.product) and not gate.unfit
        ),
        None,
    )
    weeks = REVIEW_WEEKS if rule is None else int(rule["weeks"])
    if rule is None:
        weeks = min(weeks, case.plan.weeks or weeks)
        what = f"compare {gate.complaint.label} with the start, ask for adverse effects; {NO_RULE}"
        source = ""
    else:
        what = f"it works if {rule['of']} has fallen {rule['fall']} % or more; if not, stop"
        source = cited(rule["source"])
    on = None if case.as_of is None else case.as_of + datetime.timedelta(weeks=weeks)
    return NextStep(what, on, f"{weeks} {'week' if weeks == 1 else 'weeks'} of treatment", source)
