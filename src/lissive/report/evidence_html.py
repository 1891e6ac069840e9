"""The whole base of studies as one page that needs nothing but itself: table, forest plots, claims.

Without JavaScript it is a plain page with plain tables; with it the table of studies is sorted and filtered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lissive.report.forest import caption, forest_figure, said
from lissive.report.forest_lines import lines
from lissive.report.inline_svg import inline_svg
from lissive.report.pool_words import (
    DESIGN_NAMES,
    MARKS,
    absolute_words,
    counted,
    finding,
    how,
    interval,
    left_out_words,
    number,
    people,
    spread,
    title,
    whole,
)
from lissive.version import __version__

if TYPE_CHECKING:
    from lissive.evidence.read import Studies

HERE = Path(__file__).parent
DRAWN_FROM = 2
"""Outcomes of so many studies of one cause have a forest plot."""


@dataclass(frozen=True)
class Forest:
    """One forest plot of the page, with its words and the table behind it."""

    id: str
    title: str
    said: str
    lines: tuple[str, ...]
    picture: Markup
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: tuple[tuple[str, str], ...]


def write_page(path: Path, base: Studies) -> Path:
    """The page, whole or not at all. The same base gives the same bytes."""
    from lissive.simulate.output import atomic_path

    text = evidence_page(base)
    with atomic_path(path) as place:
        place.write_text(text, encoding="utf-8")
    return path


def evidence_page(base: Studies) -> str:
    """The page's text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from lissive.evidence.beside import as_of

    house = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    every = list(_answers(base))
    drawn = [_forest(answer) for answer in every if answer["k"] >= DRAWN_FROM]
    rows = _table(every, base)
    content = {
        "css": Markup((HERE / "evidence.css").read_text(encoding="utf-8").strip()),
        "script": Markup((HERE / "evidence.js").read_text(encoding="utf-8").strip()),
        "version": __version__,
        "as_of": as_of(base),
        "trials": len(base.trials),
        "pooled": len({row["study"] for answer in every for row in answer["studies"]}),
        "forests": drawn,
        "rows": rows,
        "causes": sorted({row["cause"] for row in rows if row["cause"]}),
        "outcomes": sorted({row["outcome"] for row in rows}),
        "designs": sorted({row["design"] for row in rows if row["design"]}),
        "marks": MARKS,
        "claims": _claims(),
    }
    return house.get_template("evidence.html.j2").render(content)


def _answers(base: Studies) -> Iterator[dict[str, Any]]:
    """One answer for each cause and outcome that some study compares: causes by studies, outcomes as in their table."""
    from lissive.evidence.answer import answer_of
    from lissive.evidence.comparing import every

    made = [each for each in every(base)[0] if each.cause]
    by_cause = Counter(each.cause for each in made)
    place = {word: k for k, word in enumerate(base.outcomes)}
    asked = {(each.cause, each.outcome) for each in made}
    for cause, outcome in sorted(asked, key=lambda key: (-by_cause[key[0]], key[0], place[key[1]])):
        yield answer_of(base, outcome, cause=cause)


# -- forest plots ---------------------------------------------------------------------------------------
def _forest(answer: Mapping[str, Any]) -> Forest:
    name = f"{answer['cause']}-{answer['outcome']}".replace("_", "-")
    measure = answer["measure"]
    parts = [
        _by_design(answer),
        _together(answer),
        how(answer),
        f"How the studies differ: {spread(answer, measure)}.",
        absolute_words(answer),
    ]
    picture = inline_svg(forest_figure(answer, narrow=True), f"f-{name}", said(answer))
    return Forest(
        name,
        title(answer),
        said(answer),
        tuple(part for part in parts if part),
        picture,
        caption(answer),
        ("", "people", "cannabinoid", "control", measure, "95 % interval", "weight"),
        tuple(_cells(answer)),
        tuple((row["label"], left_out_words(row)) for row in answer["left_out"]),
    )


def _by_design(answer: Mapping[str, Any]) -> str:
    if len(answer["by_design"]) < 2:
        return ""
    measure = answer["measure"]
    each = [
        f"{DESIGN_NAMES[group['design']]} {measure} {whole(group, measure)}, {counted(group)}, {finding(group)}"
        for group in answer["by_design"]
    ]
    return f"By design: {'; '.join(each)}."


def _together(answer: Mapping[str, Any]) -> str:
    measure, several = answer["measure"], len(answer["by_design"]) > 1
    head = "All designs together" if several else finding(answer).capitalize()
    tail = f", {finding(answer)}" if several else ""
    return f"{head}: {measure} {whole(answer, measure)}, {counted(answer)}, {people(answer)}{tail}."


