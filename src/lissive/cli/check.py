"""`lissive check`: is what the tables say sound, and does it say where it comes from?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissive.cli.options import AsJson

if TYPE_CHECKING:
    from lissive.check import Finding, Tables


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    tables: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Check these parameter tables in place of the model's own."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="CHECK", help="Say what one check looks at, with its examples.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every table that comes with lissive: form, units, sources, provenance, ranges, names."""
    from lissive.check import check as findings_in
    from lissive.check import shipped

    if explain is not None:
        print(_explained(explain))
        return
    looked_at = shipped(tables)
    found = findings_in(looked_at)
    print(_json(looked_at, found, shipped_ones=tables is None) if as_json else _text(looked_at, found))
    if found:
        raise typer.Exit(1)


def _text(tables: Tables, found: list[Finding]) -> str:
    from lissive.check import CHECKS

    result = {0: "no findings", 1: "1 finding"}.get(len(found), f"{len(found)} findings")
    lines = [f"{each.where}  {each.check}  {each.message}" for each in found]
    lines.append(f"{len(tables.tables)} tables, {tables.row_count} rows, {len(CHECKS)} checks: {result}.")
    return "\n".join(lines)


def _json(tables: Tables, found: list[Finding], *, shipped_ones: bool) -> str:
    from lissive.check import CHECKS
    from lissive.versions import stamped

    answer: dict[str, Any] = {
        "tables": len(tables.tables),
        "rows": tables.row_count,
        "checks": {each.id: each.asks for each in CHECKS},
        "findings": [asdict(each) for each in found],
    }
    return json.dumps(stamped(answer) if shipped_ones else answer)


def _explained(id: str) -> str:
    """What a check asks, files that pass it, files that do not, and what it then says."""
    from lissive.check import check as findings_in
    from lissive.check import examples, from_texts, named

    one, example = named(id), examples()[named(id).id]
    found = findings_in(from_texts(example.fails), only=[id])
    said = [f"{each.where}  {each.check}  {each.message}" for each in found]
    parts = [f"{id}: {one.asks}", f"Passes:\n\n{_files(dict(example.passes))}"]
    return "\n\n".join([*parts, f"Does not pass:\n\n{_files(dict(example.fails))}", *said])


def _files(files: dict[str, str]) -> str:
    return "\n\n".join(f"  {name}\n{_indented(text)}" for name, text in files.items())


def _indented(text: str) -> str:
    """The lines, with a mark for what is not to be seen."""
    shown = text.replace("\t", " | ").replace("\ufffd", "\\ufffd").replace("\r", "\\r")
    return "\n".join(f"    {line}" for line in shown.removesuffix("\n").split("\n"))
