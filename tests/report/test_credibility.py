"""The page on credibility agrees with what it is made from, and its ledgers are whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lissive.fingerprint import of_bytes
from lissive.report.credibility import PAGE, credibility_markdown, judged
from lissive.table import rows_of
from lissive.trials.published import shipped_published
from lissive.validation.credibility import FITS, HERE, effects, unlisted, unmoved

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_page_is_what_the_tables_say() -> None:
    assert (DOCS / PAGE).read_text(encoding="utf-8") == credibility_markdown(DOCS), "make credibility"


def test_every_fit_that_ships_is_the_last_of_its_kind_in_the_ledger() -> None:
    assert unlisted() == [], "add these lines to src/lissive/validation/fits.tsv, then: make credibility"


def test_every_fit_of_the_history_is_in_the_ledger() -> None:
    """What git has of both files."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no history here")
    listed = {(row["what"], row["sha256"]) for row in rows_of(HERE / "fits.tsv")}
    for what, path in FITS.items():
        name = path.relative_to(ROOT).as_posix()
        for commit in _git("log", "--format=%H", "--", name).decode().split():
            assert (what, of_bytes(_git("show", f"{commit}:{name}"), 12)) in listed


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=True).stdout


def test_every_context_has_criteria_and_every_test_that_is_named_exists() -> None:
    contexts = {row["context"] for row in rows_of(HERE / "contexts.tsv")}
    assert contexts == {row["context"] for row in rows_of(HERE / "acceptance.tsv")}
    for row in rows_of(HERE / "verification.tsv"):
        assert (ROOT / row["tests"]).exists(), row["tests"]


def test_criteria_are_read_from_the_pages_and_judged(tmp_path: Path) -> None:
    (tmp_path / "trials.md").write_text(
        "| Calibration (split calibration: fitted on) | 93 of 114 (82 %); width of PI / published 95 % CI = 1.00 |\n"
        "| Held out (split validation: nothing fitted on) | 10 of 13 (77 %) |\n"
        "| Held out (split validation: nothing fitted on) | 13 | 0.347, 2.50, 69 % | 0.346, 2.37, 100 % | baseline |\n"
        "| Calibration, each trial left out | 109 | 0.404, 3.00, 85 % | 0.471, 3.52, 92 % | model |\n"
        "| collin\\_2007 | nabiximols | spasticity\\_nrs\\_responders\\_30pct, share | 0.40† | 0.45 | 0 to 1 |\n"
        "| collin\\_2007 | nabiximols - placebo | spasticity\\_nrs, difference | -0.52† | -0.10 | -1 to 0 |\n",
        encoding="utf-8",
    )
    found = {each.criterion: each for each in judged(tmp_path)}

    def verdict(start: str) -> tuple[str, bool | None]:
        one = next(each for name, each in found.items() if name.startswith(start))
        return one.result, one.met

    assert verdict("figures of calibration trials") == ("82", False)
    assert verdict("figures of unseen trials") == ("77", True)
    assert verdict("mean width") == ("1.19", True)
    assert verdict("CRPS with each") == ("0.404 against 0.471", True)
    assert verdict("CRPS on unseen") == ("0.347 against 0.346", False)
    assert verdict("responders at 30 %") == ("5", True)
    assert verdict("difference in mean change") == ("-0.1", False)
    assert verdict("geometric mean fold error of THC") == ("not measured", None)


def test_an_interval_holds_a_value_and_a_range_has_two_ends(tmp_path: Path) -> None:
    (tmp_path / "concepts").mkdir()
    cells = "| as the model has it | 86 % / 48 % | 96 % / 51 % | 26 % | 0.28 (0.29) | 0.85 (0.60 to 1.10) | 0.03 |\n"
    (tmp_path / "concepts" / "follow-up.md").write_text(cells, encoding="utf-8")
    found = [each for each in judged(tmp_path) if each.context == "follow"]
    assert [(each.result, each.met) for each in found[:3]] == [
        ("86", True),
        ("96", False),
        ("0.6 to 1.1", True),
    ]
    assert found[3].met is None


def test_what_was_seen_is_every_trial_that_is_not_fitted_on() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    for trial in shipped_published().trials:
        name = trial.id.replace("_", "\\_")
        assert (f"| {name} | {trial.split} |" in page) == (trial.split != "calibration")


def test_what_data_do_not_move_is_in_the_table_with_its_ends() -> None:
    rows = {row["name"]: row for row in rows_of(HERE / "prior_sensitivity.tsv")}
    found = {each.name: each for each in unmoved()}
    assert "kappa" not in found  # ratings of severity tell it, by the link that is assumed
    assert {name for name in found if name.startswith("Im_")} >= {"Im_E", "Im_pain_brain", "Im_sleep_brain"}
    assert list(rows) == list(found), "python -m lissive.report.credibility docs --priors"
    for name, each in found.items():
        assert (rows[name]["low"], rows[name]["high"]) == (f"{each.low:.3g}", f"{each.high:.3g}")


@pytest.mark.slow
def test_the_effects_in_the_table_are_those_of_the_model() -> None:
    row = next(row for row in rows_of(HERE / "prior_sensitivity.tsv") if row["name"] == "Im_E")
    each = next(each for each in unmoved() if each.name == "Im_E")
    for end, value in (("low", each.low), ("high", each.high)):
        for name, effect in effects({"Im_E": value}).items():
            assert float(row[f"{name}_{end}"]) == pytest.approx(effect, abs=0.02)
