"""A diary as it is typed: rows that can be used, and for each that cannot, which and why."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from pathlib import Path

import pytest

from lissive.errors import DiaryError
from lissive.follow.diary import Diary, read_diary

TODAY = datetime.date(2026, 6, 30)
HEAD = "date,spasms,severity,spasticity_nrs,pain_nrs,sleep_nrs,sprays,side_effects,note\n"


def read(folder: Path, text: str, name: str = "d.csv", **more: object) -> Diary:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_diary(path, today=TODAY, **more)  # type: ignore[arg-type]


def why(diary: Diary) -> dict[int, str]:
    return {each.row: each.why for each in diary.left_out}


def test_days_by_month_are_read_only_where_it_is_said_that_they_are(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_text(
        "date,spasms,sprays\n04/30/2026,9,0\n5/1/2026,9,2\n2026-05-02,8,2\n13/01/2026,7,2\n", "utf-8"
    )
    today = datetime.date(2026, 11, 1)
    found = read_diary(file, today=today, us_dates=True)
    assert [each.date.isoformat() for each in found.days] == ["2026-04-30", "2026-05-01", "2026-05-02"]
    assert [each.row for each in found.left_out] == [5]
    unsaid = read_diary(file, today=today)
    assert [each.row for each in unsaid.left_out] == [2, 3, 5]
    assert "--us-dates" in unsaid.left_out[0].why


def test_a_day_is_what_was_written_and_a_blank_is_not_zero(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "2026-05-01,9,,6.5,,4,3,dizzy,\n2026-05-03,0,,,,,0,,rest\n")
    first, second = found.days
    assert first.ratings == {"spasms": 9.0, "spasticity_nrs": 6.5, "sleep_nrs": 4.0}
    assert first.doses is not None
    assert (first.doses[0].sprays, first.side_effects) == (3.0, "dizzy")
    assert second.ratings == {"spasms": 0.0}
    assert second.doses is not None
    assert second.doses[0].sprays == 0.0
    assert (found.used, found.left_out) == (2, ())
    assert "1 days without a row" in found.lines[0]


def test_a_day_without_a_dose_written_is_not_a_day_without_a_dose(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD + "2026-05-01,9,,6,,,,,\n").days[0].doses is None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2026-05-02,300,,6,,,,,", "spasms is '300'. Allowed: a whole number, 0 to 200 a day"),
        ("2026-05-02,-1,,6,,,,,", "spasms is '-1'"),
        ("2026-05-02,9.5,,6,,,,,", "spasms is '9.5'. Allowed: a whole number"),
        ("2026-05-02,9,,11,,,,,", "spasticity_nrs is '11'. Allowed: 0 to 10 NRS"),
        ('2026-05-02,9,,"6,5",,,,,', "spasticity_nrs is '6,5', with a decimal comma"),
        ("2026-05-02,9,,nan,,,,,", "spasticity_nrs is 'nan'"),
        ("2026-05-02,9,,inf,,,,,", "spasticity_nrs is 'inf'"),
        ("2026-05-02,9,,six,,,,,", "spasticity_nrs is 'six'"),
        ("2026-07-01,9,,6,,,,,", "date is '2026-07-01', in the future (today is 2026-06-30)"),
        ("46143,9,,6,,,,,", "date is '46143', an Excel serial number (it would be 2026-05-01)"),
        ("01/05/2026,9,,6,,,,,", "date is '01/05/2026'. Write the year first"),
        ("2026-02-30,9,,6,,,,,", "date is '2026-02-30', not a day of the calendar"),
        (",9,,6,,,,,", "date is missing"),
        ("2026-05-02,9,,6,,,60,,", "sprays is '60'. Allowed: a whole number, 0 to 48 sprays"),
        ("2026-05-02,9,,6,,,4,,,extra", "the row has 10 cells, the header 9"),
        ("2026-05-02,9,,6,5,4,4,3,,", "the row has 10 cells, the header 9"),
        ("2026-05-02,9,6", "the row has 3 cells, the header 9"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_with_field_and_reason(
    tmp_path: Path, row: str, expected: str
) -> None:
    found = read(tmp_path, f"{HEAD}2026-05-01,9,,6,,,2,,\n{row}\n")
    assert [day.date.isoformat() for day in found.days] == ["2026-05-01"]
    assert list(why(found)) == [3]
    assert why(found)[3].startswith(expected)
    assert any("row 3 left out" in line for line in found.lines)


def test_all_that_is_wrong_in_a_row_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEAD}2026-05-01,9,,6,,,2,,\n2026-08-01,300,,6,,,,,\n")
    assert "in the future" in why(found)[3]
    assert "spasms is '300'" in why(found)[3]


def test_of_two_rows_on_one_day_none_is_chosen(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "2026-05-01,9,,6,,,2,,\n2026-05-02,9,,6,,,2,,\n2026-05-01,3,,2,,,2,,\n")
    assert set(why(found)) == {2, 4}
    assert "2026-05-01 has 2 rows (rows 2, 4)" in why(found)[2]


def test_several_doses_on_one_day_with_times_are_one_day(tmp_path: Path) -> None:
    head = "date,time,spasticity_nrs,thc_mg,route\n"
    found = read(tmp_path, head + "2026-05-01,08:00,6,5,oral\n2026-05-01,20:30,,2.5,inhaled\n")
    assert len(found.days) == 1
    assert [(d.hour, d.thc_mg, d.route) for d in found.days[0].doses or ()] == [
        (8.0, 5.0, "oral"),
        (20.5, 2.5, "inhaled"),
    ]
    twice = read(
        tmp_path, head + "2026-05-01,08:00,6,5,oral\n2026-05-01,20:30,4,2.5,oral\n2026-05-02,08:00,6,5,oral\n"
    )
    assert set(why(twice)) == {2, 3}
    assert "spasticity_nrs is given more than once" in why(twice)[2]


def test_other_column_names_get_a_mapping_that_works_as_proposed(tmp_path: Path) -> None:
    text = "Datum;Spastik (0-10);Krämpfe;Sprays;Wetter\n2026-05-01;6,5;4;3;sun\n"
    with pytest.raises(DiaryError, match="Unknown column names") as refused:
        read(tmp_path, text)
    proposed = refused.value.do.split('--map "')[1].split('"')[0]
    mapping = dict(each.split("=") for each in proposed.split(","))
    assert mapping == {
        "Datum": "date",
        "Spastik (0-10)": "spasticity_nrs",
        "Krämpfe": "spasms",
        "Wetter": "-",
    }
    found = read(tmp_path, text, mapping=mapping, decimal_comma=True)
    assert found.days[0].ratings == {"spasticity_nrs": 6.5, "spasms": 4.0}
    assert found.dropped_columns == ("Wetter",)
    assert any("Wetter" in line for line in found.lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first row is empty"),
        (HEAD, "no row under the header"),
        (HEAD + "2026-05-01,300,,,,,,,\n", "No row can be used"),
        ("date,note\n2026-05-01,x\n", "rates nothing"),
        ("spasms\n3\n", "no column of dates"),
        ("date,date,spasms\n2026-05-01,2026-05-01,3\n", "Duplicate column date"),
        ('date,spasms\n"2026-05-01,3\n', "not a valid CSV"),
        ("date,spasms" + "," * 5000 + "x\n2026-05-01,3\n", "The file has 5002 columns"),
    ],
)
def test_a_file_that_is_no_diary_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DiaryError, match=said):
        read(tmp_path, text)


def test_a_file_of_other_bytes_or_a_wrong_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(HEAD.encode() + b"2026-05-01,9,,6,,,2,\xff,\n")
    with pytest.raises(DiaryError, match="UTF-8"):
        read_diary(tmp_path / "d.csv", today=TODAY)
    with pytest.raises(DiaryError, match="no such file"):
        read_diary(tmp_path / "none.csv", today=TODAY)
    with pytest.raises(DiaryError, match="extension"):
        read_diary(tmp_path / "d.doc", today=TODAY)
    with pytest.raises(DiaryError, match="does not have"):
        read(tmp_path, HEAD + "2026-05-01,9,,6,,,2,,\n", mapping={"Tag": "date"})


def test_json_is_the_same_diary(tmp_path: Path) -> None:
    rows = [
        {"date": "2026-05-01", "spasms": 9, "spasticity_nrs": 6.5, "sprays": 3},
        {"date": "2026-05-02", "spasms": True},
    ]
    found = read(tmp_path, json.dumps(rows), "d.json")
    assert found.days[0].ratings == {"spasms": 9.0, "spasticity_nrs": 6.5}
    assert why(found) == {2: "spasms is True. Allowed: a whole number, 0 to 200 a day"}
    with pytest.raises(DiaryError, match="Invalid JSON"):
        read(tmp_path, "[", "d.json")
    with pytest.raises(DiaryError, match="not a list of days"):
        read(tmp_path, "3", "d.json")
    with pytest.raises(DiaryError, match="'spasms' is given twice in one row"):
        read(tmp_path, '[{"date": "2026-05-01", "spasms": 3, "spasms": 4}]', "d.json")
    with pytest.raises(
        DiaryError, match="not a list of days"
    ):  # what stands beside the days would be dropped
        read(tmp_path, json.dumps({"days": rows, "more": rows}), "d.json")
    with pytest.raises(DiaryError, match="too deep"):
        read(tmp_path, "[" * 100_000, "d.json")
    long = f'[{{"date": "2026-05-01", "spasms": 3}}, {{"date": "2026-05-02", "spasms": {"9" * 5000}}}]'
    assert list(why(read(tmp_path, long, "d.json"))) == [2]


def test_columns_that_are_empty_all_through_are_no_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "date,spasms,,\n2026-05-01,3,,\n2026-05-02,4,,\n2026-05-03,5,,\n")
    assert [day.ratings["spasms"] for day in found.days] == [3.0, 4.0, 5.0]


_SHEET = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>date</t></is></c><c r="B1" t="inlineStr"><is><t>spasticity_nrs</t></is></c>
<c r="C1" t="inlineStr"><is><t>sprays</t></is></c></row>
<row r="2"><c r="A2" s="1"><v>46143</v></c><c r="B2"><v>6.5</v></c><c r="C2"><v>3</v></c></row>
<row r="3"><c r="A3"><v>46144</v></c><c r="B3"><v>6</v></c><c r="C3"><v>3</v></c></row>
<row r="4"><c r="A4" s="1"><v>46145</v></c><c r="B4" t="inlineStr"><is><t>6,5</t></is></c><c r="C4"><v>3</v></c></row>
</sheetData></worksheet>"""
_PARTS = {
    "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<?xml version="1.0"?><workbook '
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" '
    'r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships '
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" '
    'Target="styles.xml"/></Relationships>',
    "xl/styles.xml": '<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    "xl/worksheets/sheet1.xml": _SHEET,
}  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('<c r="XFD1048576"><v>1</v></c>', "a cell XFD1048576, far from the diary"),
        ('<c r="C5" t="e"><v>#DIV/0!</v></c>', "Cell C5 holds an error"),
        ('<c r="C5"><f>1+4</f></c>', "Cell C5 holds an error, or a formula without its value"),
    ],
)
def test_a_spreadsheet_with_a_cell_that_would_be_lost_is_refused(
    tmp_path: Path, cell: str, said: str
) -> None:
    """The reader takes the first for half a terabyte and ends the process, and the others for empty cells."""
    pytest.importorskip("python_calamine", reason="the extra `diary` is not installed")
    place = tmp_path / "d.xlsx"
    with zipfile.ZipFile(place, "w") as book:
        for name, text in _PARTS.items():
            book.writestr(name, text.replace("</sheetData>", f'<row r="5">{cell}</row></sheetData>'))
    with pytest.raises(DiaryError, match=said):
        read_diary(place, today=TODAY)


