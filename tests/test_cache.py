"""A cache costs time, never an answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lissive.cache import store, stored

CODE = """
from lissive.simulate.solve import simulate
run = simulate("examples/one_compartment.ant", until=2.0, every=1.0, select=["C"], parameters={"ka": 2.0})
print(run["C"].values.tolist())
"""


def answer(folder: Path) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LISSIVE_CACHE": str(folder)},
        cwd=Path(__file__).parents[1],
    )
    return done.stdout


def test_what_is_stored_comes_back_but_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path))
    store("k", ".x", b"content")
    assert stored("k", ".x") == b"content"
    file = tmp_path / "k.x"
    for broken in (b"", file.read_bytes()[:-1], b"\0" * 60):
        file.write_bytes(broken)
        assert stored("k", ".x") is None
    assert stored("other", ".x") is None


def test_damaged_files_are_made_anew(tmp_path: Path) -> None:
    first = answer(tmp_path)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    assert answer(tmp_path) == first


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    assert answer(place) == answer(tmp_path / "good")
