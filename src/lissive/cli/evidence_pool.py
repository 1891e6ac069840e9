"""`lissive evidence pool`, `forest`, `page`, `reproduce`: the numbers of several studies together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.errors import EvidenceError


def register(group: typer.Typer) -> None:
    group.command("pool")(pool)
    group.command("forest")(forest)
    group.command("page")(page)
    group.command("reproduce")(reproduce)


Of = Annotated[
    str | None, typer.Option("--outcome", metavar="WORD", help="What was measured, as spasticity_nrs.")
]
Cause = Annotated[
    str | None, typer.Option(metavar="WORD", help="Cause, as multiple_sclerosis; every cause if not given.")
]
Design = Annotated[
    str | None, typer.Option(metavar="WORD", help="Only parallel, crossover, withdrawal or enriched.")
]
Product = Annotated[str | None, typer.Option(metavar="WORD", help="Only one product, as nabiximols.")]
Measure = Annotated[
    str | None,
    typer.Option(metavar="WORD", help="OR, RR, RD, MD, SMD, GMR; what most studies give if not given."),
]
Model = Annotated[str, typer.Option(metavar="WORD", help="random, fixed.")]
Tau2 = Annotated[str, typer.Option("--tau2", metavar="WORD", help="REML, DL, PM.")]
Ci = Annotated[
    str | None,
    typer.Option("--ci", metavar="WORD", help="HK, mHK, Wald; HK if random, Wald if fixed, if not given."),
]
Method = Annotated[str, typer.Option(metavar="WORD", help="IV (inverse variance), MH (Mantel-Haenszel).")]
Baseline = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Risk without the drug, 0 to 1, for the number needed to treat."),
]
Correlation = Annotated[
    float | None,
    typer.Option(metavar="R", help="Within people, for crossover trials that state none; -1 to 1."),
]
Mine = Annotated[
    Path | None, typer.Option("--studies", metavar="FILE", help="Your own studies, in place of ours.")
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
    as_json: AsJson = False,
) -> None:
    """What the studies say together on one outcome: figure, interval, prediction, and each design by itself."""
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
        studies,
    )
    if as_json:
        print(json.dumps(answer.to_json(), allow_nan=False))
        return
    from lissive.report.pool_text import pool_text

    print(pool_text(answer))


def forest(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The picture, a .svg or .png file to write.")
    ],
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
    funnel: Annotated[
        bool, typer.Option("--funnel", help="Draw the funnel in place of the forest; ten studies or more.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Write the numbers of the picture as .csv.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the studies of one outcome as a forest plot or a funnel, and print the table behind it."""
    _ending(out, (".svg", ".png"), "--out")
    if table is not None:
        _ending(table, (".csv",), "--table")
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
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page, a .html file to write.")],
    studies: Mine = None,
) -> None:
    """Write one page with every study, forest plots and claims, that needs no network."""
    _ending(out, (".html",), "--out")
    from lissive.evidence.own_studies import studies_of
    from lissive.report.evidence_html import write_page

    print(write_page(out, studies_of(studies)))


def reproduce(as_json: AsJson = False) -> None:
    """Compute published pooled results again from their rows, and print published beside computed."""
    from lissive.evidence.reviews import disagrees
    from lissive.evidence.reviews import reproduce as again

    found = again()
    if as_json:
        print(json.dumps([each.to_json() for each in found], allow_nan=False))
    else:
        from lissive.report.pool_text import reproduced_text

        print(reproduced_text(found))
    if disagrees(found):
        raise typer.Exit(1)


def _named(outcome: str | None) -> str:
    """The outcome, or an error with those that there are."""
    if outcome is not None:
        return outcome
    from lissive.evidence.words import outcomes

    raise EvidenceError(
        "No outcome was named.",
        where="--outcome",
        allowed=f"{', '.join(outcomes())}.",
        do="name one, as --outcome spasticity_nrs.",
    )


def _ending(path: Path, endings: tuple[str, ...], option: str) -> None:
    if path.suffix.lower() not in endings:
        raise EvidenceError(
            f"The ending {path.suffix!r} names no format for this.",
            where=f"{option} {path}",
            allowed=f"{', '.join(endings)}.",
            do="give the file one of these endings.",
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise EvidenceError(
            "There is a folder of this name." if path.is_dir() else f"There is no folder {path.parent}.",
            where=f"{option} {path}",
            do="correct the path, or make the folder.",
        )
