"""Who may do what: `rights.tsv`, one row a right."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lissive.table import rows_of

ROLES: Mapping[str, str] = {
    "front_desk": "Front desk",
    "practitioner": "Practitioner",
    "second": "Second practitioner",
    "compliance": "Compliance",
    "administrator": "Administrator",
    "patient": "Patient",
}


@cache
def rights() -> Mapping[str, Mapping[str, str]]:
    """Of each right: what it is, and of each role yes, no, or own (of the patient's own record)."""
    return {row["right"]: row for row in rows_of(Path(__file__).parent / "rights.tsv")}


def may(role: str, right: str) -> bool:
    """Whether a role has a right at all; of whose record is asked apart. Raises KeyError for an unknown right."""
    return rights()[right].get(role, "no") in ("yes", "own")
