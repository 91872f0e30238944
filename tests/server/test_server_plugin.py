"""The pytest plugin, in sessions of its own, and what it may import."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import aioartifact.testing

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "aioartifact" / "testing"
USE = """
import os
import urllib.request

def fetch(server, path):
    request = urllib.request.Request(server.url + path, headers={"X-JFrog-Art-Api": server.api_key})
    with urllib.request.urlopen(request) as response:
        return response.read()

def test_own(artifactory):
    artifactory.put("generic-local/a", b"content")
    assert fetch(artifactory, "/generic-local/a") == b"content"

def test_fresh(artifactory, artifactory_server):
    assert artifactory is not artifactory_server
    assert not artifactory.exists("generic-local/a")
    artifactory_server.put("generic-local/shared", b"x")

def test_shared(artifactory_server):
    assert artifactory_server.exists("generic-local/shared")

def test_env(artifactory_env, artifactory):
    assert artifactory_env is artifactory
    assert os.environ["ARTIFACTORY_USERNAME"] == artifactory.username
    assert os.environ["ARTIFACTORY_API_KEY"] == artifactory.api_key
    assert os.environ["JF_URL"] == artifactory.origin
"""
IN_A_LOOP = """
import asyncio

async def test_in_a_loop(artifactory):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(artifactory.origin.rpartition(":")[2]))
    writer.write(b"GET /artifactory/ HTTP/1.0\\r\\n\\r\\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()
"""
AS_IN_ANYIO = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

pytestmark = pytest.mark.anyio
"""


def pytest_run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess:
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *options, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_fixtures_without_a_loop(tmp_path):
    """Every fixture serves synchronous tests."""
    done = pytest_run(tmp_path, USE, "-p", "aioartifact.testing.plugin")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_fixtures_beside_anyio(tmp_path):
    """The fixtures serve asynchronous tests as well: they bring a thread and no loop of the test's."""
    done = pytest_run(tmp_path, AS_IN_ANYIO + IN_A_LOOP, "-p", "aioartifact.testing.plugin", "-p", "anyio")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_fixtures_beside_pytest_asyncio(tmp_path):
    """The same test runs under the other plugin that brings loops."""
    plugins = ["-p", "aioartifact.testing.plugin", "-p", "pytest_asyncio.plugin", "--asyncio-mode=auto"]
    done = pytest_run(tmp_path, IN_A_LOOP, *plugins, "-o", "asyncio_default_fixture_loop_scope=function")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_plugin_imports_nothing_heavy():
    """Having the plugin installed costs no import of aiohttp or asyncio."""
    look = (
        "import sys; before = set(sys.modules); import aioartifact.testing.plugin; "
        "print({'aiohttp', 'asyncio', 'sqlite3'} & (set(sys.modules) - before))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    bare = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert bare.stdout.strip() == "set()"


def test_public_names_resolve():
    """Every name in ``__all__`` is there, under its own name, and nothing else is made up."""
    values = {name: getattr(aioartifact.testing, name) for name in aioartifact.testing.__all__}
    assert {name for name, value in values.items() if getattr(value, "__name__", name) != name} == set()
    assert dir(aioartifact.testing) == sorted(aioartifact.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = aioartifact.testing.Nothing


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_server_shares_no_code_with_the_client(file):
    """No module of the server imports the client, not even one of its constants."""
    depth = len(file.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= depth, f"line {node.lineno} reaches above the server"
            assert node.level or not (node.module or "").startswith("aioartifact"), f"line {node.lineno}"
        elif isinstance(node, ast.Import):
            assert not [each for each in node.names if each.name.startswith("aioartifact")], f"line {node.lineno}"
