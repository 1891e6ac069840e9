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
    with tempfile.TemporaryDirectory(prefix="lissive-") as folder:
        place = Path(folder)
        _unpack(path, place)
        document = read_sedml(place / _leading(path), how)
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
                    f"{strays[0]} would be unpacked outside of the archive's folder.", where=str(path)
                )
            if (size := sum(each.file_size for each in entries)) > MOST_BYTES:
                raise InterchangeError(
                    f"its files have {size / 1e6:,.0f} MB.",
                    where=str(path),
                    allowed=f"{MOST_BYTES / 1e6:,.0f} MB.",
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
    import libcombine

    archive = libcombine.CombineArchive()
    if not archive.initializeFromArchive(str(path)):
        raise InterchangeError(
            "it has no manifest that can be read.",
            where=str(path),
            allowed="an OMEX archive with manifest.xml.",
        )
    try:
        entries = [archive.getEntry(k) for k in range(archive.getNumEntries())]
        found = [(e.getLocation(), bool(e.getMaster())) for e in entries if "sed-ml" in e.getFormat().lower()]
    finally:
        archive.cleanUp()
    leading = [location for location, master in found if master or len(found) == 1]
    if len(leading) != 1:
        names = ", ".join(location for location, _ in found)
        raise InterchangeError(
            f"it has {len(found)} SED-ML files{f' ({names})' if names else ''}, and none of them leads.",
            where=str(path),
            allowed="one SED-ML file, or one that is the master.",
            do="unpack it, and run the .sedml file that is meant.",
        )
    return leading[0]


def write_omex(course: Course, out: Path) -> None:
    """A model and its course as one archive."""
    need("libcombine", "OMEX archives")
    import libcombine

    sedml, sbml = course_texts(course, "model.xml")
    archive = libcombine.CombineArchive()
    archive.addFileFromString(sbml, "model.xml", f"{FORMATS}sbml.level-3.version-2", False)
    archive.addFileFromString(sedml, "run.sedml", f"{FORMATS}sed-ml.level-1.version-4", True)
    with atomic_path(out) as place:
        if not archive.writeToFile(str(place)):
            raise InterchangeError("the archive cannot be written.", where=str(out))
