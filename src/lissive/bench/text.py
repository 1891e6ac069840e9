"""The measures as a text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lissive.bench.peak import peak_text


def report_text(report: Mapping[str, Any]) -> str:
    machine, loop = report["machine"], report["numpy_loop_seconds"]
    lines = [
        f"lissive {report['lissive_version']} on {machine['processor']}, {machine['cores']} cores, "
        f"Python {machine['python']}, " + ", ".join(f"{k} {v}" for k, v in machine["versions"].items()),
        f"NumPy loop {1e3 * loop['before']:.1f} ms before, {1e3 * loop['after']:.1f} ms after; "
        f"load {_number(machine['load_before'])} before, {_number(machine['load_after'])} after",
    ]
    if "skipped" in report:
        lines.append(report["skipped"])
    for model in report["models"]:
        lines += ["", *_model(model)]
    lines += ["", *_checks(report["checks"])]
    missed = sum(each["met"] is False for each in report["checks"])
    lines += ["", "All limits are met." if not missed else f"{missed} limit{'s' * (missed > 1)} not met."]
    return "\n".join(lines)


def _model(model: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{model['model']}: {model['states']} states, {model['days']} days, {model['doses']} doses, "
        f"{model['patients']} patients, reference at rtol {model['reference_rtol']:g}"
    ]
    if model.get("accuracy"):
        rows = [
            (
                f"{row['rtol']:.0e}",
                _number(row["max_error"]),
                _number(row["max_error_over_rtol"]),
                _number(row["rms_error_over_rtol"]),
                _number(row["day_mean_error_over_rtol"]),
                _number(row["day_maximum_error_over_rtol"]),
                row["worst_at"]["output"],
            )
            for row in model["accuracy"]
        ]
        head = ("rtol", "max error", "by rtol", "rms by rtol", "day mean", "day highest", "worst output")
        lines += _table(head, rows)
    if model["engines"]:
        rows = [
            (
                row["engine"],
                f"{row['rtol']:.0e}",
                row["atol"],
                _number(row["seconds_per_patient"]),
                _number(row.get("patient_weeks_per_second")),
                _number(row["max_error"]),
                str(row["failed"]),
            )
            for row in model["engines"]
        ]
        head = ("engine", "rtol", "absolute tolerance", "CPU s/patient", "weeks/s", "max error", "failed")
        lines += _table(head, rows)
    if peak := model.get("peak"):
        lines += peak_text(peak)
    if way := model.get("seconds_by_way_of_dosing"):
        lines.append("  libRoadRunner's doses: " + ", ".join(f"{k} {_number(v)} s" for k, v in way.items()))
    for peer, ratio in model.get("ratio_range", {}).items():
        if ratio:
            lines.append(
                f"  {_number(ratio['middle'])} times as fast as {peer} at equal error ({_number(ratio['least'])} to "
                f"{_number(ratio['most'])} at errors from {ratio['from_error']:.0e} to {ratio['to_error']:.0e})"
            )
        else:
            lines.append(f"  lissive and {peer} reach no common error: no ratio")
    return lines


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    verdict = {True: "yes", False: "NO", None: "-"}
    rows = [
        (
            each["about"],
            f"{_number(each['measured'])}{_unit(each['unit'])}",
            "-" if each["limit"] is None else f"{each['kind']} {each['limit']:g}{_unit(each['unit'])}",
            verdict[each["met"]],
        )
        for each in checks
    ]
    return _table(("measure", "measured", "limit", "met"), rows)


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def _number(x: float | None) -> str:
    return "-" if x is None else f"{x:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
