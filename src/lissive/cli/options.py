"""Options that several commands have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.errors import EvidenceError, LissiveError

if TYPE_CHECKING:
    from lissive.chunks import How
    from lissive.evidence.read import Studies

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Overwrite even a file that this command reads, or one that no earlier run of it wrote.",
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]

Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="local|ADDRESS",
        help="Compute the chunks on Dask: local (a process for each core), tcp://HOST:PORT or tls://HOST:PORT.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run, from its chunks.")]
Chunks = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Keep each finished chunk here; --cluster and --resume need it. Workers share it.",
    ),
]


@contextmanager
def chunked(cluster: str | None, resume: bool, force: bool, *, kept: bool = True) -> Iterator[How]:
    """How a command's chunks are worked on, with a bar of them; `kept`: there is a folder for them."""
    from lissive.chunks import How
    from lissive.cli.progress import bar

    if not kept and (cluster or resume):
        raise typer.BadParameter(f"{'--cluster' if cluster else '--resume'} needs --chunks FOLDER.")
    if cluster is not None:
        from lissive.cluster import check_address

        check_address(cluster)
    with bar("chunks", 1) as progress:
        yield How(cluster, resume, force, progress, lambda what: print(f"lissive: {what}", file=sys.stderr))


def given_studies(file: Path | None) -> Studies:
    """The user's studies, or those that come with Lissive; what nothing reads of the file is said on stderr."""
    from lissive.evidence.lint import studies_of

    found = studies_of(file)
    for line in found.unread:
        print(f"lissive: {line}", file=sys.stderr)
    return found


def ending(path: Path, endings: tuple[str, ...], option: str) -> None:
    """Refuse a file to write that has another extension, or no folder to be in."""
    if path.suffix.lower() not in endings:
        raise EvidenceError(
            f"Unsupported file extension {path.suffix!r}.",
            where=f"{option} {path}",
            allowed=f"{', '.join(endings)}.",
            do="use one of these extensions.",
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise EvidenceError(
            "This is a folder." if path.is_dir() else f"There is no folder {path.parent}.",
            where=f"{option} {path}",
            do="correct the path, or create the folder.",
        )


def folder(path: Path | None, option: str, wrong: type[LissiveError]) -> None:
    """Refuse a folder to write to that is a file, or below one."""
    if path is None:
        return
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir():
        raise wrong(
            f"{option} must be a folder; {'this' if nearest == path else nearest} is a file.",
            where=str(path),
            allowed="a folder, existing or new.",
            do="choose another name.",
        )
    if not os.access(nearest, os.W_OK):
        raise wrong(
            f"nothing may be written to {nearest}.",
            where=f"{option} {path}",
            allowed="a folder that you may write to.",
            do="choose another folder, or allow it (chmod u+w).",
        )
