"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Overwrite even a file that this command reads, or one that no earlier run of it wrote.",
    ),
]
