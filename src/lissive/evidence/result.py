"""One pooled estimate with what a reader asks of it: direction, absolute effects, whether it leaves its scale."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from functools import cache

from pydantic import ConfigDict, Field

from lissive.errors import EvidenceError
from lissive.evidence.answer_types import (
    Absolute,
    Alternatives,
    Certainty,
    EitherSign,
    LeftOut,
    OutcomeLike,
    PooledAnswer,
    Reason,
    Result,
    StudyRow,
)
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import CHOSEN, Comparison
from lissive.evidence.effect import ALONE, COUNTED, LABELS, Effect, NotUsable, effect, null
from lissive.evidence.heterogeneity import limits
from lissive.evidence.pooling import NotEstimable, Pooled, PoolOptions, pool_effects, unequal
from lissive.evidence.read import DATA, Studies, marked, shipped_studies
from lissive.evidence.words import assumption
from lissive.typed import Row, typed

BEYOND_SCALE = "prediction interval not informative: with so few studies it exceeds the outcome's scale"
Pair = tuple[Comparison, Effect]


def result_of(
    pairs: Sequence[Pair],
    outcome: OutcomeLike,
    design: str,
    baseline_risk: float | None,
    options: PoolOptions,
) -> Result | None:
    """The pooled estimate of some comparisons; None where there are none, or where those of a design have none."""
    try:
        pooled = pool_effects([each for _, each in pairs], **options)
    except NotEstimable:
        if not design:
            raise
        return None
    if pooled is None:
        return None
    most = largest_difference(
        pooled.measure, getattr(outcome, "lower", None), getattr(outcome, "upper", None)
    )
    further = pooled.prediction_interval
    return Result(
        pooled=pooled,
        studies=tuple(each.study for _, each in pairs),
        direction=_direction(pooled, outcome.better),
        prediction_beyond_scale=most is not None and further is not None and max(map(abs, further)) > most,
        absolute=_absolute(pooled, [each for each, _ in pairs], outcome, baseline_risk),
        design=design,
    )


def largest_difference(measure: str, lower: float | None, upper: float | None) -> float | None:
    """The largest difference on a scale from `lower` to `upper`; None where it is unbounded.

    >>> [largest_difference(*of) for of in (("MD", 0.0, 10.0), ("RD", 0.0, 1.0), ("OR", 0.0, 1.0))]
    [10.0, 1.0, None]
    """
    if measure == "SMD":
        return assumption("largest_smd")
    if measure not in ("MD", "RD") or lower is None or upper is None:
        return None
    return upper - lower


def _direction(pooled: Pooled, better: str) -> str:
    if pooled.measure in ALONE:
        return "none"
    if pooled.low_y <= 0.0 <= pooled.high_y:
        return "either"
    up = pooled.y > 0
    if not better:
        return "higher" if up else "lower"
    return "benefit" if up == (better == "higher") else "harm"


def _absolute(
    pooled: Pooled, kept: Sequence[Comparison], outcome: OutcomeLike, asked: float | None
) -> Absolute | None:
    if pooled.measure not in COUNTED or not outcome.better:
        return None
    baseline, source = asked, "as asked"
    if baseline is None:
        baseline, source = _control_risk(kept), "pooled control groups"
    if baseline is None or not 0.0 < baseline < 1.0:
        return None
    found = absolute(pooled.measure, pooled.estimate, pooled.ci, baseline, outcome.better)
    return replace(found, baseline_from=source)


def _control_risk(kept: Sequence[Comparison]) -> float | None:
    sizes = [
        (each.control.events, each.control.n)
        for each in kept
        if each.control is not None and each.control.events is not None and each.control.n
    ]
    total = sum(n for _, n in sizes)
    return sum(events for events, _ in sizes) / total if total else None


def either_sign(
    pairs: Sequence[Pair],
    left_out: Sequence[LeftOut],
    results: Sequence[Result],
    outcome: OutcomeLike,
    measure: str,
    correlation: float | None,
    options: PoolOptions,
) -> Iterator[EitherSign]:
    """For each pooled estimate that such results belong to: all of them lower, all of them higher."""
    unsigned = [pair for row in left_out if (pair := _pair(row, measure, correlation))]
    for result in results:
        mine = [pair for pair in unsigned if result.design in ("", pair[1].design)]
        around = [pair for pair in pairs if result.design in ("", pair[1].design)]
        for word, sign in (("lower", -1.0), ("higher", 1.0)) if mine else ():
            turned = [(one, replace(each, y=sign * abs(each.y))) for one, each in mine]
            found = result_of([*around, *turned], outcome, result.design, None, options)
            if found is not None:
                studies = tuple(each.study for _, each in mine)
                labels = tuple(each.label for _, each in mine)
                yield EitherSign(studies, labels, word, found, found.direction != result.direction)


def _pair(row: LeftOut, measure: str, correlation: float | None) -> Pair | None:
    if row.either is None:
        return None
    try:
        found: Effect = effect(row.either, measure, correlation=correlation)
    except NotUsable:
        return None
    return row.either, found


def absolute(
    measure: str, estimate: float, ci: tuple[float, float], baseline: float, better: str
) -> Absolute:
    """The effect at a baseline risk, 0 to 1.

    Raises       EvidenceError where the measure is not of events, or the risk not between 0 and 1.
    """
    if measure not in COUNTED:
        raise EvidenceError(
            f"A number needed to treat needs a binary outcome, and a {LABELS[measure]} is of a continuous one.",
            allowed=f"{', '.join(COUNTED)}.",
            do="choose a binary outcome, such as responders_30pct.",
        )
    if not 0.0 < baseline < 1.0:
        raise EvidenceError(
            f"The baseline risk is {baseline:g}.",
            where="--baseline-risk",
            allowed="a proportion above 0 and below 1, such as 0.25.",
            do="write a risk of 25 % as 0.25.",
        )
    risk = _risk(measure, estimate, baseline)
    if abs(risk - baseline) < 1e-12:  # an odds ratio of 1.0000000000000002 needs nobody treated
        risk = baseline
    low, high = (_risk(measure, end, baseline) for end in ci)
    sign = 1.0 if better == "higher" else -1.0
    ends = sorted((sign * (low - baseline), sign * (high - baseline)))
    return Absolute(baseline, risk, (low, high), sign * (risk - baseline), (ends[0], ends[1]))


def _risk(measure: str, effect: float, baseline: float) -> float:
    if measure == "RD":
        return min(1.0, max(0.0, baseline + effect))
    if measure == "RR":
        return min(1.0, baseline * effect)
    if math.isinf(effect):
        return 1.0
    return effect * baseline / (1.0 - baseline + effect * baseline)


# -- what a reader has to know ------------------------------------------------------------------------------------
def notes_of(answer: PooledAnswer) -> list[str]:
    """What has to be known beside the numbers."""
    if answer.overall is None:
        return []
    pooled, word = answer.overall.pooled, answer.outcome.word
    notes = list(pooled.notes)
    if pooled.measure in ALONE:
        notes.append(
            "Shares of those who took the drug, without any control group: they include whatever would have happened "
            "without it, and do not show what the drug does"
        )
    if answer.rejected:
        notes.append(f"Do not use this estimate: {answer.rejected}.")
    if len(answer.by_design) > 1:
        notes.append(
            "The studies have different designs, which answer different questions: read the estimates by design first."
        )
    if not answer.outcome.better:
        notes.append(
            f"Whether lower or higher values of {word} are better is not stated; state it in the file with "
            f"`outcomes: {{{word}: {{better: lower}}}}`."
        )
    kinds = list(dict.fromkeys(word for row in answer.studies for word in row.comparison.products))
    if len(kinds) > 1:
        notes.append(f"Different products are pooled: {', '.join(kinds)}; --product WORD selects one.")
    notes += _of_method(answer, pooled)
    if flipping := [each for each in answer.either_sign if each.flips]:
        notes.append(
            "The finding depends on a result whose sign is not known, and is another with one of its signs: "
            f"{', '.join(flipping[0].labels)}"
        )
    interval = pooled.prediction_interval
    if answer.overall.prediction_beyond_scale:
        notes.append(f"{BEYOND_SCALE}; its numbers are in the JSON only")
    elif interval is not None and interval[0] <= null(pooled.measure) <= interval[1]:
        notes.append(
            f"{100 * pooled.level:g} % prediction interval includes no effect: "
            "a further similar study could find no effect, or the opposite"
        )
    return notes


def _of_method(answer: PooledAnswer, pooled: Pooled) -> list[str]:
    """What the method makes of empty cells, of unequal groups, and of what it cannot estimate."""
    notes = []
    effects = [row.effect for row in answer.studies]
    halved = [each.label for each in effects if any(text.startswith("0.5 added") for text in each.notes)]
    if pooled.method == "IV" and halved and answer.measure not in ("RD", *ALONE):
        notes.append(
            f"0.5 was added in {len(halved)} of {pooled.k} studies: with rare events inverse variance is biased "
            "(Cochrane Handbook 10.4.4). Compare --method MH --model fixed, and --method Peto --model fixed where a "
            "study's groups are of similar size"
        )
    if pooled.method == "Peto" and (apart := unequal(effects)):
        notes.append(
            f"Peto's method is biased where the groups differ much in size ({', '.join(apart)}): compare --method MH"
        )
    empty = [row.label for row in answer.left_out if row.reason.startswith("no participant had an event")]
    if empty:
        notes.append(
            f"Without an event in either group, {', '.join(dict.fromkeys(empty))} cannot enter a ratio: "
            "--measure RD includes such studies"
        )
    without = {row.study for row in answer.leave_one_out}
    needed = [each.label for each in effects if each.study not in without]
    if pooled.k > 1 and needed:
        notes.append(f"Leave-one-out: the others have no estimate by this method without {', '.join(needed)}")
    missing = {each.design for each in effects} - {group.design for group in answer.by_design}
    if missing:
        notes.append(f"No estimate by this method in studies of the design {', '.join(sorted(missing))}")
    return notes


# -- how sure it is: GRADE's five reasons, by rule (docs/concepts/evidence.md) ----------------------------------
WORDS = ("very low", "low", "moderate", "high")


def graded(answer: PooledAnswer) -> PooledAnswer:
    """The answer with the certainty of each estimate."""
    if answer.overall is None or answer.measure in ALONE:
        return answer
    overall, *rest = (
        replace(each, certainty=_certainty(answer, each)) for each in (answer.overall, *answer.by_design)
    )
    return replace(answer, overall=overall, by_design=tuple(rest))


def _certainty(answer: PooledAnswer, result: Result) -> Certainty:
    """From high, as controlled trials begin, down by each reason."""
    rows = [row for row in answer.studies if result.design in ("", row.effect.design)]
    judged = [row.comparison.risk_of_bias for row in rows]
    reasons = (
        _bias(judged),
        _inconsistency(result.pooled),
        _indirectness(rows),
        _imprecision(result, rows),
        _publication(answer),
    )
    word = WORDS[max(0, len(WORDS) - 1 - sum(each.levels for each in reasons))]
    return Certainty(word, not all(judged), reasons)


def _bias(judged: Sequence[str]) -> Reason:
    bad = sum(word in ("high", "some concerns", "unclear") for word in judged)
    unknown = sum(not word for word in judged)
    said = [f"{bad} of {len(judged)} trials at some or high risk"] if bad else []
    said += [f"not assessed here in {unknown} of {len(judged)} trials"] if unknown else []
    return Reason("risk of bias", int(2 * bad > len(judged)), ", ".join(said) or "low in all trials")


def _inconsistency(pooled: Pooled) -> Reason:
    if pooled.k == 1:
        return Reason("inconsistency", 0, "one trial")
    most = limits()["inconsistent_i2"]
    return Reason("inconsistency", int(pooled.i2 > most), f"I² {pooled.i2:.0f} %, limit {most:g} %")


def _indirectness(rows: Sequence[StudyRow]) -> Reason:
    chosen = sorted({row.effect.design for row in rows}.intersection(CHOSEN))
    why = (
        [f"{' and '.join(chosen)} trials: only people who had answered to the drug were randomised"]
        if chosen
        else []
    )
    causes = {row.comparison.cause for row in rows}
    why += ["several causes together"] if len(causes) > 1 else []
    return Reason("indirectness", int(bool(why)), "; ".join(why) or "one cause, people as they come")


def _imprecision(result: Result, rows: Sequence[StudyRow]) -> Reason:
    pooled = result.pooled
    groups = [each for row in rows for each in (row.comparison.active, row.comparison.control)]
    why = ["the interval includes no effect"] if pooled.low_y <= 0.0 <= pooled.high_y else []
    if pooled.measure in COUNTED:
        events = sum(each.events or 0.0 for each in groups if each is not None)
        least, found = limits()["enough_events"], f"{events:.0f} events"
        few = events < least
    else:
        least, found = limits()["enough_people"], f"{pooled.n:.0f} participants"
        few = pooled.n < least
    if few and pooled.measure not in COUNTED and pooled.n_stated_by < pooled.k:
        why += [f"participants not reported by every trial, so that {least:g} are not known to be reached"]
    else:
        why += [f"{found}, fewer than {least:g}"] if few else []
    return Reason("imprecision", len(why), "; ".join(why) or f"{found}, {least:g} are enough")


def _publication(answer: PooledAnswer) -> Reason:
    held, looked, test = len(answer.study_ids), answer.trials_looked or 0, answer.small_studies.egger
    of = "trials of all designs" if len(answer.by_design) > 1 else "trials"
    why = [f"{held} of {looked} {of} that measured it report a usable figure"] if 2 * held < looked else []
    why += [f"Egger's test p = {test.p:.2g}"] if test is not None and test.p < limits()["egger_p"] else []
    return Reason(
        "publication bias",
        int(bool(why)),
        "; ".join(why) or f"no sign{'' if test else ', too few trials to test'}",
    )


# -- what was searched (data/searches.yaml) ---------------------------------------------------------
SEARCHES = DATA / "searches.yaml"


class Search(Row):
    """One search."""

    what: str = Field(min_length=1)
    where: str = Field(min_length=1)
    until: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class SearchesFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    searches: tuple[Search, ...] = Field(min_length=1)
    not_searched: tuple[str, ...]


@cache
def searches() -> SearchesFile:
    """The searches, in the order of the file."""
    data, lines = marked(SEARCHES, True, "searches: [{what: trials, where: PubMed, until: '2026-01-31'}]")
    return typed(data, lines, SEARCHES, SearchesFile, EvidenceError, thing="the file of searches")


def searched(studies: Studies) -> str:
    """Until when and where was searched, and what was not."""
    if studies != shipped_studies():
        day, file = as_of(studies), file_of(studies)
        of = f" of {file}" if file else ""
        return f"Studies{of}{f' as of {day}' if day else ''}: what was searched for them is not stated"
    made = searches()
    first, *others = made.searches
    more = "".join(f"{each.where.capitalize()} until {each.until}, for {each.what}. " for each in others)
    return (
        f"Searched until {first.until}: {first.where}, for {first.what}. {more}"
        f"Not searched: {', '.join(made.not_searched)}; trials may be missing"
    )


def file_of(studies: Studies) -> str:
    """The name of a user's own file; empty for the studies that come with Lissive."""
    own = dict.fromkeys(each.path.name for each in studies if each.own is not None)
    return ", ".join(own)


def of_how_many(answer: PooledAnswer, controlled: Container[str]) -> int:
    """Number of controlled trials that measured the outcome, including those that are not pooled."""
    reported = {each.study for each in answer.left_out if each.text and each.study in controlled}
    return len({*answer.study_ids, *reported})


def comparable(studies: Studies, outcome: str, cause: str | None) -> Alternatives:
    """What can be asked in place of what has no comparison: outcomes of the cause, causes, claims on the outcome."""
    made = every(studies)[0]
    return Alternatives(
        outcomes=tuple(dict.fromkeys(each.outcome for each in made if cause in (None, each.cause))),
        causes=tuple(dict.fromkeys(each.cause for each in made if each.cause)),
        claims=tuple(claim.id for claim in shipped_claims() if outcome in claim.outcomes),
    )


_DATED = re.compile(r"^(?:generated|as_of): *['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)


def as_of(studies: Studies) -> str | None:
    """The latest date stated in the files of studies; None where none is stated."""
    days = []
    for path in dict.fromkeys(each.path for each in studies if each.path.is_file()):
        with path.open(encoding="utf-8") as file:
            found = _DATED.search(file.read(2000))
        days += [found[1]] if found else []
    return max(days, default=None)
