"""The calibration: finds what it is given to find, says what it does not know, and never looks at the hold-out."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from scipy.stats import t as student

from lissive.calibrate import likelihood
from lissive.calibrate.likelihood import Errors, fit_errors, own_error, whitened
from lissive.calibrate.pk import Fit, fit_pk, priors, usable
from lissive.calibrate.prior import Prior
from lissive.calibrate.tables import HEAVY_TAILS, dois, write_tables
from lissive.cli.main import main
from lissive.errors import StudyError
from lissive.model.parameters import FOLDER, load_parameters
from lissive.simulation import kinetics
from lissive.studies import Arm, Observation, predict_studies, shipped_studies
from lissive.studies.observation import LAST

PEOPLE = 24
TIMES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
IV = Arm("injected", PEOPLE, "iv", 5.0, 0.0, sampling=TIMES, duration=0.05)
SMOKED = Arm("smoked", PEOPLE, "smoked", 20.0, 0.0, sampling=TIMES, duration=0.15)


def seen(arm: Arm, measure: str = "conc", **fields: object) -> Observation:
    group = {"Tmax": "time", "CL": "clearance", "ratio_AUC": "ratio"}.get(measure, "exposure")
    usual = {"analyte": "THC", "metric": measure, "group": group, "value": 1.0, "unit": "1", "stat": "mean"}
    origin = {"provenance": "read", "split": "calibration", "window": (0.0, LAST), "doi": f"10.1/{arm.study}"}
    return Observation(arm.study, measure=measure, arm=arm, **{**usual, **origin, **fields})  # type: ignore[arg-type]


def typical(name: str) -> float:
    return load_parameters()[name].value


def prior(name: str, factor: float = 1.0, sd: float = 2.0, low: float = 0.3, high: float = 3.0) -> Prior:
    """Wide, and off by a factor."""
    value = typical(name)
    scale = "logit" if load_parameters()[name].distribution == "logitnormal" else "log"
    most = min(high * value, 0.95) if scale == "logit" else high * value
    return Prior(name, scale, factor * value, sd, low * value, most)


def made_with(truth: dict[str, float], observations: Sequence[Observation]) -> list[Observation]:
    """The same with the values that the model itself gives for other parameters: no noise."""
    found = predict_studies(observations, replicates=1, seed=1, parameters=truth, evenly=True)
    return [replace(one, value=each.predicted) for one, each in zip(observations, found, strict=True)]


@cache
def truth() -> dict[str, float]:
    return {
        "CL_THC": 0.9 * typical("CL_THC"),
        "V1_THC": 1.3 * typical("V1_THC"),
        "F_smoked": 1.4 * typical("F_smoked"),
    }


@cache
def data() -> tuple[Observation, ...]:
    injected = [seen(IV, time=t) for t in TIMES]
    return tuple(made_with(truth(), [*injected, seen(SMOKED, "AUC"), seen(SMOKED, time=0.5)]))


# A clearance near the liver's blood flow leaves the well-stirred liver without an answer.
WIDE = (
    ("CL_THC", 0.95, 2.0, 0.5, 1.15),
    ("V1_THC", 0.8),
    ("F_smoked", 0.7),
    ("MTT_THC_oral", 1.1, 0.4),
)


@cache
def fit() -> Fit:
    return fit_pk(data(), given=[prior(*each) for each in WIDE], people=PEOPLE)["THC"]


class TestWhatMayBeFittedOn:
    @pytest.mark.parametrize("split", ["validation", "context"])
    def test_anything_but_calibration_is_refused_by_name(self, split):
        rows = [*data(), seen(replace(IV, study="held_out"), "AUC", split=split)]
        for door in (usable, fit_pk):
            with pytest.raises(StudyError, match="held_out") as caught:
                door(rows)
            assert split in str(caught.value)

    def test_the_refusal_comes_before_any_simulation(self):
        """Also where the row would not have been used: a half-life, a ratio."""
        for measure in ("thalf", "ratio_AUC"):
            with pytest.raises(StudyError):
                usable([seen(IV, measure, split="validation", reference=IV)])

    def test_ratios_and_half_lives_are_not_used(self):
        rows = [seen(IV, "thalf"), seen(IV, "ratio_AUC", reference=IV), seen(IV, "AUC")]
        assert [each.measure for each in usable(rows)] == ["AUC"]

    def test_the_command_takes_only_the_calibration_rows_of_a_file(self):
        chosen = shipped_studies().of_split("calibration")
        assert chosen
        assert {each.split for each in chosen} == {"calibration"}
        assert len(chosen) < len(shipped_studies().observations)

    def test_one_drug_without_data_is_not_fitted(self):
        assert set(fit_pk([], given=[prior("CL_THC")])) == set()


class TestTheFit:
    @pytest.mark.parametrize("name", ["CL_THC", "V1_THC", "F_smoked"])
    def test_what_the_data_were_made_with_is_found_again(self, name):
        assert fit().values[name] == pytest.approx(truth()[name], rel=0.05)

    def test_data_that_agree_leave_little_doubt(self):
        for name in ("CL_THC", "V1_THC", "F_smoked"):
            assert fit().sd[name] < 0.5 * next(p.sd for p in fit().priors if p.name == name)

    def test_what_the_data_say_nothing_of_stays_with_its_prior(self):
        """Injections and smoke know nothing of the way through the gut."""
        before = prior(*WIDE[3])
        assert fit().values["MTT_THC_oral"] == pytest.approx(before.value, rel=1e-3)
        assert fit().sd["MTT_THC_oral"] == pytest.approx(before.sd, rel=0.01)

    def test_each_parameter_rests_on_the_studies_that_inform_it(self):
        assert fit().rests_on["F_smoked"] == ("smoked",)
        assert "injected" in fit().rests_on["CL_THC"]
        assert fit().rests_on["MTT_THC_oral"] == ()

    def test_data_from_the_table_itself_move_nothing(self):
        """Priors at the values that the data were made with: the mode is where it began."""
        at = [
            replace(prior(each[0], *each[2:]), value=truth()[each[0]])
            for each in (("V1_THC", 1), ("F_smoked", 1))
        ]
        found = fit_pk(made_with({p.name: p.value for p in at}, data()), given=at, people=PEOPLE, rounds=1)[
            "THC"
        ]
        for p in at:
            assert found.values[p.name] == pytest.approx(p.value, rel=1e-3)

    def test_two_runs_are_the_same_to_the_bit(self):
        runs = [fit_pk(data()[:3], given=[prior("V1_THC", 0.8)], people=8, rounds=2)["THC"] for _ in range(2)]
        np.testing.assert_array_equal(runs[0].mode, runs[1].mode)
        np.testing.assert_array_equal(runs[0].covariance, runs[1].covariance)
        assert runs[0].errors == runs[1].errors

    @pytest.mark.parametrize(("low", "high"), [(0.3, 1.1), (1.5, 3.0)])
    def test_ends_are_kept(self, low, high):
        """The data want 1.3 times the table's volume, and nothing else to differ from the tables."""
        known = prior("V1_THC", 0.5 * (low + high), low=low, high=high)
        rows = made_with({"V1_THC": 1.3 * typical("V1_THC")}, [seen(IV, time=t) for t in TIMES[:4]])
        found = fit_pk(rows, given=[known], people=PEOPLE)["THC"]
        assert known.lower * (1 - 1e-9) <= found.values["V1_THC"] <= known.upper * (1 + 1e-9)
        nearest = known.upper if high < 1.3 else known.lower
        assert found.values["V1_THC"] == pytest.approx(nearest, rel=0.02)

    def test_a_narrow_prior_holds_against_one_number(self):
        sure = prior("V1_THC", sd=0.01)
        found = fit_pk(data()[:1], given=[sure], people=8, rounds=1)["THC"]
        assert found.values["V1_THC"] == pytest.approx(sure.value, rel=0.02)

    def test_what_is_recalled_counts_for_less(self):
        """The same two numbers, one read and one recalled: the estimate is nearer to the one that was read."""
        area = next(each for each in data() if each.metric == "AUC")
        high = replace(area, study="a", provenance="recalled")
        low = replace(area, study="b", value=0.6 * area.value)
        given = [prior("F_smoked")]
        one = fit_pk([high, low], given=given, people=8)["THC"]
        other = fit_pk(
            [replace(high, provenance="read"), replace(low, provenance="recalled")],
            given=given,
            people=8,
        )["THC"]
        assert 1.05 * one.values["F_smoked"] < other.values["F_smoked"]
        for each in (one, other):
            assert 0.0 < each.recalled["F_smoked"] < 0.5


