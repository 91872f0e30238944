"""The programs in examples/, as their users run them."""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from select import select
from types import ModuleType

import aiohttp
import anyio.to_thread
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from aioartifact.testing import ArtifactoryServer, Fault, ThreadedArtifactoryServer

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"
ROOT = str(EXAMPLES.parent)


@pytest.fixture
def data() -> dict[str, bytes]:
    """Files of the newest version, by their paths."""
    return {f"media/{number}.bin": bytes([number]) * 100 for number in range(20)} | {"db.zip": b"archive"}


@pytest.fixture
def filled(artifactory_env: ThreadedArtifactoryServer, data: dict[str, bytes]) -> ThreadedArtifactoryServer:
    """A server with three versions; its credentials are in the environment."""
    artifactory_env.create_repository("data-public")
    for version in ("1.0.0", "1.1.0", "1.10.0"):
        for path, content in data.items():
            artifactory_env.put(f"data-public/emodb/db/{version}/{path}", content)
    return artifactory_env


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ROOT})


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fetch_dataset_twice(filled, data, tmp_path):
    """The newest version is fetched whole, and a second run fetches nothing."""
    arguments = (filled.url, "data-public", "emodb", "db", "-d", tmp_path / "data")
    first, second = run("fetch_dataset.py", *arguments), run("fetch_dataset.py", *arguments)
    size = sum(map(len, data.values()))
    assert json.loads(first.stdout) == {"version": "1.10.0", "downloaded": 21, "unchanged": 0, "bytes": size}
    assert json.loads(second.stdout) == {"version": "1.10.0", "downloaded": 0, "unchanged": 21, "bytes": 0}
    assert {path: (tmp_path / "data" / "1.10.0" / path).read_bytes() for path in data} == data
    assert [first.returncode, first.stderr, second.returncode, second.stderr] == [0, "", 0, ""]


def test_fetch_dataset_with_a_file_that_cannot_be_had(filled, data, tmp_path):
    """The other files are there, the one is named, and the exit code says so."""
    filled.fail("GET", "data-public/emodb/db/1.1.0/db.zip", times=None, fault=Fault.status(403))
    ran = run("fetch_dataset.py", filled.url, "data-public", "emodb", "db", "--spec", "<1.2", "-d", tmp_path)
    assert ran.returncode == 1
    assert "data-public/emodb/db/1.1.0/db.zip" in ran.stderr
    assert filled.password not in ran.stderr
    assert all((tmp_path / "1.1.0" / path).read_bytes() == data[path] for path in data if path != "db.zip")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["data-public", "emodb", "none"], 1, "emodb.none has no version\n", id="no-such-artifact"),
        pytest.param(["data-public", "emodb", "db", "--spec", "newest"], 2, "error:", id="no-such-spec"),
        pytest.param(["..", "emodb", "db"], 2, "error:", id="no-repository"),
    ],
)
def test_fetch_dataset_of_nothing(filled, tmp_path, arguments, code, message):
    """A file that cannot be fetched is reported, by message and exit code."""
    ran = run("fetch_dataset.py", filled.url, *arguments, "-d", tmp_path)
    assert ran.returncode == code
    assert message in ran.stderr


def test_data_loader_fetches_once(filled, data, tmp_path):
    """Each epoch sees all files; a later run lists, and fetches nothing."""
    folder = f"{filled.url}/data-public/emodb/db/1.1.0/media"
    ran = run("data_loader.py", folder, "--cache", tmp_path, "--epochs", "2", "--batch-size", "3")
    assert ran.stderr == ""
    assert ran.stdout == "epoch 0: 20 files, mean 9.500\nepoch 1: 20 files, mean 9.500\n"
    assert filled.count("GET", "data-public/emodb/db/1.1.0/media/*") == 20
    again = run("data_loader.py", folder, "--cache", tmp_path, "--epochs", "1")
    assert again.stdout == "epoch 0: 20 files, mean 9.500\n"
    assert filled.count("GET", "data-public/emodb/db/1.1.0/media/*") == 20


