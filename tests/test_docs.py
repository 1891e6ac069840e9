"""What the tutorials show is what one gets; every command in the documentation is one that there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.doc_blocks import made

from lissive.cli.main import app_of

TOP = Path(__file__).parents[1]
TUTORIALS = [*sorted((TOP / "docs" / "tutorials").glob("*.md")), TOP / "docs" / "stories.md"]
PAGES = sorted([TOP / "README.md", *TOP.glob("docs/**/*.md")])


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda each: each.stem)
def test_a_tutorial_shows_what_one_gets(page: Path, tmp_path: Path) -> None:
    shown, now = page.read_text(encoding="utf-8"), made(page, tmp_path)
    words, numbers = parts(shown)
    assert parts(now)[0] == words, f"python -m tests.doc_blocks {page}"
    # another processor may round a simulated number the other way
    assert parts(now)[1] == pytest.approx(numbers, rel=0.02, abs=0.011)


def parts(text: str) -> tuple[str, list[float]]:
    """The words of a page, and its numbers."""
    number = r"\d+(?:\.\d+)?"
    return " ".join(re.sub(number, "#", text).split()), [float(each) for each in re.findall(number, text)]


def commands(page: Path) -> list[str]:
    """The commands of a page: in indented and fenced blocks, from `lissive` to the end of the line or its remark."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^(?:    |\$ )?(lissive (?!\S*:).*?)(?:\s+#.*)?$", text, re.M)


def test_every_command_in_the_docs_has_words_and_options_that_there_are() -> None:
    root: Any = typer.main.get_command(app_of([]))
    faults, seen = [], 0
    for page in PAGES:
        for line in commands(page):
            seen += 1
            if fault := wrong(root, line):
                faults.append(f"{page.relative_to(TOP)}: {line}: {fault}")
    assert seen > 60
    assert not faults, "\n".join(faults)


def wrong(root: Any, line: str) -> str:
    words = shlex.split(re.split(r"[|>]", line)[0])[1:]
    command, name = root, "lissive"
    while words and words[0] in getattr(command, "commands", {}):
        name = words.pop(0)
        command = command.commands[name]
    # of `access` and `follow` one command may be left out
    every = [command, *getattr(command, "commands", {}).values()]
    options = [each for one in every for each in one.params]
    known = {option for each in options for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    if unknown:
        return f"no option {unknown[0]} of {name}"
    return ""
