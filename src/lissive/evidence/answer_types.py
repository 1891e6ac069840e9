"""The answer of `pool`, typed; `to_json` gives it as plain data, null where a number is infinite or does not exist."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Protocol

from lissive.evidence.comparison import NOT_ASSESSED, Comparison, weakest
from lissive.evidence.effect import ALONE, LABELS, Effect, shown
from lissive.evidence.heterogeneity import Egger, Regression
from lissive.evidence.pooling import Between, Pooled

# Absolute effects: risks, and numbers needed to treat for one more to benefit (NNTB) or to be harmed (NNTH). Where the
# interval of the risk difference includes zero, the numbers run through infinity (Altman, BMJ 1998;317:1309).


@dataclass(frozen=True)
class Absolute:
    """At one baseline risk, which is taken as known: the intervals are the effect's alone."""

    baseline: float
    risk: float
    risk_ci: tuple[float, float]
    benefit: float
    """Risk difference, signed so that positive is benefit."""
    benefit_ci: tuple[float, float]
    baseline_from: str = "as asked"

    @property
    def nnt(self) -> float:
        """Positive: NNTB. Negative: NNTH. inf: no difference."""
        return _over(self.benefit)

    @property
    def nnt_ci(self) -> tuple[float, float]:
        """At the ends of the interval, the better one first; of different signs where infinity lies between."""
        return _over(self.benefit_ci[1]), _over(self.benefit_ci[0])

    def words(self) -> str:
        """As `NNTB 5 (3 to 12)`, or `NNTB 10 (NNTB 4 to infinity to NNTH 20)`."""
        best, worst = self.nnt_ci
        if self.benefit_ci[0] <= 0.0 <= self.benefit_ci[1]:
            if self.benefit_ci[0] == 0.0 == self.benefit_ci[1]:
                return "no difference"
            left = _named(best) if self.benefit_ci[1] > 0 else ""
            right = _named(worst) if self.benefit_ci[0] < 0 else ""
            return f"{_named(self.nnt)} ({' to '.join(e for e in (left, 'infinity', right) if e)})"
        low, high = sorted((abs(best), abs(worst)))
        return f"{_named(self.nnt)} ({_count(low)} to {_count(high)})"

    def to_json(self) -> dict[str, Any]:
        return {
            "baseline_risk": self.baseline,
            "baseline_from": self.baseline_from,
            "risk": self.risk,
            "risk_ci": list(self.risk_ci),
            "benefit_per_1000": 1000 * self.benefit,
            "benefit_per_1000_ci": [1000 * end for end in self.benefit_ci],
            "nnt": self.nnt if math.isfinite(self.nnt) else None,
            "nnt_ci": [end if math.isfinite(end) else None for end in self.nnt_ci],
            "nnt_words": self.words(),
        }


def _over(difference: float) -> float:
    return 1.0 / difference if difference else math.inf


def _named(number: float) -> str:
    if math.isinf(number):
        return "no difference"
    return f"{'NNTB' if number > 0 else 'NNTH'} {_count(abs(number))}"


def _count(number: float) -> str:
    """Whole persons, rounded up as is usual; never below 1."""
    return "infinity" if math.isinf(number) else f"{max(1, math.ceil(number - 1e-9)):d}"


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


@dataclass(frozen=True)
class Reason:
    """One of GRADE's five reasons, and by how many levels it lowers the certainty here."""

    domain: str
    """risk of bias, inconsistency, indirectness, imprecision, publication bias."""
    levels: int
    why: str


@dataclass(frozen=True)
class Certainty:
    """How sure a pooled estimate is: our judgement by rule (docs/concepts/evidence.md), no published rating."""

    word: str
    """high, moderate, low, very low."""
    at_most: bool
    """Whether a reason was not assessed, which could lower it further."""
    reasons: tuple[Reason, ...]

    @property
    def capped(self) -> bool:
        """Whether it may be lower; nothing is below very low."""
        return self.at_most and self.word != "very low"

    def __str__(self) -> str:
        return f"at most {self.word}" if self.capped else self.word

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "reasons": [asdict(each) for each in self.reasons], "by": "rule"}


@dataclass(frozen=True)
class Result:
    """One pooled estimate: of all studies, or of those of one design."""

    pooled: Pooled
    studies: tuple[str, ...]
    direction: str
    """benefit, harm, either (the interval includes no difference); lower, higher where benefit is not stated; none
    where nothing is compared."""
    prediction_beyond_scale: bool
    """Whether the prediction interval leaves the outcome's own scale."""
    absolute: Absolute | None
    """None where the measure is not of events, or no risk is known to start from."""
    design: str = ""
    """"" for all designs."""
    certainty: Certainty | None = None
    """None where nothing is compared."""

    def to_json(self) -> dict[str, Any]:
        """As one of `by_design`."""
        return {
            "design": self.design,
            "studies": list(self.studies),
            **figure_json(self),
            "direction": self.direction,
            "absolute": None if self.absolute is None else self.absolute.to_json(),
            "certainty": None if self.certainty is None else self.certainty.to_json(),
        }


