"""The patient's sheet: one page in plain words, handed over by a clinician.

It keeps the gates of the case: no dose unless the product can be had, is not contraindicated and no rule stands
against it; no number that trials of this product in this cause do not give.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from markupsafe import Markup

from lissive.case import label_titration, product
from lissive.case_answer import CaseAnswer
from lissive.case_answer.bottom_line import is_advice
from lissive.case_answer.findings import leading
from lissive.case_answer.gates import figure_of
from lissive.case_answer.next_step import review
from lissive.case_answer.tables import rows
from lissive.evidence.answer import answer_of
from lissive.evidence.answer_types import Absolute
from lissive.evidence.case_answer import CaseFigure
from lissive.evidence.claim import claim_of
from lissive.evidence.read import shipped_studies
from lissive.evidence.words import products
from lissive.handout.icons import icon_array, key
from lissive.handout.language import Tongue, Words, benefit, medicine
from lissive.report.table import Table, page, table
from lissive.report.words import upper_first
from lissive.safety import Flag
from lissive.safety.person import planned
from lissive.safety.rules import cautions
from lissive.usage import day_text, is_us, page_for
from lissive.version import __version__

HERE = Path(__file__).parent
HELPS = ("responders_30pct", "pain_responders_30pct")
RELIEF = "stiffness_relief"
"""Counted in trials of an extract by mouth, whose question of relief is not one of how much."""
HARMS = ("dizziness", "withdrawals_ae")
CONDUCT = ("drives",)
"""Major flags that say what not to do during treatment, and do not speak against it."""


@dataclass(frozen=True)
class Section:
    """One question and its answer."""

    head: str
    lines: tuple[str, ...]
    first: str = ""
    """The answer, before the picture."""
    points: tuple[str, ...] = ()
    picture: Markup | None = None
    keys: tuple[tuple[Markup, int, str], ...] = ()
    days: Table | None = None
    contact: bool = False


@dataclass(frozen=True)
class _Sheet:
    """The answer, and the words that it is told in."""

    answer: CaseAnswer
    say: Words
    product: str = field(init=False)
    complaint: str = field(init=False)

    def __post_init__(self) -> None:
        name, complaint = self.answer.case.plan.product, self.answer.gates.complaint.label
        label = "" if name is None else self.say.named("product", name, product(name).label)
        object.__setattr__(self, "product", label)
        object.__setattr__(self, "complaint", self.say.named("complaint", complaint, complaint))

    @property
    def contraindicated(self) -> bool:
        return bool(self.answer.safety.worst("contraindicated"))

    @property
    def not_advised(self) -> tuple[Flag, ...]:
        """Conditions for which the product is not advised; a clinician may decide otherwise."""
        found = self.answer.safety.worst("major")
        return tuple(flag for flag in found if flag.kind == "caution" and flag.id not in CONDUCT)

    def day(self, day: datetime.date | None) -> str:
        """As it is spoken; not with hyphens, at which a line would break."""
        if day is None:
            return "-"
        if self.say.tongue == "en" and is_us(self.answer.case.place.residence):
            return day_text(day, us=True)
        return self.say("day", day=day.day, month=self.say(f"month.{day.month}"), year=day.year)


def sheet_page(answer: CaseAnswer, tongue: Tongue) -> str:
    """The sheet's text."""
    one = _Sheet(answer, Words(tongue))
    say = one.say
    title = (
        say("title_product", product=one.product) if one.product else say("title", complaint=one.complaint)
    )
    content = {
        "tongue": tongue,
        "title": upper_first(title),
        "draft": say("draft"),
        "lead": say("lead"),
        "problem": _problem(one),
        "warning": _warning(one),
        "rows": [
            [[_have(one), _sure(one)], [_choices(one)]],
            [[_help(one)], [_harm(one)]],
            [[_tell(one), _stop(one)], [_start(one), _daily(one)]],
        ],
        "contact": say("contact"),
        "foot": " ".join([*_sources(one), say("foot", day=one.day(answer.case.as_of), version=__version__)]),
    }
    made = page("sheet.html.j2", "sheet.css", content, folder=HERE)
    return page_for(answer.case.place.residence, made) if tongue == "en" else made


def _problem(one: _Sheet) -> str:
    cause = one.answer.case.spasm.cause
    return "" if cause is None else one.say(f"what.{cause}")


