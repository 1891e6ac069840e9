"""The published numbers of one analyte as observations: units, statistics, windows, conditions of a ratio."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lissive import units
from lissive.errors import LissiveError
from lissive.marked import Loc
from lissive.model.parameters import load_genotypes, load_interactions, load_liver, load_parameters
from lissive.studies import prose, words
from lissive.studies.arm import MOST_H, with_medicine
from lissive.studies.entry import Entry, is_number
from lissive.studies.observation import LAST, Arm, Observation

ANALYTE_FIELDS = {"analyte", "provenance", "where", "confidence", "note"}
IN_WORDS = "1 for what is said in words"
"""Marks a ratio that the study gives as 'no effect' or 'no accumulation'."""
NOMINAL_MG = {"THC": 10.0, "CBD": 750.0}
"""Doses for a ratio whose study names none; ratios hardly depend on them."""
OF_THE_DOSE = {"oil_CBD", "heavy_user"}
"""What an arm fixes that is no condition of a ratio: both of its sides have it."""
_DOUBT = re.compile(r"do not use|implausib", re.IGNORECASE)
_VALUE_FIELDS = set("value unit stat spread spread_type note which as_reported range CI90 t_h".split())


def observations_of(
    entry: Entry,
    row: Mapping[str, Any],
    loc: Loc,
    analyte: str,
    split: str,
    provenance: str,
    arm: Arm | None,
) -> list[Observation]:
    """Everything of one analyte that can be scored; the rest goes to the entry's list of what is skipped."""
    found: list[Observation] = []
    for name, value in row.items():
        if name in ANALYTE_FIELDS:
            continue
        metric = words.metrics().get(name)
        what = f"{row.get('analyte')} {name}"
        if metric is None:
            entry.skip(what, "a metric that is not computed here")
        elif metric.measure == words.NOT_MODELLED:
            entry.skip(what, metric.note)
        elif arm is not None and arm.several_doses and metric.group != "ratio":
            entry.skip(what, "the entry speaks of several doses at once")
        elif arm is not None and arm.per_kg and metric.group == "clearance":
            entry.skip(what, "a clearance after doses per kg of weight is not computed")
        else:
            base = _Base(entry, (*loc, name), what, metric, analyte, split, provenance, arm)
            made = base.points(value) if name == "conc_time" else base.numbers(value)
            found.extend(_with_dose(entry, made, loc))
    return found


def _with_dose(entry: Entry, made: Iterator[Observation], loc: Loc) -> Iterator[Observation]:
    """Those whose arm took what was measured; a concentration without its dose is a mistake."""
    for each in made:
        drug = "CBD" if "CBD" in each.analyte else "THC"
        field = f"{drug}_mg"
        if getattr(each.arm, field.lower()) > 0:
            yield each
        elif each.group == "ratio":
            arm, reference = (_at_nominal(side, drug) for side in (each.arm, each.reference))
            assert arm is not None
            assumed = (*each.assumed, f"{NOMINAL_MG[drug]:g} mg of {drug}")
            yield replace(each, arm=arm, reference=reference, assumed=assumed)
        else:
            entry.wrong(
                ("dose", field),
                f"{field} is null, and {each.metric} of {each.analyte} needs the dose.",
                allowed="a number over 0.",
            )
            return


def _at_nominal(arm: Arm | None, drug: str) -> Arm | None:
    if arm is None:
        return None
    mg = NOMINAL_MG[drug]
    return replace(arm, thc_mg=mg) if drug == "THC" else replace(arm, cbd_mg=mg)


