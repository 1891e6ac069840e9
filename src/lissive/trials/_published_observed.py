"""From the outcomes of an entry to figures on the model's scale. What is not used is skipped with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lissive.marked import Loc
from lissive.trials._published_figures import NOTHING, Precision, precision, share_error
from lissive.trials._published_frame import Frame
from lissive.trials._published_keys import IMPRESSION, P_ALONE, Key, parse_key, scale_of
from lissive.trials._published_parts import (
    Entry,
    Figure,
    Observed,
    is_leaf,
    is_number,
    least_certain,
    plain,
    text_of,
)
from lissive.trials._published_rows import (
    BESIDE,
    CHANGE,
    DIFFERENCE,
    END,
    WORDS,
    Row,
    as_rows,
    numbers_of,
    only_said,
    rows_of,
    stated_scale,
)
from lissive.trials.parts import MEASURES

ROUNDED = 0.02
"""How far a printed percentage may be from its own counts."""
_RATIOS = {"odds_ratio": ("or", "odds_ratio"), "hazard_ratio": ("hr", "hazard_ratio")}
_PCT = ("pct", "percent", "share", "proportion", "fraction")


def observe(entry: Entry, frame: Frame) -> list[Observed]:
    """All that the outcomes and side effects say on the model's scale; fills the frame's baseline."""
    found: list[Observed] = []
    outcomes = _mapping(entry, "outcomes")
    for part, nodes in (("outcomes", outcomes), ("adverse_events", _mapping(entry, "adverse_events"))):
        for name, node in nodes.items():
            found += _of_key(entry, frame, part, name, node, list(outcomes))
    return found


def _mapping(entry: Entry, field: str) -> Mapping[str, Any]:
    node = entry.data.get(field)
    if node is None or isinstance(node, Mapping):
        return node or {}
    entry.wrong(
        (field,), f"{field} is not a list of fields.", allowed="fields, as in {spasticity_nrs: [...]}."
    )
    return {}


def _of_key(
    entry: Entry, frame: Frame, part: str, name: str, node: Any, others: Sequence[str]
) -> Iterator[Observed]:
    """One outcome."""
    if name in ("note", "notes", "sign_convention"):
        entry.assume(f"{name}: {text_of(node)}")
        entry.skip(name, "a remark; listed as an assumption")
        return
    if node is None:
        entry.skip(name, "unknown")
        return
    stripped, node = as_rows(name, node)
    key = parse_key(stripped, others, frame.relief)
    if is_leaf(node):
        said = text_of(node)
        entry.skip(
            name, key.why or (f"stated in words: {said!r}" if not is_number(plain(node)) else "of no arm")
        )
        return
    rows = list(rows_of(entry, frame, name, node, key)) if key.measure else []
    if top := stated_scale(rows):
        key = replace(key, top=top, why="")
        rows = [replace(row, key=key) for row in rows]
    factor, why = (1.0, key.why) if key.why else scale_of(key, numbers_of(rows))
    if not why and key.measure == "walk_timed" and not key.is_share:
        factor, why = _of_baseline(rows)
    if why:
        entry.skip(name, only_said(node) or why)
        return
    found = [one for row in rows for one in _of_row(entry, frame, row, factor, part)]
    if found:
        _say(entry, frame, key)
    yield from found


def _of_baseline(rows: Sequence[Row]) -> tuple[float, str]:
    """Factor from seconds of walking to shares of the time before treatment, and why there is none."""
    values = [plain(row.fields.get("baseline_mean")) for row in rows]
    known = [float(each) for each in values if is_number(each) and each > 0]
    if not known:
        return 1.0, "the model's timed walk is a share of its baseline, which is not given"
    return len(known) / sum(known), ""


def _say(entry: Entry, frame: Frame, key: Key) -> None:
    """What is assumed with an outcome of this kind."""
    if key.at_visits:
        frame.rated_at_visits = True
        entry.assume("Category ratings and visual analogue scales are given at visits; no diary.")
    if key.measure in IMPRESSION:
        said = "much improved" if key.measure == "pgic_much" else "improved"
        entry.assume(f"{key.text} is compared with the proportion with PGIC `{said}`.")
    if key.measure == "ashworth" and key.top == MEASURES["ashworth"].upper and "0_4" not in key.text:
        entry.assume(f"{key.text} is taken as the mean of items 0 to 4.")
    if key.falls_by_pct and frame.run_in:
        since = "screening" if key.since_screening else frame.since
        entry.assume(f"Responders of {key.text} are counted from {since}.")
    if key.since_screening:
        frame.since_screening.add(key.endpoint)


def _of_row(entry: Entry, frame: Frame, row: Row, factor: float, part: str) -> Iterator[Observed]:
    """All figures of a row; fields that are none of them are skipped one by one."""
    key, used, before = row.key, set(BESIDE), len(entry.skipped)
    week = _week(entry, frame, row)
    made: list[Observed] = []
    if key.is_share:
        made += _share(entry, frame, row, week, part, used)
    else:
        _baseline(entry, frame, row, factor)
        made += _levels(entry, frame, row, factor, week, used)
    made += _comparisons(entry, frame, row, factor, week, used)
    yield from made
    for field, node in row.fields.items():
        if field not in used:
            entry.skip(row.name if " " in field else f"{row.name}.{field}", _why_not(field, node, key))
    if not made and len(entry.skipped) == before:
        alone = [field for field in ("p", "n", "baseline_mean") if field in row.fields]
        entry.skip(row.name, P_ALONE if "p" in alone else "no figure in it")


def _why_not(field: str, node: Any, key: Key) -> str:
    if node is None:
        return "unknown"
    if field == "count or percent":
        return "whether it is a count or a percentage is not stated (n, pct)"
    if key.is_share and field in (*CHANGE, *DIFFERENCE):
        return "a difference of proportions is not read: counts of each arm are"
    voided = parse_key(f"{field}").why
    if field in WORDS or isinstance(plain(node), str):
        return f"stated in words: {text_of(node)!r}"
    if field.startswith("phase") and field.endswith("baseline_mean"):
        return "the mean after the run-in, which is simulated"
    if field == "sd_change_implied":
        return "calculated from the CI, which is used itself"
    if "pp" in field.split("_"):
        return "per protocol; the model's figures are intention to treat"
    return voided if voided and "no such measure" not in voided else "a field that is not read"


def _week(entry: Entry, frame: Frame, row: Row) -> float | None:
    """The week of a row; None for the end."""
    value = next(
        (plain(row.fields[f]) for f in ("week", "at_week") if is_number(plain(row.fields.get(f)))),
        row.key.week,
    )
    if value is None or value == frame.weeks:
        return None
    if not 0 < value < frame.weeks:
        loc: Loc = ("outcomes", row.key.text)
        entry.wrong(
            loc, f"week {value:g} is not within the trial.", allowed=f"over 0 and up to {frame.weeks:g}."
        )
        return None
    return float(value)


def _n(entry: Entry, frame: Frame, row: Row, arm: str, *, adverse: bool = False) -> int | None:
    """People that a row of an arm is of: its own number, else the arm's."""
    own = plain(row.fields.get("N"))
    if not is_number(own) and not row.key.is_share:
        own = plain(row.fields.get("n"))
    if is_number(own):
        frame.people[row.key.measure, arm] = int(own)
        return int(own)
    group = frame.groups.of(arm)
    return group.treated if adverse else group.analysed


