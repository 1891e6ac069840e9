"""A validation as one page that needs nothing but itself: words, figures, and the table behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from lissive.files import atomic_path
from lissive.report.inline_svg import inline_svg
from lissive.report.page_parts import Shown, cell_class, is_broad
from lissive.report.table import Table, table
from lissive.report.targets_text import count_text
from lissive.report.validation_figures import (
    drawn,
    letters_of_points,
    plot_curve,
    plot_predicted,
    plot_ratios,
)
from lissive.report.validation_md import command
from lissive.report.validation_parameters import (
    model_references,
    parameters_table,
    study_references,
    target_references,
)
from lissive.report.validation_sensitivity import sensitivity_part
from lissive.report.validation_stamp import stamp
from lissive.report.validation_tables import (
    aims_table,
    breakdown_table,
    held_out_ratios,
    is_miss,
    observed,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
    targets_table,
)
from lissive.report.validation_words import GLOSSARY, is_exposure, label, verdict
from lissive.report.words import UNVERIFIED, listed, marked, number, percent
from lissive.studies.observation import PRINTED
from lissive.validation.run import SPLITS, Validation, aims
from lissive.validation.score import Curve, Row, why_missed
from lissive.version import __version__

HERE = Path(__file__).parent
CONTENTS = (
    ("read", "How to read it"),
    ("summary", "Summary"),
    ("predicted", "Predicted against observed"),
    ("ratios", "Ratios"),
    ("curves", "Concentration over time"),
    ("times", "Times and clearances"),
    ("targets", "Targets"),
    ("sensitivity", "Sensitivity"),
    ("skipped", "Not scored"),
    ("parameters", "Parameters"),
    ("references", "References"),
)


def write_validation(
    folder: Path,
    validation: Validation,
    curves: Sequence[Curve],
) -> list[Path]:
    """The page, `validation.html`, whole or not at all. The same run gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "validation.html"
    text = validation_page(validation, curves)
    with atomic_path(path) as place:
        place.write_text(text, encoding="utf-8")
    return [path]


