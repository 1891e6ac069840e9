"""Models that were once answered wrongly in silence, or not at all, each with its right value."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from lissive.simulation.solve import simulate

HEAD = "model m\n  compartment body = 1; substanceOnly species A in body = 100;\n  "


def solved(text: str, tmp_path: Path, times: list[float], select: list[str]) -> np.ndarray:
    path = tmp_path / "m.ant"
    path.write_text(text + "\nend\n")
    found = simulate(path, times=times, select=select)
    assert not found["status"].values.any(), found["message"].values
    return np.array([found[name].values[0] for name in select])


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("q", "a = 2; b = 3; h = 2; q := a^(1/h) + b^(1/h); J: A => ; q*A;", 2**0.5 + 3**0.5),
        ("k", "T = 310; Q = 2.3; k := 1.2*Q^((T - 298)/10); J: A => ; k*A;", 1.2 * 2.3**1.2),
        (
            "k2",
            "T = 310; Q = 2.3; k := 1.2*Q^((T - 298)/10); k2 := 3*Q^((T - 310)/10); J: A => ; k*k2*A;",
            3.0,
        ),
        (
            "e",
            "C = 3; E = 2; n = 1.5; e := C^(n/2)/(E^(n/2) + C^(n/2)); J: A => ; e*A;",
            3**0.75 / (2**0.75 + 3**0.75),
        ),
        (
            "V",
            "a = 2; b = 3; h = 2; V := 20*(a^(1/h) + b^(1/h))^h; J: A => ; 5/V*A;",
            20 * (2**0.5 + 3**0.5) ** 2,
        ),
    ],
    ids=["two roots", "q10", "q10 at the reference", "half a Hill", "scaled volume"],
)
def test_quantities_of_parameters_alone_are_right(name: str, text: str, right: float, tmp_path: Path) -> None:
    assert solved(HEAD + text, tmp_path, [0.0], [name])[0, 0] == pytest.approx(right, rel=1e-12)


def test_an_initial_value_of_roots_is_right(tmp_path: Path) -> None:
    text = HEAD + "a = 2; b = 3; h = 2; A = 10*(a^(1/h) + b^(1/h)); J: A => ; 0.1*A;"
    right = 10 * (2**0.5 + 3**0.5) * np.exp([0.0, -0.5])
    np.testing.assert_allclose(solved(text, tmp_path, [0.0, 5.0], ["A"])[0], right, rtol=1e-6)


def _cascade() -> float:
    """M at 20, by LSODA."""

    def rates(_: float, y: np.ndarray) -> list[float]:
        lig, r, a, e, p, d, s, _t, n, m, x = y
        n = max(n, 0.0)
        j1, j1a, j1b = 0.01 * lig * r, 0.3 * a, 0.001 * e * x
        j2, j2r, j3 = 0.05 * p * p * s, 0.1 * d, 0.2 * d
        made = 1 + 5 * n**2.5 / (3**2.5 + n**2.5)
        return [
            0, -j1, j1 - j1a, j1a, j1b - 2 * j2 + 2 * j2r, j2 - j2r - j3, j2r - j2, 0, j3, made - 0.5 * m, -j1b,
        ]  # fmt: skip

    start = [200, 80, 0, 0, 0, 0, 500, 40, 0, 1, 700.0]
    found = solve_ivp(rates, (0, 20), start, method="LSODA", rtol=1e-11, atol=1e-11)
    return float(found.y[9, -1])


def _quotient() -> float:
    """A at 40."""
    found = solve_ivp(lambda _, y: y**2 / (y**2 + 9) + 0.5 - 0.5 * y, (0, 40), [0.0], rtol=1e-11, atol=1e-13)
    return float(found.y[0, -1])


CASCADE = """model m
  compartment b = 1; substanceOnly species L in b = 200, R in b = 80, A in b = 0, E in b = 0, P in b = 0, D in b = 0;
  substanceOnly species S in b = 500, T in b = 40, N in b = 0, M in b = 1, X in b = 700;
  h = 2.5; J1: R => A; 0.01*L*R; J1a: A => E; 0.3*A; J1b: X => P; 0.001*E*X;
  J2: 2 P + S => D; 0.05*P^2*S; J2r: D => 2 P + S; 0.1*D; J3: D => N; 0.2*D;
  J4: => M; 1 + 5*N^h/(3^h + N^h); J5: M => ; 0.5*M;"""

EMPTY = "model m\n  compartment body = 1; substanceOnly species A in body = 0;\n  "


@pytest.mark.parametrize(
    ("text", "time", "name", "right"),
    [
        (
            EMPTY + "tlag = 0.5; r := piecewise(0, time < tlag, 120*exp(-1.2*(time - tlag))); "
            "J1: => A; r; J2: A => ; 0.25*A;",
            10.0,
            "A",
            lambda: 120 / (1.2 - 0.25) * (exp(-0.25 * 9.5) - exp(-1.2 * 9.5)),
        ),
        (
            EMPTY + "on := 1/(1 + exp(-5*(time - 200))); J1: => A; on; J2: A => ; 0.1*A;",
            240.0,
            "A",
            lambda: quad(
                lambda s: exp(-0.1 * (240 - s)) / (1 + exp(-5 * (s - 200))), 190, 240, points=[200], epsabs=1e-12
            )[0],
        ),
        # u = sqrt(A): 2 u u' = 1 - u, so t = -2 (u + ln(1 - u))
        (EMPTY + "J1: => A; 1; J2: A => ; sqrt(A);", -2 * (0.5 + log(0.5)), "A", lambda: 0.25),
        (EMPTY + "K = 3; J1: => A; 1/(1 + (K/A)^2) + 0.5; J2: A => ; 0.5*A;", 40.0, "A", _quotient),
        (CASCADE, 20.0, "M", _cascade),
    ],
    ids=["lagged input", "smooth switch", "root from zero", "Hill by a quotient from zero", "Hill cascade"],
)  # fmt: skip
def test_a_pool_that_starts_empty_is_followed(
    text: str, time: float, name: str, right: Callable[[], float], tmp_path: Path
) -> None:
    assert solved(text, tmp_path, [time], [name])[0, 0] == pytest.approx(right(), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "J: => A; A^2;", ["time 0.0", "follow A", "raise atol", "unbounded growth"]),
        (HEAD + "B = 0; B' = log(A - 50); J: A => ; 20;", ["time 2.5", "rate of B", "logarithm", "check"]),
        (HEAD + "J: => A; 1/(time - 2);", ["time 2", "A"]),
    ],
    ids=["growth without bound", "logarithm", "pole"],
)
def test_a_run_that_ends_early_says_where_why_and_what_helps(
    text: str, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "m.ant"
    path.write_text(text + "\nend\n")
    found = simulate(path, times=[0.0, 1.0, 5.0], select=["A"])
    message = str(found["message"].values[0])
    assert found["status"].values[0] != 0
    assert all(part in message for part in said), message
    assert np.isnan(found["A"].values[0, -1])
