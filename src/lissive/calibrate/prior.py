"""What is known of a parameter before it is fitted, on the scale of its fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit


@dataclass(frozen=True)
class Prior:
    """Normal around `value` on a scale: `log`, `logit` of a proportion, or `none`. What is plausible has ends."""

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
        if self.scale == "none":
            return value
        return logit(value) if self.scale == "logit" else np.log(value)

    def from_scale(self, x: Any) -> Any:
        if self.scale == "none":
            return x
        return expit(x) if self.scale == "logit" else np.exp(x)

    def at(self, z: Any) -> Any:
        """The parameter, `z` standard deviations from its centre."""
        return self.from_scale(self.to_scale(self.value) + self.sd * np.asarray(z))
