"""All checks, in the order in which they are run, and their examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lissive.check import evidence, model, origin, rules, shape, values
from lissive.check.tables import Fault, Tables
from lissive.errors import LissiveError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    where: str
    """`file:line`."""
    check: str
    message: str


@dataclass(frozen=True)
class Check:
    """One check: what it is called, what it asks of the tables, and the function that looks."""

    id: str
    asks: str
    look: Callable[[Tables], Iterator[Fault]]


@dataclass(frozen=True)
class Example:
    """Files that pass a check, files that do not, and what is found in those."""

    passes: Mapping[str, str]
    fails: Mapping[str, str]
    finds: Sequence[str]
    """`file:line: message`, all of them."""


CHECKS = (
    Check("letters", "Files are UTF-8 with plain ends of lines, without signs that cannot be seen.", shape.letters),
    Check("blanks", "No cell has blanks around it, no line is empty, and the last line has an end.", shape.blanks),
    Check("heading", "Each column has a name, once; a known table has the columns that it should.", shape.heading),
    Check("cells", "Each row has as many cells as the table has columns.", shape.cells),
    Check("numbers", "What should be a number is one, and finite.", shape.numbers),
    Check("twice", "No row comes twice, and a parameter of the model stands in one table only.", shape.twice),
    Check("provenance", "How a number came to be is said in a word that is known.", origin.provenance),
    Check("measured", "A measured number names who measured it.", origin.measured),
    Check("fitted", "A fitted number names the data that it was fitted to.", origin.fitted),
    Check("sources-known", "Every key of a source is in its table of sources.", origin.sources_known),
    Check("sources-used", "Every source is named by a row, as its source or in its note.", origin.sources_used),
    Check("sources-written", "Every source has a citation; DOI and address look like one.", origin.sources_written),
    Check("units", "Every unit can be read, or is one of what is counted (counts.tsv).", values.units),
    Check("one-unit", "A parameter has the same unit in every table.", values.one_unit),
    Check("distribution", "A distribution is known, has a spread where it needs one, and fits its value.",
          values.distribution),
    Check("ends", "No cell lies beyond what its column can hold (ends.tsv).", values.ends),
    Check("correlations", "Correlations are of two fitted parameters, each pair once, and can be together.",
          values.correlations),
    Check("bounds", "No value lies beyond the ends that it cannot pass (bounds.tsv).", values.bounds),
    Check("ranges", "No value lies outside the range of the literature (ranges.tsv).", values.ranges),
    Check("unit-ids", "Every unit of a parameter has an id that the model's text can use.", model.unit_ids),
    Check("symbols", "Every symbol of the text has a value, once; every parameter is used.", model.symbols),
    Check("formulas", "The units of the tables go together in the model's formulas (libSBML).", model.formulas),
    Check("names", "Bounds, ranges, interactions and what was fitted name parameters of the model.", model.names),
    Check("causes", "Every cause gives the same parameters, and a case can name it.", model.causes),
    Check("study-form", "A file of studies, reviews or claims has the required fields.", evidence.form),
    Check("study-numbers", "Fields of numbers in a study hold numbers.", evidence.look("numbers")),
    Check("study-fields", "No field of a study is a misspelling of one that is read.", evidence.look("fields")),
    Check("study-scale", "A mean or a difference lies within its scale.", evidence.look("scale")),
    Check("study-signs", "A reported difference has the direction of its groups.", evidence.look("signs")),
    Check("study-sd", "SD is positive and compatible with its scale.", evidence.look("sd")),
    Check("study-se", "No standard error is entered as SD, and no SD as a standard error.",
          evidence.look("se")),
    Check("study-counts", "Events do not exceed participants; percentages agree with their counts.",
          evidence.look("counts")),
    Check("study-randomised", "No more people are analysed than were randomised.", evidence.look("randomised")),
    Check("study-interval", "An interval includes its estimate.", evidence.look("interval")),
    Check("study-patients", "Two entries on the same participants have one key.", evidence.look("patients")),
    Check("study-effect", "No effect is implausibly large.", evidence.look("effect")),
    Check("study-source", "Every figure states its provenance and source.", evidence.look("source")),
    Check("claim-certainty", "A claim states its certainty by rule, and why its own is another.", evidence.certainty),
    Check("study-words", "Patterns are valid and name known outcomes and causes.", evidence.words),
    Check("read", "The model reads every table of its parameters.", model.read),
    Check("rules", "Every file of rules can be read: its fields and nodes are known, its days exist.", rules.readable),
    Check("rule-days", "The versions of a rule follow one another by their days, without overlap or gap.", rules.days),
    Check("rule-sources", "A rule names what was read; what has no source is said to be recalled.", rules.sources),
    Check("rule-quotes", "A quotation has 25 words at most and belongs to a clause.", rules.quotes),
    Check("rule-words", "Every diagnosis, symptom and flag of a rule is in the tables of words.", rules.words),
    Check("rule-codes", "A file of rules is named after its jurisdiction, and every version has a name of its own.",
          rules.codes),
    Check("rule-coverage", "The register of coverage says of every jurisdiction what its file says.", rules.coverage),
)  # fmt: skip


def named(id: str) -> Check:
    """The check of this id, or LissiveError with those that there are."""
    for each in CHECKS:
        if each.id == id:
            return each
    ids = ", ".join(each.id for each in CHECKS)
    raise LissiveError(
        f"There is no check {id!r}.", where="check", allowed=f"{ids}.", do="name one of these."
    )


def check(tables: Tables, only: Iterable[str] | None = None) -> list[Finding]:
    """What is wrong with the tables.

    Parameters
    ----------
    only : ids of checks; all if not given.
    """
    chosen = CHECKS if only is None else [named(id) for id in only]
    return [Finding(where, each.id, message) for each in chosen for where, message in each.look(tables)]


@cache
def examples() -> Mapping[str, Example]:
    """Check to its examples, from examples/*.yaml."""
    import yaml

    files = sorted((Path(__file__).parent / "examples").glob("*.yaml"))
    every = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    return {id: Example(**each) for found in every for id, each in found.items()}
