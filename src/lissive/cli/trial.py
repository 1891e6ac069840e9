"""`lissive trial`: simulate a trial many times, its power and sample size, designs side by side, published trials."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.cli.options import AsJson, Chunks, Cluster, Force, Resume, chunked
from lissive.errors import DesignError
from lissive.versions import data_line, stamped

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Virtual trials: simulated patients, analysed as a published trial would be.",
        no_args_is_help=True,
    )
    group.command("run")(run)
    group.command("reproduce")(reproduce)
    group.command("predict")(predict)
    group.command("power")(power)
    group.command("compare")(compare)
    app.add_typer(group, name="trial")


File = Annotated[Path, typer.Argument(metavar="DESIGN", help="The trial's design, a .yaml or .json file.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Random seed (default: the design's seed, or 1).")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")]


def run(
    file: File,
    replicates: Annotated[int, typer.Option(min=1, help="Number of simulated trials (replicates).")] = 200,
    seed: Seed = None,
    as_json: AsJson = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write patients, tables, figures and JSON here."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the interrupted run in --out.")] = False,
    threads: Threads = None,
    cluster: Cluster = None,
    force: Force = False,
) -> None:
    """Simulate a trial on virtual patients many times, and analyse each replicate as it would be published."""
    from lissive.cli.progress import bar
    from lissive.report.trial_figures import RUN_FILES
    from lissive.trials.design import located, need_analysis, read_design
    from lissive.trials.run import run_trial
    from lissive.trials.summary import summary

    need_analysis()
    if resume and out is None:
        raise typer.BadParameter("--resume needs --out FOLDER, the folder of the run to resume.")
    if cluster is not None:
        from lissive.cluster import check_address

        check_address(cluster)
        if out is None:
            raise typer.BadParameter("--cluster needs --out FOLDER, which all workers share.")
    design = read_design(file)
    _folder(out, file, RUN_FILES, resume=resume, force=force)
    further = "Nothing was kept (no --out)."
    if out is not None:
        further = f"Finished replicates are in {out}; rerun the same command with --resume."
    with _interruptible(further), located(file), bar("replicates", replicates) as progress:
        results = run_trial(
            design,
            replicates=replicates,
            seed=seed,
            folder=out,
            resume=resume,
            say=_say,
            threads=threads,
            progress=progress,
            cluster=cluster,
        )
    answer = summary(results)
    written = []
    if out is not None:
        from lissive.report.trial_figures import write_trial

        written = write_trial(out, answer)
    if as_json:
        print(json.dumps(answer.to_json(), allow_nan=False))
        return
    from lissive.report.trial_text import trial_text

    print(f"{trial_text(answer)}\n\n{data_line('model')}")
    _say_written(written)


def power(
    file: File,
    n: Annotated[
        str | None,
        typer.Option(
            "--n",
            metavar="N,N,...",
            help="Total sample sizes (randomised), as 40,80,160 (default: solve for 80 and 90 % power).",
        ),
    ] = None,
    assurance: Annotated[
        bool,
        typer.Option(
            "--assurance", help="Sample each replicate's parameters from the posterior (assurance)."
        ),
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Endpoint as named in the output, or NAME@WEEK (default: the primary)."
        ),
    ] = None,
    replicates: Annotated[int, typer.Option(min=1, help="Replicates of each size.")] = 200,
    seed: Seed = None,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the curve (PNG, SVG), table and JSON here.")
    ] = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Power by sample size, or the sample size for a power of 80 and of 90 %."""
    from lissive.cli.progress import bar
    from lissive.report.trial_figures import POWER_FILES
    from lissive.trials.design import located, read_design
    from lissive.trials.power import power as power_by_size
    from lissive.trials.power import sample_size

    design = read_design(file)
    sizes = None if n is None else _sizes(n)
    _folder(out, file, POWER_FILES, force=force)
    what, total = ("patients", sum(sizes) * replicates) if sizes else ("of the size at hand", 1)
    given: Any = {"endpoint": endpoint, "assurance": assurance, "replicates": replicates, "seed": seed}
    with _interruptible("Nothing was kept."), located(file), bar(what, total) as progress:
        if sizes:
            answer = power_by_size(design, sizes, threads=threads, progress=progress, **given)
        else:
            answer = sample_size(design, threads=threads, progress=progress, **given)
    written = []
    if out is not None:
        from lissive.report.trial_figures import write_power

        written = write_power(out, answer)
    if as_json:
        print(json.dumps(answer.to_json(), allow_nan=False))
        return
    from lissive.report.power_text import power_text

    print(f"{power_text(answer)}\n\n{data_line('model')}")
    _say_written(written)


