"""Arms of studies simulated as they were done, many times over, and measured as they were measured.

Every replicate is an arm of its own: its own people, its own draw of the typical parameters from what the
calibration left uncertain, and its own study effect. The people are the same in a ratio's two
arms (a crossover), on another day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from lissive import units
from lissive.arrays import FloatArray
from lissive.model import load
from lissive.model.equations import only
from lissive.model.parameters import Parameter, load_parameters, load_people
from lissive.simulation.draw import FED, GENOTYPE, draw, occasions
from lissive.simulation.engine import Kernel, Tolerances, build
from lissive.simulation.run import Settings, follow
from lissive.simulation.schedule import ADD, RATE, Regimen, Schedule
from lissive.simulation.streams import even, normals, uniforms
from lissive.studies import nca
from lissive.studies.observation import ANALYTES, INFINITE, LAST, Arm, Observation, interval_of, kind_of
from lissive.table import constants

OUTPUTS = tuple(f"{analyte}_ng_mL" for analyte in ANALYTES)
SITE = {
    "spray": "spray",
    "oral": "oral",
    "iv": "c",
    "smoked": "lung",
    "vaporised": "lung",
    "nebulised": "lung",
}
DEVICES = ("smoked", "nebulised")
TISSUES = {"THC_c": "V1_THC", "THC_p2": "V2_THC", "THC_p3": "V3_THC", "THC_p4": "V4_THC"}
"""Where THC of earlier use is, and the volumes that it fills."""
INFUSED = ("THC_c", "CBD_c", "THC_lung", "CBD_lung")
BOLUS_H = constants(Path(__file__).with_name("assumptions.tsv"))["injection"]
MIN_REPLICATES = 200
TAILS = 4.0
"""Degrees of freedom of the t distribution of a study's level and of a mean's own error. Their sizes are fitted under
it (calibrate/likelihood.py), so that prediction intervals need its tails."""

SHARES = ("Fg_THC", "f_lymph_CBD", "f_COOH", "f_COOH_liver")
"""Shares that do not differ between people: their typical value moves on the logit all the same."""

Shifts = Mapping[str, FloatArray]
"""Parameter to (subject,) shift of its typical value: added to its logarithm, or to its logit where it is a share."""


@dataclass(frozen=True)
class Prediction:
    """One observation beside what the model says of it."""

    observation: Observation
    replicates: FloatArray
    """(replicate,) the arm's statistic."""
    failed: int = 0
    """Simulated people without the measure: too few quantifiable concentrations."""

    @property
    def predicted(self) -> float:
        """The arm's statistic: geometric mean of the replicates."""
        seen = self.replicates[self.replicates > 0]
        return float(np.exp(np.mean(np.log(seen)))) if len(seen) else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """5 and 95 % of the replicates."""
        low, high = np.percentile(self.replicates, [5.0, 95.0])
        return float(low), float(high)

    @property
    def fold(self) -> float:
        """Predicted over observed."""
        return self.predicted / self.observation.value


@cache
def kernel() -> Kernel:
    """The kinetic part of the model, ready to run."""
    return build(only(load("lissive"), OUTPUTS), OUTPUTS, INFUSED)


@dataclass(frozen=True)
class Beside:
    """What replicates differ in, beside their people."""

    uncertainty: Callable[[int, int], Shifts] | None = None
    """From (replicates, seed) to shifts of typical values, (replicate,) each."""
    between_study: Mapping[str, float] = field(default_factory=dict)
    """Kind (observation.KINDS) to the scale of the log of a study's own level, t-distributed (TAILS)."""
    within_study: Mapping[str, float] = field(default_factory=dict)
    """The same of each published mean around its study's level, beyond the chance of who took part."""


