"""What all tests share: kernels and models kept apart from the user's own cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def cache_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache for the whole run, whichever worker; nothing of it stays."""
    os.environ["LISSIVE_CACHE"] = str(Path(tmp_path_factory.getbasetemp().parent) / "lissive-cache")
