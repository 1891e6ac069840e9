"""The plan of a published trial: what kind it is, of whom, for how long, what comes before randomisation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lissive.publications import prose, words
from lissive.publications.entry import CannotBuild, Entry
from lissive.publications.names import RELIEF, SHARES, read_name
from lissive.publications.tables import number, plain
from lissive.publications.treatments import Groups, arm_fields, read_groups
from lissive.table import constants
from lissive.typed import Row

LONGEST_WEEKS = 104
_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
RUN_IN_FOR_ONE, LONG_TERM_WEEKS = _ASSUMED["enter_a_run_in"], int(_ASSUMED["long_term_use"])
LONGEST_RUN_IN = 52
FAILURE_PCT = _ASSUMED["failure"]
_EVENTS = ("dizziness", "withdrawal", "withdrawal_adverse", "failure")


class Virtual(Row):
    """The plan that is simulated, in the explicit form of a file."""

    cause: str
    kind: Literal["parallel", "crossover", "enriched", "single"]
    weeks: float = Field(gt=0, le=LONGEST_WEEKS, json_schema_extra={"unit": "weeks"})
    control: str | None = None
    relief: Literal["spasticity_nrs", "pain_nrs"]
    arms: Mapping[str, Mapping[str, Any]] = Field(min_length=1)
    crossover: Mapping[str, Any] | None = None
    run_in: Mapping[str, Any] | None = None
    inclusion: Mapping[str, Mapping[str, float]] = {}
    after_dose_h: float | None = Field(None, gt=0, le=8, json_schema_extra={"unit": "h"})
    failure_pct: float = FAILURE_PCT
    assumed: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    """Fields of the entry that say nothing of it."""


class Stated(Row):
    """A design with every part named."""

    said: str | None = None
    """In the words of the publication."""
    kind: Literal["parallel", "enriched", "withdrawal", "crossover"] | None = None
    cause: str | None = None
    product: str | None = None
    not_compared: str | None = None
    """Why nothing of it can be compared."""
    virtual: Virtual | None = None
    not_simulated: str | None = None
    """Why there is no such plan."""


@dataclass(frozen=True)
class Plan:
    """What a trial was to be, as far as virtual trials need it."""

    cause: str
    kind: str
    """parallel, crossover, enriched or single."""
    weeks: float
    """From randomisation, or of each period of a crossover."""
    groups: Groups
    control: str | None
    arms: Mapping[str, Mapping[str, Any]]
    """Name to the fields of `design.Arm`."""
    relief: str
    """By what patients judge their treatment: spasticity_nrs, pain_nrs."""
    failure_pct: float = FAILURE_PCT
    """By how much a rating rises when treatment has failed."""
    crossover: Mapping[str, Any] | None = None
    run_in: Mapping[str, Any] | None = None
    inclusion: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Measure to what it has to be before treatment."""
    after_dose_h: float | None = None
    """Where people are assessed before each dose and so many hours after it [h]."""

    @property
    def active(self) -> list[str]:
        return [name for name in self.arms if name != self.control]

    @property
    def since(self) -> str:
        """What responders are counted from: where treatment goes straight on, the rating before all of it."""
        return "screening" if self.run_in and not self.run_in.get("washout_days") else "randomisation"


def read_plan(entry: Entry, siblings: Mapping[str, Entry]) -> Plan:
    """The plan of an entry: as its design names it, otherwise from what its fields say in words.

    Raises
    ------
    CannotBuild with what is missing, or with what the model has not.
    """
    if isinstance(entry.design, Stated):
        return _stated(entry, entry.design)
    cause = _cause(entry)
    comparator = entry.said("comparator").lower()
    kind = _kind(entry, comparator)
    has_placebo = kind != "single" and (not comparator or "placebo" in comparator)
    if kind != "single" and not has_placebo:
        raise CannotBuild(f"its comparator {comparator!r} is not in the model")
    weeks = _weeks(entry)
    groups = read_groups(entry, has_placebo)
    control = next((name for name in groups.arms if "placebo" in name.lower()), None) if has_placebo else None
    if has_placebo and control is None:
        raise CannotBuild("none of its arms is called placebo")
    if kind == "single" and len(groups.arms) > 1:
        raise CannotBuild("it has several arms and no control")
    arms = arm_fields(entry, groups, control)
    plan = Plan(cause, kind, weeks, groups, control, arms, _relief(entry), _failure(entry))
    if kind == "crossover":
        plan = replace(plan, crossover=_crossover(entry, list(arms)))
        if number(entry.data.get("duration_weeks")) is not None:
            entry.assume("The duration of a crossover is that of each period.")
    sibling = _run_in_entry(entry, siblings) if kind == "enriched" else None
    if kind == "enriched":
        plan = replace(plan, run_in=_run_in(entry, plan, sibling))
    return replace(plan, inclusion=_inclusion(entry, plan, sibling))


