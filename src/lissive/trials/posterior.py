"""Draws from what a calibration left uncertain: a table of responses, one a row."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from lissive.errors import DesignError
from lissive.simulate.streams import uniforms
from lissive.trials.response import Response

DRAWS = Path(__file__).parent / "response_draws.tsv"


def draws(n: int, seed: int, path: Path = DRAWS) -> list[Response]:
    """`n` rows drawn with replacement; draw k is the same one, however many there are.

    Raises       DesignError where there is no such table, or where a row of it is not numbers.
    """
    rows = _rows(path)
    places = (uniforms(seed, "response draws", n) * len(rows)).astype(np.int64)
    return [rows[place] for place in places]


def _rows(path: Path) -> list[Response]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = [line for line in csv.reader(file, delimiter="\t") if line]
    except FileNotFoundError:
        raise DesignError(
            "There are no draws of the calibrated responses.",
            where=str(path),
            do="leave --assurance out: all replicates then have the tables' own parameters.",
        ) from None
    except ValueError:
        raise DesignError(
            "The table is empty.", where=str(path), allowed="a heading and a row a draw."
        ) from None
    if not lines:
        raise DesignError("The table has no draw.", where=str(path), allowed="a row for each draw.")
    return [Response(_values(head, line, path, number)) for number, line in enumerate(lines, 2)]


def _values(head: list[str], line: list[str], path: Path, number: int) -> dict[str, float]:
    try:
        values = {name: float(text) for name, text in zip(head, line, strict=True)}
    except ValueError:
        values = {"": math.nan}
    if not all(math.isfinite(value) for value in values.values()):
        raise DesignError(
            "The row is not a number for each parameter.",
            where=f"{path}:{number}",
            allowed=f"{len(head)} finite numbers.",
            do="correct the row, or take it out.",
        )
    return values
