"""A validation as plain text and as a page of documentation."""

from __future__ import annotations

import difflib
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lissive.fingerprint import of_bytes
from lissive.model import load
from lissive.report.table import Table, as_markdown, as_text, table
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
from lissive.report.words import (
    DERIVED_NOTE,
    UNVERIFIED_NOTE,
    count,
    marked,
    number,
    paragraphs,
    span,
    wrapped,
)
from lissive.simulation.origin import model_hash
from lissive.table import rows_of
from lissive.validation.run import SPLITS, Validation, aims
from lissive.validation.score import RATIO_LIMITS, Row
from lissive.validation.targets import FOLDER, TargetResult

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
        "How far each answer can be relied on, in a minute:",
        as_markdown(glance_table(validation)),
        NOTE,
        "Trials of the spray and of extracts, repeated in virtual patients: [trials.md](trials.md). Which decisions "
        "this suffices for: [credibility.md](credibility.md). Below is every figure behind the table.",
        "## The verdict",
        f"Predictions beside {len(rows)} published figures of {len({row.study for row in rows})} groups of people, "
        f"simulated as they were studied. {UNVERIFIED_NOTE}; "
        f"{DERIVED_NOTE}. This page is generated; a glossary is at its end.",
        verdict(validation),
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
    "validation/glance.tsv",
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
