"""A validation as one page that needs nothing but itself: words, figures, and the table behind each figure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from markupsafe import Markup, escape

from lissive.errors import StudyError
from lissive.files import write_text
from lissive.model.parameters import (
    FOLDER,
    RECALLED,
    Parameter,
    load_parameters,
    load_people,
    load_sources,
)
from lissive.report.figures import BLUE, FAINT, GREY, ORANGE, drawn, inline_svg, plain_log
from lissive.report.sensitivity import sensitivity_part
from lissive.report.table import Shown, Table, page, table
from lissive.report.validation_tables import (
    GLOSSARY,
    aims_table,
    breakdown_table,
    count_text,
    held_out_ratios,
    is_exposure,
    is_miss,
    label,
    metric,
    observed,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
    targets_table,
    verdict,
)
from lissive.report.validation_text import command, stamp
from lissive.report.words import UNVERIFIED, listed, marked, number, percent
from lissive.simulation.kinetics import FITTED, fitted
from lissive.studies.observation import PRINTED
from lissive.validation.run import SPLITS, Validation, aims
from lissive.validation.score import RATIO_LIMITS, Curve, Point, Row, why_missed
from lissive.validation.targets import TargetResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_validation(folder: Path, validation: Validation, curves: Sequence[Curve]) -> list[Path]:
    """The page, `validation.html`, whole or not at all. The same run gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_text(folder / "validation.html", validation_page(validation, curves))]


