"""An article answered sentence by sentence, as one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from lissive.evidence.article import Answered
from lissive.files import atomic_path
from lissive.report.article_text import lines_of, summary
from lissive.report.evidence_text import LIMITS, value_text
from lissive.report.page_parts import templates
from lissive.report.words import MARKS
from lissive.version import __version__

HERE = Path(__file__).parent


def write_article(path: Path, name: str, rows: Sequence[Answered]) -> Path:
    """The page, written whole or not at all."""
    text = article_page(name, rows)
    with atomic_path(path) as place:
        place.write_text(text, encoding="utf-8")
    return path


def article_page(name: str, rows: Sequence[Answered]) -> str:
    """The page's text."""
    environment = templates()
    environment.filters["value"] = value_text
    environment.filters["said"] = lines_of
    content = {
        "css": Markup((HERE / "evidence.css").read_text(encoding="utf-8").strip()),
        "version": __version__,
        "name": name,
        "summary": summary(rows),
        "rows": rows,
        "marks": MARKS,
        "limits": " ".join(LIMITS.split()),
    }
    return environment.get_template("article.html.j2").render(content)
