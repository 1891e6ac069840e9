"""Sensitivity and identifiability: tables and text for the terminal, figures and the part of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lissive.arrays import FloatArray
from lissive.report.figures import BLUE, GREY, ORANGE, drawn, inline_svg, plain_log
from lissive.report.table import Shown, Table, as_text, table
from lissive.report.words import listed, number, percent, span, wrapped
from lissive.validation.identifiability import Direction, Identifiability, limits
from lissive.validation.run import Dependence
from lissive.validation.scenario import Contraction
from lissive.validation.sensitivity import Sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lissive.validation.identifiability import Identifiability
    from lissive.validation.scenario import Contraction
    from lissive.validation.sensitivity import Sensitivity

WORDS = ("learned", "partly", "not learned")
SLIGHT = 0.05
"""Parts of a direction that are smaller are left out."""
NOTHING = 1e-4
"""Effects below this share of the largest are the solver's tolerance."""
MOST_COVERED = 9.99
"""Proportions of variance beyond this are the noise of few samples."""


def dependence_text(found: Dependence) -> str:
    """What `lissive validate --sensitivity` adds."""
    return f"{sensitivity_text(found.indices)}\n\n{identifiability_text(found.identifiability)}"


def inputs_table(result: Sensitivity, k: int, most: int) -> Table:
    """The inputs of one output, the largest effect first; a share of variance only where Sobol's indices were made."""
    place = {name: j for j, name in enumerate(result.sobol.inputs)}
    s, effect = result.sobol, np.nan_to_num(result.morris.mu_star[k], posinf=0.0)
    rows = []
    for i in np.argsort(-effect, kind="stable")[:most]:
        if effect[i] < NOTHING * effect.max():
            break
        each, shares = result.inputs[i], ["-", "-"]
        if (j := place.get(each.name)) is not None:
            shares = [
                f"{part[k, j]:.2f} ± {half[k, j]:.2f}"
                for part, half in ((s.first, s.first_conf), (s.total, s.total_conf))
            ]
        figures = (result.low[k, i], result.high[k, i], effect[i], result.morris.sigma[k, i])
        ends = span(number(each.lower), number(each.upper))
        rows.append([each.name, ends, each.basis, *map(number, figures), *shares])
    covered = percent(min(max(float(result.covered[k]), 0.0), MOST_COVERED))
    return table(
        f"{result.outputs[k].label}: parameters with the largest effect. Low, high: the output with that parameter "
        f"alone at the ends of its range. The parameters with S1 and ST account for {covered} of the variance",
        "parameter|range|basis|low|high|µ*|σ|S1|ST",
        rows,
        "range|low|high|µ*|σ|S1|ST",
    )


def groups_table(result: Identifiability) -> Table:
    """Parameters that may compensate for each other."""
    rows = [
        [
            group.title or group.name,
            ", ".join(group.members),
            f"no ({group.why})" if group.inseparable else "yes",
            *map(number, (group.condition, group.worst_sd, group.worst_sd_others_free)),
            group.separated_by,
        ]
        for group in result.groups
    ]
    return table(
        "Groups of parameters that may compensate for each other. SD: of the logarithm, left along the least "
        "identifiable combination; the last of them with all others uncertain",
        "group|members|identifiable?|condition|SD|SD, others uncertain|data that would separate them",
        rows,
        "condition|SD|SD, others uncertain",
    )


def sensitivity_text(result: Sensitivity, most: int = 8) -> str:
    """For each output its value, its interval, and the parameters with the largest effect."""
    done = result.provenance
    parts = [
        f"Global sensitivity: {len(result.inputs)} uncertain parameters, {done.runs} pairs of runs "
        f"({done.failed} failed), random seed {done.seed}\n"
        + wrapped(
            "S1: first-order Sobol index; ST: total index, with interactions (± half of the 95 % CI). µ*: mean "
            "elementary effect over the whole range (Morris); σ: its SD. low, high: the output with that parameter "
            "alone at the ends of its range."
        )
    ]
    for k, output in enumerate(result.outputs):
        inputs = inputs_table(result, k, most)
        covered = inputs.caption.rpartition(". ")[2]
        parts.append(
            wrapped(f"{output.label} [{output.unit}]: {_typical(result, k)} {covered}.")
            + f"\n{as_text(inputs, rule=False)}"
        )
    parts.append(wrapped(f"No influence in this scenario: {', '.join(result.idle) or 'none'}."))
    return "\n\n".join(parts)


def _typical(result: Sensitivity, k: int) -> str:
    """An output in the typical patient, and with all parameters uncertain."""
    p05, median, p95 = map(number, result.quantiles[k])
    return (
        f"{number(result.typical[k])} in the typical patient; all parameters uncertain: median {median} "
        f"(5th-95th percentile {span(p05, p95)})."
    )


