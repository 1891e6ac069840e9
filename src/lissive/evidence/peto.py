"""Peto's odds ratio of one trial: observed less expected events over their variance; no 0.5 where a cell is empty.

Yusuf and others 1985. Biased where groups differ much in size or effects are large (Cochrane Handbook 10.4.4.2).
"""

from __future__ import annotations

from dataclasses import replace

from lissive.evidence.effect import Effect, NotUsable

UNEQUAL = 2.0
"""Ratio of group sizes from which a warning is given: the Handbook asks for groups of similar size."""


def peto(effect: Effect) -> Effect:
    """The effect as Peto's logarithm of the odds ratio, (O - E)/V with variance 1/V.

    Raises       NotUsable where it has no counts, or no or every participant had an event.
    """
    t = effect.counts
    if t is None:
        raise NotUsable("it reports no counts of two independent groups, which Peto's method needs")
    n, m = t.a + t.b, t.c + t.d
    total, events = n + m, t.a + t.c
    variance = n * m * events * (total - events) / (total**2 * (total - 1))
    if variance <= 0:
        raise NotUsable("no participant, or every one, had an event in both groups")
    notes = tuple(text for text in effect.notes if not text.startswith("0.5 added"))
    return replace(effect, y=(t.a - n * events / total) / variance, v=1.0 / variance, notes=notes)


def unequal(effects: list[Effect]) -> list[str]:
    """Labels of the trials whose groups are too different in size for Peto's method."""
    sizes = [(each.label, each.counts) for each in effects if each.counts is not None]
    return [label for label, t in sizes if max(t.a + t.b, t.c + t.d) > UNEQUAL * min(t.a + t.b, t.c + t.d)]
