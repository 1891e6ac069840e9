"""`lissive export`: a model for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force

Model = Annotated[
    str, typer.Argument(help="A shipped model by name, or an Antimony (.ant) or SBML (.xml) file.")
]
Out = Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write a model for other tools.", no_args_is_help=True)
    group.command("sbml")(sbml)
    group.command("antimony")(antimony)
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


def _keep(out: Path, model: str, force: bool) -> None:
    from lissive.files import keep_inputs

    keep_inputs([out], reads=[model], force=force)


def _write(out: Path, text: str) -> None:
    from lissive.files import atomic_path

    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
