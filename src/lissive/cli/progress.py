"""A bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[float], None] | None]:
    """Gives what is to be told how much is done, in whole numbers or parts of them; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with _shown() as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)


@contextmanager
def bars() -> Iterator[Callable[[str, float], None] | None]:
    """The same for a run of several steps: told the step and the proportion of it that is done."""
    if not sys.stderr.isatty():
        yield None
        return
    with _shown() as shown:
        tasks: dict[str, TaskID] = {}

        def update(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = shown.add_task(step, total=1.0)
            shown.update(tasks[step], completed=done)

        yield update


def _shown() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    # what is told comes in bursts (days are simulated, then all is analysed): the speed is a mean of two minutes
    return Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=120.0)
