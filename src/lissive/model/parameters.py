"""The model's numbers as typed rows, read from `parameters/*.tsv`; each mistake is named by file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from lissive.errors import ParameterError
from lissive.table import TableRow, read_table

FOLDER = Path(__file__).parent / "parameters"
DEFAULT_CAUSE = "multiple_sclerosis"
ONE_ROW = "keep one of the rows."
MODULES = (
    "person absorption thc cbd receptors tone tolerance inflammation excitability spasm pain adverse"
    " placebo hypotheses"
).split()
COLUMNS = "name value unit distribution spread provenance species source note".split()
PROVENANCE = ("measured", "calculated", "fitted", "fixed", "assumed", "unknown")
RECALLED = " (recalled)"

Distribution = Literal["fixed", "lognormal", "logitnormal", "normal", "bernoulli"]


_Kind = TypeVar("_Kind", bound=BaseModel)


class _Sourced(BaseModel):
    """What every row says about where its number comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    provenance: str
    source: str
    """`-`, or keys of sources.tsv, separated by `;`."""
    note: str = ""

    @field_validator("provenance")
    @classmethod
    def _is_known_provenance(cls, word: str) -> str:
        if word.removesuffix(RECALLED) not in PROVENANCE:
            raise ValueError(
                f"provenance {word!r} is unknown; one of {', '.join(PROVENANCE)}, "
                f"with '{RECALLED.strip()}' or without"
            )
        return word

    @property
    def sources(self) -> tuple[str, ...]:
        return () if self.source == "-" else tuple(self.source.split(";"))


class Parameter(_Sourced):
    """One parameter: its typical value, how it differs between people, and where it comes from.

    >>> load_parameters()["BP_THC"].value
    0.63
    """

    name: str
    unit: str
    distribution: Distribution
    spread: float | None
    """Standard deviation between people on the transformed scale; of `bernoulli` the proportion of 1, the rest
    having the value; None where fixed."""
    species: str

    @field_validator("spread", mode="before")
    @classmethod
    def _empty_is_none(cls, text: object) -> object:
        return None if text == "" else text

    @field_validator("name", "unit", "species", "source")
    @classmethod
    def _is_there(cls, text: str) -> str:
        if not text:
            raise ValueError("is empty; write `1` for a dimensionless unit and `-` for what does not apply")
        return text

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.distribution == "fixed" and self.spread is not None:
            raise ValueError(f"{self.name} has a spread of {self.spread} and no distribution")
        if self.distribution != "fixed" and (self.spread is None or self.spread <= 0):
            raise ValueError(f"{self.name} is {self.distribution} and has no spread over 0")
        if self.distribution == "lognormal" and self.value <= 0:
            raise ValueError(f"{self.name} is lognormal and its value {self.value} is not over 0")
        if self.distribution == "logitnormal" and not 0 < self.value < 1:
            raise ValueError(f"{self.name} is logitnormal and its value {self.value} is not between 0 and 1")
        if self.distribution == "bernoulli" and not (self.value == 0 and (self.spread or 0.0) < 1):
            raise ValueError(f"{self.name} is bernoulli: its value must be 0, and its spread a proportion")
        return self


class Genotype(_Sourced):
    """What a CYP2C9 genotype leaves of the enzyme; `value` is for the parameter `cyp2c9_activity`."""

    genotype: str


class Liver(_Sourced):
    """What a class of liver disease (Child-Pugh) leaves of the liver; `value` is for `liver_function`."""

    class_name: str


class Interaction(_Sourced):
    """What a medicine makes of one enzyme activity; `value` is for the parameter named."""

    medicine: str
    parameter: str


class Range(BaseModel):
    """The ends between which the literature has a parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    lower: float
    upper: float
    unit: str
    source: str
    note: str


class Source(BaseModel):
    """One publication."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    citation: str
    doi: str
    url: str


