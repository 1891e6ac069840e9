"""Published trials beside virtual ones and the baseline, as text and as a page; predictions on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lissive.forecast.better import baseline_outcomes
from lissive.report.table import Table, as_markdown, as_text, table
from lissive.report.words import (
    DERIVED_NOTE,
    UNVERIFIED_NOTE,
    count,
    listed,
    marked,
    paragraphs,
    span,
    wrapped,
)
from lissive.trials.reproduce import Agreement, Row
from lissive.validation.pool import pool_weight
from lissive.validation.proper import Scores, Told
from lissive.validation.skill import Scored, Side

NOTE = (
    f"observed: as published ({UNVERIFIED_NOTE}; {DERIVED_NOTE}). predicted: mean over replicates of the same "
    "size and design. 90 % PI: prediction interval, 5th to 95th percentile of the replicates: chance, "
    "between-trial random effects, and parameter uncertainty (posterior draws). inside: observed within it. "
    "Ratings 0-10, negative changes are improvements; proportions from 0 to 1; dose in units a day. baseline: a "
    "random-effects meta-regression of the same calibration figures without a mechanism "
    "(docs/concepts/baseline.md), with its own 90 % PI."
)
SKILL = (
    "Less is better: CRPS is the mean absolute error of the whole predicted distribution, the interval score is "
    "the width of the 90 % PI plus twenty times what lies outside it (Gneiting and Raftery, 2007). Ratings and "
    "proportions are scored in points of ten, ratios, doses and standard deviations by their logarithm; only "
    "figures of which both say something. Both were fitted on the calibration figures; where a trial is left out, "
    "neither knew it, and the model's figures are its emulator's (docs/concepts/response.md)."
)
TRIAL_SPLITS = {
    "calibration": "Calibration (split calibration: fitted on)",
    "validation": "Held out (split validation: nothing fitted on)",
    "context": "Context (split context: neither)",
}
UNSEEN = "Calibration, each trial left out"
ASSUMED, LEFT_OUT = "Assumed where a paper is silent", "Not used"


def reproduce_text(answer: Scored) -> str:
    """The answer of `lissive trial reproduce`, for a terminal."""
    tables = [
        f"{TRIAL_SPLITS[split]}\n{as_text(figures_table(answer, rows))}"
        for split, rows in _by_split(answer).items()
        if rows
    ]
    return paragraphs(
        [
            f"Published trials in virtual patients: {_counted(answer)}.",
            wrapped(NOTE),
            *tables,
            "Observed within the 90 % PI (90 % expected)\n"
            + as_text(scores_table(answer), indent="  ", rule=False),
            f"Model and baseline on the same figures\n{as_text(skill_table(answer))}",
            wrapped(_shown(answer)),
            wrapped(_pooled()),
            wrapped(SKILL),
            _items(ASSUMED, _assumed(answer)),
            _items(LEFT_OUT, _left_out(answer)),
            wrapped("The model was fitted on the calibration trials: agreement with these is no test of it."),
        ]
    )


def reproduce_markdown(answer: Scored, command: str, stamp: str) -> str:
    """The same as a page of documentation."""
    parts = ["# Published trials in virtual patients", f"Made by `{command}`: {_counted(answer)}.", NOTE]
    parts.append(as_markdown(scores_table(answer)))
    parts += [
        "## Model and baseline on the same figures",
        as_markdown(skill_table(answer)),
        _shown(answer),
        _pooled(),
        SKILL,
    ]
    for split, rows in _by_split(answer).items():
        if rows:
            parts += [f"## {TRIAL_SPLITS[split]}", as_markdown(figures_table(answer, rows))]
    for title, lines in ((ASSUMED, _assumed(answer)), (LEFT_OUT, _left_out(answer))):
        parts += [f"## {title}", "\n".join(f"- {line}" for line in lines)]
    return paragraphs([*parts, f"Made from {stamp}."]) + "\n"


def figures_table(answer: Scored, rows: Sequence[Row]) -> Table:
    """Observed beside predicted, by the model and by the baseline."""
    said = {id(each.row): each.said.baseline for each in answer.both}
    return table(
        "",
        "trial|arm|figure|observed|predicted|90 % PI|inside|baseline|its 90 % PI",
        [_figure_cells(row, said.get(id(row))) for row in rows],
        "observed|predicted|90 % PI|baseline|its 90 % PI",
    )


def _figure_cells(row: Row, baseline: Told | None) -> list[str]:
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
        "-" if baseline is None else _number(baseline.predicted),
        "-" if baseline is None else span(_number(baseline.lower), _number(baseline.upper)),
    ]


def _number(x: float) -> str:
    """As trials print ratings and proportions: to the second decimal, of large ones to the first."""
    return f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def scores_table(answer: Scored) -> Table:
    """How many figures of each split are inside."""
    rows = [[TRIAL_SPLITS.get(split, split), _agreement(found)] for split, found in answer.by_split.items()]
    return table("", "trials|observed within the 90 % PI", rows)


def _agreement(found: Agreement) -> str:
    text = f"{found.inside} of {found.n} ({100 * found.inside / max(found.n, 1):.0f} %)"
    if found.width_ratio is not None:
        text += f"; differences: width of PI / published 95 % CI = {found.width_ratio:.3f}"
    return text


def skill_table(answer: Scored) -> Table:
    """Both sides' scores by split and by outcome, and those with each trial left out."""
    sides = {**_by_trials(answer), **answer.score_by(lambda each: each.outcome)}
    rows = [_skill_cells(name, side) for name, side in sides.items()]
    scored = "CRPS, interval score, inside"
    head = f"figures|n|model: {scored}|baseline: {scored}|better by CRPS|both pooled: {scored}"
    return table("", head, rows, "n")


