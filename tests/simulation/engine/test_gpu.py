"""The GPU's code without a GPU: on the processor, by a machine that carries out PTX, and through NVIDIA's assembler."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.simulation.engine import fake_gpu
from tests.simulation.engine.ptx_machine import PtxMachine

from lissive.bench.assembled import assembled, counted
from lissive.chunks import HERE
from lissive.cli import main as door
from lissive.errors import SimulationError
from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.engine import Batch, Doses, Kernel, build, emit, gpu, ptx, steps
from lissive.simulation.engine.compile import in_source_order
from lissive.simulation.parts import simulate_files
from lissive.simulation.solve import Inputs

MODEL = Path(__file__).parents[3] / "examples" / "one_compartment.ant"
needs_ptxas = pytest.mark.skipif(
    shutil.which("ptxas") is None, reason="NVIDIA's ptxas is not on this computer"
)
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
    # a stop, not a pause: the states that are compared are then those of one time, whatever the steps were
    second = batch.advance(7.0, doses, times=[3.5, 7.0], edges=[3.0, 6.5], stop=True, resume=True)
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
def test_the_gpus_kernel_on_this_processor_gives_every_bit_of_the_engine(
    model: str, request: pytest.FixtureRequest, dose_table: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    launches = fake_gpu.install(monkeypatch)
    equations = request.getfixturevalue(model)
    kernel = build(equations, list(equations.quantities), [equations.states[0]])
    doses = _doses(dose_table, kernel)
    _same(_run(gpu.on_gpu(kernel), doses), _run(kernel, doses), 0.0)
    assert [config.block for config in launches] == [ptx.BLOCK] * 2


def test_ptx_carried_out_word_by_word_gives_the_engines_numbers(
    saturable: Equations, dose_table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tolerance is 1e-11: products and sums are fused in other places than on the processor, here and on a GPU."""
    fake_gpu.install(monkeypatch)
    kernel = build(saturable, ["gut", "blood", "log"], ["gut"])
    text = ptx.ptx(*ptx.kernel_ir(kernel.planned()))
    machine = PtxMachine(text)
    loaded = SimpleNamespace(
        occupancy=SimpleNamespace(max_active_blocks_per_multiprocessor=lambda *_: 1),
        call=partial(machine.call, ptx.ENTRY),
    )
    code = SimpleNamespace(get_kernel=lambda name: loaded)
    monkeypatch.setattr(sys.modules["cuda.core"], "ObjectCode", SimpleNamespace(from_ptx=lambda text: code))
    doses = _doses(dose_table, kernel, 2)
    _same(_run(gpu.on_gpu(kernel), doses, 2), _run(kernel, doses, 2), 1e-11)


def test_a_long_model_calls_its_functions_and_factors_by_loops(
    saturable: Equations, dose_table: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_gpu.install(monkeypatch)
    monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path))
    monkeypatch.setattr(emit, "LONG", 0)
    monkeypatch.setattr(steps, "MOST_WRITTEN", -1)
    kernel = build(saturable, ["gut", "blood", "log"], ["gut"])
    doses = _doses(dose_table, kernel)
    _same(_run(gpu.on_gpu(kernel), doses), _run(kernel, doses), 1e-13)
    text = ptx.ptx(*ptx.kernel_ir(kernel.planned()))
    assert "exp" in "".join(re.findall(r"call\.uni.*", text))
    if shutil.which("ptxas"):
        assert counted(text)["registers"] > 0


def test_numbers_that_carry_an_error_stay_unfused(saturable: Equations) -> None:
    """What powers rest on would lose its digits, were these fused later: PTX keeps only what says how it is rounded."""
    _, functions = ptx.kernel_ir(build(saturable, ["blood"]).planned())
    written = len(re.findall(r"= f(?:add|sub|mul) <1 x double>", functions))
    kept = len(re.findall(r"\b(?:add|sub|mul)\.rn\.f64", ptx.ptx("", functions)))
    assert written > 100
    assert kept >= 0.9 * written  # those of which both sides are known are gone


def test_the_code_does_not_depend_on_what_was_compiled_before(saturable: Equations) -> None:
    kernel = build(saturable, ["blood"])
    first = ptx.ptx(*ptx.kernel_ir(kernel.planned()))
    with in_source_order():  # leaves a switch of LLVM on
        pass
    assert ptx.ptx(*ptx.kernel_ir(kernel.planned())) == first


@needs_ptxas
def test_nvidias_assembler_takes_the_code(saturable: Equations) -> None:
    counts = counted(ptx.ptx(*ptx.kernel_ir(build(saturable, ["blood"], ["gut"]).planned())))
    assert 32 <= counts["registers"] <= 255
    assert counts["loads"] > counts["stores"] > 0


@needs_ptxas
@pytest.mark.slow
def test_the_shipped_models_code_spills_little() -> None:
    (row,) = assembled(only=["lissive"])
    assert row["spill_stores"] + row["spill_loads"] < 10_000  # with the step written out whole it was 50,000


# -- the door ---------------------------------------------------------------------------------------------------
def failing(said: str) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(said)

    return fail


def _refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    out = tmp_path / "run.csv"
    words = [
        "simulate",
        str(model),
        "--until",
        "2",
        "--every",
        "1",
        "--out",
        str(out),
        "--device",
        "gpu",
        *more,
    ]
    assert door.main(words) == 2
    assert list(tmp_path.glob("run*")) == []
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
    return said


