"""`lissive cite`: the references that a model or a run is based on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lissive.cli.options import AsJson
from lissive.errors import LissiveError


def register(app: typer.Typer) -> None:
    app.command("cite")(cite)


def cite(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL",
            help="What simulate or case wrote (file, or report folder), a shipped model, or a model's file.",
        ),
    ],
    as_json: AsJson = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX entries.")] = False,
) -> None:
    """Print the references that a model or a run is based on, and which numbers come from each."""
    if as_json and bibtex:
        raise LissiveError(
            "--json and --bibtex are both given.",
            where="--json",
            allowed="one of the two.",
            do="leave one out.",
        )
    from lissive.report.cite import cite as references_of
    from lissive.report.cite import cite_bibtex, cite_json, cite_text
    from lissive.versions import stamped

    found = references_of(what)
    if as_json:
        print(json.dumps(stamped(cite_json(found), "model")))
    else:
        print(cite_bibtex(found) if bibtex else cite_text(found))