@pytest.fixture
def many(filled) -> str:
    """URL of a folder of 21 files, one of them in the folder itself."""
    return f"{filled.url}/data-public/emodb/db/1.1.0"


async def test_several_processes_have_parts_of_one_size(many, data):
    """Each file is in one part, with the path below the folder; large files are in all parts."""
    first, second = parts = await load("several_processes").list_parts(many, 2)
    assert sorted(path for part in parts for _, path, _ in part) == sorted(data)
    assert (len(first), len(second)) == (11, 10)
    sizes = [sum(len(data[path]) for _, path, _ in part) for part in parts]
    assert max(sizes) - min(sizes) <= 100


def test_several_processes_twice(filled, many, data, tmp_path):
    """All files are downloaded, into the same tree; a second run lists, and downloads nothing."""
    first, second = (run("several_processes.py", many, "-d", tmp_path) for _ in range(2))
    assert {path: (tmp_path / path).read_bytes() for path in data} == data
    assert filled.count("GET", "data-public/**") == len(data)
    for ran in (first, second):
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout == f"21 of 21 files are in {tmp_path}\n"


def test_several_processes_with_a_file_that_is_refused(filled, many, data, tmp_path):
    """Errors come back from the processes as they were raised there; the other files are downloaded."""
    filled.fail("GET", "data-public/**/db.zip", times=None, fault=Fault.status(403))
    ran = run("several_processes.py", many, "-d", tmp_path)
    assert (ran.returncode, ran.stdout) == (1, f"20 of 21 files are in {tmp_path}\n")
    assert ran.stderr.startswith(f"{many}/db.zip: ")
    assert "403" in ran.stderr
    assert filled.password not in ran.stderr
    assert "db.zip" not in {path.name for path in tmp_path.rglob("*")}