@dataclass(frozen=True)
class StudyRow:
    """One comparison that is pooled."""

    comparison: Comparison
    effect: Effect
    weight: float
    """Percent."""
    level: float = 0.95

    @property
    def ci(self) -> tuple[float, float]:
        """Of this comparison alone."""
        z = NormalDist().inv_cdf(0.5 + self.level / 2.0)
        low, high = (shown(self.effect.measure, self.effect.y + each * self.effect.se) for each in (-z, z))
        return low, high

    def to_json(self) -> dict[str, Any]:
        effect, active, control = self.effect, self.comparison.active, self.comparison.control
        return {
            "study": effect.study,
            "label": effect.label,
            "design": effect.design,
            "product": self.comparison.product,
            "products": list(self.comparison.products),
            "n": effect.n,
            "active": None if active is None else asdict(active),
            "control": None if control is None else asdict(control),
            "estimate": effect.estimate,
            "ci": _ends(self.ci),
            "y": effect.y,
            "se": effect.se,
            "weight": self.weight,
            "provenance": effect.provenance,
            "patients": effect.patients,
            "risk_of_bias": self.comparison.risk_of_bias or NOT_ASSESSED,
            "said": list(effect.notes),
            "note": self.comparison.note,
            "cited": [asdict(cited) for cited in self.comparison.cited],
        }


@dataclass(frozen=True)
class LeftOut:
    """A comparison that is not pooled, and why."""

    study: str
    label: str
    reason: str
    key: str = ""
    """Name of the figures in the study's entry."""
    text: str = ""
    """What the study reports in words."""
    provenance: str = "read"
    """Of its weakest figure."""
    either: Comparison | None = None
    """The comparison as printed, where it is left out because its sign is not known."""

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "label": self.label,
            "reason": self.reason,
            "key": self.key,
            "said": self.text,
            "provenance": self.provenance,
        }


@dataclass(frozen=True)
class EitherSign:
    """The pooled estimate with results whose sign is not known, taken as lower or as higher with the drug."""

    studies: tuple[str, ...]
    labels: tuple[str, ...]
    sign: str
    """lower, higher."""
    result: Result
    flips: bool
    """Whether the finding is another than without them."""

    def to_json(self) -> dict[str, Any]:
        pooled = self.result.pooled
        return {
            "with": list(self.studies),
            "sign": self.sign,
            "design": self.result.design,
            "k": pooled.k,
            **_estimate_json(pooled),
            "p": pooled.p,
            "direction": self.result.direction,
            "flips": self.flips,
        }


@dataclass(frozen=True)
class Without:
    """The pooled estimate without one study."""

    study: str
    label: str
    pooled: Pooled

    def to_json(self) -> dict[str, Any]:
        return {"without": self.study, "label": self.label, **_estimate_json(self.pooled)}


@dataclass(frozen=True)
class SmallStudies:
    """Egger's test, or the reason why there is none."""

    egger: Egger | None
    limit: float = math.nan
    """The effect of a study without sampling error by Egger's regression, on the reader's scale."""
    refused: str = ""

    def to_json(self) -> dict[str, Any]:
        if self.egger is None:
            return {"refused": self.refused}
        return {
            **asdict(self.egger),
            "t": finite(self.egger.t),
            "limit": finite(self.limit),
            "refused": None,
        }


@dataclass(frozen=True)
class Alternatives:
    """What can be asked instead, where there is no comparison."""

    outcomes: tuple[str, ...]
    causes: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True)
