"""The result of a calibration as tables: values in the modules' own, errors and correlations beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lissive.calibrate.pk import Fit, Prior
from lissive.calibrate.posterior import CORRELATION, ERRORS, FITTED
from lissive.files import atomic_path, cell
from lissive.model.parameters import COLUMNS, FOLDER, MODULES, RECALLED, load_sources
from lissive.studies.observation import Observation
from lissive.table import rows_of

MOSTLY_RECALLED = 0.5
"""From this share of what the data say on, a fitted value carries the mark of memory."""
HEAVY_TAILS = 1.296
"""Errors are fitted as scales of a Student t with 4 degrees of freedom and written as the standard deviation of the
normal distribution with the same 90 % range: t(0.95)/z(0.95) = 2.132/1.645."""
LEAST = 5e-5
"""Smaller correlations are not written."""
HEAD = "name scale estimate se prior prior_sd contraction recalled data".split()


def write_tables(
    fits: Mapping[str, Fit], studies: Mapping[str, str], folder: Path, source: Path = FOLDER
) -> list[Path]:
    """The module tables with the fitted values in them, and the three tables of the fit, in `folder`.

    Parameters
    ----------
    studies : id of a study to its doi.
    source : the tables to take everything else from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    publications = {key: each.doi for key, each in load_sources(source).items()}
    values = {name: value for fit in fits.values() for name, value in fit.values.items()}
    written = []
    for module in MODULES:
        rows = rows_of(source / f"{module}.tsv")
        if not values.keys() & {row["name"] for row in rows}:
            continue
        for row in rows:
            for fit in fits.values():
                if row["name"] in fit.values:
                    _fill(row, fit, studies, publications)
        written.append(write_table(folder / f"{module}.tsv", COLUMNS, rows))
    return [*written, *_errors(fits, folder)]


def _fill(row: dict[str, str], fit: Fit, studies: Mapping[str, str], publications: Mapping[str, str]) -> None:
    """One row of a module's table, its sources the data and the prior's; what no study informs stays as it is."""
    name = row["name"]
    used = fit.rests_on[name]
    if not used:
        return
    prior = next(p for p in fit.priors if p.name == name)
    found = list(dict.fromkeys(key for s in used if (key := _publication(s, studies.get(s), publications))))
    percent = 100.0 * fit.sd[name]
    kind = "of the odds" if prior.fraction else "of the value"
    row["value"] = f"{fit.values[name]:.4g}"
    row["provenance"] = "fitted" + (RECALLED if fit.recalled[name] >= MOSTLY_RECALLED else "")
    found += [key for key in prior.source.split(";") if key not in (*found, "-")]
    row["source"] = ";".join(found) or row["source"]
    row["note"] = (
        f"Maximum a posteriori, see fitted.tsv; standard error {percent:.0f} % {kind}; prior {prior.value:g}."
    )


def _publication(study: str, doi: str | None, publications: Mapping[str, str]) -> str | None:
    """Key of a study's publication: the one with its doi, else the longest that its id starts with."""
    by_doi = [key for key, each in publications.items() if each == doi]
    by_name = sorted((key for key in publications if study.startswith(key)), key=len)
    return next(iter([*by_doi, *reversed(by_name)]), None)


def _errors(fits: Mapping[str, Fit], folder: Path) -> list[Path]:
    rows, names, blocks = [], [], []
    for fit in fits.values():
        sd = np.sqrt(np.diag(fit.covariance))
        blocks.append(fit.covariance / np.outer(sd, sd))
        for prior in fit.priors:
            names.append(prior.name)
            rows.append(_fit_row(fit, prior))
    size = sum(len(block) for block in blocks)
    whole, at = np.eye(size), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    table = [
        {"name": name, "other": other, "correlation": f"{whole[i, k]:.4f}"}
        for i, name in enumerate(names)
        for k, other in enumerate(names[:i])
        if abs(whole[i, k]) >= LEAST
    ]
    spread = [
        {
            "drug": drug,
            "between": f"{HEAVY_TAILS * fit.errors.between:.3f}",
            "within": f"{HEAVY_TAILS * fit.errors.within:.3f}",
        }
        for drug, fit in fits.items()
    ]
    return [
        write_table(folder / FITTED, HEAD, rows),
        write_table(folder / CORRELATION, ["name", "other", "correlation"], table),
        write_table(folder / ERRORS, ["drug", "between", "within"], spread),
    ]


def _fit_row(fit: Fit, prior: Prior) -> dict[str, str]:
    name = prior.name
    return {
        "name": name,
        "scale": "logit" if prior.fraction else "log",
        "estimate": f"{fit.values[name]:.4g}",
        "se": f"{fit.sd[name]:.4f}",
        "prior": f"{prior.value:g}",
        "prior_sd": f"{prior.sd:g}",
        "contraction": f"{1.0 - (fit.sd[name] / prior.sd) ** 2:.3f}",
        "recalled": f"{fit.recalled[name]:.2f}",
        "data": ";".join(fit.rests_on[name]) or "-",
    }


def dois(observations: tuple[Observation, ...]) -> dict[str, str]:
    """Study to its doi, as far as the file gives one."""
    return {each.study: each.doi for each in observations if each.doi}


def write_table(
    path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]], by: str = "\t"
) -> Path:
    """Rows as a table with these columns, `by` between cells."""
    text = "\n".join([by.join(columns), *(by.join(cell(row[c]) for c in columns) for row in rows)])
    with atomic_path(path) as place:
        place.write_text(text + "\n", encoding="utf-8")
    return path
