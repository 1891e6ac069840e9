"""What the tests of follow share."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from lissive.case import Case, make_case, product
from lissive.follow import Diary, read_diary
from lissive.follow.alarms import alarms
from lissive.follow.answer import Alarm
from lissive.follow.doses import taken_of

TODAY = datetime.date(2026, 11, 1)
NABIXIMOLS = product("nabiximols")
START = datetime.date(2026, 5, 1)
HEAD = "date,spasms,spasticity_nrs,sprays,side_effects,note"


def a_case(**change: object) -> dict[str, object]:
    case: dict[str, object] = {
        "case": "a",
        "person": {"weight_kg": 68.0},
        "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 8.0},
        "plan": {"product": "nabiximols", "titration": "label", "weeks": 12, "fed": True},
    }
    return {**case, **change}


def text(
    fall: float, *, days: int = 35, before: int = 7, sprays: int = 6, note: str = "", seed: int = 1
) -> str:
    """A diary whose rating falls by so many points within a week, with noise."""
    random = np.random.default_rng(seed)
    rows = [HEAD]
    for k in range(-before, days):
        level = 7.0 - fall * (1.0 - np.exp(-max(k, 0) / 4.0))
        nrs = int(np.clip(np.rint(level + random.normal(0.0, 1.2)), 0, 10))
        rows.append(
            f"{START + datetime.timedelta(days=k)},9,{nrs},{0 if k < 0 else sprays},,{note if k == 3 else ''}"
        )
    return "\n".join(rows) + "\n"


def diary_of(folder: Path, said: str) -> Diary:
    (folder / "d.csv").write_text(said, encoding="utf-8")
    return read_diary(folder / "d.csv", today=TODAY)


# -- alarms and advice ----------------------------------------------------------------------------------
def alarms_of(folder: Path, said: str, case: Case | None = None) -> dict[str, Alarm]:
    case, diary = case or make_case(a_case()), diary_of(folder, said)
    return {each.id: each for each in alarms(diary, taken_of(diary, NABIXIMOLS), NABIXIMOLS, case)}
