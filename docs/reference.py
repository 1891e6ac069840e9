"""The reference, from code and tables: commands, functions, fields, parameters, products, rules, studies, warnings.

    python docs/reference.py FOLDER

writes a Markdown page for each. The same inputs give the same pages.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import typer
import yaml

import lissive
from lissive.access.coverage import coverage
from lissive.access.rule import rules
from lissive.case.fields import fields_markdown
from lissive.cli.main import ABOUT, app_of
from lissive.evidence.read import REVIEW_TRIALS, TRIALS
from lissive.files import write_text
from lissive.report.table import as_markdown, table
from lissive.studies.read import SHIPPED
from lissive.table import rows_of

PACKAGE = Path(lissive.__file__).parent


# -- commands and functions ------------------------------------------------------------------------
def commands() -> str:
    """Every command as `--help` prints it."""
    root: Any = typer.main.get_command(app_of([]))
    return f"{ABOUT}\n\n" + "\n".join(_helps(root, "lissive"))


def _helps(command: Any, name: str) -> Iterator[str]:
    if name != "lissive":
        context = command.make_context(name, [], resilient_parsing=True)
        depth = "##" if name.count(" ") == 1 else "###"
        yield f"{depth} {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    for word, each in getattr(command, "commands", {}).items():
        yield from _helps(each, f"{name} {word}")


def functions() -> str:
    """The functions of `lissive`, each with its signature and documentation."""
    return "Each is loaded when it is first used: `lissive.answer(case)`.\n\n" + "\n".join(
        f"## lissive.{name}\n\n```python\n{_signature(name)}\n```\n\n{_documented(getattr(lissive, name))}\n"
        for name in lissive.__all__
    )


def _signature(name: str) -> str:
    signature = inspect.signature(getattr(lissive, name))
    parts = [str(each).replace("'", "") for each in signature.parameters.values()]
    keywords = [each.kind is each.KEYWORD_ONLY for each in signature.parameters.values()]
    if True in keywords:
        parts.insert(keywords.index(True), "*")
    inside = "".join(f"\n    {part}," for part in parts)
    return f"{name}({inside}\n) -> {str(signature.return_annotation).strip(chr(39))}"


def _documented(function: Callable[..., Any]) -> str:
    """A docstring as Markdown: what is underlined becomes bold, examples become code."""
    text = inspect.cleandoc(function.__doc__ or "")
    text = re.sub(r"^(\w[\w ]+)\n-{3,}$", r"**\1**\n", text, flags=re.M)
    text = re.sub(r"(?:^|(?<=\.)\s{3,})(\w+) : ", r"\n- `\1`: ", text, flags=re.M)
    return re.sub(
        r"((?:^>>> .*\n(?:(?!>>>).+\n?)*)+)",
        lambda m: f"\n```python\n{dedent(m[1]).rstrip()}\n```\n",
        text,
        flags=re.M,
    )


# -- tables ----------------------------------------------------------------------------------------
def _cells(folder: str, names: str, columns: str) -> Iterator[tuple[str, str]]:
    """Each table with a heading and chosen columns."""
    for path in sorted((PACKAGE / folder).glob(names)):
        rows = [tuple(row.get(each, "") for each in columns.split()) for row in rows_of(path)]
        head = "|".join(each.replace("_", " ") for each in columns.split())
        yield path.stem.replace("_", " "), as_markdown(table(path.stem, head, rows))


def parameters() -> str:
    apart = {"bounds", "fitted", "fitted_correlation", "fitted_errors", "sources", "units"}
    columns = "name value unit distribution spread provenance source note"
    parts = [
        f"## {name.capitalize()}\n\n{text}\n"
        for name, text in _cells("model/parameters", "*.tsv", columns)
        if name.replace(" ", "_") not in apart and "|" in text.split("\n")[-1]
    ]
    return (
        "Every parameter of the model with how it is known. `(recalled)`: its source was not read again.\n\n"
        + "\n".join(parts)
    )


def products() -> str:
    (_, text), *_ = _cells("case", "products.tsv", "product name value unit provenance source note")
    return f"Products of the vocabulary, a row a figure.\n\n{text}\n"


def warnings() -> str:
    pages = [("Interactions", "interactions.tsv", "id drugs with severity small advice provenance source")]
    pages += [("Cautions", "cautions.tsv", "id about thc cbd smoked advice provenance source")]
    return "\n".join(
        f"## {head}\n\n{text}\n"
        for head, file, columns in pages
        for _, text in _cells("safety", file, columns)
    )


def law() -> str:
    rows = []
    for each in coverage():
        place = rules().get(each.code)
        now = place.versions[-1] if place else None
        rows.append(
            (
                each.code,
                each.name,
                each.status,
                now.id if now else "",
                str(now.begins or "") if now else "",
                str(place.verified) if place else "",
            )
        )
    shown = as_markdown(table("Rules", "code|name|status|last rule|in force from|last checked", rows))
    return f"One row a jurisdiction. All its rules: `lissive access history CODE`.\n\n{shown}\n"


def studies() -> str:
    trials = [
        (each["id"], str(each.get("cause") or ""), _cited(each["citation"]), str(each.get("doi") or ""))
        for each in (*_read(TRIALS), *_read(REVIEW_TRIALS))
    ]
    kinetics = [
        (_cited(each["citation"]), str(each.get("doi") or ""), " ".join(each["arms"]))
        for each in _read(SHIPPED)
    ]
    one = as_markdown(table("Trials", "id|cause|citation|DOI", trials))
    other = as_markdown(table("Kinetics", "publication|DOI|arms", kinetics))
    return f"## Trials\n\n{one}\n\n## Concentrations\n\n{other}\n"


def _read(path: Path) -> list[dict[str, Any]]:
    found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return (
        found if isinstance(found, list) else next(each for each in found.values() if isinstance(each, list))
    )


def _cited(what: Any) -> str:
    if isinstance(what, str):
        return what
    return ". ".join(str(what[part]) for part in ("authors", "title", "journal", "year") if what.get(part))


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "commands": ("Commands", commands),
    "python": ("Python functions", functions),
    "case-fields": ("Fields of a case", fields_markdown),
    "parameters": ("Parameters", parameters),
    "products": ("Products", products),
    "rules": ("Rules by jurisdiction", law),
    "studies": ("Studies", studies),
    "warnings": ("Interactions and cautions", warnings),
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, make) in PAGES.items():
        write_text(folder / f"{name}.md", f"# {title}\n\n{make()}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
