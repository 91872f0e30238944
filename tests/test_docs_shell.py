"""
The shell examples of the documentation; the command line they use is an extra, so they have a file of their own.

A ``none`` block holds what the ``sh`` block before it has printed.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parent.parent
PAGES = [page for page in sorted(ROOT.glob("docs/*.md")) if "```sh\n" in page.read_text("utf-8")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_shell_examples_print_what_the_page_says(path, tmp_path):
    """Each ``sh`` block succeeds, and prints the ``none`` block after it."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    printed: list[str] = []
    groups: list[int] = []

    def run(example):
        command = ["bash", "-euc", example.parsed]
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
