"""A case by asking: what decides, unknown stays unknown, nothing is left half-written."""

import datetime
import io
from pathlib import Path

import pytest

from lissive.case import Case, make_case, read_case
from lissive.case.ask import ask, case_yaml
from lissive.case.fields import fields, fields_markdown
from lissive.cli.main import main

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "forecast-a-case.md"
TODAY = datetime.date(2026, 11, 22)


class Talk:
    """Answers by a word of the question; what is not answered is left empty."""

    def __init__(self, **answers):
        self.answers = {word.replace("_", " "): list(said) for word, said in answers.items()}
        self.asked, self.said = [], []

    def read(self, question):
        self.asked.append(question)
        for word, left in self.answers.items():
            if word in question and left:
                return left.pop(0)
        return ""

    def case(self, more=()):
        data = ask(
            "a", read=self.read, say=self.said.append, today=TODAY,
            place_of=lambda said: {"New York": "US-NY"}.get(said, said), more=lambda case: more,
        )  # fmt: skip
        return make_case(data)


def test_what_is_answered_is_the_case_and_the_rest_is_unknown():
    talk = Talk(
        live=["New York"], which_day=["today"], Age=["52"], Sex=["woman"], causes=["MS"], Opioids=["no"]
    )
    case = talk.case()
    assert (case.place.residence, case.as_of) == ("US-NY", TODAY)
    assert (case.person.age_years, case.person.sex, case.spasm.cause) == (52, "female", "multiple_sclerosis")
    assert case.history.opioids == "none"
    assert {"person.weight_kg", "history.current", "plan.product"} <= set(case.unknown())


def test_a_wrong_answer_is_asked_again_with_what_is_allowed():
    talk = Talk(Age=["fifty", "152", "52"], Which_product=["sativx", "Sativex"])
    case = talk.case()
    assert (case.person.age_years, case.plan.product) == (52, "nabiximols")
    assert talk.said[1:] == [
        "person.age_years is 'fifty'. Allowed: 0 to 120 years.",
        "person.age_years is 152. Allowed: 0 to 120 years.",
        *[
            line
            for line in talk.said
            if line.startswith("plan.product is 'sativx'. Did you mean sativex? Allowed: ")
        ],
    ]


def test_access_and_safety_come_before_the_plan():
    talk = Talk()
    talk.case()
    place = {word: next(k for k, each in enumerate(talk.asked) if word in each) for word in (
        "live", "Age", "causes", "Medicines taken now", "Pregnancy", "Opioids", "Which product")}  # fmt: skip
    assert list(place.values()) == sorted(place.values())


@pytest.mark.parametrize(
    ("answers", "asked", "not_asked"),
    [
        ({"Sex": ["male"]}, [], ["Pregnancy", "Breast-feeding"]),
        ({"Which_product": ["Sativex"], "How is it taken": ["label"]}, ["weeks"], ["Sprays", "THC in one", "Doses"]),
        ({"Which_product": ["Sativex"], "How is it taken": ["fixed"]}, ["Sprays a day"], ["THC in one"]),
        ({"Which_product": ["oil"], "THC in one": ["5"]}, ["CBD in one", "Doses a day", "food"], ["Sprays"]),
        ({"Which_product": ["dronabinol"], "THC in one": ["5"]}, ["Doses a day"], ["CBD in one"]),
        ({"Which_product": ["vape"]}, ["THC in one"], ["food"]),
        ({"Which_product": ["cream"]}, [], ["THC in one", "weeks", "How is it taken"]),
        ({"causes": ["fibromyalgia"]}, ["Pain"], ["Spasticity"]),
        ({}, [], ["How is it taken", "weeks"]),
    ],
)  # fmt: skip
def test_only_what_can_still_decide_is_asked(answers, asked, not_asked):
    talk = Talk(**answers)
    talk.case()
    every = "\n".join(talk.asked)
    assert [word for word in asked if word not in every] == []
    assert [word for word in not_asked if word in every] == []


def test_a_list_may_be_empty_and_a_full_stop_ends_the_questions():
    talk = Talk(Medicines_taken_now=["none"], Other_conditions=["."])
    case = talk.case(more=[("functional_limit", "whether daily life is limited")])
    assert case.history.current == ()
    assert case.history.conditions is None
    assert "Pregnancy" not in "\n".join(talk.asked)


