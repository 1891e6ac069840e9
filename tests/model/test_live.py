"""Which parameters are live: what is dead changes nothing when it is changed, what is live does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lissive.model import load
from lissive.model.live import live_parameters
from lissive.model.read import read_antimony
from lissive.simulation.solve import simulate

DOSES = pd.DataFrame(
    [[1, 0, 1, 3.18e5, "CBD_oral"]], columns="ID TIME EVID AMT CMT".split()
)  # 100 mg, so that CBD inhibits what can be inhibited


def live(outputs: list[str], dosed: list[str], **changed: float) -> set[str]:
    model = load("lissive")
    return live_parameters(model, outputs, dosed, {**model.parameters, **changed})


def test_an_oral_dose_of_cbd_rests_on_nothing_of_thc_or_of_the_lung() -> None:
    found = live(["CBD_ng_mL"], ["CBD_oral"])
    assert {"CL_CBD", "F_CBD_oral", "MTT_CBD_oral"} <= found
    assert not {"CL_THC", "F_smoked", "F_vaporised", "k_lung", "F_CBD_spray", "K_THC"} & found


def test_a_switch_takes_away_what_it_is_multiplied_by_and_stays_itself() -> None:
    vaporised, smoked = (live(["THC_ng_mL"], ["THC_lung"], smoked=value) for value in (0.0, 1.0))
    assert vaporised - smoked == {"F_vaporised"}
    assert smoked - vaporised == {"F_smoked"}
    assert "smoked" in smoked & vaporised


def test_where_nothing_is_dosed_no_parameter_of_a_drug_is_live() -> None:
    found = live(["NRS"], [])
    assert "gain_tone" in found
    assert not {"CL_THC", "CL_CBD", "tau_THC", "KB_CBD", "fu_THC"} & found


def test_a_state_that_starts_off_zero_counts_without_a_dose() -> None:
    model = read_antimony("J: A -> B; k*A; A = a0; B = 0; K: B -> ; h*B; k = 2; h = 3; a0 = 5")
    mine = {"k", "h", "a0"}
    assert live_parameters(model, ["B"], [], model.parameters) & mine == mine
    assert live_parameters(model, ["A"], [], model.parameters) & mine == {"k", "a0"}


MOVING = {
    "CBD_ng_mL": {"CL_CBD", "V3_CBD", "F_CBD_oral", "A50_CBD_oral", "fed", "weight", "M_CBD"},
    "NRS": {"NRS0", "KI_FABP", "KB_CBD", "K_AG2"},  # CBD alone does little to it in a day
}


@pytest.mark.slow
def test_what_changes_an_output_is_live_and_what_is_dead_changes_nothing() -> None:
    """One subject for each parameter, which is the typical person but for that one."""
    model = load("lissive")
    names = [name for name in model.parameters if name not in ("body", "injury0")]
    table = pd.DataFrame({name: np.full(len(names) + 1, model.parameters[name]) for name in names})
    for k, name in enumerate(names, start=1):
        value = model.parameters[name]
        table.loc[k, name] = 0.05 if value == 0.0 else 0.9 * value
    run = simulate("lissive", events=DOSES, subjects=table, times=[2.0, 24.0], select=[*MOVING], rtol=1e-8)
    assert not run["status"].values.any()
    for output, moving in MOVING.items():
        values = run[output].values
        changed = (np.abs(values[1:] - values[0]) > 1e-6 * np.abs(values[0])).any(axis=1)
        moved = {name for name, is_so in zip(names, changed, strict=True) if is_so}
        found = live_parameters(model, [output], ["CBD_oral"], model.parameters)
        assert moving <= moved <= found, output
