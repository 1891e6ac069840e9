"""The endocannabinoid and spasm modules compared with observations.

    for met in targets(): print(met.id, met.value, met.met, met.reason)

A target that a constant was set on by hand proves nothing when it is met, and a figure of a published model proves
only that the model was copied well; both are marked. What the model cannot be asked stands there all the same.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lissive.errors import ParameterError
from lissive.model.parameters import Source
from lissive.validation._target_measures import MEASURES, Measure, MeasureContext
from lissive.validation._target_patients import PATIENT_MEASURES, forecast_of
from lissive.validation._target_rows import (
    FOLDER,
    NONE,
    Arm,
    Target,
    load_arms,
    load_target_sources,
    load_targets,
)
from lissive.validation._target_runs import NoValue, Runs, recalled_constants

RESTS_ON = 0.01
"""A figure rests on a recalled constant that moves it by this share when it is moved by a tenth."""
NO_REASON = "No reason on record: the model or the tables have changed since."


@dataclass(frozen=True)
class TargetResult:
    """One target and what the model gives for it."""

    number: str
    id: str
    module: str
    kind: str
    """observed: seen in people; model: computed by another program with a published model."""
    observation: str
    low: float | None
    high: float | None
    unit: str
    tolerance: str
    """Where the range comes from: reported, rounding or assumed."""
    provenance: str
    """Of the observed figure: read, recalled, derived or assumed."""
    set_by_hand: bool
    """A constant of the model was set with this observation in view, so that meeting it is no evidence."""
    constants: tuple[str, ...]
    sources: tuple[str, ...]
    value: float | None = None
    met: bool | None = None
    """None where there is no figure, or nothing to hold it against; `reason` says why."""
    reason: str = ""
    detail: str = ""
    recalled_constants: tuple[str, ...] = ()
    """What of the things quoted from memory the model's figure rests on; of virtual patients, of a typical one."""

    @property
    def recalled(self) -> bool:
        """Whether the target, or the model's figure for it, depends on anything quoted from memory."""
        return self.provenance == "recalled" or bool(self.recalled_constants)

    def to_json(self) -> dict[str, Any]:
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return plain | {"recalled": self.recalled}


def targets(
    names: Iterable[str] | None = None,
    *,
    threads: int | None = None,
    progress: Callable[[TargetResult], None] | None = None,
    folder: Path = FOLDER,
) -> list[TargetResult]:
    """Every target, or those named, with the model's figure.

    Parameters
    ----------
    names : ids of targets.tsv.
    progress : called with each target that is done.

    Raises       ParameterError for an unknown name, or a row of the tables that is wrong (with file and line).
    """
    rows, arms, sources = load_targets(folder), load_arms(folder), load_target_sources(folder)
    chosen = list(rows) if names is None else list(names)
    for name in chosen:
        if name not in rows:
            like = difflib.get_close_matches(name, rows, n=1)
            hint = f" Did you mean {like[0]}?" if like else ""
            raise ParameterError(f"There is no target {name!r}.{hint}", allowed=f"{', '.join(rows)}.")
    for row in rows.values():
        _check_measure(row, arms)
    threads = threads or os.cpu_count() or 1
    runs = Runs(_outputs(rows.values(), arms), threads)
    found = []
    for name in chosen:
        found.append(_met(rows[name], arms, sources, runs, threads))
        if progress:
            progress(found[-1])
    return found


def _outputs(rows: Iterable[Target], arms: dict[str, Arm]) -> dict[str, tuple[str, ...]]:
    """Model to all that is looked at in it, so that it is compiled once."""
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.arm != NONE:
            wanted.setdefault(arms[row.arm].model, {}).update(dict.fromkeys(row.output))
    return {model: tuple(names) for model, names in wanted.items()}


def _check_measure(row: Target, arms: dict[str, Arm]) -> None:
    """The measure is known, and its numbers are numbers."""
    if row.arm == NONE:
        return
    known = PATIENT_MEASURES if arms[row.arm].patients else MEASURES
    name, _ = _asked(row)
    if name not in known:
        raise ParameterError(f"measure is {name!r}.", where=row.where, allowed=f"{', '.join(known)}.")


def _asked(row: Target) -> tuple[str, tuple[float, ...]]:
    """The measure's name and its numbers."""
    name, *numbers = row.measure.split()
    try:
        return name, tuple(float(number) for number in numbers)
    except ValueError:
        raise ParameterError(
            f"measure is {row.measure!r}.", where=row.where, allowed="a name and numbers."
        ) from None


def _met(
    row: Target, arms: dict[str, Arm], sources: dict[str, Source], runs: Runs, threads: int
) -> TargetResult:
    names = "number id module kind observation low high unit tolerance provenance constants".split()
    met = TargetResult(
        **{name: getattr(row, name) for name in names},
        set_by_hand=bool(row.constants),
        sources=tuple(sources[key].citation for key in row.sources),
    )
    if row.arm == NONE:
        return replace(met, reason=row.why_unmet)
    try:
        value, detail, rests_on = _figure(row, arms, runs, threads)
    except NoValue as why:
        return replace(met, reason=f"{why} {'' if row.why_unmet == NONE else row.why_unmet}".strip())
    met = replace(met, value=value, detail=detail, recalled_constants=rests_on)
    if row.low is None or row.high is None:
        return replace(met, reason=row.why_unmet)
    if row.low <= value <= row.high:
        return replace(met, met=True)
    return replace(met, met=False, reason=NO_REASON if row.why_unmet == NONE else row.why_unmet)


def _figure(
    row: Target, arms: dict[str, Arm], runs: Runs, threads: int
) -> tuple[float, str, tuple[str, ...]]:
    """The model's figure, what else there is to say of it, and what of recalled things it rests on."""
    arm, against = arms[row.arm], arms.get(row.against)
    name, args = _asked(row)
    if arm.patients:
        value, detail = PATIENT_MEASURES[name](forecast_of(arm, threads), args)
        if against is None:
            raise ParameterError("Virtual patients need the run of a typical one.", where=row.where)
        typical = _values(row, MEASURES["week_change"], against, None, (), runs)[0]
        return value, detail, _rests_on(typical)
    values, detail = _values(row, MEASURES[name], arm, against, args, runs)
    return values[0], detail, _rests_on(values)


def _values(
    row: Target, measure: Measure, arm: Arm, against: Arm | None, args: tuple[float, ...], runs: Runs
) -> tuple[list[float], str]:
    """The figure as the model is, then with each recalled constant moved; and what else there is to say."""
    subjects = 1 + (len(recalled_constants()) if arm.model == "lissive" else 0)
    every = [
        measure(MeasureContext(runs, arm, against, row.output, args, subject)) for subject in range(subjects)
    ]
    pairs = [each if isinstance(each, tuple) else (each, "") for each in every]
    return [float(value) for value, _ in pairs], pairs[0][1]


def _rests_on(values: list[float]) -> tuple[str, ...]:
    """The recalled constants that moved the figure."""
    moved = zip(recalled_constants(), values[1:], strict=False)
    return tuple(name for name, value in moved if abs(value - values[0]) > RESTS_ON * abs(values[0]))
