"""Runs in chunks: the same numbers as in one piece, nothing lost by an interruption, nothing of another run touched."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import lissive
from lissive.chunks import How, run_chunks
from lissive.cli import main as door
from lissive.errors import SimulationError
from lissive.simulation import parts
from lissive.simulation.output import write
from lissive.simulation.solve import asked, solved

MODEL = Path(__file__).parents[1] / "examples" / "one_compartment.ant"
CHUNKS = {f"{k}.txt": k for k in range(4)}


def work(argument: int, place: Path) -> None:
    place.write_text(str(argument))


def breaks_at_2(argument: int, place: Path) -> None:
    work(argument, place)
    if argument == 2:
        raise OSError(errno.ENOSPC, "No space left on device", str(place))


def numbers_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.txt"))


def test_a_full_disk_is_one_message_and_the_run_goes_on(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(SimulationError, match=r"The disk is full.*free some space.*--resume"):
        run_chunks(breaks_at_2, CHUNKS, folder, inputs=1)
    assert numbers_in(folder) == ["0.txt", "1.txt"]
    made: list[int] = []

    def seen(argument: int, place: Path) -> None:
        made.append(argument)
        work(argument, place)

    with pytest.raises(SimulationError, match=r"2 chunks of this run.*--resume"):
        run_chunks(seen, CHUNKS, folder, inputs=1)
    (folder / "1.txt").write_text("damaged")
    said: list[str] = []
    paths = run_chunks(seen, CHUNKS, folder, inputs=1, how=How(resume=True, say=said.append))
    assert made == [1, 2, 3]
    assert [path.read_text() for path in paths] == ["0", "1", "2", "3"]
    assert "damaged, and made again: 1.txt" in said[0]


def test_what_is_not_of_this_run_is_kept(tmp_path):
    folder = tmp_path / "run"
    said: list[str] = []
    run_chunks(work, CHUNKS, folder, inputs=1, how=How(resume=True, say=said.append))
    assert said == [f"{folder}: there is no run yet to go on with; from the beginning."]
    with pytest.raises(SimulationError, match=r"chunks of another run.*--force"):
        run_chunks(work, CHUNKS, folder, inputs=2, how=How(resume=True))
    assert numbers_in(folder) == sorted(CHUNKS)
    run_chunks(work, {"9.txt": 9}, folder, inputs=2, how=How(force=True))
    assert numbers_in(folder) == ["9.txt"]
    (folder / "mine.md").write_text("mine")
    with pytest.raises(SimulationError, match=r"holds no run: mine.md is in it"):
        run_chunks(work, CHUNKS, folder, inputs=1, how=How(force=True))
    assert (folder / "mine.md").read_text() == "mine"


@pytest.fixture
def few_at_once(monkeypatch):
    monkeypatch.setattr(parts, "_LEAST", 3)
    monkeypatch.setattr(parts, "_MOST", 3)


def given(tmp_path: Path) -> list[str]:
    doses = tmp_path / "doses.csv"
    doses.write_text("ID,TIME,EVID,AMT,CMT,WORD\n1,0,1,8586,THC_spray,a\n1,30,0,.,.,bcd\n")
    return [
        "simulate", "lissive", "--subjects", "8", "--seed", "3", "--events", str(doses), "--until", "24",
        "--every", "12", "--select", "NRS,THC_ng_mL",
    ]  # fmt: skip


READ = {
    ".csv": lambda path: pd.read_csv(path),
    ".parquet": lambda path: pd.read_parquet(path),
    ".zarr": lambda path: xr.open_zarr(path).load(),
}


@pytest.mark.parametrize("ending", READ)
def test_a_run_in_chunks_is_the_run_in_one_piece(ending, tmp_path, few_at_once):
    assert door.main([*given(tmp_path), "--out", str(tmp_path / f"a{ending}")]) == 0
    whole = lissive.simulate(
        "lissive", subjects=8, seed=3, events=tmp_path / "doses.csv", until=24, every=12,
        select=["NRS", "THC_ng_mL"],
    )  # fmt: skip
    write(whole, tmp_path / f"b{ending}")
    one, other = READ[ending](tmp_path / f"a{ending}"), READ[ending](tmp_path / f"b{ending}")
    assert one.equals(other)
    assert not np.isnan(np.asarray(one["NRS"])).any()
    if ending == ".zarr":
        assert one.attrs == other.attrs  # the steps of all, and what was said of all
    assert not list(tmp_path.glob("*.parts"))


def test_the_order_of_equal_events_is_a_subject_s_own(tmp_path, few_at_once):
    (tmp_path / "m.ant").write_text(
        "model m\n x = 0; y = 0; z' = 0; z = 1\n"
        " A: at time > 1, priority = 1: x = 1\n B: at time > 1, priority = 1: x = 2\nend\n"
    )
    words = ["simulate", str(tmp_path / "m.ant"), "--subjects", "20", "--until", "2", "--every", "2"]
    assert door.main([*words, "--select", "x", "--out", str(tmp_path / "a.parquet")]) == 0
    whole = lissive.simulate(tmp_path / "m.ant", subjects=20, until=2, every=2, select=["x"])
    found = pd.read_parquet(tmp_path / "a.parquet")["x"].to_numpy().reshape(20, 2)
    assert set(found[:, 1]) == {1.0, 2.0}
    assert (found == whole["x"].values).all()


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path, few_at_once, monkeypatch, capsys):
    words = given(tmp_path)
    assert door.main([*words, "--out", str(tmp_path / "a.parquet")]) == 0
    solve, left = parts._solve, iter([1, 1])

    def interrupted(argument, place):
        if next(left, None) is None:
            raise KeyboardInterrupt
        solve(argument, place)

    monkeypatch.setattr(parts, "_solve", interrupted)
    out = tmp_path / "b.parquet"
    assert door.main([*words, "--out", str(out)]) == 130
    monkeypatch.setattr(parts, "_solve", solve)
    assert "b.parquet.parts" in capsys.readouterr().err
    assert not out.exists()
    assert door.main([*words, "--out", str(out)]) == 2
    assert "holds 2 chunks of this run" in capsys.readouterr().err
    assert door.main([*words, "--seed", "4", "--resume", "--out", str(out)]) == 2
    assert "chunks of another run" in capsys.readouterr().err
    assert door.main([*words, "--resume", "--out", str(out)]) == 0
    assert out.read_bytes() == (tmp_path / "a.parquet").read_bytes()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://here:1", "'http://here:1' is no address of a Dask scheduler. Allowed: local, tcp://"),
        ("tcp://here", "is no address"),
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9: No scheduler answers"),
        ("tls://127.0.0.1:9", "tls://127.0.0.1:9: No connection can be made"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_message(address, said, tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("lissive.cluster._ANSWERS", "0.3s")
    assert door.main([*given(tmp_path), "--cluster", address, "--out", str(tmp_path / "a.zarr")]) == 2
    words = capsys.readouterr().err
    assert said in words
    assert words.count("\n") == 1
    assert "IO loop" not in {each.name for each in threading.enumerate()}  # no half of a client is left


def test_without_dask_the_extra_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lissive.cluster.importlib.util.find_spec", lambda _: None)
    assert door.main([*given(tmp_path), "--cluster", "local", "--out", str(tmp_path / "a.zarr")]) == 2
    assert "pip install 'lissive[cluster]'" in capsys.readouterr().err


def test_what_a_models_own_events_draw_is_the_same_in_chunks(tmp_path):
    model, grid = tmp_path / "m.ant", (None, None, [0.0, 2.0])
    model.write_text(
        "x = 0; x' = 0; E1: at time > 1, priority = 1: x = 1; E2: at time > 1, priority = 1: x = 2\n"
    )
    run = asked(model, None, 12, grid, None, None, None, None, 1, "nocb", (1e-6, 0.0, 1), 1)
    whole, *chunks = [
        solved(run, part)[0]["x"].values[:, 1] for part in (range(12), range(4), range(4, 8), range(8, 12))
    ]
    assert set(whole) == {1.0, 2.0}  # either event may come last
    assert np.array_equal(np.concatenate(chunks), whole)
