"""From a file of published studies to observations, to what is left out and why, or to all that is wrong.

A study has `arms` with a design each and `results`, one number a row (the shipped studies are so), or it is one arm
in the words of its publication, which prose.py makes into the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from lissive.errors import StudyError
from lissive.given import path_of
from lissive.marked import Loc, read_marked
from lissive.studies import prose
from lissive.studies.arm import make_arm
from lissive.studies.entry import Entry
from lissive.studies.measures import observations_of
from lissive.studies.observation import Observation, Studies
from lissive.studies.prose import Text, under

SHIPPED = Path(__file__).parent / "pk.yaml"
_MOST_FIELDS = 200_000


def read_studies(path: str | Path) -> Studies:
    """The observations of a file, and what of it cannot be used.

    Raises
    ------
    StudyError with every finding: an unknown field, analyte, route, unit, statistic, split or
        provenance, a null or a word where a number is needed, a number that cannot be, an id that comes twice.
    """
    path = path_of(path, wrong=StudyError)
    data, lines = read_marked(
        path,
        wrong=StudyError,
        top=tuple,
        example="- id: a study",
        most_fields=_MOST_FIELDS,
        shipped=path == SHIPPED,
    )
    arms: list[Text] = []
    entries: list[Entry] = []
    for k, each in enumerate(data):
        study = each if isinstance(each, Mapping) else {}
        if "arms" in study:
            entries.append(Entry((k,), study, "", lambda name: (name,), path, lines))
            arms += _arms(entries[-1])
        else:
            arms.append(prose.arm_of(k, study, path, lines))
    entries += [arm.entry for arm in arms]
    _check_ids(arms)
    found = [one for arm in arms for one in _of_arm(arm)]
    pairs = list(_pairs(arms, found))
    findings = {str(each): each for entry in entries for each in entry.findings}
    if findings:
        raise StudyError.all_of(list(findings.values()))
    skipped = [each for entry in entries for each in entry.skipped]
    return Studies(str(path), tuple(_siblings([*found, *pairs], path)), tuple(skipped))


def _siblings(found: Sequence[Observation], path: Path) -> Iterator[Observation]:
    """The same, those held out marked that share their publication, or a figure that the model copies, with the fit."""
    known = found if path == SHIPPED else [*found, *shipped_studies().observations]
    fitted = {one.publication for one in known if one.split == "calibration"}
    for one in found:
        food = one.reference is not None and one.arm.fed != one.reference.fed
        if one.split != "validation":
            yield one
        elif food and one.arm.route == "spray":
            yield replace(
                one, sibling="the effect of food on the spray was set on the label, which rests on it"
            )
        elif one.publication in fitted:
            yield replace(one, sibling="other figures of its publication were fitted on")
        else:
            yield one


@cache
def shipped_studies() -> Studies:
    """The studies that come with Lissive."""
    return read_studies(SHIPPED)


def _arms(whole: Entry) -> Iterator[Text]:
    """The arms of a study, each with its rows; what is wrong with the study itself goes to the findings of `whole`."""
    study = whole.data
    arms, results = study["arms"], study.get("results")
    whole.checked("study", study, whole.at)
    if not isinstance(arms, Mapping) or not arms:
        whole.wrong(("arms",), "The study has no arms.", allowed="ids, each with a split and a design.")
        return
    if not isinstance(results, tuple) or not all(isinstance(row, Mapping) for row in results):
        whole.wrong(("results",), "The study has no list of results.", allowed="one row for each number.")
        results = ()
    for k, row in enumerate(results):
        if not isinstance(row.get("arm"), str) or row["arm"] not in arms:
            known = f"{', '.join(arms)}."
            whole.wrong(("results", k, "arm"), f"arm {row.get('arm')!r} is unknown.", allowed=known)
    for name, arm in arms.items():
        entry = Entry(
            whole.base, study, name, partial(under, ("arms", name, "design")), whole.path, whole.lines
        )
        fields = arm if isinstance(arm, Mapping) else {}
        design = fields.get("design")
        entry.checked("arm", fields, partial(under, ("arms", name)))
        if not isinstance(design, Mapping):
            entry.wrong(
                ("arms", name, "design"), "The arm has no design.", allowed="fields, as in fields.tsv."
            )
            design = {}
        rows = [
            (row, partial(under, ("results", k))) for k, row in enumerate(results) if row.get("arm") == name
        ]
        yield Text(entry, fields, partial(under, ("arms", name)), design, rows)


def _check_ids(arms: list[Text]) -> None:
    seen: dict[str, int] = {}
    for arm in arms:
        entry = arm.entry
        loc: Loc = ("arms", entry.id) if "arms" in entry.data else ("id",)
        if loc == ("id",) and (not isinstance(entry.data.get("id"), str) or not entry.id.strip()):
            entry.wrong(loc, "The study has no id.", do="give it a name of its own, as in id: smith2020.")
            continue
        if entry.id in seen:
            entry.wrong(
                loc,
                f"The id comes twice, first on line {seen[entry.id]}.",
                do="give each study a name of its own.",
            )
        seen.setdefault(entry.id, entry.lines[*entry.base, *loc])


def _of_arm(arm: Text) -> list[Observation]:
    entry = arm.entry
    split = entry.word("split", arm.fields.get("split"), arm.at("split"))
    made = make_arm(entry, arm.design, [row for row, _ in arm.rows])
    found: list[Observation] = []
    for row, at in arm.rows:
        found.extend(observations_of(entry, row, at, split.means if split else "", made))
    if split and split.means == "context":
        note = arm.fields.get("split_note") or "not to be scored, by its own split"
        entry.skip("all", f"context: {note}")
        return []
    return found


def _pairs(arms: list[Text], found: list[Observation]) -> Iterator[Observation]:
    """Ratios of a treated arm to its control: what was seen with the medicine over what was seen without."""
    ids = {arm.entry.id for arm in arms}
    controls = {arm.entry.id: control for arm in arms if (control := _control(arm, ids))}
    by_key = {(o.study, o.analyte, o.measure, o.window): o for o in found}
    for mine in (o for o in found if o.study in controls and o.measure in ("Cmax", "AUC")):
        other = by_key.get((controls[mine.study], mine.analyte, mine.measure, mine.window))
        if other is not None:
            yield replace(
                mine,
                metric=f"ratio_{mine.measure}",
                measure=f"ratio_{mine.measure}",
                group="ratio",
                value=mine.value / other.value,
                unit="1",
                provenance="recalled" if "recalled" in (mine.provenance, other.provenance) else "read",
                reference=replace(other.arm, study=mine.study),
                cv=None,
            )


def _control(arm: Text, ids: set[str]) -> str | None:
    """The arm that this one is held against: the one that it names, else x_control of x_treated."""
    entry, control = arm.entry, arm.fields.get("control")
    if control is None:
        usual = entry.id.removesuffix("_treated") + "_control"
        return usual if usual in ids else None
    if isinstance(control, str) and control in ids - {entry.id}:
        return control
    entry.wrong(
        arm.at("control"),
        f"control {control!r} is no other study of this file.",
        allowed="the id of another study, or none.",
    )
    return None
