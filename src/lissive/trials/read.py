"""From a file to a trial's design, or to all that is wrong with it, each finding with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.trials.design import Design
from lissive.typed import make_typed, read_typed


class DesignFindings(DesignError):
    """All that is wrong with one design, a line for each finding."""

    def __init__(self, findings: Sequence[DesignError]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


def read_design(path: str | Path) -> Design:
    """The design in a YAML or JSON file.

    Raises
    ------
    DesignFindings (a DesignError) with every finding: file, line, field, what is allowed, what to do.
    """
    return read_typed(path, Design, DesignError, DesignFindings, example="trial: a", thing="the design")


def make_design(data: Mapping[str, Any], *, where: str = "") -> Design:
    """The design in plain data; raises as `read_design` does."""
    return make_typed(data, Design, DesignError, DesignFindings, where=where, thing="the design")


def design_schema() -> dict[str, Any]:
    """JSON Schema of a design, with the description and range of each field."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Design.model_json_schema()}
