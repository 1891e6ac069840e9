"""Comparisons of one outcome over the studies, each with where its numbers come from, and what is left out and why.

found = comparisons(shipped_studies(), outcome="spasticity_nrs", cause="multiple_sclerosis")
rest = left_out(shipped_studies(), outcome="spasticity_nrs", cause="multiple_sclerosis")

Several active arms against one control group are combined to one comparison (combining.py), so that a trial counts once
and nobody twice. Participants of two entries have one key, `patients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from lissive.evidence.about import About, about
from lissive.evidence.blocks import Block, Side, blocks, people_of
from lissive.evidence.combining import clustered, combined
from lissive.evidence.comparison import Cited, Comparison, Given, Group, weakest
from lissive.evidence.read import Located, Studies, is_studies
from lissive.evidence.unused import Unused, comparison_words, groups_words, of_subgroup
from lissive.evidence.words import (
    assumption,
    designs,
    find,
    known,
    known_products,
    table,
)
from lissive.publications.arms import role
from lissive.publications.tables import number


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
    each_arm = {arm: _one(entry, mine, outcome, found, arm, len(arms) > 1) for arm in arms}
    unused += [each for each in each_arm.values() if isinstance(each, Unused)]
    parts = [
        each for each in each_arm.values() if isinstance(each, Comparison) and product in (None, each.product)
    ]
    unused += _of_either_sign([each for each in parts if each.unsigned], mine.label, found)
    made = _as_one([each for each in parts if not each.unsigned], mine.label, found)
    made = [clustered(each, mine.design_effect) for each in made]
    if made and (whose := subgroup_of(entry.id, outcome)):
        return [], [*unused, *(_apart(each, whose) for each in made)]
    return made, [*unused, *(_repeats(entry, outcome, found) if made else ())]


def _apart(one: Comparison, whose: str) -> Unused:
    """A comparison of a subgroup, as what is shown and not pooled."""
    return Unused(one.study, one.outcome, of_subgroup(whose), one.outcome, comparison_words(one), one.cited)


def _of_either_sign(parts: Sequence[Comparison], label: str, found: Sequence[Block]) -> Iterator[Unused]:
    """A result whose sign is not known is no estimate: it is shown, and either sign is tried beside the pool."""
    words = "; ".join(
        f"{each.active.arm if each.active else ''} {comparison_words(replace(each, active=None, control=None))}"
        for each in parts
    )
    for one in _as_one(parts, label, found):
        reason = f"{one.unsigned.rstrip('.')}: not pooled"
        yield Unused(one.study, one.outcome, reason, one.outcome, words.strip(), one.cited, either=one)


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


def _as_one(parts: Sequence[Comparison], label: str, found: Sequence[Block]) -> list[Comparison]:
    """The arms of a trial as one comparison; a control group that is published in parts is put together again."""
    if len(parts) < 2:
        return list(parts)
    is_split = parts[0].design != "crossover" and any(
        side.is_split for block in found for arm, side in block.sides.items() if role(arm) == "control"
    )
    if is_split and all(each.control is not None for each in parts):
        parts = [
            replace(each, control=_times(each.control, len(parts)), note=f"{each.note}; {_PARTS}".strip("; "))
            for each in parts
        ]
    return [combined(parts, label)]


_PARTS = "its parts put together, taken as equal"


def _times(group: Group | None, parts: int) -> Group | None:
    """A control group of which one part is published."""
    if group is None:
        return None
    whole = {name: value * parts for name in ("n", "events") if (value := getattr(group, name)) is not None}
    return replace(group, **whole)


def _one(
    entry: Located, mine: About, outcome: str, found: Sequence[Block], arm: str, several: bool
) -> Comparison | Unused:
    """The comparison of one active arm with the control group."""
    is_crossover = mine.design == "crossover"
    pair, given = _pair(found, arm), _given(found, arm, several)
    if pair is None and given is None:
        return Unused(entry.id, f"{outcome} ({arm})", "no control group for this arm", outcome)
    active, control, cited, notes = _groups(pair)
    stated, unsigned = None, ""
    if given is not None:
        block, stated, used = given
        unsigned = why_unsigned(entry, outcome, stated)
        if unsigned and _is_usable(active, control):  # the groups' own numbers say it
            notes.append(f"{unsigned}; the means of the arms are used")
            stated, unsigned = None, ""
        else:
            notes += [each for each in block.notes if each not in notes]
            cited += [each for each in used if each not in cited]
        if pair is None:
            active, control = (_same_people if is_crossover else _people_alone)(entry, arm)
    if stated is None and not _is_usable(active, control):
        text = groups_words(active, control)
        return Unused(
            entry.id, f"{outcome} {arm}".strip(), _lacking(active, control), outcome, text, tuple(cited)
        )
    product = find("products", arm) if several else None
    word = product.word if product else mine.product
    correlation, assumed = _correlation(entry) if is_crossover else (None, "")
    return Comparison(
        study=mine.study,
        label=f"{mine.label} ({arm})" if several else mine.label,
        outcome=outcome,
        cause=mine.cause,
        design=mine.design,
        product=word,
        products=(word,) if word else (),
        active=active,
        control=control,
        given=stated,
        correlation=correlation,
        assumed=assumed,
        better=entry.outcome(outcome).better,
        provenance=weakest(tuple(each.provenance for each in cited)),
        cited=tuple(cited),
        patients=mine.patients,
        unsigned=unsigned,
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
    pair: tuple[Block, Side, Side] | None,
) -> tuple[Group | None, Group | None, list[Cited], list[str]]:
    """Both groups, with their sources and what was done to them."""
    if pair is None:
        return None, None, [], []
    block, a, c = pair
    notes = ["control group divided among arms, as published"] if c.is_split else []
    notes += [*block.notes, *a.notes, *(note for note in c.notes if note not in a.notes)]
    return a.group, c.group, [*a.cited, *c.cited], notes


def _people_alone(entry: Located, arm: str) -> tuple[Group | None, Group | None]:
    """Participants of a reported difference, where both groups state them."""
    active, rest = arm or _arm_of(entry, "active"), _arm_of(entry, "control")
    n, m = (people_of(entry, name) if name else None for name in (active, rest))
    return (Group(active, n=n), Group(rest, n=m)) if n and m else (None, None)


def _same_people(entry: Located, arm: str) -> tuple[Group | None, Group | None]:
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
    sides = [each for each in (active, control) if each is not None and (each.n or each.person_time)]
    counted = all(each.events is not None for each in sides)
    measured = all(each.n and each.mean is not None and each.sd is not None for each in sides)
    return len(sides) == 2 and (counted or measured)


def _lacking(active: Group | None, control: Group | None) -> str:
    sides = [each for each in (active, control) if each is not None]
    if len(sides) < 2:
        return "one arm only"
    if any(each.mean is not None and each.sd is None for each in sides):
        return "means without a standard deviation, and no interval of the difference"
    return "number of participants not reported"


def _repeats(entry: Located, outcome: str, found: Sequence[Block]) -> list[Unused]:
    """Blocks that report again what another reports."""
    arms = _active_arms(entry, found)
    used = {id(pair[0]) for arm in arms if (pair := _pair(found, arm))}
    used |= {id(block) for block in found if block.given}
    reason = "another result of the same outcome is used"
    return [Unused(entry.id, block.key.text, reason, outcome) for block in found if id(block) not in used]


# Figures of uncertain meaning (read_as.tsv), by their use. `sign`: the sign of a difference is not known (the means of
# groups are used where there are any; otherwise either sign is tried beside the pool). `subgroup`: of a part of
# the participants (shown, not pooled, as a per-protocol figure is).


def why_unsigned(entry: Located, outcome: str, given: Given) -> str:
    """Why the sign of a stated difference is not known; empty where it is."""
    row = _row(entry.id, outcome)
    if row is not None and row["use"] == "sign":
        return row["why"]
    convention = (getattr(entry.row, "outcomes", None) or {}).get("sign_convention")
    if isinstance(convention, str) and "not" in convention and given.measure == "MD":
        return f"sign of its differences uncertain: {convention}"
    return ""


def subgroup_of(study: str, outcome: str) -> str:
    """The subgroup that a study's figures of an outcome are of; empty where they are of all."""
    row = _row(study, outcome)
    return row["why"] if row is not None and row["use"] == "subgroup" else ""


def _row(study: str, outcome: str) -> Mapping[str, str] | None:
    return next((row for row in table("read_as") if (row["study"], row["outcome"]) == (study, outcome)), None)
