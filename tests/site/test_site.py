"""The pages: valid, linked, without anything from elsewhere, and saying what the answers say."""

from __future__ import annotations

import datetime
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from lissive.access.decide import decide, version_on
from lissive.access.facts import make_facts
from lissive.access.rule import rules
from lissive.cli.main import main
from lissive.report.access_text import STATUS
from lissive.site import MARKER, about, changes, law, safety, standing, write_site
from lissive.site import write as writing
from lissive.site.build import Page, rendered, write_pages

from .conftest import DAY, Html, html_files

FEW = ("US-NY", "US-ID", "GB")
PERSON = {
    "age": 45,
    "resident": True,
    "dx": ["multiple_sclerosis"],
    "symptoms": {"muscle_spasms": {"severe": True, "persistent": True, "cause": "multiple_sclerosis"}},
    "practitioner": "MD",
    "visit": "in_person",
    "initial": True,
}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All but evidence, products and validation, with the law of three places: at discretion, none, a country."""
    folder = tmp_path_factory.mktemp("few")
    pages = (law.pages(DAY, FEW), changes.pages(DAY, FEW), safety.pages(), about.pages(None))
    write_pages(folder, chain.from_iterable(pages), DAY)
    return folder


READ = re.compile(
    r"\b(?:read|checked|searched|leídas|comprobadas|buscados)\b[^.]*20\d\d-\d\d|no sources|simulated for this page",
    re.IGNORECASE,
)
"""What the foot of a page says of its sources, after the day for which it was made."""


# -- each page ----------------------------------------------------------------------------------------
def check_page(path: Path, folder: Path, elsewhere: frozenset[str] = frozenset()) -> None:
    """One page: elements, ids, headings, links, when it was read; nothing inline, nothing from another host."""
    text = path.read_text(encoding="utf-8")
    page = Html(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.of("html")[0]["lang"] in ("en", "es")
    assert len(page.of("h1")) == len(page.of("title")) == len(page.of("main")) == 1
    assert len(page.ids) == len(set(page.ids))
    main = "".join(page.texts[[tag for tag, _ in page.elements].index("main")])
    assert len(main.split()) > 40, "an empty page"
    (foot,) = (said for (tag, _), said in zip(page.elements, page.texts, strict=True) if tag == "footer")
    assert READ.search("".join(foot)), "it does not say when its sources were read"
    assert not re.search(r"\{\{|\{%|<bound method|>\s*None\s*<", text)
    assert not re.search(r"\b(flags|symptoms)\.[a-z]+_[a-z]|\blissive case\b", main), "a name of the code"
    assert not any(
        "style" in attributes or any(n.startswith("on") for n in attributes)
        for _, attributes in page.elements
    )
    assert not page.of("style")
    assert all("src" in each for each in page.of("script"))
    assert all(each.get("alt") for each in page.of("img"))
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href"):
            if tag != "a" and name in attributes and not attributes[name].startswith("#"):
                assert (path.parent / attributes[name]).resolve().is_file(), attributes[name]
    for link in page.of("a"):
        check_link(link["href"], path, folder, elsewhere)


def check_link(href: str, path: Path, folder: Path, elsewhere: frozenset[str]) -> None:
    """A link leads to a page of the site and an element in it, or by https or http to a source."""
    if href.startswith(("https://", "http://")):
        return
    where, _, anchor = href.partition("#")
    target = (path.parent / where).resolve() if where else path
    if target.relative_to(folder.resolve()).as_posix() in elsewhere:
        return
    assert target.is_file(), f"{path}: {href}"
    assert not anchor or anchor in _ids(target), f"{path}: {href}"


@cache
def _ids(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r'\bid="([^"]*)"', path.read_text(encoding="utf-8")))


def test_pages_are_valid_and_linked_and_say_when_they_were_read(few: Path) -> None:
    elsewhere = {"claims.html", "products.html", "validation.html", "evidence/index.html"}
    elsewhere |= {f"evidence/{each.replace('_', '-')}.html" for *_, each in law.situations() if each}
    for path in html_files(few):
        check_page(path, few, frozenset(elsewhere))


def first_line(path: Path) -> str:
    found = re.search(
        r'<section class="bottom-line[^>]*><h2>[^<]*(?:<time>[^<]*</time>)?</h2><p>(.*?)</p>',
        path.read_text(encoding="utf-8"),
    )
    assert found
    return found[1].replace("&#39;", "'")


@pytest.mark.parametrize("code", FEW)
def test_the_first_line_is_what_is_decided(few: Path, code: str) -> None:
    answer = decide(make_facts(PERSON), code, DAY)
    said = first_line(few / "law" / f"{code.lower()}.html").lower()
    assert said.startswith(f"{STATUS[answer.status]}. ".lower())
    assert {"ok": "no barrier identified", "blocked": "not met", "unknown": "not known"}[
        answer.procedural
    ] in said


def test_a_page_says_when_it_was_read_and_quotes_the_law(few: Path) -> None:
    text = (few / "law" / "us-ny.html").read_text(encoding="utf-8")
    assert f"last checked on <time>{rules()['US-NY'].verified}</time>" in text
    assert "severe or persistent muscle spasms" in text  # the rule of 2014, L.2014 ch.90
    assert "Nabiximols (Sativex) has no approval in the US" in text


def test_a_minor_is_warned_of_what_the_law_allows(few: Path) -> None:
    rows = re.findall(r"<tr.*?</tr>", (few / "law" / "us-ny.html").read_text(encoding="utf-8"), re.DOTALL)
    for age in ("aged 12", "aged 16"):
        row = next(each for each in rows if age in each)
        assert "Do not use THC" in row
        assert "safety.html#c-age_under_18" in row
        _, rule, visit, _ = re.findall(r"<td.*?</td>|<th.*?</th>", row, re.DOTALL)
        assert "Do not use THC. A doctor must decide." in rule, "the law's answer stands alone"
        assert "no barrier identified" not in visit or "for safety see" in visit
    cramps = next(each for each in rows if "Cramps at night" in each)
    assert "No study has tested it" in cramps
    assert "evidence/nocturnal-cramps.html" in cramps


@pytest.mark.parametrize(("code", "mark"), [("US-AL", ""), ("ES", ""), ("IL", " (unverified)")])
def test_where_spasticity_is_asked_and_not_spasms_the_page_says_so(code: str, mark: str) -> None:
    _, page = law.pages(DAY, [code])
    said = str(page.content["bottom_line"])
    assert said.startswith(f"Not eligible{mark}. Muscle spasms alone do not qualify here; spasticity ")
    (_, page) = law.pages(DAY, ["US-ID"])
    assert "alone" not in str(page.content["bottom_line"])


def test_days_without_a_federal_rule_say_so(few: Path) -> None:
    """The data has rules on prescribing by video to 2020-02-29 and from 2020-04-01."""
    text = (few / "law" / "federal.html").read_text(encoding="utf-8")
    (row,) = (each for each in re.findall(r"<tr.*?</tr>", text, re.DOTALL) if "Not recorded" in each)
    assert "<time>2020-03-01</time> to <time>2020-03-31</time>" in row


def test_a_page_of_a_place_and_that_of_the_products_say_the_same_of_a_medicine() -> None:
    """Sold in Spain; its label asks for spasticity, which the person described does not have."""
    found = law.product_answer("nabiximols", "ES", DAY)
    said = standing.product_words(found, "ES", DAY)
    assert "sold" in said
    assert "does not cover" in said
    _, page = law.pages(DAY, ["ES"])
    assert any(said in str(cell).lower() for row in page.content["products"].rows for cell in row)


def test_what_is_not_verified_says_so(few: Path) -> None:
    text = (few / "law" / "gb.html").read_text(encoding="utf-8")
    assert "First visit by telehealth is allowed. (unverified)" in text


def test_texts_are_escaped() -> None:
    page = Page(
        "a.html",
        "A <b> & c",
        "under_way.html.j2",
        "Read <i>.",
        {"table": law.table("T", "a", [["<script>x</script>"]]), "open": 0},
    )
    text = rendered(page, DAY)
    assert "<script>x" not in text
    assert "<title>A &lt;b&gt; &amp; c" in text


# -- the folder ---------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of one page."""
    page = Page("index.html", "Start", "use.html.j2", "Read.", {})
    monkeypatch.setattr(writing, "site_pages", lambda *_, **__: iter([page]))