def _warning(one: _Sheet) -> str:
    if one.contraindicated:
        flags = one.answer.safety.worst("contraindicated")
        return one.say("not_for_you", about=_about(one, flags))
    return one.say("not_advised", about=_about(one, one.not_advised)) if one.not_advised else ""


def _have(one: _Sheet) -> Section:
    say, gate, access = one.say, one.answer.gates, one.answer.access
    if gate.by_prescription:
        lines = [say("by_prescription"), *([say("off_label")] if gate.off_label else [])]
    elif access is not None and access.product.route == "prescription" and gate.product == "unknown":
        lines = [say("maybe_prescribed")]
    else:
        lines = [say("unknown" if access is None else access.status)]
        known = gate.product in ("obtainable", "not_obtainable")
        if one.product:
            lines.append(say(gate.product if known else "product_unknown"))
    if access is not None:
        lines.append(say("as_of", day=one.day(access.on)))
    return Section(say("h_have"), (" ".join(lines),))


def _choices(one: _Sheet) -> Section:
    say, weeks = one.say, one.answer.case.plan.weeks
    care = [
        say.named("care", each.treatment, each.treatment)
        for each in one.answer.usual_care
        if each.tried in ("not_tried", "unknown") and say.has("care", each.treatment)
    ]
    length = say("some_weeks") if weeks is None else say.weeks(weeks)
    points = [say("choice_try", weeks=length) if one.product else say("choice_try_open")]
    points += [say("choice_other", care=say.listed(care[:2]))] if care else []
    return Section(say("h_choices"), (), points=(*points, say("choice_none", complaint=one.complaint)))


# -- of a hundred people ---------------------------------------------------------------------------
def _own_figure(one: _Sheet, outcome: str) -> tuple[CaseFigure, Absolute] | None:
    """What trials of the planned product, and of no other, found of an outcome that was counted."""
    evidence = one.answer.evidence
    if evidence.product not in products() or evidence.cause is None:
        return None
    pooled = answer_of(shipped_studies(), outcome, cause=evidence.cause, product=evidence.product)
    own = replace(evidence, pooled=(CaseFigure("", pooled, (), False),) if pooled.k else ())
    found = figure_of(own, outcome)
    return None if found is None or found[1].absolute is None else (found[0], found[1].absolute)


def _help(one: _Sheet) -> Section:
    say, case = one.say, one.answer.case
    known = benefit(say.tongue, case.spasm.cause, case.plan.product)
    for outcome in HELPS:
        if (found := _own_figure(one, outcome)) is None:
            continue
        counted = _Counted.of(leading(one.answer.trials, outcome) or found[1])
        key = "help_more" if counted.more > 0 else "help_none"
        numbers = say(key, n=counted.more, range=say.between(*counted.range))
        means = f"{say(f'clear_{outcome}')} {say('who_knows')}"
        picture, keys = counted.drawn(say, "help", "more")
        return Section(say("h_help"), (numbers, means), known, picture=picture, keys=keys)
    if (found := _own_figure(one, RELIEF)) is not None:
        counted = _Counted.of(found[1])
        values = {"with": counted.with_drug, "without": counted.without}
        lines = (say("help_relief", **values, range=say.between(*counted.range)), say("who_knows"))
        picture, keys = counted.drawn(say, "relief", "more")
        return Section(say("h_help"), lines, known, picture=picture, keys=keys)
    return Section(say("h_help"), (say("no_numbers_help"), say("who_knows")), known)


def _harm(one: _Sheet) -> Section:
    say, of = one.say, planned(one.answer.case)
    numbers: list[str] = []
    picture: Markup | None = None
    keys: tuple[tuple[Markup, int, str], ...] = ()
    for outcome in HARMS:
        if (found := _own_figure(one, outcome)) is None:
            continue
        counted = _Counted.of(found[1])
        values: dict[str, object] = {"without": counted.without, "with": counted.with_drug, "n": counted.more}
        values["range"] = say.between(*counted.range)
        numbers.append(say(f"harm_{outcome}", **values))
        if picture is None:
            picture, keys = counted.drawn(say, outcome, "harm")
    words = [say("thc_effects")] if "thc" in of.all else []
    words += [say("cbd_effects")] if "cbd" in of.contents and "thc" not in of.all else []
    words += [say("smoke_effects")] if of.smoked else []
    lines = numbers or [say("no_numbers_harm")]
    lines += [say("of_extract")] if numbers and one.answer.evidence.product == "cannabis_extract" else []
    return Section(say("h_harm"), tuple(lines), " ".join(words), picture=picture, keys=keys)


