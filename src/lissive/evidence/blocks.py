"""From the rows of one trial's outcomes to two groups, or to the difference that the trial reports.

A block is what an entry has under one name, by arm. Whatever is not used leaves a reason (`Unused`); nothing is dropped
silently.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

from lissive.evidence.comparison import (
    IN_WORDS,
    MEASURES,
    Given,
    Group,
    Unused,
    cited_in,
    of_subgroup,
    per_protocol,
    words_of,
)
from lissive.evidence.read import Cited, Located, cited, design_of
from lissive.publications.arms import N_HARMS, N_MEANS, is_split, people, role
from lissive.publications.tables import Figure, Name, Result, last_visit
from lissive.publications.words import Outcome

_MEANS = ("change", "mean", "end", "median")
"""Statistics of one arm that can be compared, the first that a row has first."""


@dataclass(frozen=True)
class Side:
    """One arm of one block."""

    group: Group
    cited: tuple[Cited, ...]
    notes: tuple[str, ...] = ()
    is_split: bool = False
    """Whether its participants are already a part of the arm's."""


@dataclass
class Block:
    """What one name reports of one outcome, by arm."""

    key: Name
    outcome: str
    sides: dict[str, Side] = field(default_factory=dict)
    given: dict[str, tuple[Given, tuple[Cited, ...]]] = field(default_factory=dict)
    """By active arm; `` where the trial has but one."""
    notes: tuple[str, ...] = ()


def blocks(entry: Located) -> Iterator[Block | Unused]:
    """Every block of a trial's outcomes and adverse events."""
    for _, group in itertools.groupby(entry.results, key=lambda row: (row.section, row.name.text)):
        yield from _block(entry, list(group))


def people_of(entry: Located, arm: str) -> float | None:
    """Participants analysed in an arm; None where that is not known, or it is not a trial."""
    n = people_in(entry, arm, N_MEANS) if entry.kind == "trial" else None
    return n.number if n else None


def people_in(entry: Located, arm: str, fields: tuple[str, ...]) -> Figure | None:
    """Participants of an arm, with where their number is from: in a crossover all of them; `` is the whole trial."""
    arms = getattr(entry.row, "arms", None) or ()
    return people(arms, arm, fields, crossover=design_of(entry).word == "crossover")


def shares(entry: Located, outcome: str) -> list[Side]:
    """Groups that took the drug, each with its events, whether or not there is a control group; pooled where
    only that is reported."""
    found: dict[str, dict[str, Side]] = {"active": {}, "total": {}, "control": {}}
    for row in entry.results:
        is_whole = not (row.per_protocol or row.subgroup or row.name.why)
        if row.statistic != "share" or outcome not in row.name.outcomes or not is_whole:
            continue
        side = _share(entry, row, N_HARMS if row.section == "adverse_events" else N_MEANS)
        if isinstance(side, Side):
            found[role(row.arm or "")].setdefault(row.arm or "", side)
    return list((found["active"] or found["total"]).values())


def scale_factor(name: Name, known: Outcome, values: Iterable[float]) -> tuple[float, str]:
    """Factor from the printed scale to the outcome's own, and why there is none.

    >>> from lissive.publications.names import read_name
    >>> from lissive.publications.words import outcomes
    >>> scale_factor(read_name("pain_vas_0_100"), outcomes()["pain_nrs"], [30.0])
    (0.1, '')
    >>> scale_factor(read_name("spasm_frequency_vas"), outcomes()["spasms_per_day"], [-21.4])[1]
    'a rating, not a count'
    """
    if known.kind in ("share", "scale"):
        return 1.0, ""
    parts = name.text.lower().split("_")
    if known.kind == "count":
        return 1.0, "a rating, not a count" if {"vas", "nrs", "crs"} & set(parts) else ""
    if known.upper is None:
        return 1.0, ""
    largest = max((abs(value) for value in values), default=0.0)
    top = name.top
    if top is None and {"vas", "crs"} & set(parts):
        top = 100.0 if largest > 10.0 else 10.0
    if top is None:
        top = known.upper
    if largest > top:
        return 1.0, f"{largest:g} exceeds {top:g}, the maximum of its scale; the scale is not stated"
    return known.upper / top, ""


def _block(entry: Located, rows: list[Result]) -> Iterator[Block | Unused]:
    name = rows[0].name
    if name.why:
        outcome = name.outcomes[0] if name.outcomes else ""
        yield Unused(entry.id, name.text, name.why, outcome, words_of(rows), cited_in(rows))
        return
    rows, earlier = last_visit(rows)
    whole = [row for row in rows if not row.per_protocol]
    for outcome in name.outcomes:
        if earlier:
            why = (
                f"of another visit; {'the end' if rows[0].week is None else f'week {rows[0].week:g}'} is used"
            )
            yield Unused(entry.id, name.text, why, outcome, words_of(earlier), cited_in(earlier))
        made = Block(name, outcome)
        if reason := _fill(made, entry, rows):
            yield Unused(entry.id, name.text, reason, outcome, words_of(whole), cited_in(rows))
            continue
        yield made
        yield from per_protocol(entry.id, outcome, rows)


