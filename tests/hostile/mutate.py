"""Ways to spoil a text. Each is (random numbers, bytes) to bytes; the same numbers spoil it in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]

NUMBERS = (
    "nan NaN .nan inf -inf .inf 1e308 1e309 -1e308 5e-324 -0 -0.0 -1 0 0.5 00 1e 1_000 0x10 1,5 1/0 1e-400"
    f" {10**23} {'7' * 5000} {2**63} {-(2**63) - 1} {'9' * 400} 1e999999999 +1 12:30 ١٢ 一"
).split()
DAYS = (
    "9999-12-31 0001-01-01 2026-02-30 2026-13-01 99999-01-01 1900-01-01 2026-1-1 2026-12-31T23:59:60Z".split()
)
WRONG = (
    "null", "~", "true", "yes", "[]", "{}", "[1, [2, [3]]]", "{a: {b: c}}", '""', "''", '"', "'", "-", ".", "|",
    "!!python/object:os.system x", "!!binary aGk=", "&a", "*a", "<<", "? x", "%", "@", "`", "a: b: c",
)  # fmt: skip
LETTERS = (
    "µ", "\u202f", "\u200b", "\u202e", "\ufeff", "é", "e\u0301", "ß", "İ", "ﬁ", "😀", "日本", "\u2028", "\x85", "\xa0",
    "\ud7ff", "\ufffd", "\uffff", "\U0010ffff",
)  # fmt: skip
CELLS = ("=1+1", '=HYPERLINK("http://x","y")', "+1", "-1+1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0")
DRAWN = (
    "$",
    "$\\frac{$",
    "a$b$c",
    "\\",
    "{}",
    "%s",
    "{0}",
    "<b>",
    "&amp;",
    "]]>",
    "<!--",
    "--",
    "\\n",
    "^_",
    "#",
)
BYTES = (
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\x1a",
    b"\x1b[2J",
    b"\r",
    b"\x0b",
    b"\x7f",
    b"\x08",
)

_NUMBER = re.compile(rb"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_WORD = re.compile(rb"[\w.*/+-]+")
_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
_QUOTED = re.compile(rb'"[^"\n]*"')


def _at(random: Random, text: bytes) -> int:
    return random.randrange(len(text) + 1)


def _put(random: Random, text: bytes, what: bytes) -> bytes:
    """`what` at a random place, or in place of a random word."""
    found = list(_WORD.finditer(text))
    if found and random.random() < 0.6:
        one = random.choice(found)
        end = one.end() if random.random() < 0.5 else one.start() + 1
        return text[: one.start()] + what + text[end:]
    place = _at(random, text)
    return text[:place] + what + text[place:]


def _replace(random: Random, text: bytes, pattern: re.Pattern[bytes], by: str) -> bytes:
    found = list(pattern.finditer(text))
    if not found:
        return _put(random, text, by.encode("utf-8", "surrogatepass"))
    one = random.choice(found)
    return text[: one.start()] + by.encode("utf-8", "surrogatepass") + text[one.end() :]


def flip(random: Random, text: bytes) -> bytes:
    changed = bytearray(text)
    for _ in range(random.choice((1, 1, 2, 8))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncate(random: Random, text: bytes) -> bytes:
    return text[: _at(random, text)]


def behead(random: Random, text: bytes) -> bytes:
    return text[_at(random, text) :]


def double_line(random: Random, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    k = random.randrange(len(lines)) if lines else 0
    return b"".join([*lines[:k], *lines[k : k + 1] * random.choice((2, 2, 3, 300)), *lines[k + 1 :]])


def drop_line(random: Random, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    k = random.randrange(len(lines)) if lines else 0
    return b"".join(lines[:k] + lines[k + random.choice((1, 1, 3)) :])


def swap_lines(random: Random, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    if lines:
        i, j = random.randrange(len(lines)), random.randrange(len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def swap_words(random: Random, text: bytes) -> bytes:
    found = list(_WORD.finditer(text))
    if len(found) < 2:
        return text
    a, b = sorted(random.sample(found, 2), key=lambda one: one.start())
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def drop_word(random: Random, text: bytes) -> bytes:
    return _replace(random, text, _WORD, "")


def copy_word(random: Random, text: bytes) -> bytes:
    words = _WORD.findall(text) or [b"x"]
    return _replace(random, text, _WORD, random.choice(words).decode("utf-8", "replace"))


def misspell(random: Random, text: bytes) -> bytes:
    words = list(re.finditer(rb"[A-Za-z_]{3,}", text))
    if not words:
        return text
    place = random.choice(words).start() + 1
    return text[:place] + text[place : place + 1] * 2 + text[place + 1 :]


def number(random: Random, text: bytes) -> bytes:
    return _replace(random, text, _NUMBER, random.choice(NUMBERS))


def day(random: Random, text: bytes) -> bytes:
    return _replace(random, text, _DAY, random.choice(DAYS))


def wrong_type(random: Random, text: bytes) -> bytes:
    return _replace(random, text, random.choice((_WORD, _NUMBER, _QUOTED)), random.choice(WRONG))


def nest(random: Random, text: bytes) -> bytes:
    deep = random.choice((30, 1_000, 10_000))
    left, right = random.choice(
        (("[", "]"), ("{a: ", "}"), ("(", ")"), ("<a>", "</a>"), ("<apply><minus/>", "</apply>"), ("- ", ""),
         ("exp(", ")"), ("-(", ")"), ('{"a":', "}"), ("[[", ""), ("model m\n", "end\n"))
    )  # fmt: skip
    return _put(random, text, (left * deep + "1" + right * deep).encode())


def mark(_: Random, text: bytes) -> bytes:
    return b"\xef\xbb\xbf" + text


def utf_16(_: Random, text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode("utf-16")


def some_bytes(random: Random, text: bytes) -> bytes:
    return _put(random, text, random.choice(BYTES))


def letters(random: Random, text: bytes) -> bytes:
    return _put(random, text, random.choice(LETTERS).encode())


def escape(random: Random, text: bytes) -> bytes:
    """Escapes of JSON and of YAML's quoted texts, for what no text may hold."""
    said = random.choice(
        (r"\u0000", r"\ud800", r"\ud83d\ude00", r"\x00", r"\e", r"\q", r"\U00110000", "&#0;", "&#xD800;")
    )
    found = list(_QUOTED.finditer(text))
    if not found:
        return _put(random, text, f'"{said}"'.encode())
    one = random.choice(found)
    return text[: one.start() + 1] + said.encode() + text[one.start() + 1 :]


