"""What a trial studied, in the words of the tables: cause, design, product, participants."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from lissive.case.vocabulary import meant
from lissive.errors import EvidenceError
from lissive.evidence.read import Located, Studies, design_of
from lissive.evidence.words import NOT_USED, find, slug
from lissive.given import text_of
from lissive.publications.tables import number


@dataclass(frozen=True)
class About:
    """What one trial studied, in the words of the tables."""

    study: str
    label: str
    cause: str
    design: str
    """parallel, enriched, withdrawal, crossover; `-` without a control group."""
    product: str
    patients: str
    why: str = ""
    """Why nothing of it can be compared; empty where it can."""
    design_effect: float = 1.0
    """By which a cluster trial has fewer participants than it counts: 1 + (cluster size - 1) icc."""


def about(entry: Located) -> About:
    """Cause, design and product of a trial: as the file names them, otherwise from its words."""
    row, size = entry.row, 1.0
    said = getattr(row, "design", None) or ""
    if isinstance(said, str):
        stated = getattr(row, "cause", None) or ""
        found, made = find("causes", stated), find("products", getattr(row, "intervention", None) or "")
        cause = found.word if found else slug(stated) if entry.own is not None else ""
        product = made.word if made else ""
        design, why = _compared(entry)
        if not why and "cluster" in said.lower():
            size, why = _design_effect(entry)
    else:
        cause, product = said.cause or "", said.product or ""
        design, why = design_of(entry)
        design = NOT_USED if why else design
    if row.rejected:
        why = f"rejected: {row.rejected}"
    patients = getattr(row, "patients", None) or entry.people or entry.id
    return About(
        entry.id, label_of(entry.id, row.citation or ""), cause, design, product, patients, why, size
    )


def _compared(entry: Located) -> tuple[str, str]:
    """Kind of the design, and why nothing can be compared, from the words of an entry."""
    row = entry.row
    design, note = design_of(entry)
    why = note if design == NOT_USED else ""
    if design == "parallel" and getattr(row, "enriched", None):
        design = "enriched"
    if entry.kind != "trial":
        return NOT_USED, "observational, without a control group"
    if getattr(row, "randomised", None) is False:
        return NOT_USED, "not randomised"
    against = find("comparators", getattr(row, "comparator", None) or "control")
    if not why and (against is None or against.word == NOT_USED):
        return NOT_USED, f"compared with {getattr(row, 'comparator', '')}, not placebo"
    return design, why


def _design_effect(entry: Located) -> tuple[float, str]:
    """Of a cluster trial, and why it has none (Cochrane Handbook 23.1.4)."""
    icc, size = (number(getattr(entry.row, name, None)) for name in ("icc", "cluster_size"))
    if icc is None or size is None:
        return (
            1.0,
            "a cluster trial without its intracluster correlation and cluster size (icc, cluster_size)",
        )
    if not 0.0 <= icc < 1.0 or size < 1.0:
        return 1.0, f"icc {icc:g} with a cluster size of {size:g} is impossible (0 to below 1; 1 or more)"
    return 1.0 + (size - 1.0) * icc, ""


def cause_word(studies: Studies, cause: str | None) -> str | None:
    """The word of a cause that is given as a study has it (MS); any other unchanged."""
    if cause is None or text_of("cause", cause, wrong=EvidenceError, example="als") in studies.causes:
        return cause
    stated = (about(each).cause for each in studies.trials if getattr(each.row, "cause", None) == cause)
    return next((word for word in stated if word), None) or meant("cause", cause, studies.causes)


def label_of(id: str, citation: str = "") -> str:
    """The id as it is printed: its words as the citation spells them, where it has them.

    >>> label_of("zajicek_2012_MUSEC"), label_of("nct01606176_gw"), label_of("vandedonk_2019", "van de Donk T, et al.")
    ('Zajicek 2012 MUSEC', 'NCT01606176 GW', 'van de Donk 2019')
    """
    words = [each for each in id.split("_") if each]
    name = list(itertools.takewhile(str.isalpha, words))
    spelt = re.match(r"[ '-]?".join("".join(name)) + r"\b", citation, re.IGNORECASE) if name else None
    rest = words[len(name) :] if spelt else words
    return " ".join([*([spelt[0]] if spelt else []), *(_word(each, citation) for each in rest)])


def _word(word: str, citation: str) -> str:
    if word.startswith("nct") or word in ("gw", "sci", "cbd"):
        return word.upper()
    spelt = re.search(rf"\b{re.escape(word)}\b", citation, re.IGNORECASE)
    return spelt[0] if spelt and spelt[0].isupper() else word[:1].upper() + word[1:]
