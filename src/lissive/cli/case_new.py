"""`lissive case --new`: the questions on a terminal or from a pipe, and the file that they make; `--fields`."""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

from lissive.errors import CaseError


def new_case(file: Path | None, *, force: bool) -> Path:
    """Ask, and write the case; nothing is written unless the questions were gone through."""
    from lissive.access.cases import code_of, flags_that_decide
    from lissive.case.ask import ask, case_yaml
    from lissive.case.read import make_case
    from lissive.files import atomic_path, writable

    if file is None:
        file = Path(f"{_name(_read('Name of the case, as ms-new-york: ').strip() or 'case')}.yaml")
    if file.suffix.lower() not in (".yaml", ".yml"):
        raise CaseError(f"Unsupported file extension {file.suffix!r}.", where=str(file), allowed=".yaml.")
    if file.exists() and not force:
        raise CaseError(
            "There is a file of this name.",
            where=str(file),
            do="name another one, or add --force to overwrite it.",
        )
    writable(file)  # said before the questions: the answers would be lost
    try:
        data = ask(
            _name(file.stem),
            read=_read,
            say=lambda line: print(line, file=sys.stderr),
            today=datetime.datetime.now().astimezone().date(),
            place_of=code_of,
            more=flags_that_decide,
        )
    except KeyboardInterrupt:
        print("\nNothing was written.", file=sys.stderr)
        raise
    text = case_yaml(make_case(data))
    with atomic_path(file) as place:
        place.write_text(text, encoding="utf-8")
    print(f"Written: {file}", file=sys.stderr)
    return file


def _name(stem: str) -> str:
    """The name of a case that a file is called after."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:80] or "case"


def _read(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        raise CaseError(
            "The answers ended before the questions did; nothing was written.",
            where="--new",
            do="answer on, or type . to leave the rest unknown.",
        )
    return line


def fields_text() -> str:
    """Every field, each on lines of its own."""
    from lissive.case.fields import fields
    from lissive.report.words import wrapped

    blocks = []
    for each in fields():
        unit = f" [{each.unit}]" if each.unit else ""
        said = f"{each.what}. Allowed: {each.allowed}. Example: {each.example}"
        blocks.append(f"{each.name}{unit}\n{wrapped(said, '    ', width=80)}")
    return "\n".join(blocks)
