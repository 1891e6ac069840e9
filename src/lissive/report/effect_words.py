"""How effects, intervals, groups and what was found are printed: for the text, the page and the forest plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lissive.evidence.answer_types import (
    Absolute,
    Certainty,
    LeftOut,
    OutcomeLike,
    PooledAnswer,
    Result,
    StudyRow,
)
from lissive.evidence.comparison import NOT_ASSESSED, Group
from lissive.evidence.effect import ALONE
from lissive.evidence.pooling import METHOD_NAMES, Pooled
from lissive.evidence.read import Funding
from lissive.report.words import (
    count,
    marked,
    percent,
    span,
    upper_first,
)

DRUG, CONTROL = "the cannabinoid", "control"
DESIGNS = {
    "parallel": "Parallel groups: all enrolled participants are randomised",
    "crossover": "Crossover: each participant takes both treatments in sequence",
    "withdrawal": "Randomised withdrawal: all took the drug, then continued or switched to placebo",
    "enriched": "Enriched enrolment: only run-in responders to the drug are randomised",
    "single": "Those who took the drug, alone: no comparison with control",
}
DESIGN_NAMES = {
    "parallel": "parallel groups",
    "crossover": "crossover",
    "withdrawal": "randomised withdrawal",
    "enriched": "enriched enrolment",
    "single": "those who took the drug, alone",
}
ESTIMATORS = {
    "REML": "restricted maximum likelihood (REML)",
    "DL": "DerSimonian-Laird (DL)",
    "PM": "Paule-Mandel (PM)",
    "SJ": "Sidik-Jonkman (SJ)",
}
INTERVALS = {"HK": "Hartung-Knapp", "mHK": "Hartung-Knapp, modified", "Wald": "Wald"}


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


_TOO_WIDE = 1e4
"""Upper over lower limit of a ratio from which its interval says nothing."""


def interval(ends: tuple[float, float] | None, measure: str = "") -> str:
    """Lower to upper limit; empty where there is none; of a ratio's that says nothing, that.

    >>> interval((0.5, 2.0), "OR"), interval((0.001, 10200.0), "OR")
    ('0.50 to 2.00', 'not estimable (too few studies)')
    """
    if ends and measure in ("OR", "RR") and math.isfinite(ends[1]) and ends[1] > _TOO_WIDE * ends[0]:
        return "not estimable (too few studies)"
    return "" if ends is None else span(number(ends[0], measure), number(ends[1], measure))


def estimate_words(estimate: float, ci: tuple[float, float], measure: str) -> str:
    """Estimate and interval: 2.51 (1.56 to 4.04)."""
    return f"{number(estimate, measure)} ({interval(ci, measure)})"


def pooled_words(pooled: Pooled) -> str:
    return estimate_words(pooled.estimate, pooled.ci, pooled.measure)


def row_words(row: StudyRow) -> str:
    return estimate_words(row.effect.estimate, row.ci, row.effect.measure)


def ci_name(level: float) -> str:
    """What an interval of this level is called.

    >>> ci_name(0.95)
    '95 % CI'
    """
    return f"{100 * level:g} % CI"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def participants(pooled: Pooled) -> str:
    """How many, and of how many comparisons where some do not report it."""
    if not pooled.n_stated_by:
        return "number of participants not reported"
    n = count(round(pooled.n), "participant")
    return n if pooled.n_stated_by == pooled.k else f"{n} in the {pooled.n_stated_by} that report it"


def studies(k: int) -> str:
    return count(k, "study", "studies")


def k_words(ids: Sequence[str]) -> str:
    """The number of pooled studies as the field prints it.

    >>> k_words(["a", "b"])
    'k = 2'
    """
    return f"k = {len(ids)}"


def row_label(row: StudyRow) -> str:
    """A study's name with the mark of its least reliable number."""
    return marked(row.effect.label, row.effect.provenance)


