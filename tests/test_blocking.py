"""`aioartifact.blocking`: the public functions for threads that block."""

import asyncio
import contextvars
import gc
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from inspect import isroutine

import anyio.from_thread
import pytest

import aioartifact
from aioartifact import blocking
from aioartifact._blocking.functions import is_bulk, needs_event_loop
from aioartifact._blocking.names import BULK
from aioartifact.testing import Fault, ThreadedArtifactoryServer

FUNCTIONS = {name: value for name in aioartifact.__all__ if isroutine(value := getattr(aioartifact, name))}


@pytest.fixture
def server(monkeypatch):
    """A server with ten files, whose credentials are in the environment."""
    with ThreadedArtifactoryServer() as running:
        monkeypatch.setenv("JF_URL", running.url)
        monkeypatch.setenv("JF_USER", running.username)
        monkeypatch.setenv("JF_PASSWORD", running.password)
        for number in range(10):
            running.put(f"generic-local/data/{number}.bin", bytes([number]) * 1000)
        yield running


@pytest.fixture(autouse=True)
def no_loop_is_left():
    """The thread of the event loop ends with the last call, session or iterator."""
    yield
    if loops_left():
        gc.collect()
    assert loops_left() == []


def loops_left():
    return [thread.name for thread in threading.enumerate() if "blocking" in thread.name]


@pytest.fixture
def folder(server):
    return f"{server.url}/generic-local/data"


def join_loops():
    for thread in threading.enumerate():
        if "blocking" in thread.name:
            thread.join(60)


def run(code, *arguments, **options):
    """Run *code* as a program; its server is in the environment."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, *map(str, arguments)], capture_output=True, text=True, **options
    )


# Names


def test_every_public_name_is_there():
    """What is missing has no meaning here; what is added is named after what it comes from."""
    added = {"Session", "Outcomes", *(f"iter_{name}" for name in BULK)} - {*aioartifact.__all__}
    assert {*blocking.__all__} == {*aioartifact.__all__} - {"Batch", "__version__"} | added
    assert dir(blocking) == sorted(blocking.__all__)
    assert all(getattr(blocking, name) is not None for name in blocking.__all__)


def test_all_bulk_calls_are_known():
    """Each function that returns a `Batch` has a twin that iterates."""
    assert sorted(name for name, value in FUNCTIONS.items() if is_bulk(value)) == sorted(BULK)


@pytest.mark.parametrize("name", sorted(name for name, value in FUNCTIONS.items() if not needs_event_loop(value)))
def test_functions_without_requests_are_the_same(name):
    """They are no others, so that they cost no thread."""
    assert getattr(blocking, name) is getattr(aioartifact, name)


@pytest.mark.parametrize("name", ["NotFoundError", "RetryPolicy", "FileInfo", "Credentials", "SyncPlan", "Command"])
def test_values_are_the_same(name):
    """So `except` clauses and comparisons work across both."""
    assert getattr(blocking, name) is getattr(aioartifact, name)


@pytest.mark.parametrize("name", sorted(name for name, value in FUNCTIONS.items() if needs_event_loop(value)))
def test_documentation_is_that_of_code_that_blocks(name):
    """Examples in docstrings can be pasted."""
    function = getattr(blocking, name)
    assert function.__module__ == "aioartifact.blocking"
    assert not {"await ", "async for", "async with"} & {
        word for word in ("await ", "async for", "async with") if word in function.__doc__
    }
    assert pickle.loads(pickle.dumps(function)) is function


def test_unknown_name_is_an_attribute_error():
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match=r"module 'aioartifact\.blocking' has no attribute 'Batch'"):
        blocking.Batch  # noqa: B018  # reading the attribute is the test


# Calls and sessions


def test_one_call_needs_no_session(folder):
    """A call in an interactive interpreter; its session ends with it."""
    assert blocking.exists(f"{folder}/1.bin")
    assert not blocking.exists(f"{folder}/none.bin")


def test_errors_are_those_of_the_library(folder, tmp_path):
    """Errors of arguments, of the server and of the file system arrive unchanged."""
    with pytest.raises(aioartifact.NotFoundError, match="404"):
        blocking.download(f"{folder}/none.bin", tmp_path)
    with pytest.raises(aioartifact.InvalidArgumentError):
        blocking.download_many("one.bin", tmp_path)
    with pytest.raises(aioartifact.InvalidURLError):
        blocking.ls("nothing")


def test_session_is_shared_by_threads(server, folder, tmp_path):
    """Many threads at once, one pool of connections."""
    with blocking.session(server.url) as session, ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda n: blocking.read_bytes(f"{folder}/{n % 10}.bin", session=session), range(80)))
    assert [content[0] for content in read] == [number % 10 for number in range(80)]
    assert session.closed
    with pytest.raises(aioartifact.SessionError, match="closed"):
        blocking.exists(folder, session=session)
    session.close()


def test_session_without_a_block(server, folder):
    """A session that is opened in one function and closed in another, and one for another user over it."""
    session = blocking.open_session(server.url)
    try:
        nothing = blocking.Credentials.anonymous()
        with (
            blocking.with_credentials(session, nothing) as anonymous,
            pytest.raises(aioartifact.AuthenticationError),
        ):
            blocking.repositories(server.url, session=anonymous)
        assert blocking.exists(folder, session=session)
        with blocking.session(server.url, limits=session) as other:
            assert blocking.exists(folder, session=other)
    finally:
        session.close()


def test_dropped_session_warns_and_is_closed(server):
    """As a file that was not closed."""
    session = blocking.open_session(server.url)
    inner = session.session
    with pytest.warns(ResourceWarning, match="session was not closed"):
        del session
    assert inner.closed


def test_session_of_an_interpreter_that_exits(server):
    """An open session neither keeps a program from exiting nor prints anything."""
    code = """
