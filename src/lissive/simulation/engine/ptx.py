"""The engine as one PTX kernel for NVIDIA's GPUs: one thread follows one subject at a time, and takes the next one.

The functions are those of the processor at one lane: the IR of `emit.py`, the loop of `driver.py`. What a lane works on
is the thread's local memory, which the hardware keeps as row*threads + thread (CUDA C++ Programming Guide, "Local
Memory"): threads side by side read words side by side, and no index has a stride. exp, log and pow are written out
as on the processor; no library is linked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import llvmlite.binding as llvm
import numpy as np

from lissive.errors import SimulationError
from lissive.simulation.engine.compile import driver_ir, in_source_order, optimised
from lissive.simulation.engine.emit import module
from lissive.simulation.engine.job import lane_rows
from lissive.simulation.engine.plan import Plan
from lissive.simulation.engine.work import Work

ENTRY = "lissive"
BLOCK = 128
"""Threads of a block: two blocks of 255 registers a thread fill a multiprocessor."""
OLDEST = (7, 5)
"""Compute capability that is aimed at (Turing, 2018); the driver translates PTX for the GPU that there is."""
CONSTANT = {"lanes": 1, "thread": 0, "threads": 1, "n_watch": 0}
"""Of the record, what is the same in every run: all threads of the GPU share one queue, and no model has events."""
TARGET = {"cpu": "sm_75", "features": "+ptx70"}
WIDTH = 80
"""Values that a piece of `step` keeps at once: as many doubles as 255 registers hold beside addresses and the like."""
_NAME = re.compile(r"%v\d+\b")
_KIND = re.compile(r"<1 x \w+>|\bdouble\b|\bptr\b")


def kernel_ir(plan: Plan, *, width: int = WIDTH) -> tuple[str, str]:
    """The loop with the kernel's entry, and the model's functions, each as the text of an LLVM module.

    width : see WIDTH.
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
    functions = re.sub(
        r"define void @step\(.*?\n}\n", lambda f: in_pieces(f[0], width), functions, flags=re.DOTALL
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
    rows = lane_rows(**counts)
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


# -- a long function in pieces ------------------------------------------------------------------------------
def in_pieces(text: str, width: int) -> str:
    """A function without branches as pieces that it calls, each of which keeps at most `width` values at once.

    A value that a later piece needs is stored, and loaded where it is needed; a place whose value is done with is used
    again. What was read from an argument is read anew. Each is one load or store, as a spilled register would be.
    """
    head, _, *lines = text.splitlines()[:-2]  # of "entry:", "ret void" and "}" nothing is left
    made = {name: line.split(" = ", 1)[1] for line in lines if (name := _made(line))}
    starts = [*_starts(lines, width), len(lines)]
    parts = [lines[a:b] for a, b in pairwise(starts)]
    last = {name: p for p, part in enumerate(parts) for line in part for name in _NAME.findall(line)}
    ends: list[list[str]] = [[] for _ in parts]
    arguments = head[head.index("(") : head.index(")")] + ", ptr noalias nocapture %kept)"
    places, free, size, pieces = dict[str, int](), list[int](), 0, list[str]()
    for p, part in enumerate(parts):
        known, body = set[str](), list[str]()
        for line in part:
            body += [*_brought(line, known, made, places), line]
            name = _made(line)
            known.add(name)
            if name and last[name] > p and not made[name].startswith(("getelementptr", "load")):
                if not free:
                    free.append(size)
                    size += 1
                places[name] = free.pop()
                ends[last[name]].append(name)
                body += [_place(name, places), f"  store {_kind(made[name])} {name}, ptr {name}.at, align 8"]
        free += [places[name] for name in ends[p]]
        pieces += [
            f"define internal void @step.{p}{arguments} noinline nounwind {{",
            *body,
            "  ret void",
            "}",
        ]
    given = ", ".join(f"ptr {each.split()[-1]}" for each in arguments.strip("()").split(","))
    calls = [f"  call void @step.{p}({given})" for p in range(len(parts))]
    return "\n".join(
        [*pieces, head, f"  %kept = alloca [{size} x i64], align 8", *calls, "  ret void", "}", ""]
    )


def _starts(lines: list[str], width: int) -> list[int]:
    """Where each piece begins: as late as `width` lets it."""
    starts, alive, seen = [0], np.zeros(len(lines), int), dict[str, int]()
    for at, line in enumerate(lines):
        for name in set(_NAME.findall(line)):
            if seen.get(name, at) >= starts[-1]:
                alive[seen.get(name, at) + 1 : at + 1] += 1
            seen[name] = at
        if alive[starts[-1] : at + 1].max() > width:
            starts.append(at)
            alive[at] = 0
    return starts


def _brought(line: str, known: set[str], made: dict[str, str], places: dict[str, int]) -> Iterator[str]:
    """What brings into a piece the values that `line` needs and that are not known there."""
    for name in _NAME.findall(line.split(" = ", 1)[-1]):
        if name in known:
            continue
        known.add(name)
        if name in places:
            yield _place(name, places)
            yield f"  {name} = load {_kind(made[name])}, ptr {name}.at, align 8"
        else:
            yield from _brought(made[name], known, made, places)
            yield f"  {name} = {made[name]}"


def _made(line: str) -> str:
    """The name of the value that a line makes, if it makes one."""
    return line.split(" = ", 1)[0].strip() if " = " in line else ""


def _place(name: str, places: dict[str, int]) -> str:
    return f"  {name}.at = getelementptr i64, ptr %kept, i64 {places[name]}"


def _kind(instruction: str) -> str:
    """The type of an instruction's value."""
    kinds: list[str] = _KIND.findall(instruction)
    if instruction.startswith(("fcmp", "icmp")):
        return "<1 x i1>"
    if " to " in instruction:
        return kinds[-1]
    return kinds[1] if instruction.startswith("select") else kinds[0]
