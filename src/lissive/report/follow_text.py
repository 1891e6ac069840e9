"""A follow-up as plain text: the advice first, what it rests on, then what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lissive.case import product
from lissive.follow.advise import change_of
from lissive.follow.diary import columns
from lissive.report.table import as_text, table
from lissive.report.words import count, paragraphs, percent, upper_first, wrapped
from lissive.versions import data_line

if TYPE_CHECKING:
    from lissive.follow.answer import Ahead, Alarm, Baseline, Change, Diagnostics, FollowAnswer, Rule
    from lissive.follow.calibration import Calibration
    from lissive.follow.n_of_1 import NOf1Plan
    from lissive.follow.n_of_1_analysis import NOf1Answer

ADVICE = {
    "continue": "CONTINUE",
    "change": "CHANGE THE DOSE OR THE PLAN",
    "stop": "STOP",
    "too_early": "TOO EARLY TO SAY",
    "cannot_say": "CANNOT SAY WHETHER IT WORKS",
}
LIMITS = (
    "Decision support, not a prescription: changes are agreed with the prescriber. Intended use: "
    "docs/intended-use.md"
)
_MOST_ROWS = 12
"""Rows left out that are named; all are in the JSON."""


def follow_text(answer: FollowAnswer) -> str:
    """The whole answer."""
    return paragraphs(
        [
            f"{answer.case}: {product(answer.product).label}, follow-up",
            *_parts(answer),
            wrapped(f"{LIMITS}. {data_line('model')}"),
        ]
    )


def _parts(answer: FollowAnswer) -> Iterator[str]:
    for title, lines in follow_blocks(answer):
        yield _block(title, lines)


def follow_blocks(answer: FollowAnswer) -> Iterator[tuple[str, list[str]]]:
    """Headings with their sentences: the advice, what it rests on, then what is doubtful."""
    yield _headline(answer), [upper_first(each) for each in answer.why]
    if answer.alarms:
        yield "ALARMS", _alarms(answer.alarms)
    week = "the last week with the drug" if answer.dose.ended else "the last week"
    yield "DOSE", [f"{answer.dose.per_day:g} {answer.dose.unit} over {week}; {answer.dose.advice}."]
    yield "DOES IT WORK", list(_benefit(answer))
    if answer.rule_4_week:
        yield "RULE OF THE LABEL", [_rule(answer.rule_4_week, answer.baseline)]
    if answer.forecast:
        yield "WEEKS AHEAD", list(_ahead(answer.forecast, ended=bool(answer.dose.ended)))
    if answer.notes:
        yield "TO KNOW", list(answer.notes)
    yield "DIARY", [*_import(answer), *(_diagnostics(answer.diagnostics) if answer.diagnostics else ())]


def _alarms(found: Sequence[Alarm]) -> list[str]:
    return [f"{upper_first(each.text)}{_rows(each.rows)}: {each.do}." for each in found]


def _headline(answer: FollowAnswer) -> str:
    """The advice; where there is none, whether there are alarms."""
    alarms = ": SEE THE ALARMS" if answer.alarms and answer.advice in ("cannot_say", "too_early") else ""
    return f"{ADVICE[answer.advice]}{alarms}"


def _block(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(wrapped(f"- {line}", "  ") for line in lines)])


def _rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f" (row {', '.join(map(str, rows[:5]))}{more})"


def _benefit(answer: FollowAnswer) -> Iterator[str]:
    yield from _by_the_diary(answer.seen)
    found = answer.probability_benefit
    if found is None or answer.effect_pct is None:
        yield f"No probability and no weeks ahead: {answer.no_prediction}."
        return
    prior, now = answer.effect_pct["prior"], answer.effect_pct["posterior"]
    yield (
        f"{answer.label}: probability that the drug itself takes off {found.threshold:g} % or more: "
        f"{percent(found.value)}; "
        f"before the diary {percent(found.prior)}. Threshold: {found.source}."
    )
    yield (
        f"The drug's own effect: {now[1]:.0f} % less than without it (90 % of the posterior: {now[0]:.0f} to "
        f"{now[2]:.0f} %); before the diary {prior[1]:.0f} % ({prior[0]:.0f} to {prior[2]:.0f} %)."
    )
    yield f"If each day without an entry was a bad one: {percent(found.if_gaps_are_bad_days)}."


def _by_the_diary(seen: Mapping[str, Change]) -> Iterator[str]:
    """What the person wrote, before any model: each rating's mean before the first dose, and of the last week."""
    shown = [_mean_change(each) for each in seen.values() if each.last_week is not None]
    if shown:
        yield f"By the diary alone: {'; '.join(shown)}. That counts placebo, ups and downs, and time with the drug."
    for each in seen.values():
        if each.without_and_with:
            (off, n_off), (on, n_on) = each.without_and_with
            yield (
                f"{each.label}: {off:.1f} in weeks without the drug ({count(n_off, 'entry', 'entries')}), {on:.1f} on "
                f"the other days since the first dose ({n_on}). They were not in random order, so time and expectation "
                "go with it."
            )


