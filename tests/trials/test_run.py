"""Many replicates: chunks, what is kept on disk, and going on after an interruption."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from lissive.errors import DesignError
from lissive.trials import run as room
from lissive.trials.run import Results, run_trial
from lissive.trials.store import PATIENTS, RECORD, curves
from lissive.trials.summary import summary


@pytest.fixture(autouse=True)
def two_a_chunk(monkeypatch):
    """12 patients each, so that a chunk is two replicates."""
    monkeypatch.setattr(room, "PATIENTS_AT_ONCE", 24)


@pytest.fixture
def design(small):
    return small(
        endpoints=[
            {"measure": "spasticity_nrs"},
            {"measure": "spasticity_nrs", "falls_by_pct": 30.0},
            {"measure": "withdrawal"},
            {"measure": "failure", "rises_by_pct": 20.0},
        ]
    )


def patients(folder: Path) -> pd.DataFrame:
    return pd.concat(
        [pd.read_parquet(path) for path in sorted((folder / PATIENTS).glob("*"))], ignore_index=True
    )


def told(results: Results) -> str:
    """All of it as text, nothing equal to nothing."""
    return json.dumps(summary(results).to_json()) + repr(
        (results.arms, results.comparisons, results.groups, results.flows)
    )


def test_neither_chunks_nor_threads_nor_the_disk_change_anything(design, tmp_path, monkeypatch):
    kept = run_trial(design, replicates=3, folder=tmp_path, threads=2)
    monkeypatch.setattr(room, "PATIENTS_AT_ONCE", 6000)
    assert told(run_trial(design, replicates=3, threads=1)) == told(kept)


def test_an_interrupted_run_is_gone_on_with_bit_for_bit(design, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    unbroken = run_trial(design, replicates=5, folder=whole)

    def stop(done: float) -> None:
        if done > 2.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(design, replicates=5, folder=broken, progress=stop)
    assert [path.name for path in (broken / RECORD).iterdir()] == ["00001-00002.json"]
    assert [path.name for path in (broken / PATIENTS).iterdir()] == ["00001-00002.parquet"]
    ticks: list[float] = []
    resumed = run_trial(design, replicates=5, folder=broken, resume=True, progress=ticks.append)
    assert ticks[0] == 2  # what is there is not done again
    assert ticks == sorted(ticks)
    assert ticks[-1] == 5
    assert told(resumed) == told(unbroken)
    pd.testing.assert_frame_equal(patients(broken), patients(whole), check_exact=True)
    assert curves(broken, design, 5) == curves(whole, design, 5)
    again = run_trial(design, replicates=5, folder=whole, resume=True)
    assert told(again) == told(unbroken)


def test_more_and_fewer_replicates_of_the_same_run(design, tmp_path):
    run_trial(design, replicates=3, folder=tmp_path)
    more = run_trial(design, replicates=4, folder=tmp_path, resume=True)
    assert sorted(path.name for path in (tmp_path / RECORD).iterdir()) == [
        "00001-00002.json",
        "00003-00004.json",
    ]
    assert patients(tmp_path)["REPL"].unique().tolist() == [1, 2, 3, 4]
    assert told(more) == told(run_trial(design, replicates=4))
    fewer = run_trial(design, replicates=3, folder=tmp_path, resume=True)
    assert told(fewer) == told(run_trial(design, replicates=3))


def test_a_run_is_not_mixed_with_another(design, small, tmp_path, monkeypatch):
    run_trial(design, replicates=1, folder=tmp_path)
    with pytest.raises(DesignError, match="holds 1 parts of a run.*--resume"):
        run_trial(design, replicates=1, folder=tmp_path)
    with pytest.raises(DesignError, match="another design, seed or model"):
        run_trial(small(), replicates=1, folder=tmp_path, resume=True)
    with pytest.raises(DesignError, match="another design, seed or model"):
        run_trial(design, replicates=1, seed=2, folder=tmp_path, resume=True)
    with monkeypatch.context() as changed:
        changed.setattr(room, "figures", lambda: {})  # a table of the model has other numbers now
        with pytest.raises(DesignError, match="another design, seed or model"):
            run_trial(design, replicates=1, folder=tmp_path, resume=True)


def swapped(folder: Path) -> None:
    """The second part under the first one's name."""
    for name in (RECORD, PATIENTS):
        first, second = sorted((folder / name).iterdir())
        second.replace(first)


