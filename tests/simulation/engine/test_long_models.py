"""Models so long that what is costly is called, not written out, and models that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lissive.errors import SimulationError
from lissive.model.equations import Equations
from lissive.simulation.engine import build, emit, steps
from lissive.simulation.solve import simulate

MODEL = """model m
  compartment b = 1; substanceOnly species A in b = 0, B in b = 2;
  h = 1.5; J1: => A; 2*exp(-0.1*time) + 0*log(B); J2: A => B; A^h/(1 + A^h);
  J3: B => ; 0.3*sqrt(B) + 0.01*B^2; J4: B => ; 0.02*B*log(1 + B);
end
"""


def test_functions_that_are_called_give_what_scipy_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(emit, "LONG", 0)
    path = tmp_path / "m.ant"
    path.write_text(MODEL)

    def rates(t: float, y: np.ndarray) -> list[float]:
        a, b = max(y[0], 0.0), y[1]
        flow = a**1.5 / (1 + a**1.5)
        return [2 * np.exp(-0.1 * t) - flow, flow - 0.3 * b**0.5 - 0.01 * b * b - 0.02 * b * np.log(1 + b)]

    times = [1.0, 10.0, 50.0]
    right = solve_ivp(rates, (0, 50), [0.0, 2.0], t_eval=times, rtol=1e-11, atol=1e-13, method="LSODA").y
    found = simulate(path, times=times, select=["A", "B"], rtol=1e-9)
    np.testing.assert_allclose([found["A"].values[0], found["B"].values[0]], right, rtol=1e-6)


def test_a_model_that_would_compile_for_hours_is_refused_with_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(emit, "LONGEST", 100)
    path = tmp_path / "m.ant"
    path.write_text(MODEL)
    with pytest.raises(SimulationError, match="instructions.*up to 100"):
        simulate(path, times=[1.0])


def test_factors_by_loops_give_the_bits_of_those_written_out(
    stiff: Equations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (0, 1000):
        monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path / str(most)))  # kernels are kept by the model alone
        monkeypatch.setattr(steps, "MOST_WRITTEN", most)
        batch = build(stiff, ["a"]).start(3, {"k1": np.array([0.02, 0.04, 0.08])})
        batch.advance(100.0)
        found.append((batch.y, batch.steps))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
