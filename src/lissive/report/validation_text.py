"""A validation as plain text: the verdict, every observation beside its prediction, the scores, what was left out."""

from __future__ import annotations

from lissive.report.table import Table, as_text
from lissive.report.validation_tables import (
    aims_table,
    breakdown_table,
    held_out_ratios,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
)
from lissive.report.validation_words import GLOSSARY, verdict
from lissive.report.words import UNVERIFIED_NOTE, count, paragraphs, wrapped
from lissive.validation.run import SPLITS, Validation, aims

_GROUPS = {
    "exposure": "Concentrations and areas",
    "time": "Times and half-lives",
    "clearance": "Clearances and volumes (from the same areas)",
    "ratio": "Ratios: food, co-medication, genotype, hepatic impairment, accumulation",
}
_NOTE = (
    f"observed: as published ({UNVERIFIED_NOTE}). predicted: the same statistic of the simulated arm; 90 % PI: "
    "prediction interval, 5th to 95th percentile of its replicates (other people, parameter uncertainty, between-study "
    "variability and errors of means). fold: predicted / observed. inside: observed within the 90 % PI."
)


def validation_text(validation: Validation) -> str:
    """The whole answer of `lissive validate` but for targets and sensitivity."""
    by_split = validation.summary_by_split
    of_group = {
        title: [row for row in validation.rows if row.group == group] for group, title in _GROUPS.items()
    }
    parts = [
        f"Predicted vs observed: {validation.path}\n{count(len(validation.rows), 'observation')}, "
        f"{count(validation.replicates, 'replicate')} of each arm, random seed {validation.seed}.",
        wrapped(verdict(validation)),
        _shown(aims_table(aims(validation))),
        *(_shown(summary_table(by_split, split)) for split in SPLITS),
        *(_shown(breakdown_table(by_split, split)) for split in SPLITS),
        wrapped(_NOTE),
        *(_shown(rows_table(title, rows)) for title, rows in of_group.items()),
        _shown(ratios_table(held_out_ratios(validation.rows), reasons=False)),
        _shown(skipped_table(validation.skipped))
        if validation.skipped
        else "Every row of the file was scored.",
        "\n".join(
            wrapped(f"{word}: {GLOSSARY[word]}") for word in ("AFE", "GMFE", "Coverage", "All metrics")
        ),
    ]
    return paragraphs(parts)


def _shown(one: Table) -> str:
    """The caption and the table; nothing of a table without rows."""
    return f"{wrapped(one.caption)}\n{as_text(one, rule=False)}" if one.rows else ""
