"""Every public function with every kind of session: the right result, or a typed error that says what is wrong."""

import asyncio
import gzip
import inspect
import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest

import aioartifact
from aioartifact import SessionError
from aioartifact.testing import Fault, ThreadedArtifactoryServer

pytestmark = pytest.mark.slow


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("inside.txt", "member")
    return buffer.getvalue()


CONTENT = {
    "tree/a.bin": b"a" * 100,
    "tree/sub/b.bin": b"b" * 200,
    "tree/sub/deep/c.bin": b"c" * 300,
    "org/example/thing/1.0.0/thing-1.0.0.zip": archive(),
    "org/example/thing/1.1.0/thing-1.1.0.zip": archive(),
    "maven/thing/maven-metadata.xml": b"<metadata><versioning><versions><version>1.0</version></versions>"
    b"</versioning></metadata>",
}
A, TREE = "{repo}/tree/a.bin", "{repo}/tree"
ZIP = "{repo}/org/example/thing/1.0.0/thing-1.0.0.zip"
NAMED = {"server": "{server}", "repository": "generic-local", "group_id": "org.example", "name": "thing"}


class Case(NamedTuple):
    """A call that works, and what is seen of its answer."""

    arguments: dict[str, Any]
    seen: Callable[[Any], Any]
    expected: Any


def names(entries):
    return sorted(entry.name for entry in entries)


def statuses(report):
    return sorted(outcome.status for outcome in report.outcomes)


CASES = {
    "aql": Case({"server": "{server}", "query": 'items.find({"path":"tree"})'}, len, 1),
    "checksum": Case({"path_or_url": A}, str, "36a92cc94a9e0fa21f625f8bfb007adf"),
    "copy": Case({"source": A, "target": "{repo}/copied.bin"}, lambda made: made.dry_run, False),
    "copy_many": Case({"items": [(A, "{repo}/copied.bin")]}, statuses, ["copied"]),
    "delete": Case({"url": TREE}, lambda gone: gone.dry_run, False),
    "delete_many": Case({"items": [A, TREE + "/sub"]}, statuses, ["deleted"] * 2),
    "delete_properties": Case({"url": A, "names": "key"}, lambda answer: answer, None),
    "deploy": Case({"path": "{local}", "url": "{repo}/up.bin"}, lambda url: url.rpartition("/")[2], "up.bin"),
    "deploy_folder": Case({"folder": "{folder}", "url": "{repo}/up/"}, statuses, ["deployed"] * 3),
    "deploy_many": Case({"items": ["{local}"], "url": "{repo}/up/"}, statuses, ["deployed"]),
    "download": Case({"url": A, "destination": "{folder}"}, lambda path: path.rpartition("/")[2], "a.bin"),
    "download_folder": Case({"url": TREE, "destination": "{folder}"}, statuses, ["downloaded"] * 3),
    "download_many": Case({"items": [A], "destination": "{folder}"}, statuses, ["downloaded"]),
    "exists": Case({"url": A}, bool, True),
    "glob": Case({"url": TREE, "pattern": "**/*.bin"}, names, ["a.bin", "b.bin", "c.bin"]),
    "info": Case({"url": A}, lambda found: found.size, 100),
    "latest_version": Case(NAMED, str, "1.1.0"),
    "list_archive": Case({"url": ZIP}, lambda members: [member.name for member in members], ["inside.txt"]),
    "ls": Case({"url": TREE}, names, ["a.bin", "sub"]),
    "maven_metadata": Case(NAMED | {"group_id": "maven"}, lambda found: found.versions, ("1.0",)),
    "mkdir": Case({"url": "{repo}/new"}, lambda answer: answer, None),
    "move": Case({"source": A, "target": "{repo}/moved.bin"}, lambda made: made.dry_run, False),
    "move_many": Case({"items": [(A, "{repo}/moved.bin")]}, statuses, ["moved"]),
    "open": Case({"url": A}, lambda file: file.size, 100),
    "path": Case({"url": TREE}, names, ["a.bin", "sub"]),
    "diagnose": Case({"url": "{server}"}, lambda found: found.ok, True),
    "ping": Case({"server": "{server}"}, bool, True),
    "plan_sync": Case({"source": TREE, "destination": "{folder}"}, lambda plan: len(plan.actions), 3),
    "properties": Case({"url": A}, dict, {"key": ["value"]}),
    "read_archive_member": Case({"url": ZIP, "member": "inside.txt"}, bytes, b"member"),
    "read_bytes": Case({"url": A}, bytes, b"a" * 100),
    "repositories": Case({"server": "{server}"}, lambda all_: [each.key for each in all_], ["generic-local"]),
    "rest_api_get": Case({"url": A}, lambda answer: answer.status_code, 200),
    "run_sync": Case({"plan": "{plan}"}, statuses, ["downloaded"] * 3),
    "search": Case({"server": "{server}", "name": "b.bin"}, names, ["b.bin"]),
    "server_info": Case({"server": "{server}"}, lambda found: found.edition, "pro"),
    "set_properties": Case({"url": A, "properties": {"key": "new"}}, lambda answer: answer, None),
    "stream": Case({"url": A}, b"".join, b"a" * 100),
    "sync": Case({"source": TREE, "destination": "{folder}"}, statuses, ["downloaded"] * 3),
    "update_properties": Case({"url": A, "changes": {"key": None}}, lambda answer: answer, None),
    "versions": Case(NAMED, list, ["1.0.0", "1.1.0"]),
    "versions_many": Case(
        {"server": "{server}", "repository": "generic-local", "names": [("org.example", "thing")]},
        lambda found: [result.versions for result in found.values()],
        [("1.0.0", "1.1.0")],
    ),
    "walk": Case({"url": TREE}, names, ["a.bin", "b.bin", "c.bin"]),
    "write_bytes": Case({"url": "{repo}/up.bin", "data": b"x"}, int, 1),
}


