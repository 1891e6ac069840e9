"""List, show, claims and export, and the evidence of a case, through their doors."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from lissive.case import make_case
from lissive.cli.main import main
from lissive.evidence import read_studies, shipped_studies
from lissive.evidence.case_answer import CaseEvidence, case_evidence
from lissive.evidence.catalog import exported, full_record, parts_of
from lissive.evidence.read import figures
from lissive.report.case_evidence import case_evidence_text
from lissive.report.evidence_text import show_text


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["evidence", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["evidence", *words]) == 2
    return capsys.readouterr().err


def test_list_gives_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "list", "--cause", "als", "--json"))["studies"]
    assert {row["id"] for row in found} == {"gelinas_2002", "urbi_EMERALD", "canals_2019", "weber_2010"}
    found = json.loads(
        said(capsys, "list", "--outcome", "responders_30pct", "--design", "enriched", "--json")
    )["studies"]
    assert {row["id"] for row in found} == {"novotna_2011_phaseB", "markova_2019_SAVANT"}


def test_list_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No matching study" in said(capsys, "list", "--cause", "exertional_cramp")


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("list", "--cause", "multiple_sklerosis"), "Did you mean multiple_sclerosis?"),
        (("list", "--outcome", "spasticity"), "spasticity_nrs"),
        (("list", "--design", "paralel"), "parallel"),
        (("show", "collin2010"), "collin_2010"),
        (("export", "--format", "bibtx"), "bibtex"),
    ],
)
def test_what_is_not_known_gets_the_nearest(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], near: str
) -> None:
    assert near in refused(capsys, *words)


def test_show_has_every_number_of_a_study_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "show", "collin_2010", "--json"))
    entry = next(each for each in shipped_studies() if each.id == "collin_2010")
    assert len(found["numbers"]) == len(list(figures(entry))) > 50
    for number in found["numbers"]:
        assert number["provenance"] in ("read", "recalled", "derived")
        assert number["url"] or number["provenance"] != "read"
        assert re.fullmatch(r"lissive/evidence/data/trials\.yaml:\d+", number["where"])


def test_show_leads_to_the_line_of_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "show", "zajicek_2012_MUSEC", "--json"))["numbers"]
    number = next(each for each in found if each["what"] == "relief_or.value")
    package = Path(__file__).parents[2] / "src"
    file, _, line = number["where"].rpartition(":")
    lines = (package / file).read_text(encoding="utf-8").splitlines()
    assert "2.26" in " ".join(lines[int(line) - 1 : int(line) + 1])


def test_a_number_from_memory_has_a_mark_and_conflicts_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "show", "wade_2004")
    assert "unverified†" in text
    assert "† unverified: quoted from memory" in text
    assert "Conflicting sources" in text
    assert "its size is that of a standard deviation" in " ".join(text.split())


def test_a_rejected_review_is_shown_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "show", "meta_2025_outlier")
    assert "REJECTED: impossible" in text
    assert "39.19" in text


@pytest.mark.parametrize(
    "id", ["check_filippini_1_1", "whiting_2015", "akgun_2019", "move2_2014", "help_ALS"]
)
def test_everything_can_be_shown(capsys: pytest.CaptureFixture[str], id: str) -> None:
    text = said(capsys, "show", id)
    assert len(text.splitlines()) > 1
    assert json.loads(said(capsys, "show", id, "--json"))["id"] == id


def test_claims_about_something(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "claims", "--about", "cannabis protects nerve cells")
    assert text.startswith(
        "You asked: cannabis protects nerve cells\nNearest claim: Cannabinoids are neuroprotective"
    )
    assert "\nVerdict: NOT SHOWN\n" in text
    assert "GRADE-style judgement by this project" in text
    assert "What would change the verdict" in text
    assert "0.24, 0.23" in text


def test_claims_about_what_is_not_there_says_so_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "claims", "--about", "it cures cancer"]) == 1
    assert "No claim fits" in capsys.readouterr().out
    assert main(["evidence", "claims", "--about", "it cures cancer", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["claims"] == []


def test_the_opposite_of_a_claim_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "seems to say the opposite" in said(capsys, "claims", "--about", "weed is addictive")
    assert json.loads(said(capsys, "claims", "--about", "weed is addictive", "--json"))["claims"][0][
        "opposed"
    ]


def test_csv_has_a_row_for_each_comparison_and_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(said(capsys, "export", "--format", "csv"))))
    collin = next(
        row for row in rows if (row["study"], row["outcome"]) == ("collin_2007", "responders_30pct")
    )
    assert [collin[name] for name in ("active_events", "active_n", "control_events", "control_n")] == [
        "48", "120", "14", "64"]  # fmt: skip


def test_bibtex_and_ris_have_an_entry_for_each_reference() -> None:
    bibtex, ris = (exported(shipped_studies(), form) for form in ("bibtex", "ris"))
    keys = re.findall(r"^@(?:article|misc)\{(\w+),$", bibtex, re.MULTILINE)
    assert len(keys) == len(set(keys)) == ris.count("TY  - ") == ris.count("ER  - ")
    assert bibtex.count("{") == bibtex.count("}")
    assert "  doi = {10.1136/jnnp-2012-302468}," in bibtex


@pytest.mark.parametrize(
    ("citation", "parts"),
    [
        ("Wade DT, Makela P, et al. Do extracts have effects in MS? Mult Scler 2004;10:434-441",
         {"title": "Do extracts have effects in MS?", "journal": "Mult Scler", "year": "2004", "pages": "434-441"}),
        ("Rog DJ, Young CA. Neurology 2005;65:812-819", {"journal": "Neurology", "volume": "65"}),
        ("RELEASE MSS5, NCT04984278; terminated", {}),
    ],
)  # fmt: skip
def test_a_citation_is_taken_apart_where_it_is_written_in_order(citation: str, parts: dict[str, str]) -> None:
    found = parts_of(citation)
    assert {name: found.get(name) for name in parts} == parts


def test_export_goes_to_a_file_and_not_over_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(capsys, "export", "--format", "json", "--out", str(tmp_path / "deep" / "all.json"))
    assert {"studies", "comparisons", "left_out", "claims"} <= set(
        json.loads((tmp_path / "deep" / "all.json").read_text(encoding="utf-8"))
    )
    assert "folder" in refused(capsys, "export", "--out", str(tmp_path))


def test_a_users_file_is_listed_and_its_mistakes_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    good = (
        "trials:\n- {id: mine_2026, citation: Mine 2026, cause: ALS, design: parallel, comparator: placebo}\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(good, encoding="utf-8")
    assert "mine_2026" in said(capsys, "list", "--studies", str(path))
    path.write_text(
        good.replace("}", ", outcomes: {responders_30pct: [{arm: THC, n: 9, N: 5}]}}"), encoding="utf-8"
    )
    assert "mine_2026: outcomes.responders_30pct[0].n is 9" in refused(capsys, "list", "--studies", str(path))
    assert "no such file" in refused(capsys, "show", "a", "--studies", str(tmp_path / "none.yaml"))


# -- a case ----------------------------------------------------------------------------------------------
def of(cause: str | None, product: str | None = "nabiximols", **history: Any) -> CaseEvidence:
    data: dict[str, Any] = {"case": "x", "plan": {"product": product} if product else {}, "history": history}
    if cause:
        data["spasm"] = {"cause": cause}
    return case_evidence(make_case(data))


def test_a_case_with_trials_has_figures_by_design() -> None:
    found = of("multiple_sclerosis")
    responders = next(each for each in found.pooled if each.answer.outcome.word == "responders_30pct")
    by_design = {each.design: each.pooled.estimate for each in responders.answer.by_design}
    # derived in the source tables: parallel 1.82 with MUSEC, enriched 4.18 (1.62 to 10.8)
    assert by_design["enriched"] == pytest.approx(4.18, abs=0.01)
    assert by_design["parallel"] < 2 < by_design["enriched"]
    assert any("Unverified (quoted from memory" in each for each in found.not_known)


@pytest.mark.parametrize("cause", ["exertional_cramp", "muscle_injury"])
def test_a_cause_without_trials_says_so(cause: str) -> None:
    found = of(cause)
    assert found.pooled == ()
    assert "has not been tested in it" in " ".join(found.not_known)
    text = case_evidence_text(found)
    assert "no controlled trial" in text
    assert "Studies in related conditions, not equivalent" in text


def test_als_shows_the_one_trial_what_of_it_cannot_be_pooled_and_the_one_that_found_nothing() -> None:
    found = of("als")
    said_by = {(row.unused.study, row.unused.outcome): row.text for row in found.in_words}
    pgic = next(row.answer for row in found.pooled if row.answer.outcome.word == "pgic")
    assert pgic.study_ids == ("canals_2019",)
    assert said_by["canals_2019", "ashworth"] == "nabiximols -0.11 (n 29); placebo 0.16 (n 30)"
    assert "no effect" in said_by["weber_2010", "cramp_severity"]
    assert "help_ALS" in {claim.id for claim in found.claims}


def test_claims_bear_on_the_case() -> None:
    plain = {claim.id for claim in of("multiple_sclerosis").claims}
    assert "after_failure" not in plain
    assert "opioid_instead" not in plain
    told = {claim.id for claim in of("multiple_sclerosis", tried=("baclofen",), opioids="current").claims}
    assert {"after_failure", "opioid_instead", "safety"} <= told
    assert "help_fibromyalgia" not in told


def test_another_product_is_said_to_be_one() -> None:
    found = of("multiple_sclerosis", "flower_vaporised")
    assert any("No controlled trial of vaporised cannabis" in each for each in found.not_known)
    assert all(each.of_all_products for each in found.pooled)


def test_figures_of_other_products_name_them_and_stand_behind_what_is_known_of_the_planned_one() -> None:
    text = " ".join(case_evidence_text(of("multiple_sclerosis")).split())
    at = text.index("Muscle tone (Ashworth scale, sum over muscles)")
    head = text.rindex("Muscle tone (clinician-rated)", 0, at)
    before = text[head:at]
    assert before.rstrip().endswith("Other products only (oral cannabis extract, oral THC (dronabinol)).")
    for null in ("collin_2010, modified_ashworth: no significant", "release_mss1", "p 0.218", "p 0.22"):
        assert null in before
    assert "zajicek_2003_CAMS, oral cannabis extract, ashworth_p: p 0.4" in text[at:]


# the states of evidence by cause, as the table of the literature search has them
STATES = [
    ("als", "cramp_number_per_day: no evidence of effect"),
    ("als", "None for cramps in ALS"),
    ("spinal_cord_injury", "4 weeks: -0.91 (-1.41 to -0.41)"),
    ("spinal_cord_injury", "spasm_frequency: no significant difference"),
    ("spinal_cord_injury", "0.00 (-0.36 to 0.36), 95 % CI includes no effect"),
    ("fibromyalgia", "no treatment superior to placebo"),
    ("fibromyalgia", "NOT SHOWN (certainty low; by rule at most low to moderate)"),
    ("exertional_cramp", "No trial in cramp after exertion itself was found"),
    ("muscle_injury", "has not been tested in it"),
    ("multiple_sclerosis", "parallel groups, k = 2, 519 participants: -0.33"),
    ("multiple_sclerosis", "NOT SHOWN (certainty moderate; by rule at most low): The one large trial"),
]


@pytest.mark.parametrize(("cause", "said"), STATES)
def test_each_cause_says_what_is_known_of_it(cause: str, said: str) -> None:
    assert said in " ".join(case_evidence_text(of(cause)).split())


def test_a_product_that_one_arm_had_is_a_product_of_the_trial() -> None:
    found = of("multiple_sclerosis", "cannabidiol_solution")
    assert not any("no controlled trial" in each for each in found.not_known)
    assert [each.study.id for each in found.studies if each.fits_product] == ["hansen_2023"]
    nrs = next(each for each in found.pooled if each.answer.outcome.word == "spasticity_nrs")
    assert nrs.of_all_products  # its one trial does not say which way its result goes
    said = next(row for row in found.in_words if row.unused.study == "hansen_2023")
    assert "sign of the differences not stated" in said.unused.reason


def test_who_paid_for_a_trial_is_shown_with_the_mark_of_what_was_not_checked_and_where_it_is_not_known() -> (
    None
):
    texts = {
        id: show_text(full_record(id, shipped_studies())) for id in ("collin_2010", "rog_2005", "weber_2010")
    }
    assert "Sponsor or funder: GW Pharmaceuticals (a company" in texts["collin_2010"]
    assert "Sponsor or funder: GW Pharmaceuticals† (a company" in texts["rog_2005"]
    assert "Sponsor or funder: not recorded." in texts["weber_2010"]


def test_no_cause_and_no_product_are_answered() -> None:
    assert of(None, None).studies == ()
    assert "names no cause" in case_evidence_text(of(None))
    assert case_evidence_text(of("multiple_sclerosis", None)).startswith("3  Evidence for multiple sclerosis")


def test_no_claim_is_said_to_rest_on_a_study_of_the_user_and_acronyms_are_found(tmp_path: Path) -> None:
    """A study of the id `a` was named by every claim with that letter."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("trials: [{id: a, design: parallel}]\n", encoding="utf-8")
    assert full_record("a", read_studies(mine)).entry.claims == ()
    found = {
        word: full_record(word, shipped_studies()).entry.claims for word in ("cannfib_2026", "release_mss5")
    }
    assert found == {"cannfib_2026": ("help_fibromyalgia", "cbd_alone"), "release_mss5": ()}
