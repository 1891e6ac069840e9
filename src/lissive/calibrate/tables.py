"""What a calibration found, as files: the tables with the fitted values in them, and the tables of the fit.

`write_tables` is of the fit to concentrations, `write_response` of that to trials, with an ArviZ data set and draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lissive.calibrate.pk import Fit
from lissive.calibrate.prior import Prior
from lissive.calibrate.reached import HEAD as REACHED
from lissive.calibrate.response import Posterior, the_arviz
from lissive.calibrate.response_data import Datum
from lissive.calibrate.structures import HEAD as STRUCTURES
from lissive.calibrate.structures import Score, as_rows
from lissive.files import atomic_path, cell, write_text
from lissive.model.parameters import FOLDER, MODULES, RECALLED, load_sources
from lissive.simulation.kinetics import CORRELATION, ERRORS, FITTED
from lissive.studies.observation import Observation
from lissive.table import rows_of
from lissive.trials.people import BETWEEN, LOWER_OVER_RAISE, RATING, SPREAD, TIED, TITRATION
from lissive.trials.published import Observed

MOSTLY_RECALLED = 0.5
"""From this proportion of what the data say on, a fitted value carries the mark of memory."""
HEAVY_TAILS = 1.296
"""Errors are fitted as scales of a Student t with 4 degrees of freedom and written as the standard deviation of the
normal distribution with the same 90 % range: t(0.95)/z(0.95) = 2.132/1.645."""
LEAST = 5e-5
"""Smaller correlations are not written."""
PK_HEAD = "name scale estimate se lower upper prior prior_sd contraction recalled data".split()
THIN = 8
"""Every so many draws of what the emulator says are kept; the parameters are kept whole."""
DRAWS = 400
"""Draws that are shipped as a table, for predictions."""
RESPONSE_HEAD = (
    "name scale estimate se lower upper prior prior_sd contraction rhat ess recalled trials".split()
)
SOURCE = "trials2026"
"""Key of the calibration itself in the tables of sources."""
HERE = Path(__file__).parents[1]
TABLES = {
    TITRATION: HERE / "simulation" / "titration.tsv",
    RATING: HERE / "simulation" / "ratings.tsv",
    BETWEEN: HERE / "trials" / "between.tsv",
}


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]], by: str = "\t") -> Path:
    text = "\n".join([by.join(columns), *(by.join(cell(row[c]) for c in columns) for row in rows)])
    return write_text(path, text + "\n")


def _fill(row: dict[str, str], value: str, recalled: float, source: str, note: str) -> None:
    """A fitted value into one row of a module's table."""
    row["value"] = value
    row["provenance"] = "fitted" + (RECALLED if recalled >= MOSTLY_RECALLED else "")
    row["source"], row["note"] = source, note


# -- the fit to concentrations ----------------------------------------------------------------------
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
                    _fill_pk(row, fit, studies, publications)
        written.append(_write(folder / f"{module}.tsv", list(rows[0]), rows))
    return [*written, *_errors(fits, folder)]


def _fill_pk(
    row: dict[str, str], fit: Fit, studies: Mapping[str, str], publications: Mapping[str, str]
) -> None:
    """One row, its sources the data's and the prior's; what no study informs stays as it is."""
    name = row["name"]
    used = fit.rests_on[name]
    if not used:
        return
    prior = next(p for p in fit.priors if p.name == name)
    found = list(dict.fromkeys(key for s in used if (key := _publication(s, studies.get(s), publications))))
    found += [key for key in prior.source.split(";") if key not in (*found, "-")]
    kind = "of the odds" if prior.scale == "logit" else "of the value"
    note = (
        f"Maximum a posteriori, see fitted.tsv; standard error {100.0 * fit.sd[name]:.0f} % {kind}; "
        f"prior {prior.value:g}."
    )
    _fill(row, f"{fit.values[name]:.4g}", fit.recalled[name], ";".join(found) or row["source"], note)


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
        _write(folder / FITTED, PK_HEAD, rows),
        _write(folder / CORRELATION, ["name", "other", "correlation"], table),
        _write(folder / ERRORS, ["drug", "between", "within"], spread),
    ]


