"""Models and runs in the formats of other tools: PEtab problems, SED-ML files, OMEX archives; in and out.

What reads them (`petab`, `python-libsedml`, `python-libcombine`) is the extra `interchange`, loaded when it is needed.
"""

from __future__ import annotations

from importlib.util import find_spec

from lissive.errors import InterchangeError


def need(module: str, what: str) -> None:
    """Refuse, in one sentence, what a package is needed for that is not installed."""
    if find_spec(module) is None:
        package = {"petab": "petab"}.get(module, f"python-{module}")
        raise InterchangeError(
            f"{what} need {package}, which is not installed.", do="pip install 'lissive[interchange]'."
        )
