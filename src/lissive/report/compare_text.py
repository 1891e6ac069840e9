"""The same person in every jurisdiction: a table for the terminal, CSV, and a map of tiles in SVG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from lissive.access.answer import Answer
from lissive.access.cases import Tile, group_of, tiles
from lissive.files import write_rows
from lissive.report.access_text import CAUTIONS, PROCEDURAL, STATUS, is_blocked, procedural_text
from lissive.report.table import as_text, table
from lissive.report.words import paragraphs, upper_first, wrapped

_WHERE = {"state": "States", "territory": "Territories", "country": "Other countries"}
_WHY = 46
"""Signs that the last column takes; the whole text is in the CSV."""
_COLUMNS = "code | name | visit and practitioner | rule | why"


def compare_text(answers: Sequence[Answer], title: str) -> str:
    """The table: states, territories and countries apart, each by status from most to least."""
    parts = [title]
    for group, heading in _WHERE.items():
        mine = [each for each in answers if group_of(each.jurisdiction) == group]
        rows: list[tuple[str, ...]] = []
        for status, said in STATUS.items():
            found = [_row(each) for each in mine if each.status == status]
            if found:
                rows += [("",), (f"{upper_first(said)} ({len(found)})",), *found]
        if rows:
            lines = as_text(table(heading, _COLUMNS, rows), rule=False)
            parts.append(f"{heading.upper()}\n{lines}")
    parts += [_cautions(answers), *{each.notice for each in answers}]
    return paragraphs(parts)


def _row(answer: Answer) -> tuple[str, ...]:
    return (
        answer.jurisdiction,
        answer.name,
        procedural_text(answer),
        answer.rule or "-",
        _shortened(why(answer)),
    )


def why(answer: Answer) -> str:
    """What decided it: the wording or the clauses that are met, or what is missing.

    >>> from datetime import date
    >>> why(Answer("US-ID", "Idaho", date(2025, 6, 1), "not_eligible", "ok"))
    'no clause is met'
    """
    if answer.status == "unknown":
        asks = "; ".join(each.asks for each in answer.missing)
        return f"depends on {asks}" if asks else "a fact is missing"
    if answer.status == "not_eligible":
        return "no programme" if "no_programme" in answer.blocks else "no clause is met"
    quoted = [f"“{each.quote}”" for each in answer.fired if each.quote]
    # what a list holds beside the diagnosis that is met stands in brackets: too long for a table
    met = [each.what.split(" (")[0] for each in answer.fired]
    return "; ".join(quoted or met) or "-"


def _shortened(text: str) -> str:
    """Cut where the column ends."""
    return text if len(text) <= _WHY else f"{text[: _WHY - 1].rstrip()}…"


def _cautions(answers: Iterable[Answer]) -> str:
    """How many answers carry each kind of caution; the words are with the answer of each place."""
    counts: dict[str, list[str]] = {}
    for each in answers:
        for kind in dict.fromkeys(caution.kind for caution in each.cautions):
            counts.setdefault(kind, []).append(each.jurisdiction)
    lines = [
        f"{CAUTIONS.get(kind, kind)} ({len(codes)}): {textwrap.shorten(', '.join(codes), 100, placeholder=' …')}"
        for kind, codes in sorted(counts.items())
    ]
    if not lines:
        return ""
    return "\n".join(
        [
            "Cautions; the text is in each jurisdiction's own answer (lissive access --jurisdiction ...):",
            *map("   {}".format, lines),
        ]
    )


CSV_COLUMNS = (
    "code",
    "name",
    "group",
    "on",
    "status",
    "procedural",
    "blocks",
    "rule",
    "why",
    "citation",
    "source_url",
    "missing",
    "cautions",
    "expires",
    "confidence",
    "checked",
)


def compare_csv(answers: Iterable[Answer]) -> str:
    """The table behind the map, a row for each jurisdiction."""
    place = io.StringIO()
    write_rows(place, [CSV_COLUMNS, *map(_csv_row, answers)])
    return place.getvalue()


def _csv_row(each: Answer) -> tuple[str | None, ...]:
    first = each.fired[0] if each.fired else None
    return (
        each.jurisdiction,
        each.name,
        group_of(each.jurisdiction),
        each.on.isoformat(),
        each.status,
        each.procedural,
        " ".join(each.blocks),
        each.rule,
        why(each),
        first.citation if first else None,
        first.source_url if first else None,
        " ".join(missing.fact for missing in each.missing),
        " ".join(dict.fromkeys(caution.kind for caution in each.cautions)),
        each.expires.isoformat() if each.expires else None,
        each.confidence,
        each.checked.isoformat() if each.checked else None,
    )


# -- map -------------------------------------------------------------------------------------------
# Status is shown by colour (Okabe and Ito's), by shape and by letter, and is in the text of each tile, so that no
# reader depends on colour or on sight. A procedural block (visit, practitioner, residence) is a black corner.
STYLE: Mapping[str, tuple[str, str]] = {
    "eligible": ("#009E73", "E"),
    "eligible_at_discretion": ("#56B4E9", "D"),
    "unknown": ("#F0E442", "?"),
    "not_eligible": ("#D55E00", "N"),
}
"""Status to colour and letter, from most to least."""

_SIDE, _STEP = 74, 80
_LEFT, _TOP = 24, 60
_TILES = 12
"""Tiles in a row."""
_WIDE = 107
"""Step from one country to the next: its code may be a state's as well (CA, DE, IL), so its name is there too."""
_WIDTH = 2 * _LEFT + _TILES * _STEP - (_STEP - _SIDE)
_HEADINGS = {"territory": "Territories", "country": "Other countries, each with a law of its own"}


