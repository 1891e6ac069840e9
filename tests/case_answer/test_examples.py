"""The ten cases that are shown: each is answered, as its reader would expect."""

from pathlib import Path
from typing import Any

import pytest

from lissive.case import read_case
from lissive.case_answer import answer
from lissive.report.case_text import screen

CASES = Path(__file__).parents[2] / "examples" / "cases"
SAID: dict[str, dict[str, Any]] = {
    "ms-new-york": {"product": "obtainable", "numbers": False, "words": ["start low (consensus, rapid"]},
    "als-massachusetts": {"product": "obtainable", "numbers": False, "words": ["Not shown to help cramps in ALS"]},
    "fibromyalgia-ohio": {"product": "obtainable", "numbers": False, "words": ["Not shown to help in fibromyalgia"]},
    "cramp-kentucky": {"product": "obtainable", "numbers": False, "words": ["Not tested"]},
    "spinal-cord-injury-texas": {"product": "obtainable", "numbers": False, "words": ["MAJOR: oxycodone"]},
    "back-pain-new-york-2018": {"product": "not_obtainable", "numbers": False, "words": ["cannot be had in New York"]},
    "ms-germany": {"product": None, "numbers": True, "words": ["MAJOR: pregnancy planned", "Spasticity NRS (now 6.0)"]},
    "aged-16": {"product": None, "numbers": False, "words": ["MAJOR: under 18", "guardian"]},
    "incomplete": {"product": None, "numbers": False, "words": ["MAJOR: warfarin", "Not stated, so not checked"]},
    "stroke": {"product": None, "numbers": False, "words": ["MAJOR: stroke: THC not recommended"]},
}  # fmt: skip


def test_there_are_ten() -> None:
    assert sorted(path.stem for path in CASES.glob("*")) == sorted(SAID)


@pytest.mark.parametrize("name", SAID)
def test_each_is_answered(name: str) -> None:
    case, expected = read_case(CASES / f"{name}.yaml"), SAID[name]
    found = answer(case, subjects=2, simulate=expected["numbers"])
    assert found.access is not None
    assert bool(found.gates.numbers) is expected["numbers"]
    if expected["product"] is not None:
        assert found.gates.product == expected["product"]
    text = " ".join(screen(found).split())
    assert "STATED BUT NOT CHECKED" not in text or name == "back-pain-new-york-2018"
    for words in expected["words"]:
        assert words in text
    if not found.gates.may_dose:
        assert "mg THC" not in text
