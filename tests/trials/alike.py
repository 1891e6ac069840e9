"""What the tests of conduct share."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lissive.trials.observe import TrialData


def same(a: Any, b: Any) -> bool:
    """Bit for bit, nothing equal to nothing."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))


def assert_same(a: TrialData, b: TrialData, *, but: tuple[str, ...] = ()) -> None:
    for field in dataclasses.fields(TrialData):
        if field.name not in but:
            assert same(getattr(a, field.name), getattr(b, field.name)), field.name
