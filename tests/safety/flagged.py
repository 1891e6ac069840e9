"""Cases from cells of a table, and their flags."""

from __future__ import annotations

from lissive.case import make_case
from lissive.safety import safety_of

_PERSON = {"age_years", "weight_kg", "cyp2c9", "pregnancy", "breast_feeding", "drives"}


def case_of(product: str = "-", medicines: str = "-", facts: str = "-", **plan):
    """A case from cells of the table; `-` is nothing said."""
    person, history = {}, {}
    for each in [] if facts == "-" else facts.split():
        name, value = each.split("=")
        if name in ("age_years", "weight_kg"):
            value = float(value)
        elif name == "conditions":
            value = value.split(",")
        elif value == "true":
            value = True
        (person if name in _PERSON else history)[name] = value
    if medicines != "-":
        history["current"] = [{"drug": each.strip()} for each in medicines.split(";")]
    plan |= {} if product == "-" else {"product": product}
    return make_case({"case": "a", "person": person, "history": history, "plan": plan})


def flags_of(*args, **plan):
    return {flag.id: flag for flag in safety_of(case_of(*args, **plan)).flags}
