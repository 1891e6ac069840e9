"""The mappings of a YAML file as rows, each with the line where it begins."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

Row = tuple[int, dict[str, str]]

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""The files come with lissive: libyaml reads them ten times as fast."""


def yaml_rows(text: str) -> Iterator[Row]:
    """Line and plain cells of each mapping that has any, from the top down; nothing where it is not YAML.

    >>> list(yaml_rows("- id: a\\n  dose:\\n    value: 2\\n    unit: mg\\n"))
    [(1, {'id': 'a'}), (3, {'value': '2', 'unit': 'mg'})]
    """
    try:
        top = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        return
    if top is not None:
        yield from _rows(top)


def _rows(node: yaml.Node) -> Iterator[Row]:
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _rows(each)
    elif isinstance(node, yaml.MappingNode):
        cells = {
            str(key.value): "" if value.tag.endswith(":null") else str(value.value)
            for key, value in node.value
            if isinstance(value, yaml.ScalarNode)
        }
        if cells:
            yield node.start_mark.line + 1, cells
        for _, value in node.value:
            yield from _rows(value)