import sys
from aioartifact import blocking
session = blocking.open_session(sys.argv[1])
print(blocking.ping(sys.argv[1], session=session))
"""
    ended = run(code, server.url, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")


def test_process_after_a_fork(server, folder):
    """A session of the parent is refused in the child, where calls work in a loop of their own."""
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
from aioartifact import blocking
server, folder = sys.argv[1:]
with blocking.session(server) as session:
    assert blocking.exists(folder, session=session)
    if child := os.fork():
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    try:
        blocking.exists(folder, session=session)
    except blocking.SessionError as error:
        print(error, blocking.exists(folder), flush=True)
"""
    ended = run(code, server.url, folder, timeout=60)
    assert ended.stdout == "session was opened in another process — open one after the fork True\n"
    assert ended.returncode == 0, ended.stderr


async def test_call_beside_a_running_loop(folder):
    """As in a notebook, whose thread runs a loop."""
    assert blocking.exists(folder)
    for _ in blocking.walk(folder):
        break
    await asyncio.to_thread(join_loops)


def test_call_from_inside_the_loop_is_refused(server, folder):
    """It would wait for itself for ever."""

    async def provide():
        blocking.exists(folder)

    with pytest.raises(aioartifact.CredentialsError) as caught, blocking.session(server.url, auth=provide) as session:
        blocking.exists(folder, session=session)
    assert "blocking call was made in the event loop" in str(caught.value)


def test_async_session_is_refused(server, folder):
    """It belongs to another event loop."""
    with anyio.from_thread.start_blocking_portal() as portal:
        session = portal.call(aioartifact.open_session, server.url)
        with pytest.raises(aioartifact.SessionError, match="another event loop"):
            blocking.exists(folder, session=session)
        portal.call(session.close)


def test_context_of_the_caller_is_seen(server, folder):
    """Context variables, by which tracing finds the parent of a span, have the values of the caller."""
    user, seen = contextvars.ContextVar("user", default=None), []

    async def provide():
        seen.append(user.get())
        return blocking.Credentials.bearer("wrong")

    user.set("ann")
    with blocking.session(server.url, auth=provide) as session, pytest.raises(aioartifact.AuthenticationError):
        blocking.ping(server.url, session=session)
    assert {*seen} == {"ann"}


# Iterators


def test_listing_is_an_iterator(folder):
    """Entries come one by one; the attributes are those of the asynchronous listing."""
    listing = blocking.walk(folder)
    assert (listing.method, listing.is_complete) == (None, False)
    assert sorted(file.name for file in listing) == [f"{number}.bin" for number in range(10)]
    assert (listing.method, listing.is_complete, listing.is_doubtful) == ("file-list", True, False)
    assert list(listing) == []