def compare(
    files: Annotated[
        list[Path], typer.Argument(metavar="DESIGN DESIGN...", help="Two or more design files.")
    ],
    replicates: Annotated[int, typer.Option(min=1, help="Replicates of each design.")] = 200,
    seed: Seed = None,
    as_json: AsJson = False,
    threads: Threads = None,
) -> None:
    """Designs side by side: who is screened, who completes, the primary endpoint's estimate, and power."""
    from lissive.cli.progress import bar
    from lissive.report.power_text import compare_text
    from lissive.trials.design import read_design
    from lissive.trials.side_by_side import compare as compare_designs

    designs = [read_design(file) for file in files]
    with _interruptible("Nothing was kept."), bar("designs", len(designs)) as progress:
        answer = compare_designs(
            designs, replicates=replicates, seed=seed, threads=threads, progress=progress
        )
    if as_json:
        print(json.dumps(stamped(answer.to_json(), "model"), allow_nan=False))
    else:
        print(f"{compare_text(answer)}\n\n{data_line('model')}")


@contextmanager
def _interruptible(further: str) -> Iterator[None]:
    """Ctrl-C ends with a line that says what was kept and how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"lissive: interrupted. {further}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


def _sizes(text: str) -> list[int]:
    """The numbers of --n, without duplicates, increasing."""
    from lissive.trials.parts import MOST_PATIENTS

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(
        word.isascii() and word.isdigit() and len(word) < 10 and int(word) for word in words
    ):
        raise DesignError(
            f"is {text!r}." if len(text) <= 60 else f"is {text[:57]!r} and more.",
            where="--n",
            allowed=f"integers separated by commas, as 40,80,160; each up to {MOST_PATIENTS}.",
            do="write numbers of patients, without other words.",
        )
    return sorted({int(word) for word in words})


def _say(what: str) -> None:
    print(f"lissive: {what}", file=sys.stderr)


def _folder(
    out: Path | None, design: Path, names: list[str], *, resume: bool | None = None, force: bool = False
) -> None:
    """All that can be wrong with --out, before anything is simulated; `resume` is None for a run that has no parts."""
    from lissive.files import Beside, keep_inputs
    from lissive.trials.run import start_anew
    from lissive.trials.store import PARTS, RECORD

    if out is None:
        return
    nearest = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise DesignError(
            "It is a file." if nearest == out else f"{nearest} is a file.",
            where=str(out),
            allowed="a folder, existing or new.",
            do="choose another name.",
        )
    keep_inputs([], reads=[design], beside=Beside([out / name for name in [*names, *PARTS]]), force=force)
    if resume is not None:
        _parquet()
    held = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if force and resume is False:
        start_anew(out)
    if held and not (resume or force):
        raise DesignError(
            f"The folder is not empty: it holds {', '.join(held[:3])}{' ...' if len(held) > 3 else ''}.",
            where=str(out),
            allowed="an empty or new folder.",
            do=f"{'add --resume to resume the run in it, ' if resume is False else ''}name another folder, or "
            "add --force to replace the files of an earlier run.",
        )
    if held and resume and not (out / RECORD).is_dir():
        raise DesignError(
            "The folder holds no run to resume.",
            where=str(out),
            allowed="the folder of the interrupted run.",
            do="correct --out, or omit --resume and name a new folder.",
        )


def _parquet() -> None:
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise DesignError(
            "Writing patients as Parquet needs pyarrow, which is not installed.",
            where="--out",
            do="pip install 'lissive[files]', or omit --out.",
        )


def _say_written(written: list[Path]) -> None:
    if written:
        print("\n" + "\n".join(str(path) for path in written))


def reproduce(
    trials: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A file of published trials (default: those shipped with Lissive)."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this trial; may be repeated.")
    ] = None,
    replicates: Annotated[
        int, typer.Option(min=1, help="Number of simulated trials (replicates) of each.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    as_json: AsJson = False,
    docs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the results as a page of documentation.")
    ] = None,
    better: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write, by outcome, whether the model or the baseline predicts better: the table that forecasts "
            "read.",
        ),
    ] = None,
    chunks: Chunks = None,
    cluster: Cluster = None,
    resume: Resume = False,
    force: Force = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
) -> None:
    """Simulate published trials: each published figure beside its 90 % prediction interval and the baseline's."""
    from lissive.files import atomic_path, keep_inputs
    from lissive.report.reproduce_text import reproduce_markdown, reproduce_text
    from lissive.trials.parts import replicates_of
    from lissive.trials.reproduce import LEAST_REPLICATES, stamp
    from lissive.validation.skill import reproduce as simulate_published
    from lissive.validation.skill import write_better

    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    keep_inputs([docs, better], reads=[trials], force=force)
    with chunked(cluster, resume, force, kept=chunks is not None) as how:
        found = simulate_published(
            trials,
            only=only or (),
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=how.progress,
            folder=chunks,
            how=how,
        )
    if better is not None:
        write_better(found, better)
    if docs is not None:
        command = "lissive trial reproduce" + (f" --trials {trials}" if trials else "")
        with atomic_path(docs) as place:
            place.write_text(reproduce_markdown(found, command, stamp()), encoding="utf-8")
    if as_json:
        print(json.dumps(stamped(found.to_json(), "model", "evidence"), allow_nan=False))
    else:
        print(f"{reproduce_text(found)}\n\n{data_line('model', 'evidence')}")


