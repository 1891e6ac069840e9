"""What phrases of publications mean: each kind that was once misread, and its neighbours."""

from __future__ import annotations

import pytest

from lissive.studies import phrases
from lissive.studies.observation import INFINITE, LAST

from .small import A, changed, metric, read, skipped, wrong

FOOD = {
    "fasted >=10 h": "fasted",
    "overnight fast": "fasted",
    "without food": "fasted",
    "before breakfast": "fasted",
    "on an empty stomach": "fasted",
    "breakfast 2 h after dosing": "fasted",
    "2 h after dosing, a standard breakfast was served": "fasted",
    "fasted 10 h; lunch 4 h post-dose": "fasted",
    "not fed": "fasted",
    "no food until 4 h after the dose": "fasted",
    "with a fat-free meal": "low-fat",
    "low-fat meal": "low-fat",
    "fasted then light feed": "low-fat",
    "high-fat 800 kcal breakfast": "high-fat",
    "30 min after a high-fat breakfast, overnight fast": "high-fat",
    "unfasted": "fed",
    "non-fasting": "fed",
    "not fasted": "fed",
    "overnight fast; standard meal within 30 min prior to dosing": "fed",
    "fed (standardised breakfast)": "fed",
    "2 h postprandial": "fed",
    "semi-fasted": None,
    "fasting not required": None,
    "not required to fast": None,
    "fed vs fasted": None,
    "with or without food": None,
    "regardless of meals": None,
    "as usual": None,
    "": None,
}
USERS = {
    "heavy cannabis users": "heavy",
    "daily cannabis smokers": "heavy",
    "chronic daily smokers": "heavy",
    "pain patients on medicinal cannabis": "heavy",
    "less than daily": "light",
    "non-daily users": "light",
    "healthy, cannabis-naive": "light",
    "infrequent users": "light",
    "experienced with vaporisers, no cannabis in the last month": "light",
    "regular tobacco smokers, infrequent cannabis users": "light",
    "11 frequent + 9 occasional users": "mixed",
    "frequent or infrequent users": "mixed",
    "no regular use": "light",
    "no history of daily cannabis use": "light",
    "daily users, abstinent for 24 h": "heavy",
    "no alcohol, daily users": "heavy",
    "former heavy users, abstinent for one year": None,
    "heavy drinkers": None,
    "light cannabis consumers": None,
    "users of “Daily Light” oil": None,
    "users of Heavy™ drops": None,
    "experienced users": None,
    "healthy": None,
}
SCHEDULES = {
    "single dose": (None, 1),
    "replicate single dose": (None, 1),
    "once daily x 9 days": (24, 9),
    "a single daily dose for 5 days": (24, 5),
    "twice daily x 2 weeks": (12, 28),
    "2 sprays four times a day for 3 d": (6, 12),
    "4 sprays once daily over 9 days": (24, 9),
    "every 12 h for 7 consecutive days": (12, 14),
    "q8h x 3 d": (8, 9),
    "two doses 4 h apart": (4, 2),
    "2 single doses one week apart": (168, 2),
    "a single dose every 8 h for 2 days": (8, 6),
    "single dose, periods 7 days apart": (None, 1),
    "three doses at intervals of 90 min": (1.5, 3),
    "four cigarettes within 4 h": (1, 4),
    "BID": (12, None),
}
UNITS = {
    "ng mL-1": "ng/mL",
    "ng·mL⁻¹": "ng/mL",
    "ng h mL^-1": "ng*h/mL",
    "ng.h/mL": "ng*h/mL",
    "µg/L": "ug/L",
    "mcg/L": "ug/L",
    "hr*ng/mL": "h*ng/mL",
    "ng x h/mL": "ng*h/mL",
}


@pytest.mark.parametrize(("text", "meaning"), FOOD.items())
def test_food(text, meaning):
    assert phrases.food(text) == meaning


@pytest.mark.parametrize(("text", "meaning"), USERS.items())
def test_users(text, meaning):
    assert phrases.users(text) == meaning


