"""A case's answer as plain text, as a clinician would read it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from lissive.access.answer import Answer
from lissive.case import Case, causes, product
from lissive.evidence.case_answer import CaseEvidence
from lissive.report.access_text import case_section

NOT_BUILT = {
    "followup": "Follow-up (is it working, and what now)",
}
LIMITS = (
    "Decision support and research software: not a prescription. How people respond was fitted on published trials in "
    "multiple sclerosis, few and mostly sponsored; for other causes the tables are assumed. The ranges show how "
    "virtual patients differ and what that fit left uncertain, not that the model may be wrong."
)
_ROWS = (
    "spasms_per_day",
    "spasticity_nrs",
    "pain_nrs",
    "sleep_nrs",
    "walk_rated_nrs",
    "ashworth",
    "intoxication_vas",
    "dizziness_risk",
    "dropout_risk",
    "thc_plasma",
    "thc_plasma_peak",
    "oh_thc_plasma",
    "cbd_plasma",
)
_WIDTH = 110
_PLAIN = ("probability", "NRS", "VAS", "score", "1/day", "1")
"""Units that the label says already."""


def case_text(case: Case, forecast: Mapping[str, Any], access: Answer | None, evidence: CaseEvidence) -> str:
    """The four answers; those that do not exist yet are named as such."""
    from lissive.report.case_evidence_text import case_evidence_text

    parts = [
        headline(case),
        case_section(case, access),
        case_evidence_text(evidence),
        f"3  Forecast: {forecast['subjects']} virtual patient{'' if forecast['subjects'] == 1 else 's'}, as far as the "
        "case describes the person; each with the drug and with placebo.",
        *_numbers(forecast),
        _found(forecast, case.plan.product or ""),
        _open_points(forecast),
        f"4  {NOT_BUILT['followup']}: not built yet.",
        f"Safety ({_safety(case)}): not built yet; nothing here says that it is safe.",
        _wrapped(LIMITS),
    ]
    return "\n\n".join(part for part in parts if part)


def _numbers(forecast: Mapping[str, Any]) -> list[str]:
    if forecast["failed"] == forecast["subjects"]:
        return ["   No virtual patient could be solved; there are no numbers."]
    said = f"{_responders(forecast)}\n{_dose(forecast)}".rstrip()
    return [weekly_table(forecast), forecast_table(forecast), said]


def headline(case: Case) -> str:
    """Who, and what is planned."""
    person, plan = case.person, case.plan
    sex = {"female": "woman", "male": "man", None: "person"}[person.sex]
    about = [
        sex if person.age_years is None else f"{sex} of {person.age_years:g}",
        "" if person.weight_kg is None else f"{person.weight_kg:g} kg",
        "" if case.spasm.cause is None else causes()[case.spasm.cause],
        "" if case.place.residence is None else case.place.residence,
    ]
    what = product(plan.product).label if plan.product else "nothing planned"
    weeks = f"{plan.weeks} week{'' if plan.weeks == 1 else 's'}"
    over = f"\nBeyond the label, for the reason: {plan.override}" if plan.override else ""
    asked = "" if case.as_of is None else f", as of {case.as_of}"
    return (
        f"{case.case}{asked}: {', '.join(a for a in about if a)}\nPlan: {what}, {_how(case)}, {weeks}{over}"
    )


_WEEKLY = {
    "spasms_per_day": "spasms/day",
    "spasticity_nrs": "stiffness 0-10",
    "pain_nrs": "pain 0-10",
    "intoxication_vas": "intoxic. 0-100",
    "dizziness_risk": "ever dizzy",
    "thc_plasma": "THC ng/mL",
    "oh_thc_plasma": "11-OH ng/mL",
    "cbd_plasma": "CBD ng/mL",
}
_DRUG_ONLY = ("thc_plasma", "oh_thc_plasma", "cbd_plasma")


def _how(case: Case) -> str:
    """The dose as it is planned."""
    plan = case.plan
    if plan.titration == "label":
        limit = "" if plan.max_sprays_per_day is None else f", up to {plan.max_sprays_per_day} sprays a day"
        return f"titrated by the label{limit}"
    if plan.sprays_per_day is not None:
        return f"{plan.sprays_per_day} sprays a day"
    return f"{plan.dose} {plan.doses_per_day} times a day"


def weekly_table(forecast: Mapping[str, Any]) -> str:
    """Medians by week (from week 12 on every fourth), with drug and with placebo; plasma with drug alone."""
    rows = [["median, drug / placebo", *_WEEKLY.values()]]
    for k, week in enumerate(forecast["weeks"]):
        if week > 12 and week % 4 and week != forecast["weeks"][-1]:
            continue
        row = ["before" if week == 0 else f"week {week}"]
        for name in _WEEKLY:
            outcome = forecast["outcomes"][name]
            arms = ("active",) if name in _DRUG_ONLY else ("active", "placebo")
            row.append(" / ".join(_number(outcome[arm]["median"][k], outcome["unit"]) for arm in arms))
        rows.append(row)
    return _aligned(rows)


def _aligned(rows: list[list[str]]) -> str:
    """Columns side by side, the first row as a heading."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"   {lines[0]}", f"   {'-' * len(lines[0])}", *(f"   {line}" for line in lines[1:])])


