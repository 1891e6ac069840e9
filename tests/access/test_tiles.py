"""The map of tiles: every jurisdiction once, and the status told without colour."""

from __future__ import annotations

import datetime
import re
from xml.etree import ElementTree

import pytest

from lissive.access.answer import Answer
from lissive.access.cases import read_tiles, tiles
from lissive.access.rule import rules
from lissive.errors import RuleError
from lissive.report.compare_text import STYLE, described, tile_map

DAY = datetime.date(2026, 11, 22)
SVG = "{http://www.w3.org/2000/svg}"
HEADER = "code\tgroup\tcolumn\trow"


def answer(code, status="eligible", procedural="ok", blocks=()):
    return Answer(code, rules()[code].name, DAY, status, procedural, blocks)


def drawn(answers, title="A person"):
    return ElementTree.fromstring(tile_map(answers, title, "Not legal advice."))


def test_every_jurisdiction_has_a_tile_and_every_tile_a_jurisdiction():
    assert set(tiles()) == set(rules())


def test_neighbours_stand_side_by_side():
    place = {code: (tile.column, tile.row) for code, tile in tiles().items() if tile.group == "state"}
    west_to_east = ["US-CA", "US-UT", "US-CO", "US-NE", "US-MO", "US-KY", "US-WV", "US-VA", "US-MD", "US-DE"]
    columns = [place[code][0] for code in west_to_east]
    assert columns == sorted(columns)
    assert place["US-WA"][1] < place["US-OR"][1] < place["US-CA"][1]
    assert place["US-ME"][1] < place["US-NH"][1] < place["US-MA"][1] < place["US-CT"][1]
    assert len(set(place.values())) == 51  # fifty states and the District of Columbia


@pytest.mark.parametrize("status", list(STYLE))
def test_status_is_told_by_letter_and_in_words_as_well_as_by_colour(status):
    (tile,) = [g for g in drawn([answer("US-NY", status)]).iter(f"{SVG}g") if g.get("role") == "img"]
    assert [text.text for text in tile.iter(f"{SVG}text")] == ["NY", STYLE[status][1]]
    assert tile.get("aria-label").startswith("New York: ")
    assert tile.find(f"{SVG}title").text == tile.get("aria-label")


def test_letters_and_colours_differ():
    assert len({letter for _, letter in STYLE.values()}) == len({colour for colour, _ in STYLE.values()}) == 4


def contrast_with_black(colour):
    """Relative contrast as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    light = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return (light + 0.05) / 0.05


@pytest.mark.parametrize("status", list(STYLE))
def test_black_letters_can_be_read_on_every_colour(status):
    assert contrast_with_black(STYLE[status][0]) >= 4.5


def test_a_procedural_block_has_a_mark_and_the_lack_of_a_programme_has_none():
    blocked = drawn([answer("US-KY", procedural="blocked", blocks=("telehealth_initial_not_allowed",))])
    none = drawn([answer("US-ID", "not_eligible", "blocked", ("no_programme",))])
    marks = [[text.text for text in svg.iter(f"{SVG}text")].count("!") for svg in (blocked, none)]
    assert marks == [2, 1]  # one of them in the legend
    assert "first visit by telehealth" in ElementTree.tostring(blocked, encoding="unicode")


def test_the_picture_has_a_title_and_says_everything_in_words():
    every = [answer(code, "eligible" if code < "US-M" else "not_eligible") for code in rules()]
    svg = drawn(every)
    ids = svg.get("aria-labelledby").split()
    assert [svg.find(f"{SVG}title").get("id"), svg.find(f"{SVG}desc").get("id")] == ids
    said = svg.find(f"{SVG}desc").text
    assert said == described(every)
    assert all(place.name in said for place in rules().values())


def test_what_is_written_into_the_picture_cannot_break_it():
    assert drawn([answer("US-NY")], '<b> & "quotes"').find(f"{SVG}title").text == '<b> & "quotes"'


def test_no_tile_lies_outside_the_picture():
    text = tile_map([answer(code) for code in rules()], "t", "c")
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', text).groups())
    for x, y, w, h in re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', text):
        assert int(x) + int(w) <= width
        assert int(y) + int(h) <= height


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["US-NY\tcounty\t0\t0"], "group is 'county'"),
        (["US-NY\tstate\t-1\t0"], "whole numbers"),
        (["US-NY\tstate\t0\t0", "US-NY\tstate\t1\t0"], "Duplicate code US-NY"),
        (["US-NY\tstate\t0\t0", "US-NJ\tstate\t0\t0"], "has the same place as US-NY"),
    ],
)
def test_a_wrong_tile_is_said_with_its_line(tmp_path, rows, says):
    path = tmp_path / "tiles.tsv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    with pytest.raises(RuleError, match=says) as caught:
        read_tiles(path)
    assert caught.value.where.endswith(f":{len(rows) + 1}")