def _mean_change(found: Change) -> str:
    fall, before = found.fall_pct, found.before
    if before is None:
        return (
            f"{found.label} {found.last_week:.1f} in the last week, and nothing is known of the time before"
        )
    share = f" ({abs(fall):.0f} % {'less' if fall > 0 else 'more'})" if fall else ""
    return f"{found.label} {before:.1f} before treatment, {found.last_week:.1f} in the last week{share}"


def _rule(rule: Rule, baseline: Baseline) -> str:
    if rule.met is None:
        said = f"due on {rule.due}: stop unless the rating fell {rule.needed_pct:g} % or more"
        if rule.unchecked:
            said += f"; it cannot be checked: {rule.unchecked}"
    else:
        assert rule.fall_pct is not None
        said = (
            f"the rating {change_of(100.0, 100.0 - rule.fall_pct)} by week {rule.weeks} ({rule.due}); a fall of "
            f"{rule.needed_pct:g} % is asked for: {'met' if rule.met else 'not met'}"
        )
        if baseline.kind == "recalled":
            said += f". It is counted from the {baseline.mean:g} that the case recalls, not from a diary"
    if rule.missed_responder is not None:
        missed = percent(rule.missed_responder)
        said += f". Of people like this one whom the drug itself helps so much, it misses {missed}"
    return f"{upper_first(said)}. Source: {rule.source}"


def _ahead(ahead: Ahead, *, ended: bool) -> Iterator[str]:
    found, last = ahead.outcomes[ahead.primary], ahead.weeks[-1]
    names = ("Beginning again", "Staying without it") if ended else ("Going on", "Stopping")
    for name, side in zip(names, (found.continuing, found.stopping), strict=True):
        yield f"{name}: {side.median[-1]:.1f} in week {last} from then (90 % {side.p05[-1]:.1f} to {side.p95[-1]:.1f})."
    side = found.difference
    yield (
        f"Difference in the same virtual person, median: {side.median[-1]:.1f} ({side.p05[-1]:.1f} to "
        f"{side.p95[-1]:.1f}); that of two medians is another. It holds the placebo response, which ends with the "
        "treatment too."
    )


def _import(answer: FollowAnswer) -> Iterator[str]:
    yield (
        f"{count(answer.used, 'row')} used, {len(answer.left_out)} left out; "
        f"{count(answer.treated_days, 'day')} of treatment, {answer.rated_days} of them rated. Baseline: "
        f"{answer.baseline.text}."
    )
    if written := answer.side_effects:
        listed = "; ".join(f"{text} ({count(n, 'day')})" for text, n in [*written.items()][:_MOST_ROWS])
        more = (
            f"; and {len(written) - _MOST_ROWS} more (all are in --json)" if len(written) > _MOST_ROWS else ""
        )
        yield f"Side effects as written: {listed}{more}."
    for each in answer.left_out[:_MOST_ROWS]:
        yield f"Row {each.row} left out: {each.why}."
    if len(answer.left_out) > _MOST_ROWS:
        yield f"... and {len(answer.left_out) - _MOST_ROWS} more rows left out (all are in --json)."


def _diagnostics(found: Diagnostics) -> Iterator[str]:
    khat = "not estimable (weights all but equal)" if found.khat is None else f"{found.khat:.2f}"
    drawn = count(found.draws, "virtual person", "virtual people")
    yield f"{drawn}, effective {found.ess:.0f}; Pareto k {khat} (up to 0.7 is good)."


def follow_part(answer: FollowAnswer | None) -> str:
    """Part 5 of a case: what the diary says, or how to begin one."""
    if answer is None:
        said = (
            "5  Follow-up: no diary. To begin one: lissive follow sheet CASE writes a page to print; a "
            "week before the first "
            "dose, then every day. Then: lissive follow CASE --diary FILE, or name the file in the case "
            "(diary: FILE)."
        )
        return wrapped(said, hanging="   ")
    return "\n".join(
        ["5  Follow-up", *(f"   {line}".rstrip() for line in follow_text(answer).splitlines()[2:])]
    )


