"""A follow-up as plain text: the advice first, what it rests on, then what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from lissive.case import product
from lissive.follow.answer import FollowAnswer, Rule
from lissive.report.words import count, paragraphs, percent, upper_first, wrapped

ADVICE = {
    "continue": "CONTINUE",
    "change": "CHANGE THE DOSE OR THE PLAN",
    "stop": "STOP",
    "too_early": "TOO EARLY TO SAY",
}
LIMITS = "Decision support, not a prescription: changes are agreed with the prescriber. Intended use: docs/intended-use.md"
_MOST_ROWS = 12
"""Rows left out that are named; all are in the JSON."""


def follow_text(answer: FollowAnswer) -> str:
    """The whole answer."""
    return paragraphs(
        [f"{answer.case}: {product(answer.product).label}, follow-up", *_parts(answer), wrapped(LIMITS)]
    )


def _parts(answer: FollowAnswer) -> Iterator[str]:
    yield _block(f"{ADVICE[answer.advice]}", [upper_first(each) for each in answer.why])
    if answer.alarms:
        yield _block(
            "ALARMS", [f"{upper_first(each.text)}{_rows(each.rows)}: {each.do}." for each in answer.alarms]
        )
    yield _block(
        "DOSE", [f"{answer.dose.per_day:g} {answer.dose.unit} over the last week; {answer.dose.advice}."]
    )
    yield _block("DOES IT WORK", list(_benefit(answer)))
    if answer.rule_4_week:
        yield _block("RULE OF THE LABEL", [_rule(answer.rule_4_week)])
    yield _block("WEEKS AHEAD", list(_ahead(answer)))
    yield _block("TO KNOW", list(answer.notes))
    yield _block("DIARY", [*_import(answer), _diagnostics(answer)])


def _block(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(wrapped(f"- {line}", "  ") for line in lines)])


def _rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f" (row {', '.join(map(str, rows[:5]))}{more})"


def _benefit(answer: FollowAnswer) -> Iterator[str]:
    found = answer.probability_benefit
    prior, now = answer.effect_pct["prior"], answer.effect_pct["posterior"]
    yield (
        f"{answer.label}: probability that the drug itself takes off {found.threshold:g} % or more: {percent(found.value)}; "
        f"before the diary {percent(found.prior)}. Threshold: {found.source}."
    )
    yield (
        f"The drug's own effect: {now[1]:.0f} % less than without it (90 % of the posterior: {now[0]:.0f} to "
        f"{now[2]:.0f} %); before the diary {prior[1]:.0f} % ({prior[0]:.0f} to {prior[2]:.0f} %)."
    )
    yield f"If each day without an entry was a bad one: {percent(found.if_gaps_are_bad_days)}."


def _rule(rule: Rule) -> str:
    if rule.met is None:
        said = f"due on {rule.due}: stop unless the rating fell {rule.needed_pct:g} % or more"
        if rule.missed_responder is not None:
            said += "; it cannot be checked, as the week has too few entries or there is no baseline"
    else:
        said = (
            f"a fall of {rule.fall_pct:g} % by week {rule.weeks} ({rule.due}); {rule.needed_pct:g} % is asked for: "
            f"{'met' if rule.met else 'not met'}"
        )
    if rule.missed_responder is not None:
        said += f". Of people like this one whom the drug itself helps so much, it misses {percent(rule.missed_responder)}"
    return f"{upper_first(said)}. Source: {rule.source}"


def _ahead(answer: FollowAnswer) -> Iterator[str]:
    found = answer.forecast.outcomes[answer.forecast.primary]
    last = answer.forecast.weeks[-1]
    for name, side in (("Going on", found.continuing), ("Stopping", found.stopping)):
        yield f"{name}: {side.median[-1]:.1f} in week {last} (90 % {side.p05[-1]:.1f} to {side.p95[-1]:.1f})."
    side = found.difference
    yield (
        f"Difference: {side.median[-1]:.1f} ({side.p05[-1]:.1f} to {side.p95[-1]:.1f}). It holds the placebo response, which "
        "ends with the treatment too."
    )


def _import(answer: FollowAnswer) -> Iterator[str]:
    yield (
        f"{count(answer.used, 'row')} used, {len(answer.left_out)} left out; "
        f"{count(answer.treated_days, 'day')} of treatment, {answer.rated_days} of them rated. Baseline: "
        f"{answer.baseline.text}."
    )
    for each in answer.left_out[:_MOST_ROWS]:
        yield f"Row {each.row} left out: {each.why}."
    if len(answer.left_out) > _MOST_ROWS:
        yield f"... and {len(answer.left_out) - _MOST_ROWS} more rows left out (all are in --json)."


def _diagnostics(answer: FollowAnswer) -> str:
    found = answer.diagnostics
    khat = "not estimable (weights all but equal)" if found.khat is None else f"{found.khat:.2f}"
    return f"{count(found.draws, 'virtual person', 'virtual people')}, effective {found.ess:.0f}; Pareto k {khat} (up to 0.7 is good)."
