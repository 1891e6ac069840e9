"""A study to change: small, right, and with one of everything that is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.copies import with_changes

from lissive.cli.main import main
from lissive.errors import StudyError
from lissive.studies import Observation, Studies, read_studies

STUDY: dict[str, Any] = {
    "id": "doe2010",
    "citation": {"authors": "Doe J", "year": 2010},
    "doi": "10.1000/doe",
    "population": {"n": 8, "status": "healthy", "sex": "male", "notes": "weight 74.0 (11.25) kg"},
    "dose": {
        "route": "oral",
        "formulation": "capsule",
        "THC_mg": 10,
        "CBD_mg": None,
        "fed_state": "fasted",
        "schedule": "single dose",
    },
    "matrix": "plasma",
    "split": "validation",
    "analytes": [
        {
            "analyte": "THC",
            "provenance": "read",
            "Cmax": {"value": 3.0, "unit": "ng/mL", "stat": "mean", "spread": 1.5, "spread_type": "SD"},
            "Tmax": {"value": 2.0, "unit": "h", "stat": "median"},
            "AUC": {"value": 9.0, "unit": "ng*h/mL", "stat": "geomean", "which": "0-t"},
            "conc_time": [[1, 2.0], [2, 2.8, "SD 1.4"]],
        }
    ],
}
A = ("analytes", 0)


def changed(*changes: tuple[tuple[str | int, ...], Any]) -> dict[str, Any]:
    return with_changes(STUDY, *changes)


def line_of(text: str, *path: str | int) -> int:
    """The line at which PyYAML itself sees a field's name, or an entry of a list."""
    node, line = yaml.compose(text), 0
    for part in path:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            line, node = next((k.start_mark.line + 1, v) for k, v in node.value if k.value == part)
    return line


def write(folder: Path, *studies: Any) -> Path:
    """A file of these studies."""
    path = folder / "studies.yaml"
    path.write_text(yaml.safe_dump(list(studies), sort_keys=False), encoding="utf-8")
    return path


def read(folder: Path, *studies: Any) -> Studies:
    """What is read of these studies."""
    return read_studies(write(folder, *studies))


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `lissive validate` says of a file that it does not take."""
    assert main(["validate", "--studies", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def wrong(folder: Path, *studies: Any) -> str:
    """What is wrong with these studies."""
    with pytest.raises(StudyError) as caught:
        read(folder, *studies)
    return str(caught.value)


def metric(studies: Studies, name: str) -> Observation:
    (found,) = (each for each in studies.observations if each.metric == name)
    return found


def skipped(studies: Studies) -> dict[str, str]:
    return {each.what: each.why for each in studies.skipped}
