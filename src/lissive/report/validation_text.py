"""A validation as plain text: every observation beside its prediction, then the scores, then what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lissive.studies import Skipped
from lissive.validate.run import Validation
from lissive.validate.score import Ratios, Row, Scores

RECALLED_MARK = "†"
_GROUPS = {
    "exposure": "Concentrations and areas",
    "time": "Times and half-lives",
    "clearance": "Clearances and volumes (from the same areas)",
    "ratio": "Ratios: food, medicines, genotype, liver, accumulation",
}
_NOTE = f"""\
observed: as published ({RECALLED_MARK} quoted from memory by the table's compiler, not read).
predicted: the same statistic of the simulated arm, with 5-95 % of its replicates (other people, other draws of what
the calibration left uncertain, other errors of a study and of its means). fold: predicted / observed.
* observed is outside the range."""
_SCORES = """\
AFE: geometric mean of the folds (bias). GMFE: geometric mean of the larger of fold and 1/fold. coverage: share of
observations inside their range (0.90 would be right). Metric `all` is Cmax, AUC and concentrations together."""


def validation_text(validation: Validation) -> str:
    """The whole answer of `lissive validate`, for a terminal."""
    by_split = validation.summary_by_split
    parts = [
        f"Predicted beside observed: {validation.path}\n{len(validation.rows)} observations, {validation.replicates} "
        f"replicates of each arm, seed {validation.seed}.",
        _NOTE,
        *(_rows(title, [r for r in validation.rows if r.group == group]) for group, title in _GROUPS.items()),
        _SCORES,
        _summary("All observations", validation.summary),
        _summary("Fitted on (split calibration)", by_split["calibration"]),
        _summary("Never fitted on (split validation)", by_split["validation"]),
        _ratios(validation.ratios),
        _skipped(validation.skipped),
    ]
    return "\n\n".join(part for part in parts if part)


def _rows(title: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    table = [["study", "analyte", "metric", "split", "observed", "predicted", "5-95 %", "fold", ""]]
    for row in rows:
        metric = row.metric if row.time_h is None else f"C({row.time_h:g} h)"
        low, high = row.pi90
        table.append(
            [
                row.study,
                row.analyte,
                metric,
                row.split[:3],
                number(row.observed) + (RECALLED_MARK if row.provenance == "recalled" else ""),
                number(row.predicted),
                f"{number(low)} - {number(high)}",
                f"{row.fold:.2f}",
                "" if row.inside else "*",
            ]
        )
    return f"{title}\n" + aligned(table, right={4, 5, 6, 7})


def _summary(title: str, rows: Sequence[Scores]) -> str:
    """Scores over all routes and by route, for what counts as `all`, and each metric over all routes."""
    chosen = [
        r
        for r in rows
        if (r.metric == "all" and (r.provenance == "all" or r.route == "all"))
        or (r.route == "all" and r.provenance == "all")
    ]
    if not chosen:
        return ""
    head = [
        "analyte",
        "route",
        "provenance",
        "metric",
        "n",
        "AFE",
        "GMFE",
        "<=1.25",
        "<=1.5",
        "<=2",
        "coverage",
    ]
    table = [head]
    for r in chosen:
        shares = [f"{100 * share:.0f} %" for share in (r.within_1_25, r.within_1_5, r.within_2)]
        table.append(
            [
                r.analyte,
                r.route,
                r.provenance,
                r.metric,
                str(r.n),
                f"{r.afe:.2f}",
                f"{r.gmfe:.2f}",
                *shares,
                f"{100 * r.coverage_90:.0f} %",
            ]
        )
    return f"{title}\n" + aligned(table, right=set(range(4, 11)))


def _ratios(ratios: Ratios) -> str:
    if not ratios.n:
        return ""
    low, high = ratios.limits
    missed = ", ".join(f"{r.study} {r.analyte} {r.metric} ({r.fold:.2f})" for r in ratios.missed)
    return (
        f"Ratios never fitted on: {ratios.within} of {ratios.n} within {low:g}-{high:g} times the observed"
        + (
            f"; {ratios.in_words} that studies give in words only are not counted."
            if ratios.in_words
            else "."
        )
        + (f"\nMissed: {missed}." if missed else "")
    )


def _skipped(skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return "Everything in the file was scored."
    lines = [f"  {each.study}: {each.what}: {each.why}" for each in skipped]
    return f"Not scored ({len(lines)})\n" + "\n".join(lines)


def number(value: float) -> str:
    """Three digits, without an exponent where a reader would want none."""
    return (
        f"{value:.3g}"
        if 1e-3 <= abs(value) < 1000
        else f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:.1e}"
    )


def aligned(table: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Columns as wide as they have to be."""
    to_right = set(right)
    width = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width[k]) if k in to_right else cell.ljust(width[k]) for k, cell in enumerate(row)
        ).rstrip()
        for row in table
    )
