"""What is measured on: models, patients and doses, from the tables of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lissive.arrays import FloatArray
from lissive.forecast.predict import outcomes
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.read import text_of
from lissive.simulation.draw import draw
from lissive.simulation.engine import Doses, Kernel
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import ADD, Regimen, Schedule
from lissive.simulation.streams import normals
from lissive.table import rows_of
from lissive.units import to_nmol

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent
SEED = 1
DAY = 24.0


@dataclass(frozen=True)
class Dose:
    """The same every day that has doses."""

    hour: float
    into: str
    amount: float


@dataclass(frozen=True)
class Problem:
    """One model with its doses, and the patients to run it with."""

    name: str
    text: str
    """In Antimony."""
    equations: Equations
    outputs: tuple[str, ...]
    dosing: tuple[Dose, ...]
    days: int
    dosed_days: int
    fixed: Mapping[str, float]
    """Parameters that are not the model's own, the same for all."""
    spread: Mapping[str, float]
    """Parameter to the standard deviation of its logarithm between patients; empty: drawn from the tables."""

    @property
    def until(self) -> float:
        return self.days * DAY

    @property
    def hours(self) -> FloatArray:
        return np.arange(0.0, self.until + 0.5, 1.0)

    @property
    def edges(self) -> FloatArray:
        return np.linspace(0.0, self.until, self.days + 1)

    def patients(self, n: int) -> dict[str, FloatArray]:
        """(subject,) values of all that differs from the model's own; the first is the typical patient."""
        mine = self.equations.parameters
        values = {name: np.full(n, value) for name, value in self.fixed.items()}
        if self.spread:
            for name, spread in self.spread.items():
                z = normals(SEED, f"bench: {name}", n)
                z[0] = 0.0
                values[name] = mine[name] * np.exp(spread * z)
        elif n > 1:
            people = draw(n - 1, seed=SEED, given=self.fixed).parameters
            for name, value in people.items():
                typical = self.fixed.get(name, mine[name])
                values[name] = np.append(typical, np.broadcast_to(value, n - 1))
        return values

    def doses(self, kernel: Kernel, patients: int) -> Doses:
        rows = [
            (day * DAY + dose.hour, self.equations.dose_targets[dose.into], dose.amount)
            for day in range(self.dosed_days)
            for dose in self.dosing
        ]
        time, target, amount = (np.array(column) for column in zip(*sorted(rows), strict=True))
        schedule = Schedule(time, np.full(len(rows), ADD, np.int32), target.astype(np.int32), amount)
        return to_doses(Regimen.same(schedule, patients), kernel)


def names() -> tuple[str, ...]:
    """Of the problems, in order."""
    return tuple(row["model"] for row in table("runs"))


def problem(name: str, days: int | None = None) -> Problem:
    """A problem by name, cut to `days` where they are given."""
    row = next(row for row in table("runs") if row["model"] == name)
    place = model_place(name)
    equations = load(place)
    outputs = list(equations.states)
    if name == "lissive":
        outputs += [outcome.output for outcome in outcomes()]
    length = int(row["days"]) if days is None else min(days, int(row["days"]))
    return Problem(
        name,
        text_of(place)[0],
        equations,
        tuple(dict.fromkeys(outputs)),
        _dosing(name, equations),
        length,
        min(length, int(row["dosed_days"])),
        {key: float(value) for key, value in (word.split("=") for word in (row["fixed"] or "").split())},
        {each["name"]: float(each["spread"]) for each in table("varied") if each["model"] == name},
    )


def dosing_table(given: Problem) -> pd.DataFrame:
    """The doses as a table for `simulate`: a row for each dose of the day, repeated daily."""
    import pandas as pd

    rows = [
        {
            "TIME": dose.hour,
            "EVID": 1,
            "AMT": dose.amount,
            "CMT": dose.into,
            "II": DAY,
            "ADDL": given.dosed_days - 1,
        }
        for dose in given.dosing
    ]
    return pd.DataFrame(rows).assign(ID=1)


def model_place(name: str) -> str | Path:
    """What `load` takes for a problem's model."""
    return HERE / "bench_model.ant" if name == "bench" else name


def _dosing(name: str, equations: Equations) -> tuple[Dose, ...]:
    """Doses in nmol; where a molar mass is named, the table has mg."""
    found = []
    for row in table("doses"):
        if row["model"] == name:
            amount = float(row["amount"])
            if row["molar_mass"]:
                amount = float(to_nmol(amount, g_per_mol=equations.parameters[row["molar_mass"]]))
            found.append(Dose(float(row["hour"]), row["into"], amount))
    return tuple(found)


def table(name: str) -> list[dict[str, str]]:
    """The rows of one table of this folder."""
    return rows_of(HERE / f"{name}.tsv")
