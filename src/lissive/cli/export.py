"""`lissive export`: the shipped model for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.files import whole

Model = Annotated[
    str, typer.Argument(help="A shipped model by name, or an Antimony (.ant) or SBML (.xml) file.")
]
Out = Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write a model for other tools.", no_args_is_help=True)
    group.command("sbml")(sbml)
    group.command("antimony")(antimony)
    app.add_typer(group, name="export")


def sbml(out: Out, model: Model = "lissive") -> None:
    """Write a model as SBML Level 3 Version 2."""
    from lissive.model.check import to_sbml

    _write(out, to_sbml(model))


def antimony(out: Out) -> None:
    """Write the shipped model, put together from its modules and tables, as one Antimony text."""
    from lissive.model.compose import lissive_text

    _write(out, lissive_text())


def _write(out: Path, text: str) -> None:
    with whole(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
