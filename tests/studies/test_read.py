"""Files of studies: what is read of them, what is refused by name and line, and what is listed as left out."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from lissive.cli.main import main
from lissive.errors import StudyError
from lissive.model.parameters import load_genotypes, load_interactions, load_liver, load_parameters
from lissive.studies import Observation, Studies, read_studies, shipped_studies, words
from lissive.studies.observation import INFINITE, LAST, PRINTED
from lissive.studies.read import SHIPPED

from .small import STUDY, A, changed, line_of, read, write

INTRAVENOUS = ((("dose", "route"), "iv"), (("dose", "formulation"), "ethanol"))


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `lissive validate` says of a file that it does not take."""
    assert main(["validate", "--studies", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def metric(studies: Studies, name: str) -> Observation:
    (found,) = (each for each in studies.observations if each.metric == name)
    return found


def skipped(studies: Studies) -> dict[str, str]:
    return {each.what: each.why for each in studies.skipped}


class TestWhatIsRead:
    def test_every_number_with_its_statistic_window_and_spread(self, tmp_path):
        made = read(tmp_path, STUDY)
        assert made.skipped == ()
        assert [(o.metric, o.value, o.unit, o.stat) for o in made.observations] == [
            ("Cmax", 3.0, "ng/mL", "mean"),
            ("Tmax", 2.0, "h", "median"),
            ("AUC", 9.0, "ng*h/mL", "geomean"),
            ("C", 2.0, "ng/mL", "mean"),
            ("C", 2.8, "ng/mL", "mean"),
        ]
        assert {(o.study, o.analyte, o.provenance, o.split, o.doi) for o in made.observations} == {
            ("doe2010", "THC", "read", "validation", "10.1000/doe")
        }
        assert [o.cv for o in made.observations] == [0.5, None, None, None, 0.5]
        assert [o.time for o in made.observations] == [None, None, None, 1.0, 2.0]
        assert metric(made, "AUC").window == (0.0, LAST)

    def test_the_arm(self, tmp_path):
        arm = read(tmp_path, STUDY).observations[0].arm
        assert (arm.n, arm.route, arm.thc_mg, arm.cbd_mg, arm.per_kg) == (8, "oral", 10.0, 0.0, False)
        assert (arm.dose_times, arm.fed, arm.weight, arm.female) == ((0.0,), 0.0, (74.0, 11.25), 0.0)
        assert arm.assumed == ()

    @pytest.mark.parametrize(
        ("change", "assumed"),
        [
            ((("population", "n"), None), "12 people"),
            ((("dose", "fed_state"), None), "fasted"),
            ((("dose", "schedule"), "BID"), "7 days of repeated doses"),
        ],
    )
    def test_what_the_study_does_not_say_is_told(self, tmp_path, change, assumed):
        made = read(tmp_path, changed(change))
        assert all(assumed in each.assumed for each in made.observations)

    def test_what_smoking_takes_for_granted_is_told(self, tmp_path):
        smoked = changed((("dose", "route"), "smoked"), (("population", "status"), None))
        early = changed((("dose", "route"), "smoked"), ((*A, "conc_time"), [[0.05, 50.0]]))
        arm, clock = (read(tmp_path, each).observations[0].arm for each in (smoked, early))
        assert (arm.assumed, arm.duration, arm.clock_after) == (("light users", "smoked over 9 min"), 0.15, 0)
        assert clock.assumed == ("smoked over 9 min", "clock from the end of smoking")
        assert clock.clock_after == clock.duration == 0.15

    @pytest.mark.parametrize(
        ("which", "window"),
        [
            ("0-inf", (0.0, INFINITE)),
            ("0-t", (0.0, LAST)),
            ("0-12", (0.0, 12.0)),
            ("0-360 min", (0.0, 6.0)),
            ("0-2 d", (0.0, 48.0)),
        ],
    )
    def test_windows(self, tmp_path, which, window):
        assert metric(read(tmp_path, changed(((*A, "AUC", "which"), which))), "AUC").window == window

    def test_json_works_as_well(self, tmp_path):
        path = tmp_path / "studies.json"
        path.write_text(json.dumps([STUDY], indent=1), encoding="utf-8")
        assert read_studies(path).observations == read(tmp_path, STUDY).observations

    def test_json_is_refused_by_line_too(self, tmp_path, capsys):
        path = tmp_path / "studies.json"
        path.write_text(json.dumps([changed((("dose", "route"), "nasal"))], indent=1), encoding="utf-8")
        line = 1 + path.read_text().splitlines().index('   "route": "nasal",')
        assert f"{path}:{line}, study doe2010, dose.route: " in refused(path, capsys)


class TestUnits:
    """By hand; molar masses of THC 314.46 and of 11-OH-THC 330.46 g/mol."""

    @pytest.mark.parametrize(
        ("name", "unit", "value", "wanted"),
        [
            ("Cmax", "ng/mL", 10.0, 10.0),
            ("Cmax", "ug/L", 10.0, 10.0),
            ("Cmax", "pg/mL", 1500.0, 1.5),
            ("Cmax", "mg/L", 0.25, 250.0),
            ("Cmax", "nmol/L", 10.0, 3.1446),
            ("Cmax", "pmol/mL", 10.0, 3.1446),
            ("AUC", "ng*h/mL", 9.0, 9.0),
            ("AUC", "ng*min/mL", 600.0, 10.0),
            ("AUC", "ug*h/L", 9.0, 9.0),
            ("AUC", "nmol*h/L", 100.0, 31.446),
            ("Tmax", "h", 1.5, 1.5),
            ("Tmax", "min", 90.0, 1.5),
            ("thalf", "day", 2.0, 48.0),
            ("CL_F", "L/h", 800.0, 800.0),
            ("CL_F", "mL/min", 1000.0, 60.0),
            ("CL_F", "mL/min/kg", 10.0, 10.0 * 74.0 * 60.0 / 1000.0),
            ("Vz_F", "L/kg", 20.0, 20.0 * 74.0),
            ("Vz_F", "mL", 5e6, 5000.0),
        ],
    )
    def test_conversion(self, tmp_path, name, unit, value, wanted):
        made = read(tmp_path, changed(((*A, name), {"value": value, "unit": unit, "stat": "mean"})))
        assert metric(made, name).value == pytest.approx(wanted, rel=1e-9)

    def test_each_analyte_has_its_own_molar_mass(self, tmp_path):
        molar = changed(
            ((*A, "analyte"), "11-OH-THC"), ((*A, "Cmax"), {"value": 10, "unit": "nmol/L", "stat": "mean"})
        )
        assert metric(read(tmp_path, molar), "Cmax").value == pytest.approx(3.3046)

    def test_a_coefficient_of_variation_survives_the_conversion(self, tmp_path):
        row = {"value": 600, "unit": "ng*min/mL", "stat": "mean", "spread": 240, "spread_type": "SD"}
        made = read(tmp_path, changed(((*A, "AUC"), row)))
        assert metric(made, "AUC").cv == pytest.approx(0.4)

    def test_per_kg_without_a_weight_is_per_reference_weight(self, tmp_path):
        row = {"value": 1.0, "unit": "L/h/kg", "stat": "mean"}
        made = read(tmp_path, changed(((*A, "CL_F"), row), (("population", "notes"), None)))
        assert metric(made, "CL_F").value == load_parameters()["weight_ref"].value


WRONG: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("unknown analyte", (*A, "analyte"), "delta-8-THC", "delta-8-THC"),
    ("another molecule with a known name in it", (*A, "analyte"), "THC-glucuronide", "THC-glucuronide"),
    ("no analyte", (*A, "analyte"), None, "None"),
    ("unknown route", ("dose", "route"), "intranasal", "intranasal"),
    ("unknown unit", (*A, "Cmax", "unit"), "glugs/mL", "glugs/mL"),
    ("no unit", (*A, "Cmax", "unit"), None, "None"),
    ("unit of the wrong kind", (*A, "Cmax", "unit"), "mg", "ng/mL"),
    ("time as a concentration", (*A, "Tmax", "unit"), "ng/mL", "h"),
    ("concentration as an area", (*A, "AUC", "unit"), "ng/mL", "ng*h/mL"),
    ("unknown statistic", (*A, "Cmax", "stat"), "mode", "mode"),
    ("unknown split", ("split",), "test", "test"),
    ("no split", ("split",), None, "None"),
    ("unknown provenance", (*A, "provenance"), "guessed", "guessed"),
    ("unknown matrix", ("matrix",), "hair", "hair"),
    ("null dose", ("dose", "THC_mg"), None, "needs the dose"),
    ("negative dose", ("dose", "THC_mg"), -10, "-10"),
    ("zero dose", ("dose", "THC_mg"), 0, "is 0"),
    ("a dose that is yes or no", ("dose", "THC_mg"), True, "True"),
    ("a dose of a ton", ("dose", "CBD_mg"), 1e9, "up to 100000"),
    ("null time", (*A, "conc_time", 0), [None, 2.0], "None"),
    ("null concentration", (*A, "conc_time", 1), [2, None], "None"),
    ("negative time", (*A, "conc_time", 0), [-1, 2.0], "-1"),
    ("zero concentration", (*A, "conc_time", 0), [1, 0], "0 at 1 h"),
    ("negative concentration", (*A, "conc_time", 0), [1, -0.5], "-0.5"),
    ("a concentration that is yes or no", (*A, "conc_time", 0), [1, True], "True"),
    ("a time beyond all sampling", (*A, "conc_time", 0), [1e9, 2.0], "10000"),
    ("a point of one number", (*A, "conc_time", 0), [1], "two numbers"),
    ("a point that is none", (*A, "conc_time", 0), "early", "early"),
    ("points that are no list", (*A, "conc_time"), 3.0, "no list"),
    ("negative value", (*A, "Cmax", "value"), -3.0, "-3.0"),
    ("zero value", (*A, "Cmax", "value"), 0, "is 0"),
    ("a value that is yes or no", (*A, "Cmax", "value"), True, "True"),
    ("a metric that is a number", (*A, "Cmax"), 3.0, "There is no value"),
    ("a metric that is null", (*A, "Cmax"), None, "There is no value"),
    ("n of zero", ("population", "n"), 0, "is 0"),
    ("negative n", ("population", "n"), -8, "-8"),
    ("n a word", ("population", "n"), "eight", "eight"),
    ("n yes or no", ("population", "n"), True, "True"),
    ("n a fraction", ("population", "n"), 8.5, "8.5"),
    ("n without end", ("population", "n"), 10**30, "10000"),
    ("id null", ("id",), None, "no id"),
    ("id empty", ("id",), "", "no id"),
    ("id a number", ("id",), 2010, "no id"),
    ("population null", ("population",), None, "no population"),
    ("dose null", ("dose",), None, "no dose"),
    ("dose a list", ("dose",), [10], "no dose"),
    ("analytes null", ("analytes",), None, "no list of analytes"),
    ("analytes empty", ("analytes",), [], "no list of analytes"),
    ("analytes a number", ("analytes",), 3, "no list of analytes"),
    ("an analyte that is a word", ("analytes", 0), "THC", "no entry of an analyte"),
    ("unknown genotype", ("dose", "cyp2c9"), "*9/*9", "*1/*3"),
    ("genotype a list", ("dose", "cyp2c9"), ["*1", "*3"], "*1/*3"),
    ("unknown liver", ("dose", "liver"), "terrible", "moderate"),
    ("negative weight", ("population", "weight_kg"), -70, "-70"),
    ("weight in words", ("population", "weight_kg"), "70 kg", "70 kg"),
    ("weight of a whale", ("population", "weight_kg"), 1e5, "350"),
    ("sampling at no time", ("sampling_h",), [], "sampling_h"),
    ("sampling before the dose", ("sampling_h",), [-1, 1], "-1"),
    ("sampling in words", ("sampling_h",), ["noon"], "noon"),
    ("sampling for ever", ("sampling_h",), [1, 1e300], "10000"),
    ("limit of zero", ("lloq_ng_mL",), 0, "over 0"),
    ("limit in words", ("lloq_ng_mL",), "0.1 ng/mL", "0.1 ng/mL"),
    ("a control that is not there", ("control",), "nobody", "nobody"),
    ("its own control", ("control",), "doe2010", "doe2010"),
    ("a control that is a list", ("control",), [1], "control"),
    ("a ratio in ng", (*A, "food_ratio_AUC"), {"value": 2, "unit": "ng"}, "ng"),
    ("a ratio of zero", (*A, "ddi_ratio_AUC"), {"value": {"rifampicin": 0}}, "over 0"),
]


class TestWhatIsRefused:
    @pytest.mark.parametrize(("path", "value", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
    def test_a_mistake_is_named_by_study_field_and_line(self, tmp_path, capsys, path, value, said):
        file = write(tmp_path, changed((path, value)))
        found = re.findall(
            rf"{re.escape(str(file))}:(\d+), study (.*?), ([\w.]+): (.*)", refused(file, capsys)
        )
        assert found, "no finding in the form file:line, study, field"
        line, study, field, what = found[0]
        assert study == str(changed((path, value)).get("id"))
        named = ".".join(str(part) for part in path)
        assert (field + ".").startswith(named + ".") or (named + ".").startswith(field + ".")
        inner: list[str | int] = [int(part) if part.isdigit() else part for part in field.split(".")]
        text = file.read_text()
        while inner:  # the line of the field itself, or of the nearest thing around it that is there
            try:
                assert int(line) == line_of(text, 0, *inner)
                break
            except (StopIteration, IndexError, AttributeError, TypeError):
                inner.pop()
        assert any(said in each[3] for each in found), what

    @pytest.mark.parametrize("value", [-5, 0, True, "ten", [1], 1e9])
    def test_a_length_of_an_infusion_that_is_none(self, tmp_path, capsys, value):
        said = refused(write(tmp_path, changed(*INTRAVENOUS, (("dose", "duration_min"), value))), capsys)
        assert "study doe2010, dose.duration_min: " in said

    def test_a_missing_field_is_named_too(self, tmp_path, capsys):
        for field in ("population", "dose", "matrix", "split", "analytes"):
            said = refused(write(tmp_path, changed(((field,), ...))), capsys)
            assert re.search(rf"studies.yaml:1, study doe2010, {field}(\.\w+)?: ", said), field

    def test_an_id_that_comes_twice_says_where_it_came_first(self, tmp_path, capsys):
        file = write(tmp_path, STUDY, changed((("split",), "context")))
        second = line_of(file.read_text(), 1, "id")
        said = refused(file, capsys)
        assert f"{file}:{second}, study doe2010, id: The id comes twice, first on line 1." in said

    def test_several_mistakes_are_reported_together(self, tmp_path, capsys):
        one = changed(
            (("split",), "test"),
            (("dose", "route"), "intranasal"),
            ((*A, "provenance"), "guessed"),
            ((*A, "Cmax", "unit"), "mg"),
            ((*A, "Tmax", "value"), -1),
        )
        other = changed((("id",), "roe2011"), (("matrix",), "hair"))
        said = refused(write(tmp_path, one, other), capsys).splitlines()
        fields = [re.search(r"study (\S+), (\S+): ", line).groups() for line in said]
        assert Counter(fields) == Counter(
            [
                ("doe2010", "split"),
                ("doe2010", "dose.route"),
                ("doe2010", "analytes.0.provenance"),
                ("doe2010", "analytes.0.Cmax.unit"),
                ("doe2010", "analytes.0.Tmax.value"),
                ("roe2011", "matrix"),
            ]
        )

    def test_one_mistake_is_said_once_however_many_numbers_it_spoils(self, tmp_path, capsys):
        said = refused(
            write(tmp_path, changed(((*A, "analyte"), "THC/11-OH-THC"), ((*A, "Cmax", "unit"), "mg"))), capsys
        )
        assert len(said.splitlines()) == 1

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("none.yaml", None, "no such file"),
            ("studies.txt", "- id: a", ".yaml"),
            ("empty.yaml", "", "empty"),
            ("comment.yaml", "# nothing yet\n", "empty"),
            ("fields.yaml", "id: doe2010\n", "fields.yaml:1: The file is no list"),
            ("word.yaml", "studies\n", "word.yaml:1: The file is no list"),
            ("broken.yaml", "- id: a\n  dose: [1,\n", "no YAML"),
            ("broken.json", '[{"id": "a",]', "broken.json:1: This is no JSON"),
            ("twice.yaml", "- id: a\n  split: context\n  split: validation\n", "twice.yaml:3"),
            ("tag.yaml", "- !!python/object:os.system {}\n", "tag.yaml:1"),
            ("numbers.yaml", "- 3\n", "numbers.yaml:1, study None, id"),
            ("loop.yaml", "- &a [*a]\n", "loop.yaml:1"),
        ],
    )
    def test_a_file_that_is_none(self, tmp_path, capsys, name, text, said):
        path = tmp_path / name
        if text is not None:
            path.write_text(text, encoding="utf-8")
        assert said in refused(path, capsys)

    def test_a_file_that_is_no_text(self, tmp_path, capsys):
        path = tmp_path / "studies.yaml"
        path.write_bytes(b"\xff\xfe\x00\x81")
        assert "cannot be read" in refused(path, capsys)

    def test_a_study_may_be_called_none(self, tmp_path):
        """A study without an id is shown as None; that must not be taken for one that is called so."""
        with pytest.raises(StudyError) as caught:
            read(tmp_path, changed((("id",), ...)), changed((("id",), "None")))
        assert str(caught.value).count("The study has no id") == 1
        assert "twice" not in str(caught.value)


ODD: list[Any] = [
    None, "ten", True, -1, 0, 10**30, 1e308, "", float("inf"), [], [[1]], [None], {}, {"value": [1]}, "*9/*9", "q0h",
    "two doses 0 h apart", "q1h x 9999 weeks",
]  # fmt: skip
PLACES: list[tuple[str | int, ...]] = [
    *(
        (name,)
        for name in "citation doi population dose matrix split split_note sampling_h lloq_ng_mL control notes"
        " analytes".split()
    ),
    ("citation", "year"),
    *(("population", name) for name in "n status sex notes weight_kg".split()),
    *(
        ("dose", name)
        for name in "route formulation THC_mg CBD_mg fed_state schedule comedication cyp2c9 liver duration_min".split()
    ),
    A,
    *(
        (*A, name)
        for name in "analyte provenance Cmax Tmax AUC conc_time CL food_ratio_AUC ratio_AUC".split()
    ),
    *((*A, "AUC", name) for name in "value unit stat which spread spread_type note t_h".split()),
    (*A, "conc_time", 0),
    (*A, "conc_time", 0, 0),
    (*A, "conc_time", 0, 1),
]


def test_nothing_odd_anywhere_is_a_fault_of_the_program(tmp_path):
    """Every odd value in every place is read, listed as left out, or refused by name; never a traceback."""
    for each in ODD:  # an id apart, since other studies may name it
        with contextlib.suppress(StudyError):
            read(tmp_path, changed((("id",), each)))
    smoked = ("dose", "route"), "smoked"
    plain = len(read(tmp_path, changed(smoked)).observations)
    odd = {f"odd{k}": pair for k, pair in enumerate(itertools.product(PLACES, ODD))}
    studies = {name: changed(smoked, (("id",), name), pair) for name, pair in odd.items()}
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(list(studies.values()), indent=0))
    with pytest.raises(StudyError) as caught:
        read_studies(file)
    lines = str(caught.value).splitlines()
    assert all(re.match(r".*odd.json:\d+, study .*, [\w.]+: ", line) for line in lines)
    refused = set(re.findall(r", study (\w+), ", str(caught.value)))
    kept = {name: study for name, study in studies.items() if name not in refused}
    file.write_text(json.dumps(list(kept.values()), indent=0))
    made = read_studies(file)
    whole = Counter(each.study for each in made.observations)
    told = {each.study for each in made.skipped}
    assert {name: odd[name] for name in kept if whole[name] < plain and name not in told} == {}
    assert len(refused) > len(ODD) * 10


