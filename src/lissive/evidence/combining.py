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
    (60, 5.5, 2.0455)
    """
    arm = " + ".join(each.arm for each in groups)
    sizes = [each.n for each in groups if each.n is not None]
    if len(sizes) < len(groups) or not sum(sizes):
        return Group(arm)
    n = sum(sizes)
    events = [each.events for each in groups if each.events is not None]
    means = [each.mean for each in groups if each.mean is not None]
    sds = [each.sd for each in groups if each.sd is not None]
    mean = sd = None
    if len(means) == len(groups):
        mean = sum(m * x for m, x in zip(sizes, means, strict=True)) / n
        if len(sds) == len(groups) and n > 1:
            within = sum((m - 1) * s**2 for m, s in zip(sizes, sds, strict=True))
            between = sum(m * (x - mean) ** 2 for m, x in zip(sizes, means, strict=True))
            sd = math.sqrt((within + between) / (n - 1))
    return Group(arm, n=n, events=sum(events) if len(events) == len(groups) else None, mean=mean, sd=sd)


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
