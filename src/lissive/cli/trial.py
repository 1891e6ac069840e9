"""`lissive trial`: virtual trials: carry one out many times, and see how its power hangs on its size."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.cli.options import Force
from lissive.cli.reproduce import reproduce
from lissive.errors import DesignError

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Virtual trials: simulated patients, real analyses.", no_args_is_help=True)
    group.command("run")(run)
    group.command("reproduce")(reproduce)
    group.command("power")(power)
    app.add_typer(group, name="trial")


File = Annotated[Path, typer.Argument(metavar="DESIGN", help="The design, a .yaml or .json file.")]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Seed of all that is drawn; the design's, or 1, if not given.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def run(
    file: File,
    replicates: Annotated[int, typer.Option(min=1, help="Times that the trial is carried out.")] = 200,
    seed: Seed = None,
    as_json: AsJson = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write patients, tables, figures and JSON here as they come."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that was interrupted in --out.")
    ] = False,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Carry a trial out on virtual patients, many times, and analyse each as its readers would see it."""
    from lissive.cli.progress import bar
    from lissive.report.trial_files import RUN_FILES
    from lissive.trials.read import located, read_design
    from lissive.trials.run import run_trial
    from lissive.trials.summary import summary

    if resume and out is None:
        raise typer.BadParameter("--resume needs --out FOLDER, the folder of the run to go on with.")
    design = read_design(file)
    _folder(out, file, RUN_FILES, resume=resume, force=force)
    further = "Nothing was kept: there is no --out."
    if out is not None:
        further = f"What is finished is in {out}; go on with the same command and --resume."
    with _interruptible(further), located(file), bar("replicates", replicates) as tick:
        results = run_trial(
            design,
            replicates=replicates,
            seed=_seed(seed, design.seed),
            folder=out,
            resume=resume,
            say=_say,
            threads=threads,
            progress=tick,
        )
    answer = summary(results)
    written = [] if out is None else _write(out, answer)
    if as_json:
        print(json.dumps(answer, allow_nan=False))
        return
    from lissive.report.trial_text import trial_text

    print(trial_text(answer))
    _say_written(written)


def power(
    file: File,
    n: Annotated[
        str,
        typer.Option("--n", metavar="N,N,...", help="Totals of patients randomised, as 40,80,160."),
    ],
    assurance: Annotated[
        bool,
        typer.Option("--assurance", help="Draw each replicate's parameters from what calibration left open."),
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As it is in the output, or NAME@WEEK; the primary if not given."),
    ] = None,
    replicates: Annotated[int, typer.Option(min=1, help="Trials of each size.")] = 200,
    seed: Seed = None,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the curve (PNG, SVG), table and JSON here.")
    ] = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """The share of trials that find something, by the number of patients."""
    from lissive.cli.progress import bar
    from lissive.report.trial_files import POWER_FILES
    from lissive.trials.power import power_curve
    from lissive.trials.read import located, read_design

    design = read_design(file)
    sizes = _sizes(n)
    _folder(out, file, POWER_FILES, force=force)
    total = sum(sizes) * replicates
    with _interruptible("Nothing was kept."), located(file), bar("patients", total) as tick:
        answer = power_curve(
            design,
            sizes,
            endpoint=endpoint,
            assurance=assurance,
            replicates=replicates,
            seed=_seed(seed, design.seed),
            threads=threads,
            progress=tick,
        )
    written = [] if out is None else _write_power(out, answer)
    if as_json:
        print(json.dumps(answer, allow_nan=False))
        return
    from lissive.report.trial_text import power_text

    print(power_text(answer))
    _say_written(written)


def _seed(said: int | None, planned: int | None) -> int:
    """What the command says, else what the design says."""
    return next((each for each in (said, planned) if each is not None), 1)


@contextmanager
def _interruptible(further: str) -> Iterator[None]:
    """Ctrl-C ends with a line that says what is left and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"lissive: interrupted. {further}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


def _sizes(text: str) -> list[int]:
    """The numbers of --n, each once, rising."""
    from lissive.trials.size import MOST_PATIENTS

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        raise DesignError(
            f"is {text!r}." if len(text) <= 60 else f"is {text[:57]!r} and more.",
            where="--n",
            allowed=f"whole numbers with commas between them, as 40,80,160; each up to {MOST_PATIENTS}.",
            do="correct it.",
        )
    return sorted({int(word) for word in words})


def _say(what: str) -> None:
    print(f"lissive: {what}", file=sys.stderr)


def _folder(
    out: Path | None, design: Path, names: list[str], *, resume: bool | None = None, force: bool = False
) -> None:
    """All that can be wrong with --out, before anything is simulated; `resume` is None for a run that has no parts."""
    from lissive.files import Beside, keep_inputs
    from lissive.trials.store import PARTS, RECORD, start_anew

    if out is None:
        return
    nearest = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise DesignError(
            "It is a file." if nearest == out else f"{nearest} is a file.",
            where=str(out),
            allowed="a folder, there or to be made.",
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
            do=f"{'add --resume to go on with the run in it, ' if resume is False else ''}name another folder, or "
            "add --force to replace the files of an earlier run.",
        )
    if held and resume and not (out / RECORD).is_dir():
        raise DesignError(
            "The folder holds no run to go on with.",
            where=str(out),
            allowed="the folder of the run that was interrupted.",
            do="correct --out, or leave --resume out and name a new folder.",
        )


def _parquet() -> None:
    import importlib.util

    if importlib.util.find_spec("pyarrow") is None:
        raise DesignError(
            "Patients are written as Parquet, for which pyarrow is missing.",
            where="--out",
            do="pip install 'lissive[files]', or leave --out out.",
        )


def _write(folder: Path, answer: dict[str, Any]) -> list[Path]:
    from lissive.report.trial_files import write_trial

    return write_trial(folder, answer)


def _write_power(folder: Path, answer: dict[str, Any]) -> list[Path]:
    from lissive.report.trial_files import write_power

    return write_power(folder, answer)


def _say_written(written: list[Path]) -> None:
    if written:
        print("\n" + "\n".join(str(path) for path in written))
