"""The calculator: the questions, the answer, what if, the forecast, the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lissive.case import Case
from lissive.case.ask import Question
from lissive.case_answer import CaseAnswer, answer
from lissive.errors import CaseError, LissiveError
from lissive.handout.page import report_content
from lissive.marked import marked_text
from lissive.typed import typed
from lissive.usage import page_for
from lissive.web.answers import answer_content, changes_of, file_of, gone_from
from lissive.web.controls import control
from lissive.web.pages import plainly, said, shown
from lissive.web.state import MOST_CHARACTERS, State, next_question, question_of, questions_of, read_state
from lissive.web.work import SUBJECTS, Busy, desk, start_forecast

View = Callable[[HttpRequest], HttpResponse]


def _with_case(view: Callable[[HttpRequest, State], HttpResponse]) -> View:
    """A view of the case that a form carries; what is no case is said."""

    @wraps(view)
    def viewed(request: HttpRequest) -> HttpResponse:
        try:
            state = read_state(request.POST)
        except CaseError as error:
            return said(request, 400, "This is no case", str(error).split("\n"))
        response = view(request, state)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = page_for(state.case.place.residence, response.content.decode()).encode()
        return response

    return viewed


# -- questions -------------------------------------------------------------------------------------
@_with_case
def questions(request: HttpRequest, state: State) -> HttpResponse:
    """One question; the next one after an answer, the answer to the case after the last."""
    do, then = request.POST.get("do", ""), request.POST.get("then", "")
    one = question_of(request.POST.get("at", ""), state)
    if do == "answer":
        return _answer(request, state)
    if one is not None and do in ("next", "none", "pass"):
        typed = "none" if do == "none" else _typed(request)
        if do == "next" and not typed:
            return _question(
                request, state, one, then, "", "Choose or enter an answer, or press “I do not know”."
            )
        try:
            state = state.passing(one.field) if do == "pass" else state.answering(one.field, typed)
        except CaseError as error:
            return _question(request, state, one, then, typed, fault_of(error, one))
        if then == "answer":
            return _answer(request, state)
        one = None
    asked = questions_of(state)
    if one is not None and do == "back":
        one = asked[max(0, _place(one, asked) - 1)]
    one = one or next_question(asked, state)
    return _answer(request, state) if one is None else _question(request, state, one, then, asked=asked)


def _place(one: Question, asked: Sequence[Question]) -> int:
    return next((k for k, each in enumerate(asked) if each.field == one.field), 0)


def _typed(request: HttpRequest) -> str:
    parts = [*request.POST.getlist("said"), request.POST.get("other", "")]
    return ", ".join(part.strip() for part in parts if part.strip())[:MOST_CHARACTERS]


def fault_of(error: CaseError, one: Question) -> str:
    """What is wrong with an answer, in the words of its question."""
    found = error.findings or (error,)
    texts = []
    for each in found:
        text = each.what.replace(f"{one.field} is", "The answer is")
        allowed = f" Allowed: {each.allowed}" if each.allowed else ""
        texts.append(plainly(f"{text}{allowed}"))
    return " ".join(texts)


def _question(
    request: HttpRequest,
    state: State,
    one: Question,
    then: str = "",
    typed: str | None = None,
    error: str = "",
    asked: Sequence[Question] = (),
) -> HttpResponse:
    asked = asked or questions_of(state)
    shown_as = control(one, state, typed)
    at = _place(one, asked)
    content = {
        "state": state,
        "q": shown_as,
        "then": then,
        "error": error,
        "number": at + 1,
        "total": len(asked),
        "is_first": at == 0,
        "gone": gone_from(state),
        "has_answers": len(state.data) > 1,
    }
    return shown(request, "question.html.j2", shown_as.ask, content, page="questions")


# -- the answer ------------------------------------------------------------------------------------
@require_POST
@_with_case
def answered(request: HttpRequest, state: State) -> HttpResponse:
    return _answer(request, state)


def _answer(
    request: HttpRequest, state: State, before: State | None = None, problem: str = ""
) -> HttpResponse:
    found = answer(state.case, simulate=False)
    content = {**report_content(found), **answer_content(found, state, before), "problem": problem}
    return shown(request, "answer.html.j2", "The answer", content, page="questions")


@require_POST
@_with_case
def what_if(request: HttpRequest, state: State) -> HttpResponse:
    """The answer with another state, product or medicine; the case as it was stays at hand."""
    try:
        changed = changes_of(state, request.POST)
    except CaseError as error:
        return _answer(request, state, None, " ".join(str(each) for each in error.findings or (error,)))
    return _answer(request, changed, state if changed.data != state.data else None)


@require_POST
def opened(request: HttpRequest) -> HttpResponse:
    """A case that was saved: its file, or its text."""
    upload = request.FILES.get("file")
    try:
        text = upload.read().decode("utf-8-sig") if upload else request.POST.get("text", "")
        if not text.strip() or len(text) > MOST_CHARACTERS:
            what = "too long" if text.strip() else "empty"
            allowed = f"1 to {MOST_CHARACTERS:,} characters."
            raise CaseError(f"The case is {what}.", allowed=allowed, do="choose the file of a saved case.")
        where = Path("case.yaml")
        data, lines = marked_text(text, where, wrong=CaseError, example="case: a", most_fields=1000)
        case = typed(data, lines, where, Case, CaseError, thing="the case", thorough=True)
        return _answer(request, State(case.model_dump(mode="json", exclude_none=True)))
    except UnicodeDecodeError:
        error: LissiveError = CaseError(
            "The file is not text in UTF-8.", do="choose a case that was saved here."
        )
    except CaseError as wrong:
        error = wrong
    content = {"error": str(error).split("\n"), "text": request.POST.get("text", "")}
    return shown(request, "start.html.j2", "Open a case", content, page="start")


# -- the forecast ----------------------------------------------------------------------------------
@require_POST
@_with_case
def forecast(request: HttpRequest, state: State) -> HttpResponse:
    def show(found: CaseAnswer) -> str:
        return render_to_string("forecast_made.html.j2", report_content(found), using="jinja2")

    try:
        key = start_forecast(state.case, show)
    except Busy as busy:
        return said(request, 503, busy.what, ["Try again in a minute."])
    return HttpResponseRedirect(reverse("forecast-of", args=[key]), status=303)


@require_safe
def forecast_of(request: HttpRequest, key: str) -> HttpResponse:
    job = desk.job(key)
    if job is None:
        lines = ["A forecast is kept for ten minutes. Go back to the answer and make it again."]
        return said(request, 404, "This forecast is no longer kept", lines)
    content = {"job": job, "key": key, "before": desk.before(job), "subjects": SUBJECTS}
    return shown(request, "forecast.html.j2", "Forecast", content, page="questions")


# -- files -----------------------------------------------------------------------------------------
@require_POST
def file(request: HttpRequest, name: str) -> HttpResponse:
    """The case, the report or the patient's sheet as a file; made anew, and not kept."""

    def view(request: HttpRequest, state: State) -> HttpResponse:
        try:
            kind, body = file_of(name, state)
        except LissiveError as error:
            return said(
                request, 503 if isinstance(error, Busy) else 404, error.what, [error.do or "Go back."]
            )
        response = HttpResponse(body, content_type=kind)
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return _with_case(view)(request)
