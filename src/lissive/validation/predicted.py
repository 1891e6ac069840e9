"""What the model gives for each target of targets.tsv: the typical person, and at the end virtual patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from scipy.optimize import brentq

from lissive.arrays import BoolArray, FloatArray
from lissive.case import make_case
from lissive.forecast import Forecast, predict, responders
from lissive.validation.asked import Arm, Dose, Figure, Grid, NoValue, Patients, Simulated, target

SLOWEST, FASTEST = 0.01, 20.0
"""Rate constants [1/h] between which that of an effect compartment is looked for."""


# -- the runs ---------------------------------------------------------------------------------------
def _pf(mg: float, dosed: int = 1, days: float = 22.0) -> Arm:
    """PF-04457845 once a day."""
    return Arm("", days, (Dose("PFM_gut", mg, days=dosed),), {"Dose": mg})


MS = "multiple_sclerosis"
PF_NONE = Arm("", 83.4, settings={"published_c_NAAA": 1.0})  # as published: its start is the steady state
AMIDES = ("[A_p]", "[O_p]", "[P_p]", "[L_p]")
PF_0_3, PF_1, PF_0_5_14D, PF_4_14D = _pf(0.3), _pf(1.0), _pf(0.5, 14, 36.0), _pf(4.0, 14, 36.0)

HEALTHY = {"s_AEA": 1.0, "s_AG2": 1.0}  # the endocannabinoid tone of volunteers
FAAH_BLOCKED = Arm(MS, 7.0, settings=HEALTHY | {"faah_inhibition": 0.99})
CBD_FASTED = Arm(MS, 1.0, (Dose("CBD_oral", 800.0),), HEALTHY, every=0.05)
CBD_FED = replace(CBD_FASTED, settings=HEALTHY | {"fed": 1.0})

# How much the people of the imaging studies smoked is not stated.
FOUR, EIGHT = (8.0, 12.0, 16.0, 20.0), (8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0)
SMOKED = HEALTHY | {"smoked": 1.0}
SMOKER_4 = Arm(MS, 60.0, (Dose("THC_lung", 33.8, FOUR, 60),), SMOKED | {"heavy_user": 1.0})
SMOKER_8 = replace(SMOKER_4, doses=(Dose("THC_lung", 33.8, EIGHT, 60),))
SMOKER_4_REST_2D, SMOKER_4_REST_28D = replace(SMOKER_4, days=62.0), replace(SMOKER_4, days=88.0)
CIGARETTE = Arm(MS, 0.5, (Dose("THC_lung", 33.8),), SMOKED, every=0.01)
CIGARETTES_300 = replace(CIGARETTE, doses=(Dose("THC_lung", 10140.0),))  # for the largest high there can be

IN_TRIAL = {"placebo_on": 1.0, "in_trial": 1.0}


def _spray(days: int) -> Arm:
    """8 sprays a day, fasted."""
    return Arm(MS, float(days), (Dose("nabiximols", 2.0, (8.0, 12.0, 17.0, 21.0), days),), IN_TRIAL)


def _placebo(days: int) -> Arm:
    return Arm(MS, float(days), settings=IN_TRIAL)


SPRAY_12W, SPRAY_15W, SPRAY_334D, SPRAY_YEAR = map(_spray, (84, 105, 334, 365))
PLACEBO_12W, PLACEBO_15W, PLACEBO_334D, PLACEBO_YEAR = map(_placebo, (84, 105, 334, 365))
# Without a response to placebo, so that what is lost is the drug's.
SPRAY_STOPPED = replace(_spray(28), days=70.0, settings={})
SPRAY_FED = replace(SPRAY_15W, settings=IN_TRIAL | {"fed": 1.0})

BELIEVES = {"placebo_on": 1.0}
ALS_THC = Arm("als", 14.0, (Dose("THC_oral", 5.0, (8.0, 20.0), 14),), BELIEVES)
ALS_PLACEBO = replace(ALS_THC, doses=())
# A block of the axon is the input of exertion with its sign turned, and lasting.
ALS_AXON_0_55 = Arm("als", 60.0, (Dose("exercise", 1.0),), {"a_exercise": -0.45, "k_exercise": 0.0})
ALS_AXON_BLOCKED = replace(ALS_AXON_0_55, settings={"a_exercise": -1.0, "k_exercise": 0.0})
LEFT = np.linspace(0.0, 1.0, 51)
ALS_AXON_ANY = Grid(ALS_AXON_BLOCKED, {"a_exercise": LEFT - 1.0})
# Three doses a day are assumed.
SCI_THC = Arm("spinal_cord_injury", 43.0, (Dose("THC_oral", 10.3333, (8.0, 14.0, 20.0), 43),), BELIEVES)

FM_NONE = Arm("fibromyalgia", 0.125, every=0.02)
FM_THC_22, FM_THC_13 = (replace(FM_NONE, doses=(Dose("THC_lung", mg),)) for mg in (22.4, 13.4))
FM_THC_13_CBD_18 = replace(FM_NONE, doses=(Dose("THC_lung", 13.4), Dose("CBD_lung", 17.8)))

# Motoneuron gain and descending control (1 is normal) where nobody knows them.
_GAIN, _CONTROL = (axis.ravel() for axis in np.meshgrid((0.5, 1.5, 2.5), (0.0, 0.5, 1.0)))
CORDS = {"PIC": _GAIN, "descending": _CONTROL}


# -- one run ----------------------------------------------------------------------------------------
@target("high_when_faah_blocked", FAAH_BLOCKED, "intoxication")
def peak(run: Simulated, y: str) -> float:
    return float(run[y].max())


@target("pf_aea_0.3mg", PF_0_3, "[A_p]")
@target("pf_oea_0.3mg", PF_0_3, "[O_p]")
@target("pf_pea_0.3mg", PF_0_3, "[P_p]")
@target("pf_lea_0.3mg", PF_0_3, "[L_p]")
@target("pf_aea_1mg", PF_1, "[A_p]")
@target("pf_aea_4mg_14d", PF_4_14D, "[A_p]")
@target("pf_oea_1mg", PF_1, "[O_p]")
@target("pf_pea_1mg", PF_1, "[P_p]")
@target("pf_lea_0.5mg_14d", PF_0_5_14D, "[L_p]")
@target("pf_brain_aea_0.3mg", PF_0_3, "[A_b]")
@target("pf_brain_aea_4mg_14d", PF_4_14D, "[A_b]")
@target("aea_after_cbd_fasted", CBD_FASTED, "AEA_plasma")
@target("aea_after_cbd_fed", CBD_FED, "AEA_plasma")
def peak_fold(run: Simulated, y: str) -> Figure:
    at = int(run[y].argmax())
    return float(run[y][at] / run[y][0]), f"highest at {run.time[at]:.3g} h"


@target("aea_when_faah_blocked", FAAH_BLOCKED, "AEA_plasma")
@target("axon_0.55", ALS_AXON_0_55, "spasms_per_day")
@target("axon_900mg", ALS_AXON_BLOCKED, "spasms_per_day")
def end_fold(run: Simulated, y: str) -> float:
    return float(run[y][-1] / run[y][0])


@target("faah_in_smokers", SMOKER_4, "FAAH")
@target("faah_in_smokers_8", SMOKER_8, "FAAH")
@target("cb1_in_smokers", SMOKER_4, "R_brain")
@target("cb1_in_smokers_8", SMOKER_8, "R_brain")
@target("placebo_pain", PLACEBO_YEAR, "pain")
def change_percent(run: Simulated, y: str) -> float:
    return 100.0 * (end_fold(run, y) - 1.0)


@target("pf_cb1_before", PF_NONE, "CB1_b")
def first_percent(run: Simulated, y: str) -> float:
    return 100.0 * float(run[y][0])


@target("pf_cb1_0.3mg", PF_0_3, "CB1_b")
@target("pf_cb1_4mg_14d", PF_4_14D, "CB1_b")
def peak_percent(run: Simulated, y: str) -> float:
    return 100.0 * peak(run, y)


@target("pf_faah_left", PF_0_3, "[FAAH_r]")
def lowest_percent(run: Simulated, y: str) -> float:
    return 100.0 * float(run[y].min() / run[y][0])


@target("trial_faah_inhibited", PF_0_3, "[FAAH_r]")
def largest_fall_percent(run: Simulated, y: str) -> float:
    return 100.0 - lowest_percent(run, y)


@target(
    "pf_no_drift",
    PF_NONE,
    *"[A_b] [O_b] [P_b] [L_b] [S_b]".split(),
    *AMIDES,
    *"[S_p] [FAAH_b] [FAAH_r]".split(),
)
def drift_percent(run: Simulated, *outputs: str) -> Figure:
    """The largest change of any output at any time; no dose is given."""
    moved = {name: float(np.abs(run[name] / run[name][0] - 1.0).max()) for name in outputs}
    worst = max(moved, key=moved.__getitem__)
    return 100.0 * moved[worst], f"most in {worst}"


@target("trial_amides_least", PF_4_14D, min, *AMIDES)
@target("trial_amides_most", PF_4_14D, max, *AMIDES)
def extreme_fold(run: Simulated, which: Callable[..., str], *outputs: str) -> Figure:
    folds = {name: peak_fold(run, name)[0] for name in outputs}
    return folds[which(folds, key=folds.__getitem__)], ", ".join(f"{n} x{f:.1f}" for n, f in folds.items())


@target("pf_faah_back_0.3mg", PF_0_3, "[FAAH_r]", 0.5)
@target("pf_faah_back_4mg_14d", PF_4_14D, "[FAAH_r]", 0.5)
def recovery_h(run: Simulated, y: str, back_at: float) -> float:
    """Hours after the last dose at which the output is back at a share of its start."""
    share = run[y] / run[y][0]
    low = int(share.argmin())
    back = np.flatnonzero(share[low:] >= back_at)
    if not len(back) or back[0] == 0:
        raise NoValue("It is not back by the end of the run, or never fell as far.")
    at = low + int(back[0])
    return float(np.interp(back_at, share[at - 1 : at + 1], run.time[at - 1 : at + 1])) - run.last_dose


@target("pf_aea_late_0.5mg_14d", PF_0_5_14D, "[A_p]", 14)
@target("pf_aea_late_4mg_14d", PF_4_14D, "[A_p]", 14)
@target("trial_back_in_2_weeks", PF_4_14D, "[A_p]", 14)
def fold_after(run: Simulated, y: str, days: float) -> float:
    """Relative to the start, so many days after the last dose."""
    return float(np.interp(run.last_dose + 24.0 * days, run.time, run[y]) / run[y][0])


@target("cb1_back_2d", SMOKER_4_REST_2D, "R_brain")
@target("cb1_back_28d", SMOKER_4_REST_28D, "R_brain")
def recovered_percent(run: Simulated, y: str) -> float:
    """How much of the lowest point's loss is made good at the end."""
    low = float(run[y].min())
    return 100.0 * float((run[y][-1] - low) / (run[y][0] - low))


