"""Spoilt inputs of every kind through the commands: an answer or one message, never a traceback, a crash, or a hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import campaign_size

SHARES = 2
"""Tests that the inputs are shared out to, so that two workers have one each."""


@pytest.mark.campaign
@pytest.mark.parametrize("share", range(SHARES))
def test_spoilt_input_is_answered_or_refused(share: int) -> None:
    count = campaign_size(300, 1000, 6000) // SHARES
    words = ["--count", str(count), "--first", str(share * count), "--processes", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.campaign", *words],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
