"""From LLVM IR to machine code in this process, kept on disk by the hash of what it was made from."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from lissive.cache import store, stored
from lissive.fingerprint import of_folder, of_texts
from lissive.model import expression
from lissive.simulation.engine import dialect, driver, turns

_DRIVER_PARTS = (
    driver.load,
    driver.save,
    driver.arrive,
    driver.aim,
    driver.judge,
    driver.widen,
    driver.lift,
    driver.clear,
    driver.put_down,
    driver.quarter,
    driver.look,
    driver.sum_up,
    driver.drive,
)
_TURNS = (turns.attend, turns.narrow, turns.find, turns.shorten)
_KERNEL_CALLS = {
    name: ("reals",) * count for name, count in [("step", 11), ("commit", 4), ("observe", 7), ("gather", 9)]
}


def machine() -> Any:
    """The machine that this process runs on, as LLVM's target; each engine needs one of its own."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # wide registers are half the work here, so LLVM's preference for narrow ones is switched off
    features = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
    native = llvm.Target.from_default_triple()
    return native.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2, jit=True)


def native_lanes() -> int:
    """Doubles that one register holds: 8 with AVX-512, else 4 (two registers where they are narrower)."""
    features = llvm.get_host_cpu_features()
    return 8 if features.get("avx512f") and features.get("avx512dq") else 4


@cache
def fingerprint() -> str:
    """Hash of the engine's own source and of the machine: what kernels depend on beside the model."""
    about = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), str(llvm.llvm_version_info))
    code = (
        of_folder(Path(__file__).parent),
        of_folder(Path(expression.__file__).parent, "expression.py"),
    )
    return of_texts(*code, *(str(each) for each in about))


@contextmanager
def in_source_order() -> Iterator[None]:
    """Instructions stay near the order of `emit.py`: LLVM's last reordering spills a third more at 8 lanes.

    Only that one optional pass is left out, which LLVM itself leaves out where optimising is off. The switch
    is the whole process's, so it is put back; another thread that compiles meanwhile gets slower code, never
    other results. (No `-pre-RA-sched`: its values for debugging make wrong code, see docs/concepts/engine.md.)
    """
    llvm.set_option("lissive", "-enable-misched=0")
    try:
        yield
    finally:
        llvm.set_option("lissive", "-enable-misched=1")


def object_code(key: str, ir: Callable[[], str], *, optimise: bool) -> bytes:
    """Machine code for the module that `ir` writes, from the disk where it is known.

    `optimise` is for the driver: loops and branches gain by it, straight-line arithmetic does not.
    """
    key = of_texts(key, str(optimise), fingerprint())
    known = stored(key, ".o")
    if known is not None:
        return known
    target = machine()
    module = llvm.parse_assembly(ir())
    module.verify()
    if optimise:
        optimised(module, target)
    with nullcontext() if optimise else in_source_order():
        code: bytes = target.emit_object(module)
    store(key, ".o", code)
    return code


def optimised(module: Any, target: Any) -> None:
    """Optimise a module where it is."""
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    tuning.loop_vectorization = tuning.slp_vectorization = False
    builder = llvm.create_pass_builder(target, tuning)
    builder.getModulePassManager().run(module, builder)


def driver_ir(events: bool) -> str:
    """The control loop and its parts as one LLVM module; what only models with events need is empty for others."""
    signatures = {f.__name__: dialect.signature(f) for f in (*_DRIVER_PARTS, *_TURNS)}
    calls = {**signatures, **_KERNEL_CALLS}
    declarations = [f"declare void @{n}({', '.join(['ptr'] * len(k))})" for n, k in _KERNEL_CALLS.items()]
    declarations += ["declare double @llvm.sqrt.f64(double)"]
    declarations.append("!0 = !{}")
    parts = [dialect.translate(f, calls) for f in (*_DRIVER_PARTS, *(_TURNS if events else ()))]
    heads = [] if events else [f"{f.__name__}({', '.join(dialect.llvm_types(f))})" for f in _TURNS]
    return "\n".join([*declarations, *parts, *(f"define void @{head} {{ ret void }}" for head in heads)])


class Linked:
    """Machine code of one kernel with the driver, ready to call. Calls release the GIL."""

    def __init__(self, kernel: bytes, *, events: bool = False) -> None:
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
        driver_code = object_code(f"driver {events}", lambda: driver_ir(events), optimise=True)
        for code in (kernel, driver_code):
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def function(self, name: str, arguments: int) -> Callable[..., None]:
        prototype = ctypes.CFUNCTYPE(None, *([ctypes.c_void_p] * arguments))
        return prototype(self._engine.get_function_address(name))
