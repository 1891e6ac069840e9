"""What a case is answered, made once for equal data, tables and program, and kept as it was shown."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from lissive import case_answer
from lissive.access import explain
from lissive.access.answer import Level, Node
from lissive.access.facts import facts_of_case
from lissive.case import make_case
from lissive.case import product as product_of
from lissive.case_answer import CaseAnswer
from lissive.case_answer.bottom_line import to_settle
from lissive.clinic import audit, work
from lissive.clinic.forms import day_text
from lissive.clinic.models import Answer, Case, User, Work
from lissive.clinic.rights import may
from lissive.clinic.zones import clock_text
from lissive.handout.files import SHEETS
from lissive.handout.page import report_content, report_page
from lissive.handout.sheet import sheet_page
from lissive.report.access_text import PRODUCT, federal_lines, is_blocked, procedural_text
from lissive.report.words import upper_first
from lissive.version import __version__
from lissive.web.pages import plainly

SEED = 1
DAYS = 7
MOST_STOPS, MOST_NEXT = 5, 5
"""On the first screen; the whole is below."""


def me(request: HttpRequest) -> User:
    """Who is logged in, once `enter` has been passed."""
    return cast(User, request.user)


# -- kept ------------------------------------------------------------------------------------------
def answer_of(case: Case, user: User) -> Answer | None:
    """The answer to the case as it is, without its forecast: the kept one, or made now and kept.

    Made only of an open case, for somebody who may have it answered; else the last one of the same data, or the last.
    Raises CaseError where the data are no case.
    """
    key = work.key_of(case.data)
    held = Answer.objects.filter(case=case, has_forecast=False).defer("found")
    found = held.filter(key=key).first()
    if found is None and case.status == Case.Status.OPEN and may(user.role, "answer.make"):
        return make(case, case.data, user)
    if found is not None:
        return found
    newest = list(held.defer("found", "shown").order_by("-made", "-pk")[:50])
    return next((each for each in newest if each.data == case.data), newest[0] if newest else None)


def make(case: Case, data: Mapping[str, Any], user: User) -> Answer:
    """Answer these data now, and keep it; the trail has it once."""
    whole = case_answer.answer(make_case(data), simulate=False)
    with transaction.atomic():
        found, is_new = Answer.objects.get_or_create(
            case=case,
            key=work.key_of(data),
            has_forecast=False,
            defaults={
                "data": data,
                "found": plain(whole),
                "shown": shown_of(whole),
                "lissive": made_by(),
            },
        )
        if is_new:
            detail = {"answer": found.pk, "key": found.key[:12], "made_by": found.lissive}
            audit.append(
                "answer.made", user, kind="case", thing=case.pk, patient=case.patient_id, detail=detail
            )
    return found


def plain(whole: CaseAnswer) -> dict[str, Any]:
    """As the database holds it."""
    found: dict[str, Any] = json.loads(json.dumps(whole.to_json()))
    return found


def made_by() -> str:
    """The version of the program, and of its tables and code."""
    return f"{__version__} {work.tables()[:8]}"


def forecast_of(answer: Answer) -> Answer | None:
    """The same with its forecast, where one was made."""
    held = Answer.objects.filter(case_id=answer.case_id, key=answer.key, has_forecast=True)
    return held.defer("found").first()


# -- the forecast, in the worker -------------------------------------------------------------------
def ask_forecast(answer: Answer, user: User, subjects: int) -> Work:
    given = {"data": answer.data, "subjects": subjects}
    weeks = make_case(answer.data).plan.weeks or 0
    return work.ask(answer.case, "forecast", user, given, total=weeks * DAYS)


def forecast(row: Work, tick: work.Tick) -> work.Keep:
    """The whole answer with its forecast, the report and the sheets, as they are kept."""
    data = row.given["data"]
    whole = case_answer.answer(
        make_case(data), subjects=row.given["subjects"], seed=SEED, threads=1, progress=tick
    )
    content = report_content(whole)
    shown = {
        "forecast": render_to_string("forecast_made.html.j2", content, using="jinja2"),
        **pages_of(whole, content),
    }
    found = plain(whole)

    def keep() -> None:
        Answer.objects.get_or_create(
            case_id=row.case_id,
            key=work.key_of(data),
            has_forecast=True,
            defaults={"data": data, "found": found, "shown": shown, "lissive": made_by()},
        )

    return keep


def pages_of(whole: CaseAnswer, content: dict[str, Any] | None = None) -> dict[str, str]:
    """The report and the sheets, from which documents are made."""
    return {stem: page_of(whole, stem, content) for stem in ("report", *SHEETS)}


def page_of(whole: CaseAnswer, stem: str, content: dict[str, Any] | None = None) -> str:
    return report_page(whole, content) if stem == "report" else sheet_page(whole, SHEETS[stem])


# -- the page --------------------------------------------------------------------------------------
def shown_of(whole: CaseAnswer) -> dict[str, Any]:
    """The parts of the page, as they are shown from now on."""
    content, law = report_content(whole), whole.access
    content["federal"] = [] if law is None else list(federal_lines(law.federal, law.product.asked))
    content["tree"] = tree_of(whole)
    needs = getattr(whole.forecast, "needs", ())
    return {
        "person": content["person"],
        "plan": plainly(content["plan"]),
        "as_of": day_text(content["case"].as_of) if content["case"].as_of else "",
        "bottom_line": plainly(whole.bottom_line.text),
        "forbidden": whole.bottom_line.forbidden,
        "stops": [[kind, plainly(text)] for kind, text in stops(whole)][:MOST_STOPS],
        "next": [plainly(upper_first(text)) for text in _next(whole)][:MOST_NEXT],
        "body": render_to_string("clinic/answer_body.html.j2", content, using="jinja2"),
        "no_forecast": render_to_string("clinic/answer_no_forecast.html.j2", content, using="jinja2"),
        "simulates": not needs and whole.gates.may_forecast,
        "has_numbers": bool(whole.gates.numbers),
    }


def stops(whole: CaseAnswer) -> Iterator[tuple[str, str]]:
    """What stands against it, the gravest first: its kind, and a sentence."""
    law, case = whole.access, whole.case
    for flag in whole.safety.worst("contraindicated"):
        yield "no", f"Contraindicated: {flag.short or ' + '.join(flag.substances)}."
    if whole.gates.product == "not_obtainable" and law is not None:
        name = product_of(case.plan.product or "").label
        yield "no", f"{upper_first(name)} {PRODUCT['not_obtainable']}. {law.product.why}"
    if law is not None and law.status == "not_eligible" and not whole.gates.by_prescription:
        yield "no", f"{law.name}: not eligible on {law.on.isoformat()}."
    if law is not None and is_blocked(law) and not whole.gates.by_prescription:
        yield "no", f"Visit and practitioner: {procedural_text(law)}."
    if settle := [flag.short or " + ".join(flag.substances) for flag in to_settle(whole.safety)]:
        yield "unsure", f"To be settled first: {'; '.join(settle)}."
    for each in whole.safety.unknown_drugs:
        meant = f" (meant: {', '.join(each.meant)}?)" if each.meant else ""
        yield "unsure", f"Not checked, as it is not recognised: {each.name}{meant}."
    if law is not None and law.missing and not whole.gates.by_prescription:
        yield "unsure", f"Not known: {'; '.join(each.asks for each in law.missing[:2])}."
    if law is None:
        yield "unsure", "The law was not looked up: the case has no place or no day."


def _next(whole: CaseAnswer) -> Iterator[str]:
    """What is to be done now comes first, then who may certify where nothing forbids it; the review is last."""
    for step in sorted(
        (each for each in whole.next if each.on is None), key=lambda each: each.after != "now"
    ):
        when = step.after.replace("now", "")
        yield f"{step.what}{f' ({when})' if when else ''}."
    law = whole.access
    if law is not None and not whole.bottom_line.forbidden and not whole.gates.by_prescription:
        yield from law.next_steps[:1]
    for step in whole.next:
        if step.on is not None:
            yield f"After {step.after}: {step.what} ({day_text(step.on)} if it begins on the day asked)."


def moment_text(at: datetime.datetime) -> str:
    local = timezone.localtime(at)
    return f"{day_text(local.date())}, {clock_text(at)}"


VERDICTS = {
    Level.N: ("Not met", "no"),
    Level.U: ("Not known", "unsure"),
    Level.D: ("At discretion", "maybe"),
    Level.E: ("Met", "yes"),
}


def tree_of(whole: CaseAnswer) -> list[tuple[int, str, str, str]]:
    """The rule's logic, a row a node: depth, verdict, its kind, text."""
    case = whole.case
    if whole.access is None or case.place.residence is None or case.as_of is None:
        return []
    top = explain(facts_of_case(case), case.place.residence, case.as_of)
    return list(_rows(top, 0))


