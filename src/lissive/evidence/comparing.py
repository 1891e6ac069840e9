"""Comparisons of one outcome over the studies, each with where its numbers come from, and what is left out and why.

Several active arms against one control group are combined to one comparison, so that a trial counts once
and nobody twice. Participants of two entries have one key, `patients`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import cast

from lissive.evidence.blocks import Block, Side, blocks, people_of, shares
from lissive.evidence.comparison import (
    CHOSEN,
    RATIOS,
    SINGLE,
    About,
    Comparison,
    Given,
    Group,
    Unused,
    about,
    clustered,
    comparison_words,
    groups_words,
    is_usable,
    lacking,
    mean_of_treatments,
    of_subgroup,
    one_group,
    subgroup_of,
    weakest,
    why_unsigned,
)
from lissive.evidence.effect import NotUsable, effect
from lissive.evidence.read import Cited, Located, Studies, bias_of, is_studies
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

# -- several arms as one comparison -----------------------------------------------------------------
# Groups are combined as Cochrane Handbook 6.5.2.10 has it, against the whole control group (23.3.4). Reported
# differences are averaged by the participants of their arms, with the covariance that the shared control group gives
# them. In a crossover the same persons took every treatment: the mean over treatments is compared.

BOOK = "Cochrane Handbook 23.3.4"


def combined(parts: Sequence[Comparison], label: str) -> Comparison:
    """The comparisons of one trial's arms, each with the same control group, as one.

    Parameters
    ----------
    label : of the trial.
    """
    first = parts[0]
    given, more = _given_of_arms(parts)
    products = tuple(dict.fromkeys(word for each in parts for word in each.products))
    arms = [each.active.arm if each.active else each.label for each in parts]
    is_crossover = first.design == "crossover"
    how = (
        f"the mean over {len(parts)} treatments of the same persons"
        if is_crossover
        else "arms combined, against the whole control group"
    )
    note = f"{', '.join(arms)}: {how} ({BOOK})"
    notes = [note, *more, *(text for each in parts for text in each.note.split("; ") if text)]
    actives = [each.active for each in parts if each.active is not None]
    active = None
    if len(actives) == len(parts):
        active = (mean_of_treatments if is_crossover else one_group)(actives)
    return replace(
        first,
        label=label,
        product=products[0] if len(products) == 1 else "",
        products=products,
        active=active,
        given=given,
        treatments=len(parts) if is_crossover else 1,
        provenance=weakest(tuple(each.provenance for each in parts)),
        cited=tuple(dict.fromkeys(cited for each in parts for cited in each.cited)),
        note="; ".join(dict.fromkeys(notes)),
    )


def _given_of_arms(parts: Sequence[Comparison]) -> tuple[Given | None, list[str]]:
    """The arms' own estimates as one; None where an arm has none and its groups give none."""
    measure = next((each.given.measure for each in parts if each.given is not None), None)
    if measure is None:
        return None, []
    try:
        effects = [effect(each, measure) for each in parts]
    except NotUsable:
        return None, ["an arm gives no such estimate: the groups' own numbers are used"]
    y, v = [each.y for each in effects], [each.v for each in effects]
    weights, shares, notes = _weights(parts)
    total = sum(
        wi * wj * (vi if i == j else math.sqrt(vi * vj * ri * rj))
        for i, (wi, vi, ri) in enumerate(zip(weights, v, shares, strict=True))
        for j, (wj, vj, rj) in enumerate(zip(weights, v, shares, strict=True))
    )
    mean = sum(w * each for w, each in zip(weights, y, strict=True))
    estimate = math.exp(mean) if measure in RATIOS else mean
    return Given(measure, float(f"{estimate:.10g}"), se=math.sqrt(total)), notes


def _weights(parts: Sequence[Comparison]) -> tuple[list[float], list[float], list[str]]:
    """Weight of each arm, and the share of its variance that is the control group's: n/(n + m) with one variance."""
    k = len(parts)
    if parts[0].design == "crossover":  # between differences from the same control period
        return [1 / k] * k, [0.5] * k, []
    sizes = [(each.active.n, each.control.n) for each in parts if each.active and each.control]
    known = [(n, m) for n, m in sizes if n and m]
    if len(known) < k:
        note = "participants of the arms are not stated: arms and control group taken as equally large"
        return [1 / k] * k, [0.5] * k, [note]
    total = sum(n for n, _ in known)
    return [n / total for n, _ in known], [n / (n + m) for n, m in known], []


