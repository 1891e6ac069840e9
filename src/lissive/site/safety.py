"""What could hurt: medicines, conditions and circumstances, as the tables of safety have them; in Spanish too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from unicodedata import normalize

from markupsafe import Markup

from lissive.handout.language import Tongue, Words, medicine
from lissive.report.table import Table, table
from lissive.report.words import UNVERIFIED, upper_first
from lissive.safety._table import sources
from lissive.safety.answer import SEVERITIES
from lissive.safety.drugs import Drug, drugs
from lissive.safety.rules import Caution, Interaction, Text, cautions, interactions
from lissive.site.build import HERE, LANGUAGES, Page, joined, link, said_in, verdict, weak
from lissive.table import rows_of

KIND = {"contraindicated": "no", "major": "no", "moderate": "unsure", "minor": "maybe"}
PATHS: Mapping[Tongue, str] = {"en": "safety.html", "es": "es/seguridad.html"}
FULL: Mapping[Tongue, str] = {"en": "", "es": "../safety.html"}
"""The page that has each text in full."""
_CLASS = {
    "z_drug": "Z-drug",
    "cannabinoid_thc": "medicine with THC",
    "cannabinoid_cbd": "medicine with CBD",
    "disulfiram_like": "medicine like disulfiram",
    "sedative_other": "other sedative",
}
_ENZYME = {"ugt": "UGT", "pgp": "P-glycoprotein"}


def pages() -> Iterator[Page]:
    texts = [*(each.text for each in interactions()), *(each.text for each in cautions())]
    until = max(text.day for text in texts if text.day)
    read: Mapping[Tongue, str] = {
        "en": f"Sources read until {until}; what was not read says unverified.",
        "es": f"Fuentes leídas hasta {until}; lo que no se leyó dice «sin verificar» o lleva {UNVERIFIED.strip()}.",
    }
    for tongue, other in LANGUAGES:
        say = said_in(tongue)
        content: dict[str, Any] = {
            "w": Words(tongue),
            "say": say,
            "search": True,
            "lead": say["safety_lead"].format(number=len(drugs())),
            "drugs": table(
                say["medicines_table"], say["medicines_head"].replace(";", "|"), _medicines(tongue, say)
            ),
            "severities": [
                (verdict(say[f"severity.{each}"], KIND[each]), say[f"means.{each}"]) for each in SEVERITIES
            ],
            "interactions": _interactions() if tongue == "en" else None,
            "cautions": _cautions(tongue, say),
        }
        title = say["safety_title"]
        yield Page(PATHS[tongue], title, "safety.html.j2", read[tongue], content, tongue, PATHS[other])


@cache
def _advice() -> Mapping[str, str]:
    """Translations of what to do, by the text in the tables of safety."""
    return {row["en"]: row["es"] for row in rows_of(HERE / "advice_es.tsv")}


# -- medicines --------------------------------------------------------------------------------------
def _with(rule: Interaction, say: Mapping[str, str], words: Words) -> str:
    names = [say[f"with.{each}"] for each in sorted(rule.with_, reverse=True)]
    return words.listed(names, "or") if names else say["with.any"]


def _said_better(rule: Interaction, drug: Drug) -> bool:
    """A rule about an enzyme's substrates gives way to one that names the drug, as in the answer to a case."""
    return rule.by_substrate and any(
        drug.name in other.named and other.with_ & rule.with_ for other in interactions()
    )


def _medicines(tongue: Tongue, say: Mapping[str, str]) -> list[tuple[str, ...]]:
    """By their names in the language; the English one stays, for the search."""
    words, found = Words(tongue), list[tuple[str, ...]]()
    for drug in drugs().values():
        own, english = medicine(tongue, drug.name), medicine("en", drug.name)
        names = (*([english] if own != english else []), *drug.names, *drug.brands)
        found.append((own, "; ".join(names), _flags(drug, tongue, say, words)))
    return sorted(found, key=lambda row: normalize("NFD", row[0].lower()))


