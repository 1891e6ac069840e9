"""Is a model's text fit for libSBML and libAntimony? They end the process where it is not.

Both are C++: on what they do not foresee (a formula nested without end, a level that is no number) they abort or
overrun the stack, and no `except` helps. So what they cannot take is found here, by the standard library, and said.

>>> is_sbml("\\ufeff <sbml/>"), is_sbml("x = 1")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.parsers import expat

from lissive.errors import ModelError

MOST_DEPTH = 500
"""Elements or brackets in one another: libSBML walks them by recursion, on a stack that may be of 1 MB."""

MOST_CHARACTERS = {"SBML": 20_000_000, "Antimony": 2_000_000}
MOST_ELEMENTS, MOST_IN_A_FORMULA = 300_000, 10_000
MOST_WORDS = 4_000
"""Names and numbers in one statement of Antimony, which takes their square in time."""

LEVELS: Mapping[str, frozenset[tuple[str, str]]] = {
    "http://www.sbml.org/sbml/level1": frozenset({("1", "1"), ("1", "2")}),
    "http://www.sbml.org/sbml/level2": frozenset({("2", "1")}),
    **{f"http://www.sbml.org/sbml/level2/version{v}": frozenset({("2", v)}) for v in "2345"},
    **{f"http://www.sbml.org/sbml/level3/version{v}/core": frozenset({("3", v)}) for v in "12"},
}
"""The namespace of an SBML file, and the levels and versions that go with it."""

_MATH = "http://www.w3.org/1998/Math/MathML math"
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
_START_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_END_TAG = re.compile(rb"</[^>]*>")
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SAID = re.compile(r'//[^\n]*|#[^\n]*|/\*.*?\*/|"[^"\n]*"|```.*?```', re.DOTALL)
"""Comments and quoted texts of Antimony, in which every letter may stand."""
_MODULE = re.compile(r"\b(?:model|module)\s+\*?\s*(\w+)[ \t]*(?:\([^()]*\))?")
_END = re.compile(r"\bend\b")


def is_sbml(text: str) -> bool:
    """Whether a model's text is meant as SBML, not Antimony."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def fit_sbml(text: str, source_name: str) -> str:
    """The text as libSBML may read it: without byte-order mark, declared to be what it is, UTF-8.

    Raises       ModelError where it is not well-formed, no SBML of a level that there is, or too deep or too large.
    """
    text = text.removeprefix("\ufeff")
    _check_size(text, source_name, "SBML")
    _check_control(text, source_name)
    _Walk(text, source_name).go()
    # libSBML would add a line of its own where nothing is declared, and every line number would be wrong
    said = _DECLARATION.match(text)
    rest = _lines_of(said) + text[said.end() :] if said else text
    return '<?xml version="1.0" encoding="UTF-8"?>' + rest


