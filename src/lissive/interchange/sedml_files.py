"""The results of a SED-ML file or an OMEX archive as files."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lissive.errors import InterchangeError
from lissive.files import atomic_path, write_csv, write_rows
from lissive.interchange.omex import open_omex
from lissive.interchange.record import claim, keep, made_of, whole_folder
from lissive.interchange.sedml import read_sedml
from lissive.simulation.engine import METHOD


def run_to_files(path: Path, out: Path, *, force: bool = False, **how: Any) -> dict[str, Any]:
    """The tables of a SED-ML file or an OMEX archive, one as a .csv or all in a folder; gives what is reported."""
    opened = open_omex(path, how) if path.suffix.lower() == ".omex" else nullcontext(read_sedml(path, how))
    with opened as document:
        digest = made_of(document.files, how)
        reads = [path, *document.files]
        claim(out, digest, reads=reads, force=force)
        tables = document.run()
        about = {
            "made_from": str(path),
            "tables": {each.name: list(each.columns) for each in tables},
            "rows": {each.name: len(next(iter(each.columns.values()))) for each in tables},
            "notes": document.notes,
            "solver": {"method": METHOD, **how},
        }
        if out.suffix != ".csv":
            with whole_folder(out, digest, about) as place:
                for each in tables:
                    write_csv(place / f"{each.name}.csv", each.rows)
            return about
        if len(tables) > 1:
            names = ", ".join(each.name for each in tables)
            raise InterchangeError(
                f"there are {len(tables)} tables ({names}), and --out is one file.",
                where=str(out),
                allowed="a folder.",
                do="name a folder.",
            )
        with atomic_path(out) as place, place.open("w", encoding="utf-8", newline="") as file:
            write_rows(file, tables[0].rows)
            keep(out, digest, about)
        return about
