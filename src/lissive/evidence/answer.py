"""Meta-analysis of one outcome: pooled estimate, each design separately, and what is not pooled.

pool("spasticity_nrs", "multiple_sclerosis", design="parallel")    from the studies that come with Lissive
pooled_answer(comparisons, outcomes()["spasticity_nrs"])           from any comparisons
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from lissive.case.vocabulary import meant
from lissive.errors import EvidenceError
from lissive.evidence.answer_types import (
    LeftOut,
    OutcomeLike,
    PooledAnswer,
    SmallStudies,
    StudyRow,
    Without,
)
from lissive.evidence.claim import Claim
from lissive.evidence.comparing import alone, comparisons, every, left_out
from lissive.evidence.comparison import (
    DESIGNS,
    IN_WORDS,
    SINGLE,
    Comparison,
    Unused,
    about,
    cause_word,
    label_of,
)
from lissive.evidence.effect import (
    ALONE,
    COUNTED,
    LABELS,
    MEASURED,
    TIMED,
    Effect,
    NotUsable,
    effect,
    known_measure,
    shown,
)
from lissive.evidence.heterogeneity import egger, regress, values_of, why_unbelievable
from lissive.evidence.lint import studies_of
from lissive.evidence.pooling import (
    ESTIMATORS,
    INTERVALS,
    METHOD_NAMES,
    METHODS,
    MODELS,
    OF_COUNTS,
    PoolOptions,
    difference_between,
    leave_one_out,
    peto,
)
from lissive.evidence.read import Studies, is_studies
from lissive.evidence.result import (
    WORDS,
    Pair,
    absolute,
    as_of,
    comparable,
    either_sign,
    file_of,
    graded,
    notes_of,
    of_how_many,
    result_of,
    searched,
)
from lissive.evidence.words import OTHER, known_products, studied_as, topic_of
from lissive.given import number_of

MEASURES_OF: Mapping[str, tuple[str, ...]] = {
    "share": (*COUNTED, *TIMED),
    "mean": ("MD", "SMD"),
    "count": ("MD", "GMR", "SMD"),
    "scale": ("SMD",),
}
"""Kind of outcome to the measures that it is pooled by; the first that most studies give is taken, save that counts
give all three, so that the first that any study gives is."""


class Options(PoolOptions, total=False):
    """What an answer may be asked beside its words."""

    measure: str | None
    baseline_risk: float | None
    correlation: float | None


def pool(
    outcome: str,
    cause: str | None = None,
    design: str | None = None,
    product: str | None = None,
    measure: str | None = None,
    model: str = "random",
    tau2: str = "REML",
    ci: str | None = None,
    method: str = "IV",
    baseline_risk: float | None = None,
    correlation: float | None = None,
    studies: Studies | str | Path | None = None,
    level: float = 0.95,
    covariate: str | None = None,
) -> PooledAnswer:
    """Meta-analysis of one outcome, as `lissive evidence pool` prints it.

    Parameters
    ----------
    outcome, cause, design, product : words of the tables; every cause, design and product where not given.
    measure : OR, RR, RD, MD, SMD or GMR; the one that most studies report, if not given.
    model, tau2, ci, method : as of `pool_effects`, in capitals or not.
    baseline_risk : risk without the drug, 0 to 1, for numbers needed to treat.
    correlation : within persons, for crossover trials that state none.
    studies : a file of your own, or studies that were read; those that come with Lissive, if not given.
    level : of every interval.
    covariate : duration_weeks, or a name under the trials' `covariates`, for a meta-regression.

    Raises       EvidenceError for a word that is not known, with those that are and the nearest.
    """
    return answer_of(
        studies_of(studies),
        outcome,
        cause=cause,
        design=design,
        product=product,
        measure=measure,
        model=_as_known(model, MODELS),
        tau2=_as_known(tau2, ESTIMATORS),
        ci=None if ci is None else _as_known(ci, INTERVALS),
        method=_as_known(method, METHODS),
        baseline_risk=baseline_risk,
        correlation=correlation,
        level=level,
        covariate=covariate,
    )


def _as_known(word: str, known: Sequence[str]) -> str:
    """A word as it is known, in capitals or not; any other as it is."""
    return next((each for each in known if each.lower() == word.lower()), word)


def answer_of(
    studies: Studies,
    outcome: str,
    *,
    cause: str | None = None,
    design: str | None = None,
    product: str | None = None,
    covariate: str | None = None,
    **options: Unpack[Options],
) -> PooledAnswer:
    """The same from studies that were read, with every option as it is spelt."""
    is_studies(studies)
    outcome, cause = studies.word_of(outcome), cause_word(studies, cause)
    if product is not None:
        product = studied_as(meant("product", product, known_products()))
    cited = {each.id: each.row.citation or "" for each in studies.trials}
    found = comparisons(studies, outcome=outcome, cause=cause, design=design, product=product)
    unused = left_out(studies, outcome=outcome, cause=cause, design=design, product=product)
    if _is_alone(options.get("measure")):
        found = list(alone(studies, outcome, cause, design, product))
        held_alone = {each.study for each in found}
        unused = [each for each in unused if each.study not in held_alone]
    answer = pooled_answer(
        found,
        studies.outcomes[outcome],
        cause=cause or "",
        cause_label=studies.causes[cause] if cause else "",
        design=design,
        unused=[_left_out(each, cited) for each in unused],
        **options,
    )
    looked = of_how_many(answer, {each.id for each in studies.trials if not about(each).why})
    held, notes = len(answer.study_ids), answer.notes
    if 0 < held < looked:
        notes += (
            f"The estimate includes {held} of {looked} trials that measured this outcome. What the others report is "
            "listed as not pooled; trials without an effect often report no estimate (selective reporting)",
        )
    there_is = None if found else comparable(studies, outcome, cause)
    if covariate is not None:
        effects = [row.effect for row in answer.studies]
        line = regress(effects, values_of(studies, covariate), covariate, level=answer.level)
        answer = replace(answer, regression=line)
    return graded(
        replace(
            answer,
            notes=notes,
            trials_looked=looked,
            as_of=as_of(studies),
            searched=searched(studies),
            file=file_of(studies),
            there_is=there_is,
            said_too=tuple(_left_out(each, cited) for each in said_too(studies, outcome, answer.study_ids)),
        )
    )


def _left_out(one: Unused, cited: Mapping[str, str]) -> LeftOut:
    label = label_of(one.study, cited.get(one.study, ""))
    return LeftOut(one.study, label, one.reason, one.key, one.text, one.provenance, one.either)


def said_too(studies: Studies, outcome: str, ids: Sequence[str]) -> list[Unused]:
    """What trials report in words of the same complaint by another measure; each block of words once."""
    topic = topic_of(outcome)
    found = {
        (each.study, each.key): each
        for each in every(studies)[1]
        if each.reason == IN_WORDS and each.study in ids and each.outcome not in ("", outcome)
        if topic != OTHER and topic_of(each.outcome) == topic
    }
    return list(found.values())


def by_rule(claim: Claim, studies: Studies) -> list[PooledAnswer]:
    """What can be pooled of a claim's causes, outcomes and product, each estimate with its certainty by rule; nothing
    of a claim that is not tested, or on another treatment than a cannabinoid."""
    if claim.verdict == "not_tested" or claim.of_other_treatment:
        return []
    product = "cannabidiol_solution" if "cbd" in claim.needs else None
    asked = [(cause, outcome) for cause in claim.causes or (None,) for outcome in claim.outcomes]
    found = [answer_of(studies, outcome, cause=cause, product=product) for cause, outcome in asked]
    return [each for each in found if each.k]


def rule_words(found: Sequence[PooledAnswer]) -> str:
    """From the lowest certainty by rule to the highest, of each design alone.

    >>> rule_words([pool("stiffness_relief", "multiple_sclerosis"), pool("spasticity_nrs", "multiple_sclerosis")])
    'very low to at most high'
    """
    sure = [each.certainty for one in found for each in one.by_design if each.certainty is not None]
    if not sure:
        return ""
    lowest, highest = (which(sure, key=lambda each: WORDS.index(each.word)) for which in (min, max))
    if lowest.word == highest.word:
        return str(lowest)
    return f"{lowest} to {highest.word if lowest.capped else highest}"


def pooled_answer(
    comparisons: Sequence[Comparison],
    outcome: OutcomeLike,
    *,
    cause: str = "",
    cause_label: str = "",
    design: str | None = None,
    measure: str | None = None,
    baseline_risk: float | None = None,
    correlation: float | None = None,
    unused: Iterable[LeftOut] = (),
    **options: Unpack[PoolOptions],
) -> PooledAnswer:
    """The answer from comparisons.

    Parameters
    ----------
    measure : the one that most of the studies give, if not given.
    baseline_risk : for numbers needed to treat; otherwise the pooled risk of the control groups.
    unused : what could not be compared; listed with what is not pooled here.

    Raises       EvidenceError for a measure that does not fit the outcome, and for what `pool_effects` refuses.
    """
    if (
        correlation is not None
        and not -1.0 < number_of("correlation", correlation, wrong=EvidenceError) < 1.0
    ):
        raise EvidenceError(
            f"A within-person correlation of {correlation:g} is impossible.",
            where="--correlation",
            allowed="above -1 and below 1, such as 0.5.",
            do="correct it, or leave it out.",
        )
    _check_baseline(outcome, baseline_risk, measure)
    method = options.get("method", "IV")
    measure = _measure(comparisons, outcome, measure, correlation, method)
    pairs, left = _effects(comparisons, measure, correlation, method)
    effects = [each for _, each in pairs]
    overall = result_of(pairs, outcome, "", baseline_risk, options)
    groups = [
        result_of([pair for pair in pairs if pair[1].design == name], outcome, name, baseline_risk, options)
        for name in (*DESIGNS, SINGLE)
    ]
    by_design = tuple(group for group in groups if group is not None)
    several = by_design if len(by_design) > 1 else ()
    results = () if overall is None else (overall, *several)
    all_left = [*left, *unused]
    weights = () if overall is None else overall.pooled.weights
    answer = PooledAnswer(
        outcome=outcome,
        cause=cause,
        cause_label=cause_label or cause,
        design=design,
        measure=measure,
        overall=overall,
        by_design=by_design,
        between=difference_between([group.pooled for group in by_design]),
        leave_one_out=tuple(
            Without(each.study, each.label, rest) for each, rest in leave_one_out(effects, **options)
        ),
        small_studies=_small_studies(effects),
        studies=tuple(
            StudyRow(*pair, w, options.get("level", 0.95)) for pair, w in zip(pairs, weights, strict=True)
        ),
        left_out=tuple(all_left),
        either_sign=tuple(either_sign(pairs, all_left, results, outcome, measure, correlation, options)),
        rejected=""
        if overall is None
        else why_unbelievable(measure, overall.pooled.estimate, i2=overall.pooled.i2),
        notes=(),
    )
    return graded(replace(answer, notes=tuple(notes_of(answer))))


def _small_studies(effects: Sequence[Effect]) -> SmallStudies:
    try:
        found = egger(effects)
    except EvidenceError as error:
        return SmallStudies(None, refused=error.what)
    return SmallStudies(found, shown(effects[0].measure, found.limit_y))


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
        family = (*COUNTED, *TIMED, *ALONE) if outcome.kind == "share" else MEASURED
        if outcome.kind == "scale" and word == "MD":
            raise EvidenceError(
                f"A mean difference cannot be pooled for {outcome.word}: its studies use different scales.",
                where="--measure",
                allowed=f"{', '.join(fitting)}.",
                do="leave --measure out, or name another outcome.",
            )
        if word not in family:
            kind = "binary: it counts participants" if outcome.kind == "share" else "continuous: it has means"
            raise EvidenceError(
                f"{outcome.word} cannot be pooled as {word} ({LABELS[word]}). The outcome is {kind}.",
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


def _is_alone(measure: object) -> bool:
    """Whether a measure is of one group, which compares nothing."""
    return isinstance(measure, str) and measure.upper() in ALONE


# -- effects, and comparisons without one ---------------------------------------------------------------------------
def _effects(
    comparisons: Sequence[Comparison], measure: str, correlation: float | None, method: str
) -> tuple[list[Pair], list[LeftOut]]:
    """Comparisons that give the measure with their effects, and the others with the reason."""
    pairs: list[Pair] = []
    left: list[LeftOut] = []
    for each in comparisons:
        if method in OF_COUNTS and each.design == "crossover":
            name = METHOD_NAMES[method]
            left.append(_not_pooled(each, f"a crossover trial; {name} needs independent groups"))
            continue
        try:
            found = effect(each, measure, correlation=correlation, own=method == "IV")
            pairs.append((each, peto(found) if method == "Peto" and measure == "OR" else found))
        except NotUsable as reason:
            left.append(_not_pooled(each, reason.what))
    kept: dict[str, Pair] = {}
    for pair in pairs:
        key = pair[1].patients
        first = kept.get(key)
        if first is None:
            kept[key] = pair
            continue
        # of two reports on the same participants the larger stays, otherwise the one that is listed first
        stays, goes = (pair, first) if (pair[1].n or 0) > (first[1].n or 0) else (first, pair)
        kept[key] = stays
        left.append(_not_pooled(goes[0], f"same participants as {stays[0].study}, counted once"))
    return [pair for pair in pairs if kept[pair[1].patients] is pair], left


def _not_pooled(one: Comparison, reason: str) -> LeftOut:
    return LeftOut(one.study, one.label, reason, provenance=one.provenance)


# -- numbers needed to treat ------------------------------------------------------------------------------------
def _check_baseline(outcome: OutcomeLike, asked: float | None, measure: str | None) -> None:
    if asked is not None and (outcome.kind != "share" or _is_alone(measure)):
        what = f"{measure} compares nothing" if _is_alone(measure) else f"{outcome.word} is continuous"
        raise EvidenceError(
            f"{what}: there is no baseline risk and no number needed to treat.",
            where="--baseline-risk",
            allowed="a binary outcome, such as responders_30pct.",
            do="leave --baseline-risk out.",
        )
    if asked is not None and not 0.0 < asked < 1.0:
        absolute("RD", 0.0, (0.0, 0.0), asked, outcome.better)  # says what is wrong, also without studies
