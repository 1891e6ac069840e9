"""What an answer on a page has beside the report: the case to change, what if, a link, the files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from lissive.access.rule import rules
from lissive.case import make_case, product, products
from lissive.case.ask import case_yaml, every_question
from lissive.case_answer import CaseAnswer, answer, gates
from lissive.errors import LissiveError
from lissive.report.access_text import federal_lines
from lissive.report.words import upper_first
from lissive.web.controls import as_said, control, label_of
from lissive.web.state import State, questions_of
from lissive.web.work import SEED, SUBJECTS, desk

HTML, PDF, YAML = "text/html; charset=utf-8", "application/pdf", "application/yaml; charset=utf-8"
FILES = {
    "report.pdf": "Report for the clinician (PDF)",
    "sheet.pdf": "Patient's sheet (PDF)",
    "sheet-es.pdf": "Patient's sheet in Spanish (PDF)",
    "report.html": "Report (HTML)",
    "case.yaml": "The case, to open again (case.yaml)",
}


def answer_content(found: CaseAnswer, state: State, before: State | None) -> dict[str, Any]:
    """What the page names beside the report's own content."""
    asked, law = list(questions_of(state)), found.access
    facts = [(control(each, state), label_of(each.field, state.value(each.field))) for each in asked]
    return {
        "state": state,
        "federal": [] if law is None else list(federal_lines(law.federal, law.product.asked)),
        "gone": gone_from(state),
        "told": [(q, said) for q, said in facts if state.value(q.field) is not None],
        "open": [q for q, _ in facts if state.value(q.field) is None],
        "places": _or_unknown(
            state.value("place.residence"), {each.code: each.name for each in rules().values()}
        ),
        "products": _or_unknown(
            state.value("plan.product"), {each: product(each).label for each in products()}
        ),
        "link": base64.urlsafe_b64encode(state.text.encode()).decode().rstrip("="),
        "files": FILES,
        "before": before,
        "changes": [] if before is None else _changes(before, state),
        "before_text": "" if before is None else answer(before.case, simulate=False).bottom_line.text,
        "simulates": not getattr(found.forecast, "needs", ()) and found.gates.may_forecast,
        "has_numbers": bool(found.gates.numbers),
        "subjects": SUBJECTS,
    }


def _or_unknown(known: Any, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Options by their labels; that it is not known is one where it is not."""
    options = sorted(((key, upper_first(label)) for key, label in words.items()), key=lambda each: each[1])
    return options if known else [("", "Not known"), *options]


def gone_from(state: State) -> list[str]:
    """The questions whose answers were taken out, as they no longer apply."""
    return [control(each, state).ask for each in every_question() if each.field in state.gone]


def _changes(before: State, state: State) -> list[tuple[str, str, str]]:
    """Each fact that is another one now: what it is, what it was, what it is."""
    fields = {each.field: each for each in (*questions_of(before), *questions_of(state))}
    return [
        (control(one, state).ask, _said(before, field), _said(state, field))
        for field, one in fields.items()
        if before.value(field) != state.value(field)
    ]


def _said(state: State, field: str) -> str:
    value = state.value(field)
    return "not known" if value is None else label_of(field, value)


def changes_of(state: State, posted: Mapping[str, str]) -> State:
    """The case with what a "what if" changes. Raises CaseError where that is no case."""
    changed = state
    for field in ("place.residence", "plan.product", "as_of"):
        said = posted.get(field, "").strip()
        if said and said != as_said(state.value(field)):
            changed = changed.answering(field, said)
    if medicine := posted.get("medicine", "").strip():
        now = as_said(state.value("history.current"))
        changed = changed.answering(
            "history.current", ", ".join([*([now] if now not in ("", "none") else []), medicine])
        )
    return changed


# -- files -----------------------------------------------------------------------------------------
def file_of(name: str, state: State) -> tuple[str, bytes]:
    """Kind and content of one file of FILES. Raises LissiveError where there is none, or where the queue is full."""
    if name not in FILES:
        raise LissiveError(
            "There is no such file.", allowed=f"{', '.join(FILES)}.", do="Go back to the answer."
        )
    if name == "case.yaml":
        return YAML, case_yaml(state.case).encode()
    made: tuple[str, bytes] = desk.made(lambda _: _made(name, state))
    return made


def _made(name: str, state: State) -> tuple[str, bytes]:
    from lissive.handout.files import SHEETS
    from lissive.handout.page import report_page
    from lissive.handout.pdf import pdf_bytes, pdf_writer
    from lissive.handout.sheet import sheet_page

    case = make_case(state.data)
    whole = answer(case, subjects=SUBJECTS, seed=SEED, threads=1, simulate=bool(gates(case, None).numbers))
    stem, _, kind = name.partition(".")
    text = sheet_page(whole, SHEETS[stem]) if stem in SHEETS else report_page(whole)
    if kind == "html":
        return HTML, text.encode()
    writer, note = pdf_writer()
    if writer is None:
        raise LissiveError(note, do="Take the page as HTML.")
    return PDF, pdf_bytes(text, one_page=stem != "report")[0]
