"""`lissive evidence`: what published studies report, with a source for every number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import AsJson, Force, ending, given_studies
from lissive.errors import EvidenceError
from lissive.files import keep_inputs
from lissive.versions import data_line, stamped

EVIDENCE = "evidence"
"""The data set that these answers are of."""


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
    group.command("pool")(pool)
    group.command("forest")(forest)
    group.command("page")(page)
    group.command("reproduce")(reproduce)
    app.add_typer(group, name="evidence")


Mine = Annotated[
    Path | None,
    typer.Option("--studies", metavar="FILE", help="Your own studies instead of the included ones."),
]


Of = Annotated[str | None, typer.Option("--outcome", metavar="WORD", help="Outcome, e.g. spasticity_nrs.")]
Cause = Annotated[
    str | None, typer.Option(metavar="WORD", help="Cause, e.g. multiple_sclerosis (default: all).")
]
Design = Annotated[
    str | None, typer.Option(metavar="WORD", help="Only parallel, crossover, withdrawal or enriched.")
]
Product = Annotated[str | None, typer.Option(metavar="WORD", help="Only this product, e.g. nabiximols.")]
Measure = Annotated[
    str | None,
    typer.Option(
        metavar="WORD", help="OR, RR, RD, HR, IRR, MD, SMD or GMR (default: the measure most studies report)."
    ),
]
Model = Annotated[str, typer.Option(metavar="WORD", help="random or fixed.")]
Tau2 = Annotated[str, typer.Option("--tau2", metavar="WORD", help="Estimator of tau²: REML, DL, PM or SJ.")]
Ci = Annotated[
    str | None,
    typer.Option("--ci", metavar="WORD", help="HK (Hartung-Knapp), mHK or Wald (default: HK; fixed: Wald)."),
]
Method = Annotated[
    str, typer.Option(metavar="WORD", help="IV (inverse variance), MH (Mantel-Haenszel) or Peto.")
]
Baseline = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE", help="Baseline risk, 0 to 1, for absolute effects (default: pooled control groups)."
    ),
]
Correlation = Annotated[
    float | None,
    typer.Option(
        metavar="R", help="Within-person correlation for crossover trials that report none, -1 to 1."
    ),
]
Level = Annotated[
    float, typer.Option("--level", metavar="SHARE", help="Level of all intervals, 0.5 to below 1.")
]


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
        print(
            json.dumps(
                stamped({**asked, "studies": [row.to_json() for row in rows]}, EVIDENCE), allow_nan=False
            )
        )
        return
    from lissive.report.evidence_text import list_text

    print(f"{list_text(rows, asked)}\n\n{data_line(EVIDENCE)}")


def show(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a study, review or claim (see list and claims).")
    ],
    studies: Mine = None,
    as_json: AsJson = False,
) -> None:
    """Show one study, review or claim: each number with its source, what is pooled, conflicting sources."""
    from lissive.evidence.answer import by_rule
    from lissive.evidence.answer_types import certainty_json
    from lissive.evidence.catalog import full_record
    from lissive.evidence.claim import Claim

    base = given_studies(studies)
    one = full_record(id, base)
    pooled = by_rule(one, base) if isinstance(one, Claim) else []
    if as_json:
        rule = {"by_rule": [certainty_json(each) for each in pooled]} if isinstance(one, Claim) else {}
        print(json.dumps(stamped({**one.to_json(), **rule}, EVIDENCE), allow_nan=False))
        return
    from lissive.report.evidence_text import show_text

    print(f"{show_text(one, pooled)}\n\n{data_line(EVIDENCE)}")


def claims(
    about: Annotated[str | None, typer.Option(metavar="TEXT", help="A claim in plain words.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check popular claims against trials: verdict, certainty, key numbers, sources.

    Exits with 1 where no claim fits the text of --about.
    """
    from lissive.evidence.claim import shipped_claims
    from lissive.evidence.claim_match import matches, nearest
    from lissive.evidence.claim_reading import read_as
    from lissive.evidence.claim_voice import voice

    if about is not None and not about.strip():
        raise EvidenceError("It is empty.", where="--about", do="write the claim in plain words.")
    found = None if about is None else matches(about)
    if as_json:
        rows = shipped_claims() if found is None else found
        said: dict[str, object] = {"about": about, "claims": [row.to_json() for row in rows]}
        if about is not None:
            said["voice"] = voice(about)
        if about is not None and (reading := read_as(about)).corrected:
            said["read_as"] = reading.text
            said["corrected"] = [each._asdict() for each in reading.corrected]
        if found == [] and (other := nearest(about or "")) is not None:
            said["nearest"] = other.id
        print(json.dumps(stamped(said, EVIDENCE), allow_nan=False))
    else:
        from lissive.report.evidence_text import about_text, claims_text

        text = claims_text(shipped_claims()) if found is None else about_text(found, about or "")
        print(f"{text}\n\n{data_line(EVIDENCE)}")
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

    if out is not None:
        ending(out, (".html",), "--out")
        keep_inputs([out], reads=[file], force=force)
    found = answered(read_article(file))
    if out is not None:
        from lissive.report.evidence_html import write_article

        write_article(out, file.name, found)
    if as_json:
        said = {"file": str(file), "sentences": [row.to_json() for row in found]}
        print(json.dumps(stamped(said, EVIDENCE, "rules"), allow_nan=False))
    else:
        from lissive.report.article_text import article_text

        print(f"{article_text(found)}\n\n{data_line(EVIDENCE, 'rules')}")
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
        said = {"cause": cause, "trials": [one.to_json() for one in found]}
        print(json.dumps(stamped(said, EVIDENCE), allow_nan=False))
        return
    from lissive.report.evidence_text import under_way_text

    print(f"{under_way_text(found, every=every)}\n\n{data_line(EVIDENCE)}")


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
    from lissive.files import atomic_path

    out.parent.mkdir(parents=True, exist_ok=True)
    keep_inputs([out], reads=[studies], force=force)
    with atomic_path(out) as place:
        place.write_text(text, encoding="utf-8")
    print(out)