def _fill(made: Block, entry: Located, rows: list[Result]) -> str:
    """Fill a block; returns why it cannot be used."""
    if whose := next((row.subgroup for row in rows if row.subgroup), ""):
        return of_subgroup(whose)
    reasons = []
    for line, group in itertools.groupby(rows, key=lambda row: row.line):
        reason = _of_line(made, entry, list(group))
        if reason is not None:
            reasons.append((line, reason))
    if made.given or len(made.sides) > 1:
        return ""
    if any(row.arm for row in rows):
        return next((why for _, why in reasons if why), "") or "one arm only"
    return _without_arms(rows, [why for _, why in reasons if why])


def _of_line(made: Block, entry: Located, rows: list[Result]) -> str | None:
    """Why one line of the file is not used; empty where it is, None where it says nothing of its arm."""
    arm = rows[0].arm
    stated = [row for row in rows if row.statistic.removeprefix("ln ") in MEASURES and not row.per_protocol]
    if stated:
        return _stated_effect(made, stated[0])
    differences = [row for row in rows if row.statistic == "difference" and not row.per_protocol]
    if differences:
        return _stated_difference(made, entry, differences[0])
    if not arm:
        return None
    side = _side(made, entry, rows)
    if isinstance(side, str):
        return side
    made.sides[arm] = side
    return ""


def _without_arms(rows: list[Result], reasons: list[str]) -> str:
    """Why rows of no arm are no comparison."""
    first = rows[0]
    if reasons:
        return reasons[0]
    if any(row.line == f"{row.name.text}[{row.time}]" for row in rows):
        return "rows that do not name their arm"
    if any(row.time and not row.arm for row in rows):
        return "before-after comparison without a control group"
    if all(row.statistic == "other" and row.value is None and row.p is None for row in rows):
        return "unknown"
    if len(rows) == 1 and first.place == first.name.text and (first.value or first.events) is not None:
        value = first.value or first.events
        if value is not None and value.what == first.name.text:
            if value.value is None:
                return "unknown"
            return "one number, without the other group" if value.number is not None else IN_WORDS
    if any(row.statistic == "words" and row.detail == "result" for row in rows):
        return IN_WORDS
    if all(row.statistic == "p" or row.detail in ("F", "interaction") for row in rows):
        return "only a p value"
    return "neither two groups nor a difference between them"


# -- one arm ---------------------------------------------------------------------------------------
def _side(made: Block, entry: Located, rows: list[Result]) -> Side | str:
    counts = N_HARMS if rows[0].section == "adverse_events" else N_MEANS
    whole = [row for row in rows if not row.per_protocol]
    if entry.outcome(made.outcome).kind == "share":
        found = next((row for row in whole if row.statistic == "share"), None)
        if found is not None:
            return _share(entry, found, counts)
        reason = "neither count nor percentage"
    else:
        means = sorted(
            (row for row in whole if row.statistic in _MEANS), key=lambda row: _MEANS.index(row.statistic)
        )
        if means:
            return _mean(made, entry, means[0], counts)
        reason = "no mean"
    return "per protocol: shown, not pooled" if len(whole) < len(rows) else reason


def _share(entry: Located, row: Result, counts: tuple[str, ...]) -> Side | str:
    events = row.events.number if row.events else None
    time = row.person_time.number if row.person_time else None
    if row.events and row.person_time and events is not None and time is not None:
        both = (cited(row.events), cited(row.person_time))
        n = row.n.number if row.n else None
        return Side(Group(row.arm, n=n, events=events, person_time=time), both)
    whole = row.n if row.n and row.n.number is not None else people_in(entry, row.arm, counts)
    pct = row.value.number if row.value else None
    if whole is None or whole.number is None:
        return f"{'a count' if pct is None else 'a percentage'} without the number of participants (N)"
    notes: tuple[str, ...] = ()
    if row.events is not None and events is not None:
        used = cited(row.events)
    else:
        assert row.value is not None
        assert pct is not None
        events = float(round(pct * whole.number / 100.0))
        used = _derived(cited(row.value))
        notes = (f"{pct:g} % of {whole.number:g} in {row.arm} is about {events:g}",)
    both = (used, cited(whole))
    return Side(Group(row.arm, n=whole.number, events=events), both, notes, _is_split(row.arm, *both))


def _derived(one: Cited) -> Cited:
    return replace(one, provenance="derived" if one.provenance == "read" else one.provenance)