# -- shares ---------------------------------------------------------------------------------------
def _share(
    entry: Entry, frame: Frame, row: Row, week: float | None, part: str, used: set[str]
) -> Iterator[Observed]:
    used |= {*_PCT}
    fields = row.fields
    n, of = entry.figure(fields.get("n"), fields), entry.figure(fields.get("N"), fields)
    pct = next((_percent(f, figure) for f in _PCT if (figure := entry.figure(fields.get(f), fields))), None)
    if n is None and pct is None:
        return
    arm = _sole(entry, frame, row)
    if arm is None:
        return
    people = _n(entry, frame, row, arm, adverse=part == "adverse_events")
    counted = _counted(entry, row, n, of, people)
    if counted and pct and abs(counted.value - pct.value / 100) > ROUNDED:
        entry.assume(
            f"{row.name}: {pct.value:g} % and its counts ({counted.value:.1%}) differ; counts are used."
        )
        pct = None
    certain = {"read": 0, "derived": 1, "recalled": 2}
    if counted and (pct is None or certain[counted.provenance] <= certain[pct.provenance]):
        value, provenance = counted.value, counted.provenance
    elif pct:
        value, provenance = pct.value / 100, pct.provenance
    else:
        return
    error = share_error(value, people) if people else None
    yield Observed(
        entry.id, arm, None, row.key.endpoint, "share", value, error, None, people, week, provenance, row.name
    )