def taking_a_session():
    functions = {name: getattr(aioartifact, name) for name in aioartifact.__all__}
    talking = {
        n for n, f in functions.items() if inspect.isfunction(f) and "session" in inspect.signature(f).parameters
    }
    return talking - {"stats", "with_credentials"}  # these send nothing, and do not open a session


@pytest.fixture
async def filled(server):
    """The server with the files of the table."""
    fill(server)
    return server


def fill(server):
    for path, content in CONTENT.items():
        server.put(f"generic-local/{path}", content, properties={"key": ["value"]} if path == "tree/a.bin" else None)


@pytest.fixture
async def call(filled, tmp_path):
    """Makes the call of the table, with the given session."""
    places = {"server": filled.url, "repo": f"{filled.url}/generic-local"}
    places |= {name: str(tmp_path / name) for name in ("folder", "local")}
    (tmp_path / "local").write_bytes(b"local")

    async def made(name: str, session: Any) -> Any:
        (tmp_path / "folder").mkdir(exist_ok=True)
        if name == "deploy_folder":
            for number in range(3):
                (tmp_path / "folder" / f"{number}.bin").write_bytes(bytes(number))
        if name == "run_sync":
            places["plan"] = await _plan(filled, places["folder"])
        arguments = {key: _filled_in(value, places) for key, value in CASES[name].arguments.items()}
        return CASES[name].seen(await answer_of(getattr(aioartifact, name)(**arguments, session=session)))

    return made


def _filled_in(value, places):
    if isinstance(value, list):
        return [_filled_in(each, places) for each in value]
    if isinstance(value, tuple):
        return tuple(_filled_in(each, places) for each in value)
    if value == "{plan}":
        return places["plan"]
    return value.format_map(places) if isinstance(value, str) and value.startswith("{") else value


async def _plan(server, folder):
    async with own(server) as opened:
        return await aioartifact.plan_sync(f"{server.url}/generic-local/tree", folder, session=opened)


async def answer_of(made: Any) -> Any:
    """Do with a call's answer what a caller does: await it, enter it or iterate over it."""
    if isinstance(made, aioartifact.ArtifactoryPath):
        return [child async for child in made.iterdir()]
    if inspect.isawaitable(made):
        return await made
    if isinstance(made, AbstractAsyncContextManager) and not isinstance(made, aioartifact.Results):
        async with made as entered:
            return [each async for each in entered] if hasattr(entered, "__aiter__") else entered
    return [each async for each in made]


@asynccontextmanager
async def own(server):
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as opened:
        yield opened


@asynccontextmanager
async def elsewhere(server):
    """One that was opened with another server in mind; this one is named in the environment."""
    async with aioartifact.session("https://other.invalid/artifactory", auth=("other", "secret")) as opened:
        yield opened


def plain(**options):
    """One that aiohttp's users make for themselves, with credentials of its own."""

    @asynccontextmanager
    async def opened(server):
        headers = {"Authorization": aiohttp.encode_basic_auth(server.username, server.password)}
        async with aiohttp.ClientSession(headers=headers, **{k: v() for k, v in options.items()}) as session:
            yield session

    return opened


