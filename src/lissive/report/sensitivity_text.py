"""Sensitivity and identifiability as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lissive.validate.identifiability import Direction, Identifiability
from lissive.validate.run import Dependence
from lissive.validate.sensitivity import Sensitivity

WORDS = ("learned", "partly", "not learned")
SLIGHT = 0.05
"""Parts of a direction that are smaller are left out."""
NOTHING = 1e-4
"""Effects below this share of the largest are the solver's tolerance."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be; the first to the left, the others to the right.

    >>> print(table(["of", "is"], [["a", "1.5"], ["bcd", "10"]]))
    of    is
    a    1.5
    bcd   10
    """
    lines = [list(head), *[list(row) for row in rows]]
    width = [max(len(line[k]) for line in lines) for k in range(len(head))]
    return "\n".join(
        "  ".join([line[0].ljust(width[0]), *(c.rjust(w) for c, w in zip(line[1:], width[1:], strict=True))])
        .rstrip()
        for line in lines
    )  # fmt: skip


def dependence_text(found: Dependence) -> str:
    """What `lissive validate --sensitivity` adds."""
    return f"{sensitivity_text(found.indices)}\n\n{identifiability_text(found.identifiability)}"


def sensitivity_text(result: Sensitivity, most: int = 8) -> str:
    """For each output its value, its interval, and what moves it most."""
    done = result.provenance
    lines = [
        f"Global sensitivity: {len(result.inputs)} uncertain numbers, {done.runs} pairs of runs "
        f"({done.failed} failed), seed {done.seed}",
        "S1 share of variance by the input alone, ST with its interactions (± half of the 95 % interval); "
        "mu* mean change over the whole range; low, high: the output with that input alone at the ends.",
    ]
    for k, output in enumerate(result.outputs):
        p05, median, p95 = result.quantiles[k]
        lines += [
            "",
            f"{output.label} [{output.unit}]: {result.typical[k]:.3g}; all uncertain together "
            f"{median:.3g} ({p05:.3g} to {p95:.3g}); the inputs with S1 hold "
            f"{_percent(result.covered[k])} of the variance",
            table("input range basis low high mu* sigma S1 ST".split(), _rows(result, k, most)),
        ]
    lines += ["", f"Without influence here: {', '.join(result.idle) or 'none'}."]
    return "\n".join(lines)


def _rows(result: Sensitivity, k: int, most: int) -> list[list[str]]:
    """The inputs that move output `k` most, by Morris; a share of variance only where Sobol's indices were made."""
    place = {name: j for j, name in enumerate(result.sobol.inputs)}
    effect, s = result.morris.mu_star[k], result.sobol
    rows = []
    for i in np.argsort(-effect, kind="stable")[:most]:
        each = result.inputs[i]
        if effect[i] < NOTHING * effect.max():
            break
        shares = ["-", "-"]
        if (j := place.get(each.name)) is not None:
            shares = [
                f"{part[k, j]:.2f}±{half[k, j]:.2f}"
                for part, half in ((s.first, s.first_conf), (s.total, s.total_conf))
            ]
        figures = (result.low[k, i], result.high[k, i], effect[i], result.morris.sigma[k, i])
        span = f"{each.lower:.3g}..{each.upper:.3g}"
        rows.append([each.name, span, each.basis, *(f"{x:.3g}" for x in figures), *shares])
    return rows


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 9.99):.0f} %"


def identifiability_text(result: Identifiability) -> str:
    """Spectrum, least seen directions, groups, and what such data would teach."""
    values = result.spectrum
    learned = {word: [row.name for row in result.expected if row.word == word] for word in WORDS}
    lines = [
        f"Identifiability: {len(result.observations)} observations, {len(result.parameters)} parameters",
        f"Directions of which the data say more than is known beforehand: {result.seen} of {len(values)}",
        "Singular values, parameters in units of their prior standard deviation:",
        "  " + "  ".join(f"{k + 1}: {values[k]:.3g}" for k in _places(len(values))),
        "",
        "Least seen directions (parts of the prior standard deviations):",
        *[f"  {each.value:8.1e}  {_combination(each, 5)}" for each in result.least],
        "",
        "Parameters that act as one number (each to its power in it):",
        *["  " + "  ".join(f"{name}^{power:.2g}" for name, power in each.items()) for each in result.alike],
        "",
        "Groups that may stand in for each other (sd: of the logarithm, along the least seen combination, by the "
        "data alone with the others known, and with the others uncertain):",
        table(
            ["group", "cannot be separated", "why", "condition", "sd", "sd, others uncertain"],
            [
                [g.name, "yes" if g.inseparable else "no", g.why, f"{g.condition:.2g}", f"{g.worst_sd:.2g}",
                 f"{g.worst_sd_others_free:.2g}"]
                for g in result.groups
            ],
        ),
    ]  # fmt: skip
    for g in result.groups:
        lines += ["", f"{g.name}: {g.title}", f"  spectrum {'  '.join(f'{v:.3g}' for v in g.spectrum)}"]
        lines += [
            f"  {'not' if g.inseparable else 'least'} seen: {_combination(each)}" for each in g.unseen[:3]
        ]
        lines += [f"  would separate them: {g.separated_by}"]
    lines += ["", "By these data alone, to first order:"]
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
