"""Axe finds nothing on the pages: in light on a broad screen, in dark on a narrow one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lissive.case import read_case
from lissive.case_answer import answer
from lissive.handout.page import report_page
from lissive.handout.sheet import sheet_page

from ..conftest import axe_finds, tables_that_scroll

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-uk.yaml"


@pytest.mark.slow
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(tmp_path: Path, chromium: Any) -> None:
    given = answer(read_case(EXAMPLE), subjects=50)
    (tmp_path / "report.html").write_text(report_page(given), encoding="utf-8")
    for name, tongue in (("sheet", "en"), ("sheet-es", "es")):
        (tmp_path / f"{name}.html").write_text(sheet_page(given, tongue), encoding="utf-8")  # type: ignore[arg-type]
    for scheme, width in (("light", 1200), ("dark", 390)):  # each colour and each layout once
        narrow = width < 500  # by the metrics of a device: touch, two pixels a point, its own viewport
        context = chromium.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 844}, offline=True,
            is_mobile=narrow, has_touch=narrow, device_scale_factor=2 if narrow else 1,
        )  # fmt: skip
        tab = context.new_page()
        for name in ("report", "sheet", "sheet-es"):
            tab.goto((tmp_path / f"{name}.html").as_uri())
            assert axe_finds(tab) == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert not narrow or tables_that_scroll(tab) == []
