"""`lissive evidence`: what the published studies say, with a source for every number."""

from __future__ import annotations

from importlib import import_module

import typer


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What the studies say: list, show, claims, export; pool, forest, reproduce, page.",
        no_args_is_help=True,
    )
    import_module("lissive.cli.evidence_pool").register(group)
    app.add_typer(group, name="evidence")