def _fit_row(fit: Fit, prior: Prior) -> dict[str, str]:
    name = prior.name
    return {
        "name": name,
        "scale": prior.scale,
        "estimate": f"{fit.values[name]:.4g}",
        "se": f"{fit.sd[name]:.4f}",
        "lower": f"{prior.lower:g}",
        "upper": f"{prior.upper:g}",
        "prior": f"{prior.value:g}",
        "prior_sd": f"{prior.sd:g}",
        "contraction": f"{1.0 - (fit.sd[name] / prior.sd) ** 2:.3f}",
        "recalled": f"{fit.recalled[name]:.2f}",
        "data": ";".join(fit.rests_on[name]) or "-",
    }


def dois(observations: tuple[Observation, ...]) -> dict[str, str]:
    """Study to its doi, as far as the file gives one."""
    return {each.study: each.doi for each in observations if each.doi}


# -- the fit to trials ------------------------------------------------------------------------------
def inference_data(posterior: Posterior, prior_draws: int = 1000) -> Any:
    """The posterior, the prior, what was observed and what the emulator says of it, as arviz.InferenceData."""
    arviz = the_arviz()
    names = [p.name for p in posterior.priors]
    values = posterior.values
    z = np.random.default_rng(posterior.seed).standard_normal((1, prior_draws, len(names)))
    told = np.stack([posterior.emulator(chain[::THIN]) for chain in posterior.z])
    labels = [label(d) for d in posterior.data]
    data = arviz.from_dict(
        posterior={name: values[..., k].astype(np.float32) for k, name in enumerate(names)},
        prior={p.name: p.at(z[..., k]) for k, p in enumerate(posterior.priors)},
        posterior_predictive={"figure": told.astype(np.float32)},
        sample_stats={"lp": posterior.log_probability},
        observed_data={"figure": np.array([d.value for d in posterior.data])},
        constant_data={"error": np.array([d.error for d in posterior.data])},
        coords={"figures": labels},
        dims={"figure": ["figures"], "error": ["figures"]},
    )
    data.attrs |= {
        "seed": posterior.seed,
        "runs": len(posterior.x),
        "acceptance": posterior.acceptance.mean(),
    }
    return data


def label(datum: Datum) -> str:
    """A figure in words."""
    o = datum.observed
    against = f" against {o.against}" if o.against else ""
    return f"{o.trial}: {o.arm}{against}, {o.endpoint}, {o.statistic}"


def estimates(posterior: Posterior) -> list[dict[str, str]]:
    """A row for each parameter: median, spread and 90 % range, what of the prior is left, convergence, trials.

    One that the structure does not let move has no spread.
    """
    arviz, rows = the_arviz(), []
    for k, prior in enumerate(posterior.priors):
        z, values = posterior.z[..., k], posterior.values[..., k]
        walks = posterior.chains[..., k].swapaxes(1, 2).reshape(-1, posterior.chains.shape[1])
        informing = _informing(posterior, k)
        low, mid, high = np.quantile(values, [0.05, 0.5, 0.95])
        is_free = bool(z.std() > 1e-9)
        rows.append(
            {
                "name": prior.name,
                "scale": prior.scale,
                "estimate": f"{mid:.4g}",
                "se": f"{prior.sd * z.std():.4f}",
                "lower": f"{low:.4g}",
                "upper": f"{high:.4g}",
                "prior": f"{prior.value:g}",
                "prior_sd": f"{prior.sd:g}",
                "contraction": f"{1.0 - z.var():.3f}",
                "rhat": f"{float(arviz.rhat(walks)) if is_free else 1.0:.3f}",
                "ess": f"{float(arviz.ess(walks)) if is_free else z.size:.0f}",
                "recalled": f"{_recalled(informing):.2f}",
                "trials": ";".join(dict.fromkeys(o.trial for o, _ in informing)) or "-",
            }
        )
    return rows


def _informing(posterior: Posterior, k: int) -> list[tuple[Observed, float]]:
    """Figures that move by half their error or more as the parameter goes through its prior, and their weight."""
    ends = np.zeros((2, len(posterior.priors)))
    ends[:] = posterior.z.reshape(-1, len(posterior.priors)).mean(axis=0)
    ends[:, k] = -1.0, 1.0
    told = posterior.emulator(ends)
    moved = np.abs(told[1] - told[0]) / np.array([d.error for d in posterior.data])
    return [(d.observed, float(m**2)) for d, m in zip(posterior.data, moved, strict=True) if m > 0.5]


