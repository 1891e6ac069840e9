"""Two to four plans of one case beside each other; the forecast beside, where it is asked for, by the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from lissive import case_answer
from lissive.case import make_case, product, products
from lissive.case.products import titrations
from lissive.case_answer import CaseAnswer
from lissive.case_answer.beside import NotCompared, compared, plan_words
from lissive.clinic import answered, work
from lissive.clinic.access import enter
from lissive.clinic.models import Case, Work
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.errors import CaseError
from lissive.report.access_text import PRODUCT, ROUTE, STATUS, visit_text
from lissive.report.beside_text import MODEL, effects_table
from lissive.report.case_evidence import trials_lines
from lissive.report.case_parts import TITRATIONS
from lissive.report.words import upper_first
from lissive.web.pages import plainly

OTHERS = 3
"""Plans beside the case's own."""
TITRATION = {"label": "As the label says", **{key: upper_first(text) for key, text in TITRATIONS.items()}}


@require_http_methods(["GET", "HEAD", "POST"])
def case_compare(request: HttpRequest, id: UUID) -> HttpResponse:
    """The form, and the comparisons that were made of the case."""
    case: Case = enter(request, "case.see" if request.method != "POST" else "answer.make", Case, id)
    if request.method != "POST":
        return _page(request, case)
    try:
        make_case(case.data)
    except CaseError as error:
        return said(request, 409, "This case cannot be answered yet", [plainly(error.what)])
    plans, wrong = plans_of(case.data, request.POST)
    if wrong:
        return _page(request, case, request.POST, wrong, status=422)
    given = {"data": case.data, "plans": plans, "subjects": work.subjects()}
    with_forecast, rows = request.POST.get("do") == "forecast", rows_of(case.data, plans)
    with transaction.atomic():
        weeks = case.data["plan"].get("weeks") or 0
        row = work.ask(
            case,
            "compare" if with_forecast else "plans",
            answered.me(request),
            given,
            total=7 * weeks * len(plans),
            done=not with_forecast,
        )
        if not row.made:
            row.made = {"rows": rows}
            row.save(update_fields=["made"])
    return redirect("case-compare", case.pk)


def plans_of(data: Mapping[str, Any], posted: Mapping[str, str]) -> tuple[list[Any], list[tuple[str, str]]]:
    """The other plans, and what is wrong, by field."""
    plans: list[Any] = []
    wrong = []
    weeks = (data.get("plan") or {}).get("weeks")
    for number in range(1, OTHERS + 1):
        name, how = (posted.get(f"{part}-{number}", "") for part in ("product", "titration"))
        if not name:
            continue
        plan = {"product": name, "titration": how or None, "weeks": weeks}
        try:
            make_case({**data, "plan": plan})
        except CaseError as error:
            field = "product" if name not in products() else "titration"
            allowed = ""
            if field == "titration":
                known = [TITRATION[each] for each in titrations(name) if each in TITRATION]
                allowed = f" Of this product: {'; '.join(known) or 'none is published; leave it open'}."
            first = (error.findings or (error,))[0]
            wrong.append((f"{field}-{number}", plainly(first.what) + allowed))
            continue
        if plan not in plans:
            plans.append(plan)
    if not (data.get("plan") or {}).get("product"):
        wrong.append(
            ("product-1", "The case has no planned product to compare with: add one to the case first.")
        )
    elif not plans and not wrong:
        wrong.append(("product-1", "Choose at least one other product."))
    return plans, wrong


