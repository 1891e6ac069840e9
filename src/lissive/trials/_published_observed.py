"""From the rows of a publication to figures on the model's scale. What is not used is skipped with its reason."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lissive.publications.arms import is_split
from lissive.publications.entry import Entry, least_certain
from lissive.publications.loose import REMARKS, UNCLEAR, sign_convention
from lissive.publications.names import NO_MEASURE, P_ALONE, RELIEF, SHARES, read_name
from lissive.publications.tables import Name, Result, text_of
from lissive.trials._published_parts import Observed, Seen, precision, share_error
from lissive.trials.parts import IMPRESSIONS, MEASURES

ROUNDED = 0.02
"""How far a printed percentage may be from its own counts."""
_RATIOS = {"OR": "odds_ratio", "HR": "hazard_ratio"}


def observe(entry: Entry, seen: Seen) -> Iterator[Observed]:
    """All that the outcomes and side effects say on the model's scale."""
    for (_, text), group in itertools.groupby(entry.rows, key=lambda row: (row.section, row.name.text)):
        rows = [replace(row, name=_of_relief(row.name, seen.plan.relief)) for row in group]
        if text in REMARKS:
            entry.assume(f"{text}: {text_of(rows[0].value.value if rows[0].value else None)}")
            entry.skip(text, "a remark; listed as an assumption")
            continue
        yield from _of_name(entry, seen, text, rows)


def endpoint(name: Name) -> str:
    """As `Endpoint.name`."""
    return f"{name.measure}_responders_{name.falls_by_pct:g}pct" if name.falls_by_pct else name.measure


def _of_relief(name: Name, relief: str) -> Name:
    return replace(name, measure=relief) if name.measure == RELIEF else name


def _is_share(name: Name) -> bool:
    return name.falls_by_pct is not None or name.measure in SHARES


def _of_name(entry: Entry, seen: Seen, text: str, rows: Sequence[Result]) -> Iterator[Observed]:
    """One outcome."""
    name = rows[0].name
    if all(row.statistic == "other" and (row.value is None or row.value.value is None) for row in rows):
        entry.skip(text, "unknown")
        return
    factor, why = (1.0, name.not_modelled) if name.not_modelled else scale_of(name, _on_scale(rows))
    if not why and name.measure == "walk_timed":
        factor, why = _of_baseline(rows)
    if why:
        entry.skip(text, _only_said(rows) or why)
        return
    found = [one for row in rows for one in _of_row(entry, seen, row, factor)]
    if found:
        _say(entry, seen, name)
    yield from found


def _on_scale(rows: Iterable[Result]) -> list[float]:
    measured = ("change", "end", "difference", "baseline", "mean")
    return [row.value.number or 0.0 for row in rows if row.value and row.statistic in measured]


def scale_of(name: Name, values: Iterable[float]) -> tuple[float, str]:
    """Factor from the printed scale to the model's, and why there is none.

    A rating on a visual scale without a stated top is on 0 to 100 where any of its figures is beyond 10.

    >>> scale_of(read_name("pain_vas_0_100"), [30.0]), scale_of(read_name("modified_ashworth"), [-7.0])[1]
    ((0.1, ''), 'beyond 4: no mean of items, and the top of the total is not stated')
    """
    if name.measure not in MEASURES or _is_share(name):
        return 1.0, ""
    if MEASURES[name.measure].kind == "count" or name.measure == "walk_timed":
        return 1.0, ""
    model_top, largest = MEASURES[name.measure].upper, max((abs(each) for each in values), default=0.0)
    top = name.top if name.top is not None else model_top if name.measure == "ashworth" else None
    if top is None and name.at_visits and largest > 10.0:
        top = 100.0
    if top is None:
        return 1.0, "the top of its scale is not stated (as in _0_10 or _0_100)"
    if largest > top:
        if name.measure == "ashworth" and name.top is None:
            return 1.0, "beyond 4: no mean of items, and the top of the total is not stated"
        return 1.0, f"beyond {top:g}, the top of its scale"
    return model_top / top, ""


def _of_baseline(rows: Iterable[Result]) -> tuple[float, str]:
    """Factor from seconds of walking to shares of the time before treatment, and why there is none."""
    known = [
        row.value.number for row in rows if row.statistic == "baseline" and row.value and row.value.number
    ]
    means = list(dict.fromkeys(each for each in known if each is not None and each > 0))
    if not means:
        return 1.0, "the model's timed walk is a share of its baseline, which is not given"
    return len(means) / sum(means), ""


