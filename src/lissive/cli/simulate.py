"""`lissive simulate`: solve a model for one subject or for many.

`simulate_files` writes the file and returns its summary, of which `subjects` and `failed` are printed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.cli.options import Cluster, Force, Resume, chunked
from lissive.errors import SimulationError

FORMATS = (".csv", ".parquet", ".nc", ".zarr")
MODES = ("nocb", "locf")


def register(app: typer.Typer) -> None:
    app.command("simulate")(simulate)


def simulate(
    model: Annotated[
        str,
        typer.Argument(
            help="A shipped model by name, or an .ant or .xml file; or a PEtab problem (.yaml), a SED-ML file "
            "(.sedml) or an OMEX archive (.omex), which say themselves what is run."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="The file to write: .csv, .parquet, .nc or .zarr; for PEtab .tsv; for SED-ML and OMEX .csv "
            "or a folder."
        ),
    ],
    events: Annotated[
        Path | None, typer.Option(help="Doses, NONMEM-style: ID TIME EVID AMT CMT RATE II ADDL SS F LAG DUR.")
    ] = None,
    covariates: Annotated[
        str | None,
        typer.Option(
            metavar="nocb|locf",
            help="Between two rows of --events, a column named like a parameter has the next row's value "
            "(nocb, the default) or the last row's (locf).",
        ),
    ] = None,
    subjects: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="How many subjects, or a table with a row each: "
            "ID, parameters, initial values (S or [S]), covariates.",
        ),
    ] = None,
    population: Annotated[
        Path | None,
        typer.Option(
            help="Your own population model: a table of THETA, OMEGA and SIGMA. "
            "Then .csv and .parquet have NONMEM's rows: ID TIME EVID AMT CMT DV PRED IPRED ..."
        ),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(min=1, help="How often each subject is drawn from --population; once if not given."),
    ] = None,
    until: Annotated[float | None, typer.Option(help="Last output time, in the model's unit.")] = None,
    every: Annotated[float | None, typer.Option(help="The time between two outputs.")] = None,
    times: Annotated[
        Path | None, typer.Option(help="A file of output times, instead of --until and --every.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="What to write, as 'S1,[S1],k': S1 is an amount, [S1] a concentration."),
    ] = None,
    rtol: Annotated[float | None, typer.Option(help="Relative tolerance, 2.3e-14 to 0.1.")] = None,
    atol: Annotated[float | None, typer.Option(help="Absolute tolerance.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|gpu",
            help="What solves: cpu (the default), or gpu, an NVIDIA GPU (pip install 'lissive[gpu]'; models "
            "without events).",
        ),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(min=1, help="A subject's run ends after so many steps (default: 10 million)."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="A figure of the run: .png, .svg or .pdf.")] = None,
    vpc: Annotated[
        Path | None,
        typer.Option(
            help="A visual predictive check against the column DV of --events, and its table as .csv beside it; "
            "with --population and --replicates."
        ),
    ] = None,
    cluster: Cluster = None,
    resume: Resume = False,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Solve a model and write what was selected, for one subject or for many."""
    if Path(model).suffix.lower() in FOREIGN:
        own = {
            "events": events,
            "covariates": covariates,
            "subjects": subjects,
            "until": until,
            "every": every,
        }
        own |= {"times": times, "select": select, "seed": seed, "population": population}
        own |= {"replicates": replicates, "plot": plot, "vpc": vpc}
        own |= {"cluster": cluster, "resume": resume or None, "device": device, "max-steps": max_steps}
        run_foreign(Path(model), out, own, {"rtol": rtol, "atol": atol, "threads": threads}, force, as_json)
        return
    if covariates is not None and covariates not in MODES:
        raise SimulationError(
            f"--covariates is {covariates!r}.",
            where="--covariates",
            allowed=f"{' or '.join(MODES)}.",
            do="name one of the two.",
        )
    if out.suffix not in FORMATS:
        raise SimulationError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=f"{', '.join(FORMATS)}.",
            do="give the result a name with one of these extensions.",
        )
    if (times is not None and until is not None) or (until is None) != (every is None):
        raise SimulationError(
            "The output times are not clear.",
            where="--times",
            allowed="--until with --every; or --times; or neither, with observation rows in --events.",
            do="add what is missing, or leave one out.",
        )
    if vpc is not None and (population is None or events is None):
        raise SimulationError(
            "A visual predictive check needs a population and observations.",
            where="--vpc",
            allowed="--population, and --events with the observations in the column DV.",
            do="add what is missing, or leave --vpc out.",
        )
    from lissive.files import keep_inputs
    from lissive.simulation.output import written_beside
    from lissive.simulation.parts import simulate_files
    from lissive.simulation.solve import Inputs

    who = _subjects(subjects)
    read = [model, events, times, population, who if isinstance(who, Path) else None]
    look, drawn, table = _figures(plot, vpc)
    keep_inputs([out, *drawn], reads=read, beside=written_beside(out), force=force)
    keep_inputs([], reads=read, beside=table, force=force)
    given: dict[str, Any] = {
        "covariates": covariates,
        "rtol": rtol,
        "atol": atol,
        "threads": threads,
        "seed": seed,
        "device": device,
        "max_steps": max_steps,
        "population": population,
        "replicates": replicates,
    }
    inputs = Inputs(
        model=model,
        events=events,
        subjects=who,
        until=until,
        every=every,
        times=times,
        select=names_of(select),
        **{name: value for name, value in given.items() if value is not None},
    )
    with chunked(cluster, resume, force) as how:
        result = simulate_files(inputs, out, look=look, force=force, how=how)
    _print(result, out, drawn, as_json)


