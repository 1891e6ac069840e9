"""The same validation as Markdown, for docs/validation.md: to be read in a repository, and held against a rerun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lissive.report.targets_text import count_text
from lissive.report.validation_stamp import differences, stale, stamp
from lissive.report.validation_tables import (
    Table,
    aims_table,
    kept_back_ratios,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
    targets_table,
)
from lissive.report.validation_words import GLOSSARY, RECALLED, verdict
from lissive.validate.reach import aims
from lissive.validate.run import SPLITS, Validation

__all__ = ["differences", "stale", "validation_markdown"]


def validation_markdown(validation: Validation) -> str:
    """The whole file. The same run gives the same text."""
    rows, by_split, targets = validation.rows, validation.summary_by_split, validation.targets
    others = [row for row in rows if not (row.group == "ratio" and row.split == "validation")]
    parts = [
        "# Validation",
        f"Predictions beside {len(rows)} published figures of {len({row.study for row in rows})} groups of people, "
        f"simulated as they were studied. {RECALLED}: quoted from memory. This page is generated; what the words mean "
        "is at its end.",
        f"**The verdict.** {verdict(validation)}",
        "## Summary by analyte",
        markdown_table(aims_table(aims(validation))),
        *(markdown_table(summary_table(by_split, split)) for split in SPLITS),
        "## Ratios that nothing was fitted on",
        markdown_table(ratios_table(kept_back_ratios(rows))),
        "## Targets beyond the kinetics",
        count_text(targets),
        markdown_table(targets_table(targets)),
        "## Every other figure",
        markdown_table(rows_table("Observed beside predicted", others)),
        "## What was not scored, and why",
        markdown_table(skipped_table(validation.skipped)),
        "## What the words mean",
        "\n".join(f"- **{word}**: {means}" for word, means in GLOSSARY.items()),
        "## How it was made",
        _made(validation),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def command(validation: Validation) -> str:
    """What makes it again."""
    return (
        f"lissive validate --replicates {validation.replicates} --seed {validation.seed} "
        "--docs docs/validation.md"
    )


def _made(validation: Validation) -> str:
    return (
        f"`{command(validation)}`\n\n"
        f"{validation.replicates} replicates of each group, seed {validation.seed}. With `--check`, the command writes "
        "nothing and says what a rerun gives differently.\n\n"
        f"{stamp(Path(validation.path))}"
    )


def markdown_table(one: Table) -> str:
    """A table with its caption before it."""
    if not one.rows:
        return f"{one.caption}: none."
    lines = [
        _line(one.head),
        _line(["--:" if name in one.numeric else "---" for name in one.head]),
        *(_line(row) for row in one.rows),
    ]
    return "\n".join([f"{one.caption}.", "", *lines])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text that cannot be taken for Markdown's own signs."""
    plain = " ".join(text.split())
    for sign in ("\\", "|", "*", "_", "[", "]", "<", "`"):
        plain = plain.replace(sign, f"\\{sign}")
    return plain
