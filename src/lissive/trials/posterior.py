"""Posterior draws of the calibrated response: a table, one draw a row."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from lissive.errors import DesignError
from lissive.given import whole
from lissive.model.parameters import load_parameters
from lissive.simulation.ratings import figures
from lissive.simulation.streams import uniforms
from lissive.simulation.titrate import thresholds
from lissive.trials.response import BETWEEN, RATING, SPREAD, TITRATION, Response, between_trials
from lissive.trials.size import MOST_REPLICATES
from lissive.typed import nearest

DRAWS = Path(__file__).parent / "response_draws.csv"


def draws(n: int, seed: int, path: Path | None = None) -> list[Response]:
    """`n` rows drawn with replacement; draw k is the same one, however many there are.

    Parameters
    ----------
    path : the table; the one that comes with Lissive if not given.

    Raises       DesignError where there is no such table, a column is no parameter, or a row is not numbers.
    """
    n = whole("n", n, wrong=DesignError, least=0, most=MOST_REPLICATES)
    seed = whole("seed", seed, wrong=DesignError, least=0)
    rows = _rows(path or DRAWS)
    places = (uniforms(seed, "response draws", n) * len(rows)).astype(np.int64)
    return [rows[place] for place in places]


def _rows(path: Path) -> list[Response]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = [line for line in csv.reader(file) if line]
    except FileNotFoundError:
        raise DesignError(
            "There are no posterior draws.",
            where=str(path),
            do="omit --assurance: all replicates then have the tables' parameters.",
        ) from None
    except ValueError:
        raise DesignError(
            "The table is empty.", where=str(path), allowed="a header, and a row for each draw."
        ) from None
    _check_names(head, path)
    if not lines:
        raise DesignError("The table has no draw.", where=str(path), allowed="a row for each draw.")
    return [Response(_values(head, line, path, number)) for number, line in enumerate(lines, 2)]


def _check_names(head: list[str], path: Path) -> None:
    """A name that no table knows would be passed over in silence."""
    known = {*load_parameters()}
    known |= {SPREAD + name for name in known}
    known |= {TITRATION + name for name in thresholds()} | {RATING + name for name in figures()}
    known |= {BETWEEN + name for name in between_trials()}
    for name in head:
        if name not in known:
            raise DesignError(
                f"Unknown parameter {name!r}.{nearest(name, known)}",
                where=f"{path}:1",
                allowed=f"names of the model's parameters, also after {SPREAD!r}; {TITRATION!r}, {RATING!r} or "
                f"{BETWEEN!r} and one of their parameters.",
                do="correct the header, or remove the column.",
            )


def _values(head: list[str], line: list[str], path: Path, number: int) -> dict[str, float]:
    try:
        values = {name: float(text) for name, text in zip(head, line, strict=True)}
    except ValueError:
        values = {"": math.nan}
    if not all(math.isfinite(value) for value in values.values()):
        raise DesignError(
            "The row does not have a number for each parameter.",
            where=f"{path}:{number}",
            allowed=f"{len(head)} finite numbers.",
            do="correct the row, or remove it.",
        )
    return values