@dataclass(frozen=True)
class _Counted:
    """People of a hundred."""

    without: int
    with_drug: int
    range: tuple[int, int]

    @classmethod
    def of(cls, found: Absolute) -> _Counted:
        low, high = sorted(round(100 * (end - found.baseline)) for end in found.risk_ci)
        return cls(round(100 * found.baseline), round(100 * found.risk), (low, high))

    @property
    def more(self) -> int:
        return self.with_drug - self.without

    def drawn(self, say: Words, kind: str, look: str) -> tuple[Markup, tuple[tuple[Markup, int, str], ...]]:
        """The picture, and what each look in it means."""
        both = min(self.without, self.with_drug)
        changed = ("fewer", "fewer") if self.more < 0 else (look, "more")
        groups = [
            ("anyway", "anyway", both),
            (*changed, abs(self.more)),
            ("rest", "rest", 100 - both - abs(self.more)),
        ]
        keys = tuple((key(shape), n, say(f"icon_{kind}_{word}")) for shape, word, n in groups if n)
        said = "; ".join(f"{n} {text}" for _, n, text in keys)
        return icon_array([(shape, n) for shape, _, n in groups], f"100: {said}"), keys


MOST_NAMED = 4
"""Of medicines that were not checked: the sheet is one page."""


# -- what to tell, how to start --------------------------------------------------------------------
def _tell(one: _Sheet) -> Section:
    say, flags = one.say, one.answer.safety.flags
    points = tuple(say(f"tell_{each}") for each in ("medicines", "mind", "baby", "heart"))
    told = one.answer.safety.worst("contraindicated") if one.contraindicated else one.not_advised
    grave = [flag for flag in one.answer.safety.worst("major") if flag not in told]
    lines = [say("for_you", about=about)] if (about := _about(one, grave)) else []
    if unknown := [each.name for each in one.answer.safety.unknown_drugs]:
        named = [*unknown[:MOST_NAMED], *(["…"] if unknown[MOST_NAMED:] else [])]
        lines.insert(0, say("not_checked", drugs=", ".join(named)))
    if conditions := [each.replace("_", " ") for each in one.answer.safety.unchecked_conditions]:
        lines.insert(0, say("not_checked_conditions", conditions=", ".join(conditions[:MOST_NAMED])))
    stops = [each.substances[0] for each in flags if is_advice(each)]
    drugs = [say.named("care", each, medicine(say.tongue, each)) for each in stops]
    lines += [say("keep_taking", drugs=say.listed(_names(drugs), "or"))] if drugs else []
    return Section(say("h_tell"), tuple(lines), points=points)


def _about(one: _Sheet, flags: Sequence[Flag]) -> str:
    """The drugs and conditions that these flags are about, in plain words."""
    say = one.say
    subjects = {row.id: row.about for row in cautions()}
    found = []
    for flag in flags:
        if is_advice(flag):
            continue
        subject = subjects.get(flag.id, "")
        words = [word for word in flag.substances if word not in ("THC", "CBD", "cannabinoid", "smoke")]
        found += [say.named("about", subject, "")] if say.has("about", subject) else [
            say.named("about", word, medicine(say.tongue, word)) for word in words
        ]  # fmt: skip
    return say.listed(_names(found)) if found else ""


def _names(words: list[str]) -> list[str]:
    return list(dict.fromkeys(word.replace("_", " ") for word in words))


def _start(one: _Sheet) -> Section:
    say, case, gate, access = one.say, one.answer.case, one.answer.gates, one.answer.access
    head = say("h_start")
    if one.contraindicated or one.not_advised:
        return Section(head, (say("start_settle"),))
    kept_out = access is None or (access.status == "not_eligible" and not gate.by_prescription)
    if gate.product != "obtainable" or case.plan.product is None or kept_out:
        return Section(head, (say("start_none"),))
    what, plan = product(case.plan.product), case.plan
    if plan.titration == "label" and (steps := label_titration(what.name)):
        most = plan.max_sprays_per_day or what.label_max_per_day or steps[-1].total
        gap = what.gap_min
        text = say("start_label", most=f"{most:g}", gap=f"{gap:g}")
        days = table(
            head,
            "|".join([say("start_day"), *(str(step.day) for step in steps)]),
            [
                [say("start_morning"), *(str(step.morning) for step in steps)],
                [say("start_evening"), *(str(step.evening) for step in steps)],
            ],
        )
        return Section(head, (text,), days=days)
    return Section(head, (_fixed(one) or say("start_ask"),))


