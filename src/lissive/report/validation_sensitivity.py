"""The part of a validation's page on sensitivity and identifiability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lissive.report.inline_svg import inline_svg
from lissive.report.page_parts import Shown
from lissive.report.sensitivity_figures import (
    MOST,
    by_morris,
    by_sobol,
    plot_contraction,
    plot_morris,
    plot_sobol,
    plot_spectrum,
)
from lissive.report.sensitivity_text import groups_table, inputs_table
from lissive.report.table import Table, table
from lissive.report.validation_figures import drawn
from lissive.report.words import listed, number, span
from lissive.validation.identifiability import Identifiability, limits
from lissive.validation.run import Dependence
from lissive.validation.sensitivity import Sensitivity
from lissive.validation.uncertain import Contraction


@dataclass(frozen=True)
class Part:
    """What the page shows of it."""

    words: tuple[str, ...]
    tornados: tuple[Shown, ...]
    others: tuple[Shown, ...]
    groups: Table


def sensitivity_part(found: Dependence) -> Part:
    """Figures, tables and words."""
    result, data, learned = found.indices, found.identifiability, found.contraction
    others = [_spectrum(data), *([_contraction(learned)] if learned else [])]
    tornados = [_tornado(result, k) for k in range(len(result.outputs))]
    return Part(_words(result, data), tuple(tornados), tuple(others), groups_table(data))


def _words(result: Sensitivity, data: Identifiability) -> tuple[str, ...]:
    done = result.provenance
    inseparable = [group.name for group in data.groups if group.inseparable]
    return (
        f"{len(result.inputs)} uncertain parameters were varied within their ranges, in {done.runs} pairs of runs "
        f"(random seed {done.seed}); {len(result.idle)} more have no influence in this scenario. The total index is "
        "the proportion of an output's variance due to the parameter, alone and in interaction with others. µ* is the "
        "mean elementary effect over the parameter's whole range. Whiskers: 95 % CI of the method.",
        f"A virtual clinic's data of {len(data.observations)} means say more than the prior in {data.seen} of "
        f"{len(data.spectrum)} directions of parameter space. "
        + (f"Not identifiable: {listed(inseparable)}." if inseparable else "All groups are identifiable."),
    )


def _tornado(result: Sensitivity, k: int) -> Shown:
    output = result.outputs[k]
    label = output.label
    p05, median, p95 = (number(value) for value in result.quantiles[k])
    text = (
        f"{number(result.typical[k])} in the typical patient; all parameters uncertain: median {median} "
        f"(5th-95th percentile {span(p05, p95)})."
    )
    first = [result.sobol.inputs[i] for i in by_sobol(result, k)[:3]]
    said = f"{label}: most of the variance is due to {listed(first)}." if first else label
    bars = max(len(by_sobol(result, k)), 1), max(len(by_morris(result, k)), 1)
    pictures = (
        inline_svg(drawn(3.3, 0.6 + 0.2 * bars[0], lambda ax: plot_sobol(result, k, ax=ax)), f"st{k}", said),
        inline_svg(
            drawn(3.3, 0.6 + 0.2 * bars[1], lambda ax: plot_morris(result, k, ax=ax)),
            f"mu{k}",
            f"{label}: parameters with the largest mean effect.",
        ),
    )
    unit = "" if output.unit == "1" else f" [{output.unit}]"
    return Shown(f"{label}{unit}", text, pictures, inputs_table(result, k, MOST))


def _spectrum(data: Identifiability) -> Shown:
    first, seen = number(data.spectrum[0]), data.seen
    said = f"Largest singular value {first}; {seen} directions are informed beyond the prior."
    picture = inline_svg(
        drawn(3.6, 2.6, lambda ax: plot_spectrum(data, limits()["seen"], ax=ax)), "spectrum", said
    )
    rows = [[str(k), number(value)] for k, value in enumerate(data.spectrum, 1)]
    numbers = table("Singular values", "direction|value", rows, "value")
    return Shown("Spectrum of the sensitivity matrix.", said, (picture,), numbers)


def _contraction(found: Sequence[Contraction]) -> Shown:
    learned, not_learned = (sum(row.word == word for row in found) for word in ("learned", "not learned"))
    said = (
        f"Hollow: prior; full: posterior. Of {len(found)} fitted parameters {learned} are learned from the data, "
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
        "Prior and posterior SD; contraction is 1 where all was learned",
        "parameter|prior|posterior|contraction|in words",
        rows,
        "prior|posterior|contraction",
    )
    return Shown("Prior to posterior contraction.", said, (picture,), numbers)
