"""Lissive: the endocannabinoid system, THC and CBD, and muscle spasm, in numbers.

The verbs of the terminal are functions here, loaded when they are first used:

    import lissive
    case = lissive.read_case("case.yaml")
    lissive.answer(case, subjects=1000).forecast
    lissive.simulate("lissive", events="events.csv", until=24.0, every=1.0)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lissive.version import __version__ as __version__

if TYPE_CHECKING:
    from lissive.access.decide import decide
    from lissive.case.read import read_case
    from lissive.case_answer import answer
    from lissive.evidence.answer import pool
    from lissive.evidence.claim import claims
    from lissive.follow.diary import read_diary
    from lissive.follow.run import follow_up
    from lissive.forecast.predict import predict
    from lissive.model.read import load
    from lissive.report.cite import cite
    from lissive.report.run_figures import plot, vpc
    from lissive.simulation.solve import simulate
    from lissive.trials.design import read_design
    from lissive.trials.power import power
    from lissive.trials.run import run_trial
    from lissive.validation.run import validate
    from lissive.validation.skill import reproduce

__all__ = [
    "answer",
    "cite",
    "claims",
    "decide",
    "follow_up",
    "load",
    "plot",
    "pool",
    "power",
    "predict",
    "read_case",
    "read_design",
    "read_diary",
    "reproduce",
    "run_trial",
    "simulate",
    "validate",
    "vpc",
]


_VERBS = {
    "load": "lissive.model.read:load",
    "simulate": "lissive.simulation.solve:simulate",
    "plot": "lissive.report.run_figures:plot",
    "vpc": "lissive.report.run_figures:vpc",
    "read_case": "lissive.case.read:read_case",
    "answer": "lissive.case_answer:answer",
    "decide": "lissive.access.decide:decide",
    "pool": "lissive.evidence.answer:pool",
    "claims": "lissive.evidence.claim:claims",
    "read_diary": "lissive.follow.diary:read_diary",
    "follow_up": "lissive.follow.run:follow_up",
    "predict": "lissive.forecast.predict:predict",
    "read_design": "lissive.trials.design:read_design",
    "run_trial": "lissive.trials.run:run_trial",
    "power": "lissive.trials.power:power",
    "reproduce": "lissive.validation.skill:reproduce",
    "validate": "lissive.validation.run:validate",
    "cite": "lissive.report.cite:cite",
}
"""Verb → the module that has it and its name there; the imports above tell type checkers the same."""


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module 'lissive' has no attribute {name!r}")
    module, _, verb = _VERBS[name].partition(":")
    return getattr(import_module(module), verb)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
