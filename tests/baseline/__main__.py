"""`make baseline`: what moved since the numbers were kept, to the last digit; then the new ones are kept.

python -m tests.baseline            list, and keep the new numbers
python -m tests.baseline --check    list; keep nothing, exit 1 where anything moved
python -m tests.baseline case-ms    only these answers
"""

from __future__ import annotations

import argparse
import sys

from .answers import QUICK, SLOW
from .kept import HEADER, MADE_ON, NUMBERS, RENAMED, arithmetic, renew

LINES = 25
"""Of one answer; `git diff` shows the rest."""


def run(names: list[str], *, write: bool) -> int:
    """Ask again for the answers of these names; gives the exit code."""
    every = {**QUICK, **SLOW}
    if unknown := [name for name in names if name not in every]:
        print(f"{', '.join(unknown)}: no such answer. Allowed: {', '.join(every)}.", file=sys.stderr)
        return 2
    if (made_on := MADE_ON.read_text(encoding="utf-8").strip()) != arithmetic():
        print(
            f"The numbers were kept on {made_on}, and this is {arithmetic()}: last digits differ by that alone."
        )
        if names and write:
            print("Renew all of them, or none.", file=sys.stderr)
            return 2
    moved = 0
    for name in names or every:
        found = renew(name, every[name], write=write)
        moved += len(found)
        print(f"{name}: {f'{len(found)} moved' if found else 'nothing moved'}", flush=True)
        print("".join(f"  {each}\n" for each in found[:LINES]), end="")
        if len(found) > LINES:
            print(f"  and {len(found) - LINES} more")
    if write and not names:
        _put_in_order(set(every))
    return int(moved > 0 and not write)


def _put_in_order(names: set[str]) -> None:
    """All is kept by its new names; what nobody asks for any more goes."""
    for path in NUMBERS.glob("*.json"):
        if path.stem not in names:
            print(f"{path.name}: taken away")
            path.unlink()
    RENAMED.write_text(HEADER, encoding="utf-8")
    MADE_ON.write_text(arithmetic() + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.baseline", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="ANSWER")
    parser.add_argument("--check", action="store_true", help="keep nothing; exit 1 where anything moved")
    asked = parser.parse_args()
    sys.exit(run(asked.names, write=not asked.check))
