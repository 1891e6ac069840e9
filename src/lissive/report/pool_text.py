"""What the studies say on one outcome, as text that a clinician reads; and published beside computed results."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lissive.evidence.answer_types import Absolute, Alternatives, LeftOut, PooledAnswer, Result, StudyRow
from lissive.evidence.comparison import RATIOS, Group
from lissive.evidence.effect import null
from lissive.evidence.heterogeneity import FEW
from lissive.evidence.pooling import METHOD_NAMES, Pooled
from lissive.report.table import as_text, table
from lissive.report.words import (
    DERIVED_NOTE,
    UNVERIFIED_NOTE,
    count,
    marked,
    paragraphs,
    percent,
    span,
    upper_first,
    wrapped,
)

DRUG, CONTROL = "the cannabinoid", "control"
DESIGNS = {
    "parallel": "Parallel groups: all enrolled participants are randomised",
    "crossover": "Crossover: each participant takes both treatments in sequence",
    "withdrawal": "Randomised withdrawal: all took the drug, then continued or switched to placebo",
    "enriched": "Enriched enrolment: only run-in responders to the drug are randomised",
}
DESIGN_NAMES = {
    "parallel": "parallel groups",
    "crossover": "crossover",
    "withdrawal": "randomised withdrawal",
    "enriched": "enriched enrolment",
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


def interval(ends: tuple[float, float] | None, measure: str = "") -> str:
    """Lower to upper limit; empty where there is none."""
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
    """One group's own numbers: 48/120, or mean -1.2 (SD 1.7, n 60)."""
    if group is None:
        return "-"
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


def sides(better: str) -> tuple[str, str]:
    """What lies below and above no effect, by which way is better."""
    if not better:
        return f"lower with {DRUG}", f"higher with {DRUG}"
    good, bad = f"favours {DRUG}", f"favours {CONTROL}"
    return (good, bad) if better == "lower" else (bad, good)


def finding(result: Result, drug: str = DRUG) -> str:
    """Direction of a pooled estimate, in words."""
    return {
        "benefit": f"favours {drug}",
        "harm": f"favours {CONTROL}",
        "lower": f"lower with {drug}",
        "higher": f"higher with {drug}",
        "either": f"{ci_name(result.pooled.level)} includes no effect",
    }[result.direction]


def how(answer: PooledAnswer) -> str:
    """How the estimate was made, in a sentence."""
    if answer.overall is None:
        return ""
    pooled = answer.overall.pooled
    ci = ci_name(pooled.level)
    scale = f" in {answer.outcome.unit}" if answer.measure == "MD" else ""
    begin = upper_first(f"{answer.measure_label}{scale}, {DRUG} versus {CONTROL}")
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


def left_out_words(row: LeftOut) -> str:
    """Why it is not pooled, what it reports, and the name of that in its entry."""
    key = f" [{row.key}]" if row.key else ""
    reported = f": {row.text}" if row.text else ""
    return f"{row.reason.rstrip('.')}{reported}{key}"


# -- the whole answer ------------------------------------------------------------------------------
LIMITS = "Risk of bias was not formally rated; psychoactive effects may unblind participants."
SPONSOR = " Nearly all trials of nabiximols were sponsored by its manufacturer."


def pool_text(answer: PooledAnswer) -> str:
    """The answer of `lissive evidence pool`, as text."""
    overall = answer.overall
    if overall is None:
        parts = [title(answer), _nothing(answer), marks(answer), _left_out(answer), wrapped(_looked(answer))]
        return paragraphs(parts)
    return paragraphs(
        [
            f"{title(answer)}\n{wrapped(how(answer))}",
            study_table(answer),
            _overall(answer, overall),
            _words(answer),
            wrapped(absolute_words(answer)),
            _either_sign(answer),
            _regression(answer),
            _one_out(answer),
            _small(answer),
            _notes(answer, overall),
            marks(answer),
            _left_out(answer),
            wrapped(_sources(answer)),
            wrapped(_limits(answer)),
        ]
    )


