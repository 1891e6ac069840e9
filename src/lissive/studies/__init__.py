"""Published observations of concentrations: read, simulated as they were measured, and measured alike."""

from lissive.studies.observation import Arm, Observation, Skipped, Studies
from lissive.studies.read import read_studies, shipped_studies
from lissive.studies.run import Prediction, predict_studies

__all__ = [
    "Arm",
    "Observation",
    "Prediction",
    "Skipped",
    "Studies",
    "predict_studies",
    "read_studies",
    "shipped_studies",
]
