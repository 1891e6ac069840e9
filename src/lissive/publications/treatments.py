"""The arms of a published trial: who is in them, what they are given, how much of it at most."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lissive.case.products import product
from lissive.publications import prose, words
from lissive.publications.arms import normal
from lissive.publications.entry import CannotBuild, Entry
from lissive.publications.tables import number, plain, text_of
from lissive.table import constants

_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
CAPSULE_THC, CAPSULE_CBD = _ASSUMED["capsule_THC"], _ASSUMED["capsule_CBD"]
CBD_STEPS = 10
"""Units in the most of an oral CBD that has no THC beside it."""
_EVERYBODY = re.compile(r"all\b|everybody|everyone|crossover", re.IGNORECASE)
_NO_ARM = re.compile(r"total\b|screened|enrolled|run-?in|phase ?a\b|overall", re.IGNORECASE)
_GENERIC = ("active", "drug", "treatment", "verum", "cannabinoid")
_COUNTS = ("n_randomised", "n_treated", "n_analysed", "n_enrolled", "n")
_NAMES = {"thc": "THC", "cbd": "CBD", "both": "THC:CBD"}
MAX_KEYS = ("sprays_day", "thc_mg_day", "cbd_mg_day", "thc_mg_session")


@dataclass
class Group:
    """One arm of the file, or everybody in a crossover."""

    name: str
    row: Mapping[str, Any] = field(default_factory=dict)

    def count(self, *fields: str) -> int | None:
        """The first of the fields that is known."""
        known = (number(self.row.get(each)) for each in fields)
        return next((int(each) for each in known if each is not None and each >= 1), None)

    @property
    def randomised(self) -> int | None:
        return self.count(*_COUNTS)

    @property
    def analysed(self) -> int | None:
        return self.count("n_analysed", *_COUNTS)

    @property
    def treated(self) -> int | None:
        """Of whom side effects are counted."""
        return self.count("n_treated", *_COUNTS)


@dataclass
class Groups:
    """All arms of an entry."""

    arms: dict[str, Group]
    everybody: Group | None = None
    """Those who go through all arms, of a crossover."""
    total: Group | None = None

    def of(self, arm: str) -> Group:
        return self.everybody or self.arms[arm]


def read_groups(entry: Entry, has_placebo: bool) -> Groups:
    """The arms that an entry lists; of a crossover, those that its outcomes or its intervention name."""
    rows = entry.data.get("arms")
    groups = Groups({})
    if not isinstance(rows, tuple) or not rows:
        raise CannotBuild("it lists no arms")
    for row in rows:
        if not isinstance(row, Mapping):
            continue  # what is wrong with it is said by the check
        name = text_of(row.get("arm"))
        if _EVERYBODY.match(name):
            groups.everybody = Group(name, row)
        elif _NO_ARM.match(name):
            groups.total = Group(name, row)
        elif name:
            groups.arms[name] = Group(name, row)
    if not groups.arms:
        names = list(dict.fromkeys(row.arm for row in entry.rows if row.arm)) or _named_in_intervention(entry)
        groups.arms = {name: Group(name) for name in names}
        if has_placebo and not any(normal(name) == "placebo" for name in names):
            groups.arms["placebo"] = Group("placebo")
    return groups


def _named_in_intervention(entry: Entry) -> list[str]:
    found = words.found("content", entry.said("intervention"))
    for whole in ("nabiximols", "cannabis"):  # beside them, THC and CBD say what is in them
        if any(word.means == whole for word in found):
            return [whole]
    return list(dict.fromkeys(_NAMES.get(word.means, word.means) for word in found))


@dataclass(frozen=True)
class Caps:
    """The most that anybody may take; None where not said."""

    sprays: float | None
    thc: float | None
    cbd: float | None
    session: float | None
    times: int | None
    """Doses a day."""
    fixed: bool
    """The text gives one dose and no way up to it."""


def read_caps(entry: Entry) -> Caps:
    """The most of an entry's arms, from its own field, else from the dose in the intervention's words."""
    node = entry.data.get("max_dose")
    given = node if isinstance(node, Mapping) else {}
    for name in given:
        if name not in MAX_KEYS:
            entry.skip(f"max_dose.{name}", "a most that is not read")
    sprays, thc, cbd, session = (number(given.get(name)) for name in MAX_KEYS)
    said = entry.said("intervention")
    dose, titration = prose.daily_mg(said), entry.said("titration")
    fixed = "fixed" in titration.lower() or (not titration and dose is not None and dose.fixed)
    if dose and sprays is None and thc is None and cbd is None and session is None:
        entry.assume(f"Maximum daily dose {dose.mg:g} mg, from the text of the intervention.")
        only_cbd = {word.means for word in words.found("content", said)} == {"cbd"}
        thc, cbd = (None, dose.mg) if only_cbd else (dose.mg, None)
    return Caps(sprays, thc, cbd, session, prose.times_a_day(f"{said} {titration}"), fixed)


def arm_fields(entry: Entry, groups: Groups, control: str | None) -> dict[str, dict[str, Any]]:
    """Fields of `design.Arm` by name of the arm.

    Raises
    ------
    CannotBuild where a product is not in the model, or the most of it is not known.
    """
    caps = read_caps(entry)
    made = {name: _active(entry, groups, name, control, caps) for name in groups.arms if name != control}
    if not made:
        raise CannotBuild("it names no arm with a treatment")
    if control:
        # placebo looks like the first of the others, and may be taken as often
        made[control] = {**next(iter(made.values())), "placebo": True}
    return made


def _active(entry: Entry, groups: Groups, name: str, control: str | None, caps: Caps) -> dict[str, Any]:
    route, content = _route(entry, name), _content(entry, groups, name, control)
    if route == "spray":
        return _spray(entry, name, content, caps)
    if route in ("smoked", "vaporised"):
        return _inhaled(entry, route, name, caps)
    return _oral(entry, groups, name, content, caps)


def _route(entry: Entry, name: str) -> str:
    """spray, oral, smoked or vaporised: the arm's own, else the intervention's."""
    for text in (name, entry.said("intervention")):
        found = words.found("route", text)
        if bad := next((word for word in found if word.means == words.NOT_MODELLED), None):
            raise CannotBuild(bad.note)
        means = {word.means for word in found}
        if "spray" in means:
            return "spray"
        if len(means) > 1:
            raise CannotBuild(f"several routes at once: {', '.join(sorted(means))}")
        if means:
            return means.pop()
    entry.assume("Its route is not stated: taken by mouth.")
    return "oral"


def _content(entry: Entry, groups: Groups, name: str, control: str | None) -> str:
    """nabiximols, thc, cbd, both, extract or cannabis."""
    others = [arm for arm in groups.arms if arm != control]
    texts = [name, entry.said("intervention")] if len(others) == 1 else [name]
    for text in texts:
        found = words.found("content", text)
        if bad := next((word for word in found if word.means == words.NOT_MODELLED), None):
            raise CannotBuild(bad.note)
        if found:
            return found[0].means
    raise CannotBuild(f"what the arm {name!r} is given is not understood")


def _spray(entry: Entry, name: str, content: str, caps: Caps) -> dict[str, Any]:
    what = product("nabiximols")
    thc, cbd = what.thc_mg_per_unit or 0.0, what.cbd_mg_per_unit or 0.0
    made: dict[str, Any] = {"product": "nabiximols", "units_counted": "spray", "step": 1, "step_days": 1}
    if content in ("thc", "cbd"):
        made["cbd_mg_per_unit" if content == "thc" else "thc_mg_per_unit"] = 0.0
        entry.assume(f"A spray of {name} contains as much as one of nabiximols.")
    most = caps.sprays
    if most is None:
        has = {"thc": content != "cbd" and caps.thc, "cbd": content != "thc" and caps.cbd}
        known = [cap / {"thc": thc, "cbd": cbd}[name] for name, cap in has.items() if cap]
        if known:
            most = float(round(min(known)))
            entry.assume(f"Maximum daily dose of {name}, {most:g} sprays, calculated from mg.")
        else:
            most = what.label_max_per_day
            entry.assume(f"Maximum daily dose is not stated: the label's {most:g} sprays.")
    assert most is not None
    titration = entry.said("titration").lower()
    if re.search(r"\blabel|smpc", titration):
        made["titration"] = "label"
    elif caps.fixed:
        made |= {"titration": "fixed", "first_per_day": int(most)}
    else:
        made["titration"] = "self"
        _sprays_until(entry, made, titration, int(most))
    return made | {"most_per_day": int(most)}


def _sprays_until(entry: Entry, made: dict[str, Any], titration: str, most: int) -> None:
    """How long sprays go up; by steps of any size where one spray a day more cannot reach the most in time."""
    if not titration:
        entry.assume("Titration is not stated: self-titrated up to the maximum.")
    days, weeks = prose.titration_days(titration), prose.weeks(plain(entry.data.get("duration_weeks")))
    short = f"one spray a day more would not reach the maximum of {most}."
    if days is not None and days >= most:
        made["titration_days"] = int(days)
    elif titration and 7.0 * (weeks or most) < most:
        made["titration"] = "free"
        limit = "" if days is None else f"Titration is not limited to {days:g} days, and "
        entry.assume(f"{limit}{'S' if days is None else 's'}teps are of any size: {short}")
    elif days is not None:
        entry.assume(f"Titration is not limited to {days:g} days: {short}")


def _inhaled(entry: Entry, route: str, name: str, caps: Caps) -> dict[str, Any]:
    """Cigarettes or fillings of a vaporiser, each with the THC of one session."""
    times = caps.times
    if times is None:
        times = 1
        entry.assume("Inhalations a day are not stated: once.")
    unit = caps.session if caps.session is not None else caps.thc / times if caps.thc is not None else None
    if unit is None:
        raise CannotBuild("max_dose is missing (thc_mg_session or thc_mg_day)")
    return {
        "product": f"flower_{route}",
        "units_counted": "cigarette" if route == "smoked" else "filling",
        "thc_mg_per_unit": unit,
        "titration": "fixed",
        "most_per_day": times,
        "first_per_day": times,
        "doses_per_day": times,
    }


def _oral(entry: Entry, groups: Groups, name: str, content: str, caps: Caps) -> dict[str, Any]:
    content = "both" if content == "nabiximols" else "extract" if content == "cannabis" else content
    split = prose.capsule(entry.said("intervention"))
    unit_thc = split[0] if split else CAPSULE_THC
    if content == "cbd":
        most, unit_cbd = _cbd_units(entry, caps, unit_thc)
        unit_thc = 0.0
    else:
        if caps.thc is None:
            raise CannotBuild("max_dose is missing (thc_mg_day)")
        most, unit_cbd = (
            max(int(caps.thc / unit_thc + 1e-9), 1),
            _cbd_in(entry, content, split, caps, unit_thc),
        )
        if abs(most * unit_thc - caps.thc) > 1e-6:
            entry.assume(f"Maximum daily dose {most} units of {unit_thc:g} mg THC, not {caps.thc:g} mg.")
    made = {
        "product": "cannabidiol_solution" if content == "cbd" else "dronabinol",
        "units_counted": "capsule",
        "thc_mg_per_unit": unit_thc,
        "cbd_mg_per_unit": unit_cbd,
        "most_per_day": most,
        "doses_per_day": caps.times or 2,
    }
    if content != "cbd" and not split:
        entry.assume(f"An oral unit is a capsule of {unit_thc:g} mg THC.")
    if caps.times is None:
        entry.assume("Oral doses are taken twice a day.")
    return made | _oral_titration(entry, caps, most, unit_thc or unit_cbd)


def _cbd_units(entry: Entry, caps: Caps, unit_thc: float) -> tuple[int, float]:
    """Units a day, and mg of CBD in each: as many as of THC where there is such an arm beside it."""
    if caps.cbd is None:
        raise CannotBuild("max_dose is missing (cbd_mg_day)")
    most = max(int(caps.thc / unit_thc + 1e-9), 1) if caps.thc else CBD_STEPS
    if not caps.thc:
        entry.assume(
            f"A unit is a {'tenth' if CBD_STEPS == 10 else 'part'} of the maximum daily dose of CBD."
        )
    return most, caps.cbd / most


def _cbd_in(
    entry: Entry, content: str, split: tuple[float, float] | None, caps: Caps, unit_thc: float
) -> float:
    """mg of CBD in a unit with THC."""
    if content == "thc":
        return 0.0
    if split:
        return split[1]
    if caps.cbd is not None and caps.thc:
        return caps.cbd / max(int(caps.thc / unit_thc + 1e-9), 1)
    if content == "both":
        raise CannotBuild("max_dose is missing (cbd_mg_day)")
    entry.assume(f"A capsule of extract has {CAPSULE_THC:g} mg THC and {CAPSULE_CBD:g} mg CBD (unverified).")
    return CAPSULE_CBD


def _oral_titration(entry: Entry, caps: Caps, most: int, unit: float) -> dict[str, Any]:
    """From the first dose to the most in even steps over the days that the text gives."""
    if caps.fixed:
        return {"titration": "fixed", "first_per_day": most}
    said = entry.said("titration")
    first_mg = prose.first_mg(said)
    first = min(max(round(first_mg / unit), 1), most) if first_mg else 1
    days = prose.titration_days(said)
    made: dict[str, Any] = {"titration": "self", "first_per_day": first}
    if days is None:
        entry.assume("Titration is not stated: self-titrated by one unit a day up to the maximum.")
        return made
    steps = max(most - first, 1)
    made |= {"titration_days": int(days), "step_days": max(int(days) // steps, 1)}
    return made | {"step": max(math.ceil(steps / days), 1)}
