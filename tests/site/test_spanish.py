"""Safety in Spanish: as much is flagged as in English, by tables; what is not translated says so."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lissive.handout.language import HERE as HANDOUT
from lissive.safety.drugs import drugs
from lissive.safety.rules import cautions
from lissive.site import safety
from lissive.site.build import HERE, LANGUAGES, rendered, said_in
from lissive.table import rows_of

from .conftest import DAY


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {page.lang: rendered(page, DAY) for page in safety.pages()}


def test_every_condition_is_on_both_pages(texts: dict[str, str]) -> None:
    rules = {each.id for each in cautions()}
    assert set(re.findall(r' id="c-([a-z0-9_]+)"', texts["en"])) == rules
    assert set(re.findall(r'href="../safety.html#c-([a-z0-9_]+)"', texts["es"])) == rules
    assert "Traducción sin revisar por un profesional clínico" in texts["es"]


def test_each_flag_has_the_same_severity_in_both_languages(texts: dict[str, str]) -> None:
    found = []
    for tongue, _ in LANGUAGES:
        words = {v: k for k, v in said_in(tongue).items() if k.startswith("severity.")}
        links = re.findall(r'#i-([a-z0-9_]+)"[^>]*>[^<:]*: ([^<†]+)†?</a>', texts[tongue])
        found.append(sorted((rule, words[said]) for rule, said in links))
    assert found[0] == found[1]
    assert len(found[0]) > 500


def test_the_tables_of_translations_hold_what_the_tables_of_safety_hold() -> None:
    assert [row["en"] for row in rows_of(HANDOUT / "medicines_es.tsv")] == list(drugs())
    advice = [row["en"] for row in rows_of(HERE / "advice_es.tsv")]
    assert sorted(advice) == sorted({each.text.advice for each in cautions()})
    for row in [
        *rows_of(HANDOUT / "medicines_es.tsv"),
        *rows_of(HERE / "advice_es.tsv"),
        *rows_of(HERE / "words.tsv"),
    ]:
        assert row["es"], row
        assert (
            re.findall(r"\d+|\{\w+\}", row["en"]) == re.findall(r"\d+|\{\w+\}", row["es"]) or not row["en"]
        ), row


def test_advice_that_has_changed_is_not_shown_in_an_old_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    first = cautions()[0]
    new = replace(first, text=replace(first.text, advice="Do not use THC at home."))
    monkeypatch.setattr(safety, "cautions", lambda: (new,))
    (_, spanish) = safety.pages()
    (row,) = spanish.content["cautions"].rows
    assert row[3] == "Solo en inglés"


def test_every_warning_of_any_product_is_of_stopping_a_medicine() -> None:
    """As both pages say of them."""
    anything = [each for each in safety.interactions() if not each.with_]
    assert anything
    assert all(re.search(r"not stop|educe slowly", each.text.advice) for each in anything)
