"""The tables of a validation and its words: how numbers are printed, and how far the model is to be trusted."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from lissive.report.table import Table, as_text, table
from lissive.report.words import (
    UNVERIFIED,
    WIDTH,
    listed,
    marked,
    number,
    percent,
    span,
    upper_first,
    wrapped,
)
from lissive.studies import Skipped
from lissive.validation.run import SPLITS, Aim, Validation, aims, overall
from lissive.validation.score import EXPOSURE, RATIO_LIMITS, Ratios, Row, Scores, why_missed
from lissive.validation.targets import TargetResult

SPLIT_WORDS = {"calibration": "calibration", "sibling": "sibling", "validation": "held-out"}
MET = {True: "met", False: "not met", None: "not judged"}
POOR = 2.0
"""A geometric mean fold error beyond this is named in the verdict."""
FAIR_COVERAGE = (0.85, 0.95)
"""Coverage from and to which 90 % prediction intervals are called about right."""

GLOSSARY: Mapping[str, str] = {
    "Fold error": "predicted / observed: 1 is exact, 2 is twice too high, 0.5 is half of it.",
    "AFE": "average fold error, the geometric mean of the fold errors: bias; 1 is none.",
    "GMFE": "geometric mean fold error, of fold or 1/fold, whichever is larger: precision; 1 is exact.",
    "Within 1.25-, 1.5-, 2-fold": "proportion of the observations that are predicted within this factor.",
    "Coverage": "proportion of the observations within the 90 % prediction interval (PI). 90 % is expected; with less, "
    "the intervals are too narrow. A PI includes between-subject variability in an arm of that size, parameter "
    "uncertainty, and variability between studies (Student's t with 4 degrees of freedom, as it was fitted).",
    "All metrics": "Cmax, AUC and concentrations together. Times, clearances and ratios are scored on their own.",
    "Calibration, held out": "calibration rows may have been fitted on, so that agreement there is no test. Nothing "
    "was fitted on held-out rows (split validation).",
    "Sibling": "held out, but no independent test: other figures of the same publication were fitted on, or the model "
    "was set on a label that rests on the figure. Scored apart, and not among what is held out.",
    "By study": "each group of people counts alike, however many figures it has: one rich study does not decide.",
    "Read, unverified": f"read: seen in the source that is named. Unverified ({UNVERIFIED}): quoted from memory, not "
    "checked against its source (provenance `recalled`); of less weight in the calibration, and scored apart.",
    "Ratio": "exposure under a condition (food, co-medication, genotype, hepatic impairment) over that without it.",
}


def aim_value(aim: Aim) -> str:
    """What was reached; with more figures where a near miss would read as the limit itself."""
    if aim.what not in ("afe", "gmfe"):
        near = aim.met is False and percent(aim.value) == percent(aim.limit)
        return f"{100.0 * (aim.value or 0.0):.1f} %" if near else percent(aim.value)
    near = aim.met is False and number(aim.value) == number(aim.limit)
    return f"{aim.value:.5g}" if near else number(aim.value)


def aim_limit(aim: Aim) -> str:
    """The limit as its value is printed."""
    return f"{aim.bound} {f'{aim.limit:.3g}' if aim.what in ('afe', 'gmfe') else percent(aim.limit)}"


def verdict(validation: Validation) -> str:
    """One honest paragraph; every number in it is computed."""
    return " ".join(verdict_parts(validation))


def verdict_parts(validation: Validation) -> list[str]:
    """The same, a part for each thing that is judged; the first is the aims."""
    parts = [
        _aims_met(aims(validation)),
        _typical(validation.summary_by_split),
        _ratios(validation.ratios),
        _intervals(validation.rows),
        _poor(validation.summary_by_split),
        _unverified(validation.rows),
        f"Beyond the pharmacokinetics: {count_text(validation.targets)}" if validation.targets else "",
    ]
    return [part for part in parts if part]


def _aims_met(found: Sequence[Aim]) -> str:
    judged = [aim for aim in found if aim.met is not None]
    unmet = [
        f"{aim.text[0].lower()}{aim.text[1:]} ({aim_value(aim)}, criterion {aim_limit(aim)})"
        for aim in judged
        if not aim.met
    ]
    if not judged:
        return "No aim for the pharmacokinetics could be judged."
    text = f"Of {len(judged)} aims for the pharmacokinetics {len(judged) - len(unmet)} are met."
    if not unmet:
        text = f"All {len(judged)} aims for the pharmacokinetics are met."
    fitted = sum(aim.split == "calibration" for aim in judged)
    text += f" {fitted} of these are judged on calibration rows, which is no test."
    return f"{text} Not met: {listed(unmet)}." if unmet else text


def _typical(by_split: Mapping[str, Sequence[Scores]]) -> str:
    parts = []
    for split in SPLITS:
        found = [(name, overall(by_split[split], name)) for name in ("THC", "11-OH-THC", "CBD")]
        each = [f"{number(row.gmfe)} for {name} (n = {row.n})" for name, row in found if row]
        if each:
            parts.append(f"{SPLIT_WORDS[split]} {listed(each)}")
    return f"Geometric mean fold error: {'; '.join(parts)}." if parts else ""


def _ratios(ratios: Ratios) -> str:
    if not ratios.n:
        return "No ratio was held out."
    low, high = ratios.limits
    text = (
        f"Of {ratios.n} held-out ratios (food, co-medication, genotype, hepatic impairment, repeated doses) "
        f"{ratios.within} ({percent(ratios.share)}) are predicted within {low:g} to {high:g} times the observed"
    )
    if ratios.in_words:
        text += f" ({ratios.in_words} that studies give in words only are not counted)"
    if not ratios.missed:
        return f"{text}."
    worst = max(ratios.missed, key=lambda row: abs(math.log(row.fold)))
    return f"{text}; the largest error, {label(worst)}, is {number(worst.fold)} times the observed."


def _intervals(rows: Iterable[Row]) -> str:
    inside = [row.inside for row in rows if is_exposure(row)]
    if not inside:
        return ""
    share, (low, high) = sum(inside) / len(inside), FAIR_COVERAGE
    word = "too narrow" if share < low else "too wide" if share > high else "about right"
    return (
        f"The 90 % prediction intervals of Cmax, AUC and concentrations include {percent(share)} of the observed "
        f"values: they are {word}."
    )


def _poor(by_split: Mapping[str, Sequence[Scores]]) -> str:
    found = [
        f"{row.analyte} in {SPLIT_WORDS[split]} rows ({number(row.gmfe)}, n = {row.n})"
        for split in SPLITS
        for row in by_split[split]
        if (row.route, row.provenance, row.metric) == ("all", "all", "all") and row.gmfe > POOR
    ]
    return f"Geometric mean fold error above {POOR:g}: {listed(found)}." if found else ""


def _unverified(rows: Sequence[Row]) -> str:
    found = sum(row.provenance == "recalled" for row in rows)
    return f"{found} of the {len(rows)} published figures are unverified{UNVERIFIED}." if rows else ""


def is_exposure(row: Row) -> bool:
    return row.group == EXPOSURE


def label(row: Row) -> str:
    """study, analyte and metric of a row, marked where unverified."""
    return marked(f"{row.study} {row.analyte} {metric(row)}", row.provenance)


def metric(row: Row) -> str:
    """The metric, with its time where it is a concentration."""
    return row.metric if row.time_h is None else f"{row.metric} at {row.time_h:g} h"


# -- tables ----------------------------------------------------------------------------------------
def aims_table(found: Sequence[Aim]) -> Table:
    rows = [[aim.text, aim_limit(aim), aim_value(aim), str(aim.n), MET[aim.met]] for aim in found]
    return table(
        "Aims for the pharmacokinetics, and results",
        "aim|criterion|result|n|verdict",
        rows,
        "criterion|result|n",
    )


_SCORES = "n|AFE|GMFE|within 1.25|within 1.5|within 2|coverage|studies|GMFE by study|coverage by study"


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
    by_study = [str(row.studies), number(row.gmfe_by_study), percent(row.coverage_by_study)]
    return [str(row.n), number(row.afe), number(row.gmfe), *shares, *by_study]


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
        SPLIT_WORDS[row.scored_as],
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
    return [row for row in rows if row.group == "ratio" and row.scored_as == "validation"]


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


# -- targets in a terminal -------------------------------------------------------------------------
_OBSERVATION = 56
_LEGEND = (
    "Set by hand: a constant of the model was set with this observation in view, so that meeting it is no evidence. "
    "Copy: figures of another program with a published model; meeting them verifies the implementation. "
    f"a: the target itself is assumed; t: its tolerance is; {UNVERIFIED}: target or figure depends on what was quoted "
    "from memory and not checked against its source (named below the row)."
)
_NAMES = ("no", "target", "range", "model", "met?", "")


def targets_text(found: Sequence[TargetResult]) -> str:
    """A table, the reason under each target that is not met or could not be evaluated."""
    rows: list[tuple[str, ...]] = []
    for each in found:
        first, *more = textwrap.wrap(each.observation, _OBSERVATION)
        value = number(each.value)
        rows.append((each.number, first, _range(each), value, _verdict(each), _marks(each)))
        rows += [(f"     {line}",) for line in more]
        notes = [line for text in _notes(each) for line in textwrap.wrap(text, WIDTH - 9)]
        rows += [(f"         {line}",) for line in notes]
    shown = as_text(Table("", _NAMES, tuple(rows), frozenset({"model"})))
    return "\n".join([shown, "", wrapped(count_text(found)), wrapped(_LEGEND)])


def count_text(found: Iterable[TargetResult]) -> str:
    """How many are met, and how many of these say something about the model."""
    found = list(found)
    met = [each for each in found if each.met]
    by_hand = sum(each.set_by_hand for each in met if each.kind == "observed")
    copies = sum(each.kind == "model" for each in met)
    assumed = sum(
        not each.set_by_hand and each.kind == "observed" and each.provenance == "assumed" for each in met
    )
    unmet, unjudged = (sum(each.met is verdict for each in found) for verdict in (False, None))
    return (
        f"Of {len(found)} targets {len(met)} are met, {unmet} are not and {unjudged} cannot be judged. Of those met, "
        f"{copies} are copies of a published model, {by_hand} had a constant set on them and {assumed} are assumed "
        f"figures; {len(met) - copies - by_hand - assumed} remain as evidence."
    )


def _range(each: TargetResult) -> str:
    if each.low is None or each.high is None:
        return "-"
    unit = "" if each.unit == "1" else f" {each.unit}"
    return f"{span(f'{each.low:g}', f'{each.high:g}')}{unit}"


def _verdict(each: TargetResult) -> str:
    if each.met is None:
        return "cannot run" if each.value is None else "not judged"
    if not each.met:
        return "NO"
    if each.kind == "model":
        return "yes (copy)"
    return "yes (set by hand)" if each.set_by_hand else "yes"


def _marks(each: TargetResult) -> str:
    marks = {
        "a": each.provenance == "assumed",
        "t": each.tolerance == "assumed" and each.provenance != "assumed",
        UNVERIFIED: each.recalled,
    }
    return " ".join(mark for mark, holds in marks.items() if holds)


def _notes(each: TargetResult) -> list[str]:
    notes = []
    if each.detail:
        notes.append(f"({each.detail})")
    if each.recalled:
        what = ["the target"] if each.provenance == "recalled" else []
        notes.append(f"Unverified: {', '.join([*what, *each.recalled_constants])}.")
    if each.reason:
        notes.append(each.reason)
    return notes
