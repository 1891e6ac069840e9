"""Claims: all that popular articles make are there, each with numbers and sources; a text finds the nearest."""

from __future__ import annotations

from pathlib import Path

import pytest

import lissive
from lissive.cli import main as door
from lissive.errors import EvidenceError
from lissive.evidence import shipped_reviews, shipped_studies
from lissive.evidence.answer import by_rule
from lissive.evidence.article import answered
from lissive.evidence.claim import CLAIMS, claim_of, claims_of, shipped_claims
from lissive.evidence.claim_match import matches
from lissive.evidence.claim_words import marks_of
from lissive.evidence.read import DATA, figures
from lissive.report.evidence_text import about_text, claim_text, claims_text
from lissive.site.evidence import ARTICLES, article
from lissive.table import rows_of

SUBJECTS = [
    ("reduces pain", "pain_with_spasm"),
    ("reduces inflammation", "inflammation"),
    ("makes spasms less frequent", "spasm_frequency"),
    ("makes spasms less intense", "spasm_intensity"),
    ("improves mobility", "mobility"),
    ("eases stiffness", "stiffness_patient_rated"),
    ("cannabis protects nerve cells", "neuroprotection"),
    ("supports neuroplasticity", "neuroplasticity"),
    ("works when prescription drugs have failed", "after_failure"),
    ("an alternative to opioids", "opioid_instead"),
    ("helps with MS", "help_MS"),
    ("treats Lou Gehrig's disease", "help_ALS"),
    ("eases fibromyalgia", "help_fibromyalgia"),
    ("spasms after an injury", "injury"),
    ("CBD oil for athletes after exercise", "exertion_cramps"),
    ("inflammation is the main reason for spasms", "inflammation_cause"),
    ("anti-inflammatory action after an injury", "inflammation_after_injury"),
    ("has no side effects", "safety"),
    ("CBD alone helps spasticity", "cbd_alone"),
    ("cannabis helps after a stroke", "help_stroke"),
    ("cannabis for kids with cerebral palsy", "help_CP"),
    ("spasms in paraplegia", "help_SCI"),
]


@pytest.mark.parametrize(("text", "id"), SUBJECTS)
def test_what_articles_say_finds_its_claim(text: str, id: str) -> None:
    found = matches(text)
    assert found, text
    assert found[0].claim.id == id


@pytest.mark.parametrize("text", ["", "cannabis", "it cures cancer", "the moon is made of cheese", "???"])
def test_what_is_near_nothing_finds_nothing(text: str) -> None:
    assert matches(text) == []


PHRASINGS = rows_of(Path(__file__).parent / "phrasings.tsv")
FAVOURABLE = ("supported", "partly")


def test_nineteen_of_twenty_phrasings_find_their_claim():
    """The right answers were written down before the search was first tried on them."""
    wrong = []
    for row in PHRASINGS:
        found = matches(row["text"])
        got = found[0].claim.id if found else "-"
        if got not in row["claim"].split() or (found and found[0].opposed != bool(row["opposed"])):
            wrong.append((row["text"], got))
    assert len(PHRASINGS) >= 500
    assert len(wrong) <= 0.05 * len(PHRASINGS), wrong


def test_no_phrasing_gets_a_favourable_verdict_that_is_not_its_own() -> None:
    for row in PHRASINGS:
        found = matches(row["text"])
        if found and found[0].claim.verdict in FAVOURABLE and not found[0].opposed:
            assert found[0].claim.id in row["claim"].split(), row["text"]


def test_a_neighbouring_or_stronger_assertion_gets_no_favourable_verdict() -> None:
    """Other symptoms, conditions, treatments, a symptom made worse: 33 of them once got a favourable verdict."""
    texts = (Path(__file__).parent / "not_favourable.txt").read_text(encoding="utf-8").splitlines()
    assert len(texts) >= 100
    assert not [
        (text, each.claim.id)
        for text in texts
        for each in matches(text)
        if each.claim.verdict in FAVOURABLE and not each.opposed
    ]


def test_a_report_of_no_help_is_not_read_as_help() -> None:
    """What did not help, was only hoped for, was given up or came back; and sleep or walking made less."""
    texts = (Path(__file__).parent / "no_help.txt").read_text(encoding="utf-8").splitlines()
    assert len(texts) >= 120
    assert not [
        (text, each.claim.id)
        for text in texts
        for each in (*matches(text), *(one for row in answered(text) for one in row.claims))
        if each.claim.verdict in FAVOURABLE and not each.opposed
    ]


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("weed eased my spasms", "spasms_overall"),
        ("I sleep better with cannabis", "sleep"),
        ("cannabis for spasms", "spasms_overall"),
        ("Sativex after baclofen and tizanidine failed", "after_failure"),
        ("cannabis is used to ease stiffness", "stiffness_patient_rated"),
    ],
)
def test_a_report_of_help_or_a_mere_name_is_still_answered(text: str, id: str) -> None:
    found = matches(text)[0]
    assert (found.claim.id, found.claim.verdict in FAVOURABLE, found.opposed) == (id, True, False)


