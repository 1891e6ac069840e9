"""Published trials beside virtual ones: the same figures by the same arithmetic, and intervals that mean something."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lissive.calibrate.response import SUM_BETWEEN
from lissive.chunks import How
from lissive.errors import DesignError
from lissive.trials import reproduce as reproducing
from lissive.trials.design import make_design
from lissive.trials.observe import ADVERSE, Flow, TrialData
from lissive.trials.parts import Endpoint
from lissive.trials.people import Response
from lissive.trials.published import Observed, read_published, shipped_published
from lissive.trials.reproduce import chosen, reproduce_published, statistic

FILE = """
trials:
- id: small
  citation: A small trial
  cause: MS
  intervention: nabiximols
  comparator: placebo
  design: parallel
  duration_weeks: {value: 4, provenance: read}
  titration: self-titrated
  max_dose: {sprays_day: {value: 12, provenance: read}}
  blinding: double-blind
  arms:
  - {arm: nabiximols, n_randomised: {value: 20, provenance: read}}
  - {arm: placebo, n_randomised: {value: 20, provenance: read}}
  outcomes:
    spasticity_nrs:
    - {arm: nabiximols, change_mean: {value: -1.2, provenance: read}}
    - {arm: placebo, change_mean: {value: -0.8, provenance: recalled}}
    spasticity_nrs_between:
      diff: {value: -0.4, provenance: read}
      ci: {value: [-1.3, 0.5], provenance: read}
    msss88: {change: {value: 3, provenance: read}}
  split: validation
- id: of_stroke
  cause: post-stroke
  intervention: nabiximols
  comparator: placebo
  design: parallel
  duration_weeks: {value: 4, provenance: read}
  arms: []
  outcomes: {}
  split: context
