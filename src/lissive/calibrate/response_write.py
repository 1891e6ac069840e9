"""What the fit on trials found, as files: an ArviZ data set, draws and a table of estimates, and the tables with the
posterior's medians in them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lissive.calibrate.response import Posterior, Prior
from lissive.calibrate.response_data import Datum
from lissive.calibrate.write import MOSTLY_RECALLED, write_table
from lissive.files import atomic_path
from lissive.model.parameters import FOLDER, RECALLED
from lissive.table import rows_of
from lissive.trials.people import BETWEEN, LOWER_OVER_RAISE, RATING, SPREAD, TIED, TITRATION
from lissive.trials.published import Observed

THIN = 8
"""Every so many draws of what the emulator says are kept; the parameters are kept whole."""
DRAWS = 400
"""Draws that are shipped as a table, for predictions."""
HEAD = "name scale estimate se lower upper prior prior_sd contraction rhat ess recalled trials".split()
SOURCE = "trials2026"
"""Key of the calibration itself in the tables of sources."""
HERE = Path(__file__).parents[1]
TABLES = {
    TITRATION: HERE / "simulation" / "titration.tsv",
    RATING: HERE / "simulation" / "ratings.tsv",
    BETWEEN: HERE / "trials" / "between.tsv",
}


def inference_data(posterior: Posterior, prior_draws: int = 1000) -> Any:
    """The posterior, the prior, what was observed and what the emulator says of it, as arviz.InferenceData."""
    arviz = _arviz()
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
    data.attrs |= {"seed": posterior.seed, "runs": posterior.runs, "acceptance": posterior.acceptance.mean()}
    return data


def _arviz() -> Any:
    """The library, without its announcement of a later version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz


def label(datum: Datum) -> str:
    """A figure in words."""
    o = datum.observed
    against = f" against {o.against}" if o.against else ""
    return f"{o.trial}: {o.arm}{against}, {o.endpoint}, {o.statistic}"


def estimates(posterior: Posterior) -> list[dict[str, str]]:
    """A row for each parameter: median, spread and 90 % range, what of the prior is left, convergence, trials."""
    arviz, rows = _arviz(), []
    for k, prior in enumerate(posterior.priors):
        z, values = posterior.z[..., k], posterior.values[..., k]
        walks = posterior.chains[..., k].swapaxes(1, 2).reshape(-1, posterior.chains.shape[1])
        informing = _informing(posterior, k)
        low, mid, high = np.quantile(values, [0.05, 0.5, 0.95])
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
                "rhat": f"{float(arviz.rhat(walks)):.3f}",
                "ess": f"{float(arviz.ess(walks)):.0f}",
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
        write_table(folder / "response.tsv", HEAD, rows),
        write_table(folder / "response_draws.csv", names, draws, ","),
    ]
    return written + _tables({row["name"]: row for row in rows}, posterior.priors, folder)


def _tables(found: Mapping[str, Mapping[str, str]], priors: Sequence[Prior], folder: Path) -> list[Path]:
    """The tables that hold these parameters, with the medians in them."""
    by_name = {p.name: p for p in priors}
    written = []
    for path in [*sorted(FOLDER.glob("*.tsv")), *TABLES.values()]:
        prefix = next((p for p, table in TABLES.items() if table == path), "")
        rows = rows_of(path)
        head = list(rows[0])
        if "provenance" not in head or "name" not in head or "cause" in head:
            continue
        changed = False
        for row in rows:
            name = prefix + row["name"]
            if name in found:
                _fill(row, "value", found[name], by_name[name])
                changed = True
            if SPREAD + row["name"] in found and "spread" in row:
                row["spread"] = found[SPREAD + row["name"]]["estimate"]
                changed = True
            if (main := next((a for a, b in TIED.items() if b == row["name"]), "")) in found and not prefix:
                _fill(row, "value", found[main], by_name[main])
                changed = True
            if prefix + row["name"] == f"{TITRATION}lower_above" and (
                raised := found.get(f"{TITRATION}raise_below")
            ):
                row["value"] = f"{LOWER_OVER_RAISE * float(raised['estimate']):.4g}"
                changed = True
        if changed:
            written.append(write_table(folder / path.name, head, rows))
    return written


def _fill(row: dict[str, str], column: str, found: Mapping[str, str], prior: Prior) -> None:
    row[column] = found["estimate"]
    row["provenance"] = "fitted" + (RECALLED if float(found["recalled"]) > MOSTLY_RECALLED else "")
    row["source"] = SOURCE
    row["note"] = (
        f"Median of the posterior on trials, 90 % {found['lower']} to {found['upper']}; "
        f"prior {found['prior']}, {found['scale']} sd {found['prior_sd']}; contraction {found['contraction']}."
    )


def read_estimates(path: Path) -> dict[str, dict[str, str]]:
    """response.tsv by name."""
    return {row["name"]: row for row in rows_of(path)}
