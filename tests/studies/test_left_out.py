"""Files of studies: what is listed as left out, variants, ratios, and the studies that ship."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from lissive.model.parameters import load_genotypes, load_interactions, load_liver
from lissive.studies import entry, shipped_studies
from lissive.studies.observation import PRINTED
from lissive.studies.read import SHIPPED

from .small import A, changed, metric, read, refused, skipped, write

INTRAVENOUS = ((("dose", "route"), "iv"), (("dose", "formulation"), "ethanol"))


class TestWhatIsListedAsLeftOut:
    """It is not wrong, and it is not scored; the list says which and why."""

    @pytest.mark.parametrize(
        ("path", "value", "what", "why"),
        [
            ((*A, "Cmax", "value"), None, "THC Cmax", "no value known"),
            ((*A, "Cmax", "value"), [2.0, 4.0], "THC Cmax", "a range, 2 to 4"),
            ((*A, "Cmax", "value"), ">20", "THC Cmax", "'>20' is no single number"),
            ((*A, "Cmax", "stat"), "range", "THC Cmax", "not a mean"),
            ((*A, "Cmax", "note"), "implausible, do not use", "THC Cmax", "its own note doubts it"),
            ((*A, "AUC", "which"), "tau", "THC AUC", "'tau' is not understood"),
            ((*A, "AUC", "which"), "12-2", "THC AUC", "'12-2' is not understood"),
            ((*A, "conc_time"), [], "conc_time", "no concentrations"),
            ((*A, "conc_time", 0), ["baseline", 2.0], "THC C baseline", "'baseline' is no time"),
            ((*A, "conc_time", 0), [1, "<0.5"], "THC C 1", "'<0.5' is no single number"),
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
            (("dose", "comedication"), "clarithromycin 500 mg", "dose.comedication", "clarithromycin"),
            (("dose", "comedication"), "piperine", "dose.comedication", "piperine"),
            (("dose", "comedication"), "alcohol", "dose.comedication", "alcohol"),
            (("dose", "schedule"), "as needed", "dose.schedule", "'as needed' is not understood"),
            (("dose", "schedule"), "escalating, 5 to 20 mg", "dose.schedule", "not understood"),
            (("dose", "schedule"), "q0h x 2 d", "dose.schedule", "not understood"),
            (("dose", "schedule"), None, "dose.schedule", "None is not understood"),
            (("dose", "schedule"), "single dose with clobazam 5 mg", "dose.comedication", "clobazam"),
            (("dose", "comedication"), "clobazam", "dose.comedication", "clobazam"),
            (("dose", "comedication"), "ketoconazole and clobazam", "dose.comedication", "clobazam"),
            (("dose", "route"), "rectal", "dose.route", "not in the model"),
            (("dose", "route"), "buccal", "dose.route", "a spray on the cheek is `buccal spray`"),
            (("dose", "route"), "sublingual tablet", "dose.route", "only the oromucosal spray"),
            (("dose", "fed_state"), "regardless of food", "dose.fed_state", "taken: fasted"),
            (("population", "sex"), "both", "population.sex", "taken: half women"),
            ((*A, "Cmax", "value"), "2–5", "THC Cmax", "a range, 2 to 5"),
            ((*A, "AUC", "spread_type"), "IQR", "THC AUC.spread_type", "'IQR' is not understood"),
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
        assert set(skipped(made)) == {"THC Cmax", "THC Tmax", "THC AUC", "THC C 1", "THC C 2"}
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
        """A time at which a concentration is printed was sampled too, whatever the list says."""
        assert self.arm(tmp_path, (("sampling_h",), [4, 0.5, 2, 2])).sampling == (0.5, 1.0, 2.0, 4.0)
        assert max(self.arm(tmp_path, (("sampled_to_h",), 6)).sampling) == 6.0

    def test_limit_of_quantification(self, tmp_path):
        assert set(self.arm(tmp_path, (("lloq_ng_mL",), 0.05)).lloq.values()) == {0.05}
        assert set(self.arm(tmp_path, (("notes",), "LLOQ 0.5 ng/mL")).lloq.values()) == {0.5}

    @pytest.mark.parametrize("year", [1980, 2004, 2005, 9999, 10**20, None, "recent"])
    def test_without_one_it_is_that_of_the_year(self, tmp_path, year):
        old = isinstance(year, int) and year <= 2004
        limits = {(row["analyte"], row["until_year"]): row["ng_per_mL"] for row in entry.table("lloq.tsv")}
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

    def rows(self) -> list[dict[str, Any]]:
        return [row for study in self.raw() for row in study["results"]]

    def test_nothing_is_dropped_in_silence(self):
        """Each row of each study is an observation, or in the list of what is left out."""
        made = shipped_studies()
        whole = {each.study for each in made.skipped if each.what.split(".")[0] in ("all", "matrix", "dose")}
        wanted = Counter((row["arm"], row["analyte"], row["metric"]) for row in self.rows())
        found: Counter[tuple[str, str, str]] = Counter()
        for one in made.observations:
            if not (one.metric.startswith("ratio_") and one.study.endswith("_treated")):  # made from two rows
                found[one.study, PRINTED[one.analyte], one.metric.split("[")[0]] += 1
        for each in made.skipped:
            if match := re.match(r"(probe drugs|\S+) (\w+)", each.what):
                found[each.study, match[1], match[2]] += 1
        missing = {
            key: (n, found[key]) for key, n in wanted.items() if found[key] != n and key[0] not in whole
        }
        assert missing == {}
        assert sum(wanted.values()) > 350

    def test_every_study_is_in_one_of_the_lists(self):
        made = shipped_studies()
        known = {each.study for each in made.observations} | {each.study for each in made.skipped}
        assert known == {name for study in self.raw() for name in study["arms"]}

    def test_what_is_left_out_has_a_reason(self):
        assert all(each.why for each in shipped_studies().skipped)

    def test_recalled_is_never_read(self):
        read_rows = {(r["arm"], r["analyte"], r["metric"]) for r in self.rows() if r["provenance"] == "read"}
        for one in shipped_studies().observations:
            if one.provenance == "read" and not one.metric.startswith("ratio_"):
                key = (one.study, PRINTED[one.analyte], one.metric.split("[")[0])
                assert key in read_rows, one.label

    def test_context_is_never_scored(self):
        arms = {name: arm for study in self.raw() for name, arm in study["arms"].items()}
        context = {name for name, arm in arms.items() if arm["split"] == "context"}
        assert context
        assert not context & {one.study for one in shipped_studies().observations}