def group_words(group: Group | None) -> str:
    """One group's own numbers: 48/120, mean -1.2 (SD 1.7, n 60), or events in a time of observation.

    >>> group_words(Group("drug", events=7, person_time=1344.5))
    '7/1344.5'
    """
    if group is None:
        return "-"
    if group.events is not None and group.person_time:
        return f"{_whole(group.events)}/{group.person_time:g}"
    n = "" if not group.n else _whole(group.n)
    if group.events is not None and n:
        return f"{_whole(group.events)}/{n}"
    if group.mean is not None:
        rest = [f"SD {group.sd:.3g}" if group.sd is not None else "", f"n {n}" if n else ""]
        inside = ", ".join(each for each in rest if each)
        return f"{group.mean:.3g}{f' ({inside})' if inside else ''}"
    return f"n {n}" if n else "-"


def _whole(x: float) -> str:
    """Participants; a control group divided among arms is not a whole number."""
    return f"{x:.0f}" if x == round(x) else f"{x:.1f}"


def title(answer: PooledAnswer) -> str:
    where = answer.cause_label
    return upper_first(f"{answer.outcome.label}{f', in {where}' if where else ', all causes'}")


def sides(better: str, measure: str = "") -> tuple[str, str]:
    """What lies below and above no effect, by which way is better; nothing of a measure that compares nothing."""
    if measure in ALONE:
        return "", ""
    if not better:
        return f"lower with {DRUG}", f"higher with {DRUG}"
    good, bad = f"favours {DRUG}", f"favours {CONTROL}"
    return (good, bad) if better == "lower" else (bad, good)


def finding(result: Result, outcome: OutcomeLike, drug: str = DRUG) -> str:
    """Direction of a pooled estimate, in words: of events that harm, whether there are more."""
    events = outcome.kind == "share" and outcome.better == "lower"
    return {
        "benefit": f"fewer with {drug}" if events else f"favours {drug}",
        "harm": f"more with {drug}" if events else f"favours {CONTROL}",
        "lower": f"lower with {drug}",
        "higher": f"higher with {drug}",
        "none": "no comparison with control",
        "either": f"{ci_name(result.pooled.level)} includes no effect",
    }[result.direction]


def how(answer: PooledAnswer) -> str:
    """How the estimate was made, in a sentence."""
    if answer.overall is None:
        return ""
    pooled = answer.overall.pooled
    ci = ci_name(pooled.level)
    scale = f" in {answer.outcome.unit}" if answer.measure == "MD" else ""
    against = "" if answer.measure in ALONE else f", {DRUG} versus {CONTROL}"
    begin = upper_first(f"{answer.measure_label}{scale}{against}")
    if pooled.k == 1:
        return f"{begin}; {ci}."
    kind = METHOD_NAMES[pooled.method]
    if pooled.model == "fixed":
        return f"{begin}. Fixed-effect model, {kind}; {ci}."
    return (
        f"{begin}. Random-effects model, {kind}; τ² by {ESTIMATORS[pooled.tau2_by]}; {ci} by "
        f"{INTERVALS[pooled.ci_by]}."
    )


def heterogeneity(pooled: Pooled) -> str:
    """I², τ², Q."""
    if pooled.k < 2:
        return ""
    tau2 = f"; τ² = {pooled.tau2:.3g}" if pooled.model == "random" else ""
    return f"{i_squared(pooled)}{tau2}; Q = {pooled.q:.1f}, df = {pooled.k - 1}, {p_value(pooled.q_p)}"


def i_squared(pooled: Pooled) -> str:
    return f"I² = {pooled.i2:.0f} %"


def spread(result: Result) -> str:
    """Heterogeneity, and the prediction interval."""
    found = heterogeneity(result.pooled)
    name = f"{100 * result.pooled.level:g} % prediction interval"
    return f"{found}; {name} {predicted(result)}" if result.pooled.predicted_y else found


def predicted(result: Result) -> str:
    """The prediction interval, or that it exceeds the outcome's scale: impossible values are not shown."""
    if result.prediction_beyond_scale:
        return f"exceeds the scale (not informative, {k_words(result.studies)})"
    return interval(result.pooled.prediction_interval, result.pooled.measure)


