"""The register of trials that are under way: each with its source, and what the pages say of it."""

from __future__ import annotations

import json
import re

import pytest

from lissive.cli.main import main
from lissive.evidence.article import registered, sources, under_way


def test_every_trial_has_a_number_a_source_and_a_day_on_which_it_was_read() -> None:
    rows = registered()
    assert len({each.id for each in rows}) == len(rows) >= 40
    for each in rows:
        assert re.fullmatch(r"(NCT\d{8}|ACTRN\d{14}|TCTR\d{11}).*", each.id), each.id
        assert each.source_url, each.id
        assert all(address.startswith("http") for address in each.source_url), each.id
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", each.read)
        assert not each.stated or each.stated <= each.read


def test_a_trial_that_ended_is_not_under_way() -> None:
    states = {each.id: each.is_open for each in registered()}
    assert states["NCT05052541"]
    assert states["NCT05092191"]
    assert not states["NCT01222468"]  # completed, nothing posted
    assert [each.is_open for each in under_way("MS")] == sorted(
        (each.is_open for each in under_way("multiple_sclerosis")), reverse=True
    )
    assert all(each.is_open for each in under_way(every=False))


def test_the_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "under-way", "--cause", "MS"]) == 0
    text = capsys.readouterr().out
    assert "CANSEP" in text
    assert "recruiting, day not given" in text
    assert "NCT03172741" not in text
    assert main(["evidence", "under-way", "--cause", "spinal_cord_injury", "--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["trials"]
    assert {"NCT01222468"} <= {each["id"] for each in found}
    assert main(["evidence", "under-way", "--cause", "fibromyalga"]) == 2
    assert "fibromyalgia" in capsys.readouterr().err


def test_what_an_article_is_told_of_research_agrees_with_the_register() -> None:
    still = sum(each.is_open for each in registered())
    told = next(each.answer for each in sources().doors if each.id == "research_under_way")
    assert f"{still} trials" in told
