"""What the studies say on one outcome, as text that a clinician reads; and published beside computed results."""

from __future__ import annotations

from lissive.evidence.answer_types import Alternatives, PooledAnswer, Result, StudyRow
from lissive.evidence.comparison import NOT_ASSESSED, RATIOS
from lissive.evidence.effect import ALONE, null
from lissive.evidence.heterogeneity import FEW
from lissive.report.effect_words import (
    DESIGN_NAMES,
    DESIGNS,
    DRUG,
    absolute_words,
    certainty_words,
    ci_name,
    either_sign,
    finding,
    group_words,
    heterogeneity,
    how,
    interval,
    k_words,
    left_out_words,
    number,
    p_value,
    participants,
    pooled_words,
    predicted,
    row_label,
    row_words,
    said_too_words,
    sides,
    spread,
    studies,
    title,
)
from lissive.report.table import as_text, table
from lissive.report.words import (
    DERIVED_NOTE,
    UNVERIFIED_NOTE,
    listed,
    marked,
    paragraphs,
    upper_first,
    wrapped,
)

LIMITS = "Psychoactive effects may unblind participants."
SPONSOR = " Trials of nabiximols: companies that make or sell it sponsored most (of each: lissive evidence show ID)."


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
            _certainty(answer, overall),
            "\n".join(map(wrapped, either_sign(answer))),
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
            rows.append([f"    {finding(group, answer.outcome)}; {spread(group)}"])
    return as_text(table("", head, rows, "weight"))


def _study(row: StudyRow) -> list[str]:
    active, control = group_words(row.comparison.active), group_words(row.comparison.control)
    return [f"  {row_label(row)}", active, control, row_words(row), f"{row.weight:.0f} %"]


def _overall(answer: PooledAnswer, overall: Result) -> str:
    pooled, k = overall.pooled, answer.k
    head = "Pooled (all designs)" if len(answer.by_design) > 1 else "Pooled" if k > 1 else "Estimate"
    lines = [
        f"{head}: {pooled_words(pooled)}, {k_words(overall.studies)}, {participants(pooled)}; "
        + ("" if answer.measure in ALONE else f"{p_value(pooled.p)}; ")
        + f"{finding(overall, answer.outcome)}."
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
    return "\n".join(wrapped(line) for line in (*lines, *said_too_words(answer)))


def _words(answer: PooledAnswer) -> str:
    below, above = sides(answer.outcome.better, answer.measure)
    if not below:
        return ""
    nothing = f"{null(answer.measure):g}"
    return wrapped(f"Below {nothing}: {below}. Above {nothing}: {above}.")


def _certainty(answer: PooledAnswer, overall: Result) -> str:
    """How sure each estimate is, with the reasons; that of all designs only where there is but one."""
    several = len(answer.by_design) > 1
    lines = [
        wrapped(
            f"- {DESIGN_NAMES[each.design]}: {certainty_words(each.certainty)}."
            if several
            else f"{upper_first(certainty_words(each.certainty))}."
        )
        for each in (answer.by_design if several else [overall])
        if each.certainty is not None
    ]
    head = "Certainty, our judgement by rule (GRADE's five reasons; docs/concepts/evidence.md):"
    return "\n".join([head, *lines]) if lines else ""


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
    own = f" --studies {answer.file}" if answer.file else ""
    return f"Source of each number: lissive evidence show ID{own}, with one of {', '.join(answer.study_ids)}."


def _limits(answer: PooledAnswer) -> str:
    sponsored = any("nabiximols" in row.comparison.products for row in answer.studies)
    return f"{_bias(answer)} {LIMITS}" + (SPONSOR if sponsored else "") + f" {_looked(answer)}".rstrip()


def _bias(answer: PooledAnswer) -> str:
    """Risk of bias of the pooled trials, as reviews judged it."""
    words: dict[str, list[str]] = {}
    for row in answer.studies:
        words.setdefault(row.comparison.risk_of_bias or NOT_ASSESSED, []).append(row.effect.label)
    if list(words) == [NOT_ASSESSED]:
        return f"Risk of bias: {NOT_ASSESSED}."
    return f"Risk of bias: {'; '.join(f'{word}: {listed(names)}' for word, names in words.items())}."


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