def test_a_products_name_is_no_population():
    assert phrases.users("healthy users of Heavy Gold", "Heavy Gold") is None


@pytest.mark.parametrize(("text", "meaning"), SCHEDULES.items())
def test_schedules(text, meaning):
    said = phrases.schedule(text)
    assert said is not None
    assert (said.get("every_h"), said["doses"]) == meaning


@pytest.mark.parametrize(
    "text",
    [
        *("6 weeks", "q0h", "q1h x 90 weeks", "as needed", "escalating", "", "steady state"),
        *("not daily", "less than daily", "single dose, repeated after 4 weeks"),
    ],
)
def test_schedules_that_are_none(text):
    assert phrases.schedule(text) is None


@pytest.mark.parametrize(("text", "meaning"), UNITS.items())
def test_units(text, meaning):
    assert phrases.unit(text) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("14.3±7.7", {"value": 14.3, "spread": 7.7}),
        ("14.3 (7.7)", {"value": 14.3, "spread": 7.7}),
        ("~140", {"value": 140.0, "assumed": ("approximate",)}),
        ("2–5", {"value": None, "interval": (2.0, 5.0), "level": "range"}),
        (">20", {"value": None, "printed": ">20"}),
    ],
)
def test_figures(text, meaning):
    assert phrases.figure(text) == meaning


@pytest.mark.parametrize(
    ("which", "meaning"),
    [
        ("0-inf (120 min sampling)", {"from_h": 0.0, "to": "inf", "sampled_to_h": 2.0}),
        ("5-360 min", {"from_h": 5 / 60, "to": 6.0}),
        ("0-inf?", {"from_h": 0.0, "to": "inf", "assumed": ("AUC 0-inf",)}),
        ("12-2", None),
    ],
)
def test_windows(which, meaning):
    assert phrases.window(which) == meaning


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("7 men 10 women", 10 / 17),
        ("4 F / 4 M", 0.5),
        ("70 % female", 0.7),
        ("male", 0.0),
        ("women", 1.0),
        ("both", None),
    ],
)
def test_share_of_women(text, share):
    assert phrases.share_female(text) == share


@pytest.mark.parametrize(
    ("plan", "text", "named"),
    [
        ("single dose with ketoconazole 400 mg", "", ("ketoconazole",)),
        ("single dose alone (ketoconazole group control)", "", ()),
        ("", "rifampicin and clobazam 5 mg", ("clobazam", "rifampicin")),
        ("", "no ketoconazole", ()),
        ("single dose with water", "none", ()),
    ],
)
def test_medicines(plan, text, named):
    assert phrases.medicines(plan, text) == named


