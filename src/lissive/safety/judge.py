"""The flags of a case: what a person takes, has and does, held against what is in the planned product.

>>> from lissive.case import make_case
>>> case = make_case({"case": "a", "history": {"current": [{"drug": "warfarin"}]}, "plan": {"product": "nabiximols"}})
>>> [(flag.severity, flag.short) for flag in safety_of(case).flags][:1]
[('major', 'warfarin + cannabinoid: INR may rise, bleeding')]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lissive.case import Case
from lissive.safety._table import sources
from lissive.safety.answer import SEVERITIES, Flag, SafetyAnswer, Severity, UnknownDrug
from lissive.safety.drugs import Drug, almost, drugs, drugs_of
from lissive.safety.person import Planned, planned, unknown_conditions, unstated, words_of
from lissive.safety.rules import CONTENTS, Caution, Interaction, Text, cautions, interactions, reasons, sizes

SHORT = 60
"""Characters of a short line."""
_SEDATIVES = frozenset(
    "muscle_relaxant gabapentinoid sedating_antihistamine sedative_other antipsychotic tricyclic".split()
)
"""Classes that sedate and have a moderate flag each; of opioids, benzodiazepines and alcohol each is major alone."""
_ALONE = frozenset("opioid benzodiazepine z_drug barbiturate oxybate alcohol".split())
_NAMES = {
    "thc": "THC",
    "cbd": "CBD",
    **{each: each.replace("_", " ") for each in CONTENTS if each not in ("thc", "cbd")},
    "much_ethanol": "ethanol",
}
_OF_FLOWER = frozenset(("immunosuppression",))
"""What holds of flower that is vaporised as well as of flower that is smoked."""
_ALLERGIES = {
    "sesame_allergy": ("sesame_oil",),
    "ethanol_allergy": ("ethanol", "much_ethanol"),
    "propylene_glycol_allergy": ("propylene_glycol",),
    "peppermint_allergy": ("peppermint_oil",),
}
"""An allergy → what a product may have that it is to."""


@dataclass(frozen=True)
class Taken:
    """One ingredient that is taken, and what the case calls it."""

    drug: Drug
    said: str

    def __str__(self) -> str:
        own = self.drug.name.replace("_", " ")
        return own if self.said.lower().replace("_", " ") == own else f"{own} ({self.said})"


def safety_of(case: Case) -> SafetyAnswer:
    """All flags, the most severe first; the names that are in no table; what the case does not say."""
    plan, names = planned(case), [each.drug for each in case.history.current or ()]
    taken = [Taken(drug, name) for name in names for drug in drugs_of(name)]
    if case.history.opioids == "current" and not any("opioid" in each.drug.classes for each in taken):
        taken.append(Taken(Drug("opioid", (), (), frozenset(("opioid",)), {}), "opioid"))
    if case.history.alcohol in ("some", "heavy"):
        taken.append(Taken(drugs()["alcohol"], "alcohol"))
    taken = list({each.drug.name: each for each in taken}.values())
    met = {rule.id: _met(rule, taken, plan) for rule in interactions()}
    flags = [_interaction(rule, met[rule.id], plan) for rule in interactions() if met[rule.id]]
    flags += _sedatives(taken, plan)
    words = dict(words_of(case)) | ({"smoke": "smoked product"} if plan.smoked else {})
    flags += [flag for rule in cautions() if (flag := _caution(rule, words, plan)) is not None]
    flagged = {drug.drug.name for several in met.values() for drug in several}
    return SafetyAnswer(
        tuple(sorted(flags, key=lambda flag: SEVERITIES.index(flag.severity))),
        tuple(UnknownDrug(name, almost(name)) for name in names if not drugs_of(name)),
        tuple(unstated(case, plan)),
        tuple(str(each) for each in taken if each.drug.name not in flagged),
        {key: sources()[key] for key in sorted({key for flag in flags for key in flag.sources})},
        tuple(_asks(taken, words)),
        tuple(unknown_conditions(case)),
    )


def _asks(taken: Sequence[Taken], words: Mapping[str, str]) -> Iterator[str]:
    """A drug that is usually taken for something that bears on cannabinoids, and that the case does not state."""
    for reason in reasons():
        mine = [t for t in taken if t.drug.name in reason.named or t.drug.classes & reason.classes]
        if mine and reason.word not in words:
            is_taken = "is" if len(mine) == 1 else "are"
            yield f"whether {' and '.join(map(str, mine))} {is_taken} taken for {reason.word.replace('_', ' ')}"


# -- interactions ----------------------------------------------------------------------------------
def _applies(rule: Interaction, plan: Planned) -> bool:
    return not rule.with_ or bool(rule.with_ & plan.all)


def _met(rule: Interaction, taken: Sequence[Taken], plan: Planned) -> list[Taken]:
    if not _applies(rule, plan):
        return []
    return [each for each in taken if rule.meets(each.drug) and not _said_better(rule, each.drug, plan)]


def _said_better(rule: Interaction, drug: Drug, plan: Planned) -> bool:
    """A rule about an enzyme's substrates gives way to one that names the drug."""
    return rule.by_substrate and any(
        drug.name in other.named and other.with_ & rule.with_ & plan.all for other in interactions()
    )


