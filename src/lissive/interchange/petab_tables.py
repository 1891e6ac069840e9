"""A PEtab problem (version 1): its YAML file and tables, checked, each mistake with its file.

The tables are read and looked through by the package `petab`; missing files and columns are told here, since it
raises a bare KeyError for them. Visualisation files are not read.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.errors import InterchangeError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "parameter": ("parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"),
    "condition": ("conditionId",),
    "observable": ("observableId", "observableFormula", "noiseFormula"),
    "measurement": ("observableId", "simulationConditionId", "measurement", "time"),
}
"""What each table must have; PEtab lets `nominalValue` be left out, but there is nothing to simulate without it."""


@dataclass(frozen=True)
class Problem:
    """A PEtab problem, read."""

    path: Path
    model: Path
    parameters: pd.DataFrame
    conditions: pd.DataFrame
    observables: pd.DataFrame
    measurements: pd.DataFrame
    files: tuple[Path, ...]
    """All that was read."""


def read_problem(path: Path) -> Problem:
    """The problem that a YAML file describes.

    Raises       InterchangeError for a file or a column that is missing, and for whatever `petab` finds wrong.
    """
    about = _about(path)
    one = about["problems"][0]
    files = {kind: _files(path, one.get(f"{kind}_files"), f"{kind}_files") for kind in list(COLUMNS)[1:]}
    files["parameter"] = _files(path, about.get("parameter_file"), "parameter_file")
    tables = {kind: _table(kind, where) for kind, where in files.items()}
    model = _model(path, one)
    _look_through(tables, files)
    return Problem(
        path,
        model,
        tables["parameter"],
        tables["condition"],
        tables["observable"],
        tables["measurement"],
        (path, model, *(each for where in files.values() for each in where)),
    )


def _about(path: Path) -> dict[str, Any]:
    import yaml

    try:
        about = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise InterchangeError(
            f"it cannot be read ({' '.join(str(fault).split())}).",
            where=str(path),
            allowed="the YAML file of a PEtab problem.",
            do="correct the path or the file.",
        ) from None
    if not isinstance(about, dict) or "format_version" not in about or "problems" not in about:
        raise InterchangeError(
            "it is no PEtab problem.",
            where=str(path),
            allowed="a YAML file with format_version, parameter_file and problems.",
            do="give the problem's YAML file; a case is answered by lissive case.",
        )
    if str(about["format_version"]).split(".")[0] != "1":
        raise InterchangeError(
            f"the PEtab format version {about['format_version']} is out of scope.",
            where=str(path),
            allowed="version 1.",
            do="export the problem as version 1.",
        )
    problems = about["problems"]
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        count = len(problems) if isinstance(problems, list) else 0
        raise InterchangeError(
            f"it describes {count} problems.",
            where=str(path),
            allowed="one problem with one model.",
            do="write a YAML file for each.",
        )
    if problems[0].get("mapping_files"):
        raise InterchangeError(
            "mapping tables are out of scope.", where=str(path), do="use the model's own ids in the tables."
        )
    return about


def _files(path: Path, given: Any, field: str) -> list[Path]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not names or not all(isinstance(each, str) for each in names):
        raise InterchangeError(
            f"{field} names no file.",
            where=str(path),
            allowed="the names of one or more files.",
            do=f"write the file's name after {field}.",
        )
    found = [path.parent / each for each in names]
    if missing := [each for each in found if not each.is_file()]:
        raise InterchangeError(
            f"{missing[0]} is not there ({field}).", where=str(path), do="add the file, or correct its name."
        )
    return found


def _model(path: Path, one: dict[str, Any]) -> Path:
    given = one.get("model_files")
    if given is None:
        found = _files(path, one.get("sbml_files"), "sbml_files")
    else:
        parts = list(given.values()) if isinstance(given, dict) else []
        if wrong := [each for each in parts if str(each.get("language")).lower() != "sbml"]:
            raise InterchangeError(
                f"the model is in {wrong[0].get('language')}.",
                where=str(path),
                allowed="SBML.",
                do="export the model as SBML.",
            )
        found = _files(path, [str(each.get("location")) for each in parts], "model_files")
    if len(found) > 1:
        raise InterchangeError(
            f"it has {len(found)} models.", where=str(path), allowed="one model.", do="split the problem."
        )
    return found[0]


def _table(kind: str, files: Sequence[Path]) -> pd.DataFrame:
    import pandas as pd
    import petab.v1 as petab

    reads: dict[str, Callable[[Any], pd.DataFrame]] = {
        "parameter": petab.get_parameter_df,
        "condition": petab.get_condition_df,
        "observable": petab.get_observable_df,
        "measurement": petab.get_measurement_df,
    }
    parts = []
    for file in files:
        try:
            with file.open(encoding="utf-8") as lines:
                _columns(kind, lines.readline().rstrip("\r\n").split("\t"), file)
            part = reads[kind](str(file))
        except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError, pd.errors.ParserError) as fault:
            raise _refused(fault, file) from None
        if not len(part) and kind != "parameter":  # there may be nothing to estimate
            raise InterchangeError(
                "the table has no rows.", where=str(file), allowed=f"a row for each {kind}.", do="add rows."
            )
        if kind == "measurement":
            _check_numbers(part, file)
        parts.append(part)
    return pd.concat(parts)


def _check_numbers(part: pd.DataFrame, file: Path) -> None:
    import pandas as pd

    for column, least in (("time", 0.0), ("measurement", -math.inf)):
        numbers = pd.to_numeric(part[column], errors="coerce")
        wrong = ~(numbers >= least).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            raise InterchangeError(
                f"{column} is {str(part[column].iloc[row])!r}.",
                where=f"{file}:{row + 2}",
                allowed="0 or more, or inf." if column == "time" else "a number.",
                do="correct the cell, or leave the row out.",
            )
        part[column] = numbers.astype(float)


def _columns(kind: str, header: Sequence[str], file: Path) -> None:
    if missing := [name for name in COLUMNS[kind] if name not in header]:
        raise InterchangeError(
            f"the {kind} table has no column {', '.join(missing)}.",
            where=f"{file}:1",
            allowed=f"columns separated by tabs, among them {', '.join(COLUMNS[kind])}.",
            do="add the column, or correct its name.",
        )


def _look_through(tables: dict[str, pd.DataFrame], files: dict[str, list[Path]]) -> None:
    """What `petab` itself finds wrong."""
    from petab.v1 import lint

    looks: list[tuple[str, Callable[[], Any]]] = [
        ("observable", lambda: lint.check_observable_df(tables["observable"])),
        ("parameter", lambda: lint.check_parameter_df(tables["parameter"])),
        ("measurement", lambda: lint.check_measurement_df(tables["measurement"], tables["observable"])),
        ("condition", lambda: lint.check_condition_df(tables["condition"])),
        (
            "measurement",
            lambda: lint.assert_measurement_conditions_present_in_condition_table(
                tables["measurement"], tables["condition"]
            ),
        ),
    ]
    for kind, look in looks:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                look()
        except (AssertionError, ValueError, TypeError, KeyError) as fault:
            raise _refused(fault, files[kind][0]) from None


def _refused(fault: Exception, file: Path) -> InterchangeError:
    words = " ".join(str(fault).split()).rstrip(".")
    return InterchangeError(
        f"{words}.",
        where=str(file),
        allowed="PEtab version 1 (petab.readthedocs.io).",
        do="correct the table.",
    )
