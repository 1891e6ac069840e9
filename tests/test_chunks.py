"""Runs in chunks: the same numbers as in one piece, nothing lost by an interruption, nothing of another run touched."""

from __future__ import annotations

import errno
import json
import pickle
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import lissive
from lissive.chunks import How, run_chunks
from lissive.cli import main as door
from lissive.errors import SimulationError
from lissive.simulation import parts
from lissive.simulation.asked import solved
from lissive.simulation.output import write
from lissive.simulation.solve import Inputs, asked

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
    ".nc": lambda path: xr.load_dataset(path, engine="h5netcdf"),
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
    if ending in (".zarr", ".nc"):
        assert one.attrs == other.attrs  # the steps of all, and what was said of all
    assert not list(tmp_path.glob("*.parts"))


SEVERAL = """ID,TIME,EVID,AMT,CMT,OCC,WT,DV,SITE
a,0,1,100,A_gut,1,60,.,5
a,1,0,.,.,1,60,2.9,5
a,4,0,.,.,2,60,2.1,5
a,24,4,100,A_gut,2,66,.,5
a,30,0,.,.,2,66,3.3,5
b,0,0,.,.,1,80,0.1,7
b,0,1,50,A_gut,1,80,.,7
b,9,0,.,.,1,80,0.4,7
3,0,1,100,A_gut,1,50,.,x
3,2,0,.,.,1,50,2.4,x
d,0,1,80,A_gut,1,90,.,8
d,2,0,.,.,1,90,1.4,8
e,1,0,.,.,1,90,1.4,8
"""
"""IDs of one replicate; occasions, columns and numbers of rows differ between them."""
POPULATION = MODEL.parent / "population" / "population.csv"


def written_in_chunks_and_whole(words, tmp_path, monkeypatch, ending):
    """Both results, as read, and the bytes of a table."""
    assert door.main([*words, "--out", str(tmp_path / f"whole{ending}")]) == 0
    monkeypatch.setattr(parts, "_LEAST", 2)
    monkeypatch.setattr(parts, "_MOST", 2)
    made: list[int] = []
    solve = parts._solve
    monkeypatch.setattr(parts, "_solve", lambda *given: (made.append(1), solve(*given)))
    assert door.main([*words, "--out", str(tmp_path / f"parts{ending}")]) == 0
    assert len(made) > 2
    return [tmp_path / f"{name}{ending}" for name in ("whole", "parts")]


def without_steps(attrs: dict[str, object]) -> dict[str, object]:
    """Those whose rows differ are solved side by side to the last time of any of them: steps go by who is there."""
    about = json.loads(str(attrs["provenance"]))
    return {**attrs, "steps": 0, "provenance": {**about, "steps": 0}}


@pytest.mark.parametrize("grid", [[], ["--until", "12", "--every", "4"]], ids=["rows", "grid"])
@pytest.mark.parametrize("ending", READ)
def test_events_of_several_ids_in_chunks_are_those_of_one_piece(ending, grid, tmp_path, monkeypatch):
    (tmp_path / "doses.csv").write_text(SEVERAL)
    words = ["simulate", str(MODEL), "--events", str(tmp_path / "doses.csv"), "--select", "[C],A_gut", *grid]
    whole, cut = written_in_chunks_and_whole(words, tmp_path, monkeypatch, ending)
    one, other = READ[ending](whole), READ[ending](cut)
    assert one.equals(other)
    if ending in (".zarr", ".nc"):
        assert without_steps(one.attrs) == without_steps(other.attrs)


