"""Spoilt inputs through the terminal door: no traceback, no crash, none over 20 s or 2 GB.

    python -m tests.hostile.campaign --count 6000    all of them, on all cores
    python -m tests.hostile.campaign 4711            that one again, and the smallest input that fails in the same way

An input is known by its number. They run in a few forked processes, each with a limit of memory and of processor time,
so that what ends the process is caught, and is known to be of the input that was being read.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from lissive.cli.main import main

from .kinds import KINDS, TABLES, Kind
from .mutate import spoil

SECONDS, GIGABYTES = 20, 2.0
"""Of processor time, so that a busy machine makes no failure; and of memory beyond what is there at the start."""


@dataclass(frozen=True)
class Input:
    """One spoilt input and how it is given."""

    index: int
    kind: Kind
    seed: Path
    command: str
    encoding: str
    data: bytes
    how: Sequence[str]


@dataclass(frozen=True)
class Failure:
    """What went wrong with an input; `where` is the same for the same fault."""

    index: int
    kind: str
    fault: str
    where: str
    text: str
    command: str
    how: Sequence[str]


def made(index: int) -> Input:
    """The input of that number."""
    random = Random(f"hostile {index}")
    kind = random.choices(KINDS, [each.weight for each in KINDS])[0]
    seed, command = random.choice(kind.files), random.choice(kind.commands)
    encoding = random.choice(["utf-8"] * 4 + ["ascii", "cp1252"])
    data, how = spoil(random, seed.read_bytes())
    return Input(index, kind, seed, command, encoding, data, how)


def words_of(one: Input, folder: Path) -> list[str]:
    """The command's words, once the input and what it needs beside it are in the folder."""
    place = folder / f"input{one.seed.suffix if one.seed.name != 'run.meta.json' else '.json'}"
    if one.kind.name == "tables":
        shutil.copytree(TABLES, folder / "tables", dirs_exist_ok=True)
        place = folder / "tables" / one.seed.name
    if one.kind.name == "run":
        shutil.copy(one.seed.with_name("two.ant"), folder)
    place.write_bytes(one.data)
    named = {"INPUT": place.name, "FOLDER": "tables"}
    return [named.get(word, word.replace("OUT.", "made.")) for word in one.command.split()]


def attempt(one: Input) -> Failure | None:
    """Give the input to lissive in this process, and hold what happens against what is promised."""
    with tempfile.TemporaryDirectory() as folder:
        words = words_of(one, Path(folder))
        there = {path.name for path in Path(folder).iterdir()}
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=one.encoding) for _ in range(2))
        found: tuple[str, str, str] | None
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                with warnings.catch_warnings(record=True) as warned:
                    warnings.simplefilter("always", RuntimeWarning)
                    warnings.simplefilter("always", UserWarning)
                    code = main(words)
            except BaseException as error:
                found = ("traceback", _frame(error), "".join(traceback.format_exception(error)[-12:]))
            else:
                new = {path.name for path in Path(folder).iterdir()} - there
                said = [_said(each) for each in (out, err)]
                found = _broken(code, *said, new, warned, "--json" in words)
    return found and Failure(one.index, one.kind.name, *found, " ".join(words), one.how)


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return raw.decode(stream.encoding)


def _frame(error: BaseException) -> str:
    own = [each for each in traceback.extract_tb(error.__traceback__) if "lissive" in each.filename]
    last = own[-1] if own else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.name}:{type(error).__name__}"


def _broken(
    code: int, out: str, err: str, new: set[str], warned: Iterable[Any], as_json: bool
) -> tuple[str, str, str] | None:
    """Which promise is not kept, where, and what was seen; nothing where all are."""
    for each in warned:
        if issubclass(each.category, RuntimeWarning | UserWarning):
            return "warning", f"{Path(each.filename).name}:{each.category.__name__}", str(each.message)
    if code not in (0, 1, 2):
        return "exit code", str(code), err
    if code == 2 and not (err.startswith("lissive: ") or "Usage: lissive" in err):
        return "no message", "", err + out
    if code == 2 and (new or out):
        return "left behind", " ".join(sorted(new)), out
    if as_json and code != 2:
        try:
            json.loads(out, parse_constant=_no_number)
        except ValueError as error:
            return "no JSON", "", f"{error}: {out[:300]}"
    return None


def _no_number(word: str) -> None:
    raise ValueError(word)