def _interaction(rule: Interaction, met: Sequence[Taken], plan: Planned) -> Flag:
    mine = rule.with_ & plan.all
    only_cbd = mine == {"cbd"}
    notes = [rule.text.mechanism]
    if only_cbd and plan.small_cbd:
        notes.append(_small(plan))
    if mine and not mine & plan.contents:
        notes.append(
            f"Whether the product has {_listed(_NAMES[each] for each in sorted(mine))} is not stated."
        )
    if rule.enzymes and not rule.by_substrate:
        notes += _modelled(met, plan)
    read = all(rule.read_for(each.drug) for each in met)
    short = _short(rule.text.short, [each.drug.name.replace("_", " ") for each in met])
    severity = rule.small if only_cbd and plan.small_cbd else rule.severity
    substances = (*(str(each) for each in met), *(_NAMES[each] for each in sorted(mine, reverse=True)))
    return _flag(
        rule.id, substances, severity, replace(rule.text, mechanism=" ".join(notes), short=short), read
    )


def _modelled(met: Sequence[Taken], plan: Planned) -> Iterator[str]:
    for each in met:
        if found := sizes().get((plan.name, each.drug.name)):
            ratios = ", ".join(f"{analyte} × {ratio}" for analyte, ratio in found)
            yield (
                f"In this model, AUC with {each.drug.name}: {ratios} (factors on enzymes unverified; measured figures "
                "have priority)."
            )


def _small(plan: Planned) -> str:
    if plan.cbd_mg_per_day is None:
        return "The amount of CBD is not stated: whether this happens is uncertain."
    return (
        f"This plan has up to {plan.cbd_mg_per_day:g} mg of CBD a day, below the doses that were studied (5 to 25 "
        "mg/kg a day): whether it happens with so little is uncertain."
    )


def _sedatives(taken: Sequence[Taken], plan: Planned) -> Iterator[Flag]:
    """Two or more sedating medicines and a cannabinoid, where none of them is a major flag alone."""
    sedating = [each for each in taken if each.drug.classes & _SEDATIVES]
    alone = any(each.drug.classes & _ALONE for each in taken)
    if alone or len(sedating) < 2 or not plan.all & {"thc", "cbd"}:
        return
    text = Text(
        f"{len(sedating)} medicines that sedate are taken already; a cannabinoid adds to them.",
        "Ask which of them is still needed; titrate slowly; no driving, no alcohol.",
        "Drowsiness, confusion, falls, slow breathing.",
        f"{len(sedating)} sedating medicines + cannabinoid: sedation, falls",
        "read",
        ("cesamet_interactions", "marinol_label"),
    )
    names = tuple(str(each) for each in sedating)
    yield _flag("sedation_several", names, "major", text, read=True)


# -- cautions --------------------------------------------------------------------------------------
def _caution(rule: Caution, words: Mapping[str, str], plan: Planned) -> Flag | None:
    said, excipients = words.get(rule.about), _ALLERGIES.get(rule.about, ())
    if said is None or (excipients and plan.all.isdisjoint(excipients)):
        return None
    kinds = [each for each in ("thc", "cbd") if each in plan.all]
    found = [(rule.severity[each], each) for each in kinds if each in rule.severity]
    of_flower = rule.about in _OF_FLOWER and "flower" in plan.contents
    if (plan.smoked or of_flower) and "smoked" in rule.severity:
        found.append((rule.severity["smoked"], "thc"))
    if not found:
        return None
    severity, text = min((each for each, _ in found), key=SEVERITIES.index), rule.text
    if excipients and plan.contents.isdisjoint(excipients):
        severity, text = "major", _unsure(rule.text, said, _NAMES[excipients[0]])
        found = [(severity, kind) for _, kind in found]
    what = [_NAMES[kind] for each, kind in found if each == severity]
    substances = (said.replace("_", " "), *dict.fromkeys(what))
    return _flag(
        rule.id,
        substances,
        severity,
        text,
        text.provenance == "read",
        kind="contraindication" if severity == "contraindicated" else "caution",
    )


def _unsure(text: Text, said: str, excipient: str) -> Text:
    """Of an allergy to what only some forms have, or to what no label says that the product has or has not."""
    return replace(
        text,
        mechanism=f"{text.mechanism} Whether the planned product has {excipient} is not stated.",
        advice=f"Find out what the product is made with; do not use one with {excipient}.",
        short=f"{said.replace('_', ' ')}: ask whether the product has it"[:SHORT],
    )


# -- a flag ----------------------------------------------------------------------------------------
def _flag(
    name: str,
    substances: tuple[str, ...],
    severity: Severity,
    text: Text,
    read: bool,
    *,
    kind: Literal["interaction", "contraindication", "caution"] = "interaction",
) -> Flag:
    return Flag(
        name,
        kind,
        substances,
        severity,
        text.mechanism,
        text.advice,
        text.sources,
        f"read {text.day}" if read else "unverified",
        "" if text.watch == "-" else text.watch,
        text.short,
    )


def _short(template: str, names: Sequence[str]) -> str:
    """The short line with as many of the names as fit."""
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        line = template.replace("{drugs}", ", ".join(names[:shown]) + more)
        if len(line) <= SHORT:
            return line
    return template.replace("{drugs}", f"{len(names)} drugs" if len(names) > 1 else names[0])[:SHORT]


def _listed(words: Iterator[str]) -> str:
    return " or ".join(words)
