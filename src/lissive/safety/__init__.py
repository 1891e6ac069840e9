"""What could hurt this person with this product: interactions, contraindications and cautions."""

from lissive.safety.answer import SEVERITIES, Flag, SafetyAnswer, Severity, Source, UnknownDrug
from lissive.safety.judge import safety_of

__all__ = ["SEVERITIES", "Flag", "SafetyAnswer", "Severity", "Source", "UnknownDrug", "safety_of"]