def _page(
    request: HttpRequest,
    case: Case,
    typed: Mapping[str, str] | None = None,
    wrong: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> HttpResponse:
    rows = Work.objects.filter(case=case, kind__in=("plans", "compare")).order_by("-asked")[:10]
    found = [
        {
            "row": row,
            "at": answered.moment_text(row.asked),
            "is_of_older_data": row.given["data"] != case.data,
            **row.made,
        }
        for row in rows
    ]
    content = {
        "case": case,
        "typed": typed or {},
        "wrong": dict(wrong),
        "others": range(1, OTHERS + 1),
        "own": own_plan(case.data),
        "products": [
            ("", "None"),
            *sorted(
                ((name, upper_first(product(name).label)) for name in products()), key=lambda each: each[1]
            ),
        ],
        "titrations": [("", "Not stated"), *TITRATION.items()],
        "found": found,
        "running": any(each["row"].status in ("queued", "running") for each in found),
        "may_make": may(answered.me(request).role, "answer.make") and case.status == Case.Status.OPEN,
        "model": MODEL,
    }
    return shown(request, "compare.html.j2", "Compare plans", content, page="patients", status=status)


def own_plan(data: Mapping[str, Any]) -> str:
    try:
        return plan_words(make_case(data).plan)
    except CaseError:
        return "not readable"


# -- beside each other -----------------------------------------------------------------------------
def rows_of(data: Mapping[str, Any], plans: Sequence[Any]) -> list[list[Any]]:
    """A row a question, a cell a plan; a cell has lines, each with its kind. The first row names the plans."""
    found = [
        case_answer.answer(make_case({**data, "plan": plan}), simulate=False)
        for plan in (data["plan"], *plans)
    ]
    parts: dict[str, Callable[[CaseAnswer], list[list[str]]]] = {
        "Plan": lambda one: [["", upper_first(plan_words(one.case.plan))]],
        "Obtainable": _obtainable,
        "The law": _law,
        "Safety": _safety,
        "Bottom line": lambda one: [["", one.bottom_line.text]],
        "What trials found": lambda one: [
            ["", line] for each in trials_lines(one, spelt=True) for line in each.split("\n")
        ],
    }
    return [
        [name, *([[kind, plainly(text)] for kind, text in part(one)] for one in found)]
        for name, part in parts.items()
    ]


def _obtainable(one: CaseAnswer) -> list[list[str]]:
    if one.access is None or one.access.product.asked is None:
        return [["unsure", "Not looked up: the case has no place, day or product."]]
    found = one.access.product
    kind = {"obtainable": "yes", "not_obtainable": "no"}.get(found.status, "unsure")
    by = f", {ROUTE[found.route]}" if found.route and found.status == "obtainable" else ""
    return [[kind, upper_first(f"{PRODUCT.get(found.status, 'not known')}{by}.")], ["", found.why]]


def _law(one: CaseAnswer) -> list[list[str]]:
    law = one.access
    if law is None:
        return [["unsure", "Not looked up."]]
    if one.gates.by_prescription:
        return [["yes", "A medicine on prescription; the cannabis programme is not needed."]]
    kind = {"eligible": "yes", "eligible_at_discretion": "maybe", "not_eligible": "no"}.get(
        law.status, "unsure"
    )
    return [[kind, upper_first(f"{STATUS[law.status]}.")], ["", f"Visit: {visit_text(law, one.case)}."]]


def _safety(one: CaseAnswer) -> list[list[str]]:
    flags = [
        [
            "no" if flag.severity == "contraindicated" else "",
            f"{upper_first(flag.severity)}: {flag.short or ' + '.join(flag.substances)}",
        ]
        for flag in one.safety.flags
    ]
    return flags or [["", "No flag from what the case states."]]


# -- in the worker ---------------------------------------------------------------------------------
def forecast(row: Work, tick: work.Tick) -> work.Keep:
    """Each other plan beside the case's own, in the same virtual patients."""
    given = row.given
    case = make_case(given["data"])
    plans = [make_case({**given["data"], "plan": each}).plan for each in given["plans"]]
    found: list[dict[str, Any]] = []
    for each in compared(
        case, plans, subjects=given["subjects"], seed=answered.SEED, threads=1, progress=tick
    ):
        if isinstance(each, NotCompared):
            is_open = each.why.startswith("plan.titration")
            why = "how it is begun is not stated" if is_open else plainly(each.why)
            found.append({"asked": each.asked, "why_not": why})
            continue
        one = effects_table(each)
        found.append(
            {
                "asked": each.asked,
                "first": each.first,
                "second": each.second,
                "week": each.week,
                "subjects": each.subjects,
                "failed": each.failed,
                "calibrated": each.calibrated == "trials",
                "head": one.head,
                "rows": one.rows,
                "notes": each.notes,
            }
        )

    def keep() -> None:
        Work.objects.filter(pk=row.pk).update(made={**row.made, "beside": found})

    return keep
