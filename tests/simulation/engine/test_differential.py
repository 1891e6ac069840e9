"""Random models: what the machine code computes is what NumPy computes from the same graph.

Rounding differs (fused products, another pow), so NumPy also evaluates each graph many times with every
intermediate result shaken by 1e-13. What spreads so is what the machine code may give; a value that jumps
(a condition met just so, a difference of equal numbers) spreads widely and is thereby not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lissive.model.equations import TIME, Equations
from lissive.model.expression import _NUMPY, COMPARISONS, Graph
from lissive.simulation.engine import build, tableau
from lissive.simulation.engine.plan import Plan, make_plan
from lissive.simulation.engine.values import LARGEST_SLOPE

from ...conftest import campaign_size

STATES, PARAMETERS = ("x", "y"), ("a", "b", "h", "k")
GRAPHS = 4
"""Graphs to a kernel, which share what they can."""
REPEATS, SHAKE = 16, 1e-13
NUMBERS = (0.0, 0.5, 1.0, 2.0, 3.0, -1.5, 10.0, 1 / 3)
OPERATIONS = (
    "pow pow root root power power add add sub mul mul div ratio neg min max exp log sqrt abs floor ceil tanh sin "
    "lt le eq ne select select select chain chain and or xor not"
).split()
Array = np.ndarray
Step = tuple[str, int, int, int]


class Maker:
    """Grows a graph: each step applies one operation to things made before."""

    def __init__(self) -> None:
        self.g = g = Graph()
        self.truths = [g.compare("lt", g.symbol("a"), g.symbol("b"))]
        self.fixed = [g.symbol(p) for p in PARAMETERS] + [g.const(c) for c in NUMBERS]
        self.numbers = [*self.fixed, *(g.symbol(s) for s in STATES), g.symbol(TIME)]

    def do(self, step: Step) -> None:
        op, *places = step
        g, numbers = self.g, self.numbers
        i, j, k = (numbers[-1 - place % len(numbers)] for place in places)
        t, u = (self.truths[-1 - place % len(self.truths)] for place in places[:2])
        if op in COMPARISONS:
            self.truths.append(g.compare(op, i, j))
        elif op in ("and", "or", "xor"):
            self.truths.append(g.logic(op, t, u))
        elif op == "not":
            self.truths.append(g.not_(t))
        else:
            made = {
                "pow": lambda: g.pow(i, g.div(j, k)),
                "root": lambda: g.pow(i, g.div(g.const(1.0), self.fixed[places[1] % len(self.fixed)])),
                "power": lambda: g.pow(*(self.fixed[p % len(self.fixed)] for p in places[:2])),
                "select": lambda: g.select(t, j, k),
                "chain": lambda: g.select(t, i, g.select(g.compare("lt", j, k), j, k)),
            }
            plain = {"neg", "add", "sub", "mul", "div", "ratio", "min", "max"}
            if op in made:
                numbers.append(made[op]())
            elif op in plain:
                numbers.append(getattr(g, op)(*((i,) if op == "neg" else (i, j))))
            else:
                numbers.append(g.call(op, i))


def equations(steps: Sequence[Step]) -> Equations:
    """The last graphs made, over states and again over parameters alone; two of them are rates."""
    maker = Maker()
    for step in steps:
        maker.do(step)
    g, roots = maker.g, maker.numbers[-GRAPHS:]
    fixed = g.substitute(roots, {"x": g.symbol("h"), "y": g.symbol("k"), TIME: g.symbol("b")})
    chosen = {f"q{i}": e for i, e in enumerate(roots)} | {f"p{i}": e for i, e in enumerate(fixed)}
    chosen["mixed"] = g.mul(g.symbol("x"), fixed[0])
    default = dict.fromkeys(PARAMETERS, 1.0)
    return Equations("random", g, STATES, (roots[0], roots[1]), (fixed[2], fixed[3]), default, chosen)


def noisy(values: Array, rng: np.random.Generator) -> Array:
    """(…, repeat, lane) values, all but the first repeat a little off; in the last what is nearly whole is whole."""
    noise = rng.uniform(-SHAKE, SHAKE, values.shape)
    noise[..., 0, :] = 0.0
    shaken = values * (1.0 + noise)
    last = shaken[..., -1, :]
    shaken[..., -1, :] = np.where(np.abs(last - np.rint(last)) < 1e-9, np.rint(last), last)
    return shaken


def shaken(g: Graph, roots: Sequence[int], given: dict[str, Array], rng: np.random.Generator) -> Array:
    """(root, repeat, lane) values: the first repeat as NumPy has it, the others shaken."""
    lanes = np.broadcast_shapes(*(np.shape(v) for v in given.values()))[-1]
    shape = (REPEATS, lanes)
    plain = ("const", "sym", "true", "false")

    def shake(value: Any, op: str) -> Any:
        if op in plain or np.asarray(value).dtype == bool:
            return value
        return noisy(np.broadcast_to(value, shape), rng)

    values: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for e in g.reachable(roots):
            op, *args = g.nodes[e]
            if op in ("true", "false"):
                values[e] = op == "true"
            elif op in plain:
                values[e] = args[0] if op == "const" else given[args[0]]
            else:
                values[e] = _NUMPY[op](*(shake(values[a], g.nodes[a][0]) for a in args))
        found = np.zeros((len(roots), *shape))
    for row, e in zip(found, roots, strict=True):
        row[:] = shake(values[e], g.nodes[e][0])
    return found


def agree(got: Array, shaken: Array, what: str) -> None:
    """got (thing, lane) as near as shaking leaves it (thing, repeat, lane), where that is one thing at all."""
    wanted, spread = shaken[:, 0], shaken.max(axis=1) - shaken.min(axis=1)
    size = np.abs(wanted)
    steady = spread <= 1e-3 * size
    same = (shaken == wanted[:, None]).all(axis=1) | np.isnan(shaken).all(axis=1)
    right = (np.abs(got - wanted) <= 2.0 * spread + 1e-12 * size + 1e-290) | (got == wanted)
    right |= np.isnan(got) & np.isnan(wanted)
    wrong = np.argwhere((steady | same) & ~right)
    assert not len(wrong), f"{what}, item and lane {wrong[0]}: {got[*wrong[0]]}, not {wanted[*wrong[0]]}"


def rosenbrock(plan: Plan, given: dict[str, Array], h: Array, rng: np.random.Generator) -> Array:
    """One step by dense algebra on shaken values: the new state, and the stages weighted as for dense output."""
    n = len(plan.states)
    y0 = np.array([np.broadcast_to(given[s], (REPEATS, h.size)) for s in plan.states])

    def rates(y: Array, t: Array) -> Array:
        return shaken(
            plan.graph, plan.rates, {**given, TIME: t, **dict(zip(plan.states, y, strict=True))}, rng
        )

    entries = shaken(plan.graph, [*plan.jacobian.values(), *plan.time_slopes], given, rng)
    unsure = [e in plan.unsure for e in [*plan.jacobian.values(), *plan.time_slopes]]
    entries[unsure] = np.where(np.abs(entries[unsure]) < LARGEST_SLOPE, entries[unsure], 0.0)
    jacobian = np.zeros((REPEATS, h.size, n, n))
    for (i, j), values in zip(plan.jacobian, entries, strict=False):
        jacobian[:, :, i, j] = values
    slopes = entries[len(plan.jacobian) :]
    matrix = np.eye(n) / (h * tableau.GAMMA)[:, None, None] - jacobian
    usable = np.isfinite(matrix).all(axis=(2, 3)) & np.isfinite(slopes).all(axis=0)
    matrix = np.where(usable[:, :, None, None], matrix, np.eye(n))
    moves = any(
        plan.graph.value(e) != 0.0 for e in plan.time_slopes
    )  # else time counts at a step's start alone
    u: list[Array] = []
    for a, c, alpha, gamma in zip(tableau.A, tableau.C, tableau.ALPHA, tableau.TIME_SLOPE, strict=True):
        y = noisy(y0 + sum((w * x for w, x in zip(a, u, strict=True)), np.zeros(y0.shape)), rng)
        right = rates(y, noisy(np.broadcast_to(given[TIME] + alpha * h * moves, slopes[0].shape), rng))
        right += gamma * h * slopes
        right += sum((w * x for w, x in zip(c, u, strict=True)), np.zeros(y0.shape)) / h
        solved = np.linalg.solve(matrix, np.moveaxis(noisy(right, rng), 0, -1)[..., None])[..., 0]
        u.append(noisy(np.moveaxis(solved, -1, 0), rng))
    new = y + u[-1]
    dense = [sum(w * x for w, x in zip(weights, u, strict=False)) for weights in tableau.DENSE]
    return np.concatenate([np.where(usable, new, np.nan), *dense])


def subjects(lanes: int, seed: int) -> dict[str, Array]:
    """(lane,) values: of every size, some plain, some of either sign."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in (*PARAMETERS, *STATES, TIME):
        value = np.exp(rng.normal(0.0, 1.5, lanes))
        value = np.where(rng.random(lanes) < 0.2, rng.choice(NUMBERS, lanes), value)
        found[name] = (
            np.where(rng.random(lanes) < 0.1, -value, value) + 0.0
        )  # no -0: a step does not keep its sign
    return found


