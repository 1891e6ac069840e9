"""No part of an answer contradicts another, whatever the case: forecast and evidence, bottom line and safety, plan."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissive.case import Case, causes, make_case, products, read_case
from lissive.case_answer import CaseAnswer, answer, compose
from lissive.case_answer.findings import leading
from lissive.case_answer.gates import beyond_trials, figure_of
from lissive.evidence.case_answer import CaseEvidence, case_evidence
from lissive.forecast import ForecastAnswer, predict, summary
from lissive.report.case_evidence import _row
from lissive.report.case_parts import case_text
from lissive.report.case_text import LINES, WIDTH, screen
from lissive.safety import SEVERITIES, Flag, SafetyAnswer, UnknownDrug

from ..conftest import campaign_size

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-new-york.yaml"
PLACES = ("US-NY", "US-FL", "US-TX", "US-MA", "US-KY", "US-ID", "DE", "FR", None)
DRUGS = (
    "baclofen",
    "clobazam",
    "tizanidine",
    "warfarin",
    "oxycodone",
    "diazepam",
    "mexiletine",
    "amitriptyline",
)
CONDITIONS = ("psychosis", "epilepsy", "depression", "chronic_pain", "cancer")
STATUSES = ("obtainable", "not_obtainable", "unknown", "not_asked", None)


def a_case(draw: random.Random, pairs: list[tuple[str | None, str | None]]) -> Case:
    """Any person, with any part left out."""
    cause, planned = draw.choice(pairs)

    def some(value: Any) -> Any:
        return value if draw.random() < 0.8 else None

    plan: dict[str, Any] = {"product": planned, "weeks": draw.choice([2, 8, 12])}
    if planned == "nabiximols":
        plan["titration"] = "label"
    elif planned:
        plan |= {"titration": "fixed", "dose": "5 mg", "doses_per_day": 2}
    data = {
        "case": "generated",
        "as_of": some("2026-11-22"),
        "person": {"age_years": some(draw.choice([15, 34, 70])), "sex": some("female")},
        "place": {"residence": some(draw.choice(PLACES)), "visit": "in_person", "practitioner": some("MD")},
        "spasm": {
            "cause": cause,
            "since": some(draw.choice(["2008-01-01", "2026-11-01"])),
            "spasms_per_day": draw.choice([1, 6, 15]),
            "spasticity_nrs": some(7),
            "pain_nrs": some(5),
        },
        "history": {
            "tried": some(draw.sample(DRUGS, 2)),
            "current": some([{"drug": each} for each in draw.sample(DRUGS, draw.randint(0, 5))]),
            "conditions": some(draw.sample(CONDITIONS, draw.randint(0, 2))),
        },
        "plan": plan,
    }
    return make_case(_stated(data))


def _stated(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _stated(value) for name, value in data.items() if value is not None}
    return data


def a_safety(draw: random.Random) -> SafetyAnswer:
    flags = [
        Flag(
            f"flag{k}",
            draw.choice(["interaction", "contraindication", "caution"]),
            (draw.choice([*DRUGS, *CONDITIONS]), draw.choice(["thc", "cbd"])),
            draw.choice(SEVERITIES),
            "mechanism",
            "advice",
            ("source",),
            "read",
        )
        for k in range(draw.randint(0, 9))
    ]
    ordered = tuple(sorted(flags, key=lambda flag: SEVERITIES.index(flag.severity)))
    unknown = tuple(UnknownDrug(f"drug{k}", ()) for k in range(draw.randint(0, 2)))
    return SafetyAnswer(ordered, unknown, ("pregnancy", "driving") if draw.random() < 0.5 else ())


@cache
def simulated() -> ForecastAnswer:
    return summary(predict(read_case(EXAMPLE), subjects=4, threads=1))


def a_forecast(draw: random.Random, found: CaseAnswer) -> CaseAnswer:
    """A forecast of any size where one would be made; the rest is answered as it is."""
    made = isinstance(found.forecast, ForecastAnswer) or found.forecast.why_not == compose.NOT_RUN
    if not made:
        return found
    one = simulated()
    nrs = one.outcomes["spasticity_nrs"]
    moved = tuple(np.linspace(0.0, draw.choice([-2.0, -0.3, 0.0, 0.5]), len(one.weeks)).tolist())
    outcomes = {
        **one.outcomes,
        "spasticity_nrs": replace(nrs, difference=replace(nrs.difference, mean=moved)),
    }
    gate = found.gates
    forecast = replace(
        one, outcomes=outcomes, primary=gate.complaint.outcome, calibrated=gate.calibrated,
        fitted_outcomes=gate.numbers,
    )  # fmt: skip
    return replace(found, forecast=forecast)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CaseAnswer, str]]:
    """A few dozen pairs of cause and product, each evidence put together once, in many cases."""
    draw = random.Random(20261122)
    real = compose.of_case
    known: dict[tuple[str | None, str | None], CaseEvidence] = {}
    every = [(cause, product) for cause in (*causes(), None) for product in (*products(), None)]
    pairs = draw.sample(every, campaign_size(12, 24, len(every)))
    pairs += [("multiple_sclerosis", "nabiximols")] * 4  # what forecasts have numbers of
    found = []

    def evidence(case: Case) -> CaseEvidence:
        pair = (case.spasm.cause, case.plan.product)
        if pair not in known:
            known[pair] = case_evidence(case)
        return known[pair]

    monkeypatch.setattr(compose, "case_evidence", evidence)
    for _ in range(campaign_size(100, 300, 5000)):
        case, safety, status = a_case(draw, pairs), a_safety(draw), draw.choice(STATUSES)

        def of_case(case: Case, status: str | None = status) -> Any:
            if (access := real(case)) is not None and status is not None:
                object.__setattr__(
                    access, "product", replace(access.product, status=status, why="", nearest=())
                )
            return access

        monkeypatch.setattr(compose, "of_case", of_case)
        monkeypatch.setattr(compose, "safety_of", lambda case, safety=safety: safety)
        one = a_forecast(draw, answer(case, simulate=False))
        found.append((one, screen(one)))
    return found


@pytest.mark.campaign
def test_no_part_of_an_answer_contradicts_another(answers: list[tuple[CaseAnswer, str]]) -> None:
    for found, text in answers:
        flat = " ".join(text.split())
        _bottom_line_and_safety(found, text, flat)
        _product_and_plan(found, flat)
        _forecast_and_evidence(found, flat)
        _benefit_and_evidence(found)
        _fits_the_screen(found, text)


def _bottom_line_and_safety(found: CaseAnswer, text: str, flat: str) -> None:
    flags = found.safety.flags
    severities = {flag.severity for flag in flags}
    assert ("CONTRAINDICATED" in found.bottom_line.text) == ("contraindicated" in severities)
    assert ("major safety" in found.bottom_line.text) == ("major" in severities)
    if "contraindicated" in severities:
        assert "BOTTOM LINE  CONTRAINDICATED" in text
        assert not any("it works if" in step.what for step in found.next)
    for flag in flags:  # none is dropped
        assert all(word.replace("_", " ") in flat for word in flag.substances)
    assert flat.count("MAJOR:") == sum(flag.severity == "major" for flag in flags)
    if not flags:
        assert "nothing here says that it is safe" in flat
    assert all(each.name in flat for each in found.safety.unknown_drugs)


def _product_and_plan(found: CaseAnswer, flat: str) -> None:
    if found.gates.product == "not_obtainable":
        everything = f"{flat} {' '.join(case_text(found, ['forecast', 'access']).split())}"
        assert not any(word in everything for word in ("label titration", "times a day", "sprays a day"))
        assert not isinstance(found.forecast, ForecastAnswer)
        assert "can be had there." not in flat
        assert not any("has fallen 20" in step.what for step in found.next)
    if found.gates.by_prescription:  # no programme is needed, and the answer says by which route instead
        assert "on prescription" in found.bottom_line.text
        assert "on prescription" in flat
    elif found.access is not None and found.access.status == "not_eligible":
        assert "not eligible" in found.bottom_line.text.lower()
    if found.access is not None and found.case.person.age_years == 15:
        assert found.access.procedural != "ok"


def _forecast_and_evidence(found: CaseAnswer, flat: str) -> None:
    if found.gates.calibrated != "trials" or found.case.plan.product is None:
        assert "Simulated people" not in flat
        assert "difference" not in flat.split("THIS PERSON")[1].split("USUAL CARE")[0]
    elif isinstance(found.forecast, ForecastAnswer):
        trials = figure_of(found.evidence, "spasticity_nrs")
        mean = found.forecast.outcomes["spasticity_nrs"].difference.mean[-1]
        outside = trials is not None and not trials[1].pooled.ci[0] <= mean <= trials[1].pooled.ci[1]
        leads = leading(found.trials, "responders_30pct")
        beyond = beyond_trials(found.forecast, found.evidence, leads)
        assert beyond or not outside
        hit = found.forecast.responders["30pct_week12"]
        if leads is not None and hit is not None and found.forecast.weeks[-1] >= 12:
            low, high = sorted(leads.risk_ci)  # as the screen prints them
            assert beyond or low <= hit.active <= high
        assert ("rely on TRIALS" in flat) == beyond


def _benefit_and_evidence(found: CaseAnswer) -> None:
    """What is called a benefit has an estimate that favours the drug; what is not tested has no trial."""
    benefit, evidence = found.bottom_line.benefit, found.evidence
    if benefit == "small":
        figure = figure_of(evidence, "spasticity_nrs")
        assert figure is not None
        assert figure[1].direction == "benefit"
    if benefit == "not_tested":
        assert not evidence.controlled
    if not evidence.controlled:
        assert benefit in ("not_tested", "not_known", "not_shown")


def _fits_the_screen(found: CaseAnswer, text: str) -> None:
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    bottom = next(k for k, line in enumerate(lines) if line.startswith("CASE"))
    assert bottom <= (3 if not found.safety.worst("contraindicated") else 5), text
    trials = [k for k, line in enumerate(lines) if line.startswith(("TRIALS", "THIS PERSON"))]
    assert trials[1] - trials[0] <= 10
    for one in found.trials:  # no interval that includes no effect stands below a certainty of one
        if one.includes_none and one.certainty in ("moderate", "high"):
            row = next(iter(_row(one)))
            assert one.certainty not in row
    grave = [f for f in found.safety.flags if f.severity in SEVERITIES[:2]]
    assert len(lines) <= LINES + 2 * len(grave), text
    assert lines[0].startswith("BOTTOM LINE")
    assert "docs/intended-use.md" in text