def long_cell(random: Random, text: bytes) -> bytes:
    return _put(
        random, text, random.choice(("x", "1", "é", "x y ", "a,")).encode() * random.choice((3_000, 140_000))
    )


def formula(random: Random, text: bytes) -> bytes:
    return _put(random, text, random.choice(CELLS).encode())


def drawn(random: Random, text: bytes) -> bytes:
    return _put(random, text, random.choice(DRAWN).encode())


def aliases(random: Random, text: bytes) -> bytes:
    """Lists of lists of lists, each ten times the one before; or one that holds itself."""
    if random.random() < 0.3:
        return _put(random, text, b"&me [*me, {a: *me}]")
    lines = ["a0: &a0 [x, x]"] + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 9)]
    return text + ("\n" + "\n".join(lines) + "\n").encode()


def entities(_: Random, text: bytes) -> bytes:
    head = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    return text.replace(b"?>", b"?>" + head, 1).replace(b"</model>", b"<notes>&b;&c;</notes></model>", 1)


def line_ends(random: Random, text: bytes) -> bytes:
    return text.replace(b"\n", random.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", "\u2028".encode())))


def tabs(random: Random, text: bytes) -> bytes:
    return _put(
        random, text, random.choice((b"\t", b",", b";", b":", b" ", b"\n", b"|")) * random.choice((1, 2, 40))
    )


def empty(random: Random, text: bytes) -> bytes:
    return random.choice((b"", b"\n", b" ", b"#", b"---\n", b"null", b"[]", b"{}", b"<sbml/>", text[:1]))


def twice(_: Random, text: bytes) -> bytes:
    return text + text


def shuffle(random: Random, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


EVERY: tuple[Mutation, ...] = (
    flip, truncate, behead, double_line, drop_line, swap_lines, swap_words, drop_word, copy_word, misspell,
    number, number, number, day, wrong_type, wrong_type, nest, mark, utf_16, some_bytes, letters, escape,
    long_cell, formula, drawn, aliases, entities, line_ends, tabs, empty, twice, shuffle,
)  # fmt: skip


def spoil(random: Random, text: bytes) -> tuple[bytes, list[str]]:
    """The text after one to three of them, and which they were."""
    chosen = random.choices(EVERY, k=random.choice((1, 1, 1, 2, 3)))
    for each in chosen:
        text = each(random, text)
    return text, [each.__name__ for each in chosen]