def _is_split(arm: str, *found: Cited) -> bool:
    return is_split(arm, *(f"{each.pointer} {each.note}" for each in found))


def _mean(made: Block, entry: Located, row: Result, counts: tuple[str, ...]) -> Side | str:
    assert row.value is not None
    mean = row.value.number
    assert mean is not None
    used = [cited(row.value)]
    whole = row.n if row.n and row.n.number is not None else people_in(entry, row.arm, counts)
    n = whole.number if whole else None
    sd, notes, more = (None, (), []) if row.statistic == "median" else _spread(row, n)
    used += more
    if whole is not None and n is not None:
        used.append(cited(whole))
    if row.statistic == "median":
        quarters = _of_quartiles(mean, row, n)
        if isinstance(quarters, str):
            return quarters
        mean, sd, notes, used = quarters[0], quarters[1], (quarters[2],), [*map(_derived, used), quarters[3]]
    known = entry.outcome(made.outcome)
    factor, why = scale_factor(row.name, known, [mean, *([sd] if sd is not None else [])])
    if why:
        return why
    sign = row.name.sign
    mean *= factor
    if row.name.flipped and row.statistic == "end" and known.upper is not None:
        mean, notes = (
            known.upper - mean,
            (*notes, f"{row.name.text}: its maximum is the best; scale reversed"),
        )
    elif row.name.flipped:
        sign = -sign
    notes += _scale_note(row.name, factor, sign)
    group = Group(row.arm, n=n, mean=_rounded(mean * sign), sd=None if sd is None else _rounded(sd * factor))
    return Side(group, tuple(used), notes, _is_split(row.arm, *used))


def _spread(row: Result, n: float | None) -> tuple[float | None, tuple[str, ...], list[Cited]]:
    """Standard deviation: as reported, or from a standard error or an interval of the mean."""
    if row.sd is not None and row.sd.number is not None:
        return row.sd.number, (), [cited(row.sd)]
    if n is not None and row.se is not None and row.se.number is not None:
        se = row.se.number
        note = f"standard deviation from the standard error: {se:g} x sqrt({n:g})"
        return se * math.sqrt(n), (note,), [_derived(cited(row.se))]
    ends = row.ci.ends if row.ci else None
    if row.ci is not None and ends is not None and n is not None and n > 1:
        from scipy.special import stdtrit

        # the interval of a mean is of t, not of 3.92 errors
        wide = 2 * float(stdtrit(n - 1, 0.5 + row.level / 2))
        note = (
            f"standard deviation from the {100 * row.level:g} % interval of the mean, by t: "
            f"({ends[1]:g} - {ends[0]:g}) / {wide:.2f} x sqrt({n:g})"
        )
        return (ends[1] - ends[0]) / wide * math.sqrt(n), (note,), [_derived(cited(row.ci))]
    return None, (), []


def _of_quartiles(median: float, row: Result, n: float | None) -> tuple[float, float, str, Cited] | str:
    """Mean and deviation of a median with its quartiles, assuming values near normal (Wan and others 2014)."""
    ends = row.iqr.ends if row.iqr else None
    if row.iqr is None or ends is None or n is None:
        return "a median without quartiles (iqr) and participants"
    low, high = ends
    if not low <= median <= high or low == high:
        return f"quartiles {low:g} and {high:g} that do not fit the median {median:g}"
    mean = (low + median + high) / 3
    sd = (high - low) / (2 * NormalDist().inv_cdf((0.75 * n - 0.125) / (n + 0.25)))
    note = (
        f"mean and deviation from median {median:g} and quartiles {low:g} and {high:g} (Wan and others 2014)"
    )
    return mean, sd, note, _derived(cited(row.iqr))


def _rounded(x: float) -> float:
    """Without the last digits that a change of scale leaves: -0.84, and not -0.8400000000000001."""
    return float(f"{x:.10g}")


def _scale_note(name: Name, factor: float, sign: float) -> tuple[str, ...]:
    notes = []
    if factor != 1.0:
        notes.append(f"{name.text} times {factor:.3g}, to convert to the outcome's scale")
    if sign < 0:
        notes.append(f"{name.text} counts improvement as positive; sign reversed")
    return tuple(notes)


# -- what the trial states of two groups -----------------------------------------------------------
_LARGEST_LOG = 50.0


