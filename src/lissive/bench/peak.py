"""The share of the processor's double precision peak that the solver reaches: operations counted, peak measured.

Operations are counted in the LLVM IR of one attempted step: an addition, a subtraction, a multiplication, a division
and a root as 1, a fused product as 2; exponentials, logarithms and powers by the operations that they are made of.
Comparisons, selections, loads and stores count as nothing. The peak is what a loop of independent fused products
reaches here on one thread, so that it is as noisy as the machine; it is not the maker's figure.

>>> step = '''define void @step() {
...   %a = fadd <8 x double> %x, %y
...   call void @part()
... b1:
...   %c = call <8 x double> @llvm.fma.v8f64(<8 x double> %a, <8 x double> %a, <8 x double> %a)
...   %i1.more = icmp ult i64 %i1.next, 10
... b1.end:
... }
... define void @part() {
...   %b = fdiv <8 x double> %x, %y
... }'''
>>> operations(step)
22
"""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm

from lissive.bench.accuracy import Solved
from lissive.simulation.engine import Tolerances
from lissive.simulation.engine import compile as backend
from lissive.simulation.engine.emit import module
from lissive.simulation.engine.plan import make_plan

RTOL = 1e-6
_ONE = re.compile(r"= (fadd|fsub|fmul|fdiv|call .*@llvm\.sqrt)")
_CALL = re.compile(r"call .*@([\w.]+)\(")
_CHAINS, _TURNS = 16, 20_000


def operations(ir: str, name: str = "step") -> int:
    """Of one lane, in one call of function `name`, with what it calls."""
    parts = {
        re.search(r"@([\w.]+)", text).group(1): text  # type: ignore[union-attr]
        for text in re.split(r"^define ", ir, flags=re.MULTILINE)[1:]
    }
    tables = {t: int(n) for t, n in re.findall(r"^@factor\.(\w+) = internal constant \[(\d+) x", ir, re.M)}
    return _count(parts, tables, name)


def _count(parts: dict[str, str], tables: dict[str, int], name: str) -> int:
    if name == "factor":  # by loops over tables: pivots, shares and products
        return tables["pivot"] + tables["low"] + 2 * tables["to"]
    total, times = 0, 1
    for line in parts[name].split("\n"):
        if found := re.match(r"b(\d+):$", line):
            times = int(re.search(rf"%i{found[1]}\.next, (\d+)", parts[name]).group(1))  # type: ignore[union-attr]
        elif line.endswith(".end:"):
            times = 1
        elif "@llvm.fma" in line:
            total += 2 * times
        elif _ONE.search(line):
            total += times
        elif (called := _CALL.search(line)) and called[1] in parts:
            total += times * _count(parts, tables, called[1])
    return total


def peak(lanes: int, repeats: int = 20) -> float:
    """Operations a second of fused products on one thread: the best of several short loops."""
    vec = f"<{lanes} x double>"
    heads = [f"  %x{k} = phi {vec} [%a, %entry], [%y{k}, %top]" for k in range(_CHAINS)]
    body = [
        f"  %y{k} = call {vec} @llvm.fma.v{lanes}f64({vec} %x{k}, {vec} %a, {vec} %b)" for k in range(_CHAINS)
    ]
    ends = [f"  store {vec} %y{k}, ptr %p, align {8 * lanes}" for k in range(_CHAINS)]
    ends = [line.replace("store", "store volatile") for line in ends]
    ir = "\n".join(
        [
            f"declare {vec} @llvm.fma.v{lanes}f64({vec}, {vec}, {vec})",
            "define void @run(ptr %p) {\nentry:",
            f"  %a = load {vec}, ptr %p, align {8 * lanes}",
            f"  %q = getelementptr double, ptr %p, i64 {lanes}\n  %b = load {vec}, ptr %q, align {8 * lanes}",
            "  br label %top\ntop:",
            "  %i = phi i64 [0, %entry], [%j, %top]",
            *heads, *body,
            f"  %j = add i64 %i, 1\n  %c = icmp ult i64 %j, {_TURNS}\n  br i1 %c, label %top, label %out\nout:",
            *ends, "  ret void\n}",
        ]
    )  # fmt: skip
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(ir), backend.machine())
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("run"))
    memory = (ctypes.c_double * (3 * lanes))()
    place = -(-ctypes.addressof(memory) // (8 * lanes)) * 8 * lanes
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        run(place)
        best = min(best, time.perf_counter() - begin)
    return 2.0 * lanes * _CHAINS * _TURNS / best


def share_of_peak(solved: Solved, repeats: int) -> dict[str, Any]:
    """What a run without any output reaches of the peak, on one thread."""
    given, kernel, n = solved.problem, solved.kernel, len(solved)
    count = operations(module(make_plan(given.equations, given.outputs, ()), kernel.lanes))
    doses, seconds, steps, refused = given.doses(kernel, n), [], 0.0, 0.0
    for _ in range(repeats):
        batch = kernel.start(n, solved.patients, tolerances=Tolerances(rtol=RTOL))
        begin = time.process_time()
        batch.advance(given.until, doses)
        seconds.append(time.process_time() - begin)
        steps, refused = float(batch.steps.mean()), float(batch.refused.mean())
    rate = count * (steps + refused) * n / min(seconds)
    most = peak(kernel.lanes)
    return {
        "rtol": RTOL,
        "operations_per_step": count,
        "steps_per_patient": steps,
        "refused_per_patient": refused,
        "microseconds_per_step": 1e6 * min(seconds) / n / (steps + refused),
        "operations_per_second": rate,
        "peak_operations_per_second": most,
        "share_of_peak": rate / most,
        "peak_from": "a loop of fused products, measured",
    }


def peak_text(found: dict[str, Any]) -> Sequence[str]:
    return [
        f"  at rtol {found['rtol']:.0e}: {found['steps_per_patient']:.0f} steps and "
        f"{found['refused_per_patient']:.0f} refused a patient, {found['microseconds_per_step']:.2f} us each",
        f"  {found['operations_per_step']} operations a step: {found['operations_per_second'] / 1e9:.1f} "
        f"of {found['peak_operations_per_second'] / 1e9:.1f} thousand million a second, "
        f"{100 * found['share_of_peak']:.0f} % of the peak ({found['peak_from']})",
    ]
