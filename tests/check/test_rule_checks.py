"""Files of rules that are broken one way each: what is found, and where."""

from __future__ import annotations

import pytest

from lissive.check import check, from_texts, shipped
from lissive.check.tables import PACKAGE

KY, NY, MA = (f"access/data/us/{name}.yaml" for name in ("ky", "ny", "ma"))
REGISTER = "access/data/coverage.yaml"
RULES = ["rules", "rule-days", "rule-sources", "rule-quotes", "rule-words", "rule-codes", "rule-coverage"]


def found_in(file: str, old: str, new: str) -> list[tuple[str, str, str]]:
    """Check, file:line and text of what the checks of rules find, after one change of one file."""
    text = (PACKAGE / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    register = (PACKAGE / REGISTER).read_text(encoding="utf-8")
    code = f"US-{file[-7:-5].upper()}"
    entry = register[register.index(f"- code: {code}") :]
    entry = entry[: entry.index("\n- code:", 1) + 1]
    texts = {file: text.replace(old, new, 1), REGISTER: entry}
    return [(each.check, each.where, each.message) for each in check(from_texts(texts), only=RULES)]


def line_with(file: str, text: str) -> int:
    lines = (PACKAGE / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "id", "said"),
    [
        (
            KY,
            "      any_of:",
            "      some_of:",
            "      any_of:",
            "rules",
            "logic.some_of is not a known field",
        ),
        (NY, "to: 2022-01-23", "to: 2022-02-23", "from: 2022-01-24", "rule-days", "goes to 2022-02-23"),
        (NY, "to: 2022-01-23", "to: 2022-01-20", "from: 2022-01-24", "rule-days", "no rule is in force"),
        (KY, "quote: Multiple", f"quote: {'word ' * 20}Multiple", "quote: M", "rule-quotes", "25 at most"),
        (KY, "[cancer, ptsd", "[canser, ptsd", "[cancer, ptsd", "rule-words", "Did you mean cancer?"),
        (MA, "flag: functional_limit", "flag: functional", "flag: fu", "rule-words", "functional_limit?"),
        (KY, "name: Kentucky", "name: Kentucky\nname: K", "programme:", "rules", "name is given twice"),
        (KY, "verified: 2026-11-29", "verified: 22.11.2026", "verified:", "rules", "a valid date"),
        (KY, "confidence: high", "confidence: low", None, "rule-coverage", "confidence of US-KY is 'high'"),
    ],
)
def test_one_mistake_is_one_finding_with_its_line(
    file: str, old: str, new: str, at: str | None, id: str, said: str
) -> None:
    ((check_id, where, message),) = found_in(file, old, new)
    assert (check_id, said in message) == (id, True)
    assert where == f"{file}:{line_with(file, at)}" if at else where.startswith(f"{REGISTER}:")


def test_a_rule_that_was_read_without_a_source_is_found_at_its_sources() -> None:
    text = (PACKAGE / KY).read_text(encoding="utf-8")
    found = found_in(KY, text[text.index("    sources:") :], "    sources: []\n")
    sources = [(where, message) for id, where, message in found if id == "rule-sources"]
    assert f"{KY}:{line_with(KY, '    sources:')}" in {where for where, _ in sources}
    assert all("no source" in message for _, message in sources)


def test_the_rules_that_ship_have_neither_overlap_nor_gap() -> None:
    assert check(shipped(), only=["rule-days"]) == []