"""


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "trials.yaml"
    path.write_text(FILE, encoding="utf-8")
    return read_published(path)


def test_the_answer_has_every_figure_and_every_thing_that_was_left_out(published) -> None:
    found = reproduce_published(published, replicates=20, threads=1)
    answer = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert {(r["arm"], r["statistic"]) for r in answer["endpoints"]} == {
        ("nabiximols", "change"),
        ("placebo", "change"),
        ("nabiximols", "difference"),
    }
    for row in answer["endpoints"]:
        low, high = row["pi90"]
        assert low < row["predicted"] < high
        assert row["inside"] == (low <= row["observed"] <= high)
    assert {s["trial"] for s in answer["skipped"]} == {"small", "of_stroke"}
    assert answer["summary"]["n"] == 3
    assert answer["summary"]["inside"] == sum(r["inside"] for r in answer["endpoints"])
    assert answer["summary_by_split"]["validation"]["n"] == 3
    assert 0.3 < answer["summary_by_split"]["validation"]["width_ratio"] < 3


@pytest.mark.slow
def test_chunks_on_disk_change_nothing_and_are_read_again(published, tmp_path, monkeypatch) -> None:
    whole = reproduce_published(published, replicates=20, threads=1)
    monkeypatch.setattr(reproducing, "PATIENTS_AT_ONCE", 400)
    kept = reproduce_published(published, replicates=20, threads=1, folder=tmp_path / "chunks")
    assert kept.to_json() == whole.to_json()
    assert len(list((tmp_path / "chunks").glob("*.npz"))) > len(published.trials)
    monkeypatch.setattr(reproducing, "_of_chunk", None)  # nothing is simulated again
    how = How(resume=True)
    again = reproduce_published(published, replicates=20, threads=1, folder=tmp_path / "chunks", how=how)
    assert again.to_json() == whole.to_json()


@pytest.mark.slow
def test_a_trial_of_more_patients_has_a_narrower_interval(published) -> None:
    one = published.trials[0]
    large = replace(one, id="large", design=one.design.model_copy(update={"patients": 320}))
    large = replace(
        large, observed=tuple(replace(o, n=None if o.n is None else 8 * o.n) for o in one.observed)
    )
    answers = [Response(dict.fromkeys(SUM_BETWEEN, 0.0))] * 20
    both = reproduce_published(
        replace(published, trials=(one, large)), replicates=20, responses=answers, threads=1
    )
    width = {(i, r.observed.arm, r.observed.statistic): r.upper - r.lower for i, r in enumerate(both.rows)}
    small, big = list(width.values())[:3], list(width.values())[3:]
    assert all(b < 0.6 * s for s, b in zip(small, big, strict=True))


def test_too_few_replicates_for_an_interval(published) -> None:
    with pytest.raises(DesignError, match="replicates is 5"):
        reproduce_published(published, replicates=5)


def test_only_some_trials(published) -> None:
    assert [t.id for t in chosen(published, ["small"]).trials] == ["small"]
    assert chosen(published, []) is published
    with pytest.raises(DesignError, match="smal is not in the file. Did you mean small?"):
        chosen(published, ["smal"])
    with pytest.raises(DesignError, match="of_stroke cannot be simulated.*stroke"):
        chosen(published, ["of_stroke"])


# -- figures by hand -----------------------------------------------------------------------------------
@pytest.fixture
def by_hand():
    """Three patients on the drug, three on placebo, one visit; the last of each arm left before it."""
    design = make_design(
        {
            "trial": "hand",
            "population": {"cause": "multiple_sclerosis"},
            "patients": 6,
            "arms": {
                "drug": {"product": "nabiximols", "most_per_day": 12},
                "placebo": {"product": "nabiximols", "placebo": True, "most_per_day": 12},
            },
            "weeks": 4,
            "visits_weeks": [4],
            "endpoints": [
                {"measure": "spasticity_nrs"},
                {"measure": "spasticity_nrs", "falls_by_pct": 30},
                {"measure": "withdrawal_adverse"},
                {"measure": "dose"},
            ],
        }
    )
    base = np.array([6.0, 5.0, 8.0, 6.0, 5.0, 8.0])
    end = np.array([3.0, 4.0, np.nan, 6.0, 3.0, np.nan])
    data = TrialData(
        replicate=0,
        screening_id=np.arange(6),
        group=np.array([0, 0, 0, 1, 1, 1]),
        stratum=np.zeros(6, int),
        treatment=np.array([[0], [0], [0], [1], [1], [1]]),
        screening={"spasticity_nrs": base},
        baseline={"spasticity_nrs": base[:, None]},
        values={"spasticity_nrs": end[:, None, None]},
        filled=np.full((6, 1, 1), 7),
        dose=np.array([8.0, 6.0, np.nan, 10.0, 12.0, np.nan])[:, None, None],
        left=np.array([np.inf, np.inf, 10.0, np.inf, np.inf, 20.0]),
        left_why=np.array([0, 0, ADVERSE, 0, 0, 2]),
        dizzy=np.zeros((6, 1), bool),
        failed_day=np.full(6, np.nan),
        impression={"pgic": 0.18, "pgic_much": 0.4},
        flow=Flow(6, 6, 0, 0, 6, 0),
    )
    return design, dict.fromkeys(design.arms, data)


def _figure(arm, endpoint, kind, against=None, n=None):
    return Observed(
        trial="hand", arm=arm, against=against, endpoint=endpoint, statistic=kind, value=0.0, error=None, ci=None,
        n=n, week=None, provenance="read", printed="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        # the last one seen stands for a visit that is missing: no change in the third patient of each arm
        (_figure("drug", "spasticity_nrs", "change"), (-3 - 1 + 0) / 3),
        (_figure("placebo", "spasticity_nrs", "change"), (0 - 2 + 0) / 3),
        (_figure("drug", "spasticity_nrs", "difference", "placebo"), -4 / 3 + 2 / 3),
        (_figure("drug", "spasticity_nrs", "end"), (3 + 4 + 8) / 3),
        (_figure("drug", "spasticity_nrs", "change_sd"), np.std([-3, -1, 0], ddof=1)),
        (_figure("drug", "spasticity_nrs_responders_30pct", "share"), 1 / 3),
        (_figure("drug", "spasticity_nrs_responders_30pct", "odds_ratio", "placebo"), 1.0),
        (_figure("drug", "withdrawal_adverse", "share"), 1 / 3),
        (_figure("placebo", "withdrawal_adverse", "share"), 0.0),
        (_figure("drug", "dose", "mean"), 7.0),
        # of a part of the patients: the first two of the arm
        (_figure("drug", "spasticity_nrs", "change", n=2), -2.0),
        (_figure("drug", "spasticity_nrs", "difference", "placebo", n=4), -2.0 + 1.0),
    ],
)
def test_figures_against_hand_calculation(by_hand, figure, value) -> None:
    design, data = by_hand
    assert statistic(design, data, figure) == pytest.approx(value)


@pytest.mark.slow
def test_every_shipped_figure_can_be_calculated_from_a_virtual_trial() -> None:
    """One small replicate of each trial: no figure without a number, but for those that chance leaves empty."""
    from lissive.trials.conduct import conduct

    missing = []
    for trial in shipped_published().trials:
        weeks = min(trial.design.weeks, 4.0)
        if trial.design.weeks > weeks:
            continue
        data = conduct(trial.design, [0])[0]
        values = [statistic(trial.design, dict.fromkeys(trial.design.arms, data), o) for o in trial.observed]
        missing += [o.printed for o, v in zip(trial.observed, values, strict=True) if not np.isfinite(v)]
    assert not missing


def test_a_change_in_a_count_is_a_change(by_hand) -> None:
    design, data = by_hand
    counted = design.model_copy(update={"endpoints": (Endpoint(measure="spasms_per_day"),)})
    base, end = np.array([10.0, 8, 6, 9, 9, 9]), np.array([6.0, 5, np.nan, 9, 7, np.nan])
    one = next(iter(data.values()))
    whole = replace(
        one,
        screening={"spasms_per_day": base},
        baseline={"spasms_per_day": base[:, None]},
        values={"spasms_per_day": end[:, None, None]},
    )
    every = dict.fromkeys(design.arms, whole)
    assert statistic(counted, every, _figure("drug", "spasms_per_day", "change")) == pytest.approx(
        (-4 - 3) / 3
    )
    assert statistic(counted, every, _figure("drug", "spasms_per_day", "end")) == pytest.approx(
        (6 + 5 + 6) / 3
    )
