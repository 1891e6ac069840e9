"""Rows of results as observations: units, statistics, windows, conditions of a ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lissive import units
from lissive.errors import LissiveError
from lissive.model.parameters import load_genotypes, load_liver
from lissive.studies.arm import MOST_H, interactions, parameters, with_medicine
from lissive.studies.entry import NOT_MODELLED, At, Entry, Metric, find, is_number, metrics, nearest
from lissive.studies.observation import INFINITE, LAST, Arm, Observation, interval_of

IN_AN_INTERVAL = ("AUCtau", "Cmin", "Cavg")
"""What is of one interval between doses."""
IN_WORDS = "1 for what is said in words"
"""Marks a ratio that the study gives as 'no effect' or 'no accumulation'."""
NOMINAL_MG = {"THC": 10.0, "CBD": 750.0}
"""Doses for a ratio whose study names none; ratios hardly depend on them."""
OF_THE_DOSE = {"oil_CBD", "heavy_user"}
"""What an arm fixes that is no condition of a ratio: both of its sides have it."""
MOST_IN_L, MOST_FOR_H = 1.0, 10.0
"""More than all that was given, in so much plasma for so long: a slip of the unit."""


@dataclass(frozen=True)
class _Result:
    """A row of results, its fields known to be right, with what it is about."""

    entry: Entry
    at: At
    row: Mapping[str, Any]
    what: str
    metric: Metric
    analyte: str
    split: str


def observations_of(
    entry: Entry, given: Mapping[str, Any], at: At, split: str, arm: Arm | None
) -> Iterator[Observation]:
    """What of a row can be scored; else the entry's list of what is skipped has it, or its findings."""
    row = entry.checked("row", given, at)
    for name in ("analyte", "metric", "provenance"):
        if given.get(name) is None:
            entry.wrong(at(name), f"{name} is None.", allowed=f"every row has its {name}.")
    if "analyte" not in row or "metric" not in row:
        return
    if "when" in row and (said := find("when", row["when"])):
        row["time_h"] = float(said.means)
    moment = row.get("when", row.get("time_h"))
    condition = f"[{row['condition']}]" if "condition" in row else ""
    what = f"{given['analyte']} {row['metric']}{condition}{'' if moment is None else f' {moment}'}"
    metric = metrics().get(str(row["metric"]))
    if row["analyte"].means == NOT_MODELLED:
        entry.skip(what, row["analyte"].note)
    elif metric is None:
        entry.skip(
            what, f"a metric that is not computed here; {nearest(row['metric'], metrics())}".rstrip("; ")
        )
    elif metric.measure == NOT_MODELLED:
        entry.skip(what, metric.note)
    elif arm is not None and arm.several_doses and metric.group != "ratio":
        entry.skip(what, "the entry speaks of several doses at once")
    elif arm is not None and (why := _needs(arm, metric, row)):
        entry.skip(what, why)
    elif arm is not None and arm.per_kg and metric.group == "clearance":
        entry.skip(what, "a clearance after doses per kg of weight is not computed")
    else:
        result = _Result(entry, at, row, what, metric, row["analyte"].means, split)
        for made in _made(result, given, arm):
            yield from _with_dose(result, made)


def _needs(arm: Arm, metric: Metric, row: Mapping[str, Any]) -> str:
    """Why the arm has none of what was measured."""
    if metric.name in IN_AN_INTERVAL and len(arm.dose_times) < 2:
        return "only repeated doses have an interval"
    earlier = len(arm.dose_times) > 1 or arm.before or arm.residual
    if metric.measure == "conc" and row.get("time_h") == 0 and not earlier and arm.route != "iv":
        return "before the only dose there is nothing, as no earlier use is given (before, residual_ng_mL)"
    return ""


def _made(result: _Result, given: Mapping[str, Any], arm: Arm | None) -> Iterator[Observation]:
    """The row as an observation, before it is known that the arm took what was measured."""
    factor = _factor(result, given.get("unit"), arm)
    if result.metric.measure == "conc" and given.get("time_h") is None and "when" not in given:
        result.entry.wrong(
            result.at("time_h"), "time_h is None.", allowed="the time of the concentration, in h."
        )
    value, end = result.row.get("value"), result.row.get("to")
    if is_number(end) and end <= result.row.get("from_h", 0.0):
        result.entry.wrong(result.at("to"), f"to is {end:g}.", allowed="an end after the start.")
    if why := _not_scored(result.row, given):
        result.entry.skip(result.what, why)
    elif arm is not None and factor is not None and value is not None:
        made = _observation(result, arm, value * factor)
        if made.value > _most(made):
            result.entry.wrong(
                result.at("unit"),
                f"{value:g} {given.get('unit')} is {made.value:.3g} {made.unit}, which is impossible.",
                allowed=f"up to {_most(made):.3g} {made.unit}, all that was given in {MOST_IN_L:g} L.",
                do="correct the unit or the value.",
            )
        yield from _ratio(result, made) if result.metric.group == "ratio" else [made]


