"""Writes the study of docs/concepts/follow-up.md into it, and its figure beside this file.

.venv/bin/python docs/images/follow_check.py 2000 4000      # people in each set, virtual people of the prior
.venv/bin/python docs/images/follow_check.py 2000 4000 out  # from `lissive follow check --chunks out`
"""

import sys
from pathlib import Path

from lissive.chunks import How
from lissive.follow.calibration import Calibration, Set, calibration_study
from lissive.report.figures import plainly
from lissive.report.follow_figures import calibration_figure

HERE = Path(__file__).parent
PAGE = HERE.parent / "concepts" / "follow-up.md"
BEGIN, END = "<!-- study -->\n", "<!-- end of study -->\n"
HEAD = (
    "people | 90 % / 50 % interval of the rating 4 weeks on covers | of the effect | truly benefit | mean probability "
    "(prior) | slope (95 %) | ECE (95 %) | Brier: probability, prior | within 0.1 of the prior | ESS: median, least"
)


def row(each: Set) -> list[str]:
    slope = "-" if each.slope is None else "{:.2f} ({:.2f} to {:.2f})".format(*each.slope)
    effect = f"{each.effect_coverage_90:.0%} / {each.effect_coverage_50:.0%}"
    return [
        each.what, f"{each.coverage_90:.0%} / {each.coverage_50:.0%}", effect if each.benefit else "-",
        f"{each.benefit:.0%}", f"{each.mean_probability:.2f} ({each.mean_prior:.2f})", slope,
        "{:.2f} ({:.2f} to {:.2f})".format(*each.ece), f"{each.brier['probability']:.3f}, {each.brier['prior']:.3f}",
        f"{each.within_a_tenth:.0%}", f"{each.ess[0]:.0f}, {each.ess[1]:.0f}",
    ]  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("%", " %").replace("  %", " %")


def block(found: Calibration) -> str:
    policies = [name.replace("_", " ") for name in found.sets[0].policies]
    months = [
        [each.what, *("{:.1f}, {:.1f}".format(*one) for one in each.policies.values())] for each in found.sets
    ]
    return "\n\n".join(
        [
            f"`lissive follow check --people {found.people} --prior-people {found.prior_people}` (seed {found.seed}): "
            "a week of baseline and 84 days of nabiximols, up to 8 sprays a day, in MS, 85 % of days with an entry. "
            f"Benefit: the drug itself takes off {found.threshold:g} % or more.",
            table(HEAD.split(" | "), [row(each) for each in found.sets]),
            "Policies, months a year and person: on a drug that does not help, and of benefit lost.",
            table(["people", *policies], months) + "\n",
        ]
    )


if __name__ == "__main__":
    people, prior = (int(each) for each in (*sys.argv[1:3], 2000, 4000)[:2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    study = calibration_study(people, prior_people=prior, folder=folder, how=How(resume=True))
    with plainly():
        calibration_figure(study).savefig(HERE / "follow-check.png", dpi=130)
    before, after = (
        PAGE.read_text(encoding="utf-8").split(BEGIN)[0],
        PAGE.read_text(encoding="utf-8").split(END)[1],
    )
    PAGE.write_text(f"{before}{BEGIN}{block(study)}{END}{after}", encoding="utf-8")
