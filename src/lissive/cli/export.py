"""`lissive export`: a model for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force

Model = Annotated[
    str, typer.Argument(help="A shipped model by name, or an Antimony (.ant) or SBML (.xml) file.")
]
Until = Annotated[float, typer.Option(help="Last output time, in the model's unit.")]
Every = Annotated[float, typer.Option(help="The time between two outputs.")]
Select = Annotated[
    str | None, typer.Option(help="What is written, as 'S1,[S1],k': S1 is an amount, [S1] a concentration.")
]
Rtol = Annotated[float, typer.Option(help="Relative tolerance, 2.3e-14 to 0.1.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)]


Doses = Annotated[
    Path | None,
    typer.Option(
        "--events", help="Doses of one subject, as simulate reads them; they become events of the model."
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write a model for other tools.", no_args_is_help=True)
    group.command("sbml")(sbml)
    group.command("antimony")(antimony)
    group.command("sedml")(sedml)
    group.command("omex")(omex)
    group.command("petab")(petab)
    group.command("events")(dosing)
    app.add_typer(group, name="export")


def sbml(out: Out, model: Model = "lissive", events: Doses = None, force: Force = False) -> None:
    """Write a model as SBML Level 3 Version 2."""
    from lissive.interchange.dosed import dosed
    from lissive.model.check import to_sbml
    from lissive.model.read import text_of

    _keep(out, model, force, events)
    text, name = text_of(model)
    written = to_sbml(text, name)
    _write(out, dosed(written, name, events)[0] if events else written)


def antimony(out: Out, model: Model = "lissive", force: Force = False) -> None:
    """Write a model as one Antimony text; the shipped one is put together from its modules and tables."""
    from lissive.model.check import to_antimony
    from lissive.model.read import text_of

    _keep(out, model, force)
    text, renamed = to_antimony(*text_of(model))
    _write(out, text)
    if renamed:
        print(f"Antimony has other names for: {', '.join(renamed)}.")


def sedml(
    out: Out,
    until: Until,
    every: Every,
    model: Model = "lissive",
    select: Select = None,
    events: Doses = None,
    rtol: Rtol = 1e-6,
    force: Force = False,
) -> None:
    """Write a time course as SED-ML, with the model as SBML beside it (NAME.sedml, NAME.xml)."""
    from lissive.cli.simulate import names_of
    from lissive.files import Beside, keep_inputs
    from lissive.interchange.sedml_write import Course, write_sedml

    _ending(out, ".sedml")
    beside = Beside([out.with_suffix(".xml")], out, 'id="generator_0"')  # as only this command calls it
    keep_inputs([out], reads=[model, events], beside=beside, force=force)
    for path in write_sedml(Course(model, until, every, names_of(select), rtol, events=events), out):
        print(path)


def omex(
    out: Out,
    until: Until,
    every: Every,
    model: Model = "lissive",
    select: Select = None,
    events: Doses = None,
    rtol: Rtol = 1e-6,
    force: Force = False,
) -> None:
    """Write a model and a time course of it as an OMEX archive, which other tools run as it is."""
    from lissive.cli.simulate import names_of
    from lissive.interchange.omex import write_omex
    from lissive.interchange.sedml_write import Course

    _ending(out, ".omex")
    _keep(out, model, force, events)
    write_omex(Course(model, until, every, names_of(select), rtol, events=events), out)
    print(out)


def petab(
    out: Annotated[Path, typer.Option("--out", help="The folder to write.", file_okay=False)],
    data: Annotated[
        Path,
        typer.Option(
            help="A CSV as simulate writes it: subject, time, and columns named like what the model computes."
        ),
    ],
    sd: Annotated[
        str,
        typer.Option(help="Standard deviation of the error: one number, or NAME=NUMBER,... for each column."),
    ],
    model: Model = "lissive",
    estimate: Annotated[
        str | None, typer.Option(help="Parameters to estimate with their bounds, as 'k=0.01:10,CL=1:20'.")
    ] = None,
    events: Doses = None,
    force: Force = False,
) -> None:
    """Write a model and a table of measurements as a PEtab problem (version 1), for tools that fit."""
    from lissive.interchange.petab_write import Asked, bounds_of, sds_of, write_petab

    rows = write_petab(Asked(model, data, sds_of(sd), bounds_of(estimate), events), out, force=force)
    print(f"{out / 'problem.yaml'}: {', '.join(f'{n} {kind}' for kind, n in rows.items())}.")


def dosing(
    out: Out,
    events: Annotated[Path, typer.Option(help="Doses, NONMEM-style, as simulate --events reads them.")],
    model: Model = "lissive",
    force: Force = False,
) -> None:
    """Write a dosing table with a row for each dose: no ADDL, F, LAG or DUR, compartments by number."""
    from lissive.files import keep_inputs
    from lissive.model import load
    from lissive.simulation.events import export_events, read_events, regimen_of

    keep_inputs([out], reads=[model, events], force=force)
    equations = load(model)
    read = read_events(events, equations)
    regimen = regimen_of(read)
    export_events(regimen, equations, out, [run.subject for run in read.runs])
    print(out)
    left = [f"{n} observation rows" for n in [sum(len(run.seen) for run in read.runs)] if n]
    left += [f"the column {name}" for name in (*read.varying, *read.carried)]
    if left:
        print(f"  Not in it: {', '.join(left)}.")
    used = {int(place) for schedule in regimen.schedules for place in schedule.target}
    names = enumerate(equations.dose_targets.items(), start=1)
    print(f"  Compartments: {', '.join(f'{k} {name}' for k, (name, place) in names if place in used)}.")


def _ending(out: Path, ending: str) -> None:
    from lissive.errors import InterchangeError

    if out.suffix != ending:
        raise InterchangeError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=f"{ending}.",
            do="give the file a name with this extension.",
        )


def _keep(out: Path, model: str, force: bool, events: Path | None = None) -> None:
    from lissive.files import keep_inputs

    keep_inputs([out], reads=[model, events], force=force)


def _write(out: Path, text: str) -> None:
    from lissive.files import atomic_path

    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
