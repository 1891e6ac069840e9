"""`lissive calibrate`: fit what may be fitted, on what may be fitted on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lissive.calibrate.pk import Fit


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Fit parameters on what was observed.", no_args_is_help=True)
    group.command("pk")(pk)
    app.add_typer(group, name="calibrate")


def pk(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the changed tables of parameters here.")
    ] = None,
    studies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of studies; those that come with Lissive if not given."),
    ] = None,
) -> None:
    """Kinetic parameters on the studies' calibration rows: mode of the posterior, standard errors, data used."""
    from lissive.calibrate.pk import fit_pk
    from lissive.calibrate.write import dois, write_tables
    from lissive.errors import StudyError
    from lissive.studies import read_studies, shipped_studies

    read = shipped_studies() if studies is None else read_studies(studies)
    if not (rows := read.of_split("calibration")):
        raise StudyError(
            "No row may be fitted on.", where=read.path, allowed="at least one study with split: calibration."
        )
    fits = fit_pk(rows, say=_say)
    for fit in fits.values():
        print(_table(fit) + "\n")
    if out is not None:
        for path in write_tables(fits, dois(read.observations), out):
            print(path)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)


def _table(fit: Fit) -> str:
    from lissive.report.validation_text import aligned

    head = ["parameter", "prior", "sd", "estimate", "se", "range", "recalled", "rests on"]
    rows = [
        [
            p.name,
            f"{p.value:g}",
            f"{p.sd:g}",
            f"{fit.values[p.name]:.4g}",
            f"{fit.sd[p.name]:.3f}",
            f"{p.lower:g}-{p.upper:g}",
            f"{100 * fit.recalled[p.name]:.0f} %",
            ", ".join(fit.rests_on[p.name]) or "its prior alone",
        ]
        for p in fit.priors
    ]
    between, within = fit.errors.between, fit.errors.within
    return (
        aligned([head, *rows], right={1, 2, 3, 4, 6})
        + "\nsd and se: of the logarithm, or of the log odds of a share."
        + f"\nStandard deviation of log(observed/predicted): {between:.2f} between studies, {within:.2f} within."
    )
