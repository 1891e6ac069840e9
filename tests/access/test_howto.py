"""What docs/how-to/access.md shows is what the commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "access.md").read_text(encoding="utf-8")
SHOWN = [
    (commands.strip().splitlines()[-1 if "jurisdiction" in commands else 0].strip(), block)
    for commands, block in re.findall(r"((?:    lissive [^\n]+\n)+)\n```\n(.*?)```", PAGE, re.DOTALL)
]


@pytest.mark.parametrize(("command", "block"), SHOWN, ids=[command for command, _ in SHOWN])
def test_the_page_shows_what_is_printed(command, block, capsys, monkeypatch, tmp_path):
    words = command.removeprefix("lissive ").replace("examples/", f"{ROOT}/examples/").split()
    monkeypatch.chdir(tmp_path)  # for what is written
    assert main(words) == 0
    printed = capsys.readouterr().out
    place = 0
    for line in block.splitlines():
        if line.strip() not in ("", "..."):
            place = printed.index(line, place)


def test_three_commands_are_shown():
    assert [command.split()[1:3] for command, _ in SHOWN] == [
        ["access", "--jurisdiction"],
        ["access", "compare"],
        ["access", "draft"],
    ]
