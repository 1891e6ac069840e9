"""A cache costs time, never an answer."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lissive import cache
from lissive.cache import store, stored

CODE = """
from lissive.simulation.solve import simulate
run = simulate("examples/one_compartment.ant", until=2.0, every=1.0, select=["C"], parameters={"ka": 2.0})
print(run["C"].values.tolist())
"""


def answer(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LISSIVE_CACHE": str(folder)},
        cwd=Path(__file__).parents[1],
    )
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache that a run has filled, to be copied, and the answer of that run."""
    folder = tmp_path_factory.mktemp("made") / "cache"
    return folder, answer(folder)


def test_what_is_stored_comes_back_but_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISSIVE_CACHE", str(tmp_path))
    store("k", ".x", b"content")
    assert stored("k", ".x") == b"content"
    file = tmp_path / "k.x"
    for broken in (b"", file.read_bytes()[:-1], b"\0" * 60):
        file.write_bytes(broken)
        assert stored("k", ".x") is None
    assert stored("other", ".x") is None


def test_damaged_files_are_made_anew(made: tuple[Path, str], tmp_path: Path) -> None:
    place = shutil.copytree(made[0], tmp_path / "cache")
    whole = {file.name: file.read_bytes() for file in place.iterdir()}
    assert whole
    for name, content in whole.items():
        (place / name).write_bytes(content[: len(content) // 2])
    assert answer(place) == made[1]


def test_a_folder_that_cannot_be_written_does_no_harm(made: tuple[Path, str], tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    assert answer(place) == made[1]


# -- whose it is ------------------------------------------------------------------------------------
unix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="only Unix has owners and bits for groups")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache with one entry, in a folder that it makes itself."""
    place = tmp_path / "deep" / "cache"
    monkeypatch.setenv("LISSIVE_CACHE", str(place))
    cache._say_once.cache_clear()
    store("k", ".o", b"content")
    assert stored("k", ".o") == b"content"
    return place


@unix
def test_the_folder_and_its_files_are_its_users_alone(kept, capsys):
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept / "k.o").stat().st_mode) == 0o600
    assert capsys.readouterr().err == ""


def give_away(path: Path) -> None:
    os.chown(path, 54321, 54321)


@unix
@pytest.mark.parametrize("name", ["", "k.o"])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.chmod(0o770), "may be written by others"),
        (lambda path: path.chmod(0o702), "may be written by others"),
        pytest.param(give_away, "belongs to another user", marks=as_root),
    ],
)
def test_what_others_may_have_written_is_not_used_and_that_is_said_once(kept, capsys, name, spoil, why):
    spoil(kept / name)
    before = sorted(kept.iterdir())
    assert stored("k", ".o") is None
    assert stored("k", ".o") is None
    if not name:
        store("other", ".o", b"content")
        assert sorted(kept.iterdir()) == before
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert why in said
    assert str(kept) in said
    assert "LISSIVE_CACHE" in said


@unix
@as_root
def test_machine_code_of_another_user_is_not_run(made, tmp_path):
    """It has a right seal, and would end the process."""
    place = shutil.copytree(made[0], tmp_path / "cache")
    kernels = list(place.glob("*.o"))
    assert kernels
    for own in kernels:
        own.write_bytes(cache._sealed(own.name, b"no machine code"))
        give_away(own)
    assert answer(place) == made[1]
    assert {own.stat().st_uid for own in kernels} == {os.geteuid()}  # made anew


@unix
def test_a_link_or_a_pipe_is_no_entry(kept):
    (kept / "k.o").rename(kept / "elsewhere")
    (kept / "k.o").symlink_to(kept / "elsewhere")
    assert stored("k", ".o") is None
    os.mkfifo(kept / "pipe.o")
    assert stored("pipe", ".o") is None


def test_one_entry_does_not_stand_for_another(kept):
    (kept / "k.o").rename(kept / "other.o")
    assert stored("other", ".o") is None
    (kept / "other.o").rename(kept / "k.constants")
    assert stored("k", ".constants") is None


def test_without_a_home_there_is_no_cache(monkeypatch):
    """A user whom the system does not know, as in many containers."""
    pwd = pytest.importorskip("pwd")

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("LISSIVE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    store("k", ".o", b"content")
    assert stored("k", ".o") is None
