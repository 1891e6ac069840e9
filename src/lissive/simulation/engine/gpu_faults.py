"""What went wrong on the way to a GPU or on it, told apart by what the driver calls it and by what was being done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lissive.errors import SimulationError

WITHOUT = "leave --device out"
_REPORT = f"{WITHOUT}, and report the model: this is a fault of Lissive or of the GPU."
_FEWER = f"ask for fewer subjects, output times or quantities, or {WITHOUT}."
NO_DRIVER = ("The NVIDIA driver is not installed", f"install it, or {WITHOUT}.")
OLD_DRIVER = ("The NVIDIA driver is too old", f"update it, or {WITHOUT}.")
NO_DEVICE = (
    "The NVIDIA driver finds no GPU that it may use",
    f"look at nvidia-smi and at CUDA_VISIBLE_DEVICES, or {WITHOUT}.",
)
GPU_MEMORY = ("The GPU has not enough free memory for this run", _FEWER)
HOST_MEMORY = ("This computer has not enough free memory for the GPU's copy of the run", _FEWER)
COMPILE = ("The driver cannot compile this model for the GPU", _REPORT)
REGISTERS = ("The model takes more of the GPU's registers than there are", f"{WITHOUT}.")
TIMEOUT = (
    "The GPU's time limit ended the run",
    f"use a GPU that drives no screen, ask for fewer output times, or {WITHOUT}.",
)
LAUNCH = ("The run failed on the GPU", _REPORT)
HARDWARE = ("The GPU reports a fault of its own", f"look at nvidia-smi, restart the computer, or {WITHOUT}.")

STAGES = {
    "device": ("No GPU can be used", f"{WITHOUT}."),
    "host memory": HOST_MEMORY,
    "GPU memory": GPU_MEMORY,
    "compile": COMPILE,
    "run": LAUNCH,
}
"""Where the driver gives no name that is known: what was being done says it."""

_NAMES = {
    "STUB_LIBRARY SHARED_OBJECT_INIT_FAILED": NO_DRIVER,
    "UNSUPPORTED_PTX_VERSION SYSTEM_DRIVER_MISMATCH COMPAT_NOT_SUPPORTED_ON_DEVICE INSUFFICIENT_DRIVER": OLD_DRIVER,
    "NO_DEVICE INVALID_DEVICE DEVICE_UNAVAILABLE DEVICE_NOT_LICENSED NOT_PERMITTED OPERATING_SYSTEM": NO_DEVICE,
    "INVALID_PTX INVALID_IMAGE INVALID_SOURCE NO_BINARY_FOR_GPU JIT_COMPILER_NOT_FOUND": COMPILE,
    "JIT_COMPILATION_DISABLED": COMPILE,
    "LAUNCH_OUT_OF_RESOURCES": REGISTERS,
    "LAUNCH_TIMEOUT": TIMEOUT,
    "LAUNCH_FAILED ILLEGAL_ADDRESS ILLEGAL_INSTRUCTION MISALIGNED_ADDRESS INVALID_PC ASSERT": LAUNCH,
    "ECC_UNCORRECTABLE NVLINK_UNCORRECTABLE HARDWARE_STACK_ERROR SYSTEM_NOT_READY CONTAINED": HARDWARE,
}
_KNOWN = {f"CUDA_ERROR_{name}": fault for names, fault in _NAMES.items() for name in names.split()}


@contextmanager
def told(stage: str, size: str = "") -> Iterator[None]:
    """What fails within is a SimulationError that says what it was.

    stage : one of STAGES.      size : what is being asked for, where memory is.
    """
    try:
        yield
    except SimulationError:
        raise
    except Exception as error:  # of the driver's library, its loader, or the GPU
        raise fault(error, stage, size) from error


def fault(error: Exception, stage: str, size: str = "") -> SimulationError:
    """The error in words: what, what is allowed, what to do."""
    said = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    name = re.search(r"CUDA_ERROR_\w+", said)
    what, do = _KNOWN.get(name[0], STAGES[stage]) if name else STAGES[stage]
    if name and name[0] == "CUDA_ERROR_OUT_OF_MEMORY":
        what, do = HOST_MEMORY if stage == "host memory" else GPU_MEMORY
    elif stage == "device" and not name and re.search("driver|dlopen|libcuda", said):
        what, do = NO_DRIVER
    needed = f", which takes {size}" if size and (what, do) in (GPU_MEMORY, HOST_MEMORY) else ""
    allowed = "gpu where there is an NVIDIA GPU and its driver." if stage == "device" else ""
    return SimulationError(f"{what}{needed}: {said}.", where="device", allowed=allowed, do=do)
