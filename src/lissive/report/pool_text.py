"""What the studies say on one outcome, as text that a clinician reads; and published beside computed results."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lissive.report.pool_words import (
    DERIVED,
    DESIGN_NAMES,
    DESIGNS,
    DRUG,
    RECALLED,
    absolute_words,
    counted,
    finding,
    groups,
    how,
    interval,
    left_out_words,
    marked,
    number,
    p_value,
    people,
    predicted,
    sides,
    spread,
    studies,
    title,
    whole,
)

WIDTH = 110
LIMITS = "Risk of bias was not rated formally, and whoever feels the drug knows the arm."
SPONSOR = " Nearly all trials of nabiximols were run by its maker."


def pool_text(answer: Mapping[str, Any]) -> str:
    """The answer of `lissive evidence pool`, for a terminal."""
    if not answer["k"]:
        return "\n\n".join(part for part in (title(answer), _nothing(answer), _left_out(answer)) if part)
    parts = [
        f"{title(answer)}\n{_wrapped(how(answer), '')}",
        study_table(answer),
        _together(answer),
        _words(answer),
        _wrapped(absolute_words(answer)),
        _one_out(answer),
        _small(answer),
        _notes(answer),
        _marks(answer),
        _left_out(answer),
        _wrapped(_sources(answer)),
        _wrapped(_limits(answer)),
    ]
    return "\n\n".join(part for part in parts if part)


def study_table(answer: Mapping[str, Any]) -> str:
    """The studies by design, each design with its own figure."""
    measure = answer["measure"]
    rows: list[list[str]] = [["", DRUG.removeprefix("the "), "control", f"{measure} (95 %)", "weight"]]
    for group in answer["by_design"]:
        rows.append([DESIGNS[group["design"]]])
        rows += [_study(row, measure) for row in answer["studies"] if row["design"] == group["design"]]
        if group["k"] > 1:
            said = spread(group, measure)
            rows.append([f"  {counted(group)} together", "", "", whole(group, measure), ""])
            rows.append([f"    {finding(group)}; {said}"])
    return _aligned(rows)


def _study(row: Mapping[str, Any], measure: str) -> list[str]:
    return [
        f"  {marked(row)}",
        groups(row, "active"),
        groups(row, "control"),
        whole(row, measure),
        f"{row['weight']:.0f} %",
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; a row of one cell runs across."""
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[k]) for row in full) for k in range(len(full[0]))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        if len(row) > 1
        else row[0]
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(len(line) for line in lines if line), *lines[1:]])


def _together(answer: Mapping[str, Any]) -> str:
    measure, k = answer["measure"], answer["k"]
    designs = f", {len(answer['by_design'])} designs" if len(answer["by_design"]) > 1 else ""
    lines = [
        f"All together: {whole(answer, measure)}, {counted(answer)}{designs}, {people(answer)}; "
        f"{p_value(answer['p'])}; {finding(answer)}."
    ]
    if k > 1:
        lines.append(
            f"How the studies differ: {spread({**answer, 'prediction_interval': None}, measure)}{_tau(answer)}."
        )
    if answer["prediction_interval"] is not None:
        lines.append(
            f"The true effect in a further study like these (95 % prediction interval, t on {k - 2}): "
            f"{predicted(answer, measure)}."
        )
    elif k > 1 and answer["model"] == "random":
        lines.append("A prediction interval needs three studies or more.")
    if answer["between_designs"] is not None:
        between = answer["between_designs"]
        said = (
            "the designs differ"
            if between["p"] < 0.1
            else "no clear difference, which few studies would show"
        )
        lines.append(
            f"Between designs: Q {between['q']:.1f} on {between['df']}, {p_value(between['p'])}: {said}."
        )
    return "\n".join(_wrapped(line) for line in lines)


def _tau(answer: Mapping[str, Any]) -> str:
    ends = answer["tau2_ci"]
    return "" if ends is None else f" (95 % interval of τ²: {interval(ends)})"


def _words(answer: Mapping[str, Any]) -> str:
    below, above = sides(answer)
    nothing = "1" if answer["measure"] in ("OR", "RR", "GMR") else "0"
    return _wrapped(f"Below {nothing}: {below}. Above {nothing}: {above}.")


def _one_out(answer: Mapping[str, Any]) -> str:
    rows = answer["leave_one_out"]
    if len(rows) < 3:
        return ""
    measure = answer["measure"]
    ordered = sorted(rows, key=lambda row: row["estimate"])
    low, high = ordered[0], ordered[-1]
    return _wrapped(
        f"Leaving one study out, the figure runs from {whole(low, measure)} without {low['label']} to "
        f"{whole(high, measure)} without {high['label']}."
    )


def _small(answer: Mapping[str, Any]) -> str:
    found = answer["small_studies"]
    if answer["k"] < 2:
        return ""
    if found["refused"] is not None:
        return _wrapped(f"Small studies: {found['refused']}")
    return _wrapped(
        f"Small studies (Egger): intercept {found['intercept']:.2f}, t {number(found['t'])} on {found['df']}, "
        f"{p_value(found['p'])}."
    )


def _notes(answer: Mapping[str, Any]) -> str:
    own: dict[str, list[str]] = {}
    for row in answer["studies"]:
        for text in [*row["said"], *(row["note"].split("; ") if row["note"] else [])]:
            own.setdefault(text, []).append(row["label"])
    lines = [*answer["notes"], *_of_groups(answer)]
    lines += [f"{', '.join(labels)}: {text}" for text, labels in own.items()]
    return "\n".join(_wrapped(f"- {_sentence(line)}", "  ") for line in lines)