def study_table(answer: PooledAnswer) -> str:
    """The studies by design, each design with its own estimate."""
    head = f"|{DRUG.removeprefix('the ')}|control|{answer.measure} ({ci_name(answer.level)})|weight"
    rows: list[list[str]] = []
    for group in answer.by_design:
        rows.append([DESIGNS[group.design]])
        rows += [_study(row) for row in answer.studies if row.effect.design == group.design]
        if group.pooled.k > 1:
            rows.append([f"  Pooled, {k_words(group.studies)}", "", "", pooled_words(group.pooled), ""])
            rows.append([f"    {finding(group)}; {spread(group)}"])
    return as_text(table("", head, rows, "weight"))


def _study(row: StudyRow) -> list[str]:
    active, control = group_words(row.comparison.active), group_words(row.comparison.control)
    return [f"  {row_label(row)}", active, control, row_words(row), f"{row.weight:.0f} %"]


def _overall(answer: PooledAnswer, overall: Result) -> str:
    pooled, k = overall.pooled, answer.k
    head = "Pooled (all designs)" if len(answer.by_design) > 1 else "Pooled" if k > 1 else "Estimate"
    lines = [
        f"{head}: {pooled_words(pooled)}, {k_words(overall.studies)}, {participants(pooled)}; "
        f"{p_value(pooled.p)}; {finding(overall)}."
    ]
    if k > 1:
        tau2 = pooled.tau2_ci
        ends = "" if tau2 is None else f" ({ci_name(pooled.level)} of τ² {interval(tau2)})"
        lines.append(f"Heterogeneity: {heterogeneity(pooled)}{ends}.")
    if pooled.predicted_y is not None:
        lines.append(
            f"{100 * pooled.level:g} % prediction interval (true effect in a further similar study; t, df = {k - 2}): "
            f"{predicted(overall)}."
        )
    elif k > 1 and pooled.model == "random":
        lines.append(f"{100 * pooled.level:g} % prediction interval: not estimable with {studies(k)}.")
    if (between := answer.between) is not None:
        verdict = (
            "the designs differ" if between.p < 0.1 else "no clear difference (low power with few studies)"
        )
        lines.append(
            f"Test for differences between designs: Q = {between.q:.1f}, df = {between.df}, "
            f"{p_value(between.p)}: {verdict}."
        )
    return "\n".join(wrapped(line) for line in lines)


def _words(answer: PooledAnswer) -> str:
    below, above = sides(answer.outcome.better)
    nothing = f"{null(answer.measure):g}"
    return wrapped(f"Below {nothing}: {below}. Above {nothing}: {above}.")


def _either_sign(answer: PooledAnswer) -> str:
    """What results whose sign is not known would make of the estimate."""
    lines = []
    for each in answer.either_sign:
        of = f", {DESIGN_NAMES[each.result.design]}" if each.result.design else ""
        flip = " This changes the finding." if each.flips else ""
        lines.append(
            f"- taken as {each.sign} with {DRUG}{of}: {pooled_words(each.result.pooled)}, "
            f"{k_words(each.result.studies)}: {finding(each.result)}.{flip}"
        )
    if not lines:
        return ""
    names = ", ".join(answer.either_sign[0].labels)
    head = f"Sensitivity: {names}, not pooled, as the sign of the result is not known:"
    return "\n".join(map(wrapped, [head, *lines]))


def _regression(answer: PooledAnswer) -> str:
    """The slope of a meta-regression, with what it cannot show."""
    found = answer.regression
    if found is None:
        return ""
    scale = f"log {answer.measure}" if answer.measure in RATIOS else answer.measure
    explained = "" if found.explained is None else f", {found.explained:.0f} % of τ² explained"
    few = f" Fewer than {FEW} studies: not to be relied on." if found.k < FEW else ""
    without = f" Without {found.covariate}: {', '.join(found.left_out)}." if found.left_out else ""
    return wrapped(
        f"Meta-regression on {found.covariate} (k = {found.k}; Knapp-Hartung, t, df = {found.k - 2}): {scale} changes "
        f"by {found.slope:.3g} per unit ({ci_name(answer.level)} {found.slope_low:.3g} to {found.slope_high:.3g}; "
        f"{p_value(found.p)}); τ² left {found.tau2:.3g}{explained}. It compares trials, and shows no cause.{few}"
        f"{without}"
    )


