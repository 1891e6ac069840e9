"""The shipped models, exported to SBML L3V2, give the same in libRoadRunner."""

from __future__ import annotations

import libsbml
import numpy as np
import pytest

from lissive.model import load
from lissive.model.check import to_sbml
from lissive.model.read import text_of
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.run import Settings, follow
from lissive.simulation.schedule import Regimen, Schedule, doses
from lissive.simulation.solve import simulate

roadrunner = pytest.importorskip("roadrunner", reason="libRoadRunner is a development dependency")


def oracle(name: str, parameters: dict[str, float], given: list[tuple[float, str, float]], times: np.ndarray,
           outputs: list[str]) -> np.ndarray:  # fmt: skip
    """(time, output) by CVODE, with a restart at each dose."""
    document = libsbml.readSBMLFromString(to_sbml(*text_of(name)))
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    for key, value in parameters.items():  # in the text, so that what starts from them follows
        document.getModel().getParameter(key).setValue(value)
    model = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    model.integrator.relative_tolerance = 1e-10
    model.integrator.absolute_tolerance = 1e-12
    model.integrator.maximum_num_steps = 200_000
    rows = np.full((len(times), len(outputs)), np.nan)
    stops = sorted({0.0, *times, *(t for t, *_ in given)})
    for start, end in zip([0.0, *stops], stops, strict=False):
        if end > start:
            model.simulate(start, end, 2)
        for t, target, amount in given:
            if t == end:
                model[target] = model[target] + amount
        for i in np.flatnonzero(times == end):
            rows[i] = [model[o] for o in outputs]
    return rows


def ours(name: str, parameters: dict[str, float], given: list[tuple[float, str, float]], times: np.ndarray,
         outputs: list[str]) -> np.ndarray:  # fmt: skip
    equations = load(name)
    each = [doses([t], equations.dose_targets[target], amount) for t, target, amount in given]
    order = np.argsort([s.time[0] for s in each], kind="stable")
    columns = ("time", "action", "target", "value")
    schedule = Schedule(*(np.concatenate([getattr(each[i], c) for i in order]) for c in columns))
    settings = Settings(Tolerances(rtol=1e-9))
    kernel = build(equations, outputs)
    return follow(kernel, Regimen.same(schedule, 1), parameters, times, settings).values[0]


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [{}, {"weight": 55.0, "fed": 1.0, "placebo_on": 1.0, "NRS0": 8.0}])
def test_the_lissive_model_agrees(parameters: dict[str, float]) -> None:
    given = [
        (24.0 * day + hour, target, amount)
        for day in range(3)
        for hour in (8.0, 12.5, 17.0, 20.0)
        for target, amount in (("THC_spray", 8586.0), ("CBD_spray", 7950.0))
    ]
    given += [(30.0, "THC_lung", 60000.0), (50.0, "CBD_oral", 2.5e6)]
    times = np.arange(0.0, 72.1, 1.5)
    outputs = [
        "THC_c",
        "OH_c",
        "C_CBD",
        "COOH_c",
        "E_spinal",
        "NRS",
        "pain",
        "spasms",
        "intoxication",
        "R_brain",
    ]
    got, want = (f("lissive", parameters, given, times, outputs) for f in (ours, oracle))
    scale = np.abs(want).max(axis=0)
    np.testing.assert_allclose(got / scale, want / scale, atol=1e-6)


def test_benson_2014_agrees() -> None:
    equations = load("benson2014")
    times = np.array([0.0, 1.0, 4.0, 12.0, 24.0, 100.0, 300.0])
    outputs = [s for s in equations.states if not s.startswith("L_m")]
    nmol = 0.3 * 1e6 / 455.4
    args = ({"Dose": 0.3}, [(0.0, "PFM_gut", nmol)], times, outputs)
    got, want = ours("benson2014", *args), oracle("benson2014", *args)
    scale = np.abs(want).max(axis=0) + 1e-12
    np.testing.assert_allclose(got / scale, want / scale, atol=2e-6)


def test_the_verb_gives_the_same_as_the_solver_below_it() -> None:
    got = simulate("lissive", until=24.0, every=12.0, select=["NRS", "THC_c"], rtol=1e-9)
    assert got["NRS"].values.ravel() == pytest.approx([6.9] * 3, rel=1e-12)
    assert (got["THC_c"].values == 0).all()
