"""`lissive simulate` of what says itself what is run: a PEtab problem, a SED-ML file, an OMEX archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.errors import SimulationError

PETAB = (".yaml", ".yml")
FOREIGN = (*PETAB, ".sedml", ".omex")
"""How their files end."""


def run_foreign(
    path: Path, out: Path, own: Mapping[str, Any], how: Mapping[str, Any], force: bool, as_json: bool
) -> None:
    """own : options that the file answers itself    how : options of the solver"""
    if named := [name for name, value in own.items() if value is not None]:
        raise SimulationError(
            f"{path.name} says itself what is run.",
            where=f"--{named[0]}",
            allowed=f"{', '.join(f'--{name}' for name in how)}.",
            do=f"leave --{named[0]} out, or change it in the file.",
        )
    given = {name: value for name, value in how.items() if value is not None}
    if path.suffix.lower() in PETAB:
        _petab(path, out, given, force, as_json)
    else:
        _sedml(path, out, given, force, as_json)


def _petab(path: Path, out: Path, how: Mapping[str, Any], force: bool, as_json: bool) -> None:
    if out.suffix != ".tsv":
        raise SimulationError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=".tsv: PEtab's table of what was simulated.",
        )
    from lissive.interchange.petab import fit_to_file

    about = fit_to_file(path, out, force=force, **how)
    if as_json:
        print(json.dumps({"out": str(out), **about}))
        return
    print(f"{out}: {about['measurements']} measurements under {about['conditions']} conditions, simulated.")
    print(f"Log-likelihood {about['log_likelihood']:.8g}; chi-squared {about['chi_squared']:.8g}.")


def _sedml(path: Path, out: Path, how: Mapping[str, Any], force: bool, as_json: bool) -> None:
    if out.suffix not in ("", ".csv"):
        raise SimulationError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=".csv for one report, or a folder with a .csv for each.",
        )
    from lissive.interchange.sedml_files import run_to_files

    about = run_to_files(path, out, force=force, **how)
    if as_json:
        print(json.dumps({"out": str(out), **about}))
        return
    for name, columns in about["tables"].items():
        place = out if out.suffix else out / f"{name}.csv"
        print(f"{place}: {name}, {about['rows'][name]} rows of {', '.join(columns)}.")
    for note in about["notes"]:
        print(f"  {note}")
