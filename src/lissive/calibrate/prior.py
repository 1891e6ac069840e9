"""What is known of a parameter before it is fitted, on the scale of its fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit


@dataclass(frozen=True)
class Prior:
    """Normal around `value` on a scale: `log`, or `logit` of a proportion. Lower and upper are what is plausible."""

    name: str
    scale: str
    value: float
    sd: float
    """On the scale, without a unit."""
    lower: float = -math.inf
    upper: float = math.inf
    source: str = "-"
    """Keys of sources.tsv, or a citation."""

    def to_scale(self, value: Any) -> Any:
        return logit(value) if self.scale == "logit" else np.log(value)

    def from_scale(self, x: Any) -> Any:
        return expit(x) if self.scale == "logit" else np.exp(x)

    def at(self, z: Any) -> Any:
        """The parameter, `z` standard deviations from its centre."""
        if self.scale == "logit":
            return expit(logit(self.value) + self.sd * np.asarray(z))
        return self.value * np.exp(self.sd * np.asarray(z))
