"""The same work on a Dask cluster: `local`, or the address of a scheduler (tcp://… or tls://…).

A worker that is killed costs the chunk that it had: Dask gives it to another one. What a task made is on disk by the
time it ends, so nothing travels back but the word that it is done.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import pickle
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.errors import SimulationError
from lissive.fingerprint import of_folder
from lissive.version import __version__

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+):\d{1,5}")
_ANSWERS = "10s"
"""So long a scheduler may take to answer."""
_LOOK = 2.0
"""Seconds between two looks at whether scheduler and workers are there."""
_SAME = ("numpy", "scipy", "llvmlite", "distributed")
"""Packages that have to be the same everywhere: numbers, or how tasks travel, rest on them."""
_NOTHING = logging.CRITICAL + 1
_ABOUT = "__import__('lissive.cluster', fromlist=['about']).about()"
_TASK = "__import__('lissive.cluster', fromlist=['carried']).carried(versions, task)"
"""What is sent is text and bytes: a worker that cannot read our own objects would end without a word."""

Say = Callable[[str], None]


def check_address(address: str) -> None:
    """Refuse what is no address, or a cluster without Dask, before anything is computed."""
    if address != LOCAL and not _ADDRESS.fullmatch(address):
        raise SimulationError(
            f"{address!r} is no address of a Dask scheduler.",
            where="--cluster",
            allowed="local, tcp://HOST:PORT or tls://HOST:PORT.",
            do="copy the address that `dask scheduler` prints.",
        )
    if importlib.util.find_spec("distributed") is None:
        raise SimulationError(
            "A run on a cluster needs Dask, which is not installed.",
            where="--cluster",
            do="pip install 'lissive[cluster]'.",
        )


def about() -> dict[str, str]:
    """What has to be the same here, on the scheduler and on every worker."""
    folder = Path(__file__).parent
    files = of_folder(folder, "**/*.py")[:12] + of_folder(folder, "**/*.tsv")[:4]
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "lissive": __version__,
        "python": python,
        **{name: metadata.version(name) for name in _SAME},
        "files of lissive": files,
    }


def same_as(mine: Mapping[str, str], other: object, who: str) -> None:
    """Raises SimulationError where `who` has not lissive, or not what is here."""
    do = "install the same environment on this machine and all workers."
    if isinstance(other, ImportError):
        raise SimulationError(f"Lissive is not installed there ({other}).", where=who, do=do)
    if isinstance(other, Exception):
        raise SimulationError(f"It could not be asked for its versions ({other!r}).", where=who, do=do)
    assert isinstance(other, dict)
    if differ := [name for name in mine if other.get(name) != mine[name]]:
        said = ", ".join(f"{name} {other.get(name, 'none')} (here {mine[name]})" for name in differ)
        raise SimulationError(f"Its versions differ: {said}.", where=who, do=do)


def spread(
    task: Callable[[Any], None],
    arguments: Sequence[Any],
    address: str,
    *,
    done: Callable[[int], None],
    say: Say,
    kept: Callable[[], str],
) -> None:
    """`task` for each argument, on the workers of a cluster.

    Parameters
    ----------
    done : called with the place of each argument whose task has ended well.
    say : told that there is no worker.
    kept : what an error says of the chunks that are finished by then, and how to go on.

    Raises       SimulationError, or what a task raised.
    """
    from distributed import wait

    with (
        _quiet(),
        _connected(address, kept) as client,
        client.as_current(),
    ):  # `wait` looks for the current one
        mine = about()
        _check(client, mine)
        with _scheduler_there(address, kept):
            names = (f"chunk-{os.getpid()}-{os.urandom(4).hex()}-{k}" for k in range(len(arguments)))
            waiting = {
                client.submit(
                    eval, _TASK, {"versions": mine, "task": pickle.dumps((task, each))}, key=name, pure=False
                ): k
                for k, (each, name) in enumerate(zip(arguments, names, strict=True))
            }
            told = False
            while waiting:
                with suppress(TimeoutError):
                    wait(list(waiting), timeout=_LOOK, return_when="FIRST_COMPLETED")
                for future in [each for each in waiting if each.done()]:
                    _result(future, kept)
                    done(waiting.pop(future))
                alone = bool(waiting) and not client.scheduler_info()["workers"]
                if alone and not told and address != LOCAL:  # there they are still starting
                    say(f"there is no worker at {address}; waiting for one (Ctrl-C to stop). {kept()}")
                told = alone


def carried(versions: Mapping[str, str], pickled: bytes) -> None:
    """On a worker: one task, where the versions are the same."""
    same_as(versions, about(), worker_name())
    task, argument = pickle.loads(pickled)
    task(argument)


def _result(future: Any, kept: Callable[[], str]) -> None:
    from distributed import KilledWorker

    try:
        future.result()
    except KilledWorker as error:
        last = error.last_worker.address if error.last_worker else "unknown"
        raise SimulationError(
            f"One chunk ended {error.allowed_failures + 1} workers one after the other, the last {last}: most often "
            "for want of memory.",
            where="--cluster",
            do=f"give workers more memory, or start fewer of them on a machine. {kept()}",
        ) from None
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "lissive":
            same_as({}, error, "one of the workers")
        raise


def _check(client: Client, mine: Mapping[str, str]) -> None:
    """Scheduler and workers that are there; others look themselves when they get a task."""
    known = client.run_on_scheduler(metadata.version, "distributed")
    same_as({"distributed": mine["distributed"]}, {"distributed": known}, "the scheduler")
    for address, other in client.run(eval, _ABOUT, on_error="return").items():
        same_as(mine, other, f"the worker {address}")


@contextmanager
def _scheduler_there(address: str, kept: Callable[[], str]) -> Iterator[None]:
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (CancelledError, CommClosedError, TimeoutError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, CommClosedError | TimeoutError):
            raise  # a task's: a full disk, say
        raise SimulationError(
            "The scheduler no longer answers.", where=address, do=f"start it again. {kept()}"
        ) from None


@contextmanager
def _connected(address: str, kept: Callable[[], str]) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    if address == LOCAL:
        with (
            LocalCluster(
                n_workers=os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=_NOTHING,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        asyncio.run(_reach(address))
        client = Client(address, timeout=_ANSWERS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        first, *_ = *str(error).splitlines(), type(error).__name__  # some say nothing
        raise SimulationError(
            f"No scheduler answers ({first}).",
            where=address,
            do=f"start it with `dask scheduler`, or correct --cluster. {kept()}",
        ) from None
    except (TypeError, RuntimeError, ValueError) as error:  # tls without certificates
        raise SimulationError(
            f"No connection can be made ({error}).",
            where=address,
            do="for tls, name the certificates in Dask's configuration (distributed.comm.tls).",
        ) from None
    try:
        yield client
    finally:
        with suppress(Exception):  # whatever it was before goes on
            client.close(timeout=2)


async def _reach(address: str) -> None:
    """Whether something answers, asked before there is a client: one that fails leaves a thread and half of itself."""
    from distributed.comm import connect
    from distributed.security import Security

    comm = await connect(address, timeout=_ANSWERS, **Security().get_connection_args("client"))
    await comm.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own log and warnings would say in other words what is said here."""
    log = logging.getLogger("distributed")
    before = log.level
    log.setLevel(_NOTHING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def worker_name() -> str:
    """Where this runs, for a message."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        with suppress(ValueError):
            return f"the worker {get_worker().address}"
    return platform.node()
