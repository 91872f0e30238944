"""What every test shares: the event loop, and an environment without anyone's credentials."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The machine decides how long an example takes, and how long the making of it, not the code under test.
settings.register_profile(
    "aioartifact", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
settings.load_profile("aioartifact")

# Other people's clients: tox -e witnesses; libraries that read data: tox -e data.
collect_ignore = ["witnesses", "migrating/test_peers.py", "data"]

_CONFIGURING = ("AIOARTIFACT_", "ARTIFACTORY_", "DOHQ_ARTIFACTORY_", "JF_", "JFROG_", "SSL_CERT_")
_CONFIGURING_NAMES = {"NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"}


def pytest_addoption(parser):
    """``--slow`` runs every test, as tox does."""
    parser.addoption("--slow", action="store_true", help="run tests that are marked as slow, too")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers():
    """Use three processes for two cores: a quarter of the time, tests wait."""
    return (yield) * 3 // 2


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out, unless they are asked for or named, such as by their file."""
    is_named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword
    if not (config.option.slow or is_named):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(scope="session")
def anyio_backend():
    """Aiohttp needs asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch) -> Path:
    """Empty home folder, and no variable that configures a client: a developer's own must not matter."""
    for name in list(os.environ):
        if name.upper().startswith(_CONFIGURING) or name.upper() in _CONFIGURING_NAMES:
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture(params=["http", "https"])
def transport(request):
    """Context of a server and *verify* of its client, without and with TLS."""
    if request.param == "http":
        return None, True
    import ssl

    import trustme

    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@pytest.fixture
async def server():
    """An embedded server of its own for each test, in the test's loop."""
    from aioartifact.testing import ArtifactoryServer

    before = asyncio.all_tasks()
    async with ArtifactoryServer() as running:
        yield running
    left = {str(task) for task in asyncio.all_tasks() - before if "_call_in_runner_task" not in str(task)}
    assert left == set(), "the test left tasks running"


@pytest.fixture
async def redirecting_server():
    """A server that sends every download to its second origin, as one with cloud storage does."""
    from aioartifact.testing import ArtifactoryServer

    async with ArtifactoryServer(redirect_over=0) as running:
        yield running


@pytest.fixture
async def session(server):
    """A session that is the server's admin and never waits before it tries again."""
    import aioartifact

    auth = (server.username, server.password)
    retry = aioartifact.RetryPolicy(attempts=3, backoff_initial=0)
    async with aioartifact.session(server.url, auth=auth, retry=retry) as opened:
        yield opened


@pytest.fixture
def mounted(tmp_path):
    """Mounts small file systems of a kind; they are gone after the test."""
    places = []

    def mount(options: str) -> Path:
        place = tmp_path / f"disk{len(places)}"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", place], check=True)


class CancelledAtAwait:
    """Awaits a coroutine and cancels *task* when it is suspended for the *number*-th time."""

    def __init__(self, call: Awaitable[object], number: int, task: asyncio.Task[object]) -> None:
        self.call, self.number, self.task = call, number, task
        self.seen = 0

    def __await__(self) -> Generator[Any, Any, object]:
        steps = self.call.__await__()
        try:
            waits_for = next(steps)
            while True:
                self.seen += 1
                if self.seen == self.number:
                    self.task.cancel()
                try:
                    value = yield waits_for
                except BaseException as error:  # noqa: BLE001  # handed on to the coroutine
                    waits_for = steps.throw(error)
                else:
                    waits_for = steps.send(value)
        except StopIteration as end:
            return end.value


@pytest.fixture
def cancelled_at_await() -> type[CancelledAtAwait]:
    """Awaits a coroutine, and cancels a task when it waits for the n-th time."""
    return CancelledAtAwait


@pytest.fixture
def cancel_at_every_await() -> Callable[..., Awaitable[int]]:
    """Runs a call again and again, cancelled at its first await, its second, … until it gets through."""
    return _cancel_at_every_await


async def _cancel_at_every_await(call: Callable[[], Awaitable[object]], check: Callable[[bool], None]) -> int:
    """Run *call* again and again, cancelled at its first await, its second, … until it gets through."""
    number = 0
    while True:
        number += 1

        async def attempt(number: int = number) -> None:
            task = asyncio.current_task()
            assert task is not None
            await CancelledAtAwait(call(), number, task)

        task = asyncio.ensure_future(attempt())
        await asyncio.wait([task])
        check(task.cancelled())
        if not task.cancelled():
            task.result()
            return number
