"""Non-compartmental analysis of many subjects at once.

Conventions of the field: area by linear trapezoids while the concentration rises and logarithmic ones while it
falls; terminal slope by log-linear regression over the last points, at least three and none at or before the
peak, as many as give the best adjusted r², more rather than fewer where that is the same to 0.0001; extrapolation from
the last quantifiable concentration. Concentrations under the limit of quantification count as none before the peak;
the first of them after it ends the profile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray

SAME_FIT = 1e-4
"""Of the adjusted r²: a fit that is worse by less is as good."""


@dataclass(frozen=True)
class Profiles:
    """Sampled concentrations. `times` (time,) increasing, h; `values` (subject, time) in any unit per volume."""

    times: FloatArray
    values: FloatArray
    lloq: float = 0.0

    @property
    def quantified(self) -> FloatArray:
        """(subject, time); 0 where under the limit."""
        result: FloatArray = np.where(self.values >= self.lloq, self.values, 0.0)
        return result


def from_injection(profiles: Profiles, end: float = 0.0) -> Profiles:
    """The same with the concentration at the end of an injection extrapolated back from the first two samples.

    end : when the injection was over [h], before the first sample; the first time of the profile has to be 0.
    Where the first two samples do not fall, the first of them is taken.
    """
    t, c = profiles.times, profiles.values
    positive = (c[:, 1] > 0) & (c[:, 2] > 0) & (c[:, 2] < c[:, 1])
    ratio = np.where(positive, c[:, 1], 1.0) / np.where(positive, c[:, 2], 1.0)
    back = c[:, 1] * ratio ** ((t[1] - end) / (t[2] - t[1]))
    if end == 0.0:
        return Profiles(t, np.column_stack([back, c[:, 1:]]), profiles.lloq)
    times = np.concatenate([t[:1], [end], t[1:]])
    return Profiles(times, np.column_stack([c[:, 0], back, c[:, 1:]]), profiles.lloq)


def peak(profiles: Profiles) -> tuple[FloatArray, FloatArray]:
    """Highest concentration and its time, (subject,) each; NaN where none can be quantified."""
    seen = profiles.quantified
    at = seen.argmax(axis=1)
    highest = seen[np.arange(len(seen)), at]
    found = highest > 0
    return np.where(found, highest, np.nan), np.where(found, profiles.times[at], np.nan)


def last(profiles: Profiles) -> IntArray:
    """(subject,) place of the last time before one after the peak is under the limit; -1 where none is over it."""
    seen = profiles.quantified
    place = np.arange(seen.shape[1])
    over = (seen <= 0) & (place > seen.argmax(axis=1)[:, None])
    ends = np.where(over.any(axis=1), over.argmax(axis=1), len(place)) - 1
    result: IntArray = np.where((seen > 0).any(axis=1), ends, -1).astype(np.int64)
    return result


def area(profiles: Profiles, start: float, end: float) -> FloatArray:
    """(subject,) area from `start` to `end` [h]; both are interpolated where they are not sampling times.

    An `end` after the last sampling time is that time, and after the subject's last quantifiable time there is
    nothing more. NaN where nothing can be quantified.
    """
    times, values = profiles.times, profiles.quantified
    end = min(end, float(times[-1]))
    inside = (times > start) & (times < end)
    grid = np.concatenate([[start], times[inside], [end]])
    at = _between(grid, times, values)
    ends = last(profiles)
    counted = grid[1:][None, :] <= times[np.maximum(ends, 0)][:, None]
    return np.where(ends >= 0, (_trapezoids(grid, at) * counted).sum(axis=1), np.nan)


def area_to_last(profiles: Profiles, start: float) -> FloatArray:
    """(subject,) area from `start` to each subject's last quantifiable time."""
    times, values = profiles.times, profiles.quantified
    pieces = _trapezoids(times, values)
    ends = last(profiles)
    counted = (times[1:][None, :] <= times[np.maximum(ends, 0)][:, None]) & (times[:-1] >= start)[None, :]
    return np.where(ends >= 0, (pieces * counted).sum(axis=1), np.nan)


def slope(profiles: Profiles) -> FloatArray:
    """(subject,) terminal rate constant [1/h]; NaN where three points after the peak are not there."""
    times, values = profiles.times, profiles.quantified
    ends, tops = last(profiles), values.argmax(axis=1)
    logs = np.log(np.where(values > 0, values, 1.0))
    place = np.arange(len(times))
    best = np.full(len(values), -np.inf)
    found: FloatArray = np.full(len(values), np.nan)
    for points in range(3, len(times) + 1):
        first = ends - points + 1
        used = (place >= first[:, None]) & (place <= ends[:, None]) & (values > 0)
        enough = (first > tops) & (used.sum(axis=1) == points)
        rate, fit = _regression(times, logs, used)
        better = enough & (rate > 0) & (fit > best - SAME_FIT)
        best, found = np.where(better, np.maximum(fit, best), best), np.where(better, rate, found)
    return found


def half_life(profiles: Profiles) -> FloatArray:
    """(subject,) terminal half-life [h]."""
    result: FloatArray = np.log(2.0) / slope(profiles)
    return result


def area_to_infinity(profiles: Profiles, start: float) -> FloatArray:
    """(subject,) area extrapolated from the last quantifiable concentration; NaN without a terminal slope."""
    ends = np.maximum(last(profiles), 0)
    tail = profiles.quantified[np.arange(len(ends)), ends] / slope(profiles)
    result: FloatArray = area_to_last(profiles, start) + tail
    return result


def _trapezoids(times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject, interval) areas: linear up, logarithmic down."""
    before, after = values[:, :-1], values[:, 1:]
    width = np.diff(times)
    linear = 0.5 * (before + after) * width
    falls = (after < before) & (after > 0)
    fall = np.where(falls, before - after, 1.0)
    ratio = np.log1p(fall / np.where(falls, after, 1.0))  # exact where the two are nearly the same
    result: FloatArray = np.where(falls, fall * width / ratio, linear)
    return result


def _between(at: FloatArray, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject, at) values at other times: on the logarithm where the profile falls, else linear."""
    right = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    before, after = values[:, right - 1], values[:, right]
    share = np.clip((at - times[right - 1]) / (times[right] - times[right - 1]), 0.0, 1.0)
    falls = (after < before) & (after > 0)
    ratio = np.where(falls, after, 1.0) / np.where(falls, before, 1.0)
    return np.where(falls, before * ratio**share, before + (after - before) * share)


def _regression(times: FloatArray, logs: FloatArray, used: BoolArray) -> tuple[FloatArray, FloatArray]:
    """(subject,) minus the slope of `logs` on `times` over the points used, and the adjusted r²."""
    n = used.sum(axis=1).astype(float)
    safe = np.maximum(n, 1.0)
    x = np.where(used, times, 0.0)
    y = np.where(used, logs, 0.0)
    dx = np.where(used, times - (x.sum(axis=1) / safe)[:, None], 0.0)
    dy = np.where(used, logs - (y.sum(axis=1) / safe)[:, None], 0.0)
    xx, xy, yy = (dx * dx).sum(axis=1), (dx * dy).sum(axis=1), (dy * dy).sum(axis=1)
    rate = -np.divide(xy, xx, out=np.full_like(xx, np.nan), where=xx > 0)
    fit = np.divide(xy * xy, xx * yy, out=np.zeros_like(xx), where=(xx > 0) & (yy > 0))
    return rate, 1.0 - (1.0 - fit) * (safe - 1.0) / np.maximum(safe - 2.0, 1.0)
