"""What a caller of a function gave, checked: a wrong value is refused in the words of the commands.

>>> whole("subjects", 3.0, wrong=LissiveError)
3
>>> whole("subjects", 0, wrong=LissiveError)
Traceback (most recent call last):
...
lissive.errors.LissiveError: subjects is 0. Allowed: a whole number, 1 or more. What to do: correct the value.
"""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from lissive.errors import LissiveError

MEND = "correct the value."
T = TypeVar("T")
Wrong = type[LissiveError]


def whole(name: str, value: Any, *, wrong: Wrong, least: int = 1, most: int | None = None) -> int:
    """A whole number within these ends."""
    is_whole = _is_number(value) and (isinstance(value, int) or (_is_finite(value) and value == int(value)))
    if is_whole and least <= value and (most is None or value <= most):
        return int(value)
    until = " or more" if most is None else f" to {most}"
    raise refused(name, value, f"a whole number, {least}{until}.", wrong)


def number_of(
    name: str, value: Any, *, wrong: Wrong, least: float = -math.inf, most: float = math.inf
) -> float:
    """A finite number within these ends."""
    if _is_number(value) and _is_finite(value) and least <= value <= most:
        return float(value)
    ends = {(True, True): f"{least:g} to {most:g}", (True, False): f"{least:g} or more"}
    allowed = ends.get((math.isfinite(least), math.isfinite(most)), "a finite number")
    raise refused(name, value, f"{allowed}.", wrong)


def threads_of(value: Any, *, wrong: Wrong) -> int:
    """How many threads; all cores if not given."""
    return os.cpu_count() or 1 if value is None else whole("threads", value, wrong=wrong)


def day_of(name: str, value: Any, *, wrong: Wrong) -> datetime.date:
    """A day; a moment is none."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise refused(name, value, "a day, as datetime.date(2019, 5, 1).", wrong)


def text_of(name: str, value: Any, *, wrong: Wrong, example: str) -> str:
    """A text."""
    if isinstance(value, str):
        return value
    raise refused(name, value, f"a text, as {example!r}.", wrong)


def path_of(value: Any, *, wrong: Wrong, name: str = "path") -> Path:
    """A path."""
    if isinstance(value, str | os.PathLike) and "\0" not in str(value):
        return Path(value)
    raise refused(name, value, "the path of a file, a text or a pathlib.Path.", wrong)


def kind_of(name: str, value: Any, kind: type[T], *, wrong: Wrong, do: str) -> T:
    """A thing that another function gives; `do` says which."""
    if isinstance(value, kind):
        return value
    raise wrong(f"{name} is {_shown(value)}.", allowed=f"a {kind.__name__}.", do=do)


def list_of(name: str, value: Any, kind: type[T], *, wrong: Wrong, do: str) -> list[T]:
    """Several things of one kind."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        raise wrong(f"{name} is {_shown(value)}.", allowed=f"a list, each a {kind.__name__}.", do=do)
    return [kind_of(f"{name}[{k}]", each, kind, wrong=wrong, do=do) for k, each in enumerate(value)]


def refused(name: str, value: Any, allowed: str, wrong: Wrong) -> LissiveError:
    """The error, to be raised."""
    return wrong(f"{name} is {_shown(value)}.", allowed=allowed, do=MEND)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest double
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
