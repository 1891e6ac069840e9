"""Carries out PTX, one thread, one instruction after another, in the memory of this process. Slow; for small kernels.

Semantics from NVIDIA's "Parallel Thread Execution ISA". Only instructions that the engine's code has; any other fails.
Products and sums are fused where the PTX fuses them, not where a later translation may.
"""

from __future__ import annotations

import ctypes
import math
import operator
import re
import struct
from fractions import Fraction
from typing import Any

import numpy as np

_BITS = (1 << 64) - 1
_C = {
    "b64": ctypes.c_uint64,
    "u64": ctypes.c_uint64,
    "b32": ctypes.c_uint32,
    "b8": ctypes.c_uint8,
    "u8": ctypes.c_uint8,
}
_FUNCTION = re.compile(
    r"^(?:\.visible )?\.(?:func|entry) ([\w$]+)\((.*?)\)[^;{]*^{$(.*?)^}$", re.MULTILINE | re.DOTALL
)
_PARAM = re.compile(r"([\w$]+_param_\d+)")
_COMPARE = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_WHOLE = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_, "or": operator.or_,
    "xor": operator.xor, "mad": lambda a, b, c: a * b + c, "neg": operator.neg, "not": operator.invert,
    "shl": lambda a, b: a << b, "shr": lambda a, b: a >> b, "min": min, "max": max,
}  # fmt: skip


def _divided(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def _fma(a: float, b: float, c: float) -> float:
    """Rounded once."""
    if math.isfinite(a) and math.isfinite(b) and math.isfinite(c):
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        try:
            return float(exact) if exact else a * b + c
        except OverflowError:
            return math.copysign(math.inf, exact)
    return a * b + c


def _extreme(how: Any) -> Any:
    """minNum and maxNum: a number before none."""
    return lambda a, b: b if a != a else a if b != b else how(a, b)


_REAL = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _divided, "neg": operator.neg, "abs": abs,
    "rcp": lambda a: _divided(1.0, a), "sqrt": lambda a: math.sqrt(a) if a >= 0 else a + math.nan, "fma": _fma,
    "min": _extreme(min), "max": _extreme(max),
}  # fmt: skip


def _real(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def _bits(x: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", x))[0])


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


class PtxMachine:
    """steps : instructions carried out so far."""

    def __init__(self, text: str) -> None:
        self.steps, self._functions = 0, dict[str, Any]()
        for name, params, body in _FUNCTION.findall(text):
            lines = [line.strip().rstrip(";") for line in re.sub(r"//.*", "", body).splitlines()]
            code = [re.split(r"[\s,]+", re.sub(r"(?<=\[)\s+", "", line)) for line in lines if line]
            labels = {words[0].rstrip(":"): at for at, words in enumerate(code) if words[0].endswith(":")}
            self._functions[name] = (_PARAM.findall(params), code, labels)

    def call(self, name: str, *given: int) -> None:
        """One thread through a function."""
        params, code, labels = self._functions[name]
        values: dict[str, Any] = dict(zip(params, given, strict=True))
        passed: dict[str, int] = {}
        at = 0
        while True:
            words = code[at]
            at += 1
            if words[0].startswith("@"):
                wanted = not words[0].startswith("@!")
                if values[words[0].lstrip("@!")] is not wanted:
                    continue
                words = words[1:]
            op = words[0]
            self.steps += 1
            if op.endswith(":") or op in ("{", "}", ".reg", ".param"):
                continue
            if op == ".local":
                size = int(words[-1].split("[")[1].rstrip("]"))
                depot = ctypes.create_string_buffer(size + 16)
                values["depot"] = depot  # kept as long as the call
                values[words[-1].split("[")[0]] = -(-ctypes.addressof(depot) // 16) * 16
            elif op in ("bra", "bra.uni"):
                at = labels[words[1]]
            elif op == "ret":
                return
            elif op == "call.uni":
                self.call(words[1], *(passed[p.strip("()")] for p in words[2:]))
            elif op.startswith("st.param"):
                passed[words[1].strip("[]")] = self._value(values, words[2])
            else:
                self._carry_out(values, *words)

    def _value(self, values: dict[str, Any], word: str) -> Any:
        if word.startswith("0d"):
            return int(word[2:], 16)
        if word.startswith("0f"):
            return int(word[2:], 16)
        if re.fullmatch(r"-?\d+", word):
            return int(word) & _BITS
        return values[word]

    def _carry_out(self, values: dict[str, Any], op: str, to: str, *words: str) -> None:
        what, *kinds = op.split(".")
        kind = kinds[-1] if kinds else ""
        if what in ("ld", "st", "atom"):
            place = (to if what == "st" else words[0]).strip("[]")
            base, _, offset = place.partition("+")
            if "param" in kinds:
                values[to] = values[base]
                return
            cell = _C[kind].from_address(values[base] + int(offset or 0))
            if what == "st":
                cell.value = self._value(values, words[0])
            else:
                values[to] = cell.value
            if what == "atom":
                cell.value += self._value(values, words[1])
            return
        a = [self._value(values, word) for word in words]
        if what in ("mov", "cvta"):
            values[to] = bool(a[0]) if kind == "pred" else a[0]
        elif what == "cvt":
            values[to] = _converted(kinds, a[0])
        elif what == "setp":
            values[to] = _compared(kinds[0], kind, *a)
        elif what == "selp":
            values[to] = a[0] if a[2] else a[1]
        elif kind == "pred":
            values[to] = not a[0] if what == "not" else bool(_WHOLE[what](*a))
        elif kind == "f64":
            values[to] = _bits(_REAL[what](*map(_real, a)))
        elif op == "rcp.rn.f32":
            values[to] = int((np.float32(1.0) / np.uint32(a[0]).view(np.float32)).view(np.uint32))
        else:
            assert kind in ("s64", "u64", "b64", "b16"), op
            signed = [_signed(x) for x in a] if kind == "s64" else a
            values[to] = _WHOLE[what](*signed) & _BITS


def _compared(how: str, kind: str, a: int, b: int) -> bool:
    if kind != "f64":
        given = (_signed(a), _signed(b)) if kind == "s64" else (a, b)
        return bool(_COMPARE[how](*given))
    x, y = _real(a), _real(b)
    none = x != x or y != y
    if how in ("nan", "num"):
        return none is (how == "nan")
    if how in _COMPARE:
        return not none and bool(_COMPARE[how](x, y))
    return none or bool(_COMPARE[how[:-1]](x, y))


def _converted(kinds: list[str], a: int) -> int:
    match kinds:
        case ["rmi", "f64", "f64"]:
            return _bits(float(np.floor(_real(a))))
        case ["rpi", "f64", "f64"]:
            return _bits(float(np.ceil(_real(a))))
        case ["rn", "f32", "f64"]:
            return int(np.float32(_real(a)).view(np.uint32))
        case ["f64", "f32"]:
            return _bits(float(np.uint32(a).view(np.float32)))
        case ["rn", "f64", "u64"]:
            return _bits(float(a))
        case ["rn", "f64", "s64"]:
            return _bits(float(_signed(a)))
    raise AssertionError(kinds)