def _recalled(informing: Sequence[tuple[Observed, float]]) -> float:
    """Share of what the figures say that is unverified; 0 where none moves, as of how trials differ."""
    total = sum(weight for _, weight in informing)
    from_memory = sum(weight for o, weight in informing if o.provenance == "recalled")
    return from_memory / total if total else 0.0


def write_response(posterior: Posterior, folder: Path) -> list[Path]:
    """The files of the fit in `folder`: response.nc, response.tsv, response_draws.csv, and changed tables."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = estimates(posterior)
    values = posterior.values.reshape(-1, len(posterior.priors))
    chosen = np.linspace(0, len(values) - 1, DRAWS).round().astype(int)
    names = [p.name for p in posterior.priors]
    draws = [dict(zip(names, (f"{v:.6g}" for v in values[i]), strict=True)) for i in chosen]
    with atomic_path(folder / "response.nc") as place:
        inference_data(posterior).to_netcdf(str(place), engine="h5netcdf")
    written = [
        folder / "response.nc",
        _write(folder / "response.tsv", RESPONSE_HEAD, rows),
        _write(folder / "response_draws.csv", names, draws, ","),
    ]
    return written + _tables({row["name"]: row for row in rows}, folder)


def _tables(found: Mapping[str, Mapping[str, str]], folder: Path) -> list[Path]:
    """The tables that hold these parameters, with the medians in them."""
    written = []
    for path in [*sorted(FOLDER.glob("*.tsv")), *TABLES.values()]:
        prefix = next((p for p, table in TABLES.items() if table == path), "")
        rows = rows_of(path)
        if not {"provenance", "name"} <= set(rows[0]) or "cause" in rows[0]:
            continue
        filled = [_fill_response(row, prefix, found) for row in rows]
        if any(filled):
            written.append(_write(folder / path.name, list(rows[0]), rows))
    return written


def _fill_response(row: dict[str, str], prefix: str, found: Mapping[str, Mapping[str, str]]) -> bool:
    """One row; whether anything of it was fitted."""
    name = prefix + row["name"]
    tied = "" if prefix else next((a for a, b in TIED.items() if b == row["name"]), "")
    mine = found.get(tied) or found.get(name)
    fixed = mine is not None and float(mine["se"]) == 0.0
    if mine is not None and fixed and float(row["value"]) == float(mine["estimate"]):
        mine = None  # it stays what it was, with its source
    elif mine is not None and fixed:
        row["value"], row["provenance"], row["source"] = mine["estimate"], "assumed", "-"
        row["note"] = "Fixed in the structure that predicts trials best, see calibrate/found/structures.tsv."
    elif mine is not None:
        scale = mine["scale"].replace("none", "its")
        note = (
            f"Median of the posterior on trials, 90 % {mine['lower']} to {mine['upper']}; "
            f"prior {mine['prior']}, {scale} sd {mine['prior_sd']}; contraction {mine['contraction']}."
        )
        _fill(row, mine["estimate"], float(mine["recalled"]), SOURCE, note)
    spread = found.get(SPREAD + row["name"]) if "spread" in row else None
    if spread is not None:
        row["spread"] = spread["estimate"]
    raised = found.get(f"{TITRATION}raise_below") if name == f"{TITRATION}lower_above" else None
    if raised is not None:
        row["value"] = f"{LOWER_OVER_RAISE * float(raised['estimate']):.4g}"
    return any(each is not None for each in (mine, spread, raised))


def write_scores(scores: Sequence[Score], folder: Path) -> Path:
    """How well each structure predicts trials that it has not seen."""
    return _write(folder / "structures.tsv", list(STRUCTURES), as_rows(scores))


def write_reached(rows: Sequence[Mapping[str, str]], folder: Path) -> list[Path]:
    """reached.tsv; nothing where the figures tell none of it."""
    return [_write(folder / "reached.tsv", REACHED, rows)] if rows else []


def read_estimates(path: Path) -> dict[str, dict[str, str]]:
    """response.tsv by name."""
    return {row["name"]: row for row in rows_of(path)}
