"""Spoilt inputs of every kind through the commands: an answer or one message, never a traceback, a crash, or a hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lissive.errors import LissiveError
from lissive.files import cell
from lissive.marked import marked_text
from lissive.units import magnitude

from ..conftest import campaign_size

COUNT, SHARES = campaign_size(60, 1000, 6000), campaign_size(1, 2, 2)
"""Inputs, and the tests that they are shared out to: each share first gives every command its right input."""


@pytest.mark.campaign
@pytest.mark.parametrize("share", range(SHARES))
def test_spoilt_input_is_answered_or_refused(share: int) -> None:
    count = COUNT // SHARES
    words = ["--count", str(count), "--first", str(share * count), "--processes", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.campaign", *words],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_patterns_of_numbers_are_linear_in_the_digits() -> None:
    """A number of 140,000 digits (input 2624) that ends wrongly: a pattern that backtracks would take minutes."""
    digits = "9" * 140_000
    assert cell(f"-{digits}x") == f"'-{digits}x"
    read, _ = marked_text(f"a: {digits}x\n", Path("a.yaml"), wrong=LissiveError, example="a: 1")
    assert read == {"a": f"{digits}x"}
    with pytest.raises(LissiveError):
        magnitude(f"{digits}!", "mg")
