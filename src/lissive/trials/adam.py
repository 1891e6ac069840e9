"""Patients as analysis data sets in the manner of ADaM: one row a subject, parameter and visit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lissive.trials.data import WHY_LEFT, TrialData
from lissive.trials.design import Design
from lissive.trials.measures import MEASURES

if TYPE_CHECKING:
    import pandas as pd


def patient_table(design: Design, trials: Sequence[TrialData]) -> pd.DataFrame:
    """Basic data structure (BDS): STUDYID, USUBJID, REPL, TRTP, APERIOD, PARAMCD, PARAM, AVISIT, AVISITN, ADY,
    AVAL, BASE, CHG, and of each subject what ended their trial: DSDECOD, DSDY.

    AVISITN is the week; 0 is the baseline, which repeats in BASE. AVAL is empty where nothing was seen.
    """
    import pandas as pd

    parts = [_one(design, data) for data in trials]
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table


def _one(design: Design, data: TrialData) -> pd.DataFrame:
    import pandas as pd

    arms = np.array(list(design.arms), dtype=object)
    weeks = (0.0, *design.visits_weeks)
    n, periods, visits = len(data), data.periods, len(weeks)
    ended = np.array([WHY_LEFT[w] or "completed" for w in data.left_why], dtype=object)
    frames = []
    every = {name: (m.paramcd, m.label) for name, m in MEASURES.items() if name in data.values}
    for name, (code, label) in {**every, "dose": ("DOSE", "Units taken a day")}.items():
        base = data.baseline[name] if name in data.baseline else np.full((n, periods), np.nan)
        seen = data.values.get(name, data.dose)
        value = np.concatenate([base[:, :, None], seen], axis=2)
        rows = {
            "USUBJID": np.repeat(_ids(design, data), periods * visits),
            "TRTP": np.repeat(arms[data.treatment].ravel(), visits),
            "APERIOD": np.tile(np.repeat(np.arange(1, periods + 1), visits), n),
            "PARAMCD": code,
            "PARAM": label,
            "AVISIT": np.tile([f"Week {w:g}" if w else "Baseline" for w in weeks], n * periods),
            "AVISITN": np.tile(weeks, n * periods),
            "ADY": np.tile([round(w * 7) for w in weeks], n * periods),
            "AVAL": value.ravel(),
            "BASE": np.repeat(base.ravel(), visits),
            "DSDECOD": np.repeat(ended, periods * visits),
            "DSDY": np.repeat(data.left, periods * visits),
        }
        frames.append(pd.DataFrame(rows))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "STUDYID", design.trial)
    table.insert(2, "REPL", data.replicate + 1)
    table.insert(list(table.columns).index("BASE") + 1, "CHG", table["AVAL"] - table["BASE"])
    table["DSDY"] = table["DSDY"].replace(np.inf, np.nan)
    return table


def _ids(design: Design, data: TrialData) -> list[str]:
    return [f"{design.trial}-{data.replicate + 1:04d}-{number + 1:05d}" for number in data.number]
