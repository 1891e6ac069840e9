"""Whether the planned product can be had: forms, strengths, licensed medicines, and what stands in the way."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from lissive.access.answer import Product
from lissive.access.decide import decide
from lissive.access.facts import make_facts, product_of, product_words, products
from lissive.access.federal import medicines, read_medicines
from lissive.access.rule import DATA, rules
from lissive.errors import RuleError

MS: dict[str, Any] = {
    "age": 45,
    "dx": ["MS"],
    "symptoms": {"muscle_spasms": {"severe": True, "persistent": True}},
}


def ask(code: str, on: str = "2026-11-22", **facts: Any) -> Product:
    return decide(make_facts({**MS, **facts}), code, datetime.date.fromisoformat(on)).product


def test_no_product_is_not_asked() -> None:
    assert ask("US-NY") == Product()


@pytest.mark.parametrize("code", ["US-NY", "US-CA", "US-ID", "US-TX", "US-GU"])
def test_nabiximols_cannot_be_had_anywhere_in_the_us(code: str) -> None:
    found = ask(code, product={"id": "Sativex"})
    assert (found.status, found.route, found.schedule) == ("not_obtainable", None, "I")


def test_what_nobody_read_is_unknown_and_says_so() -> None:
    found = ask("US-RI", product={"form": "edible"})
    assert (found.status, found.sources[0].url is not None) == ("unknown", True)
    assert "was not read" in found.why
    assert ask("NZ", product={"id": "nabilone"}).status == "unknown"


def test_no_cannabis_is_smoked_in_the_united_kingdom() -> None:
    """Misuse of Drugs Regulations 2001, regulation 16A(3), in force since 2018-11-01."""
    found = ask("GB", "2018-11-01", product={"form": "flower_smoked"})
    assert (found.status, found.sources[0].kind) == ("not_obtainable", "primary")
    assert ask("GB", "2018-11-01", product={"form": "flower_vaporised"}).status == "unknown"


def test_an_unverified_row_makes_nothing_obtainable_and_bars_nothing() -> None:
    assert ask("US-NY", "2021-06-01", product={"form": "flower_smoked"}).status == "unknown"
    assert "unverified" in ask("US-LA", "2021-06-01", product={"form": "flower_smoked"}).why


@pytest.mark.parametrize(
    ("thc", "status"), [(10, "obtainable"), (10.1, "not_obtainable"), (None, "obtainable")]
)
def test_a_limit_of_thc_a_dose(thc: float | None, status: str) -> None:
    assert ask("US-TX", product={"form": "edible", "thc_mg": thc}).status == status


def test_who_does_not_qualify_cannot_have_it_by_the_programme() -> None:
    nobody: dict[str, Any] = {"dx": [], "symptoms": {}}
    assert ask("US-KY", product={"form": "capsule"}, **nobody).status == "not_obtainable"
    adult = ask("US-AZ", product={"form": "capsule"}, **nobody)
    assert (adult.status, adult.route, adult.schedule) == ("unknown", "adult_use", "I")


def test_a_visitor_without_a_card_cannot_have_it_and_nothing_is_nearest() -> None:
    found = ask("US-KY", resident=False, visitor_card=False, product={"form": "capsule"})
    assert (found.status, found.nearest) == ("not_obtainable", ())
    assert ask("US-KY", resident=False, product={"form": "capsule"}).status == "unknown"


def test_a_first_visit_by_video_is_said_of_the_programme_as_it_stands() -> None:
    assert ask("US-KY", product={"form": "capsule"}).by_video == "no"
    assert ask("US-KY", product={"form": "capsule"}, initial=False).by_video == "yes"
    assert ask("US-CO", product={"form": "capsule"}).by_video == "unknown"  # two readers differ


def test_the_label_covers_only_whom_it_names() -> None:
    aids = {"dx": ["HIV", "anorexia"], "symptoms": {}}
    assert ask("US-NY", product={"id": "dronabinol"}, **aids).indication == "labelled"
    assert ask("US-NY", product={"id": "dronabinol"}).indication == "off_label"


def test_every_word_means_a_product_and_every_nearest_is_one() -> None:
    assert set(product_words().values()) == set(products())
    assert all(near in products() for each in products().values() for near in each.nearest)
    assert product_of("Tinctures") == "thc_oil"


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ({"id": "sativx"}, "product.id is 'sativx'. Did you mean sativex"),
        ({"form": "cookies"}, "product.form is 'cookies'"),
        ({}, "names no product"),
        ({"id": "nabiximols", "thc_mg": -1}, "thc_mg"),
    ],
)
def test_a_product_that_is_none_is_refused(product: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError, match=said.replace(".", r"\.")):
        make_facts({"product": product})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source: jazz2022", "source: jazz2023", "Did you mean jazz2022"),
        ("label: ms_spasticity", "label: ms_spasm", "ms_spasm"),
        ("status: not_authorised", "status: no", "not_authorised"),
    ],
)
def test_a_mistake_in_the_table_of_medicines_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (DATA / "medicines.yaml").read_text(encoding="utf-8")
    path = tmp_path / "medicines.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        read_medicines(path)


def test_every_row_of_forms_and_medicines_is_of_a_place_and_a_product_that_there_are() -> None:
    forms = {kind.form for kind in products().values() if not kind.is_medicine}
    rows = [line.split("\t") for line in (DATA / "forms.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    assert {row[0] for row in rows} <= set(rules())
    assert {row[1] for row in rows} == forms
    for row in rows:  # two rows of one form do not hold on one day
        same = [one for one in rows if one[:2] == row[:2] and one is not row]
        assert all((one[3] and one[3] < row[2]) or (row[3] and row[3] < one[2]) for one in same), row
    for medicine in medicines().medicines:
        assert products()[medicine.product].is_medicine
        assert medicine.place == "US" or medicine.place in rules()
