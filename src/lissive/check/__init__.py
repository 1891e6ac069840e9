"""Are the tables sound? Small checks over every table that ships; each has an id, a sentence and two examples.

A check is a function from tables to what is wrong with them; `registry.CHECKS` lists them all.

>>> from lissive.check import check, from_texts
>>> tables = from_texts({"model/parameters/thc.tsv": "name\\tprovenance\\nCL_THC\\tguessed\\n"})
>>> [finding.where for finding in check(tables, only=["provenance"])]
['model/parameters/thc.tsv:2']
"""

from lissive.check.registry import CHECKS, Check, Finding, check, examples, named
from lissive.check.tables import Tables, from_texts, shipped

__all__ = ["CHECKS", "Check", "Finding", "Tables", "check", "examples", "from_texts", "named", "shipped"]
