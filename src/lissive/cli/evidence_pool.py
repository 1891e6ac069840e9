"""`lissive evidence pool`, `forest`, `reproduce`, `page`: the numbers of several studies together."""

from __future__ import annotations

import typer


def register(group: typer.Typer) -> None:
    """Nothing yet."""
