"""How is it shown? Typed answers as text, Markdown, HTML and figures; nothing is computed here.

`words` has numbers, lists and marks, `table` one table with three printers; then one module a subject.

>>> from lissive.report.table import as_text, table
>>> print(as_text(table("", "arm|n", [["drug", "12"]], "n"), rule=False))
arm    n
drug  12
"""
