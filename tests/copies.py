"""Copies of nested data with other values at some places."""

from __future__ import annotations

import copy
from typing import Any


def with_changes(data: dict[str, Any], *changes: tuple[tuple[str | int, ...], Any]) -> dict[str, Any]:
    """A copy of the data with other values at some places; a value of `...` takes the field away."""
    found = copy.deepcopy(data)
    for path, value in changes:
        at: Any = found
        for part in path[:-1]:
            at = at[part]
        if value is ...:
            del at[path[-1]]
        else:
            at[path[-1]] = value
    return found
