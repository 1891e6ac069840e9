"""Published trials beside virtual ones, as text for a terminal and as a page of documentation."""

from __future__ import annotations

from collections.abc import Sequence

from lissive.report.table import Table, as_markdown, as_text, table
from lissive.report.words import DERIVED_NOTE, UNVERIFIED_NOTE, count, marked, paragraphs, span, wrapped
from lissive.trials.reproduce import Agreement, Reproduction, Row

NOTE = (
    f"observed: as published ({UNVERIFIED_NOTE}; {DERIVED_NOTE}). predicted: mean over replicates of the same "
    "size and design. 90 % PI: prediction interval, 5th to 95th percentile of the replicates: chance, between-trial "
    "random effects, and parameter uncertainty (posterior draws). inside: observed within it. Ratings 0-10, negative "
    "changes are improvements; proportions from 0 to 1; dose in units a day."
)
SPLITS = {
    "calibration": "Calibration (split calibration: fitted on)",
    "validation": "Held out (split validation: nothing fitted on)",
    "context": "Context (split context: neither)",
}
ASSUMED, LEFT_OUT = "Assumed where a paper is silent", "Not used"


def reproduce_text(answer: Reproduction) -> str:
    """The answer of `lissive trial reproduce`, for a terminal."""
    tables = [
        f"{SPLITS[split]}\n{as_text(rows_table(rows))}" for split, rows in _by_split(answer).items() if rows
    ]
    return paragraphs(
        [
            f"Published trials in virtual patients: {_counted(answer)}.",
            wrapped(NOTE),
            *tables,
            "Observed within the 90 % PI (90 % expected)\n"
            + as_text(scores_table(answer), indent="  ", rule=False),
            _items(ASSUMED, _assumed(answer)),
            _items(LEFT_OUT, _left_out(answer)),
            wrapped("The model was fitted on the calibration trials: agreement with these is no test of it."),
        ]
    )


def reproduce_markdown(answer: Reproduction, command: str, stamp: str) -> str:
    """The same as a page of documentation."""
    parts = ["# Published trials in virtual patients", f"Made by `{command}`: {_counted(answer)}.", NOTE]
    parts.append(as_markdown(scores_table(answer)))
    for split, rows in _by_split(answer).items():
        if rows:
            parts += [f"## {SPLITS[split]}", as_markdown(rows_table(rows))]
    for title, lines in ((ASSUMED, _assumed(answer)), (LEFT_OUT, _left_out(answer))):
        parts += [f"## {title}", "\n".join(f"- {line}" for line in lines)]
    return paragraphs([*parts, f"Made from {stamp}."]) + "\n"


def rows_table(rows: Sequence[Row]) -> Table:
    """Observed beside predicted."""
    return table(
        "",
        "trial|arm|figure|observed|predicted|90 % PI|inside",
        [_cells(row) for row in rows],
        "observed|predicted|90 % PI",
    )


def _cells(row: Row) -> list[str]:
    one = row.observed
    arm = one.arm if one.against is None else f"{one.arm} - {one.against}"
    week = "" if one.week is None else f", week {one.week:g}"
    return [
        one.trial,
        arm,
        f"{one.endpoint}, {one.statistic.replace('_', ' ')}{week}",
        marked(_number(one.value), one.provenance),
        _number(row.predicted),
        span(_number(row.lower), _number(row.upper)),
        "yes" if row.inside else "no",
    ]


def _number(x: float) -> str:
    """As trials print ratings and proportions: to the second decimal, of large ones to the first."""
    return f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def scores_table(answer: Reproduction) -> Table:
    """How many figures of each split are inside."""
    rows = [[SPLITS.get(split, split), _score(found)] for split, found in answer.by_split.items()]
    return table("", "trials|observed within the 90 % PI", rows)


def _score(found: Agreement) -> str:
    text = f"{found.inside} of {found.n} ({100 * found.inside / max(found.n, 1):.0f} %)"
    if found.width_ratio is not None:
        text += f"; differences: width of PI / published 95 % CI = {found.width_ratio:.2f}"
    return text


def _by_split(answer: Reproduction) -> dict[str, list[Row]]:
    return {split: [row for row in answer.rows if row.split == split] for split in SPLITS}


def _counted(answer: Reproduction) -> str:
    trials = len({row.observed.trial for row in answer.rows})
    return (
        f"{count(len(answer.rows), 'figure')} of {count(trials, 'trial')}, "
        f"{count(answer.replicates, 'replicate')} of each trial"
    )


def _assumed(answer: Reproduction) -> list[str]:
    return [f"{trial}: {text}" for trial, texts in answer.assumed.items() for text in texts]


def _left_out(answer: Reproduction) -> list[str]:
    return [f"{each.trial}, {each.what}: {each.why}" for each in answer.skipped]


def _items(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""
