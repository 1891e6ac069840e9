"""What may load what. The order of the rooms itself is checked by import-linter in `make lint`."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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


VERBS = "load simulate read_case answer decide pool claims predict run_trial power reproduce validate cite".split()


def test_the_verbs_of_the_terminal_are_functions_of_the_package():
    assert set(VERBS) <= set(dir(lissive))
    code = "\n".join(f"from lissive import {verb}\nassert callable({verb}), '{verb}'" for verb in _plain())
    loaded_by(code)


def _plain():
    """Until the two packages have their new names, a verb that shares its name with one is left out."""
    return [verb for verb in VERBS if find_spec(f"lissive.{verb}") is None]


def test_no_verb_shares_its_name_with_a_submodule():
    assert _plain() == VERBS


def test_type_checkers_see_the_same_verbs():
    """The imports for type checkers name the module and the function that are loaded."""
    tree = ast.parse(Path(lissive.__file__).read_text(encoding="utf-8"))
    block = next(each for each in tree.body if isinstance(each, ast.If))
    seen = {
        name.asname or name.name: f"{line.module}:{name.name}"
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for name in line.names
    }
    assert seen == lissive._VERBS
    assert sorted(seen) == sorted(lissive.__all__)