def _of_groups(answer: Mapping[str, Any]) -> list[str]:
    """What was said of a design's own figure and not of the whole."""
    found: dict[str, list[str]] = {}
    for group in answer["by_design"]:
        for text in group["said"] if group["k"] > 1 else ():
            if text not in answer["said"]:
                found.setdefault(text, []).append(DESIGN_NAMES[group["design"]])
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def _sentence(text: str) -> str:
    return _ended(text[:1].upper() + text[1:])


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _sources(answer: Mapping[str, Any]) -> str:
    ids = ", ".join(dict.fromkeys(row["study"] for row in answer["studies"]))
    return f"Where each number comes from: lissive evidence show ID, with the ID {ids}."


def _limits(answer: Mapping[str, Any]) -> str:
    sponsored = any(row["product"] == "nabiximols" for row in answer["studies"])
    return LIMITS + (SPONSOR if sponsored else "")


def _marks(answer: Mapping[str, Any]) -> str:
    words = {
        "recalled": f"{RECALLED} quoted from memory, not read at its source",
        "derived": f"{DERIVED} calculated from figures that were read",
    }
    said = [
        text for word, text in words.items() if any(row["provenance"] == word for row in answer["studies"])
    ]
    if not said:
        return ""
    share = len(answer["recalled"])
    rests = f" {share} of {answer['k']} rest{'s' if share == 1 else ''} on memory." if share else ""
    return _wrapped(f"{'; '.join(said)}.{rests}")


def _nothing(answer: Mapping[str, Any]) -> str:
    where = f" in {answer['cause_label']}" if answer["cause_label"] else ""
    design = f" of the design {answer['design']}" if answer["design"] else ""
    found = "That there is no figure is not that nothing works: nobody knows."
    if any(row["said"] for row in answer["left_out"]):
        found = "What trials say all the same stands below."
    return _wrapped(
        f"No study{design}{where} gives a comparison with control on this outcome that can be pooled. {found} "
        f"{_there_is(answer.get('there_is'))}".rstrip(),
        "",
    )


def _there_is(found: Mapping[str, Any] | None) -> str:
    """What could be asked instead: claims, outcomes of this cause, or causes where it has none."""
    if found is None:
        return ""
    said = [f"Claims on it: lissive evidence show {id}." for id in found["claims"]]
    if found["outcomes"]:
        said.append(f"What can be pooled there: {', '.join(found['outcomes'])}.")
    elif found["causes"]:
        said.append(f"Causes with something that can be pooled: {', '.join(found['causes'])}.")
    return " ".join(said)


def _left_out(answer: Mapping[str, Any]) -> str:
    rows = answer["left_out"]
    if not rows:
        return ""
    said = (f"- {row['label']}: {_ended(left_out_words(row))}" for row in rows)
    return "\n".join(["Left out, and why:", *(_wrapped(line, "  ") for line in said)])


def _wrapped(text: str, more: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=more, break_on_hyphens=False) if text else ""


# -- published beside computed ------------------------------------------------------------------------------
SAID = {True: "ok", False: "NO", None: "-"}


def reproduced_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The answer of `lissive evidence reproduce`, for a terminal."""
    table = [["", "published", "computed", "compared", ""]]
    table += [
        [
            row["id"],
            _shown(row["published"]),
            _shown(row["computed"]),
            ", ".join(row["compared"]) or "-",
            f"{SAID[row['ok']]}  {row['status']}{RECALLED if row['provenance'] == 'recalled' else ''}",
        ]
        for row in rows
        if row["status"] != "rows missing"
    ]
    missing = [row for row in rows if row["status"] == "rows missing"]
    notes = [
        _wrapped(f"- {row['id']}: {row['note']}", "  ") for row in rows if row["note"] and row not in missing
    ]
    counts = {
        word: sum(row["status"] == word for row in rows) for word in dict.fromkeys(r["status"] for r in rows)
    }
    parts = [
        _wrapped(
            "Published pooled results, computed again from their rows. A row of CD012182 holds the largest difference "
            "over all its studies' effects and limits."
        ),
        _aligned(table),
        "\n".join(notes),
        _missing(missing),
        f"{'; '.join(f'{n} {word}' for word, n in counts.items())}. {RECALLED} from rows that were quoted from memory.",
    ]
    return "\n\n".join(part for part in parts if part)


def _shown(numbers: Mapping[str, Any] | None) -> str:
    if numbers is None:
        return "-"
    if "rows" in numbers:
        if "largest_difference" in numbers:
            return f"largest difference {numbers['largest_difference']:.1g}"
        return f"{studies(len(numbers['rows']))}"
    people_said = "" if numbers.get("n") is None else f", n {numbers['n']:g}"
    ends = "" if numbers.get("ci") is None else f" ({interval(numbers['ci'])})"
    i2 = "" if numbers.get("i2") is None else f", I² {numbers['i2']:.1f} %"
    return f"{numbers['measure']} {number(numbers['estimate'])}{ends}{people_said}{i2}"


def _missing(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    names = "; ".join(row["id"].split("/", 1)[1] for row in rows)
    return _wrapped(f"Not computed, as not all of their rows are here: {names}. {rows[0]['note']}")
