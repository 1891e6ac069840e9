"""From one comparison to one effect with its variance, on the scale on which effects are pooled.

effect(comparison, "OR") -> Effect(y=0.867, v=0.133, ...)     y is a logarithm where the measure is a ratio

Every effect is active against control. Sources of the formulas: docs/concepts/evidence.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from lissive.errors import EvidenceError
from lissive.evidence.comparison import DESIGNS, RATIOS, SINGLE, Comparison, Given, Group, weakest
from lissive.given import kind_of, text_of

LABELS: Mapping[str, str] = {
    "OR": "odds ratio",
    "RR": "risk ratio",
    "RD": "risk difference",
    "HR": "hazard ratio",
    "IRR": "rate ratio",
    "MD": "mean difference",
    "SMD": "standardised mean difference (Hedges' g)",
    "GMR": "ratio of geometric means",
    "PLO": "share of those who took the drug (logit)",
}
COUNTED = ("OR", "RR", "RD")
"""Measures of events."""
MEASURED = ("MD", "SMD", "GMR")
"""Measures of a continuous outcome."""
TIMED = ("HR", "IRR")
"""Measures of events over time."""
ALONE = ("PLO",)
"""Measures of one group, which compare nothing: a share, by its logit."""
FITS = {measure: family for family in (COUNTED, TIMED, MEASURED) for measure in family}


@dataclass(frozen=True)
class Counts:
    """Events a and no events b under active; c and d under control."""

    a: float
    b: float
    c: float
    d: float


@dataclass(frozen=True)
class Effect:
    """One study's effect on the scale of analysis."""

    study: str
    label: str
    measure: str
    y: float
    v: float
    """Variance of y."""
    n: float | None = None
    """Participants: both groups together; in a crossover each counted once."""
    design: str = "parallel"
    better: str = "lower"
    provenance: str = "read"
    patients: str = ""
    counts: Counts | None = None
    notes: tuple[str, ...] = ()
    """How it was obtained, where that is not plain."""

    @property
    def se(self) -> float:
        return math.sqrt(self.v)

    @property
    def estimate(self) -> float:
        """On the reader's scale: a ratio, not its logarithm."""
        return shown(self.measure, self.y)


class NotUsable(EvidenceError):
    """This comparison has no effect of this measure; `what` says why. Others may have."""


def shown(measure: str, y: float) -> float:
    """From the scale of analysis to the reader's.

    >>> shown("OR", 0.0), shown("MD", -0.3)
    (1.0, -0.3)
    """
    if measure in ALONE:
        return 1.0 / (1.0 + math.exp(-min(max(y, -700.0), 700.0)))
    if measure not in RATIOS:
        return y
    return math.exp(y) if y < 700 else math.inf


def null(measure: str) -> float:
    """The value of no effect, for a reader; none (nan) of one group alone."""
    return math.nan if measure in ALONE else 1.0 if measure in RATIOS else 0.0


def known_measure(measure: str) -> str:
    """The measure, or an error that lists the known ones."""
    word = text_of("measure", measure, wrong=EvidenceError, example="MD").upper()
    if word not in LABELS:
        raise EvidenceError(
            f"Unknown measure {measure!r}.{meant(word, tuple(LABELS))}",
            where="measure",
            allowed=", ".join(f"{name} ({label})" for name, label in LABELS.items()) + ".",
            do="name one of these measures.",
        )
    return word


def meant(word: str, known: Sequence[str]) -> str:
    """`typed.nearest` for words that are written in capitals."""
    from lissive.typed import nearest

    written = {each.lower(): each for each in known}
    hint = nearest(word, written)
    return next((f" Did you mean {each}?" for low, each in written.items() if f"mean {low}?" in hint), hint)


def effect(
    comparison: Comparison, measure: str, *, correlation: float | None = None, own: bool = True
) -> Effect:
    """The effect of one comparison.

    The study's own estimate is used where it reports this measure with an interval or a standard error: it is
    mostly adjusted, which counts and means are not. Otherwise it is calculated from the groups.

    Parameters
    ----------
    correlation : used for a crossover trial that reports none; a note says so.
    own : False ignores the study's own estimate, as Mantel-Haenszel requires counts.

    Raises       NotUsable with the reason, where this comparison cannot give this measure.
    """
    do = "take them from comparisons(STUDIES, outcome=...)."
    kind_of("comparison", comparison, Comparison, wrong=EvidenceError, do=do)
    measure = known_measure(measure)
    given = comparison.given
    if own and given is not None and given.measure == measure and _has_error(given):
        return _effect(comparison, measure, *_of_given(given), notes=("the study's own estimate",))
    if measure in ALONE:
        return _of_one_group(comparison, measure)
    if _is_blank(comparison.active) or _is_blank(comparison.control):
        raise NotUsable(_why_not_given(comparison, measure))
    if comparison.design not in DESIGNS:
        raise NotUsable(f"its design, {comparison.design or 'not stated'}, has no control group")
    if measure in COUNTED:
        return _of_counts(comparison, measure, correlation)
    if measure in TIMED:
        return _of_rates(comparison, measure)
    return _of_means(comparison, measure, correlation)


