"""The examples of the documentation: the server that they use, and what runs a page."""

import ast
import asyncio
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from inspect import CO_COROUTINE
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.evaluators.python import pad
from sybil.parsers.markdown import CodeBlockParser, SkipParser

import aioartifact
from aioartifact.testing import ThreadedArtifactoryServer
from aioartifact.testing.process import store_example_data

ROOT = Path(__file__).parents[2]


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


def run_page(path: Path, server: str) -> None:
    """Run every example of a page, and compare what it prints."""
    with asyncio.Runner() as runner:
        document = Page(runner).parse(path)
        document.namespace.update(__name__=path.stem, aioartifact=aioartifact, server=server)
        for example in document:
            example.evaluate()