@asynccontextmanager
async def none_given(server):
    yield None


async def pass_on(request, handler):
    return await handler(request)


SESSIONS = {
    "ours": own,
    "ours-elsewhere": elsewhere,
    "plain": plain(),
    "plain-one-connection": plain(connector=lambda: aiohttp.TCPConnector(limit=1)),
    "plain-that-raises": plain(raise_for_status=lambda: True),
    "plain-without-decompression": plain(auto_decompress=lambda: False),
    "plain-with-a-base": plain(base_url=lambda: "https://other.invalid/"),
    "plain-with-a-deadline": plain(timeout=lambda: aiohttp.ClientTimeout(total=1e-6)),
    "plain-with-a-middleware": plain(middlewares=lambda: (pass_on,)),
    "plain-with-small-buffers": plain(read_bufsize=lambda: 1),
}


def test_table_names_every_function():
    """A public function that takes a session and is not in the table is found here."""
    assert CASES.keys() == taking_a_session()


@pytest.mark.parametrize("kind", SESSIONS)
@pytest.mark.parametrize("name", CASES)
async def test_any_session_gives_the_right_result(filled, call, monkeypatch, name, kind):
    """With a session of either kind, the result is right, the session stays open and its connections are free."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", filled.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", filled.password)
    async with SESSIONS[kind](filled) as session, asyncio.timeout(20):
        assert await call(name, session) == CASES[name].expected
        assert not session.closed
        assert not session.connector._acquired


@pytest.mark.parametrize("name", CASES)
async def test_no_session_gives_the_right_result(filled, call, monkeypatch, name):
    """Without a session, credentials are looked up and what is opened is closed."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", filled.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", filled.password)
    assert await call(name, None) == CASES[name].expected


@pytest.mark.parametrize("opened", [pytest.param(own, id="ours"), pytest.param(plain(), id="plain")])
@pytest.mark.parametrize("name", CASES)
async def test_closed_session_is_told(filled, call, name, opened):
    """A closed session is named as what is wrong, before any request."""
    async with opened(filled) as session:
        pass
    with pytest.raises(SessionError, match="closed"):
        await call(name, session)


