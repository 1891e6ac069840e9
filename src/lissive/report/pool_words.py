"""How pooled effects are said: numbers, intervals, designs, and which way benefit lies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lissive.evidence.absolute import Absolute
from lissive.evidence.answer_types import LeftOut, PooledAnswer, Result, StudyRow
from lissive.evidence.comparison import Group
from lissive.evidence.effect import null
from lissive.evidence.pooling import Pooled
from lissive.report.words import count, marked, percent, span, upper_first

DRUG, CONTROL = "the cannabinoid", "control"
DESIGNS = {
    "parallel": "Parallel groups: everybody who was let in is randomised",
    "crossover": "Crossover: each person has both, one after the other",
    "withdrawal": "Withdrawal: all took the drug, part was taken off it",
    "enriched": "Enriched: only those who did well on the drug before were randomised",
}
DESIGN_NAMES = {
    "parallel": "parallel groups",
    "crossover": "crossover",
    "withdrawal": "withdrawal",
    "enriched": "enriched",
}
ESTIMATORS = {
    "REML": "restricted maximum likelihood (REML)",
    "DL": "DerSimonian and Laird (DL)",
    "PM": "Paule and Mandel (PM)",
}
INTERVALS = {"HK": "Hartung and Knapp", "mHK": "Hartung and Knapp, modified", "Wald": "Wald"}


def number(x: float | None, measure: str = "") -> str:
    """An effect as the field prints it: two decimals, three of a risk difference.

    >>> number(2.509), number(-0.327), number(0.0667, "RD"), number(math.inf)
    ('2.51', '-0.33', '0.067', 'unbounded')
    """
    if x is None or math.isinf(x):
        return "unbounded"
    if measure == "RD":
        return f"{x:.3f}"
    if abs(x) >= 100:
        return f"{x:.3g}" if abs(x) < 1e5 else f"{x:.1e}"
    return f"{x:.2f}" if abs(x) < 10 else f"{x:.1f}"


def interval(ends: tuple[float, float] | None, measure: str = "") -> str:
    """From and to; nothing where there is none."""
    return "" if ends is None else span(number(ends[0], measure), number(ends[1], measure))


def whole(estimate: float, ci: tuple[float, float], measure: str) -> str:
    """Estimate and interval: 2.51 (1.56 to 4.04)."""
    return f"{number(estimate, measure)} ({interval(ci, measure)})"


def pooled_words(pooled: Pooled) -> str:
    return whole(pooled.estimate, pooled.ci, pooled.measure)


def row_words(row: StudyRow) -> str:
    return whole(row.effect.estimate, row.ci, row.effect.measure)


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def people(pooled: Pooled) -> str:
    """How many, and of how many studies where some do not say."""
    if not pooled.n_stated_by:
        return "number of people not stated"
    n = count(round(pooled.n), "person", "people")
    return n if pooled.n_stated_by == pooled.k else f"{n} in the {pooled.n_stated_by} that say how many"


def studies(k: int) -> str:
    return count(k, "study", "studies")


def counted(ids: Sequence[str]) -> str:
    """How many studies; where one has several arms, how many comparisons as well."""
    names, k = len(set(ids)), len(ids)
    return studies(k) if names in (0, k) else f"{k} comparisons of {studies(names)}"


def row_label(row: StudyRow) -> str:
    """A study's name with the mark of its weakest number."""
    return marked(row.effect.label, row.effect.provenance)


def group_words(group: Group | None) -> str:
    """One group's own numbers: 48/120, or mean -1.2 (SD 1.7, n 60)."""
    if group is None:
        return "-"
    n = "" if not group.n else _whole_people(group.n)
    if group.events is not None and n:
        return f"{_whole_people(group.events)}/{n}"
    if group.mean is not None:
        rest = [f"SD {group.sd:.3g}" if group.sd is not None else "", f"n {n}" if n else ""]
        inside = ", ".join(each for each in rest if each)
        return f"{group.mean:.3g}{f' ({inside})' if inside else ''}"
    return f"n {n}" if n else "-"


def _whole_people(x: float) -> str:
    """People; a control group that is shared out among arms is not whole."""
    return f"{x:.0f}" if x == round(x) else f"{x:.1f}"


