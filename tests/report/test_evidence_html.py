"""The page of studies: whole, alone, the same each time, and readable without eyes, script or network."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from tests.pages import Page

from lissive.evidence import shipped_studies
from lissive.evidence.answer import answer_of
from lissive.report.effect_words import pooled_words
from lissive.report.evidence_html import evidence_page, matrix, pooled_answers


@pytest.fixture(scope="module")
def text() -> str:
    return evidence_page(shipped_studies())


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_both_certainties_of_a_claim_with_the_reason_and_who_paid_for_a_trial(text):
    assert "certainty: moderate; by rule very low to at most high." in text
    assert "Why the two certainties differ: reviews of more trials" in text
    assert 'data-of="Sponsor or funder">GW Pharmaceuticals† (a company that makes or sells it)<' in text
    assert 'data-of="Sponsor or funder">not recorded<' in text


def test_everything_that_opens_closes(page):
    assert page.open == []


def test_it_needs_nothing_but_itself(page, text):
    assert not page.of("link")
    assert not page.of("img")
    assert not [each for each in page.of("script") if "src" in each]
    assert "@import" not in text
    assert "url(http" not in text


def test_ids_are_unique_and_links_within_the_page_go_somewhere(page):
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids))
    inner = {each["href"][1:] for each in page.of("a") if each.get("href", "").startswith("#")}
    assert inner <= set(ids)
    assert {"main", "studies", "together", "claims"} <= inner


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_every_table_has_a_caption_and_every_heading_a_scope(page):
    assert len(page.of("table")) == len(page.of("caption"))
    assert all(each.get("scope") in ("col", "row") for each in page.of("th"))


def test_every_control_has_a_label(text):
    assert len(re.findall(r"<label>[^<]+<(?:input|select)", text)) == 4


def test_what_trials_found_in_words_alone_stands_in_the_table(text):
    """Stroke, cerebral palsy and cramps in ALS have no figure, and are not passed over."""
    table = text[text.index('id="studies-table"') :]
    rows = [re.sub(r"<[^>]+>", " ", row) for row in table.split("<tr ")]
    for study, said in (
        ("Marinelli 2022", "no change vs placebo"),
        ("Fairhurst 2020", "no significant difference"),
        ("Weber 2010", "no evidence of effect on number of cramps"),
        ("CANALS 2019", "nabiximols -0.11 (n 29); placebo 0.16 (n 30)"),
        ("Wade 2004", "a subgroup: MD -2.28"),
    ):
        assert any(study in row and said in row for row in rows), study


def test_measures_that_favour_different_sides_say_of_whom_they_are():
    """30 % less pain in twenty people who inhaled once does not stand there as if it were of all of fibromyalgia."""
    cells = dict(zip(*_matrix_row("fibromyalgia"), strict=True))
    assert "pain NRS (CBD by mouth, 1 study, 200 participants)" in cells["pain"]
    found = "(vaporised cannabis, 1 study, 20 participants, in words: no treatment superior to placebo)"
    assert f"pain improved by 30 % or more {found}" in cells["pain"]
    assert "participants" not in dict(zip(*_matrix_row("stroke"), strict=True))["spasms"]


def _matrix_row(cause):
    base = shipped_studies()
    topics, rows = matrix([each for each in pooled_answers(base) if each.cause == cause], base)
    return topics, [cell.text for cell in dict(rows)[cause]]


def test_designs_stand_before_all_together(text):
    start = text.index('id="multiple-sclerosis-responders-30pct"')
    by_design, everything = (
        text.index(words, start) for words in ("By design: parallel", "Pooled (all designs)")
    )
    assert by_design < everything


def test_every_picture_has_words_and_the_table_behind_it(page, text):
    pictures = [each for each in page.of("svg") if each.get("role") == "img"]
    assert len(pictures) == len(page.of("figure")) == text.count("The numbers<span")
    assert all(re.search("studies|comparisons of", each["aria-label"]) for each in pictures)


def test_it_reads_as_a_plain_table_without_script(page):
    assert "hidden" in page.of("form")[0]
    assert len([each for each in page.of("tr") if "data-cause" in each]) > 100


def test_figures_are_those_of_the_answers(text):
    for outcome in ("responders_30pct", "spasticity_nrs"):
        answer = answer_of(shipped_studies(), outcome, cause="multiple_sclerosis")
        assert f"{answer.measure} {pooled_words(answer.overall.pooled)}" in text


def test_every_trial_is_in_the_table(text):
    from lissive.evidence.comparison import about

    for each in shipped_studies().trials:
        assert about(each).label.split(" (")[0] in text


def test_the_same_base_gives_the_same_bytes(text):
    assert evidence_page(shipped_studies()) == text


def test_what_is_quoted_from_memory_links_to_no_source(text):
    assert ">read</a>" in text
    assert ">recalled</a>" not in text
