"""Trials under way, or ended without results, as a list."""

from __future__ import annotations

from collections.abc import Sequence

from lissive.evidence.article import Registered
from lissive.report.words import count, upper_first, wrapped

STATUS = {
    "recruiting": "recruiting",
    "not_yet_recruiting": "not yet recruiting",
    "by_invitation": "by invitation",
    "active_not_recruiting": "active, not recruiting",
    "completed": "completed",
    "terminated": "terminated",
    "withdrawn": "withdrawn",
    "unknown": "status unknown",
}
RESULTS = {"none_found": "no results found", "reported": "results reported", "unknown": "results: not known"}


def under_way_text(found: Sequence[Registered], *, every: bool) -> str:
    """The open ones first; each with its status on the day that its page gives, and where that was read."""
    if not found:
        return "No such trial was found. That says how far the search went, not that there is none."
    still = sum(each.is_open for each in found)
    ended = f", {len(found) - still} that ended or of which that is not known" if every else ""
    until = max(each.read for each in found)
    return "\n\n".join(
        [
            wrapped(f"{count(still, 'trial')} under way{ended}, as pages read on {until} have it."),
            *map(_one, found),
            wrapped(
                "Copies of public registers were read, not the registers themselves; a status may have changed "
                "since the day that its page gives. Results of a trial count only where the studies list them."
            ),
        ]
    )


def _one(trial: Registered) -> str:
    day = f" on {trial.stated}" if trial.stated else ", day not given"
    end = "" if trial.end in ("", "unknown") else f"; end: {trial.end}"
    known = [part for part in (trial.product, trial.comparator) if part != "unknown"]
    said = [trial.about, " against ".join(known) or "product unknown", trial.design]
    lines = [
        wrapped(
            f"{trial.id}  {trial.name}: {STATUS[trial.status]}{day}; {RESULTS[trial.results]}", hanging="  "
        ),
        wrapped(f"{'. '.join(map(upper_first, said))}. n: {trial.n}{end}.", "  "),
        wrapped(f"Outcome: {trial.outcome}.", "  "),
    ]
    bare = ("", "unknown", "none posted", "none found")
    notes = [upper_first(part) for part in (trial.results_note, trial.note) if part not in bare]
    return "\n".join([*lines, *(wrapped(f"{part}.", "  ") for part in notes), f"  {trial.source_url[0]}"])
