"""The words of the sheet and of the report: both languages, how hard they read, what is said of each product."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from pathlib import Path

import pytest
from tests.handout.handouts import obtainable, report_page, sheet_page, text_of, without_flags

from lissive.case import causes, make_case, product
from lissive.case.products import products
from lissive.case_answer import CaseAnswer, answer
from lissive.case_answer.tables import rows
from lissive.evidence.answer import answer_of
from lissive.evidence.read import shipped_studies
from lissive.forecast import ForecastAnswer, complaint
from lissive.handout.language import HERE, Words
from lissive.safety.rules import cautions
from lissive.table import rows_of


# -- words ------------------------------------------------------------------------------------------
def test_both_languages_say_everything_with_the_same_numbers() -> None:
    for row in [*rows_of(HERE / "words.tsv"), *rows_of(HERE / "benefits.tsv")]:
        fields = [{name for _, name, _, _ in string.Formatter().parse(row[t]) if name} for t in ("en", "es")]
        assert fields[0] == fields[1], row
        assert row["es"], row
        assert row["en"] or row["key"] == "draft"


def test_every_product_cause_complaint_and_caution_has_plain_words() -> None:
    say = Words("es")
    lacking = [name for name in products() if not say.has("product", name)]
    lacking += [name for name in causes() if not say.has("cause", name)]
    lacking += [
        name for name in {complaint(cause).label for cause in causes()} if not say.has("complaint", name)
    ]
    lacking += [row.about for row in cautions() if not say.has("about", row.about)]
    # quinine is left out on purpose: it is not for routine use
    lacking += [
        r["treatment"]
        for r in rows("usual_care")
        if r["treatment"] != "quinine" and not say.has("care", r["treatment"])
    ]
    assert not lacking


def test_what_is_known_of_benefit_has_a_row_for_each_bottom_line() -> None:
    keys = [(row["cause"], row["products"]) for row in rows("bottom_lines")]
    assert [(row["cause"], row["products"]) for row in rows_of(HERE / "benefits.tsv")] == keys


def syllables(word: str, vowels: str = "aeiouy") -> int:
    n = len(re.findall(f"[{vowels}]+", word := word.lower()))
    silent = word.endswith("e") and not word.endswith(("le", "ee"))
    silent |= word.endswith("ed") and not word.endswith(("ted", "ded"))
    return max(1, n - (silent and n > 1))


def sentences(text: str) -> list[list[str]]:
    """Of three words or more; what stands in a list or a key is not one unless it ends as one."""
    found = (re.findall(r"[^\W\d_]+", each) for each in re.split(r"[.!?](?:\s|$)|\n\s*\n", text))
    return [words for words in found if len(words) > 2]


def grade(text: str) -> float:
    """Flesch and Kincaid's grade level."""
    found = sentences(text)
    words = [word for each in found for word in each]
    return 0.39 * len(words) / len(found) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def huerta(text: str) -> float:
    """Fernández Huerta's reading ease; 60 to 70 is standard, more is easier."""
    found = sentences(text)
    words = [word for each in found for word in each]
    spoken = sum(syllables(word, "aeiouáéíóúüy") for word in words)
    return 206.84 - 60 * spoken / len(words) - 1.02 * len(words) / len(found)


def test_the_measure_of_reading_is_flesch_and_kincaids() -> None:
    counted = {
        "stiffness": 2,
        "muscle": 2,
        "multiple": 3,
        "sclerosis": 3,
        "feel": 1,
        "used": 1,
        "needed": 2,
        "because": 2,
    }
    assert {word: syllables(word) for word in counted} == counted
    # 12 words, 15 syllables, 2 sentences
    text = "The muscles feel stiff at night. Some people also have some pain."
    assert grade(text) == pytest.approx(0.39 * 6 + 11.8 * 15 / 12 - 15.59)


@pytest.mark.parametrize("which", ["uk", "als", "new_york"])
def test_the_sheet_is_read_at_grade_8_or_below(which: str, request: pytest.FixtureRequest) -> None:
    given = request.getfixturevalue(which)
    for each in (given, without_flags(obtainable(given))):
        assert grade(text_of(sheet_page(each, "en"))) <= 8.0
        assert huerta(text_of(sheet_page(each, "es"))) >= 60.0


def test_the_spanish_sheet_says_that_nobody_has_checked_it(uk: CaseAnswer) -> None:
    assert "sin revisar por un profesional clínico" in sheet_page(uk, "es")
    assert 'lang="es"' in sheet_page(uk, "es")


def test_each_product_has_a_sheet_in_its_own_words(tmp_path: Path) -> None:
    for name in products():
        case = make_case({"case": "a", "as_of": "2026-11-22", "place": {"residence": "US-OH"},
                          "spasm": {"cause": "fibromyalgia"}, "plan": {"product": name}})  # fmt: skip
        page = text_of(sheet_page(answer(case, simulate=False), "en"))
        assert Words("en").named("product", name, "").lower() in page.lower()
        has_thc = (product(name).thc_mg_per_unit or 1) > 0 and name not in ("cbd_oil", "cannabidiol_solution")
        assert has_thc == ("with THC in the blood" in page) or name == "cbd_oil"


