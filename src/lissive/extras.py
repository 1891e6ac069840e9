"""Extras of the package: what each is for and the modules that it brings, said in one message where they are missing.

>>> need("none", "This example", among={"none": ["json"]})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from lissive.errors import LissiveError

EXTRAS: Mapping[str, Sequence[str]] = {
    "simulate": ("pandas", "xarray"),
    "trials": ("statsmodels", "lifelines", "pandas"),
    "bayes": ("emcee", "arviz", "h5netcdf", "threadpoolctl"),
    "sensitivity": ("SALib",),
    "web": ("django", "allauth", "csp", "argon2", "qrcode", "waitress", "whitenoise"),
}
"""Extra to the modules whose absence is told before a run begins."""


def need(
    extra: str,
    what: str,
    *,
    where: str = "",
    wrong: type[LissiveError] = LissiveError,
    among: Mapping[str, Sequence[str]] = EXTRAS,
) -> None:
    """Refuse what needs an extra that is not installed.

    Parameters
    ----------
    extra : its name in `pip install 'lissive[NAME]'`.
    what : what needs it, as the beginning of a sentence in the singular.
    where : the option, field or command that asked.

    Raises       `wrong` with the packages that are missing and the command that installs them.
    """
    if missing := [name for name in among[extra] if find_spec(name) is None]:
        are = "is" if len(missing) == 1 else "are"
        raise wrong(
            f"{what} needs {', '.join(missing)}, which {are} not installed.",
            where=where,
            do=f"pip install 'lissive[{extra}]'.",
        )
