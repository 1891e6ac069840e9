"""The names of the package: one meaning each, whatever was imported first; and the verbs of the terminal."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lissive.evidence
from lissive.cli.main import main
from lissive.errors import EvidenceError
from lissive.evidence import claims, pool, shipped_studies

MODULES = {module.name for module in pkgutil.iter_modules(lissive.evidence.__path__)}


def test_no_public_name_is_that_of_a_module() -> None:
    assert not MODULES & set(lissive.evidence.__all__)


def test_names_mean_the_same_whatever_was_imported_first() -> None:
    """Importing a module sets its name on the package; none of the functions may be covered by it."""
    imports = "; ".join(f"import lissive.evidence.{name}" for name in sorted(MODULES))
    code = (
        f"{imports}\nimport lissive.evidence as e\nprint(all(callable(getattr(e, n)) for n in e.__all__[3:]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_pool_is_what_the_terminal_prints(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--outcome", "responders_30pct", "--cause", "multiple_sclerosis", "--tau2", "dl", "--ci", "wald")
    assert main(["evidence", "pool", *words, "--baseline-risk", "0.2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    versions = printed.pop("data_versions")  # of the command: an answer in Python is of the package's own
    answer = pool("responders_30pct", "multiple_sclerosis", tau2="dl", ci="wald", baseline_risk=0.2)
    assert json.loads(json.dumps(answer.to_json())) == printed
    assert set(versions) == {"evidence"}
    assert (printed["tau2_by"], printed["ci_by"], printed["k"]) == ("DL", "Wald", answer.k)


def test_the_answer_keeps_the_names_that_other_programs_read() -> None:
    """A key that is renamed or lost breaks whoever reads the JSON; each name here is read somewhere."""
    found = pool("spasticity_nrs", "multiple_sclerosis").to_json()
    assert list(found) == [
        *"as_of there_is outcome outcome_label unit better cause cause_label design measure measure_label k n".split(),
        *"n_stated_by estimate ci prediction_interval prediction_beyond_scale se p tau2 tau2_ci i2 q q_df q_p".split(),
        *"method model tau2_by ci_by level weights said direction by_design between_designs either_sign".split(),
        *"regression leave_one_out small_studies absolute certainty studies left_out provenance recalled".split(),
        *"rejected notes trials_looked said_too".split(),
    ]
    study = "study label design product products n active control estimate ci y se weight provenance patients"
    assert list(found["studies"][0]) == [*study.split(), "risk_of_bias", "said", "note", "cited"]
    nothing = pool("spasticity_nrs", "cerebral_palsy").to_json()
    assert set(nothing) == set(found)


def test_pool_takes_a_file_or_studies_that_were_read(tmp_path: Path) -> None:
    text = (
        "trials: [{id: a, cause: MS, design: parallel, outcomes: {responders_30pct: "
        "[{arm: THC, n: 30, N: 60}, {arm: placebo, n: 18, N: 60}]}}]"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    found = pool("responders_30pct", studies=path).overall
    assert found is not None
    assert found.pooled.estimate == pytest.approx((30 / 30) / (18 / 42))
    shipped = pool("responders_30pct", "multiple_sclerosis")
    assert pool("responders_30pct", "multiple_sclerosis", studies=shipped_studies()) == shipped


def test_a_word_that_is_not_known_is_refused_as_at_the_terminal() -> None:
    with pytest.raises(EvidenceError, match="Did you mean spasticity_nrs"):
        pool("spasticity_nr")
    with pytest.raises(EvidenceError, match="Allowed: random, fixed"):
        pool("pgic", model="mixed")


def test_claims_are_all_or_the_nearest() -> None:
    assert len(claims()) > 20
    assert claims("cannabis protects nerve cells")[0].id == "neuroprotection"
    assert claims("it cures cancer") == ()