def _stated(entry: Entry, design: Stated) -> Plan:
    """The plan of an entry whose design names every part."""
    virtual = design.virtual
    if virtual is None or design.not_simulated:
        raise CannotBuild(design.not_simulated or "its design names no plan that is simulated")
    for sentence in virtual.assumed:
        entry.assume(sentence)
    for what in virtual.not_read:
        entry.skip(what, "a most that is not read")
    groups = read_groups(entry, has_placebo=virtual.control is not None)
    fields = {
        name: getattr(virtual, name) for name in Virtual.model_fields if name not in ("assumed", "not_read")
    }
    return Plan(**fields, groups=groups)


def _cause(entry: Entry) -> str:
    text = entry.said("cause")
    if not text:
        raise CannotBuild("its cause is missing")
    if words.found("people", entry.said("cause", "inclusion")) or prose.is_of_children(
        entry.said("cause", "inclusion")
    ):
        raise CannotBuild("a paediatric trial; the model is of adults")
    found = words.found("cause", text)
    if bad := next((word for word in found if word.means == words.NOT_MODELLED), None):
        raise CannotBuild(bad.note)
    if not found:
        raise CannotBuild(f"the model has no such cause as {text!r}")
    if len({word.means for word in found}) == 1:
        return found[0].means
    mainly = re.search(r"mainly\s+([a-z ]+)", text.lower())
    first = words.find("cause", mainly[1]) if mainly else None
    counts = {word: prose.counts_near(text, word.word) or 0 for word in found}
    most = first or max(found, key=lambda word: counts[word])
    others = sorted({word.means for word in found} - {most.means})
    entry.assume(f"Participants with {' and '.join(others)} are simulated as {most.means} ({text}).")
    return most.means


def _kind(entry: Entry, comparator: str) -> str:
    """parallel, crossover, enriched or single."""
    design = entry.said("design").lower()
    if re.search(r"uncertain|unclear", f"{design} {comparator}"):
        raise CannotBuild("its design is uncertain")
    randomised, enriched = plain(entry.data.get("randomised")), plain(entry.data.get("enriched"))
    if randomised is False or comparator.startswith("none"):
        entry.assume("Open label; expectation is simulated as in a blinded trial.")
        return "single"
    first, *after = re.split(r"\bthen\b|\bfollowed by\b", design)
    if after and "parallel" in first and not re.search(r"run-?in|enrich", first) and enriched is not True:
        entry.assume(f"Only the first part of the design is simulated: {first.strip()}.")
        design = first
    if re.search(r"enrich|withdrawal|run-?in|responders", design) or enriched is True:
        return "enriched"
    if re.search(r"open-label.*\bthen\b|then.*open-label", design):
        raise CannotBuild("it has several parts with designs of their own")
    places = {
        kind: found.start() for kind in ("cross-?over", "parallel") if (found := re.search(kind, design))
    }
    if places:
        return min(places, key=lambda kind: places[kind]).replace("-?", "")
    if re.search(r"n-of-1", design):
        return "crossover"
    raise CannotBuild(f"the design {design!r} is not understood" if design else "its design is missing")


