"""Who is it? The facts about one person, their spasms, what was tried and what is planned; frozen.

What is not known is left out, and stays unknown. A file that says something impossible is refused with
its line, all findings at once.

>>> from lissive.case import Case
>>> case = Case.model_validate({"case": "a", "person": {"age_years": 52}})
>>> case.person.age_years, case.person.weight_kg, "person.weight_kg" in case.unknown()
(52.0, None, True)
"""

from lissive.case.facts import Case, CurrentDrug, History, Person, Place, Spasm
from lissive.case.plan import Plan
from lissive.case.products import Figure, Product, TitrationDay, label_titration, product, products
from lissive.case.read import case_schema, make_case, read_case
from lissive.case.vocabulary import causes

__all__ = [
    "Case",
    "CurrentDrug",
    "Figure",
    "History",
    "Person",
    "Place",
    "Plan",
    "Product",
    "Spasm",
    "TitrationDay",
    "case_schema",
    "causes",
    "label_titration",
    "make_case",
    "product",
    "products",
    "read_case",
]