def test_what_access_still_needs_is_asked_last():
    talk = Talk(whether=["yes"])
    assert talk.case(more=[("functional_limit", "Find out whether daily life is limited")]).flags == {
        "functional_limit": True
    }


def test_what_is_written_is_read_as_the_same_case(tmp_path):
    talk = Talk(
        Age=["52"], Medicines_taken_now=["baclofen 60 mg/day, St. John's wort"], Other_conditions=["none"],
        causes=["MS"], Which_product=["oil"], THC_in_one=["2.5"], drive=["no"],
    )  # fmt: skip
    case = talk.case()
    path = tmp_path / "a.yaml"
    path.write_text(case_yaml(case), encoding="utf-8")
    assert read_case(path) == case


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    def command(*words, said=""):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        code = main(["case", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_the_command_writes_the_file_and_answers_it(run, tmp_path):
    code, out, err = run("--new", "x y.yaml", said="US-NY\n2026-11-22\n52\n.\n")
    assert (code, "BOTTOM LINE" in out) == (0, True)
    assert "Written: x y.yaml" in err
    case = read_case(tmp_path / "x y.yaml")
    assert (case.case, case.place.residence, case.person.age_years) == ("x-y", "US-NY", 52)


def test_answers_that_end_too_early_leave_nothing(run, tmp_path):
    code, out, err = run("--new", "a.yaml", said="US-NY\n2026-11-22\n")
    assert (code, out, list(tmp_path.iterdir())) == (2, "", [])
    assert "nothing was written" in err
    assert "Traceback" not in err


def test_a_file_that_is_there_is_not_written_over(run, tmp_path):
    (tmp_path / "a.yaml").write_text("case: mine\n", encoding="utf-8")
    code, out, err = run("--new", "a.yaml", said=".\n")
    assert (code, out) == (2, "")
    assert "There is a file of this name." in err
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == "case: mine\n"


@pytest.mark.parametrize("words", [("none/a.yaml",), ("b.yaml", "--force"), ("a.yaml", "--report", "file")])
def test_what_cannot_be_written_is_said_before_the_questions(run, tmp_path, words):
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    code, out, err = run("--new", *words, said=".\n")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert not (tmp_path / "a.yaml").exists()


def test_ctrl_c_leaves_nothing(tmp_path, monkeypatch):
    from lissive.cli import case as door

    def interrupted(question):
        raise KeyboardInterrupt

    monkeypatch.setattr(door, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        door.new_case(tmp_path / "a.yaml", force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "No case is given. What to do: name a file, or answer questions by lissive case --new."),
        (("--new", "a.txt"), "Unsupported file extension '.txt'. Allowed: .yaml."),
        (("a.yaml", "--what-if", "meel"), "'meel' is no question. Did you mean meal? Allowed: meal, missed-dose,"),
        (("a.yaml", "--compare", "none.yaml"), "none.yaml: There is no such file."),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_is_refused(run, tmp_path, words, says):
    (tmp_path / "a.yaml").write_text("case: a\n", encoding="utf-8")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert says in err


# -- the table of fields ---------------------------------------------------------------------------
def test_every_field_of_a_case_is_in_the_table_with_an_example_that_is_read():
    def names(model, above=""):
        for name, info in model.model_fields.items():
            if hasattr(info.annotation, "model_fields"):
                yield from names(info.annotation, f"{above}{name}.")
            else:
                yield f"{above}{name}"

    rows = fields()
    assert [each.name for each in rows] == list(names(Case))
    assert all(each.what and each.allowed and each.example for each in rows)


@pytest.mark.parametrize("row", fields(), ids=lambda row: row.name)
def test_each_example_is_allowed(row, tmp_path):
    part, _, name = row.name.rpartition(".")
    also = {"outcome": "tried: [baclofen], ", "titration": "product: nabiximols, "}.get(name, "")
    line = f"{part}: {{{also}{name}: {row.example}}}" if part else f"{name}: {row.example}"
    path = tmp_path / "a.yaml"
    path.write_text(line if name == "case" else f"case: a\n{line}\n", encoding="utf-8")
    read_case(path)


def test_the_how_to_has_the_table_of_the_command():
    text = HOW_TO.read_text(encoding="utf-8")
    begin, end = "<!-- fields -->\n", "\n<!-- end of fields -->"
    assert text[text.index(begin) + len(begin) : text.index(end)] == fields_markdown()
