"""The register of readings agrees with the rules that rest on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lissive.access.coverage import read_readings, readings
from lissive.access.rule import FIELDS, rules
from lissive.errors import RuleError


def test_each_reading_is_of_a_version_that_names_its_source_and_marks_its_fields_as_read() -> None:
    versions = {version.id: version for place in rules().values() for version in place.versions}
    for each in readings():
        version = versions[each.version]
        assert version in rules()[each.code].versions
        assert set(each.fields) <= FIELDS
        if each.kind == "not_read_here":
            continue
        assert each.url in {source.url for source in version.sources}, each
        assert set(each.fields) <= set(version.fields_read), each


def test_a_rule_that_rests_on_accounts_alone_is_not_of_high_confidence_where_its_level_does() -> None:
    new = {"GA-2026"}  # its whole logic is by accounts of others
    for place in rules().values():
        for version in place.versions:
            if version.id in new:
                assert version.confidence == "low"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-11-29\tUS-GA\tGA-2026\tlogic\tgossip\t-\tx", "kind is 'gossip'"),
        ("-\tUS-GA\tGA-2026\tlogic\tprimary\t-\tx", "has a day of reading and was not read"),
        ("2026-11-29\tUS-GA\tGA-2026", "3 cells"),
    ],
)
def test_a_mistake_in_the_register_is_said_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "readings.tsv"
    path.write_text(f"read\tcode\tversion\tfields\tkind\turl\tfound\n{row}\n", encoding="utf-8")
    with pytest.raises(RuleError, match=rf"readings.tsv:2: .*{said}"):
        read_readings(path)
