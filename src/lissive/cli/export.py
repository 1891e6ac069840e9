"""`lissive export`: the shipped model for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force
from lissive.errors import ModelError

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
    """Write a shipped model, put together from its modules and tables, as one Antimony text."""
    from lissive.model.read import SHIPPED, text_of

    if model not in SHIPPED:
        raise ModelError(f'"{model}" is no shipped model.', where="MODEL", allowed=f"{', '.join(SHIPPED)}.")
    _keep(out, model, force)
    _write(out, text_of(model)[0])


def _keep(out: Path, model: str, force: bool) -> None:
    from lissive.files import keep_inputs

    keep_inputs([out], reads=[model], force=force)


def _write(out: Path, text: str) -> None:
    from lissive.files import atomic_path

    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
