"""What a model, or a run of it, is based on: references, each with the numbers that come from it.

A parameter counts only where it was live: an output that was recorded depends on it, and it was not zero for
good, given what was dosed (see `model.live`).

>>> found = cite("lissive")
>>> [each.citation for each in found.references if each.key == "heuberger2015"][0][:30]
'Heuberger JA et al. Population'"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import LissiveError, SimulationError
from lissive.given import path_of
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.live import live_parameters
from lissive.model.parameters import DEFAULT_CAUSE, RECALLED, load_parameters
from lissive.model.read import ENDINGS, SHIPPED, text_of
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, paragraphs, upper_first, wrapped
from lissive.simulation.origin import PROVENANCE_READERS, model_hash
from lissive.table import rows_of
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

    Raises
    ------
    LissiveError
        Where it is none of these.
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
    references = _named_in_the_text(*text_of(run.model_file or run.model)) if equations else ()
    return Citation(_described(run), references, (), given, tuple(sorted(live - run.given.keys())), notes)


def _model_of(run: Record) -> tuple[Equations | None, tuple[str, ...]]:
    """The equations of a run, where they are still to be had, and what there is to say of them."""
    if run.model_file and not Path(run.model_file).is_file():
        return None, (
            f"The model file {run.model_file} no longer exists; the references in it are not listed.",
        )
    if not run.model_file and run.model not in SHIPPED:
        return None, (f"The model {run.model} was not read from a file; its references are not listed.",)
    equations = load(run.model_file or run.model)
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
        # a judgement is no publication
        keys = [key for key in row.keys if known.get(key, {}).get("seen") != "-"]
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


# -- text, JSON and BibTeX -------------------------------------------------------------------------
def cite_text(found: Citation) -> str:
    """References, each with the numbers that come from it; then numbers without a source; then the software."""
    parts = [wrapped(f"{upper_first(found.what)}.", hanging="  ")]
    if found.references:
        is_unread = any(row.is_recalled for one in found.references for row in one.rests)
        note = f" {UNVERIFIED_NOTE}." if is_unread else ""
        parts.append(f"References: {len(found.references)}.{note}")
        parts += [_reference_text(each) for each in found.references]
    else:
        parts.append("No references.")
    parts += _without_source(found)
    parts += [wrapped(note, hanging="  ") for note in found.notes]
    return paragraphs([*parts, f"Software:\n{wrapped(SOFTWARE, '  ')}"])


def _without_source(found: Citation) -> list[str]:
    """Numbers without a source, the assumed first."""
    lists: dict[str, list[str]] = {}
    for row in sorted(found.without_source, key=lambda row: (row.provenance != "assumed", row.provenance)):
        lists.setdefault(f"{upper_first(row.provenance)}, without a source", []).append(row.name)
    lists["Set by the user or the case"] = list(found.given)
    lists["In the model file, without individual sources"] = list(found.in_the_file)
    return [
        f"{what}: {len(names)}\n{wrapped(', '.join(names), '  ')}" for what, names in lists.items() if names
    ]


def _reference_text(one: Reference) -> str:
    where = f" doi:{one.doi}" if one.doi and one.doi not in one.citation else ""
    where = where or (f" {one.url}" if one.url and one.url not in one.citation else "")
    head = wrapped(f"[{one.key}] {one.citation}{where}", hanging="  ")
    return f"{head}\n{wrapped(_by_word(one.rests), '  ')}" if one.rests else head


def _by_word(rows: Iterable[Used]) -> str:
    """Names by provenance: `measured: CL_THC; fitted: V1_THC`."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.provenance.replace(" (recalled)", UNVERIFIED), []).append(row.name)
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in groups.items())


def cite_json(found: Citation) -> dict[str, Any]:
    """All of it, plain."""
    return {
        "what": found.what,
        "software": SOFTWARE,
        "references": [
            {
                "key": each.key,
                "citation": each.citation,
                "doi": each.doi or None,
                "url": each.url or None,
                "rests": [_plain(row) for row in each.rests],
            }
            for each in found.references
        ],
        "without_source": [_plain(row) for row in found.without_source],
        "given": list(found.given),
        "in_the_file": list(found.in_the_file),
        "notes": list(found.notes),
    }