def absolute_words(answer: PooledAnswer) -> str:
    """Absolute effects per 1000, and the number needed to treat; each design separately."""
    if answer.overall is None or answer.overall.absolute is None:
        return ""
    several = len(answer.by_design) > 1
    parts = [
        (f"{DESIGN_NAMES[each.design]}: " if several else "") + _risks(each.absolute)
        for each in (answer.by_design if several else [answer.overall])
        if each.absolute is not None
    ]
    return f"Absolute effects ({answer.outcome.label}): {'; '.join(parts)}."


def _risks(found: Absolute) -> str:
    low, high = sorted(found.risk_ci)
    source = "as specified" if found.baseline_from == "as asked" else "pooled control groups"
    return (
        f"{percent(found.baseline)} with control ({source}), {percent(found.risk)} with {DRUG} "
        f"({span(percent(low), percent(high))}); {_per_1000(found.benefit)}{found.words()}"
    )


def _per_1000(benefit: float) -> str:
    """How many more benefit or are harmed; nothing where none do, as that is said after it."""
    if not benefit:
        return ""
    more = f"{abs(1000 * benefit):.0f}"
    return f"{'fewer than 1' if more == '0' else more} more per 1000 {'benefit' if benefit > 0 else 'are harmed'}; "


def either_sign(answer: PooledAnswer, drug: str = DRUG) -> list[str]:
    """What results whose sign is not known would make of the estimate, line by line; none where there are none."""
    lines = []
    for each in answer.either_sign:
        of = f", {DESIGN_NAMES[each.result.design]}" if each.result.design else ""
        of = ", all designs" if not of and len(answer.by_design) > 1 else of
        flip = " This changes the finding." if each.flips else ""
        lines.append(
            f"- taken as {each.sign} with {drug}{of}: {pooled_words(each.result.pooled)}, "
            f"{k_words(each.result.studies)}: {finding(each.result, answer.outcome, drug)}.{flip}"
        )
    names = ", ".join(answer.either_sign[0].labels) if lines else ""
    head = f"Sensitivity: {names}, not pooled, as the sign of the result is not known:"
    return [head, *lines] if lines else []


def paid_by(funding: Funding | None) -> str:
    """Who paid for a trial, or was its sponsor."""
    if funding is None:
        return "not recorded"
    company = " (a company that makes or sells it)" if funding.industry else ""
    return f"{marked(funding.by, funding.provenance)}{company}"


def certainty_words(found: Certainty) -> str:
    """The word, and GRADE's five reasons: those that lowered it, then the others."""
    down = [each for each in found.reasons if each.levels]
    lowered = "; ".join(f"{each.domain}, {count(each.levels, 'level')} ({each.why})" for each in down)
    rest_of = [each for each in found.reasons if not each.levels]
    rest = "; ".join(f"{each.domain} ({each.why})" for each in rest_of)
    unrated = any(each.domain == "risk of bias" and NOT_ASSESSED in each.why for each in rest_of)
    word = f"{found}, not rated for risk of bias" if unrated else str(found)
    return f"{word}. Lowered for: {lowered or 'nothing'}. Not lowered for: {rest or 'nothing else'}"


def said_too_words(answer: PooledAnswer) -> list[str]:
    """What the pooled trials report in words of the same complaint by another measure, a sentence each."""
    one = "The same trial" if answer.k == 1 else ""
    return [
        f"{one or each.label} also reports of {each.key.replace('_', ' ')}: {each.text}. The estimate is of one "
        "of its measures: read both together."
        for each in answer.said_too
    ]


def left_out_words(row: LeftOut) -> str:
    """Why it is not pooled, what it reports, and the name of that in its entry."""
    key = f" [{row.key}]" if row.key else ""
    reported = f": {row.text}" if row.text else ""
    return f"{row.reason.rstrip('.')}{reported}{key}"
