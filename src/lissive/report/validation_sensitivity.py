"""The part of a validation's page that says what the forecast hangs on, and what data could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lissive.report.inline_svg import inline_svg
from lissive.report.page_parts import Shown
from lissive.report.sensitivity_figures import (
    by_morris,
    by_sobol,
    plot_contraction,
    plot_morris,
    plot_sobol,
    plot_spectrum,
)
from lissive.report.validation_figures import drawn
from lissive.report.validation_tables import Table, table
from lissive.report.validation_words import listed, number, percent
from lissive.validate.contraction import Contraction
from lissive.validate.identifiability import Identifiability, limits
from lissive.validate.run import Dependence
from lissive.validate.sensitivity import Sensitivity

MOST_COVERED = 9.99
"""Shares of variance beyond this are the noise of few samples."""


@dataclass(frozen=True)
class Part:
    """What the page shows of it."""

    words: tuple[str, ...]
    tornados: tuple[Shown, ...]
    others: tuple[Shown, ...]
    groups: Table


def sensitivity_part(found: Dependence) -> Part:
    """Figures, tables and words."""
    result, told, learned = found.indices, found.identifiability, found.contraction
    others = [_spectrum(told), *([_contraction(learned)] if learned else [])]
    tornados = [_tornado(result, k) for k in range(len(result.outputs))]
    return Part(_words(result, told), tuple(tornados), tuple(others), groups_table(told))


def _words(result: Sensitivity, told: Identifiability) -> tuple[str, ...]:
    done = result.provenance
    inseparable = [group.name for group in told.groups if group.inseparable]
    return (
        f"{len(result.inputs)} uncertain numbers were moved within what is known of them, in {done.runs} pairs "
        f"of runs (seed {done.seed}); {len(result.idle)} more have no influence here. A total index is the share "
        "of an output's variance that would go if the number were known, alone and together with others. µ* is the "
        "mean change of the output over the whole range of the number. Whiskers: 95 % intervals of the method.",
        f"A virtual clinic's data of {len(told.observations)} means would teach something along {told.seen} of "
        f"{len(told.spectrum)} directions of the parameters. "
        + (f"It cannot tell apart: {listed(inseparable)}." if inseparable else "It tells all groups apart."),
    )


def _tornado(result: Sensitivity, k: int) -> Shown:
    output = result.outputs[k]
    label = output.label
    p05, median, p95 = (number(value) for value in result.quantiles[k])
    text = (
        f"{number(result.typical[k])} in the typical patient; all numbers uncertain together: {median} "
        f"({p05} to {p95})."
    )
    first = [result.sobol.inputs[i] for i in by_sobol(result, k)[:3]]
    said = f"{label}: most of its variance comes from {listed(first)}." if first else label
    bars = max(len(by_sobol(result, k)), 1), max(len(by_morris(result, k)), 1)
    pictures = (
        inline_svg(drawn(3.3, 0.6 + 0.2 * bars[0], lambda ax: plot_sobol(result, k, ax=ax)), f"st{k}", said),
        inline_svg(
            drawn(3.3, 0.6 + 0.2 * bars[1], lambda ax: plot_morris(result, k, ax=ax)),
            f"mu{k}",
            f"{label}: mean effects of the numbers that move it most.",
        ),
    )
    unit = "" if output.unit == "1" else f" [{output.unit}]"
    return Shown(f"{label}{unit}", text, pictures, _inputs(result, k))


def _inputs(result: Sensitivity, k: int) -> Table:
    """The inputs of one output, the largest effect first."""
    place = {name: j for j, name in enumerate(result.sobol.inputs)}
    s, m = result.sobol, result.morris
    rows = []
    for i in by_morris(result, k):
        each = result.inputs[i]
        j = place.get(each.name)
        shares = ["-", "-"]
        if j is not None:
            shares = [
                f"{part[k, j]:.2f} ± {half[k, j]:.2f}"
                for part, half in ((s.first, s.first_conf), (s.total, s.total_conf))
            ]
        figures = (result.low[k, i], result.high[k, i], m.mu_star[k, i], m.sigma[k, i])
        span = f"{number(each.lower)} to {number(each.upper)}"
        rows.append([each.name, span, each.basis, *(number(x) for x in figures), *shares])
    covered = percent(min(max(result.covered[k], 0.0), MOST_COVERED))
    return table(
        f"{result.outputs[k].label}: what moves it. Low, high: the output with that number alone at its ends. "
        f"The inputs with S1 and ST hold {covered} of the variance",
        "input|range|basis|low|high|µ*|σ|S1|ST",
        rows,
        "range|low|high|µ*|σ|S1|ST",
    )


def _spectrum(told: Identifiability) -> Shown:
    first, seen = number(told.spectrum[0]), told.seen
    said = f"Singular values fall from {first}; {seen} are above what is known beforehand."
    picture = inline_svg(
        drawn(3.6, 2.6, lambda ax: plot_spectrum(told, limits()["seen"], ax=ax)), "spectrum", said
    )
    rows = [[str(k), number(value)] for k, value in enumerate(told.spectrum, 1)]
    numbers = table("Singular values", "direction|value", rows, "value")
    return Shown("Spectrum of the sensitivity matrix.", said, (picture,), numbers)


def _contraction(found: Sequence[Contraction]) -> Shown:
    learned, not_learned = (sum(row.word == word for row in found) for word in ("learned", "not learned"))
    said = (
        f"Hollow: before; full: after. {learned} of {len(found)} fitted parameters are learned from the data, "
        f"{not_learned} are not."
    )
    picture = inline_svg(
        drawn(3.6, 0.7 + 0.17 * len(found), lambda ax: plot_contraction(found, ax=ax)), "contraction", said
    )
    rows = [
        [
            row.name,
            number(row.prior_sd),
            number(row.posterior_sd),
            f"{row.contraction:.2f}",
            row.word,
        ]
        for row in found
    ]
    numbers = table(
        "Standard deviations before and after the calibration; contraction is 1 where all was learned",
        "parameter|before|after|contraction|in words",
        rows,
        "before|after|contraction",
    )
    return Shown("What the calibration has learned.", said, (picture,), numbers)


def groups_table(told: Identifiability) -> Table:
    """Parameters that may stand in for each other."""
    rows = [
        [
            group.title or group.name,
            ", ".join(group.members),
            f"no ({group.why})" if group.inseparable else "yes",
            *map(number, (group.condition, group.worst_sd, group.worst_sd_others_free)),
            group.separated_by,
        ]
        for group in told.groups
    ]
    return table(
        "Groups of parameters that may stand in for each other. SD: of the logarithm, left along the least seen "
        "combination; the last of them with all others uncertain",
        "group|members|can be separated?|condition|SD|SD, others uncertain|what would separate them",
        rows,
        "condition|SD|SD, others uncertain",
    )
