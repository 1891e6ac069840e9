"""The kept numbers on disk, and the comparison of an answer with them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from .numbers import Leaves, Moved, kept, leaves, moved, read_renames, renamed, written

HERE = Path(__file__).parent
NUMBERS = HERE / "numbers"
RENAMED = HERE / "renamed.tsv"
HEADER = "old\tnew\n"
MADE_ON = NUMBERS / "made-on.txt"

EXACT = (1e-9, 1e-9)
"""Relative and absolute: the same sums in another order."""
SOLVED = (1e-4, 1e-6)
"""Of answers in which the model is solved, on a machine whose arithmetic is another one.

The solver chooses its steps by what it estimates as their error, and a last digit (a product and a sum in one
instruction or in two) is enough for a step more or less in some hundred. The numbers then differ by a part of the
solver's own error: by up to 2e-5, measured with and without fused multiplication on one machine. By the same
instructions they are the same to the bit.
"""
NOT_SOLVED = ("access", "pool", "claims", "simulate-example")
"""Answers without the model; one compartment is solved by the same steps everywhere."""


def arithmetic() -> str:
    """The kind of this machine's arithmetic, as far as the model's kernels use it."""
    found = llvm.get_host_cpu_features()
    return " ".join([platform.machine(), *(name for name in ("fma", "avx512f") if found.get(name))])


def tolerance(name: str) -> tuple[float, float]:
    """How far the numbers of an answer may be from those that are kept, on this machine."""
    same = MADE_ON.read_text(encoding="utf-8").strip() == arithmetic()
    return EXACT if same or name.startswith(NOT_SOLVED) else SOLVED


def stored(name: str) -> Any:
    """The kept answer, or nothing."""
    path = NUMBERS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def before(name: str) -> Leaves:
    """The kept numbers of an answer, by the names that they have now."""
    return renamed(leaves(stored(name), name), read_renames(RENAMED))


def compared(name: str, ask: Callable[[], Any]) -> list[Moved]:
    """What moved by more than it may."""
    return moved(before(name), leaves(kept(ask()), name), within=tolerance(name))


def renew(name: str, ask: Callable[[], Any], *, write: bool) -> list[Moved]:
    """What moved at all; with `write`, the new numbers are kept."""
    new = kept(ask())
    found = moved(before(name), leaves(new, name))
    if write:
        (NUMBERS / f"{name}.json").write_text(written(new) + "\n", encoding="utf-8")
    return found