def aligned(rows: int, lanes: int) -> Array:
    raw = np.zeros(rows * lanes + 8)
    begin = (-raw.ctypes.data % 64) // 8
    return raw[begin : begin + rows * lanes].reshape(rows, lanes)


def call(function: Any, *arrays: Array) -> None:
    function(*(array.ctypes.data for array in arrays))


def check(steps: Sequence[Step], lanes: int, seed: int) -> None:
    model = equations(steps)
    rng = np.random.default_rng(seed)
    who = subjects(lanes, seed)
    kernel = build(model, list(model.quantities), lanes=lanes)
    plan = make_plan(model, list(model.quantities), [])
    g = model.graph
    kept, initial = np.zeros((lanes, max(len(plan.once), 1))), np.zeros((lanes, len(STATES)))
    for lane in range(lanes):
        table = np.array([who[p][lane] for p in PARAMETERS])
        call(kernel._linked.function("prepare", 3), table, kept[lane], initial[lane])
    agree(initial.T, shaken(g, model.initial, who, rng), "initial value")
    agree(kept.T[: len(plan.once)], shaken(g, plan.once, who, rng), "constant")

    y, new, error, seen = (aligned(len(STATES), lanes) for _ in range(4))
    dense = aligned(len(tableau.DENSE) * len(STATES), lanes)
    k, out = aligned(kept.shape[1], lanes), aligned(len(plan.outputs), lanes)
    t, h, theta, none = (aligned(1, lanes) for _ in range(4))
    k[:], y[:], t[:] = kept.T, [who[s] for s in STATES], who[TIME]
    call(kernel._linked.function("observe", 7), y, y, dense, k, t, theta, out)
    agree(out, shaken(g, plan.output_nodes, who, rng), "output")

    with np.errstate(all="ignore"):
        sizes = g.evaluate([*plan.rates, *plan.jacobian.values()], who)
        fast = np.max([np.broadcast_to(np.abs(each), lanes) for each in [*sizes, 1.0]], axis=0)
    h[:] = 0.02 / np.where(np.isfinite(fast), np.minimum(fast, 1e4), 1.0)
    tolerance = np.array([1e-6, 1e-6, 0.0])
    scratch = aligned(kernel.space, lanes)
    call(kernel._linked.function("step", 11), y, k, none, seen, t, h, tolerance, new, dense, error, scratch)
    want = rosenbrock(plan, who, h[0], rng)
    sound = np.isfinite(want).all(
        axis=(0, 1)
    )  # by dense algebra what is no number in one state is none in any
    want[:, 0, ~sound], want[:, 1, ~sound] = 0.0, np.nan  # so not judged
    agree(np.concatenate([new, dense]), want, "state after a step")
    unsound = np.isnan(shaken(g, plan.rates, who, rng)).all(axis=1).any(axis=0)
    assert not (error[0] <= 1.0)[unsound].any(), "a step from where a rate is no number is taken"


STEPS = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), *(st.integers(0, 40) for _ in range(3))), min_size=4, max_size=14
)


@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(
    max_examples=campaign_size(test=100, ci=500, full=5000) // GRAPHS,
    # The same models in every run; others by make campaign.
    derandomize=campaign_size(test=1, ci=1, full=0) == 1,
    phases=[__import__("hypothesis").Phase.reuse, __import__("hypothesis").Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(STEPS, st.sampled_from([1, 4, 8]), st.integers(0, 10**6))
def test_random_models_compute_what_numpy_computes(steps: list[Step], lanes: int, seed: int) -> None:
    check(steps, lanes, seed)
