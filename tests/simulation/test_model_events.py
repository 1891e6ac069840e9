"""A model's own events, against what SBML says and closed forms on tiny models."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from lissive.errors import LissiveError, ModelError, SimulationError
from lissive.model.check import to_antimony, to_sbml
from lissive.model.equations import from_json, to_json
from lissive.model.live import live_parameters
from lissive.model.read import read_antimony, read_sbml
from lissive.simulation.engine import build
from lissive.simulation.origin import model_hash
from lissive.simulation.solve import simulate

SAW = "J: S -> ; k*S; k = 0.5; S = 10; n = 0; E: at (S < 5): S = 10, n = n + 1"


def seen(text: str, times: list[float], *names: str) -> list[list[float]]:
    """(time, name) values of an Antimony model."""
    run = simulate(read_antimony(text), times=times, select=list(names))
    assert run["status"].item() == 0, run["message"].item()
    return [[float(run[name].values[0, i]) for name in names] for i in range(len(times))]


def test_a_trigger_on_state_is_met_where_the_solution_crosses() -> None:
    times = np.arange(0.0, 20.0, 0.25)
    run = simulate(read_antimony(SAW), times=times, select=["S", "n"])
    period = 2 * math.log(2)
    assert run["S"].values[0] == pytest.approx(10 * np.exp(-0.5 * (times % period)), rel=1e-5)
    assert run["n"].values[0].tolist() == np.floor(times / period).tolist()


def test_a_split_run_a_single_run_and_a_run_alone_have_the_same_bits() -> None:
    timed = "F: at (time >= 7.775): S = S + 4; G: at 2 after (time > 7.5): n = n + 1; C = 0"
    timed += "; C' = piecewise(S, time > 9, 0)"
    kernel = build(read_antimony(f"{SAW}; {timed}"), ["S", "n", "C"])
    rates, times = {"k": np.linspace(0.1, 2.0, 11)}, np.arange(0.0, 20.0, 0.37)
    whole, parts = kernel.start(11, rates), kernel.start(11, rates)
    expected = whole.advance(20.0, times=times).values
    found, last = [], -1.0
    for end in (3.3, 7.77, 7.775, 7.78, 9.0, 14.0, 20.0):
        found.append(parts.advance(end, times=times[(times > last) & (times <= end)], resume=True).values)
        last = end
    assert np.array_equal(np.concatenate(found, axis=1), expected)
    assert np.array_equal(parts.y, whole.y)
    assert np.array_equal(parts.steps, whole.steps)
    alone = kernel.start(1, {"k": 2.0}).advance(20.0, times=times).values
    assert np.array_equal(alone[0], expected[10])


MEANINGS: dict[str, tuple[str, list[float], str, list[float]]] = {
    "at its own time the event has happened": ("E: at (time >= 2): x = 5", [1.9, 2, 2.1], "x", [0, 5, 5]),
    "after its own time it has not": ("E: at (time > 2): x = 5", [2, 2.0001], "x", [0, 5]),
    "it happens again when the trigger has been false": (
        "y = 0; y' = 1; E: at (y >= 1): x = x + 1, y = 0", [0.9, 1.5, 3.5], "x", [0, 1, 3],
    ),
    "true at the start is no turn, unless it was false before": (
        "E: at (time >= 0): x = 5; F: at (time >= 0), t0 = false: z = 7", [0], "x+z", [7],
    ),
    "a delay is worked out at the trigger": (
        "d = 1; E: at d after (time >= 1): x = 5; F: at (time >= 1.5): d = 9", [1.9, 2], "x", [0, 5],
    ),
    "values are those of the trigger": (
        "E: at 1 after (time >= 1): x = z; F: at (time >= 1.5): z = 3", [3], "x", [0],
    ),
    "or those of the end of the delay": (
        "E: at 1 after (time >= 1), fromTrigger = false: x = z; F: at (time >= 1.5): z = 3", [3], "x", [3],
    ),
    "a delayed event of a trigger that is false again": (
        "y = 0; y' = 1; E: at 1 after (y > 1 && y < 1.5): x = 1", [3], "x", [1],
    ),
    "is called off where it does not persist": (
        "y = 0; y' = 1; E: at 1 after (y > 1 && y < 1.5), persistent = false: x = 1", [3], "x", [0],
    ),
    "and not where the trigger is true again from another cause": (
        "y = 0; y' = 1; E: at 1 after (y > 1), persistent = false: x = 1", [3], "x", [1],
    ),
    "the highest priority comes first": (
        "E: at (time >= 1), priority = 1, fromTrigger = false: x = 2*x + 1; "
        "F: at (time >= 1), priority = 2, fromTrigger = false: x = x + 10", [2], "x", [21],
    ),
    "a priority is worked out when it is asked for": (
        "p = 1; D: at (time >= 1), priority = 9: p = 3; "
        "E: at (time >= 1), priority = p, fromTrigger = false: x = 2*x + 1; "
        "F: at (time >= 1), priority = 2, fromTrigger = false: x = x + 10", [2], "x", [11],
    ),
    "one event calls off another that is due at once": (
        "E: at (time >= 1 && x < 1), priority = 2: x = 1; "
        "F: at (time >= 1 && x < 1), priority = 1, persistent = false: z = 1", [2], "x+z", [1],
    ),
    "one event sets off another at the same time": (
        "E: at (time >= 1): x = 1; F: at (x > 0.5): z = 5", [1], "x+z", [6],
    ),
    "both assignments rest on what was before": ("x = 1; z = 2; E: at (time >= 1): x = z, z = x", [1], "x-z", [1]),
    "equal to a time": ("q = 2; E: at (time == q): x = 5; F: at (time == 3): z = 7", [2, 2.5, 3], "x+z", [5, 5, 12]),
    "equal to what only events change": (
        "y = 0; y' = 1; E: at (y >= 1): x = x + 1, y = 0; F: at (x == 3): z = 7", [2.9, 3.5, 5], "z", [0, 7, 7],
    ),
    "a pulse much shorter than a step": (
        "E: at (time > 50 && time < 50 + 1e-7): x = 5", [49, 51], "x", [0, 5],
    ),
    "a pulse by its distance": ("E: at (abs(time - 31.7123) < 1e-7): x = 5", [31, 32], "x", [0, 5]),
    "every six hours for an hour's thousandth": (
        "E: at (time - 6*floor(time/6) < 0.001): x = x + 1", [5, 7, 13, 47], "x", [0, 1, 2, 7],
    ),
}  # fmt: skip


WORDS = {
    "at",
    "after",
    "time",
    "t0",
    "true",
    "false",
    "priority",
    "persistent",
    "fromTrigger",
    "floor",
    "abs",
    "e",
}


def test_an_event_means_what_sbml_says() -> None:
    """All of them side by side in one model, each with names of its own."""
    parts, times = ["A -> ; 0.1*A; A = 1"], {float(t) for _, when, *_ in MEANINGS.values() for t in when}
    for k, (text, _, formula, _) in enumerate(MEANINGS.values()):
        start = "".join(f"{name} = 0; " for name in "xz" if f"{name} = 0" not in text)
        part = f"{start}{text}; out := {formula}"
        parts.append(re.sub(r"\b[a-zA-Z]\w*", lambda m, k=k: m[0] if m[0] in WORDS else f"{m[0]}{k}", part))  # type: ignore[misc]
    grid, names = sorted(times), [f"out{k}" for k in range(len(MEANINGS))]
    found = seen("\n".join(parts), grid, *names)
    for k, (meaning, (_, when, _, expected)) in enumerate(MEANINGS.items()):
        assert [found[grid.index(t)][k] for t in when] == pytest.approx(expected), meaning


def test_equal_priorities_come_in_an_order_of_chance_that_the_seed_gives_again() -> None:
    """A hundred times one of two acts and so calls off the other: a fair coin, to five standard deviations."""
    text = """r = 0; n = 0; x = 1; x' = -0.1*x
    Q: at (time - r >= 0.01), priority = 2, persistent = false: r = time, n = n + 1
    R: at (time - r >= 0.01), priority = 2, persistent = false: r = time"""

    def heads(seed: int) -> list[float]:
        run = simulate(read_antimony(text), subjects=3, times=[1.005], select=["n"], seed=seed)
        return [float(n) for n in run["n"].values[:, 0]]

    first = heads(5)
    assert first == heads(5)
    assert first != heads(6)
    assert len(set(first)) > 1
    assert all(abs(n - 50) < 25 for n in first)


def test_a_concentration_is_assigned_in_the_size_that_the_same_event_gives() -> None:
    text = "compartment V = 2; var V; species S in V; S = 3; J: S -> ; 0*S; E: at (time >= 1): S = 5, V = 4"
    assert seen(text, [0.5, 1.0], "S", "[S]", "V") == [[6.0, 3.0, 2.0], [20.0, 5.0, 4.0]]
    kept = "compartment V = 2; var V; species S in V; S = 3; J: S -> ; 0*S; E: at (time >= 1): V = 4"
    assert seen(kept, [1.0], "S", "[S]") == [[6.0, 1.5]]


def test_doses_of_a_table_set_off_the_models_events_after_all_rows_of_their_time() -> None:
    model = read_antimony(
        "J: S -> ; k*S; k = 0.5; S = 0; n = 0; E: at (S > 8): n = n + 1; W: at (time >= 4): S = 1"
    )
    rows = pd.DataFrame({"ID": 1, "TIME": [1.0, 1.0, 6.0], "AMT": [5.0, 5.0, 9.0], "EVID": 1, "CMT": "S"})
    run = simulate(model, events=rows, times=[0.5, 1.0, 4.0, 6.0], select=["S", "n"])
    assert run["n"].values[0].tolist() == [0, 1, 1, 2]
    assert run["S"].values[0] == pytest.approx([0, 10, 1, 9 + math.exp(-1)], rel=1e-5)


def test_an_observation_between_doses_does_not_change_what_the_events_do() -> None:
    model = read_antimony(
        "J: S -> ; 0*S; S = 10; n = 0; E: at (time >= 5): S = 2*S; F: at (S >= 50): n = n + 1"
    )
    rows = pd.DataFrame({"ID": 1, "TIME": [0.0, 5.0], "AMT": [45.0, 4.0], "EVID": 1, "CMT": "S"})
    seen_between = pd.DataFrame(
        {"ID": 1, "TIME": [0.0, 0.0, 5.0, 5.0, 5.0], "AMT": [0, 45.0, 0, 4.0, 0], "CMT": "S"}
    )
    run = simulate(model, events=rows, times=[0.0, 5.0], select=["S", "n"])
    assert run["S"].values[0].tolist() == [55, 118]
    assert run["n"].values[0].tolist() == [1, 1]
    run = simulate(model, events=seen_between.assign(EVID=[0, 1, 0, 1, 0]), select=["S", "n"])
    assert run["S"].values[0].tolist() == [10, 55, 118]
    assert run["n"].values[0].tolist() == [0, 1, 1]


@pytest.mark.parametrize(("column", "value"), [("EVID", 3), ("SS", 1)])
def test_a_reset_or_a_steady_state_beside_own_events_is_refused(column: str, value: int) -> None:
    rows = pd.DataFrame(
        {"ID": [1], "TIME": [1.0], "AMT": [5.0], "EVID": [1], "CMT": ["S"], "SS": [0], "II": [12.0]}
    )
    rows[column] = value
    with pytest.raises(SimulationError, match=rf"^{column}: Model .* has events of its own") as told:
        simulate(read_antimony(SAW), events=rows.drop(columns="AMT" if column == "EVID" else []), times=[2.0])
    assert "What to do" in str(told.value)


@pytest.mark.parametrize(
    ("event", "asked"),
    [("S == 5", "S"), ("time == S", "S"), ("time == n", "time"), ("sin(time) == 0.5", "time"), ("n*S != 5", "S")],
)  # fmt: skip
def test_an_equality_that_a_step_would_pass_by_is_refused(event: str, asked: str) -> None:
    text = SAW.replace("S < 5", event)
    with pytest.raises(ModelError, match=f'm.ant:1: the trigger of event "E" tests {asked} for equality'):
        read_antimony(text, "m.ant")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("E: at (S < 5): S = 5", "trigger one another without end"),
        (
            "n = 1; E: at (n < 1): n = 2; F: at (n > 1): n = 0; G: at (time > 1): n = 0.5",
            "trigger one another without end",
        ),
        ("E: at (-1) after (S < 5): S = 9", "delay of an event is negative"),
        ("E: at (n/n) after (S < 5): S = 9", "delay of an event is negative or not a number"),
        ("E: at (S < 5): k = n/n", "not a number"),
    ],
)
def test_what_has_no_end_or_no_number_is_said_for_its_subject(event: str, why: str) -> None:
    text = f"J: S -> ; k*S; k = 0.5; var k; S = 10; n = 0; {event}"
    run = simulate(read_antimony(text), times=[0.0, 1.0, 9.0], select=["S"])
    assert why in run["message"].item()
    assert np.isfinite(run["S"].values[0, :2]).all()
    assert np.isnan(run["S"].values[0, 2])


def test_what_an_event_sets_has_no_value_before() -> None:
    found = seen("x = 1; x' = 1; y := q; E: at (time >= 1): q = 3", [0.5, 1.0], "x", "q")
    assert math.isnan(found[0][1])
    assert (found[0][0], found[1]) == (pytest.approx(1.5), [pytest.approx(2.0), 3.0])


def test_what_a_model_is_known_by_has_its_events_too() -> None:
    model, other = read_antimony(SAW), read_antimony(SAW.replace("n + 1", "n + 2"))
    assert model_hash(model) != model_hash(other)
    back = from_json(to_json(model))
    assert (back.events, model_hash(back)) == (model.events, model_hash(model))
    assert "h" in live_parameters(read_antimony(SAW.replace("S < 5", "S < h") + "; h = 5"), ["n"], (), {})
    written, lost = to_antimony(
        to_sbml(SAW.replace("at (", "at 2 after (").replace("5):", "5), priority = 3:"))
    )
    assert not lost
    assert "E: at 2 after S < 5, priority = 3: S = 10, n = n + 1" in written
    batch = build(model, ["S"]).start(2)
    for act in (lambda: batch.take(np.array([0])), lambda: batch.advance(1.0, edges=[0.0, 1.0])):
        with pytest.raises(LissiveError, match="has events"):
            act()


CORE = "http://www.sbml.org/sbml/level3/version2/core"


def _sbml(event: str, constant: str = "false", rules: str = "") -> str:
    return f"""<sbml xmlns="{CORE}" level="3" version="2"><model id="m"><listOfParameters>
    <parameter id="x" value="1" constant="{constant}"/></listOfParameters>{rules}
    <listOfEvents>{event}</listOfEvents></model></sbml>"""


def _event(inside: str, trigger: str = "<true/>") -> str:
    math_ = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
    trigger = f'<trigger initialValue="false" persistent="true">{math_}{trigger}</math></trigger>'
    return f'<event id="E" useValuesFromTriggerTime="true">{trigger}{inside}</event>'


def _to(name: str) -> str:
    math_ = '<math xmlns="http://www.w3.org/1998/Math/MathML"><cn>3</cn></math>'
    one = f'<eventAssignment variable="{name}">{math_}</eventAssignment>'
    return f"<listOfEventAssignments>{one}</listOfEventAssignments>"


def test_an_event_without_a_formula_has_no_effect() -> None:
    trigger = '<trigger initialValue="false" persistent="true"/>'
    empty = f'<event id="E" useValuesFromTriggerTime="true">{trigger}{_to("x")}</event>'
    delay = _event("<delay/><priority/>" + _to("x"))
    found = [
        float(simulate(read_sbml(_sbml(e)), times=[0.0], select=["x"])["x"].item()) for e in (empty, delay)
    ]
    assert found == [1.0, 3.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_sbml(_event(_to("x")), "true"), 'm.xml:3: an event would change "x", which is declared constant'),
        (_sbml(_event(_to("y"))), 'm.xml:3: the event assignment is about "y", which is not defined'),
        (_sbml(_event("") + _event("")), 'm.xml:3: .*"E"'),
    ],
)
def test_a_faulty_event_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ModelError, match=f"^{words}"):
        read_sbml(text, "m.xml")