def _by_trials(answer: Scored) -> dict[str, Side]:
    of_split = answer.score_by(lambda each: each.row.split).items()
    sides = {TRIAL_SPLITS.get(split, split): side for split, side in of_split}
    return sides | ({UNSEEN: answer.left_out} if answer.left_out else {})


def _shown(answer: Scored) -> str:
    """The scores of what forecasts show: the model's figures, or the baseline's where those predict better."""
    of, by_trials = listed(sorted(baseline_outcomes())), _by_trials(answer)
    if not of or not by_trials:
        return ""
    said = "; ".join(f"{name}: {_both(side.shown)}" for name, side in by_trials.items())
    what = f"the baseline's figures of {of} and else the model's"
    return f"As forecasts show it, {what} (CRPS, interval score, inside): {said}."


def _pooled() -> str:
    mine = 100 * pool_weight()
    return (
        f"Both pooled: a mixture of {mine:.0f} % the model's distribution and {100 - mine:.0f} % the baseline's, the "
        "same for all figures; the weight predicted calibration trials best, each left out "
        "(docs/concepts/baseline.md). Predictions on record give it."
    )


def _skill_cells(name: str, side: Side) -> list[str]:
    better = "model" if side.model.crps < side.baseline.crps else "baseline"
    return [name, str(side.model.n), _both(side.model), _both(side.baseline), better, _both(side.pooled)]


def _both(one: Scores) -> str:
    return f"{one.crps:.3f}, {one.interval_score:.2f}, {100 * one.coverage:.0f} %"


def _by_split(answer: Scored) -> dict[str, list[Row]]:
    return {split: [row for row in answer.rows if row.split == split] for split in TRIAL_SPLITS}


def _counted(answer: Scored) -> str:
    trials = len({row.observed.trial for row in answer.rows})
    return (
        f"{count(len(answer.rows), 'figure')} of {count(trials, 'trial')}, "
        f"{count(answer.replicates, 'replicate')} of each trial"
    )


def _assumed(answer: Scored) -> list[str]:
    return [f"{trial}: {text}" for trial, texts in answer.assumed.items() for text in texts]


def _left_out(answer: Scored) -> list[str]:
    return [f"{each.trial}, {each.what}: {each.why}" for each in answer.skipped]


def _items(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


ON_RECORD = (
    "Ratings 0-10, Ashworth 0-4, negative changes are improvements; proportions from 0 to 1. predicted: mean over "
    "replicates of the trial, of ratios the median. 90 % PI: where nine of ten such trials are expected to be. "
    "baseline: a meta-regression without a mechanism, of the same calibration trials (docs/concepts/baseline.md)."
)
POOLED = "both: a mixture of the two, the model's weight {:g} (chosen on calibration trials, each left out)."


def prediction_markdown(record: Mapping[str, Any]) -> str:
    """The whole page."""
    protocol, made = record["protocol"], record["made_from"]
    known = [protocol["registry"], f"doi {protocol['doi']}" if protocol["doi"] else ""]
    parts = [
        f"# Prediction of {record['trial']}",
        f"**{protocol['title']}** ({', '.join(each for each in known if each) or 'no registry number stated'}). "
        f"Made on {record['made']}. {protocol['not_reported']}",
        protocol["people"],
        f"**{record['no_prediction'][:1].upper()}{record['no_prediction'][1:]}.**"
        if record["no_prediction"]
        else "",
        *([_legend(record), as_markdown(_figures(record))] if record["figures"] else []),
        _listed("Assumed where the sources are silent", protocol["assumed"]),
        _listed("Sources", protocol["sources"]),
        "## Made from",
        f"Lissive {made['lissive']}; {made['stamp']}; posterior draws, SHA-256 `{made['posterior_sha256']}`; "
        f"baseline fitted on {', '.join(made['baseline_trials'])}; {made['replicates']} replicates, random seed "
        f"{made['seed']}.",
        f"Record before: `{record['previous'] or 'none'}`.\nHash of this record: `{record['hash']}`. "
        "`lissive trial predict --verify FOLDER` checks both.",
    ]
    return paragraphs(parts) + "\n"


def _listed(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}\n", *(f"- {line}" for line in lines)]) if lines else ""


def _has_pool(record: Mapping[str, Any]) -> bool:
    """Records of format 1 have none."""
    return "pool_weight" in record["made_from"]


def _legend(record: Mapping[str, Any]) -> str:
    more = [POOLED.format(record["made_from"]["pool_weight"])] if _has_pool(record) else []
    return " ".join([ON_RECORD, *more])


def _figures(record: Mapping[str, Any]) -> Any:
    sides = "model|baseline|pooled" if _has_pool(record) else "model|baseline"
    numbers = "|".join(
        f"{HEADS[side]}|{'its ' if side != 'model' else ''}90 % PI" for side in sides.split("|")
    )
    rows = [_cells(each, sides.split("|")) for each in record["figures"]]
    return table("", f"figure|arm|n|{numbers}", rows, f"n|{numbers}")


HEADS = {"model": "predicted", "baseline": "baseline", "pooled": "both"}


def _cells(one: Mapping[str, Any], sides: Sequence[str]) -> list[str]:
    week = "" if one["week"] is None else f", week {one['week']:g}"
    cells = [
        f"{one['endpoint']}, {one['statistic'].replace('_', ' ')}{week}",
        one["arm"] if one["against"] is None else f"{one['arm']} - {one['against']}",
        str(one["n"]),
    ]
    for side in sides:
        said = one[side]
        if said is None:
            cells += ["-", "-"]
        else:
            low, high = (f"{x:.2f}" for x in said["pi90"])
            cells += [f"{said['predicted']:.2f}", span(low, high)]
    return cells