def load_parameters(cause: str = DEFAULT_CAUSE, folder: Path = FOLDER) -> dict[str, Parameter]:
    """All parameters of the model by name, with the values of one cause.

    Parameters
    ----------
    cause : a cause of causes.tsv.
    folder : where the tables are.

    Raises
    ------
    ParameterError
        If a row is wrong (with its file and line), a name comes twice, a source is not in sources.tsv, or
        the cause is not in causes.tsv.
    """
    known = set(load_sources(folder))
    found: dict[str, Parameter] = {}
    places: dict[str, str] = {}
    for module in MODULES:
        for place, cells in _rows(folder / f"{module}.tsv", COLUMNS):
            _add(found, places, _typed(Parameter, cells, place), place, known)
    causes = load_causes(folder)
    if cause not in causes:
        raise ParameterError(
            f"There is no cause {cause!r}.",
            where="causes.tsv",
            allowed=f"{', '.join(causes)}.",
            do="name one of these causes.",
        )
    for name, row in causes[cause].items():
        if name in found:
            raise ParameterError(
                f"{name} stands here and in causes.tsv.", where=places[name], do="Keep one of them."
            )
        found[name] = row
    return found


def load_causes(folder: Path = FOLDER) -> dict[str, dict[str, Parameter]]:
    """Cause to its own parameters by name. Every cause names the same parameters, or ParameterError."""
    known = set(load_sources(folder))
    causes: dict[str, dict[str, Parameter]] = {}
    places: dict[str, dict[str, str]] = {}
    for place, cells in _rows(folder / "causes.tsv", ["cause", *COLUMNS]):
        cause = cells.pop("cause")
        row = _typed(Parameter, cells, place)
        _add(causes.setdefault(cause, {}), places.setdefault(cause, {}), row, place, known)
    names = {name for rows in causes.values() for name in rows}
    for cause, rows in causes.items():
        if missing := sorted(names - set(rows)):
            raise ParameterError(
                f"{cause} gives no {', '.join(missing)}; other causes do.",
                where="causes.tsv",
                allowed="the same parameters for every cause.",
                do=f"add a row of {cause} for each of these.",
            )
    return causes


def load_genotypes(folder: Path = FOLDER) -> dict[str, Genotype]:
    """CYP2C9 genotype to its activity relative to *1/*1.

    >>> load_genotypes()["*1/*1"].value
    1.0
    """
    found: dict[str, Genotype] = {}
    for place, cells in _rows(
        folder / "genotypes.tsv", "genotype cyp2c9_activity provenance source note".split()
    ):
        cells["value"] = cells.pop("cyp2c9_activity")
        row = _typed(Genotype, cells, place)
        _known_sources(row, place, set(load_sources(folder)))
        if row.genotype in found:
            raise ParameterError(f"{row.genotype} comes twice.", where=place, do=ONE_ROW)
        found[row.genotype] = row
    return found


def load_liver(folder: Path = FOLDER) -> dict[str, Liver]:
    """Class of liver disease to the share of the liver that works.

    >>> sorted(load_liver())
    ['mild', 'moderate', 'severe']
    """
    found: dict[str, Liver] = {}
    for place, cells in _rows(folder / "liver.tsv", "class liver_function provenance source note".split()):
        cells["value"], cells["class_name"] = cells.pop("liver_function"), cells.pop("class")
        row = _typed(Liver, cells, place)
        _known_sources(row, place, set(load_sources(folder)))
        found[row.class_name] = row
    return found


def load_interactions(folder: Path = FOLDER) -> dict[str, dict[str, Interaction]]:
    """Medicine to the parameters it sets. Two medicines on one parameter multiply.

    >>> sorted(load_interactions())
    ['fluconazole', 'itraconazole', 'ketoconazole', 'omeprazole', 'rifampicin']
    """
    found: dict[str, dict[str, Interaction]] = {}
    for place, cells in _rows(
        folder / "interactions.tsv", "medicine parameter value provenance source note".split()
    ):
        row = _typed(Interaction, cells, place)
        _known_sources(row, place, set(load_sources(folder)))
        if row.parameter in found.setdefault(row.medicine, {}):
            raise ParameterError(f"{row.medicine} sets {row.parameter} twice.", where=place, do=ONE_ROW)
        found[row.medicine][row.parameter] = row
    return found


