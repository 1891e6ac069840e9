"""A review's diary: as a table that is typed, as text that is imported, and what `lissive follow` says of it."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from lissive.case import Case as CaseData
from lissive.case import make_case, product
from lissive.case.ask import every_question
from lissive.clinic import answered, work
from lissive.clinic.forms import Texts
from lissive.clinic.models import Case, Review, User, Work
from lissive.errors import CaseError, DiaryError
from lissive.files import write_rows
from lissive.follow.diary import LATEST, Diary, columns, diary_of
from lissive.follow.run import FOR_EACH

DAYS, MOST_DAYS = 28, 42
MOST_CHARACTERS = 200_000
KIND = "review"
NAME = "the diary"


# -- the table --------------------------------------------------------------------------------------
def columns_of(case: Case) -> tuple[str, ...]:
    """What the table asks of each day: spasms, the rating and the dose of this case, side effects."""
    rating, dose = "severity", "sprays"
    try:
        data = make_case(case.data)
    except CaseError:
        return ("spasms", rating, dose, "side_effects")
    spastic = next(each for each in every_question() if each.field == "spasm.spasticity_nrs")
    if data.spasm.cause is not None and spastic.applies(data):
        rating = "spasticity_nrs"
    if data.plan.product is not None and product(data.plan.product).counted_in != "spray":
        dose = "thc_mg" if product(data.plan.product).counts_thc else "cbd_mg"
    return ("spasms", rating, dose, "side_effects")


@dataclass(frozen=True)
class Line:
    """One day of the table."""

    day: datetime.date
    cells: Sequence[tuple[str, str]]
    """Name of the field, and what stands in it."""
    fault: str = ""


def lines_of(
    start: datetime.date, names: Sequence[str], typed: Mapping[str, str], count: int = DAYS
) -> list[Line]:
    """`typed`: by name of a field."""
    found = []
    for at in range(min(max(count, DAYS), MOST_DAYS)):
        day = start + datetime.timedelta(days=at)
        found.append(Line(day, [(key, typed.get(key, "")) for key in (f"{name}-{day}" for name in names)]))
    return found


def as_table(diary: Diary, names: Sequence[str]) -> Texts | None:
    """The fields of the table with what a diary has; None where it has more than the table can show."""
    first, last = diary.days[0].date, diary.days[-1].date
    if (last - first).days >= MOST_DAYS or diary.left_out:
        return None
    typed: Texts = {}
    for day in diary.days:
        held: dict[str, Any] = dict(day.ratings)
        if day.doses is not None:
            if (
                len(day.doses) > 1
                or day.doses[0].hour is not None
                or day.doses[0].product
                or day.doses[0].route
            ):
                return None
            dose = day.doses[0]
            amounts = {"sprays": dose.sprays, "thc_mg": dose.thc_mg, "cbd_mg": dose.cbd_mg}
            held |= {name: value for name, value in amounts.items() if value or name in names}
        held |= {
            name: text for name, text in (("side_effects", day.side_effects), ("note", day.note)) if text
        }
        if not set(held) <= set(names):
            return None
        typed |= {f"{k}-{day.date}": v if isinstance(v, str) else f"{v:g}" for k, v in held.items()}
    return typed


def text_of(lines: Sequence[Line], names: Sequence[str]) -> tuple[str, list[datetime.date]]:
    """The table as the text of a diary, without days on which nothing was entered; and the day of each row."""
    rows = [(line.day, [text.strip() for _, text in line.cells]) for line in lines]
    filled = [(day, cells) for day, cells in rows if any(cells)]
    out = io.StringIO()
    write_rows(out, [("date", *names), *((day.isoformat(), *cells) for day, cells in filled)])
    return out.getvalue(), [day for day, _ in filled]


def read(text: str) -> Diary:
    """Raises DiaryError, in the words of a page."""
    if len(text) > MOST_CHARACTERS:
        raise DiaryError(
            f"It has {len(text):,} characters.",
            allowed=f"up to {MOST_CHARACTERS:,}.",
            do="shorten the notes.",
        )
    return diary_of(text, today=timezone.localdate(), name=NAME)


def fault_words(text: str) -> str:
    """A fault of a cell without what is for the command line."""
    return text.replace(", or add --decimal-comma if all numbers are so", "")


_FOR_TERMINALS = re.compile(r" \((?:lissive [^)]*|all are in --json|--outcome)\)")


def plain_words(lines: Sequence[str]) -> list[str]:
    """Sentences without what is for the command line.

    >>> plain_words(["Compare periods (lissive follow plan --n-of-1)."])
    ['Compare periods.']
    """
    return [_FOR_TERMINALS.sub("", each) for each in lines]


def label(name: str) -> str:
    unit = columns()[name].unit
    return f"{columns()[name].label}{f' ({unit})' if unit == 'mg' else ''}"


# -- what it says -----------------------------------------------------------------------------------
def given_of(review: Review) -> dict[str, Any]:
    return {
        "review": str(review.pk),
        "diary": review.diary,
        "data": review.case.data,
        "subjects": FOR_EACH * work.subjects(),
    }


def work_of(review: Review) -> Work | None:
    """The work on this diary, whatever has become of it."""
    if not review.diary:
        return None
    return Work.objects.filter(key=work.key_of(KIND, str(review.case_id), given_of(review))).first()


def ask(review: Review, user: User) -> Work:
    return work.ask(review.case, KIND, user, given_of(review), of_closed=True)


def make(row: Work, tick: work.Tick) -> work.Keep:
    """In the worker: what the diary says, as it is kept and shown. Raises CaseError, DiaryError."""
    from lissive.follow import follow_up
    from lissive.report.figures import inline_svg
    from lissive.report.follow_figures import follow_figure
    from lissive.report.follow_text import follow_blocks

    given = row.given
    case: CaseData = make_case(given["data"])
    diary = diary_of(given["diary"], today=LATEST, name=NAME)  # it was read on the day on which it was kept
    answer = follow_up(case, diary, subjects=given["subjects"], threads=1, progress=tick)
    more = ", with the fit, and the weeks ahead going on and stopping" if answer.forecast else ""
    words = f"{answer.label} by day{more}."
    (_, why), *blocks = follow_blocks(answer)
    found = {
        "answer": answered.plain(answer),  # type: ignore[arg-type]
        "advice": answer.advice,
        "why": plain_words(why),
        "blocks": [(head, plain_words(lines)) for head, lines in blocks],
        "figure": str(inline_svg(follow_figure(answer), "follow", words)),
        "made": timezone.now().isoformat(),
        "lissive": answered.made_by(),
        "work": row.key[:12],
    }

    def keep() -> None:
        # only for the diary that it is of, and of a review that is open
        of = Review.objects.filter(pk=given["review"], status=Review.Status.DUE, diary=given["diary"])
        of.update(found=found)

    return keep