def _not_scored(row: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Why there is nothing to score in a row that is right."""
    if given.get("value") is None:
        if "printed" in row:
            return f"{row['printed']!r} is no single number"
        if "interval" in row:
            return f"a range, {' to '.join(f'{end:g}' for end in row['interval'])}, is no single number"
        return f"no value known{': ' if 'note' in row else ''}{row.get('note', '')}"
    if "stat" in row and row["stat"].means == NOT_MODELLED:
        return str(row["stat"].note)
    return str(row.get("left_out", ""))


def _most(made: Observation) -> float:
    """More than this is impossible: all that was given would be in a litre of plasma, for ten hours."""
    if made.group == "time":
        return MOST_H
    mg = _mg(made.arm, made.analyte) * len(made.arm.dose_times)
    if made.group != "exposure" or not mg:
        return INFINITE
    weight = made.arm.weight[0] if made.arm.weight else parameters()["weight_ref"].value
    highest = mg * (weight if made.arm.per_kg else 1.0) * 1e3 / MOST_IN_L
    return highest * (MOST_FOR_H if made.measure == "AUC" else 1.0)


def _mg(arm: Arm, analyte: str) -> float:
    return arm.cbd_mg if "CBD" in analyte else arm.thc_mg


def _with_dose(result: _Result, made: Observation) -> Iterator[Observation]:
    """Those whose arm took what was measured; a concentration without its dose is a mistake."""
    drug = "CBD" if "CBD" in made.analyte else "THC"
    if _mg(made.arm, made.analyte) > 0:
        yield made
    elif made.group == "ratio":
        arm, reference = (_at_nominal(side, drug) for side in (made.arm, made.reference))
        assert arm is not None
        assumed = (*made.assumed, f"{NOMINAL_MG[drug]:g} mg of {drug}")
        yield replace(made, arm=arm, reference=reference, assumed=assumed)
    else:
        field = f"{drug}_mg"
        result.entry.wrong(
            result.entry.at(field),
            f"{field} is null, and {made.metric} of {made.analyte} needs the dose.",
            allowed="a number over 0.",
        )


def _at_nominal(arm: Arm | None, drug: str) -> Arm | None:
    if arm is None:
        return None
    mg = NOMINAL_MG[drug]
    return replace(arm, thc_mg=mg) if drug == "THC" else replace(arm, cbd_mg=mg)


def _factor(result: _Result, unit: Any, arm: Arm | None) -> float | None:
    """From the printed unit to the metric's own; a unit of another kind is a finding."""
    metric = result.metric
    if metric.unit == "1":
        if unit in (None, "fold", "fraction", "ratio", 1):
            return 1.0
        result.entry.wrong(
            result.at("unit"), f"unit {unit!r} of a ratio.", allowed="fold, fraction, or none."
        )
        return None
    text = str(unit)
    by_weight = text.endswith("/kg") and metric.group == "clearance"
    try:
        factor = _by_mass(text.removesuffix("/kg") if by_weight else text, metric.unit, result.analyte)
    except LissiveError:
        result.entry.wrong(
            result.at("unit"),
            f"unit {unit!r} is no unit of {metric.name}.",
            allowed=f"{metric.unit}, or another unit of the same kind.",
        )
        return None
    mean = arm.weight[0] if arm and arm.weight else parameters()["weight_ref"].value
    return factor * mean if by_weight else factor


def _by_mass(given: str, wanted: str, analyte: str) -> float:
    """Factor between units; amounts of substance become masses by the analyte's own."""
    try:
        return 1.0 if given == wanted else units.factor(given, wanted)
    except LissiveError:
        molar = parameters()[f"M_{analyte}"].value
        amount = wanted.replace("ng/mL", "nmol/L").replace("ng*h/mL", "nmol*h/L")
        return units.factor(given, amount) * (molar / 1000.0)


def _observation(result: _Result, arm: Arm, value: float) -> Observation:
    row, metric, entry = result.row, result.metric, result.entry
    assumed = [*row.get("assumed", ())]
    end = row.get("to", {"AUCinf": "inf", "AUClast": "last"}.get(metric.name))
    if metric.name in IN_AN_INTERVAL:
        end = interval_of(arm)
    elif metric.measure == "AUC" and end is None:
        assumed.append("AUC 0-t")
    if "sampled_to_h" in row:
        until = float(row["sampled_to_h"])
        kept = tuple(t for t in arm.sampling if t <= until + 1e-9)
        arm = replace(arm, sampling=kept or (until,))
    to = {None: LAST, "last": LAST, "inf": INFINITE}[end] if end in (None, "last", "inf") else float(end)
    condition = f"[{row['condition']}]" if "condition" in row else ""
    return Observation(
        entry.id,
        result.analyte,
        "C" if metric.measure == "conc" else f"{metric.name}{condition}",
        metric.measure,
        metric.group,
        value,
        metric.unit,
        row["stat"].means if "stat" in row else "mean",
        row["provenance"].means if "provenance" in row else "",
        result.split,
        arm,
        window=(float(row.get("from_h", 0.0)), to),
        time=float(row["time_h"]) if "time_h" in row else None,
        cv=_cv(row),
        assumed=(*arm.assumed, *assumed),
        doi=str(entry.data.get("doi") or ""),
        publication=str(
            next((entry.data[x] for x in ("doi", "source_url", "citation") if entry.data.get(x)), entry.base)
        ),
    )


def _cv(row: Mapping[str, Any]) -> float | None:
    """Coefficient of variation between people, where the spread is a standard deviation or a CV in percent."""
    kind = row["spread_kind"].means if "spread_kind" in row else None
    if "spread" not in row or kind not in ("SD", "CV"):
        return None
    return float(row["spread"]) / (float(row["value"]) if kind == "SD" else 100.0)


def _ratio(result: _Result, made: Observation) -> Iterator[Observation]:
    """A ratio with what it is over: without food, the usual genotype, no medicine, a healthy liver, one drug alone."""
    arm, name = made.arm, result.metric.name
    if "condition" in result.row:
        yield from _under(result, made, str(result.row["condition"]))
    elif name == "accumulation_ratio":
        if len(arm.dose_times) > 1:
            yield made
        else:
            result.entry.skip(result.what, "nothing adds up after one dose")
    elif name.startswith("food"):
        yield replace(made, arm=replace(arm, fed=1.0), reference=replace(arm, fed=0.0))
    elif name.startswith("genotype"):
        poor, normal = (
            replace(arm, given={**arm.given, "cyp2c9_activity": load_genotypes()[pair].value})
            for pair in ("*3/*3", "*1/*1")
        )
        yield replace(made, arm=poor, reference=normal)
    else:
        yield from _over_without(result, made)


def _over_without(result: _Result, made: Observation) -> Iterator[Observation]:
    """What the arm has of medicines, or of the other cannabinoid, over the same people without it."""
    arm = made.arm
    medicines = {parameter for rows in interactions().values() for parameter in rows}
    bare = {
        parameter: value
        for parameter, value in arm.given.items()
        if parameter in OF_THE_DOSE or (result.metric.name.startswith("ddi") and parameter not in medicines)
    }
    if bare != arm.given:
        yield replace(made, reference=replace(arm, given=bare))
    elif arm.thc_mg and arm.cbd_mg:
        alone = replace(arm, thc_mg=0.0) if "CBD" in made.analyte else replace(arm, cbd_mg=0.0)
        yield replace(made, reference=alone)
    else:
        result.entry.skip(result.what, "over what the ratio is, the entry does not say")


def _under(result: _Result, made: Observation, name: str) -> Iterator[Observation]:
    """A ratio under one of several medicines, or in one class of liver disease."""
    if name in interactions():
        given = with_medicine(name)
    elif name in load_liver():
        given = {"liver_function": load_liver()[name].value}
    else:
        why = f"{name} is neither a medicine of interactions.tsv nor a class of liver.tsv"
        result.entry.skip(result.what, why)
        return
    arm = replace(made.arm, given={**made.arm.given, **given})
    yield replace(made, arm=arm, reference=made.arm)
