"""What `simulate` is asked, checked: numbers, names, output times. Every mistake is a LissiveError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.errors import ParameterError, SimulationError
from lissive.given import number_of
from lissive.model.equations import TIME, Equations
from lissive.simulation._event_rows import shown
from lissive.simulation.output import refuse_names

Floats = npt.NDArray[np.float64]

MOST_TIMES = 10_000_000
"""More output times than this are taken for a slip."""


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame, without loading pandas."""
    return hasattr(value, "columns") and hasattr(value, "iloc")


def a_table(value: Any, name: str, what: str) -> None:
    if not (isinstance(value, str | Path) or is_frame(value)):
        raise SimulationError(f"{name} is {shown(value)}.", where=name, allowed=what)


def selected(equations: Equations, select: Any) -> list[str]:
    """Ids to write; all states where none are named."""
    if select is None:
        select = equations.states
    outputs = [select] if isinstance(select, str) else list(select) if isinstance(select, Sequence) else None
    if outputs is None or any(not isinstance(each, str) for each in outputs):
        allowed = "ids, as ['S1', '[S1]', 'k']; all states if it is left out."
        raise SimulationError(f"select is {shown(select)}.", where="select", allowed=allowed)
    if not equations.quantities or (not outputs and not equations.states):
        raise SimulationError(
            f"Model {equations.name} has nothing that changes.",
            where="select",
            allowed="at least one quantity to write.",
            do="select a quantity, or check the model's text.",
        )
    if not any(each.strip() for each in outputs):
        allowed = f"{', '.join(equations.quantities)}."
        raise SimulationError(
            "Nothing is selected.", where="select", allowed=allowed, do="name one, or leave it out."
        )
    refuse_names(outputs)
    return outputs


def given_parameters(equations: Equations, parameters: Any) -> dict[str, float]:
    """Parameters that are set for all subjects."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        allowed = "parameters by their id, as {'CL': 5.0}."
        raise ParameterError(f"parameters is {shown(parameters)}.", where="parameters", allowed=allowed)
    if unknown := [name for name in parameters if name not in equations.parameters]:
        raise ParameterError(
            f"{unknown[0]} is not a parameter of model {equations.name} that a run may set.",
            where="parameters",
            allowed=f"{', '.join(equations.parameters)}.",
            do="A quantity that the model computes cannot be set; set what it is computed from.",
        )
    return {
        str(name): number_of(str(name), value, wrong=SimulationError) for name, value in parameters.items()
    }


def output_times(until: Any, every: Any, times: Any) -> Floats | None:
    """Output times that are asked for apart from the events; None where none are."""
    if times is None and until is None and every is None:
        return None
    if times is not None and (until is not None or every is not None):
        raise SimulationError(
            "The output times are not clear: times is given, and until or every.",
            where="times",
            allowed="until with every; or times.",
        )
    if times is None:
        return _regular(until, every)
    if isinstance(times, str | Path):
        times = _read_times(Path(times))
    try:
        given = np.atleast_1d(np.asarray(times))
        plain = given.dtype.kind in "iuf" and given.ndim == 1
    except ValueError:  # lists of different lengths
        plain = False
    if not plain:
        raise SimulationError(
            "The output times are no numbers.", where="times", allowed="numbers in one row."
        )
    grid: Floats = np.unique(given.astype(float))
    if not len(grid) or not np.isfinite(grid).all() or grid[0] < 0:
        raise SimulationError("The output times are not usable.", where="times", allowed="numbers from 0 on.")
    return grid


def _regular(until: Any, every: Any) -> Floats:
    if until is None or every is None:
        missing = "every" if every is None else "until"
        raise SimulationError(
            f"{missing} is not given.", where=missing, allowed="until with every; or times; or neither."
        )
    until = number_of("until", until, wrong=SimulationError)
    every = number_of("every", every, wrong=SimulationError)
    if not (0 < every <= until and until / every <= MOST_TIMES):
        raise SimulationError(
            f"until is {until:g} and every is {every:g}.",
            where="until",
            allowed=f"until over 0, and every over 0 and not over until; at most {MOST_TIMES} output times.",
        )
    steps = int(np.floor(until / every * (1 + 1e-12)))
    return np.array([every * i for i in range(steps + 1)])


def _read_times(path: Path) -> list[float]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as fault:
        raise SimulationError(f"it cannot be read ({fault}).", where=str(path)) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("#"):
            continue
        for word in line.replace(",", " ").split():
            try:
                found.append(float(word))
            except ValueError:
                if not found and len(line.replace(",", " ").split()) == 1:
                    continue  # a heading
                raise SimulationError(
                    f"{shown(word)} is no number.",
                    where=f"{path}:{number}",
                    allowed=f"{TIME}s, one a line.",
                ) from None
    return found
