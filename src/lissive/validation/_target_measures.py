"""What is read off a run: one function for each word of the column `measure`. Numbers after the word are given to it.

`look.seen` is the run, `look.against` the one that it is held against, `look.y` the first output of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from lissive.arrays import FloatArray
from lissive.validation._target_rows import Arm
from lissive.validation._target_runs import NoValue, Runs, Simulated

WEEK = 7 * 24.0
SLOWEST, FASTEST = 0.01, 20.0
"""Rate constants [1/h] between which that of an effect compartment is looked for."""
GAINS, CONTROLS = (0.5, 1.5, 2.5), (0.0, 0.5, 1.0)
"""Motoneuron gain and descending control (1 is normal) that are tried where nobody knows them."""


@dataclass(frozen=True)
class MeasureContext:
    """What a measure may look at."""

    runs: Runs
    arm: Arm
    against_arm: Arm | None
    output: tuple[str, ...]
    args: tuple[float, ...]
    subject: int = 0

    @property
    def seen(self) -> Simulated:
        return self.runs.seen(self.arm, self.subject)

    @property
    def against(self) -> Simulated:
        if self.against_arm is None:
            raise NoValue("No run to compare with.")
        return self.runs.seen(self.against_arm, self.subject)

    @property
    def y(self) -> FloatArray:
        return self.seen.values[self.output[0]]

    @property
    def other(self) -> FloatArray:
        return self.against.values[self.output[0]]


Measured = tuple[float, str]
"""The figure, and what else there is to say of it."""
Measure = Callable[[MeasureContext], float | Measured]


def _week(seen: Simulated, y: FloatArray) -> float:
    """Mean over the last seven days."""
    return float(y[seen.time > seen.time[-1] - WEEK].mean())


# -- one run ----------------------------------------------------------------------------------------
def peak(look: MeasureContext) -> float:
    return float(look.y.max())


def peak_fold(look: MeasureContext) -> Measured:
    at = int(look.y.argmax())
    return float(look.y[at] / look.y[0]), f"highest at {look.seen.time[at]:.3g} h"


def end_fold(look: MeasureContext) -> float:
    return float(look.y[-1] / look.y[0])


def change_percent(look: MeasureContext) -> float:
    return 100.0 * (end_fold(look) - 1.0)


def first_percent(look: MeasureContext) -> float:
    return 100.0 * float(look.y[0])


def peak_percent(look: MeasureContext) -> float:
    return 100.0 * float(look.y.max())


def lowest_percent(look: MeasureContext) -> float:
    return 100.0 * float(look.y.min() / look.y[0])


def largest_fall_percent(look: MeasureContext) -> float:
    return 100.0 - lowest_percent(look)


def drift_percent(look: MeasureContext) -> Measured:
    """The largest change of any output at any time; no dose is given."""
    moved = {name: float(np.abs(look.seen.values[name] / look.seen.values[name][0] - 1.0).max())
             for name in look.output}  # fmt: skip
    worst = max(moved, key=moved.__getitem__)
    return 100.0 * moved[worst], f"most in {worst}"


def least_peak_fold(look: MeasureContext) -> Measured:
    return _extreme_fold(look, min)


def most_peak_fold(look: MeasureContext) -> Measured:
    return _extreme_fold(look, max)


def _extreme_fold(look: MeasureContext, which: Callable[..., str]) -> Measured:
    folds = {name: float(look.seen.values[name].max() / look.seen.values[name][0]) for name in look.output}
    return folds[which(folds, key=folds.__getitem__)], ", ".join(f"{n} x{f:.1f}" for n, f in folds.items())


def recovery_h(look: MeasureContext) -> float:
    """Hours after the last dose at which the output is back at the number's share of its start."""
    time, share = look.seen.time, look.y / look.y[0]
    low = int(share.argmin())
    back = np.flatnonzero(share[low:] >= look.args[0])
    if not len(back) or back[0] == 0:
        raise NoValue("It is not back by the end of the run, or never fell as far.")
    at = low + int(back[0])
    crossed = np.interp(look.args[0], share[at - 1 : at + 1], time[at - 1 : at + 1])
    return float(crossed) - look.seen.last_dose


def fold_after(look: MeasureContext) -> float:
    """Relative to the start, the number's days after the last dose."""
    return float(np.interp(look.seen.last_dose + 24.0 * look.args[0], look.seen.time, look.y) / look.y[0])


def recovered_percent(look: MeasureContext) -> float:
    """How much of the lowest point's loss is made good at the end."""
    low = float(look.y.min())
    return 100.0 * float((look.y[-1] - low) / (look.y[0] - low))


def half_time_d(look: MeasureContext) -> float:
    """Days until half of the change at the end of the run."""
    change = (look.y - look.y[0]) / (look.y[-1] - look.y[0])
    at = int(np.argmax(change >= 0.5))
    return float(np.interp(0.5, change[at - 1 : at + 1], look.seen.time[at - 1 : at + 1])) / 24.0


def week_change(look: MeasureContext) -> float:
    return _week(look.seen, look.y) - float(look.y[0])


def week_fall_percent(look: MeasureContext) -> float:
    return 100.0 * (1.0 - _week(look.seen, look.y) / float(look.y[0]))


def risk_percent(look: MeasureContext) -> float:
    """Of a cumulative hazard."""
    return 100.0 * (1.0 - float(np.exp(-look.y[-1])))


