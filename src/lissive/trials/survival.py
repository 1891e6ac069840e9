"""Times to an event in two arms of a trial, by lifelines; columns and gaps as in `estimate`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lissive.arrays import AnyArray, FloatArray
from lissive.trials._fits import (
    Estimate,
    Term,
    as_arm,
    complete,
    estimate_of,
    nothing,
    quiet,
    sound,
    too_few,
)


def _not_estimable(time: FloatArray, failed: FloatArray, arm: FloatArray) -> str:
    """Why the times say nothing of the arms; empty where they do."""
    if note := too_few(arm):
        return note
    if not failed.any():
        return "no events"
    first = time[failed == 1].min()
    at_risk = time >= first
    # Who is at risk later is at risk at the first event: if nothing is estimable then, nothing is later.
    if np.unique(arm[at_risk]).size < 2:
        return "the arms are never at risk together"
    return "all at risk fail at once" if failed[at_risk & (time == first)].sum() == at_risk.sum() else ""


def hazard_ratio(time: AnyArray, failed: AnyArray, treated: AnyArray, *, alpha: float = 0.05) -> Estimate:
    """Ratio of hazards, treated to control, by Cox regression (Efron's handling of ties).

    Where the ratio has no finite estimate (events in one arm only, say), the p-value is the log-rank test's.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        treated: (n,) 1 treated, 0 control.
        alpha: 1 minus the confidence level.
    """
    import pandas as pd
    from lifelines import CoxPHFitter

    time, failed, arm = complete(time, as_arm(failed), as_arm(treated))
    if note := _not_estimable(time, failed, arm):
        return nothing("Cox", time.size, note)
    if np.unique(arm[failed == 1]).size == 2:
        table = pd.DataFrame({"time": time, "failed": failed, "treated": arm})
        try:
            with quiet():
                fit = CoxPHFitter(alpha=alpha).fit(table, "time", "failed")
                value, se, p = fit.summary.loc["treated", ["coef", "se(coef)", "p"]]
                term = Term(*map(float, (value, se, p, *fit.confidence_intervals_.to_numpy()[0])))
            if sound(term):
                return estimate_of("Cox", term, time.size)
        except (ValueError, ArithmeticError):  # lifelines' ConvergenceError is a ValueError
            pass
    p = log_rank(time, failed, arm).p
    return nothing("Cox", time.size, "no finite ratio; p from the log-rank test", p)


def log_rank(time: AnyArray, failed: AnyArray, treated: AnyArray) -> Estimate:
    """The log-rank test of two arms: a p-value alone.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        treated: (n,) 1 treated, 0 control.
    """
    from lifelines.statistics import logrank_test

    time, failed, arm = complete(time, as_arm(failed), as_arm(treated))
    if note := _not_estimable(time, failed, arm):
        return nothing("log-rank", time.size, note)
    first, second = arm == 1, arm == 0
    with quiet():
        test = logrank_test(time[first], time[second], failed[first], failed[second])
    return nothing("log-rank", time.size, "", float(test.p_value))


def survival(time: AnyArray, failed: AnyArray, at: Sequence[float] | FloatArray) -> tuple[float, ...]:
    """Kaplan and Meier's share without an event, at each time of `at`; NaN where there is nobody.

    After the last time that is known of anybody, the share stays as it was.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        at: (m,) times, in the same unit.
    """
    from lifelines import KaplanMeierFitter

    time, failed = complete(time, as_arm(failed))
    if not time.size or not len(at):
        return (math.nan,) * len(at)
    with quiet():
        shares = KaplanMeierFitter().fit(time, failed).survival_function_at_times(np.asarray(at, dtype=float))
    return tuple(map(float, shares))