def test_it_writes_to_a_new_and_to_an_empty_folder(small: None, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a", "b"):
        assert write_site(tmp_path / name, DAY) == 1
        assert (tmp_path / name / "index.html").is_file()
        assert (tmp_path / name / "assets" / "lissive.css").is_file()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]


def test_the_same_site_has_the_same_bytes(small: None, tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        write_site(tmp_path / name, DAY)
        texts.append((tmp_path / name / "index.html").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_folder_of_somebody_else_is_kept(small, tmp_path, capsys, force) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("Dear")
    assert main(["site", str(tmp_path / "letters"), "--on", "2026-11-29", *force]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [each.name for each in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_an_earlier_site_is_replaced_only_with_force(small, tmp_path, capsys) -> None:
    place = tmp_path / "public"
    assert main(["site", str(place), "--on", "2026-11-29"]) == 0
    (place / "old.html").write_text("of an earlier version")
    assert main(["site", str(place), "--on", "2026-11-29"]) == 2
    assert "--force" in capsys.readouterr().err
    assert (place / "old.html").is_file()
    assert main(["site", str(place), "--on", "2026-11-29", "--force"]) == 0
    assert not (place / "old.html").exists()
    assert (place / MARKER).is_file()


def test_after_an_error_the_earlier_site_is_still_there(small, tmp_path, monkeypatch) -> None:
    place = tmp_path / "public"
    write_site(place, DAY)

    def broken(*_: object, **__: object):
        yield Page("index.html", "Start", "use.html.j2", "Read.", {})
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "site_pages", broken)
    before = (place / "index.html").read_bytes()
    with pytest.raises(OSError, match="No space"):
        write_site(place, DAY, force=True)
    assert (place / "index.html").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["public"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "2026-02-30"], "valid date"),
        (["--on", "2036-01-01"], "long after the rules were last checked"),
    ],
)
def test_a_wrong_day_is_refused(small, tmp_path, capsys, words, said) -> None:
    assert main(["site", str(tmp_path / "public"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "public").exists()


def test_a_file_and_a_missing_parent_are_refused(small, tmp_path, capsys) -> None:
    (tmp_path / "a.txt").write_text("mine")
    assert main(["site", str(tmp_path / "a.txt"), "--on", "2026-11-29"]) == 2
    assert "it is a file" in capsys.readouterr().err
    assert main(["site", str(tmp_path / "no" / "public"), "--on", "2026-11-29"]) == 2
    assert "no folder" in capsys.readouterr().err
    assert (tmp_path / "a.txt").read_text() == "mine"


# -- the whole site -----------------------------------------------------------------------------------
@pytest.mark.slow
def test_every_page_is_valid_and_every_link_resolves(whole: Path) -> None:
    pages = list(html_files(whole))
    assert len(pages) > len(rules()) + 30
    for path in pages:
        check_page(path, whole)


@pytest.mark.slow
def test_every_page_is_reached_from_the_start(whole: Path) -> None:
    seen, ahead = set(), [whole / "index.html"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        links = (each["href"].partition("#")[0] for each in Html(path.read_text(encoding="utf-8")).of("a"))
        ahead += [(path.parent / href).resolve() for href in links if href and "://" not in href]
    assert {path.resolve() for path in html_files(whole)} == {path.resolve() for path in seen}


@pytest.mark.slow
def test_every_first_line_is_what_is_decided(whole: Path) -> None:
    person = make_facts(PERSON)
    for code in rules():
        said = first_line(whole / "law" / f"{code.lower()}.html").lower()
        found = decide(person, code, DAY)
        version = version_on(rules()[code], DAY)
        is_open = version is not None and version.known("logic") in ("recalled", "unverified")
        mark = " (unverified)" if is_open else ""
        assert said.startswith(f"{STATUS[found.status]}{mark}. ".lower()), code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("law/us-ny.html", "has no approval in the US"),
        ("law/us-ny.html", "until <time>2026-12-31</time>; what follows is not known"),
        ("law/us-ky.html", "The programme has no flower to smoke"),
        ("law/changes.html", "severity is not asked any more of ALS, multiple sclerosis"),
        ("safety.html", "N-desmethylclobazam"),
        ("evidence/nocturnal-cramps.html", "No study has tested it for cramps at night."),
        ("claims.html", "Inflammation is the main reason for muscle spasms"),
        ("es/causas.html", "Ningún estudio lo ha probado para los calambres nocturnos."),
        ("validation.html", "targets"),
    ],
)
def test_common_questions_have_an_answer(whole: Path, page: str, said: str) -> None:
    assert said in (whole / page).read_text(encoding="utf-8")


def test_the_day_of_the_map_is_the_day_that_is_asked_for() -> None:
    before = datetime.date(2026, 6, 30)  # SB 220 of Georgia takes effect on 2026-07-01
    for on, eligible in ((before, False), (DAY, True)):
        (place,) = law.places(on, ("US-GA",))
        assert (place.answer.status == "eligible") is eligible