@target("placebo_half_time", PLACEBO_15W, "NRS")
@target("placebo_pain_half_time", PLACEBO_YEAR, "pain")
def half_time_d(run: Simulated, y: str) -> float:
    """Days until half of the change at the end of the run."""
    change = (run[y] - run[y][0]) / (run[y][-1] - run[y][0])
    at = int(np.argmax(change >= 0.5))
    return float(np.interp(0.5, change[at - 1 : at + 1], run.time[at - 1 : at + 1])) / 24.0


@target("placebo_nrs", PLACEBO_15W, "NRS")
def week_change(run: Simulated, y: str) -> float:
    return run.week(y) - float(run[y][0])


@target("sci_upper_bound", SCI_THC, "ashworth")
def week_fall_percent(run: Simulated, y: str) -> float:
    return 100.0 * (1.0 - run.week(y) / float(run[y][0]))


@target("dizziness_drug", SPRAY_12W, "dizziness_cum")
@target("dizziness_placebo", PLACEBO_12W, "dizziness_cum")
@target("leaving_drug", SPRAY_15W, "dropout_cum")
@target("leaving_placebo", PLACEBO_15W, "dropout_cum")
@target("leaving_year", SPRAY_YEAR, "dropout_cum")
def risk_percent(run: Simulated, y: str) -> float:
    """Of a cumulative hazard."""
    return 100.0 * (1.0 - float(np.exp(-run[y][-1])))


