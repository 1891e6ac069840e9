"""Typing errors, lay names and words of chat: what they are read as, and what stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.evidence.claim import FAVOURABLE
from lissive.evidence.claim_match import matches
from lissive.evidence.claim_reading import corrected, read_as

REFUSED = (Path(__file__).parent / "not_favourable.txt").read_text(encoding="utf-8").splitlines()

OTHER_CONDITIONS = (
    "acromegaly ataxia athetosis bronchitis bursitis chorea cirrhosis claudication colic contracture cystitis delirium "
    "edema hepatitis hypertension hypersomnia incontinence kyphosis laryngitis leukemia lordosis malaria meningitis "
    "myalgia myasthenia myelitis myoclonus myositis myotonia narcolepsy neuroma pancreatitis pneumonia polymyalgia "
    "porphyria raynaud sarcoidosis scleroderma scoliosis spasmus spondylosis stenosis tetany tinnitus trismus vertigo"
).split()
OTHER_DRUGS = (
    "arbaclofen atenolol betaine carnitine clonidine collagen creatine dexamethasone digoxin heparin insulin "
    "interferon kava ketamine kratom lidocaine lithium melatonin menthol metformin naltrexone nicotine oxytocin "
    "riluzole statin taurine tetrabenazine tolperisone topiramate valerian verapamil warfarin meditation hypnosis"
).split()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("painfull", "painful"),
        ("spazms", "spasms"),
        ("crmaps", "cramps"),
        ("endocanabinoid", "endocannabinoid"),
        ("cerebal", "cerebral"),
        ("inflamation", "inflammation"),
        ("stif", "stiff"),
        ("baclofn", "baclofen"),
        ("drmatically", "dramatically"),
    ],
)
def test_a_typing_error_is_read_as_the_word_that_was_meant(said: str, meant: str) -> None:
    assert corrected(said) == meant


@pytest.mark.parametrize(
    "word", [*OTHER_CONDITIONS, *OTHER_DRUGS, "stoke", "stroe", "sheep", "contraception"]
)
def test_another_condition_drug_or_word_stays_what_it_is(word: str) -> None:
    """A name is read from one edit away, in words of six letters or more; words of their own are left alone."""
    assert corrected(word) == ""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("dronabinol for wry neck", "dronabinol for torticollis"),
        ("u cant od on weed", "you can't overdosed on weed"),
        ("mexitil w/ baclofen", "mexiletine with baclofen"),
        ("side affects & sleep", "side effects and sleep"),
        ("trying it because my meds stopped working", "trying it because my meds failed"),
        ("does thc plug into cb1", "does thc bind to cb1"),
        ("U.S. patients want a patch", "U.S. patients want a patch"),
    ],
)
def test_words_of_chat_and_lay_names_are_put_as_the_tables_have_them(text: str, read: str) -> None:
    assert read_as(text) == (read, ())


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("canabis for painfull spazms in ms", "pain_with_spasm"),
        ("leg cramps at 2am, weed?", "night_cramps"),
        ("sprained ankle spasms weed", "injury"),
        ("spastic diplegia cbd", "help_CP"),
        ("baclofin for ms spasticity", "baclofen_tizanidine"),
        ("adding sativex cuz tizanidine stopped helping", "after_failure"),
        ("weed insted of oxy for spasm pain", "opioid_instead"),
        ("100% safe, just a plant", "safe"),
        ("hardly any side affects with weed", "safety"),
        ("nobody od'd on weed", "overdose"),
        ("thc hooks into cb1 receptors", "receptor_binding"),
        ("weed vs baclofen, which is better", "better_than_drugs"),
    ],
)
def test_a_fragment_finds_the_claim_on_what_it_names(text: str, id: str) -> None:
    assert matches(text)[0].claim.id == id


def _without_a_letter(word: str, at: int) -> str:
    return word[:at] + word[at + 1 :]


def _swapped(word: str, at: int) -> str:
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def _doubled(word: str, at: int) -> str:
    return word[:at] + word[at] + word[at:]


def _with_the_key_beside(word: str, at: int) -> str:
    row = next(each for each in ("qwertyuiop", "asdfghjkl", "zxcvbnm") if word[at].lower() in each)
    k = row.index(word[at].lower())
    return word[:at] + (row[k - 1] if k else row[1]) + word[at + 1 :]


def _favourable(said: str) -> list[str]:
    return [
        each.claim.id
        for each in matches(said)
        if each.claim.verdict in FAVOURABLE and not each.opposed and not each.claim.of_mechanism
    ]


ERRORS = [_without_a_letter, _swapped, _doubled, _with_the_key_beside]


@pytest.mark.parametrize("wrong", ERRORS)
def test_one_typing_error_makes_nothing_favourable(wrong: Callable[[str, int], str]) -> None:
    """In the middle of one word of each sentence that is refused."""
    found = []
    for n, text in enumerate(REFUSED):
        words = list(re.finditer(r"[A-Za-z]{6,}", text))
        if words:
            at = words[n % len(words)]
            said = text[: at.start()] + wrong(at.group(), len(at.group()) // 2) + text[at.end() :]
            found += [(said, *_favourable(said))] if _favourable(said) else []
    assert not found


@pytest.mark.slow
def test_a_typing_error_in_any_word_makes_next_to_nothing_favourable() -> None:
    """In every word of three letters or more: "cows" for "cos" is a word, and no spelling tells what was meant."""
    tried, found = 0, []
    for text in REFUSED:
        for at in re.finditer(r"[A-Za-z]{3,}", text):
            for wrong in ERRORS:
                said = text[: at.start()] + wrong(at.group(), len(at.group()) // 2) + text[at.end() :]
                if said != text:
                    tried += 1
                    found += [said] if _favourable(said) else []
    assert tried > 20_000
    assert len(found) <= tried / 3000, found


@pytest.mark.parametrize(
    "text",
    [
        "Cannabis massovely reduces spasms",
        "Cannabis cutes stiffness",
        "cannabis buter relieves MS stiffness",
        "dronabinol relieves stiffness in AS",
        "cannabis ol is great for MS spasticity",
        "smokking pot makes MS spasms less frequent",
        "the number of spasms fell form 12 to 3 per day on Sativex",
    ],
)
def test_a_word_that_is_nearly_one_of_the_tables_is_not_taken_for_it(text: str) -> None:
    assert not _favourable(text)


@pytest.mark.parametrize(
    "text",
    ["Cannabis noticeably eases stiffness", "weed is good for stiffness in the UK", "adding THC eases MS"],
)
def test_a_usual_adverb_form_or_country_is_no_strange_word(text: str) -> None:
    assert _favourable(text)


def test_a_corrected_word_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = "canabis for painfull spasms"
    assert main(["evidence", "claims", "--about", text]) == 0
    out = capsys.readouterr().out
    assert "“canabis” read as “cannabis”; “painfull” read as “painful”" in out
    assert main(["evidence", "claims", "--about", text, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["about"] == text
    assert said["read_as"] == "cannabis for painful spasms"
    assert said["corrected"][0] == {"said": "canabis", "read_as": "cannabis"}
    assert main(["evidence", "claims", "--about", "cannabis for spasms"]) == 0
    assert "read as" not in capsys.readouterr().out
