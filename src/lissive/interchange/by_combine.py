"""libSEDML and libCOMBINE, in a process of their own: plain data in, plain data out, as JSON.

Their wrappers and that of libSBML register types of the same names (ASTNode, XMLNode); in one process the last one
loaded takes the others' objects for its own, which ends in wrong answers or a crash. A file that ends the C++ ends that
process alone, and is told. This file is run as a script, and imports nothing of Lissive when it is.
"""

from __future__ import annotations

import json
import sys
from typing import Any


# -- in the other process -----------------------------------------------------------------------------
def read(path: str) -> dict[str, Any]:
    """A SED-ML file: its lists of models, simulations, tasks, generators and outputs; its errors."""
    import libsedml

    with open(path, encoding="utf-8-sig") as file:
        sed = libsedml.readSedMLFromString(file.read())
    found = [sed.getError(k) for k in range(sed.getNumErrors())]
    serious = [each for each in found if each.getSeverity() >= libsedml.LIBSEDML_SEV_ERROR]
    if serious:
        return {"errors": [[each.getLine(), " ".join(each.getMessage().split())] for each in serious]}
    return {
        "errors": [],
        "models": [_model(each) for each in sed.getListOfModels()],
        "simulations": [_simulation(each) for each in sed.getListOfSimulations()],
        "tasks": [_task(each) for each in sed.getListOfTasks()],
        "generators": [_generator(each) for each in sed.getListOfDataGenerators()],
        "outputs": [_output(each) for each in sed.getListOfOutputs()],
    }


def _named(element: Any) -> dict[str, Any]:
    return {"id": element.getId(), "line": element.getLine(), "kind": element.getElementName()}


def _model(model: Any) -> dict[str, Any]:
    changes = [
        _named(each)
        | {"target": each.getTarget(), "new": each.getNewValue() if hasattr(each, "getNewValue") else ""}
        for each in model.getListOfChanges()
    ]
    return _named(model) | {
        "language": model.getLanguage(),
        "source": model.getSource(),
        "changes": changes,
    }


def _simulation(simulation: Any) -> dict[str, Any]:
    found = _named(simulation)
    algorithm = simulation.getAlgorithm()
    if algorithm is not None:
        found["algorithm"] = algorithm.getKisaoID().replace("_", ":")
        found["parameters"] = {
            each.getKisaoID().replace("_", ":"): each.getValue()
            for each in algorithm.getListOfAlgorithmParameters()
        }
    if found["kind"] == "uniformTimeCourse":
        by_steps = simulation.isSetNumberOfSteps()
        found |= {
            "initial": simulation.getInitialTime(),
            "start": simulation.getOutputStartTime(),
            "end": simulation.getOutputEndTime(),
            "steps": simulation.getNumberOfSteps() if by_steps else simulation.getNumberOfPoints(),
        }
    return found


def _task(task: Any) -> dict[str, Any]:
    found = _named(task)
    if found["kind"] == "task":
        found |= {"model": task.getModelReference(), "simulation": task.getSimulationReference()}
    return found


def _generator(generator: Any) -> dict[str, Any]:
    import libsedml

    variables = [
        _named(each)
        | {"task": each.getTaskReference(), "target": each.getTarget(), "symbol": each.getSymbol()}
        for each in generator.getListOfVariables()
    ]
    return _named(generator) | {
        "parameters": {each.getId(): each.getValue() for each in generator.getListOfParameters()},
        "variables": variables,
        "formula": libsedml.formulaToL3String(generator.getMath()) if generator.isSetMath() else "",
    }


def _output(output: Any) -> dict[str, Any]:
    found = _named(output)
    columns: list[list[str]] = []
    if found["kind"] == "report":
        columns = [[e.getLabel() or e.getId(), e.getDataReference()] for e in output.getListOfDataSets()]
    if found["kind"] == "plot2D":
        curves = list(output.getListOfCurves())
        names = [n for e in curves for n in (e.getXDataReference(), e.getYDataReference())]
        columns = [[name, name] for name in names]
    return found | {"columns": columns}


