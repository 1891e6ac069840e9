"""Sensitivity and identifiability, against what is known in closed form, and on the shipped model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from lissive.errors import LissiveError, ParameterError, SimulationError
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.report.sensitivity import identifiability_text, sensitivity_text
from lissive.validation.identifiability import (
    Identifiability,
    assessed,
    derivatives,
    directions,
    identifiability,
    judged,
)
from lissive.validation.scenario import Scenario, contraction, depends_on, rows, uncertain, within_liver
from lissive.validation.sensitivity import Sensitivity, Size, morris, ranked, sensitivity, sobol

SMALL = Size(trajectories=3, base=16, most=5, together=40)


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return sensitivity(SMALL, seed=7, threads=2)


@pytest.fixture(scope="module")
def seen() -> Identifiability:
    return identifiability(threads=2)


# ---- indices, on functions whose answer is known


def ishigami(shares: np.ndarray) -> np.ndarray:
    x = np.pi * (2.0 * shares - 1.0)
    y = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    return np.stack([y, np.full(len(y), 3.0)], axis=1)


def test_sobol_finds_the_indices_of_ishigami() -> None:
    """Closed form: variances of the parts of the function with a = 7, b = 0.1."""
    a, b, pi = 7.0, 0.1, np.pi
    one, two = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    both = b**2 * pi**8 * (1 / 18 - 1 / 50)
    whole = one + two + both
    result = sobol(ishigami, ["x1", "x2", "x3"], base=4096, seed=3)
    assert result.variance[0] == pytest.approx(whole, rel=0.02)
    np.testing.assert_allclose(result.first[0], [one / whole, two / whole, 0.0], atol=0.02)
    np.testing.assert_allclose(result.total[0], [(one + both) / whole, two / whole, both / whole], atol=0.02)
    assert (result.first_conf[0] < 0.1).all()
    assert (result.first_conf[0] > 0).all()


def test_an_output_that_never_moves_has_no_shares() -> None:
    result = sobol(ishigami, ["x1", "x2", "x3"], base=64, seed=3)
    assert (result.first[1] == 0).all()
    assert result.variance[1] == 0


def test_morris_gives_the_slopes_of_a_linear_model() -> None:
    slopes = np.array([[3.0, -2.0, 0.0], [0.0, 0.0, 0.5]])
    result = morris(lambda x: x @ slopes.T + 1.0, ["a", "b", "c"], trajectories=6, seed=2)
    np.testing.assert_allclose(result.mu_star, np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(result.mu, slopes, atol=1e-12)
    np.testing.assert_allclose(result.sigma, 0.0, atol=1e-12)
    assert ranked(result.mu_star, 2) == (0, 2)


def test_blocks_in_which_a_run_failed_are_left_out_whole() -> None:
    def sometimes(x: np.ndarray) -> np.ndarray:
        y = x @ np.array([[2.0], [1.0]])
        y[4] = np.nan
        return y

    result = morris(sometimes, ["a", "b"], trajectories=5, seed=1)
    assert result.dropped == 1
    np.testing.assert_allclose(result.mu_star, [[2.0, 1.0]], atol=1e-12)
    with pytest.raises(SimulationError, match="went well"):
        morris(lambda x: np.full((len(x), 1), np.nan), ["a"], trajectories=3, seed=1)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: sobol(ishigami, ["x"], base=100, seed=1), "power of two"),
        (lambda: sobol(ishigami, [], base=8, seed=1), "one or more"),
        (lambda: sobol(ishigami, ["x", "x"], base=8, seed=1), "each once"),
        (lambda: morris(ishigami, ["x"], trajectories=1, seed=1), "2 or more"),
        (lambda: sensitivity("huge"), "full, quick"),
        (lambda: sensitivity(Size(2, 8, 0, 10)), "most 1 or more"),
    ],
)
def test_what_cannot_be_run_is_refused(call, names) -> None:
    with pytest.raises(SimulationError, match=names):
        call()


def test_without_salib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    with pytest.raises(LissiveError, match=r"pip install 'lissive\[sensitivity\]'"):
        morris(ishigami, ["x1", "x2", "x3"], trajectories=2, seed=1)


# ---- what is uncertain, and by how much


def test_ranges_follow_provenance_and_shares_stay_shares() -> None:
    equations, known = load("lissive"), load_parameters()
    every = uncertain(equations, ["NRS", "THC_ng_mL", "CBD_ng_mL", "dropout_cum"])
    by_name = {each.name: each for each in every}
    assert not {"M_THC", "placebo_on", "weight", "NRS0", "enzyme_THC"} & set(by_name)
    for each in every:
        assert each.lower <= each.value <= each.upper, each.name
        assert each.lower < each.upper, each.name
        if each.scale == "logit":
            assert each.lower > 0.0
            assert each.upper < 1.0
        ends = each.at(np.array([0.0, 1.0]))
        np.testing.assert_allclose(ends, [each.lower, each.upper], rtol=1e-9)
        if each.basis == "assumed" and each.scale == "log":
            # a uniform law of this width has a standard deviation of 0.5 on the logarithm
            assert np.log(each.upper / each.lower) == pytest.approx(0.5 * np.sqrt(12.0)), each.name
            assert known[each.name].provenance == "assumed"
    assert by_name["AG2_free"].basis == "literature"


def test_a_standard_deviation_that_is_handed_over_goes_first() -> None:
    equations = load("lissive")
    plain = {each.name: each for each in uncertain(equations, ["THC_ng_mL"])}
    given = {
        each.name: each
        for each in uncertain(equations, ["THC_ng_mL"], log_sd={"CL_THC": 0.03, "Fg_THC": 0.1})
    }
    assert given["CL_THC"].basis == "given"
    assert given["CL_THC"].log_sd == pytest.approx(0.03)
    share = given["Fg_THC"]
    assert logit(share.upper) - logit(share.lower) == pytest.approx(0.1 * np.sqrt(12.0))
    assert share.log_sd == pytest.approx(0.1 * (1 - share.value))
    assert all(given[name] == plain[name] for name in plain if name not in ("CL_THC", "Fg_THC"))
    for wrong in ({"no_such": 0.1}, {"CL_THC": -1.0}, {"CL_THC": float("nan")}):
        with pytest.raises(ParameterError, match="log_sd"):
            uncertain(equations, ["THC_ng_mL"], log_sd=wrong)


def test_dependence_goes_through_states_and_stops_there() -> None:
    equations = load("lissive")
    concentration = depends_on(equations, ["THC_ng_mL"])
    assert {"CL_THC", "V1_THC", "F_CBD_spray"} <= concentration  # CBD inhibits THC's enzymes
    assert not {"kappa", "NRS0", "h_drop", "V1_COOH"} & concentration
    assert {"CL_THC", "kappa"} <= depends_on(equations, ["spasms_per_day"])
    with pytest.raises(ParameterError, match="no_such"):
        depends_on(equations, ["no_such"])


def test_clearance_is_held_below_what_the_blood_carries() -> None:
    values = {"CL_THC": np.array([10.0, 200.0])}
    held, count = within_liver(values, {"CL_THC": 10.0, "BP_THC": 0.5, "Q_liver": 100.0})
    assert count == 1
    assert held["CL_THC"][0] == 10.0
    assert 0.0 < held["CL_THC"][1] < 0.5 * 100.0
    assert values["CL_THC"][1] == 200.0


def test_every_name_in_the_tables_is_a_parameter() -> None:
    known = set(load_parameters())
    for table in ("uncertainty_exceptions.tsv", "uncertainty_fractions.tsv"):
        assert {row["name"] for row in rows(table)} <= known, table
    for row in rows("identifiability_groups.tsv"):
        assert set(row["members"].split()) <= known, row["group"]


# ---- the model


@pytest.mark.slow
def test_every_output_depends_on_something_and_makes_sense(found: Sensitivity) -> None:
    typical = dict(zip([each.name for each in found.outputs], found.typical, strict=True))
    assert 0.0 < typical["spasm_ratio"] < 1.0
    assert typical["nrs_difference"] < 0.0
    assert 0.0 < typical["dizziness_risk"] < 1.0
    assert typical["thc_auc"] > 0.0
    assert (found.morris.mu_star.max(axis=1) > 0).all()
    assert len(found.sobol.inputs) == SMALL.most
    assert np.isfinite(found.low).all()
    assert found.provenance.failed == 0


@pytest.mark.slow
def test_effects_go_the_way_they_must(found: Sensitivity) -> None:
    row = {each.name: k for k, each in enumerate(found.outputs)}
    place = {each.name: k for k, each in enumerate(found.inputs)}

    def change(output: str, name: str) -> float:
        return float(found.high[row[output], place[name]] - found.low[row[output], place[name]])

    assert change("thc_auc", "CL_THC") < 0
    assert change("oh_thc_auc", "CL_OH") < 0
    assert change("spasm_ratio", "Im_E") < 0
    assert change("dizziness_risk", "h_dizzy_drug") > 0
    assert change("spasm_ratio", "h_dizzy_drug") == pytest.approx(0.0, abs=1e-9)
    # what is taken by mouth cannot matter to a spray
    assert {"MTT_THC_oral", "k_lung"} <= set(found.idle)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_batches_do_not_matter(
    found: Sensitivity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lissive.validation.sensitivity.SAMPLES_AT_ONCE", 97)
    done: list[int] = []
    again = sensitivity(SMALL, seed=7, threads=1, progress=done.append)
    assert json.dumps(again.to_json()) == json.dumps(found.to_json())
    assert done == sorted(done[: done.index(100) + 1]) + done[done.index(100) + 1 :]
    assert done[-1] == 100
    other = morris(lambda x: x**2, ["a", "b"], trajectories=4, seed=8)
    same = morris(lambda x: x**2, ["a", "b"], trajectories=4, seed=9)
    assert (other.mu_star != same.mu_star).any()


@pytest.mark.slow
def test_a_single_patient_agrees_with_the_batch(found: Sensitivity) -> None:
    one = next(each for each in found.inputs if each.name == "CL_THC")
    alone = Scenario(threads=1).run({"CL_THC": np.array([one.upper])}, 1)
    np.testing.assert_array_equal(alone[0], found.high[:, found.inputs.index(one)])


@pytest.mark.slow
def test_result_is_plain_and_readable(found: Sensitivity) -> None:
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    tornado = plain["tornado"]
    assert len(tornado["low"]) == len(plain["outputs"])
    assert len(tornado["low"][0]) == len(tornado["inputs"])
    text = sensitivity_text(found, most=3)
    for output in found.outputs:
        assert output.label in text
    best = found.inputs[int(np.argmax(found.morris.mu_star[0]))].name
    lines = text.splitlines()
    head = next(k for k, line in enumerate(lines) if line.split()[:3] == ["parameter", "range", "basis"])
    assert lines[head + 1].startswith(best)


# ---- identifiability, on what is known and on the model


def product_model(logs: np.ndarray) -> np.ndarray:
    """Ten observations of a b exp(-c t): a and b are only seen as a product."""
    a, b, c = np.exp(logs).T
    times = np.linspace(0.0, 2.0, 10)
    return 20.0 * a[:, None] * b[:, None] * np.exp(-c[:, None] * times)


def test_derivatives_are_those_of_the_formula() -> None:
    matrix = derivatives(product_model, np.log([2.0, 3.0, 0.7]), 1e-3)
    times = np.linspace(0.0, 2.0, 10)
    y = 20.0 * 6.0 * np.exp(-0.7 * times)
    np.testing.assert_allclose(matrix, np.stack([y, y, -0.7 * times * y], axis=1), rtol=1e-5, atol=1e-8)
    with pytest.raises(SimulationError, match="did not go well"):
        derivatives(lambda x: np.full((len(x), 2), np.nan), np.zeros(1), 0.1)


def test_two_parameters_seen_as_a_product_are_found() -> None:
    matrix = derivatives(product_model, np.log([2.0, 3.0, 0.7]), 0.01)
    names, prior = ["a", "b", "c"], {"a": 0.5, "b": 0.5, "c": 0.5}
    group = judged(matrix, names, ["a", "b"], prior)
    assert group.inseparable
    assert group.why == "structural"
    assert len(group.unseen) == 1
    loadings = group.unseen[0].loadings
    np.testing.assert_allclose([abs(x) for x in loadings.values()], np.sqrt(0.5), atol=1e-6)
    assert loadings["a"] * loadings["b"] < 0
    assert not judged(matrix, names, ["a", "c"], {**prior, "b": 1e-6}).inseparable
    # nothing is learned of a alone while b is as uncertain as it is
    free = judged(matrix, names, ["a", "c"], {**prior, "b": 3.0})
    assert free.why == "others"
    assert free.worst_sd_others_free == pytest.approx(3.0, rel=0.05)
    rows_ = [{"group": "g", "title": "", "members": "a b", "separated_by": ""}]
    whole = assessed(matrix, names, ["y"] * 10, prior, rows_)
    assert whole.seen == 2
    assert whole.alike[0] == pytest.approx({"a": 1.0, "b": 1.0})
    words = {row.name: row.word for row in whole.expected}
    assert words["c"] == "learned"
    # half of the prior variance of a stays, that along a/b
    assert {row.name: row.contraction for row in whole.expected}["a"] == pytest.approx(0.5, abs=0.01)


def test_few_observations_leave_directions_unseen() -> None:
    found = directions(np.array([[1.0, 2.0, 2.0]]), ["a", "b", "c"])
    assert [round(each.value, 12) for each in found] == [3.0, 0.0, 0.0]
    assert found[0].loadings == pytest.approx({"a": 1 / 3, "b": 2 / 3, "c": 2 / 3})
    assert found[2].sd == float("inf")


def test_weak_but_distinct_is_practical_not_structural() -> None:
    matrix = np.diag([5.0, 0.1])
    group = judged(matrix, ["a", "b"], ["a", "b"], {"a": 1.0, "b": 1.0})
    assert group.why == "practical"
    assert group.worst_sd == pytest.approx(10.0)
    assert group.condition == pytest.approx(50.0)
    assert group.unseen[0].loadings == pytest.approx({"a": 0.0, "b": 1.0})


@pytest.mark.parametrize("members", [["a"], ["a", "z"]])
def test_a_group_of_unknown_members_is_refused(members: list[str]) -> None:
    with pytest.raises(ParameterError, match="identifiability_groups"):
        judged(np.eye(2), ["a", "b"], members, {"a": 1.0, "b": 1.0})


@pytest.mark.slow
def test_the_model_shows_only_the_product_of_potency(seen: Identifiability) -> None:
    potency = next(each for each in seen.alike if "Kp_THC" in each)
    assert {"Kp_THC", "fu_THC", "K_THC"} <= set(potency)
    assert potency["Kp_THC"] * potency["fu_THC"] > 0
    assert potency["Kp_THC"] * potency["K_THC"] < 0
    powers = [abs(potency[name]) for name in ("Kp_THC", "fu_THC", "K_THC")]
    np.testing.assert_allclose(powers, powers[0], rtol=0.02)
    chosen = judged(seen.matrix, seen.parameters, ["Kp_THC", "fu_THC", "K_THC"], seen.prior_sd)
    assert chosen.why == "structural"
    assert len(chosen.unseen) == 2


@pytest.mark.slow
def test_the_model_s_groups_and_spectrum(seen: Identifiability) -> None:
    names = [row["group"] for row in rows("identifiability_groups.tsv")]
    assert [group.name for group in seen.groups] == names
    assert len(names) == 8
    assert {g.name for g in seen.groups if g.why == "structural"} >= {"potency", "tone"}
    for group in seen.groups:
        assert len(group.spectrum) == len(group.members)
        assert group.worst_sd_others_free >= group.worst_sd * (1 - 1e-6)
    assert (np.diff(seen.spectrum) <= 0).all()
    assert 0 < seen.seen < len(seen.parameters)
    plain = json.loads(json.dumps(seen.to_json(), allow_nan=False))
    assert plain["groups"][0]["inseparable"] is True
    said = identifiability_text(seen)
    assert "potency" in said
    assert "no (structural)" in said


# ---- contraction


def test_contraction_by_hand() -> None:
    found = contraction({"a": 0.5, "b": 0.4, "c": 1.0, "d": 0.2}, {"a": 0.1, "b": 0.3, "c": 0.99, "d": 0.25})
    assert [row.contraction for row in found] == pytest.approx([0.96, 0.4375, 0.0199, -0.5625])
    assert [row.word for row in found] == ["learned", "partly", "not learned", "not learned"]


@pytest.mark.parametrize(
    ("prior", "posterior"),
    [
        ({}, {"a": 0.1}),
        ({"a": 0.0}, {"a": 0.1}),
        ({"a": 1.0}, {"a": float("nan")}),
        ({"a": 1.0}, {"a": -0.1}),
    ],
)
def test_contraction_of_what_cannot_be_is_refused(prior: dict, posterior: dict) -> None:
    with pytest.raises(ParameterError, match="contraction"):
        contraction(prior, posterior)


def test_tables_say_where_their_numbers_come_from() -> None:
    import lissive.validation.scenario as here

    words = {"measured", "calculated", "fitted", "fixed", "assumed", "unknown"}
    for path in sorted(Path(here.__file__).parent.glob("uncertainty_*.tsv")):
        for row in rows(path.name):
            if "provenance" in row:
                assert row["provenance"] in words, (path.name, row)
                assert row["note"], (path.name, row)