class _Base:
    """What all observations of one metric share."""

    def __init__(
        self,
        entry: Entry,
        loc: Loc,
        what: str,
        metric: words.Metric,
        analyte: str,
        split: str,
        provenance: str,
        arm: Arm | None,
    ) -> None:
        self.entry, self.loc, self.what, self.metric = entry, loc, what, metric
        self.analyte, self.split, self.provenance, self.arm = analyte, split, provenance, arm

    def points(self, rows: Any) -> Iterator[Observation]:
        """Concentrations at times: entries of time, concentration and, perhaps, spread."""
        if not isinstance(rows, tuple):
            self.entry.wrong(self.loc, "conc_time is not a list.", allowed="entries of time [h] and ng/mL.")
            return
        if not rows:
            self.entry.skip(self.what, "no concentrations in it")
        for k, point in enumerate(rows):
            loc = (*self.loc, k)
            if not isinstance(point, tuple) or len(point) < 2 or point[0] is None or point[1] is None:
                self.entry.wrong(loc, f"{point!r} is no time and concentration.", allowed="two numbers.")
            elif not all(isinstance(x, int | float) for x in point[:2]):
                self.entry.skip(f"{self.what} {point[0]}", f"{point[1]!r} at {point[0]!r} is not two numbers")
            elif not (
                is_number(point[0]) and 0 <= point[0] <= MOST_H and is_number(point[1]) and point[1] > 0
            ):
                self.entry.wrong(
                    loc,
                    f"{point[1]} at {point[0]} h.",
                    allowed=f"a time from 0 to {MOST_H:g} h, over 0 ng/mL.",
                )
            elif self.arm is not None:
                yield self._one(
                    self.arm, float(point[1]), "mean", time=float(point[0]), cv=_cv_of_text(point)
                )

    def numbers(self, row: Any) -> Iterator[Observation]:
        """One number, or one for each condition of a ratio."""
        if not isinstance(row, Mapping) or "value" not in row:
            self.entry.wrong(self.loc, "There is no value.", allowed="value, unit and stat.")
            return
        for field in row:
            if field not in _VALUE_FIELDS:
                self.entry.skip(f"{self.what}.{field}", "a field that is not read")
        factor, stat = self._factor(row), self._stat(row)
        if factor is None or stat is None:
            return
        value = row["value"]
        if value is None:
            note = f": {row['note']}" if row.get("note") else ""
            self.entry.skip(self.what, f"no value known{note}")
        elif isinstance(value, Mapping) and self.metric.group == "ratio":
            yield from self._conditions(value, stat)
        elif not isinstance(value, int | float):
            self.entry.skip(self.what, f"{value!r} is no single number")
        elif not is_number(value) or not 1e-9 < value < 1e9:
            self.entry.wrong(
                (*self.loc, "value"), f"The value is {value}.", allowed="a number from 1e-9 to 1e9."
            )
        elif stat.means == words.NOT_MODELLED:
            self.entry.skip(self.what, stat.note)
        elif _DOUBT.search(str(row.get("note") or "")):
            self.entry.skip(self.what, "its own note doubts it")
        elif self.arm is not None:
            yield from self._scaled(row, float(value) * factor, stat.means)

    def _factor(self, row: Mapping[str, Any]) -> float | None:
        """From the printed unit to the metric's own."""
        unit = row.get("unit")
        if self.metric.unit == "1":
            if unit in (None, "fold", "fraction", "ratio", 1):
                return 1.0
            self.entry.wrong(
                (*self.loc, "unit"), f"unit {unit!r} of a ratio.", allowed="fold, fraction, or none."
            )
            return None
        text = str(unit)
        by_weight = text.endswith("/kg") and self.metric.group == "clearance"
        try:
            factor = self._by_mass(text.removesuffix("/kg") if by_weight else text)
        except LissiveError:
            self.entry.wrong(
                (*self.loc, "unit"),
                f"unit {unit!r} is no unit of {self.metric.name}.",
                allowed=self.metric.unit,
            )
            return None
        mean = self.arm.weight[0] if self.arm and self.arm.weight else load_parameters()["weight_ref"].value
        return factor * mean if by_weight else factor

    def _by_mass(self, unit: str) -> float:
        """Factor to the metric's unit; amounts of substance become masses by the analyte's own."""
        try:
            return units.factor(unit, self.metric.unit)
        except LissiveError:
            molar = load_parameters()[f"M_{self.analyte}"].value
            return units.factor(
                unit, self.metric.unit.replace("ng/mL", "nmol/L").replace("ng*h/mL", "nmol*h/L")
            ) * (molar / 1000.0)

    def _stat(self, row: Mapping[str, Any]) -> words.Word | None:
        text = row.get("stat")
        if text is None:
            return words.Word("mean", "")
        return self.entry.word("stat", text, (*self.loc, "stat"))

    def _scaled(self, row: Mapping[str, Any], value: float, stat: str) -> Iterator[Observation]:
        assert self.arm is not None
        arm, assumed = self.arm, []
        span = (0.0, LAST)
        if self.metric.measure == "AUC":
            which = str(row.get("which") or "0-t")
            read = prose.window(which)
            if read is None:
                self.entry.skip(self.what, f"the window {which!r} is not understood")
                return
            span = read
            if "?" in which or "which" not in row or "or long" in which:
                assumed.append(f"AUC {which.split()[0].rstrip('?')}")
            if until := prose.sampled_for(which):
                arm = replace(arm, sampling=_until(arm, until))
        made = self._one(arm, value, stat, window=span, cv=_cv(row, value))
        if row.get("stat") == "qualitative":
            assumed.append(IN_WORDS)
        made = replace(made, assumed=(*made.assumed, *assumed))
        if self.metric.group == "ratio":
            yield from self._ratio(made)
        else:
            yield made

    def _ratio(self, made: Observation) -> Iterator[Observation]:
        """A ratio whose condition is the arm's own: food, a genotype, a medicine, or the other cannabinoid."""
        arm = made.arm
        name = self.metric.name
        if name == "accumulation_ratio":
            if len(arm.dose_times) > 1:
                yield made
            else:
                self.entry.skip(self.what, "nothing adds up after one dose")
            return
        if name.startswith("food"):
            yield replace(made, arm=replace(arm, fed=1.0), reference=replace(arm, fed=0.0))
            return
        if name.startswith("genotype"):
            poor, normal = (load_genotypes()[pair].value for pair in ("*3/*3", "*1/*1"))
            pair = [replace(arm, given={**arm.given, "cyp2c9_activity": value}) for value in (poor, normal)]
            yield replace(made, arm=pair[0], reference=pair[1])
            return
        medicines = {parameter for rows in load_interactions().values() for parameter in rows}
        bare = {
            parameter: value
            for parameter, value in arm.given.items()
            if parameter in OF_THE_DOSE or (name.startswith("ddi") and parameter not in medicines)
        }
        if bare != arm.given:
            yield replace(made, reference=replace(arm, given=bare))
        elif arm.thc_mg and arm.cbd_mg:
            alone = replace(arm, thc_mg=0.0) if "CBD" in self.analyte else replace(arm, cbd_mg=0.0)
            yield replace(made, reference=alone)
        else:
            self.entry.skip(self.what, "over what the ratio is, the entry does not say")

    def _conditions(self, values: Mapping[str, Any], stat: words.Word) -> Iterator[Observation]:
        """A ratio under each of several medicines, or in each class of liver disease."""
        if not values:
            self.entry.skip(self.what, "no value known")
        for name, value in values.items():
            what = f"{self.what}[{name}]"
            if not is_number(value) or value <= 0:
                self.entry.wrong(
                    (*self.loc, "value", name), f"{value!r} is no ratio.", allowed="a number over 0."
                )
                continue
            if name in load_interactions():
                given = with_medicine(name)
            elif name in load_liver():
                given = {"liver_function": load_liver()[name].value}
            else:
                self.entry.skip(
                    what, f"{name} is neither a medicine of interactions.tsv nor a class of liver.tsv"
                )
                continue
            if self.arm is not None:
                made = self._one(
                    replace(self.arm, given={**self.arm.given, **given}), float(value), stat.means
                )
                yield replace(made, metric=f"{self.metric.name}[{name}]", reference=self.arm)

    def _one(
        self,
        arm: Arm,
        value: float,
        stat: str,
        *,
        window: tuple[float, float] | None = None,
        time: float | None = None,
        cv: float | None = None,
    ) -> Observation:
        return Observation(
            self.entry.id,
            self.analyte,
            "C" if time is not None else self.metric.name,
            self.metric.measure,
            self.metric.group,
            value,
            self.metric.unit,
            "mean" if stat == words.NOT_MODELLED else stat,
            self.provenance,
            self.split,
            arm,
            window=window or (0.0, LAST),
            time=time,
            cv=cv,
            assumed=arm.assumed,
            doi=str(self.entry.data.get("doi") or ""),
        )


def _until(arm: Arm, until: float) -> tuple[float, ...]:
    return tuple(t for t in arm.sampling if t <= until + 1e-9) or (until,)


def _cv(row: Mapping[str, Any], value: float) -> float | None:
    """Coefficient of variation between people, where the spread is a standard deviation or a CV."""
    spread, kind = row.get("spread"), str(row.get("spread_type") or "")
    printed = row.get("value")
    if not isinstance(spread, int | float) or not isinstance(printed, int | float):
        return None
    if kind.startswith("SD"):
        return float(spread) / float(printed)
    return float(spread) / 100.0 if "CV" in kind else None


def _cv_of_text(point: tuple[Any, ...]) -> float | None:
    found = re.match(r"SD\s*(\d+(?:\.\d+)?)", str(point[2])) if len(point) > 2 else None
    return float(found[1]) / float(point[1]) if found else None