def _figures(plot: Path | None, vpc: Path | None) -> Any:
    """What `looks` gives; its modules are loaded only where there is a figure."""
    if plot is None and vpc is None:
        return None, [], None
    from lissive.report.run_figures import looks

    return looks(plot, vpc)


def _subjects(text: str | None) -> int | Path | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return Path(text)


def names_of(text: str | None) -> list[str] | None:
    """The ids in a list by commas."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise SimulationError(
            f"{text!r} names nothing between two commas." if any(names) else f"{text!r} names nothing.",
            where="--select",
            allowed="ids with commas between them, as 'S1,[S1],k'.",
            do="correct it, or leave --select out to write every state.",
        )
    return names


def _print(summary: dict[str, Any], out: Path, drawn: list[Path], as_json: bool) -> None:
    summary = {**summary, "out": str(out)}
    if as_json:
        print(json.dumps(summary, default=str))
    else:
        print(f"{out}: {summary['subjects']} subjects, {summary['failed']} failed.")
        for figure in drawn:
            print(figure)
        for subject, why in summary.get("failures", {}).items():
            print(f"  subject {subject}: {why}")
        for note in summary.get("notes", ()):
            print(f"  {note}")
    if summary["failed"]:
        raise typer.Exit(1)


PETAB = (".yaml", ".yml")
FOREIGN = (*PETAB, ".sedml", ".omex")
"""How their files end."""


def run_foreign(
    path: Path, out: Path, own: Mapping[str, Any], how: Mapping[str, Any], force: bool, as_json: bool
) -> None:
    """own : options that the file answers itself    how : options of the solver"""
    if named := [name for name, value in own.items() if value is not None]:
        raise SimulationError(
            f"{path.name} says itself what is run.",
            where=f"--{named[0]}",
            allowed=f"{', '.join(f'--{name}' for name in how)}.",
            do=f"leave --{named[0]} out, or change it in the file.",
        )
    given = {name: value for name, value in how.items() if value is not None}
    if path.suffix.lower() in PETAB:
        _petab(path, out, given, force, as_json)
    else:
        _sedml(path, out, given, force, as_json)


def _petab(path: Path, out: Path, how: Mapping[str, Any], force: bool, as_json: bool) -> None:
    if out.suffix != ".tsv":
        raise SimulationError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=".tsv: PEtab's table of what was simulated.",
            do="give the result a name with this extension.",
        )
    from lissive.interchange.petab import fit_to_file

    about = fit_to_file(path, out, force=force, **how)
    if as_json:
        print(json.dumps({"out": str(out), **about}))
        return
    print(f"{out}: {about['measurements']} measurements under {about['conditions']} conditions, simulated.")
    print(f"Log-likelihood {about['log_likelihood']:.8g}; chi-squared {about['chi_squared']:.8g}.")


def _sedml(path: Path, out: Path, how: Mapping[str, Any], force: bool, as_json: bool) -> None:
    if out.suffix not in ("", ".csv"):
        raise SimulationError(
            f"Unsupported file extension {out.suffix!r}.",
            where="--out",
            allowed=".csv for one report, or a folder with a .csv for each.",
            do="name a .csv or a folder.",
        )
    from lissive.interchange.sedml_files import run_to_files

    about = run_to_files(path, out, force=force, **how)
    if as_json:
        print(json.dumps({"out": str(out), **about}))
        return
    for name, columns in about["tables"].items():
        place = out if out.suffix else out / f"{name}.csv"
        print(f"{place}: {name}, {about['rows'][name]} rows of {', '.join(columns)}.")
    for note in about["notes"]:
        print(f"  {note}")
