"""Lines of a calendar file (iCalendar, RFC 5545): texts escaped, long lines folded."""

from __future__ import annotations

from collections.abc import Iterable


def calendar_text(product: str, lines: Iterable[str]) -> str:
    """The whole file; `lines` are those of its events.

    >>> print(calendar_text("access", ["BEGIN:VEVENT", "END:VEVENT"]).replace("\\r", ""))
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//lissive//access//EN
    BEGIN:VEVENT
    END:VEVENT
    END:VCALENDAR
    <BLANKLINE>
    """
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//lissive//{product}//EN")
    return "".join(f"{folded(line)}\r\n" for line in (*head, *lines, "END:VCALENDAR"))


def escaped(text: str) -> str:
    """
    >>> print(escaped("a; b, c\\nd"))
    a\\; b\\, c\\nd
    """
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return "\\n".join(text.splitlines())


def folded(line: str) -> str:
    """At most 75 octets a line; what follows begins with a blank."""
    parts, octets = [""], 0
    for sign in line:
        size = len(sign.encode())
        if octets + size > 75:
            parts.append("")
            octets = 1
        parts[-1] += sign
        octets += size
    return "\r\n ".join(parts)
