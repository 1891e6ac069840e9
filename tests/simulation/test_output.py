"""A result keeps its units, doubts and origin in every format, and a file is whole or not there."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from lissive import __version__, extras
from lissive.errors import SimulationError
from lissive.files import atomic_path
from lissive.simulation import output
from lissive.simulation.output import Rows, dataset, write

TIMES = [0.0, 0.1, 24.0]
PROVENANCE = {
    "model": "lissive",
    "content": "ab12",
    "seed": 7,
    "solver": {"rtol": 1e-6},
    "exact": True,
    "none": None,
}


@pytest.fixture
def run():
    values = np.arange(12, dtype=float).reshape(2, 3, 2) / 7
    values[1] = np.nan
    return dataset(
        values, TIMES, Rows([1, 2], [0, 3], ["", "too many steps"]), ["[S1]", "k"],
        units={"[S1]": "nmol/L", "time": "h"}, labels={"[S1]": "THC in plasma"}, provenance=PROVENANCE,
    )  # fmt: skip


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_dataset_has_dimensions_units_and_names(run):
    assert run["[S1]"].dims == ("subject", "time")
    assert run["[S1]"].attrs == {"units": "nmol/L", "long_name": "THC in plasma"}
    assert run["k"].attrs == {}
    assert run["time"].attrs["units"] == "h"
    assert run["[S1]"].sel(subject=1, time=0.1) == 2 / 7


def test_a_dataset_carries_its_doubts_and_its_origin(run):
    assert run["status"].values.tolist() == [0, 3]
    assert run["message"].values.tolist() == ["", "too many steps"]
    assert run.attrs["seed"] == 7
    assert json.loads(run.attrs["solver"]) == {"rtol": 1e-6}
    assert json.loads(run.attrs["provenance"]) == {"lissive_version": __version__, **PROVENANCE}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": np.zeros((2, 2, 1))}, r"Allowed: \(subject, time, output\), here \(2, 3, 1\)"),
        ({"rows": Rows([1, 2], [0])}, r"status has the shape \(1,\)"),
        ({"rows": Rows([1, 2], messages=["a"])}, r"messages has the shape \(1,\)"),
        ({"outputs": ["status"]}, "The output status has the name of a column"),
        ({"outputs": ["k", "k"], "values": np.zeros((2, 3, 2))}, "The output k is selected twice"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(change, says):
    good = {"values": np.zeros((2, 3, 1)), "times": TIMES, "rows": Rows([1, 2]), "outputs": ["k"]}
    assert dataset(**good).sizes == {"subject": 2, "time": 3}
    with pytest.raises(SimulationError, match=says):
        dataset(**{**good, **change})


@pytest.mark.parametrize(("name", "engine"), [("r.nc", "h5netcdf"), ("r.zarr", "zarr")])
def test_netcdf_and_zarr_give_the_dataset_back(run, tmp_path, name, engine):
    write(run, tmp_path / name)
    with xr.open_dataset(tmp_path / name, engine=engine) as again:
        xr.testing.assert_identical(again.load(), run)
    assert names(tmp_path) == [name]


def test_parquet_keeps_values_and_says_what_they_are(run, tmp_path):
    write(run, tmp_path / "r.parquet")
    frame = pd.read_parquet(tmp_path / "r.parquet")
    assert list(frame.columns) == ["subject", "time", "[S1]", "k"]
    np.testing.assert_array_equal(frame["[S1]"], run["[S1]"].values.ravel())
    schema = pq.read_schema(tmp_path / "r.parquet")
    assert schema.field("[S1]").metadata[b"units"] == b"nmol/L"
    about = json.loads(schema.metadata[b"lissive"])
    assert about["provenance"]["seed"] == 7
    assert about["failed"] == [{"subject": 2, "status": 3, "message": "too many steps"}]
    assert names(tmp_path) == ["r.parquet"]


def test_csv_is_tidy_and_has_its_meaning_beside_it(run, tmp_path):
    write(run, tmp_path / "r.csv")
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert lines[0] == "subject,time,[S1],k"
    assert len(lines) == 7
    got = [float(line.split(",")[3] or "nan") for line in lines[1:]]
    np.testing.assert_array_equal(got, run["k"].values.ravel())
    about = json.loads((tmp_path / "r.meta.json").read_text())
    assert about["columns"]["[S1]"]["units"] == "nmol/L"
    assert about["provenance"]["model"] == "lissive"
    assert names(tmp_path) == ["r.csv", "r.meta.json"]


@pytest.mark.parametrize("name", ["r.csv", "r.parquet", "r.nc", "r.zarr"])
def test_what_was_there_is_replaced(run, tmp_path, name):
    write(run, tmp_path / name)
    write(run.isel(subject=[0]), tmp_path / name)
    with_names = {"r.csv": ["r.csv", "r.meta.json"]}
    assert names(tmp_path) == with_names.get(name, [name])


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_many_subjects_are_written_in_parts(run, tmp_path, name, monkeypatch):
    monkeypatch.setattr(output, "_ROWS_AT_ONCE", 3)
    write(run, tmp_path / name)
    frame = (pd.read_csv if name == "r.csv" else pd.read_parquet)(tmp_path / name)
    assert frame["subject"].tolist() == [1, 1, 1, 2, 2, 2]


def test_csv_is_the_same_without_pyarrow(run, tmp_path, monkeypatch):
    write(run, tmp_path / "fast.csv")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    write(run, tmp_path / "slow.csv")
    fast, slow = (pd.read_csv(tmp_path / name) for name in ("fast.csv", "slow.csv"))
    pd.testing.assert_frame_equal(fast, slow, check_exact=True)


def test_subjects_may_have_names(run, tmp_path):
    named = run.assign_coords(subject=["a", "b"])
    for name in ("r.csv", "r.parquet", "r.nc", "r.zarr"):
        write(named, tmp_path / name)
    assert pd.read_csv(tmp_path / "r.csv")["subject"].tolist() == ["a"] * 3 + ["b"] * 3


def test_an_unknown_ending_lists_the_known(run, tmp_path):
    with pytest.raises(
        SimulationError, match=r"Unsupported file extension '\.xls'\. Allowed: \.csv, \.parquet, \.nc, \.zarr"
    ):
        write(run, tmp_path / "r.xls")


def test_a_missing_folder_is_named(run, tmp_path):
    says = r"There is no folder .*nowhere\. Allowed: a file in a folder that is there\. What to do: make the folder"
    with pytest.raises(SimulationError, match=says):
        write(run, tmp_path / "nowhere" / "r.csv")


def test_a_missing_package_is_named(run, tmp_path, monkeypatch):
    find = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "zarr" else find(name))
    with pytest.raises(
        SimulationError, match=r"zarr, which is not installed\. What to do: pip install 'lissive\[files\]'"
    ):
        write(run, tmp_path / "r.zarr")
    write(run, tmp_path / "r.nc")


# -- whole or not there ---------------------------------------------------------------------------
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_interruption_leaves_what_was_there(tmp_path, error, kind):
    def fill(place, text):
        if kind == "folder":
            place.mkdir()
            (place / ".zgroup").touch()
            place = place / "part"
        place.write_text(text)

    path = tmp_path / "out.zarr"
    with atomic_path(path) as place:
        fill(place, "old")
    with pytest.raises(error), atomic_path(path) as place:  # noqa: PT012 - the error is raised inside
        fill(place, "half")
        raise error
    assert names(tmp_path) == ["out.zarr"]
    assert (path / "part" if kind == "folder" else path).read_text() == "old"


@pytest.mark.parametrize("name", ["r.csv", "r.parquet", "r.nc", "r.zarr"])
def test_a_writer_that_fails_leaves_nothing(run, tmp_path, name, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    write(run, tmp_path / "good.csv")
    writer, packages = output._WRITERS[f".{name.split('.')[1]}"]

    def half(parts, whole, place, path):
        writer(parts, whole, place, tmp_path / "good.csv")
        fail()

    monkeypatch.setitem(output._WRITERS, f".{name.split('.')[1]}", (half, packages))
    with pytest.raises(OSError, match="disk full"):
        write(run, tmp_path / name)
    assert names(tmp_path) == ["good.csv", "good.meta.json"]


def test_nothing_is_left_if_nothing_was_written(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["mine.csv", "mine.zarr"])
def test_somebodys_folder_is_not_replaced(run, tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "notes.txt").write_text("precious")
    with pytest.raises(SimulationError, match=r"there is a folder of this name.*choose another name"):
        write(run, tmp_path / name)
    assert (tmp_path / name / "notes.txt").read_text() == "precious"
