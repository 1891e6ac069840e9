"""The page of a validation: whole, alone, the same each time, and of the numbers that the JSON has."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from tests.pages import Page

from lissive.report.validation_html import validation_page, write_validation
from lissive.report.validation_tables import interval, metric, observed
from lissive.report.words import UNVERIFIED, number
from lissive.studies import predict_studies, shipped_studies
from lissive.validation.identifiability import assessed
from lissive.validation.run import Dependence, Validation
from lissive.validation.scenario import contraction
from lissive.validation.score import NOT_EXPLAINED, Curve, Point, explanations
from lissive.validation.sensitivity import Size, sensitivity
from lissive.validation.targets import TargetResult, targets

from .synthetic import one, usual, validation

pytestmark = pytest.mark.slow


def curve() -> Curve:
    times = np.linspace(0.0, 8.0, 30)
    middle = 3.0 * times * np.exp(-times) + 0.01
    points = (
        Point(1.0, 1.3, "peak", "recalled", "calibration"),
        Point(4.0, 0.2, "concentration", "read", "validation"),
    )
    return Curve("study2020", "THC", "ng/mL", times, middle, middle / 2, middle * 2, points, 0.1, 24, "oral")


@pytest.fixture(scope="module")
def met() -> list[TargetResult]:
    return targets(["stroke"])


@pytest.fixture(scope="module")
def deep() -> Dependence:
    matrix = np.array([[2.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.5, 0.2, 0.2]])
    sd = {"CL_THC": 0.3, "V1_THC": 0.4, "Q2_THC": 0.4}
    group = {
        "group": "volumes",
        "title": "Volumes",
        "members": "V1_THC Q2_THC",
        "separated_by": "Early samples.",
    }
    return Dependence(
        sensitivity(Size(2, 4, 2, 8), threads=2),
        assessed(matrix, list(sd), ["a", "b", "c", "d"], sd, [group]),
        contraction(sd, {"CL_THC": 0.1, "V1_THC": 0.4}),
    )


@pytest.fixture(scope="module")
def full(met: list[TargetResult], deep: Dependence) -> str:
    return validation_page(usual(targets=tuple(met), sensitivity=deep), [curve()])


@pytest.fixture(scope="module")
def plain() -> str:
    return validation_page(usual(), [])


@pytest.fixture(scope="module")
def shipped() -> Validation:
    studies = shipped_studies()
    found = predict_studies(studies.observations, replicates=6, seed=1, threads=2)
    scored = [each for each in found if np.isfinite(each.predicted)]
    return Validation(studies.path, tuple(scored), studies.skipped, 6, 1)


@pytest.fixture(scope="module")
def shipped_page(shipped: Validation) -> str:
    return validation_page(shipped, [])


def test_the_page_is_well_formed_and_can_be_read_by_everybody(full: str) -> None:
    page = Page(full)
    assert page.open == []
    assert page.of("html")[0]["lang"] == "en"
    assert "width=device-width" in page.of("meta")[1]["content"]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(cell.get("scope") for cell in page.of("th"))
    for picture in page.of("svg"):
        assert picture.get("aria-hidden") == "true" or (picture["role"] == "img" and picture["aria-label"])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.of("a"):
        assert not link["href"].startswith("#") or link["href"][1:] in ids


def test_the_page_loads_nothing(full: str) -> None:
    page = Page(full)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            loads = name in ("src", "xlink:href", "data", "srcset") or (name == "href" and tag != "a")
            assert not loads or value.startswith("#"), (tag, name, value)
    assert "@import" not in full
    assert not re.search(r"url\((?!#)", full)


def test_the_same_run_gives_the_same_bytes(
    full: str, met: list[TargetResult], deep: Dependence, tmp_path: Path
) -> None:
    (path,) = write_validation(tmp_path / "r", usual(targets=tuple(met), sensitivity=deep), [curve()])
    assert path.name == "validation.html"
    assert path.read_text(encoding="utf-8") == full
    assert [p.name for p in path.parent.iterdir()] == ["validation.html"]


def test_a_known_error_is_shown_with_its_verdict(plain: str) -> None:
    rows = Page(plain).rows
    assert ["Geometric mean fold error (GMFE) of THC", "at most 1.35", "1.20", "3", "met"] in rows
    assert ["Geometric mean fold error (GMFE) of CBD", "at most 1.5", "3.00", "1", "not met"] in rows
    assert ["Proportion of CBD within 2-fold", "at least 90 %", "0 %", "1", "not met"] in rows
    assert ["Geometric mean fold error (GMFE) of 11-OH-THC", "at most 1.35", "-", "0", "not judged"] in rows
    scores = ["1", "3.00", "3.00", "0 %", "0 %", "0 %", "0 %"]
    assert ["CBD", "read", *scores, "1", "3.00", "0 %"] in rows


def test_a_near_miss_of_an_aim_does_not_read_as_met() -> None:
    rows = Page(validation_page(validation(one("THC", "Cmax", 1.0, 1.3501)), [])).rows
    assert ["Geometric mean fold error (GMFE) of THC", "at most 1.35", "1.3501", "1", "not met"] in rows


def test_a_missed_ratio_without_a_reason_says_so(plain: str) -> None:

    assert f"study2020 THC ddi_ratio_Cmax: observed 2.00, predicted 8.00</dt><dd>{NOT_EXPLAINED}" in plain
    assert "study2020 THC food_ratio_AUC: observed" not in plain


def test_what_is_unverified_is_marked_and_what_is_read_is_not(plain: str) -> None:
    cells = {tuple(row[:3]): row for row in Page(plain).rows}
    assert cells["study2020", "THC", "AUC"][6] == f"10.0{UNVERIFIED} ng/mL"
    assert cells["study2020", "THC", "Cmax"][6] == "2.00 ng/mL"


@pytest.mark.slow
def test_every_observation_is_there_with_the_numbers_of_the_json(
    shipped: Validation, shipped_page: str
) -> None:
    there = {tuple(row) for row in Page(shipped_page).rows}
    by_start: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for row in there:
        by_start.setdefault(row[:3], []).append(row)
    for row in shipped.rows:
        cells = {observed(row), number(row.predicted), interval(row), number(row.fold)}
        mine = by_start[row.study, row.analyte, metric(row)]
        assert any(cells <= set(each) for each in mine), row


@pytest.mark.slow
def test_everything_that_was_skipped_is_there(shipped: Validation, shipped_page: str) -> None:
    there = {tuple(row) for row in Page(shipped_page).rows}
    assert {(each.study, each.what, each.why) for each in shipped.skipped} <= there


@pytest.mark.slow
def test_every_missed_ratio_of_the_shipped_studies_is_explained(shipped: Validation) -> None:
    missed = {(row.study, row.analyte, row.metric) for row in shipped.ratios.missed}
    assert missed
    assert missed <= explanations().keys()


@pytest.mark.slow
def test_every_explanation_is_of_a_ratio_that_is_scored(shipped: Validation) -> None:
    rows = shipped.rows
    assert explanations().keys() <= {(row.study, row.analyte, row.metric) for row in rows}


def test_without_sensitivity_the_page_says_how_to_get_it(plain: str, full: str) -> None:
    said = "lissive validate --sensitivity"
    assert said in plain
    assert said not in full


def test_sensitivity_shows_outputs_groups_and_what_was_learned(full: str, deep: Dependence) -> None:
    page = Page(full)
    for output in deep.indices.outputs:
        assert output.label in full
    group = next(row for row in page.rows if row[0] == "Volumes")
    assert group[2] == "no (structural)"
    assert group[4] == "unbounded"
    assert ["CL_THC", "0.300", "0.100", "0.89", "learned"] in page.rows
    assert ["V1_THC", "0.400", "0.400", "0.00", "not learned"] in page.rows


def test_curves_are_drawn_on_both_axes_with_their_points_in_the_table(full: str) -> None:
    page = Page(full)
    said = [
        picture["aria-label"]
        for picture in page.of("svg")
        if "study2020, oral" in picture.get("aria-label", "")
    ]
    assert [words.rsplit(" ", 2)[1] for words in said] == ["linear", "logarithmic"]
    assert any(row[1:3] == [f"1.30{UNVERIFIED}", "peak, calibration"] for row in page.rows)


def test_every_parameter_is_there_with_its_source(full: str) -> None:
    from lissive.model.parameters import load_parameters

    rows = {row[0]: row for row in Page(full).rows if len(row) == 9}
    for name, row in load_parameters().items():
        assert rows[name][2] == row.unit
        assert all(key in rows[name][7] for key in row.sources)


def test_the_text_of_a_file_cannot_become_part_of_the_page(plain: str) -> None:
    assert "which volume is &lt;not&gt; said" in plain
