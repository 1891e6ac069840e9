"""The tables of a validation, as plain cells that a page and a Markdown file both print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lissive.report.table import Table, table
from lissive.report.validation_words import MET, SPLIT_WORDS, aim_limit, aim_value, metric
from lissive.report.words import UNVERIFIED, marked, number, percent, span, upper_first
from lissive.studies import Skipped
from lissive.validation.run import Aim
from lissive.validation.score import RATIO_LIMITS, Row, Scores, why_missed
from lissive.validation.targets import TargetResult


def aims_table(found: Sequence[Aim]) -> Table:
    rows = [[aim.text, aim_limit(aim), aim_value(aim), str(aim.n), MET[aim.met]] for aim in found]
    return table(
        "Aims for the pharmacokinetics, and results",
        "aim|criterion|result|n|verdict",
        rows,
        "criterion|result|n",
    )


_SCORES = "n|AFE|GMFE|within 1.25|within 1.5|within 2|coverage"


def summary_table(by_split: Mapping[str, Sequence[Scores]], split: str) -> Table:
    """By analyte, read and unverified apart, over all routes and all metrics."""
    chosen = [row for row in by_split[split] if row.route == "all" and row.metric == "all"]
    # Where nothing is unverified, `read` says the same as `all`.
    shown = [row for row in chosen if row.provenance != "read" or _is_part(row, chosen)]
    return table(
        f"{upper_first(SPLIT_WORDS[split])} rows, by analyte",
        f"analyte|figures|{_SCORES}",
        [[row.analyte, _provenance(row, chosen), *_scores(row)] for row in shown],
        _SCORES,
    )


def _is_part(row: Scores, chosen: Sequence[Scores]) -> bool:
    """Whether there is more of the analyte than this row counts."""
    return any(r.analyte == row.analyte and r.n > row.n for r in chosen)


def _provenance(row: Scores, chosen: Sequence[Scores]) -> str:
    if row.provenance == "all":
        mine = [r for r in chosen if r.analyte == row.analyte and r.provenance != "all"]
        return "all" if len(mine) > 1 else _word(mine[0].provenance) if mine else "all"
    return _word(row.provenance)


def _word(provenance: str) -> str:
    return marked("unverified" if provenance == "recalled" else provenance, provenance)


def _scores(row: Scores) -> list[str]:
    shares = [percent(share) for share in (row.within_1_25, row.within_1_5, row.within_2, row.coverage_90)]
    return [str(row.n), number(row.afe), number(row.gmfe), *shares]


def breakdown_table(by_split: Mapping[str, Sequence[Scores]], split: str) -> Table:
    """By route, and by metric, read and unverified together."""
    chosen = [
        row
        for row in by_split[split]
        if row.provenance == "all" and ((row.route == "all") != (row.metric == "all"))
    ]
    return table(
        f"{upper_first(SPLIT_WORDS[split])} rows, by route and by metric",
        f"analyte|route|metric|{_SCORES}",
        [[row.analyte, row.route, row.metric, *_scores(row)] for row in chosen],
        _SCORES,
    )


def rows_table(caption: str, rows: Sequence[Row]) -> Table:
    """Observed beside predicted."""
    return table(
        caption,
        "study|analyte|metric|split|route|n|observed|predicted|90 % PI|fold|inside",
        [_cells(row) for row in rows],
        "n|observed|predicted|90 % PI|fold",
    )


def _cells(row: Row) -> list[str]:
    return [
        row.study,
        row.analyte,
        metric(row),
        SPLIT_WORDS[row.split],
        row.route,
        str(row.n),
        observed(row),
        number(row.predicted),
        interval(row),
        number(row.fold),
        "yes" if row.inside else "no",
    ]


def observed(row: Row) -> str:
    """The published figure with its unit, marked where unverified."""
    unit = "" if row.unit == "1" else f" {row.unit.replace('*', '·')}"
    return f"{marked(number(row.observed), row.provenance)}{unit}"


def interval(row: Row) -> str:
    return span(*map(number, row.pi90))


def ratios_table(rows: Sequence[Row], reasons: bool = True) -> Table:
    """Held-out ratios with their verdict, and the reason of each miss."""
    low, high = RATIO_LIMITS
    cells = []
    for row in rows:
        why = why_missed(row.study, row.analyte, row.metric) if is_miss(row) else ""
        cells.append([*_of_ratio(row), MET[not is_miss(row)], *([why] if reasons else [])])
    return table(
        f"Held-out ratios; met: predicted within {low:g} to {high:g} times the observed",
        "study|analyte|ratio|observed|predicted|90 % PI|fold|verdict" + ("|why not met" if reasons else ""),
        cells,
        "observed|predicted|90 % PI|fold",
    )


def _of_ratio(row: Row) -> list[str]:
    cells = _cells(row)
    return [*cells[:3], *cells[6:10]]


def held_out_ratios(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.group == "ratio" and row.split == "validation"]


def is_miss(row: Row) -> bool:
    """Whether a ratio is outside of what is good."""
    low, high = RATIO_LIMITS
    return not low <= row.fold <= high


def skipped_table(skipped: Sequence[Skipped]) -> Table:
    """Everything of the file that is not scored."""
    rows = dict.fromkeys((each.study, each.what, each.why) for each in skipped)  # one of several analytes
    return table("Not scored", "study|what|why", rows)


def targets_table(found: Sequence[TargetResult]) -> Table:
    """Targets of the spasm model and the rest beyond the kinetics."""
    rows = [
        [
            each.number,
            marked(each.observation, each.provenance),
            _tolerance(each),
            _model_figure(each),
            _met(each),
            _by_hand(each),
            _reason(each),
        ]
        for each in found
    ]
    return table(
        "Targets", "no|target|tolerance|model|met?|set by hand?|reason, and what it rests on", rows, "model"
    )


def _tolerance(each: TargetResult) -> str:
    if each.low is None or each.high is None:
        return "-"
    unit = "" if each.unit == "1" else f" {each.unit}"
    return f"{each.low:g} to {each.high:g}{unit} ({each.tolerance})"


def _model_figure(each: TargetResult) -> str:
    if each.value is None:
        return "-"
    return number(each.value) + (UNVERIFIED if each.recalled_constants else "")


def _met(each: TargetResult) -> str:
    if each.met is None:
        return "cannot be run" if each.value is None else MET[None]
    return f"{MET[each.met]} (copy)" if each.kind == "model" else MET[each.met]


def _by_hand(each: TargetResult) -> str:
    return f"yes: {', '.join(each.constants)}" if each.set_by_hand else "no"


def _reason(each: TargetResult) -> str:
    rests = (
        f"Rests on {', '.join(f'{name}{UNVERIFIED}' for name in each.recalled_constants)}."
        if each.recalled_constants
        else ""
    )
    return " ".join(part for part in (each.reason, f"({each.detail})" if each.detail else "", rests) if part)
