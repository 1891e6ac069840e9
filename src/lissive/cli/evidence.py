"""`lissive evidence`: what published studies report, with a source for every number."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.cli.options import Force, ending, given_studies
from lissive.errors import EvidenceError


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What published studies report, with a source for every number.", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("claims")(claims)
    group.command("article")(article)
    group.command("under-way")(under_way)
    group.command("export")(export)
    import_module("lissive.cli.evidence_pool").register(group)
    app.add_typer(group, name="evidence")


Mine = Annotated[
    Path | None,
    typer.Option("--studies", metavar="FILE", help="Your own studies instead of the included ones."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def list_(
    cause: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only this cause, e.g. multiple_sclerosis.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Only studies that measured this outcome, e.g. spasticity_nrs."),
    ] = None,
    design: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only parallel, crossover, withdrawal or enriched.")
    ] = None,
    studies: Mine = None,
    as_json: AsJson = False,
) -> None:
    """List the studies, one line each."""
    from lissive.evidence.catalog import listed

    asked = {"cause": cause, "outcome": outcome, "design": design}
    rows = listed(given_studies(studies), cause=cause, outcome=outcome, design=design)
    if as_json:
        print(json.dumps({**asked, "studies": [row.to_json() for row in rows]}, allow_nan=False))
        return
    from lissive.report.evidence_text import list_text

    print(list_text(rows, asked))


def show(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a study, review or claim (see list and claims).")
    ],
    studies: Mine = None,
    as_json: AsJson = False,
) -> None:
    """Show one study, review or claim: each number with its source, what is pooled, conflicting sources."""
    from lissive.evidence.catalog import full_record

    one = full_record(id, given_studies(studies))
    if as_json:
        print(json.dumps(one.to_json(), allow_nan=False))
        return
    from lissive.report.evidence_text import show_text

    print(show_text(one))


def claims(
    about: Annotated[str | None, typer.Option(metavar="TEXT", help="A claim in plain words.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check popular claims against trials: verdict, certainty, key numbers, sources.

    Exits with 1 where no claim fits the text of --about.
    """
    from lissive.evidence.claim import matches, shipped_claims

    found = None if about is None else matches(about)
    if as_json:
        rows = shipped_claims() if found is None else found
        print(json.dumps({"about": about, "claims": [row.to_json() for row in rows]}, allow_nan=False))
    else:
        from lissive.report.evidence_text import about_text, claims_text

        print(claims_text(shipped_claims()) if found is None else about_text(found, about or ""))
    if found == []:
        raise typer.Exit(1)


def article(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Plain text, or a saved HTML page.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write one page, .html.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Answer an article sentence by sentence: what it claims, with the verdict; law, care, research and opinion.

    Exits with 1 where a sentence on cannabinoids or spasms has no answer.
    """
    from lissive.evidence.article import answered, read_article
    from lissive.files import keep_inputs

    if out is not None:
        ending(out, (".html",), "--out")
        keep_inputs([out], reads=[file], force=force)
    found = answered(read_article(file))
    if out is not None:
        from lissive.report.evidence_html import write_article

        write_article(out, file.name, found)
    if as_json:
        print(json.dumps({"file": str(file), "sentences": [row.to_json() for row in found]}, allow_nan=False))
    else:
        from lissive.report.evidence_text import article_text

        print(article_text(found))
        if out is not None:
            print(f"\n{out}")
    if any(row.is_open for row in found):
        raise typer.Exit(1)


def under_way(
    cause: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only this cause, e.g. multiple_sclerosis.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that ended, most of them without results.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List trials that are under way, with what they test, their status and where that was read."""
    from lissive.evidence.article import under_way as registered

    found = registered(cause, every=every)
    if as_json:
        print(json.dumps({"cause": cause, "trials": [one.to_json() for one in found]}, allow_nan=False))
        return
    from lissive.report.under_way_text import under_way_text

    print(under_way_text(found, every=every))


def export(
    format: Annotated[
        str, typer.Option("--format", metavar="WORD", help="csv, json, bibtex or ris.")
    ] = "csv",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write (default: print).")] = None,
    studies: Mine = None,
    force: Force = False,
) -> None:
    """Export all comparisons (csv), everything (json), or the references (bibtex, ris)."""
    from lissive.evidence.catalog import FORMATS, exported
    from lissive.evidence.words import known

    known("format", format, FORMATS)
    text = exported(given_studies(studies), format)
    if out is None:
        print(text, end="")
        return
    if out.is_dir():
        raise EvidenceError("--out must be a file; this is a folder.", where=str(out), do="name a file.")
    from lissive.files import atomic_path, keep_inputs

    out.parent.mkdir(parents=True, exist_ok=True)
    keep_inputs([out], reads=[studies], force=force)
    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)


__all__: list[Any] = ["register"]
