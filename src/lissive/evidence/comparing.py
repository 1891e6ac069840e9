"""Comparisons of one outcome over the studies, each with where its numbers come from, and what is left out and why.

found = comparisons(shipped_studies(), outcome="spasticity_nrs", cause="multiple_sclerosis")
rest = left_out(shipped_studies(), outcome="spasticity_nrs", cause="multiple_sclerosis")

Several active arms against one control group give one comparison each, with the control group divided among them, so
that nobody counts twice; a reported difference keeps its estimate, and its standard error becomes what it would be
against that part (Cochrane Handbook 23.3.4). Participants of two entries have one key, `patients`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import NormalDist

from lissive.evidence.about import About, about
from lissive.evidence.arms import people_of, role
from lissive.evidence.comparison import Cited, Comparison, Given, Group, weakest
from lissive.evidence.extract import Block, Side, blocks
from lissive.evidence.read import Located, Studies, is_studies, number
from lissive.evidence.read_as import read_as, subgroup_of
from lissive.evidence.unused import Unused, comparison_words, groups_words, of_subgroup
from lissive.evidence.words import (
    assumption,
    designs,
    find,
    known,
    known_products,
    table,
)


def comparisons(
    studies: Studies,
    *,
    outcome: str,
    cause: str | None = None,
    design: str | None = None,
    product: str | None = None,
) -> list[Comparison]:
    """What each study reports on one outcome, in the order of the studies.

    Parameters
    ----------
    outcome, cause, design, product : words of the tables; all causes, designs and products where not given.

    Raises       EvidenceError for a word that is not known, with the nearest.
    """
    return _looked_at(studies, outcome, cause, design, product)[0]


def left_out(
    studies: Studies,
    *,
    outcome: str,
    cause: str | None = None,
    design: str | None = None,
    product: str | None = None,
) -> list[Unused]:
    """What the same studies report on the outcome without a comparison, and why it is not used."""
    return _looked_at(studies, outcome, cause, design, product)[1]


def _looked_at(
    studies: Studies, outcome: str, cause: str | None, design: str | None, product: str | None
) -> tuple[list[Comparison], list[Unused]]:
    is_studies(studies)
    known("outcome", outcome, studies.outcomes)
    for kind, word, allowed in (
        ("cause", cause, studies.causes),
        ("design", design, designs()),
        ("product", product, known_products()),
    ):
        if word is not None:
            known(kind, word, allowed)
    made: list[Comparison] = []
    unused: list[Unused] = []
    for entry in studies.trials:
        mine = about(entry)
        if (cause and mine.cause != cause) or (design and mine.design != design):
            continue
        found, rest = _of_trial(entry, mine, outcome, product)
        made += found
        unused += rest
    return made, unused


def every(studies: Studies) -> tuple[Sequence[Comparison], Sequence[Unused]]:
    """All comparisons of all outcomes, and all that is in none; put together once for the same studies."""
    is_studies(studies)
    if not studies.kept:
        studies.kept.append(_every(studies))
    found: tuple[Sequence[Comparison], Sequence[Unused]] = studies.kept[0]
    return found


def _every(studies: Studies) -> tuple[Sequence[Comparison], Sequence[Unused]]:
    made: list[Comparison] = []
    unused: list[Unused] = []
    trials = [(entry, about(entry)) for entry in studies.trials]
    for word in studies.outcomes:
        for entry, mine in trials:
            found, rest = _of_trial(entry, mine, word, None)
            made += found
            unused += rest
    for entry, _ in trials:
        unused += [each for each in _blocks(entry) if isinstance(each, Unused) and not each.outcome]
    return tuple(made), tuple(unused)


def _of_trial(
    entry: Located, mine: About, outcome: str, product: str | None
) -> tuple[list[Comparison], list[Unused]]:
    read = _blocks(entry)
    unused = [each for each in read if isinstance(each, Unused) and each.outcome == outcome]
    found = [each for each in read if isinstance(each, Block) and each.outcome == outcome]
    if mine.why and (found or unused):
        text = [replace(each, reason=mine.why) for each in unused]
        return [], [*text, *(Unused(entry.id, each.key.text, mine.why, outcome) for each in found)]
    arms = _active_arms(entry, found)
    first = {arm: _one(entry, mine, outcome, found, arm, arms, len(arms)) for arm in arms}
    unused += [each for each in first.values() if isinstance(each, Unused)]
    kept = [
        arm for arm, each in first.items() if isinstance(each, Comparison) and product in (None, each.product)
    ]  # only these share the control group
    again = (_one(entry, mine, outcome, found, arm, arms, len(kept)) for arm in kept)
    made = [each for each in again if isinstance(each, Comparison)]
    if made and (whose := subgroup_of(entry.id, outcome)):
        return [], [*unused, *(_apart(each, whose) for each in made)]
    return made, [*unused, *(_repeats(entry, outcome, found) if made else ())]


def _apart(one: Comparison, whose: str) -> Unused:
    """A comparison of a subgroup, as what is shown and not pooled."""
    return Unused(one.study, one.outcome, of_subgroup(whose), one.outcome, comparison_words(one), one.cited)


def _blocks(entry: Located) -> tuple[Block | Unused, ...]:
    """The blocks of a trial, taken apart once."""
    if not entry.kept:
        entry.kept.extend(blocks(entry))
    return tuple(entry.kept)


def _active_arms(entry: Located, found: Sequence[Block]) -> list[str]:
    """The active arms that a trial has figures of; `` where a difference is of the one that there is."""
    names = dict.fromkeys(
        arm for block in found for arm in (*block.sides, *block.given) if arm and role(arm) == "active"
    )
    if names:
        return list(names)
    return [""] if any("" in block.given for block in found) else []


def _one(
    entry: Located,
    mine: About,
    outcome: str,
    found: Sequence[Block],
    arm: str,
    every_arm: Sequence[str],
    arms: int,
) -> Comparison | Unused:
    """The comparison of one active arm; `arms` of all share the control group."""
    several, is_crossover = len(every_arm) > 1, mine.design == "crossover"
    pair, given = _pair(found, arm), _given(found, arm, several)
    if pair is None and given is None:
        return Unused(entry.id, f"{outcome} ({arm})", "no control group for this arm", outcome)
    active, control, cited, notes = _groups(pair, arms, is_crossover)
    stated = None
    if given is not None:
        stated, used, more = _stated(entry, outcome, given)
        if stated is not None and arms > 1 and not is_crossover:
            stated, wider = _widened(entry, stated, arm, arms)
            more = [*more, *wider]
        notes += [each for each in more if each not in notes]
        cited += [each for each in used if each not in cited]
        if pair is None and stated is not None:
            active, control = (_same_people if is_crossover else _people_alone)(entry, arm, arms)
    if stated is None and not _is_usable(active, control):
        why = notes[0] if given is not None and notes else _lacking(active, control)
        text = groups_words(active, control)
        return Unused(entry.id, f"{outcome} {arm}".strip(), why, outcome, text, tuple(cited))
    product = find("products", arm) if several else None
    correlation, assumed = _correlation(entry) if is_crossover else (None, "")
    return Comparison(
        study=mine.study,
        label=f"{mine.label} ({arm})" if several else mine.label,
        outcome=outcome,
        cause=mine.cause,
        design=mine.design,
        product=product.word if product else mine.product,
        active=active,
        control=control,
        given=stated,
        correlation=correlation,
        assumed=assumed,
        better=entry.outcome(outcome).better,
        provenance=weakest(tuple(each.provenance for each in cited)),
        cited=tuple(cited),
        patients=f"{mine.patients}/{arm.lower()}" if several and not is_crossover else mine.patients,
        note="; ".join(notes),
    )


_Stated = tuple[Block, Given, tuple[Cited, ...]]


def _given(found: Sequence[Block], arm: str, several: bool) -> _Stated | None:
    """The difference that is stated of this arm, or of the trial where it has but one."""
    for block in found:
        for name in (arm, ""):
            if name in block.given and (name or not several):
                return (block, *block.given[name])
    return None


def _groups(
    pair: tuple[Block, Side, Side] | None, arms: int, is_crossover: bool
) -> tuple[Group | None, Group | None, list[Cited], list[str]]:
    """Both groups, with their sources and what was done to them."""
    if pair is None:
        return None, None, [], []
    block, a, c = pair
    control, notes = c.group, []
    if arms > 1 and is_crossover:
        notes.append(f"the same participants took each of {arms} treatments")
    elif arms > 1 and not c.is_split:
        control = _share_of(control, arms)
        notes.append(f"control group divided among {arms} arms")
    elif c.is_split:
        notes.append("control group divided among arms, as published")
    notes += [*block.notes, *a.notes, *(note for note in c.notes if note not in a.notes)]
    return a.group, control, [*a.cited, *c.cited], notes


def _stated(
    entry: Located, outcome: str, given: _Stated
) -> tuple[Given | None, tuple[Cited, ...], list[str]]:
    """A reported difference as it is entered, its sources, and notes; None where its meaning is uncertain."""
    block, stated, used = given
    made, why = read_as(entry, outcome, stated)
    if made is None:
        return None, (), why
    if why:  # what is entered is not what was published
        used = tuple(replace(e, provenance="derived") if e.provenance == "read" else e for e in used)
    return made, used, [*block.notes, *why]


def _people_alone(entry: Located, arm: str, arms: int) -> tuple[Group | None, Group | None]:
    """Participants of a reported difference, where both groups state them."""
    active, rest = arm or _arm_of(entry, "active"), _arm_of(entry, "control")
    n, m = (people_of(entry, name) if name else None for name in (active, rest))
    return (Group(active, n=n), Group(rest, n=m / arms)) if n and m else (None, None)


def _same_people(entry: Located, arm: str, arms: int) -> tuple[Group | None, Group | None]:
    """The participants of a crossover, who are both groups."""
    n = people_of(entry, arm)
    return (Group(arm or "active", n=n), Group("control", n=n)) if n else (None, None)


def _arm_of(entry: Located, kind: str) -> str:
    """Name of the one arm of this role; empty where there is none, or several."""
    names = [str(each.get("arm")) for each in getattr(entry.row, "arms", None) or ()]
    mine = [name for name in names if role(name) == kind]
    return mine[0] if len(mine) == 1 else ""


def _correlation(entry: Located) -> tuple[float, str]:
    """Within-person correlation: as the trial reports it, otherwise as assumed, with the assumption."""
    stated = number(getattr(entry.row, "correlation", None))
    return (assumption("crossover_correlation"), _assumed()) if stated is None else (stated, "")


@cache
def _assumed() -> str:
    row = next(row for row in table("assumptions") if row["name"] == "crossover_correlation")
    return f"correlation {row['value']} {row['note']}"


def _pair(found: Sequence[Block], arm: str) -> tuple[Block, Side, Side] | None:
    """The block with this arm and a control group; the one that can be used, on the outcome's own scale, first."""
    pairs = []
    for block in found:
        side = (
            block.sides.get(arm)
            if arm
            else next((s for a, s in block.sides.items() if role(a) == "active"), None)
        )
        other = next((s for a, s in block.sides.items() if role(a) == "control"), None)
        if side is not None and other is not None:
            pairs.append((block, side, other))
    pairs.sort(key=lambda each: (not _is_usable(each[1].group, each[2].group), _rescaled(each[0])))
    return pairs[0] if pairs else None