def _only_said(rows: Sequence[Result]) -> str:
    """What rows say in words or as a p value only; empty where they have a number too."""
    said = [text_of(row.value.value) for row in rows if row.statistic == "words" and row.value]
    if said and len(said) == len(rows):
        return f"stated in words: {'; '.join(said)!r}"
    return P_ALONE if all(row.statistic == "p" for row in rows) else ""


def _say(entry: Entry, seen: Seen, name: Name) -> None:
    """What is assumed with an outcome of this kind."""
    if name.at_visits and not _is_share(name):
        seen.rated_at_visits = True
        entry.assume("Category ratings and visual analogue scales are given at visits; no diary.")
    if name.measure in IMPRESSIONS:
        said = "much improved" if name.measure == "pgic_much" else "improved"
        entry.assume(f"{name.text} is compared with the proportion with PGIC `{said}`.")
    if name.measure == "ashworth" and name.top is None and not name.falls_by_pct:
        entry.assume(f"{name.text} is taken as the mean of items 0 to 4.")
    if name.falls_by_pct and seen.plan.run_in:
        since = "screening" if name.since_screening else seen.plan.since
        entry.assume(f"Responders of {name.text} are counted from {since}.")
    if name.since_screening:
        seen.since_screening.add(endpoint(name))


def _of_row(entry: Entry, seen: Seen, row: Result, factor: float) -> Iterator[Observed]:
    """What a row says; where that is nothing that can be compared, it is skipped with the reason."""
    if row.arm and seen.arm(row.arm) is None:
        entry.skip(row.place, f"the trial has no arm {row.arm!r}: {', '.join(seen.plan.arms)}")
        return
    week, share = _week(entry, seen, row), _is_share(row.name)
    if row.per_protocol:
        entry.skip(row.place, "per protocol; the model's figures are intention to treat")
    elif row.statistic == "baseline" and not share:
        _baseline(entry, seen, row, factor)
        if row.value is not None and row.name.week is None:
            entry.provenance(row.value)
    elif row.statistic == "share" and share:
        yield from _share(entry, seen, row, week)
    elif row.statistic in ("change", "end") and not share:
        yield from _level(entry, seen, row, factor, week)
    elif row.statistic in _RATIOS or (row.statistic == "difference" and not share):
        yield from _comparison(entry, seen, row, factor, week)
    else:
        entry.skip(row.place, _why_not(row, share=share))


def _why_not(row: Result, *, share: bool) -> str:
    if row.statistic == "p":
        return P_ALONE
    if row.value is None or row.value.value is None:
        return "no figure in it" if row.value is None else "unknown"
    if row.detail == UNCLEAR:
        return "whether it is a count or a percentage is not stated (n, pct)"
    if share and row.statistic in ("change", "difference"):
        return "a difference of proportions is not read: counts of each arm are"
    if row.statistic == "words":
        return f"stated in words: {text_of(row.value.value)!r}"
    if row.detail.startswith("phase") and row.detail.endswith("baseline_mean"):
        return "the mean after the run-in, which is simulated"
    if row.detail == "sd_change_implied":
        return "calculated from the CI, which is used itself"
    voided = read_name(row.detail or row.statistic).not_modelled
    return voided if voided and voided != NO_MEASURE else "a field that is not read"


def _week(entry: Entry, seen: Seen, row: Result) -> float | None:
    """The week of a row; None for the end."""
    if row.week is None or row.week == seen.plan.weeks:
        return None
    if not 0 < row.week < seen.plan.weeks:
        what = f"week {row.week:g} is not within the trial. Allowed: over 0 and up to {seen.plan.weeks:g}."
        entry.refuse((row.section, row.name.text), what)
        return None
    return row.week


def _n(entry: Entry, seen: Seen, row: Result, arm: str) -> int | None:
    """People that a row of an arm is of: its own number, else the arm's.

    Reviews divide the control among the arms that are compared with it, and its result then stands with a part of it.
    """
    own = row.n.number if row.n else None
    if row.n is not None and own is not None:
        parts = len(seen.plan.active)
        if arm == seen.plan.control and parts > 1 and is_split(row.arm, row.n.pointer, row.n.note):
            entry.assume(f"{row.place}: {own:g} is one of {parts} parts of the control: {parts * own:g}.")
            own *= parts
        seen.people[row.name.measure, arm] = int(own)
        return int(own)
    group = seen.plan.groups.of(arm)
    return group.treated if row.section == "adverse_events" and _is_share(row.name) else group.analysed


