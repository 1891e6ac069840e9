"""Lissive: the endocannabinoid system, THC and CBD, and muscle spasm, in numbers.

The verbs of the terminal are functions here, loaded when they are first used:

    import lissive
    equations = lissive.load("lissive")
    run = lissive.simulate("lissive", events="events.csv", until=24.0, every=1.0)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_VERBS = {
    "load": ("lissive.model", "load"),
    "simulate": ("lissive.simulate.solve", "simulate"),
    "read_design": ("lissive.trials.read", "read_design"),
    "run_trial": ("lissive.trials.run", "run_trial"),
}
"""Verb → the module that has it and its name there. A verb may bear the name of its room."""

_ROOMS = {"simulate"}


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module 'lissive' has no attribute {name!r}")
    if name in _ROOMS:
        return import_module(f"lissive.{name}")
    module, verb = _VERBS[name]
    return getattr(import_module(module), verb)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VERBS})


class _Room(ModuleType):
    """A room that can be called by its verb: `lissive.simulate(...)` beside `lissive.simulate.events`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module, verb = _VERBS[self.__name__.rpartition(".")[2]]
        return getattr(import_module(module), verb)(*args, **kwargs)


class _House(ModuleType):
    """Importing a room sets it on this module, whoever imports it first; then it learns its verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ROOMS and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _House
