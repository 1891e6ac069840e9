"""The blocks of a page of docs, run in order: what a page shows is what one gets.

    python -m tests.doc_blocks docs/tutorials/a-case.md …

writes what the commands print now into the pages. A block ```LANGUAGE title="FILE" is that file. In a block ```console
each `$ ` begins a command, and what it prints stands below it; a line of three dots stands for any lines between. A
block ```python runs, and a block ```text below it is what it prints.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```\n(\n```text\n(.*?)^```\n)?", re.M | re.S)
DOTS = "..."


def made(page: Path, folder: Path) -> str:
    """The text of a page with what its blocks print when they are run in a folder that has the examples."""
    shutil.copytree(TOP / "examples", folder / "examples")
    return BLOCK.sub(lambda found: _block(found, folder), page.read_text(encoding="utf-8"))


def _block(found: re.Match[str], folder: Path) -> str:
    language, title, inside, below, shown = found.groups()
    if title:
        (folder / title).write_text(inside, encoding="utf-8")
    elif language == "console":
        parts = re.findall(r"^(\$ .*\n)((?:(?!\$ ).*\n)*)", inside, re.M)
        inside = "".join(command + _said(command[2:], text, folder) for command, text in parts)
        return f"```console\n{inside}```\n"
    elif language == "python" and below:
        printed = _fitted(shown, _run([sys.executable, "-c", inside], folder))
        return f"```python\n{inside}```\n\n```text\n{printed}```\n"
    return found[0]


def _said(command: str, shown: str, folder: Path) -> str:
    return _fitted(shown, _run(["bash", "-c", command], folder))


def _run(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "110"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    return done.stdout + done.stderr


def _fitted(shown: str, printed: str) -> str:
    """What was printed, with what the page leaves out left out."""
    if DOTS not in shown.splitlines():
        return printed
    parts = re.split(rf"^{re.escape(DOTS)}\n", shown, flags=re.M)
    lines, kept, at = printed.splitlines(keepends=True), [], 0
    for number, part in enumerate(parts):
        wanted = part.splitlines(keepends=True)
        if not wanted:
            continue
        last = number == len(parts) - 1
        start = len(lines) - len(wanted) if last else _where(lines, wanted[0], at)
        kept.append("".join(lines[start : start + len(wanted)]))
        at = start + len(wanted)
    text = f"{DOTS}\n".join(kept)
    text = f"{DOTS}\n{text}" if not parts[0] else text
    return text if parts[-1] else f"{text}{DOTS}\n"


def _where(lines: list[str], first: str, at: int) -> int:
    return next((k for k in range(at, len(lines)) if lines[k] == first), at)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    for name in sys.argv[1:]:
        with TemporaryDirectory() as scratch:
            Path(name).write_text(made(Path(name), Path(scratch)), encoding="utf-8")
