"""Published trials beside virtual ones, as text for a terminal and as a page of documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lissive.report.validation_text import RECALLED_MARK, aligned
from lissive.trials.published import Skipped
from lissive.trials.reproduce import Agreement, Reproduction, Row

NOTE = f"""\
observed: as published ({RECALLED_MARK} quoted from memory by the table's compiler, not read). predicted: mean over
virtual trials of the same size and design, with 5-95 % of them: other people, another trial's own placebo response and
effect, and other draws of what the calibration left uncertain. * observed is outside the range.
Ratings 0-10, changes below 0 are improvements; shares from 0 to 1; dose in units a day."""
SPLITS = {
    "calibration": "Fitted on (split calibration)",
    "validation": "Never fitted on (split validation)",
    "context": "Neither (split context)",
}


def reproduce_text(answer: Reproduction) -> str:
    """The answer of `lissive trial reproduce`, for a terminal."""
    rows = answer.rows
    parts = [
        f"Published trials in virtual patients: {len(rows)} figures of {len({r.observed.trial for r in rows})} trials, "
        f"{answer.replicates} replicates each.",
        NOTE,
        *(_part(title, [r for r in rows if r.split == split]) for split, title in SPLITS.items()),
        _scores(answer),
        _taken(answer.assumed),
        _left_out(answer.skipped),
        "Virtual patients follow a model that was fitted on the trials marked so; agreement with those is no test.",
    ]
    return "\n\n".join(part for part in parts if part)


def cells(row: Row) -> list[str]:
    """One row of the table: trial, arm, figure, observed, predicted, range, mark."""
    one = row.observed
    arm = one.arm if one.against is None else f"{one.arm} - {one.against}"
    week = "" if one.week is None else f", week {one.week:g}"
    mark = RECALLED_MARK if one.provenance == "recalled" else ""
    return [
        one.trial,
        arm,
        f"{one.endpoint}, {one.statistic.replace('_', ' ')}{week}",
        f"{_number(one.value)}{mark}",
        _number(row.predicted),
        f"{_number(row.lower)} to {_number(row.upper)}",
        "" if row.inside else "*",
    ]


HEAD = ["trial", "arm", "figure", "observed", "predicted", "5-95 %", ""]


def _number(x: float) -> str:
    return f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def _part(title: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    return f"{title}\n" + aligned([HEAD, *(cells(row) for row in rows)], right={3, 4})


def _scores(answer: Reproduction) -> str:
    return "\n".join(
        ["Inside the 90 % range (0.90 would be right)"]
        + [f"  {SPLITS.get(s, s)}: {score_line(found)}" for s, found in answer.by_split.items()]
    )


def score_line(found: Agreement) -> str:
    """How many figures of a split are inside."""
    text = f"{found.inside} of {found.n} ({100 * found.inside / max(found.n, 1):.0f} %)"
    if found.width_ratio is not None:
        text += (
            f"; ranges of differences are {found.width_ratio:.2f} times as wide as the papers' 95 % intervals"
        )
    return text


def _taken(assumed: Mapping[str, Sequence[str]]) -> str:
    lines = [f"  {trial}: {text}" for trial, texts in assumed.items() for text in texts]
    return "\n".join(["Where a paper is silent, taken for granted", *lines]) if lines else ""


def _left_out(skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return ""
    return "\n".join(["Not used", *(f"  {s.trial}, {s.what}: {s.why}" for s in skipped)])


def reproduce_markdown(answer: Reproduction, command: str, stamp: str) -> str:
    """The same as a page of documentation."""
    rows = answer.rows
    lines = [
        "# Published trials in virtual patients",
        "",
        f"Made by `{command}`: {len(rows)} figures of {len({r.observed.trial for r in rows})} trials, "
        f"{answer.replicates} replicates of each trial.",
        "",
        NOTE,
        "",
        "| | inside the 90 % range |",
        "|---|---|",
        *(f"| {SPLITS.get(s, s)} | {score_line(found)} |" for s, found in answer.by_split.items()),
    ]
    for split, title in SPLITS.items():
        mine = [row for row in rows if row.split == split]
        if mine:
            lines += [
                "",
                f"## {title}",
                "",
                _md_row(HEAD),
                "|" + "---|" * len(HEAD),
                *(_md_row(cells(r)) for r in mine),
            ]
    lines += ["", "## Where a paper is silent, taken for granted", ""]
    lines += [f"- {trial}: {text}" for trial, texts in answer.assumed.items() for text in texts]
    lines += ["", "## Not used", ""]
    lines += [f"- {s.trial}, {s.what}: {s.why}" for s in answer.skipped]
    lines += ["", f"Made from {stamp}."]
    return "\n".join(lines) + "\n"


def _md_row(values: Sequence[str]) -> str:
    return "| " + " | ".join(value.replace("|", "/") for value in values) + " |"
