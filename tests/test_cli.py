"""The terminal door, through its real entry point."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

import lissive
from lissive.cli import main as door
from lissive.errors import CaseError
from lissive.simulation.solve import Inputs


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lissive", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_version_is_answered():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"lissive {lissive.__version__}\n")


def test_version_loads_nothing_heavy():
    code = "import sys; from lissive.cli.main import main; main(['--version']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"typer", "rich", "numpy", "pandas"} & set(done.stdout.split())


def test_the_installed_command_is_the_same():
    command = Path(sys.executable).with_name("lissive")
    if not command.exists():
        pytest.skip("run from a source tree without the installed command")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout == f"lissive {lissive.__version__}\n"


def test_help_names_every_command_and_the_limits():
    done = run("--help")
    assert done.returncode == 0
    assert "not a prescription" in done.stdout
    for name in door.COMMANDS:
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("name", door.COMMANDS)
def test_every_command_has_help(name, capsys):
    assert door.main([name, "--help"]) == 0
    assert capsys.readouterr().out.lstrip().startswith(f"Usage: lissive {name}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["relax"], "relax"),
        (["simulate", "m.ant", "--out", "x.csv", "--speed", "9"], "--speed"),
        (["simulate", "m.ant"], "--out"),
        (["simulate", "m.ant", "--until", "1", "--every", "1", "--out", "x.docx"], ".docx"),
        (["simulate", "m.ant", "--until", "1", "--out", "x.csv"], "--every"),
        (["simulate", "m.ant", "--until", "9", "--every", "1", "--times", "t", "--out", "x.csv"], "--times"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert door.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_process_exits_with_the_code_and_its_message():
    done = run("simulate", "m.ant", "--out", "x.csv", "--speed", "9")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--speed" in done.stderr
    assert "Traceback" not in done.stderr


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(words):
        raise error

    monkeypatch.setattr(door, "_run", stop)


def test_a_mistake_in_a_case_is_told_with_place_and_remedy(monkeypatch, capsys):
    fail_with(CaseError("weight_kg is 0.", where="case.yaml:4", allowed="20 to 350 kg."), monkeypatch)
    assert door.main([]) == 2
    assert capsys.readouterr().err == "lissive: case.yaml:4: weight_kg is 0. Allowed: 20 to 350 kg.\n"


def test_a_missing_file_is_named(monkeypatch, capsys):
    fail_with(FileNotFoundError(2, "No such file or directory", "doses.csv"), monkeypatch)
    assert door.main([]) == 2
    do = "check the path, and who may read or write there."
    assert capsys.readouterr().err == f"lissive: doses.csv: No such file or directory. What to do: {do}\n"


@pytest.fixture
def solver(monkeypatch):
    """Stands in for the solver: keeps what it was asked, writes a file, says how many failed."""
    asked: dict[str, object] = {}

    def simulate_files(inputs, out, **beside):
        defaults = vars(Inputs(model=None))
        asked.update({name: value for name, value in vars(inputs).items() if value != defaults[name]})
        asked.update(beside)
        out.write_text("done")
        return {"subjects": 3, "failed": asked.get("seed", 0)}

    module = types.ModuleType("lissive.simulation.parts")
    module.simulate_files = simulate_files
    monkeypatch.setitem(sys.modules, "lissive.simulation.parts", module)
    return asked


def test_simulate_hands_on_what_was_asked(solver, tmp_path):
    out = tmp_path / "run.csv"
    words = [
        "simulate",
        "m.ant",
        "--until",
        "24",
        "--every",
        "0.5",
        "--select",
        "S1, [S1],k",
        "--subjects",
        "3",
    ]
    assert door.main([*words, "--rtol", "1e-5", "--out", str(out)]) == 0
    assert out.read_text() == "done"
    how = solver.pop("how")
    assert (how.cluster, how.resume, how.force) == (None, False, False)
    assert solver == {
        "model": "m.ant", "subjects": 3, "until": 24.0, "every": 0.5, "select": ["S1", "[S1]", "k"],
        "rtol": 1e-5, "look": None, "force": False,
    }  # fmt: skip


def test_a_failed_subject_is_a_finding(solver, tmp_path, capsys):
    out = tmp_path / "run.csv"
    words = ["simulate", "m.ant", "--times", "t.csv", "--subjects", "s.csv", "--seed", "2", "--json"]
    assert door.main([*words, "--out", str(out)]) == 1
    assert json.loads(capsys.readouterr().out) == {"subjects": 3, "failed": 2, "out": str(out)}
    assert solver["subjects"] == Path("s.csv")
    assert solver["times"] == Path("t.csv")


def test_an_interruption_exits_130(monkeypatch):
    fail_with(KeyboardInterrupt(), monkeypatch)
    assert door.main([]) == 130


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    fail_with(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        door.main([])


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="pipes close differently here")
def test_a_reader_that_leaves_early_sees_no_traceback():
    with subprocess.Popen(
        [sys.executable, "-m", "lissive", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == ""


@pytest.mark.parametrize("names", [",", "", " , ", "S1,,k", "S1,"])
def test_a_selection_of_nothing_is_refused(names, capsys):
    words = ["simulate", "m.ant", "--out", "r.csv", "--until", "1", "--every", "1", "--select", names]
    assert door.main(words) == 2
    assert "--select" in capsys.readouterr().err
