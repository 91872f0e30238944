"""
The examples of the README and the documentation, run against the embedded server.

Every ``python`` block of a page runs, in order and in one event loop; ``await`` works at its top level. A ``text``
block holds what the blocks since the last one have printed. A page starts with these names: ``server``, the address
of a server with three versions of ``db``; ``aioartifact``.
"""

import ast
import asyncio
import io
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from inspect import CO_COROUTINE
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.evaluators.python import pad
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser, SkipParser

import aioartifact
from aioartifact.testing import ThreadedArtifactoryServer
from aioartifact.testing.example_data import store_example_data

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.fixture
def example_server(monkeypatch) -> Iterator[ThreadedArtifactoryServer]:
    """Server that holds what the examples ask for; its credentials are in the environment."""
    with ThreadedArtifactoryServer() as running:
        store_example_data(running)
        monkeypatch.setenv("ARTIFACTORY_URL", running.url)
        monkeypatch.setenv("AIOARTIFACT_SERVER", running.url)
        monkeypatch.setenv("ARTIFACTORY_USERNAME", running.username)
        monkeypatch.setenv("ARTIFACTORY_API_KEY", running.password)
        yield running


class Page:
    """Runs the examples of one page."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._printed = io.StringIO()

    def parse(self, path: Path) -> Document:
        parsers = [CodeBlockParser("python", self.run), CodeBlockParser("text", self.compare), SkipParser()]
        return Document.parse(str(path), *parsers)

    def run(self, example: Example) -> None:
        source = pad(example.parsed, example.line + example.parsed.line_offset)
        code = compile(source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        with redirect_stdout(self._printed):
            result = eval(code, example.namespace)
            if code.co_flags & CO_COROUTINE:
                self._runner.run(result)

    def compare(self, example: Example) -> str | None:
        printed = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        return None if printed == example.parsed else f"printed:\n{printed}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_page_runs_as_printed(path, example_server, tmp_path, monkeypatch):
    """Every example of the page runs, and prints what the page says."""
    monkeypatch.chdir(tmp_path)
    with asyncio.Runner() as runner:
        document = Page(runner).parse(path)
        document.namespace.update(__name__=path.stem, aioartifact=aioartifact, server=example_server.url)
        for example in document:
            example.evaluate()


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
