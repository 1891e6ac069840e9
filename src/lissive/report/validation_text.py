"""A validation as plain text and as a page of documentation."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from lissive.fingerprint import of_bytes
from lissive.model import load
from lissive.report.table import Table, as_markdown, as_text
from lissive.report.validation_tables import (
    GLOSSARY,
    aims_table,
    breakdown_table,
    count_text,
    held_out_ratios,
    ratios_table,
    rows_table,
    skipped_table,
    summary_table,
    targets_table,
    verdict,
)
from lissive.report.words import DERIVED_NOTE, UNVERIFIED_NOTE, count, paragraphs, wrapped
from lissive.simulation.origin import model_hash
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


# -- the page of documentation ---------------------------------------------------------------------
__all__ = ["differences", "stale", "validation_markdown"]


def validation_markdown(validation: Validation) -> str:
    """The whole file. The same run gives the same text."""
    rows, by_split, targets = validation.rows, validation.summary_by_split, validation.targets
    others = [row for row in rows if not (row.group == "ratio" and row.scored_as == "validation")]
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


# -- what a page was made from ---------------------------------------------------------------------
PACKAGE = Path(__file__).parents[1]
TABLES = "model/parameters/*.tsv"
SCORING = (
    "studies/*.py",
    "studies/*.tsv",
    "simulation/kinetics.py",
    "validation/run.py",
    "validation/score.py",
    "validation/reach.*",
    "validation/misses.*",
    "validation/targets.*",
    "validation/target_*.tsv",
    "validation/asked.py",
    "validation/predicted.py",
    "report/validation_text.py",
    "report/validation_tables.py",
)
"""What turns studies and model into the figures. The solver is not among it: its own tests hold it."""
WORDS = {
    "model": "the model's equations",
    "parameters": "the parameter tables",
    "studies": "the studies",
    "scoring": "what scores and prints",
}
TOLERANCE = 0.03
"""Machines differ in the last digits, and so in what is counted by a limit."""
_LENGTH = 12
_STAMP = re.compile(r"Made from (.*)\.$", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def stamp(studies: Path) -> str:
    """One line: what it was made from, by hash."""
    return f"Made from {', '.join(f'{name} {value}' for name, value in made_from(studies).items())}."


def made_from(studies: Path) -> dict[str, str]:
    """Hashes of all that the figures rest on."""
    return {
        "model": model_hash(load("lissive"))[:_LENGTH],
        "parameters": _hash(PACKAGE, [TABLES]),
        "studies": _of_file(studies),
        "scoring": _hash(PACKAGE, SCORING),
    }


def stale(text: str, studies: Path | None = None) -> str | None:
    """Why a written validation is not of the present inputs; None where it is.

    Parameters
    ----------
    studies : the file that it was made from; the shipped one where none is named.
    """
    found = _STAMP.search(text)
    if found is None:
        return "It does not say what it was made from."
    parts = [part.split(" ") for part in found[1].split(", ")]
    then = {part[0]: part[1] for part in parts if len(part) == 2}
    now = made_from(studies or PACKAGE / "studies" / "pk.yaml")
    changed = [WORDS[name] for name, value in now.items() if then.get(name) != value]
    if not changed:
        return None
    return f"Changed since it was made: {', '.join(changed)}. Generate it again."


def differences(old: str, new: str, tolerance: float = TOLERANCE) -> list[str]:
    """What differs between two texts, a line for each; numbers may differ by a share of the larger.

    >>> differences("THC 1.00 (3)", "THC 1.02 (3)")
    []
    >>> differences("THC 1.00 (3)", "THC 1.20 (3)")
    ['line 1: 1.00 became 1.20 in: THC 1.20 (3)']
    """
    before, after = _lines(old), _lines(new)
    shapes = ([_NUMBER.sub("#", line) for line in before], [_NUMBER.sub("#", line) for line in after])
    found = []
    for kind, i, i_end, j, j_end in difflib.SequenceMatcher(
        None, shapes[0], shapes[1], autojunk=False
    ).get_opcodes():
        if kind == "equal":
            for k, (one, other) in enumerate(zip(before[i:i_end], after[j:j_end], strict=True), start=j + 1):
                found += [f"line {k}: {said} in: {other.strip()}" for said in _moved(one, other, tolerance)]
        else:
            found += [f"no longer there: {line.strip()}" for line in before[i:i_end] if line.strip()]
            found += [f"new: {line.strip()}" for line in after[j:j_end] if line.strip()]
    return found


def _lines(text: str) -> list[str]:
    """Lines without the stamp, which `stale` is for."""
    return ["" if _STAMP.match(line) else line for line in text.splitlines()]


def _moved(one: str, other: str, tolerance: float) -> list[str]:
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return [f"{a} became {b}" for a, b in pairs if not _alike(float(a), float(b), tolerance)]


def _alike(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _hash(folder: Path, patterns: Iterable[str]) -> str:
    """Of names and contents of the files."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    parts = (p.relative_to(folder).as_posix().encode() + b"\0" + p.read_bytes() + b"\0" for p in paths)
    return of_bytes(b"".join(parts), _LENGTH)


def _of_file(path: Path) -> str:
    return of_bytes(path.read_bytes(), _LENGTH) if path.is_file() else "none"