@target("relapse_spasms", SPRAY_STOPPED, "spasms_per_day")
@target("relapse_nrs", SPRAY_STOPPED, "NRS")
def lost_d(run: Simulated, y: str) -> Figure:
    """Days after the last dose until nine tenths of what the drug did are gone."""
    change = np.abs(run[y] - run[y][0])
    gained = float(change[(run.time > run.last_dose - 24.0) & (run.time <= run.last_dose)].mean())
    after = (run.time > run.last_dose) & (change <= 0.1 * gained)
    if not after.any():
        raise NoValue("The effect is not gone by the end of the run.")
    return float(run.time[np.argmax(after)] - run.last_dose) / 24.0, f"the drug moved it by {gained:.2g}"


# -- two runs ---------------------------------------------------------------------------------------
@target("spasms_ms", SPRAY_12W, PLACEBO_12W, "spasms_per_day")
@target("cramps_als_thc", ALS_THC, ALS_PLACEBO, "spasms_per_day")
def week_ratio(drug: Simulated, none: Simulated, y: str) -> float:
    return drug.week(y) / none.week(y)


@target("cb1_on_spray", SPRAY_12W, PLACEBO_12W, "R_brain")
@target("no_anti_inflammation", SPRAY_12W, PLACEBO_12W, "Pro")
def week_change_percent(drug: Simulated, none: Simulated, y: str) -> float:
    return 100.0 * (week_ratio(drug, none, y) - 1.0)


