"""How pooled effects are said: numbers, intervals, designs, and which way benefit lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RECALLED, DERIVED = "†", "‡"
"""Stand after what was quoted from memory, and after what was calculated from figures that were read."""
MARKS = {"recalled": RECALLED, "derived": DERIVED, "read": ""}
DRUG, CONTROL = "the cannabinoid", "control"
DESIGNS = {
    "parallel": "Parallel groups: everybody who was let in is randomised",
    "crossover": "Crossover: each person has both, one after the other",
    "withdrawal": "Withdrawal: all took the drug, part was taken off it",
    "enriched": "Enriched: only those who did well on the drug before were randomised",
}
DESIGN_NAMES = {
    "parallel": "parallel groups",
    "crossover": "crossover",
    "withdrawal": "withdrawal",
    "enriched": "enriched",
}
ESTIMATORS = {
    "REML": "restricted maximum likelihood (REML)",
    "DL": "DerSimonian and Laird (DL)",
    "PM": "Paule and Mandel (PM)",
}
INTERVALS = {"HK": "Hartung and Knapp", "mHK": "Hartung and Knapp, modified", "Wald": "Wald"}
SCALES = {"OR": 1.0, "RR": 1.0, "GMR": 1.0}


def number(x: float | None, measure: str = "") -> str:
    """An effect as it is read.

    >>> number(2.509), number(-0.327), number(0.0667, "RD"), number(None)
    ('2.51', '-0.33', '0.067', 'no end')
    """
    if x is None:
        return "no end"
    if measure == "RD":
        return f"{x:.3f}"
    if abs(x) >= 100:
        return f"{x:.3g}" if abs(x) < 1e5 else f"{x:.1e}"
    return f"{x:.2f}" if abs(x) < 10 else f"{x:.1f}"


def interval(ends: Sequence[float | None] | None, measure: str = "") -> str:
    """From and to; nothing where there is none."""
    if ends is None:
        return ""
    return f"{number(ends[0], measure)} to {number(ends[1], measure)}"


def whole(figure: Mapping[str, Any], measure: str) -> str:
    """Estimate and interval: 2.51 (1.56 to 4.04)."""
    return f"{number(figure['estimate'], measure)} ({interval(figure['ci'], measure)})"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def p_value(p: float | None) -> str:
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def people(figure: Mapping[str, Any]) -> str:
    """How many, and of how many studies where some do not say."""
    if not figure["n_stated_by"]:
        return "number of people not stated"
    n = f"{figure['n']:,.0f} people".replace(",", "\u202f")
    if figure["n_stated_by"] == figure["k"]:
        return n
    return f"{n} in the {figure['n_stated_by']} that say how many"


def studies(k: int) -> str:
    return "1 study" if k == 1 else f"{k} studies"


def counted(figure: Mapping[str, Any]) -> str:
    """How many studies; where one has several arms, how many comparisons as well."""
    names = {each if isinstance(each, str) else each["study"] for each in figure["studies"]}
    if len(names) in (0, figure["k"]):
        return studies(figure["k"])
    return f"{figure['k']} comparisons of {studies(len(names))}"


def marked(row: Mapping[str, Any]) -> str:
    """A study's name with the mark of its weakest number."""
    return f"{row['label']}{MARKS[row['provenance']]}"


def groups(row: Mapping[str, Any], side: str) -> str:
    """One group's own numbers: 48/120, or mean -1.2 (SD 1.7, n 60)."""
    group = row[side]
    if group is None:
        return "-"
    if group["events"] is not None and group["n"]:
        return f"{_count(group['events'])}/{_count(group['n'])}"
    if group["mean"] is not None:
        rest = [
            f"SD {group['sd']:.3g}" if group["sd"] is not None else "",
            f"n {_count(group['n'])}" if group["n"] else "",
        ]
        inside = ", ".join(each for each in rest if each)
        return f"{group['mean']:.3g}{f' ({inside})' if inside else ''}"
    return f"n {_count(group['n'])}" if group["n"] else "-"


def _count(x: float) -> str:
    """People; a control group that is shared out among arms is not whole."""
    return f"{x:.0f}" if x == round(x) else f"{x:.1f}"