class PooledAnswer:
    """The meta-analysis of one outcome."""

    outcome: OutcomeLike
    cause: str
    cause_label: str
    design: str | None
    """The one that was asked for; None for all."""
    measure: str
    overall: Result | None
    """None where no study can be pooled."""
    by_design: tuple[Result, ...]
    between: Between | None
    leave_one_out: tuple[Without, ...]
    small_studies: SmallStudies
    studies: tuple[StudyRow, ...]
    left_out: tuple[LeftOut, ...]
    rejected: str
    """Why the estimate is not to be used; empty where it may be."""
    notes: tuple[str, ...]
    either_sign: tuple[EitherSign, ...] = ()
    """Where results were left out because their sign is not known."""
    regression: Regression | None = None
    """Where a covariate was asked for."""
    as_of: str | None = None
    searched: str = ""
    """What was searched for the studies, and until when; empty of comparisons that are of no studies."""
    file: str = ""
    """Name of the user's own file of studies; empty for those that come with Lissive."""
    there_is: Alternatives | None = None
    trials_looked: int | None = None
    """Controlled trials that measured the outcome, pooled or not."""
    said_too: tuple[LeftOut, ...] = ()
    """What the pooled trials report in words of the same complaint by another measure, as no effect mostly is."""

    @property
    def k(self) -> int:
        """Studies that are pooled."""
        return len(self.studies)

    @property
    def level(self) -> float:
        """Of all intervals."""
        return 0.95 if self.overall is None else self.overall.pooled.level

    @property
    def measure_label(self) -> str:
        return LABELS[self.measure]

    @property
    def study_ids(self) -> tuple[str, ...]:
        """Each study once, in the order of the answer."""
        return tuple(dict.fromkeys(row.effect.study for row in self.studies))

    @property
    def unverified(self) -> tuple[str, ...]:
        """Studies of which a figure was not checked against its source."""
        return tuple(row.effect.study for row in self.studies if row.effect.provenance == "recalled")

    @property
    def provenance(self) -> str | None:
        """Of the weakest figure."""
        return weakest(tuple(row.effect.provenance for row in self.studies)) if self.studies else None

    def to_json(self) -> dict[str, Any]:
        there, absolute = self.there_is, None if self.overall is None else self.overall.absolute
        sure = None if self.overall is None else self.overall.certainty
        return {
            "as_of": self.as_of,
            "there_is": None if there is None else {k: list(words) for k, words in asdict(there).items()},
            "outcome": self.outcome.word,
            "outcome_label": self.outcome.label,
            "unit": self.outcome.unit,
            "better": self.outcome.better,
            "cause": self.cause,
            "cause_label": self.cause_label,
            "design": self.design,
            "measure": self.measure,
            "measure_label": self.measure_label,
            **figure_json(self.overall),
            "direction": "" if self.overall is None else self.overall.direction,
            "by_design": [group.to_json() for group in self.by_design],
            "between_designs": None if self.between is None else asdict(self.between),
            "either_sign": [each.to_json() for each in self.either_sign],
            "regression": None if self.regression is None else self.regression.to_json(),
            "leave_one_out": [each.to_json() for each in self.leave_one_out],
            "small_studies": self.small_studies.to_json(),
            "absolute": None if absolute is None else absolute.to_json(),
            "certainty": None if sure is None else sure.to_json(),
            "studies": [row.to_json() for row in self.studies],
            "left_out": [each.to_json() for each in self.left_out],
            "provenance": self.provenance,
            "recalled": list(self.unverified),
            "rejected": self.rejected,
            "notes": list(self.notes),
            "trials_looked": self.trials_looked,
            "said_too": [each.to_json() for each in self.said_too],
        }


_NO_FIGURE = (
    "estimate ci prediction_interval se p tau2 tau2_ci i2 q q_df q_p method model tau2_by ci_by level".split()
)


def figure_json(result: Result | None) -> dict[str, Any]:
    """The numbers of a pooled estimate."""
    if result is None:
        none = dict.fromkeys(_NO_FIGURE)
        more = {"prediction_beyond_scale": False, "weights": [], "said": []}
        return {"k": 0, "n": 0, "n_stated_by": 0, **none, **more}
    pooled = result.pooled
    return {
        "k": pooled.k,
        "n": pooled.n if pooled.n_stated_by else None,
        "n_stated_by": pooled.n_stated_by,
        **_estimate_json(pooled),
        "prediction_interval": _ends(pooled.prediction_interval),
        "prediction_beyond_scale": result.prediction_beyond_scale,
        "se": pooled.se,
        "p": None if pooled.measure in ALONE else pooled.p,
        "tau2": pooled.tau2,
        "tau2_ci": _ends(pooled.tau2_ci),
        "i2": pooled.i2,
        "q": pooled.q,
        "q_df": pooled.k - 1,
        "q_p": pooled.q_p,
        "method": pooled.method,
        "model": pooled.model,
        "tau2_by": pooled.tau2_by,
        "ci_by": pooled.ci_by,
        "level": pooled.level,
        "weights": list(pooled.weights),
        "said": list(pooled.notes),
    }


def certainty_json(answer: PooledAnswer) -> dict[str, Any]:
    """How sure each of its estimates is, without the numbers."""
    rows = {each.design: each.certainty.to_json() for each in answer.by_design if each.certainty}
    return {"outcome": answer.outcome.word, "cause": answer.cause, "by_design": rows}


def _estimate_json(pooled: Pooled) -> dict[str, Any]:
    return {"estimate": finite(pooled.estimate), "ci": _ends(pooled.ci)}


def _ends(ends: tuple[float, float] | None) -> list[float | None] | None:
    return None if ends is None else [finite(end) for end in ends]


def finite(x: float) -> float | None:
    return x if math.isfinite(x) else None
