"""May this person have it, where they live, on that date? Dated rules as data, and what they say about stated facts.

The level (not eligible < unknown < at discretion < eligible) and the procedure of the visit are kept apart, and what is
unknown never becomes a no.

>>> import datetime
>>> facts = make_facts({"dx": ["MS"], "symptoms": {"muscle_spasms": {"severe": True, "cause": "MS"}}})
>>> decide(facts, "US-AZ", datetime.date(2020, 1, 15)).missing[0].fact
'symptoms.muscle_spasms.persistent'
"""

from lissive.access.answer import Answer, Facts, Level, Node, Symptom
from lissive.access.decide import decide, explain
from lissive.access.facts import facts_of_case, make_facts, read_facts
from lissive.access.rule import jurisdiction, rules

__all__ = [
    "Answer",
    "Facts",
    "Level",
    "Node",
    "Symptom",
    "decide",
    "explain",
    "facts_of_case",
    "jurisdiction",
    "make_facts",
    "read_facts",
    "rules",
]
