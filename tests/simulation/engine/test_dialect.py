"""The control loop's dialect: the compiled function does what the same Python does."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lissive.simulation.engine import compile as backend
from lissive.simulation.engine import dialect
from lissive.simulation.engine.dialect import Record, f64, i64, reals, whole


def collatz(n: whole, out: whole) -> None:
    for i in range(n[0]):
        x = n[i + 1]
        steps = 0
        while x != 1 and steps < 1000:
            odd = x - (x // 2) * 2
            if odd == 1:
                x = 3 * x + 1
                steps += 1
            x = x // 2
            steps += 1
            if steps == 500:
                break
        out[i] = steps


def clip(x: reals, low: f64, high: f64, count: i64) -> None:
    for i in range(count):
        if x[i] < low or x[i] > high:
            x[i] = min(max(x[i], low), high) + float(0)
            continue
        if x[i] < -5.0:
            x[i] = -x[i]
        elif not x[i] < 0.0:
            x[i] = abs(-x[i]) / 2.0
        x[i] -= 1


def guard(x: reals, n: i64, out: whole) -> None:
    i = 0
    while i < n and x[i] > 0.0:
        i += 1
    out[0] = i


class Pair(Record):
    x: reals
    n: i64
    factor: f64
    seen: whole


def inner(p: Pair, i: i64) -> None:
    p.x[i] = p.x[i] * p.factor
    p.seen[i] += p.n


def outer(p: Pair, by: f64) -> None:
    for i in range(p.n):
        inner(p, i)
        p.x[i] += by


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    kinds = dialect.signature(function)
    target = backend.machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(dialect.translate(function, {})), target)
    engine.finalize_object()
    c_types = {"i64": ctypes.c_int64, "f64": ctypes.c_double}
    call = ctypes.CFUNCTYPE(None, *(c_types.get(k, ctypes.c_void_p) for k in kinds))(
        engine.get_function_address(function.__name__)
    )

    def run(*args: object) -> None:
        call(*(a.ctypes.data if isinstance(a, np.ndarray) else a for a in args))

    run.keep = engine  # type: ignore[attr-defined]
    return run


fast_collatz, fast_clip, fast_guard = compiled(collatz), compiled(clip), compiled(guard)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_loops_and_whole_numbers(numbers: list[int]) -> None:
    n = np.array([len(numbers), *numbers], dtype=np.int64)
    slow, fast = np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64)
    collatz(n, slow)
    fast_collatz(n, fast)
    np.testing.assert_array_equal(slow, fast)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8), st.floats(-10, 0), st.floats(0, 10))
def test_branches_and_real_numbers(x: list[float], low: float, high: float) -> None:
    slow, fast = np.array(x), np.array(x)
    clip(slow, low, high, len(x))
    fast_clip(fast, low, high, len(x))
    np.testing.assert_array_equal(slow, fast)


def test_a_record_is_numbers_and_arrays_under_one_name() -> None:
    slow, fast = (
        {"x": np.arange(3.0), "n": 3, "factor": 0.1, "seen": np.zeros(3, np.int64)} for _ in range(2)
    )
    outer(SimpleNamespace(**slow), 0.25)
    calls = {"inner": dialect.signature(inner)}
    text = [dialect.translate(inner, calls), dialect.translate(outer, calls), "!0 = !{}"]
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly("\n".join(text)), backend.machine())
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_double)(engine.get_function_address("outer"))
    record = Pair.memory(fast)
    call(record.ctypes.data, 0.25)
    np.testing.assert_array_equal(fast["x"], slow["x"])
    np.testing.assert_array_equal(fast["seen"], slow["seen"])
    assert fast["x"].tolist() == pytest.approx([0.25, 0.35, 0.45])


@pytest.mark.parametrize("seen", [np.zeros(3), np.zeros(6, np.int64)[::2], np.zeros(3, np.int32)])
def test_an_array_of_another_type_or_stride_never_reaches_compiled_code(seen: np.ndarray) -> None:
    with pytest.raises(TypeError, match="seen is .*, not int64 in a row"):
        Pair.memory({"x": np.zeros(3), "n": 3, "factor": 0.1, "seen": seen})


def test_and_does_not_look_past_what_decides() -> None:
    out = np.zeros(1, dtype=np.int64)
    fast_guard(np.array([1.0, 2.0]), 2, out)
    assert out[0] == 2


def test_what_is_not_in_the_dialect_is_refused_with_its_line() -> None:
    def listing(x: reals) -> None:
        sorted(v for v in x)

    with pytest.raises(NotImplementedError, match="listing, line 2: sorted is not in the dialect"):
        dialect.translate(listing, {})

    def raising(x: reals) -> None:
        raise ValueError

    with pytest.raises(NotImplementedError, match="raising, line 2: Raise is not in the dialect"):
        dialect.translate(raising, {})