def _stated_effect(made: Block, row: Result) -> str:
    """A ratio, the logarithm of one, or a standardised difference; returns why it cannot be used."""
    measure, is_log = row.statistic.removeprefix("ln "), row.statistic.startswith("ln ")
    if row.value is None or row.value.number is None:
        return "no estimate"
    estimate, se = row.value.number, row.se.number if row.se else None
    low, high = (row.ci.ends if row.ci else None) or (None, None)
    found = [cited(row.value)]
    if row.ci is not None and low is not None:
        found.append(cited(row.ci))
    elif row.se is None or se is None:
        return f"{'a standardised difference' if measure == 'SMD' else 'a ratio'} without its interval"
    elif measure != "SMD" and not is_log:
        return (
            "a ratio with a standard error of unknown scale: give its logarithm, as "
            f"{row.name.stem}_ln_{measure.lower()}"
        )
    else:
        found.append(cited(row.se))
    if is_log:
        if max(abs(each) for each in (estimate, low or 0.0, high or 0.0)) > _LARGEST_LOG:
            return f"a logarithm of {estimate:g} is no plausible ratio"
        estimate = math.exp(estimate)
        low, high = (None if each is None else math.exp(each) for each in (low, high))
        made.notes += ("logarithm of a ratio, as reported",)
    elif measure == "SMD":
        sign = row.name.sign * (-1.0 if row.name.flipped else 1.0)
        estimate, (low, high) = estimate * sign, _turned(low, high, sign)
        made.notes += _scale_note(row.name, 1.0, sign)
    given = Given(measure, estimate, low, high, se if low is None else None, row.level)
    made.given[row.arm] = (given, tuple(found))
    return ""


def _stated_difference(made: Block, entry: Located, row: Result) -> str:
    """A difference, with what says how sure it is; returns why it cannot be used."""
    assert row.value is not None
    estimate = row.value.number
    assert estimate is not None
    low, high = (row.ci.ends if row.ci else None) or (None, None)
    used = [cited(row.value)]
    if row.ci is not None and low is not None:
        used.append(cited(row.ci))
    se = row.se.number if row.se else None
    if low is None:
        se, note, more = _error(entry, row, estimate)
        if se is None:
            return note or "a difference without interval, standard error or exact p value"
        used += more
        made.notes += (note,) if note else ()
    known = entry.outcome(made.outcome)
    factor, why = scale_factor(
        row.name, known, [estimate, *(each for each in (low, high) if each is not None)]
    )
    if why:
        return why
    if known.kind == "scale":
        return "a difference without groups, not on a common scale"
    sign = row.name.sign * (-1.0 if row.name.flipped else 1.0)
    low, high = _turned(low, high, factor * sign)
    error = None if se is None else _rounded(se * factor)
    given = Given("MD", _rounded(estimate * factor * sign), low, high, error, row.level)
    made.notes += _scale_note(row.name, factor, sign)
    made.given[row.arm] = (given, tuple(used))
    return ""


def _error(entry: Located, row: Result, estimate: float) -> tuple[float | None, str, list[Cited]]:
    """Standard error of a difference: as reported, from the deviation of the differences, or from p; and how."""
    if row.se is not None and row.se.number is not None:
        return row.se.number, "", [cited(row.se)]
    if row.sd is not None and row.sd.number is not None:
        whole = people_in(entry, "", N_MEANS)
        if whole is None or whole.number is None:
            return None, "a standard deviation of differences without the number of participants", []
        sd, n = row.sd.number, whole.number
        note = f"standard error from the standard deviation of the differences, {sd:g}/sqrt({n:g})"
        return sd / math.sqrt(n), note, [cited(row.sd), cited(whole)]
    if row.p is not None and row.p.number is not None:
        se, note = _se_of_p(entry, estimate, row.p.number)
        if se is not None:
            return se, note, [replace(cited(row.p), provenance="derived")]
    return None, "", []


def _se_of_p(entry: Located, estimate: float, p: float) -> tuple[float | None, str]:
    """Standard error of a difference from its exact two-sided p value, by t where the participants are known."""
    from scipy.special import ndtri, stdtrit

    if not 0.0 < p < 1.0 or not estimate:
        return None, ""
    df = _df(entry)
    quantile = float(ndtri(1 - p / 2) if df is None else stdtrit(df, 1 - p / 2))
    by = "z" if df is None else f"t, {df:g} degrees of freedom"
    return abs(estimate) / quantile, f"standard error from p = {p:g} ({by}): {abs(estimate):g}/{quantile:.3f}"


def _df(entry: Located) -> float | None:
    """Of the trial's own test: participants less 2, in a crossover less 1; None where they are not known."""
    if design_of(entry).word == "crossover":
        n = people_of(entry, "")
        return None if n is None or n < 2 else n - 1
    names = [str(each.get("arm")) for each in getattr(entry.row, "arms", None) or ()]
    sizes: Sequence[float | None] = [people_of(entry, name) for name in names if role(name) != "total"]
    known = [n for n in sizes if n is not None]
    return sum(known) - 2 if len(known) == len(sizes) == 2 and sum(known) > 2 else None


def _turned(low: float | None, high: float | None, factor: float) -> tuple[float | None, float | None]:
    ends = sorted(_rounded(each * factor) for each in (low, high) if each is not None)
    return (ends[0], ends[1]) if len(ends) == 2 else (None, None)