def predict_studies(
    observations: Sequence[Observation],
    *,
    replicates: int = MIN_REPLICATES,
    seed: int = 1,
    threads: int = 1,
    beside: Beside | None = None,
    parameters: Mapping[str, float] | None = None,
    evenly: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[Prediction]:
    """What the model says of each observation.

    Parameters
    ----------
    replicates : how many times each arm is done again, with other people.
    beside : what replicates differ in beside their people; nothing if not given.
    parameters : typical values that take the place of the tables'.
    evenly : people spread evenly over their distributions, for averages over few (simulate.draw).
    progress : called with the number of observations done.
    """
    beside = beside or Beside()
    shifts = beside.uncertainty(replicates, seed) if beside.uncertainty else {}
    done: list[Prediction] = []
    seen: dict[str, FloatArray] = {}
    for k, one in enumerate(observations):
        mine = [o for o in observations if o.study == one.study]
        sides = [(one.arm, 0)] if one.reference is None else [(one.arm, 0), (one.reference, 1)]
        stats = []
        lost = 0
        for arm, occasion in sides:
            key = f"{occasion} {arm!r}"
            if key not in seen:
                times = all_times(arm, mine)
                seen[key] = simulate_arm(
                    arm,
                    times,
                    replicates,
                    seed=seed,
                    threads=threads,
                    shifts=shifts,
                    parameters=parameters,
                    evenly=evenly,
                    occasion=occasion,
                )
            values = measure(one, arm, all_times(arm, mine), seen[key])
            lost += int(np.isnan(values).sum())
            stats.append(statistic(one.stat, values.reshape(replicates, arm.n)))
        result = stats[0] if len(stats) == 1 else stats[0] / stats[1]
        done.append(Prediction(one, _with_study_effect(one, result, beside, seed), lost))
        if k + 1 == len(observations) or observations[k + 1].study != one.study:
            seen.clear()
        if progress:
            progress(k + 1)
    return done


def _with_study_effect(one: Observation, result: FloatArray, beside: Beside, seed: int) -> FloatArray:
    """A study's own level, the same for all concentrations of an analyte in it, and each mean's own error.

    Times and ratios have neither.
    """
    if one.group not in ("exposure", "clearance"):
        return result
    drug = kind_of(one.analyte)
    level = beside.between_study.get(drug, 0.0) * _tailed(
        seed, f"study: {one.study}, {one.analyte}", len(result)
    )
    own = beside.within_study.get(drug, 0.0) * _tailed(seed, f"mean: {one.label}", len(result))
    effect = np.exp(level + own)
    return result * effect if one.group == "exposure" else result / effect


def _tailed(seed: int, stream: str, n: int) -> FloatArray:
    """(n,) from the t distribution."""
    drawn: FloatArray = stdtrit(TAILS, ndtr(normals(seed, stream, n)))
    return drawn


def statistic(stat: str, values: FloatArray) -> FloatArray:
    """(replicate,) of values (replicate, person); people without the measure are left out."""
    if stat == "geomean":
        with np.errstate(divide="ignore"):
            return np.exp(_over(np.nanmean, np.log(values)))
    return _over(np.nanmedian if stat == "median" else np.nanmean, values)


def _over(function: Callable[..., Any], values: FloatArray) -> FloatArray:
    some = ~np.isnan(values).all(axis=1)
    result = np.full(len(values), np.nan)
    result[some] = function(values[some], axis=1)
    return result if some.all() else np.where(some, result, np.nanmedian(result) if some.any() else np.nan)


def all_times(arm: Arm, observations: Sequence[Observation]) -> FloatArray:
    """Times [h] on the observations' clock that any observation of the study needs of this arm."""
    times = {0.0, *arm.sampling}
    for each in observations:
        times |= {
            t for t in (each.time, *each.window, *each.arm.sampling) if t is not None and 0 <= t < INFINITE
        }
        if each.measure == "accumulation":
            times |= {-_whole(arm) + t for t in (0.0, *arm.sampling) if t <= interval_of(arm)}
    return np.array(sorted(times))


def _whole(arm: Arm) -> float:
    """From the first dose to the last."""
    return arm.dose_times[-1]


def simulate_arm(
    arm: Arm,
    times: FloatArray,
    replicates: int,
    *,
    seed: int,
    threads: int = 1,
    shifts: Shifts | None = None,
    parameters: Mapping[str, float] | None = None,
    evenly: bool = False,
    occasion: int = 0,
) -> FloatArray:
    """(subject, time, analyte) concentrations in plasma [ng/mL]; subjects are replicates of the arm in turn."""
    people = dict(_drawn(arm, replicates, seed, evenly, occasion))
    _move(people, arm, shifts or {}, parameters or {})
    subjects = replicates * arm.n
    scale = people["weight"] if arm.per_kg else np.ones(subjects)
    regimen = Regimen((schedule(arm, kernel()),), np.zeros(subjects, int), scale, np.zeros(subjects))
    clock = (arm.before.length if arm.before else 0.0) + arm.dose_times[-1] + arm.clock_after
    settings = Settings(Tolerances(rtol=1e-4), threads)
    result = follow(kernel(), regimen, people, clock + times, settings)
    values: FloatArray = np.where((result.status == 0)[:, None, None], result.values, np.nan)
    return np.maximum(values, 0.0)


def _move(people: dict[str, Any], arm: Arm, shifts: Shifts, parameters: Mapping[str, float]) -> None:
    """Put other typical values under the people of an arm."""
    rows = _rows()
    for name, value in parameters.items():
        people[name] = _moved(rows[name], people[name], _step(rows[name], value))
    for name, shift in shifts.items():
        people[name] = _moved(rows[name], people[name], np.repeat(shift, arm.n))


@cache
def _rows() -> dict[str, Parameter]:
    return load_parameters()


@lru_cache(maxsize=128)
def _drawn(arm: Arm, replicates: int, seed: int, evenly: bool, occasion: int = 0) -> dict[str, Any]:
    """Model parameters of the people of all replicates, before any typical value is moved; not to be changed.

    On another occasion the people are the same but for what differs from one day to the next (occasions.tsv).
    """
    if occasion:
        same, again = _drawn(arm, replicates, seed, evenly), _drawn(arm, replicates, seed + 1_000_003, evenly)
        return same | {
            name: _between(_rows()[name], same[name], again[name], share)
            for name, share in occasions().items()
        }
    own = int.from_bytes(hashlib.sha256(f"{seed}/{arm.study}".encode()).digest()[:6])
    given = {FED: arm.fed, **{device: float(arm.route == device) for device in DEVICES}, **arm.given}
    unknown = () if GENOTYPE in arm.given else (GENOTYPE,)
    drawn = dict(draw(replicates * arm.n, seed=own, given=given, unknown=unknown, evenly=evenly).parameters)
    drawn["weight"] = _weights(arm, own, replicates * arm.n, evenly)
    return drawn


def _between(row: Parameter, same: Any, again: Any, share: float) -> FloatArray:
    """Values of the same people on another day: `share` of their variance is drawn again."""
    steps = [_step(row, values) for values in (same, again)]
    moved = np.sqrt(1.0 - share) * steps[0] + np.sqrt(share) * steps[1]
    result: FloatArray = _moved(row, row.value, moved)
    return result


def _step(row: Parameter, value: Any) -> Any:
    """How far a typical value is from the table's, on its own scale."""
    if row.distribution == "logitnormal" or row.name in SHARES:
        return logit(value) - logit(row.value)
    return np.log(np.asarray(value) / row.value)


def _moved(row: Parameter, values: Any, step: Any) -> Any:
    if row.distribution == "logitnormal" or row.name in SHARES:
        return expit(logit(values) + step)
    return np.asarray(values) * np.exp(step)


def _weights(arm: Arm, seed: int, subjects: int, evenly: bool) -> FloatArray:
    u, v = (uniforms(seed, f"arm: {what}", subjects) for what in ("weight", "sex"))
    if evenly:
        u, v = even(u), even(v)
    z = ndtri(u)
    if arm.weight is not None:
        mean, sd = arm.weight
        given: FloatArray = np.maximum(mean + sd * z, 0.5 * mean)
        return given
    share = 0.5 if arm.female is None else arm.female
    women = v < share
    rows = load_people()
    man, woman = (rows[f"weight_{sex}"] for sex in ("male", "female"))
    typical = np.where(women, woman.value, man.value)
    spread = np.where(women, woman.spread or 0.0, man.spread or 0.0)
    result: FloatArray = typical * np.exp(spread * z)
    return result


def schedule(arm: Arm, kernel: Kernel) -> Schedule:
    """The arm's doses in nmol; those at a rate for what is infused or smoked."""
    parameters = _rows()
    rows = _earlier(arm, kernel)
    offset = arm.before.length if arm.before else 0.0
    length = arm.duration or (BOLUS_H if arm.route == "iv" else 0.0)
    for drug, mg in (("THC", arm.thc_mg), ("CBD", arm.cbd_mg)):
        nmol = units.to_nmol(mg, g_per_mol=parameters[f"M_{drug}"].value) if mg else 0.0
        target = kernel.states.index(f"{drug}_{SITE[arm.route]}")
        for start in (offset + t for t in arm.dose_times) if nmol else ():
            if length:
                rows += [(start, RATE, target, nmol / length), (start + length, RATE, target, -nmol / length)]
            else:
                rows.append((start, ADD, target, nmol))
    rows.sort(key=lambda row: row[0])
    time, action, target_, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Schedule(np.array(time), np.array(action), np.array(target_), np.array(value))


def _earlier(arm: Arm, kernel: Kernel) -> list[tuple[float, int, int, float]]:
    """Doses of THC before the study, and what earlier use left; the lung's are inhaled at once."""
    rows: list[tuple[float, int, int, float]] = []
    typical = {name: row.value for name, row in _rows().items()}
    if before := arm.before:
        nmol = units.to_nmol(before.thc_mg, g_per_mol=typical["M_THC"])
        target = kernel.states.index(f"THC_{SITE[before.route]}")
        rows += [(k * before.every_h, ADD, target, nmol) for k in range(before.doses)]
    if arm.residual:
        nmol_per_l = arm.residual * 1e3 / typical["M_THC"]
        start = before.length if before else 0.0
        rows += [(start, ADD, kernel.states.index(s), nmol_per_l * typical[v]) for s, v in TISSUES.items()]
    return rows


def measure(one: Observation, arm: Arm, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject,) what was measured, from concentrations (subject, time, analyte) in plasma at `times`."""
    seen = values[:, :, ANALYTES.index(one.analyte)] * arm.matrix.get(one.analyte, 1.0)
    lloq = arm.lloq.get(one.analyte, 0.0)
    if one.measure == "accumulation":
        return _accumulation(arm, times, seen)
    if one.measure == "conc":
        return seen[:, int(np.argmin(np.abs(times - (one.time or 0.0))))]
    own = [] if one.window[1] == INFINITE else [t for t in one.window if t >= 0.0]
    sampled = np.isin(times, np.array([0.0, *arm.sampling, *own]))
    profiles = nca.Profiles(times[sampled], seen[:, sampled], lloq)
    what = one.measure.removeprefix("ratio_")
    if what == "Cmin":  # as a single concentration: leaving out who is under the limit would raise the mean
        lowest: FloatArray = profiles.values[:, profiles.times <= one.window[1]].min(axis=1)
        return lowest
    if what == "Cmax":
        return nca.peak(profiles)[0]
    if what == "Tmax":
        return nca.peak(profiles)[1]
    if what == "thalf":
        return nca.half_life(profiles)
    end = arm.duration or BOLUS_H
    if (
        arm.route == "iv"
        and one.analyte in ("THC", "CBD")
        and len(profiles.times) > 2
        and profiles.times[1] > end
    ):
        profiles = nca.from_injection(profiles, end)
    if what in ("AUC", "Cavg"):
        return _area(one, profiles) / (one.window[1] if what == "Cavg" else 1.0)
    mg = (arm.cbd_mg if "CBD" in one.analyte else arm.thc_mg) * (1.0 if not arm.per_kg else np.nan)
    repeated = len(arm.dose_times) > 1  # then the area of one interval counts
    whole = nca.area(profiles, 0.0, interval_of(arm)) if repeated else nca.area_to_infinity(profiles, 0.0)
    clearance = mg * 1e3 / whole
    return clearance if what == "CL" else clearance / nca.slope(profiles)


def _area(one: Observation, profiles: nca.Profiles) -> FloatArray:
    start, end = one.window
    if end == INFINITE:
        return nca.area_to_infinity(profiles, start)
    return nca.area_to_last(profiles, start) if end == LAST else nca.area(profiles, start, end)


def _accumulation(arm: Arm, times: FloatArray, seen: FloatArray) -> FloatArray:
    """Area over the last dosing interval over that of the first."""
    whole, interval = _whole(arm), interval_of(arm)
    late = (times >= 0.0) & (times <= interval)
    early = times <= interval - whole
    first = nca.Profiles(times[early] + whole, seen[:, early])
    final = nca.Profiles(times[late], seen[:, late])
    return nca.area(final, 0.0, interval) / nca.area(first, 0.0, interval)


__all__ = ["MIN_REPLICATES", "OUTPUTS", "Prediction", "measure", "predict_studies"]