class TestShippedPriors:
    def test_each_lies_within_its_ends_and_names_a_parameter(self):
        known = load_parameters()
        for p in priors():
            assert p.name in known
            assert p.lower < p.value < p.upper, p.name
            assert p.sd > 0
            assert p.scale == "log" or p.upper < 1

    def test_the_scale_of_a_share_is_its_log_odds(self):
        share = Prior("x", "logit", 0.2, 1.0, 0.1, 0.9)
        assert share.to_scale(0.2) == pytest.approx(np.log(0.25))
        assert share.from_scale(np.log(0.25)) == pytest.approx(0.2)
        assert replace(share, scale="log").to_scale(0.2) == pytest.approx(np.log(0.2))


def group(study: str, n: int, **fields: object) -> list[Observation]:
    arm = replace(IV, study=study, n=fields.pop("people", 10_000))
    return [seen(arm, "AUC", **fields) for _ in range(n)]


class TestErrors:
    def test_one_number_by_hand(self):
        """A standard error of 0.5/5, of whose variance 0.7 is shared by all means of the arm, with 0.2 of its own."""
        one = seen(replace(IV, n=25), cv=0.5)
        alone = np.hypot(0.2, np.sqrt(0.3) * 0.1)
        assert own_error(one, Errors(0.9, 0.2)) == pytest.approx(alone)
        assert own_error(replace(one, provenance="recalled"), Errors(0.9, 0.2)) == pytest.approx(2 * alone)
        assert own_error(replace(one, group="time"), Errors(0.9, 0.2)) == pytest.approx(
            np.sqrt(0.2**2 + 0.1**2 + likelihood.BETWEEN_SAMPLES**2)
        )

    def test_the_same_people_stand_behind_all_means_of_an_arm(self, monkeypatch):
        """With few people, two means that are both high say less than with different people behind each."""
        monkeypatch.setattr(likelihood, "KNEE", 1e3)
        same, others = group("a", 2, people=4), [*group("a", 1, people=4), *group("b", 1, people=4)]
        both = (
            np.sum(whitened(rows, np.array([0.3, 0.3]), Errors(0.0, 0.05)) ** 2) for rows in (same, others)
        )
        assert next(both) < 0.65 * next(both)

    def test_a_clearance_goes_against_the_concentrations_of_its_study(self, monkeypatch):
        """A study with high areas has low clearances: with residuals of opposite sign they agree."""
        monkeypatch.setattr(likelihood, "KNEE", 1e3)
        rows = [*group("a", 1), seen(replace(IV, study="a"), "CL")]
        agree, differ = (
            np.sum(whitened(rows, np.array(r), Errors(0.3, 0.1)) ** 2) for r in ([0.3, -0.3], [0.3, 0.3])
        )
        assert agree < 0.5 * differ

    def test_whitened_residuals_are_those_of_a_multivariate_normal(self, monkeypatch):
        """With the knee far away: numbers of a study share its level, studies and times stand alone."""
        monkeypatch.setattr(likelihood, "KNEE", 1e3)
        errors = Errors(between=0.3, within=0.2)
        rows = [*group("a", 3), *group("b", 2), seen(replace(IV, study="a", n=10_000), "Tmax")]
        people = (0.5 / 100) ** 2
        sigma = (0.2**2 + 0.3 * people) * np.eye(6)
        sigma[:3, :3] += 0.09 + 0.7 * people
        sigma[3:5, 3:5] += 0.09 + 0.7 * people
        sigma[5, 5] += (
            likelihood.BETWEEN_SAMPLES**2 + 0.7 * people
        )  # a time of the peak falls between two samples
        r = np.array([0.3, -0.1, 0.25, 0.6, 0.5, -0.4])
        z = whitened(rows, r, errors)
        flat = multivariate_normal(np.zeros(6), sigma)
        assert z @ z == pytest.approx(2 * (flat.logpdf(np.zeros(6)) - flat.logpdf(r)), rel=1e-5)
        lower = np.linalg.cholesky(sigma[:3, :3])
        by_hand = [r[0] / lower[0, 0]]
        by_hand.append((r[1] - lower[1, 0] * by_hand[0]) / lower[1, 1])
        by_hand.append((r[2] - lower[2, 0] * by_hand[0] - lower[2, 1] * by_hand[1]) / lower[2, 2])
        np.testing.assert_allclose(z[:3], by_hand, rtol=1e-5)

    def test_beyond_the_knee_a_residual_costs_its_size(self):
        rows = [seen(replace(IV, n=10_000), cv=1e-9)]
        for size in (0.01, 1.0, 100.0):
            (z,) = whitened(rows, np.array([-size]), Errors(between=0.0, within=1.0))
            assert z < 0
            assert z**2 / 2 == pytest.approx(np.sqrt(1 + size**2) - 1, rel=1e-6)

    @pytest.mark.parametrize(("between", "within"), [(0.3, 0.15), (0.2, 0.3)])
    def test_the_scales_of_synthetic_residuals_are_found_again(self, between, within):
        """Residuals of Student's t with 4 degrees of freedom, as the fit takes them to be."""
        rows = [one for k in range(300) for one in group(f"s{k}", 5)]
        random = np.random.default_rng(5)
        root = np.linalg.cholesky(within**2 * np.eye(5) + between**2)
        logs = np.concatenate([root @ student(4).rvs(5, random_state=random) for _ in range(300)])
        found = fit_errors(rows, logs)
        assert found.between == pytest.approx(between, rel=0.2)
        assert found.within == pytest.approx(within, rel=0.1)

    def test_normal_residuals_are_taken_for_somewhat_smaller(self):
        """The price of being robust: the scale of t4 that fits normal residuals best is 0.7 to 0.95 of theirs."""
        rows = [one for k in range(400) for one in group(f"s{k}", 1)]
        logs = norm(0, 0.4).ppf((np.arange(400) + 0.5) / 400)
        found = fit_errors(rows, logs)
        assert 0.7 * 0.4 < np.hypot(found.between, found.within) < 0.95 * 0.4

    def test_one_number_that_is_far_off_hardly_moves_the_scales(self):
        rows = [one for k in range(60) for one in group(f"s{k}", 1)]
        logs = norm(0, 0.2).ppf((np.arange(60) + 0.5) / 60)
        plain, with_one = fit_errors(rows, logs), fit_errors(rows, np.where(np.arange(60) == 30, 3.0, logs))
        assert np.hypot(with_one.between, with_one.within) < 1.25 * np.hypot(plain.between, plain.within)

    def test_they_stay_within_their_ends(self):
        rows = [one for k in range(5) for one in group(f"s{k}", 3)]
        for logs in (np.zeros(15), np.full(15, 50.0)):
            found = fit_errors(rows, logs)
            for each in (found.between, found.within):
                assert 0.05 * (1 - 1e-9) <= each <= 1 + 1e-9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the parameters with this fit written into it."""
    copy = tmp_path_factory.mktemp("tables") / "parameters"
    shutil.copytree(FOLDER, copy)
    write_tables({"THC": fit()}, dois(data()), copy, FOLDER)
    return copy


class TestTables:
    def test_the_fitted_values_are_read_back(self, folder):
        rows = load_parameters(folder=folder)
        for name in ("CL_THC", "V1_THC", "F_smoked"):
            assert rows[name].value == pytest.approx(fit().values[name], rel=1e-3)
            assert rows[name].provenance == "fitted"
            assert f"standard error {100 * fit().sd[name]:.0f} %" in rows[name].note

    def test_everything_else_is_left_as_it_was_to_the_byte(self, folder):
        moved = {"CL_THC", "V1_THC", "F_smoked"}
        fits = {"fitted.tsv", "fitted_correlation.tsv", "fitted_errors.tsv"}
        for table in FOLDER.glob("*.tsv"):
            if table.name in fits:
                continue
            old, new = table.read_bytes().split(b"\n"), (folder / table.name).read_bytes().split(b"\n")
            changed = {
                line.split(b"\t")[0].decode() for line, was in zip(new, old, strict=True) if line != was
            }
            assert changed <= moved, table.name
            moved -= changed
        assert not moved

    def test_a_spread_between_people_is_not_touched(self, folder):
        old, new = load_parameters(), load_parameters(folder=folder)
        assert {name: row.spread for name, row in new.items()} == {n: row.spread for n, row in old.items()}

    def test_standard_errors_priors_and_data_are_beside_them(self, folder):
        with (folder / "fitted.tsv").open(encoding="utf-8", newline="") as file:
            rows = {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}
        assert set(rows) == {each[0] for each in WIDE}
        for p in fit().priors:
            row = rows[p.name]
            assert float(row["estimate"]) == pytest.approx(fit().values[p.name], rel=1e-3)
            assert float(row["se"]) == pytest.approx(fit().sd[p.name], abs=1e-4)
            assert (float(row["prior_sd"]), row["scale"]) == (p.sd, p.scale)
        assert rows["F_smoked"]["data"] == "smoked"
        assert rows["MTT_THC_oral"]["data"] == "-"
        assert float(rows["MTT_THC_oral"]["contraction"]) == pytest.approx(0.0, abs=0.02)

    def test_the_posterior_is_read_back(self, folder):
        names, spread = kinetics.covariance(folder)
        assert names == tuple(p.name for p in fit().priors)
        np.testing.assert_allclose(spread, fit().covariance, atol=2e-4 * np.max(fit().covariance))
        assert np.linalg.eigvalsh(spread).min() > 0
        written = {"THC": pytest.approx(HEAVY_TAILS * fit().errors.between, abs=1e-3)}
        assert kinetics.between_study(folder) == written

    def test_no_table_is_left_half_written(self, folder):
        assert {each.name for each in folder.iterdir()} - {each.name for each in FOLDER.iterdir()} == set()


def test_the_command_prints_the_fit_and_writes_where_it_is_told(tmp_path, monkeypatch, capsys):
    from lissive.calibrate import pk

    monkeypatch.setattr(pk, "fit_pk", lambda rows, **_: {"THC": fit()})
    out = tmp_path / "new" / "tables"
    assert main(["calibrate", "pk", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    for name in fit().values:
        assert name in said
    assert "its prior only" in said
    assert str(out / "fitted.tsv") in said
    assert (out / "thc.tsv").exists()


def test_a_file_of_studies_that_is_wrong_is_refused(tmp_path, capsys):
    path = tmp_path / "studies.yaml"
    path.write_text("- id: a\n")
    assert main(["calibrate", "pk", "--studies", str(path)]) == 2
    assert "study a, split" in capsys.readouterr().err


@pytest.mark.slow
def test_from_the_shipped_values_the_search_moves_no_further(tmp_path, monkeypatch, capsys):
    """They are still the mode of the shipped studies: one look around, where the whole way takes twenty."""
    from lissive.calibrate import pk

    start = {name: float(row["estimate"]) for name, row in kinetics.fitted().items()}
    monkeypatch.setattr(pk, "fit_pk", partial(fit_pk, start=start))
    _the_shipped_values_are_found(tmp_path, capsys)


@pytest.mark.calibration
def test_the_shipped_values_are_those_of_the_shipped_studies(tmp_path, capsys):
    """From the priors on, which know nothing of them."""
    _the_shipped_values_are_found(tmp_path, capsys)


def _the_shipped_values_are_found(tmp_path, capsys):
    """`lissive calibrate pk` gives the fitted values that ship.

    Within 0.05 of each one's standard error, or the digits that are written, where those are coarser. The
    search starts at the priors and never sees the tables' fitted values, so that here it gives the same digits; but
    another processor's last digits can send it around another small step of the cost. A standard error is 0.04 to
    0.8, and nobody would notice a twentieth of it.
    """
    assert main(["calibrate", "pk", "--out", str(tmp_path)]) == 0
    assert "unverified" in capsys.readouterr().out
    new, shipped = kinetics.fitted(tmp_path), kinetics.fitted()
    assert new.keys() == shipped.keys()
    off = {}
    for name, row in shipped.items():
        values = np.array([float(each[name]["estimate"]) for each in (new, shipped)])
        scale = np.log(values / (1 - values)) if row["scale"] == "logit" else np.log(values)
        difference = abs(scale[0] - scale[1])
        if difference > 0.05 * float(row["se"]) + 3e-4:
            off[name] = (values.tolist(), row["se"])
    assert off == {}
    for name, row in shipped.items():
        assert float(new[name]["se"]) == pytest.approx(float(row["se"]), rel=0.1, abs=0.01)
    assert kinetics.between_study(tmp_path) == pytest.approx(dict(kinetics.between_study()), rel=0.1)
