"""From SBML or Antimony to `Equations`.

>>> read_antimony("J: A -> ; k*A; A = 5; k = 2").states
('A',)
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lissive.cache import store, stored
from lissive.errors import ModelError
from lissive.fingerprint import of_folder, of_texts
from lissive.model.equations import Equations, from_json, to_json
from lissive.model.fit_text import is_sbml

if TYPE_CHECKING:
    from lissive.model.source import Source

SHIPPED = ("lissive", "benson2014")
"""Models that come with the package, by name."""

ENDINGS = (".ant", ".xml", ".sbml")
"""How the files end that are read."""


def load(name_or_path: str | Path, free: Collection[str] = ()) -> Equations:
    """The equations of a shipped model (see SHIPPED), an Antimony file (.ant) or an SBML file (.xml).

    What was read once is kept in the user's cache folder, by the hash of the text and of the reader.

    Parameters
    ----------
    free : states whose initial values are to be parameters without a value, `S(0)` for `S` and `[S](0)` for `[S]`.
        What the model computes from them at its start follows.
    """
    here = Path(__file__).parent
    if str(name_or_path) == "lissive":  # known by its files, so that they need not be put together each time
        origin = of_folder(here / "text", "*.ant") + of_folder(here / "parameters", "*.tsv")
    else:
        origin = "\0".join(text_of(name_or_path))
    key = of_texts(origin, of_folder(here), *sorted(free))
    known = stored(key, ".equations.json")
    if known is not None:
        return from_json(known.decode())
    text, name = text_of(name_or_path)
    equations = read_sbml(text, name, free) if is_sbml(text) else read_antimony(text, name, free)
    store(key, ".equations.json", to_json(equations).encode())
    return equations


def text_of(name_or_path: str | Path) -> tuple[str, str]:
    """The text of a model, Antimony or SBML, and the name that messages call it by."""
    given = str(name_or_path)
    if given == "lissive":
        from lissive.model.compose import lissive_text

        return lissive_text(), "lissive"
    if given in SHIPPED:
        file = Path(__file__).parent / "text" / f"{given}.ant"
        return file.read_text(encoding="utf-8"), file.name
    path = Path(given)
    known = path.suffix.lower() in ENDINGS
    if not known or not path.is_file():
        fault = "is not there" if known else "is no model that comes with lissive"
        raise ModelError(
            f'"{given}" {fault}.',
            allowed=f"{', '.join(SHIPPED)}; or the path of an Antimony (.ant) or SBML file (.xml, .sbml).",
            do="correct the name or the path.",
        )
    try:
        return path.read_text(encoding="utf-8-sig"), given
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(
            f"it cannot be read ({fault}).",
            where=given,
            allowed="a text file in UTF-8.",
            do="check the file.",
        ) from None


def read_sbml(text: str, source_name: str = "model.xml", free: Collection[str] = ()) -> Equations:
    """The equations in an SBML text (Level 1 to Level 3 Version 2).

    Raises       ModelError with file and line, where the text is faulty or holds what is out of scope.
    """
    from lissive.model.source import parse_sbml

    return _read(parse_sbml(text, source_name), free)


def read_antimony(text: str, source_name: str = "model.ant", free: Collection[str] = ()) -> Equations:
    """The equations in an Antimony text.

    Raises       ModelError with file and line, where the text is faulty or holds what is out of scope.
    """
    from lissive.model.source import parse_antimony

    return _read(parse_antimony(text, source_name), free)


def _read(source: Source, free: Collection[str]) -> Equations:
    from lissive.model.reading import Reading

    with _deep():
        return Reading(source, free).equations()


@contextmanager
def _deep() -> Iterator[None]:
    """Depth for long chains of rules: each link costs a few Python frames, and none of the machine's stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 100_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
