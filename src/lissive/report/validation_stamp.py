"""What a written validation was made from, as a line of hashes; and how two such texts differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from lissive.fingerprint import of_bytes
from lissive.model import load
from lissive.simulation.solve import model_hash

PACKAGE = Path(__file__).parents[1]
TABLES = "model/parameters/*.tsv"
SCORING = (
    "studies/*.py",
    "studies/*.tsv",
    "calibrate/posterior.py",
    "validation/run.py",
    "validation/score.py",
    "validation/reach.*",
    "validation/misses.*",
    "validation/targets.*",
    "validation/target_*.tsv",
    "validation/predicted.py",
    "report/validation_md.py",
    "report/validation_tables.py",
    "report/validation_words.py",
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