def test_a_spreadsheet_has_dates_and_a_bare_serial_is_none(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra `diary` is not installed")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as book:
        for name, text in _PARTS.items():
            book.writestr(name, text)
    (tmp_path / "d.xlsx").write_bytes(data.getvalue())
    found = read_diary(tmp_path / "d.xlsx", today=TODAY)
    assert [(day.date.isoformat(), day.ratings["spasticity_nrs"]) for day in found.days] == [
        ("2026-05-01", 6.5)
    ]
    assert "Excel serial number (it would be 2026-05-02)" in why(found)[3]
    assert "decimal comma" in why(found)[4]
    (tmp_path / "d.xlsx").write_bytes(b"PK\x03\x04 no sheet")
    with pytest.raises(DiaryError, match="cannot be read"):
        read_diary(tmp_path / "d.xlsx", today=TODAY)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("7/10", "Write 7."),
        ("7-8", "Write one number."),
        ("7 to 8", "Write one number."),
        ("n/a", "Allowed: 0"),
    ],
)
def test_a_rating_that_is_written_another_way_is_left_out_and_says_how_to_write_it(
    tmp_path: Path, cell: str, said: str
) -> None:
    place = tmp_path / "d.csv"
    place.write_text(f"date,pain_nrs\n2026-05-01,{cell}\n2026-05-02,3\n", encoding="utf-8")
    assert said in why(read_diary(place, today=TODAY))[2]


def test_a_title_above_the_names_of_the_columns_is_said_and_no_mapping_is_made_of_it(tmp_path: Path) -> None:
    place = tmp_path / "d.csv"
    place.write_text("Diary of X,,\ndate,pain_nrs,sprays\n2026-05-01,3,1\n", encoding="utf-8")
    with pytest.raises(DiaryError, match="delete the rows above") as found:
        read_diary(place, today=TODAY)
    assert "--map" not in str(found.value)
