"""`lissive evidence`: what the published studies say, with a source for every number."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissive.cli.options import Force

if TYPE_CHECKING:
    from lissive.evidence.read import Studies


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

    asked = {"cause": cause, "outcome": outcome, "design": design}
    rows = listed(studies_of(studies), **asked)
    if as_json:
        print(json.dumps({**asked, "studies": rows}, allow_nan=False))
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

    one = whole(id, studies_of(studies))
    if as_json:
        print(json.dumps(one, allow_nan=False))
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
    from lissive.evidence.catalog import claim_row
    from lissive.evidence.claims import nearest_claims, shipped_claims

    every = [claim_row(claim) for claim in shipped_claims()]
    near = [] if about is None else [claim_row(claim) for claim, _ in nearest_claims(about)]
    if as_json:
        print(json.dumps({"about": about, "claims": every if about is None else near}, allow_nan=False))
        return
    from lissive.report.evidence_text import claims_text

    print(claims_text(near, every, about))


def export(
    format: Annotated[str, typer.Option("--format", metavar="WORD", help="csv, json, bibtex, ris.")] = "csv",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it here; printed if not given.")
    ] = None,
    studies: Mine = None,
    force: Force = False,
) -> None:
    """All comparisons (csv), everything (json), or the references (bibtex, ris)."""
    from lissive.evidence.export import exported

    text = exported(studies_of(studies), format)
    if out is None:
        print(text, end="")
        return
    from lissive.files import atomic_path, keep_inputs

    out.parent.mkdir(parents=True, exist_ok=True)
    keep_inputs([out], reads=[studies], force=force)
    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)


def studies_of(file: Path | None) -> Studies:
    """The user's studies, or those that come with Lissive."""
    from lissive.evidence.read import read_studies, shipped_studies

    if file is None:
        return shipped_studies()
    found = read_studies(file)
    for line in found.unread:
        print(f"lissive: {line}", file=sys.stderr)
    return found


__all__: list[Any] = ["register"]