@target("nrs_ms", SPRAY_15W, PLACEBO_15W, "NRS")
@target("ashworth_ms", SPRAY_12W, PLACEBO_12W, "ashworth")
def week_difference(drug: Simulated, none: Simulated, y: str) -> float:
    return drug.week(y) - none.week(y)


@target("fm_pain", FM_THC_22, FM_NONE, "pain")
def end_difference(drug: Simulated, none: Simulated, y: str) -> float:
    return float(drug[y][-1] - none[y][-1])


@target("dizziness_long_term", SPRAY_334D, PLACEBO_334D, "dizziness_cum")
def extra_risk_percent(drug: Simulated, none: Simulated, y: str) -> float:
    """Of the hazard that the other run does not have."""
    return 100.0 * (1.0 - float(np.exp(none[y][-1] - drug[y][-1])))


@target("fm_cbd_weakens_thc", FM_THC_13_CBD_18, FM_THC_13, "pain")
def fall_ratio(run: Simulated, other: Simulated, y: str) -> Figure:
    """The fall by the end of the run over the other run's."""
    mine, others = (float(each[y][0] - each[y][-1]) for each in (run, other))
    return mine / others, f"falls of {mine:.4g} and {others:.4g}"


@target("fm_cbd_raises_thc", FM_THC_13_CBD_18, FM_THC_13, "THC_ng_mL")
def area_ratio(run: Simulated, other: Simulated, y: str) -> float:
    return float(np.trapezoid(run[y], run.time) / np.trapezoid(other[y], other.time))


