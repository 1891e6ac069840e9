"""LU factors of diagonal*I - J in the planned order: written out, or by loops over tables where that would be long.

The pivots are kept as their reciprocals. Written out, 1,000 products take half the time to run; the time to compile
grows with the square of what one function writes out, so there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from lissive.simulation.engine.ir import Function
from lissive.simulation.engine.plan import Plan

Place = tuple[int, int]
MOST_WRITTEN, PART = 2_000, 300
"""Products to subtract: from how many on the factors are made by loops, and how many one function writes out."""


@dataclass(frozen=True)
class Rows:
    """Of each state, the others in its row of the factors: eliminated before it, and after it."""

    before: dict[int, list[int]]
    after: dict[int, list[int]]


def elimination_rows(plan: Plan) -> Rows:
    rank = {k: a for a, k in enumerate(plan.order)}
    rows = Rows({k: [] for k in rank}, {k: [] for k in rank})
    for i, j in sorted(plan.filled, key=lambda place: rank[place[1]]):
        if i != j:
            (rows.before if rank[j] < rank[i] else rows.after)[i].append(j)
    return rows


def by_loops(rows: Rows) -> bool:
    return sum(len(rows.after[k]) for before in rows.before.values() for k in before) > MOST_WRITTEN


def factor(
    plan: Plan, place: Mapping[Place, int], rows: Rows, begin: Callable[[str], Function]
) -> list[Function]:
    """The functions to call, one after the other."""
    if by_loops(rows):
        return [_loops(plan, place, rows, begin("factor"))]
    functions, left = list[Function](), 0
    for i in plan.order:
        if not functions or left <= 0:
            functions.append(begin(f"factor{len(functions)}"))
            left = PART
        f = functions[-1]
        places = [(i, j) for j in (*rows.before[i], i, *rows.after[i])]
        m = {p: f.load("S", place[p]) for p in places if p in plan.jacobian or p[0] == p[1]}
        for k in rows.before[i]:
            m[i, k] = f.mul(m[i, k], f.load("S", place[k, k]))
            left -= len(rows.after[k])
            for j in rows.after[k]:
                product = f.mul(m[i, k], f.load("S", place[k, j]))
                m[i, j] = f.sub(m[i, j], product) if (i, j) in m else f.neg(product)
        m[i, i] = f.div(f.const(1.0), m[i, i])
        for p in places:
            f.store(m[p], "S", place[p])
    return functions


_LOOPS = """  br label %k
k:
  %ki = phi i64 [0, %entry], [%k.next, %k.end]
  {load_pivot}
  %one = load {vec}, ptr %pivot, align {align}
  %reciprocal = fdiv {vec} {unit}, %one
  store {vec} %reciprocal, ptr %pivot, align {align}
  %k.next = add i64 %ki, 1
  {load_a}
  {load_b}
  %some = icmp ult i64 %a, %b
  br i1 %some, label %i, label %k.end
i:
  %ii = phi i64 [%a, %k], [%i.next, %i.end]
  {load_low}
  %before = load {vec}, ptr %low, align {align}
  %share = fmul {vec} %before, %reciprocal
  store {vec} %share, ptr %low, align {align}
  %i.next = add i64 %ii, 1
  {load_c}
  {load_d}
  %any = icmp ult i64 %c, %d
  br i1 %any, label %j, label %i.end
j:
  %jj = phi i64 [%c, %i], [%j.next, %j]
  {load_to}
  {load_from}
  %x = load {vec}, ptr %from, align {align}
  %y = load {vec}, ptr %to, align {align}
  %product = fmul contract {vec} %share, %x
  %less = fsub contract {vec} %y, %product
  store {vec} %less, ptr %to, align {align}
  %j.next = add i64 %jj, 1
  %j.more = icmp ult i64 %j.next, %d
  br i1 %j.more, label %j, label %i.end
i.end:
  %i.more = icmp ult i64 %i.next, %b
  br i1 %i.more, label %i, label %k.end
k.end:
  %k.more = icmp ult i64 %k.next, {states}
  br i1 %k.more, label %k, label %done
done:"""


def _loops(plan: Plan, place: Mapping[Place, int], rows: Rows, f: Function) -> Function:
    """Column by column: the same products in the same order for each place of the factors."""
    below: dict[int, list[int]] = {k: [] for k in plan.order}
    for i in plan.order:
        for k in rows.before[i]:
            below[k].append(i)
    pairs = [(i, k) for k in plan.order for i in below[k]]
    tables: dict[str, Sequence[int]] = {
        "pivot": [place[k, k] for k in plan.order],
        "lows": list(accumulate((len(below[k]) for k in plan.order), initial=0)),
        "low": [place[p] for p in pairs],
        "parts": list(accumulate((len(rows.after[k]) for _, k in pairs), initial=0)),
        "to": [place[i, j] for i, k in pairs for j in rows.after[k]],
        "from": [place[k, j] for i, k in pairs for j in rows.after[k]],
    }
    for name, numbers in tables.items():
        listed = ", ".join(f"i32 {x}" for x in numbers)
        f.externals.add(f"@factor.{name} = internal constant [{len(numbers)} x i32] [{listed}]")

    def entry(name: str, table: str, index: str) -> str:
        return (
            f"%{name}.at = getelementptr i32, ptr @factor.{table}, i64 {index}\n"
            f"  %{name}.short = load i32, ptr %{name}.at\n  %{name} = zext i32 %{name}.short to i64"
        )

    def row(name: str, table: str, index: str) -> str:
        return f"{entry(f'{name}.row', table, index)}\n  %{name} = getelementptr {f.vec}, ptr %S, i64 %{name}.row"

    f.raw(
        _LOOPS.format(
            vec=f.vec, align=f.align, unit=f.const(1.0), states=len(plan.order),
            load_pivot=row("pivot", "pivot", "%ki"), load_a=entry("a", "lows", "%ki"),
            load_b=entry("b", "lows", "%k.next"), load_low=row("low", "low", "%ii"),
            load_c=entry("c", "parts", "%ii"), load_d=entry("d", "parts", "%i.next"),
            load_to=row("to", "to", "%jj"), load_from=row("from", "from", "%jj"),
        )
    )  # fmt: skip
    return f
