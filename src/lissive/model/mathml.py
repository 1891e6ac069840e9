"""From libSBML's syntax tree to nodes of a `Graph`.

SBML lets truths stand for numbers (1 and 0) and numbers for truths; a `Graph` keeps them apart, so both are
converted where they meet. No formula string is ever written or parsed: that would be slow, and it would lose
the difference between a model's own `time` and the time of the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from itertools import pairwise
from typing import Any

from lissive.errors import ModelError
from lissive.model.equations import TIME
from lissive.model.expression import Graph

Handler = Callable[[Graph, list[int]], int]
Place = Callable[[], str]
"""Where something stands (`file:line`), worked out only when an error asks for it."""

_TRUTHS = {"lt", "le", "eq", "ne", "and", "or", "xor", "not", "true", "false"}


@dataclass(frozen=True)
class Scope:
    """What the names in a formula mean, and where the formula stands."""

    graph: Graph
    value: Callable[[str, Place], int]
    """(id, place) to the node of what the id means in a formula."""
    rate_of: Callable[[int], int]
    """A node to the node of how fast it changes."""
    functions: Mapping[str, Any]
    """Function definitions by id, as libSBML objects."""
    place: Place
    local: Mapping[str, int] = field(default_factory=dict)
    """Names that hide the model's: arguments of a function, local parameters of a reaction."""
    within: tuple[str, ...] = ()
    """The functions being expanded, outermost first."""


def is_truth(g: Graph, e: int) -> bool:
    return g.nodes[e][0] in _TRUTHS


def as_number(g: Graph, e: int) -> int:
    return g.select(e, g.const(1.0), g.const(0.0)) if is_truth(g, e) else e


def as_truth(g: Graph, e: int) -> int:
    return e if is_truth(g, e) else g.compare("ne", e, g.const(0.0))


def translate(ast: Any, scope: Scope) -> int:
    """The node, always a number, that the formula `ast` means in `scope`."""
    return as_number(scope.graph, _node(ast, scope))


def condition(ast: Any, scope: Scope) -> int:
    """The node, always a truth, that the formula `ast` means in `scope`."""
    return as_truth(scope.graph, _node(ast, scope))


def _node(ast: Any, scope: Scope) -> int:
    kinds = _kinds()
    kind = ast.getType()
    if kind in kinds.numbers:
        return scope.graph.const(ast.getInteger() if kind == kinds.integer else ast.getReal())
    if kind == kinds.name:
        return _named(ast.getName(), scope)
    if kind == kinds.time:
        return scope.graph.symbol(TIME)
    if kind == kinds.function:
        return _call(ast, scope)
    if kind == kinds.rate_of:
        _check_number(ast, scope, 1, 1)
        return scope.rate_of(as_number(scope.graph, _named(ast.getChild(0).getName() or "", scope)))
    handler = kinds.handlers.get(kind)
    if handler is None:
        raise _refused(ast, scope)
    _check_number(ast, scope, *kinds.arity.get(kind, (0, math.inf)))
    children = [_node(ast.getChild(i), scope) for i in range(ast.getNumChildren())]
    if kind in kinds.rounding and ast.getChild(0).getType() == kinds.divide:
        a, b = (as_number(scope.graph, _node(ast.getChild(0).getChild(i), scope)) for i in (0, 1))
        children = [scope.graph.ratio(a, b)]  # floor(49 * (1 / 49)) would be 0
    return handler(scope.graph, children)


def _named(name: str, scope: Scope) -> int:
    return scope.local[name] if name in scope.local else scope.value(name, scope.place)


def _check_number(ast: Any, scope: Scope, least: int, most: float) -> None:
    given = ast.getNumChildren()
    if not least <= given <= most:
        allowed = (
            f"{least}" if least == most else f"{least} or {most:g}" if most < math.inf else f"{least} or more"
        )
        raise ModelError(
            f"the mathematical symbol {ast.getName() or ast.getOperatorName()} has {given} arguments.",
            where=scope.place(),
            allowed=f"{allowed}.",
            do="correct the formula.",
        )


def _refused(ast: Any, scope: Scope) -> ModelError:
    name = ast.getName() or ast.getOperatorName() or f"type {ast.getType()}"
    if ast.getType() == _kinds().delay:
        what = "the csymbol delay is out of scope: values of the past are not kept."
        do = "replace the delay by a chain of transit compartments."
    else:
        what, do = f"the mathematical symbol {name} is out of scope.", "write the formula without it."
    return ModelError(
        what,
        where=scope.place(),
        allowed="arithmetic, elementary functions, piecewise, comparisons, logic, time, avogadro and rateOf.",
        do=do,
    )


