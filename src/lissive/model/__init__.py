"""What does the body do? Model texts in Antimony, parameter tables, and the way from text to equations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lissive.model.equations import Equations

__all__ = ["load"]


def load(name_or_path: str | Path) -> Equations:
    """The equations of a shipped model (`lissive`, `benson2014`), an Antimony (.ant) or an SBML (.xml) file.

    >>> from lissive.model import load
    >>> len(load("benson2014").states)
    39
    """
    from lissive.model.read import load as load_now

    return load_now(name_or_path)
