"""`lissive calibrate`: fit parameters to calibration rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import Force, folder

if TYPE_CHECKING:
    from lissive.calibrate.pk import Fit
    from lissive.calibrate.response import Posterior
    from lissive.calibrate.structures import Score


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Fit parameters to observations.", no_args_is_help=True)
    group.command("pk")(pk)
    group.command("response")(response)
    group.command("sbc")(sbc)
    app.add_typer(group, name="calibrate")


def pk(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the updated parameter tables here.")
    ] = None,
    studies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of studies (default: those shipped with Lissive)."),
    ] = None,
    force: Force = False,
) -> None:
    """Fit pharmacokinetic parameters to the studies' calibration rows: posterior mode, standard errors, data used."""
    from lissive.calibrate.pk import fit_pk
    from lissive.calibrate.tables import PK_HEAD, dois, write_tables
    from lissive.errors import StudyError
    from lissive.studies import read_studies, shipped_studies

    _folder(out, "fitted.tsv", "\t".join(PK_HEAD), studies, force)
    read = shipped_studies() if studies is None else read_studies(studies)
    if not (rows := read.of_split("calibration")):
        raise StudyError(
            "No calibration row.",
            where=read.path,
            allowed="at least one study with split: calibration.",
            do="add such a study, or leave --studies out to fit on those shipped.",
        )
    fits = fit_pk(rows, say=_say)
    for fit in fits.values():
        print(_table(fit) + "\n")
    if out is not None:
        for path in write_tables(fits, dois(read.observations), out):
            print(path)


def response(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write the posterior (ArviZ), draws, estimates, figures and tables here."
        ),
    ] = None,
    trials: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A file of published trials (default: those shipped with Lissive)."
        ),
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="A small fit that only checks that everything runs: two minutes.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    force: Force = False,
) -> None:
    """Fit the response to treatment to the trials' calibration rows: Bayesian, up to an hour on two cores."""
    from lissive.calibrate.left_out import predictions
    from lissive.calibrate.reached import reached
    from lissive.calibrate.response import SMOKE, Effort, fit_response, fitted_on, refined
    from lissive.calibrate.structures import as_rows, restriction
    from lissive.calibrate.tables import RESPONSE_HEAD, estimates, write_reached, write_response, write_scores
    from lissive.report.figures import write_prior_posterior
    from lissive.report.table import as_text, table
    from lissive.trials.published import read_published, shipped_published
    from lissive.validation.skill import write_left_out

    _bayes()
    _folder(out, "response.tsv", "\t".join(RESPONSE_HEAD), trials, force)
    published = shipped_published() if trials is None else read_published(trials)
    cores = threads or os.cpu_count() or 1
    used = fitted_on(published.trials)
    posterior = fit_response(used, seed=seed, effort=SMOKE if smoke else Effort(), threads=cores, say=_say)
    scores, unseen = [], []
    if not smoke:
        scores = _compared(posterior, None, seed)
        within = restriction(scores[0].structure, posterior.priors)
        posterior = refined(posterior, within, Effort(), threads=cores, say=_say)
        unseen = _compared(posterior, [scores[0].structure], seed)
    rows = estimates(posterior)
    head = list(rows[0])
    shown = table("", "|".join(head), [[row[name] for name in head] for row in rows], "|".join(head[2:12]))
    print(as_text(shown, rule=False))
    runs = f"{len(posterior.x)} simulator runs"
    print(f"\n{len(posterior.data)} published figures of {len(posterior.trials)} trials, {runs}.")
    for row in as_rows(scores):
        print(
            f"Structure {row['structure']!r}: leave-one-trial-out {row['elpd']} ({row['difference']}, SE {row['se']})"
        )
    if out is not None:
        written = [*write_response(posterior, out), *write_prior_posterior(posterior, out)]
        written += write_reached(reached(posterior, unseen), out)
        if scores:
            learnt = posterior.priors, posterior.emulator
            told = predictions(unseen[0], posterior.data, posterior.trials, *learnt, seed=seed)
            written += [write_scores(scores, out), *write_left_out(told, posterior.trials, out)]
        for path in written:
            print(path)


def _compared(posterior: Posterior, names: Sequence[str] | None, seed: int) -> list[Score]:
    """These structures, all if none is named, on the posterior's emulator."""
    from lissive.calibrate.structures import compare

    z = posterior.z.reshape(-1, len(posterior.priors))
    return compare(posterior.data, posterior.priors, posterior.emulator, z, names=names, seed=seed, say=_say)


def sbc(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write ranks and their figure here.")
    ] = None,
    sets: Annotated[int, typer.Option(min=20, max=10_000, help="Number of simulated trials to fit.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    force: Force = False,
) -> None:
    """Simulation-based calibration of the fit to trials, on a small case: some minutes."""
    from lissive.calibrate.sbc import TRIAL, calibration_ranks
    from lissive.report.figures import write_ranks
    from lissive.trials.published import shipped_published

    _bayes()
    _folder(out, "sbc_ranks.svg", "<svg", None, force)
    trial = next(t for t in shipped_published().trials if t.id == TRIAL)
    ranks = calibration_ranks(trial, sets=sets, seed=seed, threads=threads or os.cpu_count() or 1, say=_say)
    print(f"{sets} simulated trials of {TRIAL}'s design: p-values of uniform ranks")
    for name, p in ranks.p_values().items():
        print(f"  {name}: p = {p:.3f}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for path in write_ranks(ranks, out):
            print(path)


def _folder(out: Path | None, record: str, mark: str, read: Path | None, force: bool) -> None:
    """All that can be wrong with --out, before anything is fitted: it is empty, new, or an earlier run's."""
    from lissive.errors import StudyError
    from lissive.files import Beside, keep_inputs
    from lissive.model.parameters import FOLDER

    folder(out, "--out", StudyError)
    if out is None:
        return
    there = [path for path in sorted(out.iterdir()) if path.is_file()] if out.is_dir() else []
    keep_inputs(
        [], reads=[read, *FOLDER.glob("*.tsv")], beside=Beside(there, out / record, mark), force=force
    )


def _bayes() -> None:
    """Say what is missing before anything is run."""
    from lissive.errors import StudyError
    from lissive.extras import need

    need("bayes", "A Bayesian fit", where="lissive calibrate", wrong=StudyError)
    need("trials", "The fit of published trials", where="lissive calibrate", wrong=StudyError)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)


def _table(fit: Fit) -> str:
    from lissive.report.table import as_text, table
    from lissive.report.words import percent

    rows = [
        [
            p.name,
            f"{p.value:g}",
            f"{p.sd:g}",
            f"{fit.values[p.name]:.4g}",
            f"{fit.sd[p.name]:.3f}",
            f"{p.lower:g}-{p.upper:g}",
            percent(fit.recalled[p.name]),
            ", ".join(fit.rests_on[p.name]) or "its prior only",
        ]
        for p in fit.priors
    ]
    shown = table(
        "",
        "parameter|prior|SD|estimate|SE|range|unverified|informed by",
        rows,
        "prior|SD|estimate|SE|unverified",
    )
    between, within = fit.errors.between, fit.errors.within
    return (
        as_text(shown, rule=False)
        + "\nSD and SE: of the logarithm, or of the log odds of a proportion. unverified: weight of figures that are "
        "quoted from memory."
        + f"\nSD of log(observed/predicted): {between:.2f} between studies, {within:.2f} within."
    )
