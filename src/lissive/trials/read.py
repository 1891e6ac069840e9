"""From a file to a trial's design, or to all that is wrong with it, each finding with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.given import path_of, whole
from lissive.marked import Loc, read_marked
from lissive.trials.design import Design
from lissive.typed import make_typed, read_typed


def read_design(path: str | Path) -> Design:
    """The design in a YAML or JSON file.

    Raises
    ------
    DesignError with every finding: file, line, field, what is allowed, what to do.
    """
    return read_typed(path, Design, DesignError, example="trial: a", thing="the design")


def make_design(data: Mapping[str, Any], *, where: str = "") -> Design:
    """The design in plain data; raises as `read_design` does."""
    return make_typed(data, Design, DesignError, where=where, thing="the design")


def planned(design: Design | str | Path, seed: int | None) -> tuple[Design, int]:
    """The design, read if it is a file, and the random seed: the one given, else the design's, else 1."""
    plan = (
        design
        if isinstance(design, Design)
        else read_design(path_of(design, wrong=DesignError, name="design"))
    )
    chosen = next(each for each in (seed, plan.seed, 1) if each is not None)
    return plan, whole("seed", chosen, wrong=DesignError, least=0)


@contextmanager
def located(path: str | Path) -> Iterator[None]:
    """What only turns out during simulation (nobody is eligible, say) is reported with its line in the file."""
    try:
        yield
    except DesignError as error:
        parts = error.where.split(".")
        if parts[0] not in Design.model_fields:
            raise
        _, lines = read_marked(Path(path), wrong=DesignError, example="trial: a")
        loc: Loc = tuple(parts)
        while loc and loc not in lines:  # a field that is not written: the nearest around it
            loc = loc[:-1]
        raise DesignError(
            f"{error.where}: {error.what}",
            where=f"{path}:{lines.get(loc, 1)}",
            allowed=error.allowed,
            do=error.do,
        ) from None


def design_schema() -> dict[str, Any]:
    """JSON Schema of a design, with the description and range of each field."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Design.model_json_schema()}
