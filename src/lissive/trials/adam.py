"""Patients as analysis data sets in the manner of ADaM: one row a subject, parameter and visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lissive.arrays import FloatArray
from lissive.trials.data import WHY_LEFT, TrialData
from lissive.trials.design import Design
from lissive.trials.measures import EVENTS, MEASURES

if TYPE_CHECKING:
    import pandas as pd


def patient_table(design: Design, trials: Sequence[TrialData]) -> pd.DataFrame:
    """Basic data structure (BDS): STUDYID, USUBJID, REPL, TRTP, APERIOD, PARAMCD, PARAM, AVISIT, AVISITN, ADY,
    AVAL, BASE, CHG, and of each subject what ended their trial: DSDECOD, DSDY.

    AVISITN is the week; 0 is the baseline, which repeats in BASE. AVAL is empty where nothing was seen. Where the
    design asks for treatment failure, PARAMCD TTFAIL has the days until it in AVAL; with CNSR 1 it had not come.
    """
    import pandas as pd

    parts = [_one(design, data) for data in trials]
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table


def _one(design: Design, data: TrialData) -> pd.DataFrame:
    import pandas as pd

    frames = [_visits(design, data, *each) for each in _parameters(data)]
    if any(endpoint.measure == "failure" for endpoint in design.endpoints):
        frames.append(_failure(design, data))
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "STUDYID", design.trial)
    table.insert(2, "REPL", data.replicate + 1)
    table.insert(list(table.columns).index("BASE") + 1, "CHG", table["AVAL"] - table["BASE"])
    table["DSDY"] = table["DSDY"].replace(np.inf, np.nan)
    return table


def _parameters(data: TrialData) -> Iterator[tuple[str, str, FloatArray, FloatArray]]:
    """Short name, label, (patient, period) baseline, (patient, period, visit) values of what is seen at visits."""
    for name, measure in MEASURES.items():
        if name in data.values:
            yield measure.paramcd, measure.label, data.baseline[name], data.values[name]
    yield "DOSE", EVENTS["dose"], np.full((len(data), data.periods), np.nan), data.dose


def _visits(
    design: Design, data: TrialData, code: str, label: str, base: FloatArray, seen: FloatArray
) -> pd.DataFrame:
    import pandas as pd

    arms = np.array(list(design.arms), dtype=object)
    weeks = (0.0, *design.visits_weeks)
    n, periods, visits = len(data), data.periods, len(weeks)
    rows = {
        "USUBJID": np.repeat(_ids(design, data), periods * visits),
        "TRTP": np.repeat(arms[data.treatment].ravel(), visits),
        "APERIOD": np.tile(np.repeat(np.arange(1, periods + 1), visits), n),
        "PARAMCD": code,
        "PARAM": label,
        "AVISIT": np.tile([f"Week {w:g}" if w else "Baseline" for w in weeks], n * periods),
        "AVISITN": np.tile(weeks, n * periods),
        "ADY": np.tile([round(w * 7) for w in weeks], n * periods),
        "AVAL": np.concatenate([base[:, :, None], seen], axis=2).ravel(),
        "BASE": np.repeat(base.ravel(), visits),
        "CNSR": np.nan,
        "DSDECOD": np.repeat(_ended(data), periods * visits),
        "DSDY": np.repeat(data.left, periods * visits),
    }
    return pd.DataFrame(rows)


def _failure(design: Design, data: TrialData) -> pd.DataFrame:
    """Time to treatment failure, a row a subject."""
    import pandas as pd

    end = float(design.days)
    failed = data.failed_day <= end
    rows = {
        "USUBJID": _ids(design, data),
        "TRTP": np.array(list(design.arms), dtype=object)[data.treatment[:, 0]],
        "APERIOD": 1,
        "PARAMCD": "TTFAIL",
        "PARAM": EVENTS["failure"],
        "AVISIT": "End",
        "AVISITN": design.weeks,
        "ADY": round(end),
        "AVAL": np.where(failed, data.failed_day, end),
        "BASE": np.nan,
        "CNSR": np.where(failed, 0.0, 1.0),
        "DSDECOD": _ended(data),
        "DSDY": data.left,
    }
    return pd.DataFrame(rows)


def _ended(data: TrialData) -> npt.NDArray[np.object_]:
    """(patient,) what ended each one's trial."""
    ended: npt.NDArray[np.object_] = np.array(
        [WHY_LEFT[why] or "completed" for why in data.left_why], dtype=object
    )
    return ended


def _ids(design: Design, data: TrialData) -> list[str]:
    return [f"{design.trial}-{data.replicate + 1:04d}-{number + 1:05d}" for number in data.screening_id]
