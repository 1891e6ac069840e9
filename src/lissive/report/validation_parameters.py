"""Every number of the model with where it comes from, and the publications that a validation rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from lissive.calibrate.posterior import FITTED, fitted
from lissive.errors import StudyError
from lissive.model.parameters import (
    FOLDER,
    RECALLED,
    Parameter,
    load_parameters,
    load_people,
    load_sources,
)
from lissive.report.table import Table, table
from lissive.report.words import UNVERIFIED, marked, number
from lissive.validation.targets import TargetResult


@dataclass(frozen=True)
class Named:
    """One publication as it stands in the list."""

    key: str
    text: str
    link: str
    """Empty where none is known."""


def parameters_table() -> Table:
    """Every parameter of the model and of the people; standard error and prior where it was fitted."""
    known = fitted() if (FOLDER / FITTED).exists() else {}
    rows = [*load_parameters().values(), *load_people().values()]
    return table(
        "Every parameter: typical value, between-subject variability and source. Standard errors and "
        "priors are of the logarithm, or of the logit of a share",
        "parameter|value|unit|between-subject variability|provenance|standard error|prior|source|note",
        [_cells(row, known.get(row.name, {})) for row in rows],
        "value|standard error",
    )


def _cells(row: Parameter, fit: Mapping[str, str]) -> list[str]:
    recalled = row.provenance.endswith(RECALLED)
    spread = "" if row.spread is None else f"{row.distribution}, {number(row.spread)}"
    return [
        row.name,
        number(row.value) + (UNVERIFIED if recalled else ""),
        row.unit,
        spread,
        row.provenance.replace(RECALLED, ", unverified"),
        number(float(fit["se"])) if fit.get("se") else "",
        _prior(fit),
        _links(row.sources),
        row.note,
    ]


def _prior(fit: Mapping[str, str]) -> str:
    """Centre and standard deviation of what was known before the fit."""
    if not fit.get("prior_sd"):
        return ""
    middle = fit.get("prior") or fit.get("prior_value") or fit.get("prior_mean")
    return (
        f"{number(float(middle))}, SD {number(float(fit['prior_sd']))}"
        if middle
        else f"SD {number(float(fit['prior_sd']))}"
    )


def _links(keys: Iterable[str]) -> Markup:
    return Markup(", ").join(Markup('<a href="#ref-{0}">{0}</a>').format(key) for key in keys)


def model_references() -> list[Named]:
    """The sources of the parameters."""
    return [
        Named(key, row.citation, _address(row.doi, row.url)) for key, row in sorted(load_sources().items())
    ]


def target_references(found: Iterable[TargetResult]) -> list[str]:
    """The sources of the targets, as they are cited there."""
    return sorted({text for each in found for text in each.sources}, key=str.lower)


def study_references(path: str) -> list[Named]:
    """What each study of the file is; nothing where the file is not there any more."""
    place = Path(path)
    if not place.is_file():
        return []
    entries = yaml.load(place.read_text(encoding="utf-8"), Loader=_loader())
    if not isinstance(entries, list):
        raise StudyError(f"{path} is not a list of studies.", where=path)
    return [_study(entry) for entry in entries]


def _loader() -> Any:
    """The fast safe loader, where PyYAML has it."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _study(entry: Mapping[str, Any]) -> Named:
    words = entry.get("citation")
    fields = words if isinstance(words, Mapping) else {}
    parts = [fields.get(name) for name in ("authors", "title", "journal", "year")]
    text = ". ".join(str(part).rstrip(".") for part in parts if part) or str(words or "no citation")
    doi = str(entry.get("doi") or "")
    provenance = str(entry.get("doi_provenance") or "")
    return Named(str(entry["id"]), marked(f"{text}.", provenance), _address(doi, ""))


def _address(doi: str, url: str) -> str:
    """Where it can be read; a link to follow, never something that the page loads."""
    if re.match(r"10\.\d{4,}/", doi):
        return f"https://doi.org/{escape(doi)}"
    return url if url.startswith("http") else ""