def load_sources(folder: Path = FOLDER) -> dict[str, Source]:
    """Key to publication."""
    found: dict[str, Source] = {}
    for place, cells in _rows(folder / "sources.tsv", "key citation doi url".split()):
        row = _typed(Source, cells, place)
        if row.key in found:
            raise ParameterError(f"{row.key} comes twice.", where=place, do=ONE_ROW)
        found[row.key] = row
    return found


def place_of(name: str, folder: Path = FOLDER) -> str:
    """File and line of a parameter's row, for a message; the first one where it stands in causes.tsv."""
    for module in MODULES:
        for place, cells in _rows(folder / f"{module}.tsv", COLUMNS):
            if cells["name"] == name:
                return place
    for place, cells in _rows(folder / "causes.tsv", ["cause", *COLUMNS]):
        if cells["name"] == name:
            return place
    return ""


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Place (`file:line`) and cells of each row."""
    for row in read_table(path, columns, ParameterError, TableRow, shown=path.name):
        yield row.where, row.cells


def _typed(kind: type[_Kind], cells: Mapping[str, str], place: str) -> _Kind:
    try:
        return kind.model_validate(cells)
    except ValidationError as mistake:
        first = mistake.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ParameterError(
            f"{column}: {message}." if column else f"{message}.",
            where=place,
            do="correct this row of the table.",
        ) from None


def _add(
    found: dict[str, Parameter], places: dict[str, str], row: Parameter, place: str, known: set[str]
) -> None:
    if row.name in found:
        raise ParameterError(f"{row.name} comes twice; first at {places[row.name]}.", where=place, do=ONE_ROW)
    _known_sources(row, place, known)
    found[row.name], places[row.name] = row, place


def _known_sources(row: _Sourced, place: str, known: set[str]) -> None:
    for key in row.sources:
        if key not in known:
            raise ParameterError(f"source {key!r} is not in sources.tsv.", where=place, do="Add it there.")


def load_people(folder: Path = FOLDER) -> dict[str, Parameter]:
    """What people are like where nothing is known of them: weight, shares of alleles.

    >>> load_people()["weight"].unit
    'kg'
    """
    known = set(load_sources(folder))
    found: dict[str, Parameter] = {}
    places: dict[str, str] = {}
    for place, cells in _rows(folder / "people.tsv", COLUMNS):
        _add(found, places, _typed(Parameter, cells, place), place, known)
    return found


def load_bounds(folder: Path = FOLDER) -> dict[str, tuple[float, float]]:
    """Parameter to the ends that its values cannot pass, as those of a rating scale.

    >>> load_bounds()["NRS0"]
    (0.0, 10.0)
    """
    return {
        cells["name"]: (float(cells["lower"]), float(cells["upper"]))
        for _, cells in _rows(folder / "bounds.tsv", "name lower upper unit note".split())
    }


def load_ranges(folder: Path = FOLDER) -> dict[str, Range]:
    """Parameter to the range in which the literature has it; a parameter of which none is stated is absent.

    >>> load_ranges()["CL_THC"].upper
    60.0
    """
    columns = "name lower upper unit source note".split()
    return {
        cells["name"]: _typed(Range, cells, place) for place, cells in _rows(folder / "ranges.tsv", columns)
    }


def load_limits(folder: Path = FOLDER) -> dict[str, tuple[tuple[str, ...], str]]:
    """Parameter to what it has to be below, as the equations have it: names or numbers to be multiplied, and why.

    >>> load_limits()["CL_THC"][0]
    ('BP_THC', 'Q_liver')
    """
    return {
        cells["name"]: (tuple(cells["below"].split("*")), cells["note"])
        for _, cells in _rows(folder / "limits.tsv", "name below unit note".split())
    }
