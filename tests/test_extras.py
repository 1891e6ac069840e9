"""What is not in the base install answers with the extra that brings it; what is in it does without them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lissive.errors import LissiveError, SimulationError
from lissive.extras import EXTRAS, need
from lissive.simulation.output import check_writer
from lissive.simulation.population.rows import check_rows_writer

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BLOCKED = (
    *(
        "pandas",
        "xarray",
        "statsmodels",
        "lifelines",
        "pyarrow",
        "emcee",
        "arviz",
        "SALib",
        "h5netcdf",
        "django",
    ),
    *("cuda", "distributed"),
)
WITHOUT = f"""
import importlib.abc, importlib.util, runpy, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {BLOCKED!r} else found(name, package)
runpy.run_module("lissive", run_name="__main__")
"""


def without(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process in which the packages of the extras cannot be found."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *words], capture_output=True, text=True, input="", cwd=at, check=False
    )


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (
            ("simulate", "one_compartment.ant", "--until", "2", "--every", "1", "--out", "OUT/r.csv"),
            "simulate",
        ),
        (("trial", "run", "trials/parallel.yaml", "--replicates", "2", "--out", "OUT/trial"), "trials"),
        (("calibrate", "response", "--out", "OUT/fit"), "bayes"),
        (("validate", "--sensitivity", "--replicates", "1000", "--report", "OUT/report"), "sensitivity"),
        (("follow", "check", "--chunks", "OUT/chunks", "--cluster", "local"), "cluster"),
        (("serve", "--data", "OUT/clinic"), "web"),
        (("serve", "--demo", "--data", "OUT/clinic"), "web"),
        (("serve", "--calculator"), "web"),
        (("web", "add-administrator", "--clinic", "A", "--user", "b", "--data", "OUT/clinic"), "web"),
        (("web", "verify-audit", "--data", "."), "web"),
        (("web", "remind", "--data", "."), "web"),
        (("work", "--once", "--data", "OUT/clinic"), "web"),
    ],
)
def test_what_is_missing_names_its_extra_and_leaves_nothing_behind(
    words: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    done = without(*(word.replace("OUT", str(tmp_path)) for word in words), at=TOP / "examples")
    assert done.returncode == 2, done.stderr
    assert f"pip install 'lissive[{extra}]'" in done.stderr
    assert "not installed" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_case_and_its_report_need_no_extra(tmp_path: Path) -> None:
    done = without("case", "ms-uk.yaml", "--subjects", "30", "--report", str(tmp_path), at=TOP / "examples")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("BOTTOM LINE")
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_every_extra_that_is_named_exists_and_brings_its_modules() -> None:
    offered = PROJECT["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        needs = " ".join(offered[extra])
        for inner in re.findall(r"lissive\[(.*?)\]", needs):
            needs = " ".join([needs, *(part for each in inner.split(",") for part in offered[each])])
        assert [name for name in modules if not re.search(rf"\b{name}\b", needs)] == []


def test_an_extra_that_is_there_is_not_asked_for() -> None:
    need("x", "This", among={"x": ["json", "csv"]})
    with pytest.raises(
        LissiveError, match=r"This needs no_such_module, which is not installed.*lissive\[x\]"
    ):
        need("x", "This", among={"x": ["json", "no_such_module"]})


@pytest.mark.parametrize("check", [check_writer, check_rows_writer])
def test_a_kind_of_file_names_its_extra(
    check: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lissive.extras.find_spec", lambda name: None)
    with pytest.raises(
        SimulationError, match=r"r\.parquet: .* needs .*pyarrow.* pip install 'lissive\[files\]'\.$"
    ):
        check(Path("r.parquet"))
