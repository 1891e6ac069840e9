"""What docs/concepts/evidence.md shows is what one gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.versions import data_line

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "evidence.md"
SHOWN = re.findall(r"```console\n\$ lissive (.*?)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_shows_commands():
    assert len(SHOWN) == 2


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_every_command_prints_what_stands_below_it(command, output, capsys):
    assert main(command.split()) == 0
    assert capsys.readouterr().out == f"{output}\n{data_line('evidence')}\n"
