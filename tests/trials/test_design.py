"""Designs: what is refused, with its line and a way out; and what a design says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.errors import DesignError
from lissive.trials.design import Analysis, Design, located, read_design
from lissive.trials.parts import EVENTS, MEASURES, Arm, Crossover, Endpoint, Keep, Population, RunIn

FILE = """\
trial: t
population:
  cause: multiple_sclerosis
  inclusion: {spasticity_nrs: {at_least: 4}}
patients: 20
arms:
  drug: {product: nabiximols, most_per_day: 12}
  placebo: {product: nabiximols, placebo: true, most_per_day: 12}
weeks: 4
visits_weeks: [2, 4]
endpoints:
  - {measure: spasticity_nrs}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("at_least: 4", "at_least: 11", 4, "excludes everyone"),
        ("at_least: 4", "at_least: 6, at_most: 5", 4, "excludes everyone"),
        ("inclusion: {spasticity_nrs", "inclusion: {spasticity", 4, "Did you mean spasticity_nrs?"),
        ("patients: 20", "patients: 1", 5, "1 for 2 arms"),
        ("patients: 20\n", "", 1, "patients is missing"),
        ("weeks: 4\nv", "weeks: 4\nratio: {drug: 0, placebo: 0}\nv", 10, "sums to zero"),
        ("weeks: 4\nv", "weeks: 4\nratio: {drug: 1000000, placebo: 1000000}\nv", 10, "0 to 200000"),
        ("weeks: 4\nv", "weeks: 4\nratio: {drug: 1, plazebo: 1}\nv", 10, "Did you mean placebo?"),
        ("weeks: 4\nv", "weeks: 4\nrun_in: {arm: drugs, weeks: 1}\nv", 10, "is not an arm"),
        ("weeks: 4\nv", "weeks: 4\nanalysis: {control: nobody}\nv", 10, "is not an arm"),
        ("weeks: 4\nv", "weeks: 4\ncrossover: {sequences: [[drug, sham]]}\nv", 10, "is not an arm"),
        ("weeks: 4\nv", "weeks: 4\ncrossover: {sequences: [[drug, placebo], [placbo, drug]]}\nv", 10, "[1][0]"),
        ("weeks: 4\nv", "weeks: 4\nratio: {drug: 20, placebo: 1}\nv", 5, "Allowed: 21 or more"),
        ("drug: {product: nabiximols, most_per_day: 12", "drug: {product: nabiximols, most_per_day: 60", 7, "48 spray"),
        ("drug: {product: nabiximols, most", "drug: {product: dronabinol, titration: label, most", 7, "no label"),
        ("drug: {product: nabiximols,", "drug: {product: nabiximol,", 7, "Did you mean nabiximols?"),
        ("[2, 4]", "[2, 6]", 10, "to 4 weeks"),
        ("[2, 4]", "[2, 1.0e+308]", 10, "to 4 weeks"),
        ("[2, 4]", "[1.0e+308]", 10, "to 4 weeks"),
        ("[2, 4]", "[0.01, 4]", 10, "from one day"),
        ("\n  - {measure: spasticity_nrs}", " []", 11, "endpoints is empty"),
        ("_nrs}\n", "_nrs, at_week: 3}\n", 12, "no such visit"),
        ("_nrs}\n", "_nrs}\n  - {measure: spasticity_nrs}\n", 13, "is a duplicate"),
        ("_nrs}\n", "_nrs, rises_by_pct: 20}\n", 12, "only failure"),
        ("measure: spasticity_nrs}\n", "measure: failure}\n", 12, "rises_by_pct is missing"),
        ("measure: spasticity_nrs}\n", "measure: withdrawal, falls_by_pct: 30}\n", 12, "no responders"),
        ("weeks: 4\nv", "weeks: 4\nlength: 4\nv", 10, "not a known field"),
        ("measure: spasticity_nrs}\n", "measure: spasticity}\n", 12, "Did you mean spasticity_nrs?"),
        ("_nrs}\n", "_nrs, leaves: true}\n", 12, "only failure has it"),
        ("_nrs}\n", "_nrs}\n  - {measure: failure, rises_by_pct: 20, weeks_in_a_row: 5}\n", 13, "needs 5 weeks"),
        *(
            ("weeks: 4\nv", f"weeks: 4\nanalysis: {{{given}}}\nv", 10, said)
            for given, said in (
                ("missing: mmmr", "mmrm"),
                ("estimand: hypothetical, missing: locf", "stands for while_on_treatment, not for hypothetical"),
                ("non_inferiority_margin: -0.5", "above 0"),
                ("non_inferiority_margin: 0", "above 0"),
                ("key_secondary: [pain_nrs]", "names 'pain_nrs', which is no other endpoint"),
                ("key_secondary: [spasticity_nrs]", "names 'spasticity_nrs', which is no other endpoint"),
                ("interim: {at: [0.5, 0.3]}", "increasing shares"),
                ("interim: {at: [1]}", "increasing shares"),
                ("interim: {at: 0.5}", "a list of numbers, as in"),
                ("interim: {at: [0.5], spending: hochberg}", "obrien_fleming, pocock"),
                ("interim: {at: [0.5]}, non_inferiority_margin: 1", "given with a non-inferiority margin"),
            )
        ),
        (
            "weeks: 4\nv",
            "weeks: 4\ncrossover: {sequences: [[drug, placebo], [placebo, drug]]}\nanalysis: {missing: mmrm}\nv",
            11,
            "analysed within participants",
        ),
        (
            "measure: spasticity_nrs}\n",
            "measure: spasms_per_day}\nanalysis: {non_inferiority_margin: 1}\n",
            13,
            "is not compared as a difference",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_line_and_a_way_out(old, new, line, said, tmp_path):
    path = tmp_path / "t.yaml"
    assert FILE.count(old) == 1
    path.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(DesignError) as found:
        read_design(path)
    first = str(found.value).splitlines()[0]
    assert first.startswith(f"{path}:{line}: ")
    assert said in str(found.value)
    assert len(str(found.value).splitlines()) == 1
    assert "What to do:" in first


def test_what_only_turns_out_later_is_told_with_its_line_too(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(FILE, encoding="utf-8")
    with pytest.raises(DesignError, match=f"{path}:4: population.inclusion: Nobody.") as found, located(path):
        raise DesignError("Nobody.", where="population.inclusion", do="widen it.")
    assert found.value.do == "widen it."
    with pytest.raises(DesignError, match=f"{path}:1: run_in.keep"), located(path):
        raise DesignError("Nobody.", where="run_in.keep")
    with pytest.raises(DesignError, match="^--n: Nobody"), located(path):
        raise DesignError("Nobody.", where="--n")


def test_the_kind_follows_from_what_happens_before_randomisation(small):
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 20.0}
    assert small().kind == "parallel"
    assert small(run_in={"arm": "drug", "weeks": 1, "keep": keep}).kind == "withdrawal"
    assert small(run_in={"arm": "drug", "weeks": 1, "keep": keep, "washout_days": 7}).kind == "enriched"
    assert small(run_in={"arm": "placebo", "weeks": 1}).kind == "parallel"
    assert small(crossover={"sequences": [["drug", "placebo"], ["placebo", "drug"]]}).kind == "crossover"


def test_the_first_placebo_is_the_control(small):
    assert small().control == "placebo"
    assert small(analysis={"control": "drug"}).control == "drug"


def test_the_how_to_has_every_field():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "trials.md").read_text(encoding="utf-8")
    for part in (Design, Population, Arm, RunIn, Keep, Crossover, Endpoint, Analysis):
        for name in part.model_fields:
            assert re.search(rf"`{name}`|[{{ ]{name}[,}}]", page), f"{part.__name__}.{name}"
    for measure in (*MEASURES, *EVENTS):
        assert f"`{measure}`" in page
