"""The archive has the same bytes each time, and says the same of itself everywhere."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from lissive.version import __version__
from lissive.versions import PACKAGE, data_sets, files_of

TOP = Path(__file__).parents[1]


def archived(out: Path) -> Path:
    if shutil.which("git") is None or not (TOP / ".git").exists():
        pytest.skip("no checkout of Git here")
    subprocess.run([sys.executable, TOP / ".ci" / "archive", out], check=True, capture_output=True)
    (place,) = out.iterdir()
    return place


def test_it_holds_every_data_set_the_licence_and_checksums_that_are_right(tmp_path: Path) -> None:
    with zipfile.ZipFile(archived(tmp_path)) as archive:
        top = f"lissive-{__version__}-data-docs/"
        held = {name.removeprefix(top): archive.read(name) for name in archive.namelist()}
    sums = dict(reversed(line.split("  ", 1)) for line in held.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    data = {f"src/lissive/{p.relative_to(PACKAGE).as_posix()}" for n in data_sets() for p in files_of(n)}
    assert data <= set(held)
    assert {"LICENSE", "CITATION.cff", ".zenodo.json", "docs/validation.md"} <= set(held)
    assert not [name for name in held if name.endswith((".py", ".pyc")) and name.startswith("src/")]


def test_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    assert archived(tmp_path / "a").read_bytes() == archived(tmp_path / "b").read_bytes()


def test_it_holds_what_is_committed_and_not_what_lies_about(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("no Git here")
    top = tmp_path / "checkout"
    files = {
        "src/lissive/version.py": '__version__ = "1.2.3"\n',
        "docs/a.md": "a\r\n",
        "docs/gone.md": "g",
        "LICENSE": "l",
    }
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(text.encode())
    (top / ".ci").mkdir()
    shutil.copy(TOP / ".ci" / "archive", top / ".ci" / "archive")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=top, check=True, capture_output=True)

    def run(name: str) -> tuple[bytes, str]:
        done = subprocess.run(
            [sys.executable, top / ".ci" / "archive", tmp_path / name],
            capture_output=True,
            text=True,
            check=True,
        )
        return (tmp_path / name / "lissive-1.2.3-data-docs.zip").read_bytes(), done.stderr

    clean, said = run("clean")
    assert not said
    (top / "docs" / "a.md").write_text("changed")
    (top / "docs" / "new.md").write_text("new")
    (top / "docs" / "gone.md").unlink()
    (top / "src/lissive/version.py").write_text('__version__ = "9"\n')
    changed, said = run("changed")
    assert changed == clean
    assert said == "archive: not committed, so not as they are now: docs/a.md, docs/gone.md, docs/new.md.\n"
    with zipfile.ZipFile(tmp_path / "clean" / "lissive-1.2.3-data-docs.zip") as archive:
        assert archive.read("lissive-1.2.3-data-docs/docs/a.md") == b"a\r\n"


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    done = subprocess.run(
        [sys.executable, TOP / ".ci" / "archive", tmp_path / "taken"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, (tmp_path / "taken").read_text()) == (2, "mine")
    assert "Allowed: a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_version_and_licence_are_the_same_wherever_they_are_stated() -> None:
    zenodo = json.loads((TOP / ".zenodo.json").read_text(encoding="utf-8"))
    citation = yaml.safe_load((TOP / "CITATION.cff").read_text(encoding="utf-8"))
    assert zenodo["version"] == citation["version"] == __version__
    assert zenodo["license"] == citation["license"] == "Apache-2.0"
    assert zenodo["title"] == citation["title"]
    assert [each["name"] for each in zenodo["creators"]] == [each["name"] for each in citation["authors"]]
    assert "Apache License" in (TOP / "LICENSE").read_text(encoding="utf-8")
    heading = re.search(rf"^# Lissive {re.escape(__version__)}$", release(), re.M)
    assert heading


def release() -> str:
    return (TOP / "docs" / "releases" / f"{__version__}.md").read_text(encoding="utf-8")