def write(
    model: str,
    language: str,
    end: float,
    steps: int,
    algorithm: str,
    parameters: dict[str, float],
    columns: Any,
) -> str:
    """SED-ML of one course and one report. columns : label, {variable: target; "" for the time}, formula"""
    import libsedml

    document = libsedml.SedDocument(1, 4)
    one = document.createModel()
    one.setId("model")
    one.setSource(model)
    one.setLanguage(language)
    course = document.createUniformTimeCourse()
    course.setId("course")
    course.setInitialTime(0.0)
    course.setOutputStartTime(0.0)
    course.setOutputEndTime(end)
    course.setNumberOfSteps(steps)
    method = course.createAlgorithm()
    method.setKisaoID(algorithm)
    for kisao, value in parameters.items():
        given = method.createAlgorithmParameter()
        given.setKisaoID(kisao)
        given.setValue(repr(value))
    task = document.createTask()
    task.setId("task")
    task.setModelReference("model")
    task.setSimulationReference("course")
    report = document.createReport()
    report.setId("run")
    for k, (label, variables, formula) in enumerate(columns):
        _column(document, report, k, label, variables, formula)
    return str(libsedml.writeSedMLToString(document))


def _column(document: Any, report: Any, k: int, label: str, variables: dict[str, str], formula: str) -> None:
    import libsedml

    generator = document.createDataGenerator()
    generator.setId(f"generator_{k}")
    generator.setName(label)
    for each, target in variables.items():
        variable = generator.createVariable()
        variable.setId(f"{each}_{k}")
        variable.setTaskReference("task")
        if target:
            variable.setTarget(target)
        else:
            variable.setSymbol("urn:sedml:symbol:time")
        formula = formula.replace(each, f"{each}_{k}")
    generator.setMath(libsedml.parseL3Formula(formula))
    column = report.createDataSet()
    column.setId(f"column_{k}")
    column.setLabel(label)
    column.setDataReference(f"generator_{k}")


def manifest(path: str) -> list[list[Any]] | None:
    """Location, format and whether it leads, of each entry of an archive; None where there is no manifest."""
    import libcombine

    archive = libcombine.CombineArchive()
    if not archive.initializeFromArchive(path):
        return None
    try:
        entries = [archive.getEntry(k) for k in range(archive.getNumEntries())]
        return [[str(e.getLocation()), str(e.getFormat()), bool(e.getMaster())] for e in entries]
    finally:
        archive.cleanUp()


def pack(path: str, files: list[list[Any]]) -> bool:
    """An archive of these files: name, text, format, whether it leads."""
    import libcombine

    archive = libcombine.CombineArchive()
    for name, text, kind, leads in files:
        archive.addFileFromString(text, name, kind, leads)
    return bool(archive.writeToFile(path))


# -- in this process ------------------------------------------------------------------------------------
def ask(do: str, **given: Any) -> Any:
    """What one of the functions above gives.

    Raises       InterchangeError where the package is not installed, or the process ends without an answer.
    """
    import subprocess

    from lissive.errors import InterchangeError
    from lissive.interchange import need

    if do in ("read", "write"):
        need("libsedml", "SED-ML files")
    else:
        need("libcombine", "OMEX archives")
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps({"do": do, **given}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"]
        library = "libSEDML" if do in ("read", "write") else "libCOMBINE"
        raise InterchangeError(
            f"{library} cannot handle it ({lines[-1]}).",
            where=str(given.get("path", "")),
            do="check the file.",
        )
    return json.loads(done.stdout)


if __name__ == "__main__":
    request = json.load(sys.stdin)
    answers = {each.__name__: each for each in (read, write, manifest, pack)}
    json.dump(answers[request.pop("do")](**request), sys.stdout)