def validation_page(validation: Validation, curves: Sequence[Curve]) -> str:
    """The page's text."""
    targets, sensitivity = validation.targets, validation.sensitivity
    content = {
        "glossary": GLOSSARY,
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
    return page("validation.html.j2", "validation.css", content)


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


# -- figures ---------------------------------------------------------------------------------------
# A shape says calibration (round) or held out (square), a fill read (full) or unverified (hollow): what hue says is
# said twice.
HUES = {"calibration": "#0072B2", "validation": "#D55E00"}
SHAPES = {"calibration": "o", "validation": "s"}
FAR = 2.0
"""Points beyond this fold carry a letter."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mark(split: str, provenance: str) -> dict[str, Any]:
    """Marker of a point: shape and hue by split, fill by provenance."""
    hue = HUES[split]
    return {
        "marker": SHAPES[split],
        "markersize": 5.0,
        "markeredgecolor": hue,
        "markerfacecolor": "white" if provenance == "recalled" else hue,
        "linestyle": "none",
    }


def far(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Letter and row of each that is beyond FAR-fold, the farthest first, as many as there are letters."""
    sizes = {k: abs(math.log(row.fold)) for k, row in enumerate(rows)}
    chosen = sorted((k for k in sizes if sizes[k] > math.log(FAR)), key=lambda k: -sizes[k])
    return [(letter, rows[k]) for letter, k in zip(LETTERS, chosen, strict=False)]


def plot_predicted(rows: Sequence[Row], *, ax: Axes) -> Axes:
    """Predicted over observed, both logarithmic, with the line of identity and those of 1.25- and 2-fold."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    every = [x for row in rows for x in (row.observed, row.predicted)]
    low, high = min(every) / 2.0, max(every) * 2.0
    for fold, style in ((1.0, "-"), (1.25, "--"), (2.0, ":")):
        for side in {fold, 1.0 / fold}:
            ax.plot([low, high], [low * side, high * side], color=GREY, linewidth=0.7, linestyle=style)
    for row in rows:
        ends = [max(end, low) for end in row.pi90]
        ax.plot([row.observed] * 2, ends, color=HUES[row.split], linewidth=0.6, alpha=0.55)
    for row in rows:
        ax.plot([row.observed], [row.predicted], **mark(row.split, row.provenance))
    _letters(rows, low, high, ax)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="observed", ylabel="predicted")
    plain_log(ax.xaxis)
    plain_log(ax.yaxis)
    return ax


def _letters(rows: Sequence[Row], low: float, high: float, ax: Axes) -> None:
    """A letter beside each far point, on the side away from identity, moved on where another stands already."""
    span = math.log(high / low)
    placed: list[tuple[float, float]] = []
    for letter, row in far(rows):
        side = 1 if row.fold > 1.0 else -1
        x, y = (math.log(value / low) / span for value in (row.observed, row.predicted))
        x, y = x - 0.014 * side, y + 0.014 * side
        for _ in range(6):
            x, y = x - 0.016 * side, y + 0.016 * side
            if all(abs(x - i) > 0.028 or abs(y - j) > 0.04 for i, j in placed):
                break
        placed.append((x, y))
        ax.annotate(letter, (x, y), xycoords="axes fraction", ha="center", va="center", fontsize=8)


def plot_ratios(rows: Sequence[Row], *, ax: Axes) -> Axes:
    """A line for each ratio: the observed in the band that is good, the predicted with its interval."""
    low, high = RATIO_LIMITS
    ax.set_xscale("log")
    for k, row in enumerate(rows):
        seen, bad = row.observed, is_miss(row)
        ax.barh(k, seen * (high - low), left=seen * low, height=0.34, color="#dddddd", linewidth=0)
        ax.plot([seen] * 2, [k - 0.22, k + 0.22], color="black", linewidth=1.6)
        hue = ORANGE if bad else BLUE
        ax.plot(row.pi90, [k, k], color=hue, linewidth=1.0)
        ax.plot(
            [row.predicted], [k], marker="X" if bad else "o", markersize=6 if bad else 5, color=hue,
            markerfacecolor="white" if row.provenance == "recalled" else hue,
        )  # fmt: skip
        ax.annotate(
            label(row), (0.0, k - 0.42), xycoords=("axes fraction", "data"),
            fontsize=7.5, va="center", fontweight="bold" if bad else "normal",
        )  # fmt: skip
    ax.set_ylim(len(rows) - 0.4, -0.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvline(1.0, color=FAINT, linewidth=0.6, linestyle=":", zorder=0)
    ax.set_xlabel("ratio")
    plain_log(ax.xaxis)
    return ax


def plot_curve(curve: Curve, *, ax: Axes, log: bool) -> Axes:
    """Median and 90 % band of the people, and the published points."""
    if log:
        ax.set_yscale("log")
    ax.fill_between(curve.times, curve.p05, curve.p95, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(curve.times, curve.median, color=BLUE, linewidth=1.5)
    for point in curve.points:
        ax.plot([point.time], [point.value], **_point_mark(point))
    if curve.lloq > 0.0:
        ax.axhline(curve.lloq, color=GREY, linewidth=0.9, linestyle=":")
    ax.set(xlim=(0.0, float(curve.times[-1])), xlabel="time [h]", ylabel=f"{curve.analyte} [{curve.unit}]")
    if log:
        ax.set_ylim(*log_limits(curve))
        plain_log(ax.yaxis)
    else:
        ax.set_ylim(0.0)
    return ax


def _point_mark(point: Point) -> dict[str, Any]:
    """A peak is a triangle, whatever its split."""
    style = mark(point.split, point.provenance)
    return style | ({"marker": "^", "markersize": 6.0} if point.what == "peak" else {})


def log_limits(curve: Curve) -> tuple[float, float]:
    """Ends of a logarithmic axis: all points, and the curve down to a thousandth of its peak."""
    top = max(float(curve.p95.max()), *(point.value for point in curve.points), 1e-6)
    low = min(point.value for point in curve.points)
    floor = min(low / 3.0, max(float(curve.median[-1]) / 3.0, top / 1000.0))
    return floor, top * 1.6


def letters_of_points(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """The letters of a figure of predictions, and what they stand for."""
    return tuple((letter, marked(f"{row.study} {metric(row)}", row.provenance)) for letter, row in far(rows))


# -- parameters and publications -------------------------------------------------------------------
@dataclass(frozen=True)
class Named:
    """One publication as it stands in the list."""

    key: str
    text: str
    link: str
    """Empty where none is known."""


def parameters_table() -> Table:
    """Every parameter of the model and of the people; standard error and prior where it was fitted."""
    known = fitted() if (FOLDER / FITTED).exists() else {}
    rows = [*load_parameters().values(), *load_people().values()]
    return table(
        "Every parameter: typical value, between-subject variability and source. Standard errors and "
        "priors are of the logarithm, or of the logit of a share",
        "parameter|value|unit|between-subject variability|provenance|standard error|prior|source|note",
        [_cells(row, known.get(row.name, {})) for row in rows],
        "value|standard error",
    )


def _cells(row: Parameter, fit: Mapping[str, str]) -> list[str]:
    recalled = row.provenance.endswith(RECALLED)
    spread = "" if row.spread is None else f"{row.distribution}, {number(row.spread)}"
    return [
        row.name,
        number(row.value) + (UNVERIFIED if recalled else ""),
        row.unit,
        spread,
        row.provenance.replace(RECALLED, ", unverified"),
        number(float(fit["se"])) if fit.get("se") else "",
        _prior(fit),
        _links(row.sources),
        row.note,
    ]


def _prior(fit: Mapping[str, str]) -> str:
    """Centre and standard deviation of what was known before the fit."""
    if not fit.get("prior_sd"):
        return ""
    middle = fit.get("prior") or fit.get("prior_value") or fit.get("prior_mean")
    return (
        f"{number(float(middle))}, SD {number(float(fit['prior_sd']))}"
        if middle
        else f"SD {number(float(fit['prior_sd']))}"
    )


def _links(keys: Iterable[str]) -> Markup:
    return Markup(", ").join(Markup('<a href="#ref-{0}">{0}</a>').format(key) for key in keys)


def model_references() -> list[Named]:
    """The sources of the parameters."""
    return [
        Named(key, row.citation, _address(row.doi, row.url)) for key, row in sorted(load_sources().items())
    ]


def target_references(found: Iterable[TargetResult]) -> list[str]:
    """The sources of the targets, as they are cited there."""
    return sorted({text for each in found for text in each.sources}, key=str.lower)


def study_references(path: str) -> list[Named]:
    """What each study of the file is; nothing where the file is not there any more."""
    place = Path(path)
    if not place.is_file():
        return []
    entries = yaml.load(place.read_text(encoding="utf-8"), Loader=_loader())
    if not isinstance(entries, list):
        raise StudyError(
            f"{path} is not a list of studies.",
            where=path,
            allowed="a list of studies, as it was when it was validated.",
            do="restore the file, or validate again.",
        )
    return [
        _study(id, entry) for entry in entries for id in ([entry["id"]] if "id" in entry else entry["arms"])
    ]


def _loader() -> Any:
    """The fast safe loader, where PyYAML has it."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _study(id: str, entry: Mapping[str, Any]) -> Named:
    words = entry.get("citation")
    fields = words if isinstance(words, Mapping) else {}
    parts = [fields.get(name) for name in ("authors", "title", "journal", "year")]
    text = ". ".join(str(part).rstrip(".") for part in parts if part) or str(words or "no citation")
    doi = str(entry.get("doi") or "")
    provenance = str(entry.get("doi_provenance") or "")
    return Named(str(id), marked(f"{text}.", provenance), _address(doi, ""))


def _address(doi: str, url: str) -> str:
    """Where it can be read; a link to follow, never something that the page loads."""
    if re.match(r"10\.\d{4,}/", doi):
        return f"https://doi.org/{escape(doi)}"
    return url if url.startswith("http") else ""
