"""`lissive export`: a model for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    from lissive.model.read import text_of

    _write(out, to_sbml(*text_of(model)))


def antimony(out: Out, model: Model = "lissive") -> None:
    """Write a model as one Antimony text; the shipped one is put together from its modules and tables."""
    from lissive.model.check import to_antimony
    from lissive.model.read import text_of

    text, renamed = to_antimony(*text_of(model))
    _write(out, text)
    if renamed:
        print(f"Antimony has other names for: {', '.join(renamed)}.")


def _write(out: Path, text: str) -> None:
    from lissive.simulate.output import atomic_path

    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)
