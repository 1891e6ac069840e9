"""Draws ms-uk.png of README.md and docs/stories.md: the figure of `lissive case examples/ms-uk.yaml --report`.

.venv/bin/python docs/images/ms_uk.py
"""

from pathlib import Path

from lissive.case import read_case
from lissive.case_answer import answer
from lissive.forecast import ForecastAnswer
from lissive.handout.pictures import main_outcome, trial_effect
from lissive.report.figures import effect_figure, settings

HERE = Path(__file__).parent

if __name__ == "__main__":
    found = answer(read_case(HERE.parents[1] / "examples" / "ms-uk.yaml"))
    name, forecast = main_outcome(found), found.forecast
    assert name is not None
    assert isinstance(forecast, ForecastAnswer)
    with settings():
        effect_figure(forecast, name, trial_effect(found, forecast, name)).savefig(
            HERE / "ms-uk.png", dpi=180
        )
