"""`lissive evidence pool`, `forest`, `page`, `reproduce`: meta-analysis of the studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force, ending, given_studies
from lissive.errors import EvidenceError
from lissive.files import keep_inputs


def register(group: typer.Typer) -> None:
    group.command("pool")(pool)
    group.command("forest")(forest)
    group.command("page")(page)
    group.command("reproduce")(reproduce)


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
Mine = Annotated[
    Path | None,
    typer.Option("--studies", metavar="FILE", help="Your own studies instead of the included ones."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


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
        _named(outcome),
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
        print(json.dumps(answer.to_json(), allow_nan=False))
        return
    from lissive.report.pool_text import pool_text

    print(pool_text(answer))


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
        _named(outcome),
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
        print(json.dumps(data, allow_nan=False))
        return
    from lissive.report.pool_text import study_table

    print(study_table(answer))
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
        print(json.dumps([each.to_json() for each in found], allow_nan=False))
    else:
        from lissive.report.evidence_text import reproduced_text

        print(reproduced_text(found))
    if disagrees(found):
        raise typer.Exit(1)


def _named(outcome: str | None) -> str:
    """The outcome, or an error with the known ones."""
    if outcome is not None:
        return outcome
    from lissive.evidence.words import outcomes

    raise EvidenceError(
        "Missing outcome.",
        where="--outcome",
        allowed=f"{', '.join(outcomes())}.",
        do="choose one, e.g. --outcome spasticity_nrs.",
    )
