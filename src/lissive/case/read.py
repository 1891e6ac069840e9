"""From a file to a case, or to all that is wrong with it, each finding with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.case.facts import Case
from lissive.errors import CaseError
from lissive.typed import make_typed, read_typed


def read_case(path: str | Path) -> Case:
    """The case in a YAML or JSON file.

    Raises
    ------
    CaseError with every finding: file, line, field, what is allowed, what to do.
    """
    return read_typed(path, Case, CaseError, example="case: a", thing="the case", thorough=True)


def make_case(data: Mapping[str, Any], *, where: str = "") -> Case:
    """The case in plain data, as from JSON; raises as `read_case` does.

    >>> make_case({"case": "a", "person": {"weight_kg": 68}}).person.weight_kg
    68.0
    """
    return make_typed(data, Case, CaseError, where=where, thing="the case", thorough=True)


def case_schema() -> dict[str, Any]:
    """JSON Schema of a case file, with the description and range of each field.

    >>> case_schema()["$defs"]["Person"]["properties"]["weight_kg"]["unit"]
    'kg'
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Case.model_json_schema()}