def predict(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="DESIGN",
            help="A protocol (trial, title, cause, not_reported, design ...) or a design; .yaml or .json.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where predictions are kept.")] = Path(
        "docs/predictions"
    ),
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Predict nothing: check the records of the folder that is named as DESIGN."
        ),
    ] = False,
    replicates: Annotated[int, typer.Option(min=1, help="Number of simulated trials (replicates).")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
) -> None:
    """Put a prediction of a trial that has not reported on record: dated, hashed, never replaced."""
    import datetime

    from lissive.cli.progress import bar
    from lissive.report.reproduce_text import prediction_markdown
    from lissive.trials.design import located
    from lissive.trials.parts import replicates_of
    from lissive.trials.reproduce import LEAST_REPLICATES
    from lissive.validation.prediction import (
        last_hash,
        predict_trial,
        read_protocol,
        refuse_to_overwrite,
        write_record,
    )

    if verify:
        _verify(file)
        return
    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    protocol, today = read_protocol(file), datetime.datetime.now(datetime.UTC).date()
    refuse_to_overwrite(out, f"{today.isoformat()}-{protocol.trial}")
    previous = last_hash(out)
    with located(file), bar("trials", 1) as progress:
        record = predict_trial(
            protocol,
            made=today,
            previous=previous,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    written = write_record(record, out, prediction_markdown(record))
    print(json.dumps(record, allow_nan=False) if as_json else prediction_markdown(record))
    if not as_json:
        print("\n".join(map(str, written)))


def _verify(folder: Path) -> None:
    """Say that nothing was changed, or what was."""
    from lissive.errors import DesignError
    from lissive.report.reproduce_text import prediction_markdown
    from lissive.validation.prediction import records, tampered

    if not folder.is_dir() or not (known := records(folder)):
        raise DesignError(
            "There is no prediction.",
            where=str(folder),
            allowed="a folder of predictions.",
            do="name the folder in which lissive trial predict wrote them.",
        )
    if found := tampered(folder, prediction_markdown):
        raise DesignError.all_of(found)
    print(f"{len(known)} {'prediction is' if len(known) == 1 else 'predictions are'} as written: {folder}")
