"""The engine as one PTX kernel for NVIDIA's GPUs: one thread follows one subject at a time, and takes the next one.

The functions are those of the processor at one lane: the IR of `emit.py`, the loop of `driver.py`. What a lane works on
is the thread's local memory, which the hardware keeps as row*threads + thread (CUDA C++ Programming Guide, "Local
Memory"): threads side by side read words side by side, and no index has a stride. exp, log and pow are written out
as on the processor; no library is linked.
"""

from __future__ import annotations

import re

import llvmlite.binding as llvm

from lissive.errors import SimulationError
from lissive.simulation.engine.compile import driver_ir, in_source_order, optimised
from lissive.simulation.engine.emit import module
from lissive.simulation.engine.job import lane_rows
from lissive.simulation.engine.plan import Plan
from lissive.simulation.engine.steps import space
from lissive.simulation.engine.work import Work

ENTRY = "lissive"
BLOCK = 128
"""Threads of a block: two blocks of 255 registers a thread fill a multiprocessor."""
OLDEST = (7, 5)
"""Compute capability that is aimed at (Turing, 2018); the driver translates PTX for the GPU that there is."""
CONSTANT = {"lanes": 1, "thread": 0, "threads": 1, "n_watch": 0}
"""Of the record, what is the same in every run: all threads of the GPU share one queue, and no model has events."""
TARGET = {"cpu": "sm_75", "features": "+ptx70"}


def kernel_ir(plan: Plan) -> tuple[str, str]:
    """The loop with the kernel's entry, and the model's functions, each as the text of an LLVM module.

    Raises       SimulationError where the model needs the C library.
    """
    functions = re.sub(r"define void @prepare\(.*?\n}\n", "", module(plan, 1), flags=re.DOTALL)
    if wanting := sorted(set(re.findall(r"call double @(\w+)\(", functions))):
        raise SimulationError(
            f"The model uses {', '.join(wanting)}, which the GPU's code does not have.",
            where="--device",
            allowed="models of + - * /, powers, exp, ln, sqrt, abs, floor and ceil.",
            do="leave --device out.",
        )
    loop = driver_ir(False).replace("define void", "define internal void")
    loop = loop.replace(", !invariant.load !0", "")  # here the record is written first, by the kernel's entry
    return f"{loop}\n{_entry(plan)}", functions


def ptx(loop: str, functions: str) -> str:
    """PTX of what `kernel_ir` gave."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple("nvptx64-nvidia-cuda").create_target_machine(**TARGET, opt=2)
    # as for the processor; without it the code would depend on what was compiled before
    with in_source_order():
        text: str = target.emit_assembly(linked(loop, functions, target))
    return text


def linked(loop: str, functions: str, target: llvm.TargetMachine) -> llvm.ModuleRef:
    """Both as one module for `target`; as on the processor, only the loop is optimised."""
    whole, model = (llvm.parse_assembly(each) for each in (loop, functions))
    for each in (whole, model):
        each.triple, each.data_layout = target.triple, str(target.target_data)
        each.verify()
    optimised(whole, target)
    whole.link_in(model)
    return whole


def _entry(plan: Plan) -> str:
    """The kernel: a record of its own for each thread, with what is shared and with arrays of one lane."""
    counts = {
        "states": len(plan.states),
        "constants": len(plan.once),
        "inputs": len(plan.inputs),
        "outputs": len(plan.output_nodes),
    }
    rows = lane_rows(**counts, scratch=space(plan).rows)
    known = {f"n_{name}": count for name, count in counts.items()} | CONSTANT
    lines = [
        f"define ptx_kernel void @{ENTRY}(ptr addrspace(1) align 8 %given) nounwind "
        f'"nvvm.maxntid"="{BLOCK}" "nvvm.minctasm"="2" {{',
        f"  %w = alloca [{len(Work.fields())} x i64], align 8",
    ]
    for place, name in enumerate(Work.fields()):
        lines.append(f"  %to.{name} = getelementptr i64, ptr %w, i64 {place}")
        if name in rows:
            lines += [
                f"  %lane.{name} = alloca [{rows[name]} x i64], align 8",
                f"  call void @llvm.memset.p0.i64(ptr %lane.{name}, i8 0, i64 {8 * rows[name]}, i1 false)",
                f"  store ptr %lane.{name}, ptr %to.{name}",
            ]
        elif name in known:
            lines.append(f"  store i64 {known[name]}, ptr %to.{name}")
        else:
            lines += [
                f"  %at.{name} = getelementptr i64, ptr addrspace(1) %given, i64 {place}",
                f"  %is.{name} = load i64, ptr addrspace(1) %at.{name}",
                f"  store i64 %is.{name}, ptr %to.{name}",
            ]
    lines += [
        "  call void @drive(ptr %w)",
        "  ret void",
        "}",
        "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
    ]
    return "\n".join(lines)
