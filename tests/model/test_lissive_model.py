"""The lissive model: whole, clean in its units, steady without drug, and near what is observed.

The runs are libRoadRunner's, so that a wrong text cannot hide behind a wrong solver.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.model.apart import Model
from tests.model.running import CAUSES, MS_HERE_OTHERS_SLOW, fresh, libsbml, sbml

from lissive.model.parameters import load_causes, load_genotypes, load_interactions, load_parameters

COUNTERS = {"spasms", "dizziness_cum", "dropout_cum"}


Doses = list[tuple[float, str, float]]


def nmol(drug: str, mg: float) -> float:
    return mg * 1e6 / load_parameters()[f"M_{drug}"].value


def sprays(number: float, time_h: float = 0.0) -> Doses:
    """Doses of so many sprays of nabiximols (2.7 mg THC and 2.5 mg CBD each)."""
    return [
        (time_h, "THC_spray", nmol("THC", 2.7 * number)),
        (time_h, "CBD_spray", nmol("CBD", 2.5 * number)),
    ]


def run(
    doses: Doses,
    until: float,
    outputs: list[str],
    cause: str = "multiple_sclerosis",
    step: float = 0.1,
    **changes: float,
) -> dict[str, Any]:
    """Outputs over time, with `time`; doses add to their target."""
    model = fresh(cause)
    model.tolerances(1e-6, 1e-9, 100_000)
    for name, value in changes.items():
        model[name] = value
    pieces, now = [], 0.0
    for time in [*sorted({time for time, _, _ in doses}), until]:
        if time > now:
            points = max(2, round((time - now) / step) + 1)
            pieces.append(model.simulate(["time", *outputs], now, time, points))
            now = time
        for at, target, amount in doses:
            if at == time:
                model[target] = model[target] + amount
    table = np.vstack(pieces)
    return dict(zip(["time", *outputs], table.T, strict=True))


def area(seen: dict[str, Any], name: str) -> float:
    return float(np.trapezoid(seen[name], seen["time"]))


# ---- steady without drug


@pytest.mark.parametrize("cause", MS_HERE_OTHERS_SLOW)
def test_without_drug_every_cause_stands_still(cause: str) -> None:
    model = fresh(cause)
    moving = {
        name: rate
        for name, rate in model.rates().items()
        if name not in COUNTERS and abs(rate) > 1e-10 * max(abs(model[name]), 1e-3)
    }
    assert moving == {}


@pytest.mark.parametrize("cause", MS_HERE_OTHERS_SLOW)
def test_without_drug_outputs_are_the_observed_baselines(cause: str) -> None:
    observed = load_causes()[cause]
    seen = run(
        [], 24 * 84, ["spasms_per_day", "NRS", "pain", "sleep", "ashworth", "intoxication"], cause, step=24
    )
    for output, baseline in zip(
        ["spasms_per_day", "NRS", "pain", "sleep", "ashworth"],
        ["spasms0", "NRS0", "pain0", "sleep0", "ashworth0"],
        strict=True,
    ):
        assert seen[output] == pytest.approx(observed[baseline].value, rel=1e-9)
    assert np.all(seen["intoxication"] == 0)


def test_people_who_differ_in_every_number_stand_still_too() -> None:
    """The start is closed-form, so it holds for any draw of the parameters."""
    generator = np.random.default_rng(7)
    document = libsbml.readSBMLFromString(sbml())
    for name, row in load_parameters().items():
        if row.distribution != "fixed" or row.provenance == "assumed":
            document.getModel().getParameter(name).setValue(row.value * generator.uniform(0.7, 1.2))
    rates = Model(libsbml.writeSBMLToString(document)).rates()
    moving = {name: rate for name, rate in rates.items() if name not in COUNTERS and abs(rate) > 1e-12}
    assert moving == {}


# ---- where the drug goes


def test_the_reference_person_has_the_clearance_and_bioavailability_of_the_tables() -> None:
    model = fresh()
    assert model["CL_now"] == pytest.approx(value("CL_THC"), rel=1e-12)
    assert model["F_THC_now"] == pytest.approx(share("THC_oral"), rel=1e-12)
    assert model["F_THC_now"] + model["F_OH_now"] == pytest.approx(value("Fa_THC_oral"), rel=1e-12)
    assert 0.035 < share("THC_oral") < 0.07  # reported
    assert 0.035 < share("THC_spray") < 0.07


def value(name: str) -> float:
    return load_parameters()[name].value


def share(target: str) -> float:
    """What reaches the blood of the reference person, by hand from the tables."""
    if target == "THC_c":
        return 1.0
    if target == "THC_lung":
        return value("F_vaporised")
    through_liver = 1.0 - value("CL_THC") / (value("BP_THC") * value("Q_liver"))
    return value("Fa_" + target) * value("Fg_THC") * through_liver


@pytest.mark.parametrize("target", ["THC_c", "THC_oral", "THC_spray", "THC_lung"])
def test_area_is_bioavailable_dose_over_clearance(target: str) -> None:
    seen = run([(0.0, target, 10_000.0)], 1500, ["C_THC"], step=0.02)
    assert area(seen, "C_THC") == pytest.approx(share(target) * 10_000 / value("CL_THC"), rel=0.005)


def test_metabolites_account_for_the_parent() -> None:
    """After an IV dose, all THC becomes (apparent) 11-OH-THC; stated shares of both become THC-COOH."""
    seen = run([(0.0, "THC_c", 10_000.0)], 1500, ["C_OH_THC", "C_COOH_THC"], step=0.02)
    assert area(seen, "C_OH_THC") == pytest.approx(10_000 / value("CL_OH"), rel=0.005)
    shares = value("f_COOH") + value("f_COOH_liver")
    assert shares < 1
    assert area(seen, "C_COOH_THC") == pytest.approx(shares * 10_000 / value("CL_COOH"), rel=0.005)


def test_thc_alone_is_linear_in_dose() -> None:
    one, ten = (run([(0.0, "THC_oral", dose)], 48, ["C_THC", "C_OH_THC"]) for dose in (3e4, 3e5))
    assert ten["C_THC"] == pytest.approx(10 * one["C_THC"], rel=1e-4, abs=1e-7)
    assert ten["C_OH_THC"] == pytest.approx(10 * one["C_OH_THC"], rel=1e-4, abs=1e-7)


def test_four_sprays_fasted() -> None:
    seen = run(sprays(4), 24, ["THC_ng_mL", "OH_THC_ng_mL", "CBD_ng_mL"], step=0.05)
    assert 2.6 < seen["THC_ng_mL"].max() < 5  # means of 2.65 to 3.98 were read
    assert 0.7 < seen["OH_THC_ng_mL"].max() / seen["THC_ng_mL"].max() < 1.4  # reported 1.1-1.35
    assert 0.5 < seen["CBD_ng_mL"].max() < 2
    assert 0.75 < seen["time"][seen["THC_ng_mL"].argmax()] < 2


def test_food_raises_and_delays() -> None:
    fasted, fed = (run(sprays(4), 72, ["THC_ng_mL", "CBD_ng_mL"], fed=value) for value in (0, 1))
    assert 2.3 < area(fed, "THC_ng_mL") / area(fasted, "THC_ng_mL") < 3.2
    assert 4 < area(fed, "CBD_ng_mL") / area(fasted, "CBD_ng_mL") < 6
    assert fed["THC_ng_mL"].argmax() > 2 * fasted["THC_ng_mL"].argmax()


def test_cyp2c9_poor_metabolisers_have_more_thc_and_less_of_its_metabolites() -> None:
    outputs = ["C_THC", "C_OH_THC", "C_COOH_THC"]
    dose = [(0.0, "THC_oral", nmol("THC", 15))]
    poor = load_genotypes()["*3/*3"].value
    normal, slow = (run(dose, 300, outputs, cyp2c9_activity=value) for value in (1, poor))
    assert 2 < area(slow, "C_THC") / area(normal, "C_THC") < 4.5  # reported 3
    assert area(slow, "C_OH_THC") < area(normal, "C_OH_THC")
    assert area(slow, "C_COOH_THC") < area(normal, "C_COOH_THC")


@pytest.mark.parametrize(("medicine", "sign"), [("ketoconazole", 1), ("rifampicin", -1)])
def test_ketoconazole_raises_and_rifampicin_lowers_all_three(medicine: str, sign: int) -> None:
    outputs = ["C_THC", "C_OH_THC", "C_CBD"]
    changes = {row.parameter: row.value for row in load_interactions()[medicine].values()}
    alone, together = (
        run(sprays(4), 200, outputs),
        run(sprays(4), 200, outputs, "multiple_sclerosis", 0.1, **changes),
    )
    for output in outputs:
        assert sign * np.log(area(together, output) / area(alone, output)) > 0.1


def test_cbd_raises_thc_at_high_doses_only() -> None:
    thc = (0.0, "THC_oral", nmol("THC", 20))
    alone = area(run([thc], 200, ["C_THC"]), "C_THC")
    with_spray_dose = area(run([thc, (0.0, "CBD_spray", nmol("CBD", 20))], 200, ["C_THC"]), "C_THC")
    assert with_spray_dose / alone < 1.1
    alone_fed = area(run([thc], 200, ["C_THC"], fed=1), "C_THC")
    with_640 = area(run([thc, (0.0, "CBD_oral", nmol("CBD", 640))], 200, ["C_THC"], fed=1), "C_THC")
    assert 1.4 < with_640 / alone_fed < 4  # 2.6 reported, in a brownie


@pytest.mark.parametrize("mg", [100, 1500])
def test_no_more_cbd_comes_out_than_was_swallowed(mg: float) -> None:
    """Fed, in oil, where most gets in: what reaches the blood and what the liver made of it are parts of the dose."""
    dose = nmol("CBD", mg)
    seen = run([(0.0, "CBD_oral", dose)], 1500, ["C_CBD", "C_OH_CBD"], fed=1, oil_CBD=1)
    reached = area(seen, "C_CBD") * value("CL_CBD")
    made = area(seen, "C_OH_CBD") * value("CL_OH_CBD")  # all CBD becomes it, on the way in or later
    assert 0.2 * dose < reached < made < dose


def test_cbd_bioavailability_falls_with_large_fasted_doses() -> None:
    areas = {
        mg: area(run([(0.0, "CBD_oral", nmol("CBD", mg))], 300, ["C_CBD"]), "C_CBD")
        for mg in (100, 1500, 6000)
    }
    assert areas[6000] / 6000 < areas[1500] / 1500 < areas[100] / 100


def test_a_heavier_person_clears_more_and_spreads_wider() -> None:
    model = fresh()
    model["weight"] = 140
    assert model["CL_now"] == pytest.approx(value("CL_THC") * 2**0.75)
    assert model["F_THC_now"] == pytest.approx(share("THC_oral"), rel=1e-12)


# ---- what it does


@cache
def trial(cause: str, per_dose: int) -> dict[str, Any]:
    """Twelve weeks on placebo (0) or on so many sprays four times a day; means over the last week."""
    doses = [
        dose for day in range(84) for hour in (8, 12, 17, 21) for dose in sprays(per_dose, 24 * day + hour)
    ]
    outputs = "NRS spasms_per_day pain walk_timed Pro R_brain dizziness_cum dropout_cum".split()
    seen = run(doses if per_dose else [], 24 * 84, outputs, cause, step=2, placebo_on=1, in_trial=1)
    last = seen["time"] > 24 * 77
    end = {name: float(np.mean(values[last])) for name, values in seen.items()}
    return end | {
        "dizzy": 1 - np.exp(-seen["dizziness_cum"][-1]),
        "out": 1 - np.exp(-seen["dropout_cum"][-1]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
def test_eight_sprays_a_day_for_twelve_weeks(cause: str) -> None:
    placebo, active = trial(cause, 0), trial(cause, 2)
    assert all(np.isfinite(value) for value in active.values())
    assert active["NRS"] < placebo["NRS"]
    assert active["pain"] < placebo["pain"]
    assert active["Pro"] / placebo["Pro"] == pytest.approx(1, abs=0.01)
    assert active["walk_timed"] == pytest.approx(1, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
def test_spasms_fall_by_4_to_30_per_cent(cause: str) -> None:
    ratio = trial(cause, 2)["spasms_per_day"] / trial(cause, 0)["spasms_per_day"]
    assert 0.7 < ratio < 0.96


@pytest.mark.slow
def test_multiple_sclerosis_is_in_the_neighbourhood_of_the_trials() -> None:
    placebo, active = trial("multiple_sclerosis", 0), trial("multiple_sclerosis", 2)
    assert -0.9 < active["NRS"] - placebo["NRS"] < -0.2
    assert active["R_brain"] > 0.97
    assert 0.1 < active["dizzy"] - placebo["dizzy"] < 0.4
    assert active["out"] == pytest.approx(placebo["out"], abs=0.05)


@pytest.mark.slow
def test_placebo_in_multiple_sclerosis_is_in_the_neighbourhood_of_the_trials() -> None:
    assert trial("multiple_sclerosis", 0)["NRS"] - 6.9 == pytest.approx(-0.8, abs=0.3)


def test_the_effect_goes_within_two_weeks_of_stopping() -> None:
    """In somebody who responds more than most, as a third do: the person in the middle has little to lose."""
    doses = [dose for day in range(28) for hour in (8, 12, 17, 21) for dose in sprays(2, 24 * day + hour)]
    seen = run(doses, 24 * 42, ["NRS", "spasms_per_day"], step=2, responds=1)
    assert seen["NRS"][-1] == pytest.approx(6.9, abs=0.05)
    assert seen["spasms_per_day"][-1] == pytest.approx(8, rel=0.02)
    assert seen["NRS"].min() < 6.5


@pytest.mark.parametrize(
    ("fed", "low", "high"),
    [
        pytest.param(
            0,
            1.2,
            1.6,
            marks=pytest.mark.xfail(
                strict=True,
                reason="fasted too little CBD is absorbed: 1.14, and 1.6 is observed (validation.md)",
            ),
        ),
        (1, 1.6, 2.3),
    ],
)
def test_cbd_800_mg_raises_anandamide(fed: int, low: float, high: float) -> None:
    seen = run([(0.0, "CBD_oral", nmol("CBD", 800))], 8, ["AEA_plasma"], fed=fed)["AEA_plasma"]
    assert low < seen.max() / seen[0] < high


@pytest.mark.slow
def test_heavy_smoking_takes_cb1_and_faah_down_and_rest_brings_them_back() -> None:
    doses = [
        (24 * day + hour, "THC_lung", nmol("THC", 33.8))
        for day in range(60)
        for hour in (8.0, 12.0, 16.0, 20.0)
    ]
    seen = run(doses, 24 * 88, ["R_brain", "FAAH"], step=2, smoked=1)
    at = {day: int(np.argmin(abs(seen["time"] - 24 * day))) for day in (60, 88)}
    assert 0.75 < seen["R_brain"][at[60]] < 0.92
    assert 0.78 < seen["FAAH"][at[60]] < 0.92
    assert seen["R_brain"][at[88]] > 0.99


def test_blocking_faah_raises_plasma_anandamide_as_measured() -> None:
    seen = run([], 100, ["AEA_plasma"], step=5, faah_inhibition=0.99)
    assert 3.5 < seen["AEA_plasma"][-1] / seen["AEA_plasma"][0] < 10


def test_an_injury_heals_only_where_asked_and_takes_its_spasms_with_it() -> None:
    chronic = run([], 24 * 28, ["spasms_per_day"], "muscle_injury", step=24)["spasms_per_day"]
    healing = run([], 24 * 28, ["spasms_per_day", "pain"], "muscle_injury", step=24, healing_on=1)
    assert chronic[-1] == pytest.approx(chronic[0])
    assert healing["spasms_per_day"][-1] < 0.1 * chronic[0]
    assert np.all(np.diff(healing["pain"]) <= 0)


@pytest.mark.slow
def test_exercise_and_injury_can_be_dosed() -> None:
    exercise = run([(1.0, "exercise", 5.0)], 24, ["spasms_per_day"], "exertional_cramp", step=0.5)[
        "spasms_per_day"
    ]
    injury = run([(1.0, "injury", 1.0)], 72, ["spasms_per_day"], "muscle_injury", step=1)["spasms_per_day"]
    assert exercise.max() > 1.01 * exercise[0]
    assert injury.max() > 1.3 * injury[0]


def test_hypotheses_are_off_and_can_be_switched_on() -> None:
    rows = load_parameters()
    assert all(rows[name].value == 0 for name in ("neuroprotection_on", "anti_inflammation_on", "k_progress"))
    dose = [(0.0, "CBD_oral", nmol("CBD", 1500))]
    off, on = (run(dose, 48, ["Pro"], anti_inflammation_on=value)["Pro"] for value in (0, 1))
    assert on.min() < off.min()
