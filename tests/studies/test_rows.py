"""Studies with a design and rows of results: the same as in words, and every slip a finding with its line."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
import yaml

from lissive.errors import StudyError
from lissive.studies import entry, read_studies, shipped_studies
from lissive.studies.read import SHIPPED

from .small import STUDY, line_of, read, skipped, wrong

DESIGN: dict[str, Any] = {
    "n": 8,
    "female": 0,
    "weight_kg": 74.0,
    "weight_sd": 11.25,
    "route": "oral",
    "form": "capsule",
    "THC_mg": 10,
    "food": "fasted",
    "doses": 1,
    "matrix": "plasma",
}
ROW = {"arm": "doe2010", "analyte": "THC", "provenance": "read"}
ROWS: dict[str, Any] = {
    "citation": {"authors": "Doe J", "year": 2010},
    "doi": "10.1000/doe",
    "arms": {"doe2010": {"split": "validation", "design": DESIGN}},
    "results": [
        {**ROW, "metric": "Cmax", "value": 3.0, "unit": "ng/mL", "spread": 1.5, "spread_kind": "SD"},
        {**ROW, "metric": "Tmax", "stat": "median", "value": 2.0, "unit": "h"},
        {**ROW, "metric": "AUC", "stat": "geomean", "value": 9.0, "unit": "ng*h/mL", "to": "last"},
        {**ROW, "metric": "C", "time_h": 1, "value": 2.0, "unit": "ng/mL"},
        {
            **ROW,
            "metric": "C",
            "time_h": 2,
            "value": 2.8,
            "unit": "ng/mL",
            "spread": 1.4,
            "spread_kind": "SD",
        },
    ],
}
D = ("arms", "doe2010", "design")


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    study: Any = copy.deepcopy(ROWS)
    at = study
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = to
    return study


def test_rows_and_words_say_the_same(tmp_path):
    assert read(tmp_path, ROWS).observations == read(tmp_path, STUDY).observations


WRONG: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("moood",), "good", "moood is no field of a study"),
    (("arms", "doe2010", "spilt"), "validation", "write split"),
    ((*D, "fod"), "fasted", "write food"),
    ((*D, "food"), "hungry", "fasted, low-fat, fed, high-fat"),
    ((*D, "users"), "many", "heavy, light, mixed"),
    ((*D, "route"), None, "route None is unknown"),
    ((*D, "matrix"), None, "matrix"),
    ((*D, "doses"), None, "doses"),
    ((*D, "doses"), 3, "every_h"),
    ((*D, "female"), 1.5, "up to 1"),
    ((*D, "dose_is"), "guessed", "loaded, delivered, nominal"),
    ((*D, "liver"), "terrible", "moderate"),
    (D, {"dose_is": "delivered"}, "route None is unknown"),
    ((*D, "sampling_h"), [], "a list"),
    ((*D, "comedication"), "ketoconazole", "a list"),
    (("arms", "doe2010", "design"), None, "no design"),
    (("arms", "doe2010", "split"), "test", "calibration, validation, context"),
    (("arms", "doe2010", "control"), "nobody", "nobody"),
    (("results",), None, "no list of results"),
    (("results", 0, "arm"), "roe2011", "doe2010"),
    (("results", 0, "medain"), 2.5, "no field of a row"),
    (("results", 0, "provenance"), None, "provenance is None"),
    (("results", 0, "analyte"), "delta-8-THC", "delta-8-THC"),
    (("results", 0, "value"), -3.0, "over 0"),
    (("results", 0, "value"), "14.3±7.7", "over 0"),
    (("results", 0, "unit"), "mg/mL", "impossible"),
    (("results", 0, "unit"), "h", "no unit of Cmax"),
    (("results", 2, "to"), "tau", "last or inf"),
    (("results", 2, "to"), -1, "last or inf"),
    (("results", 2, "window"), [1], "text"),
    (("results", 3, "time_h"), None, "the time of the concentration"),
    (("results", 3, "interval"), [1, "x"], "a list"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_a_slip_is_a_finding_with_its_line(tmp_path, path, value, said):
    message = wrong(tmp_path, changed(*path, to=value))
    file = tmp_path / "studies.yaml"
    inner = [part for part in path if part != "doses" or value is None]
    line = line_of(file.read_text(), 0, *inner)
    assert said in message
    assert f"{file}:{line}, study " in message


def test_an_area_ends_after_it_starts(tmp_path):
    row = {**ROW, "metric": "AUC", "value": 9.0, "unit": "ng*h/mL", "from_h": 4, "to": 2}
    assert "results.0.to: to is 2" in wrong(tmp_path, {**ROWS, "results": [row]})


def test_an_id_that_two_studies_have(tmp_path):
    assert "The id comes twice" in wrong(tmp_path, ROWS, STUDY)


def test_arms_that_are_none(tmp_path):
    with pytest.raises(StudyError, match="The study has no arms"):
        read(tmp_path, {**ROWS, "arms": []})


def test_a_reason_not_to_simulate_is_listed_and_nothing_scored(tmp_path):
    study = changed(*D, to={**DESIGN, "doses": None, "not_simulated": {"dose.schedule": "it escalates"}})
    made = read(tmp_path, study)
    assert made.observations == ()
    assert skipped(made) == {"dose.schedule": "it escalates"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"value": None, "note": "not reported"}, "no value known: not reported"),
        ({"value": None, "interval": [2, 5], "level": "range"}, "a range, 2 to 5, is no single number"),
        ({"value": None, "printed": ">20"}, "'>20' is no single number"),
        ({"left_out": "only in the figure"}, "only in the figure"),
        ({"metric": "Cmx"}, "write Cmax, if that is meant"),
        ({"metric": "F"}, "relative to another arm"),
        ({"stat": "range"}, "not a mean"),
    ],
)
def test_a_row_that_is_not_scored_is_listed(tmp_path, fields, why):
    study = {**ROWS, "results": [{**ROWS["results"][0], **fields}]}
    made = read(tmp_path, study)
    assert made.observations == ()
    assert [why in each.why for each in made.skipped] == [True]


def test_unspecified_meals_and_users_are_told(tmp_path):
    fed = read(tmp_path, changed(*D, "food", to="fed")).observations[0].arm
    assert (fed.fed, fed.assumed) == (1.0, ("a fatty meal",))
    smoked = changed(*D, to={**DESIGN, "route": "smoked", "duration_min": 10, "dose_is": "loaded"})
    assert read(tmp_path, smoked).observations[0].arm.assumed == ("light users",)


@pytest.mark.slow
def test_nothing_odd_anywhere_is_a_fault_of_the_program(tmp_path):
    """Every odd value in every place is read, listed as left out, or refused by name; never a traceback."""
    odd: list[Any] = [
        None,
        "ten",
        True,
        -1,
        0,
        10**30,
        5e-324,
        "",
        float("inf"),
        [],
        [[1]],
        {},
        {"value": [1]},
        "last",
    ]
    places = [
        *(("arms", "doe2010", name) for name in ("split", "split_note", "control", "notes", "design")),
        *((*D, name) for name in entry.fields("design")),
        *(("results", 2, name) for name in entry.fields("row")),
        *((name,) for name in ("citation", "arms", "results", "remarks")),
        ("results", 2),
    ]
    studies = [changed(*place, to=value) for place in places for value in odd]
    file = tmp_path / "odd.json"
    refusals: list[str] = []
    for study in studies:
        file.write_text(json.dumps([study]), encoding="utf-8")
        try:
            made = read_studies(file)
        except StudyError as error:
            refusals.append(str(error))
        else:
            assert len(made.observations) == 5 or made.skipped or not study["results"]
    assert len(refusals) > len(studies) / 3
    lines = [line for each in refusals for line in each.splitlines()]
    assert all(re.match(r".*odd.json:\d+, study .*, [\w.]*: ", line) for line in lines)


def test_repeated_doses(tmp_path):
    arm = read(tmp_path, changed(*D, to={**DESIGN, "every_h": 12, "doses": 3})).observations[0].arm
    assert arm.dose_times == (0.0, 12.0, 24.0)


def test_the_shipped_rows_use_the_fields_of_the_table_and_nothing_is_wrong():
    """Each field of fields.tsv has a use, so that none stands there in vain."""
    studies = yaml.load(SHIPPED.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    used = {name for study in studies for arm in study["arms"].values() for name in arm["design"]}
    unused = entry.fields("design").keys() - used
    assert unused <= {
        "per_kg",
        "duration_min",
        "cyp2c9",
        "liver",
        "sampling_h",
        "assumed",
        "before",
        "residual_ng_mL",
    }
    assert shipped_studies().observations
