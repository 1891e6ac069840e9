"""What a target asks of the model, and the register of the functions that compute it.

`@target("id", ...)` names a target and what its function is given: of an arm the run, of a grid the runs, of
`Patients` their forecast; names of outputs and numbers as they are. The function gives the figure, or the figure and
what else there is to say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lissive.arrays import FloatArray

WEEK = 7 * 24.0


class NoValue(Exception):
    """A figure that the model cannot give; the text says why."""


@dataclass(frozen=True)
class Dose:
    """The same amount at the same hours of each of so many days."""

    into: str
    """A depot of the model, or a product that is counted in sprays."""
    amount: float
    """mg into a depot of a drug, sprays of a product, else the state's own unit."""
    hours: tuple[float, ...] = (0.0,)
    days: int = 1


@dataclass(frozen=True)
class Arm:
    """One run of the typical person of a cause, or of the published model (cause "")."""

    cause: str
    days: float
    doses: tuple[Dose, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict, hash=False)
    every: float = 1.0
    """Hours between the times that are looked at."""

    @property
    def model(self) -> str:
        return "lissive" if self.cause else "benson2014"


@dataclass(frozen=True)
class Grid:
    """An arm with each of these values, (run,), of some parameters."""

    arm: Arm
    values: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Patients:
    """Virtual patients who titrate nabiximols by the label, up to 12 sprays, with and without food.

    Ratings differ from one week to the next as a person's do, so the proportion that reaches a threshold has the
    random error of one week in it, as a trial's has.
    """

    cause: str
    size: int
    weeks: int
    like: Arm
    """Stands for them where it is asked on which unverified constants they rest: by the change of `rating`."""
    rating: str = "NRS"


@dataclass(frozen=True)
class Simulated:
    """One subject of one run.

    time : (time,) hours        values : output to (time,)        last_dose : hours
    """

    time: FloatArray
    values: Mapping[str, FloatArray]
    last_dose: float
    parameters: Mapping[str, float]

    def __getitem__(self, output: str) -> FloatArray:
        return self.values[output]

    def week(self, y: str) -> float:
        """Mean over the last seven days."""
        return float(self[y][self.time > self.time[-1] - WEEK].mean())


@dataclass(frozen=True)
class Predicted:
    """How one target's figure is computed."""

    function: Callable[..., float | Figure]
    given: tuple[Any, ...]

    @property
    def model(self) -> str:
        """Of its runs."""
        return str(getattr(self.given[0], "model", "lissive"))

    @property
    def outputs(self) -> list[str]:
        """What is looked at in its runs."""
        if isinstance(self.given[0], Patients):
            return [self.given[0].rating]
        return [each for each in self.given if isinstance(each, str)]


Figure = tuple[float, str]
"""The figure, and what else there is to say of it."""
F = TypeVar("F", bound=Callable[..., float | Figure])
PREDICTED: dict[str, Predicted] = {}
"""By the target's id."""


def target(name: str, *given: Arm | Grid | Patients | str | float | Callable[..., str]) -> Callable[[F], F]:
    """The function computes target `name` from what is given: runs, outputs' names, numbers."""

    def add(function: F) -> F:
        PREDICTED[name] = Predicted(function, given)
        return function

    return add
