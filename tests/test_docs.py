"""What a page shows is what one gets; every command is one that there is; no link leads nowhere."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.doc_blocks import Block, blocks, made

from lissive.cli.main import app_of

TOP = Path(__file__).parents[1]
PAGES = sorted([TOP / "README.md", *TOP.glob("docs/**/*.md")])
DATA = {"text", "yaml", "tsv", "ini", "nginx"}
"""Languages of blocks that are no commands."""


def _blocks(page: Path) -> list[Block]:
    return [block for _, block in blocks(page.read_text(encoding="utf-8"))]


WITH_BLOCKS = [page for page in PAGES if any(each.kind != "data" and each.is_run for each in _blocks(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda each: str(each.relative_to(TOP)))
def test_a_page_shows_what_one_gets(page: Path, tmp_path: Path) -> None:
    shown, now = page.read_text(encoding="utf-8"), made(page, tmp_path)
    words, numbers = parts(shown)
    assert parts(now)[0] == words, f"python -m tests.doc_blocks {page}"
    # another processor may round a simulated number the other way
    assert parts(now)[1] == pytest.approx(numbers, rel=0.02, abs=0.011)


def test_every_block_is_run_or_says_why_not() -> None:
    faults, run, marked = [], 0, 0
    for page in PAGES:
        for block in _blocks(page):
            if block.kind == "data":
                if block.language not in DATA and "lissive " in block.inside:
                    faults.append(f"{page.name}: neither run nor data: {block.inside[:60]!r}")
                continue
            marked += block.mark in ("not run", "nightly")
            run += block.mark not in ("not run", "nightly")
            if block.mark and len(block.why) < 4:
                faults.append(f"{page.name}: no reason: {block.inside[:60]!r}")
    assert not faults, "\n".join(faults)
    assert run > 2 * marked


def test_a_mark_above_a_block_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n<!-- not run: elsewhere -->\n\n    lissive nothing\n\n<!-- exit 2: wrong -->\n\n"
        "```console\n$ exit 2\n$ echo one; exit 2\nx\n```\n\n    python -c 'raise SystemExit(3)'\n",
        encoding="utf-8",
    )
    marks = [(each.kind, each.mark, each.why) for each in _blocks(page)]
    assert marks == [
        ("commands", "not run", "elsewhere"),
        ("console", "exit 2", "wrong"),
        ("commands", "", ""),
    ]
    with pytest.raises(AssertionError, match="ended with 3"):
        made(page, tmp_path / "run")


def test_the_picture_of_the_validation_is_of_its_numbers() -> None:
    drawn = runpy.run_path(str(TOP / "docs" / "images" / "validation.py"))
    found = drawn["points"]()
    assert len(found) > 100
    text = (TOP / "docs" / "images" / "validation.svg").read_text(encoding="utf-8")
    assert drawn["description"](found) in text, "python docs/images/validation.py"


def test_every_link_in_the_docs_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_readme_is_one_screen() -> None:
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


VERSION = r"(?:\w+\s+)?\d{4}-\d\d-\d\d(?:\s+\(\w+\))?"


def parts(text: str) -> tuple[str, list[float]]:
    """The words of a page, and its numbers; without the versions of the data, by which no page grows old."""
    text = re.sub(rf"Data:\s+{VERSION}(,\s+{VERSION})*", "Data:", text)
    number = r"\d+(?:\.\d+)?(?:e-?\d+)?"
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
