"""A hundred people as a picture: who is as they would be anyway, whom the product changes, and the rest.

Colour and shape say the same, in grey too: full, full with a plus or a minus, hollow.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

PEOPLE, A_ROW = 100, 25
_PERSON = (
    '<circle cx="{x:g}" cy="{head:g}" r="2.6"/><path d="M{left:g} {foot:g}v-5.4a3.4 3.4 0 0 1 6.8 0v5.4z"/>'
)
_LOOK = {
    "anyway": 'fill="#5b6670" stroke="#5b6670"',
    "more": 'fill="#0072b2" stroke="#0072b2"',
    "fewer": 'fill="#b34a00" stroke="#b34a00"',
    "harm": 'fill="#b34a00" stroke="#b34a00"',
    "rest": 'fill="none" stroke="#8a949c"',
}
_MINUS, _UP = "M{left:g} {middle:g}h3.8", "M{x:g} {above:g}v3.8"
_MARKS = {"more": _MINUS + _UP, "harm": _MINUS + _UP, "fewer": _MINUS}


def icon_array(groups: Sequence[tuple[str, int]], said: str) -> Markup:
    """The people of each group, by its look, in order.

    Parameters
    ----------
    groups : look and how many; together a hundred.      said : the picture in words.
    """
    if sum(n for _, n in groups) != PEOPLE:
        raise ValueError(f"{groups} are not {PEOPLE} people")
    looks = [look for look, n in groups for _ in range(n)]
    shapes = [_person(look, 6.0 + 10.0 * (k % A_ROW), 16.0 * (k // A_ROW)) for k, look in enumerate(looks)]
    height = 16 * (PEOPLE // A_ROW)
    start = f'<svg class="icons" viewBox="0 0 {10 * A_ROW + 2} {height}" role="img" stroke-width="0.8">'
    return Markup("{}<title>{}</title>{}</svg>").format(Markup(start), said, Markup("".join(shapes)))


def key(look: str) -> Markup:
    """One person of this look, for the list below the picture."""
    start = '<svg class="key" viewBox="0 0 12 16" aria-hidden="true" stroke-width="0.8"><title> </title>'
    return Markup(f"{start}{_person(look, 6.0, 0.0)}</svg>")


def _person(look: str, x: float, top: float) -> str:
    shape = _PERSON.format(x=x, head=top + 3.8, left=x - 3.4, foot=top + 14.6)
    strokes = _MARKS.get(look, "").format(left=x - 1.9, middle=top + 10.6, x=x, above=top + 8.7)
    mark = f'<path d="{strokes}" stroke="#fff" stroke-width="1"/>' if strokes else ""
    return f'<g class="{look}" {_LOOK[look]}>{shape}{mark}</g>'