def title(answer: Mapping[str, Any]) -> str:
    where = answer["cause_label"]
    return _upper(f"{answer['outcome_label']}{f', in {where}' if where else ', in every cause'}")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def sides(answer: Mapping[str, Any]) -> tuple[str, str]:
    """What lies below and what above no difference."""
    if not answer["better"]:
        return f"lower with {DRUG}", "higher with it"
    good, bad = f"better with {DRUG}", f"better with {CONTROL}"
    return (good, bad) if answer["better"] == "lower" else (bad, good)


def null_value(answer: Mapping[str, Any]) -> float:
    return SCALES.get(answer["measure"], 0.0)


def finding(figure: Mapping[str, Any]) -> str:
    """Which way a figure points, in words."""
    return {
        "benefit": f"better with {DRUG}",
        "harm": f"better with {CONTROL}",
        "lower": f"lower with {DRUG}",
        "higher": f"higher with {DRUG}",
        "either": "the interval holds no difference",
        "": "no study",
    }[figure["direction"]]


def how(answer: Mapping[str, Any]) -> str:
    """How the figure was made, in a sentence."""
    if not answer["k"]:
        return ""
    scale = f" in {answer['unit']}" if answer["measure"] == "MD" else ""
    begin = _upper(f"{answer['measure_label']}{scale}, {DRUG} against {CONTROL}")
    if answer["k"] == 1:
        return f"{begin}; 95 % interval."
    kind = "Mantel-Haenszel" if answer["method"] == "MH" else "inverse variance"
    if answer["model"] == "fixed":
        return f"{begin}. One common effect (fixed), {kind}; 95 % interval."
    return (
        f"{begin}. Random effects, {kind}; τ² by {ESTIMATORS[answer['tau2_by']]}; 95 % interval by "
        f"{INTERVALS[answer['ci_by']]}."
    )


def spread(figure: Mapping[str, Any], measure: str) -> str:
    """How much the studies differ: I², τ, Q, and the prediction interval."""
    if figure["k"] < 2:
        return ""
    said = [f"I² {figure['i2']:.0f} %"]
    if figure["model"] == "random":
        said.append(f"τ² {figure['tau2']:.3g}")
    said.append(f"Q {figure['q']:.1f} on {figure['q_df']}, {p_value(figure['q_p'])}")
    if figure["prediction_interval"] is not None:
        said.append(f"a further study: {predicted(figure, measure)}")
    return "; ".join(said)


def predicted(figure: Mapping[str, Any], measure: str) -> str:
    """The prediction interval, or that so few studies give none: numbers that no patient can have say nothing."""
    if figure["prediction_beyond_scale"]:
        return f"{counted(figure)} cannot tell"
    return interval(figure["prediction_interval"], measure)


def absolute_words(answer: Mapping[str, Any]) -> str:
    """What it means for a thousand people, and the number needed to treat; each design by itself."""
    if answer["absolute"] is None:
        return ""
    said = f"In absolute numbers ({answer['outcome_label']}): "
    several = len(answer["by_design"]) > 1
    parts = [
        (f"{DESIGN_NAMES[group['design']]}, " if several else "") + _risks(group["absolute"])
        for group in (answer["by_design"] if several else [answer])
        if group["absolute"] is not None
    ]
    return f"{said}{' '.join(parts)}"


def _risks(found: Mapping[str, Any]) -> str:
    low, high = sorted(found["risk_ci"])
    per = found["benefit_per_1000"]
    source = "as asked" if found["baseline_from"] == "as asked" else "of the control groups"
    return (
        f"without the drug {percent(found['baseline_risk'])} ({source}), with it {percent(found['risk'])} "
        f"({percent(low)} to {percent(high)}); {abs(per):.0f} of 1000 are {'better' if per >= 0 else 'worse'} off; "
        f"{found['nnt_words']}."
    )


def left_out_words(row: Mapping[str, Any]) -> str:
    """Why it is not in the figure, what it says all the same, and where that stands in its entry."""
    key = f" [{row['key']}]" if row["key"] else ""
    said = f"; it says: {row['said']}" if row["said"] else ""
    return f"{row['reason'].rstrip('.')}{said}{key}"
