"""What can be given to lissive: each kind of input with right ones to start from, and the commands that read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
MODEL = str(HERE.parents[1] / "examples" / "one_compartment.ant")
CASE, PLAN, DIARY = (str(SEEDS / name) for name in ("followed.json", "n_of_1.json", "diary.csv"))
TABLES = HERE.parents[1] / "src" / "lissive" / "model" / "parameters"


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    `commands` are tried in turn; `INPUT` stands for the spoilt file, `OUT.` for what it writes.
    """

    name: str
    seeds: Sequence[str]
    commands: Sequence[str]
    weight: int
    """How many of every hundred inputs are of this kind."""

    @property
    def files(self) -> list[Path]:
        return [TABLES / seed if self.name == "tables" else SEEDS / seed for seed in self.seeds]


_RUN = "--threads 1 --until 2 --every 0.5"
_POOL = "--outcome spasticity_nrs --studies INPUT"

KINDS: tuple[Kind, ...] = (
    Kind(
        "sbml",
        ("l1.xml", "l2.xml", "l3.xml"),
        (
            f"simulate INPUT {_RUN} --out OUT.csv", "export sbml INPUT --out OUT.xml", "cite INPUT",
            "export antimony INPUT --out OUT.ant",
        ),
        17,
    ),
    Kind(
        "antimony",
        ("all_sorts.ant", "two.ant"),
        (f"simulate INPUT {_RUN} --out OUT.csv", "export sbml INPUT --out OUT.xml", "cite INPUT --json"),
        13,
    ),
    Kind("doses", ("doses.csv", "doses_more.csv"), (f"simulate {MODEL} --events INPUT --threads 1 --out OUT.csv",), 14),
    Kind("subjects", ("subjects.csv",), (f"simulate {MODEL} --subjects INPUT {_RUN} --out OUT.csv --json",), 6),
    Kind("times", ("times.csv",), (f"simulate {MODEL} --times INPUT --threads 1 --out OUT.csv",), 3),
    Kind(
        "case",
        ("case.yaml", "case.json"),
        ("access INPUT", "access INPUT --json", "case INPUT --subjects 2 --threads 1 --json", "access draft INPUT"),
        13,
    ),
    Kind(
        "facts",
        ("facts.yaml",),
        (
            "access --jurisdiction US-NY --on 2025-01-01 --facts INPUT",
            "access --jurisdiction DE --on 2024-05-01 --facts INPUT --json",
            "access compare --facts INPUT --on 2025-01-01 --csv",
        ),
        6,
    ),
    Kind("worked", ("worked.yaml",), ("access cases INPUT", "access cases INPUT --json"), 6),
    Kind("design", ("design.yaml", "crossover.yaml"), ("trial run INPUT --replicates 1 --threads 1",), 7),
    Kind(
        "trials",
        ("trials.yaml",),
        (
            f"evidence pool {_POOL} --json", "evidence list --studies INPUT",
            f"evidence forest {_POOL} --out OUT.svg --table OUT.csv", "evidence page --studies INPUT --out OUT.html",
        ),
        6,
    ),
    Kind("observations", ("observations.yaml",), ("validate --studies INPUT --replicates 1 --threads 1 --json",), 5),
    Kind(
        "diary",
        ("diary.csv", "diary.json"),
        (
            f"follow {CASE} --diary INPUT --subjects 2 --threads 1 --weeks 1 --today 2026-11-01 --json",
            f"follow analyse --plan {PLAN} --diary INPUT --today 2026-11-01 --json",
        ),
        6,
    ),
    Kind("n_of_1", ("n_of_1.json",), (f"follow analyse --plan INPUT --diary {DIARY} --today 2026-11-01 --json",), 3),
    Kind("plan", ("plan.yaml",), (f"case {CASE} --compare INPUT --subjects 2 --threads 1 --json",), 4),
    Kind("run", ("run.meta.json",), ("cite INPUT", "cite INPUT --bibtex"), 3),
    Kind("tables", ("thc.tsv", "causes.tsv"), ("check --tables FOLDER",), 1),
)  # fmt: skip