class TestInAFile:
    @pytest.mark.parametrize("value", ["14.3±7.7", "14.3 (7.7)"])
    def test_a_spread_counts_where_its_kind_is_said(self, tmp_path, value):
        unsaid = read(tmp_path, changed(((*A, "Cmax"), {"value": value, "unit": "ng/mL"})))
        assert (metric(unsaid, "Cmax").value, metric(unsaid, "Cmax").cv) == (14.3, None)
        assert skipped(unsaid)["THC Cmax.spread"] == "whether it is SD or SEM is not said"
        row = {"value": value, "unit": "ng/mL", "spread_type": "SD"}
        said = read(tmp_path, changed(((*A, "Cmax"), row)))
        assert metric(said, "Cmax").cv == pytest.approx(7.7 / 14.3)
        assert said.skipped == ()

    def test_an_approximate_number_says_so(self, tmp_path):
        made = metric(read(tmp_path, changed(((*A, "Cmax", "value"), "~140"))), "Cmax")
        assert (made.value, made.assumed) == (140.0, ("approximate",))

    def test_times_and_figures_of_a_curve_may_be_text(self, tmp_path):
        made = read(
            tmp_path, changed(((*A, "conc_time"), [["30 min", "2.0 ± 1.0"], ["1.5 h", 2.0, "SEM 0.4"]]))
        )
        points = [one for one in made.observations if one.metric == "C"]
        assert [(one.time, one.value, one.cv) for one in points] == [(0.5, 2.0, None), (1.5, 2.0, None)]

    @pytest.mark.parametrize(
        ("path", "value", "what", "taken"),
        [
            (("dose", "fed_state"), "regardless of meals", "dose.fed_state", "fasted"),
            (("population", "status"), "experienced users", "population.status", "light users"),
        ],
    )
    def test_what_is_not_understood_is_listed_and_what_is_taken_told(
        self, tmp_path, path, value, what, taken
    ):
        route = ("dose", "route"), "smoked" if taken == "light users" else "oral"
        made = read(tmp_path, changed(route, (path, value)))
        assert repr(value) in skipped(made)[what]
        assert all(taken in one.assumed for one in made.observations)

    @pytest.mark.parametrize(
        ("route", "means"),
        [
            ("oro-mucosal spray", "spray"),
            ("sublingual spray", "spray"),
            ("edible", "oral"),
            ("by mouth", "oral"),
        ],
    )
    def test_routes(self, tmp_path, route, means):
        assert read(tmp_path, changed((("dose", "route"), route))).observations[0].arm.route == means

    def test_an_edible_is_food(self, tmp_path):
        made = read(tmp_path, changed((("dose", "route"), "edible"), (("dose", "fed_state"), None)))
        assert made.observations[0].arm.fed == 1.0

    def test_an_unknown_word_names_the_nearest(self, tmp_path):
        said = wrong(tmp_path, changed((("dose", "route"), "oromucosol")))
        assert "write oromucosal, if that is meant" in said

    @pytest.mark.parametrize("dose_is", ["loaded", "nominal", None])
    def test_a_dose_that_was_loaded(self, tmp_path, dose_is):
        arm = (
            read(tmp_path, changed((("dose", "route"), "vaporised"), (("dose", "dose_is"), dose_is)))
            .observations[0]
            .arm
        )
        assert ("dose as loaded" in arm.assumed) == (dose_is is None)

    @pytest.mark.parametrize(
        ("route", "dose_is", "share"),
        [("vaporised", "delivered", 0.54), ("nebulised", "delivered", 0.34), ("smoked", "consumed", 0.62)],
    )
    def test_a_delivered_dose_is_a_part_of_what_was_loaded(self, tmp_path, route, dose_is, share):
        made = read(tmp_path, changed((("dose", "route"), route), (("dose", "dose_is"), dose_is)))
        loaded = read(tmp_path, changed((("dose", "route"), route), (("dose", "dose_is"), "loaded")))
        arms = [studies.observations[0].arm for studies in (made, loaded)]
        assert arms[0].thc_mg == pytest.approx(arms[1].thc_mg / share)
        assert f"{share:.0%} of what was loaded is {dose_is}" in arms[0].assumed

    def test_a_share_that_nobody_measured_is_not_guessed(self, tmp_path):
        made = read(tmp_path, changed((("dose", "route"), "smoked"), (("dose", "dose_is"), "delivered")))
        assert made.observations == ()
        assert "is not known" in skipped(made)["dose.dose_is"]

    def test_oil_in_the_mouth_is_not_the_spray(self, tmp_path):
        made = read(
            tmp_path, changed((("dose", "route"), "oromucosal"), (("dose", "formulation"), "CBD oil"))
        )
        arm = made.observations[0].arm
        assert (arm.route, arm.given["oil_CBD"]) == ("oral", 1.0)
        assert "oil held in the mouth counts as swallowed" in arm.assumed
        spray = read(tmp_path, changed((("dose", "route"), "oromucosal"), (("dose", "formulation"), "spray")))
        assert spray.observations[0].arm.route == "spray"

    @pytest.mark.parametrize("name", ["AUClast", "AUC_last", "AUC(0-last)", "AUC0-t"])
    def test_an_area_says_its_end_in_its_name(self, tmp_path, name):
        row = {"value": 9.0, "unit": "ng*h/mL"}
        made = read(tmp_path, changed(((*A, name), row), ((*A, "AUCinf"), row), ((*A, "AUC0-12"), row)))
        ends = {one.window[1] for one in made.observations if one.measure == "AUC" and one.value == 9.0}
        assert ends == {LAST, 12.0, INFINITE}

    def test_what_is_of_an_interval_needs_repeated_doses(self, tmp_path):
        rows = [((*A, name), {"value": 1.0, "unit": "ng/mL"}) for name in ("Cmin", "Cavg,ss")]
        twice = (("dose", "schedule"), "every 12 hours for 5 days")
        made = read(tmp_path, changed(*rows, twice))
        found = {one.metric: one.window for one in made.observations if one.metric in ("Cmin", "Cavg")}
        assert found == {"Cmin": (0.0, 12.0), "Cavg": (0.0, 12.0)}
        assert "only repeated doses" in skipped(read(tmp_path, changed(*rows)))["THC Cmin"]

    def test_a_concentration_before_the_dose(self, tmp_path):
        before = ((*A, "conc_time"), [["pre-dose", 0.8], [1, 2.0]])
        once = read(tmp_path, changed(before))
        assert [one.time for one in once.observations if one.measure == "conc"] == [1.0]
        for earlier in (
            (("dose", "residual_ng_mL"), 0.8),
            (("dose", "schedule"), "every 12 hours for 5 days"),
            (("dose", "before"), {"route": "smoked", "THC_mg": 20, "every_h": 24, "doses": 14, "rest_h": 12}),
        ):
            made = read(tmp_path, changed(before, earlier))
            assert [one.time for one in made.observations if one.measure == "conc"] == [0.0, 1.0]

    @pytest.mark.parametrize(
        "before",
        [{"route": "smoked"}, {"route": "chewed", "THC_mg": 1, "every_h": 24, "doses": 2, "rest_h": 1}],
    )
    def test_earlier_use_that_is_not_understood_is_a_finding(self, tmp_path, before):
        assert "before" in wrong(tmp_path, changed((("dose", "before"), before)))

    def test_the_length_of_an_infusion_in_any_words(self):
        for text in ("over 5 min", "infused over 5 minutes", "during about 5 mins"):
            assert phrases.minutes(text) == 5.0
        assert phrases.minutes("over 1 h") == 60.0

    @pytest.mark.parametrize(
        ("name", "row"),
        [
            ("Cmax", {"value": 3.0, "unit": "mg/mL"}),
            ("AUC", {"value": 9.0, "unit": "mg*h/mL", "which": "0-t"}),
            ("Tmax", {"value": 1000, "unit": "week"}),
        ],
    )
    def test_an_impossible_value_is_a_finding_that_names_the_unit(self, tmp_path, name, row):
        said = wrong(tmp_path, changed(((*A, name), row)))
        assert f"study doe2010, analytes.0.{name}.unit: {row['value']:g} {row['unit']} is " in said
        assert "impossible" in said

    @pytest.mark.parametrize(
        "text", ["food after " * 2000, "fast " * 5000, "1" * 50_000, " " * 50_000, "x" * 50_000 + "®"]
    )
    def test_a_text_without_end_is_refused(self, tmp_path, text):
        for path in (
            ("dose", "fed_state"),
            ("population", "status"),
            (*A, "Cmax", "unit"),
            (*A, "AUC", "which"),
        ):
            said = wrong(tmp_path, changed((path, text)))
            assert f"{'.'.join(map(str, path))}: The text has " in said

    @pytest.mark.parametrize(
        "text", ["fast after " * 170, "x " * 900, "9" * 400 + " d", "daily x " + "9" * 400 + " d"]
    )
    def test_a_long_text_that_says_nothing_is_listed(self, tmp_path, text):
        made = read(tmp_path, changed((("dose", "fed_state"), text), (("dose", "schedule"), text)))
        assert text[:40] in skipped(made)["dose.fed_state"]

    def test_an_unknown_field_of_a_number_is_a_fault(self, tmp_path):
        said = wrong(tmp_path, changed(((*A, "Cmax", "medain"), 2.5)))
        assert "analytes.0.Cmax.medain: medain is no field of a number" in said
