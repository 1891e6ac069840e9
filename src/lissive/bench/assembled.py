"""Registers and memory of the GPU's code, as NVIDIA's assembler counts them. No GPU is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lissive.bench.problems import names, problem
from lissive.errors import LissiveError
from lissive.simulation.engine import build
from lissive.simulation.engine.ptx import kernel_ir, ptx

ARCHITECTURE = "sm_90"
"""What is assembled for: NVIDIA's H100 and H200."""
COLUMNS = ("registers", "stack", "spill_stores", "spill_loads", "loads", "stores")


def assembled(
    *, only: Sequence[str] = (), say: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """A row for each model.

    registers : of a thread    stack : bytes of local memory of a thread
    spill_stores, spill_loads : bytes, as ptxas says, each place of the code counted once
    loads, stores : bytes of the loads and stores that the PTX itself has, counted likewise
    Raises       LissiveError where there is no assembler, or a model is not known.
    """
    if shutil.which("ptxas") is None:
        raise LissiveError(
            "ptxas is not found.",
            where="--ptx",
            allowed="a computer with NVIDIA's CUDA toolkit, of which ptxas is a part; it needs no GPU.",
            do="install the toolkit and put ptxas on the PATH, or leave --ptx out.",
        )
    if unknown := [name for name in only if name not in names()]:
        raise LissiveError(
            f"{unknown[0]!r} is no model.",
            where="--only",
            allowed=f"{', '.join(names())}.",
            do="name one of these models; --only again for another.",
        )
    rows = []
    for name in only or names()[:1]:
        given = problem(name)
        say(name)
        plan = build(given.equations, given.outputs).planned()
        rows.append({"model": name, **counted(ptx(*kernel_ir(plan)))})
    return rows


def counted(text: str) -> dict[str, int]:
    """What ptxas says of PTX, added up over its functions, and loads and stores of the PTX itself."""
    with TemporaryDirectory() as folder:
        place = Path(folder, "kernel.ptx")
        place.write_text(text, encoding="utf-8")
        command = ["ptxas", "-v", f"-arch={ARCHITECTURE}", "-o", str(place.with_suffix(".cubin")), str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LissiveError(
            f"ptxas refused the code: {done.stderr.strip().splitlines()[0]}",
            where="--ptx",
            allowed=f"a ptxas that knows {ARCHITECTURE}.",
            do="install a newer CUDA toolkit.",
        )
    said = done.stdout + done.stderr
    spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", said)
    moved = {"loads": "ld", "stores": "st"}
    bits = {
        name: re.findall(rf"^\s+{op}\.(?!param)[\w.]*?b(\d+)\s", text, re.MULTILINE)
        for name, op in moved.items()
    }
    return {
        "registers": max(int(n) for n in re.findall(r"Used (\d+) registers", said)),
        "stack": max((int(n) for n in re.findall(r"(\d+) bytes cumulative stack size", said)), default=0),
        "spill_stores": sum(int(stores) for stores, _ in spills),
        "spill_loads": sum(int(loads) for _, loads in spills),
        **{name: sum(map(int, found)) // 8 for name, found in bits.items()},
    }


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table for people; bytes of a thread."""
    head = ("model", *(name.replace("_", " ") for name in COLUMNS))
    cells = [head, *(tuple(str(row[name]) for name in ("model", *COLUMNS)) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([f"ptxas for {ARCHITECTURE}; all but registers in bytes of a thread", *lines])
