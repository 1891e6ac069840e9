"""YAML and JSON as plain data, with the line of every field.

Plain words mean what they say: only `true` and `false` are booleans, so NO (Norway) and ON (Ontario) stay
words; days stay text until the field that is a day reads them; a key that is written twice is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lissive.errors import LissiveError

Loc = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_UNFIT = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What an escape in quotes can make and no text holds: NUL, a bell, half a character."""

MOST_ENTRIES = 5_000
"""A list of more is a slip, and would cost its reader minutes."""

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq")}


class _Loader(yaml.SafeLoader):
    """Composes nodes and resolves nothing: every plain scalar is text here."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own class attribute


if yaml.__with_libyaml__:

    class _FastLoader(yaml.CSafeLoader):
        """The same by libyaml, ten times as fast; what is nested without end would end the process."""

        yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own class attribute


def read_marked(
    path: Path,
    *,
    wrong: type[LissiveError],
    top: type = dict,
    example: str,
    most_fields: int = 10_000,
    shipped: bool = False,
) -> tuple[Any, Mapping[Loc, int]]:
    """The data of a file, and the line of each of its fields by their place.

    Parameters
    ----------
    wrong : what every mistake is raised as.
    top : what the file has to be: a mapping (dict) or a list (tuple).
    example : the shortest file that is right, for messages.
    most_fields : a file of more is refused.
    shipped : the file comes with lissive, so that it may be read by libyaml.
    """
    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise wrong(
            f"Unsupported file extension {path.suffix!r}.",
            where=str(path),
            allowed=".yaml, .json.",
            do="write it as YAML or JSON, and name it so.",
        )
    text = _text(path, wrong)
    return marked_text(
        text, path, wrong=wrong, top=top, example=example, most_fields=most_fields, shipped=shipped
    )


def marked_text(
    text: str,
    path: Path,
    *,
    wrong: type[LissiveError],
    top: type = dict,
    example: str,
    most_fields: int = 10_000,
    shipped: bool = False,
) -> tuple[Any, Mapping[Loc, int]]:
    """The same from what stands in a file; `path` is what messages call it."""
    if path.suffix.lower() == ".json":
        text = _checked_json(text, path, wrong)
    try:
        node = _composed(text, shipped)
    except yaml.YAMLError as error:
        raise _syntax(error, path, wrong) from error
    except RecursionError:
        do = "write it with fewer levels; brackets that are not closed count too."
        raise wrong("The file is nested too deeply.", where=str(path), do=do) from None
    except (ValueError, OverflowError):  # an escape such as "\\U00110000"
        what = "This is not YAML: an escape in quotes is no character."
        raise wrong(what, where=str(path), do="write the character itself, without a backslash.") from None
    if node is None:
        raise wrong("The file is empty.", where=str(path), do=f"write at least {example}.")
    reader = _Reader(path, wrong, most_fields)
    data = reader.data(node, (), ())
    if not isinstance(data, top):
        kind = "fields" if top is dict else "entries, each after a dash"
        must = "a mapping" if top is dict else "a list"
        allowed = f"{kind}, as in {example}."
        raise wrong(f"The file must be {must}.", where=f"{path}:1", allowed=allowed, do="write it so.")
    return data, reader.lines


def _composed(text: str, shipped: bool) -> yaml.Node | None:
    if shipped and yaml.__with_libyaml__:
        try:
            return yaml.compose(text, Loader=_FastLoader)
        except yaml.YAMLError:
            pass  # said in the words of the other reader
    return yaml.compose(text, Loader=_Loader)


def _text(path: Path, wrong: type[LissiveError]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise wrong("There is no such file.", where=str(path), do="correct the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        do = "name a text file in UTF-8 that you may read."
        raise wrong(f"The file cannot be read: {error}.", where=str(path), do=do) from error


class _Reader:
    def __init__(self, path: Path, wrong: type[LissiveError], most_fields: int) -> None:
        self.path, self.wrong, self.most_fields = path, wrong, most_fields
        self.lines: dict[Loc, int] = {}

    def data(self, node: yaml.Node, loc: Loc, above: tuple[int, ...]) -> Any:
        self.lines.setdefault(loc, node.start_mark.line + 1)
        if id(node) in above or len(self.lines) > self.most_fields:
            what = "The file repeats itself without end, or is too large."
            raise self.error(node, what, "take out the alias (*) here, or write a shorter file.")
        if node.tag not in _PLAIN_TAGS:
            raise self.error(node, f"The tag {node.tag} is not read.", "write the value without a tag.")
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc, above)
        if isinstance(node, yaml.SequenceNode):
            if len(node.value) > MOST_ENTRIES:
                what = f"The list has {len(node.value)} entries, more than {MOST_ENTRIES}."
                raise self.error(node, what, "shorten it.")
            return tuple(self.data(each, (*loc, i), above) for i, each in enumerate(node.value))
        return _scalar(node, self.text(node))

    def text(self, node: yaml.Node) -> str:
        """What is written there; two escapes of JSON may be halves of one character."""
        said = str(node.value)
        if said.isprintable():
            return said
        said = said.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if found := _UNFIT.search(said):
            raise self.error(
                node, f"There is a character that no text holds (U+{ord(found[0]):04X}).", "take it out."
            )
        return said

    def mapping(self, node: yaml.MappingNode, loc: Loc, above: tuple[int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(
                    key, "A field's name is a list or a mapping.", "write a word before the colon."
                )
            name = self.text(key)
            if name in found:
                first = self.lines[(*loc, name)]
                dotted = ".".join(str(part) for part in (*loc, name))
                raise self.error(
                    key, f"{dotted} is given twice, first on line {first}.", "keep one of the two."
                )
            self.lines[(*loc, name)] = key.start_mark.line + 1
            found[name] = self.data(value, (*loc, name), above)
        return found

    def error(self, node: yaml.Node, what: str, do: str) -> LissiveError:
        return self.wrong(what, where=f"{self.path}:{node.start_mark.line + 1}", do=do)


def _scalar(node: yaml.Node, text: str) -> Any:
    if getattr(node, "style", None):  # quoted or a block: text, whatever it says
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _checked_json(text: str, path: Path, wrong: type[LissiveError]) -> str:
    """The text as YAML has it, once it is known to be JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of more digits than Python takes
        line = getattr(error, "lineno", 1)
        do = "check the quotes, commas and brackets there."
        raise wrong(f"This is no JSON: {error}.", where=f"{path}:{line}", do=do) from error
    return text.replace("\t", " ")  # strings in JSON hold no tabs, and YAML takes none between tokens


def _syntax(error: yaml.YAMLError, path: Path, wrong: type[LissiveError]) -> LissiveError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return wrong(
        f"Invalid YAML: {problem}.", where=where, do="check the indentation, colons, brackets and quotes."
    )
