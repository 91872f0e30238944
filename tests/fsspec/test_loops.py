"""Event loops, threads and processes: one session for each, and none that is left open."""

import asyncio
import gc
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest

import aioartifact
from aioartifact.testing import Fault


@pytest.fixture
def file(server):
    server.put("data/f", b"content")
    return "data/f"


def test_asyncio_run_twice(new_fs, file):
    """One object is returned for both loops: each gets a session of its own, which ends with its loop."""
    sessions = []

    async def read():
        fs = new_fs(asynchronous=True)
        sessions.append(await fs.set_session())
        assert await fs.set_session() is sessions[-1]
        return fs, await fs._cat_file(file)

    (one, first), (two, second) = asyncio.run(read()), asyncio.run(read())
    assert one is two
    assert first == second == b"content"
    assert sessions[0] is not sessions[1]
    assert all(session.closed for session in sessions)


def test_one_session_for_concurrent_calls(server, new_fs, file):
    """Calls that start together open one session."""

    async def read():
        fs = new_fs(asynchronous=True)
        await asyncio.gather(*(fs._cat_file(file) for _ in range(20)))
        sessions = await asyncio.gather(*(fs.set_session() for _ in range(5)))
        assert len({id(session) for session in sessions}) == 1
        await fs.aclose()
        assert sessions[0].closed
        assert await fs._cat_file(file) == b"content"

    asyncio.run(read())


def test_session_that_cannot_be_opened(server, new_fs, file, tmp_path):
    """The error is raised by each call, and a later one succeeds."""
    bundle = tmp_path / "bundle.pem"
    fs = new_fs(verify=str(bundle))
    for _ in range(2):
        with pytest.raises(aioartifact.ConfigurationError):
            fs.cat_file(file)


def test_methods_for_threads_need_a_loop(new_fs, file):
    """An object for coroutines says so."""
    fs = new_fs(asynchronous=True)
    with pytest.raises(RuntimeError):
        fs.cat_file(file)


def test_calls_in_a_coroutine(fs, file):
    """The blocking calls work in a coroutine of another loop, as they do in notebooks."""

    async def read():
        return fs.cat_file(file)

    assert asyncio.run(read()) == b"content"


def test_threads_share_a_session(server, fs, file):
    """Calls of many threads run in one loop, over a bounded number of connections."""
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: fs.cat_file(file), range(100))) == {b"content"}
    assert server.connections <= 32


def test_many_files_at_once(server, new_fs):
    """However many files one call has, requests in flight are bounded."""
    for number in range(200):
        server.put(f"data/many/{number}", b"%d" % number)
    fs = new_fs(batch_size=8)
    assert len(fs.cat("data/many/*")) == 200
    assert server.max_in_flight <= 8


def test_closed_session_is_replaced(fs, file):
    fs.cat_file(file)
    fs.close()
    assert fs.cat_file(file) == b"content"


def test_collected_file_system(server, new_fs, file):
    """A file system that is not cached closes its session when it is collected."""
    fs = fsspec.filesystem("artifactory", base_url=server.url, skip_instance_cache=True)
    fs.cat_file(file)
    loop, session = fs.loop, asyncio.run_coroutine_threadsafe(fs.set_session(), fs.loop).result()
    del fs
    gc.collect()

    async def until_closed():
        while not session.closed:  # noqa: ASYNC110  # nothing signals it
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(until_closed(), loop).result(60)


def test_timeout_of_a_thread(server, new_fs, file):
    """There is an error of fsspec of its own for time limits; ours is its cause."""
    timeouts = aioartifact.Timeouts(reply=0.01)
    fs = new_fs(timeouts=timeouts, retry=aioartifact.RetryPolicy(attempts=1))
    handle = server.fail("GET", "data/f", times=None, fault=Fault.hold())
    with pytest.raises(TimeoutError) as caught:
        fs.cat_file(file)
    assert isinstance(caught.value.__cause__, aioartifact.TransportTimeoutError)
    handle.release()


PROCESSES = """
import multiprocessing, os, sys
import aioartifact, fsspec

def read(fs):
    with fs.open("data/f") as file:
        return [fs.cat_file("data/f"), file.read(), fsspec.filesystem("artifactory").cat_file("data/f")]

def read_on(file):
    try:
        return file._reader._file._blocks.clear() or file.read()
    except aioartifact.SessionError:
        return "SessionError"

if __name__ == "__main__":
    fs = fsspec.filesystem("artifactory")
    file = fs.open("data/f", cache_type="none")
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.apply(read, (fs,)))
    print(read(fs))
    sys.stdout.flush()
    if not os.fork():
        print(read_on(file), flush=True)
        os._exit(0)
    os.wait()
    print(read_on(file))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_process(file, tmp_path, method):
    """
    An object works in a child process, by fork and by pickle, and continues in the parent.

    A file that is open belongs to its process: the child of a fork gets an error.
    """
    script = tmp_path / "script.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), method]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    read = str([b"content"] * 3)
    assert (result.stdout.splitlines(), result.stderr) == ([read, read, "SessionError", "b'content'"], "")


def test_program_ends_without_a_word(server, file):
    """Nothing is left open at the end of a program that closes nothing."""
    code = (
        "import asyncio, fsspec\n"
        "fs = fsspec.filesystem('artifactory')\n"
        f"print(fs.cat_file({file!r}))\n"
        "async def main():\n"
        "    print(await fsspec.filesystem('artifactory', asynchronous=True)._cat_file('data/f'))\n"
        "asyncio.run(main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("b'content'\n" * 2, "")


def test_pickled_file_system(fs, file):
    """A pickle has the options, and no listing."""
    fs.ls("data")
    again = pickle.loads(pickle.dumps(fs))
    assert again is fs
    assert again.cat_file(file) == b"content"