DAMAGE = {
    "record lost": lambda folder: (folder / RECORD / "00001-00002.json").unlink(),
    "record cut": lambda folder: cut(folder / RECORD / "00001-00002.json"),
    "record of another kind": lambda folder: (folder / RECORD / "00001-00002.json").write_text("[]"),
    "record changed": lambda folder: changed(folder / RECORD / "00001-00002.json"),
    "patients lost": lambda folder: (folder / PATIENTS / "00001-00002.parquet").unlink(),
    "patients cut": lambda folder: cut(folder / PATIENTS / "00001-00002.parquet"),
    "patients of other replicates": lambda folder: shutil.copy(
        folder / PATIENTS / "00003-00003.parquet", folder / PATIENTS / "00001-00002.parquet"
    ),
    "another part's": swapped,
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def changed(path: Path) -> None:
    """Still JSON, with one more patient somewhere."""
    text = path.read_text(encoding="utf-8")
    assert '"randomised": 12' in text
    path.write_text(text.replace('"randomised": 12', '"randomised": 13', 1), encoding="utf-8")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return tmp_path_factory.mktemp("unbroken")


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_part_that_is_lost_or_damaged_is_made_again(design, unbroken, tmp_path, damage):
    whole = run_trial(design, replicates=3, folder=unbroken, resume=True)
    folder = tmp_path / "run"
    shutil.copytree(unbroken, folder)
    DAMAGE[damage](folder)
    for name in (".", RECORD, PATIENTS):  # of a run that was killed while it wrote
        (folder / name / ".lissive-0123456789ab.json").write_text("{")
    said: list[str] = []
    again = run_trial(design, replicates=3, folder=folder, resume=True, say=said.append)
    assert told(again) == told(whole)
    assert curves(folder, design, 3) == curves(unbroken, design, 3)
    assert sorted(path.name for path in folder.rglob("*")) == sorted(
        path.name for path in unbroken.rglob("*")
    )
    assert [text for text in said if "made again" in text] == said
    assert len(said) == (0 if damage == "record lost" else 1)


def test_what_is_kept_is_json_without_nan_and_a_table_in_the_manner_of_adam(design, tmp_path):
    run_trial(design, replicates=2, folder=tmp_path)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    (record,) = (tmp_path / RECORD).iterdir()
    json.loads(record.read_text(encoding="utf-8"), parse_constant=refuse)
    table = patients(tmp_path)
    assert table.columns.tolist() == [
        "STUDYID", "USUBJID", "REPL", "TRTP", "APERIOD", "PARAMCD", "PARAM", "AVISIT", "AVISITN", "ADY",
        "AVAL", "BASE", "CHG", "CNSR", "DSDECOD", "DSDY",
    ]  # fmt: skip
    pd.testing.assert_series_equal(table["CHG"], table["AVAL"] - table["BASE"], check_names=False)
    rated = table[table["PARAMCD"] == "SPASNRS"]
    assert len(rated) == 2 * 12 * 3
    baseline = rated[rated["AVISITN"] == 0]
    assert (baseline["AVAL"] == baseline["BASE"]).all()
    assert (baseline["ADY"] == 0).all()
    assert rated.groupby("USUBJID")["BASE"].nunique().eq(1).all()
    late = rated[rated["DSDY"] < rated["ADY"]]
    assert late["AVAL"].isna().all()
    assert set(table.loc[table["DSDY"].isna(), "DSDECOD"]) == {"completed"}
    failure = table[table["PARAMCD"] == "TTFAIL"]
    assert len(failure) == 2 * 12
    assert (failure.loc[failure["CNSR"] == 1, "AVAL"] == 14).all()


def test_the_summary_adds_up_and_is_plain_data(design):
    answer = summary(run_trial(design, replicates=3)).to_json()
    json.dumps(answer, allow_nan=False)
    flow = answer["flow"]
    assert flow["randomised"] == {"mean": 12, "min": 12, "max": 12}
    assert sum(group["randomised"]["mean"] for group in flow["groups"]) == 12
    for group in flow["groups"]:
        gone = sum(group[why]["mean"] for why in ("adverse", "no_effect", "other", "completed"))
        assert gone == pytest.approx(group["randomised"]["mean"])
    assert {row["arm"] for row in answer["dose"]} == {"drug", "placebo"}
    assert all(row["thc_mg"] == 0 for row in answer["dose"] if row["arm"] == "placebo")
    assert "dose" not in {row["endpoint"] for row in answer["arms"]}
    first = answer["comparisons"][0]
    assert (first["arm"], first["against"], first["method"], first["estimated"]) == (
        "drug",
        "placebo",
        "ANCOVA",
        3,
    )
    assert first["p05"] <= first["estimate"] <= first["p95"]
    assert 0 <= first["power_ci"][0] <= first["power"] <= first["power_ci"][1] <= 1


def test_one_replicate_is_summed_up_without_a_warning(design):
    answer = summary(run_trial(design, replicates=1))
    assert answer.replicates == 1
    first = answer.comparisons[0]
    assert first.p05 == first.estimate == first.p95
