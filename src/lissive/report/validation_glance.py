"""The first table of a validation: what a clinician may ask of the model, how well it answers, and what to make of it.

Questions and advice are rows of validation/glance.tsv; every number is calculated from the validation.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from lissive.report.table import Table, table
from lissive.report.words import marked, number, span
from lissive.table import rows_of
from lissive.validation.run import Validation
from lissive.validation.score import RATIO_LIMITS, Row
from lissive.validation.targets import FOLDER, TargetResult

GLANCE = FOLDER / "glance.tsv"
NOTE = (
    "How to read it: *1.2-fold* means that half of the predictions are off by less than a factor of 1.2. *In range* "
    "means that the published figure lies within the 90 % prediction interval; 9 of 10 are expected. *Accepted* is the "
    "range within which a prediction counts as met. Agreement where the model was fitted is no test."
)
_UNITS = {"NRS": " points of 10", "ratio": " times", "1": "", "%": " %"}
_NONE = "not tested"


def glance_table(validation: Validation) -> Table:
    """Question, result where the model was fitted, result where it was not, advice: a row for each of glance.tsv."""
    return table(
        "",
        "question|where it was fitted|where it was not fitted|what to rely on",
        [[row["question"], *_results(row, validation), row["make_of_it"]] for row in rows_of(GLANCE)],
    )


def _results(row: dict[str, str], validation: Validation) -> tuple[str, str]:
    kind = row["kind"]
    if kind in ("exposure", "time", "ratio"):
        found = [each for each in validation.rows if each.group == kind and _is_of(each, row)]
        write = _of_ratios if kind == "ratio" else _of_rows
        fitted = [each for each in found if each.scored_as == "calibration"]
        return write(fitted), write([each for each in found if each.scored_as == "validation"])
    labels = dict(each.partition("=")[::2] for each in row["targets"].split())
    results = [each for each in validation.targets if each.id in labels]
    halves = [[each for each in results if each.set_by_hand is by_hand] for by_hand in (True, False)]
    if kind == "counted":
        return _counted(halves[0]), _counted(halves[1])
    return _of_targets(halves[0], labels), _of_targets(halves[1], labels)


def _is_of(each: Row, row: dict[str, str]) -> bool:
    return all(
        row[column] == "-" or value in row[column].split()
        for column, value in (("analytes", each.analyte), ("routes", each.route))
    )


def _of_rows(found: Sequence[Row]) -> str:
    """Median error as a factor, and how many are within their interval."""
    if not found:
        return _NONE
    fold = statistics.median(max(each.fold, 1.0 / each.fold) for each in found)
    low = sum(each.fold < 1.0 for each in found)
    which = ""
    if len({low, 0, len(found)}) == 2:  # all to one side
        which = ", all too low" if low else ", all too high"
    inside = sum(each.inside for each in found)
    return f"{fold:.1f}-fold; {inside} of {len(found)} in range{which}"


def _of_ratios(found: Sequence[Row]) -> str:
    """How many are within the limits, and the one that is farthest off."""
    if not found:
        return _NONE
    low, high = RATIO_LIMITS
    good = sum(low <= each.fold <= high for each in found)
    worst = max(found, key=lambda each: max(each.fold, 1.0 / each.fold))
    return (
        f"{good} of {len(found)} within {low:g} to {high:g} times the observed; farthest off: "
        f"{worst.analyte} {worst.metric.replace('_', ' ')}, predicted {number(worst.predicted)}, "
        f"observed {marked(number(worst.observed), worst.provenance)}"
    )


def _of_targets(found: Sequence[TargetResult], labels: Mapping[str, str]) -> str:
    """Each figure beside what was accepted."""
    return "; ".join(_of_target(each, labels[each.id].replace("_", " ")) for each in found) or _NONE


def _of_target(each: TargetResult, label: str) -> str:
    name, unit = f"{label} " if label else "", _UNITS.get(each.unit, f" {each.unit}")
    if each.value is None or each.low is None or each.high is None:
        return f"{name}cannot be judged"
    accepted = span(f"{each.low:g}", f"{each.high:g}")
    verdict = "met" if each.met else "not met"
    return f"{name}{number(each.value)}{unit} (accepted {accepted}): {verdict}"


def _counted(found: Sequence[TargetResult]) -> str:
    if not found:
        return _NONE
    met, unjudged = (sum(each.met is verdict for each in found) for verdict in (True, None))
    text = f"{met} of {len(found)} observations met"
    return f"{text}, {unjudged} not judged" if unjudged else text
