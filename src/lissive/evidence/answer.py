"""The whole answer to "what do the studies say on this outcome?": effects, figure, designs apart, what was left out.

pooled_answer(comparisons, outcomes()["spasticity_nrs"], cause="multiple_sclerosis") -> the JSON of `evidence pool`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lissive.errors import EvidenceError
from lissive.evidence.absolute import Absolute, absolute
from lissive.evidence.answer_data import (
    direction,
    estimate_data,
    figure_data,
    finite,
    room_of,
    small_studies_data,
    studies_data,
)
from lissive.evidence.beside import as_of, comparable, of_how_many
from lissive.evidence.bias import why_unbelievable
from lissive.evidence.comparison import DESIGNS, Comparison, weakest
from lissive.evidence.effect import (
    COUNTED,
    LABELS,
    MEASURED,
    Effect,
    NotUsable,
    effect,
    known_measure,
    null,
)
from lissive.evidence.pool import Pooled, difference_between, leave_one_out, pool
from lissive.given import number_of

if TYPE_CHECKING:
    from lissive.evidence.read import Studies


BEYOND_SCALE = (
    "so few studies cannot tell what a further one would find: the prediction interval leaves the scale"
)


class OutcomeLike(Protocol):
    """What of an outcome the answer needs."""

    @property
    def word(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def better(self) -> str: ...
    @property
    def kind(self) -> str: ...


MEASURES_OF: Mapping[str, tuple[str, ...]] = {
    "share": COUNTED,
    "mean": ("MD", "SMD"),
    "count": ("MD", "GMR", "SMD"),
    "scale": ("SMD",),
}
"""Kind of outcome to the measures that it is pooled by; the first that most studies give is taken, save that counts
give all three, so that the first that any study gives is."""


@dataclass(frozen=True)
class LeftOut:
    """A comparison that is not in the figure, and why."""

    study: str
    label: str
    reason: str
    key: str = ""
    """Name of the figures in the study's entry."""
    said: str = ""
    """What the study says in words."""


def pooled_answer(
    comparisons: Sequence[Comparison],
    outcome: OutcomeLike,
    *,
    cause: str = "",
    cause_label: str = "",
    design: str | None = None,
    measure: str | None = None,
    model: str = "random",
    tau2: str = "REML",
    ci: str | None = None,
    method: str = "IV",
    baseline_risk: float | None = None,
    correlation: float | None = None,
    unused: Iterable[LeftOut] = (),
) -> dict[str, Any]:
    """As plain data, ready for JSON; None where a number does not exist or is infinite.

    Parameters
    ----------
    measure : the one that most of the studies give, if not given.
    baseline_risk : for numbers needed to treat; else that of the control groups together.
    unused : what was left out before; listed with what is left out here.

    Raises       EvidenceError for a measure that does not fit the outcome, and for what `pool` refuses.
    """
    if (
        correlation is not None
        and not -1.0 < number_of("correlation", correlation, wrong=EvidenceError) < 1.0
    ):
        raise EvidenceError(
            f"A correlation within people of {correlation:g} cannot be.",
            where="--correlation",
            allowed="above -1 and below 1, as 0.5.",
            do="correct it, or leave it out.",
        )
    measure = _measure(comparisons, outcome, measure, correlation, method)
    kept, effects, left = _effects(comparisons, measure, correlation, method)
    options: dict[str, Any] = {"model": model, "tau2": tau2, "ci": ci, "method": method}
    figure = pool(effects, **options)
    groups = _by_design(effects, options)
    between = difference_between([group for _, group in groups])
    provenance = weakest(tuple(each.provenance for each in effects))
    most = room_of(measure, getattr(outcome, "lower", None), getattr(outcome, "upper", None))
    answer: dict[str, Any] = {
        "outcome": outcome.word,
        "outcome_label": outcome.label,
        "unit": outcome.unit,
        "better": outcome.better,
        "cause": cause,
        "cause_label": cause_label or cause,
        "design": design,
        "measure": measure,
        "measure_label": LABELS[measure],
        **figure_data(figure, most),
        "direction": direction(figure, outcome.better),
        "by_design": [
            {
                "design": name,
                "studies": [each.study for each in effects if each.design == name],
                **figure_data(group, most),
                "direction": direction(group, outcome.better),
                "absolute": _absolute(
                    group, [each for each in kept if each.design == name], outcome, baseline_risk
                ),
            }
            for name, group in groups
        ],
        "between_designs": None if between is None else asdict(between),
        "leave_one_out": [
            {"without": each.study, "label": each.label, **estimate_data(rest)}
            for each, rest in leave_one_out(effects, **options)
        ],
        "small_studies": small_studies_data(effects),
        "absolute": _absolute(figure, kept, outcome, baseline_risk),
        "studies": studies_data(kept, effects, figure),
        "left_out": [asdict(each) for each in (*left, *unused)],
        "provenance": provenance if effects else None,
        "recalled": [each.study for each in effects if each.provenance == "recalled"],
        "rejected": "" if figure is None else why_unbelievable(measure, figure.estimate, i2=figure.i2),
    }
    answer["notes"] = _notes(answer, figure)
    return answer


