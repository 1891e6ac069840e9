"""A validation in words: numbers as they are printed, and the paragraph that says how far to trust the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from lissive.report.targets_text import count_text
from lissive.report.words import UNVERIFIED, listed, marked, number, percent
from lissive.validation.run import SPLITS, Aim, Validation, aims, overall
from lissive.validation.score import EXPOSURE, Ratios, Row, Scores

SPLIT_WORDS = {"calibration": "calibration", "validation": "held-out"}
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
    "uncertainty, and between-study variability.",
    "All metrics": "Cmax, AUC and concentrations together. Times, clearances and ratios are scored on their own.",
    "Calibration, held out": "calibration rows may have been fitted on, so that agreement there is no test. Nothing "
    "was fitted on held-out rows (split validation).",
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
    parts = [
        _aims_met(aims(validation)),
        _typical(validation.summary_by_split),
        _ratios(validation.ratios),
        _intervals(validation.rows),
        _poor(validation.summary_by_split),
        _unverified(validation.rows),
        f"Beyond the pharmacokinetics: {count_text(validation.targets)}" if validation.targets else "",
    ]
    return " ".join(part for part in parts if part)


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
