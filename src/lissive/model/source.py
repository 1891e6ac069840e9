"""From a model text to a libSBML document, with every line number kept, and what is out of scope refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lissive.errors import ModelError
from lissive.model.fit_text import fit_antimony, fit_sbml, without

ALLOWED = (
    "compartments, species, parameters, reactions, functions, initial assignments, events, "
    "assignment and rate rules."
)
"""What a model may be made of, as the errors put it."""

_PICTURES = ("layout", "render", "groups", "annot", "l3v2extendedmath")
"""Packages that never change what is computed (extended mathematics is core since Level 3 Version 2)."""

_IGNORED_PACKAGES = (*_PICTURES, "fbc")
"""Packages whose faults do not matter; flux balance constraints act on no rate and have to be optional."""

_IGNORED_SPACES = re.compile(
    rf"http://www\.sbml\.org/sbml/level3/version\d+/({'|'.join(_IGNORED_PACKAGES)})(/version\d+)?$"
)

_MEANINGFUL_PACKAGES = {"comp", "multi", "qual", "arrays", "distrib", "spatial", "dyn", "req"}
"""Packages that change what is computed, whether or not the file calls them required."""

_PACKAGE_URI = re.compile(
    r"http://www\.sbml\.org/sbml/level3/version\d+/(?!core)([A-Za-z0-9]+)(/version\d+)?$"
)


@dataclass(frozen=True)
class Source:
    """A model text that has been parsed, and where each thing in it stands."""

    name: str
    """As the user knows it: the file's path."""
    document: Any
    antimony: str = ""
    """The Antimony text that the document was made from, if it was."""

    @property
    def model(self) -> Any:
        return self.document.getModel()

    def place(self, element: Any, *patterns: str) -> str:
        """`file:line` of an SBML element; in Antimony, of what matches a pattern or defines its id."""
        if not self.antimony:
            return f"{self.name}:{element.getLine()}" if element.getLine() else self.name
        names = dict.fromkeys(n for n in (_id(element), element.getId()) if n)
        mark = {"rateRule": "'", "assignmentRule": ":="}.get(element.getElementName())
        ruled = [rf"\b{re.escape(n)}\s*{mark}" for n in names if mark]
        return self._first_line(*patterns, *ruled, *(p for n in names for p in _ways_to_define(n)))

    def place_of(self, name: str) -> str:
        """`file:line` in the Antimony text of the line that defines an id."""
        return self._first_line(*_ways_to_define(name))

    def _first_line(self, *patterns: str) -> str:
        lines = [line.split("//")[0].split("#")[0] for line in self.antimony.splitlines()]
        for pattern in patterns:
            for number, line in enumerate(lines, start=1):
                if re.search(pattern, line):
                    return f"{self.name}:{number}"
        return self.name


def _ways_to_define(name: str) -> tuple[str, str]:
    word = re.escape(name)
    return rf"\b{word}\s*('|:=|:|=|\()", rf"\b{word}\b"


def _id(element: Any) -> str:
    for ask in ("getVariable", "getSymbol"):
        if hasattr(element, ask):
            return str(getattr(element, ask)())
    return str(element.getIdAttribute())


def parse_sbml(text: str, source_name: str) -> Source:
    """The document in an SBML text.

    Raises       ModelError where it is not well-formed, is no SBML, or holds what is out of scope.
    """
    document = read_document(text, source_name)
    if document.getLevel() == 1:
        for compartment in document.getModel().getListOfCompartments():
            compartment.setVolume(compartment.getVolume())  # 1 where it is left out, in Level 1 only
        document.setLevelAndVersion(2, 4, False)
    source = Source(source_name, document)
    _refuse_elements(source)
    return source


def read_document(text: str, source_name: str) -> Any:
    """libSBML's document of an SBML text that has a model and no fault; it may hold what is out of scope.

    Raises       ModelError where it is not well-formed, is no SBML, or needs a package.
    """
    import libsbml

    text = fit_sbml(text, source_name)
    document = libsbml.readSBMLFromString(text)
    _refuse_packages(Source(source_name, document), text)
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) or document.getNumErrors(libsbml.LIBSBML_SEV_FATAL):
        # of what is ignored a fault does not matter, nor that Level 2 has no packages
        document = libsbml.readSBMLFromString(without(text, _IGNORED_SPACES))
        for package in _IGNORED_PACKAGES:
            document.setPkgRequired(package, False)  # said again, for a file that is written of it
    _raise_first_error(document, source_name)
    if document.getModel() is None:
        raise ModelError(
            "there is no model in it.",
            where=source_name,
            allowed="SBML Level 1, 2 or 3.",
            do="give an SBML file.",
        )
    return document


