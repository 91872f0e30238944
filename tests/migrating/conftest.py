"""What docs/howto/migrating.md says: its lines, and a server and a folder with everything these work on."""

import ast
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import CO_COROUTINE
from pathlib import Path

import pytest

import aioartifact
from aioartifact.testing import ThreadedArtifactoryServer

PAGE = (Path(__file__).parents[2] / "docs/howto/migrating.md").read_text("utf-8")
NO_EXPRESSION = re.compile(r"(GET|PUT|POST|DELETE) |none$")
UID = "afe694a5-8bad-4dbc-73ba-636f18340615"
DAY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LOOKUP = "emodb/models/lookup/1.0.0/lookup-1.0.0.csv"


@dataclass(frozen=True)
class Line:
    """
    A line of a table: what takes the place of a call.

    Attributes:
        section: The heading it stands under.
        theirs: What stands in its first cell; of several things the first is the one that runs.
        ours: What stands in the second: an expression, a request, or "none".
        is_same: Whether both are said to have the same value.
    """

    section: str
    theirs: tuple[str, ...]
    ours: str
    is_same: bool

    def __str__(self) -> str:
        return f"{self.section}: {self.theirs[0]}"


def read_lines() -> Iterator[Line]:
    for section in PAGE.split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        for row in re.findall(r"^\| (`.*) \|$", text, re.MULTILINE):
            theirs, ours, *difference = row.split(" | ")
            spans = tuple(re.findall(r"`([^`]+)`", theirs))
            yield Line(heading, spans, ours.strip("`"), "".join(difference).startswith("same"))


LINES = tuple(read_lines())


def pytest_generate_tests(metafunc):
    """Give a test each line that has an expression as ``line``, or each that has a request as ``request_line``."""
    if "line" in metafunc.fixturenames:
        metafunc.parametrize("line", [line for line in LINES if not NO_EXPRESSION.match(line.ours)], ids=str)
    if "request_line" in metafunc.fixturenames:
        requests = [line for line in LINES if NO_EXPRESSION.match(line.ours) and line.ours != "none"]
        metafunc.parametrize("request_line", requests, ids=str)


@pytest.fixture
def page():
    """The page itself."""
    return PAGE


@pytest.fixture
def lines():
    """Every line of every table."""
    return LINES


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a server as each line finds it; the current folder and the credentials in the environment fit it."""
    monkeypatch.chdir(tmp_path)
    Path("db.zip").write_bytes(b"local")
    Path("fetched").mkdir()
    Path("recordings").mkdir()
    Path("recordings/d.wav").write_bytes(b"d")
    with ExitStack() as running:

        def start():
            server = running.enter_context(ThreadedArtifactoryServer())
            fill(server)
            monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
            monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
            return server

        yield start


@pytest.fixture
def artifactory(start):
    """The server that ours is run against."""
    return start()


def fill(server: ThreadedArtifactoryServer) -> None:
    server.create_repository("data-public")
    server.enable_folder_download()
    for version in ("1.0.0", "1.1.0", "1.1.1"):
        folder = f"data-public/emodb/db/{version}"
        server.put(f"{folder}/db-{version}.zip", version.encode(), properties={"os": "linux"}, modified=DAY)
        server.put(f"{folder}/media/a.wav", b"a")
    server.put(f"{folder}/tables.zip", zip_of("db.csv", b"a,b\n"))
    server.make_folder(f"{folder}/empty")
    server.put(f"data-public/{LOOKUP}", f"id,purpose,rate\n{UID},prod,16000\n".encode())


def zip_of(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(zipfile.ZipInfo(name), content)  # with a date of its own
    return file.getvalue()


@pytest.fixture
def names(artifactory):
    """The names that the page gives to what its lines use."""
    names = {"aioartifact": aioartifact, "server": artifactory.url, "uid": UID}
    exec(PAGE.partition("```python\n")[2].partition("```")[0], names)
    names["lookup"] = aioartifact.Lookup(artifactory.url, "data-public", "emodb.models", version="1.0.0")
    return names


@pytest.fixture
def evaluate():
    """Evaluate an expression, which may await."""

    async def evaluate(expression, names):
        code = compile(expression, "docs/howto/migrating.md", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        value = eval(code, names)
        return await value if code.co_flags & CO_COROUTINE else value

    return evaluate


@pytest.fixture
def state():
    """Return what is on a server: each file's bytes and properties."""

    async def state(server):
        url = f"{server.url}/data-public"
        paths = [f"data-public/{file.path}" async for file in aioartifact.walk(url)]
        return {path: (server.read(path), server.properties(path)) for path in paths}

    return state