@pytest.mark.parametrize("with_block", [True, False])
def test_early_end_of_a_listing_closes_its_connection(server, folder, with_block):
    """The response stalls for ever; a loop that ends early does not wait for it."""
    server.fail("GET", "api/storage/generic-local/data", fault=Fault.stall(after=600))
    if with_block:
        with blocking.walk(folder) as listing:
            assert next(listing).name
    else:
        for _ in blocking.walk(folder):
            break


def test_iterator_is_shared_by_threads(folder):
    """Each value goes to one of the threads."""
    listing = blocking.walk(folder)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: [file.name for file in listing], range(4)))
    assert sorted(name for part in parts for name in part) == [f"{number}.bin" for number in range(10)]


def test_iterator_that_a_loop_drops_is_ended(folder):
    """The garbage collector may run in any thread, also in one that must not wait."""

    async def drop():
        listing = blocking.walk(folder)
        next(listing)

    asyncio.run(drop())
    join_loops()


# Bulk calls


def test_bulk_call_returns_its_report(folder, tmp_path):
    """A call without a loop around it does its work."""
    report = blocking.download_many([f"{folder}/{n}.bin" for n in range(10)], tmp_path)
    assert len(report.outcomes) == 10
    assert {path.read_bytes()[0] for path in tmp_path.iterdir()} == {*range(10)}


def test_outcomes_arrive_one_by_one(folder, tmp_path):
    """With errors at the end of the loop, as those of the block of an asynchronous call."""
    urls = [f"{folder}/{name}.bin" for name in (0, 1, "none")]
    seen = []
    with pytest.raises(aioartifact.BatchError):
        seen.extend(outcome.status for outcome in blocking.iter_download_many(urls, tmp_path))
    assert sorted(seen) == ["downloaded", "downloaded", "failed"]
    collected = list(blocking.iter_download_many(urls, tmp_path, on_error="collect"))
    assert len(collected) == 3


def test_early_end_of_a_bulk_call_cancels_the_rest(server, folder, tmp_path):
    """Downloads in flight end, and leave no part files."""
    server.fail("GET", "generic-local/data/9.bin", fault=Fault.stall(after=10))
    urls = [f"{folder}/{n}.bin" for n in range(10)]
    for _ in blocking.iter_download_many(urls, tmp_path, max_concurrency=2):
        break
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]


def test_items_are_read_in_the_thread_of_the_call(folder, tmp_path):
    """They may come from a database connection that belongs to this thread, or from another blocking call."""
    readers = set()

    def urls():
        for file in blocking.walk(folder):
            readers.add(threading.current_thread())
            yield file.url

    report = blocking.download_many(urls(), tmp_path)
    assert (len(report.outcomes), readers) == (10, {threading.current_thread()})
    assert len(list(blocking.iter_download_many(items=urls(), destination=tmp_path))) == 10


def test_error_of_the_items_arrives_as_itself(folder, tmp_path):
    """A failing source ends the call."""

    def urls():
        yield f"{folder}/1.bin"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        blocking.download_many(urls(), tmp_path)


def test_interrupt_in_the_items_ends_the_call(folder, tmp_path):
    """Ctrl-C may come while the items are read."""

    def urls():
        yield f"{folder}/1.bin"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking.download_many(urls(), tmp_path)


# Files


def test_stream_knows_what_it_carries(folder):
    """The attributes of the asynchronous stream, and a conditional request."""
    with blocking.stream(f"{folder}/7.bin", start=10) as body:
        assert (body.status, body.content_range, body.content_length) == (206, "bytes 10-999/1000", 990)
        assert b"".join(body) == b"\x07" * 990
    with blocking.stream(f"{folder}/7.bin", if_none_match=body.etag) as body:
        assert (body.status, list(body)) == (304, [])


