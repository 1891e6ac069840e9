"""Two treatments of the same virtual patients as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from lissive.case_answer.beside import NotCompared
from lissive.forecast.beside import Difference, SideBySide
from lissive.report.table import Table, as_text, table
from lissive.report.words import count, paragraphs, span, upper_first, wrapped

_INDENT = "   "


def beside_text(found: Sequence[SideBySide | NotCompared]) -> str:
    """Every question with its answer; what has to be known to read them once, at the end."""
    notes = dict.fromkeys(note for each in found if isinstance(each, SideBySide) for note in each.notes)
    last = [f"{upper_first(note)}" for note in ((MODEL, *notes) if notes else ())]
    return paragraphs(
        [
            *(_not_compared(each) if isinstance(each, NotCompared) else _one(each) for each in found),
            "\n".join(wrapped(line, hanging=_INDENT) for line in last),
        ]
    )


MODEL = (
    "These are simulated people, and in the model nearly everybody responds to THC; trials, which find small average "
    "effects, have priority."
)


def _not_compared(found: NotCompared) -> str:
    return wrapped(f"{upper_first(found.asked)}: no forecast; {found.why}.", hanging=_INDENT)


_MARK = {
    "trials": "",
    "prior": " NOT CALIBRATED (fitted on no trial of such a product in this cause).",
    "none": " NOT CALIBRATED (fitted on no trial in this cause; effects are drawn around none).",
}
_FAVOURS = {"first": "A", "second": "B", "neither": "about the same", "depends": "depends on the person"}


def _one(found: SideBySide) -> str:
    when = f"the last day of week {found.week}" if found.last_day else f"week {found.week}"
    head = (
        f"{upper_first(found.asked)}.{_MARK[found.calibrated]} The same {count(found.subjects, 'virtual patient')} "
        f"under both, {when}."
    )
    sides = [wrapped(f"{name}: {side}", _INDENT) for name, side in (("A", found.first), ("B", found.second))]
    head = "\n".join([wrapped(head, hanging=_INDENT), *sides])
    if not found.rows:
        return f"{head}\n{_INDENT}No virtual patient could be simulated under both."
    plasma = [_plasma(each) for each in found.rows if each.better is None]
    failed = f"{count(found.failed, 'virtual patient')} could not be simulated and excluded."
    blocks = [
        head,
        as_text(effects_table(found), indent=_INDENT),
        as_text(table("", "mean | A | B | B/A (5th to 95th percentile)", plasma), indent=_INDENT),
        wrapped(failed, _INDENT) if found.failed else "",
    ]
    return paragraphs([each for each in blocks if each])


def effects_table(found: SideBySide) -> Table:
    """Means of both, and the difference in the same virtual patients."""
    rows = [_effect(each) for each in found.rows if each.better is not None]
    return table("", "mean | A | B | B minus A (5th to 95th percentile) | better", rows)


def _number(value: float, unit: str, sign: str = "") -> str:
    """With the decimals that its scale bears, and no sign to a zero."""
    value, decimals = (100 * value, 0) if unit == "probability" else (value, 0 if unit == "VAS" else 1)
    rounded = round(value, decimals)
    said = f"{rounded:{sign}.{decimals}f}" if rounded else f"{0:.{decimals}f}"
    return f"{said} %" if unit == "probability" else said


def _effect(row: Difference) -> list[str]:
    low, high = (_number(end, row.unit, "+") for end in (row.p05, row.p95))
    means = [_number(value, row.unit) for value in (row.first, row.second)]
    return [
        row.label,
        *means,
        f"{_number(row.mean, row.unit, '+')} ({span(low, high)})",
        _FAVOURS[row.favours],
    ]


def _plasma(row: Difference) -> list[str]:
    ratio = "-"
    if row.ratio is not None:
        median, low, high = (f"{each:.2f}" for each in row.ratio)
        ratio = f"{median} ({span(low, high)})"
    return [f"{row.label} [{row.unit}]", f"{row.first:.2f}", f"{row.second:.2f}", ratio]