def _call(ast: Any, scope: Scope) -> int:
    """The body of a function definition with its arguments put in."""
    name = ast.getName()
    definition = scope.functions.get(name)
    if definition is None:
        raise ModelError(
            f'the function "{name}" is not defined.',
            where=scope.place(),
            allowed=f"the model's own functions ({', '.join(sorted(scope.functions)) or 'it has none'}).",
            do=f"define {name}, or correct the name.",
        )
    if name in scope.within:
        ring = " -> ".join([*scope.within[scope.within.index(name) :], name])
        raise ModelError(
            f"functions call one another in a ring: {ring}.", where=scope.place(), do="break the ring."
        )
    body = definition.getBody() if definition.isSetMath() else None
    wanted, given = definition.getNumArguments(), ast.getNumChildren()
    if body is None or wanted != given:
        fault = "has no formula" if body is None else f"takes {wanted} arguments and is given {given}"
        raise ModelError(
            f'the function "{name}" {fault}.', where=scope.place(), do="correct the call or the function."
        )
    arguments = [_node(ast.getChild(i), scope) for i in range(given)]
    names = [definition.getArgument(i).getName() for i in range(wanted)]
    inner = dict(zip(names, arguments, strict=True))
    return _node(body, replace(scope, local=inner, within=(*scope.within, name)))


# -- what each symbol of MathML does to its arguments -------------------------------------------------
def _chain(method: str, empty: float) -> Handler:
    """An operator of any number of arguments, folded from the left."""

    def apply(g: Graph, args: list[int]) -> int:
        numbers = [as_number(g, a) for a in args]
        return reduce(getattr(g, method), numbers) if numbers else g.const(empty)

    return apply


def _minus(g: Graph, args: list[int]) -> int:
    numbers = [as_number(g, a) for a in args]
    return g.neg(numbers[0]) if len(numbers) == 1 else g.sub(numbers[0], numbers[1])


def _of(function: str, inverted: bool = False, after: bool = False) -> Handler:
    """A function of one argument; of its reciprocal (`inverted`); or the reciprocal of it (`after`)."""

    def apply(g: Graph, args: list[int]) -> int:
        a = as_number(g, args[0])
        one = g.const(1.0)
        e = g.call(function, g.div(one, a) if inverted else a)
        return g.div(one, e) if after else e

    return apply


def _compare(op: str) -> Handler:
    """a < b < c means (a < b) and (b < c)."""

    def apply(g: Graph, args: list[int]) -> int:
        numbers = [as_number(g, a) for a in args]
        links = [g.compare(op, a, b) for a, b in pairwise(numbers)]
        return reduce(lambda x, y: g.logic("and", x, y), links) if links else g.truth(True)

    return apply


def _logic(op: str, empty: bool) -> Handler:
    def apply(g: Graph, args: list[int]) -> int:
        truths = [as_truth(g, a) for a in args]
        return reduce(lambda x, y: g.logic(op, x, y), truths) if truths else g.truth(empty)

    return apply


def _piecewise(g: Graph, args: list[int]) -> int:
    """value, condition, value, condition, ..., [otherwise]; undefined where nothing holds."""
    result = args[-1] if len(args) % 2 else g.const(math.nan)
    for i in range(len(args) - len(args) % 2 - 2, -1, -2):
        value, condition = args[i], as_truth(g, args[i + 1])
        if is_truth(g, value) and is_truth(g, result):
            # In logic rather than as a choice between truths, for which an engine needs a type of its own.
            held = g.logic("and", condition, value)
            result = g.logic("or", held, g.logic("and", g.not_(condition), result))
        else:
            result = g.select(condition, as_number(g, value), as_number(g, result))
    return result


def _log(g: Graph, args: list[int]) -> int:
    """log to a base: (base, x), or to base 10: (x,)."""
    *base, x = (as_number(g, a) for a in args)
    return g.ratio(g.call("log", x), g.call("log", base[0] if base else g.const(10.0)))


def _root(g: Graph, args: list[int]) -> int:
    *degree, x = (as_number(g, a) for a in args)
    if not degree or g.value(degree[0]) == 2.0:
        return g.call("sqrt", x)
    return g.pow(x, g.ratio(g.const(1.0), degree[0]))


def _whole_quotient(g: Graph, args: Sequence[int]) -> int:
    """a / b without its fraction, by one true division: a * (1 / b) may fall just short of a whole."""
    ratio = g.ratio(as_number(g, args[0]), as_number(g, args[1]))
    return g.select(g.compare("lt", ratio, g.const(0.0)), g.call("ceil", ratio), g.call("floor", ratio))


def _remainder(g: Graph, args: list[int]) -> int:
    a, b = (as_number(g, x) for x in args)
    return g.sub(a, g.mul(b, _whole_quotient(g, (a, b))))


def _factorial(g: Graph, args: list[int]) -> int:
    return g.call("tgamma", g.add(as_number(g, args[0]), g.const(1.0)))


def _implies(g: Graph, args: list[int]) -> int:
    return g.logic("or", g.not_(as_truth(g, args[0])), as_truth(g, args[1]))


@dataclass(frozen=True)
class _Kinds:
    """libSBML's node types, looked up once."""

    name: int
    time: int
    function: int
    rate_of: int
    delay: int
    integer: int
    divide: int
    rounding: frozenset[int]
    numbers: frozenset[int]
    handlers: Mapping[int, Handler]
    arity: Mapping[int, tuple[int, float]]
    """The least and most arguments, of what does not take any number."""


