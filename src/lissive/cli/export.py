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
Rtol = Annotated[float, typer.Option(help="Relative tolerance.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write a model for other tools.", no_args_is_help=True)
    group.command("sbml")(sbml)
    group.command("antimony")(antimony)
    group.command("sedml")(sedml)
    group.command("omex")(omex)
    app.add_typer(group, name="export")


def sbml(out: Out, model: Model = "lissive", force: Force = False) -> None:
    """Write a model as SBML Level 3 Version 2."""
    from lissive.model.check import to_sbml
    from lissive.model.read import text_of

    _keep(out, model, force)
    _write(out, to_sbml(*text_of(model)))


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
    rtol: Rtol = 1e-6,
    force: Force = False,
) -> None:
    """Write a time course as SED-ML, with the model as SBML beside it (NAME.sedml, NAME.xml)."""
    from lissive.cli.simulate import names_of
    from lissive.files import keep_inputs
    from lissive.interchange.sedml_write import Course, write_sedml

    _ending(out, ".sedml")
    beside = out.with_suffix(".xml")
    keep_inputs([out, beside], reads=[model], force=force)
    for path in write_sedml(Course(model, until, every, names_of(select), rtol), out):
        print(path)


def omex(
    out: Out,
    until: Until,
    every: Every,
    model: Model = "lissive",
    select: Select = None,
    rtol: Rtol = 1e-6,
    force: Force = False,
) -> None:
    """Write a model and a time course of it as an OMEX archive, which other tools run as it is."""
    from lissive.cli.simulate import names_of
    from lissive.interchange.omex import write_omex
    from lissive.interchange.sedml_write import Course

    _ending(out, ".omex")
    _keep(out, model, force)
    write_omex(Course(model, until, every, names_of(select), rtol), out)
    print(out)


def _ending(out: Path, ending: str) -> None:
    from lissive.errors import InterchangeError

    if out.suffix != ending:
        raise InterchangeError(
            f"Unsupported file extension {out.suffix!r}.", where="--out", allowed=f"{ending}."
        )


def _keep(out: Path, model: str, force: bool) -> None:
    from lissive.files import keep_inputs

    keep_inputs([out], reads=[model], force=force)


def _write(out: Path, text: str) -> None:
    from lissive.files import atomic_path

    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
