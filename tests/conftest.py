"""What all tests share: kernels and models kept apart from the user's own cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def cache_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache for the whole run, whichever worker; nothing of it stays."""
    os.environ["LISSIVE_CACHE"] = str(Path(tmp_path_factory.getbasetemp().parent) / "lissive-cache")


def campaign_size(test: int, ci: int, full: int) -> int:
    """How many random inputs a campaign draws: by LISSIVE_CAMPAIGN, which is nothing, `ci` or `full`.

    Such a test is marked `campaign`, and imports this from its conftest by `from ..conftest import`.
    """
    return {"": test, "ci": ci, "full": full}[os.environ.get("LISSIVE_CAMPAIGN", "")]