def follow_line(answer: FollowAnswer) -> str:
    """The advice in a sentence, for one screen."""
    return wrapped(f"FOLLOW-UP    {_headline(answer)}: {'; '.join(answer.why)}.", hanging=" " * 13, width=80)


# -- n-of-1 trials ------------------------------------------------------------------------------------
def plan_text(plan: NOf1Plan) -> str:
    """The schedule, and what it can tell."""
    periods = [
        f"{each.first} to {each.last}  kit {each.kit}{'' if plan.blinded else f'  {each.treatment} the drug'}"
        for each in plan.periods
    ]
    by_pairs = ", ".join(f"{n} pairs {percent(power)}" for n, power in plan.power_by_pairs.items())
    said = [
        f"{count(plan.pairs, 'pair')} of periods of {plan.days} days; the first {plan.washout} of each are "
        "not analysed.",
        f"Power {percent(plan.power)}: chance of a 95 % interval that excludes no difference, in people "
        "like this one whom the "
        f"drug itself takes off {plan.threshold:g} % or more of {columns()[plan.outcome].label}. By size: "
        f"{by_pairs}.",
        *plan.notes,
    ]
    title = f"{plan.case}: n-of-1 trial of {product(plan.product).label}"
    return paragraphs([title, "\n".join(f"  {line}" for line in periods), _block("TO KNOW", said)])


def analysis_text(found: NOf1Answer) -> str:
    """The difference first."""
    low, high = found.interval_95
    pairs = "; ".join(
        f"pair {n}: {'-' if on is None else f'{on:.1f}'} with, {'-' if off is None else f'{off:.1f}'} without"
        for n, on, off in found.pairs
    )
    said = _block(
        f"{found.label}: {found.difference:+.2f} with the drug (95 % {low:+.2f} to {high:+.2f})",
        [
            f"Probability that it is lower with the drug: {percent(found.probability_better)}; by "
            f"{found.threshold:g} % or more "
            f"of {found.level_off:.1f}: {percent(found.probability_benefit)}.",
            f"Means: {pairs}.",
            f"Carry-over {found.carry_over:+.2f}, trend {found.trend_per_week:+.2f} a week.",
            f"{count(found.days_used, 'day')} used, {found.days_left_out} left out (washouts, and outside "
            "of the periods).",
            *found.notes,
        ],
    )
    return paragraphs([_block("ALARMS", _alarms(found.alarms)), said]) if found.alarms else said


# -- how far it can be trusted ------------------------------------------------------------------------
def calibration_text(found: Calibration) -> str:
    """The study as tables."""
    head = (
        "set | 90 % covers | 50 % covers | benefit | mean p | prior | slope (95 %) | ECE (95 %) | Brier p | "
        "Brier prior | within 0.1"
    )
    rows = [
        [
            each.name, percent(each.coverage_90), percent(each.coverage_50), percent(each.benefit),
            f"{each.mean_probability:.2f}", f"{each.mean_prior:.2f}",
            "-" if each.slope is None else f"{each.slope[0]:.2f} ({each.slope[1]:.2f} to {each.slope[2]:.2f})",
            f"{each.ece[0]:.3f} ({each.ece[1]:.3f} to {each.ece[2]:.3f})", f"{each.brier['probability']:.3f}",
            f"{each.brier['prior']:.3f}", percent(each.within_a_tenth),
        ]
        for each in found.sets
    ]  # fmt: skip
    months = [
        [each.name, policy.replace("_", " "), f"{useless:.1f}", f"{lost:.1f}"]
        for each in found.sets
        for policy, (useless, lost) in each.policies.items()
    ]
    title = (
        f"{count(found.people, 'simulated person', 'simulated people')} in each set, {found.prior_people} "
        "virtual people as the "
        f"prior, seed {found.seed}; benefit: the drug itself takes off {found.threshold:g} % or more"
    )
    policies = "set | policy | months on a drug that does not help | months of benefit lost"
    caption = "Policies, months a year and person"
    return "\n\n".join(
        [
            f"{title}\n{as_text(table(title, head, rows))}",
            f"{caption}\n{as_text(table(caption, policies, months))}",
            *(f"{each.name}: {each.what}" for each in found.sets),
        ]
    )