class TestWhatIsListedAsLeftOut:
    """It is not wrong, and it is not scored; the list says which and why."""

    @pytest.mark.parametrize(
        ("path", "value", "what", "why"),
        [
            ((*A, "Cmax", "value"), None, "THC Cmax", "no value known"),
            ((*A, "Cmax", "value"), [2.0, 4.0], "THC Cmax", "no single number"),
            ((*A, "Cmax", "value"), ">20", "THC Cmax", "'>20' is no single number"),
            ((*A, "Cmax", "stat"), "range", "THC Cmax", "not a mean"),
            ((*A, "Cmax", "note"), "implausible, do not use", "THC Cmax", "its own note doubts it"),
            ((*A, "Cmax", "median"), 2.5, "THC Cmax.median", "not read"),
            ((*A, "AUC", "which"), "tau", "THC AUC", "'tau' is not understood"),
            ((*A, "AUC", "which"), "12-2", "THC AUC", "'12-2' is not understood"),
            ((*A, "conc_time"), [], "THC conc_time", "no concentrations"),
            ((*A, "conc_time", 0), ["baseline", 2.0], "THC conc_time baseline", "not two numbers"),
            ((*A, "conc_time", 0), [1, "<0.5"], "THC conc_time 1", "'<0.5' at 1 is not two numbers"),
            ((*A, "MRT"), {"value": 3, "unit": "h"}, "THC MRT", "not computed here"),
            ((*A, "F"), {"value": 0.1}, "THC F", "relative to another arm"),
            ((*A, "ddi_ratio_AUC"), {"value": {"grapefruit": 2}}, "THC ddi_ratio_AUC[grapefruit]", "neither"),
            ((*A, "ddi_ratio_AUC"), {"value": {}}, "THC ddi_ratio_AUC", "no value"),
            ((*A, "ratio_AUC"), {"value": 2.0}, "THC ratio_AUC", "over what"),
            ((*A, "accumulation_ratio"), {"value": 1.2}, "THC accumulation_ratio", "one dose"),
            (("mood",), "good", "mood", "not read"),
            (("population", "height_cm"), 180, "population.height_cm", "not read"),
            (("dose", "colour"), "green", "dose.colour", "not read"),
            (("dose", "duration_min"), 5, "dose.duration_min", "injected or inhaled"),
            (("dose", "THC_mg"), "ten", "dose", "'ten', not one number"),
            (("dose", "THC_mg"), "10 mg/kg/day", "dose", "not one number"),
            (("dose", "CBD_mg"), "5 mg/kg", "dose", "per kg"),
            (("dose", "schedule"), "as needed", "dose.schedule", "'as needed' is not understood"),
            (("dose", "schedule"), "escalating, 5 to 20 mg", "dose.schedule", "not understood"),
            (("dose", "schedule"), "q0h x 2 d", "dose.schedule", "not understood"),
            (("dose", "schedule"), None, "dose.schedule", "None is not understood"),
            (("dose", "schedule"), "single dose with clobazam 5 mg", "dose.comedication", "clobazam"),
            (("dose", "comedication"), "clobazam", "dose.comedication", "clobazam"),
            (("dose", "comedication"), "ketoconazole and clobazam", "dose.comedication", "clobazam"),
            (("dose", "route"), "rectal", "dose.route", "not in the model"),
            (("dose", "route"), "oral / smoked", "dose.route", "several at once"),
            (("matrix",), "oral fluid", "matrix", "oral fluid"),
            (("matrix",), "urine", "matrix", "not in the model"),
            (("split",), "context", "all", "context"),
            ((*A, "analyte"), "clobazam", "clobazam", "not in the model"),
        ],
    )
    def test_what_and_why(self, tmp_path, path, value, what, why):
        made = read(tmp_path, changed((path, value)))
        assert {each.study for each in made.skipped} == {"doe2010"}
        assert why in skipped(made)[what]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("split",), "context"),
            (("matrix",), "urine"),
            (("dose", "route"), "rectal"),
            (("dose", "schedule"), "as needed"),
            (("dose", "comedication"), "clobazam"),
            (("dose", "THC_mg"), "ten"),
        ],
    )
    def test_nothing_of_a_study_that_cannot_be_simulated_is_scored(self, tmp_path, path, value):
        assert read(tmp_path, changed((path, value))).observations == ()

    def test_a_study_that_is_left_out_is_still_looked_through(self, tmp_path, capsys):
        study = changed((("split",), "context"), ((*A, "Cmax", "unit"), "mg"))
        assert "analytes.0.Cmax.unit" in refused(write(tmp_path, study), capsys)

    def test_several_doses_are_good_for_ratios_only(self, tmp_path):
        study = changed((("dose", "THC_mg"), [5, 20, 10]), ((*A, "food_ratio_AUC"), {"value": 2.0}))
        made = read(tmp_path, study)
        (ratio,) = made.observations
        assert (ratio.metric, ratio.arm.thc_mg) == ("food_ratio_AUC", 10.0)
        assert set(skipped(made)) == {"THC Cmax", "THC Tmax", "THC AUC", "THC conc_time"}
        assert all("several doses" in why for why in skipped(made).values())

    def test_a_clearance_after_doses_per_kg(self, tmp_path):
        row = {"value": 50.0, "unit": "L/h", "stat": "mean"}
        made = read(tmp_path, changed((("dose", "THC_mg"), "0.05 mg/kg"), ((*A, "CL_F"), row)))
        assert "per kg" in skipped(made)["THC CL_F"]
        assert metric(made, "Cmax").arm.per_kg

    @pytest.mark.parametrize(
        ("note", "kept"),
        [
            ("Cmax only", ["Cmax"]),
            ("THC Cmax only, low weight", ["Cmax"]),
            ("THC only", ["Cmax", "Tmax", "AUC", "C", "C"]),
            ("conc_time only", ["C", "C"]),
            ("CBD only", []),
            ("commonly quoted; Cmax", ["Cmax", "Tmax", "AUC", "C", "C"]),
        ],
    )
    def test_a_note_that_something_only_may_be_used(self, tmp_path, note, kept):
        made = read(tmp_path, changed((("split_note",), note)))
        assert [each.metric for each in made.observations] == kept
        assert len(made.skipped) == 5 - len(kept)
        assert all(note in each.why for each in made.skipped)


