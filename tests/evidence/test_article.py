"""An article answered sentence by sentence: both source articles wholly, and any other text without a wrong yes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.errors import EvidenceError
from lissive.evidence.article import KINDS, answered, read_article, sentences, sources
from lissive.evidence.claim import FAVOURABLE, VERDICTS, claim_of
from lissive.evidence.claim_voice import VOICES
from lissive.evidence.read import Trial, shipped_studies
from lissive.evidence.result import searched, searches
from lissive.report.article_text import article_text, lines_of
from lissive.report.evidence_html import article_page

STATEMENTS = sources().statements


@pytest.mark.parametrize("article", [1, 2])
def test_no_sentence_of_the_source_articles_ends_without_its_answer(article: int) -> None:
    mine = [each for each in STATEMENTS if each.article == article]
    found = answered(" ".join(each.text for each in mine))
    assert [each.text for each in found] == [each.text for each in mine]
    assert [(each.door, each.kind) for each in found] == [(each.door, each.kind) for each in mine]
    assert all(each.claims or each.answer for each in found)


def test_the_statements_are_those_of_both_articles() -> None:
    assert [each.n for each in STATEMENTS] == list(range(1, 47))
    doors = {each.id for each in sources().doors}
    assert all(each.door in doors or claim_of(each.door) for each in STATEMENTS)
    assert {each.kind for each in STATEMENTS} <= set(KINDS)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (
            "It relieves pain, relaxes muscles and improves sleep.",
            ["pain_with_spasm", "muscle_relaxation", "sleep"],
        ),
        ("It relieves pain and cures cancer.", []),
        ("Acting on the endocannabinoid system eases stiffness.", []),
        ("Many people report that cannabis cured their MS.", ["cure"]),
        ("In dogs, it eases stiffness.", []),
    ],
)
def test_several_assertions_are_each_answered_or_none(text: str, ids: list[str]) -> None:
    (row,) = answered(text)
    assert [each.claim.id for each in row.claims] == ids


@pytest.mark.parametrize(
    ("text", "voice", "kind"),
    [
        ("In my view cannabis eases stiffness.", "opinion", "opinion"),
        ("I think weed reduces spasms.", "opinion", "opinion"),
        ("My neurologist believes cannabis eases stiffness.", "opinion", "opinion"),
        ("Many patients feel that cannabis eases stiffness.", "opinion", "opinion"),
        ("Many patients swear by cannabis for spasms.", "personal report", "opinion"),
        ("Anecdotally, cannabis reduces spasms.", "personal report", "opinion"),
        ("My husband's stiffness eased with Sativex.", "personal report", "personal report"),
        ("my cramps still hurt on weed", "personal report", "personal report"),
        ("I think it is legal in New York to treat spasms.", "opinion", "law"),
        ("Cannabis eases stiffness.", "", "effect"),
        ("In trials patients felt less stiffness.", "", "effect"),
        ("Does weed help my spasms?", "", "effect"),
    ],
)
def test_an_opinion_and_a_personal_report_are_told_as_such(text: str, voice: str, kind: str) -> None:
    (row,) = answered(text)
    assert (row.voice, row.kind) == (voice, kind)
    assert VOICES[voice] in article_text([row]) if voice else not {*VOICES.values()} & {*lines_of(row)}


def test_the_verdict_on_a_claim_is_not_said_to_be_that_on_a_report_of_no_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "my cramps still hurt on weed"
    (row,) = answered(text)
    assert row.whole is None
    assert "of which the text seems to say the opposite" in lines_of(row)[1]
    assert "The claim, not the sentence, is PARTLY SUPPORTED" in lines_of(row)[1]
    assert "the opposite of a claim</span>" in article_page("a", [row])
    assert main(["evidence", "claims", "--about", text]) == 0
    assert "not on your text: PARTLY SUPPORTED" in " ".join(capsys.readouterr().out.split())


def test_an_opinion_has_the_verdict_of_its_claim_and_one_without_a_claim_stays_open() -> None:
    safe, cancer = answered("I believe cannabis is safe. I believe cannabis cures cancer.")
    assert safe.whole.claim.verdict == "contradicted"
    assert cancer.kind == "opinion"
    assert cancer.is_open


@pytest.mark.parametrize(
    ("text", "ids", "whole"),
    [
        ("Cannabis improves sleep and is not addictive.", ["sleep", "dependence"], "contradicted"),
        (
            "Cannabis eases stiffness and is not addictive.",
            ["stiffness_patient_rated", "dependence"],
            "contradicted",
        ),
        ("Cannabis eases spasms and I can drive.", ["spasms_overall", "driving"], "contradicted"),
        ("Cannabis eases stiffness and cures spasms.", ["stiffness_patient_rated", "cure"], "not_shown"),
        (
            "Cannabis eases stiffness but does not reduce inflammation.",
            ["stiffness_patient_rated", "inflammation"],
            "",
        ),
    ],
)
def test_each_part_of_a_joined_sentence_has_its_verdict_and_the_whole_the_worst(
    text: str, ids: list[str], whole: str
) -> None:
    (row,) = answered(text)
    assert [each.claim.id for each in row.claims] == ids
    assert row.to_json()["verdict"] == whole
    said = article_text([row])
    assert said.count("As a whole: ") == 1
    counted = said.partition("Claims: ")[2].partition(".")[0]
    assert counted == (f"1 {VERDICTS[whole]}" if whole else "1 the opposite of a claim")


def test_no_sentence_that_is_refused_is_favourable_as_a_whole() -> None:
    texts = (Path(__file__).parent / "not_favourable.txt").read_text(encoding="utf-8").splitlines()
    wholes = [(text, row.whole) for text in texts for row in answered(text)]
    assert not [
        text
        for text, whole in wholes
        if whole and whole.claim.verdict in FAVOURABLE and not whole.claim.of_mechanism
    ]


def test_what_is_on_the_subject_and_open_is_told_from_what_is_elsewhere() -> None:
    open_, elsewhere = answered("Cannabis cures cancer. Call us today.")
    assert open_.is_open
    assert not elsewhere.is_open
    assert open_.door == elsewhere.door == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A heading\n\nIt helps. It is\nsafe!", ("A heading", "It helps.", "It is safe!")),
        ("- one thing\n- another, e.g. this", ("one thing", "another, e.g. this")),
        ("Dr. Who said 2.5 mg. Enough?", ("Dr. Who said 2.5 mg.", "Enough?")),
        ('"It works." So he said.', ('"It works."', "So he said.")),
        (" \n***\n", ()),
    ],
)
def test_sentences(text: str, found: tuple[str, ...]) -> None:
    assert sentences(text) == found


def test_a_saved_page_is_read_as_a_reader_sees_it(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><title>Spasms &amp; more</title><style>p {}</style><script>It cures.</script>"
        "<h1>Relief</h1><p>It eases <b>stiffness</b>.</p><ul><li>Natural<li>Safe</ul>",
        encoding="utf-8",
    )
    assert sentences(read_article(page)) == (
        "Spasms & more",
        "Relief",
        "It eases stiffness.",
        "Natural",
        "Safe",
    )


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe", "UTF-8"), (b"a\x00b", "not text"), (b" \n ", "no sentence")]
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(EvidenceError, match=said):
        read_article(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(EvidenceError, match="cannot be read"):
            read_article(path)


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [] if tag in ("meta", "br") else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_command_prints_json_and_writes_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    article, page = tmp_path / "a<b>.txt", tmp_path / "a.html"
    article.write_text("It eases stiffness. It is natural. It replaces baclofen.", encoding="utf-8")
    assert main(["evidence", "article", str(article), "--out", str(page), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sentences"]
    assert [row["door"] for row in rows] == ["stiffness_patient_rated", "natural", "instead_of_drugs"]
    text = page.read_text(encoding="utf-8")
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    assert "a&lt;b&gt;.txt" in text
    assert re.search(r"<h1>.*</h1>", text)
    assert "<script" not in text
    assert "src=" not in text


def test_the_command_exits_with_1_where_a_sentence_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    article = tmp_path / "a.txt"
    article.write_text("Cannabis cures cancer.", encoding="utf-8")
    assert main(["evidence", "article", str(article)]) == 1
    assert "Without an answer: 1" in capsys.readouterr().out


def test_what_was_searched_is_said_of_the_included_studies_only() -> None:
    from lissive.evidence import shipped_studies
    from lissive.evidence.read import Studies

    text = searched(shipped_studies())
    assert max(each.until for each in searches().searches) in text
    assert "Not searched: MEDLINE" in text
    assert "Searched" not in searched(Studies(shipped_studies().entries[:1]))


def test_who_paid_is_answered_by_the_sponsors_that_the_studies_name() -> None:
    (said,) = answered("Most of the trials were paid for by the manufacturer.")
    assert (said.kind, said.door) == ("research", "who_paid")
    rows = [each.row for each in shipped_studies()]
    mine = [each for each in rows if isinstance(each, Trial) and "nabiximols" in str(each.intervention)]
    funded = [each.funding for each in mine]
    by_seller = sum(each is not None and each.industry for each in funded)
    counts = (len(mine), by_seller, len(mine) - by_seller - funded.count(None), funded.count(None))
    assert counts == (17, 15, 1, 1)
    assert "Of the 17 trials of nabiximols that are included, 15 were" in said.answer


def test_that_it_is_legal_in_all_states_is_a_question_of_law() -> None:
    (said,) = answered("Medical cannabis is legal in all fifty US states.")
    assert (said.kind, said.door) == ("law", "law_states")