def _lines_of(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def without(text: str, spaces: re.Pattern[str]) -> str:
    """A fit SBML text without what is in the namespaces that `spaces` matches; every line keeps its number.

    >>> without('<a xmlns:p="u"><b p:x="1"/><p:c>\\n</p:c></a>', re.compile("u$"))
    '<a xmlns:p="u"><b/>\\n</a>'
    """
    raw, cuts, prefixes = text.encode(), list[tuple[int, int]](), set[str]()
    opened: list[re.Match[bytes]] = []  # the first tag of what is out, and those within it
    parser = expat.ParserCreate(namespace_separator=" ")

    def is_out(name: str) -> bool:
        return bool(spaces.match(name.rpartition(" ")[0]))

    def declare(prefix: str | None, space: str) -> None:
        if prefix and spaces.match(space):
            prefixes.add(re.escape(prefix))

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = _START_TAG.match(raw, parser.CurrentByteIndex)
        assert tag
        if opened or is_out(name):
            opened.append(tag)
        elif any(map(is_out, attributes)):
            own = re.compile(rf"""\s+({"|".join(prefixes)}):[\w.-]+\s*=\s*("[^"]*"|'[^']*')""".encode())
            cuts.extend(found.span() for found in own.finditer(raw, *tag.span()))

    def end(_: str) -> None:
        if opened:
            tag = opened.pop()
            last = tag if tag[0].endswith(b"/>") else _END_TAG.match(raw, parser.CurrentByteIndex)
            if last and not opened:
                cuts.append((tag.start(), last.end()))

    parser.StartNamespaceDeclHandler = declare
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(raw, True)
    for first, last in reversed(cuts):
        raw = raw[:first] + b"\n" * raw.count(b"\n", first, last) + raw[last:]
    return raw.decode()


def _check_size(text: str, source_name: str, kind: str) -> None:
    if len(text) > MOST_CHARACTERS[kind]:
        raise ModelError(
            f"it has {len(text)} characters.",
            where=source_name,
            allowed=f"at most {MOST_CHARACTERS[kind]} in {kind}.",
            do="take out annotations, or split the model.",
        )


def _check_control(text: str, source_name: str) -> None:
    if found := _CONTROL.search(text):
        raise ModelError(
            f"there is a character that no text holds (U+{ord(found[0]):04X}).",
            where=f"{source_name}:{_line(text, found.start())}",
            allowed="a text in UTF-8.",
            do="take it out.",
        )


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


class _Walk:
    """One walk through a file by expat, which needs no stack of its own and opens nothing."""

    def __init__(self, text: str, source_name: str) -> None:
        self.text, self.name = text, source_name
        self.depth = self.elements = self.math_depth = self.in_formula = 0
        self.root_fault: ModelError | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def go(self) -> None:
        try:
            self.parser.Parse(self.text, True)  # as UTF-8, whatever it declares
        except expat.ExpatError as fault:
            raise ModelError(
                f"this is no well-formed XML: {expat.ErrorString(fault.code)}.",
                where=f"{self.name}:{fault.lineno}",
                allowed="SBML Level 1, 2 or 3.",
                do="correct that line, or write the file again with the tool that it is from.",
            ) from None
        if self.root_fault:
            raise self.root_fault

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.elements:
            self.root_fault = self._root(name, attributes)
        self.depth += 1
        self.elements += 1
        if name == _MATH and not self.math_depth:
            self.math_depth, self.in_formula = self.depth, 0
        self.in_formula += 1
        if self.depth > MOST_DEPTH:
            raise self._error(f"elements are nested more than {MOST_DEPTH} deep.", "split the formula.")
        if self.math_depth and self.in_formula > MOST_IN_A_FORMULA:
            raise self._error(f"a formula has more than {MOST_IN_A_FORMULA} elements.", "split the formula.")
        if self.elements > MOST_ELEMENTS:
            raise self._error(f"there are more than {MOST_ELEMENTS} elements.", "take out annotations.")

    def _end(self, _: str) -> None:
        if self.depth == self.math_depth:
            self.math_depth = 0
        self.depth -= 1

    def _doctype(self, *_: object) -> None:
        raise self._error("a document type is declared (<!DOCTYPE).", "take the declaration out.")

    def _root(self, name: str, attributes: dict[str, str]) -> ModelError | None:
        """What is wrong with the first element; said once the rest is known to be well-formed."""
        space, _, word = name.rpartition(" ")
        if word != "sbml":
            return self._error(f"this is no SBML: the first element is <{word}>.", "give an SBML file.")
        if space not in LEVELS:
            said = f'the namespace "{space}", which is none of SBML\'s' if space else "no namespace"
            return self._error(f"<sbml> has {said}.", f'write, for example, xmlns="{list(LEVELS)[-1]}".')
        level, version = attributes.get("level", ""), attributes.get("version", "")
        if (level, version) not in LEVELS[space]:
            right = " or ".join(f'level="{one}" version="{other}"' for one, other in sorted(LEVELS[space]))
            return self._error(
                f'level="{level}" version="{version}" does not go with the namespace.', f"write {right}."
            )
        return None

    def _error(self, what: str, do: str) -> ModelError:
        line = self.parser.CurrentLineNumber
        return ModelError(what, where=f"{self.name}:{line}", allowed="SBML Level 1, 2 or 3.", do=do)


def fit_antimony(text: str, source_name: str) -> str:
    """The text as libAntimony may read it: without byte-order mark.

    Raises       ModelError where a letter, a statement or its brackets are beyond what it can take.
    """
    text = text.removeprefix("\ufeff")
    _check_size(text, source_name, "Antimony")
    _check_control(text, source_name)
    # what is said in words goes, its line ends stay
    code = _SAID.sub(_lines_of, text)
    for number, line in enumerate(code.split("\n"), start=1):
        if not line.isascii():
            letter = next(each for each in line if not each.isascii())
            raise _antimony(
                f'the letter "{letter}" stands outside comments and quoted texts.',
                f"{source_name}:{number}",
                "write it with plain letters, as uM for µM.",
            )
        for statement in line.split(";"):
            _check_statement(statement, f"{source_name}:{number}")
    _check_modules(code, source_name)
    return text


def _check_modules(code: str, source_name: str) -> None:
    """No module is a part of itself; modules are defined before they are used, so that no longer ring can be."""
    for found in _MODULE.finditer(code):
        end = _END.search(code, found.end())
        body = code[found.end() : end.start() if end else len(code)]
        if inside := re.search(rf"\b{found[1]}\s*\(", body):
            raise _antimony(
                f'the module "{found[1]}" is a part of itself.',
                f"{source_name}:{_line(code, found.end() + inside.start())}",
                "take it out, or name the module that is meant.",
            )


def _check_statement(statement: str, where: str) -> None:
    if statement.strip() == "import":  # the file's name is gone with all that is quoted
        raise _antimony("another file is imported.", where, "put its text in that place.")
    if len(statement) < MOST_DEPTH:
        return
    depth = deepest = 0
    for mark in re.findall(r"[()\[\]{}]", statement):
        depth += 1 if mark in "([{" else -1
        deepest = max(deepest, depth)
    if deepest > MOST_DEPTH:
        raise _antimony(f"brackets are nested more than {MOST_DEPTH} deep.", where, "split the formula.")
    words = len(re.findall(r"[\w.]+", statement))
    if words > MOST_WORDS:
        raise _antimony(
            f"a statement has {words} names and numbers, more than {MOST_WORDS}.",
            where,
            "split it over several assignment rules.",
        )


def _antimony(what: str, where: str, do: str) -> ModelError:
    return ModelError(
        what,
        where=where,
        allowed="Antimony (https://tellurium.readthedocs.io/en/latest/antimony.html).",
        do=do,
    )