def _sole(entry: Entry, seen: Seen, row: Result, place: str) -> str | None:
    """The arm of a row that names none: the only one there is."""
    if row.arm:
        return seen.arm(row.arm)
    if len(seen.plan.arms) == 1:
        return next(iter(seen.plan.arms))
    entry.skip(place, f"the arm is not stated: {', '.join(seen.plan.arms)}")
    return None


# -- figures of one arm ----------------------------------------------------------------------------
def _share(entry: Entry, seen: Seen, row: Result, week: float | None) -> Iterator[Observed]:
    arm = _sole(entry, seen, row, row.place)
    if arm is None:
        return
    people = _n(entry, seen, row, arm)
    pct = row.value if row.value and row.value.number is not None else None
    counted = _counted(entry, row, people)
    if counted and pct and abs(counted[0] - (pct.number or 0.0) / 100) > ROUNDED:
        entry.assume(
            f"{row.place}: {pct.number:g} % and its counts ({counted[0]:.1%}) differ; counts are used."
        )
        pct = None
    certain = {"read": 0, "derived": 1, "recalled": 2}
    printed = entry.provenance(pct) if pct else ""
    if counted and (pct is None or certain[counted[1]] <= certain[printed]):
        value, provenance = counted
    elif pct:
        value, provenance = (pct.number or 0.0) / 100, printed
    else:
        return
    error = share_error(value, people) if people else None
    yield Observed(
        entry.id, arm, None, endpoint(row.name), "share", value, error, None, people, week, provenance, row.place
    )  # fmt: skip


def _counted(entry: Entry, row: Result, people: int | None) -> tuple[float, str] | None:
    """The share that counts make, and its provenance."""
    n = row.events.number if row.events else None
    if n is None or not people:
        return None
    if row.n is None:
        entry.assume(f"{row.place}: denominator {people}, all of the arm.")
    if n > people:
        what = f"{row.place}.n is {n:g}, more than its arm has. Allowed: up to {people}."
        entry.refuse((row.section, row.name.text), what)
        return None
    return n / people, entry.provenance(row.events, row.n)


def _baseline(entry: Entry, seen: Seen, row: Result, factor: float) -> None:
    """Note the mean before treatment, for the design's population."""
    mean = row.value.number if row.value else None
    if mean is None or row.name.week is not None:
        return
    sd, top = row.sd.number if row.sd else None, row.name.top or 100.0
    value = (top - mean if row.name.flipped else mean) * factor
    arm = seen.arm(row.arm) if row.arm else None
    weight = (_n(entry, seen, row, arm) if arm else None) or 1
    seen.levels.setdefault(row.name.measure, []).append(
        (weight, value, sd * factor if sd is not None else None)
    )


def _level(entry: Entry, seen: Seen, row: Result, factor: float, week: float | None) -> Iterator[Observed]:
    """A change with its spread, or a level at the end."""
    assert row.value is not None
    arm = _sole(entry, seen, row, row.value.what)
    if arm is None:
        return
    n = _n(entry, seen, row, arm)
    error, ci, provenance = precision(entry, row, n=n)
    one = Observed(
        entry.id, arm, None, endpoint(row.name), row.statistic, row.value.number or 0.0, error, ci, n, week,
        least_certain(entry.provenance(row.value), provenance), row.value.what,
    )  # fmt: skip
    yield _scaled(one, row.name, factor)
    if row.statistic == "change" and row.sd is not None and (row.sd.number or 0.0) > 0:
        value = (row.sd.number or 0.0) * factor
        error = value / math.sqrt(2 * (n - 1)) if n and n > 1 else None
        yield replace(
            one, statistic="change_sd", value=value, error=error, ci=None, provenance=entry.provenance(row.sd),
            printed=row.sd.what,
        )  # fmt: skip


