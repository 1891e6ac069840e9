"""From SBML or Antimony to `Equations`.

>>> read_antimony("J: A -> ; k*A; A = 5; k = 2").states
('A',)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lissive.errors import ModelError
from lissive.model.equations import Equations
from lissive.model.reading import Reading
from lissive.model.source import Source, parse_antimony, parse_sbml

SHIPPED = ("lissive", "benson2014")
"""Models that come with the package, by name."""


def load(name_or_path: str | Path) -> Equations:
    """The equations of a shipped model (see SHIPPED), an Antimony file (.ant) or an SBML file (.xml)."""
    given = str(name_or_path)
    if given == "lissive":
        from lissive.model.compose import lissive_text

        return read_antimony(lissive_text(), "lissive")
    if given in SHIPPED:
        file = Path(__file__).parent / "text" / f"{given}.ant"
        return read_antimony(file.read_text(encoding="utf-8"), file.name)
    path = Path(given)
    reader = {".ant": read_antimony, ".xml": read_sbml, ".sbml": read_sbml}.get(path.suffix.lower())
    if reader is None or not path.is_file():
        fault = "is no model that comes with lissive" if reader is None else "is not there"
        raise ModelError(
            f'"{given}" {fault}.',
            allowed=f"{', '.join(SHIPPED)}; or the path of an Antimony (.ant) or SBML file (.xml, .sbml).",
            do="correct the name or the path.",
        )
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(
            f"it cannot be read ({fault}).",
            where=given,
            allowed="a text file in UTF-8.",
            do="check the file.",
        ) from None
    return reader(content, given)


def read_sbml(text: str, source_name: str = "model.xml") -> Equations:
    """The equations in an SBML text (Level 1 to Level 3 Version 2).

    Raises       ModelError with file and line, where the text is faulty or holds what is out of scope.
    """
    return _read(parse_sbml(text, source_name))


def read_antimony(text: str, source_name: str = "model.ant") -> Equations:
    """The equations in an Antimony text.

    Raises       ModelError with file and line, where the text is faulty or holds what is out of scope.
    """
    return _read(parse_antimony(text, source_name))


def _read(source: Source) -> Equations:
    with _deep():
        return Reading(source).equations()


@contextmanager
def _deep() -> Iterator[None]:
    """Room for long chains of rules: each link costs a few Python frames, and none of the machine's stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 100_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
