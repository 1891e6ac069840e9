"""`lissive access`: may this person have it, where they live, on that day?"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lissive.cli.options import AsJson, Force, ending
from lissive.errors import RuleError
from lissive.versions import data_line, stamped

if TYPE_CHECKING:
    from lissive.access.answer import Answer, Facts
    from lissive.access.certificate import Draft
    from lissive.case import Case

PERSON = "person"
RULES = "rules"
"""The data set that these answers are of."""
ABOUT = """May this person have it, where they live, on that day? Dated rules of US states, territories and nine
countries, with what they say about the facts given.

    lissive access CASE.yaml

    lissive access --jurisdiction US-NY --on 2019-05-01 --facts F.yaml

Not legal advice: a practitioner decides."""


class AccessGroup(TyperGroup):
    """A first word that is no command begins the question about one person, whose command need not be named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words, with `person` before what no command takes."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [PERSON, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        cls=AccessGroup, help=ABOUT, no_args_is_help=True, subcommand_metavar="CASE | COMMAND [ARGS]..."
    )
    group.command(PERSON)(person)
    group.command("history")(history)
    group.command("coverage")(coverage)
    group.command("cases")(cases)
    group.command("compare")(compare)
    group.command("changes")(changes)
    group.command("draft")(draft)
    app.add_typer(group, name="access")


On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="DATE",
        help="Date of certification (default: the date in the file, else today).",
    ),
]


