"""The register of readings agrees with the rules that rest on it."""

from __future__ import annotations

from lissive.access.coverage import coverage
from lissive.access.rule import DATA, FIELDS, read_table, rules
from lissive.table import TableRow

KINDS = ("primary", "secondary", "not_read_here")
"""The law or its agency; somebody's account of it; taken over from a reader's note, and not read again."""
COLUMNS = ("read", "code", "version", "fields", "kind", "url", "found")


def readings() -> list[TableRow]:
    return read_table(DATA / "readings.tsv", COLUMNS)


def test_each_row_says_when_it_was_read_and_what_kind_of_source_it_is() -> None:
    for each in readings():
        assert each["kind"] in KINDS, each.where
        assert (each["read"] == "-") == (each["kind"] == "not_read_here"), each.where


def test_each_reading_is_of_a_version_that_names_its_source_and_marks_its_fields_as_read() -> None:
    versions = {version.id: version for place in rules().values() for version in place.versions}
    for each in readings():
        version = versions[each["version"]]
        fields = set() if each["fields"] == "-" else {*each.parts("fields")}
        assert version in rules()[each["code"]].versions
        assert fields <= FIELDS
        if each["kind"] != "not_read_here":
            assert each["url"] in {source.url for source in version.sources}, each.where
            assert fields <= set(version.fields_read), each.where


def test_every_state_and_territory_has_a_reading_or_says_that_none_could_be_made() -> None:
    without = {code for code in rules() if code.startswith("US-")} - {each["code"] for each in readings()}
    said = {each.code for each in coverage() if any("could not be read" in open for open in each.open)}
    assert without <= said


def test_a_rule_that_rests_on_accounts_alone_is_not_of_high_confidence_where_its_level_does() -> None:
    new = {"GA-2026"}  # its whole logic is by accounts of others
    for place in rules().values():
        for version in place.versions:
            if version.id in new:
                assert version.confidence == "low"