def _flags(drug: Drug, tongue: Tongue, say: Mapping[str, str], words: Words) -> Markup:
    met = [each for each in interactions() if each.meets(drug) and not _said_better(each, drug)]
    met.sort(key=lambda each: SEVERITIES.index(each.severity))
    flags = (
        Markup('<a href="{}#i-{}"{}>{}: {}{}</a>').format(
            FULL[tongue],
            each.id,
            Markup(' hreflang="en"') if FULL[tongue] else "",
            _with(each, say, words),
            say[f"severity.{each.severity}"],
            "" if each.read_for(drug) else UNVERIFIED,
        )
        for each in met
    )
    return joined(flags, "; ") or Markup('<span class="soft">{}</span>').format(say["nothing"])


def _about(rule: Interaction) -> str:
    classes = (_CLASS.get(each, each.replace("_", " ")) for each in sorted(rule.classes))
    return ", ".join(
        [
            *(each.replace("_", " ") for each in sorted(rule.named)),
            *classes,
            *map(_enzyme, sorted(rule.enzymes)),
        ]
    )


def _enzyme(word: str) -> str:
    """
    >>> _enzyme("cyp3a4_strong_inhibitor"), _enzyme("pgp_narrow")
    ('strong inhibitor of CYP3A4', 'substrate of P-glycoprotein with a narrow therapeutic index')
    """
    name, _, role = word.partition("_")
    of = _ENZYME.get(name, name.upper())
    if role == "narrow":
        return f"substrate of {of} with a narrow therapeutic index"
    return f"{role.replace('_', ' ')} of {of}"


def _sources(text: Text) -> Markup:
    known = sources()
    cited = joined(
        (
            joined([link(one.citation, one.url), weak(one.citation, one.url)], "")
            for one in (known[key] for key in text.sources)
        ),
        "; ",
    )
    return joined([cited, f"({f'read {text.day}' if text.provenance == 'read' else 'unverified'})"])


def _to_do(text: Text) -> str:
    return text.advice if text.watch == "-" else f"{text.advice} Watch: {text.watch}"


def _interactions() -> Table:
    rows, say, words = [], said_in("en"), Words("en")
    for rule in sorted(interactions(), key=lambda each: SEVERITIES.index(each.severity)):
        small = f"; {rule.small} with little CBD" if rule.small != rule.severity else ""
        name = Markup('<span id="i-{}">{}</span>').format(rule.id, upper_first(_about(rule)))
        word = joined([verdict(rule.severity, KIND[rule.severity]), small], "")
        text = rule.text
        rows.append((name, _with(rule, say, words), word, text.mechanism, _to_do(text), _sources(text)))
    return table(
        "Interactions, the most severe first", "medicine|with|severity|what happens|what to do|sources", rows
    )


# -- conditions -------------------------------------------------------------------------------------
def _cautions(tongue: Tongue, say: Mapping[str, str]) -> Table:
    rows = [_caution(rule, tongue, say) for rule in cautions()]
    return table(say["conditions_table"], say["conditions_head"].replace(";", "|"), rows)


def _caution(rule: Caution, tongue: Tongue, say: Mapping[str, str]) -> tuple[str, ...]:
    worst = min(rule.severity.values(), key=SEVERITIES.index)
    name = Markup('<span id="c-{}">{}</span>').format(rule.id, say[f"about.{rule.about}"])
    kinds: dict[str, list[str]] = {}
    for kind, severity in rule.severity.items():
        kinds.setdefault(say[f"severity.{severity}"], []).append(say[f"with.{kind}"])
    each = "; ".join(f"{Words(tongue).listed(names)}: {severity}" for severity, names in kinds.items())
    word = verdict(say[f"severity.{worst}"], KIND[worst])
    if len(kinds) > 1:  # the most severe may concern one way of use alone
        word = joined([word, f"({Words(tongue).listed(kinds[say[f'severity.{worst}']])})"])
    if tongue == "en":
        return name, each, word, rule.text.mechanism, _to_do(rule.text), _sources(rule.text)
    why = Markup('<a href="{}#c-{}" hreflang="en">{}</a>').format(FULL[tongue], rule.id, say["in_english"])
    doubt = f"({say['unverified']})" if rule.text.provenance != "read" else ""
    return name, each, word, advice_es(rule.text.advice) or say["only_english"], joined([why, doubt])


def advice_es(advice: str) -> str:
    """What to do, in Spanish; empty where this very text has not been translated."""
    return _advice().get(advice, "")
