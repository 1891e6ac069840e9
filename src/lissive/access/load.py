"""The rules of all jurisdictions, from their files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive.access.rule import Jurisdiction
from lissive.errors import RuleError
from lissive.given import text_of
from lissive.typed import nearest, read_typed

DATA = Path(__file__).parent / "data"
FOLDERS = ("us", "world")


def read_jurisdiction(path: str | Path, *, shipped: bool = False) -> Jurisdiction:
    """The rules in one file.

    Raises       RuleError with file and line of each finding.
    """
    return read_typed(
        path,
        Jurisdiction,
        RuleError,
        example="code: US-NY",
        thing="the jurisdiction",
        shipped=shipped,
    )


def paths() -> list[Path]:
    """The files, in order of their names."""
    return [path for folder in FOLDERS for path in sorted((DATA / folder).glob("[!_]*.yaml"))]


@cache
def files() -> Mapping[str, Path]:
    """The file of each jurisdiction by its code, which is its name: states and territories, then countries."""
    prefix = {"us": "US-", "world": ""}
    return MappingProxyType({f"{prefix[path.parent.name]}{path.stem.upper()}": path for path in paths()})


@cache
def _shipped(code: str) -> Jurisdiction:
    return read_jurisdiction(files()[code], shipped=True)


@cache
def rules() -> Mapping[str, Jurisdiction]:
    """Every jurisdiction by its code, in the order of `files`."""
    return MappingProxyType({code: _shipped(code) for code in files()})


def jurisdiction(code: str, known: Mapping[str, Jurisdiction] | None = None) -> Jurisdiction:
    """The jurisdiction of a code or a name, whatever its case.

    Raises       RuleError with the nearest.

    >>> jurisdiction("us-ny").name, jurisdiction("New York").code
    ('New York', 'US-NY')
    """
    wanted = text_of("jurisdiction", code, wrong=RuleError, example="US-NY").strip()
    if known is None and wanted.upper() in files():
        return _shipped(wanted.upper())  # one file is read, not all
    known = rules() if known is None else known
    if wanted.upper() in known:
        return known[wanted.upper()]
    names = {each.name.lower(): each for each in known.values()}
    if wanted.lower() in names:
        return names[wanted.lower()]
    raise RuleError(
        f"Unknown jurisdiction {code!r}.{_near(wanted, known, names)}",
        where="jurisdiction",
        allowed=f"{', '.join(known)}.",
        do="write a code, as US-NY or GB; `lissive access coverage` lists them.",
    )


def _near(wanted: str, known: Mapping[str, Jurisdiction], names: Mapping[str, Jurisdiction]) -> str:
    """A sentence with the code that was probably meant, or nothing."""
    state = known.get(f"US-{wanted.upper()}")
    if state is None:
        near = nearest(wanted.lower(), [*(each.lower() for each in known), *names])
        word = near.removeprefix(" Did you mean ").removesuffix("?")
        state = names.get(word) or known.get(word.upper())
    return f" Did you mean {state.code} ({state.name})?" if state else ""
