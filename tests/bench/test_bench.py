"""The measuring itself: errors, ratios, the shape of the report. No speed is asserted here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lissive.bench import peer
from lissive.bench.accuracy import rms, scaled_error, worst
from lissive.bench.child import memory, peak_bytes
from lissive.bench.problems import names, problem, table
from lissive.bench.run import Size, bench, check
from lissive.bench.speed import frontier, points, ratio_at_equal_error
from lissive.bench.text import report_text
from lissive.errors import LissiveError

TINY = Size(
    patients=3,
    compared=2,
    tolerances=(1e-4, 1e-6),
    peer_tolerances=(1e-4, 1e-6, 1e-8),
    reference_rtol=1e-9,
    repeats=1,
    peer_repeats=1,
    threads_subjects=8,
    days=2,
)


# ---- errors ------------------------------------------------------------------------------------------------------


def test_error_is_scaled_by_each_subjects_and_outputs_largest_value():
    reference = np.array([[[1.0, -100.0], [2.0, 50.0]], [[10.0, 1.0], [20.0, 1.0]]])
    values = reference.copy()
    values[0, 0] += [0.5, 10.0]
    error = scaled_error(values, reference)
    assert error[0, 0].tolist() == [0.25, 0.1]
    assert error[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert worst(error) == 0.25
    assert rms(error) == pytest.approx(np.sqrt((0.25**2 + 0.1**2) / 8))


def test_error_where_the_reference_is_always_zero_is_the_value():
    assert scaled_error(np.array([[[1e-9]]]), np.zeros((1, 1, 1))).item() == 1e-9


def test_what_is_not_a_number_is_infinitely_wrong():
    assert worst(scaled_error(np.array([[[np.nan], [1.0]]]), np.ones((1, 2, 1)))) == np.inf


# ---- ratio -------------------------------------------------------------------------------------------------------


def power_law(constant: float, errors: list[float]) -> list[tuple[float, float]]:
    return [(error, constant * error**-0.25) for error in errors]


def test_ratio_of_two_power_laws_is_that_of_their_constants():
    ratio = ratio_at_equal_error(power_law(0.01, [1e-3, 1e-5, 1e-7]), power_law(0.3, [1e-2, 3e-5, 1e-6]))
    assert [ratio[k] for k in ("middle", "least", "most")] == pytest.approx([30.0] * 3)
    assert (ratio["from_error"], ratio["to_error"]) == (1e-6, 1e-3)


def test_ratio_is_taken_only_where_both_have_the_error():
    assert ratio_at_equal_error([(1e-6, 1.0)], [(1e-3, 1.0), (1e-4, 2.0)]) is None
    assert ratio_at_equal_error([], [(1e-3, 1.0)]) is None
    assert ratio_at_equal_error([(1e-6, 1.0)], [(1e-7, 8.0), (1e-5, 2.0)])["middle"] == pytest.approx(4.0)


def test_a_setting_that_is_slower_and_worse_does_not_count():
    assert frontier([(1e-6, 2.0), (1e-5, 3.0), (1e-4, 1.0)]) == [(1e-6, 2.0), (1e-4, 1.0)]
    assert frontier([(np.inf, 0.1), (0.0, 0.1)]) == []


def test_a_setting_that_failed_for_somebody_does_not_count():
    good = {"max_error": 1e-5, "seconds_per_patient": 1.0, "failed": 0}
    assert points([good, {**good, "failed": 1}]) == [(1e-5, 1.0)]


# ---- limits ------------------------------------------------------------------------------------------------------


def test_a_limit_is_met_or_not():
    assert check("error_over_rtol", 100.0).met is True
    assert check("error_over_rtol", 100.1).met is False
    assert check("error_over_rtol", float("nan")).met is False
    assert check("peer_difference", None).met is False
    assert check("memory_peak", 9.0, "fewer", judged=False).met is None


def test_each_limit_is_a_number_with_its_kind():
    for row in table("limits"):
        assert row["kind"] in ("at most", "at least", "none")
        assert bool(row["limit"]) == (row["kind"] != "none")


# ---- problems ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_the_first_patient_is_the_typical_one(name):
    given = problem(name)
    patients = given.patients(4)
    own = given.equations.parameters
    for parameter, values in patients.items():
        assert values.shape == (4,)
        assert values[0] == given.fixed.get(parameter, own[parameter])
    assert any(len(set(values)) > 1 for values in patients.values())


def test_the_bench_model_has_1008_doses_in_84_days():
    given = problem("bench")
    moments = {(dose.hour, given.dosed_days) for dose in given.dosing}
    assert (len(given.equations.states), given.days, len(moments) * given.dosed_days) == (37, 84, 1008)


# ---- the report --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report():
    return bench(size=TINY, only=["benson2014", "bench", "accuracy", "speed"])


@pytest.mark.slow
def test_report_has_the_agreed_shape(report):
    assert json.loads(json.dumps(report)) == report
    assert [model["model"] for model in report["models"]] == ["benson2014", "bench"]
    for model in report["models"]:
        assert {"engine", "rtol", "seconds_per_patient", "max_error"} <= set(model["engines"][0])
        assert [row["rtol"] for row in model["accuracy"]] == [1e-4, 1e-6]
    assert {"processor", "cores", "python", "versions"} <= set(report["machine"])
    assert set(report["numpy_loop_seconds"]) == {"before", "after"}


@pytest.mark.slow
def test_every_accuracy_limit_is_met_in_a_short_run(report):
    limited = {each["name"]: each["met"] for each in report["checks"] if each["limit"] is not None}
    assert {name.split(".")[0] for name in limited} >= {"error_over_rtol", "rms_over_rtol"}
    assert {met for name, met in limited.items() if not name.startswith("speed")} == {True}


@pytest.mark.slow
def test_libroadrunner_is_compared_where_it_is_there(report):
    pytest.importorskip("roadrunner")
    for model in report["models"]:
        assert {row["engine"] for row in model["engines"]} == {"lissive", "libroadrunner"}
        assert model["ratio_at_equal_error"]["libroadrunner"] > 0
        assert model["agreement"]["max_difference"] < 1e-6


@pytest.mark.slow
def test_text_names_every_model_and_limit(report):
    text = report_text(report)
    for model in report["models"]:
        assert f"{model['model']}: {model['states']} states" in text
    for each in report["checks"]:
        assert each["about"] in text
    assert text.endswith(("All limits are met.", "not met."))


def test_both_ways_of_dosing_libroadrunner_give_the_same():
    pytest.importorskip("roadrunner")
    given = problem("benson2014", 2)
    values = []
    start = np.array([given.equations.graph.value(e) or 0.0 for e in given.equations.initial])
    for way in (peer.EVENTS, peer.RESTARTS):
        seen, _, _ = peer.Peer(given, way).run(dict(given.fixed), start, 1e-9, np.full(len(start), 1e-12))
        values.append(seen[None])
    assert worst(scaled_error(values[0], values[1])) < 1e-6


def test_without_libroadrunner_the_comparison_is_skipped_and_said_so(monkeypatch):
    monkeypatch.setattr("lissive.bench.run.present", lambda: False)
    report = bench(size=TINY, only=["benson2014"])
    assert "not installed" in report["skipped"]
    assert report["skipped"] in report_text(report)
    assert {row["engine"] for row in report["models"][0]["engines"]} == {"lissive"}
    assert report["met"]


def test_an_unknown_part_is_refused():
    with pytest.raises(LissiveError, match='"speeed" is nothing that is measured'):
        bench(only=["speeed"])


def test_the_command_prints_json_and_writes_a_file(tmp_path, monkeypatch, capsys):
    from lissive.cli.main import main

    monkeypatch.setattr("lissive.bench.run.QUICK", TINY)
    code = main(["bench", "--quick", "--json", "--only", "threads", "--out", str(tmp_path)])
    printed = json.loads(capsys.readouterr().out)
    (file,) = tmp_path.glob("*.json")
    assert code in (0, 1)  # how fast two threads are is not for a test to judge
    assert file.name.startswith(printed["date"][:10])
    assert json.loads(file.read_text()) == printed
    assert printed["threads"]["ratio"] > 0


def test_an_unmet_limit_makes_the_exit_code_1(monkeypatch, capsys):
    from lissive.cli.main import main

    monkeypatch.setattr("lissive.bench.run.QUICK", TINY)
    monkeypatch.setattr("lissive.bench.process.ready", lambda repeats: {})
    monkeypatch.setattr("lissive.bench.process.version", lambda repeats: 9.0)
    assert main(["bench", "--quick", "--only", "ready"]) == 1
    assert "1 limit not met." in capsys.readouterr().out


def test_memory_is_measured_in_bytes():
    assert 2**24 < peak_bytes() < 2**36


def test_many_subjects_go_through_simulate_as_a_user_does_it():
    answer = memory(2, 3, 1e-3)
    assert (answer["shape"], answer["failed"]) == ([2, 85, 3], 0)
