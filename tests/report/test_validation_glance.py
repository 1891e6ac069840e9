"""The first table of docs/validation.md: its numbers are those of the validation behind it."""

from __future__ import annotations

from lissive.report.validation_text import GLANCE, glance_table
from lissive.table import rows_of
from lissive.validation.targets import load_targets

from .synthetic import one, validation


def _row(question: str, *predictions: object) -> tuple[str, ...]:
    shown = glance_table(validation(*predictions))  # type: ignore[arg-type]
    return next(row for row in shown.rows if row[0].startswith(question))


def test_the_error_is_the_median_factor_whichever_side_it_is_on() -> None:
    rows = [one("THC", "Cmax", 2.0, fold) for fold in (2.0, 1 / 1.5, 1.1)]
    assert _row("After THC by mouth?", *rows)[1] == "1.5-fold; 0 of 3 in range"


def test_held_out_rows_stand_apart_and_their_side_is_named() -> None:
    rows = [one("CBD", "Cmax", 1.0, 1 / fold, split="validation") for fold in (2.0, 4.0)]
    assert _row("How much CBD", *rows)[1:3] == ("not tested", "3.0-fold; 0 of 2 in range, all too low")


def test_the_worst_ratio_is_named() -> None:
    rows = [one("THC", "food_ratio_AUC", 2.0, fold, split="validation") for fold in (1.1, 0.25)]
    assert _row("What do food", *rows)[2].endswith(
        "1 of 2 within 0.67 to 1.5 times the observed; farthest off: THC food ratio AUC, predicted 0.500, observed 2.00"
    )


def test_a_clinician_reads_it_in_a_minute() -> None:
    shown = glance_table(validation())
    words = sum(len(cell.split()) for row in rows_of(GLANCE) for cell in (row["question"], row["make_of_it"]))
    assert len(shown.rows) <= 12
    assert words < 240


def test_every_target_that_it_names_is_one() -> None:
    known = set(load_targets())
    named = {
        part.partition("=")[0] for row in rows_of(GLANCE) for part in row["targets"].split() if part != "-"
    }
    assert named <= known
    assert len(named) > 10
