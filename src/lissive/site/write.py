"""The whole site into a folder: all of it or nothing, never over a folder that holds something else."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

from lissive.access.procedure import refuse_late
from lissive.errors import SimulationError
from lissive.files import atomic_path
from lissive.site import about, changes, evidence, law, products, safety
from lissive.site.build import Page, write_pages

MARKER = "lissive-site.txt"
"""By which an earlier site is known."""


def site_pages(on: datetime.date) -> Iterator[Page]:
    """Every page, as of a day for the rules."""
    validation = about.validated()
    yield from law.pages(on)
    yield from changes.pages(on)
    yield from evidence.pages()
    yield from safety.pages()
    yield from products.pages(on)
    yield from about.pages(validation)


def write_site(
    folder: Path,
    on: datetime.date,
    *,
    force: bool = False,
    told: Callable[[str], None] | None = None,
) -> int:
    """Write the site to a new or empty folder; with `force` in place of an earlier site. Gives the number of pages.

    Raises       SimulationError where the folder holds something, or the day is long after the rules were checked.
    """
    check(folder, on, force=force)
    with atomic_path(folder, folder=True) as place:
        place.mkdir()
        number = write_pages(place, site_pages(on), on, told)
        (place / MARKER).write_text(
            f"Written by lissive site; made for {on.isoformat()}.\n", encoding="utf-8"
        )
    return number


def check(folder: Path, on: datetime.date, *, force: bool = False) -> None:
    """Refuse a folder or a day, before anything is computed."""
    refuse_late(on)
    if folder.exists() and not folder.is_dir():
        raise SimulationError(
            "it is a file.", where=str(folder), allowed="a new or an empty folder.", do="choose another name."
        )
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    ours = (folder / MARKER).is_file()
    if not (ours and force):
        raise SimulationError(
            "the folder holds an earlier site."
            if ours
            else "the folder is not empty, and is no site of this command.",
            where=str(folder),
            allowed="a new or an empty folder.",
            do="add --force to replace the site." if ours else "choose another name.",
        )