def _rescaled(block: Block) -> bool:
    parts = block.key.text.lower().split("_")
    return block.key.flipped or bool({"vas", "crs", "mm"} & set(parts))


def _is_usable(active: Group | None, control: Group | None) -> bool:
    sides = [each for each in (active, control) if each is not None and each.n]
    counted = all(each.events is not None for each in sides)
    measured = all(each.mean is not None and each.sd is not None for each in sides)
    return len(sides) == 2 and (counted or measured)


def _lacking(active: Group | None, control: Group | None) -> str:
    sides = [each for each in (active, control) if each is not None]
    if len(sides) < 2:
        return "one arm only"
    if any(each.mean is not None and each.sd is None for each in sides):
        return "means without a standard deviation, and no interval of the difference"
    return "number of participants not reported"


def _share_of(group: Group, arms: int) -> Group:
    """One of `arms` equal parts of a control group."""
    parts = {name: value / arms for name in ("n", "events") if (value := getattr(group, name)) is not None}
    return replace(group, **parts)


def _widened(entry: Located, given: Given, arm: str, arms: int) -> tuple[Given, list[str]]:
    """A reported difference as it would be against one part of the control group."""
    rest = _arm_of(entry, "control")
    n, m = people_of(entry, arm), people_of(entry, rest) if rest else None
    se = given.se
    if se is None and given.low is not None and given.high is not None:
        se = (given.high - given.low) / (2 * NormalDist().inv_cdf((1 + given.level) / 2))
    if not n or not m or se is None:
        return given, [f"control group shared by {arms} arms; the numbers to divide it are not known"]
    wider = math.sqrt((1 / n + arms / m) / (1 / n + 1 / m))
    note = f"standard error times {wider:.2f}: control group divided among {arms} arms"
    return replace(given, low=None, high=None, se=se * wider), [note]


def _repeats(entry: Located, outcome: str, found: Sequence[Block]) -> list[Unused]:
    """Blocks that report again what another reports."""
    arms = _active_arms(entry, found)
    used = {id(pair[0]) for arm in arms if (pair := _pair(found, arm))}
    used |= {id(block) for block in found if block.given}
    reason = "another result of the same outcome is used"
    return [Unused(entry.id, block.key.text, reason, outcome) for block in found if id(block) not in used]
