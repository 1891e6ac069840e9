"""The part of a validation's page that says what the forecast hangs on, and what data could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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

if TYPE_CHECKING:
    from lissive.validate.contraction import Contraction
    from lissive.validate.identifiability import Identifiability
    from lissive.validate.sensitivity import Sensitivity


@dataclass(frozen=True)
class Analysis:
    """What `lissive validate --sensitivity` works out."""

    sensitivity: Sensitivity
    identifiability: Identifiability
    contraction: Sequence[Contraction] = ()
    """Of the calibration: each fitted parameter before and after."""


@dataclass(frozen=True)
class Part:
    """What the page shows of it."""

    words: tuple[str, ...]
    tornados: tuple[Shown, ...]
    others: tuple[Shown, ...]
    groups: Table


def sensitivity_part(found: Analysis) -> Part:
    """Figures, tables and words."""
    result, told = found.sensitivity, found.identifiability
    others = [_spectrum(told)]
    if found.contraction:
        others.append(_contraction(found.contraction))
    tornados = [_tornado(result, k) for k in range(len(result.outputs))]
    return Part(_words(result, told), tuple(tornados), tuple(others), groups_table(told))


def _words(result: Sensitivity, told: Identifiability) -> tuple[str, ...]:
    done = result.provenance
    inseparable = [group.name for group in told.groups if group.inseparable]
    return (
        f"{len(result.inputs)} uncertain numbers were moved within what is known of them, in {done['runs']} pairs of "
        f"runs (seed {done['seed']}); {len(result.idle)} more have no influence here. A total index is the share of "
        "an output's variance that would go if the number were known, alone and together with others. µ* is the mean "
        "change of the output over the whole range of the number. Whiskers: 95 % intervals of the method.",
        f"A virtual clinic's data of {len(told.observations)} means would teach something along {told.seen} of "
        f"{len(told.spectrum)} directions of the parameters. "
        + (f"It cannot tell apart: {listed(inseparable)}." if inseparable else "It tells all groups apart."),
    )


def _tornado(result: Sensitivity, k: int) -> Shown:
    output = result.outputs[k]
    p05, median, p95 = result.quantiles[k]
    text = (
        f"{number(result.typical[k])} in the typical patient; all numbers uncertain together: {number(median)} "
        f"({number(p05)} to {number(p95)})."
    )
    first = [result.sobol.inputs[i] for i in by_sobol(result, k)[:3]]
    said = f"{output.label}: most of its variance comes from {listed(first)}." if first else output.label
    bars = max(len(by_sobol(result, k)), 1), max(len(by_morris(result, k)), 1)
    pictures = (
        inline_svg(drawn(3.3, 0.6 + 0.2 * bars[0], lambda ax: plot_sobol(result, k, ax=ax)), f"st{k}", said),
        inline_svg(
            drawn(3.3, 0.6 + 0.2 * bars[1], lambda ax: plot_morris(result, k, ax=ax)),
            f"mu{k}",
            f"{output.label}: mean effects of the numbers that move it most.",
        ),
    )
    unit = "" if output.unit == "1" else f" [{output.unit}]"
    return Shown(f"{output.label}{unit}", text, pictures, _inputs(result, k))


def _inputs(result: Sensitivity, k: int) -> Table:
    """The inputs of one output, the largest effect first."""
    place = {name: j for j, name in enumerate(result.sobol.inputs)}
    s = result.sobol
    rows = []
    for i in by_morris(result, k):
        each = result.inputs[i]
        j = place.get(each.name)
        shares = ["-", "-"]
        if j is not None:
            pairs = ((s.first[k, j], s.first_conf[k, j]), (s.total[k, j], s.total_conf[k, j]))
            shares = [f"{size:.2f} ± {half:.2f}" for size, half in pairs]
        figures = (
            result.low[k, i],
            result.high[k, i],
            result.morris.mu_star[k, i],
            result.morris.sigma[k, i],
        )
        span = f"{number(each.lower)} to {number(each.upper)}"
        rows.append([each.name, span, each.basis, *(number(float(x)) for x in figures), *shares])
    return table(
        f"{result.outputs[k].label}: what moves it. Low, high: the output with that number alone at its ends. These "
        f"inputs with indices hold {percent(float(np.clip(result.covered[k], 0.0, 9.99)))} of the variance",
        "input|range|basis|low|high|µ*|σ|S1|ST",
        rows,
        "range|low|high|µ*|σ|S1|ST",
    )


def _spectrum(told: Identifiability) -> Shown:
    from lissive.validate.identifiability import limits

    said = f"Singular values fall from {number(told.spectrum[0])}; {told.seen} are above what is known beforehand."
    picture = inline_svg(
        drawn(3.6, 2.6, lambda ax: plot_spectrum(told, limits()["seen"], ax=ax)), "spectrum", said
    )
    rows = [[str(k), number(float(value))] for k, value in enumerate(told.spectrum, 1)]
    numbers = table("Singular values", "direction|value", rows, "value")
    return Shown("Spectrum of the sensitivity matrix.", said, (picture,), numbers)


def _contraction(found: Sequence[Contraction]) -> Shown:
    learned = sum(row.word == "learned" for row in found)
    said = (
        f"Hollow: before; full: after. {learned} of {len(found)} fitted parameters are learned from the data, "
        f"{sum(row.word == 'not learned' for row in found)} are not."
    )
    picture = inline_svg(
        drawn(3.6, 0.7 + 0.17 * len(found), lambda ax: plot_contraction(found, ax=ax)), "contraction", said
    )
    rows = [
        [row.name, number(row.prior_sd), number(row.posterior_sd), f"{row.contraction:.2f}", row.word]
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
            number(group.condition),
            number(group.worst_sd),
            number(group.worst_sd_others_free),
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
