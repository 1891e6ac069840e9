"""What the site is, who may use it, how to ask, how far the model is to be trusted, how the pages look; Spanish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import lissive.validation
from lissive.access.rule import rules
from lissive.case.vocabulary import causes
from lissive.evidence import shipped_studies
from lissive.evidence.claim import shipped_claims
from lissive.evidence.result import searched
from lissive.handout.language import Words
from lissive.report.table import table
from lissive.report.validation_tables import (
    aims_table,
    count_text,
    held_out_ratios,
    ratios_table,
    targets_table,
    verdict_parts,
)
from lissive.report.validation_text import NOTE, glance_table
from lissive.report.words import number, upper_first
from lissive.safety.drugs import drugs
from lissive.site.build import LANGUAGES, UNVERIFIED_HERE, Page, said_in
from lissive.site.evidence import benefit
from lissive.table import rows_of
from lissive.validation.run import Validation, aims, validate
from lissive.version import __version__

REPLICATES = 200
"""As `lissive validate` and the page of the documentation."""


def pages(validation: Callable[[], Validation] | None = None) -> Iterator[Page]:
    """All of them; that of the validation, which takes longest, last, and only where there is one."""
    law = min(each.verified for each in rules().values())
    studies = searched(shipped_studies())
    read = f"Law checked on {law} or later. Studies: {studies[:1].lower()}{studies[1:]}."
    yield from _ask(read, law)
    use = "Sources of the regulation were read in 2026-11."
    yield Page("intended-use.html", "Intended use", "use.html.j2", use, {}, other="es/uso-previsto.html")
    yield Page("how.html", "How these pages are made", "how.html.j2", read, _how())
    yield Page("design.html", "Design", "design.html.j2", "This page has no sources.", _design())
    leido = f"Normas comprobadas el {law} o después."
    es = {"w": Words("es"), "lang": "es"}
    yield Page(
        "es/index.html", "Cannabis y espasmos musculares", "es_start.html.j2", leido, es, "es", "index.html"
    )
    yield Page(
        "es/causas.html",
        "Qué se sabe, por causa",
        "es_causes.html.j2",
        f"Estudios buscados hasta {_searched_until()}.",
        {**es, "causes": _causes_es()},
        "es",
        "evidence/index.html",
    )
    yield Page("es/uso-previsto.html", "Uso previsto", "es_use.html.j2", leido, es, "es", "intended-use.html")
    found = validation() if validation is not None else None
    start = {**_counts(), "trust": _trust(found) if found else ""}
    yield Page(
        "index.html", "Cannabis and muscle spasms", "start.html.j2", read, start, other="es/index.html"
    )
    if found is not None:
        yield _validation(found)


def _counts() -> dict[str, Any]:
    return {
        "places": len(rules()),
        "trials": len(shipped_studies().trials),
        "claims": len(shipped_claims()),
        "drugs": len(drugs()),
    }


def _trust(found: Validation) -> str:
    """How the model did against published findings, with the one that a reader of a start page would ask for."""
    shown = [
        f"“{each.observation}”: the model gives {number(each.value)} {each.unit}"
        for each in found.targets
        if each.id in ("responders_30_drug", "responders_30_placebo") and each.met is False
    ]
    misses = f" Among those that it misses: {'; '.join(shown)}." if shown else ""
    said = count_text(found.targets)
    meant = "A target is a published finding with its tolerance."
    return f"Beyond levels in blood, {said[:1].lower()}{said[1:]}{misses} {meant}"


def _how() -> dict[str, Any]:
    versions = [version for place in rules().values() for version in place.versions]
    recalled = sum(each.known("logic") == "recalled" for each in versions)
    return {
        **_counts(),
        "versions": len(versions),
        "recalled": recalled,
        "unverified_here": UNVERIFIED_HERE,
        "version": __version__,
    }


def _searched_until() -> str:
    from lissive.evidence.result import searches

    return max(each.until for each in searches().searches)


# -- for patients -------------------------------------------------------------------------------------
def _ask(read: str, law: str) -> Iterator[Page]:
    """With the words of the patient's sheet where they fit a page that is read without a clinician."""
    paths = {"en": "ask.html", "es": "es/preguntar.html"}
    for tongue, other in LANGUAGES:
        say = said_in(tongue)
        said = read if tongue == "en" else f"Normas comprobadas el {law} o después."
        content = {"w": Words(tongue), "say": say}
        yield Page(paths[tongue], say["title"], "ask.html.j2", said, content, tongue, paths[other])