def _fixed(one: _Sheet) -> str:
    """One dose, as it is planned; nothing where the plan does not say it, or goes by a published schedule."""
    plan, say = one.answer.case.plan, one.say
    if not plan.is_fixed:
        return ""
    if plan.sprays_per_day is not None:
        return say("start_fixed", dose=say("dose_sprays", n=plan.sprays_per_day))
    dose = " + ".join(
        f"{mg:g} mg {name}" for name, mg in zip(("THC", "CBD"), plan.mg_per_unit(), strict=True) if mg
    )
    if not dose or plan.doses_per_day is None:
        return ""
    times = plan.doses_per_day
    said = say("dose_once", dose=dose) if times == 1 else say("dose_mg", dose=dose, times=times)
    return say("start_fixed", dose=said)


def _daily(one: _Sheet) -> Section:
    say, access = one.say, one.answer.access
    in_us = access is not None and access.jurisdiction.startswith("US")
    travel = "travel_us" if in_us and not one.answer.gates.by_prescription else "travel"
    drive = "drive_thc" if "thc" in planned(one.answer.case).all else "drive_cbd"
    return Section(say("h_daily"), (" ".join((say(drive), say("store"), say(travel))),), contact=True)


# -- when to stop, how sure ------------------------------------------------------------------------
def _stop(one: _Sheet) -> Section:
    return Section(one.say("h_stop"), tuple(_stop_lines(one)))


def _stop_lines(one: _Sheet) -> Iterator[str]:
    say, case = one.say, one.answer.case
    if case.plan.product is not None and one.answer.gates.may_dose and not one.contraindicated:
        rule = next(
            (
                r
                for r in rows("review")
                if (r["cause"], r["product"]) == (case.spasm.cause, case.plan.product)
                and not one.answer.gates.unfit
            ),
            None,
        )
        if rule is None:
            weeks = review(case, one.answer.gates).after.split()[0]
            yield say("review", weeks=say.weeks(int(weeks)))
        else:
            of = say.named("complaint", rule["of"], rule["of"])
            said = say("review_rule", weeks=say.weeks(int(rule["weeks"])), of=of, fall=rule["fall"])
            now = case.spasm.spasticity_nrs
            goal = (1 - float(rule["fall"]) / 100) * (now or 0.0)
            yield said + (say("review_example", now=f"{now:g}", goal=f"{goal:.3g}") if now else ".")
    in_us = (case.place.residence or "").startswith("US")
    yield say("stop_at_once", ambulance=say("ambulance_us" if in_us else "ambulance"))


def _sure(one: _Sheet) -> Section:
    say, claim, name = one.say, one.answer.bottom_line.claim, one.answer.case.plan.product
    judged = claim_of(claim)
    sure: str = "not_graded" if judged is None else judged.certainty
    if sure == "moderate" and name is not None and one.answer.bottom_line.benefit == "uncertain":
        sure = "others"  # the claim is of the cause, not of this product
    if one.answer.bottom_line.benefit == "not_tested":
        sure = "not_tested"
    figures = [found for outcome in (*HELPS, *HARMS) if (found := _own_figure(one, outcome))]
    lines = [say(f"sure_{sure}"), *_paid(one)]
    lines += [say("unread")] if any(figure.answer.unverified for figure, _ in figures) else []
    return Section(say("h_sure"), (" ".join(lines),))


def _paid(one: _Sheet) -> Iterator[str]:
    """Who paid for the trials of this product in this cause, as far as that was read."""
    paid = [each.study.funding for each in one.answer.evidence.controlled if each.fits_product]
    noted = [each for each in paid if each is not None and each.provenance == "read"]
    if not paid and one.answer.case.plan.product is not None:
        yield one.say("paid_none")
        return
    if not noted:
        yield one.say("paid_unknown")
        return
    company = sum(each.industry for each in noted)
    key, n = ("paid_company", company) if company else ("paid_public", len(noted))
    yield one.say(key, n=str(n), every=str(len(paid)))
    if len(noted) < len(paid):
        yield one.say("paid_open", n=str(len(paid) - len(noted)))


def _sources(one: _Sheet) -> Iterator[str]:
    fitting = [each.study.label for each in one.answer.evidence.controlled if each.fits_product]
    if fitting:
        yield one.say("sources", sources=", ".join(fitting))
