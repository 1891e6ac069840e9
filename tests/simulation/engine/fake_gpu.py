"""A stand-in for `cuda.core`: memory of this process, and what is loaded as PTX compiled for this processor."""

from __future__ import annotations

import ctypes
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import llvmlite.binding as llvm
import pytest

from lissive.simulation.engine import gpu, ptx
from lissive.simulation.engine.compile import machine


class Native:
    """What `kernel_ir` wrote, for this processor: as called by `threads` threads one after the other."""

    def __init__(self, loop: str, functions: str) -> None:
        self._engine = llvm.create_mcjit_compiler(
            ptx.linked(loop.replace("ptx_kernel ", ""), functions, machine()), machine()
        )
        self._engine.finalize_object()
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.get_function_address(ptx.ENTRY))
        self.occupancy = SimpleNamespace(max_active_blocks_per_multiprocessor=lambda block, shared: 2)


class Buffer:
    def __init__(self, size: int) -> None:
        self._bytes = (ctypes.c_int64 * -(-size // 8))()
        self.handle, self.size = ctypes.addressof(self._bytes), size

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.handle = 0

    def copy_from(self, other: Buffer, *, stream: Any) -> None:
        ctypes.memmove(self.handle, other.handle, self.size)

    def copy_to(self, other: Buffer, *, stream: Any) -> None:
        other.copy_from(self, stream=stream)


class Device:
    name, compute_capability = "Stand-in", (9, 0)
    default_stream = SimpleNamespace(sync=lambda: None)
    properties = SimpleNamespace(multiprocessor_count=2)

    def set_current(self) -> None:
        pass

    def allocate(self, size: int, *, stream: Any) -> Buffer:
        return Buffer(size)


class Memory:
    def allocate(self, size: int) -> Buffer:
        return Buffer(size)


def install(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """`cuda.core` as above; what is written as PTX is kept as IR. Returns a list that gets every launch."""
    core, launches, kernels = ModuleType("cuda.core"), list[Any](), dict[bytes, tuple[str, str]]()

    def write(loop: str, functions: str) -> str:
        text = f"PTX {len(kernels)}"
        kernels[text.encode()] = (loop, functions)
        return text

    def launch(stream: Any, config: Any, kernel: Native, given: int) -> None:
        launches.append(config)
        for _ in range(min(config.grid * config.block, 4)):  # the first takes all, the others find none left
            kernel.call(given)

    def from_ptx(text: bytes) -> Any:
        return SimpleNamespace(get_kernel=lambda name: Native(*kernels[text]))

    for name, thing in {
        "Device": Device, "LegacyPinnedMemoryResource": Memory, "LaunchConfig": SimpleNamespace, "launch": launch,
        "ObjectCode": SimpleNamespace(from_ptx=from_ptx),
    }.items():  # fmt: skip
        setattr(core, name, thing)
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.core", core)
    monkeypatch.setattr(gpu, "ptx", write)
    monkeypatch.setattr(gpu, "stored", lambda *_: None)
    monkeypatch.setattr(gpu, "store", lambda *_: None)
    return launches