_BLOCKED = f"Visit and practitioner requirements {PROCEDURAL['blocked']}"


def tile_map(answers: Sequence[Answer], title: str, caption: str) -> str:
    """The map as an SVG text.

    Parameters
    ----------
    answers : one of each jurisdiction; those without a tile are left out of the picture.
    title : who, and on which day.      caption : what has to be said below it.
    """
    placed = [(each, tiles()[each.jurisdiction]) for each in answers if each.jurisdiction in tiles()]
    parts, bottom = [], _TOP
    for group in ("state", "territory", "country"):
        mine = [(answer, tile) for answer, tile in placed if tile.group == group]
        if not mine:
            continue
        if group in _HEADINGS:
            parts.append(f'<text class="h" x="{_LEFT}" y="{bottom + 22}">{_HEADINGS[group]}</text>')
            bottom += 32
        parts += [_tile(answer, tile, bottom) for answer, tile in mine]
        bottom += (1 + max(tile.row for _, tile in mine)) * _STEP
    lines = wrapped(caption, width=145).splitlines()
    height = bottom + 20 + 17 * len(lines)
    foot = [
        f'<text class="c" x="{_LEFT}" y="{bottom + 22 + 17 * k}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    ]
    return "\n".join([*_head(title, answers, height), *_legend(placed), *parts, *foot, "</svg>\n"])


def _head(title: str, answers: Sequence[Answer], height: int) -> list[str]:
    shown = textwrap.shorten(title, 105, placeholder=" …")
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="group" aria-labelledby="map-title map-desc">',
        f'<title id="map-title">{escape(title)}</title>',
        f'<desc id="map-desc">{escape(described(answers))}</desc>',
        "<style>text{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#000}.t{font-size:16px;font-weight:bold}"
        ".k{font-size:13.5px}.h{font-size:14px;font-weight:bold}.c{font-size:12px;fill:#333}"
        ".s{font-size:17px;font-weight:bold}.l{font-size:20px;font-weight:bold;text-anchor:middle}"
        ".m{font-size:14px;font-weight:bold;text-anchor:middle}.n{font-size:11px}.b{font-size:13px;font-weight:bold;fill:#fff;text-anchor:middle}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="t" x="{_LEFT}" y="36">{escape(shown)}</text>',
    ]


