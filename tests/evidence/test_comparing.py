"""From the blocks of a file of trials to comparisons: scales, signs, spreads, shares, arms, and what is left out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from lissive.errors import EvidenceError
from lissive.evidence import comparisons, left_out, outcomes, read_studies, shipped_studies
from lissive.evidence.comparing import every
from lissive.evidence.comparison import Comparison
from lissive.evidence.effect import effect
from lissive.evidence.words import find
from lissive.publications.names import read_name

HERE = {"provenance": "read", "source_url": "https://example.org", "pointer": "Table 1"}


def trial(outcomes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "smith_2020",
        "citation": "Smith A. J Test 2020;1:1",
        "cause": "MS",
        "intervention": "nabiximols",
        "comparator": "placebo",
        "design": "parallel",
        "arms": [{"arm": "nabiximols", "n_analysed": 50}, {"arm": "placebo", "n_analysed": 40}],
        "outcomes": outcomes,
        **fields,
    }


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def _read(*trials: dict[str, Any]):  # type: ignore[no-untyped-def]
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({"trials": list(trials)}), encoding="utf-8")
        return read_studies(path)

    return _read


def one(studies: Any, outcome: str, **asked: Any) -> Comparison:
    (found,) = comparisons(studies, outcome=outcome, **asked)
    return found


def rows(*values: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"arm": arm, **fields} for arm, fields in values]


def test_counts_are_taken_as_they_are(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"n": 20, "N": 48}), ("placebo", {"n": 9, "N": 39}))
    found = one(read(trial({"responders_30pct": block})), "responders_30pct")
    assert (found.active.events, found.active.n, found.control.events, found.control.n) == (20, 48, 9, 39)
    assert (found.cause, found.design, found.product) == ("multiple_sclerosis", "parallel", "nabiximols")


def test_a_per_cent_becomes_a_count_of_the_people_of_its_arm_and_is_derived(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"pct": {"value": 40, **HERE}}), ("placebo", {"pct": {"value": 25, **HERE}}))
    found = one(read(trial({"responders_30pct": block})), "responders_30pct")
    assert (found.active.events, found.control.events, found.provenance) == (20, 10, "derived")


def test_ratings_on_a_hundred_are_put_on_ten(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(
        ("nabiximols", {"change_mean": -20, "change_sd": 25}),
        ("placebo", {"change_mean": -8, "change_sd": 20}),
    )
    found = one(read(trial({"pain_vas_0_100": block})), "pain_nrs")
    assert (found.active.mean, found.active.sd, found.control.mean) == (-2.0, 2.5, -0.8)


def test_improvement_that_counts_as_positive_is_turned(read) -> None:  # type: ignore[no-untyped-def]
    block = {"diff": 0.9, "ci": [-0.4, 2.2]}
    found = one(read(trial({"ashworth_total_reduction_vs_placebo": block})), "ashworth_total")
    assert (found.given.estimate, found.given.low, found.given.high) == (-0.9, -2.2, 0.4)


def test_a_scale_whose_top_is_best_is_turned_round(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"end_mean": 60, "end_sd": 20}), ("placebo", {"end_mean": 45, "end_sd": 20}))
    found = one(read(trial({"pain_vas_0_100_higher_better": block})), "pain_nrs")
    assert (found.active.mean, found.control.mean) == (4.0, 5.5)


def test_a_standard_error_is_no_deviation(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"change_mean": -2, "se": 0.3}), ("placebo", {"change_mean": -1, "se": 0.3}))
    found = one(read(trial({"pain_nrs": block})), "pain_nrs")
    assert found.active.sd == pytest.approx(0.3 * math.sqrt(50))
    assert found.control.sd == pytest.approx(0.3 * math.sqrt(40))


def test_the_interval_of_a_mean_gives_its_deviation() -> None:
    # Rog 2005: -2.7 (-3.4 to -2.0) in 34 people; t of 33 degrees 2.0345; 1.4 / (2 * 2.0345) * sqrt(34) = 2.006
    found = one(shipped_studies(), "pain_nrs", cause="multiple_sclerosis", product="nabiximols")
    assert (found.study, found.active.sd) == ("rog_2005", pytest.approx(2.006, abs=0.001))


def test_per_protocol_figures_are_shown_and_not_pooled(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"pct_pp": 60}), ("placebo", {"pct_pp": 30}))
    studies = read(trial({"responders_30pct": block}))
    assert comparisons(studies, outcome="responders_30pct") == []
    (left,) = left_out(studies, outcome="responders_30pct")
    assert "per protocol" in left.reason


def test_arms_that_share_a_control_group_are_one_comparison(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("THC", {"n": 10, "N": 30}), ("CBD", {"n": 8, "N": 30}), ("placebo", {"n": 6, "N": 30}))
    found = one(read(trial({"responders_30pct": block})), "responders_30pct")
    assert (found.active.events, found.active.n, found.control.events, found.control.n) == (18, 60, 6, 30)
    assert (found.product, found.products) == ("", ("dronabinol", "cannabidiol_solution"))
    assert "arms combined" in found.note


def test_one_arm_alone_has_the_whole_control_group(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("THC", {"n": 10, "N": 30}), ("CBD", {"n": 8, "N": 30}), ("placebo", {"n": 6, "N": 30}))
    found = one(read(trial({"responders_30pct": block})), "responders_30pct", product="dronabinol")
    assert (found.control.n, found.control.events) == (30, 6)


def test_stated_differences_against_a_shared_control_are_averaged_with_their_covariance(read) -> None:  # type: ignore[no-untyped-def]
    arms = [{"arm": name, "n_analysed": 40} for name in ("THC", "CBD", "placebo")]
    block = rows(("THC", {"diff": -1, "ci": [-1.98, -0.02]}), ("CBD", {"diff": -0.5, "ci": [-1.48, 0.48]}))
    found = one(read(trial({"spasticity_nrs_vs_placebo": block}, arms=arms)), "spasticity_nrs")
    # SE 0.5 is of a variance 1/40 + 1/40; of both arms together it is 1/80 + 1/40
    assert found.given.se == pytest.approx(0.5 * math.sqrt(0.75), rel=1e-3)
    assert found.given.estimate == pytest.approx(-0.75)


def test_treatments_of_one_crossover_are_compared_by_their_mean(read) -> None:  # type: ignore[no-untyped-def]
    names, arms = ("THC", "CBD", "placebo"), [{"arm": "all", "n_analysed": 20}]
    block = rows(
        *((name, {"mean": mean, "sd": 2.0}) for name, mean in zip(names, (3.0, 4.0, 5.0), strict=True))
    )
    made = read(trial({"pain_nrs": block}, design="crossover", arms=arms, correlation=0.6))
    found = effect(one(made, "pain_nrs"), "MD")
    # with one correlation and one deviation: 4 (1 + 1/2) (1 - 0.6) / 20
    assert (found.y, found.v, found.n) == (pytest.approx(-1.5), pytest.approx(4 * 1.5 * 0.4 / 20), 20)


def test_the_same_people_under_two_entries_have_one_key() -> None:
    keys = {each.study: each.patients.partition("/")[0] for each in every(shipped_studies())[0]}
    assert keys["zajicek_2003_CAMS"] == keys["zajicek_2005_CAMS12"] == "CAMS"
    assert keys["novotna_2011_phaseB"] == "novotna_2011"


def test_a_users_entries_with_one_registry_number_are_of_the_same_people(read) -> None:  # type: ignore[no-untyped-def]
    block = {"responders_30pct": rows(("nabiximols", {"n": 20, "N": 48}), ("placebo", {"n": 9, "N": 39}))}
    week15, year = trial(block, registry="NCT00000001"), trial(block, id="smith_2021", registry="NCT00000001")
    found = comparisons(read(week15, year), outcome="responders_30pct")
    assert [each.patients for each in found] == ["smith_2020", "smith_2020"]


def test_a_result_whose_sign_is_not_stated_is_no_estimate() -> None:
    asked = {"outcome": "spasticity_nrs", "cause": "multiple_sclerosis"}
    assert "hansen_2023" not in {each.study for each in comparisons(shipped_studies(), **asked)}
    (left,) = [each for each in left_out(shipped_studies(), **asked) if each.study == "hansen_2023"]
    assert "sign of the differences not stated" in left.reason
    assert "CBD MD 0.46 (-0.74 to 1.65)" in left.text
    # by participants: (32 * 0.24 + 31 * 0.46 + 31 * 0.1) / 94
    assert left.either.given.estimate == pytest.approx(0.2664, abs=1e-4)


def test_an_uncertain_sign_in_a_users_file_is_left_out_with_the_reason(read) -> None:  # type: ignore[no-untyped-def]
    block = {"pain_nrs_between": {"diff": 0.5, "ci": [-0.2, 1.2]}, "sign_convention": "it is not stated"}
    studies = read(trial(block))
    assert comparisons(studies, outcome="pain_nrs") == []
    assert "sign" in left_out(studies, outcome="pain_nrs")[0].reason


def test_a_crossover_says_that_its_correlation_is_assumed() -> None:
    (found,) = [
        each for each in comparisons(shipped_studies(), outcome="pain_nrs") if each.study == "svendsen_2004"
    ]
    assert (found.design, found.correlation) == ("crossover", 0.5)
    assert "assumed" in found.assumed or "correlation" in found.assumed


def test_a_crossover_that_states_its_correlation_is_taken_at_its_word(read) -> None:  # type: ignore[no-untyped-def]
    block = rows(("nabiximols", {"mean": 4.0, "sd": 2.0}), ("placebo", {"mean": 5.0, "sd": 2.0}))
    arms = [{"arm": "all", "n_analysed": 20}]
    stated = one(read(trial({"pain_nrs": block}, design="crossover", arms=arms, correlation=0.8)), "pain_nrs")
    assert (stated.correlation, stated.assumed) == (0.8, "")
    # sd of differences 2 sqrt(2 (1 - 0.8)), over sqrt(20)
    assert effect(stated, "MD").se == pytest.approx(2 * math.sqrt(0.4) / math.sqrt(20))
    assert effect(stated, "MD", correlation=0.2).v == effect(stated, "MD").v
    silent = one(read(trial({"pain_nrs": block}, design="crossover", arms=arms)), "pain_nrs")
    assert effect(silent, "MD", correlation=0.8).v == pytest.approx(effect(stated, "MD").v)


def test_a_subgroup_is_shown_and_not_pooled() -> None:
    asked = {"outcome": "spasticity_nrs", "cause": "multiple_sclerosis"}
    assert "wade_2004" not in {each.study for each in comparisons(shipped_studies(), **asked)}
    (left,) = [each for each in left_out(shipped_studies(), **asked) if each.study == "wade_2004"]
    assert left.reason.startswith("a subgroup, patients whose main symptom was spasticity")
    assert "-2.28 (-3.55 to -1.01)" in left.text
    assert left.cited


def test_own_studies_mark_a_subgroup_as_well(read) -> None:  # type: ignore[no-untyped-def]
    block = {"diff": -2.0, "ci": [-3.0, -1.0], "subgroup": "those under 40"}
    studies = read(trial({"spasticity_nrs_between": block}))
    assert comparisons(studies, outcome="spasticity_nrs") == []
    (left,) = left_out(studies, outcome="spasticity_nrs")
    assert left.reason == "a subgroup, those under 40: shown, not pooled"
    assert left.text == "difference -2 (-3 to -1)"


@pytest.mark.parametrize("bad", ["rejected", "randomised", "comparator"])
def test_what_is_no_comparison_is_left_out_with_the_reason(read, bad: str) -> None:  # type: ignore[no-untyped-def]
    fields = {"rejected": {"rejected": "retracted"}, "randomised": {"randomised": False},
              "comparator": {"comparator": "amitriptyline"}}[bad]  # fmt: skip
    block = rows(("nabiximols", {"n": 20, "N": 48}), ("placebo", {"n": 9, "N": 39}))
    studies = read(trial({"responders_30pct": block}, **fields))
    assert comparisons(studies, outcome="responders_30pct") == []
    assert left_out(studies, outcome="responders_30pct")[0].reason


def test_nothing_of_the_shipped_base_is_dropped_silently() -> None:
    studies = shipped_studies()
    made, unused = every(studies)
    seen = {(each.study, each.outcome) for each in (*made, *unused)} | {(each.study, "") for each in unused}
    named = {each.study for each in (*made, *unused)}
    for entry in studies.trials:
        assert not entry.results or entry.id in named
        for row in entry.results:
            words = row.name.outcomes or ("",)
            assert any((entry.id, word) in seen for word in words), (entry.id, row.place)


def test_every_number_that_is_used_says_where_it_comes_from() -> None:
    for each in every(shipped_studies())[0]:
        assert each.cited, each.label
        for cited in each.cited:
            assert cited.provenance in ("read", "derived", "recalled")
            assert cited.url or cited.provenance != "read", (each.label, cited)


def test_designs_are_kept_apart() -> None:
    asked = {"outcome": "responders_30pct", "cause": "multiple_sclerosis"}
    enriched = {each.study for each in comparisons(shipped_studies(), **asked, design="enriched")}
    parallel = {each.study for each in comparisons(shipped_studies(), **asked, design="parallel")}
    assert enriched == {"novotna_2011_phaseB", "markova_2019_SAVANT"}
    assert parallel == {"collin_2007", "collin_2010"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("MS (119) and SCI (15): neuropathic pain and/or spasticity", "multiple_sclerosis"),
        ("SCI/disease neuropathic pain (incl. MS)", "spinal_cord_injury"),
        ("neuropathic pain incl. MS / neurological dysfunction", "neuropathic_pain"),
        ("TMD / sleep bruxism", "temporomandibular"),
        ("exertion (DOMS)", "exertion_soreness"),
        ("als", "als"),
    ],
)
def test_causes_are_read_from_words(text: str, word: str) -> None:
    found = find("causes", text)
    assert found is not None
    assert found.word == word


def test_responders_to_nothing_named_are_of_pain_where_the_trial_is_about_pain() -> None:
    assert read_name("responders_30pct", ("spontaneous_pain",)).outcomes == ("pain_responders_30pct",)
    assert read_name("responders_30pct", ("spasticity_nrs", "pain_nrs")).outcomes == ("responders_30pct",)


@pytest.mark.parametrize(
    ("kind", "word", "near"),
    [
        ("outcome", "spasticity_nr", "spasticity_nrs"),
        ("cause", "alss", "als"),
        ("design", "paralel", "parallel"),
    ],
)
def test_an_unknown_word_gets_the_nearest_and_all(kind: str, word: str, near: str) -> None:
    asked = {"outcome": "spasticity_nrs", kind: word}
    with pytest.raises(EvidenceError) as caught:
        comparisons(shipped_studies(), **asked)
    assert f"Did you mean {near}?" in str(caught.value)
    if kind == "outcome":
        assert all(each in caught.value.allowed for each in outcomes())