def _cells(answer: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The lines of the picture as a table."""
    measure = answer["measure"]
    for line in lines(answer):
        if line.kind == "heading":
            continue
        alone = line.kind == "prediction"
        design = f", {DESIGN_NAMES[line.design]}" if line.kind in ("study", "together") else ""
        yield (
            f"{line.label}{design}",
            "" if line.n is None else f"{line.n:g}",
            line.active,
            line.control,
            "" if alone else number(line.estimate, measure),
            line.said if alone else interval((line.low, line.high), measure),
            "" if line.weight is None else f"{line.weight:.0f} %",
        )


# -- table of studies --------------------------------------------------------------------------------------
def _table(answers: Sequence[Mapping[str, Any]], base: Studies) -> list[dict[str, Any]]:
    """A row for each study and outcome that is compared or that trials say something of in words or p values, as
    most do that found nothing; and one for each study of which neither is here."""
    links = {each.id: _link(each.data) for each in base}
    rows = [_row(answer, row, links) for answer in answers for row in answer["studies"]]
    rows += _in_words(base, links)
    shown = {row["id"] for row in rows}
    rows += [_bare(each, links) for each in base if each.id not in shown]
    return sorted(rows, key=lambda row: (row["study"].lower(), row["outcome"]))


def _row(answer: Mapping[str, Any], row: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
    from lissive.evidence import products

    measure = answer["measure"]
    return {
        "id": row["study"],
        "study": row["label"],
        "link": links.get(row["study"], ""),
        "cause": answer["cause_label"],
        "outcome": answer["outcome_label"],
        "product": products().get(row["product"], ""),
        "design": DESIGN_NAMES[row["design"]],
        "n": row["n"],
        "effect": f"{measure} {whole(row, measure)}",
        "provenance": row["provenance"],
        "source": "" if row["provenance"] == "recalled" else _first_url(row["cited"]),
        "mark": MARKS[row["provenance"]],
    }


def _in_words(base: Studies, links: Mapping[str, str]) -> list[dict[str, Any]]:
    from lissive.evidence.about import about
    from lissive.evidence.comparing import every

    made = {(each.study, each.outcome) for each in every(base)[0]}
    by_id = {each.id: each for each in base if not about(each).why}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in every(base)[1]:
        if each.study not in by_id or not each.said or not each.outcome or each.outcome == "pain_any_scale":
            continue
        said = f"{each.kind}: {each.said}" if each.kind else each.said
        key = (each.study, each.outcome)
        if key in rows:
            rows[key]["effect"] += f"; {said}"
            continue
        first = _bare(by_id[each.study], links)
        urls = [{"url": one.url} for one in each.cited if one.provenance != "recalled"]
        first |= {"outcome": base.outcomes[each.outcome].label, "effect": said, "source": _first_url(urls)}
        rows[key] = first | {"provenance": "beside its figure" if key in made else "not pooled"}
    return list(rows.values())


def _bare(entry: Any, links: Mapping[str, str]) -> dict[str, Any]:
    from lissive.evidence import causes, products
    from lissive.evidence.about import about

    mine = about(entry)
    return {
        "id": entry.id,
        "study": mine.label,
        "link": links.get(entry.id, ""),
        "cause": causes().get(mine.cause, mine.cause),
        "outcome": "nothing that can be pooled",
        "product": products().get(mine.product, ""),
        "design": DESIGN_NAMES.get(mine.design, ""),
        "n": None,
        "effect": mine.why,
        "provenance": "",
        "source": "",
        "mark": "",
    }


def _link(data: Mapping[str, Any]) -> str:
    doi = data.get("doi")
    return f"https://doi.org/{doi}" if isinstance(doi, str) and doi.startswith("10.") else ""


def _first_url(cited: Sequence[Mapping[str, Any]]) -> str:
    return next((each["url"] for each in cited if each["url"].startswith(("http://", "https://"))), "")


# -- claims ----------------------------------------------------------------------------------------------------
def _claims() -> list[dict[str, Any]]:
    """The shipped claims with their verdicts in words, and each number with its mark and source."""
    from lissive.evidence.claims import VERDICTS, shipped_claims

    return [
        {
            "id": each.id,
            "claim": each.claim,
            "verdict": VERDICTS[each.verdict],
            "certainty": each.certainty.replace("_", " "),
            "answer": each.answer,
            "numbers": [_key_number(one.cited) for one in each.numbers],
            "would_change": each.would_change,
        }
        for each in shipped_claims()
    ]


def _key_number(cited: Any) -> dict[str, str]:
    value = cited.value
    many = isinstance(value, tuple | list)
    return {
        "what": cited.what,
        "value": ", ".join(f"{one}" for one in value) if many else f"{value}",
        "mark": MARKS[cited.provenance],
        "url": cited.url if cited.url.startswith(("http://", "https://")) else "",
        "pointer": cited.pointer,
    }
