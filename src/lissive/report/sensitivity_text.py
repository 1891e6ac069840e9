"""Sensitivity and identifiability: the tables that page and terminal share, and the text for the terminal."""

from __future__ import annotations

import numpy as np

from lissive.report.table import Table, as_text, table
from lissive.report.words import number, percent, span, wrapped
from lissive.validation.identifiability import Direction, Identifiability
from lissive.validation.run import Dependence
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
        p05, median, p95 = map(number, result.quantiles[k])
        inputs = inputs_table(result, k, most)
        covered = inputs.caption.rpartition(". ")[2]
        parts.append(
            wrapped(
                f"{output.label} [{output.unit}]: typical person {number(result.typical[k])}; all parameters "
                f"uncertain: median {median} (5th-95th percentile {span(p05, p95)}). {covered}."
            )
            + f"\n{as_text(inputs, rule=False)}"
        )
    parts.append(wrapped(f"No influence in this scenario: {', '.join(result.idle) or 'none'}."))
    return "\n\n".join(parts)


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
