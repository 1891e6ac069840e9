"""A case file is read as it is meant, or refused with the line, the field and the remedy."""

import datetime
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lissive.case import Case, case_schema, make_case, read_case
from lissive.case.vocabulary import FormerId
from lissive.errors import CaseError

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-new-york.yaml"


@pytest.fixture
def read(tmp_path):
    def read_text(text, name="case.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_case(path)

    return read_text


@pytest.fixture
def refusal(read, tmp_path):
    def refuse(text, name="case.yaml"):
        with pytest.raises(CaseError) as error:
            read(text, name)
        return str(error.value).replace(f"{tmp_path}/", "")

    return refuse


def plan(text):
    return f"case: a\nplan: {{product: nabiximols, {text}}}\n"


# -- what is read ---------------------------------------------------------------------------------
def test_the_example_is_read():
    case = read_case(EXAMPLE)
    assert case.as_of == datetime.date(2026, 11, 22)
    assert case.spasm.since == datetime.date(2021, 3, 1)
    assert (case.person.weight_kg, case.person.cyp2c9) == (68, "*1/*1")
    assert case.history.conditions == ()
    assert [drug.dose_mg_per_day for drug in case.history.current] == [60, 10]
    assert case.unknown() == ["plan.fed"]


def test_yaml_and_json_give_the_same_case(read):
    data = yaml.load(EXAMPLE.read_text(), Loader=yaml.BaseLoader)
    plain = json.loads(json.dumps(read_case(EXAMPLE).model_dump(mode="json")))
    assert read(json.dumps(plain, indent="\t"), "case.json") == read_case(EXAMPLE)
    assert data["case"] == plain["case"]


def test_a_former_name_of_a_field_is_read_with_a_note(read):
    with pytest.warns(FormerId, match="'per_day' is now called 'spasms_per_day'"):
        assert read("case: a\nspasm: {per_day: 4}\n").spasm.spasms_per_day == 4


def test_a_field_is_not_given_by_its_former_name_too(refusal):
    said = refusal("case: a\nspasm:\n  spasms_per_day: 4\n  per_day: 5\n")
    assert said.startswith("case.yaml:4: spasm.per_day is not a known field. Did you mean spasms_per_day?")


def test_a_wrong_value_by_a_former_name_is_refused(refusal):
    with pytest.warns(FormerId):
        assert "spasm.spasms_per_day is -3. Allowed: 0 to 1000" in refusal("case: a\nspasm: {per_day: -3}\n")


def test_norway_is_no_falsehood(read):
    assert read("case: a\nplace: {residence: NO}\n").place.residence == "NO"
    assert read("case: on\n").case == "on"


def test_yes_is_no_boolean(refusal):
    assert refusal("case: a\nspasm:\n  severe: yes\n").startswith(
        "case.yaml:3: spasm.severe is 'yes'. Allowed: true, false."
    )


def test_a_quoted_number_is_text(refusal):
    assert "person.weight_kg is '68'." in refusal('case: a\nperson: {weight_kg: "68"}\n')


def test_a_case_is_frozen():
    case = read_case(EXAMPLE)
    with pytest.raises(ValueError, match="frozen"):
        case.case = "b"


# -- unknown stays unknown ------------------------------------------------------------------------
def test_what_is_absent_is_unknown_and_never_defaulted(read):
    case = read("case: a\n")
    assert case.person.weight_kg is None
    assert case.history.conditions is None
    assert case.plan.product is None
    assert {"as_of", "person.weight_kg", "spasm.cause", "history.opioids", "plan.weeks"} <= set(
        case.unknown()
    )


def test_null_and_an_empty_part_are_unknown_too(read):
    assert read("case: a\nperson:\nspasm: {cause: null}\n") == read("case: a\n")


def test_an_empty_list_is_known(read):
    assert "history.conditions" not in read("case: a\nhistory: {conditions: []}\n").unknown()


def test_a_dose_left_out_is_unknown_with_its_place(read):
    case = read("case: a\nhistory: {current: [{drug: a, dose: 1 mg/day}, {drug: b}]}\n")
    assert "history.current[1].dose" in case.unknown()
    assert "history.current[0].dose" not in case.unknown()


def test_only_what_the_plan_needs_is_asked(read):
    assert "plan.sprays_per_day" not in read(plan("titration: label")).unknown()
    assert "plan.sprays_per_day" in read(plan("titration: fixed")).unknown()
    assert "plan.thc_mg" in read("case: a\nplan: {product: dronabinol}\n").unknown()
    assert not {"plan.override", "plan.max_sprays_per_day", "plan.dose"} & set(
        read(plan("weeks: 1")).unknown()
    )


# -- what is refused ------------------------------------------------------------------------------
def test_a_finding_says_where_what_allowed_and_what_to_do(refusal):
    assert refusal("case: a\n\nperson:\n  age_years: 52\n  weight_kg: 0\n") == (
        "case.yaml:5: person.weight_kg is 0. Allowed: 20 to 350 kg. "
        "What to do: correct the value, or leave the field out if it is not known."
    )


def test_all_findings_come_at_once_each_with_its_line(read, tmp_path):
    with pytest.raises(CaseError) as error:
        read(
            "case: a\nperson: {weight_kg: 0,\n  sex: X}\nplace: {visti: x}\n"
            "plan:\n  product: nabiximol\n  weeks: 200\n"
        )
    lines = str(error.value).splitlines()
    assert len(lines) == len(error.value.findings) == 5
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4", "6", "7"]


def test_findings_between_parts_come_together(refusal):
    text = refusal(
        "case: a\nas_of: 2020-01-01\nspasm:\n  since: 2021-03-01\n"
        "plan:\n  product: nabiximols\n  sprays_per_day: 40\n"
    )
    assert [line.split(": ")[0] for line in text.splitlines()] == ["case.yaml:4", "case.yaml:7"]
    assert "spasm.since is 2021-03-01, after as_of. Allowed: 2020-01-01 or before." in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case: a\nperson: {wieght_kg: 60}", "case.yaml:2: person.wieght_kg is not a known field. Did you mean"),
        ("case: a\nperson: {age: 60}", "person.age is not a known field. Did you mean age_years?"),
        ("case: a\npersn: {}", "persn is not a known field. Did you mean person?"),
        ("case: a\nspasm: {cause: multiple_sklerosis}", "mean multiple_sclerosis? Allowed: multiple_scl"),
        ("case: a\nplan: {product: sativx}", "plan.product is 'sativx'. Did you mean sativex? Allowed: nabiximols,"),
        ("case: a\nperson: {cyp2c9: poor}", "person.cyp2c9 is 'poor'. Allowed: text such as '*1/*3'."),
        ("case: ../a", "Allowed: text such as 'ms-new-york', of letters a to z, digits and ' ._-', a letter or digit"),
        ("case: a\nplan: {override: x}", "such as 'dose of an earlier trial', 3 characters or more."),
        ("case: a\nperson: {weight_kg: .nan}", "person.weight_kg is '.nan'."),
        ("case: a\nperson: {weight_kg: 1e999}", "person.weight_kg is inf. Allowed: 20 to 350 kg."),
        ("case: a\nperson: {weight_kg: true}", "person.weight_kg is true."),
        ("case: a\nspasm: {pain_nrs: 11}", "Allowed: 0 to 10 NRS."),
        ("case: a\nspasm: {since: 2021-02-30}", "Allowed: a valid date"),
        ("case: a\nas_of: 2021", "as_of is 2021. Allowed: a day, as in 2026-11-22."),
        ("case: a\nplan: {weeks: 105}", "Allowed: a whole number, 1 to 104 weeks."),
        ("case: a\nplan: {weeks: 1.5}", "plan.weeks is 1.5."),
        ("case: a\nhistory: {tried: baclofen}", "history.tried is 'baclofen'. Allowed: a list of names"),
        ("case: a\nperson: 52", "person is 52. Allowed: fields, as in {name: value}."),
        ("as_of: 2026-11-22", "case.yaml:1: case is missing."),
    ],
)  # fmt: skip
def test_each_mistake_is_named(refusal, text, says):
    assert says in refusal(text)