def test_several_processes_of_a_folder_that_is_missing(filled, tmp_path):
    """Nothing is started; the message is that of the listing."""
    ran = run("several_processes.py", f"{filled.url}/data-public/none", "-d", tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "404" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stalled(filled, many, tmp_path):
    """The program in the middle of two files, and the processes of its pool; at the end the files are released."""
    stalls = [filled.fail("GET", "data-public/**", times=1, fault=Fault.stall(after=1)) for _ in range(2)]
    command = [sys.executable, EXAMPLES / "several_processes.py", many, "-d", tmp_path]
    environment = os.environ | {"PYTHONPATH": ROOT}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        for stall in stalls:
            assert stall.wait_reached(60)
        yield process, spawned(process.pid)
        for stall in stalls:
            stall.release()


def test_several_processes_of_which_one_dies(stalled, many, data, tmp_path):
    """The program ends with a message, and all its processes with it; a new run downloads what is missing."""
    process, workers = stalled
    os.kill(workers[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "a process died; a second run downloads what is missing\n")
    assert len(workers) == 2
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert all(data.get(path.relative_to(tmp_path).as_posix()) == path.read_bytes() for path in whole(tmp_path))
    assert run("several_processes.py", many, "-d", tmp_path).returncode == 0
    assert {path: (tmp_path / path).read_bytes() for path in data} == data


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_several_processes_of_a_program_that_is_killed(stalled, data, tmp_path, number):
    """Its processes end, too; what has its name is whole."""
    process, workers = stalled
    descriptors = [os.pidfd_open(pid) for pid in workers]
    process.send_signal(number)
    process.wait(60)
    for descriptor in descriptors:
        assert select([descriptor], [], [], 60)[0]
        os.close(descriptor)
    assert len(workers) == 2
    assert all(data.get(path.relative_to(tmp_path).as_posix()) == path.read_bytes() for path in whole(tmp_path))


def whole(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]


def spawned(pid: int) -> list[int]:
    """Processes of a pool that a process has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.fixture
async def service(server: ArtifactoryServer, monkeypatch: pytest.MonkeyPatch):
    """The service, and an Artifactory behind it that holds one dataset."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    server.create_repository("data-public")
    for version in ("1.0.0", "1.1.0", "1.10.0"):
        server.put(f"data-public/emodb/db/{version}/db.zip", version.encode() * 1000)
    async with TestClient(TestServer(load("service").make_app(server.url, "data-public"))) as client:
        yield client


async def test_service_tells_versions_and_files(service, server):
    """Versions cost one request, a file two, over one session."""
    assert await (await service.get("/emodb/db")).json() == ["1.0.0", "1.1.0", "1.10.0"]
    assert await (await service.get("/emodb/db/db.zip")).read() == b"1.10.0" * 1000
    server.assert_requests(
        [
            "GET api/storage/data-public/emodb/db",
            "GET api/storage/data-public/emodb/db",
            "GET data-public/emodb/db/1.10.0/db.zip",
        ]
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/emodb/db/none.zip", 404, id="no-such-file"),
        pytest.param("/emodb/none/db.zip", 404, id="no-such-dataset"),
        pytest.param("/emodb/db/%2E%2E%2Fother", 400, id="outside"),
        pytest.param("/emodb/%2E%2E", 400, id="no-name"),
    ],
)
async def test_service_asked_for_what_is_not_there(service, path, status):
    """The status distinguishes mistakes of the client from failures."""
    answer = await service.get(URL(path, encoded=True))
    assert answer.status == status


@pytest.mark.parametrize(
    ("status", "expected"), [pytest.param(403, 502, id="refused"), pytest.param(503, 503, id="busy")]
)
async def test_service_whose_artifactory_refuses(service, server, status, expected):
    """Nothing of Artifactory's answer comes out but whether to try again."""
    server.fail("*", "**", times=None, fault=Fault.status(status))
    answer = await service.get("/emodb/db")
    assert answer.status == expected
    assert server.url not in await answer.text()


FILE = "/emodb/db/db.zip"
CONTENT = b"1.10.0" * 1000


def curl(service, *arguments: str, path: str = FILE) -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "-sS", "--fail", "--max-time", "60", *arguments, str(service.make_url(path))]
    return subprocess.run(command, capture_output=True, check=False)


async def test_service_for_curl(service):
    """Ranges, conditions and HEAD of a real client."""
    whole = await anyio.to_thread.run_sync(curl, service)
    assert whole.stdout == CONTENT
    for wanted, part in (("0-9", CONTENT[:10]), ("5990-", CONTENT[5990:]), ("-7", CONTENT[-7:])):
        found = await anyio.to_thread.run_sync(curl, service, "-r", wanted)
        assert found.stdout == part
    head = (await anyio.to_thread.run_sync(curl, service, "-I")).stdout.decode().lower()
    assert "http/1.1 200" in head
    assert f"content-length: {len(CONTENT)}" in head
    assert "content-type: application/zip" in head
    etag = re.search(r'^etag: (".*")\r$', head, re.MULTILINE)[1]
    unchanged = await anyio.to_thread.run_sync(curl, service, "-i", "-H", f"If-None-Match: {etag}")
    assert unchanged.stdout.startswith(b"HTTP/1.1 304")
    assert f"\r\netag: {etag}\r\n" in unchanged.stdout.decode().lower()
    outside = await anyio.to_thread.run_sync(curl, service, "-r", "6000-")
    assert (outside.returncode, outside.stdout) == (22, b"")  # 416


