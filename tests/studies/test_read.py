"""Files of studies: what is read of them, what is refused by name and line, and what is listed as left out."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections import Counter
from typing import Any

import pytest

from lissive.errors import StudyError
from lissive.model.parameters import load_parameters
from lissive.studies import read_studies
from lissive.studies.observation import INFINITE, LAST

from .small import STUDY, A, changed, line_of, metric, read, refused, write

INTRAVENOUS = ((("dose", "route"), "iv"), (("dose", "formulation"), "ethanol"))


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
        assert clock.assumed == ("light users", "smoked over 9 min", "clock from the end of smoking")
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
    ("zero concentration", (*A, "conc_time", 0), [1, 0], "value is 0"),
    ("negative concentration", (*A, "conc_time", 0), [1, -0.5], "-0.5"),
    ("a concentration that is yes or no", (*A, "conc_time", 0), [1, True], "True"),
    ("a time beyond all sampling", (*A, "conc_time", 0), [1e9, 2.0], "10000"),
    ("a point of one number", (*A, "conc_time", 0), [1], "two numbers"),
    ("a point that is none", (*A, "conc_time", 0), "early", "early"),
    ("points that are no list", (*A, "conc_time"), 3.0, "not a list"),
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
            ("fields.yaml", "id: doe2010\n", "fields.yaml:1: The file must be a list"),
            ("word.yaml", "studies\n", "word.yaml:1: The file must be a list"),
            ("broken.yaml", "- id: a\n  dose: [1,\n", "Invalid YAML"),
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


@pytest.mark.slow
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
