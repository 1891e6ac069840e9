"""What is out of scope or faulty is refused by name, with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.errors import ModelError
from lissive.model import load
from lissive.model.read import read_antimony, read_sbml

CORE = "http://www.sbml.org/sbml/level3/version1"


def sbml(body: str, attributes: str = "") -> str:
    head = f'<sbml xmlns="{CORE}/core" level="3" version="1"{attributes}>'
    return f'{head}\n<model id="m">\n{body}\n</model></sbml>'


def math(inside: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'


def rules(*given: str) -> str:
    parameters = "".join(f'<parameter id="{n}" value="1" constant="false"/>' for n in "xy")
    return (
        f"<listOfParameters>{parameters}</listOfParameters>\n<listOfRules>\n"
        + "\n".join(given)
        + "</listOfRules>"
    )


def rule(kind: str, name: str, inside: str) -> str:
    return f'<{kind} variable="{name}">{math(inside)}</{kind}>'


def space(size: str, species: str) -> str:
    flags = 'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"'
    return (
        f'<listOfCompartments><compartment id="c" constant="true" {size}/></listOfCompartments>\n'
        f"<listOfSpecies><species {species} {flags}/></listOfSpecies>"
    )


DELAY = '<apply><csymbol definitionURL="http://www.sbml.org/sbml/symbols/delay" encoding="text">d</csymbol>'
EVENT = '<event id="E1" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">'
SBML_FAULTS = {
    "event on nothing": (
        sbml(f"<listOfEvents>\n{EVENT}{math('<ci>k9</ci>')}</trigger></event></listOfEvents>"),
        'm.xml:4: "k9" is not defined',
    ),
    "algebraic rule": (
        sbml(rules(f"<algebraicRule>{math('<ci>x</ci>')}</algebraicRule>")),
        "m.xml:5: algebraic rule is out of scope",
    ),
    "fast reaction": (
        sbml('<listOfReactions>\n<reaction id="J" reversible="false" fast="true"/></listOfReactions>'),
        'm.xml:4: fast reaction "J" is out of scope',
    ),
    "delay": (
        sbml(rules(rule("rateRule", "x", DELAY + "<ci>y</ci><cn>1</cn></apply>"))),
        "m.xml:5: the csymbol delay is out of scope",
    ),
    "undefined symbol": (sbml(rules(rule("rateRule", "x", "<ci>k9</ci>"))), 'm.xml:5: "k9" is not defined'),
    "undefined function": (
        sbml(rules(rule("rateRule", "x", "<apply><ci>fun</ci><ci>x</ci></apply>"))),
        'm.xml:5: the function "fun" is not defined',
    ),
    "rule about nothing": (
        sbml(rules(rule("rateRule", "z", "<ci>x</ci>"))),
        'm.xml:5: the rate rule is about "z", which is not defined',
    ),
    "ring of rules": (
        sbml(rules(rule("assignmentRule", "x", "<ci>y</ci>"), rule("assignmentRule", "y", "<ci>x</ci>"))),
        "m.xml:5: values depend on one another in a ring: x -> y -> x",
    ),
    "no such compartment": (
        sbml(space('size="1"', 'id="S" compartment="d" initialAmount="1"')),
        'm.xml:4: species "S" is in compartment "d", which is not defined',
    ),
    "an id twice": (
        sbml("<listOfParameters>\n" + 2 * '<parameter id="x" constant="true"/>' + "</listOfParameters>"),
        'm.xml:4: the id "x" is used twice',
    ),
    "two rules": (
        sbml(rules(rule("rateRule", "x", "<cn>1</cn>"), rule("rateRule", "x", "<cn>2</cn>"))),
        'm.xml:6: "x" is set twice',
    ),
    "cut off": (sbml("").replace("</model>", ""), "m.xml:4: .*tag"),
    "no XML": ("hello", "m.xml:1: this is no well-formed XML: syntax error"),
    "empty": ("", "m.xml:1: this is no well-formed XML: no element found"),
    "no SBML": ("<html></html>", "m.xml:1: this is no SBML: the first element is <html>"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SBML_FAULTS)
def test_faulty_sbml_is_refused_with_its_line(fault: str) -> None:
    text, words = SBML_FAULTS[fault]
    with pytest.raises(ModelError, match=f"^{words}") as error:
        read_sbml(text, "m.xml")
    assert "What to do: " in str(error.value)


@pytest.mark.parametrize("package", ["comp", "fbc", "multi", "distrib", "arrays", "spatial", "novel"])
def test_a_package_that_changes_the_meaning_is_refused_by_name(package: str) -> None:
    required = f' xmlns:q="{CORE}/{package}/version1" q:required="true"'
    with pytest.raises(ModelError, match=f'm.xml:1: the SBML package "{package}" is out of scope'):
        read_sbml(sbml("", required), "m.xml")


@pytest.mark.parametrize("package", ["comp", "multi", "distrib", "arrays", "spatial", "qual"])
def test_a_package_that_has_to_be_required_is_refused_where_the_file_calls_it_optional(package: str) -> None:
    with pytest.raises(ModelError, match=f'm.xml:1: the SBML package "{package}" is out of scope'):
        read_sbml(sbml("", f' xmlns:q="{CORE}/{package}/version1" q:required="false"'), "m.xml")


@pytest.mark.parametrize("package", ["layout", "render", "groups", "annot"])
def test_a_package_about_pictures_is_ignored(package: str) -> None:
    assert (
        read_sbml(sbml("", f' xmlns:q="{CORE}/{package}/version1" q:required="false"'), "m.xml").notes == ()
    )


@pytest.mark.parametrize("package", ["fbc", "novel"])
def test_an_optional_package_is_ignored_and_named(package: str) -> None:
    found = read_sbml(sbml("", f' xmlns:q="{CORE}/{package}/version1" q:required="false"'), "m.xml")
    assert [note.split(":")[0] for note in found.notes] == [f"The SBML package {package} is ignored"]


ANTIMONY_FAULTS = {
    "event": (
        "A = 1; J: A -> ; A\nE1: at (A == 2): A = 3",
        'm.ant:2: the trigger of event "E1" tests A for equality',
    ),
    "delay in an event": (
        "A = 1; A' = 1\nE1: at (delay(A, 1) > 2): A = 3",
        "m.ant:2: the csymbol delay is out",
    ),
    "no size": (
        "compartment c\nspecies S in c\nS = 1; J: S -> ; S",
        'm.ant:1: compartment "c" has no value. It is used',
    ),
    "delay": ("x = 1\nx' = delay(x, 3)", "m.ant:2: the csymbol delay is out of scope"),
    "random": ("y = 0; y' = x\nx = normal(1, 2)", 'm.ant: the SBML package "distrib" is out of scope'),
    "parameter without a value": ("A = 1\nJ: A -> ; k*A", 'm.ant:2: parameter "k" has no value'),
    "species without a value": ("k = 1\nJ: A -> ; k*A", 'm.ant:2: species "A" has no value'),
    "ring": (
        "a := b\nb := c + 1\nc := a",
        "m.ant:3: values depend on one another in a ring: a -> b -> c -> a",
    ),
    "ring at the start": ("a = b\nb = a", "m.ant:2: values depend on one another in a ring: a -> b -> a"),
    "syntax": ("A = 1\nJ: A -> ; k*", 'm.ant:2: In the reaction rate "k\\*"'),
    "undefined function": ("x = 1\nx' = foo(3)", "m.ant:.*'foo' which is not a function"),
}


@pytest.mark.parametrize("fault", ANTIMONY_FAULTS)
def test_faulty_antimony_is_refused_with_its_line(fault: str) -> None:
    text, words = ANTIMONY_FAULTS[fault]
    with pytest.raises(ModelError, match=f"^{words}"):
        read_antimony(text, "m.ant")


def test_an_unknown_model_is_answered_with_those_there_are(tmp_path: Path) -> None:
    for name in ("nosuch", str(tmp_path), str(tmp_path / "missing.ant")):
        with pytest.raises(ModelError, match=r"Allowed: lissive, benson2014; or the path of an Antimony"):
            load(name)
    binary = tmp_path / "binary.xml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=f"^{re.escape(str(binary))}: it cannot be read"):
        load(binary)
