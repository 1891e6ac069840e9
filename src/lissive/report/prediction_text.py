"""A prediction on record as a page to read. The same record always gives the same page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lissive.report.table import as_markdown, table
from lissive.report.words import paragraphs, span

NOTE = (
    "Ratings 0-10, Ashworth 0-4, negative changes are improvements; proportions from 0 to 1. predicted: mean over "
    "replicates of the trial, of ratios the median. 90 % PI: where nine of ten such trials are expected to be. "
    "baseline: a meta-regression without a mechanism, of the same calibration trials (docs/concepts/baseline.md)."
)


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
        *([NOTE, as_markdown(_figures(record))] if record["figures"] else []),
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


def _figures(record: Mapping[str, Any]) -> Any:
    head = "figure|arm|n|predicted|90 % PI|baseline|its 90 % PI"
    return table(
        "", head, [_cells(each) for each in record["figures"]], "n|predicted|90 % PI|baseline|its 90 % PI"
    )


def _cells(one: Mapping[str, Any]) -> list[str]:
    week = "" if one["week"] is None else f", week {one['week']:g}"
    cells = [
        f"{one['endpoint']}, {one['statistic'].replace('_', ' ')}{week}",
        one["arm"] if one["against"] is None else f"{one['arm']} - {one['against']}",
        str(one["n"]),
    ]
    for side in (one["model"], one["baseline"]):
        if side is None:
            cells += ["-", "-"]
        else:
            low, high = (f"{x:.2f}" for x in side["pi90"])
            cells += [f"{side['predicted']:.2f}", span(low, high)]
    return cells
