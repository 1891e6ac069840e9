"""SED-ML and OMEX: what is exported runs as before; another tool's file runs as its mathematics says."""

from __future__ import annotations

import csv
import json
import zipfile
from math import exp
from pathlib import Path

import numpy as np
import pytest

import lissive
from lissive.cli import main as door
from lissive.errors import InterchangeError, LissiveError
from lissive.interchange.omex import open_omex
from lissive.interchange.sedml import Document, read_sedml
from lissive.model.check import to_sbml

pytestmark = pytest.mark.slow

MODEL = """
model d
  compartment v = 2; species A in v = 5; substanceOnly species B in v = 0
  J: A -> B; k*A
  k = 0.3
end
"""
SELECT = ["A", "[A]", "B", "[B]", "k", "v", "J"]
OTHERS = """<?xml version="1.0" encoding="UTF-8"?>
<sedML xmlns="http://sed-ml.org/sed-ml/level1/version2" level="1" version="2">
  <listOfSimulations>
    <uniformTimeCourse id="sim1" initialTime="0" outputStartTime="2" outputEndTime="10" numberOfPoints="4">
      <algorithm kisaoID="KISAO:0000019"/>
    </uniformTimeCourse>
  </listOfSimulations>
  <listOfModels>
    <model id="m1" language="urn:sedml:language:sbml" source="d.xml"/>
    <model id="m2" language="urn:sedml:language:sbml" source="m1">
      <listOfChanges><changeAttribute newValue="0.6"
        target="/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']/@value"/></listOfChanges>
    </model>
  </listOfModels>
  <listOfTasks>
    <task id="t1" modelReference="m1" simulationReference="sim1"/>
    <task id="t2" modelReference="m2" simulationReference="sim1"/>
  </listOfTasks>
  <listOfDataGenerators>
    <dataGenerator id="time">
      <listOfVariables><variable id="t" symbol="urn:sedml:symbol:time" taskReference="t1"/></listOfVariables>
      <math xmlns="http://www.w3.org/1998/Math/MathML"><ci>t</ci></math></dataGenerator>
    <dataGenerator id="ratio"><listOfVariables>
      <variable id="a" taskReference="t1" target="/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='A']"/>
      <variable id="b" taskReference="t2" target="/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='A']"/>
      </listOfVariables><listOfParameters><parameter id="p" value="100"/></listOfParameters>
      <math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>p</ci>
        <apply><divide/><ci>b</ci><ci>a</ci></apply></apply></math></dataGenerator>
  </listOfDataGenerators>
  <listOfOutputs><plot2D id="p1"><listOfCurves>
    <curve id="c" logX="false" logY="false" xDataReference="time" yDataReference="ratio"/>
  </listOfCurves></plot2D></listOfOutputs>
</sedML>
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.ant").write_text(MODEL)
    (tmp_path / "d.xml").write_text(to_sbml(MODEL))
    (tmp_path / "h.sedml").write_text(OTHERS)
    return tmp_path


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    return {name: np.array([float(row[k]) for row in rows]) for k, name in enumerate(header)}


def test_what_is_exported_runs_as_the_model_does(place, capsys):
    asked = ["d.ant", "--until", "4", "--every", "0.5", "--select", ",".join(SELECT), "--rtol", "1e-8"]
    assert door.main(["export", "sedml", *asked, "--out", "d.sedml"]) == 2  # d.xml is somebody's
    assert "d.xml: there is a file of this name" in capsys.readouterr().err
    (place / "d.xml").unlink()
    assert door.main(["export", "sedml", *asked, "--out", "d.sedml"]) == 0
    assert door.main(["export", "sedml", *asked, "--out", "d.sedml"]) == 0
    assert door.main(["export", "omex", *asked, "--out", "d.omex"]) == 0
    assert door.main(["simulate", "d.sedml", "--out", "one.csv"]) == 0
    assert door.main(["simulate", "d.omex", "--out", "all"]) == 0
    assert "all/run.csv: run, 9 rows of time, A, [A], B, [B], k, v, J." in capsys.readouterr().out
    run = lissive.simulate("d.ant", until=4, every=0.5, select=SELECT, rtol=1e-8)
    for path in (place / "one.csv", place / "all" / "run.csv"):
        found = columns(path)
        assert list(found) == ["time", *SELECT]
        for name in SELECT:
            assert found[name] == pytest.approx(run[name].values[0], rel=1e-12), name
        assert found["A"] == pytest.approx(10 * np.exp(-0.15 * found["time"]), rel=1e-6)


def test_a_change_of_the_model_and_the_mathematics_of_a_plot(place, capsys):
    assert door.main(["simulate", "h.sedml", "--out", "h.csv", "--rtol", "1e-9", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["notes"] == ["sim1: KISAO:0000019 is named; solved by Rodas5P 5(4) (KISAO:0000033)."]
    found = columns(place / "h.csv")
    assert found["time"].tolist() == [2, 4, 6, 8, 10]
    assert found["ratio"] == pytest.approx([100 * exp(-0.15 * t) for t in found["time"]], rel=1e-7)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("</sedML>", "", "h.sedml: it cannot be read"),
        ("plot2D", "plot3D", "h.sedml:30: .* Element 'listOfCurves' is not part"),
    ],
)
def test_what_is_no_sedml_is_one_message(place, old, new, said):
    (place / "h.sedml").write_text(OTHERS.replace(old, new))
    with pytest.raises(InterchangeError, match=said):
        read_sedml(place / "h.sedml")


@pytest.fixture(scope="module")
def as_read(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("read") / "h.sedml"
    path.write_text(OTHERS)
    return json.dumps(read_sedml(path).sed)


FAULTS = [
    ("KISAO:0000019", "KISAO:0000029", r"h.sedml:4: the algorithm KISAO:0000029"),  # Gillespie's
    ("uniformTimeCourse", "steadyState", "h.sedml:4: the steadyState sim1 is out of scope"),
    ('"kind": "task"', '"kind": "repeatedTask"', "h.sedml:16: the repeatedTask t1 is out of scope"),
    ("[@id='A']", "[@id='Z']", "is nothing that the model d computes"),
    ('"source": "d.xml"', '"source": "e.xml"', "the model file e.xml is not there"),
    ('"source": "d.xml"', '"source": "https://example.org/d.xml"', "is at https://example.org/d.xml"),
    ('"source": "d.xml"', '"source": "m2"', "is made from itself"),
    ("language:sbml", "language:cellml", "is in urn:sedml:language:cellml"),
    ('"initial": 0.0', '"initial": 1.0', "sim1 begins at 1"),
    ('"steps": 4', '"steps": 0', "in 0 steps"),
    ("/@value", "/@constant", "is out of scope"),
    ("changeAttribute", "computeChange", r"the change of .* \(computeChange\) is out of scope"),
    ("'k'", "'q'", "has no value of q"),
    ('"new": "0.6"', '"new": "much"', "'much' is no number"),
    ('"task": "t2"', '"task": "t9"', "there is no task 't9'"),
    ('"p * (b / a)"', '"q * (b / a)"', "q is no variable of the data generator ratio"),
    ("plot2D", "plot3D", "it has no report and no plot"),
    ('["ratio", "ratio"]', '["time", "ratio"]', "p1 has two columns that are called 'time'"),
    ("urn:sedml:symbol:time", "urn:sedml:symbol:none", "the symbol urn:sedml:symbol:none is out of scope"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_what_cannot_be_run_is_one_message(place, as_read, old, new, said):
    assert old in as_read
    with pytest.raises(LissiveError, match=said) as fault:
        Document(place / "h.sedml", json.loads(as_read.replace(old, new))).run()
    assert "\n" not in str(fault.value)
    assert fault.value.where.startswith(str(place / "h.sedml"))
    assert fault.value.allowed
    assert fault.value.do


def test_a_folder_of_something_else_is_kept(place, capsys):
    (place / "all").mkdir()
    (place / "all" / "mine.txt").write_text("mine")
    assert door.main(["simulate", "h.sedml", "--out", "all", "--force"]) == 2
    assert "all: the folder has files of something else" in capsys.readouterr().err
    assert [each.name for each in (place / "all").iterdir()] == ["mine.txt"]


def test_a_folder_of_another_run_is_written_over_only_where_that_is_asked(place, capsys):
    assert door.main(["simulate", "h.sedml", "--out", "all"]) == 0
    before = (place / "all" / "p1.csv").read_bytes()
    (place / "d.xml").write_text(to_sbml(MODEL.replace("0.3", "0.4")))  # another model by the same name
    assert door.main(["simulate", "h.sedml", "--out", "all"]) == 2
    assert "all: there is a result of another run" in capsys.readouterr().err
    assert (place / "all" / "p1.csv").read_bytes() == before
    assert door.main(["simulate", "h.sedml", "--out", "all", "--force"]) == 0
    assert (place / "all" / "p1.csv").read_bytes() != before


def archive(path: Path, **files: str) -> Path:
    formats = {"sedml": "sed-ml.level-1.version-2", "xml": "sbml"}
    lines = [
        f'<content location="./{name}" format="http://identifiers.org/combine.specifications/'
        f'{formats.get(name.split(".")[-1], "")}"/>'
        for name in files
    ]
    with zipfile.ZipFile(path, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
        file.writestr(
            "manifest.xml",
            '<omexManifest xmlns="http://identifiers.org/combine.specifications/omex-manifest">'
            f"{''.join(lines)}</omexManifest>",
        )
    return path


def test_an_archive_of_another_tool_with_its_model_in_a_folder(place):
    moved = OTHERS.replace("d.xml", "../models/d.xml")
    path = archive(place / "a.omex", **{"work/h.sedml": moved, "models/d.xml": to_sbml(MODEL)})
    with open_omex(path, {"rtol": 1e-9}) as document:
        (table,) = document.run()
    assert table.columns["ratio"][-1] == pytest.approx(100 * exp(-1.5), rel=1e-7)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"h.sedml": OTHERS, "d.xml": to_sbml(MODEL), "g.sedml": OTHERS},
            "2 SED-ML files .*none of them leads",
        ),
        ({"d.xml": to_sbml(MODEL)}, "0 SED-ML files"),
        ({"../h.sedml": OTHERS}, "would be unpacked outside"),
        ({"h.sedml": OTHERS.replace("d.xml", "../../d.xml")}, "is not there"),
        ({"h.sedml": OTHERS.replace("d.xml", "/etc/hostname")}, "is not there"),
    ],
)
def test_an_archive_that_leads_nowhere_is_one_message(place, files, said):
    with (
        pytest.raises(InterchangeError, match=said),
        open_omex(archive(place / "a.omex", **files)) as document,
    ):
        document.run()
    assert sorted(each.name for each in place.parent.glob("*.sedml")) == []


def test_what_is_no_archive_is_said(place, capsys):
    (place / "x.omex").write_text("none")
    assert door.main(["simulate", "x.omex", "--out", "x.csv"]) == 2
    assert "x.omex: it cannot be unpacked" in capsys.readouterr().err
