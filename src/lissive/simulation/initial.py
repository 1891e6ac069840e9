"""Initial values that a run sets: `S` is a state's initial amount or value, `[S]` a species' initial concentration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError
from lissive.model.equations import Equations
from lissive.model.read import load
from lissive.simulation.event_rows import shown
from lissive.typed import nearest


def starts_of(equations: Equations) -> list[str]:
    """All initial values that can be set."""
    free = [
        name for name in equations.quantities if name.removeprefix("[").removesuffix("]") in equations.states
    ]
    return [name for name in free if name not in equations.parameters]


def initial_names(equations: Equations, names: Iterable[str]) -> list[str]:
    """Those of `names` that stand for initial values.

    Raises       ParameterError where both the amount and the concentration of a species are among them.
    """
    known = starts_of(equations)
    found = [name for name in dict.fromkeys(names) if name in known]
    if twice := [name for name in found if f"[{name}]" in found]:
        raise ParameterError(
            f"{twice[0]} and [{twice[0]}] are both given as initial values.",
            where=twice[0],
            allowed=f"{twice[0]}, the initial amount; or [{twice[0]}], the initial concentration.",
            do="leave one out.",
        )
    return found


def freed(model: Any, equations: Equations, names: list[str]) -> Equations:
    """The model with these initial values as parameters, see `parameter_of`."""
    if not names:
        return equations
    if not isinstance(model, str | Path):
        raise ParameterError(
            f"The initial value of {names[0]} cannot be set in equations that are loaded already: what the model "
            "computes from it at its start would not follow.",
            where=names[0],
            allowed="the model's name, or the path of an .ant or .xml file.",
            do="give the path in place of the equations.",
        )
    return load(model, names)


def parameter_of(names: Iterable[str]) -> dict[str, str]:
    """Initial value to the parameter that it is in `freed` equations."""
    return {name: f"{name}(0)" for name in names}


def given_initial(equations: Equations, initial: Any, subjects: int | None) -> dict[str, Any]:
    """`initial` of a call, checked: state to one number, or to (subject,) numbers.

    subjects : None where they are not counted yet: the names alone are checked.
    """
    if initial is None:
        return {}
    if not isinstance(initial, Mapping):
        allowed = "states to numbers, as {'A_gut': 100.0} or {'[C]': [0.0, 1.5]}."
        raise ParameterError(f"initial is {shown(initial)}.", where="initial", allowed=allowed)
    known = starts_of(equations)
    for name in initial:
        if name not in known:
            raise ParameterError(
                f"{name} is no state of model {equations.name}.{nearest(name, known)}",
                where="initial",
                allowed=f"{', '.join(known)}.",
            )
    if subjects is None:
        return dict(initial)
    return {name: _numbers(name, value, subjects) for name, value in initial.items()}


def _numbers(name: str, value: Any, subjects: int) -> float | FloatArray:
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        numbers = np.full(1, np.nan)
    if numbers.shape in ((), (subjects,)) and np.isfinite(numbers).all():
        return numbers if numbers.ndim else float(numbers)
    what = shown(value) if numbers.ndim < 1 or len(numbers) < 4 else f"an array of shape {numbers.shape}"
    raise ParameterError(
        f"The initial value of {name} is {what}.",
        where="initial",
        allowed=f"a finite number, or {subjects} of them, one for each subject.",
    )