@pytest.mark.parametrize(
    ("dose", "says"),
    [
        ("60 ml", "'60 ml' is a volume, but mg/day is a mass per time."),
        ("60 mg", "'60 mg' is a mass, but mg/day is a mass per time."),
        ("2 tablets/day", "nknown unit"),
        ("-5 mg/day", "more than 0"),
        ("60 Mg/day", "more than 0 and less than 1e6 mg/day"),
    ],
)
def test_a_dose_in_the_wrong_unit_is_refused_with_its_field(refusal, dose, says):
    text = refusal(f'case: a\nhistory:\n  current:\n    - {{drug: b, dose: "{dose}"}}\n')
    assert text.startswith("case.yaml:4: history.current[0].dose ")
    assert says in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "case: a\nperson: {sex: male, sex: female}",
            "case.yaml:2: person.sex is given twice, first on line 2.",
        ),
        ("case: a\ncase: b", "case.yaml:2: case is given twice, first on line 1."),
        ("case: [a", "Invalid YAML"),
        ("", "The file is empty."),
        ("- a", "The file must be a mapping."),
        (
            "case: !!python/object:os.system a",
            "The tag tag:yaml.org,2002:python/object:os.system is not read.",
        ),
        ("case: a\nperson: &x {sex: *x}", "repeats itself without end"),
        (r'case: "\UFFFFFFFF"', "What to do: write the character itself"),
        ("{[a]: b}", "A field's name is a list or a mapping."),
    ],
)
def test_a_file_that_is_no_case_is_refused(refusal, text, says):
    assert says in refusal(text)


def test_a_file_that_unfolds_without_measure_is_refused(refusal):
    folds = [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 10)]
    assert "too large" in refusal("x0: &x0 [1]\n" + "\n".join(folds))