# -- concentration and effect -----------------------------------------------------------------------
@target("cb1_ec50", CIGARETTE, CIGARETTES_300, "dE_brain", "Ce_THC")
@target("high_ec50", CIGARETTE, CIGARETTES_300, "intoxication", "Ce_THC")
def half_high_ng_mL(run: Simulated, saturated: Simulated, y: str, thc: str) -> Figure:
    """THC where it acts, in ng/mL of plasma at balance, at half of the largest effect `y` that THC can cause."""
    high, half = run[y], float(saturated[y].max()) / 2.0
    if high.max() < half:
        raise NoValue("The dose does not reach half of the largest high.")
    own = run.parameters
    plasma = run[thc] / (own["fu_THC"] * own["Kp_THC"]) * own["M_THC"] / 1000.0
    up = int(np.argmax(high >= half))
    value = float(np.interp(half, high[up - 1 : up + 1], plasma[up - 1 : up + 1]))
    top = int(high.argmax())
    down = top + int(np.argmax(high[top:] < half))
    return value, f"half is {half:.3g}; passed on the way down at {plasma[down]:.3g} ng/mL"


@target("high_ke0", CIGARETTE, "intoxication", "THC_ng_mL")
def apparent_ke0(run: Simulated, y: str, thc: str) -> Figure:
    """From the lag between the peaks of plasma and high, as if plasma THC alone drove it through one compartment.

    An effect compartment is at its peak when it equals plasma; that gives ke0.
    """
    time, plasma = run.time, run[thc]
    peak_plasma, peak_high = _top(time, plasma), _top(time, run[y])
    before = time < peak_high
    now = float(np.interp(peak_high, time, plasma))
    t, c = np.append(time[before], peak_high), np.append(plasma[before], now)

    def behind(ke0: float) -> float:
        return float(np.trapezoid(ke0 * np.exp(ke0 * (t - peak_high)) * c, t)) - now

    if behind(SLOWEST) * behind(FASTEST) > 0:
        raise NoValue("No single compartment has this lag.")
    ke0 = float(brentq(behind, SLOWEST, FASTEST))
    lag, half = 60.0 * (peak_high - peak_plasma), 60.0 * np.log(2.0) / ke0
    return ke0, f"the high peaks {lag:.0f} min after plasma; half-life {half:.0f} min"


def _top(time: FloatArray, y: FloatArray) -> float:
    """Time of the highest point, by the parabola through it and its neighbours."""
    k = int(y.argmax())
    a, b, c = y[k - 1], y[k], y[k + 1]
    return float(time[k] + 0.5 * (a - c) / (a - 2 * b + c) * (time[k + 1] - time[k]))


# -- many runs --------------------------------------------------------------------------------------
@target("axon_for_0.66", ALS_AXON_ANY, "spasms_per_day", 0.66)
@target("axon_for_0.31", ALS_AXON_ANY, "spasms_per_day", 0.31)
@target("axon_for_0.16", ALS_AXON_ANY, "spasms_per_day", 0.16)
def axon_needed(runs: Sequence[Simulated], y: str, ratio: float) -> Figure:
    """Axonal excitability, relative to the untreated, at which the output ends at this share of its start."""
    share = np.array([end_fold(run, y) for run in runs])
    if not share[0] <= ratio <= share[-1]:
        raise NoValue(f"Not even a complete block gets below {share[0]:.2g}.")
    return float(np.interp(ratio, share, LEFT)), f"a complete block leaves {share[0]:.2g}"


@target("stroke_any_cord", Grid(SPRAY_12W, CORDS), Grid(PLACEBO_12W, CORDS), "spasms_per_day")
def highest_ratio_by_cord(drug: Sequence[Simulated], none: Sequence[Simulated], y: str) -> Figure:
    """The highest ratio of last weeks that any of the motoneuron gains and descending controls tried gives."""
    ratio = [week_ratio(a, b, y) for a, b in zip(drug, none, strict=True)]
    best = int(np.argmax(ratio))
    where = f"gain {_GAIN[best]:.2g}, control {_CONTROL[best]:.2g}"
    return ratio[best], f"lowest {min(ratio):.2f}; highest at {where}"