class TestVariants:
    """Fields that the shipped file does not use, for files of one's own."""

    def arm(self, folder, *changes):
        return read(folder, changed(*changes)).observations[0].arm

    def test_sampling(self, tmp_path):
        assert self.arm(tmp_path, (("sampling_h",), [4, 0.5, 2, 2])).sampling == (0.5, 2.0, 4.0)

    def test_limit_of_quantification(self, tmp_path):
        assert set(self.arm(tmp_path, (("lloq_ng_mL",), 0.05)).lloq.values()) == {0.05}
        assert set(self.arm(tmp_path, (("notes",), "LLOQ 0.5 ng/mL")).lloq.values()) == {0.5}

    @pytest.mark.parametrize("year", [1980, 2004, 2005, 9999, 10**20, None, "recent"])
    def test_without_one_it_is_that_of_the_year(self, tmp_path, year):
        old = isinstance(year, int) and year <= 2004
        limits = {(row["analyte"], row["until_year"]): row["ng_per_mL"] for row in words.table("lloq.tsv")}
        wanted = float(limits["THC", "2004" if old else "9999"])
        assert self.arm(tmp_path, (("citation", "year"), year)).lloq["THC"] == wanted

    def test_length_of_an_infusion(self, tmp_path):
        assert self.arm(tmp_path, *INTRAVENOUS, (("dose", "duration_min"), 30)).duration == 0.5
        said = self.arm(tmp_path, (("dose", "route"), "iv"), (("dose", "formulation"), "5 mg over 20 min"))
        assert said.duration == pytest.approx(1 / 3)

    def test_medicines(self, tmp_path):
        rows = {name: row.value for name, row in load_interactions()["ketoconazole"].items()}
        for text in ("ketoconazole", "Ketoconazole 400 mg", "with ketoconazole"):
            assert self.arm(tmp_path, (("dose", "comedication"), text)).given.items() >= rows.items()
        for text in ("none", None, ""):
            assert not rows.keys() & self.arm(tmp_path, (("dose", "comedication"), text)).given.keys()

    def test_genotype_and_liver(self, tmp_path):
        given = self.arm(tmp_path, (("dose", "cyp2c9"), "*3/*3"), (("dose", "liver"), "moderate")).given
        assert given["cyp2c9_activity"] == load_genotypes()["*3/*3"].value
        assert given["liver_function"] == load_liver()["moderate"].value

    def test_weight(self, tmp_path):
        assert self.arm(tmp_path, (("population", "weight_kg"), 81.5)).weight == (81.5, 0.0)

    def test_control(self, tmp_path):
        """A ratio of what was seen with the medicine to what was seen without, as one more observation."""
        control = changed((("id",), "before"))
        treated = changed(
            (("id",), "after"),
            (("control",), "before"),
            (("dose", "comedication"), "ketoconazole"),
            ((*A, "Cmax", "value"), 6.0),
            ((*A, "AUC", "which"), "0-inf"),
        )
        made = read(tmp_path, control, treated)
        (ratio,) = (each for each in made.observations if each.group == "ratio")
        assert (ratio.study, ratio.metric, ratio.value) == (
            "after",
            "ratio_Cmax",
            2.0,
        )  # areas differ in window
        assert ratio.reference is not None
        assert "cyp3a4_activity" in ratio.arm.given
        assert "cyp3a4_activity" not in ratio.reference.given
        assert ratio.reference.study == "after"  # the same people

    def test_treated_and_control_in_the_ids_are_a_pair_too(self, tmp_path):
        pair = [changed((("id",), f"doe_{arm}")) for arm in ("control", "treated")]
        pair[0]["analytes"][0]["provenance"] = "recalled"
        ratios = [each for each in read(tmp_path, *pair).observations if each.group == "ratio"]
        assert [each.metric for each in ratios] == ["ratio_Cmax", "ratio_AUC"]
        assert {each.provenance for each in ratios} == {"recalled"}