# -- the study's own estimate ----------------------------------------------------------------------
def _has_error(given: Given) -> bool:
    return given.se is not None or (given.low is not None and given.high is not None)


def _of_given(given: Given) -> tuple[float, float]:
    """Estimate and variance; the standard error is the interval's width over that of a standard normal one."""
    ratio = given.measure in RATIOS
    if ratio and given.estimate <= 0:
        raise NotUsable(f"its {LABELS[given.measure]} is {given.estimate:g}; a ratio must be positive")
    y = math.log(given.estimate) if ratio else given.estimate
    se = given.se if given.se is not None else _se_of_interval(given, given.low or 0.0, given.high or 0.0)
    if not (math.isfinite(se) and se > 0):
        raise NotUsable(f"its standard error is {se:g}; an effect without uncertainty cannot be weighted")
    return y, se**2


def _se_of_interval(given: Given, low: float, high: float) -> float:
    ratio = given.measure in RATIOS
    if not low < high:
        raise NotUsable(f"its interval runs from {low:g} to {high:g}")
    if ratio and low <= 0:
        raise NotUsable(f"its interval starts at {low:g}; a ratio must be positive")
    if not low <= given.estimate <= high:
        raise NotUsable(
            f"its interval, {low:g} to {high:g}, does not include its estimate, {given.estimate:g}"
        )
    ends = (math.log(low), math.log(high)) if ratio else (low, high)
    return (ends[1] - ends[0]) / (2.0 * NormalDist().inv_cdf(0.5 + given.level / 2.0))


def _why_not_given(comparison: Comparison, measure: str) -> str:
    given = comparison.given
    if given is None:
        return "it reports neither both groups' numbers nor a difference with its uncertainty"
    if given.measure == measure:
        return f"its {LABELS[measure]}, {given.estimate:g}, is reported without an interval or standard error"
    why = "one is of events, the other of a continuous outcome"
    if FITS[given.measure] == FITS[measure]:
        why = "one cannot be derived from the other without the groups' own numbers"
    return f"it reports a {LABELS[given.measure]}, not a {LABELS[measure]}: {why}"


# -- events -----------------------------------------------------------------------------------------
def _of_counts(comparison: Comparison, measure: str, correlation: float | None) -> Effect:
    raw = _counts(comparison, measure)
    notes: list[str] = []
    if measure != "RD" and (raw.a + raw.c == 0 or raw.b + raw.d == 0):
        which = "no participant" if raw.a + raw.c == 0 else "every participant"
        raise NotUsable(f"{which} had an event in either group: a ratio is not estimable")
    used = raw
    if 0 in (raw.a, raw.b, raw.c, raw.d):
        used = Counts(raw.a + 0.5, raw.b + 0.5, raw.c + 0.5, raw.d + 0.5)
        notes.append("0.5 added to each count, as one is zero (continuity correction)")
    y, v = _BINARY[measure](used)
    if measure == "RD":  # the correction is for the variance alone
        y = raw.a / (raw.a + raw.b) - raw.c / (raw.c + raw.d)
    if comparison.design == "crossover":
        r = _correlation(comparison, correlation, notes)
        v -= 2.0 * r * _shared_binary(used, measure)
    return _effect(comparison, measure, y, v, counts=raw, notes=tuple(notes))


def _counts(comparison: Comparison, measure: str) -> Counts:
    cells: list[float] = []
    for group in _groups(comparison):
        if group.n is None or group.events is None:
            if group.mean is not None:
                raise NotUsable(f"it reports means, from which no {LABELS[measure]} can be calculated")
            raise NotUsable(f"events or participants of the group {group.arm} are not reported")
        n, events = group.n, group.events
        if not 0 <= events <= n or n <= 0:
            raise NotUsable(f"{group.arm}: {events:g} of {n:g} participants with an event is impossible")
        cells += [events, n - events]
    return Counts(*cells)


