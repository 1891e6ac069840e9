"""Real schedulers and workers: the same bits as on one machine, whoever is killed in the middle of a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.test_chunks import DESIGN

from lissive.cli import main as door
from lissive.simulation import parts

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.slow

MISSING = 'raise ModuleNotFoundError("No module named \'lissive\'", name="lissive")\n'
OLD = 'def about():\n    return {"lissive": "0.0.1"}\n'
FEW = ["simulate", "lissive", "--subjects", "24", "--seed", "4", "--until", "48", "--every", "12"]


class Cluster:
    """A scheduler and its workers, processes of this test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self._says(self.scheduler, r"Scheduler at:\s+(tcp://\S+)")

    def worker(self, code: str = "") -> subprocess.Popen[bytes]:
        """`code`: what is there in place of lissive, if that is not the one here."""
        place = self.folder / f"packages-{len(self.processes)}"
        if code:
            (place / "lissive").mkdir(parents=True)
            (place / "lissive" / "__init__.py").write_text(code if code is MISSING else "")
            (place / "lissive" / "cluster.py").write_text(code)
        words = (self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
        process = self._start("worker", *words, PYTHONPATH=str(place))
        self._says(process, r"(Registered to)")
        return process

    def _start(self, what: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **more}
            )
        self.processes.append(process)
        return process

    def _says(self, process: subprocess.Popen[bytes], what: str) -> str:
        log = self.folder / f"{self.processes.index(process)}.log"
        for _ in range(1200):
            if found := re.search(what, log.read_text()):
                return found[1]
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def long_run(tmp_path_factory) -> Iterator[tuple[list[str], bytes]]:
    """A run of some seconds in ten chunks, and its bytes on one machine."""
    folder = tmp_path_factory.mktemp("one")
    (folder / "doses.csv").write_text("ID,TIME,EVID,AMT,CMT,II,ADDL\n1,0,1,8586,THC_spray,12,27\n")
    words = [
        "simulate", "lissive", "--subjects", "80", "--seed", "3", "--events", str(folder / "doses.csv"),
        "--until", "336", "--every", "24", "--select", "NRS",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_LEAST", 8)
        patch.setattr(parts, "_MOST", 8)
        assert door.main([*words, "--out", str(folder / "one.parquet")]) == 0
        yield words, (folder / "one.parquet").read_bytes()


def while_running(folder: Path, act: Callable[[], None]) -> threading.Thread:
    """Does something once the first chunk is there."""

    def watch() -> None:
        for _ in range(1200):
            if list(folder.glob("*.npz")):
                break
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_killed_worker_costs_its_chunk(cluster, long_run, tmp_path):
    words, expected = long_run
    first, _ = cluster.worker(), cluster.worker()
    out = tmp_path / "a.parquet"
    killer = while_running(tmp_path / "a.parquet.parts", first.kill)
    assert door.main([*words, "--cluster", cluster.address, "--out", str(out)]) == 0
    killer.join()
    assert first.wait() < 0
    assert out.read_bytes() == expected


def test_a_killed_scheduler_is_gone_on_from(cluster, long_run, tmp_path, capsys, monkeypatch):
    words, expected = long_run
    monkeypatch.setattr("lissive.cluster._ANSWERS", "2s")
    cluster.worker()
    out = tmp_path / "a.parquet"
    killer = while_running(tmp_path / "a.parquet.parts", cluster.scheduler.kill)
    assert door.main([*words, "--cluster", cluster.address, "--out", str(out)]) == 2
    killer.join()
    said = capsys.readouterr().err
    assert f"{cluster.address}: The scheduler no longer answers. What to do: start it again." in said
    assert "run the same command again with --resume" in said
    made = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a.parquet.parts").glob("*.npz")}
    assert 0 < len(made) < 10
    assert door.main([*words, "--resume", "--out", str(out)]) == 0
    assert out.read_bytes() == expected


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (MISSING, "Lissive is not installed there (No module named 'lissive')"),
        (OLD, "Its versions differ: lissive 0.0.1 (here "),
    ],
)
def test_a_worker_that_is_not_alike_is_one_message(cluster, code, said, tmp_path, capsys):
    cluster.worker(code)
    words = [*FEW, "--cluster", cluster.address, "--out", str(tmp_path / "a.parquet")]
    assert door.main(words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1


def test_a_trial_on_workers_is_the_trial_on_one_machine(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("lissive.trials.run.PATIENTS_AT_ONCE", 24)
    design = tmp_path / "design.yaml"
    design.write_text(DESIGN, encoding="utf-8")
    cluster.worker()
    for name, more in {"one": [], "workers": ["--cluster", cluster.address]}.items():
        words = ["trial", "run", str(design), "--replicates", "4", "--out", str(tmp_path / name), *more]
        assert door.main(words) == 0
    for path in (path for path in (tmp_path / "one").rglob("*") if path.is_file()):
        other = tmp_path / "workers" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes(), path


def test_one_machine_is_a_cluster_too(tmp_path):
    for name, more in {"one": [], "local": ["--cluster", "local"]}.items():
        command = [
            sys.executable,
            "-m",
            "lissive",
            *FEW,
            "--select",
            "NRS",
            *more,
            "--out",
            str(tmp_path / f"{name}.csv"),
        ]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