def test_broken_json_is_refused_with_its_line(refusal):
    assert refusal('{"case": "a",\n "as_of": }', "case.json").startswith("case.json:2: This is no JSON")


def test_a_missing_file_and_an_unknown_ending_are_refused(refusal, tmp_path):
    with pytest.raises(CaseError, match=r"There is no such file\. What to do: correct the path"):
        read_case(tmp_path / "none.yaml")
    assert "Unsupported file extension '.txt'. Allowed: .yaml, .json." in refusal("case: a", "a.txt")


# -- doses ----------------------------------------------------------------------------------------
def test_forty_sprays_need_a_reason(read, refusal):
    text = refusal(plan("titration: fixed, sprays_per_day: 40"))
    assert text == (
        "case.yaml:2: plan.sprays_per_day is 40. "
        "Allowed: up to 12 sprays a day, the maximum of the label. "
        "What to do: lower the dose, or write the reason for more in plan.override."
    )
    case = read(plan('titration: fixed, sprays_per_day: 40, override: "dose of an earlier trial"'))
    assert case.plan.sprays_per_day == 40


def test_twelve_sprays_need_none(read):
    assert read(plan("titration: fixed, sprays_per_day: 12")).plan.sprays_per_day == 12
    assert read(plan("titration: label, max_sprays_per_day: 8")).plan.max_sprays_per_day == 8


def test_no_reason_lifts_the_ceiling(refusal):
    text = refusal(plan('titration: label, max_sprays_per_day: 49, override: "because"'))
    assert "Allowed: up to 48 sprays a day, the maximum that is simulated." in text
    assert "plan.override does not lift this limit" in text


def test_an_empty_reason_is_none(refusal):
    assert "plan.override is ''." in refusal(plan('sprays_per_day: 40, override: ""'))


def test_the_label_titration_leaves_no_room_for_a_fixed_dose(refusal):
    assert "plan.sprays_per_day is 4 while titration is label." in refusal(
        plan("titration: label, sprays_per_day: 4")
    )


def test_a_product_without_a_label_titration_is_fixed(refusal):
    text = refusal("case: a\nplan: {product: flower_smoked, titration: label}\n")
    assert "plan.titration is 'label', but flower_smoked has no label titration. Allowed: fixed." in text


def test_products_are_counted_in_their_own_way(read, refusal):
    assert "give sprays_per_day instead" in refusal(plan('dose: "5 mg"'))
    assert "give thc_mg and doses_per_day instead" in refusal(
        "case: a\nplan: {product: dronabinol, sprays_per_day: 2}"
    )
    assert read('case: a\nplan: {product: dronabinol, dose: "5000 mcg", doses_per_day: 2}').plan.dose_mg == 5


def test_the_daily_dose_counts_and_not_the_single_one(refusal):
    text = refusal('case: a\nplan: {product: dronabinol, dose: "10 mg", doses_per_day: 3}')
    assert "plan.dose is 10 mg, 30 mg a day. Allowed: up to 20 mg a day" in text


def test_a_label_limit_by_weight_is_by_weight(read, refusal):
    person, dose = "case: a\nperson: {{weight_kg: {}}}\n", 'dose: "1 g", doses_per_day: 2'
    text = person + f"plan: {{{{product: cannabidiol_solution, {dose}}}}}"
    assert "Allowed: up to 1500 mg a day" in refusal(text.format(60))
    assert read(text.format(80)).plan.dose_mg == 1000


# -- in memory ------------------------------------------------------------------------------------
def test_plain_data_gives_the_same_errors_without_a_line():
    with pytest.raises(CaseError, match=r"^person\.weight_kg is 0\. Allowed: 20 to 350 kg"):
        make_case({"case": "a", "person": {"weight_kg": 0}})


def test_lists_are_taken_from_plain_data():
    assert make_case({"case": "a", "history": {"tried": ["baclofen"]}}).history.tried == ("baclofen",)


def test_every_field_is_described():
    schema = case_schema()
    for name, part in [("Case", schema), *schema["$defs"].items()]:
        for field, said in part["properties"].items():
            assert said.get("description"), f"{name}.{field}"


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*Case.model_fields, "weight_kg", "cause", "product", "dose", "current", "x"]),
        inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_whatever_is_given_ends_in_a_case_or_a_case_error(data):
    try:
        case = make_case({"case": "a", **data} if isinstance(data, dict) else {"case": data})
    except CaseError:
        return
    assert make_case(case.model_dump(mode="json")) == case


def test_a_place_may_be_named_and_every_place_with_rules_has_its_name(read):
    from lissive.access.rule import rules

    for code, place in rules().items():
        assert make_case({"case": "a", "place": {"residence": place.name}}).place.residence == code
    assert read("case: a\nplace: {residence: new york}\n").place.residence == "US-NY"
    with pytest.raises(CaseError, match="Nowhere"):
        make_case({"case": "a", "place": {"residence": "Nowhere"}})
