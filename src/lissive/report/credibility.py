"""The page on credibility, as ICH M15 and ASME V&V 40 ask: written from tables and from the pages of results.

    python -m lissive.report.credibility docs [--priors]

writes docs/credibility.md again from what is in that folder; with --priors, prior_sensitivity.tsv before it (a minute
or two, after a fit). The same inputs give the same page.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lissive.files import write_text
from lissive.forecast.better import BETTER
from lissive.report.table import as_markdown, table
from lissive.report.words import count, listed, paragraphs
from lissive.studies import shipped_studies
from lissive.table import rows_of
from lissive.trials.published import shipped_published
from lissive.validation.credibility import (
    FOUND,
    HERE,
    LITTLE,
    OUTCOMES,
    PATIENTS,
    WEEKS,
    prior_sensitivity,
    seen,
    unmoved_elsewhere,
)
from lissive.validation.prediction import records

PAGE = "credibility.md"
STRUCTURES = "concepts/response.md"
INTRODUCTION = (
    "What Lissive's numbers may be relied on for, and why. The page follows ICH M15 (general principles for "
    "model-informed drug development: question of interest, context of use, model influence, consequence of a "
    "wrong decision, model risk, evaluation against criteria that are set beforehand) and ASME V&V 40-2018 "
    "(credibility in proportion to that risk: verification, validation, uncertainty, and how far the validation "
    "applies to the use). Neither has assessed Lissive; no regulator has seen it."
)
BEFOREHAND = (
    "The criteria of the forecast, of trials and of exposure were set on 29 November 2026, those of follow-up"
    " with its study. Calibration data and the response that was fitted on 25 November were known then, and "
    "its misses were a reason for some of them. Changed since, on 30 November: dizziness was split into three"
    " criteria; figures of a trial of three days are read as that trial assessed them. Later fits were made "
    "by people who knew which criteria were missed. The limit of 1.5 for the ratio of the odds ratios was not"
    " derived from the data, which have 1.15 (90 % 0.55 to 2.40): missing it is no evidence against the "
    "model, and is shown because it was set. The two limits of the difference in a parallel trial now count as "
    "one criterion. Those of follow-up were written into this table on 30 November, when the study of an "
    "earlier response was known; the study was then made again."
)
DATA = {
    "fitted": "figures that the fit knew, which are no test",
    "seen": "known when the model was built",
    "left out in turn": "each trial predicted by a fit on the others, in structures chosen by the same figures",
    "held out": "never fitted on; of the response, one trial of nabiximols: one figure of 13 is 8 points",
    "simulated": "people of the model, or such as differ from it by name",
}
TWO_LIMITS = (
    "[validation.md](validation.md) judges some of the same quantities against other trials and by other limits "
    "(responders, the difference, discontinuation), and not all verdicts agree; where they differ, the stricter one "
    "holds. The model's difference between drug and placebo lies near the limit and above the trials' pooled figure "
    "(-0.32): the trials' figure is the one to use. Where a forecast lies outside their interval, the screen says so."
)
PRIORS = (
    f"Fitted parameters with a contraction below {LITTLE:g} (the posterior's variance is nearly the prior's), and "
    "every largest effect of CB1 activation (`Im_`), fitted or not. Each is moved from one end of what it may be "
    "to the other, alone: the 5th and 95th percentile of its prior, the range in the table, or half and one and a "
    f"half times a value that is assumed. Shown is the mean difference of nabiximols and placebo at week {WEEKS} "
    f"in the same {PATIENTS} virtual people with multiple sclerosis: spasms a day in percent, ratings in points "
    "of ten."
)


@dataclass(frozen=True)
class Judged:
    """One criterion of acceptance and what the pages of results say of it."""

    context: str
    data: str
    """What it is judged on: a key of `DATA`."""
    criterion: str
    limit: str
    result: str
    met: bool | None
    """None where it is not measured."""


def judged(docs: Path) -> list[Judged]:
    """Every criterion, held against the pages in `docs`."""
    return [_judged(row, docs) for row in rows_of(HERE / "acceptance.tsv")]


def _judged(row: dict[str, str], docs: Path) -> Judged:
    measure, about = row["measure"], (row["context"], row["data"], row["criterion"])
    limit = float(row["limit"])
    upper = float(row["upper"]) if row["upper"] != "-" else limit
    said = {
        "less": "below the baseline's",
        "holds": "yes",
        "between": f"{limit:g} to {upper:g}",
    }.get(measure, f"{measure} {limit:g}")
    page = next((each for each in (docs / row["page"], HERE.parent / row["page"]) if each.is_file()), docs)
    found = re.search(row["pattern"], page.read_text(encoding="utf-8")) if page.is_file() else None
    if found is None:
        return Judged(*about, said, "not measured", None)
    values = [float(each) * float(row["factor"]) for each in found.groups()]
    if measure == "less":
        return Judged(*about, said, f"{values[0]:.3g} against {values[1]:.3g}", values[0] < values[1])
    if measure == "holds":
        return Judged(*about, said, f"{values[0]:g} to {values[1]:g}", values[0] <= limit <= values[1])
    value = abs(values[1] - values[0]) if measure == "within" else values[0]
    met = {"at least": value >= limit, "between": limit <= value <= upper}.get(measure, value <= limit)
    return Judged(*about, said, f"{value:.3g}", met)


def credibility_markdown(docs: Path) -> str:
    """The whole page."""
    found = judged(docs)
    parts = [
        "# Credibility",
        INTRODUCTION,
        _answer(found),
        "## Contexts of use",
        *_contexts(),
        "## Acceptance, set beforehand",
        BEFOREHAND,
        _acceptance(found),
        "What the criteria are judged on: "
        + "; ".join(f"*{name}*: {what}" for name, what in DATA.items())
        + ".",
        TWO_LIMITS,
        "## Verification: are the equations solved, and the statistics calculated, right?",
        _of_file("verification.tsv", "what|held against|tests"),
        "## Validation: does it predict what was observed?",
        *_validation(),
        "## Model and baseline",
        "A mechanism earns its place only where it predicts better than a simple summary of the same trials "
        "([concepts/baseline.md](concepts/baseline.md)). By outcome, on calibration figures; where the baseline is "
        "better, a forecast shows its figure and says so.",
        _better(),
        "## Sensitivity to priors that data do not move",
        _resting(),
        PRIORS,
        _sensitivity(),
        _elsewhere(),
        "## Other structures",
        _structures(docs),
        "## Every fit that was ever shipped",
        _of_file("fits.tsv", "what|made|SHA-256 of its file, first 12|why"),
        "## What was seen before it was predicted",
        *_seen(),
        "## Predictions on record",
        _predictions(docs),
        "## How this page was made",
        "`make credibility`, from tables in `src/lissive/validation` and from [trials.md](trials.md) and "
        "[validation.md](validation.md); a test holds it against them.",
    ]
    return paragraphs(parts) + "\n"


def _answer(found: Sequence[Judged]) -> str:
    """First of all: how many criteria of each context are met."""
    said = []
    for context in dict.fromkeys(each.context for each in found):
        mine = [each for each in found if each.context == context]
        met, missed = (sum(each.met is value for each in mine) for value in (True, False))
        said.append(
            f"{context}: {met} of {len(mine)} met, {missed} not, {len(mine) - met - missed} not measured"
        )
    blind = [each for each in found if each.data == "held out"]
    return (
        f"**The answer.** Of the criteria for each context of use: {'; '.join(said)}. Of all {len(found)}, "
        f"{len(blind)} are judged on data that nothing was fitted on, and "
        f"{sum(each.met is True for each in blind)} of these are met. No context allows a decision on these "
        "numbers alone. Where a criterion is missed, the number that it is about is not used even beside "
        "other sources unless the miss is told with it."
    )


def _contexts() -> Iterator[str]:
    for row in rows_of(HERE / "contexts.tsv"):
        yield f"### {row['context'].capitalize()}"
        yield "\n".join(
            [
                f"- **Question of interest**: {row['question']}",
                f"- **It may inform**: {row['may']}.",
                f"- **It may not inform**: {row['may_not']}.",
                f"- **What the validation applies to**: {row['applies']}.",
                f"- **Model influence**: {row['influence']}.",
                f"- **Consequence of a wrong decision**: {row['consequence']}.",
                f"- **Model risk**: {row['risk']}.",
            ]
        )


def _acceptance(found: Sequence[Judged]) -> str:
    verdicts = {True: "met", False: "not met", None: "not measured"}
    rows = [
        [each.context, each.criterion, each.data, each.limit, each.result, verdicts[each.met]]
        for each in found
    ]
    return as_markdown(table("", "context|criterion|judged on|limit|result|verdict", rows, "limit|result"))


def _of_file(name: str, head: str) -> str:
    return as_markdown(table("", head, [list(row.values()) for row in rows_of(HERE / name)]))


def _validation() -> Iterator[str]:
    """How many trials and figures there are by cause, and by route of the kinetics."""
    trials = Counter((t.design.population.cause, t.split) for t in shipped_published().trials)
    splits = ("calibration", "validation", "context")
    causes = dict.fromkeys(cause for cause, _ in trials)
    rows = [[cause.replace("_", " "), *(str(trials[cause, split]) for split in splits)] for cause in causes]
    yield (
        "Trials that are simulated and held against their figures ([trials.md](trials.md)), by cause. An "
        "entry is a phase of a trial where its phases differ; 9 entries of 8 trials are fitted on. In other "
        "causes the response is not fitted: it is drawn from a prior, and the screen has no number."
    )
    yield as_markdown(table("", "cause|calibration|held out|context", rows, "calibration|held out|context"))
    figures = Counter((o.arm.route, o.split) for o in shipped_studies().observations)
    routes = dict.fromkeys(route for route, _ in figures)
    rows = [[route, *(str(figures[route, split]) for split in splits)] for route in routes]
    yield "Published figures of the kinetics ([validation.md](validation.md)), by route."
    yield as_markdown(table("", "route|calibration|held out|context", rows, "calibration|held out|context"))


def _better() -> str:
    rows = [list(row.values()) for row in rows_of(BETTER)]
    head = "outcome|better|figures|model: CRPS|baseline: CRPS|compared on"
    return as_markdown(table("", head, rows, "figures|model: CRPS|baseline: CRPS"))


def _sensitivity() -> str:
    rows = [
        [
            row["name"],
            f"{row['low']} to {row['high']}",
            row["why"],
            row["contraction"],
            *(f"{row[f'{name}_low']} to {row[f'{name}_high']}" for name in OUTCOMES),
        ]
        for row in rows_of(HERE / "prior_sensitivity.tsv")
    ]
    head = f"parameter|moved|ends|contraction|{'|'.join(OUTCOMES)}"
    return as_markdown(table("", head, rows, "moved|contraction"))


def _elsewhere() -> str:
    names = [f"`{each}`" for each in unmoved_elsewhere()]
    if not names:
        return "Of how trials, doses and ratings vary, the data moved every parameter that was fitted."
    return (
        f"Hardly moved as well, and not in the table, as they are not of the model's effect: {listed(names)}. "
        "They say how trials, doses or ratings vary, so that predictions of trials are as wide there as was "
        "assumed."
    )


def _resting() -> str:
    """Which answers rest on which assumption."""
    rows = rows_of(HERE / "prior_sensitivity.tsv")
    said = []
    for name in OUTCOMES:
        ends = {
            row["name"]: sorted(abs(float(row[f"{name}_{end}"])) for end in ("low", "high")) for row in rows
        }
        on = [f"`{parameter}`" for parameter, (less, more) in ends.items() if more >= 2.0 * less]
        said += [f"`{name}` on {' and '.join(on)}"] if on else []
    return (
        f"**Effects that an assumption could halve or double**: {'; '.join(said) or 'none'}. One parameter is "
        "moved and the others are held. The difference in ratings of stiffness is fitted, and with it the "
        "product of `Im_E`, `tau_THC` and `gain_tone`, so that for `spasticity_nrs` this shows more than is "
        "uncertain. No trial gives a count of spasms: the size of `spasms_per_day` rests on `Im_E`, and on "
        "`kappa` and `slope_bother`, which ratings of severity tell only by a link that is assumed. The "
        "forecast's interval includes the spread of fitted parameters alone."
    )


def _structures(docs: Path) -> str:
    """How each structure predicts trials that it has not seen, where that is on record; and why this one was chosen."""
    parts = []
    if (FOUND / "structures.tsv").is_file():
        rows = rows_of(FOUND / "structures.tsv")
        parts.append(
            "The last comparison, by the expected log predictive density (elpd) of calibration trials that "
            "are left out in turn. Differences of about one standard error tell no structures apart, and "
            "predictions are of one of them; all are statistical alternatives. Of another mechanism there is "
            "none but the baseline, which has none."
        )
        parts.append(as_markdown(table("", "|".join(rows[0]), [list(row.values()) for row in rows])))
    if (docs / STRUCTURES).is_file():
        parts.append(
            f"What was tried, on which figures, and why it was rejected: [{STRUCTURES}]({STRUCTURES})."
        )
    return paragraphs(parts or ["Not on record yet: no structure but the one that ships has been compared."])


def _seen() -> Iterator[str]:
    yield (
        "Nothing is fitted on figures of these trials, but they are in the tables that ship and on the page "
        "of published trials. They are no blind test; only the predictions on record are."
    )
    rows = [[trial, split, str(n)] for trial, split, n in seen()]
    yield as_markdown(table("", "trial|split|figures shown", rows, "figures shown"))
    yield "They were seen, as follows:"
    yield _of_file("seen.tsv", "when|figures|how|what was being decided")
    yield (
        "The results that forecasts show beside their numbers rest in part on trials that are held out or not"
        " simulated: the pooled difference of nabiximols and placebo in parallel trials (666 people) includes"
        " collin_2010. The criterion on the difference in a parallel trial was written with that known."
    )


def _predictions(docs: Path) -> str:
    known = records(docs / "predictions")
    if not known:
        return "None yet."
    rows = [
        [
            each["made"],
            each["trial"],
            each["no_prediction"] or count(len(each["figures"]), "figure"),
            each["made_from"]["posterior_sha256"][:12],
            each["hash"][:12],
        ]
        for _, each in known
    ]
    last = rows_of(HERE / "fits.tsv")
    now = next(row["sha256"] for row in reversed(last) if row["what"] == "response")
    ships = (
        "one by the fit that ships"
        if any(row[3] == now for row in rows)
        else "none yet by the fit that ships"
    )
    told = (
        f"Of the records there is {ships}. Of several records of a trial the last one that is made before its "
        "results are public is the primary one, and its pooled forecast the primary forecast "
        "(predictions/README.md)."
    )
    return told + "\n\n" + as_markdown(table("", "made|trial|what|by the fit|hash, first 12", rows))


def main(words: Sequence[str]) -> int:
    """Write the page of a folder of documentation."""
    docs = Path(next((word for word in words if not word.startswith("-")), "docs"))
    if "--priors" in words:
        rows = list(prior_sensitivity())
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        write_text(HERE / "prior_sensitivity.tsv", "".join("\t".join(line) + "\n" for line in lines))
    print(write_text(docs / PAGE, credibility_markdown(docs)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
