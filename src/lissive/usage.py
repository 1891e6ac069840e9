"""US usage for readers in the United States: spelling, words and dates. Texts are written once, in British usage.

`usage.tsv` has the words; a word that ends in * stands for all that begin with it. What is quoted stays as it is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lissive.table import rows_of

_KEPT = re.compile(r"[“«].*?[”»]", re.DOTALL)
"""What somebody else wrote, in a text."""
_COLUMNS = re.compile("( {2,})")
_MARKUP = re.compile(
    r"<!--.*?-->|<(script|style|textarea|code|blockquote|q|cite|svg|h1|address)\b.*?</\1\s*>"
    r"|<(\w+)[^>]*\bas-typed\b[^>]*>.*?</\2\s*>|<[^>]*>",
    re.DOTALL | re.IGNORECASE,
)
"""Tags, and elements whose text stays: quotations, what somebody typed (class as-typed), names, code, drawings."""


def is_us(place: str | None) -> bool:
    """Whether a place is in the United States, by its code.

    >>> is_us("US-NY"), is_us("GB"), is_us(None)
    (True, False, False)
    """
    return bool(place) and str(place).partition("-")[0] == "US"


@cache
def _words() -> tuple[Mapping[str, str], re.Pattern[str]]:
    rows = {row["british"]: row["us"] for row in rows_of(Path(__file__).parent / "usage.tsv")}
    whole = [re.escape(each) for each in rows if not each.endswith("*")]
    begin = [re.escape(each[:-1]) for each in rows if each.endswith("*")]
    longest = "|".join(sorted(whole, key=len, reverse=True))
    found = re.compile(rf"\b(?:(?P<whole>{longest})\b|(?P<begin>{'|'.join(begin)}))", re.IGNORECASE)
    return {key.rstrip("*").lower(): text for key, text in rows.items()}, found


def us_text(text: str) -> str:
    """The same in US usage; what stands in quotation marks stays.

    >>> us_text("A licence to practise; “a licence”. Programmes, VAPORISED oil")
    'A license to practice; “a licence”. Programs, VAPORIZED oil'
    """
    parts, end = [], 0
    for hit in _KEPT.finditer(text):
        parts += [_spelled(text[end : hit.start()]), hit.group()]
        end = hit.end()
    return "".join([*parts, _spelled(text[end:])])


def _spelled(text: str) -> str:
    words, pattern = _words()

    def us(hit: re.Match[str]) -> str:
        was, now = hit.group(), words[hit.group().lower()]
        if was.isupper() and len(was) > 3:
            return now.upper()
        return now[:1].upper() + now[1:] if was[0].isupper() else now

    return pattern.sub(us, text)


def us_html(page: str) -> str:
    """The same page in US usage: its texts, and no tag, quotation or field.

    >>> us_html('<p class="licence">Licence</p><q>licence</q>')
    '<p class="licence">License</p><q>licence</q>'
    """
    parts, end = [], 0
    for hit in _MARKUP.finditer(page):
        parts += [us_text(page[end : hit.start()]), hit.group()]
        end = hit.end()
    return "".join([*parts, us_text(page[end:])])


def text_for(place: str | None, text: str) -> str:
    """The text in the usage of a place; what stands in columns stays in them.

    >>> print(text_for("US-NY", "in favour of it   low\\nno difference     low"))
    in favor of it    low
    no difference     low
    """
    if not is_us(place):
        return text
    return "\n".join(map(_in_columns, text.split("\n"), us_text(text).split("\n")))


def _in_columns(line: str, us: str) -> str:
    """The line in US usage, with as many blanks between its columns as their places in the first one ask for."""
    was, now = _COLUMNS.split(line), _COLUMNS.split(us)
    for k in range(0, len(now) - 1, 2):
        now[k + 1] = " " * max(2, len(was[k]) + len(was[k + 1]) - len(now[k]))
    return "".join(now)


def page_for(place: str | None, page: str) -> str:
    """The page in the usage of a place."""
    return us_html(page) if is_us(place) else page


def day_text(day: datetime.date, *, us: bool = False) -> str:
    """
    >>> day_text(datetime.date(2026, 11, 29)), day_text(datetime.date(2026, 11, 29), us=True)
    ('29 November 2026', 'November 29, 2026')
    """
    return f"{day:%B} {day.day}, {day.year}" if us else f"{day.day} {day:%B %Y}"
