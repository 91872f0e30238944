"""
The shell examples of the documentation; the command line they use is an extra, so they have a file of their own.

A ``none`` block holds what the ``sh`` block before it has printed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

from aioartifact.testing import ThreadedArtifactoryServer
from aioartifact.testing.process import store_example_data

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGES = [
    page for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if "```sh\n" in page.read_text("utf-8")
]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Variables of the shell: ``server`` is the address of one with three versions of ``db``, which knows who asks."""
    with ThreadedArtifactoryServer() as server:
        store_example_data(server)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        login = {"JF_URL": server.origin, "JF_USER": server.username, "JF_PASSWORD": server.password}
        yield os.environ | login | {"PATH": path, "server": server.url}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_shell_examples_print_what_the_page_says(path, tmp_path, environment):
    """Each ``sh`` block succeeds, and prints the ``none`` block after it. Exported variables last, as in a terminal."""
    printed: list[str] = []
    groups: list[int] = []
    variables = tmp_path.with_name(f"{tmp_path.name}-variables")
    variables.touch()

    def run(example):
        command = ["bash", "-euc", f". {variables}\n{example.parsed}\nexport -p > {variables}"]
        with subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            groups.append(process.pid)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        printed.append(out)

    def compare(example):
        assert printed.pop() == example.parsed

    try:
        for example in Document.parse(str(path), CodeBlockParser("sh", run), CodeBlockParser("none", compare)):
            example.evaluate()
    finally:
        # A page that goes wrong must not leave the server that it has started.
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
    assert "".join(printed) == ""
