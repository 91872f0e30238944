"""The server is killed in the middle of uploads, and started again with the same folder."""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SERVE = """
import sys
from pathlib import Path
from aioartifact.testing import serve
serve(Path(sys.argv[1]), port=0, on_ready=lambda server: print(server.origin, flush=True))
"""
CREDENTIALS = {"Authorization": "Basic YWRtaW46cGFzc3dvcmQ="}
PATH = "/artifactory/generic-local/a.bin"
OLD, NEW = b"old" * 50_000, b"new content" * 500_000
IN_MEMORY = 64 << 10  # bytes up to which the server keeps an upload in memory
BATCH = 2 << 20  # bytes it hashes and writes at once


class Process:
    """A server in a process of its own, over one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-W", "error", "-c", SERVE, self._data]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.host, _, port = self._child.stdout.readline().strip().removeprefix("http://").partition(":")
        self.port = int(port)

    def kill(self) -> None:
        with self._child as child:
            child.kill()

    def ask(self, method: str, path: str = PATH, body: bytes | None = None) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.host, self.port)
        try:
            connection.request(method, path, body=body, headers=CREDENTIALS)
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}
        finally:
            connection.close()

    def begin_upload(self, sent: bytes, length: int, path: str = PATH) -> socket.socket:
        """Send the head and some bytes of an upload, and leave it at that."""
        connection = socket.create_connection((self.host, self.port))
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIALS['Authorization']}\r\n"
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + sent)
        return connection

    @property
    def staged(self) -> list[Path]:
        return list((self._data / "uploads").iterdir())


@pytest.fixture
def process(tmp_path):
    process = Process(tmp_path / "data")
    process.start()
    yield process
    process.kill()


def assert_whole(process: Process, *expected: bytes) -> None:
    """The file is one of *expected*, and all of its metadata match."""
    status, body, headers = process.ask("GET")
    assert status == 200
    assert body in expected
    assert headers["x-checksum-sha256"] == hashlib.sha256(body).hexdigest()
    assert headers["etag"] == hashlib.sha1(body).hexdigest()
    assert process.staged == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(0, id="nothing"),
        pytest.param(1, id="one byte"),
        pytest.param(IN_MEMORY, id="what is kept in memory"),
        pytest.param(IN_MEMORY + 1, id="a little on disk"),
        pytest.param(BATCH + 1, id="a batch"),
        pytest.param(len(NEW) - 1, id="all but one byte"),
    ],
)
def test_killed_in_the_middle_of_uploads(process, sent):
    """The clients stopped at some byte: what was there is there, and nothing of what was not acknowledged."""
    assert process.ask("PUT", body=OLD)[0] == 201
    uploads = [process.begin_upload(NEW[:sent], len(NEW), path) for path in (PATH, f"{PATH}.new")]
    while sent > IN_MEMORY and len(process.staged) < len(uploads):
        os.sched_yield()
    process.kill()
    for upload in uploads:
        upload.close()
    process.start()
    assert_whole(process, OLD)
    assert process.ask("GET", f"{PATH}.new")[0] == 404
    assert process.ask("PUT", body=NEW)[0] == 201
    assert_whole(process, NEW)


def test_killed_with_the_whole_upload_and_no_answer(process):
    """It is not known which of the two it is, but it is one of them."""
    process.ask("PUT", body=OLD)
    upload = process.begin_upload(NEW, len(NEW))
    process.kill()
    upload.close()
    process.start()
    assert_whole(process, OLD, NEW)


def test_killed_after_the_answer(process):
    """From the first byte of the answer on it is the new content."""
    process.ask("PUT", body=OLD)
    upload = process.begin_upload(NEW, len(NEW))
    assert upload.recv(12) == b"HTTP/1.1 201"
    process.kill()
    upload.close()
    process.start()
    assert_whole(process, NEW)


def test_killed_between_many_uploads(process):
    """Of uploads over several connections at once, each that was acknowledged is served, with its properties."""
    acknowledged: list[list[int]] = [[] for _ in range(4)]
    enough = threading.Event()

    def upload(worker: int) -> None:
        connection = http.client.HTTPConnection(process.host, process.port)
        try:
            for number in range(10_000):
                path = f"/artifactory/generic-local/{worker}/{number};worker={worker}"
                connection.request("PUT", path, body=content(worker, number), headers=CREDENTIALS)
                assert connection.getresponse().read()
                acknowledged[worker].append(number)
                if number == 25:
                    enough.set()
        except (OSError, http.client.HTTPException):
            pass  # killed: that is how it ends
        finally:
            connection.close()

    workers = [threading.Thread(target=upload, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    assert enough.wait(60)
    process.kill()
    for worker in workers:
        worker.join()
    process.start()
    for worker, numbers in enumerate(acknowledged):
        for number in numbers:
            path = f"/artifactory/generic-local/{worker}/{number};worker+={worker}"
            status, body, _ = process.ask("GET", path)
            assert (status, body) == (200, content(worker, number))
    assert process.staged == []


def content(worker: int, number: int) -> bytes:
    """Small ones in memory, now and then one by way of the disk."""
    return f"{worker} {number} ".encode() * (20_000 if number % 10 == 9 else 3)


def test_killed_again_and_again(process):
    """A folder survives any number of lives, each of which adds to it."""
    for life in range(3):
        assert process.ask("PUT", f"{PATH}.{life}", body=b"%d" % life)[0] == 201
        process.kill()
        process.start()
        assert [process.ask("GET", f"{PATH}.{each}")[1] for each in range(life + 1)] == [
            b"%d" % each for each in range(life + 1)
        ]


def test_killed_between_overwrites_and_deletions(process, tmp_path):
    """Each file that is listed afterwards has its bytes, and no blob is left of any other."""
    enough = threading.Event()

    def change(worker: int) -> None:
        connection = http.client.HTTPConnection(process.host, process.port)
        try:
            for number in range(10_000):
                path = f"/artifactory/generic-local/{worker}/{number % 3}"
                connection.request("PUT", path, body=content(worker % 2, number), headers=CREDENTIALS)
                assert connection.getresponse().read()
                if number % 4 == 3:
                    connection.request("DELETE", path, headers=CREDENTIALS)
                    assert connection.getresponse().read() == b""
                if number == 25:
                    enough.set()
        except (OSError, http.client.HTTPException):
            pass  # killed: that is how it ends
        finally:
            connection.close()

    workers = [threading.Thread(target=change, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    assert enough.wait(60)
    process.kill()
    for worker in workers:
        worker.join()
    process.start()
    listed = json.loads(process.ask("GET", "/artifactory/api/storage/generic-local?list&deep=1")[1])["files"]
    digests = set()
    for file in listed:
        status, body, _ = process.ask("GET", f"/artifactory/generic-local{file['uri']}")
        assert (status, hashlib.sha1(body).hexdigest()) == (200, file["sha1"])
        digests.add(hashlib.sha256(body).hexdigest())
    assert {blob.name for blob in (tmp_path / "data" / "blobs").glob("*/*")} == digests
    assert process.staged == []
