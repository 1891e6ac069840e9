"""Options that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lissive.evidence.read import Studies

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Overwrite even a file that this command reads, or one that no earlier run of it wrote.",
    ),
]


def given_studies(file: Path | None) -> Studies:
    """The user's studies, or those that come with Lissive; what nothing reads of the file is said on stderr."""
    from lissive.evidence.own_studies import studies_of

    found = studies_of(file)
    for line in found.unread:
        print(f"lissive: {line}", file=sys.stderr)
    return found