def _rows(node: Node, depth: int) -> Iterator[tuple[int, str, str, str]]:
    word, kind = VERDICTS[node.verdict]
    yield min(depth, 5), word, kind, plainly(node.text)
    for each in node.children:
        yield from _rows(each, depth + 1)


# -- what has changed ------------------------------------------------------------------------------
def earlier(answer: Answer) -> Answer | None:
    """The last answer to the same data by other tables or another version."""
    others = Answer.objects.filter(case_id=answer.case_id, has_forecast=False, made__lt=answer.made)
    found = others.exclude(key=answer.key).defer("found", "shown").order_by("-made")[:20]
    return next((each for each in found if each.data == answer.data), None)


NAMES = {
    "bottom_line": "Bottom line",
    "access.status": "The law",
    "access.procedural": "Visit and practitioner",
    "access.product.status": "The product",
    "access.rule": "Rule that decides",
    "access.sources_to": "Sources of law read to",
}
PARTS = {
    "access": "the law",
    "safety": "safety",
    "evidence": "the evidence",
    "trials": "what trials found",
    "usual_care": "usual care",
    "guideline": "the guideline",
    "next": "next steps",
    "forecast": "what a forecast needs",
}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What another answer to the same data says otherwise: what, before, now. Nothing where only its making differs."""
    rows = [
        (name, _said(_at(before, path)), _said(_at(now, path)))
        for path, name in NAMES.items()
        if _at(before, path) != _at(now, path)
    ]
    was, are = ({each["id"]: each for each in (_at(found, "safety.flags") or ())} for found in (before, now))
    rows += [("Safety", _flag(was[name]), "no longer named") for name in sorted(was.keys() - are.keys())]
    rows += [("Safety", "not named", _flag(are[name])) for name in sorted(are.keys() - was.keys())]
    told = {row[0] for row in rows}
    more = [
        words
        for part, words in PARTS.items()
        if before.get(part) != now.get(part) and upper_first(words) not in told
    ]
    return [*rows, ("Details", "", f"other words or numbers in {', '.join(more)}")] if more else rows


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _said(value: Any) -> str:
    return "not known" if value is None else str(value).replace("_", " ")


def _flag(flag: Mapping[str, Any]) -> str:
    return f"{flag['severity']}: {flag.get('short') or ' + '.join(flag['substances'])}"
