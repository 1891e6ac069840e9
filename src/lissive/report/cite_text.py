"""A citation as text, as JSON, and as entries for BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lissive.report.cite import SOFTWARE, Citation, Reference
from lissive.report.rows_used import Used
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, paragraphs, upper_first, wrapped
from lissive.version import __version__


def cite_text(found: Citation) -> str:
    """References, each with the numbers that come from it; then numbers without a source; then the software."""
    parts = [wrapped(f"{upper_first(found.what)}.", hanging="  ")]
    if found.references:
        note = (
            f" {UNVERIFIED_NOTE}."
            if any(r.is_recalled for one in found.references for r in one.rests)
            else ""
        )
        parts.append(f"References: {len(found.references)}.{note}")
        parts += [_reference(each) for each in found.references]
    else:
        parts.append("No references.")
    parts += _without_source(found)
    parts += [wrapped(note, hanging="  ") for note in found.notes]
    return paragraphs([*parts, f"Software:\n{wrapped(SOFTWARE, '  ')}"])


def _without_source(found: Citation) -> list[str]:
    """Numbers without a source, the assumed first."""
    words = sorted(
        {row.provenance for row in found.without_source}, key=lambda word: (word != "assumed", word)
    )
    lists = {
        f"{upper_first(word)}, without a source": [
            r.name for r in found.without_source if r.provenance == word
        ]
        for word in words
    }
    lists["Set by the user or the case"] = list(found.given)
    lists["In the model file, without individual sources"] = list(found.in_the_file)
    return [
        f"{what}: {len(names)}\n{wrapped(', '.join(names), '  ')}" for what, names in lists.items() if names
    ]


def _reference(one: Reference) -> str:
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