def title(answer: PooledAnswer) -> str:
    where = answer.cause_label
    return upper_first(f"{answer.outcome.label}{f', in {where}' if where else ', in every cause'}")


def sides(better: str) -> tuple[str, str]:
    """What lies below and what above no difference, by which way is better."""
    if not better:
        return f"lower with {DRUG}", "higher with it"
    good, bad = f"better with {DRUG}", f"better with {CONTROL}"
    return (good, bad) if better == "lower" else (bad, good)


def null_value(answer: PooledAnswer) -> float:
    return null(answer.measure)


def finding(result: Result) -> str:
    """Which way a pooled estimate points, in words."""
    return {
        "benefit": f"better with {DRUG}",
        "harm": f"better with {CONTROL}",
        "lower": f"lower with {DRUG}",
        "higher": f"higher with {DRUG}",
        "either": "the interval holds no difference",
    }[result.direction]


def how(answer: PooledAnswer) -> str:
    """How the estimate was made, in a sentence."""
    if answer.overall is None:
        return ""
    pooled = answer.overall.pooled
    scale = f" in {answer.outcome.unit}" if answer.measure == "MD" else ""
    begin = upper_first(f"{answer.measure_label}{scale}, {DRUG} against {CONTROL}")
    if pooled.k == 1:
        return f"{begin}; 95 % interval."
    kind = "Mantel-Haenszel" if pooled.method == "MH" else "inverse variance"
    if pooled.model == "fixed":
        return f"{begin}. One common effect (fixed), {kind}; 95 % interval."
    return (
        f"{begin}. Random effects, {kind}; τ² by {ESTIMATORS[pooled.tau2_by]}; 95 % interval by "
        f"{INTERVALS[pooled.ci_by]}."
    )


def heterogeneity(pooled: Pooled) -> str:
    """How much the studies differ: I², τ², Q."""
    if pooled.k < 2:
        return ""
    tau2 = f"; τ² {pooled.tau2:.3g}" if pooled.model == "random" else ""
    return f"{i_squared(pooled)}{tau2}; Q {pooled.q:.1f} on {pooled.k - 1}, {p_value(pooled.q_p)}"


def i_squared(pooled: Pooled) -> str:
    return f"I² {pooled.i2:.0f} %"


def spread(result: Result) -> str:
    """The same, with the prediction interval."""
    found = heterogeneity(result.pooled)
    return f"{found}; a further study: {predicted(result)}" if result.pooled.predicted_y else found


def predicted(result: Result) -> str:
    """The prediction interval, or that so few studies give none: numbers that no patient can have say nothing."""
    if result.prediction_beyond_scale:
        return f"{counted(result.studies)} cannot tell"
    return interval(result.pooled.prediction_interval, result.pooled.measure)


def absolute_words(answer: PooledAnswer) -> str:
    """What it means for a thousand people, and the number needed to treat; each design by itself."""
    if answer.overall is None or answer.overall.absolute is None:
        return ""
    several = len(answer.by_design) > 1
    parts = [
        (f"{DESIGN_NAMES[each.design]}, " if several else "") + _risks(each.absolute)
        for each in (answer.by_design if several else [answer.overall])
        if each.absolute is not None
    ]
    return f"In absolute numbers ({answer.outcome.label}): {' '.join(parts)}"


def _risks(found: Absolute) -> str:
    low, high = sorted(found.risk_ci)
    source = "as asked" if found.baseline_from == "as asked" else "of the control groups"
    return (
        f"without the drug {percent(found.baseline)} ({source}), with it {percent(found.risk)} "
        f"({span(percent(low), percent(high))}); {abs(1000 * found.benefit):.0f} of 1000 are "
        f"{'better' if found.benefit >= 0 else 'worse'} off; {found.words()}."
    )


def left_out_words(row: LeftOut) -> str:
    """Why it is not in the figure, what it says all the same, and where that stands in its entry."""
    key = f" [{row.key}]" if row.key else ""
    reported = f"; it says: {row.text}" if row.text else ""
    return f"{row.reason.rstrip('.')}{reported}{key}"