def _odds(t: Counts) -> tuple[float, float]:
    return math.log(t.a * t.d / (t.b * t.c)), 1 / t.a + 1 / t.b + 1 / t.c + 1 / t.d


def _risks(t: Counts) -> tuple[float, float]:
    n, m = t.a + t.b, t.c + t.d
    return math.log((t.a / n) / (t.c / m)), 1 / t.a - 1 / n + 1 / t.c - 1 / m


def _risk_difference(t: Counts) -> tuple[float, float]:
    n, m = t.a + t.b, t.c + t.d
    return t.a / n - t.c / m, t.a * t.b / n**3 + t.c * t.d / m**3


_BINARY: Mapping[str, Callable[[Counts], tuple[float, float]]] = {
    "OR": _odds,
    "RR": _risks,
    "RD": _risk_difference,
}


def _shared_binary(t: Counts, measure: str) -> float:
    """Covariance of the two periods' terms per unit of correlation, by the delta method, n persons in both."""
    n, m = t.a + t.b, t.c + t.d
    p, q = t.a / n, t.c / m
    spread = math.sqrt(p * (1 - p) * q * (1 - q)) / min(n, m)
    return {"OR": spread / (p * (1 - p) * q * (1 - q)), "RR": spread / (p * q), "RD": spread}[measure]


def _of_rates(comparison: Comparison, measure: str) -> Effect:
    """Events over person-time: the rate ratio, of variance 1/a + 1/c (Cochrane Handbook 6.7.1)."""
    if measure == "HR":
        raise NotUsable("it reports no hazard ratio, which counts alone do not give")
    if comparison.design == "crossover":
        raise NotUsable("a crossover trial's rates need the correlation of their counts")
    cells = [(group.events, group.person_time) for group in _groups(comparison)]
    known = [(events, time) for events, time in cells if events is not None and time is not None]
    if len(known) < 2:
        raise NotUsable("person-time of a group is not reported")
    (a, t), (c, u) = known
    if min(t, u) <= 0 or min(a, c) < 0:
        raise NotUsable(f"{a:g} events in {t:g} and {c:g} in {u:g} of person-time are impossible")
    if a + c == 0:
        raise NotUsable("no participant had an event in either group: a ratio is not estimable")
    notes: tuple[str, ...] = ()
    if not a or not c:
        a, c = a + 0.5, c + 0.5
        notes = ("0.5 added to each count, as one is zero (continuity correction)",)
    return _effect(comparison, measure, math.log(a / t / (c / u)), 1 / a + 1 / c, notes=notes)


def _of_one_group(comparison: Comparison, measure: str) -> Effect:
    """Logit of the share with an event, of variance 1/a + 1/b; 0.5 where all or none had one, as metafor's PLO."""
    group = comparison.active
    if group is None or group.n is None or group.events is None:
        raise NotUsable("events or participants of those who took the drug are not reported")
    a, b = group.events, group.n - group.events
    if min(a, b) < 0 or group.n <= 0:
        raise NotUsable(f"{a:g} of {group.n:g} participants with an event is impossible")
    notes: tuple[str, ...] = ()
    if not a or not b:
        a, b = a + 0.5, b + 0.5
        notes = ("0.5 added to both counts, as one is zero (continuity correction)",)
    return _effect(comparison, measure, math.log(a / b), 1 / a + 1 / b, notes=notes)


# -- means ------------------------------------------------------------------------------------------
def _of_means(comparison: Comparison, measure: str, correlation: float | None) -> Effect:
    one, other = _moments(comparison, measure)
    notes: list[str] = []
    r = _correlation(comparison, correlation, notes) if comparison.design == "crossover" else None
    y, v = {"MD": _difference, "SMD": _standardised, "GMR": _geometric}[measure](one, other, r)
    if measure == "GMR":
        notes.append("geometric means calculated from arithmetic means, assuming log-normal values")
    return _effect(comparison, measure, y, v, notes=tuple(notes))


@dataclass(frozen=True)
class _Moments:
    n: float
    mean: float
    sd: float