def _weeks(entry: Entry) -> float:
    said = plain(entry.data.get("duration_weeks"))
    if said is None:
        raise CannotBuild("duration_weeks is missing")
    made = prose.weeks(said)
    if made is None:
        raise CannotBuild(f"the length {said!r} is not a duration of repeated treatment")
    if not 1 / 7 - 1e-9 <= made <= LONGEST_WEEKS:
        raise CannotBuild(f"its length of {made:g} weeks is not within a day and {LONGEST_WEEKS} weeks")
    return made


def _relief(entry: Entry) -> str:
    """By what patients judge their treatment: pain where the first outcome is of pain."""
    outcomes = entry.data.get("outcomes")
    names = [read_name(name) for name in outcomes] if isinstance(outcomes, Mapping) else []
    first = next((name for name in names if name.measure and name.measure not in _EVENTS), None)
    if first and first.measure == RELIEF:
        # responders to nothing in particular: of what the cause names
        cause = entry.said("cause").lower()
        return "pain_nrs" if "pain" in cause and not re.search(r"spas|stiff", cause) else "spasticity_nrs"
    return "pain_nrs" if first and first.measure == "pain_nrs" else "spasticity_nrs"


def _failure(entry: Entry) -> float:
    """By how much a rating rises when treatment has failed."""
    outcomes = entry.data.get("outcomes")
    nodes = outcomes.items() if isinstance(outcomes, Mapping) else ()
    named = [node for name, node in nodes if read_name(name).measure == "failure"]
    if not named:
        return FAILURE_PCT
    said = prose.rises_by_pct(f"{entry.said('design')} {named}")
    if said is None:
        entry.assume(f"Treatment failure: worsening of the rating by {FAILURE_PCT:g} %, or discontinuation.")
    return said or FAILURE_PCT


def _crossover(entry: Entry, arms: list[str]) -> dict[str, Any]:
    said = number(entry.data.get("washout_days"))
    washout = said if said is not None else prose.washout_days(entry.said("design", "duration_weeks"))
    if washout is None:
        entry.assume("Wash-out between periods is not stated: none.")
    entry.assume("Sequences are balanced.")
    return {"sequences": balanced(arms), "washout_days": round(washout or 0)}


def balanced(arms: list[str]) -> tuple[tuple[str, ...], ...]:
    """Orders in which each arm comes as often at each place, and after each other (Williams' square).

    >>> balanced(["a", "b"])
    (('a', 'b'), ('b', 'a'))
    >>> len(balanced(["a", "b", "c"])), len(balanced(["a", "b", "c", "d"]))
    (6, 4)
    """
    k = len(arms)
    first = [0]
    for step in range(1, k):
        first.append((first[-1] + (step if step % 2 else -step)) % k)
    rows = [[(place + shift) % k for place in first] for shift in range(k)]
    if k % 2 and k > 1:
        rows += [row[::-1] for row in rows]
    return tuple(tuple(arms[place] for place in row) for row in rows)


# -- what comes before randomisation --------------------------------------------------------------
def _run_in_entry(entry: Entry, siblings: Mapping[str, Entry]) -> Entry | None:
    """The entry of the run-in itself, named alike: x_phaseA for x_phaseB."""
    found = re.fullmatch(r"(.*?)(phase)?_?([bB2])", entry.id)
    if not found:
        return None
    alike = {"b": "a", "B": "A", "2": "1"}[found[3]]
    other = siblings.get(entry.id[:-1] + alike)
    return other if other is not None and plain(other.data.get("randomised")) is False else None


def _run_in(entry: Entry, plan: Plan, sibling: Entry | None) -> dict[str, Any]:
    text = entry.said("design", "inclusion", "titration", "duration_weeks")
    weeks = _run_in_length(entry, text, sibling)
    keep = prose.falls_by_pct(entry.said("design", "inclusion"))
    said = number(entry.data.get("washout_days"))
    washout = said if said is not None else prose.washout_days(text)
    if washout is None and re.search(r"wash-?\s?out", text, re.IGNORECASE):
        raise CannotBuild("the duration of its wash-out is not stated")
    if washout and re.search(r"up to|\d\s?(?:-|–|to)\s?\d+[\s-]*(?:day|week|wk)", text):
        entry.assume(f"Wash-out: the longest stated, {washout:g} days.")
    patients = _entering(entry, plan, sibling, keep is not None)
    made: dict[str, Any] = {"arm": plan.active[0], "weeks": weeks, "patients": patients}
    if keep is not None:
        measure = plan.relief
        made["keep"] = {"measure": measure, "falls_by_pct": keep}
    else:
        entry.assume("No selection before randomisation.")
    if len(plan.active) > 1:
        entry.assume(f"Before randomisation all receive {plan.active[0]}.")
    return made | {"washout_days": round(washout or 0), "keep_dose": not washout}