def validation_page(
    validation: Validation,
    curves: Sequence[Curve],
) -> str:
    """The page's text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.globals |= {"kind": cell_class, "broad": is_broad}
    targets, sensitivity = validation.targets, validation.sensitivity
    content = {
        "css": Markup((HERE / "validation.css").read_text(encoding="utf-8").strip()),
        "version": __version__,
        "contents": CONTENTS,
        "glossary": GLOSSARY,
        "legend": _legend(),
        "verdict": verdict(validation),
        "command": command(validation).replace("--docs docs/validation.md", "--report FOLDER"),
        "stamp": stamp(Path(validation.path)),
        **_counts(validation),
        **_of_rows(validation),
        "curves": [_curve_figure(k, curve) for k, curve in enumerate(curves)],
        "counted": count_text(targets),
        "target_table": targets_table(targets),
        "sensitivity": None if sensitivity is None else sensitivity_part(sensitivity),
        "skipped": skipped_table(validation.skipped),
        "parameters": parameters_table(),
        "model_references": model_references(),
        "study_references": study_references(validation.path),
        "target_references": target_references(targets),
    }
    return templates.get_template("validation.html.j2").render(content)


def _counts(validation: Validation) -> dict[str, int]:
    return {
        "rows": len(validation.predictions),
        "studies": len({each.observation.study for each in validation.predictions}),
        "targets": len(validation.targets),
        "replicates": validation.replicates,
    }


def _of_rows(validation: Validation) -> dict[str, Any]:
    """Everything that shows observations beside predictions; each of them is in one of its tables."""
    rows, by_split = validation.rows, validation.summary_by_split
    ratios = held_out_ratios(rows)
    exposure = [
        [row for row in rows if is_exposure(row) and row.analyte == name] for name in PRINTED.values()
    ]
    misses = [row for row in ratios if is_miss(row)]
    rest = [row for row in rows if row.group == "clearance" or (row.group == "ratio" and row not in ratios)]
    return {
        "aims": aims_table(aims(validation)),
        "summaries": [summary_table(by_split, split) for split in SPLITS],
        "breakdowns": [breakdown_table(by_split, split) for split in SPLITS],
        "predicted": [_predicted_figure(k, mine) for k, mine in enumerate(exposure) if mine],
        "ratios": _ratios_figure(ratios) if ratios else None,
        "misses": [
            {
                "what": label(row),
                "observed": observed(row),
                "predicted": number(row.predicted),
                "why": why_missed(row.study, row.analyte, row.metric),
            }
            for row in misses
        ],
        "times": rows_table("Times of the peak and half-lives", [r for r in rows if r.group == "time"]),
        "clearances": rows_table("Clearances, volumes, and calibration ratios", rest),
    }


def _predicted_figure(k: int, rows: Sequence[Row]) -> Shown:
    analyte = rows[0].analyte
    good = sum(max(row.fold, 1.0 / row.fold) <= 2.0 for row in rows)
    said = f"{analyte}: {good} of {len(rows)} predictions are within 2-fold of the observed."
    picture = inline_svg(drawn(3.1, 3.0, lambda ax: plot_predicted(rows, ax=ax)), f"po{k}", said)
    text = f"{good} of {len(rows)} within 2-fold ({percent(good / len(rows))})"
    numbers = rows_table(f"{analyte}: Cmax, areas and concentrations", rows)
    return Shown(analyte, text, (picture,), numbers, letters_of_points(rows))


def _ratios_figure(rows: Sequence[Row]) -> Shown:
    good = sum(not is_miss(row) for row in rows)
    said = f"{good} of {len(rows)} predicted ratios are within 0.67 to 1.5 times the observed."
    picture = inline_svg(
        drawn(3.6, 0.5 + 0.3 * len(rows), lambda ax: plot_ratios(rows, ax=ax)), "ratios", said
    )
    text = (
        "Grey: 0.67 to 1.5 times the observed (vertical line). Dot: predicted, with its 90 % prediction interval; "
        "cross, and bold: not met."
    )
    return Shown(said, text, (picture,), ratios_table(rows, reasons=False), wide=True)


def _curve_figure(k: int, curve: Curve) -> Shown:
    marks = [marked(number(p.value), p.provenance) for p in curve.points]
    said = f"{curve.analyte} in {curve.study}, {curve.route}: published {listed(marks[:12])} {curve.unit}"
    pictures = tuple(
        inline_svg(
            drawn(2.7, 1.9, lambda ax, log=log: plot_curve(curve, ax=ax, log=log)),  # type: ignore[misc]
            f"c{k}{'log' if log else 'lin'}",
            f"{said}; {'logarithmic' if log else 'linear'} axis.",
        )
        for log in (False, True)
    )
    text = f"{curve.study}, {curve.route}, {curve.people} simulated people"
    return Shown(curve.analyte, text, pictures, _curve_table(curve))


def _curve_table(curve: Curve) -> Table:
    """Published points with the model's at the same times, and some of the curve between."""
    every = max(1, len(curve.times) // 12)
    between = {float(time) for time in curve.times[::every]} - {point.time for point in curve.points}
    rows = [(time, "", "") for time in between]
    for point in curve.points:
        seen = marked(number(point.value), point.provenance)
        rows.append((point.time, seen, f"{point.what}, {point.split}"))
    return table(
        f"{curve.study}, {curve.analyte} [{curve.unit}]",
        "h|observed|what|median|5 %|95 %",
        [[number(time), *words, *_at(curve, time)] for time, *words in sorted(rows)],
        "observed|median|5 %|95 %",
    )


def _at(curve: Curve, time: float) -> list[str]:
    return [
        number(float(np.interp(time, curve.times, line))) for line in (curve.median, curve.p05, curve.p95)
    ]


def _legend() -> Markup:
    """What shapes and fills mean, as small pictures with words."""
    signs = (
        ('<circle cx="8" cy="5" r="4" fill="#0072B2" stroke="#0072B2"/>', "calibration, read"),
        (
            '<circle cx="8" cy="5" r="4" fill="white" stroke="#0072B2"/>',
            f"calibration, unverified{UNVERIFIED}",
        ),
        ('<rect x="4" y="1" width="8" height="8" fill="#D55E00" stroke="#D55E00"/>', "held out, read"),
        (
            '<rect x="4" y="1" width="8" height="8" fill="white" stroke="#D55E00"/>',
            f"held out, unverified{UNVERIFIED}",
        ),
    )
    items = (
        Markup('<li><svg viewBox="0 0 16 10" aria-hidden="true">{}</svg>{}</li>').format(Markup(sign), words)
        for sign, words in signs
    )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(items))