def _percent(field: str, figure: Figure) -> Figure:
    return figure if field in ("pct", "percent") else replace(figure, value=100.0 * figure.value)


def _counted(
    entry: Entry, row: Row, n: Figure | None, of: Figure | None, people: int | None
) -> Figure | None:
    """The share that counts make."""
    if n is None or not people:
        return None
    if of is None:
        entry.assume(f"{row.name}: denominator {people}, all of the arm.")
    if n.value > people:
        loc: Loc = ("outcomes", row.key.text)
        entry.wrong(loc, f"{row.name}.n is {n.value:g}, more than its arm has.", allowed=f"up to {people}.")
        return None
    return replace(
        n, value=n.value / people, provenance=least_certain(n.provenance, of.provenance if of else "read")
    )


def _sole(entry: Entry, frame: Frame, row: Row) -> str | None:
    """The arm of a row that names none: the only one there is."""
    if row.arm is not None:
        return row.arm
    if len(frame.arms) == 1:
        return next(iter(frame.arms))
    entry.skip(row.name, f"the arm is not stated: {', '.join(frame.arms)}")
    return None


# -- levels and changes ---------------------------------------------------------------------------
def _baseline(entry: Entry, frame: Frame, row: Row, factor: float) -> None:
    """Note the mean before treatment, for the design's population."""
    mean = entry.figure(row.fields.get("baseline_mean"), row.fields)
    if mean is None or row.key.week is not None:
        return
    sd = entry.figure(row.fields.get("baseline_sd"), row.fields)
    top = row.key.top or 100.0
    value = (top - mean.value if row.key.reversed else mean.value) * factor
    weight = (_n(entry, frame, row, row.arm) if row.arm else None) or 1
    frame.levels.setdefault(row.key.measure, []).append((weight, value, sd.value * factor if sd else None))


def _levels(
    entry: Entry, frame: Frame, row: Row, factor: float, week: float | None, used: set[str]
) -> Iterator[Observed]:
    """Changes, their spread, and levels at the end."""
    if row.key.kind in ("difference", "odds_ratio", "hazard_ratio"):
        return
    used |= {*CHANGE, *END}
    hint = row.key.kind
    if hint in ("change", "end"):
        used |= {"mean", "value"}
    changes = (*CHANGE, *(("mean", "value") if hint == "change" else ()))
    ends = (*END, *(("mean", "value") if hint == "end" else ()))
    for statistic, names, prefix in (("change", changes, "change_"), ("end", ends, "end_")):
        name = next((f for f in names if is_number(plain(row.fields.get(f)))), None)
        if name is None:
            continue
        arm = _sole(entry, frame, replace(row, name=f"{row.name}.{name}"))
        figure = entry.figure(row.fields[name], row.fields)
        if arm is None or figure is None:
            continue
        n = _n(entry, frame, row, arm)
        sure = precision(entry, row.fields, figure.value, n=n, prefix=prefix)
        one = Observed(
            entry.id, arm, None, row.key.endpoint, statistic, figure.value, sure.error, sure.ci, n, week,
            least_certain(figure.provenance, sure.provenance), f"{row.name}.{name}",
        )  # fmt: skip
        yield _scaled(one, row.key, factor)
        if statistic == "change":
            yield from _spread(entry, row, one, factor, used)


def _spread(entry: Entry, row: Row, change: Observed, factor: float, used: set[str]) -> Iterator[Observed]:
    """The standard deviation of a change, as a figure of its own."""
    name = next((f for f in ("change_sd", "sd") if is_number(plain(row.fields.get(f)))), None)
    figure = entry.figure(row.fields[name], row.fields) if name else None
    if figure is None or figure.value <= 0:
        return
    n = change.n
    value = figure.value * factor
    error = value / math.sqrt(2 * (n - 1)) if n and n > 1 else None
    yield replace(
        change, statistic="change_sd", value=value, error=error, ci=None, provenance=figure.provenance,
        printed=f"{row.name}.{name}",
    )  # fmt: skip