def antimony_to_sbml(text: str, source_name: str) -> str:
    """SBML Level 3 Version 2 of an Antimony text.

    Raises       ModelError with libAntimony's own words and line where the text cannot be understood.
    """
    import antimony

    text = fit_antimony(text, source_name)
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        words = " ".join(str(antimony.getLastError()).split())
        words = words.split(" The interpretation the Hierarchical")[0]  # the same fault, told twice over
        found = re.match(r"Error in model string, line (\d+):\s*(.*)", words)
        line, words = (f":{found[1]}", found[2]) if found else ("", words)
        if words.startswith("Loop detected") and (ring := _find_ring(text)):
            words = f"values depend on one another in a ring: {' -> '.join(ring)}."
        raise ModelError(
            words.rstrip(".") + ".",
            where=f"{source_name}{line}",
            allowed="Antimony (https://tellurium.readthedocs.io/en/latest/antimony.html).",
            do="correct that line, or the one before it.",
        )
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def sbml_to_antimony(text: str, source_name: str) -> str:
    """Antimony of an SBML text that `fit_sbml` gave and that was read without a fault.

    Raises       ModelError with libAntimony's own words where it cannot say it.
    """
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(text) < 0:
        words = " ".join(str(antimony.getLastError()).split())
        raise ModelError(
            f"it cannot be written as Antimony: {words}",
            where=source_name,
            do="correct what is named, or export it as SBML.",
        )
    return str(antimony.getAntimonyString(antimony.getMainModuleName()))


def _find_ring(text: str) -> list[str]:
    """Names in an Antimony text that are set by one another, the first again at the end."""
    statements = re.split(r"[;\n]", re.sub(r"(//|#).*", "", text))
    found = (re.match(r"\s*(\w+)\s*:?=(.*)", s) for s in statements)
    uses = {m[1]: set(re.findall(r"\b[A-Za-z_]\w*", m[2])) for m in found if m}

    def walk(path: list[str]) -> list[str]:
        for name in sorted(uses.get(path[-1], ())):
            if name in path:
                return [*path[path.index(name) :], name]
            if ring := walk([*path, name]):
                return ring
        return []

    return next((ring for name in uses if (ring := walk([name]))), [])


def parse_antimony(text: str, source_name: str) -> Source:
    """The document that an Antimony text stands for, with places in the Antimony text."""
    import libsbml

    document = libsbml.readSBMLFromString(antimony_to_sbml(text, source_name))
    source = Source(source_name, document, text.removeprefix("\ufeff"))
    _refuse_packages(source)
    _raise_first_error(document, source_name)
    _refuse_elements(source)
    return source


def _raise_first_error(document: Any, source_name: str) -> None:
    import libsbml

    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() < libsbml.LIBSBML_SEV_ERROR:
            continue
        package = error.getPackage()
        if package in _IGNORED_PACKAGES:
            continue
        words = " ".join(str(error.getMessage()).split()) or str(error.getShortMessage())
        raise ModelError(
            words.rstrip(".") + ".",
            where=f"{source_name}:{error.getLine()}",
            allowed="well-formed SBML, Level 1, 2 or 3.",
            do="correct that line; the validator at sbml.org explains each rule.",
        )


def _refuse_packages(source: Source, text: str = "") -> None:
    document = source.document
    for prefix, package in _packages(document):
        # libSBML says it only of the packages that it knows.
        stated = re.search(rf"""\b{prefix}:required\s*=\s*["'](true|1)["']""", text)
        if package in _MEANINGFUL_PACKAGES or document.getPkgRequired(package) or stated:
            raise ModelError(
                f'the SBML package "{package}" is out of scope.',
                where=source.place(document),
                allowed="SBML core; layout, render and groups are ignored, and so are fbc and packages not known here "
                'that the file declares with required="false".',
                do=f'declare it with {prefix}:required="false", as its specification demands.'
                if package == "fbc"
                else "flatten the model, or export it without the package.",
            )


def _packages(document: Any) -> Iterator[tuple[str, str]]:
    """Prefix and name of each package that a document declares, but for those that never change what is computed."""
    spaces = document.getNamespaces()
    for i in range(spaces.getNumNamespaces()):
        found = _PACKAGE_URI.match(spaces.getURI(i))
        if found and found[1] not in _PICTURES:
            yield spaces.getPrefix(i), found[1]


def ignored_packages(source: Source) -> list[str]:
    """Packages that are declared as optional (`required="false"`) and left out, but for those about pictures."""
    return [package for _, package in _packages(source.document)]


def _refuse_elements(source: Source) -> None:
    model = source.model
    for rule in model.getListOfRules():
        if rule.isAlgebraic():
            raise _out_of_scope(
                source, rule, "algebraic rule", "solve it for one variable: an assignment rule."
            )
    refuse_fast_reactions(source)


def refuse_fast_reactions(source: Source) -> None:
    """Raises ModelError for a reaction that is at equilibrium at once; no formula of ours says that."""
    for reaction in source.model.getListOfReactions():
        if reaction.isSetFast() and reaction.getFast():
            raise _out_of_scope(
                source,
                reaction,
                "fast reaction",
                'give it a rate and fast="false", or put its equilibrium in a rule.',
            )


def _out_of_scope(source: Source, element: Any, kind: str, do: str) -> ModelError:
    given = element.getIdAttribute()
    if source.antimony and given not in source.antimony:
        given = ""  # libAntimony's own name for what the text leaves nameless
    name = f' "{given}"' if given else ""
    return ModelError(
        f"{kind}{name} is out of scope.",
        where=source.place(element, rf"\b{re.escape(element.getIdAttribute())}\s*:", r"\bat\b"),
        allowed=ALLOWED,
        do=do,
    )