def answer_of(
    studies: Studies,
    outcome: str,
    *,
    cause: str | None = None,
    design: str | None = None,
    product: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The same from a file of studies, by words.

    Raises       EvidenceError for a word that is not known, with those that are and the nearest.
    """
    from lissive.evidence import comparisons, left_out
    from lissive.evidence.about import about, cause_word, label_of
    from lissive.evidence.read import is_studies

    is_studies(studies)
    outcome, cause = studies.word_of(outcome), cause_word(studies, cause)
    asked: dict[str, Any] = {"outcome": outcome, "cause": cause, "design": design, "product": product}
    found = comparisons(studies, **asked)
    unused = [
        LeftOut(each.study, label_of(each.study), each.reason, each.key, each.said)
        for each in left_out(studies, **asked)
    ]
    there_is = None if found else comparable(studies, outcome, cause)
    answer = pooled_answer(
        found,
        studies.outcomes[outcome],
        cause=cause or "",
        cause_label=studies.causes[cause] if cause else "",
        design=design,
        unused=unused,
        **options,
    )
    looked = of_how_many(answer, {each.id for each in studies.trials if not about(each).why})
    held = len({row["study"] for row in answer["studies"]})
    if 0 < held < looked:
        answer["notes"].append(
            f"The figure holds {held} of {looked} trials that looked at this. What the others say stands under what is "
            "left out: trials that find nothing often give no number"
        )
    answer["trials_looked"] = looked
    return {"as_of": as_of(studies), "there_is": there_is} | answer


# -- the measure --------------------------------------------------------------------------------------
def _measure(
    comparisons: Sequence[Comparison],
    outcome: OutcomeLike,
    asked: str | None,
    correlation: float | None,
    method: str,
) -> str:
    fitting = MEASURES_OF[outcome.kind]
    if asked is not None:
        word = known_measure(asked)
        family = COUNTED if outcome.kind == "share" else MEASURED
        if outcome.kind == "scale" and word == "MD":
            raise EvidenceError(
                f"A mean difference cannot be pooled over {outcome.word}: its studies use scales of different units.",
                where="--measure",
                allowed=f"{', '.join(fitting)}.",
                do="leave --measure out, or name another outcome.",
            )
        if word not in family:
            of = "events: it counts people" if outcome.kind == "share" else "a quantity: it has means"
            raise EvidenceError(
                f"{outcome.word} cannot be pooled as {word} ({LABELS[word]}). The outcome is of {of}.",
                where="--measure",
                allowed=f"{', '.join(fitting)}.",
                do="leave --measure out, or name another outcome.",
            )
        return word
    return _most_given(comparisons, outcome, correlation, method)


def _most_given(
    comparisons: Sequence[Comparison], outcome: OutcomeLike, correlation: float | None, method: str
) -> str:
    fitting = MEASURES_OF[outcome.kind]
    usable = dict.fromkeys(fitting, 0)
    for word in fitting:
        for each in comparisons:
            try:
                effect(each, word, correlation=correlation, own=method == "IV")
            except NotUsable:
                continue
            usable[word] += 1
    if outcome.kind == "share":
        return next((word for word in fitting if usable[word]), fitting[0])
    return max(fitting, key=lambda word: usable[word])  # the first of equals


# -- effects, and what has none ---------------------------------------------------------------------------
def _effects(
    comparisons: Sequence[Comparison], measure: str, correlation: float | None, method: str
) -> tuple[list[Comparison], list[Effect], list[LeftOut]]:
    """Comparisons that give the measure, their effects, and the others with the reason."""
    pairs: list[tuple[Comparison, Effect]] = []
    left: list[LeftOut] = []
    for each in comparisons:
        if method == "MH" and each.design == "crossover":
            left.append(LeftOut(each.study, each.label, "Mantel-Haenszel weighs groups of different people"))
            continue
        try:
            pairs.append((each, effect(each, measure, correlation=correlation, own=method == "IV")))
        except NotUsable as reason:
            left.append(LeftOut(each.study, each.label, reason.what))
    kept: dict[str, tuple[Comparison, Effect]] = {}
    for pair in pairs:
        key = pair[1].patients
        first = kept.get(key)
        if first is None:
            kept[key] = pair
            continue
        # of two reports on the same people the one of more people stays, else the one that is listed first
        stays, goes = (pair, first) if (pair[1].n or 0) > (first[1].n or 0) else (first, pair)
        kept[key] = stays
        left.append(
            LeftOut(
                goes[0].study, goes[0].label, f"the same people as {stays[0].study}; they are counted once"
            )
        )
    ordered = [pair for pair in pairs if kept[pair[1].patients] is pair]
    return [pair[0] for pair in ordered], [pair[1] for pair in ordered], left


def _by_design(effects: Sequence[Effect], options: Mapping[str, Any]) -> list[tuple[str, Pooled]]:
    found = []
    for name in DESIGNS:
        group = pool([each for each in effects if each.design == name], **options)
        if group is not None:
            found.append((name, group))
    return found


# -- numbers needed to treat ------------------------------------------------------------------------------------
def _absolute(
    figure: Pooled | None,
    kept: Sequence[Comparison],
    outcome: OutcomeLike,
    asked: float | None,
) -> dict[str, Any] | None:
    if asked is not None and outcome.kind != "share":
        raise EvidenceError(
            f"{outcome.word} is a quantity: there is no risk to start from, and no number needed to treat.",
            where="--baseline-risk",
            allowed="an outcome that counts people, as responders_30pct.",
            do="leave --baseline-risk out.",
        )
    if asked is not None and not 0.0 < asked < 1.0:
        absolute(
            "RD", 0.0, (0.0, 0.0), asked, outcome.better
        )  # says what is wrong with it, also without studies
    if figure is None or figure.measure not in COUNTED or not outcome.better:
        return None
    baseline, source = asked, "as asked"
    if baseline is None:
        baseline, source = _control_risk(kept), "all control groups of these studies together"
    if baseline is None or not 0.0 < baseline < 1.0:
        return None
    found = absolute(figure.measure, figure.estimate, figure.ci, baseline, outcome.better)
    return {"baseline_risk": baseline, "baseline_from": source, **_absolute_data(found)}


def _absolute_data(found: Absolute) -> dict[str, Any]:
    return {
        "risk": found.risk,
        "risk_ci": list(found.risk_ci),
        "benefit_per_1000": 1000 * found.benefit,
        "benefit_per_1000_ci": [1000 * end for end in found.benefit_ci],
        "nnt": finite(found.nnt),
        "nnt_ci": [finite(end) for end in found.nnt_ci],
        "nnt_words": found.words(),
    }


def _control_risk(kept: Sequence[Comparison]) -> float | None:
    sizes = [
        (each.control.events, each.control.n)
        for each in kept
        if each.control is not None and each.control.events is not None and each.control.n
    ]
    total = sum(n for _, n in sizes)
    return sum(events for events, _ in sizes) / total if total else None


# -- what a reader has to know ------------------------------------------------------------------------------------
def _notes(answer: Mapping[str, Any], figure: Pooled | None) -> list[str]:
    if figure is None:
        return []
    said = list(figure.said)
    if answer["rejected"]:
        said.append(f"Do not use this figure: {answer['rejected']}.")
    if len(answer["by_design"]) > 1:
        said.append(
            "The studies have different designs, which answer different questions: read the figures by design first."
        )
    if not answer["better"]:
        said.append(
            f"Which way of {answer['outcome']} is better is not stated; in the file, "
            f"`outcomes: {{{answer['outcome']}: {{better: lower}}}}` would say it."
        )
    kinds = list(dict.fromkeys(row["product"] for row in answer["studies"] if row["product"]))
    if len(kinds) > 1:
        said.append(f"Different products are put together: {', '.join(kinds)}; --product WORD takes one.")
    interval = figure.prediction_interval
    if answer["prediction_beyond_scale"]:
        said.append(f"{BEYOND_SCALE}; the numbers of that interval stand in the JSON alone")
    elif interval is not None and interval[0] <= null(figure.measure) <= interval[1]:
        said.append("a further study like these could find no difference, or one the other way")
    return said
