"""The blocks of a page of docs, run in order: what a page shows is what one gets.

    python -m tests.doc_blocks docs/tutorials/a-case.md …      # writes what the commands print now into the pages
    python -m tests.doc_blocks --count                          # how many blocks are run, and how many not

| block | what is done |
|---|---|
| any with `title="FILE"` | it is that file |
| `console` | each `$ ` begins a command; what it prints stands below it, and `...` for any lines between |
| indented, of commands | each line is run, and prints what it likes |
| `python` | runs; a block `text` below it is what it prints |
| others | data: examples of files, answers of other programs |

Every command has to end with code 0. A comment above a block says what else holds of it: `<!-- exit 1: why -->`;
`<!-- nightly: why -->`, run by `make docs-all` alone; `<!-- not run: why -->`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[1]
EVERY = os.environ.get("LISSIVE_DOCS") == "all"
"""Whether the blocks of the night are run too."""
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>not run|nightly|exit \d+): (?P<why>[^>]+?) -->\n\n?)?"
    r"(?:^```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<inside>.*?)^```\n(?P<below>\n```text\n(?P<shown>.*?)^```\n)?"
    r"|(?<=\n\n)(?P<indented>(?: {4}[^\n]*\n|\n(?= {4}))+))",
    re.M | re.S,
)
COMMAND = re.compile(r"(lissive|cp|make|pip|pipx|py|python|dask|\.|\.venv\\\S+) ")
DOTS = "..."
HOME = "/home/zoe"
"""Stands for the folder in which a page is run."""
SECONDS = 7200 if EVERY else 600


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    kind: str
    """console, commands, python, file or data."""
    mark: str
    """not run, nightly, exit N, or nothing."""
    why: str
    language: str
    title: str
    inside: str
    below: str
    shown: str
    """What the page says that it prints."""

    @property
    def is_run(self) -> bool:
        return self.mark != "not run" and (EVERY or self.mark != "nightly")

    @property
    def code(self) -> int:
        return int(self.mark.split()[1]) if self.mark.startswith("exit") else 0


def blocks(text: str) -> Iterator[tuple[re.Match[str], Block]]:
    """Every block with its place in the page."""
    for found in BLOCK.finditer(text):
        yield found, _block(found)


def _block(found: re.Match[str]) -> Block:
    part = {name: value or "" for name, value in found.groupdict().items()}
    indented = re.sub("^ {4}", "", part["indented"], flags=re.M)
    title = re.search(r'title="([^"]+)"', part["rest"])
    language = part["language"]
    if title:
        kind = "file"
    elif indented:
        kind = "commands" if COMMAND.match(indented) else "data"
    else:
        kind = language if language in ("console", "python") else "data"
    return Block(
        kind,
        part["mark"],
        part["why"],
        language,
        title[1] if title else "",
        indented or part["inside"],
        part["below"],
        part["shown"],
    )


def made(page: Path, folder: Path) -> str:
    """The text of a page with what its blocks print when they are run in a folder that has the examples.

    Raises       AssertionError where a command ends with another code than the page says.
    """
    shutil.copytree(TOP / "examples", folder / "examples")
    shutil.copytree(TOP / "docs" / "predictions", folder / "docs" / "predictions")
    text, parts, at = page.read_text(encoding="utf-8"), [], 0
    for found, block in blocks(text):
        parts += [text[at : found.start()], _made(found[0], block, folder)]
        at = found.end()
    return "".join([*parts, text[at:]])


def _made(whole: str, block: Block, folder: Path) -> str:
    if block.kind == "file":
        path = folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.inside, encoding="utf-8")
    elif not block.is_run:
        return whole
    elif block.kind == "console":
        parts = re.findall(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", block.inside, re.M)
        inside = "".join(f"$ {run}{_fitted(text, _bash(run, block, folder))}" for run, text in parts)
        return whole.replace(block.inside, inside, 1)
    elif block.kind == "commands":
        for line in block.inside.replace("\\\n", " ").splitlines():
            _bash(line, block, folder)
    elif block.kind == "python":
        printed = _run([sys.executable, "-c", block.inside], block, folder)
        if block.below:
            return whole.replace(block.below, f"\n```text\n{_fitted(block.shown, printed)}```\n", 1)
    return whole


def _bash(line: str, block: Block, folder: Path) -> str:
    return _run(["bash", "-c", line], block, folder)


def _run(command: list[str], block: Block, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cache = os.environ.get("LISSIVE_CACHE", str(Path.home() / ".cache" / "lissive"))
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder), "LISSIVE_CACHE": cache, "COLUMNS": "110"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == block.code, (
        f"{command[-1]}\nended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
    )
    return (done.stdout + done.stderr).replace(str(folder), HOME)


def _fitted(shown: str, printed: str) -> str:
    """What was printed, with what the page leaves out left out."""
    if DOTS not in shown.splitlines():
        return printed
    if not shown.replace(f"{DOTS}\n", ""):
        return shown
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


def counted() -> str:
    """A line for each page, and their sum: run, nightly, not run."""
    lines, total = [], Counter[str]()
    for page in [TOP / "README.md", *sorted(TOP.glob("docs/**/*.md"))]:
        found = [block for _, block in blocks(page.read_text(encoding="utf-8")) if block.kind != "data"]
        each = Counter("run" if not b.mark or b.mark.startswith("exit") else b.mark for b in found)
        total += each
        lines += [f"{page.relative_to(TOP)}: {dict(each)}"] if each else []
    return "\n".join([*lines, f"all: {dict(total)}"])


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    if sys.argv[1:] == ["--count"]:
        print(counted())
        sys.exit()
    for name in sys.argv[1:]:
        with TemporaryDirectory() as scratch:
            Path(name).write_text(made(Path(name), Path(scratch)), encoding="utf-8")