@pytest.mark.parametrize("replicates", ["1", "3"])
@pytest.mark.parametrize("grid", [[], ["--until", "12", "--every", "4"]], ids=["rows", "grid"])
@pytest.mark.parametrize("ending", READ)
def test_a_population_in_chunks_is_that_of_one_piece(ending, grid, replicates, tmp_path, monkeypatch):
    (tmp_path / "doses.csv").write_text(SEVERAL)
    words = ["simulate", str(MODEL), "--events", str(tmp_path / "doses.csv"), "--population", str(POPULATION)]
    words += ["--seed", "5", "--replicates", replicates, *grid]
    whole, cut = written_in_chunks_and_whole(words, tmp_path, monkeypatch, ending)
    if ending == ".csv":
        assert whole.read_bytes() == cut.read_bytes()
        said = [json.loads(path.with_suffix(".meta.json").read_text()) for path in (whole, cut)]
        for each in said:
            each["provenance"].pop("steps")
        assert said[0] == said[1]
    one, other = READ[ending](whole), READ[ending](cut)
    assert one.equals(other)
    if ending in (".zarr", ".nc"):
        assert without_steps(one.attrs) == without_steps(other.attrs)
        assert "values are below 0" in one.attrs["notes"]


def test_several_replicates_of_few_subjects_are_one_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_LEAST", 8)
    monkeypatch.setattr(parts, "_MOST", 8)
    few = parts.parts_of(SimpleNamespace(count=21, each=3, kept=1))
    assert few == [range(0, 6), range(6, 12), range(12, 18), range(18, 21)]
    many = parts.parts_of(SimpleNamespace(count=22, each=11, kept=1))
    assert many == [range(0, 6), range(6, 11), range(11, 17), range(17, 22)]


def test_a_chunk_that_travels_takes_only_its_own_subjects_along(tmp_path):
    events = pd.DataFrame(
        [[k, t, 0] for k in range(1, 400) for t in range(5)], columns="ID TIME EVID".split()
    )
    run = asked(
        Inputs(model=MODEL, events=events, select=["[C]"], population=str(alone(tmp_path)), threads=1)
    )
    chunk = parts._Chunk(run, range(10, 20))
    arrived = pickle.loads(pickle.dumps(chunk))
    assert len(pickle.loads(arrived.own)["table"].runs) == 10
    assert arrived.solved().equals(chunk.solved())


def alone(folder: Path) -> Path:
    """A population without covariates."""
    path = folder / "population.csv"
    path.write_text(
        "kind,parameter,value,form\ntheta,CL,5,lognormal\nomega,CL,0.09,\nsigma,[C],0.01,additive\n"
    )
    return path


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
    assert "--resume" not in words  # there is nothing to go on with
    assert [path.name for path in tmp_path.iterdir()] == ["doses.csv"]
    assert "IO loop" not in {each.name for each in threading.enumerate()}  # no half of a client is left


CLOSED = ["--cluster", "tcp://127.0.0.1:9"]
DESIGN = """
trial: small
population: {cause: multiple_sclerosis}
patients: 12
arms:
  drug: {product: nabiximols, units_counted: spray, most_per_day: 12}
  placebo: {product: nabiximols, placebo: true, units_counted: spray, most_per_day: 12}
weeks: 2
visits_weeks: [1, 2]
endpoints: [{measure: spasticity_nrs}]
"""


