"""The answer in one sentence: what forbids it, whether it helps, and what has to be settled first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lissive.access.answer import Answer
from lissive.case import Case, product
from lissive.case_answer.gates import Gates
from lissive.case_answer.tables import rows
from lissive.evidence.claim import shipped_claims
from lissive.safety import Flag, SafetyAnswer

NO_CAUSE = "the case names no cause of the spasms, and trials differ between causes"

LONGEST = 170
"""Characters that three lines of the screen hold, whatever words leave free at their ends."""


@dataclass(frozen=True)
class BottomLine:
    """One sentence, and what it rests on."""

    text: str
    benefit: str
    """small, uncertain, not_shown, not_tested or not_known."""
    claim: str
    """The claim of the evidence that it sums up, or nothing."""
    forbidden: bool
    """Whether the plan is contraindicated, not eligible, or of a product that is not obtainable."""


def bottom_line(case: Case, access: Answer | None, safety: SafetyAnswer, gate: Gates) -> BottomLine:
    """What forbids it comes first, what trials found next, what has to be settled before last."""
    benefit, claim, found = _benefit(case)
    forbids = [*_contraindicated(safety), *_kept_out(case, access, gate)]
    said = [*forbids, found, *_settle(case, access, safety, gate, forbidden=bool(forbids))]
    text = "; ".join(said)
    if len(text) > LONGEST and case.plan.product is not None:  # PLAN names it in full
        text = text.replace(product(case.plan.product).label, "the planned product")
    return BottomLine(f"{text[:1].upper()}{text[1:]}.", benefit, claim, bool(forbids))


def to_settle(safety: SafetyAnswer) -> list[Flag]:
    """The major flags that can be settled before a start."""
    return [flag for flag in safety.worst("major") if not is_advice(flag)]


def is_advice(flag: Flag) -> bool:
    """Whether a flag is advice for as long as treatment lasts: that a drug is not to be stopped suddenly."""
    return flag.id.startswith("stop_")


def _benefit(case: Case) -> tuple[str, str, str]:
    """The benefit's word, the claim, and the words of its table; the planned product's where it has its own.

    The certainty is the claim's: in the text it stands after what the claim is about, else at the end.
    """
    cause, planned = case.spasm.cause, case.plan.product
    if cause is None:
        return "not_known", "", NO_CAUSE
    mine = [row for row in rows("bottom_lines") if row["cause"] == cause]
    for row in mine or [row for row in rows("bottom_lines") if row["cause"] == "other"]:
        if row["products"] == "any" or (planned or "none") in row.parts("products"):
            claim = next((each for each in shipped_claims() if each.id == row["claim"]), None)
            is_judged = claim is not None and row["benefit"] != "not_tested"
            certainty = f" ({claim.certainty_label} certainty)" if claim and is_judged else ""
            text = row["text"] if "{certainty}" in row["text"] else row["text"] + "{certainty}"
            return row["benefit"], row["claim"], text.replace("{certainty}", certainty)
    raise AssertionError(f"bottom_lines.tsv has no row for any product in {cause}")


def _contraindicated(safety: SafetyAnswer) -> Iterator[str]:
    flags = safety.worst("contraindicated")
    if flags:
        about = dict.fromkeys(word.replace("_", " ") for flag in flags for word in flag.substances)
        yield f"CONTRAINDICATED as stated ({', '.join(about)})"


def _named(place: str) -> str:
    """A place within a sentence.

    >>> _named("United Kingdom"), _named("New York")
    ('the United Kingdom', 'New York')
    """
    return (
        f"the {place}" if place.startswith(("United ", "U.S. ", "District ", "Northern Mariana")) else place
    )


def _kept_out(case: Case, access: Answer | None, gate: Gates) -> Iterator[str]:
    where = "there" if access is None else f"in {_named(access.name)}"
    programme = f" for the cannabis programme {where}"
    if gate.product == "not_obtainable" and case.plan.product is not None:
        yield f"{product(case.plan.product).label} cannot be had {where}"
        programme = ""
    if access is not None and access.status == "not_eligible" and not gate.by_prescription:
        yield f"not eligible{programme}"


def _count(n: int, one: str) -> str:
    return f"{n} {one}{'' if n == 1 else 's'}"


def _settle(
    case: Case, access: Answer | None, safety: SafetyAnswer, gate: Gates, *, forbidden: bool
) -> Iterator[str]:
    """The flags, what was not checked, what may forbid it and is not stated, and the visit.

    Of a plan that is forbidden anyway none is there to be settled; SAFETY and NEXT have the rest.
    """
    major, unknown = len(to_settle(safety)), len(safety.unknown_drugs)
    said = [_count(major, "major safety flag")] if major else []
    if unknown and not (forbidden and major):  # three lines do not hold both beside what forbids it
        said.append(_count(unknown, "UNCHECKED drug"))
    if said:
        yield ", ".join(said) if forbidden else f"settle {' and '.join(said)} first"
    asked = {"condition": safety.unchecked_conditions, "fact": safety.decisive}
    still = [_count(len(each), what) for what, each in asked.items() if each and not forbidden]
    if still and not said:
        yield f"NOT CHECKED: {', '.join(still)}"
    open_ = [] if access is None or gate.by_prescription or forbidden else _open(case, access, gate)
    if still and said:
        yield f"open: {', '.join([*still, *open_])}"
        open_ = []
    if gate.by_prescription:
        label = ", off label" if gate.off_label else ""
        yield f"on prescription{label}" if unknown else f"available on prescription{label}"
    elif access is not None and not forbidden:
        yield from _not_known(access, open_, brief=bool(unknown or still))


def _open(case: Case, access: Answer, gate: Gates) -> list[str]:
    """What of the rules, the visit and the product is not known."""
    law = "rules" if access.status == "unknown" else "visit" if access.procedural == "unknown" else ""
    is_open = case.plan.product is not None and gate.product == "unknown"
    return [*([law] if law else []), *(["product"] if is_open else [])]


def _not_known(access: Answer, open_: Sequence[str], *, brief: bool) -> Iterator[str]:
    """That this visit cannot do it, and what is not known."""
    verb = "prescribe" if access.product.route == "prescription" else "certify"
    if access.procedural == "blocked":
        yield f"this visit cannot {verb} it"
    sentences = {
        "rules": "whether the rules allow it is not known",
        "visit": f"whether this visit can {verb} is not known",
        "product": "whether it can be had is not known",
    }
    if open_:
        yield f"{' and '.join(open_)}: not known" if brief or open_[1:] else sentences[open_[0]]
