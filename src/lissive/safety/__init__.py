"""What could hurt this person with this product: interactions, contraindications and cautions."""

from lissive.safety.answer import SEVERITIES, Flag, SafetyAnswer, Severity, UnknownDrug

__all__ = ["SEVERITIES", "Flag", "SafetyAnswer", "Severity", "UnknownDrug"]
