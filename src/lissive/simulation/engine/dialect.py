"""A small part of Python as LLVM IR, so that the solver's control loop is written once and reads as Python.

A function's arguments are annotated `reals` or `whole` (arrays of doubles or of 64-bit integers), `i64`, `f64`, or a
Record of these. Its body may use: names (typed by their first value), numbers, a[i], r.name, + - * / //, comparisons,
and/or/not (which stop early, as in Python), if/elif/else, while, for over range, break, continue,
min, max, abs, sqrt, float, take, and calls of other compiled functions. The same source runs in plain Python on
NumPy arrays; that is how it is tested.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.simulation.engine.ir import double

reals = npt.NDArray[np.float64]
whole = npt.NDArray[np.int64]
i64 = int
f64 = float

_ITEMS = {"reals": np.dtype(np.float64), "whole": np.dtype(np.int64)}
_LLVM = {"i64": "i64", "f64": "double", "reals": "ptr", "whole": "ptr"}
_ARITHMETIC = {
    (ast.Add, "f64"): "fadd", (ast.Sub, "f64"): "fsub", (ast.Mult, "f64"): "fmul", (ast.Div, "f64"): "fdiv",
    (ast.Add, "i64"): "add", (ast.Sub, "i64"): "sub", (ast.Mult, "i64"): "mul", (ast.FloorDiv, "i64"): "sdiv",
}  # fmt: skip


def _llvm(kind: str) -> str:
    """A record is where its fields are."""
    return _LLVM.get(kind, "ptr")


_COMPARE = {
    (ast.Lt, "f64"): "fcmp olt", (ast.LtE, "f64"): "fcmp ole", (ast.Gt, "f64"): "fcmp ogt",
    (ast.GtE, "f64"): "fcmp oge", (ast.Eq, "f64"): "fcmp oeq", (ast.NotEq, "f64"): "fcmp une",
    (ast.Lt, "i64"): "icmp slt", (ast.LtE, "i64"): "icmp sle", (ast.Gt, "i64"): "icmp sgt",
    (ast.GtE, "i64"): "icmp sge", (ast.Eq, "i64"): "icmp eq", (ast.NotEq, "i64"): "icmp ne",
}  # fmt: skip


class Record:
    """Fields of these kinds under one name, each 8 bytes in the memory of a call; they do not change within one."""

    @classmethod
    def fields(cls) -> dict[str, str]:
        """Field to its kind, in order."""
        return dict(cls.__annotations__)

    @classmethod
    def memory(cls, values: Mapping[str, Any]) -> whole:
        """The fields as a call takes them: numbers, and where arrays are, which must be kept as long as it runs."""
        record = np.empty(len(cls.fields()), np.int64)
        for place, (name, kind) in enumerate(cls.fields().items()):
            if kind == "f64":
                record.view(float)[place] = values[name]
            elif kind == "i64":
                record[place] = values[name]
            else:  # compiled code believes what it is told: another type or stride would have it write anywhere
                array = values[name]
                if array.dtype != _ITEMS[kind] or not array.flags.c_contiguous:
                    raise TypeError(
                        f"{name} is {array.dtype}, strides {array.strides}, not {_ITEMS[kind]} in a row"
                    )
                record[place] = array.ctypes.data
        return record


def take(counters: whole, i: int) -> int:
    """The number at place i, which then counts on: each number is taken once, by whatever thread."""
    counters[i] += 1
    return int(counters[i]) - 1


Value = tuple[str, str]
"""An LLVM value and its type: i64, f64 or i1."""


def translate(function: Callable[..., None], calls: dict[str, tuple[str, ...]]) -> str:
    """The LLVM IR of a function in the dialect; `calls` gives the argument types of what it may call."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    records = {
        argument: function.__globals__[kind].fields()
        for argument, kind in _arguments(tree).items()
        if kind not in _LLVM
    }
    return _Translator(tree, calls, records).text()


def _arguments(tree: ast.FunctionDef) -> dict[str, str]:
    return {a.arg: ast.unparse(a.annotation) for a in tree.args.args if a.annotation}


