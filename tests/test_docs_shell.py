"""
The shell examples of the documentation; the command line they use is an extra, so they have a file of their own.

A ``none`` block holds what the ``sh`` block before it has printed.
"""

import os
import subprocess
import sys
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

    def run(example):
        command = ["bash", "-euc", example.parsed]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)

    def compare(example):
        assert printed.pop() == example.parsed

    for example in Document.parse(str(path), CodeBlockParser("sh", run), CodeBlockParser("none", compare)):
        example.evaluate()
    assert printed == []
