"""The tables of products: the label's numbers, and every row checked with its line."""

from pathlib import Path

import pytest

import lissive.case
from lissive.access.rule import files
from lissive.case import Spasm, causes, label_titration, product, products
from lissive.case._table import read_table
from lissive.case.products import modelled_products, read_products, read_titration
from lissive.case.vocabulary import FormerId, meant, modelled_causes, plain_word, visits
from lissive.errors import CaseError
from lissive.evidence.words import outcomes, studied_as
from lissive.evidence.words import products as evidence_products
from lissive.forecast import outcomes as forecast_outcomes
from lissive.trials.parts import MEASURES

TABLES = Path(lissive.case.__file__).parent

HEAD = "product\tname\tvalue\tunit\tprovenance\tsource\tnote"
ROWS = [
    "a\tlabel\tA\t-\tfixed\tsrc\t",
    "a\troute\toral\t-\tfixed\tsrc\t",
    "a\tcounted_in\tspray\t-\tfixed\tsrc\t",
    "a\tlabel_max_per_day\t3\tspray\tfixed (recalled)\tsrc\tsaid so",
]
SOURCES = {"src": "A book"}


@pytest.fixture
def table(tmp_path):
    def write(*rows, head=HEAD):
        path = tmp_path / "t.tsv"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def refused(read, *args):
    with pytest.raises(CaseError) as error:
        read(*args)
    return str(error.value).split("/")[-1]


def test_a_spray_of_nabiximols():
    spray = product("nabiximols")
    assert (spray.thc_mg_per_unit, spray.cbd_mg_per_unit, spray.gap_min) == (2.7, 2.5, 15)
    assert spray.route == "oromucosal"


def test_the_label_titration_reaches_twelve_sprays_on_day_14():
    days = label_titration("nabiximols")
    assert [day.total for day in days] == [1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert all(day.morning < day.evening for day in days)
    assert label_titration("flower_smoked") == ()


def test_what_a_table_does_not_say_is_unknown():
    assert product("flower_smoked").cbd_mg_per_unit is None
    assert product("flower_smoked").label_max_per_day is None


def test_an_unknown_product_names_the_nearest():
    with pytest.raises(CaseError, match=r"Unknown product 'nabiximol'\. Did you mean nabiximols\? Allowed: "):
        product("nabiximol")


def test_the_causes_of_the_model_are_listed_in_one_place():
    assert set(modelled_causes()) == {
        "multiple_sclerosis", "als", "spinal_cord_injury", "muscle_injury", "exertional_cramp", "fibromyalgia"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "said", "means"),
    [
        ("cause", "MS", "multiple_sclerosis"),
        ("cause", "Cerebral Palsy", "cerebral_palsy"),
        ("product", "Sativex", "nabiximols"),
        ("product", "gummy", "edible"),
        ("product", "Vape", "flower_vaporised"),
        ("product", "tincture", "oil"),
        ("cause", "MND", "motor_neuron_disease"),
        ("visit", "Phone", "audio"),
        ("visit", "House call", "home"),
        ("visit", "gumy", "gumy"),
    ],
)
def test_the_words_that_people_use_are_understood(kind, said, means):
    known = {"cause": causes(), "product": products(), "visit": visits()}[kind]
    assert meant(kind, said, known) == means


def test_every_word_means_something_that_there_is():
    rows = read_table(TABLES / "words.tsv", ("kind", "word", "means", "use", "source"))
    known = {
        "cause": causes(),
        "product": products(),
        "visit": visits(),
        "outcome": outcomes(),
        "field": Spasm.model_fields,
        "residence": files(),
        "sex": ("female", "male"),
        "pregnancy": ("none", "planned", "current"),
        "opioids": ("none", "past", "current"),
        "alcohol": ("none", "some", "heavy"),
        "titration": ("label", "fixed", "start_low", "start_low_conservative", "start_low_rapid"),
    }
    for row in rows:
        assert row["means"] in known[row["kind"]], row.where
        assert plain_word(row["word"]) not in map(plain_word, known[row["kind"]]), row.where