def _plain(row: Used) -> dict[str, Any]:
    return {"name": row.name, "provenance": row.provenance, "recalled": row.is_recalled}


def cite_bibtex(found: Citation) -> str:
    """An entry for each reference and one for the software. A citation is one line of text, so it is the title."""
    software = {"title": SOFTWARE.removesuffix(" [software]."), "version": __version__}
    entries = [_entry("lissive", software)]
    for each in found.references:
        year = re.search(r"\b(?:19|20)\d\d\b", each.citation)
        fields = {"title": each.citation, "year": year[0] if year else "", "doi": each.doi, "url": each.url}
        entries.append(_entry(each.key, fields))
    return "\n\n".join(entries)


def _entry(key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{_escaped(name, text)}}}," for name, text in fields.items() if text]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _escaped(name: str, text: str) -> str:
    """BibTeX's own signs as text; a DOI and an address are kept as they are."""
    return text if name in ("doi", "url") else re.sub(r"([&%$#_{}])", r"\\\1", text)


# -- rows that a run used --------------------------------------------------------------------------
_PACKAGE = Path(__file__).parents[1]
_PARAMETERS = "model/parameters"
_ENZYME = "cyp2c9_activity"
_RATED = ("course_sd", "course_days", "rating_sd")
_OF_A_PRODUCT = (
    "thc_per_unit cbd_per_unit label_max_per_day morning_from morning_to evening_from evening_to".split()
)
"""Figures of a product that a forecast computes with; the others are limits that a case is held against."""


@dataclass(frozen=True)
class Used:
    """One row that a run used."""

    name: str
    provenance: str
    folder: str
    """The package of the table, whose sources.tsv the keys are in."""
    keys: tuple[str, ...]

    @property
    def is_recalled(self) -> bool:
        return self.provenance.endswith(RECALLED)


def used_rows(cause: str, live: set[str], record: Record | None) -> Iterator[Used]:
    """The rows behind the live parameters, and those of the other tables that a run sampled or a case chose from."""
    given = record.given if record else {}
    drawn = set(record.drawn) if record else set()
    people = {row["name"] for row in _rows(f"{_PARAMETERS}/people.tsv")}
    for name, row in load_parameters(cause).items():
        if name in live and name not in given and not (name in drawn and (name in people or name == _ENZYME)):
            yield Used(name, row.provenance, _PARAMETERS, row.sources)
    yield from _people(live & drawn)
    if record is not None and record.case is not None:
        yield from _of_a_case(record.case, live)


def _people(drawn: set[str]) -> Iterator[Used]:
    """Distributions of patient characteristics, where the run sampled them."""
    for row in _rows(f"{_PARAMETERS}/people.tsv"):
        if row["name"] in drawn or (_ENZYME in drawn and row["name"].startswith("cyp2c9_allele")):
            yield _used(f"people: {row['name']}", row, _PARAMETERS)
    for row in _rows(f"{_PARAMETERS}/genotypes.tsv") if _ENZYME in drawn else ():
        yield _used(f"genotype {row['genotype']}", row, _PARAMETERS)


def _of_a_case(case: Mapping[str, object], live: set[str]) -> Iterator[Used]:
    pair = str(case["cyp2c9"] or "")
    for row in _rows(f"{_PARAMETERS}/genotypes.tsv") if _ENZYME in live else ():
        if row["genotype"] in (pair, "/".join(reversed(pair.split("/")))):
            yield _used(f"genotype {row['genotype']}", row, _PARAMETERS)
    for row in _rows(f"{_PARAMETERS}/interactions.tsv"):
        if row["medicine"] in case["medicines"] and row["parameter"] in live:  # type: ignore[operator]
            yield _used(f"{row['medicine']} on {row['parameter']}", row, _PARAMETERS)
    product = case["product"]
    for row in _rows("case/products.tsv"):
        if row["product"] == product and row["name"] in _OF_A_PRODUCT:
            yield _used(f"{product}: {row['name']}", row, "case")
    for row in _rows("simulation/ratings.tsv"):
        if row["name"] in _RATED:
            yield _used(f"ratings: {row['name']}", row, "simulation")
    if case["titrated"]:
        for row in _rows("case/titration.tsv"):
            if row["product"] == product:
                yield _used(f"{product}: titration by day", row, "case")
        for row in _rows("simulation/titration.tsv"):
            if row["name"] == "other_adverse":  # of trials
                continue
            yield _used(f"titration: {row['name']}", row, "simulation")


