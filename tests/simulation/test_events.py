"""A dosing table means what it means in NONMEM, or is refused with its line."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lissive.errors import EventError
from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.events import (
    ADD,
    RATE,
    RESET,
    STOP,
    EventTable,
    Regimen,
    SteadyState,
    doses,
    export_events,
    read_events,
    regimen_of,
)
from lissive.simulation.unroll import Record, _unroll_any, unroll

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = Equations(
    "m",
    Graph(),
    ("effect", "gut", "plasma"),
    (0, 0, 0),
    (0, 0, 0),
    {},
    {},
    dose_targets={"gut": 1, "plasma": 2},
)


HEAD = "ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS"


@pytest.fixture
def table(tmp_path):
    def read(*rows, head=HEAD):
        path = tmp_path / "e.csv"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return read_events(path, MODEL)

    return read


@pytest.fixture
def refusal(table, tmp_path):
    def refuse(*rows, head=HEAD):
        with pytest.raises(EventError) as error:
            table(*rows, head=head)
        return str(error.value).replace(f"{tmp_path}/", "")

    return refuse


def rows_of(schedule):
    columns = (schedule.time, schedule.action, schedule.target, schedule.value)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def the_schedule(table):
    (schedule,) = regimen_of(table).schedules
    return schedule


def only(table):
    return rows_of(the_schedule(table))


# -- what rows mean -------------------------------------------------------------------------------
def test_a_dose_goes_into_its_compartment_by_name_or_by_number(table):
    assert only(table("1,0,1,5,plasma,0,0,0,0")) == [(0, ADD, 2, 5)]
    assert only(table("1,0,1,5,2,0,0,0,0")) == [(0, ADD, 2, 5)]


def test_additional_doses_follow_at_the_interval(table):
    assert only(table("1,2,1,5,gut,.,12,3,.")) == [(t, ADD, 1, 5) for t in (2, 14, 26, 38)]


def test_an_infusion_is_on_and_off(table):
    assert only(table("1,1,1,100,plasma,50,.,.,.")) == [(1, RATE, 2, 50), (3, RATE, 2, -50)]


def test_a_back_to_back_infusion_ends_before_the_next_begins(table):
    got = only(table("1,0,1,100,plasma,50,2,1,."))
    assert got == [(0, RATE, 2, 50), (2, RATE, 2, -50), (2, RATE, 2, 50), (4, RATE, 2, -50)]


def test_an_infusion_ends_before_a_dose_at_that_time_that_stands_above_it(table):
    got = only(table("1,0,1,100,plasma,50,.,.,.", "1,2,1,7,gut,.,.,.,."))
    assert got[1:] == [(2, RATE, 2, -50), (2, ADD, 1, 7)]


def test_overlapping_infusions_add_up_and_end_at_exactly_nothing(table):
    got = only(table("1,0,1,1,plasma,0.1,.,.,.", "1,1,1,2,plasma,0.2,.,.,.", "1,2,1,3,plasma,0.3,.,.,."))
    level = 0.0
    for _, _, _, change in got:
        level += change
    assert [row[0] for row in got] == [0, 1, 2, 10, 11, 12]
    assert level == 0.0


def test_a_reset_ends_infusions_and_calls_off_additional_doses(table):
    got = only(table("1,0,1,100,plasma,10,.,.,.", "1,0,1,5,gut,.,4,9,.", "1,6,3,.,.,.,.,.,."))
    assert got == [(0, RATE, 2, 10), (0, ADD, 1, 5), (4, ADD, 1, 5), (6, RESET, -1, 0)]


def test_reset_and_dose_keeps_its_own_additional_doses(table):
    got = only(table("1,0,1,5,gut,.,4,9,.", "1,6,4,7,gut,.,4,1,."))
    assert got == [(0, ADD, 1, 5), (4, ADD, 1, 5), (6, RESET, -1, 0), (6, ADD, 1, 7), (10, ADD, 1, 7)]


def test_a_dose_after_a_reset_at_the_same_time_is_kept(table):
    got = only(table("1,0,3,.,.,.,.,.,.", "1,0,1,5,gut,.,.,.,."))
    assert [row[1] for row in got] == [RESET, ADD]
    got = only(table("1,0,1,5,gut,.,.,.,.", "1,0,3,.,.,.,.,.,."))
    assert [row[1] for row in got] == [ADD, RESET]


def test_other_is_a_stop(table):
    assert only(table("1,3,2,.,.,.,.,.,.")) == [(3, STOP, -1, 0)]


def test_observations_are_kept_for_each_subject(table):
    got = table("1,0,1,5,gut,.,.,.,.", "1,1,0,.,.,.,.,.,.", "1,1,0,.,nowhere,.,.,.,.", "2,4,0,.,.,.,.,.,.")
    assert [run.observed.tolist() for run in got.runs] == [[1, 1], [4]]
    assert len(the_schedule(table("2,4,0,.,.,.,.,.,."))) == 0


# -- steady state ---------------------------------------------------------------------------------
def test_a_steady_state_is_a_request_before_its_dose(table):
    schedule = the_schedule(table("1,0,1,7,plasma,.,.,.,.", "1,5,1,100,gut,.,12,2,1"))
    assert schedule.steady == (SteadyState(5, 100, 1, 0, 12, 1, before=1),)
    assert rows_of(schedule)[1:] == [(5, ADD, 1, 100), (17, ADD, 1, 100), (29, ADD, 1, 100)]


def test_the_steady_state_of_a_constant_infusion_has_no_dose(table):
    schedule = the_schedule(table("1,5,1,0,plasma,3,0,0,1"))
    assert schedule.steady == (SteadyState(5, 0, 2, 3, 0, 1, before=0),)
    assert len(schedule) == 0
    assert schedule.infused == (2,)


def test_infusions_longer_than_their_interval_still_run_at_steady_state(table):
    schedule = the_schedule(table("1,0,1,100,plasma,4,10,0,1"))  # 25 h long, every 10 h
    assert rows_of(schedule) == [
        (0, RATE, 2, 8), (0, RATE, 2, 4), (5, RATE, 2, -4), (15, RATE, 2, -4), (25, RATE, 2, -4)
    ]  # fmt: skip


def test_a_replacing_steady_state_ends_what_ran_and_an_added_one_does_not(table):
    replaced = only(table("1,0,1,100,plasma,10,.,.,.", "1,5,1,7,gut,.,12,.,1"))
    assert replaced == [(0, RATE, 2, 10), (5, RATE, 2, -10), (5, ADD, 1, 7)]
    added = only(table("1,0,1,100,plasma,10,.,.,.", "1,5,1,7,gut,.,12,.,2"))
    assert added == [(0, RATE, 2, 10), (5, ADD, 1, 7), (10, RATE, 2, -10)]


# -- the table as a file --------------------------------------------------------------------------
def test_small_letters_comments_and_empty_cells_are_read(table):
    got = table("# a comment", "", "1, 0, 1, 5, gut, ., NA, , .", head=HEAD.lower())
    assert only(got) == [(0, ADD, 1, 5)]


def test_optional_columns_may_be_absent(table):
    got = table("1,0,5", "1,3,0", head="ID,TIME,AMT")
    assert only(got) == [(0, ADD, 1, 5)]
    assert got.runs[0].observed.tolist() == [3]
    assert any("no column EVID" in note for note in got.notes)
    assert any("doses go to gut" in note for note in got.notes)


def test_other_columns_are_left_aside_with_a_note(table):
    got = table("1,0,1,5,gut,7,0,80", head="ID,TIME,EVID,AMT,CMT,DV,MDV,weight")
    assert got.notes == ("Not used, only carried to the result: DV, MDV, weight.",)


def test_a_column_like_a_known_one_is_fine_beside_it(table):
    assert "NTIME" in table("1,0,0,1,5,gut", head="ID,TIME,NTIME,EVID,AMT,CMT").notes[0]


def test_a_frame_reads_as_the_file_does(table, tmp_path):
    got = table("1,0,1,5,gut,.,12,3,.", "1,40,0,.,.,.,.,.,.")
    frame = pd.read_csv(tmp_path / "e.csv", na_values=".")
    again = read_events(frame, MODEL)
    assert the_schedule(again).digest == the_schedule(got).digest
    assert again.subjects == (1,)


def test_subjects_keep_their_order_and_their_own_rows(table):
    got = table("1,0,1,5,gut,.,12,1,.", "b,0,1,5,gut,.,.,.,.", "b,12,1,5,gut,.,.,.,.", "3,0,1,6,gut,.,12,1,.")
    assert got.subjects == (1, "b", 3)
    regimen = regimen_of(got)
    assert [rows_of(regimen.schedules[w]) for w in regimen.which[:2]] == [
        [(0, ADD, 1, 5), (12, ADD, 1, 5)]
    ] * 2


def test_ten_thousand_alike_subjects_cost_one_schedule(table):
    rows = [f"{i},0,1,5,gut,.,12,167,." for i in range(10_000)]
    assert len(regimen_of(table(*rows)).schedules) == 1


# -- what is refused ------------------------------------------------------------------------------
def test_a_finding_says_where_what_allowed_and_what_to_do(refusal):
    assert refusal("1,0,1,5,gut,.,.,2,.") == (
        "e.csv:2: ADDL is 2, but II is 0. Allowed: II more than 0 with ADDL. "
        "What to do: write the interval in II."
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,0,1,5,gutt,.,.,.,.", "that can be dosed. Did you mean gut? Allowed: 1 gut, 2 plasma;"),
        ("1,0,1,5,effect,.,.,.,.", "CMT effect is no compartment that can be dosed."),
        ("1,0,1,5,3,.,.,.,.", "CMT 3 is no compartment"),
        ("1,0,1,5,1.5,.,.,.,.", "CMT 1.5 is no compartment"),
        ("1,0,1,-5,gut,.,.,.,.", "AMT is -5. Allowed: more than 0 for a dose."),
        ("1,0,1,.,gut,.,.,.,.", "AMT is missing for a dose."),
        ("1,0,1,0,gut,5,.,.,.", "AMT is missing for a dose."),
        ("1,0,0,5,gut,.,.,.,.", "AMT is 5 in a row with EVID 0, which gives no dose."),
        ("1,0,5,5,gut,.,.,.,.", "EVID is 5. Allowed: 0 observation, 1 dose,"),
        ("1,0,1,5,gut,-1,.,.,.", "RATE is -1, which takes the rate from the parameter R_gut, but the model has"),
        ("1,0,1,5,gut,-2,.,.,.", "RATE is -2, which takes the duration from DUR, but DUR is empty."),
        ("1,0,1,5,gut,-3,.,.,.", "RATE is -3. Allowed: 0 at once, over 0 the rate"),
        ("1,0,1,5,gut,.,-2,.,.", "II is -2."),
        ("1,0,1,5,gut,.,2,1.5,.", "ADDL is 1.5. Allowed: a whole number"),
        ("1,0,1,5,gut,.,2,-1,.", "ADDL is -1."),
        ("1,0,1,5,gut,.,2,1e12,.", "ADDL is 1e+12."),
        ("1,0,0,.,gut,.,2,1,.", "ADDL is 1 in a row that gives no dose."),
        ("1,0,1,5,gut,.,2,.,3", "SS is 3."),
        ("1,0,1,5,gut,.,.,.,1", "SS is 1, but II is 0."),
        ("1,0,0,.,gut,.,.,.,1", "SS is 1 in a row that gives no dose."),
        ("1,0,1,1e9,gut,1,1,.,1", "infusions run at once"),
        ("1,0,1,5 mg,gut,.,.,.,.", "AMT is '5 mg'. Allowed: a number."),
        ("1,0,1,1_000,gut,.,.,.,.", "AMT is '1_000'."),
        ("1,0,1,nan,gut,.,.,.,.", "AMT is 'nan'."),
        ("1,0,1,inf,gut,.,.,.,.", "AMT is 'inf'."),
        ("1,.,1,5,gut,.,.,.,.", "TIME is empty."),
        (".,0,1,5,gut,.,.,.,.", "ID is empty."),
        ("1,0,1,5,gut,.,.,.", "The row has 8 cells, but the header has 9."),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_line(refusal, row, says):
    text = refusal("0,0,1,5,gut,.,.,.,.", row)
    assert text.startswith("e.csv:3: ")
    assert says in text
    assert "What to do: " in text


def test_falling_times_are_refused(refusal):
    text = refusal("1,5,1,5,gut,.,.,.,.", "1,3,1,5,gut,.,.,.,.")
    assert text.startswith("e.csv:3: TIME falls from 5 to 3 within ID 1.")


def test_times_may_start_again_with_the_next_subject(table):
    assert table("1,5,1,5,gut,.,.,.,.", "2,3,1,5,gut,.,.,.,.").subjects == (1, 2)


def test_a_subject_in_two_places_is_refused(refusal):
    text = refusal("1,0,1,5,gut,.,.,.,.", "2,0,1,5,gut,.,.,.,.", "1,5,1,5,gut,.,.,.,.")
    assert text.startswith("e.csv:4: ID 1 comes again after other IDs.")


def test_findings_come_together_the_first_ten(refusal):
    text = refusal(*(f"{i},0,1,-5,gut,.,.,.,." for i in range(12))).splitlines()
    assert len(text) == 11
    assert text[0].startswith("e.csv:2: ")
    assert text[-1] == "... and 2 more like these."


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("ID,TIME,EVID,AMT,CMT,RATE,II,ADL,SS", "The column ADL is unknown. Did you mean ADDL?"),
        ("ID,TIME,time,AMT,CMT,RATE,II,ADDL,SS", "The column time is there twice."),
        ("ID,TIME,F1,AMT,CMT,RATE,II,ADDL,SS", "The column F1 is not read"),
        ("ID,TIME,,AMT,CMT,RATE,II,ADDL,SS", "A column has no name."),
        ("ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,AMT", "The column AMT is there twice."),
        ("SUBJ,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS", "There is no column ID."),
    ],
)
def test_a_wrong_header_is_refused(refusal, head, says):
    text = refusal("1,0,1,5,gut,.,.,.,.", head=head)
    assert text.startswith("e.csv:1: ")
    assert says in text


def test_a_file_without_rows_and_no_file_are_refused(table, refusal, tmp_path):
    assert "The table has no rows." in refusal()
    with pytest.raises(
        EventError, match=r"file\. Allowed: a comma-separated file\. What to do: correct the path"
    ):
        read_events(tmp_path / "none.csv", MODEL)


def test_a_frame_is_refused_with_its_row():
    with pytest.raises(EventError, match=r"^events, row 2: AMT is -1\."):
        read_events(pd.DataFrame({"ID": [1, 1], "TIME": [0, 1], "EVID": 1, "AMT": [1, -1], "CMT": 1}), MODEL)


# -- properties -----------------------------------------------------------------------------------
dose_rows = st.lists(
    st.tuples(
        st.integers(0, 50), st.sampled_from(["gut", "plasma"]), st.integers(1, 100),
        st.sampled_from([0, 5, 20]), st.integers(1, 24), st.integers(0, 5),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def frame_of(rows):
    columns = ["TIME", "CMT", "AMT", "RATE", "II", "ADDL"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("TIME", kind="stable")
    return frame.assign(ID=1, EVID=1)


def given_by(schedule, until):
    """Amount that each state was given up to a time."""
    got, rate, since = {}, {}, 0.0
    for time, action, target, value in [*rows_of(schedule), (until, STOP, -1, 0.0)]:
        at = min(time, until)
        for state, each in rate.items():
            got[state] = got.get(state, 0.0) + each * (at - since)
        since = at
        if time > until:
            break
        if action == ADD:
            got[target] = got.get(target, 0.0) + value
        elif action == RATE:
            rate[target] = rate.get(target, 0.0) + value
    return got


@given(dose_rows)
def test_all_that_is_prescribed_is_given_and_input_ends(rows):
    schedule = the_schedule(read_events(frame_of(rows), MODEL))
    assert (np.diff(schedule.time) >= 0).all()
    for name, place in MODEL.dose_targets.items():
        want = sum(amount * (1 + more) for _, into, amount, _, _, more in rows if into == name)
        assert given_by(schedule, 1e6).get(place, 0.0) == pytest.approx(want, rel=1e-9)
        changes = schedule.value[(schedule.target == place) & (schedule.action == RATE)]
        assert math.fsum(changes) == pytest.approx(0.0, abs=1e-9)


@given(dose_rows)
def test_additional_doses_are_as_if_written_out(rows):
    written = [
        (time + k * ii, into, amount, rate, 0, 0)
        for time, into, amount, rate, ii, more in rows
        for k in range(more + 1)
    ]
    short, long = (the_schedule(read_events(frame_of(each), MODEL)) for each in (rows, written))
    for until in np.linspace(0.5, 200.5, 9):
        a, b = given_by(short, until), given_by(long, until)
        assert {k: pytest.approx(v, abs=1e-6) for k, v in a.items() if v > 1e-9} == {
            k: v for k, v in b.items() if v > 1e-9
        }


@given(dose_rows)
def test_plain_doses_unroll_as_all_others_do(rows):
    records = [
        Record(
            float(t), 1 if rate < 20 else 0, float(amount), 1, interval=float(ii), additional=more, lag=rate
        )
        for t, _, amount, rate, ii, more in sorted(rows)
    ]
    plain, other = unroll(records), _unroll_any(records, np.unique([r.time for r in records]), {})
    assert rows_of(plain.schedule) == rows_of(other.schedule)
    assert plain.ranks.tolist() == other.ranks.tolist()


@given(dose_rows, st.sampled_from([1.0, 0.5, 3.0]), st.sampled_from([0.0, 24.0]))
def test_an_exported_regimen_reads_back_the_same(tmp_path_factory, rows, scale, shift):
    path = tmp_path_factory.mktemp("export") / "e.csv"
    schedule = the_schedule(read_events(frame_of(rows), MODEL))
    regimen = Regimen((schedule,), [0, 0], [1.0, scale], [0.0, shift])
    export_events(regimen, MODEL, path, subject_ids=[7, "b"])
    again = read_events(path, MODEL)
    assert again.subjects == (7, "b")
    second = the_schedule(EventTable(again.runs[1:], "nocb"))
    for until in (1.5, 30.25, 77.5, 400.0):
        want = {k: pytest.approx(scale * v, rel=1e-9, abs=1e-9) for k, v in given_by(schedule, until).items()}
        assert {k: given_by(second, until + shift).get(k, 0.0) for k in want} == want


def test_resets_stops_and_steady_doses_are_exported(table, tmp_path):
    got = table("1,0,1,5,gut,.,12,2,1", "1,3,2,.,.,.,.,.,.", "1,30,4,90,plasma,9,.,.,.", "1,33,3,.,.,.,.,.,.")
    export_events(regimen_of(got), MODEL, tmp_path / "x.csv")
    again = the_schedule(read_events(tmp_path / "x.csv", MODEL))
    schedule = the_schedule(got)
    assert again.steady == schedule.steady
    *before, reset = rows_of(schedule)
    assert rows_of(again) == [*before, (33, RATE, 2, -9), reset]  # the infusion ends where the reset ended it


def test_the_steady_state_of_an_infusion_is_not_exported(table, tmp_path):
    got = table("1,5,1,0,plasma,3,0,0,1")
    with pytest.raises(EventError, match="cannot be written in a dosing table"):
        export_events(regimen_of(got), MODEL, tmp_path / "x.csv")
    assert list(tmp_path.glob("*x*")) == []


# -- schedules and regimens -----------------------------------------------------------------------
def test_doses_are_sorted_by_time():
    schedule = doses([24, 0, 12], target=1, amount=[3, 1, 2])
    assert rows_of(schedule) == [(0, ADD, 1, 1), (12, ADD, 1, 2), (24, ADD, 1, 3)]
    assert (schedule.action.dtype, schedule.target.dtype) == (np.int32, np.int32)


def test_a_regimen_is_taken_for_some_subjects_in_their_order(table):
    got = table("1,0,1,5,gut,.,.,.,.", "2,0,1,6,gut,.,.,.,.")
    regimen = regimen_of(got, [2, 1, 2])
    assert [regimen.schedules[w].value[0] for w in regimen.which] == [6, 5, 6]
    with pytest.raises(EventError, match=r"ID 3 has no rows in the dosing table\. Allowed: 1, 2"):
        regimen_of(got, [1, 3])


def test_the_example_reads_with_its_model():
    from lissive.model import load

    got = read_events(EXAMPLES / "events.csv", load(str(EXAMPLES / "one_compartment.ant")))
    assert got.subjects == (1, 2, 3)
    schedules = regimen_of(got).schedules
    assert [len(schedule) for schedule in schedules] == [14, 5, 7]
    assert len(schedules[2].steady) == 1


def test_reading_a_file_needs_no_pandas():
    code = (
        "import lissive.simulation.events, sys; print([m for m in ('pandas', 'xarray') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
