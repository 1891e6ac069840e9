"""What could hurt, as text: the flags by severity, unknown names, and what was not assessed."""

from __future__ import annotations

from collections.abc import Sequence

from lissive.report.words import count, wrapped
from lissive.safety import SEVERITIES, Flag, SafetyAnswer

WIDTH = 80
_MEANS = {
    "contraindicated": "do not use",
    "major": "avoid, or only with a plan agreed first",
    "moderate": "use with caution and watch",
    "minor": "be aware",
}


def safety_lines(answer: SafetyAnswer) -> list[str]:
    """The whole section, a line each, of at most 80 characters.

    Flags come first, the most severe first; then names that are in no table; then what the case does not say.
    """
    lines = [_head(answer), ""]
    for severity in SEVERITIES:
        found = answer.worst(severity)
        if found:
            lines += [f"{severity.upper()}: {_MEANS[severity]}", *_flags(found), ""]
    lines += _unknown(answer)
    if answer.without_flag:
        names = ", ".join(answer.without_flag)
        lines += _item(f"No rule in these tables: {names}. That is not proof of no interaction.")
    if answer.not_assessed:
        lines += _item(f"NOT ASSESSED, as the case does not say it: {', '.join(answer.not_assessed)}.")
    if answer.cited:
        lines += ["", "Sources (addresses: --json, or src/lissive/safety/sources.tsv):"]
    for key, source in answer.cited.items():
        lines += _item(f"{key}: {source.citation} [{source.seen}]", "  ")
    return [*lines, "Decision support, not a prescription."]


def _head(answer: SafetyAnswer) -> str:
    if not answer.flags:
        return "Safety: no flag from what the case says. See what was not assessed."
    counts = [f"{len(found)} {each}" for each in SEVERITIES if (found := answer.worst(each))]
    return f"Safety: {count(len(answer.flags), 'flag')} ({', '.join(counts)})"


def _flags(flags: Sequence[Flag]) -> list[str]:
    lines = []
    for flag in flags:
        lines += _item(f"- {flag.short} [{', '.join(flag.substances)}]")
        watch = f" Watch: {flag.watch}" if flag.watch else ""
        lines += _item(f"Why: {flag.mechanism}", "  ")
        lines += _item(f"Do: {flag.advice}{watch}", "  ")
        lines += _item(f"Source ({flag.provenance}): {', '.join(flag.sources)}", "  ")
    return lines


def _unknown(answer: SafetyAnswer) -> list[str]:
    lines = []
    for each in answer.unknown_drugs:
        meant = f" Did you mean {' or '.join(each.meant)}?" if each.meant else ""
        lines += _item(f"UNKNOWN DRUG {each.name}: its interactions were not looked up.{meant}")
    return [*lines, ""] if lines else []


def _item(text: str, indent: str = "") -> list[str]:
    return wrapped(text, indent, None if text.startswith("- ") else "  ", width=WIDTH).split("\n")
