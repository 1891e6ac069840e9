"""`lissive calibrate`: fit what may be fitted, on what may be fitted on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import Force

if TYPE_CHECKING:
    from lissive.calibrate.pk import Fit


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Fit parameters on what was observed.", no_args_is_help=True)
    group.command("pk")(pk)
    group.command("response")(response)
    group.command("sbc")(sbc)
    app.add_typer(group, name="calibrate")


def pk(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the changed tables of parameters here.")
    ] = None,
    studies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of studies; those that come with Lissive if not given."),
    ] = None,
    force: Force = False,
) -> None:
    """Kinetic parameters on the studies' calibration rows: mode of the posterior, standard errors, data used."""
    from lissive.calibrate.pk import fit_pk
    from lissive.calibrate.write import HEAD, dois, write_tables
    from lissive.errors import StudyError
    from lissive.studies import read_studies, shipped_studies

    _folder(out, "fitted.tsv", "\t".join(HEAD), studies, force)
    read = shipped_studies() if studies is None else read_studies(studies)
    if not (rows := read.of_split("calibration")):
        raise StudyError(
            "No row may be fitted on.", where=read.path, allowed="at least one study with split: calibration."
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
            metavar="FILE", help="A file of published trials; those that come with Lissive if not given."
        ),
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="A small fit that only shows that everything works: two minutes.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
    force: Force = False,
) -> None:
    """How people respond, on the trials' calibration rows: a Bayesian fit, some twenty minutes on two cores."""
    from lissive.calibrate.response import SMOKE, Effort, fit_response, fitted_on
    from lissive.calibrate.response_write import HEAD, estimates, write_response
    from lissive.report.response_figures import write_prior_posterior
    from lissive.report.validation_text import aligned
    from lissive.trials.published import read_published, shipped_published

    _bayes()
    _folder(out, "response.tsv", "\t".join(HEAD), trials, force)
    published = shipped_published() if trials is None else read_published(trials)
    cores = threads or os.cpu_count() or 1
    used = fitted_on(published.trials)
    posterior = fit_response(used, seed=seed, effort=SMOKE if smoke else Effort(), threads=cores, say=_say)
    rows = estimates(posterior)
    head = list(rows[0])
    print(aligned([head, *([row[c] for c in head] for row in rows)], right=set(range(2, 12))))
    print(
        f"\n{len(posterior.data)} figures of {len(posterior.trials)} trials, {posterior.runs} runs of the simulator."
    )
    if out is not None:
        for path in [*write_response(posterior, out), *write_prior_posterior(posterior, out)]:
            print(path)


def sbc(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write ranks and their figure here.")
    ] = None,
    sets: Annotated[int, typer.Option(min=20, max=10_000, help="Simulated trials that are fitted.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
    force: Force = False,
) -> None:
    """Does the fit on trials find what was put in? Simulation-based calibration on a small case, some minutes."""
    from lissive.calibrate.sbc import TRIAL, calibration_ranks
    from lissive.report.response_figures import write_ranks
    from lissive.trials.published import shipped_published

    _bayes()
    _folder(out, "sbc_ranks.svg", "<svg", None, force)
    trial = next(t for t in shipped_published().trials if t.id == TRIAL)
    ranks = calibration_ranks(trial, sets=sets, seed=seed, threads=threads or os.cpu_count() or 1, say=_say)
    print(
        f"{sets} simulated trials of {TRIAL}'s design: how likely ranks as uneven as these are if the fit is right"
    )
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

    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise StudyError(
            "It is a file.",
            where=str(out),
            allowed="a folder, there or to be made.",
            do="choose another name.",
        )
    there = [path for path in sorted(out.iterdir()) if path.is_file()] if out.is_dir() else []
    keep_inputs(
        [], reads=[read, *FOLDER.glob("*.tsv")], beside=Beside(there, out / record, mark), force=force
    )


def _bayes() -> None:
    """Say what is missing before anything is run."""
    import importlib.util

    from lissive.errors import StudyError

    needed = ("emcee", "arviz", "h5netcdf", "threadpoolctl")
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise StudyError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            where="lissive calibrate",
            do="pip install 'lissive[bayes]'.",
        )


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)


def _table(fit: Fit) -> str:
    from lissive.report.validation_text import aligned

    head = ["parameter", "prior", "sd", "estimate", "se", "range", "recalled", "rests on"]
    rows = [
        [
            p.name,
            f"{p.value:g}",
            f"{p.sd:g}",
            f"{fit.values[p.name]:.4g}",
            f"{fit.sd[p.name]:.3f}",
            f"{p.lower:g}-{p.upper:g}",
            f"{100 * fit.recalled[p.name]:.0f} %",
            ", ".join(fit.rests_on[p.name]) or "its prior alone",
        ]
        for p in fit.priors
    ]
    between, within = fit.errors.between, fit.errors.within
    return (
        aligned([head, *rows], right={1, 2, 3, 4, 6})
        + "\nsd and se: of the logarithm, or of the log odds of a share."
        + f"\nStandard deviation of log(observed/predicted): {between:.2f} between studies, {within:.2f} within."
    )