def test_open_is_a_file_object(server, folder):
    """The standard library reads it as any other."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "first\nsecond\n")
    server.put("generic-local/data/a.zip", packed.getvalue())
    with blocking.open(f"{folder}/a.zip") as file, zipfile.ZipFile(file) as archive:
        assert (file.name, file.size, file.seekable()) == ("a.zip", len(packed.getvalue()), True)
        assert list(io.TextIOWrapper(archive.open("a.txt"))) == ["first\n", "second\n"]
        assert file.seek(-2, os.SEEK_END) == file.size - 2
        assert len(file.read()) == 2
        with pytest.raises(OSError, match="before the start"):
            file.seek(-1)


def test_error_in_a_block_leaves_it(server, folder):
    """The connection is closed though the response stalls, and the error is the block's own."""
    server.fail("GET", "generic-local/data/1.bin", fault=Fault.stall(after=10))
    with pytest.raises(RuntimeError, match="mine"), blocking.stream(f"{folder}/1.bin"):
        raise RuntimeError("mine")


# Paths and tables


def test_path_blocks(server, folder, tmp_path):
    """Methods that send requests return their results, and paths make paths of the same kind."""
    with blocking.session(server.url) as session:
        root = blocking.path(folder, session=session)
        assert {path.name for path in root.iterdir()} == {f"{number}.bin" for number in range(10)}
        path = next(iter(root.glob("3.*")))
        assert type(path) is type(root / "x") is type(root.parent) is blocking.ArtifactoryPath
        assert path.read_bytes() == b"\x03" * 1000
        with path.open() as file:
            assert file.read(2) == b"\x03\x03"
        moved = path.rename(root / "three.bin")
        assert (moved.is_file(), path.exists(), type(moved)) == (True, False, blocking.ArtifactoryPath)
        assert moved.relative_to(folder).name == "three.bin"
        assert blocking.download(moved, tmp_path, session=session)
        copy = pickle.loads(pickle.dumps(moved))
        assert (copy, type(copy)) == (moved, blocking.ArtifactoryPath)


def test_lookup_table_blocks(server):
    """Methods of the class and of a table."""
    where = (server.url, "generic-local", "com.example")
    blocking.Lookup.create(*where, "1.0.0", ["rate"])
    table = blocking.Lookup.open(*where)
    assert type(table) is blocking.Lookup
    uid = table.append({"rate": 16000})
    assert blocking.Lookup(*where, version="1.0.0").get(uid) == {"rate": 16000}
    assert blocking.Lookup.latest_version(*where) == "1.0.0"


# Ctrl-C


INTERRUPTED = """
import logging, os, signal, sys, threading
from aioartifact import blocking

# In debug mode, asyncio warns of steps that a busy machine makes slow.
logging.getLogger("asyncio").setLevel(logging.ERROR)

server, folder, target, kind = sys.argv[1:]
heard = []

def interrupt(event):
    if not heard and event.kind != "finished":
        heard.append(event)
        os.kill(os.getpid(), signal.SIGINT)

progress = blocking.Progress(interrupt)
urls = [f"{folder}/1.bin"]
try:
    with blocking.session(server) as session:
        if kind == "call":
            blocking.download(urls[0], target, session=session, progress=progress)
        elif kind == "bulk":
            blocking.download_many(urls, target, session=session, progress=progress)
        else:
            for _ in blocking.iter_download_many(urls, target, session=session, progress=progress):
                pass
except KeyboardInterrupt:
    threads = [thread.name for thread in threading.enumerate()]
    print("interrupted", session.closed, sorted(os.listdir(target)), "aioartifact-blocking" in threads)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["call", "bulk", "iterator"])
def test_ctrl_c_cancels_and_cleans_up(server, folder, tmp_path, kind):
    """The download of a file that stalls ends at once, with the user's old file and nothing else in the folder."""
    server.fail("GET", "generic-local/data/1.bin", fault=Fault.stall(after=10), times=None)
    (tmp_path / "1.bin").write_bytes(b"old")
    ended = run(INTERRUPTED, server.url, folder, tmp_path, kind, timeout=120)
    assert ended.stderr == ""
    assert ended.stdout == "interrupted True ['1.bin'] False\n"
    assert (tmp_path / "1.bin").read_bytes() == b"old"


def test_program_is_ended_by_ctrl_c(server, folder, tmp_path):
    """One that does not catch it ends as every Python program does."""
    server.fail("GET", "generic-local/data/1.bin", fault=Fault.stall(after=10), times=None)
    code = INTERRUPTED.replace("except KeyboardInterrupt:", "finally:").replace("session.closed", "0")
    ended = run(code, server.url, folder, tmp_path, "call", timeout=120)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr.endswith("KeyboardInterrupt\n")
