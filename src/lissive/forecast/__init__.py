"""What may happen to this person? Virtual patients matched to the case, each with drug and with placebo.

    forecast = predict(read_case("case.yaml"), subjects=1000)
    summary(forecast).responders["20pct_week4"]

The average benefit is small and the intervals are wide; both are shown, not smoothed over.
"""

from lissive.forecast.answer import ForecastAnswer, ForecastNeeds, Need
from lissive.forecast.calibrated import Calibrated, Complaint, calibration, complaint, fitted_outcomes
from lissive.forecast.predict import ARMS, Forecast, Outcome, outcomes, predict
from lissive.forecast.score import RESPONSES, responders, summary
from lissive.forecast.treatment import is_child, needs

__all__ = [
    "ARMS",
    "RESPONSES",
    "Calibrated",
    "Complaint",
    "Forecast",
    "ForecastAnswer",
    "ForecastNeeds",
    "Need",
    "Outcome",
    "calibration",
    "complaint",
    "fitted_outcomes",
    "is_child",
    "needs",
    "outcomes",
    "predict",
    "responders",
    "summary",
]
