"""A site of a few places, whole sites, and pages as elements."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lissive.site import write_site

DAY = datetime.date(2026, 11, 29)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_ONLY_IN = {
    "li": {"ul", "ol"},
    "dt": {"div", "dl"},
    "dd": {"div", "dl"},
    "tr": {"tbody", "thead"},
    "td": {"tr"},
}
_NOT_IN_P = frozenset("p ul ol dl div table figure section h1 h2 h3 details blockquote".split())


class Html(HTMLParser):
    """Elements with their attributes and their text; fails where one does not close or stands where it may not."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.inside: list[list[str]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag}: an attribute twice"
        assert not (tag in _NOT_IN_P and "p" in self.open), f"{tag} in p"
        assert tag != "a" or "a" not in self.open, "a in a"
        assert tag not in _ONLY_IN or self.open[-1] in _ONLY_IN[tag], f"{tag} in {self.open[-1]}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append([])
        if tag not in _VOID:
            self.open.append(tag)
            self.inside.append(self.texts[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _VOID or "svg" in self.open, f"<{tag}/> is not closed"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.inside.pop()

    def handle_data(self, data: str) -> None:
        for each in self.inside:
            each.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, as the command writes it."""
    folder = tmp_path_factory.mktemp("site") / "public"
    write_site(folder, DAY)
    return folder


def html_files(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*.html")))