@pytest.mark.parametrize("given", [pytest.param("https://host/artifactory", id="text"), pytest.param(7, id="number")])
@pytest.mark.parametrize("name", CASES)
async def test_session_that_is_none_is_told(call, name, given):
    """Something else than a session is named, at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=r"expected an aiohttp\.ClientSession"):
        await call(name, given)


ANSWERED_WITHOUT_A_BODY = {"delete", "delete_many", "delete_properties", "update_properties"}


@asynccontextmanager
async def impatient(server):
    retry = aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    async with aioartifact.session(server.url, auth=(server.username, server.password), retry=retry) as opened:
        yield opened


@pytest.mark.parametrize("opened", [pytest.param(impatient, id="ours"), pytest.param(plain(), id="plain")])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param(name, fault, id=f"{name}-before-the-{part}")
        for name in sorted(CASES.keys() - {"diagnose", "ping", "run_sync"})
        for part, fault in (("answer", Fault.lose()), ("body", Fault.reset()))
        if part == "answer" or name not in ANSWERED_WITHOUT_A_BODY
    ],
)
async def test_connection_that_breaks_each_time_ends_the_call(filled, call, name, fault, opened):
    """No session makes a call try for ever: the error comes after the attempts there are."""
    async with opened(filled) as session, asyncio.timeout(60):
        filled.fail("*", "**", times=None, fault=fault)
        with pytest.raises((aioartifact.TransportError, aioartifact.BatchError)):
            await call(name, session)


@pytest.mark.parametrize(
    ("opened", "fault"),
    [
        pytest.param(impatient, Fault.lose(), id="ours-no-answer"),  # aiohttp itself repeats it in a plain session
        pytest.param(impatient, Fault.status(503), id="ours-refusal"),
        pytest.param(plain(), Fault.status(503), id="plain-refusal"),
    ],
)
async def test_error_names_its_request_and_its_attempts(filled, opened, fault):
    """With any session, an attempt is a request that was sent."""
    async with opened(filled) as session:
        filled.fail("*", "**", times=None, fault=fault)
        filled.clear_log()
        with pytest.raises((aioartifact.TransportError, aioartifact.ResponseError)) as caught:
            await aioartifact.info(f"{filled.url}/generic-local/tree/a.bin", session=session)
        error = caught.value
        assert (error.method, error.url) == ("GET", f"{filled.url}/api/storage/generic-local/tree/a.bin")
        assert error.attempts == len(filled.requests)


@pytest.fixture
async def compressing():
    """URL of a folder on a server that compresses its answers, as the proxies before real ones do."""
    body = gzip.compress(
        b'{"repo":"r","path":"/","created":"2020-01-01T00:00:00.000Z","children":[{"uri":"/a","folder":false}]}'
    )
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n"

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1")
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/artifactory/r"


@pytest.mark.parametrize("decompresses", [True, False])
async def test_compressed_answer_is_read_with_any_session(compressing, decompresses):
    """How a session is set up to treat compressed answers does not matter."""
    async with aiohttp.ClientSession(auto_decompress=decompresses) as session:
        assert [entry.name async for entry in aioartifact.ls(compressing, session=session)] == ["a"]


@pytest.mark.parametrize("opened", [pytest.param(own, id="ours"), pytest.param(plain(), id="plain")])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.hold(), id="before-the-answer"),
        pytest.param(Fault.stall(), id="before-the-body"),
        pytest.param(Fault.stall(after=20), id="in-the-body"),
    ],
)
@pytest.mark.parametrize("name", ["aql", "deploy", "download", "download_many", "info", "stream", "sync", "walk"])
async def test_session_closed_in_mid_call_ends_the_call(filled, call, name, fault, opened):
    """Who leaves the block of the session under a running call ends the call with an error that says so."""
    async with opened(filled) as session:
        handle = filled.fail("*", "**", fault=fault)
        running = asyncio.ensure_future(call(name, session))
        await handle.reached()
        await session.close()
        async with asyncio.timeout(20):
            with pytest.raises((SessionError, aioartifact.BatchError), match="session is closed"):
                await running
        handle.release()


@pytest.mark.parametrize("opened", [pytest.param(own, id="ours"), pytest.param(plain(), id="plain")])
def test_session_of_another_loop_is_told_and_stays_good(opened):
    """A session is refused in another loop before anything is done with it, and goes on to work in its own."""
    with ThreadedArtifactoryServer() as server, asyncio.Runner() as first:
        url = f"{server.url}/generic-local/a.bin"
        server.put("generic-local/a.bin", b"bytes")
        opening = opened(server)
        session = first.run(opening.__aenter__())

        async def read():
            return await aioartifact.read_bytes(url, session=session)

        with asyncio.Runner() as second, pytest.raises(SessionError, match="another event loop"):
            second.run(read())
        assert first.run(read()) == b"bytes"
        first.run(opening.__aexit__(None, None, None))


@pytest.mark.parametrize(
    "opened", [pytest.param(own, id="ours"), pytest.param(plain(), id="plain"), pytest.param(none_given, id="none")]
)
@pytest.mark.parametrize("name", CASES)
async def test_call_cancelled_at_every_await(filled, call, tmp_path, monkeypatch, cancel_at_every_await, name, opened):
    """Wherever a call is cut, no task, no connection and no staging file is left."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", filled.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", filled.password)
    before = asyncio.all_tasks()

    async def again() -> None:
        fill(filled)
        for file in tmp_path.glob("folder/**/*.bin"):
            file.unlink()
        await call(name, session)

    def check(cancelled: bool) -> None:
        assert session is None or not session.connector._acquired
        assert not [task for task in asyncio.all_tasks() - before if "aioartifact/_" in str(task)]
        assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".bin", ""}
        assert not list(tmp_path.rglob(".*"))

    async with opened(filled) as session:
        assert await cancel_at_every_await(again, check) > 1


async def test_handles_show_what_they_are(filled, tmp_path):
    """What a call hands out shows in a debugger or a log how it stands, and no memory address."""
    url = f"{filled.url}/generic-local/tree"
    async with own(filled) as session:
        batch = aioartifact.download_folder(url, tmp_path, session=session)
        assert repr(batch) == "<Batch not started, on_error='raise'>"
        await batch
        assert repr(batch) == "<Batch started, on_error='raise'>"
        listing = aioartifact.walk(url, session=session)
        assert repr(listing) == "FileListing(method=None, is_complete=False)"
        assert len([entry async for entry in listing]) == 3
        assert repr(listing) == "FileListing(method='file-list', is_complete=True)"
        found = aioartifact.search(filled.url, name="none", session=session)
        assert repr(found) == "Results(is_complete=False, is_doubtful=False)"
        async with aioartifact.open(f"{url}/a.bin", session=session) as file:
            await file.read(10)
            assert repr(file) == f"RemoteFile('{url}/a.bin', size=100, position=10)"