def forecast_table(forecast: Mapping[str, Any]) -> str:
    """Median and 90 % range before treatment and in two weeks of it, with drug and with placebo."""
    last = forecast["weeks"][-1]
    shown = sorted({week for week in (4, last) if week <= last})
    heads = ["median (90 % of patients)", "before"]
    for week in shown:
        heads += [f"week {week}: drug", "placebo"]
    rows = [heads]
    for name in _ROWS:
        outcome = forecast["outcomes"][name]
        unit = "" if outcome["unit"] in _PLAIN else f" [{outcome['unit']}]"
        row = [f"{outcome['label']}{unit}", _number(outcome["active"]["median"][0], outcome["unit"])]
        for week in shown:
            row += [_spread(outcome[arm], week, outcome["unit"]) for arm in ("active", "placebo")]
        rows.append(row)
    return _aligned(rows)


def _spread(quantiles: Mapping[str, Any], week: int, unit: str) -> str:
    middle, low, high = (_number(quantiles[q][week], unit) for q in ("median", "p05", "p95"))
    return f"{middle} ({low} to {high})"


def _number(x: float, unit: str) -> str:
    if unit == "probability":
        return f"{100 * x:.0f} %"
    return f"{x:.0f}" if unit == "VAS" else f"{x:.1f}"


def _responders(forecast: Mapping[str, Any]) -> str:
    lines = []
    for name, found in forecast["responders"].items():
        share, week = name.removesuffix(name[name.index("pct") :]), name.split("week")[1]
        if found is None:
            lines.append(f"   Stiffness down by {share} % or more at week {week}: the plan ends before.")
        else:
            drug, placebo, more = (f"{100 * found[k]:.0f}" for k in ("active", "placebo", "difference"))
            lines.append(
                f"   Stiffness down by {share} % or more at week {week}: "
                f"{drug} % with the drug, {placebo} % with placebo; the drug's part is {more} points."
            )
    gap = forecast["outcomes"]["spasticity_nrs"]["difference"]
    if gap["median"]:
        middle, low, high = (gap[q][-1] for q in ("median", "p05", "p95"))
        lines.append(
            f"   Stiffness, drug minus placebo in the same patient, week {forecast['weeks'][-1]}: "
            f"{middle:+.1f} points (90 % of patients {low:+.1f} to {high:+.1f})."
        )
    return "\n".join(lines)


def _dose(forecast: Mapping[str, Any]) -> str:
    dose = forecast["dose"]
    q = {name: values[-1] for name, values in dose["active"].items() if values}
    if not q:
        return ""
    return (
        f"   Dose in the last week: {q['median']:.1f} {dose['unit']} (90 % of patients {q['p05']:.1f} to "
        f"{q['p95']:.1f}; mean {q['mean']:.1f})."
    )


def _found(forecast: Mapping[str, Any], product: str) -> str:
    """What trials found, before anybody believes a simulation."""
    rows = forecast["found_in_trials"]
    if not rows:
        return "   Trials of this cause of spasm: none is in the tables. Nothing here has been tested."
    mark = {True: " [quoted from memory]", False: ""}
    lines = []
    for row in rows:
        other = "" if row["product"] in ("any", product) else f"[of another product, {row['product']}] "
        said = f"- {other}{row['found']} ({row['source']}){mark['recalled' in row['provenance']]}"
        lines.append(_wrapped(said))
    if not any(row["product"] == product for row in rows):
        lines.append(_wrapped(f"- Of {product} in this cause, no trial is in these lines."))
    head = "   What trials found; where the forecast shows more, believe the trials:"
    return "\n".join([head, *lines])


_FACTS = {
    "weight": "weight",
    "cyp2c9_activity": "CYP2C9 genotype",
    "fed": "with or without food",
    "spasms0": "spasms a day",
    "NRS0": "stiffness",
    "pain0": "pain",
}
"""Model parameters that a case states, as a clinician says them."""


def _safety(case: Case) -> str:
    """What of the case a look at safety would be about."""
    about = ["contraindications", "interactions", "driving"]
    return ", ".join([*about, *(f"here: {each}" for each in case.history.conditions or ())])


def _open_points(forecast: Mapping[str, Any]) -> str:
    lines = []
    if forecast["failed"]:
        lines.append(f"{forecast['failed']} patients could not be solved and are left out:")
        lines += [f"  patient {number}: {why}" for number, why in list(forecast["failures"].items())[:5]]
    drawn = [_FACTS[name] for name in forecast["drawn"] if name in _FACTS]
    if drawn:
        lines.append(f"Unknown in the case, so drawn for each virtual patient: {', '.join(drawn)}.")
    lines += forecast["notes"]
    return "\n".join(_wrapped(line) for line in lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="   ", subsequent_indent="   ")
