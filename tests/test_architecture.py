"""What may load what. The order of the rooms itself is checked by import-linter in `make lint`."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lissive
from lissive.cli import main

HEAVY = {"numpy", "scipy", "pandas", "xarray", "matplotlib", "llvmlite", "libsbml", "antimony", "pint",
         "pydantic", "typer", "rich", "yaml"}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import lissive, lissive.errors") & HEAVY


def test_the_terminal_door_loads_nothing_heavy_of_its_own():
    commands = ", ".join(f"lissive.cli.{name}" for name in ("main", *main.COMMANDS))
    assert not loaded_by(f"import {commands}") & (HEAVY - {"typer", "rich"})


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="relax"):
        lissive.relax  # noqa: B018 - reading the attribute is what fails


def test_the_verbs_are_listed():
    assert {"load", "simulate"} <= set(dir(lissive))


@pytest.mark.parametrize(
    "first", ["import lissive", "import lissive, lissive.simulate", "from lissive import simulate"]
)
def test_a_room_with_the_name_of_a_verb_is_called_whoever_imports_it_first(first):
    pytest.importorskip("lissive.simulate")
    code = (
        f"{first}\nimport lissive\nprint(callable(lissive.simulate), hasattr(lissive.simulate, '__path__'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