# -- the comparisons of some studies ----------------------------------------------------------------
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


def alone(
    studies: Studies, outcome: str, cause: str | None, design: str | None, product: str | None
) -> Iterator[Comparison]:
    """The groups of each study that took the drug, as one group and without any comparison."""
    for entry in studies.trials:
        mine = about(entry)
        if (cause and mine.cause != cause) or (design and mine.design != design) or entry.row.rejected:
            continue
        found = [(each, find("products", each.group.arm)) for each in shares(entry, outcome)]
        named = [(side, word.word if word else mine.product) for side, word in found]
        sides = [each for each in named if product in (None, each[1])]
        words = tuple(dict.fromkeys(word for _, word in sides if word))
        one = Comparison(mine.study, mine.label, outcome, mine.cause, SINGLE, products=words)
        cited = tuple(dict.fromkeys(one for side, _ in sides for one in side.cited))
        chosen = ["only people who had answered to the drug"] if mine.design in CHOSEN else []
        if sides:
            yield replace(
                one,
                product=words[0] if len(words) == 1 else "",
                active=one_group([side.group for side, _ in sides]),
                better=entry.outcome(outcome).better,
                provenance=weakest(tuple(each.provenance for each in cited)),
                cited=cited,
                patients=mine.patients,
                risk_of_bias=bias_of(entry),
                note="; ".join([*chosen, *(note for side, _ in sides for note in side.notes)]),
            )


def every(studies: Studies) -> tuple[Sequence[Comparison], Sequence[Unused]]:
    """All comparisons of all outcomes, and all that is in none; put together once for the same studies."""
    is_studies(studies)
    if not studies.kept:
        studies.kept.append(_every(studies))
    return cast(tuple[Sequence[Comparison], Sequence[Unused]], studies.kept[0])


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
        why = of_subgroup(whose)
        apart = [Unused(x.study, x.outcome, why, x.outcome, comparison_words(x), x.cited) for x in made]
        return [], [*unused, *apart]
    return made, [*unused, *(_repeats(entry, outcome, found) if made else ())]


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
        if unsigned and is_usable(active, control):  # the groups' own numbers say it
            notes.append(f"{unsigned}; the means of the arms are used")
            stated, unsigned = None, ""
        else:
            notes += [each for each in block.notes if each not in notes]
            cited += [each for each in used if each not in cited]
        if pair is None:
            active, control = _people(entry, arm, is_crossover)
    if stated is None and not is_usable(active, control):
        text = groups_words(active, control)
        return Unused(
            entry.id, f"{outcome} {arm}".strip(), lacking(active, control), outcome, text, tuple(cited)
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
        risk_of_bias=bias_of(entry),
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


def _people(entry: Located, arm: str, is_crossover: bool) -> tuple[Group | None, Group | None]:
    """Participants of a reported difference: of both groups, where both state them; in a crossover all are both."""
    if is_crossover:
        n = people_of(entry, arm)
        return (Group(arm or "active", n=n), Group("control", n=n)) if n else (None, None)
    active, rest = arm or _arm_of(entry, "active"), _arm_of(entry, "control")
    n, m = (people_of(entry, name) if name else None for name in (active, rest))
    return (Group(active, n=n), Group(rest, n=m)) if n and m else (None, None)


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
    pairs.sort(key=lambda each: (not is_usable(each[1].group, each[2].group), _rescaled(each[0])))
    return pairs[0] if pairs else None


def _rescaled(block: Block) -> bool:
    parts = block.key.text.lower().split("_")
    return block.key.flipped or bool({"vas", "crs", "mm"} & set(parts))


def _repeats(entry: Located, outcome: str, found: Sequence[Block]) -> list[Unused]:
    """Blocks that report again what another reports."""
    arms = _active_arms(entry, found)
    used = {id(pair[0]) for arm in arms if (pair := _pair(found, arm))}
    used |= {id(block) for block in found if block.given}
    reason = "another result of the same outcome is used"
    return [Unused(entry.id, block.key.text, reason, outcome) for block in found if id(block) not in used]