_UNARY: dict[str, Handler] = {
    "ABS": _of("abs"), "EXP": _of("exp"), "LN": _of("log"), "FLOOR": _of("floor"), "CEILING": _of("ceil"),
    "SIN": _of("sin"), "COS": _of("cos"), "TAN": _of("tan"),
    "SINH": _of("sinh"), "COSH": _of("cosh"), "TANH": _of("tanh"),
    "SEC": _of("cos", after=True), "CSC": _of("sin", after=True), "COT": _of("tan", after=True),
    "SECH": _of("cosh", after=True), "CSCH": _of("sinh", after=True), "COTH": _of("tanh", after=True),
    "ARCSIN": _of("asin"), "ARCCOS": _of("acos"), "ARCTAN": _of("atan"),
    "ARCSINH": _of("asinh"), "ARCCOSH": _of("acosh"), "ARCTANH": _of("atanh"),
    "ARCSEC": _of("acos", inverted=True), "ARCCSC": _of("asin", inverted=True),
    "ARCCOT": _of("atan", inverted=True),
    "ARCSECH": _of("acosh", inverted=True), "ARCCSCH": _of("asinh", inverted=True),
    "ARCCOTH": _of("atanh", inverted=True),
    "LOG": _log, "ROOT": _root, "FACTORIAL": _factorial, "PIECEWISE": _piecewise,
    "MIN": _chain("min", math.nan), "MAX": _chain("max", math.nan),
    "QUOTIENT": _whole_quotient, "REM": _remainder, "POWER": _chain("pow", math.nan),
}  # fmt: skip

_OTHER: dict[str, Handler] = {
    "AST_PLUS": _chain("add", 0.0), "AST_TIMES": _chain("mul", 1.0), "AST_MINUS": _minus,
    "AST_DIVIDE": _chain("div", math.nan), "AST_POWER": _chain("pow", math.nan),
    "AST_RELATIONAL_EQ": _compare("eq"), "AST_RELATIONAL_NEQ": _compare("ne"),
    "AST_RELATIONAL_LT": _compare("lt"), "AST_RELATIONAL_LEQ": _compare("le"),
    "AST_RELATIONAL_GT": _compare("gt"), "AST_RELATIONAL_GEQ": _compare("ge"),
    "AST_LOGICAL_AND": _logic("and", True), "AST_LOGICAL_OR": _logic("or", False),
    "AST_LOGICAL_XOR": _logic("xor", False), "AST_LOGICAL_IMPLIES": _implies,
    "AST_LOGICAL_NOT": lambda g, args: g.not_(as_truth(g, args[0])),
    "AST_CONSTANT_E": lambda g, _: g.const(math.e), "AST_CONSTANT_PI": lambda g, _: g.const(math.pi),
    "AST_CONSTANT_TRUE": lambda g, _: g.truth(True), "AST_CONSTANT_FALSE": lambda g, _: g.truth(False),
}  # fmt: skip


_ARITY: dict[str, tuple[int, float]] = {
    **{f"AST_FUNCTION_{name}": (1, 1) for name in _UNARY if name not in ("PIECEWISE", "MIN", "MAX")},
    **dict.fromkeys(("AST_FUNCTION_LOG", "AST_FUNCTION_ROOT", "AST_MINUS"), (1, 2)),
    **dict.fromkeys(("AST_FUNCTION_QUOTIENT", "AST_FUNCTION_REM", "AST_FUNCTION_POWER"), (2, 2)),
    **dict.fromkeys(("AST_DIVIDE", "AST_POWER", "AST_RELATIONAL_NEQ", "AST_LOGICAL_IMPLIES"), (2, 2)),
    "AST_LOGICAL_NOT": (1, 1),
}


@cache
def _kinds() -> _Kinds:
    import libsbml

    handlers = {getattr(libsbml, f"AST_FUNCTION_{name}"): handler for name, handler in _UNARY.items()}
    handlers |= {getattr(libsbml, name): handler for name, handler in _OTHER.items()}
    return _Kinds(
        name=libsbml.AST_NAME,
        time=libsbml.AST_NAME_TIME,
        function=libsbml.AST_FUNCTION,
        rate_of=libsbml.AST_FUNCTION_RATE_OF,
        delay=libsbml.AST_FUNCTION_DELAY,
        integer=libsbml.AST_INTEGER,
        divide=libsbml.AST_DIVIDE,
        rounding=frozenset({libsbml.AST_FUNCTION_FLOOR, libsbml.AST_FUNCTION_CEILING}),
        numbers=frozenset(
            getattr(libsbml, n)
            for n in ("AST_INTEGER", "AST_REAL", "AST_REAL_E", "AST_RATIONAL", "AST_NAME_AVOGADRO")
        ),
        handlers=handlers,
        arity={getattr(libsbml, name): numbers for name, numbers in _ARITY.items()},
    )