class TestRatios:
    """What is put over what."""

    def ratio(self, folder, name, *changes, value: Any = 2.0):
        return metric(read(folder, changed(((*A, name), {"value": value}), *changes)), name)

    def test_food(self, tmp_path):
        made = self.ratio(tmp_path, "food_ratio_AUC")
        assert (made.arm.fed, made.reference.fed) == (1.0, 0.0)

    def test_genotype(self, tmp_path):
        made = self.ratio(tmp_path, "genotype_ratio_AUC")
        table = load_genotypes()
        sides = made.arm, made.reference
        assert [s.given["cyp2c9_activity"] for s in sides] == [table["*3/*3"].value, table["*1/*1"].value]

    def test_a_medicine(self, tmp_path):
        made = self.ratio(
            tmp_path,
            "ddi_ratio_AUC",
            (("dose", "comedication"), "fluconazole"),
            (("dose", "cyp2c9"), "*1/*3"),
            (("dose", "formulation"), "oil"),
        )
        left = made.arm.given.keys() - made.reference.given.keys()
        assert left == set(load_interactions()["fluconazole"])  # the genotype and the oil stay

    def test_the_other_cannabinoid(self, tmp_path):
        made = self.ratio(tmp_path, "ddi_ratio_AUC", (("dose", "CBD_mg"), 640))
        assert (made.arm.thc_mg, made.arm.cbd_mg) == (10.0, 640.0)
        assert (made.reference.thc_mg, made.reference.cbd_mg) == (10.0, 0.0)
        other = self.ratio(tmp_path, "ddi_ratio_AUC", (("dose", "CBD_mg"), 640), ((*A, "analyte"), "CBD"))
        assert (other.reference.thc_mg, other.reference.cbd_mg) == (0.0, 640.0)

    def test_several_medicines_in_one_entry(self, tmp_path):
        made = read(
            tmp_path, changed(((*A, "ddi_ratio_AUC"), {"value": {"rifampicin": 0.6, "fluconazole": 1.2}}))
        )
        ratios = [each for each in made.observations if each.group == "ratio"]
        assert [(each.metric, each.value) for each in ratios] == [
            ("ddi_ratio_AUC[rifampicin]", 0.6),
            ("ddi_ratio_AUC[fluconazole]", 1.2),
        ]
        for each in ratios:
            medicine = each.metric.removesuffix("]").split("[")[1]
            assert each.arm.given.keys() - each.reference.given.keys() == set(load_interactions()[medicine])

    def test_liver_disease(self, tmp_path):
        name = "ratio_AUC"
        made = read(tmp_path, changed(((*A, name), {"value": {"mild": 1.5, "severe": 5}})))
        ratios = [each for each in made.observations if each.group == "ratio"]
        assert [each.arm.given["liver_function"] for each in ratios] == [
            load_liver()[grade].value for grade in ("mild", "severe")
        ]
        assert all("liver_function" not in each.reference.given for each in ratios)

    def test_a_ratio_without_its_dose_is_taken_at_a_usual_one_and_says_so(self, tmp_path):
        study = changed((("dose", "THC_mg"), None), (A, {"analyte": "THC", "provenance": "read"}))
        study["analytes"][0]["food_ratio_AUC"] = {"value": 2.0}
        (made,) = read(tmp_path, study).observations
        assert made.arm.thc_mg == made.reference.thc_mg > 0
        assert any(each.endswith("mg of THC") for each in made.assumed)

    def test_accumulation_needs_repeated_doses(self, tmp_path):
        made = self.ratio(tmp_path, "accumulation_ratio", (("dose", "schedule"), "once daily x 3 days"))
        assert made.arm.dose_times == (0.0, 24.0, 48.0)

    def test_twice_daily_is_every_twelve_hours(self, tmp_path):
        made = read(tmp_path, changed((("dose", "schedule"), "twice daily x 2 days")))
        assert made.observations[0].arm.dose_times == (0.0, 12.0, 24.0, 36.0)


