"""The GPU's code without a GPU: on the processor, by a machine that carries out PTX, and through NVIDIA's assembler."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.simulation.engine import fake_gpu
from tests.simulation.engine.ptx_machine import PtxMachine

from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.engine import Batch, Doses, Kernel, build, gpu, ptx

Make = Callable[..., Doses]


@pytest.fixture
def saturable() -> Equations:
    """Uptake and elimination with a power, an exponential, a root and a logarithm."""
    g = Graph()
    gut, blood, ka, vm, km, h = (g.symbol(s) for s in ("gut", "blood", "ka", "Vm", "Km", "h"))
    absorbed, power = g.mul(ka, gut), g.pow(blood, h)
    out = g.mul(g.div(g.mul(vm, power), g.add(g.pow(km, h), power)), g.call("exp", g.neg(g.div(blood, km))))
    log = g.call("log", g.add(blood, g.call("sqrt", g.add(gut, g.const(1.0)))))
    return Equations(
        "saturable", g, ("gut", "blood"), (g.neg(absorbed), g.sub(absorbed, out)), (g.const(1.0), g.const(0.5)),
        {"ka": 1.2, "Vm": 5.0, "Km": 2.0, "h": 1.5}, {"gut": gut, "blood": blood, "log": log},
    )  # fmt: skip


def _run(kernel: Kernel, doses: Doses, subjects: int = 5) -> tuple[Batch, Any]:
    """A week in two advances, with times and bins."""
    own = {
        name: value * np.linspace(0.5, 2.0, subjects) for name, value in kernel.equations.parameters.items()
    }
    batch = kernel.start(subjects, own)
    first = batch.advance(3.0, doses, times=[0.0, 0.7, 3.0], edges=[0.0, 1.0, 3.0])
    second = batch.advance(7.0, doses, times=[3.5, 7.0], edges=[3.0, 6.5], resume=True)
    return batch, (first, second)


def _same(got: tuple[Batch, Any], wanted: tuple[Batch, Any], rtol: float) -> None:
    for mine, other in zip(got[1], wanted[1], strict=True):
        for name in ("values", "mean", "maximum", "minimum"):
            np.testing.assert_allclose(getattr(mine, name), getattr(other, name), rtol=rtol, atol=0)
    np.testing.assert_allclose(got[0].y, wanted[0].y, rtol=rtol, atol=0)
    np.testing.assert_array_equal(got[0].status, wanted[0].status)
    np.testing.assert_array_equal(got[0].steps, wanted[0].steps)


def _doses(dose_table: Make, kernel: Kernel, subjects: int = 5) -> Doses:
    rows = [(0.5, 0, 0, 3.0), (2.0, 1, 0, 1.5), (4.0, 1, 0, -1.5), (5.0, 2, 0, 0.0), (5.5, 0, 0, 1.0)]
    return dose_table(rows, subjects)


@pytest.mark.parametrize("model", ["one_compartment", "stiff", "saturable"])
@pytest.mark.parametrize(("width", "rtol"), [(10**6, 0.0), (6, 1e-13)])
def test_the_gpus_kernel_on_this_processor_gives_the_engines_numbers(
    model: str, width: int, rtol: float, request: pytest.FixtureRequest, dose_table: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """In one piece every bit is the same; a cut may keep a product and a sum from being fused: the last digits."""
    launches = fake_gpu.install(monkeypatch)
    monkeypatch.setattr(gpu, "kernel_ir", partial(ptx.kernel_ir, width=width))
    equations = request.getfixturevalue(model)
    kernel = build(equations, list(equations.quantities), [equations.states[0]])
    doses = _doses(dose_table, kernel)
    _same(_run(gpu.on_gpu(kernel), doses), _run(kernel, doses), rtol)
    assert [config.block for config in launches] == [ptx.BLOCK] * 2


@pytest.mark.parametrize(("width", "pieces"), [(10**6, 1), (6, 8)])
def test_ptx_carried_out_word_by_word_gives_the_engines_numbers(
    width: int, pieces: int, saturable: Equations, dose_table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tolerance is 1e-11: products and sums are fused in other places than on the processor, here and on a GPU."""
    fake_gpu.install(monkeypatch)
    kernel = build(saturable, ["gut", "blood", "log"], ["gut"])
    text = ptx.ptx(*ptx.kernel_ir(kernel.planned(), width=width))
    machine = PtxMachine(text)
    assert text.count("call.uni step_") + text.count("call.uni \tstep_") >= pieces
    core = fake_gpu.sys.modules["cuda.core"]
    loaded = fake_gpu.SimpleNamespace(
        occupancy=fake_gpu.SimpleNamespace(max_active_blocks_per_multiprocessor=lambda *_: 1),
        call=partial(machine.call, ptx.ENTRY),
    )
    code = fake_gpu.SimpleNamespace(get_kernel=lambda name: loaded)
    monkeypatch.setattr(
        core, "ObjectCode", fake_gpu.SimpleNamespace(from_ptx=lambda text: code), raising=False
    )
    doses = _doses(dose_table, kernel, 2)
    _same(_run(gpu.on_gpu(kernel), doses, 2), _run(kernel, doses, 2), 1e-11)
    assert machine.steps > 10_000