@cache
def signature(function: Callable[..., None]) -> tuple[str, ...]:
    """Argument types of a function in the dialect."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tuple(_arguments(tree).values())


def llvm_types(function: Callable[..., None]) -> list[str]:
    """Argument types of a function in the dialect, as LLVM has them."""
    return [_llvm(kind) for kind in signature(function)]


class _Translator:
    def __init__(
        self, tree: ast.FunctionDef, calls: dict[str, tuple[str, ...]], records: dict[str, dict[str, str]]
    ) -> None:
        self.tree, self.calls, self.records = tree, calls, records
        self.args = _arguments(tree)
        for record, fields in records.items():
            self.args |= {f"{record}.{name}": kind for name, kind in fields.items()}
        self.local: dict[str, str] = {}
        self.lines: list[str] = []
        self.count = 0
        self.loops: list[tuple[str, str]] = []
        self.ended = False

    def text(self) -> str:
        for statement in self.tree.body:
            self.statement(statement)
        head = ", ".join(
            f"{_llvm(kind)}{' nocapture' if _llvm(kind) == 'ptr' else ''} %{name}"
            for name, kind in _arguments(self.tree).items()
        )
        slots: list[str] = []
        used = {ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}
        for record, fields in self.records.items():
            for place, (name, kind) in enumerate(fields.items()):
                if (field := f"{record}.{name}") in used:
                    slots.append(f"  %{field}.at = getelementptr i64, ptr %{record}, i64 {place}")
                    slots.append(f"  %{field} = load {_LLVM[kind]}, ptr %{field}.at, !invariant.load !0")
        slots += [f"  %slot.{name} = alloca {_LLVM[kind]}" for name, kind in self.local.items()]
        end = [] if self.ended else ["  ret void"]
        body = "\n".join(["entry:", *slots, *self.lines, *end])
        return f"define void @{self.tree.name}({head}) nounwind {{\n{body}\n}}\n"

    # -- writing --------------------------------------------------------------------------------
    def new(self, instruction: str) -> str:
        self.count += 1
        self.lines.append(f"  %t{self.count} = {instruction}")
        return f"%t{self.count}"

    def label(self, name: str) -> str:
        self.count += 1
        return f"{name}{self.count}"

    def start(self, label: str) -> None:
        if not self.ended:
            self.lines.append(f"  br label %{label}")
        self.lines.append(f"{label}:")
        self.ended = False

    def end(self, instruction: str) -> None:
        if not self.ended:
            self.lines.append(f"  {instruction}")
        self.ended = True

    def wrong(self, node: ast.AST, why: str) -> NotImplementedError:
        return NotImplementedError(f"{self.tree.name}, line {getattr(node, 'lineno', '?')}: {why}")

    # -- statements -----------------------------------------------------------------------------
    def statement(self, s: ast.stmt) -> None:
        kind = type(s).__name__
        handler = getattr(self, f"do_{kind}", None)
        if handler is None:
            raise self.wrong(s, f"{kind} is not in the dialect")
        handler(s)

    def do_Expr(self, s: ast.Expr) -> None:
        if isinstance(s.value, ast.Call):
            self.call(s.value)
        elif not isinstance(s.value, ast.Constant):  # a docstring
            raise self.wrong(s, f"{type(s.value).__name__} is not in the dialect")

    def call(self, e: ast.Call) -> None:
        name = ast.unparse(e.func)
        if name not in self.calls:
            raise self.wrong(e, f"{name} is not in the dialect")
        values = []
        for a, kind in zip(e.args, self.calls[name], strict=True):
            values.append(
                f"ptr %{ast.unparse(a)}" if _llvm(kind) == "ptr" else f"{_LLVM[kind]} {self.as_(a, kind)}"
            )
        self.lines.append(f"  call void @{name}({', '.join(values)})")

    def do_Assign(self, s: ast.Assign) -> None:
        value = self.value(s.value)
        for target in s.targets:
            self.assign(target, value)

    def do_AugAssign(self, s: ast.AugAssign) -> None:
        read = ast.copy_location(ast.parse(ast.unparse(s.target), mode="eval").body, s)
        self.assign(s.target, self.value(ast.copy_location(ast.BinOp(read, s.op, s.value), s)))

    def assign(self, target: ast.expr, value: Value) -> None:
        v, kind = value
        if isinstance(target, ast.Name):
            if target.id in self.args:
                raise self.wrong(target, f"{target.id} is an argument")
            known = self.local.setdefault(target.id, kind)
            v = self.convert(v, kind, known)
            self.lines.append(f"  store {_LLVM[known]} {v}, ptr %slot.{target.id}")
        elif isinstance(target, ast.Subscript):
            place, item = self.element(target)
            self.lines.append(f"  store {_LLVM[item]} {self.convert(v, kind, item)}, ptr {place}")
        else:
            raise self.wrong(target, "only a name or an element can be assigned")

    def do_If(self, s: ast.If) -> None:
        yes, no, after = self.label("then"), self.label("else"), self.label("after")
        self.end(f"br i1 {self.truth(s.test)}, label %{yes}, label %{no if s.orelse else after}")
        self.start(yes)
        self.block(s.body)
        self.end(f"br label %{after}")
        if s.orelse:
            self.start(no)
            self.block(s.orelse)
            self.end(f"br label %{after}")
        self.start(after)

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def do_While(self, s: ast.While) -> None:
        test, body, after = self.label("test"), self.label("body"), self.label("after")
        self.start(test)
        self.end(f"br i1 {self.truth(s.test)}, label %{body}, label %{after}")
        self.start(body)
        self.loops.append((test, after))
        self.block(s.body)
        self.loops.pop()
        self.end(f"br label %{test}")
        self.start(after)

    def do_For(self, s: ast.For) -> None:
        assert isinstance(s.iter, ast.Call)
        assert isinstance(s.target, ast.Name)
        bounds = s.iter.args
        first = self.value(bounds[0]) if len(bounds) == 2 else ("0", "i64")
        self.assign(s.target, first)
        test, body, step, after = (self.label(x) for x in ("test", "body", "step", "after"))
        self.start(test)
        here = self.value(ast.Name(s.target.id))[0]
        more = self.new(f"icmp slt i64 {here}, {self.as_(bounds[-1], 'i64')}")
        self.end(f"br i1 {more}, label %{body}, label %{after}")
        self.start(body)
        self.loops.append((step, after))
        self.block(s.body)
        self.loops.pop()
        self.start(step)
        here = self.value(ast.Name(s.target.id))[0]
        self.assign(s.target, (self.new(f"add i64 {here}, 1"), "i64"))
        self.end(f"br label %{test}")
        self.start(after)

    def do_Break(self, _: ast.Break) -> None:
        self.end(f"br label %{self.loops[-1][1]}")

    def do_Continue(self, _: ast.Continue) -> None:
        self.end(f"br label %{self.loops[-1][0]}")

    # -- expressions ----------------------------------------------------------------------------
    def value(self, e: ast.expr) -> Value:
        if isinstance(e, ast.Constant):
            if isinstance(e.value, int):
                return str(e.value), "i64"
            assert isinstance(e.value, float)
            return double(e.value), "f64"
        if (name := ast.unparse(e)) in self.args:
            return f"%{name}", self.args[name]
        if isinstance(e, ast.Name):
            kind = self.local[e.id]
            return self.new(f"load {_LLVM[kind]}, ptr %slot.{e.id}"), kind
        if isinstance(e, ast.Subscript):
            place, kind = self.element(e)
            return self.new(f"load {_LLVM[kind]}, ptr {place}"), kind
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
            v, kind = self.value(e.operand)
            return self.new(f"fneg double {v}" if kind == "f64" else f"sub i64 0, {v}"), kind
        if isinstance(e, ast.BinOp):
            return self.arithmetic(e)
        if isinstance(e, ast.Call):
            return self.builtin(e)
        raise self.wrong(e, f"{type(e).__name__} is not in the dialect")

    def arithmetic(self, e: ast.BinOp) -> Value:
        (a, ka), (b, kb) = self.value(e.left), self.value(e.right)
        kind = "f64" if "f64" in (ka, kb) or isinstance(e.op, ast.Div) else "i64"
        op = _ARITHMETIC[type(e.op), kind]
        return self.new(f"{op} {_LLVM[kind]} {self.convert(a, ka, kind)}, {self.convert(b, kb, kind)}"), kind

    def builtin(self, e: ast.Call) -> Value:
        name = ast.unparse(e.func)
        if name == "take":
            place, _ = self.element(ast.Subscript(e.args[0], e.args[1]))
            return self.new(f"atomicrmw add ptr {place}, i64 1 monotonic"), "i64"
        if name == "float":
            return self.as_(e.args[0], "f64"), "f64"
        pairs = [self.value(a) for a in e.args]
        kind = "f64" if any(k == "f64" for _, k in pairs) else "i64"
        v = [self.convert(x, k, kind) for x, k in pairs]
        if name == "sqrt":
            return self.new(f"call double @llvm.sqrt.f64(double {v[0]})"), "f64"
        if name == "abs":
            v = [v[0], self.new(f"fneg double {v[0]}" if kind == "f64" else f"sub i64 0, {v[0]}")]
            name = "max"
        if name not in ("min", "max"):
            raise self.wrong(e, f"{name} is not in the dialect")
        how = _COMPARE[(ast.Lt if name == "min" else ast.Gt), kind]
        # min(a, b) in Python is b only where b < a
        second = self.new(f"{how} {_LLVM[kind]} {v[1]}, {v[0]}")
        return self.new(f"select i1 {second}, {_LLVM[kind]} {v[1]}, {_LLVM[kind]} {v[0]}"), kind

    def element(self, e: ast.Subscript) -> Value:
        array = ast.unparse(e.value)
        kind = {"reals": "f64", "whole": "i64"}[self.args[array]]
        index = self.as_(e.slice, "i64")
        return self.new(f"getelementptr {_LLVM[kind]}, ptr %{array}, i64 {index}"), kind

    def as_(self, e: ast.expr, kind: str) -> str:
        v, have = self.value(e)
        return self.convert(v, have, kind)

    def convert(self, v: str, have: str, want: str) -> str:
        if have == want:
            return v
        if (have, want) == ("i64", "f64"):
            return self.new(f"sitofp i64 {v} to double")
        raise NotImplementedError(f"{self.tree.name}: a {have} where a {want} is needed")

    def truth(self, e: ast.expr) -> str:
        """A condition; `and` and `or` do not look at their right side where the left one decides."""
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.Not):
            return self.new(f"xor i1 {self.truth(e.operand)}, true")
        if isinstance(e, ast.BoolOp):
            return self.early(e)
        if isinstance(e, ast.Compare) and len(e.ops) == 1:
            (a, ka), (b, kb) = self.value(e.left), self.value(e.comparators[0])
            kind = "f64" if "f64" in (ka, kb) else "i64"
            how = _COMPARE[type(e.ops[0]), kind]
            return self.new(f"{how} {_LLVM[kind]} {self.convert(a, ka, kind)}, {self.convert(b, kb, kind)}")
        raise self.wrong(e, "a condition must be a comparison")

    def early(self, e: ast.BoolOp) -> str:
        is_and = isinstance(e.op, ast.And)
        self.count += 1
        slot = f"truth{self.count}"
        self.local[slot] = "i1"
        after = self.label("decided")
        for k, part in enumerate(e.values):
            t = self.truth(part)
            self.lines.append(f"  store i1 {t}, ptr %slot.{slot}")
            if k < len(e.values) - 1:
                onward = self.label("next")
                yes, no = (onward, after) if is_and else (after, onward)
                self.end(f"br i1 {t}, label %{yes}, label %{no}")
                self.start(onward)
        self.start(after)
        return self.new(f"load i1, ptr %slot.{slot}")


_LLVM["i1"] = "i1"