def described(answers: Iterable[Answer]) -> str:
    """The whole map in sentences.

    >>> described([])
    'A map of tiles, one for each jurisdiction.'
    """
    said = ["A map of tiles, one for each jurisdiction."]
    every = list(answers)
    for status in STYLE:
        names = [each.name for each in every if each.status == status]
        if names:
            said.append(f"{upper_first(STATUS[status])} ({len(names)}): {', '.join(names)}.")
    if names := [each.name for each in every if is_blocked(each)]:
        said.append(f"{_BLOCKED} ({len(names)}): {', '.join(names)}.")
    return " ".join(said)


def _legend(placed: Sequence[tuple[Answer, Tile]]) -> list[str]:
    """Each status with its shape, letter and count, in the free corner between Alaska and Maine."""
    parts, x, y = [], _LEFT + 2 * _STEP, _TOP
    for status, (colour, letter) in STYLE.items():
        count = sum(answer.status == status for answer, _ in placed)
        parts.append(
            f'<rect x="{x}" y="{y}" width="52" height="26" rx="4" fill="{colour}" stroke="#000"/>'
            f'{_shape(status, x + 15, y + 13)}<text class="m" x="{x + 38}" y="{y + 18}">{letter}</text>'
            f'<text class="k" x="{x + 62}" y="{y + 18}">{STATUS[status]}: {count}</text>'
        )
        y += 30
    blocked = sum(is_blocked(answer) for answer, _ in placed)
    parts.append(
        f'<path d="M{x + 26} {y}h26v26z"/><text class="b" x="{x + 43}" y="{y + 14}">!</text>'
        f'<text class="k" x="{x + 62}" y="{y + 18}">{_BLOCKED}: {blocked}</text>'
    )
    return parts


def _tile(answer: Answer, tile: Tile, top: int) -> str:
    abroad = tile.group == "country"
    side = _WIDE - (_STEP - _SIDE) if abroad else _SIDE
    x, y = _LEFT + tile.column * (_WIDE if abroad else _STEP), top + tile.row * _STEP
    colour, letter = STYLE[answer.status]
    corner = ""
    if is_blocked(answer):
        corner = (
            f'<path d="M{x + side - 30} {y + 1}h29v29z"/>'
            f'<text class="b" x="{x + side - 10}" y="{y + 15}">!</text>'
        )
    name = f'<text class="n" x="{x + 7}" y="{y + 37}">{escape(answer.name)}</text>' if abroad else ""
    short = answer.jurisdiction.removeprefix("US-")
    said = f"{answer.name}: {STATUS[answer.status]}; visit and practitioner requirements: {procedural_text(answer)}"
    return (
        f'<g role="img" aria-label={quoteattr(said)}><title>{escape(said)}</title>'
        f'<rect x="{x}" y="{y}" width="{side}" height="{_SIDE}" rx="6" fill="{colour}" stroke="#000"/>'
        f'<text class="s" x="{x + 7}" y="{y + 22}">{short}</text>{corner}{name}'
        f"{_shape(answer.status, x + 20, y + 55)}"
        f'<text class="l" x="{x + 52}" y="{y + 62}">{letter}</text></g>'
    )


def _shape(status: str, x: int, y: int) -> str:
    """Full disc, half disc, empty disc, cross."""
    ring = f'<circle cx="{x}" cy="{y}" r="9" fill="none" stroke="#000" stroke-width="2"/>'
    if status == "eligible":
        return f'<circle cx="{x}" cy="{y}" r="10"/>'
    if status == "eligible_at_discretion":
        return f'{ring}<path d="M{x} {y - 9}a9 9 0 0 0 0 18z"/>'
    if status == "unknown":
        return ring
    return f'<path d="M{x - 8} {y - 8}l16 16M{x + 8} {y - 8}l-16 16" stroke="#000" stroke-width="3.5"/>'
