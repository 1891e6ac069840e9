"""Several active arms of one trial as one comparison, so that a trial counts once.

Groups are combined as Cochrane Handbook 6.5.2.10 has it, against the whole control group (23.3.4). Reported differences
are averaged by the participants of their arms, with the covariance that the shared control group gives them. In a
crossover the same persons took every treatment: the mean over treatments is compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lissive.evidence.comparison import RATIOS, Comparison, Given, Group, weakest
from lissive.evidence.effect import NotUsable, effect

BOOK = "Cochrane Handbook 23.3.4"


def combined(parts: Sequence[Comparison], label: str) -> Comparison:
    """The comparisons of one trial's arms, each with the same control group, as one.

    Parameters
    ----------
    label : of the trial.
    """
    first = parts[0]
    given, more = _given(parts)
    products = tuple(dict.fromkeys(word for each in parts for word in each.products))
    arms = [each.active.arm if each.active else each.label for each in parts]
    is_crossover = first.design == "crossover"
    how = (
        f"the mean over {len(parts)} treatments of the same persons"
        if is_crossover
        else "arms combined, against the whole control group"
    )
    note = f"{', '.join(arms)}: {how} ({BOOK})"
    notes = [note, *more, *(text for each in parts for text in each.note.split("; ") if text)]
    actives = [each.active for each in parts if each.active is not None]
    active = None
    if len(actives) == len(parts):
        active = (mean_of_treatments if is_crossover else one_group)(actives)
    return replace(
        first,
        label=label,
        product=products[0] if len(products) == 1 else "",
        products=products,
        active=active,
        given=given,
        treatments=len(parts) if is_crossover else 1,
        provenance=weakest(tuple(each.provenance for each in parts)),
        cited=tuple(dict.fromkeys(cited for each in parts for cited in each.cited)),
        note="; ".join(dict.fromkeys(notes)),
    )


def one_group(groups: Sequence[Group]) -> Group:
    """Groups of different persons as one; what one of them lacks is lacking.

    >>> both = one_group([Group("a", 30, mean=5.0, sd=2.0), Group("b", 30, mean=6.0, sd=2.0)])
    >>> both.n, both.mean, round(both.sd, 4)
    (60, 5.5, 2.0461)
    """
    arm = " + ".join(each.arm for each in groups)
    n, events, time = (_sum(groups, name) for name in ("n", "events", "person_time"))
    means = [(each.n, each.mean, each.sd) for each in groups if each.n and each.mean is not None]
    mean = sd = None
    if n and len(means) == len(groups):
        mean = sum(m * x for m, x, _ in means) / n
        spread = [(m - 1) * s**2 + m * (x - mean) ** 2 for m, x, s in means if s is not None]
        sd = math.sqrt(sum(spread) / (n - 1)) if len(spread) == len(groups) and n > 1 else None
    return Group(arm, n=n, events=events, mean=mean, sd=sd, person_time=time)


def _sum(groups: Sequence[Group], name: str) -> float | None:
    values = [value for each in groups if (value := getattr(each, name)) is not None]
    return sum(values) if len(values) == len(groups) else None


def mean_of_treatments(groups: Sequence[Group]) -> Group:
    """Treatments of the same persons as their mean; the deviation is that under one treatment."""
    k, found = len(groups), {}
    for name in ("events", "mean"):
        values = [value for each in groups if (value := getattr(each, name)) is not None]
        found[name] = sum(values) / k if len(values) == k else None
    sds = [each.sd for each in groups if each.sd is not None]
    sizes = [each.n for each in groups if each.n is not None]
    return Group(
        " + ".join(each.arm for each in groups),
        n=min(sizes, default=None),
        sd=math.sqrt(sum(sd**2 for sd in sds) / k) if len(sds) == k else None,
        **found,
    )


def _given(parts: Sequence[Comparison]) -> tuple[Given | None, list[str]]:
    """The arms' own estimates as one; None where an arm has none and its groups give none."""
    measure = next((each.given.measure for each in parts if each.given is not None), None)
    if measure is None:
        return None, []
    try:
        effects = [effect(each, measure) for each in parts]
    except NotUsable:
        return None, ["an arm gives no such estimate: the groups' own numbers are used"]
    y, v = [each.y for each in effects], [each.v for each in effects]
    weights, shares, notes = _weights(parts)
    total = sum(
        wi * wj * (vi if i == j else math.sqrt(vi * vj * ri * rj))
        for i, (wi, vi, ri) in enumerate(zip(weights, v, shares, strict=True))
        for j, (wj, vj, rj) in enumerate(zip(weights, v, shares, strict=True))
    )
    mean = sum(w * each for w, each in zip(weights, y, strict=True))
    estimate = math.exp(mean) if measure in RATIOS else mean
    return Given(measure, float(f"{estimate:.10g}"), se=math.sqrt(total)), notes


def _weights(parts: Sequence[Comparison]) -> tuple[list[float], list[float], list[str]]:
    """Weight of each arm, and the share of its variance that is the control group's: n/(n + m) with one variance."""
    k = len(parts)
    if parts[0].design == "crossover":  # between differences from the same control period
        return [1 / k] * k, [0.5] * k, []
    sizes = [(each.active.n, each.control.n) for each in parts if each.active and each.control]
    known = [(n, m) for n, m in sizes if n and m]
    if len(known) < k:
        note = "participants of the arms are not stated: arms and control group taken as equally large"
        return [1 / k] * k, [0.5] * k, [note]
    total = sum(n for n, _ in known)
    return [n / total for n, _ in known], [n / (n + m) for n, m in known], []


def clustered(one: Comparison, design_effect: float) -> Comparison:
    """A cluster trial's groups with as many participants as they are worth; its own estimate is taken as adjusted."""
    if design_effect == 1.0:
        return one
    groups = [None if each is None else _shrunk(each, design_effect) for each in (one.active, one.control)]
    note = f"participants and events divided by {design_effect:.3g}, the design effect of its clusters"
    if one.given is not None:
        note += "; its own estimate is taken as adjusted for them"
    return replace(one, active=groups[0], control=groups[1], note="; ".join(filter(None, (one.note, note))))


def _shrunk(group: Group, by: float) -> Group:
    less = {name: value / by for name in ("n", "events") if (value := getattr(group, name)) is not None}
    return replace(group, **less)
