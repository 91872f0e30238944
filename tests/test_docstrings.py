"""Signatures and docstrings, as the site shows them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "aioartifact").rglob("*.py"))
PAGES = "".join(page.read_text("utf-8") for page in (ROOT / "docs/reference/api").glob("*.md"))
DOCUMENTED = {name.rpartition(".")[2] for name in re.findall(r"auto\w+:: ([\w.]+)", PAGES)}
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Their lines are indented below the heading.
SECTIONS = re.compile(r"(Args|Attributes|Raises|Returns|Yields):$")


def functions_shown(tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        if getattr(node, "name", "") in DOCUMENTED:
            yield from (member for member in members if isinstance(member, Function))


def private_defaults(source: str) -> list[str]:
    """Default values of documented functions that contain a private name."""
    arguments = [function.args for function in functions_shown(ast.parse(source))]
    defaults = [value for each in arguments for value in (*each.defaults, *each.kw_defaults) if value]
    return [text for text in map(ast.unparse, defaults) if re.search(r"\b_[A-Za-z]", text)]


def indented_continuations(text: str) -> list[str]:
    """Lines of a paragraph that are indented below its first line: Sphinx shows them as a definition list."""
    found = []
    for paragraph in text.split("\n\n"):
        first, *others = paragraph.strip("\n").splitlines() or [""]
        if not first.startswith((" ", "- ", ".. ")) and not SECTIONS.match(first) and not re.search(r"[├└]", paragraph):
            found += [line for line in others if line.startswith(" ")]
    return found


def test_checks_find_faults():
    """The checks of this module find what they look for."""
    assert private_defaults(
        "_A = 1\ndef prefetch(a=_A, *, b, c=2): ...\nclass Cache:\n def size(self, b=_A + 1): ..."
    ) == [
        "_A",
        "_A + 1",
    ]
    assert indented_continuations("See: one,\n    two.\n\nArgs:\n    a: b\n        c\n\n    code:\n        more") == [
        "    two."
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_default_is_readable(path):
    """A signature shows the value of a default, not the name of a private constant."""
    assert private_defaults(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paragraph_is_not_indented(path):
    """A paragraph of a docstring has one indentation."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, kinds)]
    assert [line for node in nodes for line in indented_continuations(ast.get_docstring(node) or "")] == []
