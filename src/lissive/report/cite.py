"""What a model, or a run of it, is based on: references, each with the numbers that come from it.

A parameter counts only where it was live: an output that was recorded depends on it, and it was not zero for
good, given what was dosed (see `model.live`).

>>> found = cite("lissive")
>>> [each.citation for each in found.references if each.key == "heuberger2015"][0][:30]
'Heuberger JA et al. Population'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lissive.errors import LissiveError
from lissive.given import path_of
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.live import live_parameters
from lissive.model.parameters import DEFAULT_CAUSE, load_parameters
from lissive.model.read import ENDINGS, SHIPPED, text_of
from lissive.report.rows_used import Used, sources_of, used_rows
from lissive.report.run_record import Record, read_record
from lissive.simulation.solve import model_hash
from lissive.version import __version__

SOFTWARE = (
    f"Lissive {__version__}: a quantitative model of the endocannabinoid system and of what THC and CBD do to "
    "muscle spasms [software]."
)

_SOURCE = re.compile(r"^//\s*Source:(.*(?:\n//[ \t]+\S.*)*)", re.MULTILINE)
_DESCRIBED = re.compile(r"isDescribedBy>(.*?)</\w+:isDescribedBy>", re.DOTALL)
_RESOURCE = re.compile(r'resource="([^"]+)"')
_DOI = re.compile(r"10\.\d{4,}/[^\s,;\"]*[^\s,;.\"]")


@dataclass(frozen=True)
class Reference:
    """One publication, and the numbers that come from it."""

    key: str
    citation: str
    doi: str
    url: str
    rests: tuple[Used, ...]


@dataclass(frozen=True)
class Citation:
    """What a model or a run is based on."""

    what: str
    """The model or run, in words."""
    references: tuple[Reference, ...]
    without_source: tuple[Used, ...]
    """Rows without a source."""
    given: tuple[str, ...]
    """Live parameters that the user or the case set."""
    in_the_file: tuple[str, ...]
    """Live parameters of a model whose numbers stand in its own file."""
    notes: tuple[str, ...]


def cite(what: str | Path) -> Citation:
    """The references of a model, or of a run that was written to a file.

    Parameters
    ----------
    what : `lissive`, `benson2014`, the path of a model (.ant, .xml), of a run (.csv, .parquet, .nc, .zarr, .json),
        or of the folder of a case's report.

    Raises       LissiveError where it is none of these.
    """
    what = str(path_of(what, wrong=LissiveError, name="what"))
    if what in SHIPPED or Path(what).suffix.lower() in ENDINGS:
        return _of_a_model(what)
    return _of_a_run(read_record(Path(what)))


def _of_a_model(name: str) -> Citation:
    equations = load(name)
    everything = set(equations.parameters)
    if name != "lissive":
        references = _named_in_the_text(*text_of(name))
        return Citation(f"model {name}", references, (), (), tuple(sorted(everything)), ())
    what = f"model lissive, cause {DEFAULT_CAUSE}, all parameters"
    references, bare = _grouped(used_rows(DEFAULT_CAUSE, everything, None))
    return Citation(what, references, bare, (), (), ())


def _of_a_run(run: Record) -> Citation:
    equations, notes = _model_of(run)
    live = _live(run, equations) if equations else set()
    given = tuple(sorted(live & run.given.keys()))
    if run.model == "lissive" and run.cause:
        rows = used_rows(run.cause, live, run)
        references, bare = _grouped(rows)
        return Citation(_described(run), references, bare, given, (), notes)
    references = _named_in_the_text(*text_of(_place(run))) if equations else ()
    return Citation(_described(run), references, (), given, tuple(sorted(live - run.given.keys())), notes)


def _place(run: Record) -> str:
    return run.model_file or run.model


def _model_of(run: Record) -> tuple[Equations | None, tuple[str, ...]]:
    """The equations of a run, where they are still to be had, and what there is to say of them."""
    if run.model_file and not Path(run.model_file).is_file():
        return None, (
            f"The model file {run.model_file} no longer exists; the references in it are not listed.",
        )
    if not run.model_file and run.model not in SHIPPED:
        return None, (f"The model {run.model} was not read from a file; its references are not listed.",)
    equations = load(_place(run))
    if model_hash(equations) != run.model_hash:
        return equations, (
            f"The run was made with another version of the model ({run.model_hash}, lissive {run.version}); listed "
            f"are the references of the same run today ({model_hash(equations)}).",
        )
    return equations, ()


def _live(run: Record, equations: Equations) -> set[str]:
    values = dict(equations.parameters)
    if run.cause:
        values |= {name: row.value for name, row in load_parameters(run.cause).items()}
    values |= {name: value for name, value in run.given.items() if value is not None}
    varied = {*run.drawn, *(name for name, value in run.given.items() if value is None)}
    same = {name: value for name, value in values.items() if name not in varied}
    outputs = [name for name in run.outputs if name in equations.quantities]
    return live_parameters(equations, outputs, run.dosed, same)


def _described(run: Record) -> str:
    parts = [
        f"run {run.path}: model {run.model}",
        f"cause {run.cause}" if run.cause else "",
        f"dosed {', '.join(run.dosed)}" if run.dosed else "nothing dosed",
        f"outputs {', '.join(run.outputs)}",
    ]
    return "; ".join(part for part in parts if part)


def _grouped(rows: Iterable[Used]) -> tuple[tuple[Reference, ...], tuple[Used, ...]]:
    """References by key, with their rows; and the rows that name none."""
    found: dict[str, Reference] = {}
    bare: list[Used] = []
    for row in dict.fromkeys(rows):  # a titration has the same row for each of its days
        known = sources_of(row.folder)
        keys = [
            key for key in row.keys if known.get(key, {}).get("seen") != "-"
        ]  # a judgement is no publication
        for key in keys:
            new = found.get(key) or _reference(key, known.get(key))
            found[key] = Reference(new.key, new.citation, new.doi, new.url, (*new.rests, row))
        if not keys:
            bare.append(row)
    return tuple(found[key] for key in sorted(found, key=str.lower)), tuple(bare)


def _reference(key: str, source: dict[str, str] | None) -> Reference:
    if source is not None:
        doi, url = source.get("doi", "-"), source["url"]
        return Reference(key, source["citation"], doi.strip("-"), url.strip("-"), ())
    return Reference(_key_of(key), key, "", "", ())


def _key_of(words: str) -> str:
    """A key for a citation that is given in words: its first word and its year."""
    year = re.search(r"\b(?:19|20)\d\d\b", words)
    return re.sub(r"\W", "", words.split()[0].lower()) + (year[0] if year else "")


def _named_in_the_text(text: str, name: str) -> tuple[Reference, ...]:
    """What a model's own text names: `// Source:` in Antimony, `isDescribedBy` in SBML."""
    found = [" ".join(match.replace("//", " ").split()) for match in _SOURCE.findall(text)]
    found += [each for part in _DESCRIBED.findall(text) for each in _RESOURCE.findall(part)]
    references = []
    for said in dict.fromkeys(found):
        doi = _DOI.search(said)
        is_address = said.startswith("http")
        key = _key_of(said) if not is_address else Path(name).stem
        references.append(Reference(key, said, doi[0] if doi else "", said if is_address else "", ()))
    return tuple(references)