def pool(
    outcome: Of = None,
    cause: Cause = None,
    design: Design = None,
    product: Product = None,
    measure: Measure = None,
    model: Model = "random",
    tau2: Tau2 = "REML",
    ci: Ci = None,
    method: Method = "IV",
    baseline_risk: Baseline = None,
    correlation: Correlation = None,
    studies: Mine = None,
    level: Level = 0.95,
    covariate: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Meta-regression on duration_weeks, or on a covariate of your file."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pool the studies of one outcome: estimate, CI, prediction interval, and each design separately."""
    from lissive.evidence.answer import pool as pooled

    answer = pooled(
        _named(outcome, studies),
        cause,
        design,
        product,
        measure,
        model,
        tau2,
        ci,
        method,
        baseline_risk,
        correlation,
        given_studies(studies),
        level,
        covariate,
    )
    if as_json:
        print(json.dumps(stamped(answer.to_json(), EVIDENCE), allow_nan=False))
        return
    from lissive.report.pool_text import pool_text

    print(f"{pool_text(answer)}\n\n{data_line(EVIDENCE)}")


def forest(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Figure to write, .svg or .png.")],
    outcome: Of = None,
    cause: Cause = None,
    design: Design = None,
    product: Product = None,
    measure: Measure = None,
    model: Model = "random",
    tau2: Tau2 = "REML",
    ci: Ci = None,
    method: Method = "IV",
    correlation: Correlation = None,
    studies: Mine = None,
    level: Level = 0.95,
    funnel: Annotated[
        bool, typer.Option("--funnel", help="Funnel plot instead of the forest plot (10 studies or more).")
    ] = False,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Also write the plotted numbers, .csv.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draw a forest or funnel plot of one outcome, and print the table behind it."""
    ending(out, (".svg", ".png"), "--out")
    if table is not None:
        ending(table, (".csv",), "--table")
    keep_inputs([out, table], reads=[studies], force=force)
    from lissive.evidence.answer import pool as pooled

    answer = pooled(
        _named(outcome, studies),
        cause,
        design,
        product,
        measure,
        model,
        tau2,
        ci,
        method,
        correlation=correlation,
        studies=studies,
        level=level,
    )
    from lissive.report.forest import write_figure, write_table

    written = [write_figure(answer, out, funnel=funnel)]
    if table is not None:
        written.append(write_table(answer, table))
    if as_json:
        data = {"written": [str(path) for path in written], **answer.to_json()}
        print(json.dumps(stamped(data, EVIDENCE), allow_nan=False))
        return
    from lissive.report.effect_words import said_too_words
    from lissive.report.pool_text import study_table
    from lissive.report.words import wrapped

    print("\n\n".join([study_table(answer), *map(wrapped, said_too_words(answer)), data_line(EVIDENCE)]))
    print("\n" + "\n".join(str(path) for path in written))


def page(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Page to write, .html.")],
    studies: Mine = None,
    force: Force = False,
) -> None:
    """Write one self-contained page with all studies, forest plots and claims."""
    ending(out, (".html",), "--out")
    keep_inputs([out], reads=[studies], force=force)
    from lissive.report.evidence_html import write_page

    print(write_page(out, given_studies(studies)))


def reproduce(as_json: AsJson = False) -> None:
    """Recompute published pooled results from their rows, and print published beside recomputed."""
    from lissive.evidence.reviews import disagrees
    from lissive.evidence.reviews import reproduce as again

    found = again()
    if as_json:
        print(json.dumps(stamped([each.to_json() for each in found], EVIDENCE), allow_nan=False))
    else:
        from lissive.report.evidence_text import reproduced_text

        print(f"{reproduced_text(found)}\n\n{data_line(EVIDENCE)}")
    if disagrees(found):
        raise typer.Exit(1)


def _named(outcome: str | None, studies: Path | None) -> str:
    """The outcome, or an error with the known ones; of a user's file, with those that it lets pool."""
    if outcome is not None:
        return outcome
    from lissive.evidence.result import comparable
    from lissive.evidence.words import outcomes

    mine = comparable(given_studies(studies), "", None).outcomes if studies else ()
    known = list(mine or outcomes())
    raise EvidenceError(
        "Missing outcome.",
        where="--outcome",
        allowed=f"{', '.join(known)}.",
        do=f"choose one, e.g. --outcome {known[0]}.",
    )