async def test_service_for_a_player(service):
    """A browser asks for everything as a range first, then for where the user has jumped to, if it is the same file."""
    first = await service.get(FILE, headers={"Range": "bytes=0-"})
    assert (first.status, first.headers["Content-Range"]) == (206, f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
    assert await first.read() == CONTENT
    jump = {"Range": "bytes=3000-3009", "If-Range": first.headers["ETag"]}
    second = await service.get(FILE, headers=jump)
    assert (second.status, await second.read()) == (206, CONTENT[3000:3010])
    third = await service.get(FILE, headers=jump | {"If-Range": '"another"'})
    assert (third.status, await third.read()) == (200, CONTENT)


async def test_service_is_healthy(service, server):
    """As long as Artifactory answers."""
    assert (await service.get("/-/health")).status == 200
    server.fail("*", "**", times=None, fault=Fault.status(503))
    assert (await service.get("/-/health")).status == 503


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


async def test_service_with_clients_of_its_own(service, server):
    """Each client has its permissions, over the connections of the service."""
    server.add_user("reader", password="secret-1")
    server.grant("reader", "data-public/**", "r")
    server.add_user("stranger", password="secret-2")
    reader = {"Authorization": basic("reader", "secret-1")}
    assert await (await service.get(FILE, headers=reader)).read() == CONTENT
    stranger = {"Authorization": basic("stranger", "secret-2")}
    assert (await service.get(FILE, headers=stranger)).status in (403, 404)
    for value in ("Basic cmVhZGVyOndyb25n", "Basic x", "Bearer ", "Bearer none", "Digest x"):
        assert (await service.get(FILE, headers={"Authorization": value})).status == 401
    assert await (await service.get(FILE)).read() == CONTENT


async def test_service_with_two_hundred_clients(service, server):
    """Half of them leave in the middle; the others get the right bytes, and nothing stays behind."""
    content = os.urandom(600_000)
    server.put("data-public/emodb/db/1.10.0/large.bin", content)
    assert await (await service.get("/emodb/db/large.bin")).read() == content

    async def fetch(number: int) -> None:
        response = await service.get("/emodb/db/large.bin")
        if number % 2:
            await response.content.readany()
            response.close()
        else:
            assert await response.read() == content

    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(fetch(number))
    async with asyncio.timeout(60):
        # No event says that the service has let go of the files that its clients did not want to the end.
        while any(request.ended is None for request in server.requests):  # noqa: ASYNC110
            await asyncio.sleep(0)  # a turn of the loop, not a wait
    assert await (await service.get("/emodb/db/large.bin")).read() == content


async def test_service_with_wrong_bytes(service, server):
    """A client never takes wrong bytes for a file: the answer has no end."""
    server.fail("GET", "data-public/**", times=None, fault=Fault.flip(at=5))
    with pytest.raises(aiohttp.ClientError):
        await (await service.get("/emodb/db/db.zip")).read()


async def test_service_that_stops_in_the_middle_of_streams(server, monkeypatch):
    """Its 100 clients see that their files are incomplete, or get none; no task, connection or file is left."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    server.create_repository("data-public")
    server.put("data-public/emodb/db/1.0.0/db.bin", bytes(3_000_000))
    server.fail("GET", "data-public/emodb/db/1.0.0/db.bin", times=None, fault=Fault.stall(after=2_000_000))
    tasks, files = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
    runner = web.AppRunner(
        load("service").make_app(server.url, "data-public"), shutdown_timeout=0.01
    )  # 0 would be none
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiving = asyncio.Semaphore(0)

    async def fetch(session: aiohttp.ClientSession) -> None:
        async with session.get(URL(f"http://127.0.0.1:{port}/emodb/db/db.bin")) as response:
            await response.content.readany()
            receiving.release()
            await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        clients = [asyncio.create_task(fetch(session)) for _ in range(100)]
        for _ in range(4):  # as many as the adaptive limit always allows; the others may have to wait for their turn
            await receiving.acquire()
        await runner.cleanup()
        ends = await asyncio.gather(*clients, return_exceptions=True)
    assert [end for end in ends if not isinstance(end, aiohttp.ClientError)] == []
    async with asyncio.timeout(60):
        # No event says that the server has noticed that its clients are gone.
        while any(request.ended is None for request in server.requests):  # noqa: ASYNC110
            await asyncio.sleep(0)  # a turn of the loop, not a wait
        while len(os.listdir("/proc/self/fd")) > files:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert {task.get_name() for task in asyncio.all_tasks() - tasks} == set()