def _moments(comparison: Comparison, measure: str) -> tuple[_Moments, _Moments]:
    found = []
    for group in _groups(comparison):
        if group.n is None or group.mean is None or group.sd is None:
            if group.events is not None:
                raise NotUsable(f"it counts events, from which no {LABELS[measure]} can be calculated")
            lacks = [name for name in ("n", "mean", "sd") if getattr(group, name) is None]
            raise NotUsable(f"{' and '.join(lacks)} of the group {group.arm} {_is(lacks)} not reported")
        if group.n < 2 or group.sd <= 0:
            raise NotUsable(
                f"{group.arm}: n {group.n:g} with a standard deviation of {group.sd:g} cannot be weighted"
            )
        found.append(_Moments(group.n, group.mean, group.sd))
    return found[0], found[1]


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _difference(x: _Moments, z: _Moments, r: float | None) -> tuple[float, float]:
    if r is not None:
        return x.mean - z.mean, (x.sd**2 + z.sd**2 - 2 * r * x.sd * z.sd) / min(x.n, z.n)
    return x.mean - z.mean, x.sd**2 / x.n + z.sd**2 / z.n


def _standardised(x: _Moments, z: _Moments, r: float | None) -> tuple[float, float]:
    """Hedges' g and its variance, as RevMan has them; crossover: Elbourne and others 2002."""
    n = x.n + z.n
    pooled = math.sqrt(((x.n - 1) * x.sd**2 + (z.n - 1) * z.sd**2) / (n - 2))
    g = (x.mean - z.mean) / pooled * (1 - 3 / (4 * n - 9))
    if r is not None:
        n = min(x.n, z.n)
        return g, (1 / n + g**2 / (2 * n)) * 2 * (1 - r)
    return g, n / (x.n * z.n) + g**2 / (2 * (n - 3.94))


def _geometric(x: _Moments, z: _Moments, r: float | None) -> tuple[float, float]:
    """Log-normal values: mean of the logs ln m − s²/2 with s² = ln(1 + cv²), Higgins and others 2008."""
    if x.mean <= 0 or z.mean <= 0:
        raise NotUsable("a mean is zero or negative, which is impossible for a log-normal quantity")
    one, other = (math.log1p((g.sd / g.mean) ** 2) for g in (x, z))
    y = math.log(x.mean) - one / 2 - math.log(z.mean) + other / 2
    if r is not None:
        return y, (one + other - 2 * r * math.sqrt(one * other)) / min(x.n, z.n)
    return y, one / x.n + other / z.n


# -- both -------------------------------------------------------------------------------------------
def _correlation(comparison: Comparison, assumed: float | None, notes: list[str]) -> float:
    """Within person; without it a crossover would be weighted as if its periods were of different people."""
    r = comparison.correlation
    if r is not None and not (
        comparison.assumed and assumed is not None
    ):  # an assumption of ours gives way to the user's
        notes.append(
            f"within-person correlation {r:g}"
            + (f", assumed: {comparison.assumed}" if comparison.assumed else "")
        )
    elif assumed is not None:
        r = assumed
        notes.append(f"within-person correlation {r:g}, assumed (--correlation)")
    else:
        raise NotUsable(
            "it is a crossover trial that reports neither a paired difference with its uncertainty nor the "
            "within-person correlation between treatments"
        )
    if not -1 < r < 1:
        raise NotUsable(f"a within-person correlation of {r:g} is impossible")
    # a mean over k treatments differs from control by a variance of (1 + 1/k)(1 - r), not 2 (1 - r)
    return 1 - (1 - r) * (1 + 1 / comparison.treatments) / 2


def _groups(comparison: Comparison) -> list[Group]:
    return [group for group in (comparison.active, comparison.control) if group is not None]


def _is_blank(group: Group | None) -> bool:
    return group is None or (group.events is None and group.mean is None)


def _effect(
    comparison: Comparison,
    measure: str,
    y: float,
    v: float,
    *,
    counts: Counts | None = None,
    notes: tuple[str, ...] = (),
) -> Effect:
    if not (math.isfinite(y) and math.isfinite(v) and v > 0):
        raise NotUsable(f"its {LABELS[measure]} is {y:g} with a variance of {v:g}")
    return Effect(
        study=comparison.study,
        label=comparison.label,
        measure=measure,
        y=y,
        v=v,
        n=participants(comparison),
        design=comparison.design,
        better=comparison.better,
        provenance=weakest((comparison.provenance,)),
        patients=comparison.patients or comparison.study,
        counts=counts,
        notes=notes,
    )


def participants(comparison: Comparison) -> float | None:
    """Participants of a comparison; None where it does not say."""
    sizes = [
        group.n
        for group in (comparison.active, comparison.control)
        if group is not None and group.n is not None
    ]
    if len(sizes) < 2:
        return sizes[0] if sizes and comparison.design == SINGLE else None
    return min(sizes) if comparison.design == "crossover" else sum(sizes)