def _run_in_length(entry: Entry, text: str, sibling: Entry | None) -> int:
    weeks = number(entry.data.get("run_in_weeks"))
    if weeks is None and sibling is not None:
        weeks = prose.weeks(plain(sibling.data.get("duration_weeks")))
    if weeks is None:
        weeks = prose.run_in_weeks(text)
    if weeks is None:
        if prose.falls_by_pct(text) is not None:
            raise CannotBuild("the duration of its run-in is not stated (run_in_weeks)")
        weeks = float(LONG_TERM_WEEKS)
        entry.assume(f"Duration of treatment before randomisation is not stated: {LONG_TERM_WEEKS} weeks.")
    if weeks > LONGEST_RUN_IN:
        entry.assume(f"Treatment of {weeks:g} weeks before randomisation is limited to {LONGEST_RUN_IN}.")
    return max(1, min(round(weeks), LONGEST_RUN_IN))


def _entering(entry: Entry, plan: Plan, sibling: Entry | None, selects: bool) -> int:
    """How many enter the time before randomisation."""
    needed = sum(group.randomised or 0 for group in plan.groups.arms.values())
    total = plan.groups.total
    needed = needed or (total.count("n_randomised", "n_analysed") if total else None) or 0
    known: int | None = total.count("n_enrolled", "n_run_in", "n_entered", "n_screened") if total else None
    if known is None and sibling is not None:
        other = read_groups(sibling, has_placebo=False)
        known = sum(
            group.count("n_enrolled", "n_treated", "n_analysed", "n") or 0 for group in other.arms.values()
        )
    if known and known >= needed:
        return known
    if not selects:
        return needed
    entry.assume(f"Number entering the run-in is not stated: {RUN_IN_FOR_ONE:g} for one randomised.")
    return round(RUN_IN_FOR_ONE * needed)


def _inclusion(entry: Entry, plan: Plan, sibling: Entry | None) -> dict[str, dict[str, float]]:
    """Measure to what it has to be before treatment."""
    text = entry.said("inclusion")
    before = sibling.said("inclusion") if sibling else ""
    if before:
        entry.assume(f"Inclusion criteria are those of {sibling.id}." if sibling else "")
        text = f"{text}; {before}"
    made: dict[str, dict[str, float]] = {}
    either = re.search(r"and/or|\bor\b", text.lower()) is not None
    for limit in prose.limits(text):
        measure = _limited(limit.named) or plan.relief
        if either and measure != plan.relief and len(list(prose.limits(text))) > 1:
            entry.assume(f"Of alternative inclusion criteria ({text}), only {plan.relief} is applied.")
            continue
        ends = {"at_least": limit.at_least, "at_most": limit.at_most}
        made[measure] = {name: value for name, value in ends.items() if value is not None}
    if re.search(r"ashworth", text.lower()):
        entry.assume(
            "The inclusion criterion on single muscles' Ashworth scores is not applied: the model has a mean."
        )
    if not text:
        entry.assume("Inclusion criteria are not stated: none.")
    elif not made:
        entry.assume("No inclusion criterion on a rating.")
    return made


def _limited(named: str) -> str | None:
    """The measure that the words right before a scale name."""
    clause = re.split(r"[;,.]|\band/or\b|\bor\b", named)[-1]
    parts = [part for part in re.split(r"[^a-z]+", clause) if part]
    for part in reversed(parts):
        name = read_name(f"{part}_nrs")
        if name.measure and name.measure not in SHARES:
            return name.measure
    return None