@pytest.mark.parametrize(("place", "call"), [("US-NY", "911"), ("GB", "an ambulance")])
def test_whom_to_call_is_what_is_called_there(place: str, call: str) -> None:
    given = {"case": "a", "as_of": "2026-11-22", "place": {"residence": place},
             "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "nabiximols"}}  # fmt: skip
    page = text_of(sheet_page(answer(make_case(given), simulate=False), "en"))
    assert f"call us or {call} at once" in page
    assert "dummy too" not in page


def test_help_and_harm_of_an_extract_stand_side_by_side_and_the_product_itself_was_not_tested() -> None:
    """Harm alone, from the trials that counted relief as well, would tell half of what they found."""
    given = {"case": "a", "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "balanced_oil"}}
    found = answer(make_case(given), simulate=False)
    pooled = answer_of(
        shipped_studies(), "stiffness_relief", cause="multiple_sclerosis", product="cannabis_extract"
    )
    (row,) = [each for each in pooled.by_design if each.absolute is not None]
    share = row.absolute
    page = text_of(sheet_page(found, "en"))
    with_drug, without = round(100 * share.risk), round(100 * share.baseline)
    assert (
        f"About {with_drug} in 100 felt less stiff with a cannabis extract by mouth, {without} on placebo"
        in page
    )
    assert "Your product was not tested." in page
    assert "in 100 stop because of side effects" in page
    assert "This is from a study of that extract." in page


def test_the_report_counts_flags_as_its_bottom_line_does(new_york: CaseAnswer) -> None:
    page = text_of(report_page(new_york))
    major = re.search(r"(\d+) major safety flags", page)
    assert major is not None
    assert f": {major[1]} major, " in page
    assert "on not stopping a medicine" in page


def test_spanish_joins_words_as_it_is_spoken() -> None:
    say = Words("es")
    assert say.listed(["dantroleno", "inyecciones"]) == "dantroleno e inyecciones"
    assert say.listed(["uno", "otro"], "or") == "uno u otro"
    assert say.listed(["baclofeno", "gabapentina"], "or") == "baclofeno o gabapentina"
    for row in rows_of(HERE / "words.tsv"):  # "de" and "a" would join an article that follows
        assert not re.search(r"\b(de|a) \{(about|product)\}", row["es"]), row["key"]


def test_the_rows_of_trials_are_lines_of_the_page_and_name_what_they_hold(uk: CaseAnswer) -> None:
    first = re.search(r"What trials found.*?</section>", report_page(uk), re.DOTALL)
    assert first is not None
    assert (
        "Spasticity 30 % better†:</b> 34 / 24, 3 to 18 more; certainty moderate; 3 trials, 666 people<br>"
        in first[0]
    )


def test_what_is_not_calibrated_says_so_before_its_numbers_and_after_the_trials(als: CaseAnswer) -> None:
    page = report_page(als)
    part = page[page.index('id="forecast"') :]
    places = [
        part.index(each) for each in ("Trial results", "not what this person may expect", "NRS reduced by")
    ]
    assert places == sorted(places)
    assert "not what this person may expect" not in report_page(
        replace(als, forecast=replace_calibrated(als))
    )


def replace_calibrated(given: CaseAnswer) -> ForecastAnswer:
    assert isinstance(given.forecast, ForecastAnswer)
    return replace(given.forecast, calibrated="trials")


def test_who_paid_is_said_no_more_widely_than_it_is_noted(uk: CaseAnswer) -> None:
    mine = [each.study for each in uk.evidence.controlled if each.fits_product]
    read = [row.funding for row in mine if row.funding is not None and row.funding.provenance == "read"]
    paid = sum(each.by.startswith(("GW", "Jazz", "Almirall")) for each in read)
    assert 5 < paid < len(mine)
    said = text_of(sheet_page(uk, "en"))
    assert f"Companies that make or sell it paid for {paid} of {len(mine)} studies." in said
    assert f"Who paid for {len(mine) - len(read)} was not noted." in said


def test_studies_that_no_company_paid_for_and_studies_of_which_it_is_not_noted_are_said_to_be_so() -> None:
    back = {"case": "a", "spasm": {"cause": "low_back_pain"}, "plan": {"product": "cbd_oil"}}
    said = text_of(sheet_page(answer(make_case(back), simulate=False), "en"))
    assert "Public bodies or charities paid for 1 of 1 studies." in said
    vapour = {"case": "a", "spasm": {"cause": "fibromyalgia"}, "plan": {"product": "flower_vaporised"}}
    said = text_of(sheet_page(answer(make_case(vapour), simulate=False), "en"))
    assert "Who paid for the studies was not noted." in said


def test_the_sheet_is_not_sure_of_a_product_of_which_the_case_is_not() -> None:
    case = {"case": "a", "spasm": {"cause": "multiple_sclerosis"}, "plan": {"product": "balanced_oil"}}
    text = text_of(sheet_page(answer(make_case(case), simulate=False), "en"))
    assert "We do not know if this one does." in text
    assert "Fairly sure of some products, but not of this one." in text