# -- virtual patients -------------------------------------------------------------------------------
ENRICHED = (0.20, 4)
"""Improvement of the spasticity NRS, and the week, by which enriched trials select responders."""
MS_PATIENTS = Patients(MS, 600, 15, like=SPRAY_FED)


@cache
def forecast_of(cause: str, patients: int, weeks: int, threads: int) -> Forecast:
    """Nothing is known of them but the cause of their spasms."""
    plan = {"product": "nabiximols", "titration": "label", "weeks": weeks}
    case = make_case({"case": "targets", "spasm": {"cause": cause}, "plan": plan})
    return predict(case, subjects=patients, seed=1, threads=threads)


@target("responders_20_week4", MS_PATIENTS, "active", 0.2, 4)
@target("responders_30_drug", MS_PATIENTS, "active", 0.3, 15)
@target("responders_30_placebo", replace(MS_PATIENTS, like=PLACEBO_15W), "placebo", 0.3, 15)
def responders_percent(seen: Forecast, side: str, share: float, week: int) -> Figure:
    """Responders of a week by improvement of the spasticity NRS [%]."""
    found = responders(seen, share, week)
    assert found is not None
    value, n = 100.0 * float(getattr(found, side)), int(seen.good.sum())
    error = np.sqrt(value * (100.0 - value) / n)
    return value, f"{n} virtual patients, standard error {error:.1f}"


@target("nrs_ms_patients", MS_PATIENTS, 15, False)
@target("nrs_ms_pooled", MS_PATIENTS, 12, False)
@target("nrs_ms_enriched", MS_PATIENTS, 15, True)
@target("nrs_ms_enriched_savant", MS_PATIENTS, 15, True)
def nrs_difference(seen: Forecast, week: int, early: bool) -> Figure:
    """Spasticity NRS in a week, drug minus placebo; of all patients, or of those who responded to the drug early."""
    chosen = _enriched(seen) if early else np.ones(int(seen.good.sum()), bool)
    drug, none = _weekly(seen, "spasticity_nrs")[:, chosen, week]
    gap = drug - none
    return float(gap.mean()), f"{_of(chosen)}, standard error {gap.std() / np.sqrt(len(gap)):.2f}"


@target("spasms_ms_enriched", MS_PATIENTS, 15)
def enriched_spasm_ratio(seen: Forecast, week: int) -> Figure:
    """Ratio of mean spasms of a week in early responders, drug over placebo: a person may count none."""
    chosen = _enriched(seen)
    drug, none = _weekly(seen, "spasms_per_day")[:, chosen, week]
    return float(drug.mean() / none.mean()), _of(chosen)


@target("ashworth_ms_enriched", replace(MS_PATIENTS, rating="ashworth"), 15)
def enriched_ashworth(seen: Forecast, week: int) -> Figure:
    """Mean Ashworth in a week, drug minus placebo, in early responders."""
    chosen = _enriched(seen)
    drug, none = _weekly(seen, "ashworth")[:, chosen, week]
    return float((drug - none).mean()), _of(chosen)


@target("sprays_a_day", MS_PATIENTS, 12)
def units_a_day(seen: Forecast, week: int) -> Figure:
    """Mean number of sprays a day in a week."""
    taken = seen.taken[0, seen.good, 7 * (week - 1) : 7 * week].mean(axis=1)
    return float(taken.mean()), f"standard deviation between patients {taken.std():.1f}"


def _weekly(seen: Forecast, outcome: str) -> FloatArray:
    """(arm, good subject, week)"""
    return seen.weekly[outcome][:, seen.good]


def _enriched(seen: Forecast) -> BoolArray:
    """(good subject,) who responded early."""
    share, week = ENRICHED
    nrs = _weekly(seen, "spasticity_nrs")[0]
    chosen: BoolArray = nrs[:, week] <= (1.0 - share) * nrs[:, 0]
    return chosen


def _of(chosen: BoolArray) -> str:
    return f"{int(chosen.sum())} of {len(chosen)} virtual patients"
