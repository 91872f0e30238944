"""
FastAPI and Django: the programs of examples/, served by uvicorn on a socket.

aiohttp's own framework has its program in tests/test_examples.py. What a session of another event loop raises is tested
in tests/test_session.py, and here for the event loop that Django runs an asynchronous view in under WSGI.
"""

import asyncio
import gc
import importlib
import io
import logging
import os
import socket
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest

import aioartifact
from aioartifact.testing import Fault

EXAMPLES = Path(__file__).parents[2] / "examples"
COUNT = 20
LARGE = os.urandom(1_000_000) * 20  # more than the socket buffers hold


@pytest.fixture(scope="module")
def applications(module_server):
    """The ASGI application of each program; Django can be configured once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIOARTIFACT_SERVER", module_server.url)
        patch.syspath_prepend(str(EXAMPLES))
        return {
            "fastapi": importlib.import_module("fastapi_service").app,
            "django": importlib.import_module("django_service").application,
        }


@pytest.fixture(params=["fastapi", "django"])
def application(request, applications):
    return applications[request.param]


@pytest.fixture
def contents(server):
    """Files of the repository that the programs send, by path: 0 bytes to 1.9 MB."""
    server.create_repository("data-public")
    found = {f"emodb/db/1.{number}.0/db.bin": os.urandom(1000) * 100 * number for number in range(COUNT)}
    for path, content in found.items():
        server.put(f"data-public/{path}", content)
    server.clear_log()
    return found


class Listening(uvicorn.Server):
    """A server that reports when it accepts connections."""

    def __init__(self, config):
        super().__init__(config)
        self.is_listening = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.is_listening.set()


@asynccontextmanager
async def serving(application):
    """Serve an application in this event loop; yield a client, and the session that its lifespan opened."""
    config = uvicorn.Config(application, lifespan="on", log_config=None, ws="none", timeout_graceful_shutdown=30)
    running = Listening(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.TaskGroup() as group:
            group.create_task(running.serve([listener]))
            await running.is_listening.wait()
            try:
                connector = aiohttp.TCPConnector(limit=0)
                async with aiohttp.ClientSession(address, connector=connector) as client:
                    yield client, running.lifespan.state["artifactory"]
            finally:
                running.should_exit = True


async def fetch(client, path):
    async with client.get(path) as response:
        assert response.status == 200
        return await response.read()


async def fetch_all(client, paths):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(client, path)) for path in paths]
    return [task.result() for task in tasks]


def open_sockets():
    """Sockets of this process, which is that of the client, the service and Artifactory."""
    gc.collect()
    found = 0
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found += str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith("socket:")
        except FileNotFoundError:  # that of the listing, or one that another thread has closed
            continue
    return found


async def until(condition):
    """Run the event loop until Artifactory, in its thread, has noticed that its client is gone."""
    async with asyncio.timeout(60):
        # No event says so.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)  # a turn of the loop, not a wait


async def test_files_over_the_session_of_the_service(server, contents, application):
    """Requests at once get the right bytes; the session is closed at shutdown, and no connection is left."""
    sockets = open_sockets()
    async with serving(application) as (client, session):
        found = await fetch_all(client, [f"/files/{path}" for path in contents])
        assert found == [*contents.values()]
        assert server.count() == server.count("GET", "data-public/**") == COUNT
        assert aioartifact.stats(session).requests == COUNT
        assert not session.closed
    assert session.closed
    await until(lambda: open_sockets() == sockets)


def test_service_that_starts_again(contents, application):
    """Each start opens a session of its own, in the event loop of that start."""

    async def work():
        async with serving(application) as (client, session):
            assert await fetch_all(client, [f"/files/{path}" for path in contents]) == [*contents.values()]
        return session

    first, second = asyncio.run(work()), asyncio.run(work())
    assert first is not second


async def test_file_that_is_missing(contents, application):
    """It is missing for clients of the service, too."""
    async with serving(application) as (client, _), client.get("/files/none") as response:
        assert response.status == 404


@pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning")
async def test_file_with_wrong_bytes(server, contents, application, monkeypatch):
    """A client does not accept them: the response has no end."""
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "disabled", True)  # pytest would keep the traceback alive
    server.fail("GET", "data-public/**", times=None, fault=Fault.flip(at=5))
    async with serving(application) as (client, _):
        with pytest.raises(aiohttp.ClientPayloadError):
            await fetch(client, "/files/emodb/db/1.1.0/db.bin")
    gc.collect()  # Django does not close the request body if a response fails, which warns


@pytest.mark.parametrize("stalls", [True, False], ids=["waiting-for-artifactory", "waiting-for-the-client"])
async def test_client_that_leaves(server, contents, application, stalls):
    """The connection to Artifactory is closed, while the service runs."""
    server.put("data-public/large.bin", LARGE)
    server.clear_log()
    if stalls:
        server.fail("GET", "data-public/large.bin", times=None, fault=Fault.stall(after=2_000_000))
    async with serving(application) as (client, _):
        for _ in range(10):
            async with client.get("/files/large.bin") as response:
                assert await response.content.readany()
                response.close()
        await until(lambda: all(request.ended is not None for request in server.requests))
        assert max(request.bytes_sent for request in server.requests) < len(LARGE)
        server.clear_faults()
        assert await fetch(client, "/files/large.bin") == LARGE


async def test_django_views_of_both_kinds(server, contents, applications):
    """Requests at once, in the event loop and in threads; the latter leave neither loop, thread nor connection."""
    sockets = open_sockets()
    newest = contents[f"emodb/db/1.{COUNT - 1}.0/db.bin"]
    async with serving(applications["django"]) as (client, session):
        paths = [f"/files/{path}" for path in contents] + ["/newest/emodb/db/db.bin"] * COUNT
        assert await fetch_all(client, paths) == [*contents.values()] + [newest] * COUNT
        assert aioartifact.stats(session).requests == COUNT
        for path in ("/newest/emodb/db/none", "/newest/emodb/none/db.bin"):
            async with client.get(path) as response:
                assert response.status == 404
    for thread in threading.enumerate():
        if "blocking" in thread.name:
            await asyncio.to_thread(thread.join, 60)
            assert not thread.is_alive()
    await until(lambda: open_sockets() == sockets)


def test_django_view_in_another_event_loop(server, contents, applications):
    """Under WSGI, Django runs an asynchronous view in an event loop of its own: the error names the cause."""
    view = importlib.import_module("django_service").send_file
    with asyncio.Runner() as runner:
        session = runner.run(aioartifact.open_session(server.url))
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {"artifactory": session}}
        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            async_to_sync(view)(ASGIRequest(scope, io.BytesIO()), "emodb/db/1.1.0/db.bin")
        runner.run(session.close())
    assert server.requests == []
