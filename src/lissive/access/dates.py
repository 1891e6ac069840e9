"""Days as the rules write them: a day, or a month or year of which the day is not known."""

from __future__ import annotations

import calendar
import datetime
import re
from functools import lru_cache

_PART = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
DAYS_PER_MONTH = 365.2425 / 12
"""Mean length of a month of the Gregorian calendar [d]."""


@lru_cache(maxsize=4096)
def span(text: str) -> tuple[datetime.date, datetime.date] | None:
    """First and last day that a date can mean, or None where it is no date.

    >>> span("2020-02")
    (datetime.date(2020, 2, 1), datetime.date(2020, 2, 29))
    """
    match = _PART.fullmatch(text)
    if not match:
        return None
    year, month, day = int(match[1]), match[2], match[3]
    try:
        if day:
            one = datetime.date(year, int(month), int(day))
            return one, one
        if month:
            last = calendar.monthrange(year, int(month))[1]
            return datetime.date(year, int(month), 1), datetime.date(year, int(month), last)
        return datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    except (ValueError, calendar.IllegalMonthError):
        return None


def is_day(text: str) -> bool:
    """Whether it is one day, in full.

    >>> is_day("2019-02-29"), is_day("2020-02-29"), is_day("2020-02")
    (False, True, False)
    """
    found = span(text)
    return found is not None and len(text) == 10


def day(text: str) -> datetime.date:
    """The day that a checked text means; of a month or year the first."""
    found = span(text)
    if found is None:
        raise ValueError(text)
    return found[0]


def has_begun(when: str | None, on: datetime.date) -> bool | None:
    """Whether something that begins `when` is in force; None where the day may lie on either side.

    >>> has_begun("2020-03", datetime.date(2020, 3, 15)) is None
    True
    """
    if when is None:
        return True
    found = span(when)
    if found is None:
        return None  # `unknown`
    first, last = found
    if first == last:
        return on >= first
    return False if on < first else True if on > last else None


def days_later(on: datetime.date, days: int) -> datetime.date | None:
    """The day so many days later, or before; None where the calendar, from year 1 to 9999, has none.

    >>> days_later(datetime.date(2024, 2, 28), 2), days_later(datetime.date(9999, 12, 31), 1)
    (datetime.date(2024, 3, 1), None)
    """
    number = on.toordinal() + days
    last = datetime.date.max.toordinal()
    return datetime.date.fromordinal(number) if 1 <= number <= last else None


def months_later(on: datetime.date, months: int) -> datetime.date | None:
    """The same day of a later month, or that month's last; None after the year 9999.

    >>> months_later(datetime.date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    count = on.year * 12 + on.month - 1 + months
    year, month = divmod(count, 12)
    if year > datetime.MAXYEAR:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(on.day, last))