class TestShipped:
    def raw(self) -> list[dict[str, Any]]:
        return yaml.load(SHIPPED.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)

    def test_nothing_is_dropped_in_silence(self):
        """Each number of each entry of each study is an observation, or in the list of what is left out."""
        made = shipped_studies()
        whole = {
            each.study
            for each in made.skipped
            if each.what in ("all", "matrix", "dose", "dose.route", "dose.schedule", "dose.comedication")
        }
        listed = {(each.study, each.what) for each in made.skipped}
        aside = {"analyte", "provenance", "where", "confidence", "note"}
        wanted: Counter[tuple[str, str]] = Counter()
        for study in self.raw():
            for row in study["analytes"]:
                if study["id"] in whole or (study["id"], row["analyte"]) in listed:
                    continue
                for name in row.keys() - aside:
                    value = row[name]["value"] if isinstance(row[name], dict) else row[name]
                    ratio = "ratio" in name and words.metrics()[name].measure != words.NOT_MODELLED
                    several = name == "conc_time" or (ratio and isinstance(value, dict))
                    pieces = len(value) if several else 1
                    wanted[study["id"], name] += pieces * len(row["analyte"].split("/"))
        found: Counter[tuple[str, str]] = Counter()
        for one in made.observations:
            found[one.study, "conc_time" if one.metric == "C" else one.metric.split("[")[0]] += 1
        for each in made.skipped:
            if (match := re.match(r"\S+ (\w+)($|[ \[])", each.what)) and each.study not in whole:
                found[each.study, match[1]] += 1
        missing = {key: (count, found[key]) for key, count in wanted.items() if found[key] != count}
        assert missing == {}
        assert sum(wanted.values()) > 250

    def test_every_study_is_in_one_of_the_lists(self):
        made = shipped_studies()
        known = {each.study for each in made.observations} | {each.study for each in made.skipped}
        assert known == {study["id"] for study in self.raw()}

    def test_what_is_left_out_has_a_reason(self):
        assert all(each.why for each in shipped_studies().skipped)

    def test_recalled_is_never_read(self):
        by_study = {study["id"]: study for study in self.raw()}
        for one in shipped_studies().observations:
            rows = [
                row
                for row in by_study[one.study]["analytes"]
                if PRINTED[one.analyte] in row["analyte"].split("/")
            ]
            if one.provenance == "read" and not one.metric.startswith("ratio_"):
                assert "read" in {row["provenance"].split()[0] for row in rows}, one.label

    def test_context_is_never_scored(self):
        context = {study["id"] for study in self.raw() if study["split"].startswith("context")}
        assert context
        assert not context & {one.study for one in shipped_studies().observations}
