"""The examples in other languages, with the tools of these languages, where they are installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"
# The fixture for the home folder hides the one that holds what Go has compiled: without it, each run takes a minute.
CACHE = os.environ.get("GOCACHE") or str(Path("~/.cache/go-build").expanduser())


@pytest.fixture
def environment() -> dict[str, str]:
    """The command ``aioartifact`` is that of this Python, and nothing is downloaded."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    go = {"GOCACHE": CACHE, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "CGO_ENABLED": "0"}
    return os.environ | go | {"PATH": path}


def version_of(command):
    """Major and minor number in what a command prints; (0, 0) if it is not installed."""
    if shutil.which(command[0]) is None:
        return (0, 0)
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", printed).groups()))


def run(tool, arguments, folder, environment):
    return subprocess.run(
        [tool, *arguments], cwd=EXAMPLES / folder, env=environment, capture_output=True, text=True, check=False
    )


def test_node(environment):
    """Three tests of a Node program pass, and the server ends with them."""
    if version_of(["node", "--version"]) < (20, 0):
        pytest.skip("Node 20 or newer is not installed")
    ran = run("node", ["--test", "--test-reporter=tap"], "node", environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 3\n" in ran.stdout
    assert "# fail 0\n" in ran.stdout


def test_go(environment):
    """Three tests of a Go program pass, and the server ends with them."""
    if version_of(["go", "env", "GOVERSION"]) < (1, 21):
        pytest.skip("Go 1.21 or newer is not installed")
    ran = run("go", ["test", "-vet=off", "-count=1", "-v", "./..."], "go", environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("--- PASS") == 3