def identifiability_text(result: Identifiability) -> str:
    """Spectrum, least identifiable directions, groups, and what such data would teach."""
    values = result.spectrum
    learned = {word: [row.name for row in result.expected if row.word == word] for word in WORDS}
    lines = [
        f"Identifiability: {len(result.observations)} observations, {len(result.parameters)} parameters",
        f"Directions of parameter space in which the data say more than the prior: {result.seen} of {len(values)}",
        "Singular values, parameters in units of their prior SD:",
        "  " + "  ".join(f"{k + 1}: {number(values[k])}" for k in _places(len(values))),
        "",
        "Least identifiable directions (loadings, in units of the prior SD):",
        *[f"  {each.value:8.1e}  {_combination(each, 5)}" for each in result.least],
        "",
        "Parameters that act as one (each to its power in the product):",
        *["  " + "  ".join(f"{name}^{power:.2g}" for name, power in each.items()) for each in result.alike],
        "",
        wrapped(f"{groups_table(result).caption}."),
        as_text(
            table(
                "",
                "group|identifiable?|condition|SD|SD, others uncertain",
                [
                    [g.name, row[2], *row[3:6]]
                    for g, row in zip(result.groups, groups_table(result).rows, strict=True)
                ],
                "condition|SD|SD, others uncertain",
            ),
            rule=False,
        ),
    ]
    for g in result.groups:
        lines += ["", f"{g.name}: {g.title}", f"  singular values {'  '.join(map(number, g.spectrum))}"]
        lines += [
            f"  {'not' if g.inseparable else 'least'} identifiable: {_combination(each)}"
            for each in g.unseen[:3]
        ]
        lines += [f"  data that would separate them: {g.separated_by}"]
    lines += ["", "Expected from these data alone, to first order:"]
    lines += [f"  {word} ({len(names)}): {', '.join(names) or 'none'}" for word, names in learned.items()]
    lines += [f"  in no observation: {', '.join(result.unmoved) or 'none'}"]
    return "\n".join(lines)


def _combination(direction: Direction, most: int = 99) -> str:
    """The parts that matter, the largest first."""
    parts = sorted(direction.loadings.items(), key=lambda item: -abs(item[1]))[:most]
    return "  ".join(f"{x:+.2f} {name}" for name, x in parts if abs(x) >= SLIGHT)


def _places(count: int) -> list[int]:
    """A dozen places of a spectrum, first and last among them.

    >>> _places(3)
    [0, 1, 2]
    """
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, 12)).round()})


# -- figures ---------------------------------------------------------------------------------------
MOST = 10
"""Bars of a figure."""


def by_sobol(result: Sensitivity, k: int) -> list[int]:
    """Places in Sobol's inputs of those with the largest total index of output `k`, the largest first."""
    return _largest(result.sobol.total[k])


def by_morris(result: Sensitivity, k: int) -> list[int]:
    """Places in the inputs of those with the largest mean effect on output `k`, the largest first."""
    return _largest(result.morris.mu_star[k])


def _largest(sizes: FloatArray) -> list[int]:
    known = np.nan_to_num(sizes, posinf=0.0)
    return [int(i) for i in np.argsort(-known, kind="stable")[:MOST]]


def plot_sobol(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Total indices with their 95 % intervals."""
    found, chosen = result.sobol, by_sobol(result, k)
    _bars(ax, found.inputs, found.total[k], found.total_conf[k], chosen, BLUE)
    ax.set_xlabel("total index (Sobol)", loc="right")
    return ax


def plot_morris(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Mean size of the effect over an input's whole range, with its 95 % interval."""
    found, chosen = result.morris, by_morris(result, k)
    _bars(ax, found.inputs, found.mu_star[k], found.mu_star_conf[k], chosen, ORANGE)
    ax.set_xlabel("mean elementary effect (Morris µ*)", loc="right")
    return ax


def _bars(
    ax: Axes,
    names: Sequence[str],
    sizes: FloatArray,
    errors: FloatArray,
    chosen: Sequence[int],
    hue: str,
) -> None:
    """Bars to the right, the first chosen on top; lengths are not below 0."""
    places = list(range(len(chosen)))
    length, spread = (np.nan_to_num(each, posinf=0.0)[chosen] for each in (sizes, errors))
    ax.barh(places, length, height=0.62, color=hue, alpha=0.75, linewidth=0)
    ax.errorbar(length, places, xerr=spread, fmt="none", ecolor="black", elinewidth=0.8, capsize=2)
    ax.set_yticks(places, [names[i] for i in chosen])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    ax.set_xlim(0.0)


def plot_spectrum(result: Identifiability, limit: float, *, ax: Axes) -> Axes:
    """Singular values of the matrix, in units of the prior SD; above the line the data say more than the prior."""
    values = result.spectrum
    shown = np.maximum(values, values.max() * 1e-9)
    ax.set_yscale("log")
    ax.plot(np.arange(1, len(values) + 1), shown, marker="o", markersize=3, linewidth=0.8, color=BLUE)
    ax.axhline(limit, color=GREY, linewidth=0.8, linestyle="--")
    ax.annotate(
        "prior", (len(values), limit), ha="right", va="bottom", fontsize=8, xytext=(0, 2),
        textcoords="offset points",
    )  # fmt: skip
    ax.set(xlabel="direction", ylabel="singular value")
    plain_log(ax.yaxis)
    return ax


def plot_contraction(found: Sequence[Contraction], *, ax: Axes) -> Axes:
    """Prior (hollow) and posterior (full) SD of each parameter."""
    for k, row in enumerate(found):
        ax.plot([row.posterior_sd, row.prior_sd], [k, k], color="#999999", linewidth=1.0)
        ax.plot([row.prior_sd], [k], marker="o", markersize=5, color=ORANGE, markerfacecolor="white")
        ax.plot([row.posterior_sd], [k], marker="o", markersize=5, color=BLUE)
    ax.set_yticks(range(len(found)), [row.name for row in found])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlim(0.0)
    ax.set_xlabel("SD of the logarithm, or logit of a share", loc="right")
    return ax


# -- the part of the page --------------------------------------------------------------------------
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
    return Shown(f"{label}{unit}", _typical(result, k), pictures, inputs_table(result, k, MOST))


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
