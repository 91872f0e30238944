"""The table beside this file: each line of the specification has its tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
TABLE = (HERE / "SPECIFICATION.md").read_text("utf-8")
ROWS = [row.strip("| ").split(" | ") for row in TABLE.splitlines() if re.match(r"\| [A-E]\d", row)]
SECTIONS = {"A": range(1, 8), "B": range(8, 14), "C": range(14, 19), "D": range(19, 24), "E": range(24, 30)}


def named_in(cell: str) -> list[tuple[str, str]]:
    """Take a cell apart: files in backquotes with the tests they hold."""
    named = []
    for part in cell.split("; "):
        file, names = re.fullmatch(r"`([\w/]+\.py)`: (test_\w+(?:, test_\w+)*)", part).groups()
        named += [(file, name) for name in names.split(", ")]
    return named


def test_every_line_has_a_row():
    """The rows are the lines A1 to E29, in their order."""
    assert [line for line, *_ in ROWS] == [f"{letter}{number}" for letter in SECTIONS for number in SECTIONS[letter]]


def test_every_test_of_the_table_exists():
    """Each row names tests, and each of them is a function of its file."""
    named = {pair for _, _, cell in ROWS for pair in named_in(cell)}
    missing = {
        (file, name)
        for file, name in named
        if name not in {getattr(node, "name", "") for node in ast.parse((HERE / file).read_text("utf-8")).body}
    }
    assert missing == set()