@pytest.mark.parametrize(
    "words",
    [
        ["trial", "reproduce", "--replicates", "20", "--only", "collin_2007", "--chunks"],
        ["follow", "check", "--chunks"],
        ["trial", "run", "design.yaml", "--replicates", "2", "--out"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_leaves_a_folder_where_no_cluster_answered(words, tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("lissive.cluster._ANSWERS", "0.3s")
    monkeypatch.chdir(tmp_path)
    Path("design.yaml").write_text(DESIGN, encoding="utf-8")
    assert door.main([*words, "deep/kept", *CLOSED]) == 2
    assert "No scheduler answers" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["design.yaml"]
    Path("own").mkdir()
    assert door.main([*words, "own", *CLOSED]) == 2
    assert Path("own").is_dir()  # it was there before
    assert not list(Path("own").iterdir())


def test_finished_chunks_stay_where_no_cluster_answers(tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("lissive.cluster._ANSWERS", "0.3s")
    with pytest.raises(SimulationError, match="disk is full"):
        run_chunks(breaks_at_2, CHUNKS, tmp_path / "run", inputs=1)
    with pytest.raises(SimulationError, match=r"No scheduler answers.*Finished chunks are in .*--resume"):
        run_chunks(work, CHUNKS, tmp_path / "run", inputs=1, how=How(cluster=CLOSED[1], resume=True))
    assert numbers_in(tmp_path / "run") == ["0.txt", "1.txt"]
    run_chunks(work, CHUNKS, tmp_path / "run", inputs=1, how=How(resume=True))


def test_a_run_that_ends_in_its_first_chunk_leaves_nothing(tmp_path):
    with pytest.raises(
        SimulationError, match=r"disk is full.*No chunk is finished: run the same command again"
    ):
        run_chunks(breaks_at_2, {"2.txt": 2, "3.txt": 3}, tmp_path / "deep" / "run", inputs=1)
    assert not list(tmp_path.iterdir())


def test_a_refusal_without_a_word_of_its_own_is_named(tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

    async def silent(_):
        raise TimeoutError

    monkeypatch.setattr("lissive.cluster._reach", silent)
    out = ["--cluster", "tcp://127.0.0.1:9", "--out", str(tmp_path / "a.zarr")]
    assert door.main([*given(tmp_path), *out]) == 2
    assert "tcp://127.0.0.1:9: No scheduler answers (TimeoutError)." in capsys.readouterr().err


def test_without_dask_the_extra_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lissive.cluster.importlib.util.find_spec", lambda _: None)
    assert door.main([*given(tmp_path), "--cluster", "local", "--out", str(tmp_path / "a.zarr")]) == 2
    assert "pip install 'lissive[cluster]'" in capsys.readouterr().err


def test_what_a_models_own_events_draw_is_the_same_in_chunks(tmp_path):
    model = tmp_path / "m.ant"
    model.write_text(
        "x = 0; x' = 0; E1: at time > 1, priority = 1: x = 1; E2: at time > 1, priority = 1: x = 2\n"
    )
    run = asked(Inputs(model=model, subjects=12, times=[0.0, 2.0], threads=1))
    whole, *chunks = [
        solved(replace(run, **run.part(part)))[0]["x"].values[:, 1]
        for part in (range(12), range(4), range(4, 8), range(8, 12))
    ]
    assert set(whole) == {1.0, 2.0}  # either event may come last
    assert np.array_equal(np.concatenate(chunks), whole)


def test_netcdf_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch, capsys):
    """HDF5 itself would end the process."""
    out = tmp_path / "a.nc"
    words = ["simulate", str(MODEL), "--until", "4", "--every", "1", "--out", str(out)]
    monkeypatch.setattr("lissive.simulation.limits.disk", lambda _: 100)
    assert door.main(words) == 2
    assert capsys.readouterr().err == f"lissive: {out}: The disk is full. What to do: free some space.\n"
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_while_chunks_are_joined_keeps_them(tmp_path, few_at_once, monkeypatch, capsys):
    words = [*given(tmp_path), "--out", str(tmp_path / "a.csv")]
    write = parts.write_parts

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parts, "write_parts", full)
    assert door.main(words) == 2
    assert "The disk is full. What to do: free some space. All chunks are in" in capsys.readouterr().err
    monkeypatch.setattr(parts, "write_parts", write)
    monkeypatch.setattr(parts, "_solve", None)  # nothing is solved again
    assert door.main([*words, "--resume"]) == 0
    assert len(pd.read_csv(tmp_path / "a.csv")) == 24


def test_events_that_the_memory_cannot_hold_are_refused_with_the_most(tmp_path, monkeypatch, capsys):
    words = given(tmp_path)
    monkeypatch.setattr("lissive.simulation.limits.memory", lambda: 900)
    assert door.main([*words, "--out", str(tmp_path / "a.csv")]) == 2
    assert "doses.csv: 3 rows of events would take" in (said := capsys.readouterr().err)
    assert "Allowed: up to 2 here" in said
