"""What takes seconds, beside the pages: one worker, a bounded queue, and results that are kept for some minutes."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lissive.case import Case, make_case
from lissive.case_answer import CaseAnswer, answer
from lissive.errors import LissiveError
from lissive.handout.page import report_content

SUBJECTS, SEED = 400, 1
"""Virtual patients of a forecast on a page, so that it takes some seconds; the command line has 1,000."""
QUEUE = 12
KEPT_S, MOST_KEPT = 600.0, 100
DAYS = 7

log = logging.getLogger(__name__)


class Busy(LissiveError):
    """The queue is full."""


@dataclass
class Job:
    """One piece of work: how far it is, and what came of it."""

    total: int = 0
    done: int = 0
    result: Any = None
    failed: str = ""
    """What the visitor is told."""
    ended: float | None = None
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def share(self) -> int:
        return min(99, 100 * self.done // self.total) if self.total else 0


@dataclass
class Desk:
    """The worker and what it has made, by keys that nobody can guess. One thread: figures are drawn one at a time."""

    queue: int = QUEUE
    now: Callable[[], float] = time.monotonic
    jobs: dict[str, Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "lissive-work"))

    def start(self, work: Callable[[Job], Any], total: int = 0) -> str:
        """The key of the work, which begins when those before it are done. Raises Busy."""
        with self._lock:
            self._forget()
            if sum(1 for job in self.jobs.values() if job.ended is None) >= self.queue:
                raise Busy("Many forecasts are being made just now.", do="try again in a minute.")
            key, job = secrets.token_urlsafe(18), Job(total)
            self.jobs[key] = job
        self._pool.submit(self._do, job, work)
        return key

    def job(self, key: str) -> Job | None:
        """None where there is none, or no longer."""
        with self._lock:
            self._forget()
            return self.jobs.get(key)

    def made(self, work: Callable[[Job], Any], wait_s: float = 120.0) -> Any:
        """What comes of a piece of work that is waited for; it is not kept."""
        key = self.start(work)
        job = self.jobs[key]
        is_done = job.finished.wait(wait_s)
        with self._lock:
            self.jobs.pop(key, None)
        if not is_done:
            raise Busy("This takes longer than it should.", do="try again in a minute.")
        if job.failed:
            raise LissiveError(job.failed)
        return job.result

    def before(self, job: Job) -> int:
        """How many are to be done first."""
        with self._lock:
            waiting = [each for each in self.jobs.values() if each.ended is None]
        return waiting.index(job) if job in waiting else 0

    def _do(self, job: Job, work: Callable[[Job], Any]) -> None:
        try:
            job.result = work(job)
        except LissiveError as error:
            job.failed = str(error)
        except Exception:
            log.exception("work")
            job.failed = "This could not be done because of a fault in the program."
        finally:
            job.ended = self.now()
            job.finished.set()

    def _forget(self) -> None:
        now = self.now()
        old = [key for key, job in self.jobs.items() if job.ended is not None and now - job.ended > KEPT_S]
        ended = [key for key, job in self.jobs.items() if job.ended is not None and key not in old]
        for key in [*old, *ended[: max(0, len(ended) - MOST_KEPT)]]:
            del self.jobs[key]


desk = Desk()


def start_forecast(case: Case, show: Callable[[CaseAnswer], str]) -> str:
    """The key of a forecast; its result is what `show` makes of the answer."""

    def work(job: Job) -> str:
        def tick(day: int) -> None:
            job.done = day

        return show(answer(case, subjects=SUBJECTS, seed=SEED, threads=1, progress=tick))

    return desk.start(work, total=(case.plan.weeks or 0) * DAYS)


def warm_up() -> None:
    """Read and draw everything once, before the first visitor waits for it."""
    plan, spasm = {"product": "nabiximols", "titration": "label", "weeks": 1}, {"cause": "multiple_sclerosis"}
    place = {"residence": "GB"}
    case = make_case({"case": "a", "as_of": "2026-01-01", "place": place, "spasm": spasm, "plan": plan})
    desk.start(lambda _: report_content(answer(case, subjects=20, threads=1)))