def test_the_command_runs_on_the_gpu_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launches = fake_gpu.install(monkeypatch)
    runs = {}
    for device in ("cpu", "gpu"):
        out = tmp_path / f"{device}.csv"
        words = [
            "simulate",
            str(MODEL),
            "--subjects",
            "3",
            "--until",
            "5",
            "--every",
            "1",
            "--device",
            device,
        ]
        assert door.main([*words, "--out", str(out)]) == 0
        runs[device] = out.read_bytes()
    assert launches
    assert runs["gpu"] == runs["cpu"]
    solver = {
        device: json.loads((tmp_path / f"{device}.meta.json").read_text())["provenance"]["solver"]
        for device in runs
    }
    assert solver["gpu"]["device"] == "gpu"
    assert "device" not in solver["cpu"]


def test_without_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    assert "pip install 'lissive[gpu]'" in _refused(MODEL, tmp_path, capsys)


@pytest.mark.parametrize(
    ("raised", "said", "do"),
    [
        (
            "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\nmore",
            "finds no GPU",
            "CUDA_VISIBLE_DEVICES",
        ),
        (
            '"cuda" is an NVIDIA driver library. Install it.',
            "driver is not installed",
            "install it",
        ),
        ("Failed to dlopen libcuda.so.1", "driver is not installed", "install it"),
        ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: versions differ", "driver is too old", "update it"),
        ("something else", "No GPU can be used: something else.", "leave --device out"),
    ],
)
def test_without_a_gpu_that_can_be_used(
    raised: str, said: str, do: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fake_gpu.install(monkeypatch)
    monkeypatch.setattr(sys.modules["cuda.core"], "Device", failing(raised))
    refused = _refused(MODEL, tmp_path, capsys)
    assert said in refused
    assert raised.splitlines()[0].rstrip(".") in refused
    assert f"What to do: {do}" in refused or do in refused.split("What to do: ")[1]
    assert "fewer" not in refused


def test_a_gpu_that_is_too_old(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gpu.install(monkeypatch)
    monkeypatch.setattr(fake_gpu.Device, "compute_capability", (6, 1))
    assert "compute capability 6.1. Allowed: 7.5 or later." in _refused(MODEL, tmp_path, capsys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model m; X' = -X; X = 1; at (X < 0.5): X = 1; end", "has events of its own"),
        ("model m; X' = -sin(X); X = 1; end", "The model uses cos, sin, which"),
    ],
)
def test_a_model_that_the_gpu_cannot_follow(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gpu.install(monkeypatch)
    model = tmp_path / "m.ant"
    model.write_text(text, encoding="utf-8")
    assert said in _refused(model, tmp_path, capsys)


@pytest.mark.parametrize(
    ("where", "raised", "said", "do"),
    [
        (
            "there",
            "CUDA_ERROR_OUT_OF_MEMORY: no",
            "GPU has not enough free memory for this run, which takes",
            "fewer",
        ),
        ("here", "CUDA_ERROR_OUT_OF_MEMORY: no", "This computer has not enough free memory", "fewer"),
        ("load", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION: no", "driver is too old", "update it"),
        ("load", "CUDA_ERROR_INVALID_PTX: no", "cannot compile this model for the GPU", "report the model"),
        ("load", "CUDA_ERROR_OUT_OF_MEMORY: no", "GPU has not enough free memory for this run: ", "fewer"),
        (
            "load",
            "no such symbol",
            "cannot compile this model for the GPU: no such symbol.",
            "report the model",
        ),
        (
            "launch",
            "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: no",
            "more of the GPU's registers",
            "leave --device out",
        ),
        ("launch", "CUDA_ERROR_ILLEGAL_ADDRESS: no", "The run failed on the GPU", "report the model"),
        ("launch", "CUDA_ERROR_LAUNCH_TIMEOUT: no", "time limit ended the run", "drives no screen"),
        ("launch", "CUDA_ERROR_ECC_UNCORRECTABLE: no", "a fault of its own", "restart"),
        ("launch", "", "The run failed on the GPU: RuntimeError.", "report the model"),
    ],
)
def test_what_fails_is_told_apart(
    where: str, raised: str, said: str, do: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fake_gpu.install(monkeypatch)
    core, fails = sys.modules["cuda.core"], failing(raised)
    monkeypatch.setattr(
        *{
            "there": (fake_gpu.Device, "allocate", fails),
            "here": (fake_gpu.Memory, "allocate", fails),
            "load": (core, "ObjectCode", SimpleNamespace(from_ptx=fails)),
            "launch": (core, "launch", fails),
        }[where]
    )
    refused = _refused(MODEL, tmp_path, capsys)
    assert said in refused
    assert do in refused.split("What to do: ")[1]
    assert ("fewer" in refused) == ("OUT_OF_MEMORY" in raised or "TIMEOUT" in raised)


def test_not_with_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gpu.install(monkeypatch)
    how = replace(HERE, cluster="local:1")
    with pytest.raises(SimulationError, match="cluster's workers"):
        simulate_files(Inputs(model=MODEL, until=1.0, every=1.0, device="gpu"), tmp_path / "run.csv", how=how)


def test_no_assembler(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert door.main(["bench", "--ptx"]) == 2
    assert "ptxas is not found" in capsys.readouterr().err
