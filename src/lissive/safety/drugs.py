"""Drugs by ingredient, other names and brands, with what they are and what enzymes they meet.

>>> [each.name for each in drugs_of("Percocet")], [each.name for each in drugs_of("diclofenac sodium")]
(['oxycodone', 'paracetamol'], ['diclofenac'])
>>> drugs_of("clobasam"), almost("clobasam")
((), ('clobazam',))
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive.safety._table import HERE, plain, read_table, sources

ENZYMES = frozenset(
    "cyp3a4_strong_inhibitor cyp3a4_moderate_inhibitor cyp3a4_strong_inducer cyp3a4_moderate_inducer cyp3a4_narrow "
    "cyp3a4_substrate cyp2c9_inhibitor cyp2c9_inducer cyp2c9_narrow cyp2c9_substrate cyp2c19_inhibitor "
    "cyp2c19_inducer cyp2c19_substrate cyp1a2_narrow cyp1a2_substrate cyp2b6_substrate ugt_inhibitor ugt_inducer "
    "ugt_substrate pgp_narrow".split()
)
"""What a drug may be to an enzyme; `narrow` is a substrate with a narrow therapeutic index."""

_SALTS = frozenset(
    "sodium potassium calcium magnesium hydrochloride hcl dihydrochloride hydrobromide sulfate sulphate tartrate "
    "mesylate mesilate maleate succinate fumarate citrate acetate phosphate besylate besilate bromide chloride nitrate "
    "dimesylate tosylate monohydrate er xr sr cr xl la ir dr mr pr dt tablets tablet capsules capsule oral patch "
    "patches pump injection suspension syrup".split()
)
"""Words after a name that change nothing here: salts, kinds of release, forms."""
_ROUTES = frozenset("oral intrathecal transdermal intravenous subcutaneous".split())
"""Words before a name that change nothing here."""
_DOSE = re.compile(
    r"( \d+)+ ?(mg|mcg|ug|g|ml|iu|units?)( (per|day|daily|once|twice|nightly|bid|tid|od|bd))*$"
)
_AND = re.compile(r"[/+&,]|\band\b|\bplus\b|\bwith\b", re.IGNORECASE)


@dataclass(frozen=True)
class Drug:
    """One ingredient."""

    name: str
    names: tuple[str, ...]
    """Other names of the ingredient."""
    brands: tuple[str, ...]
    """Common ones of the United States and of Europe; of a combination, in the row of each ingredient."""
    classes: frozenset[str]
    metabolism: Mapping[str, tuple[str, ...]]
    """What it is to enzymes → the sources that say so; none: unverified."""


def read_drugs(path: Path, known_sources: Collection[str]) -> dict[str, Drug]:
    """The table by ingredient.

    Raises       SafetyError with the line: an ingredient twice, an unknown word of metabolism, an unknown source.
    """
    columns = ("drug", "names", "brands", "classes", "metabolism", "source", "metabolism_unverified")
    found = {}
    for row in read_table(path, columns, "drug"):
        cited, metabolism = row.cited(known_sources), dict[str, tuple[str, ...]]()
        for column in ("metabolism_unverified", "metabolism"):
            for word in row.parts(column):
                if word not in ENZYMES:
                    raise row.error(f"{column} has {word!r}.", allowed=f"{', '.join(sorted(ENZYMES))}.")
                metabolism[word] = cited if column == "metabolism" else ()
        if row["metabolism"] and not cited:
            raise row.error("metabolism names no source.", do="name it, or move it to metabolism_unverified.")
        names, brands = row.parts("names", ";"), row.parts("brands", ";")
        classes = frozenset(row.parts("classes"))
        found[row["drug"]] = Drug(row["drug"], names, brands, classes, MappingProxyType(metabolism))
    return found


@cache
def drugs() -> Mapping[str, Drug]:
    return MappingProxyType(read_drugs(HERE / "drugs.tsv", sources()))


@cache
def _called() -> Mapping[str, tuple[Drug, ...]]:
    """Every name and brand, plain, to the ingredients; a brand of a combination has several."""
    found: dict[str, tuple[Drug, ...]] = {}
    for drug in drugs().values():
        for name in {plain(each) for each in (drug.name, *drug.names, *drug.brands)}:
            found[name] = (*found.get(name, ()), drug)
    return MappingProxyType(found)


def drugs_of(name: str) -> tuple[Drug, ...]:
    """The ingredients that a name or a brand stands for; none where it is in no row.

    An ingredient's own name means that one alone, also where a brand is called alike. Of several names in one, as
    losartan/HCTZ, each has to be known.
    """
    if found := _one(name):
        return found
    parts = [_one(each) for each in _AND.split(name)]
    return tuple({drug.name: drug for each in parts for drug in each}.values()) if all(parts) else ()


def _one(name: str) -> tuple[Drug, ...]:
    words = _DOSE.sub("", plain(name)).split()
    return _called_so(words) or (_called_so(words[1:]) if words and words[0] in _ROUTES else ())


def _called_so(words: list[str]) -> tuple[Drug, ...]:
    words = list(words)
    while words:
        said = " ".join(words)
        if (own := drugs().get(said.replace(" ", "_"))) is not None:
            return (own,)
        if said in _called():
            return _called()[said]
        if words[-1] not in _SALTS:
            break
        words.pop()
    return ()


def _pairs(name: str) -> set[str]:
    padded = f" {name} "
    return {padded[at : at + 2] for at in range(len(padded) - 1)}


@cache
def _with_pair() -> Mapping[str, list[str]]:
    """Two letters that follow each other → the names that have them."""
    found: dict[str, list[str]] = {}
    for name in _called():
        for pair in _pairs(name):
            found.setdefault(pair, []).append(name)
    return MappingProxyType(found)


@cache
def almost(name: str) -> tuple[str, ...]:
    """Up to three ingredients whose name, or a brand of theirs, is spelled almost so."""
    said = plain(name)[:60]
    if not said:
        return ()
    shared = Counter(each for pair in sorted(_pairs(said)) for each in _with_pair().get(pair, ()))
    likely = [each for each, _ in shared.most_common(60)]  # to compare letter by letter with all takes long
    near = difflib.get_close_matches(said, likely, n=3, cutoff=0.72)
    return tuple(dict.fromkeys(drug.name for each in near for drug in _called()[each]))[:3]
