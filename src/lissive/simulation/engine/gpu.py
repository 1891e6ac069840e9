"""The engine on an NVIDIA GPU: what `ptx.py` writes, loaded and called through cuda-core.

Only the compiled loop runs there. Constants of each subject are worked out on the processor as always. What a call
works on goes to the GPU in one piece, and comes back in one piece.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from copy import copy
from functools import cached_property, partial
from typing import Any

import numpy as np

from lissive.cache import store, stored
from lissive.errors import SimulationError
from lissive.fingerprint import of_texts
from lissive.model.equations import Equations
from lissive.simulation.engine.gpu_faults import told
from lissive.simulation.engine.job import Job
from lissive.simulation.engine.kernel import Batch, Kernel
from lissive.simulation.engine.ptx import BLOCK, CONSTANT, ENTRY, OLDEST, kernel_ir, ptx
from lissive.simulation.engine.work import Work

_BACK = ("y", "seen", "rate", "clock", "suit", "given", "book", "values", "mean", "top", "low")
"""What a call changes and is wanted afterwards."""


def check(equations: Equations) -> None:
    """Raises SimulationError where this model, or this computer, cannot be used with a GPU."""
    if equations.events:
        raise SimulationError(
            f"Model {equations.name} has events of its own, which the GPU's code does not follow.",
            where="device",
            allowed="gpu for models without events.",
            do="leave --device out.",
        )
    _device()


def _device() -> Any:
    """The GPU, made current for this thread."""
    try:
        from cuda.core import Device
    except ImportError:
        raise SimulationError(
            "A GPU needs packages that are not installed.", where="device", do="pip install 'lissive[gpu]'."
        ) from None
    with told("device"):
        device = Device()
        device.set_current()
        found = tuple(device.compute_capability)
    if found < OLDEST:
        raise SimulationError(
            f"{device.name} has compute capability {found[0]}.{found[1]}.",
            where="device",
            allowed=f"{OLDEST[0]}.{OLDEST[1]} or later.",
            do="leave --device out.",
        )
    return device


def on_gpu(kernel: Kernel) -> Kernel:
    """The same kernel, whose batches go onward on the GPU.

    Raises       SimulationError where the model needs what the GPU's code does not have.
    """
    key = of_texts(kernel.key, ENTRY)
    text = stored(key, ".ptx")
    if text is None:
        text = ptx(*kernel_ir(kernel.planned())).encode()
        store(key, ".ptx", text)
    other = copy(kernel)
    other.job = partial(_GpuJob, _Code(text))
    return other


class _Code:
    """PTX, loaded when it is first called."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    @cached_property
    def kernel(self) -> Any:
        from cuda.core import ObjectCode

        return ObjectCode.from_ptx(self.text).get_kernel(ENTRY)


class _GpuJob(Job):
    """One advance as one launch: as many threads as fit on the GPU take subjects until there are none."""

    def __init__(self, code: _Code, batch: Batch, asked: Mapping[str, Any], threads: int) -> None:
        super().__init__(batch, asked, 1)
        self.code, self.subjects = code, len(batch)
        self.shared |= CONSTANT

    def run(self, thread: int) -> None:
        if not self.subjects:
            return
        device = _device()
        with told("compile"):
            kernel = self.code.kernel
        with told("run"):
            self._launch(device, kernel)

    def _launch(self, device: Any, kernel: Any) -> None:
        from cuda.core import LaunchConfig, launch

        arrays = {n: v for n in Work.fields() if isinstance(v := self.shared.get(n), np.ndarray)}
        ends = len(Work.fields()) + np.cumsum([each.size for each in arrays.values()])
        places = {n: slice(int(e) - v.size, int(e)) for (n, v), e in zip(arrays.items(), ends, strict=True)}
        stream, size = device.default_stream, 8 * int(ends[-1])
        with _host_memory(size) as here, _gpu_memory(device, size, stream) as there:
            words = np.ctypeslib.as_array((ctypes.c_int64 * (size // 8)).from_address(int(here.handle)))
            self._record(words, int(there.handle), places)
            for name, place in places.items():
                words[place] = np.ascontiguousarray(arrays[name]).view(np.int64).ravel()
            fitting = kernel.occupancy.max_active_blocks_per_multiprocessor(BLOCK, 0)
            blocks = min(fitting * device.properties.multiprocessor_count, -(-self.subjects // BLOCK))
            there.copy_from(here, stream=stream)
            launch(stream, LaunchConfig(grid=blocks, block=BLOCK), kernel, int(there.handle))
            there.copy_to(here, stream=stream)
            stream.sync()
            for name in _BACK:
                array = arrays[name]
                array[...] = words[places[name]].view(array.dtype).reshape(array.shape)

    def _record(self, words: Any, begin: int, places: Mapping[str, slice]) -> None:
        """Numbers, and where arrays are on the GPU; those of lanes the kernel has itself."""
        for row, (name, kind) in enumerate(Work.fields().items()):
            if kind == "f64":
                words.view(float)[row] = self.shared[name]
            elif kind == "i64":
                words[row] = self.shared[name]
            else:
                words[row] = begin + 8 * places[name].start if name in places else 0


def _host_memory(size: int) -> Any:
    """Memory of this computer that the GPU reads."""
    from cuda.core import LegacyPinnedMemoryResource

    with told("host memory", f"{size / 2**20:.3g} MiB"):
        return LegacyPinnedMemoryResource().allocate(size)


def _gpu_memory(device: Any, size: int, stream: Any) -> Any:
    with told("GPU memory", f"{size / 2**20:.3g} MiB"):
        return device.allocate(size, stream=stream)