@pytest.mark.parametrize(
    "assertion",
    [
        "cannabis is safe", "cannabis is harmless", "you can drive on cannabis", "cannabis cures MS",
        "cannabis replaces baclofen", "cannabis heals nerves", "cannabis slows MS", "cannabis is not addictive",
        "cannabis is better than baclofen", "nobody can overdose on cannabis", "cannabis has no side effects",
        "cannabis does not interact with warfarin", "cannabis ends spasms for good",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "said",
    [
        "No worries, {}", "{}, no doubt about it", "Nothing helped me before, but {}", "I am not a doctor, but {}",
        "{} and never lets me down", "My legs were still stiff, {}", "{} and the spasms never came back",
        "Don't listen to the others: {}", "{}, no matter what they say", "It is no secret that {}",
    ],
)  # fmt: skip
def test_a_denial_of_something_else_does_not_make_a_false_text_the_opposite_of_its_claim(
    assertion: str, said: str
) -> None:
    found = matches(said.format(assertion))
    assert not [each.claim.id for each in found[:1] if each.opposed or each.claim.verdict in FAVOURABLE]


@pytest.mark.parametrize(
    "text",
    [
        "Cannabis is not safe",
        "Cannabis is not safe, no doubt about it",
        "I doubt that cannabis is safe",
        "It is a myth that cannabis cures MS",
        "Cannabis cannot replace baclofen",
        "You should not drive on cannabis, my neurologist says",
        "Cannabis is addictive, and I am still in pain",
    ],
)
def test_a_denial_of_the_claim_itself_is_its_opposite(text: str) -> None:
    assert matches(text)[0].opposed


def test_a_misspelt_name_is_known_and_another_condition_is_not_taken_for_it() -> None:
    assert matches("marajuana helps my spasams")[0].claim.id == "spasms_overall"
    assert not matches("marajuana helps my myotonia")


@pytest.mark.parametrize(
    ("text", "opposed"),
    [
        ("It is a myth that cannabis is addictive", False),
        ("Weed does not mix well with blood thinners", True),
        ("You can take weed with warfarin, no problem", False),
        ("Does weed stop working for spasms after a while?", True),
        ("With cannabis the spasms are not as strong", False),
        ("cannabis does nothing for spasms", True),
    ],
)
def test_two_denials_are_an_assertion(text: str, opposed: bool) -> None:
    assert matches(text)[0].opposed is opposed


@pytest.mark.parametrize(
    "text", ["cannabis can't hurt you", "There is no risk with cannabis", "Cannabis does not harm anybody"]
)
def test_a_denial_of_harm_is_no_denial_of_safety(text: str) -> None:
    """The verdict on "is safe", contradicted, was said to be of the opposite of "there is no risk"."""
    found = matches(text)[0]
    assert (found.claim.id, found.claim.verdict, found.opposed) == ("safe", "contradicted", False)


@pytest.mark.parametrize(
    "assertion",
    [
        "cures", "replaces drugs for", "is better than other drugs for", "is safe against",
        "has no side effects against", "stops the progression of", "eliminates", "always helps against",
        "permanently reduces", "relaxes muscles with", "in pregnancy helps against", "makes worse the",
        "in dogs reduces",
    ],
)  # fmt: skip
@pytest.mark.parametrize("subject", ["stiffness", "spasms", "the pain of spasms", "MS", "stiffness in MS"])
def test_a_stronger_assertion_is_never_answered_by_a_favourable_verdict(assertion: str, subject: str) -> None:
    assert not [
        each.claim.id
        for each in matches(f"Cannabis {assertion} {subject}")
        if each.claim.verdict in FAVOURABLE
    ]


def test_a_denial_is_told_apart() -> None:
    assert matches("Cannabis does not ease stiffness")[0].opposed
    assert not matches("Cannabis eases stiffness")[0].opposed


def test_every_mark_is_known_by_some_text() -> None:
    assert marks_of("CBD cream") == {"cbd", "topical", "cannabinoid"}
    assert "cbd" not in marks_of("THC and CBD")


def test_a_certainty_that_is_not_that_by_rule_stands_beside_it_with_the_reason() -> None:
    one = claim_of("stiffness_patient_rated")
    both = "moderate; by rule very low to at most high"
    reason = f"Why the two certainties differ: {one.certainty_note}."
    assert (one.certainty_words, one.certainty_reason) == (both, reason)
    for text in (
        claim_text(one),
        claims_text([one]),
        about_text(matches("eases stiffness"), "eases stiffness"),
    ):
        assert both in " ".join(text.split())
        assert reason in " ".join(text.split())
    same = claim_of("sleep")
    assert (same.certainty_words, same.by_rule, same.certainty_reason) == ("low", "at most low", "")


def test_the_rule_has_nothing_to_say_of_what_is_not_tested_or_not_a_cannabinoid_and_keeps_to_the_product() -> (
    None
):
    base = shipped_studies()
    for id in ("opioid_instead", "instead_of_drugs", "baclofen_tizanidine", "botulinum_toxin"):
        assert by_rule(claim_of(id), base) == []
    given = {row.comparison.product for one in by_rule(claim_of("cbd_alone"), base) for row in one.studies}
    assert given == {"cannabidiol_solution"}


def test_a_claim_of_no_effect_or_no_trial_says_so() -> None:
    verdicts = {claim.id: claim.verdict for claim in shipped_claims()}
    assert verdicts["neuroprotection"] == "not_shown"  # one trial without a difference
    assert verdicts["inflammation_cause"] == "contradicted"
    assert verdicts["neuroplasticity"] == verdicts["opioid_instead"] == "not_tested"
    assert verdicts["inflammation"] == "not_shown"
    assert verdicts["stiffness_patient_rated"] == "supported"
    assert verdicts["after_failure"] == "partly"  # the trial against other drugs took responders only


def test_every_number_of_a_claim_stands_in_the_studies_or_reviews_or_was_read_elsewhere() -> None:
    """No claim rests on a number of its own making: it has an address, and where it stands there."""
    for claim in shipped_claims():
        for number in claim.numbers:
            assert number.provenance != "read" or (number.source_url and number.pointer), claim.id
    known = {cited.url for entry in (*shipped_studies(), *shipped_reviews()) for _, cited in figures(entry)}
    used = {number.source_url for claim in shipped_claims() for number in claim.numbers}
    assert len(used & known) > 15


def test_numbers_of_new_claims_are_those_of_the_tables() -> None:
    by_id = {claim.id: claim for claim in shipped_claims()}
    pooled = {entry.id: entry.data for entry in shipped_reviews()}
    dose, pain = pooled["noori_2021_opioid"]["outcomes"][:2]
    assert [each.value for each in by_id["opioid_instead"].numbers] == [
        dose["pooled"]["value"],
        dose["ci"]["value"],
        pain["pooled"]["value"],
        pain["ci"]["value"],
    ]
    markers = [row["pooled"]["value"] for row in pooled["inflammation_meta"]["outcomes"]]
    assert {by_id["inflammation_after_injury"].numbers[k].value for k in (2, 3)} == {markers[0], markers[3]}


GOOD = """claims:
- id: a
  claim: It helps.
  verdict: not_tested
  answer: Nobody looked.
  certainty: low
  causes: [als]
  outcomes: [pain_nrs]
  reasoning: none
  numbers: [{what: people, value: 3, provenance: read, source_url: 'https://example.org', pointer: abstract}]
  would_change: A trial.
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("verdict: not_tested", "verdict: perhaps", 4, "perhaps"),
        ("certainty: low", "certainty: sure", 6, "sure"),
        ("causes: [als]", "causes: [alss]", 7, "Did you mean als?"),
        ("outcomes: [pain_nrs]", "outcomes: [pain]", 8, "Did you mean pain_nrs?"),
        (", pointer: abstract", "", 10, "source_url and pointer"),
        ("  would_change: A trial.\n", "", 2, "would_change is missing"),
    ],
)
def test_a_wrong_claim_is_told_with_its_line(old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        claims_of(GOOD.replace(old, new), Path("mine.yaml"))
    assert f"mine.yaml:{line}: " in str(caught.value)
    assert said in str(caught.value)


def test_the_file_of_claims_is_read_as_it_is() -> None:
    assert claims_of(CLAIMS.read_text(encoding="utf-8"), CLAIMS) == shipped_claims()
    assert claims_of((DATA / "meta.yaml").read_text(encoding="utf-8"), DATA) == ()


def test_a_case_lists_no_claim_of_another_drug() -> None:
    others = {claim.id for claim in shipped_claims() if claim.of_other_treatment}
    assert others == {"baclofen_tizanidine", "gabapentin", "mexiletine", "botulinum_toxin", "homeopathy"}


def test_a_mechanism_is_never_supported_by_trials() -> None:
    """A verdict that is favourable of how a drug acts is said to be that, wherever a verdict is put in words."""
    mechanisms = [each for each in shipped_claims() if each.of_mechanism]
    ungraded = {each.id for each in shipped_claims() if each.verdict == "supported" and not each.outcomes}
    assert {each.id for each in mechanisms} >= {"endocannabinoid_system", "receptor_binding"} | ungraded
    for each in mechanisms:
        assert "no benefit shown" in each.verdict_label
        assert each.mark != "yes"
    for number, (title, path) in ARTICLES.items():
        for row in article(number, title, path, "").content["rows"]:
            if row["see"].partition("#claim-")[2] in {each.id for each in mechanisms}:
                assert "no benefit shown" in row["verdict"]
    package = Path(lissive.__file__).parent
    maps = [
        each.name for each in package.rglob("*.py") if '"not_shown": "' in each.read_text(encoding="utf-8")
    ]
    assert maps == ["claim.py"], "the words and marks of verdicts stand in one place"


def test_an_empty_text_is_an_error_and_no_claim_that_fits_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["evidence", "claims", "--about", " "]) == 2
    assert "--about: It is empty." in capsys.readouterr().err