def _scaled(one: Observed, key: Key, factor: float) -> Observed:
    """A figure on the model's scale and with its sign."""
    if one.statistic == "end" and key.reversed:
        top = key.top or 100.0
        ci = (top - one.ci[1], top - one.ci[0]) if one.ci else None
        one = replace(one, value=top - one.value, ci=ci)
        sign = 1.0
    else:
        sign = 1.0 if one.statistic == "end" else key.sign * (-1.0 if key.reversed else 1.0)
    ends = sorted((sign * factor * one.ci[0], sign * factor * one.ci[1])) if one.ci else None
    return replace(
        one,
        value=sign * factor * one.value,
        error=one.error * factor if one.error is not None else None,
        ci=(ends[0], ends[1]) if ends else None,
    )


# -- comparisons ----------------------------------------------------------------------------------
def _comparisons(
    entry: Entry, frame: Frame, row: Row, factor: float, week: float | None, used: set[str]
) -> Iterator[Observed]:
    """Differences and ratios against the control."""
    kinds = {**_RATIOS, **({} if row.key.is_share else {"difference": DIFFERENCE})}
    for statistic, names in kinds.items():
        used |= set(names)
        if row.key.kind == statistic:
            names = (*names, "value", *(("mean",) if statistic == "difference" else ()))
            used |= set(names)
        name = next((f for f in names if is_number(plain(row.fields.get(f)))), None)
        figure = entry.figure(row.fields[name], row.fields) if name else None
        if figure is None or name is None:
            continue
        pair = _pair(entry, frame, replace(row, name=f"{row.name}.{name}"))
        if pair is None:
            continue
        is_ratio = statistic in _RATIOS
        if is_ratio and figure.value <= 0:
            entry.wrong(
                ("outcomes", row.key.text), f"{row.name}.{name} is {figure.value:g}.", allowed="over 0."
            )
            continue
        everybody = frame.groups.everybody
        n = everybody.analysed if everybody else None
        sure: Precision = (
            precision(entry, row.fields, figure.value, n=n, prefix="diff_", log=is_ratio) or NOTHING
        )
        one = Observed(
            entry.id, pair[0], pair[1], row.key.endpoint, statistic, figure.value, sure.error, sure.ci,
            _both(frame, row, pair), week, least_certain(figure.provenance, sure.provenance), f"{row.name}.{name}",
        )  # fmt: skip
        yield one if is_ratio else _scaled(_signed(entry, one), row.key, factor)


def _signed(entry: Entry, one: Observed) -> Observed:
    """A difference; one of which it is not known which sign is better is taken as none, as wide as printed.

    Held against the model as printed, a benefit could be scored as harm.
    """
    said = _mapping(entry, "outcomes").get("sign_convention")
    if said is None or "not" not in text_of(said).split():
        return one
    entry.assume(
        f"{one.printed} is {one.value:g} as printed, and its direction is not stated: taken as no difference, "
        "with the printed width."
    )
    ci = (one.ci[0] - one.value, one.ci[1] - one.value) if one.ci else None
    return replace(one, value=0.0, ci=ci)


def _both(frame: Frame, row: Row, pair: tuple[str, str]) -> int | None:
    """People that a comparison is of."""
    own = plain(row.fields.get("n", row.fields.get("N")))
    if is_number(own):
        return int(own)
    if frame.groups.everybody:
        return frame.groups.everybody.analysed
    sizes = [frame.people.get((row.key.measure, arm), frame.groups.of(arm).analysed) for arm in pair]
    return None if None in sizes else sum(size for size in sizes if size)


def _pair(entry: Entry, frame: Frame, row: Row) -> tuple[str, str] | None:
    if frame.control is None:
        entry.skip(row.name, "a comparison in a trial without a control")
        return None
    if row.arm is not None and row.arm != frame.control:
        return row.arm, frame.control
    if len(frame.active) == 1:
        return frame.active[0], frame.control
    entry.skip(row.name, f"which of {', '.join(frame.active)} is compared is not stated")
    return None
