"""The same validation as Markdown, for docs/validation.md: to be read in a repository, and held against a rerun."""

from __future__ import annotations

from pathlib import Path

from lissive.report.table import as_markdown
from lissive.report.targets_text import count_text
from lissive.report.validation_stamp import differences, stale, stamp
from lissive.report.validation_tables import (
    aims_table,
    held_out_ratios,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
    targets_table,
)
from lissive.report.validation_words import GLOSSARY, verdict
from lissive.report.words import DERIVED_NOTE, UNVERIFIED_NOTE
from lissive.validation.run import SPLITS, Validation, aims

__all__ = ["differences", "stale", "validation_markdown"]


def validation_markdown(validation: Validation) -> str:
    """The whole file. The same run gives the same text."""
    rows, by_split, targets = validation.rows, validation.summary_by_split, validation.targets
    others = [row for row in rows if not (row.group == "ratio" and row.split == "validation")]
    parts = [
        "# Validation",
        f"Predictions beside {len(rows)} published figures of {len({row.study for row in rows})} groups of people, "
        f"simulated as they were studied. {UNVERIFIED_NOTE}; "
        f"{DERIVED_NOTE}. This page is generated; a glossary is at its end.",
        f"**The verdict.** {verdict(validation)}",
        "## Summary by analyte",
        as_markdown(aims_table(aims(validation))),
        *(as_markdown(summary_table(by_split, split)) for split in SPLITS),
        "## Held-out ratios",
        as_markdown(ratios_table(held_out_ratios(rows))),
        "## Targets beyond the pharmacokinetics",
        count_text(targets),
        as_markdown(targets_table(targets)),
        "## All other figures",
        as_markdown(rows_table("Observed and predicted", others)),
        "## Not scored, and why",
        as_markdown(skipped_table(validation.skipped)),
        "## Glossary",
        "\n".join(f"- **{word}**: {means}" for word, means in GLOSSARY.items()),
        "## How this page was made",
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
        f"{validation.replicates} replicates of each group, random seed {validation.seed}. With `--check`, the command "
        "writes nothing and lists the differences of a rerun.\n\n"
        f"{stamp(Path(validation.path))}"
    )
