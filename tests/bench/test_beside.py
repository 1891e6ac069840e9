"""The comparison with other solvers: PEtab problems, metafor, and the page that is made of its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lissive.bench import metafor, peers, petab
from lissive.bench.beside import as_page
from lissive.cli import main as door

TOP = Path(__file__).parents[2]
PROBLEMS = TOP / "examples" / "petab"


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    pytest.importorskip("petab")
    return petab.measured([PROBLEMS], 1)


def test_three_problems_are_solved_as_closely_as_asked(found: list[dict[str, Any]]) -> None:
    assert [each["problem"] for each in found] == ["absorption", "binding", "turnover"]
    for each in found:
        errors = {row["rtol"]: row["max_error"] for row in each["rows"] if row["engine"] == petab.OURS}
        assert list(errors) == list(petab.TOLERANCES)
        assert all(error < 10 * rtol for rtol, error in errors.items())
        assert all(row["seconds"] > 0 for row in each["rows"])


def test_libroadrunner_finds_the_same_where_it_is_there(found: list[dict[str, Any]]) -> None:
    pytest.importorskip("roadrunner")
    for each in found:
        last = [row for row in each["rows"] if row["engine"] == petab.PEER][-1]
        assert last["rtol"] == 1e-8
        assert last["max_error"] < 1e-6


def test_a_stored_simulation_is_compared_by_its_largest_value(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    place = tmp_path / "simulations.tsv"
    pd.DataFrame({"simulation": [1.0, 4.0]}).to_csv(place, sep="\t", index=False)
    import numpy as np

    stored = petab._beside_stored(tmp_path / "problem.yaml", np.array([1.0, 4.4]))
    assert stored is not None
    assert stored["max_difference"] == pytest.approx(0.1)


def test_a_path_without_a_problem_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.main(["bench", "--peers", "lsoda", "--petab", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "there is no PEtab problem" in said
    assert "correct --petab" in said


REPORT: dict[str, Any] = {
    "lissive_version": "0.1.0",
    "date": "2026-11-30T00:00:00+00:00",
    "machine": {"processor": "a processor", "cores": 2, "load_before": 0.1, "load_after": 0.2},
    "about": {"lsoda": "SciPy's LSODA"},
    "missing": {"numbalsoda": "not installed (pip install numbalsoda)"},
    "models": [
        {
            "model": "benson2014",
            "states": 3,
            "days": 1,
            "doses": 1,
            "rows": [
                {"engine": name, "rtol": 1e-6, "seconds_per_patient": s, "max_error": 1e-6, "failed": 0}
                for name, s in (("lissive", 0.001), ("lsoda", 0.1))
            ],
            "processes": {"lsoda": {"setup_s": 0.5, "mib": 20.0}},
            "ratio_at_equal_error": {"lsoda": {"middle": 100.0, "least": 90.0, "most": 110.0}},
        }
    ],
    "petab": [{"problem": "odd", "not": "it has 2 models."}],
    "metafor": {"not": "R is not installed"},
}


def test_the_page_is_made_again_from_a_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, docs = tmp_path / "peers.json", tmp_path / "docs"
    kept.write_text(json.dumps(REPORT), encoding="utf-8")
    assert door.main(["bench", "--from", str(kept), "--docs", str(docs)]) == 0
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert page == as_page(REPORT, "images/work-precision.svg")
    assert "100 (90 to 1.1e+02)" in page
    for said in ("numbalsoda: not installed", "odd: it has 2 models", "metafor: R is not installed"):
        assert said in page
    assert "<svg" in (docs / "images" / "work-precision.svg").read_text(encoding="utf-8")
    capsys.readouterr()
    kept.write_text("{}", encoding="utf-8")
    assert door.main(["bench", "--from", str(kept), "--docs", str(docs)]) == 2
    assert "not the result of a comparison" in capsys.readouterr().err


def test_a_set_up_that_takes_too_long_is_ended_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "SETUP_S", 0.0)
    lsoda = next(each for each in peers.RIVALS if each.name == "lsoda")
    process = peers.Process(lsoda, "benson2014", 1)
    assert "set-up took over 0 s" in process.end()["not"]
    process.process.join(10)
    assert not process.process.is_alive()


@pytest.mark.metafor
def test_pooling_is_metafors() -> None:
    if why := metafor.missing():
        pytest.skip(why)
    found = metafor.measured()
    assert len(found["sets"]) >= 3
    for each in found["sets"]:
        assert each["largest_difference"] < 1e-6, each["set"]
        assert each["ours"]["tau2"] == pytest.approx(each["theirs"]["tau2"], rel=1e-5, abs=1e-8)
