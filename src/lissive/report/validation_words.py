"""A validation in words: numbers as they are printed, and the paragraph that says how far to trust the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from lissive.report.targets_text import count_text
from lissive.validate.reach import Aim, aims, overall
from lissive.validate.run import SPLITS, Validation
from lissive.validate.score import EXPOSURE, Ratios, Row, Scores

RECALLED = "†"
"""Stands after whatever was quoted from memory."""
MET = {True: "met", False: "not met", None: "not judged"}
POOR = 2.0
"""A typical fold error beyond this is named in the verdict."""
FAIR_COVERAGE = (0.85, 0.95)
"""Share of observations within their 90 % intervals from and to which these are called fair."""
EXPOSURES = ("Cmax", "AUC", "AUC_0t", "C")

GLOSSARY: Mapping[str, str] = {
    "Fold error": "predicted over observed: 1 is right, 2 is twice too high, 0.5 is half of it.",
    "AFE": "average fold error, the geometric mean of the fold errors: bias. 1 is none.",
    "GMFE": "geometric mean fold error, of fold or 1/fold, whichever is larger: the typical error as a factor.",
    "Within 1.25-, 1.5-, 2-fold": "share of the observations that are missed by no more than this factor.",
    "Coverage": "share of the observations within the prediction's 90 % interval. About 90 % is right; less, and "
    "the intervals are too narrow. An interval holds the people of an arm of that size, what the calibration left "
    "uncertain, and how studies differ from each other.",
    "All metrics": "Cmax, AUC and concentrations together. Times, clearances and ratios are scored on their own.",
    "Calibration, validation": "calibration rows may have been fitted on, so that agreement there is no test. "
    "Validation rows were kept back: nothing was fitted on them.",
    "Read, recalled": "read: seen in the source that is named. Recalled: quoted from memory by whoever compiled the "
    f"table, of less weight in the calibration, scored apart, and marked {RECALLED} wherever it is printed.",
    "Ratio": "exposure under a condition (food, a medicine, a genotype, a sick liver) over that without it.",
}


def number(x: float | None) -> str:
    """Three significant figures, without an exponent where that can be read.

    >>> [number(x) for x in (0.012345, 1.0, 12345.6, 3e-7, None)]
    ['0.0123', '1.00', '12300', '3.00e-07', '-']
    """
    if x is None or not math.isfinite(x):
        return "-" if x is None or math.isnan(x) else "unbounded"
    if x == 0.0:
        return "0"
    size = math.floor(math.log10(abs(float(f"{x:.2e}"))))
    if not -5 < size < 7:
        return f"{x:.2e}"
    rounded = float(f"{x:.2e}")
    return f"{rounded:.{max(0, 2 - size)}f}"


def percent(share: float | None) -> str:
    """A share as a whole per cent.

    >>> percent(0.666)
    '67 %'
    """
    return "-" if share is None else f"{100.0 * share:.0f} %"


def marked(text: str, recalled: bool) -> str:
    return f"{text}{RECALLED}" if recalled else text


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
        _from_memory(validation.rows),
        f"Beyond the kinetics: {count_text(validation.targets)}" if validation.targets else "",
    ]
    return " ".join(part for part in parts if part)


def _aims_met(found: Sequence[Aim]) -> str:
    judged = [aim for aim in found if aim.met is not None]
    unmet = [
        f"{aim.text[0].lower()}{aim.text[1:]} ({aim_value(aim)}, meant {aim_limit(aim)})"
        for aim in judged
        if not aim.met
    ]
    if not judged:
        return "No aim for the kinetics could be judged."
    said = f"Of {len(judged)} aims for the kinetics {len(judged) - len(unmet)} are met."
    if not unmet:
        said = f"All {len(judged)} aims for the kinetics are met."
    fitted = sum(aim.split == "calibration" for aim in judged)
    said += f" {fitted} of these are judged where the model may have been fitted, which is no test."
    return f"{said} Not met: {listed(unmet)}." if unmet else said


def _typical(by_split: Mapping[str, Sequence[Scores]]) -> str:
    words = {
        "calibration": "Where the model may have been fitted, it is typically wrong by a factor of",
        "validation": "On studies that were kept back, by a factor of",
    }
    parts = []
    for split, start in words.items():
        found = [(name, overall(by_split[split], name)) for name in ("THC", "11-OH-THC", "CBD")]
        said = [f"{number(row.gmfe)} for {name} ({row.n})" for name, row in found if row]
        if said:
            parts.append(f"{start} {listed(said)}.")
    return " ".join([*parts, "In brackets: how many observations."]) if parts else ""


def _ratios(ratios: Ratios) -> str:
    if not ratios.n:
        return "No ratio was kept back to test the model by."
    low, high = ratios.limits
    said = (
        f"Of {ratios.n} kept-back ratios (food, medicines, genotype, liver, repeated doses) {ratios.within} "
        f"({percent(ratios.share)}) are predicted within {low:g} to {high:g} times the observed"
    )
    if not ratios.missed:
        return f"{said}."
    worst = max(ratios.missed, key=lambda row: abs(math.log(row.fold)))
    return f"{said}; the worst, {label(worst)}, is {number(worst.fold)} times the observed."


def _intervals(rows: Iterable[Row]) -> str:
    inside = [row.inside for row in rows if is_exposure(row)]
    if not inside:
        return ""
    share, (low, high) = sum(inside) / len(inside), FAIR_COVERAGE
    word = "too narrow" if share < low else "too wide" if share > high else "fair"
    return (
        f"The 90 % intervals of Cmax, AUC and concentrations hold {percent(share)} of the observed figures: "
        f"they are {word}."
    )


def _poor(by_split: Mapping[str, Sequence[Scores]]) -> str:
    found = [
        f"{row.analyte} in {split} rows ({number(row.gmfe)}, {row.n} observations)"
        for split in SPLITS
        for row in by_split[split]
        if (row.route, row.provenance, row.metric) == ("all", "all", "all") and row.gmfe > POOR
    ]
    return f"Typically off by more than a factor of {POOR:g}: {listed(found)}." if found else ""


def _from_memory(rows: Sequence[Row]) -> str:
    recalled = sum(row.provenance == "recalled" for row in rows)
    return (
        f"{recalled} of the {len(rows)} published figures are quoted from memory{RECALLED}." if rows else ""
    )


def is_exposure(row: Row) -> bool:
    return row.group == EXPOSURE


def label(row: Row) -> str:
    """study, analyte and metric of a row, marked where recalled."""
    return marked(f"{row.study} {row.analyte} {metric(row)}", row.provenance == "recalled")


def metric(row: Row) -> str:
    """The metric, with its time where it is a concentration."""
    return row.metric if row.time_h is None else f"{row.metric} at {row.time_h:g} h"


def listed(words: Sequence[str]) -> str:
    """Words with commas, and an `and` before the last.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