def person(
    file: Annotated[
        Path | None, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")
    ] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="State or country, as US-NY or GB (default: the case's residence)."
        ),
    ] = None,
    on: On = None,
    facts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Facts about one person, or a worked case, instead of a case file."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the logic of the rule with the result of each clause.")
    ] = False,
    calendar: Annotated[
        Path | None,
        typer.Option("--ics", metavar="FILE.ics", help="Calendar file to write the days that follow to."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """The answer for one person; the word `person` may be left out."""
    from lissive.access.decide import decide
    from lissive.access.decide import explain as explained

    if calendar is not None:
        from lissive.files import keep_inputs

        ending(calendar, (".ics",), "--ics")
        keep_inputs([calendar], reads=(file, facts), force=force)
    who, place, day, field = _asked(file, jurisdiction, on, facts)
    _refuse_outside(place, day, field)
    answer = decide(who, place, day)
    if calendar is not None:
        _write_calendar(calendar, answer)
    tree = explained(who, place, day) if explain else None
    if as_json:
        said = stamped(answer.to_json(), RULES)
        print(json.dumps(said if tree is None else {**said, "explanation": tree.to_json()}))
        return
    from lissive.report.access_text import answer_text, tree_text
    from lissive.usage import text_for

    print(text_for(answer.jurisdiction, answer_text(answer)))
    if tree is not None:
        print(text_for(answer.jurisdiction, f"\n{tree_text(tree)}"))


def _asked(
    file: Path | None, jurisdiction: str | None, on: str | None, facts: Path | None
) -> tuple[Facts, str, datetime.date, str]:
    """Facts, place and day, and what the day was given by."""
    from lissive.access.facts import facts_of_case
    from lissive.case import read_case

    if (file is None) == (facts is None):
        raise RuleError(
            "are both given." if file else "are both missing.",
            where="CASE and --facts",
            allowed="one of the two.",
            do="name a case, or give --jurisdiction CODE --facts FILE.",
        )
    if file is None and facts is not None:
        from lissive.access.cases import read_question

        who, place, day = read_question(facts)
        if jurisdiction is None and place is None:
            raise RuleError("is missing.", where="--jurisdiction", allowed="a code, as US-NY.", do="give it.")
        if on is None and day is not None:
            return who, jurisdiction or place or "", day, f"{facts}: date"
        return who, jurisdiction or place or "", day_of(on), "--on"
    assert file is not None
    case = read_case(file)
    if jurisdiction is None and case.place.residence is None:
        raise RuleError(
            "place.residence is missing.",
            where=str(file),
            allowed="a code, as US-NY.",
            do="write it, or give --jurisdiction CODE.",
        )
    day = case.as_of if on is None and case.as_of is not None else day_of(on)
    field = f"{file}: as_of" if on is None and case.as_of is not None else "--on"
    who = facts_of_case(case, away=jurisdiction is not None and jurisdiction != case.place.residence)
    return who, jurisdiction or case.place.residence or "", day, field


def day_of(text: str | None, where: str = "--on") -> datetime.date:
    """The date of an option; today by the system's clock where it is not given."""
    from lissive.access.answer import day, is_day

    if text is None:
        return datetime.datetime.now().astimezone().date()
    if not is_day(text):
        raise RuleError(
            f"is {text!r}.",
            where=where,
            allowed="a valid date, as 2019-05-01.",
            do="write the day as year-month-day.",
        )
    return day(text)


def _refuse_outside(code: str, on: datetime.date, field: str) -> None:
    """One jurisdiction is asked for a day before its rules begin, or long after they were checked: likely a slip."""
    from lissive.access.answer import day
    from lissive.access.procedure import last_answerable
    from lissive.access.rule import jurisdiction

    place = jurisdiction(code)
    first = place.versions[0]
    if first.begins is not None and on < day(first.begins):
        why = place.before_first or "Before that day no rule was in force, so that there was no route."
        raise RuleError(
            f"is {on.isoformat()}, before the first rule of {place.name} ({first.id}). {why}",
            where=field,
            allowed=f"{first.begins} or later.",
            do=f"correct the day; `lissive access history {place.code}` shows the rules.",
        )
    if on > (last := last_answerable(place.verified)):
        raise RuleError(
            f"is {on.isoformat()}, long after {place.verified}, when the rules of {place.name} were last checked.",
            where=field,
            allowed=f"{last.isoformat()} or earlier.",
            do="correct the day, or use a version of lissive with newer rules.",
        )


def history(
    jurisdiction: Annotated[str, typer.Argument(metavar="CODE", help="State or country, as US-NY.")],
    as_json: AsJson = False,
) -> None:
    """The rules of one jurisdiction, by date."""
    from lissive.access.rule import jurisdiction as find
    from lissive.report.access_text import history_text

    place = find(jurisdiction)
    _show(as_json, lambda: place.model_dump(mode="json", by_alias=True), lambda: history_text(place))


def _show(as_json: bool, data: Callable[[], Any], text: Callable[[], str]) -> None:
    """JSON, or text; which rules they are of stands with both."""
    if as_json:
        print(json.dumps(stamped(data(), RULES)))
    else:
        print(f"{text()}\n\n{data_line(RULES)}")


def coverage(
    coding: Annotated[
        bool,
        typer.Option("--coding", help="Print how far two readers' coding of the rules agrees, by field."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Which jurisdictions are covered, when each was last checked, and how well."""
    from dataclasses import asdict

    from lissive.access import coverage as register
    from lissive.report.access_text import coding_text, coverage_text

    if coding:
        fields, rows = register.agreement(), register.coded()
        both = {"fields": [*map(asdict, fields)], "rows": [*map(asdict, rows)]}
        _show(as_json, lambda: both, lambda: coding_text(fields, rows))
        return
    entries = register.coverage()
    dumped = [each.model_dump(mode="json", by_alias=True) for each in entries]
    _show(as_json, lambda: dumped, lambda: coverage_text(entries))


def changes(
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="First day.")],
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day (default: today).")] = None,
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="FILE", help="One person: which changes change their answer."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which rules changed since a day, and whose answer they change."""
    from lissive.access.cases import changes as found_in
    from lissive.access.cases import read_question
    from lissive.report.access_text import changes_text

    first, last = day_of(since, "--since"), day_of(to, "--to")
    if last < first:
        raise RuleError(
            f"is {last}, before --since, {first}.",
            where="--to",
            allowed=f"{first} or later.",
            do="name a later day, or swap the two.",
        )
    who = read_question(facts)[0] if facts is not None else None
    found = found_in(first, last, who)
    _show(
        as_json,
        lambda: [each.to_json() for each in found],
        lambda: changes_text(found, first, last, asked=who is not None),
    )


def cases(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Worked cases, a .yaml or .json file.")],
    as_json: AsJson = False,
) -> None:
    """Compare worked cases with the rules.

    Exit code 1 if any differs in status or in procedural status.
    """
    from lissive.access.cases import compare_cases
    from lissive.report.access_text import cases_text

    compared = compare_cases(file)
    differs = sum(not each.agrees for each in compared)
    rows = [each.to_json() for each in compared]
    said = {"cases": len(compared), "mismatches": differs, "rows": rows}
    _show(as_json, lambda: said, lambda: cases_text(file, compared))
    if differs:
        raise typer.Exit(1)


def compare(
    facts: Annotated[
        Path, typer.Option("--facts", metavar="FILE", help="Facts about one person, a .yaml or .json file.")
    ],
    on: On = None,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE.svg",
            help="File to write a tile map to; its table is written beside it as CSV.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """The same person in every jurisdiction: who is eligible where, on one day."""
    from lissive.access.cases import compare as every
    from lissive.access.cases import compared, read_question
    from lissive.access.procedure import refuse_late
    from lissive.files import Beside, keep_inputs
    from lissive.report.access_text import facts_text
    from lissive.report.compare_text import CSV_COLUMNS, compare_csv, compare_text

    if as_csv and as_json:
        raise RuleError("are both given.", where="--csv and --json", do="choose one of the two.")
    if map_file is not None:
        ending(map_file, (".svg",), "--map")
        table = map_file.with_suffix(".csv")
        beside = Beside([table], table, ",".join(CSV_COLUMNS))
        keep_inputs([map_file], reads=[facts], beside=beside, force=force)
    person, _, own_day = read_question(facts)
    day = own_day if on is None and own_day is not None else day_of(on)
    refuse_late(day)
    answers = every(person, day)
    title = f"{day}: {facts_text(person)}"
    written = [] if map_file is None else _write_map(map_file, answers, title)
    if as_json:
        print(json.dumps(stamped(compared(answers, day), RULES)))
    elif as_csv:
        print(compare_csv(answers), end="")
    else:
        print(f"{compare_text(answers, title)}\n\n{data_line(RULES)}")
        print("".join(f"\n{path}" for path in written), end="\n" if written else "")


def draft(
    file: Annotated[Path, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")],
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="DATE", help="Date of certification (default: the case's as_of, else today)."
        ),
    ] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="State or country (default: the case's residence)."),
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Further facts, as that the visit is a renewal."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write it to: .md, .html or .txt.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Draft a certification from the case, and list what is missing. Nothing is submitted."""
    from lissive.access.cases import read_question
    from lissive.access.certificate import draft as drafted
    from lissive.case import read_case
    from lissive.files import keep_inputs
    from lissive.report.certificate_text import draft_text, formats

    if out is not None:
        ending(out, tuple(formats()), "--out")
    keep_inputs([out], reads=[file, *([facts] if facts else [])], force=force)
    case = read_case(file)
    day = case.as_of if on is None and case.as_of is not None else day_of(on)
    more = None if facts is None else read_question(facts)[0]
    found = replace(drafted(case, day, code=jurisdiction, more=more), safety=_against(case))
    if out is not None:
        _write_draft(out, found)
    print(json.dumps(stamped(found.to_json(), RULES)) if as_json else draft_text(found))
    if out is not None and not as_json:
        print(f"\n{out}")
    if not found.fillable or found.answer.procedural == "blocked":
        raise typer.Exit(1)


def _against(case: Case) -> tuple[str, ...]:
    """What is contraindicated, and what may be and was not checked."""
    from lissive.safety import safety_of

    found = safety_of(case)
    lines = [f"CONTRAINDICATED: {flag.short}" for flag in found.worst("contraindicated")]
    unchecked = [*(each.name for each in found.unknown_drugs), *found.unchecked_conditions, *found.decisive]
    lines += [f"NOT CHECKED: {', '.join(unchecked)}."] if unchecked else []
    return tuple(lines)


def _write_calendar(path: Path, answer: Answer) -> None:
    from lissive.report.certificate_text import ics

    if not answer.dates:
        raise RuleError(
            f"gives no days: {answer.name} says {answer.status.replace('_', ' ')}, visit {answer.procedural}.",
            where="--ics",
            do="leave --ics out.",
        )
    _write(path, ics(answer))


def _write_map(path: Path, answers: tuple[Answer, ...], title: str) -> list[Path]:
    from lissive.report.compare_text import compare_csv, tile_map

    checked = [each.checked for each in answers if each.checked is not None]
    caption = answers[0].notice
    if checked:
        caption += f" Rules last checked on {min(checked)} or later."
    table = path.with_suffix(".csv")
    _write(path, tile_map(answers, title, caption))
    _write(table, compare_csv(answers))
    return [path, table]


def _write_draft(path: Path, found: Draft) -> None:
    from lissive.report.certificate_text import WRITERS

    text = WRITERS[path.suffix.lower()](found)
    _write(path, text if text.endswith("\n") else f"{text}\n")


def _write(path: Path, text: str) -> None:
    """All of it or nothing, with the line ends that the text has."""
    from lissive.files import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode())
