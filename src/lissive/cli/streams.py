"""Standard output and standard error that always take what is written: closed, or in whatever encoding.

>>> "≤ 5\\u202fmg × 2 → “µ”, τ²".encode("ascii", READABLE)
b'<= 5 mg x 2 -> "u", tau2'
"""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from contextlib import suppress
from typing import TextIO

READABLE = "lissive.readable"
"""How characters are written that an encoding does not have: by the nearest that every one has."""

_PLAIN = {
    "µ": "u", "μ": "u", "×": "x", "·": ".", "−": "-", "–": "-", "—": "-", "\u2010": "-", "\u2011": "-",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "±": "+/-", "→": "->", "←": "<-", "∞": "inf", "√": "sqrt ",
    "°": " deg", "§": "s", "€": "EUR", "£": "GBP", "†": "*", "‡": "**", "•": "*",
    "─": "-", "│": "|", "├": "|", "└": "`", "ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l",
}  # fmt: skip


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isspace() or unicodedata.category(character) == "Zs":
        return " "
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is no text
        return f"\\x{ord(character) - 0xDC00:02x}"
    name = unicodedata.name(character, "").split()
    if name[:1] == ["GREEK"] and "LETTER" in name:
        word = name[name.index("LETTER") + 1].lower()
        return word.capitalize() if "CAPITAL" in name else word
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


codecs.register_error(READABLE, _readable)


def prepare_streams() -> None:
    """Make standard output and error fit to be written to, before anything else is opened.

    A closed one becomes a stream to nowhere, so that no file of ours is opened in its place.
    """
    sys.stdout, sys.stderr = _usable(sys.stdout), _usable(sys.stderr)


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None or stream.closed:
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=READABLE)
    return stream


def abandon(stream: TextIO) -> None:
    """Let what is still to be written go nowhere: who reads has gone, or the disk is full."""
    with (
        suppress(OSError),
        open(os.devnull, "wb") as nowhere,
    ):  # a stream that is no file of the system's has nothing
        os.dup2(nowhere.fileno(), stream.fileno())