def _causes_es() -> list[tuple[str, str]]:
    words = Words("es")
    found = [
        (upper_first(words.named("cause", word, label)), benefit(word, "es"))
        for word, label in causes().items()
    ]
    return [(name, text) for name, text in found if text]


# -- how far to trust the model -----------------------------------------------------------------------
def validated() -> Callable[[], Validation]:
    """Begins to simulate what the model is held against, beside the other pages; gives what waits for the answer.

    Most of it runs outside of Python, so that a thread is enough; it is left where the pages cannot be made.
    """
    found: list[Validation | Exception] = []

    def work() -> None:
        try:
            found.append(validate(replicates=REPLICATES))
        except Exception as error:  # raised where it is asked for
            found.append(error)

    thread = Thread(target=work, daemon=True)
    thread.start()

    def wait() -> Validation:
        thread.join()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    return wait


def _validation(found: Validation) -> Page:
    folder = Path(lissive.validation.__file__).parent
    unmet = [each for each in found.targets if not each.met]
    misses = rows_of(folder / "misses.tsv")
    content = {
        "glance": replace(glance_table(found), caption="How far each answer can be relied on"),
        "how_to_read": NOTE.replace("*", ""),
        "verdict": verdict_parts(replace(found, targets=())),
        "aims": aims_table(aims(found)),
        "ratios": ratios_table(held_out_ratios(found.rows), reasons=False),
        "targets": count_text(found.targets),
        "unmet": targets_table(unmet),
        "misses": table(
            "Figures that are predicted badly, and why",
            "study|analyte|figure|why",
            [(row["study"], row["analyte"], row["metric"], row["why"]) for row in misses],
        ),
        "replicates": found.replicates,
        "seed": found.seed,
        "figures": len(found.rows),
        "groups": len({row.study for row in found.rows}),
    }
    read = "Simulated for this page."
    return Page("validation.html", "Validation in a minute", "validation.html.j2", read, content)


# -- the look -----------------------------------------------------------------------------------------
def _design() -> dict[str, Any]:
    return {
        "search": True,
        "colours": [
            ("ink", "text"),
            ("soft", "notes, captions"),
            ("line", "rules between rows"),
            ("edge", "borders of fields"),
            ("tint", "footer"),
            ("accent", "links, buttons, focus"),
            ("yes", "yes"),
            ("maybe", "at discretion, partly"),
            ("unsure", "unknown, not shown, warnings"),
            ("no", "no, contraindicated, errors"),
        ],
        "sizes": [
            ("h1", "2.125 rem", "one on each page"),
            ("h2", "1.4375 rem", "section"),
            ("lead", "1.1875 rem", "first paragraph, bottom line"),
            ("h3", "1.125 rem", "part of a section"),
            ("body", "1 rem", "text, at most 42 rem wide"),
            ("small", "0.875 rem", "captions, notes, footer"),
        ],
        "spaces": [
            ("s1", "0.25"),
            ("s2", "0.5"),
            ("s3", "0.75"),
            ("s4", "1"),
            ("s5", "1.5"),
            ("s6", "2.5"),
            ("s7", "4"),
        ],
        "example": table(
            "A table", "place|answer|number", [("First", "yes", "12"), ("Second", "no", "7")], "number"
        ),
        "options": [("yes", "Yes"), ("no", "No"), ("unknown", "I do not know")],
    }