def _used(name: str, row: Mapping[str, str], folder: str) -> Used:
    keys = tuple(key.strip() for key in row["source"].split(";") if key.strip() not in ("", "-"))
    return Used(name, row["provenance"], folder, keys)


def sources_of(folder: str) -> dict[str, dict[str, str]]:
    """Key to the row of a package's own sources; empty where it has none and cites in words."""
    place = f"{folder}/sources.tsv"
    return {row["key"]: row for row in _rows(place)} if (_PACKAGE / place).exists() else {}


def _rows(place: str) -> list[dict[str, str]]:
    return rows_of(_PACKAGE / place)


# -- what a written run says of itself -------------------------------------------------------------
ALLOWED = (
    "a shipped model by name, a model's file (.ant, .xml), what `lissive simulate` wrote (.csv, .parquet, .nc, "
    ".zarr), or the JSON or the folder that `lissive case` wrote."
)
_NEEDED = ("model", "model_hash", "outputs", "dosed", "given", "drawn")


@dataclass(frozen=True)
class Record:
    """A run, as its provenance has it."""

    path: Path
    model: str
    model_hash: str
    model_file: str | None
    """Where a model that does not come with lissive was read."""
    cause: str | None
    outputs: tuple[str, ...]
    dosed: tuple[str, ...]
    given: Mapping[str, float | None]
    """Parameters that the user or the case set; null where subjects differ."""
    drawn: tuple[str, ...]
    case: Mapping[str, Any] | None
    """Of a case: product, whether it was titrated, CYP2C9 genotype, medicines that the tables know."""
    version: str


def read_record(path: Path) -> Record:
    """The record of a run.

    Raises       SimulationError where it is not a run of lissive, or does not state what it is based on.
    """
    about = _provenance(path)
    if missing := [name for name in _NEEDED if name not in about]:
        raise SimulationError(
            f"the run does not state its {', '.join(missing)}.",
            where=str(path),
            do="run it again with this version of lissive; a case without a forecast has nothing to cite.",
        )
    try:
        return Record(
            path,
            str(about["model"]),
            str(about["model_hash"]),
            about.get("model_file"),
            about.get("cause"),
            tuple(about["outputs"]),
            tuple(about["dosed"]),
            dict(about["given"]),
            tuple(about["drawn"]),
            about.get("case"),
            str(about.get("lissive_version", "")),
        )
    except (TypeError, AttributeError, ValueError):  # the right names, and something else under them
        raise _no_run(path) from None


def _provenance(path: Path) -> Mapping[str, Any]:
    reader = PROVENANCE_READERS.get(path.suffix)
    if path.is_dir() and path.suffix != ".zarr":
        path = path / "case.json"
        reader = PROVENANCE_READERS[path.suffix]
    if reader is None or not path.exists():
        fault = "does not exist" if reader else "is neither a run nor a model"
        raise SimulationError(f'"{path}" {fault}.', allowed=ALLOWED, do="correct the name or the path.")
    try:
        about = reader(path)
    except (OSError, ValueError, KeyError, RecursionError) as fault:  # what the readers of the formats raise
        raise SimulationError(
            f"it cannot be read as a run ({fault}).",
            where=str(path),
            allowed=ALLOWED,
            do="name another file; beside a .csv its .meta.json has to lie.",
        ) from None
    if not isinstance(about, dict):
        raise _no_run(path)
    return about


def _no_run(path: Path) -> SimulationError:
    do = "name another file."
    return SimulationError("It is not a run of lissive.", where=str(path), allowed=ALLOWED, do=do)