# -- processes ----------------------------------------------------------------------------------------
def in_a_process(inputs: Iterable[Input], limit_s: int = SECONDS) -> tuple[int, int]:
    """Fork a process that tries these inputs; its id, and the pipe in which it says what it is at and has found."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        _confine()
        with os.fdopen(write, "w", buffering=1) as pipe:
            for one in inputs:
                pipe.write(f"{one.index}\n")
                signal.setitimer(signal.ITIMER_PROF, limit_s)
                signal.alarm(15 * limit_s)  # for what waits and does nothing
                start = time.process_time()
                failure = attempt(one)
                signal.setitimer(signal.ITIMER_PROF, 0)
                done = {"seconds": time.process_time() - start, "failure": failure and asdict(failure)}
                pipe.write(json.dumps(done) + "\n")
    finally:
        os._exit(0)
    raise AssertionError("not reached")


def _confine() -> None:
    """Limits for this process; nothing that C++ prints is seen."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():
        now = int(statm.read_text().split()[0]) * resource.getpagesize()
        limit = now + int(GIGABYTES * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _ended(index: int, status: int) -> Failure:
    one = made(index)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    name = signal.Signals(number).name if number else f"exit {status}"
    fault = "time" if number in (signal.SIGPROF, signal.SIGALRM) else "crash"
    return Failure(index, one.kind.name, fault, name, "", one.command, one.how)


def campaign(indices: Sequence[int], processes: int) -> tuple[list[Failure], float]:
    """All failures among these inputs, and the processor time of the slowest that came to an end."""
    left = [list(indices[k::processes]) for k in range(processes)]
    at: dict[int, tuple[int, int, list[str]]] = {}  # pipe: process, share of the work, lines not yet used
    failures: list[Failure] = []
    slowest = 0.0
    for share in range(processes):
        child, pipe = in_a_process(map(made, left[share]))
        at[pipe] = child, share, [""]
    while at:
        for pipe in select.select(list(at), [], [])[0]:
            child, share, lines = at[pipe]
            chunk = os.read(pipe, 65536).decode()
            *done, lines[0] = (lines[0] + chunk).split("\n")
            for said in (json.loads(line) for line in done if line.startswith("{")):
                left[share].pop(0)
                slowest = max(slowest, said["seconds"])
                failures += [Failure(**said["failure"])] if said["failure"] else []
            if chunk:
                continue
            os.close(pipe)
            status = os.waitpid(child, 0)[1]
            del at[pipe]
            if left[share]:  # it ended before its time, at the first that is left
                failures.append(_ended(left[share].pop(0), status))
                child, pipe = in_a_process(map(made, left[share]))
                at[pipe] = child, share, [""]
    return sorted(failures, key=lambda each: each.index), slowest


# -- one again ----------------------------------------------------------------------------------------
def again(one: Input) -> Failure | None:
    """The same in a process of its own."""
    child, pipe = in_a_process([one])
    with os.fdopen(pipe) as lines:
        said = lines.read().splitlines()
    status = os.waitpid(child, 0)[1]
    if len(said) < 2:
        return _ended(one.index, status)
    failure = json.loads(said[1])["failure"]
    return Failure(**failure) if failure else None


def smallest(one: Input, failure: Failure, most: int = 300) -> bytes:
    """A small input that fails in the same way: by halves, then by ever smaller parts, of lines and then of bytes."""
    data, tries = one.data, 0
    for split in (_lines, _bytes):
        parts, size = split(data), 0
        size = max(1, len(parts) // 2)
        while parts and tries < most:
            k, shorter = 0, False
            while k < len(parts) and tries < most:
                fewer = b"".join(parts[:k] + parts[k + size :])
                tries += 1
                now = again(replace(one, data=fewer))
                if now and (now.fault, now.where) == (failure.fault, failure.where):
                    parts, shorter = split(fewer), True
                else:
                    k += size
            if size == 1 and not shorter:
                break
            size = max(1, size // 2)
        data = b"".join(parts)
    return data


def _lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


def _bytes(text: bytes) -> list[bytes]:
    return [text[k : k + 1] for k in range(len(text))]


def warm_up(every: bool) -> None:
    """The commands on right inputs: what they load is then there for all, and that the inputs are right is seen."""
    for kind in KINDS if every else [kind for kind in KINDS if kind.name != "tables"]:
        for seed in kind.files if every else kind.files[:1]:
            for command in kind.commands:
                failure = attempt(Input(-1, kind, seed, command, "utf-8", seed.read_bytes(), ()))
                if failure:
                    raise SystemExit(f"the right input {seed.name} fails: {command}\n{failure.text}")


def told(failures: Sequence[Failure]) -> Iterator[str]:
    """Each fault once, with how often it was seen and the first number that shows it."""
    first = {(each.fault, each.where): each for each in reversed(failures)}
    times = Counter((each.fault, each.where) for each in failures)
    for key, each in sorted(first.items(), key=lambda item: item[1].index):
        yield f"{times[key]} x {each.fault} {each.where} [{each.kind}]: lissive {each.command}"
        yield f"   {', '.join(each.how)}; again: python -m tests.hostile.campaign {each.index}"
        yield "   " + "\n   ".join(each.text.rstrip().splitlines()[-3:])


def run(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("index", type=int, nargs="*")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    start = time.monotonic()
    for index in asked.index:
        _show(index)
    if not asked.count:
        return 0
    warm_up(every=asked.count > 300)
    indices = range(asked.first, asked.first + asked.count)
    failures, slowest = campaign(indices, asked.processes)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    kinds = Counter(made(index).kind.name for index in indices)
    print("\n".join(told(failures)))
    print(f"{asked.count} inputs ({', '.join(f'{n} {name}' for name, n in sorted(kinds.items()))}),")
    print(f"{len(failures)} failures; the slowest took {slowest:.1f} s, the largest process {peak:.1f} GB;")
    print(f"{time.monotonic() - start:.0f} s in all.")
    return 1 if failures else 0


def _show(index: int) -> None:
    one = made(index)
    failure = again(one)
    print(f"{index}: {one.kind.name} {one.seed.name} ({', '.join(one.how)}): lissive {one.command}")
    if failure is None:
        print(f"{len(one.data)} bytes: as promised.")
        return
    print(f"{failure.fault} {failure.where}\n{failure.text}")
    least = smallest(one, failure)
    Path("smallest" + one.seed.suffix).write_bytes(least)
    print(f"The smallest input found, {len(least)} bytes, is in smallest{one.seed.suffix}:\n{least[:2000]!r}")


if __name__ == "__main__":
    sys.exit(run())
