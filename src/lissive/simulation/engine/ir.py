"""Writes LLVM IR as text: one vector register holds the same quantity of several subjects.

Only what the solver needs: arithmetic on `<lanes x double>`, comparisons, and exp, log and pow without
branches, so that every lane costs the same and none disturbs another. Names of values are strings.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from itertools import zip_longest

_LN2_HI = 6.93147180369123816490e-01  # the upper 33 bits of ln 2: times an exponent it is exact
_LN2_LO = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest whole number in the low bits
# log(1+f) as in Sun's fdlibm (1993): coefficients of the minimax polynomial in s*s, s = f/(2+f)
_LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip


def double(x: float) -> str:
    """A double as LLVM reads it exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


class Function:
    """One function in the making; every method adds an instruction and returns the name of its value.

    apart : exp, log and pow are functions that are called, not written out where they are used.
    """

    def __init__(self, name: str, pointers: Sequence[str], lanes: int, *, apart: bool = False) -> None:
        self.name, self.lanes, self.apart = name, lanes, apart
        self.vec = f"<{lanes} x double>"
        self.ivec = f"<{lanes} x i64>"
        self.bvec = f"<{lanes} x i1>"
        self.align = 8 * lanes
        self.externals: set[str] = set()
        self.called: set[tuple[str, int]] = set()
        """Functions apart that this one calls, with their lanes."""
        args = ", ".join(f"ptr noalias nocapture %{p}" for p in pointers)
        self.head, self.end = f"define void @{name}({args}) nounwind {{\nentry:\n", "  ret void\n}\n"
        self._lines: list[str] = []
        self._count, self._block = 0, "entry"

    def text(self) -> str:
        return self.head + "\n".join(self._lines) + "\n" + self.end

    def __len__(self) -> int:
        return len(self._lines)

    def _add(self, instruction: str) -> str:
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"  {name} = {instruction}")
        return name

    def raw(self, text: str) -> None:
        """Instructions as they are, from the function's first block on."""
        self._lines += text.split("\n")

    def side_by_side(self, writers: Sequence[Callable[[], object]]) -> None:
        """What each of these writes, an instruction of each in turn; none may need another."""
        pieces = []
        for write in writers:
            begin = len(self._lines)
            write()
            pieces.append(self._lines[begin:])
            del self._lines[begin:]
        self._lines += [line for row in zip_longest(*pieces) for line in row if line is not None]

    def _call(self, name: str, *args: str) -> str:
        self.called.add((name, self.lanes))
        kinds = (self.vec, self.vec, self.bvec)
        given = ", ".join(f"{kind} {a}" for kind, a in zip(kinds, args, strict=False))
        return self._add(f"call {self.vec} @{name}.{self.lanes}({given})")

    def call(self, name: str, *pointers: str) -> None:
        """Another function of the module, with pointers alone."""
        given = ", ".join(f"ptr %{p}" for p in pointers)
        self._lines.append(f"  call void @{name}({given})")

    def loop(self, times: int, write: Callable[..., Sequence[str]], *start: str) -> list[str]:
        """What `write` writes, for each of `times` rows; it is given `at`, which moves a pointer on to the row.

        start : of values that go from row to row; `write` gets and returns them.   Returns the last of them.
        """
        self._count += 1
        top, i, before = f"b{self._count}", f"%i{self._count}", self._block
        carried = [f"{i}.{k}" for k in range(len(start))]
        self._lines += [f"  br label %{top}", f"{top}:"]
        head = len(self._lines)
        offset = self._add(f"mul i64 {i}, {self.lanes}")

        def at(array: str) -> str:
            return self._add(f"getelementptr double, ptr %{array}, i64 {offset}")[1:]

        ends = write(at, *carried)
        self._lines += [
            f"  {i}.next = add i64 {i}, 1",
            f"  {i}.more = icmp ult i64 {i}.next, {times}",
            f"  br i1 {i}.more, label %{top}, label %{top}.end",
            f"{top}.end:",
        ]
        phis = [f"  {i} = phi i64 [0, %{before}], [{i}.next, %{top}]"]
        phis += [
            f"  {name} = phi {self.vec} [{first}, %{before}], [{last}, %{top}]"
            for name, first, last in zip(carried, start, ends, strict=True)
        ]
        self._lines[head:head] = phis
        self._block = f"{top}.end"
        return list(ends)

    # -- memory: row i of an array is one vector --------------------------------------------------
    def place(self, array: str, row: int) -> str:
        """A pointer to a row, to be used as an array of its own."""
        return self._add(f"getelementptr double, ptr %{array}, i64 {row * self.lanes}")[1:]

    def load(self, array: str, row: int) -> str:
        place = self._add(f"getelementptr double, ptr %{array}, i64 {row * self.lanes}")
        return self._add(f"load {self.vec}, ptr {place}, align {self.align}")

    def store(self, value: str, array: str, row: int) -> None:
        place = self._add(f"getelementptr double, ptr %{array}, i64 {row * self.lanes}")
        self._lines.append(f"  store {self.vec} {value}, ptr {place}, align {self.align}")

    def splat(self, array: str, place: int) -> str:
        """One number of an array, in every lane."""
        p = self._add(f"getelementptr double, ptr %{array}, i64 {place}")
        x = self._add(f"load double, ptr {p}, align 8")
        one = self._add(f"insertelement {self.vec} poison, double {x}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self._add(f"shufflevector {self.vec} {one}, {self.vec} poison, {zeros}")

    def const(self, x: float) -> str:
        return f"splat (double {double(x)})"

    # -- arithmetic -----------------------------------------------------------------------------
    # `contract` lets a product and a sum become one fused instruction; nothing else is loosened, so
    # that NaN and infinity keep their meaning and every lane gives the same bits wherever it stands.
    def add(self, a: str, b: str, flags: str = "contract ") -> str:
        return self._add(f"fadd {flags}{self.vec} {a}, {b}")

    def sub(self, a: str, b: str, flags: str = "contract ") -> str:
        return self._add(f"fsub {flags}{self.vec} {a}, {b}")

    def mul(self, a: str, b: str, flags: str = "contract ") -> str:
        return self._add(f"fmul {flags}{self.vec} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        return self._add(f"fdiv {self.vec} {a}, {b}")

    def neg(self, a: str) -> str:
        return self._add(f"fneg {self.vec} {a}")

    def intrinsic(self, name: str, *args: str) -> str:
        full = f"llvm.{name}.v{self.lanes}f64"
        self.externals.add(f"declare {self.vec} @{full}({', '.join([self.vec] * len(args))})")
        return self._add(f"call {self.vec} @{full}({', '.join(f'{self.vec} {a}' for a in args)})")

    def fma(self, a: str, b: str, c: str) -> str:
        """a*b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def abs(self, a: str) -> str:
        return self.intrinsic("fabs", a)

    def compare(self, how: str, a: str, b: str) -> str:
        return self._add(f"fcmp {how} {self.vec} {a}, {b}")

    def logic(self, op: str, a: str, b: str) -> str:
        return self._add(f"{op} {self.bvec} {a}, {b}")

    def not_(self, a: str) -> str:
        return self.logic("xor", a, self.truth(True))

    def truth(self, value: bool) -> str:
        return f"splat (i1 {'true' if value else 'false'})"

    def select(self, condition: str, yes: str, no: str, *, boolean: bool = False) -> str:
        kind = self.bvec if boolean else self.vec
        return self._add(f"select {self.bvec} {condition}, {kind} {yes}, {kind} {no}")

    def max(self, a: str, b: str) -> str:
        """The larger one, or b where either is no number."""
        return self.select(self.compare("ogt", a, b), a, b)

    def min(self, a: str, b: str) -> str:
        return self.select(self.compare("olt", a, b), a, b)

    def largest(self, a: str, b: str) -> str:
        """The larger one; no number where either is none, as in NumPy."""
        return self._keep_nan(a, self.max(a, b))

    def smallest(self, a: str, b: str) -> str:
        return self._keep_nan(a, self.min(a, b))

    def negative(self, a: str) -> str:
        return self.compare("olt", a, self.const(0.0))

    def rough_reciprocal(self, a: str) -> str:
        """1/a to single precision, for weights where seven digits are plenty: four times as fast."""
        small = f"<{self.lanes} x float>"
        x = self._add(f"fptrunc {self.vec} {a} to {small}")
        y = self._add(f"fdiv {small} splat (float 1.0), {x}")
        return self._add(f"fpext {small} {y} to {self.vec}")

    # -- bits -----------------------------------------------------------------------------------
    def bits(self, a: str) -> str:
        return self._add(f"bitcast {self.vec} {a} to {self.ivec}")

    def from_bits(self, a: str) -> str:
        return self._add(f"bitcast {self.ivec} {a} to {self.vec}")

    def int_op(self, op: str, a: str, b: str | int) -> str:
        if isinstance(b, int):
            b = f"splat (i64 {b})"
        return self._add(f"{op} {self.ivec} {a}, {b}")

    # -- elementary functions -------------------------------------------------------------------
    def exp(self, x: str, low: str | None = None) -> str:
        """e**(x + low), `low` being a correction far smaller than x."""
        if self.apart:
            return self._call("exp", x)
        # A bound is set by comparison, not by minnum, so that NaN stays NaN.
        x = self.select(self.compare("ogt", x, self.const(710.0)), self.const(710.0), x)
        x = self.select(self.compare("olt", x, self.const(-746.0)), self.const(-746.0), x)
        shifted = self.fma(x, self.const(1.0 / math.log(2.0)), self.const(_ROUND))
        n = self.sub(shifted, self.const(_ROUND), "")
        r = self.fma(n, self.const(-_LN2_HI), x)
        r = self.fma(n, self.const(-_LN2_LO), r)
        if low is not None:
            r = self.add(r, low, "")
        p = self.const(1.0 / math.factorial(13))
        for k in range(12, 1, -1):
            p = self.fma(p, r, self.const(1.0 / math.factorial(k)))
        p = self.add(self.fma(self.mul(r, r, ""), p, r), self.const(1.0), "")
        # 2**n in two factors, so that results down to the smallest subnormal come out right
        whole = self.int_op("sub", self.bits(shifted), self._int_of(_ROUND))
        half = self.int_op("ashr", whole, 1)
        rest = self.int_op("sub", whole, half)
        return self.mul(self.mul(p, self._power_of_two(half), ""), self._power_of_two(rest), "")

    def _int_of(self, x: float) -> int:
        return int(struct.unpack("<q", struct.pack("<d", x))[0])

    def _power_of_two(self, n: str) -> str:
        return self.from_bits(self.int_op("shl", self.int_op("add", n, 1023), 52))

    def _split(self, x: str) -> tuple[str, str]:
        """Exponent e and f with x = 2**e (1 + f), 1+f within sqrt(1/2) and sqrt(2), for x > 0."""
        tiny = self.compare("olt", x, self.const(2.2250738585072014e-308))
        x = self.select(tiny, self.mul(x, self.const(2.0**54), ""), x)
        bits = self.bits(x)
        # adding the bits of (2 - sqrt 2)/... moves the boundary of the binades from 1 to sqrt(1/2)
        shift = self._int_of(1.0) - self._int_of(math.sqrt(0.5))
        moved = self.int_op("add", bits, shift)
        e = self.int_op("sub", self.int_op("ashr", moved, 52), 1023)
        m_bits = self.int_op(
            "add", self.int_op("and", moved, 0x000FFFFFFFFFFFFF), self._int_of(math.sqrt(0.5))
        )
        as_double = self.from_bits(self.int_op("add", e, self._int_of(_ROUND)))
        exponent = self.sub(as_double, self.const(_ROUND), "")
        exponent = self.select(tiny, self.sub(exponent, self.const(54.0), ""), exponent)
        return exponent, self.sub(self.from_bits(m_bits), self.const(1.0), "")

    def log(self, x: str) -> str:
        if self.apart:
            return self._call("log", x)
        e, f = self._split(x)
        half_square = self.mul(self.mul(f, f, ""), self.const(0.5), "")
        s = self.div(f, self.add(f, self.const(2.0), ""))
        z = self.mul(s, s, "")
        p = self._horner(z, _LOG)
        r = self.mul(s, self.fma(p, z, half_square), "")
        low = self.fma(e, self.const(_LN2_LO), r)
        y = self.sub(half_square, low, "")
        y = self.fma(e, self.const(_LN2_HI), self.sub(f, y, ""))
        y = self.select(self.compare("oeq", x, self.const(math.inf)), x, y)
        y = self.select(self.compare("oeq", x, self.const(0.0)), self.const(-math.inf), y)
        return self.select(
            self.compare("uge", x, self.const(0.0)), self._keep_nan(x, y), self.const(math.nan)
        )

    def _keep_nan(self, x: str, y: str) -> str:
        return self.select(self.compare("uno", x, x), x, y)

    def _horner(self, z: str, coefficients: tuple[float, ...]) -> str:
        p = self.const(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            p = self.fma(p, z, self.const(c))
        return p

    def _two_sum(self, a: str, b: str) -> tuple[str, str]:
        """a + b exactly, as a rounded sum and what was lost."""
        s = self.add(a, b, "")
        back = self.sub(s, a, "")
        return s, self.add(self.sub(a, self.sub(s, back, ""), ""), self.sub(b, back, ""), "")

    def _log_pair(self, x: str) -> tuple[str, str]:
        """log(x) for finite x > 0 as a sum of two doubles, good to about 1e-19 relative."""
        e, f = self._split(x)
        d = self.add(f, self.const(2.0), "")
        d_low = self.sub(f, self.sub(d, self.const(2.0), ""), "")
        s = self.div(f, d)
        missing = self.fma(self.neg(s), d_low, self.fma(self.neg(s), d, f))
        s_low = self.div(missing, d)
        z = self.mul(s, s, "")
        z_low = self.fma(self.add(s, s, ""), s_low, self.fma(s, s, self.neg(z)))
        c = self.mul(z, s, "")
        c_low = self.fma(z, s_low, self.fma(z_low, s, self.fma(z, s, self.neg(c))))
        third = 2.0 / 3.0
        q = self.mul(c, self.const(third), "")
        q_low = self.fma(c, self.const(third), self.neg(q))
        q_low = self.fma(c_low, self.const(third), self.fma(c, self.const(3.700743415417188e-17), q_low))
        # the series of 2 artanh(s): 2s + 2/3 s^3 + s^5 (2/5 + 2/7 z + ...), |s| <= 0.172
        tail = self._horner(z, tuple(2.0 / k for k in range(5, 25, 2)))
        q_low = self.fma(self.mul(c, z, ""), tail, q_low)
        high, low = self._two_sum(self.mul(e, self.const(_LN2_HI), ""), self.add(s, s, ""))
        high, more = self._two_sum(high, q)
        low = self.add(self.add(low, more, ""), self.add(q_low, self.add(s_low, s_low, ""), ""), "")
        return high, self.fma(e, self.const(_LN2_LO), low)

    def pow(self, x: str, y: str, *, had: str | None = None) -> str:
        """x**y by the rules of C and NumPy, a negative x with a whole y included.

        had : where a root of a negative x counts as 0; nowhere if not given.
        """
        if self.apart:
            return self._call("pow", x, y) if had is None else self._call("root", x, y, had)
        zero, one, inf = self.const(0.0), self.const(1.0), self.const(math.inf)
        size = self.abs(x)
        high, low = self._log_pair(size)
        bounded = self.max(self.min(y, self.const(1e300)), self.const(-1e300))  # the logarithm may be 0
        u = self.mul(bounded, high, "")
        u_low = self.fma(bounded, low, self.fma(bounded, high, self.neg(u)))
        far = self.compare("ogt", self.abs(u), self.const(1e4))
        r = self.exp(u, self.select(far, zero, u_low))
        rising = self.compare("ogt", y, zero)
        whole = self.compare("oeq", self.intrinsic("floor", y), y)
        nothing = self.const(math.nan)
        if had is not None:
            nothing = self.select(self.logic("and", had, rising), zero, nothing)
        bad = self.logic("and", self.negative(x), self.not_(whole))
        r = self.select(bad, nothing, r)
        # zero and infinity, whose logarithms the pair cannot hold
        r = self.select(self.compare("oeq", size, zero), self.select(rising, zero, inf), r)
        r = self.select(self.compare("oeq", size, inf), self.select(rising, inf, zero), r)
        half = self.mul(y, self.const(0.5), "")
        odd = self.logic("and", whole, self.compare("one", self.intrinsic("floor", half), half))
        minus = self._add(f"icmp slt {self.ivec} {self.bits(x)}, splat (i64 0)")
        r = self.select(self.logic("and", minus, odd), self.neg(r), r)
        r = self.select(self.compare("uno", x, y), self.const(math.nan), r)
        flat = self.logic("or", self.compare("oeq", y, zero), self.compare("oeq", x, one))
        return self.select(flat, one, r)

    def libm(self, name: str, x: str) -> str:
        """A function that models rarely use: the C library's, lane by lane."""
        self.externals.add(f"declare double @{name}(double)")
        result = "poison"
        for lane in range(self.lanes):
            one = self._add(f"extractelement {self.vec} {x}, i64 {lane}")
            y = self._add(f"call double @{name}(double {one})")
            result = self._add(f"insertelement {self.vec} {result}, double {y}, i64 {lane}")
        return result

    def function(self, name: str, x: str) -> str:
        """One of `expression.FUNCTIONS`."""
        special: dict[str, Callable[[str], str]] = {
            "exp": self.exp, "log": self.log, "abs": self.abs,
            "sqrt": lambda a: self.intrinsic("sqrt", a),
            "floor": lambda a: self.intrinsic("floor", a),
            "ceil": lambda a: self.intrinsic("ceil", a),
            "tgamma": lambda a: self.libm("tgamma", a),
        }  # fmt: skip
        return special[name](x) if name in special else self.libm(name, x)


def written_apart(name: str, lanes: int) -> Function:
    """exp, log, pow, or pow where a root of a negative number may count as 0, as a function that is called."""
    f = Function(name, (), lanes)
    kinds = {"exp": [f.vec], "log": [f.vec], "pow": [f.vec, f.vec], "root": [f.vec, f.vec, f.bvec]}[name]
    args = [f"%a{i}" for i in range(len(kinds))]
    given = ", ".join(f"{kind} {a}" for kind, a in zip(kinds, args, strict=True))
    f.head = f"define internal {f.vec} @{name}.{lanes}({given}) noinline nounwind {{\nentry:\n"
    if name == "root":
        value = f.pow(args[0], args[1], had=args[2])
    else:
        value = f.pow(*args) if name == "pow" else f.function(name, *args)
    f.end = f"  ret {f.vec} {value}\n}}\n"
    return f
