"""exp, log and pow in vector registers, against NumPy over the whole range of doubles."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import llvmlite.binding as llvm
import numpy as np
import pytest

from lissive.simulation.engine import compile as backend
from lissive.simulation.engine.ir import Function

LANES = 4
WIDE = np.concatenate([-np.logspace(-308, 308, 4001)[::-1], [-0.0, 0.0], np.logspace(-308, 308, 4001)])


def compiled(body: Callable[[Function, str, str], str]) -> Callable[..., np.ndarray]:
    """A NumPy function from a vector function of two arguments."""
    f = Function("f", ["X", "Y", "Z"], LANES)
    f.store(body(f, f.load("X", 0), f.load("Y", 0)), "Z", 0)
    target = backend.machine()
    engine = llvm.create_mcjit_compiler(
        llvm.parse_assembly("\n".join([*sorted(f.externals), f.text()])), target
    )
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(engine.get_function_address("f"))
    raw = np.zeros(3 * LANES + 8)
    start = (-raw.ctypes.data % 64) // 8
    x, y, z = raw[start : start + 3 * LANES].reshape(3, LANES)

    def run(a: np.ndarray, b: np.ndarray | float = 0.0) -> np.ndarray:
        a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
        out = np.empty(a.shape)
        for i in range(0, a.size, LANES):
            piece = slice(i, min(i + LANES, a.size))
            n = piece.stop - i
            x[:n], y[:n] = a.ravel()[piece], b.ravel()[piece]
            call(x.ctypes.data, y.ctypes.data, z.ctypes.data)
            out.ravel()[piece] = z[:n]
        return out

    run.keep = engine  # type: ignore[attr-defined]
    return run


def off_by(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference in units of the last place; special values must be equal outright."""
    finite = np.isfinite(want) & np.isfinite(got)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    return float(np.max(np.abs(got[finite] - want[finite]) / np.spacing(np.abs(want[finite])), initial=0.0))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_exp_is_right_to_two_units_over_the_whole_range() -> None:
    exp = compiled(lambda f, x, _: f.exp(x))
    x = np.concatenate([np.linspace(-750, 712, 40001), WIDE, [np.inf, -np.inf, np.nan]])
    assert off_by(exp(x), np.exp(x)) <= 2.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_log_is_right_to_two_units_over_the_whole_range() -> None:
    log = compiled(lambda f, x, _: f.log(x))
    near_one = 1.0 + np.concatenate([-np.logspace(-16, -1, 2001), np.logspace(-16, -1, 2001)])
    x = np.concatenate([near_one, WIDE, [5e-324, 1e-310, np.inf, -np.inf, np.nan]])
    assert off_by(log(x), np.log(x)) <= 2.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_pow_is_right_to_two_units_where_the_result_is_normal() -> None:
    power = compiled(lambda f, x, y: f.pow(x, y))
    rng = np.random.default_rng(1)
    x = np.exp(rng.uniform(-700, 700, 60000))
    y = rng.uniform(-1, 1, 60000) * 700 / np.abs(np.log(x))
    assert off_by(power(x, y), np.power(x, y)) <= 2.0
    x = rng.uniform(0.5, 2.0, 60000)
    y = rng.uniform(-1000, 1000, 60000)
    assert off_by(power(x, y), np.power(x, y)) <= 2.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_pow_keeps_the_rules_for_zero_infinity_and_negative_bases() -> None:
    power = compiled(lambda f, x, y: f.pow(x, y))
    special = np.array([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -3.5, np.inf, -np.inf, np.nan])
    powers = np.array([0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, 1 / 3, 2.5, 1e300, np.inf, -np.inf, np.nan])
    x, y = (a.ravel() for a in np.meshgrid(special, powers))
    want = np.power(x, y)
    got = power(x, y)
    assert off_by(got, want) <= 2.0


def test_a_nan_in_one_lane_leaves_the_others() -> None:
    exp = compiled(lambda f, x, _: f.exp(x))
    got = exp(np.array([np.nan, 1.0, np.inf, 2.0]))
    np.testing.assert_allclose(got[[1, 3]], np.exp([1.0, 2.0]), rtol=4e-16)
