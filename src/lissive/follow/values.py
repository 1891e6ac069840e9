"""Days, times and numbers as they are written in a diary."""

from __future__ import annotations

import datetime
import re
from typing import Any

_SERIAL_ZERO = datetime.date(1899, 12, 30)


class Fault(Exception):
    """What is wrong with one cell."""


def rough(raw: Any) -> float | None:
    """The number of a cell however it is written; None where there is none."""
    found = re.fullmatch(r"(\d+)(?:[.,](\d+))?", str(raw).strip(), re.ASCII)
    return float(f"{found[1]}.{found[2] or 0}") if found else None


def day_of(raw: Any, *, us: bool) -> datetime.date:
    """A day written year, month, day, or where it is said so month/day/year; all else could be meant in two ways."""
    if (serial := _serial(raw)) is not None:
        raise Fault(
            f", an Excel serial number (it would be {serial}). Format the column as a date, or write "
            "2026-05-01"
        )
    text = str(raw)
    if by_month := re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})", text, re.ASCII):
        if not us:
            raise Fault(
                ". Write the year first, as 2026-05-01, or add --us-dates if all days are month/day/year"
            )
        text = f"{by_month[3]}-{by_month[1]:0>2}-{by_month[2]:0>2}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise Fault(". Write the year first, as 2026-05-01: other orders of day and month are ambiguous")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise Fault(", not a day of the calendar") from None


def _serial(raw: Any) -> datetime.date | None:
    """The day that a spreadsheet means by a number."""
    text = str(raw)
    if isinstance(raw, bool) or not re.fullmatch(r"\d{5}(\.\d+)?", text):
        return None
    return _SERIAL_ZERO + datetime.timedelta(days=int(float(text)))


def hour_of(raw: Any) -> float:
    if isinstance(raw, datetime.time):
        return raw.hour + raw.minute / 60
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(:\d\d)?", str(raw))
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise Fault(". Allowed: 00:00 to 23:59")
    return int(found[1]) + int(found[2]) / 60
