"""
The examples of the README and the documentation, run against the embedded server.

Every ``python`` block of a page runs, in order and in one event loop; ``await`` works at its top level. A ``text``
block holds what the blocks since the last one have printed. A page starts with these names: ``server``, the address
of a server with three versions of ``db``; ``aioartifact``.
"""

import ast
import asyncio
import os
import re

import pytest
from doc_examples import ROOT, Page, example_server, run_page
from sybil.example import SybilFailure

__all__ = ["example_server"]

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
# Their examples need other libraries: tests/data runs them.
DATA_PAGES = {DOCS / "howto" / "dataframes.md"}


@pytest.mark.parametrize(
    "path", [page for page in PAGES if page not in DATA_PAGES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_page_runs_as_printed(path, example_server, tmp_path, monkeypatch):
    """Every example of the page runs, and prints what the page says."""
    monkeypatch.chdir(tmp_path)
    run_page(path, example_server.url)


def test_each_page_is_in_one_table_of_contents():
    """A reader finds each page of the documentation from the index, in one place."""
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.glob("**/*.md")}
    listed = [
        os.path.normpath((page.parent / entry).relative_to(DOCS))
        for page in DOCS.glob("**/*.md")
        for table in re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        for entry in re.findall(r"^[\w./-]+$", table, re.MULTILINE)
    ]
    assert sorted(listed) == sorted(pages - {"index"})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_is_no_wider_than_its_column(path):
    """The column of the site holds 88 characters; longer lines of an example would need a scroll bar."""
    blocks = re.findall(r"^```(?:python|sh)\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert [line for block in blocks for line in block.splitlines() if len(line) > 88] == []


def test_readme_has_one_command_for_the_demo_and_one_for_the_tests():
    """``.ci/run`` runs the ``console`` lines of the README in order, each from nothing but a clone."""
    lines = re.findall(r"^\$ (.+)$", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    assert [line.rpartition(" && ")[2] for line in lines] == [".venv/bin/aioartifact demo", ".venv/bin/tox"]
    assert all(line.startswith("python3 -m venv .venv && ") for line in lines)


def test_page_that_prints_something_else_is_reported(tmp_path):
    """A ``text`` block that is not what was printed fails, and the report shows what was."""
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "utf-8")
    with asyncio.Runner() as runner:
        code, printed = Page(runner).parse(page)
        code.evaluate()
        with pytest.raises(SybilFailure, match="printed:\n2\n"):
            printed.evaluate()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_statement_after_a_block_follows_a_blank_line(path):
    """An interpreter ends a pasted block only at a blank line."""
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for block in blocks:
        tree = compile(block, path, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        lines = block.splitlines()
        pairs = zip(tree.body, tree.body[1:], strict=False)
        ends = [first.end_lineno for first, _ in pairs if hasattr(first, "body")]
        assert [lines[end] for end in ends if lines[end].strip()] == []