def test_trials_of_a_planned_product_are_of_one_that_there_is():
    shared = {name for name in evidence_products() if name in products()}
    assert shared == {
        "nabiximols", "nabilone", "flower_smoked", "flower_vaporised", "dronabinol", "cannabidiol_solution"
    }  # fmt: skip
    for name in products():
        assert studied_as(name) in evidence_products() or name == "edible"


def test_an_outcome_has_one_id_in_case_forecast_trials_and_evidence():
    shared = {"spasms_per_day", "spasticity_nrs", "pain_nrs"}
    assert shared <= set(Spasm.model_fields)
    for ids in (forecast_outcomes(), MEASURES, outcomes()):
        assert shared | {"spasm_severity", "sleep_nrs", "ashworth"} <= {
            getattr(each, "name", each) for each in ids
        }


def test_a_former_id_is_read_with_a_note():
    with pytest.warns(FormerId, match="'thc_oral' is now called 'dronabinol'"):
        assert product("thc_oral").name == "dronabinol"


def test_every_product_can_be_limited():
    assert all(products()[name].ceiling_per_day for name in modelled_products())


def test_a_good_table_is_read(table):
    mine = read_products(table(*ROWS), SOURCES)["a"]
    assert mine.label_max_per_day == 3
    assert mine.figures["label_max_per_day"].provenance == "fixed (recalled)"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a\tlabel_max\t3\tspray\tfixed\tsrc\t", "Unknown figure 'label_max' of a product. Did you mean label"),
        ("a\tgap_min\t15\th\tfixed\tsrc\t", "t.tsv:6: gap_min has the unit 'h'. Allowed: min."),
        ("a\tgap_min\tsoon\tmin\tfixed\tsrc\t", "t.tsv:6: value is 'soon'. Allowed: a number of 0 or more."),
        ("a\tgap_min\tnan\tmin\tfixed\tsrc\t", "value is 'nan'."),
        ("a\tgap_min\t15\tmin\tguessed\tsrc\t", "provenance is 'guessed'. Allowed: measured, calculated,"),
        ("a\tgap_min\t15\tmin\tfixed\tsrk\t", "source 'srk' is not in sources.tsv. Did you mean src?"),
        ("a\troute\toral\t-\tfixed\tsrc\t", "Duplicate route of a."),
        ("a\tgap_min\t15\tmin\tfixed\tsrc", "The line has 6 cells. Allowed: 7 cells"),
        ("b\troute\trectal\t-\tfixed\tsrc\t", "route is 'rectal'. Did you mean oral? Allowed: oromucosal"),
        ("b\tlabel\tB\t-\tfixed\tsrc\t", "b has no route, counted_in."),
    ],
)  # fmt: skip
def test_a_wrong_row_is_refused_with_its_line(table, row, says):
    assert says in refused(read_products, table(*ROWS, row), SOURCES)


def test_a_wrong_header_is_refused(table):
    assert refused(read_products, table(head="product\tvalue"), SOURCES).startswith("t.tsv:1: The header")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a\t3\t0\t1\tfixed\tsrc", "t.tsv:3: day is 3. Allowed: 2, the next day."),
        ("a\t2\t2\t2\tfixed\tsrc", "t.tsv:3: Day 2 has 4. Allowed: at most 3 a day."),
        ("a\t2\t0.5\t1\tfixed\tsrc", "t.tsv:3: morning is '0.5'. Allowed: a whole number of 0 or more."),
        ("aa\t1\t0\t1\tfixed\tsrc", "t.tsv:3: Unknown product 'aa'."),
    ],
)
def test_a_wrong_titration_is_refused_with_its_line(tmp_path, table, row, says):
    known = read_products(table(*ROWS), SOURCES)
    head = "product\tday\tmorning\tevening\tprovenance\tsource"
    assert len(read_titration(table("a\t1\t0\t1\tfixed\tsrc", head=head), known, SOURCES)["a"]) == 1
    assert says in refused(read_titration, table("a\t1\t0\t1\tfixed\tsrc", row, head=head), known, SOURCES)
