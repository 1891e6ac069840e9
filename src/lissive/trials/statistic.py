"""A published figure, calculated from a virtual trial in the way in which it was from the real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lissive.trials.data import TrialData
from lissive.trials.design import Design
from lissive.trials.endpoint import COUNT, ArmResult, arm_result, column
from lissive.trials.parts import Endpoint
from lissive.trials.published import Observed
from lissive.trials.survival import hazard_ratio

RATIOS = ("odds_ratio", "hazard_ratio")


def endpoint_of(design: Design, observed: Observed) -> Endpoint:
    """The design's endpoint that the figure is of, at the figure's visit."""
    found = next(each for each in design.endpoints if each.name == observed.endpoint)
    week = observed.week if observed.week in design.visits_weeks else None
    return found.model_copy(update={"at_week": week})


def statistic(design: Design, data: Mapping[str, TrialData], observed: Observed) -> float:
    """The figure in one virtual trial; NaN where it has none.

    data : arm to the trial; the same for all arms, or each with everybody on that arm (a counterfactual set).
    """
    if observed.against is None:
        return _of_one(_arm(design, data, observed, observed.arm, observed.n), observed)
    of_mine, of_other = _shared(design, data, observed)
    mine = _arm(design, data, observed, observed.arm, of_mine)
    other = _arm(design, data, observed, observed.against, of_other)
    if observed.statistic == "difference":
        return mine.mean - other.mean
    if observed.statistic == "odds_ratio":
        return float(np.exp(_log_odds(mine) - _log_odds(other)))
    if observed.statistic == "hazard_ratio":
        return _hazard_ratio(design, data[observed.arm], observed)
    raise ValueError(observed.statistic)


def _shared(
    design: Design, data: Mapping[str, TrialData], observed: Observed
) -> tuple[int | None, int | None]:
    """How many patients of a comparison are in each of its arms: in proportion to those who were randomised."""
    if observed.n is None or design.crossover:
        return observed.n, observed.n
    arms = list(design.arms)
    sizes = [(data[str(a)].treatment == arms.index(str(a))).sum() for a in (observed.arm, observed.against)]
    mine = round(observed.n * float(sizes[0]) / max(float(sum(sizes)), 1.0))
    return mine, observed.n - mine


def _arm(
    design: Design, data: Mapping[str, TrialData], observed: Observed, arm: str, most: int | None
) -> ArmResult:
    """One arm; no more patients than the paper had, as a figure may be of a part of them."""
    col = column(design, data[arm], endpoint_of(design, observed))
    place = list(design.arms).index(arm)
    rows = np.flatnonzero(col.of(place))
    if most is not None and len(rows) > most:
        value = col.value.copy()
        value[rows[most:]] = np.nan
        col = replace(col, value=value)
    return arm_result(col, place)


def _of_one(result: ArmResult, observed: Observed) -> float:
    if result.kind == COUNT:  # its mean is a level
        return result.mean - result.base if observed.statistic == "change" else result.mean
    if observed.statistic == "end":
        return result.mean + result.base
    if observed.statistic in ("change_sd", "sd"):
        return result.sd
    return result.mean


def _log_odds(result: ArmResult) -> float:
    hits = result.mean * result.n
    return float(np.log((hits + 0.5) / (result.n - hits + 0.5)))


def _hazard_ratio(design: Design, data: TrialData, observed: Observed) -> float:
    col = column(design, data, endpoint_of(design, observed))
    arms = list(design.arms)
    rows = np.isin(col.treatment, [arms.index(observed.arm), arms.index(str(observed.against))])
    treated = (col.treatment[rows] == arms.index(observed.arm)).astype(float)
    return hazard_ratio(col.value[rows], col.failed[rows], treated).value


__all__ = ["RATIOS", "endpoint_of", "statistic"]
