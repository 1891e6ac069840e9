"""The command `lissive`: finds the command's module, runs it, and turns mistakes into one message.

Only the module of the command that was asked for is loaded, and Typer itself only where it is needed.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
import unicodedata
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from lissive.errors import LissiveError
from lissive.version import __version__

if TYPE_CHECKING:
    import typer


COMMANDS = (
    "case",
    "follow",
    "access",
    "evidence",
    "site",
    "simulate",
    "trial",
    "validate",
    "calibrate",
    "export",
    "check",
    "cite",
    "serve",
    "web",
    "work",
    "bench",
)
"""Each is a module of this package with `register(app)`, in the order of the help."""

ANSWERED, FINDINGS, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

ABOUT = """A quantitative model of the endocannabinoid system and of what THC and CBD do to muscle spasms.

Decision support and research software: not a prescription, and not legal advice."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    warnings.showwarning = _say_note
    prepare_streams()
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except LissiveError as error:
        return _say_wrong(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        abandon(sys.stdout)
        return FINDINGS
    except OSError as error:
        if error.filename is None:  # a disk that is full: said once, not again as the process ends
            abandon(sys.stdout)
        full = error.errno == errno.ENOSPC
        do = "free some space." if full else "check the path, and who may read or write there."
        where = error.filename or "standard output"
        return _say_wrong(f"{where}: {error.strerror or error}. What to do: {do}")
    except MemoryError as error:
        return _say_wrong(
            f"This takes more memory than there is{f' ({error})' if str(error) else ''}. "
            "What to do: ask for less at a time."
        )


def _run(words: list[str]) -> int:
    if words == ["--version"]:  # answered before Typer is loaded
        print(f"lissive {__version__}")
        return ANSWERED
    try:
        app_of(words)(args=words, prog_name="lissive")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ANSWERED
    return ANSWERED


def app_of(words: Sequence[str]) -> typer.Typer:
    """The commands that these words can need: the one that they name, else all."""
    import typer

    app = typer.Typer(
        help=ABOUT,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain text: the same on a terminal and in a pipe
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _all(
        version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    ) -> None:
        if version:
            print(f"lissive {__version__}")
            raise typer.Exit

    for name in [words[0]] if words and words[0] in COMMANDS else COMMANDS:
        import_module(f"lissive.cli.{name}").register(app)
    return app


def _say_note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"lissive: note: {message}", file=sys.stderr)


def _say_wrong(message: str) -> int:
    try:
        print(f"lissive: {message}", file=sys.stderr)
    except OSError:
        abandon(sys.stderr)
    return WRONG_INPUT


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
    """
    >>> "≤ 5\u202fmg × 2 → “µ”, τ²".encode("ascii", READABLE)
    b'<= 5 mg x 2 -> "u", tau2'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isspace() or unicodedata.category(character) == "Zs":
        return " "
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is not text
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
