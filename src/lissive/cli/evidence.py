"""`lissive evidence`: what the published studies say, with a source for every number."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.errors import EvidenceError


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What the published studies say, with a source for every number.", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("claims")(claims)
    group.command("export")(export)
    import_module("lissive.cli.evidence_pool").register(group)
    app.add_typer(group, name="evidence")


Mine = Annotated[
    Path | None, typer.Option("--studies", metavar="FILE", help="Your own studies, in place of ours.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def list_(
    cause: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only of this cause, as multiple_sclerosis.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only those that measured this, as spasticity_nrs.")
    ] = None,
    design: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only parallel, crossover, withdrawal or enriched.")
    ] = None,
    studies: Mine = None,
    as_json: AsJson = False,
) -> None:
    """The studies, a line for each."""
    from lissive.evidence.catalog import listed
    from lissive.evidence.own_studies import studies_of

    asked = {"cause": cause, "outcome": outcome, "design": design}
    rows = listed(studies_of(studies), cause=cause, outcome=outcome, design=design)
    if as_json:
        print(json.dumps({**asked, "studies": [row.to_json() for row in rows]}, allow_nan=False))
        return
    from lissive.report.evidence_text import list_text

    print(list_text(rows, asked))


def show(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="A study, review or claim, as list and claims name it.")
    ],
    studies: Mine = None,
    as_json: AsJson = False,
) -> None:
    """Everything on one study, review or claim: each number with its source, what is used, what is in conflict."""
    from lissive.evidence.catalog import whole
    from lissive.evidence.own_studies import studies_of

    one = whole(id, studies_of(studies))
    if as_json:
        print(json.dumps(one.to_json(), allow_nan=False))
        return
    from lissive.report.evidence_text import show_text

    print(show_text(one))


def claims(
    about: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What somebody says, in plain words.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is that article true? Popular claims held against the trials: verdict, certainty, numbers, sources."""
    from lissive.evidence.claim import claims as nearest
    from lissive.evidence.claim import shipped_claims

    found = nearest(about)
    if as_json:
        print(json.dumps({"about": about, "claims": [claim.to_json() for claim in found]}, allow_nan=False))
        return
    from lissive.report.evidence_text import claims_text

    print(claims_text(found, shipped_claims(), about))


def export(
    format: Annotated[str, typer.Option("--format", metavar="WORD", help="csv, json, bibtex, ris.")] = "csv",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it here; printed if not given.")
    ] = None,
    studies: Mine = None,
) -> None:
    """All comparisons (csv), everything (json), or the references (bibtex, ris)."""
    from lissive.evidence.export import FORMATS, exported
    from lissive.evidence.own_studies import studies_of
    from lissive.evidence.words import known

    known("format", format, FORMATS)
    text = exported(studies_of(studies), format)
    if out is None:
        print(text, end="")
        return
    if out.is_dir():
        raise EvidenceError(
            "it is a folder.", where=str(out), allowed="a file, there or to be made.", do="name a file."
        )
    from lissive.simulate.output import atomic_path

    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)


__all__: list[Any] = ["register"]
