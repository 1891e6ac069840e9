"""No number at a public door moves unseen, and the comparison would see it."""

from __future__ import annotations

import json

import pytest

from .answers import QUICK, SLOW
from .kept import NUMBERS, RENAMED, compared, stored
from .numbers import kept, leaves, moved, read_renames, renamed, written

RENEW = (
    "If this was meant: `make baseline` lists it and keeps the new numbers; other names go into renamed.tsv."
)


def _no_number_moved(name: str) -> None:
    found = compared(name, {**QUICK, **SLOW}[name])
    assert not found, "\n".join([f"{len(found)} moved. {RENEW}", *map(str, found[:20])])


@pytest.mark.parametrize("name", QUICK)
def test_no_number_moved(name: str) -> None:
    _no_number_moved(name)


@pytest.mark.baseline
@pytest.mark.parametrize("name", SLOW)
def test_no_number_of_the_slow_answers_moved(name: str) -> None:
    _no_number_moved(name)


def test_every_answer_is_kept_and_no_other() -> None:
    assert {path.stem for path in NUMBERS.glob("*.json")} == {*QUICK, *SLOW}


def test_every_rename_is_of_something_that_is_kept() -> None:
    left = [leaves(stored(name), name) for name in (*QUICK, *SLOW)]
    for rename in read_renames(RENAMED):
        after = [renamed(each, [rename]) for each in left]
        assert after != left, rename
        left = after


# -- the comparison itself ----------------------------------------------------------------------------
ANSWER = {
    "status": "eligible",
    "text": "You may.",
    "label": "Pain",
    "quote": None,
    "model_hash": "573e",
    "notes": ["One sentence.", "word"],
    "file": "/tmp/a.csv",
    "rows": [{"id": "a", "value": 1.5, "why": "as it is"}, {"id": "b", "value": None, "hit": True}],
}


def test_numbers_and_ids_are_kept_and_sentences_and_origins_are_not() -> None:
    assert kept(ANSWER) == {
        "status": "eligible",
        "rows": [{"id": "a", "value": 1.5}, {"id": "b", "value": None, "hit": True}],
    }


def test_what_is_written_is_json_of_the_same() -> None:
    wide = {"z": [{"value": 0.1 + 0.2, "n": k} for k in range(40)], "a": {"é": [1, 2.5, None]}, "b": "-"}
    assert json.loads(written(wide)) == wide
    assert written(wide).index('"a"') < written(wide).index('"z"')


def test_what_moved_is_listed_by_size_and_what_came_or_went_before_it() -> None:
    old = leaves({"a": 1.0, "b": 2.0, "c": 3, "gone": 1, "word": "x", "null": None}, "f")
    new = leaves({"a": 1.0, "b": 2.2, "c": 3.0003, "come": 1, "word": "y", "null": 0}, "f")
    found = moved(old, new)
    assert [each.path for each in found[-2:]] == ["f/b", "f/c"]
    assert {each.path for each in found[:-2]} == {"f/gone", "f/come", "f/word", "f/null"}
    assert found[-2].size == pytest.approx(0.2 / 2.2)
    assert "2.0 → 2.2" in str(found[-2])


@pytest.mark.parametrize(
    ("old", "new", "sees"),
    [
        (1.0, 1.0 + 1e-10, False),
        (1.0, 1.0 + 3e-9, True),
        (1e6, 1e6 + 1e-4, False),
        (0.0, 5e-10, False),
        (1, 2, True),
        (12, 12.0, False),
        (True, 1, True),
        (None, 0.0, True),
        (float("nan"), float("nan"), False),
        (float("nan"), 1.0, True),
        (float("inf"), float("inf"), False),
        (float("inf"), 1.0, True),
        ("a", "b", True),
    ],
)
def test_within_a_tolerance_numbers_alone_may_differ(old: object, new: object, sees: bool) -> None:
    assert bool(moved(leaves(old, "f"), leaves(new, "f"), within=(1e-9, 1e-9))) == sees


def test_to_the_last_digit_everything_may_be_seen() -> None:
    assert moved({"f": 0.3}, {"f": 0.1 + 0.2})
    assert moved({"f": 1}, {"f": 1.0})
    assert not moved({"f": float("nan")}, {"f": float("nan")})


OLD = {
    "case-ms/forecast/outcomes/per_day/median/0": 9.0,
    "case-ms/forecast/outcomes/per_day/median/1": 8.0,
    "trial/arms/0/endpoint": "per_day",
    "trial/arms/0/mean": 8.0,
    "trial/arms/1/endpoint": "pain",
}


def test_a_rename_takes_what_lies_below_it_and_ids_by_their_word() -> None:
    new = renamed(
        OLD,
        [
            ("*/forecast/outcomes/per_day", "*/forecast/outcomes/spasms_per_day"),
            ("**/endpoint=per_day", "**/outcome=spasms_per_day"),
            ("**/endpoint", "**/outcome"),
        ],
    )
    assert new == {
        "case-ms/forecast/outcomes/spasms_per_day/median/0": 9.0,
        "case-ms/forecast/outcomes/spasms_per_day/median/1": 8.0,
        "trial/arms/0/outcome": "spasms_per_day",
        "trial/arms/0/mean": 8.0,
        "trial/arms/1/outcome": "pain",
    }


def test_a_rename_onto_what_is_there_is_refused() -> None:
    with pytest.raises(ValueError, match="both become trial/arms/0/mean"):
        renamed(OLD, [("trial/arms/0/endpoint", "trial/arms/0/mean")])


def test_a_rename_hides_no_number_that_moved() -> None:
    new = renamed(OLD, [("**/per_day", "**/spasms")])
    changed = {**new, "case-ms/forecast/outcomes/spasms/median/1": 8.1}
    assert [each.path for each in moved(new, changed)] == ["case-ms/forecast/outcomes/spasms/median/1"]