def _one_out(answer: PooledAnswer) -> str:
    rows = sorted(answer.leave_one_out, key=lambda row: row.pooled.estimate)
    if len(rows) < 3:
        return ""
    low, high = rows[0], rows[-1]
    return wrapped(
        f"Leave-one-out: from {pooled_words(low.pooled)} without {low.label} to {pooled_words(high.pooled)} without "
        f"{high.label}."
    )


def _small(answer: PooledAnswer) -> str:
    found = answer.small_studies
    if answer.k < 2:
        return ""
    if found.egger is None:
        return wrapped(f"Small-study effects: {found.refused}")
    return wrapped(
        f"Small-study effects (Egger's test): intercept {found.egger.intercept:.2f}, t = {number(found.egger.t)}, "
        f"df = {found.egger.df}, {p_value(found.egger.p)}."
    )


def _notes(answer: PooledAnswer, overall: Result) -> str:
    own: dict[str, list[str]] = {}
    for row in answer.studies:
        note = row.comparison.note
        for text in [*row.effect.notes, *(note.split("; ") if note else [])]:
            own.setdefault(text, []).append(row.effect.label)
    lines = [*answer.notes, *_of_groups(answer, overall)]
    lines += [f"{', '.join(labels)}: {text}" for text, labels in own.items()]
    return "\n".join(wrapped(f"- {_ended(upper_first(line))}") for line in lines)


def _of_groups(answer: PooledAnswer, overall: Result) -> list[str]:
    """What was noted of a design's own estimate and not of the whole."""
    found: dict[str, list[str]] = {}
    for group in answer.by_design:
        for text in group.pooled.notes if group.pooled.k > 1 else ():
            if text not in overall.pooled.notes:
                found.setdefault(text, []).append(DESIGN_NAMES[group.design])
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _sources(answer: PooledAnswer) -> str:
    return f"Source of each number: lissive evidence show ID, with one of {', '.join(answer.study_ids)}."


def _limits(answer: PooledAnswer) -> str:
    sponsored = any("nabiximols" in row.comparison.products for row in answer.studies)
    return LIMITS + (SPONSOR if sponsored else "") + f" {_looked(answer)}".rstrip()


def _looked(answer: PooledAnswer) -> str:
    """What was searched; empty where that is not stated."""
    return f"{answer.searched}." if answer.searched else ""


def marks(answer: PooledAnswer) -> str:
    """What the marks after names of studies mean; empty where there are none."""
    kinds = {row.effect.provenance for row in answer.studies} | {row.provenance for row in answer.left_out}
    notes = {"recalled": UNVERIFIED_NOTE, "derived": DERIVED_NOTE}
    texts = [note for word, note in notes.items() if word in kinds]
    if not texts:
        return ""
    n = len(answer.unverified)
    of = f" Unverified: {n} of the {answer.k} pooled." if n else ""
    return wrapped(f"{'; '.join(texts)}.{of}")


def _nothing(answer: PooledAnswer) -> str:
    where = f" in {answer.cause_label}" if answer.cause_label else ""
    design = f" of the design {answer.design}" if answer.design else ""
    found = "Absence of evidence is not evidence of no effect."
    if any(row.text for row in answer.left_out):
        found = "What trials report is listed below."
    return wrapped(
        f"No pooled estimate: no study{design}{where} reports a comparison with control on this outcome that can be "
        f"pooled. {found} "
        f"{_there_is(answer.there_is)}".rstrip()
    )


def _there_is(found: Alternatives | None) -> str:
    """Alternatives: claims, outcomes of this cause, or causes where it has none."""
    if found is None:
        return ""
    parts = []
    if found.claims:
        parts.append(f"Claims on this outcome (lissive evidence show ID): {', '.join(found.claims)}.")
    if found.outcomes:
        parts.append(f"Outcomes that can be pooled: {', '.join(found.outcomes)}.")
    elif found.causes:
        parts.append(f"Causes with a pooled estimate of some outcome: {', '.join(found.causes)}.")
    return " ".join(parts)


def _left_out(answer: PooledAnswer) -> str:
    if not answer.left_out:
        return ""
    lines = (
        wrapped(f"- {marked(row.label, row.provenance)}: {_ended(left_out_words(row))}")
        for row in answer.left_out
    )
    return "\n".join(["Not pooled, with the reason:", *lines])
