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
from lissive.report.words import count, paragraphs
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
    "The criteria below were set on 29 November 2026. The response that was fitted on 25 November was known then, "
    "and its misses were a reason for some of them; a fit after that date is judged by criteria that it did not "
    "set."
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
    criterion: str
    limit: str
    result: str
    met: bool | None
    """None where it is not measured."""


def judged(docs: Path) -> list[Judged]:
    """Every criterion, held against the pages in `docs`."""
    return [_judged(row, docs) for row in rows_of(HERE / "acceptance.tsv")]


def _judged(row: dict[str, str], docs: Path) -> Judged:
    measure, limit = row["measure"], float(row["limit"])
    said = "below the baseline's" if measure == "less" else f"{measure} {row['limit']}"
    page = next((each for each in (docs / row["page"], HERE.parent / row["page"]) if each.is_file()), docs)
    found = re.search(row["pattern"], page.read_text(encoding="utf-8")) if page.is_file() else None
    if found is None:
        return Judged(row["context"], row["criterion"], said, "not measured", None)
    values = [float(each) * float(row["factor"]) for each in found.groups()]
    if measure == "less":
        return Judged(
            row["context"],
            row["criterion"],
            said,
            f"{values[0]:.2f} against {values[1]:.2f}",
            values[0] < values[1],
        )
    value = abs(values[1] - values[0]) if measure == "within" else values[0]
    met = value >= limit if measure == "at least" else value <= limit
    return Judged(row["context"], row["criterion"], said, f"{value:.3g}", met)


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
    return (
        f"**The answer.** Of the criteria for each context of use: {'; '.join(said)}. Until all criteria of a "
        "context are met, its numbers are for discussion beside other sources, and decide nothing alone."
    )


def _contexts() -> Iterator[str]:
    for row in rows_of(HERE / "contexts.tsv"):
        yield f"### {row['context'].capitalize()}"
        yield "\n".join(
            [
                f"- **Question of interest**: {row['question']}",
                f"- **It may inform**: {row['may']}.",
                f"- **It may not inform**: {row['may_not']}.",
                f"- **Model influence**: {row['influence']}.",
                f"- **Consequence of a wrong decision**: {row['consequence']}.",
                f"- **Model risk**: {row['risk']}.",
            ]
        )


def _acceptance(found: Sequence[Judged]) -> str:
    verdicts = {True: "met", False: "not met", None: "not measured"}
    rows = [[each.context, each.criterion, each.limit, each.result, verdicts[each.met]] for each in found]
    return as_markdown(table("", "context|criterion|limit|result|verdict", rows, "limit|result"))


def _of_file(name: str, head: str) -> str:
    return as_markdown(table("", head, [list(row.values()) for row in rows_of(HERE / name)]))


def _validation() -> Iterator[str]:
    """How many trials and figures there are by cause, and by route of the kinetics."""
    trials = Counter((t.design.population.cause, t.split) for t in shipped_published().trials)
    splits = ("calibration", "validation", "context")
    causes = dict.fromkeys(cause for cause, _ in trials)
    rows = [[cause.replace("_", " "), *(str(trials[cause, split]) for split in splits)] for cause in causes]
    yield (
        "Trials that are simulated and held against their figures ([trials.md](trials.md)), by cause: all that is "
        "known of the response in other causes is a prior, and forecasts of them say so."
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
        f"**Effects that an assumption could halve or double**: {'; '.join(said) or 'none'}. Trials do not tell "
        "how large they are; the forecast's interval includes the spread of fitted parameters alone."
    )


def _structures(docs: Path) -> str:
    """How each structure predicts trials that it has not seen, where that is on record; and why this one was chosen."""
    parts = []
    if (FOUND / "structures.tsv").is_file():
        rows = rows_of(FOUND / "structures.tsv")
        parts.append(as_markdown(table("", "|".join(rows[0]), [list(row.values()) for row in rows])))
    if (docs / STRUCTURES).is_file():
        parts.append(
            f"What was tried, on which figures, and why it was rejected: [{STRUCTURES}]({STRUCTURES})."
        )
    return paragraphs(parts or ["Not on record yet: no structure but the one that ships has been compared."])


def _seen() -> Iterator[str]:
    yield (
        "Nothing is fitted on these figures, but they are in the tables that ship and on the page of published "
        "trials, so that anyone who worked on the model may have seen them. They are no blind test; only the "
        "predictions on record are."
    )
    rows = [[trial, split, str(n)] for trial, split, n in seen()]
    yield as_markdown(table("", "trial|split|figures shown", rows, "figures shown"))
    yield (
        "Beyond these, the results that forecasts show beside their numbers rest in part on trials that are held "
        "out or not simulated: the pooled difference of nabiximols and placebo in parallel trials (666 people) "
        "includes collin_2010. The criterion on the difference in a parallel trial was written with that known. "
        "While the baseline was written, the page of published trials was open, with the figures of collin_2010 on "
        "it; the baseline's form was then chosen by calibration figures alone. The pool of model and baseline was made "
        "when the held-out scores of both were known; its weight was chosen by calibration figures alone."
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
            each["hash"][:12],
        ]
        for _, each in known
    ]
    return as_markdown(table("", "made|trial|what|hash, first 12", rows))


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
