"""The evidence as files for other programs: CSV, JSON, BibTeX, RIS."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from lissive.evidence.catalog import listed
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import Comparison
from lissive.evidence.read import Studies, shipped_reviews
from lissive.evidence.words import known
from lissive.files import write_rows

FORMATS = ("csv", "json", "bibtex", "ris")
_CITATION = re.compile(
    r"^(?P<authors>[^.]+(?:, et al)?)\. "
    r"(?:(?P<title>.+?(?:[?!](?= )|(?=\. )))\.? )?(?P<journal>[^.;]+?) (?P<year>(?:19|20)\d\d)"
    r"(?:;(?P<volume>\d+)(?:\([^)]*\))?(?::(?P<pages>[\w-]+))?)?"
)
_COLUMNS = (
    "study label outcome cause design product active_arm active_n active_events active_mean active_sd "
    "active_person_time control_arm control_n control_events control_mean control_sd control_person_time measure "
    "estimate low high level se correlation treatments better provenance patients sources note"
).split()


def exported(studies: Studies, format: str) -> str:
    """Everything in one format: a row for each comparison (CSV), an entry for each study and review (BibTeX, RIS)."""
    known("format", format, FORMATS)
    made, unused = every(studies)
    if format == "csv":
        return _csv(made)
    if format == "json":
        answer = {
            "studies": [each.to_json() for each in listed(studies)],
            "comparisons": [asdict(each) for each in made],
            "left_out": [each.to_json() for each in unused],
            "claims": [each.to_json() for each in shipped_claims()],
        }
        return json.dumps(answer, indent=1, allow_nan=False) + "\n"
    entries = [
        (each.id, each.row.citation or each.id, each.row.doi or "")
        for each in (*studies, *shipped_reviews())
        if each.row.citation
    ]
    form = _bibtex if format == "bibtex" else _ris
    return "\n".join(form(*each) for each in entries)


def _csv(made: Sequence[Comparison]) -> str:
    out = io.StringIO()
    flat = map(_flat, made)
    write_rows(out, [_COLUMNS, *([_rounded(row.get(name)) for name in _COLUMNS] for row in flat)])
    return out.getvalue()


def _flat(one: Comparison) -> Mapping[str, object]:
    flat: dict[str, object] = {
        name: getattr(one, name) for name in ("study", "label", "outcome", "cause", "design")
    }
    flat |= {name: getattr(one, name) for name in ("better", "provenance", "patients", "note")}
    for side in ("active", "control"):
        group = getattr(one, side)
        flat |= {f"{side}_{name}": value for name, value in asdict(group).items()} if group else {}
    if one.given:
        flat |= asdict(one.given)
    sources = dict.fromkeys(each.url for each in one.cited if each.url)
    return flat | {
        "product": " ".join(one.products),
        "correlation": one.correlation,
        "treatments": one.treatments,
        "sources": " ".join(url.replace(" ", "%20") for url in sources),
    }


def _rounded(value: object) -> object:
    return f"{value:.10g}" if isinstance(value, float) else value


def parts_of(citation: str) -> dict[str, str]:
    """Authors, title, journal, year, volume and pages of a citation, where it is written in that order.

    >>> parts_of("Rog DJ, Young CA. Neurology 2005;65:812-819")["journal"]
    'Neurology'
    """
    found = _CITATION.match(citation)
    if found:
        return {name: text for name, text in found.groupdict().items() if text}
    year = re.search(r"\b(?:19|20)\d\d\b", citation)
    return {"year": year[0]} if year else {}


def _authors(parts: Mapping[str, str]) -> list[str]:
    """`Wade DT, Makela P, et al` as Wade, DT; Makela, P; others."""
    found = []
    for name in parts.get("authors", "").split(", "):
        family, _, initials = name.strip().rpartition(" ")
        found.append(
            "others" if name.startswith("et al") else f"{family}, {initials}" if family else initials
        )
    return [name for name in found if name]


def _bibtex(id: str, citation: str, doi: str) -> str:
    parts = parts_of(citation)
    is_article = "journal" in parts
    fields = {
        "author": " and ".join(_authors(parts)) if is_article else "",
        "title": parts.get("title", "" if is_article else citation),
        "journal": parts.get("journal", ""),
        "year": parts.get("year", ""),
        "volume": parts.get("volume", ""),
        "pages": parts.get("pages", "").replace("-", "--"),
        "doi": doi,
        "note": _plain(citation) if is_article else "",
    }
    lines = [
        f"  {name} = {{{text if name == 'doi' else _escaped(text)}}},"
        for name, text in fields.items()
        if text
    ]
    return "\n".join([f"@{'article' if is_article else 'misc'}{{{id},", *lines, "}", ""])


def _plain(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    """BibTeX's own signs as text."""
    return re.sub(r"([&%$#_{}])", r"\\\1", text).replace("<", r"\textless{}").replace(">", r"\textgreater{}")


def _ris(id: str, citation: str, doi: str) -> str:
    parts = parts_of(citation)
    first, _, last = parts.get("pages", "").partition("-")
    lines = [("TY", "JOUR" if "journal" in parts else "GEN"), ("ID", id)]
    lines += [("AU", name) for name in _authors(parts) if name != "others"] if "journal" in parts else []
    lines += [
        ("TI", parts.get("title", "" if "journal" in parts else _plain(citation))),
        ("JO", parts.get("journal", "")),
        ("PY", parts.get("year", "")),
        ("VL", parts.get("volume", "")),
        ("SP", first),
        ("EP", last),
        ("DO", doi),
        ("N1", _plain(citation)),
    ]
    return "\n".join([*(f"{tag}  - {text}" for tag, text in lines if text), "ER  - ", ""])
