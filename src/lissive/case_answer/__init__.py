"""The answers for one case, put together once, for the terminal, for files and for programs.

    found = answer(read_case("examples/ms-uk.yaml"), subjects=1000)
    found.bottom_line.text, found.access.status, found.forecast.responders["20pct_week4"]

A case is answered as far as it goes: where it does not say enough for a forecast, `found.forecast.needs` says what is
missing, and the rest is answered all the same.
"""

from lissive.case_answer.bottom_line import BottomLine
from lissive.case_answer.compose import INTENDED_USE, CaseAnswer, answer
from lissive.case_answer.gates import Gates, gates
from lissive.case_answer.next_step import NextStep
from lissive.case_answer.usual_care import UsualCare

__all__ = [
    "INTENDED_USE",
    "BottomLine",
    "CaseAnswer",
    "Gates",
    "NextStep",
    "UsualCare",
    "answer",
    "gates",
]