def _scaled(one: Observed, name: Name, factor: float) -> Observed:
    """A figure on the model's scale and with its sign."""
    if one.statistic == "end" and name.flipped:
        top = name.top or 100.0
        ci = (top - one.ci[1], top - one.ci[0]) if one.ci else None
        one = replace(one, value=top - one.value, ci=ci)
        sign = 1.0
    else:
        sign = 1.0 if one.statistic == "end" else name.sign * (-1.0 if name.flipped else 1.0)
    ends = sorted((sign * factor * one.ci[0], sign * factor * one.ci[1])) if one.ci else None
    return replace(
        one,
        value=sign * factor * one.value,
        error=one.error * factor if one.error is not None else None,
        ci=(ends[0], ends[1]) if ends else None,
    )


# -- comparisons -----------------------------------------------------------------------------------
def _comparison(
    entry: Entry, seen: Seen, row: Result, factor: float, week: float | None
) -> Iterator[Observed]:
    """A difference or a ratio against the control."""
    assert row.value is not None
    value, what, is_ratio = row.value.number or 0.0, row.value.what, row.statistic in _RATIOS
    pair = _pair(entry, seen, row, what)
    if pair is None:
        return
    if is_ratio and value <= 0:
        entry.refuse((row.section, row.name.text), f"{what} is {value:g}. Allowed: over 0.")
        return
    everybody = seen.plan.groups.everybody
    error, ci, provenance = precision(entry, row, n=everybody.analysed if everybody else None, log=is_ratio)
    one = Observed(
        entry.id, pair[0], pair[1], endpoint(row.name), _RATIOS.get(row.statistic, "difference"), value, error, ci,
        _both(seen, row, pair), week, least_certain(entry.provenance(row.value), provenance), what,
    )  # fmt: skip
    yield one if is_ratio else _scaled(_signed(entry, one), row.name, factor)


def _signed(entry: Entry, one: Observed) -> Observed:
    """A difference; one of which it is not known which sign is better is taken as none, as wide as printed.

    Held against the model as printed, a benefit could be scored as harm.
    """
    if "not" not in sign_convention(entry.data).split():
        return one
    entry.assume(
        f"{one.printed} is {one.value:g} as printed, and its direction is not stated: taken as no difference, "
        "with the printed width."
    )
    ci = (one.ci[0] - one.value, one.ci[1] - one.value) if one.ci else None
    return replace(one, value=0.0, ci=ci)


def _both(seen: Seen, row: Result, pair: tuple[str, str]) -> int | None:
    """People that a comparison is of."""
    own, groups = row.n.number if row.n else None, seen.plan.groups
    if own is not None:
        return int(own)
    if groups.everybody:
        return groups.everybody.analysed
    sizes = [seen.people.get((row.name.measure, arm), groups.of(arm).analysed) for arm in pair]
    return None if None in sizes else sum(size for size in sizes if size)


def _pair(entry: Entry, seen: Seen, row: Result, what: str) -> tuple[str, str] | None:
    plan = seen.plan
    if plan.control is None:
        entry.skip(what, "a comparison in a trial without a control")
        return None
    arm = seen.arm(row.arm) if row.arm else None
    if arm is not None and arm != plan.control:
        return arm, plan.control
    if len(plan.active) == 1:
        return plan.active[0], plan.control
    entry.skip(what, f"which of {', '.join(plan.active)} is compared is not stated")
    return None


def baselines(entry: Entry, seen: Seen, spread: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Means before treatment over all arms, for the measures that the model has a level of.

    spread : coefficient of variation of a parameter of the model, for a mean without its SD.
    """
    found: dict[str, dict[str, float]] = {}
    for measure, rows in seen.levels.items():
        name = MEASURES[measure].baseline
        if name == "-":
            entry.skip(f"baseline of {measure}", "the model has no such baseline")
            continue
        mean = sum(n * value for n, value, _ in rows) / sum(n for n, _, _ in rows)
        known = [(n, sd) for n, _, sd in rows if sd is not None]
        if known:
            sd = (sum(n * sd * sd for n, sd in known) / sum(n for n, _ in known)) ** 0.5
        else:
            # the spread of a log-normal quantity is about its coefficient of variation
            sd = mean * spread.get(name, 0.0)
            entry.assume(f"Baseline SD of {measure} is not stated: from the tables.")
        found[measure] = {"mean": round(mean, 6), "sd": round(sd, 6)}
    if found:
        entry.assume("Baseline ratings are those of the enrolled, and are used for the screened.")
    return found
