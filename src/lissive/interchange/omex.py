"""OMEX: an archive of the COMBINE initiative, which holds a SED-ML file and its models."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from lissive.errors import InterchangeError
from lissive.files import atomic_path
from lissive.interchange import need
from lissive.interchange.by_combine import ask
from lissive.interchange.sedml import Document, read_sedml
from lissive.interchange.sedml_write import Course, course_texts

FORMATS = "http://identifiers.org/combine.specifications/"
MOST_BYTES = 500_000_000
"""Of an archive's files, unpacked."""


@contextmanager
def open_omex(path: Path, how: Mapping[str, Any] | None = None) -> Iterator[Document]:
    """The SED-ML file of an archive, which is unpacked while it is used.

    Raises       InterchangeError for what is no such archive, or has no SED-ML file, or several of which none leads.
    """
    need("libcombine", "OMEX archives")
    need("libsedml", "OMEX archives")
    with tempfile.TemporaryDirectory(prefix="lissive-") as folder:
        place = Path(folder)
        _unpack(path, place)
        document = read_sedml(place / _leading(path), how, place)
        try:
            yield document
        except InterchangeError as fault:
            where = fault.where.replace(f"{place}/", f"{path}: ")
            raise InterchangeError(fault.what, where=where, allowed=fault.allowed, do=fault.do) from None


def _unpack(path: Path, place: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            strays = [
                e.filename
                for e in entries
                if e.filename.startswith("/") or ".." in PurePosixPath(e.filename).parts
            ]
            if strays:
                raise InterchangeError(
                    f"{strays[0]} would be unpacked outside of the archive's folder.",
                    where=str(path),
                    allowed="files below the archive's own folder.",
                    do="do not open it by other means unless you trust it; make the archive anew.",
                )
            if (size := sum(each.file_size for each in entries)) > MOST_BYTES:
                raise InterchangeError(
                    f"its files have {size / 1e6:,.0f} MB.",
                    where=str(path),
                    allowed=f"{MOST_BYTES / 1e6:,.0f} MB.",
                    do="unpack it yourself, and run its SED-ML file.",
                )
            archive.extractall(place)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as fault:
        raise InterchangeError(
            f"it cannot be unpacked ({fault}).",
            where=str(path),
            allowed="an OMEX archive.",
            do="check the file.",
        ) from None


def _leading(path: Path) -> str:
    """The archive's SED-ML file: the master, or the only one."""
    entries = ask("manifest", path=str(path))
    if entries is None:
        raise InterchangeError(
            "it has no manifest that can be read.",
            where=str(path),
            allowed="an OMEX archive with manifest.xml.",
            do="make the archive anew with the tool that it is from.",
        )
    found = [(location, leads) for location, kind, leads in entries if "sed-ml" in kind.lower()]
    leading = [location for location, leads in found if leads or len(found) == 1]
    if len(leading) != 1:
        names = ", ".join(location for location, _ in found)
        raise InterchangeError(
            f"it has {len(found)} SED-ML files{f' ({names})' if names else ''}, and none of them leads.",
            where=str(path),
            allowed="one SED-ML file, or one that is the master.",
            do="unpack it, and run the .sedml file that is meant.",
        )
    return str(leading[0])


def write_omex(course: Course, out: Path) -> None:
    """A model and its course as one archive."""
    sedml, sbml = course_texts(course, "model.xml")
    files = [
        ("model.xml", sbml, f"{FORMATS}sbml.level-3.version-2", False),
        ("run.sedml", sedml, f"{FORMATS}sed-ml.level-1.version-4", True),
    ]
    with atomic_path(out) as place:
        if not ask("pack", path=str(place), files=files) or not place.is_file():
            raise InterchangeError(
                "the archive cannot be written.", where=str(out), do="look for space on the disk."
            )