def lost_d(look: MeasureContext) -> Measured:
    """Days after the last dose until nine tenths of what the drug did are gone."""
    time, change = look.seen.time, np.abs(look.y - look.y[0])
    on = (time > look.seen.last_dose - 24.0) & (time <= look.seen.last_dose)
    gained = float(change[on].mean())
    after = (time > look.seen.last_dose) & (change <= 0.1 * gained)
    if not after.any():
        raise NoValue("The effect is not gone by the end of the run.")
    days = float(time[np.argmax(after)] - look.seen.last_dose) / 24.0
    return days, f"the drug moved it by {gained:.2g}"


# -- two runs ---------------------------------------------------------------------------------------
def week_ratio(look: MeasureContext) -> float:
    return _week(look.seen, look.y) / _week(look.against, look.other)


def week_change_percent(look: MeasureContext) -> float:
    return 100.0 * (week_ratio(look) - 1.0)


def week_difference(look: MeasureContext) -> float:
    return _week(look.seen, look.y) - _week(look.against, look.other)


def end_difference(look: MeasureContext) -> float:
    return float(look.y[-1] - look.other[-1])


def extra_risk_percent(look: MeasureContext) -> float:
    """Of the hazard that the other run does not have."""
    return 100.0 * (1.0 - float(np.exp(look.other[-1] - look.y[-1])))


def fall_ratio(look: MeasureContext) -> Measured:
    """The fall by the end of the run over the other run's."""
    mine, other = float(look.y[0] - look.y[-1]), float(look.other[0] - look.other[-1])
    return mine / other, f"falls of {mine:.4g} and {other:.4g}"


def area_ratio(look: MeasureContext) -> float:
    return float(np.trapezoid(look.y, look.seen.time) / np.trapezoid(look.other, look.against.time))


# -- concentration and effect -----------------------------------------------------------------------
def half_high_ng_mL(look: MeasureContext) -> Measured:
    """THC where it acts, in ng/mL of plasma at balance, at half of the largest high that THC can cause.

    Outputs: the high and Ce_THC; the other run's dose is far beyond saturation.
    """
    high, Ce = (look.seen.values[name] for name in look.output)
    half = float(look.other.max()) / 2.0
    if high.max() < half:
        raise NoValue("The dose does not reach half of the largest high.")
    own = look.seen.parameters
    plasma = Ce / (own["fu_THC"] * own["Kp_THC"]) * own["M_THC"] / 1000.0
    up = int(np.argmax(high >= half))
    value = float(np.interp(half, high[up - 1 : up + 1], plasma[up - 1 : up + 1]))
    top = int(high.argmax())
    down = top + int(np.argmax(high[top:] < half))
    return value, f"half is {half:.3g}; passed on the way down at {plasma[down]:.3g} ng/mL"


def apparent_ke0(look: MeasureContext) -> Measured:
    """From the lag between the peaks of plasma and high, as if plasma THC alone drove it through one compartment.

    An effect compartment is at its peak when it equals plasma; that gives ke0. Outputs: the high and plasma THC.
    """
    time = look.seen.time
    high, plasma = (look.seen.values[name] for name in look.output)
    peak_plasma, peak_high = _top(time, plasma), _top(time, high)
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
def axon_needed(look: MeasureContext) -> Measured:
    """Axonal excitability, relative to the untreated, at which the output ends at the number's share of its start."""
    left = np.linspace(0.0, 1.0, 51)
    runs = look.runs.over(look.arm, look.subject, {"a_exercise": left - 1.0})
    share = np.array([run.values[look.output[0]][-1] / run.values[look.output[0]][0] for run in runs])
    if not share[0] <= look.args[0] <= share[-1]:
        raise NoValue(f"Not even a complete block gets below {share[0]:.2g}.")
    return float(np.interp(look.args[0], share, left)), f"a complete block leaves {share[0]:.2g}"


def highest_ratio_by_cord(look: MeasureContext) -> Measured:
    """The highest ratio of last weeks that any of the motoneuron gains and descending controls tried gives."""
    gain, descending = (a.ravel() for a in np.meshgrid(GAINS, CONTROLS))
    grid = {"PIC": gain, "descending": descending}
    if look.against_arm is None:
        raise NoValue("No run to compare with.")
    drug, none = (look.runs.over(arm, look.subject, grid) for arm in (look.arm, look.against_arm))
    y = look.output[0]
    ratio = [_week(a, a.values[y]) / _week(b, b.values[y]) for a, b in zip(drug, none, strict=True)]
    best = int(np.argmax(ratio))
    return ratio[
        best
    ], f"lowest {min(ratio):.2f}; highest at gain {gain[best]:.2g}, control {descending[best]:.2g}"


MEASURES: dict[str, Measure] = {
    each.__name__: each
    for each in (
        peak, peak_fold, end_fold, change_percent, first_percent, peak_percent, lowest_percent,
        largest_fall_percent, drift_percent, least_peak_fold, most_peak_fold, recovery_h, fold_after,
        recovered_percent, half_time_d, week_change, week_fall_percent, risk_percent, lost_d, week_ratio,
        week_change_percent, week_difference, end_difference, extra_risk_percent, fall_ratio, area_ratio,
        half_high_ng_mL, apparent_ke0, axon_needed, highest_ratio_by_cord,
    )
}  # fmt: skip
