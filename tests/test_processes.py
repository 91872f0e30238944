"""processes=N: the same outcomes as one process, and nothing left over, however it ends."""

import asyncio
import os
import pickle
import re
import signal
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioartifact
from aioartifact._errors import WorkerError
from aioartifact._processes import run_in_processes
from aioartifact._processes.messages import Decoder, Done, End, Jobs, Moves, encode
from aioartifact._processes.relay import JOB, Ledger, ProgressRelay
from aioartifact.testing import Fault


@pytest.fixture
def tree(server):
    """Forty files, hostile names among them."""
    contents = {f"t/d{n % 3}/f{n}.bin": os.urandom(n * 300) for n in range(36)}
    contents |= {"t/c# x;y.bin": b"1", "t/100%/ü+.bin": b"2", "t/%41/[x]": b"3", "t/empty": b""}
    for path, content in contents.items():
        server.put(f"generic-local/{path}", content)
    return {path.removeprefix("t/"): content for path, content in contents.items()}


def found(folder) -> dict[str, bytes]:
    folder = Path(folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def children(pid: int | str = "self") -> set[int]:
    """Processes that a process has started and that still run."""
    return {child for task in Path(f"/proc/{pid}/task").iterdir() for child in children_of_thread(task)}


def children_of_thread(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # the thread has ended meanwhile


def connected(server) -> set[int]:
    """Those of them that have a connection to the server: one that still starts has none."""
    port = f":{int(server.origin.rpartition(':')[2]):04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(port) and row[3] == "01"}
    return {pid for pid in children() if not sockets.isdisjoint(descriptors(pid))}


def descriptors(pid: int) -> list[str]:
    """What a process has open, as far as it stays open while one looks."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # the process has ended meanwhile
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.append(str(each.readlink()))
    return found


async def gone(pid: int) -> None:
    """Wait until a process has ended, whoever started it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


class Caught:
    """Requests that sit in a fault, one each, until they are released."""

    def __init__(self, server, number, fault, pattern="generic-local/**"):
        self.handles = [server.fail("GET", pattern, times=1, fault=fault) for _ in range(number)]

    async def reached(self):
        """Wait until all requests are there."""
        async with asyncio.timeout(30):
            for handle in self.handles:
                await handle.reached()

    def release(self):
        for handle in self.handles:
            handle.release()


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Processes can import what this file defines, however the tests are run."""
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However busy the machine is, a process that tidies up is not killed over it."""
    monkeypatch.setattr("aioartifact._processes.child._GRACE", 60.0)


@pytest.fixture(autouse=True)
def no_orphans():
    """Whatever a test does, no process of it is left."""
    before = children()
    yield
    assert children() - before == set()


def said(report) -> set[tuple[object, ...]]:
    """What a report says of each file, without what depends on time."""
    return {
        (
            outcome.url,
            outcome.path,
            outcome.status,
            outcome.size,
            outcome.sha256,
            type(outcome.error),
            re.sub(r"in [\d.]+ s\b", "", str(outcome.error)),
        )
        for outcome in report
    }


async def test_same_outcomes_as_one_process(server, session, tree, tmp_path):
    """Files, failures, files that are there, malformed items: each comes out as in one process."""
    server.fail("GET", "generic-local/t/d0/f3.bin", times=None, fault=Fault.status(403))
    server.fail("GET", "generic-local/t/d0/f6.bin", times=None, fault=Fault.flip(at=7))
    server.fail("GET", "generic-local/t/d1/f4.bin", times=None, fault=Fault.reset(after=100))
    url = f"{server.url}/generic-local/t"
    items = [(f"{url}/{aioartifact._address.quote_path(path)}", path) for path in tree]
    items += [(items[0][0], "../out"), (items[0][0], items[1][1]), 7, f"{url}/missing.bin", "no url"]
    reports = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        (folder / "d0").mkdir()
        (folder / "d0/f33.bin").write_bytes(tree["d0/f33.bin"])
        progress = aioartifact.Progress()
        report = await aioartifact.download_many(
            items, folder, on_error="collect", processes=processes, session=session, progress=progress
        )
        now = progress.snapshot()
        counts = (now.files_done, now.files_skipped, now.files_failed, now.files_total, now.bytes_done, now.bytes_total)
        reports.append((said(report), counts, now.active, found(folder)))
    one, two = reports
    one_said = {tuple(str(field).replace(str(tmp_path / "1"), "") for field in said) for said in one[0]}
    two_said = {tuple(str(field).replace(str(tmp_path / "2"), "") for field in said) for said in two[0]}
    assert two_said == one_said
    assert two[1:] == one[1:]
    assert len(one[0]) == len(items)


async def test_tree_arrives_whole_and_stays(server, session, tree, tmp_path):
    """A folder is listed once and shared out; a second run finds everything unchanged."""
    url = f"{server.url}/generic-local/t"
    progress = aioartifact.Progress()
    report = await aioartifact.download_folder(url, tmp_path, processes=2, session=session, progress=progress)
    assert found(tmp_path) == tree
    assert len(report.downloaded) == len(tree)
    assert len(server.requests) == 1 + len(tree)
    now, total = progress.snapshot(), sum(map(len, tree.values()))
    assert (now.files_done, now.bytes_done, now.bytes_total, now.active) == (len(tree), total, total, ())
    server.clear_log()
    again = await aioartifact.download_folder(url, tmp_path, processes=2, session=session)
    assert len(again.unchanged) == len(tree)
    assert len(server.requests) == 1


async def test_manifest_is_shared(server, session, tree, tmp_path):
    """What one process has verified, no process reads again."""
    url, folder, manifest = f"{server.url}/generic-local/t", tmp_path / "data", tmp_path / "manifest"
    options = {"manifest": manifest, "processes": 2, "session": session}
    await aioartifact.download_folder(url, folder, **options)
    again = await aioartifact.download_folder(url, folder, **options)
    assert len(again.unchanged) == len(tree)


async def test_limits_hold_over_all_processes(server, session, tree, tmp_path):
    """As many files at a time as one process would have."""
    held = Caught(server, 3, Fault.hold())
    url = f"{server.url}/generic-local/t"
    async with aioartifact.download_folder(url, tmp_path, processes=8, max_concurrency=3, session=session) as outcomes:
        await held.reached()
        await anyio.wait_all_tasks_blocked()
        assert server.max_in_flight == 3
        assert len(children()) == 3
        held.release()
        assert len([outcome async for outcome in outcomes]) == len(tree)


async def test_session_of_its_own(server, tree, tmp_path, monkeypatch):
    """Without a session the call finds credentials here, and the processes have them from here."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, processes=2)
    assert found(tmp_path) == tree


async def test_outcomes_one_by_one(server, session, tree, tmp_path):
    """The other face; leaving it early ends the processes and leaves only whole files."""
    url = f"{server.url}/generic-local/t"
    async with aioartifact.download_folder(url, tmp_path, processes=2, session=session) as outcomes:
        first = await anext(outcomes)
        assert first.status == "downloaded"
        pids = children()
    for pid in pids:
        await gone(pid)
    assert all(tree[path] == content for path, content in found(tmp_path).items())


async def test_failures_raise_one_group(server, session, tree, tmp_path):
    """on_error='raise' finishes the rest, then raises; 'stop' ends at the first failure."""
    server.fail("GET", "generic-local/t/d0/f3.bin", times=None, fault=Fault.status(403))
    url = f"{server.url}/generic-local/t"
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_folder(url, tmp_path / "a", processes=2, session=session)
    assert [type(error) for error in caught.value.exceptions] == [aioartifact.ForbiddenError]
    assert len(caught.value.report.downloaded) == len(tree) - 1
    server.fail("GET", "generic-local/**", times=None, fault=Fault.status(403))
    server.clear_log()
    with pytest.raises(aioartifact.BatchError):
        await aioartifact.download_folder(url, tmp_path / "b", processes=2, on_error="stop", session=session)
    assert found(tmp_path / "b") == {}


async def test_killed_process_is_replaced(server, session, tree, tmp_path):
    """Files a dead process was on are fetched by another one; report and progress are as if nothing had been."""
    held = Caught(server, 2, Fault.stall(after=100))
    url, progress = f"{server.url}/generic-local/t", aioartifact.Progress()
    fetching = asyncio.create_task(
        aioartifact.download_folder(url, tmp_path, processes=2, max_concurrency=2, session=session, progress=progress)
    )
    await held.reached()
    for pid in children():
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
    held.release()
    report = await fetching
    assert {path: content for path, content in found(tmp_path).items() if not path.endswith(".part")} == tree
    assert sorted(Path(outcome.path).name for outcome in report.downloaded) == sorted(Path(path).name for path in tree)
    now, total = progress.snapshot(), sum(map(len, tree.values()))
    assert (now.files_done, now.bytes_done, now.bytes_total, now.active) == (len(tree), total, total, ())


async def test_sink_hears_of_every_process(server, session, tree, tmp_path):
    """Events come as from one process: each file is started once and ends once, whatever its process does."""
    held = Caught(server, 2, Fault.stall(after=100))
    heard = []
    fetching = asyncio.create_task(
        aioartifact.download_folder(
            f"{server.url}/generic-local/t",
            tmp_path,
            processes=2,
            max_concurrency=2,
            session=session,
            progress=aioartifact.Progress(heard.append),
        )
    )
    await held.reached()
    for pid in children():
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
    held.release()
    report = await fetching
    urls = sorted(outcome.url for outcome in report)
    assert sorted(event.key for event in heard if event.kind == "started") == urls
    assert sorted(event.key for event in heard if event.kind == "finished") == urls
    assert {event.attempt for event in heard if event.kind == "retrying"} <= {2}
    assert heard[-1].files_finished == heard[-1].files_total == len(tree)


async def test_file_that_kills_every_process(server, session, tree, tmp_path):
    """A file that two processes died of fails with a typed error; its bytes leave the progress."""
    url = f"{server.url}/generic-local/t/d0/f33.bin"
    progress = aioartifact.Progress()
    fetching = asyncio.create_task(
        aioartifact.download_many([url], tmp_path, processes=2, on_error="collect", session=session, progress=progress)
    )
    for _ in range(2):
        held = Caught(server, 1, Fault.stall(after=1000))
        await held.reached()
        for pid in connected(server):
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
        held.release()
    report = await fetching
    error = report.failed[0].error
    assert isinstance(error, aioartifact.WorkerError)
    assert error.exit_code == -signal.SIGKILL
    now = progress.snapshot()
    assert (now.files_failed, now.files_total, now.bytes_done, now.bytes_total, now.active) == (1, 1, 0, 0, ())


async def test_cancelled_call_leaves_nothing(server, session, tree, tmp_path):
    """Cancelling ends the processes within moments, in the middle of bodies, and they tidy up before."""
    held = Caught(server, 2, Fault.stall(after=100))
    url = f"{server.url}/generic-local/t"
    fetching = asyncio.create_task(
        aioartifact.download_folder(url, tmp_path, processes=2, max_concurrency=2, session=session)
    )
    await held.reached()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    held.release()
    assert children() == set()
    assert all(tree[path] == content for path, content in found(tmp_path).items())


async def test_input_stays_lazy(server, session, tmp_path):
    """Of an endless input no more is pulled than what the processes can be at, and a little ahead."""
    server.put("generic-local/a.bin", b"a")
    held = Caught(server, 4, Fault.hold())
    pulled = 0

    async def endless():
        nonlocal pulled
        while True:
            pulled += 1
            yield f"{server.url}/generic-local/a.bin", f"{pulled}.bin"

    async with aioartifact.download_many(endless(), tmp_path, processes=2, max_concurrency=4, session=session):
        await held.reached()
        assert pulled <= 4 + 32 + 2
        held.release()


async def test_input_that_raises(server, session, tree, tmp_path):
    """An error of the input ends the call and arrives as itself."""

    async def broken():
        yield f"{server.url}/generic-local/t/empty"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await aioartifact.download_many(broken(), tmp_path, processes=2, session=session)


async def test_nothing_to_do_starts_nothing(session, tmp_path):
    """Processes are started for jobs, and not before."""
    assert len(await aioartifact.download_many([], tmp_path, processes=4, session=session)) == 0


async def test_no_secret_in_arguments_or_environment(server, session, tree, tmp_path):
    """What a process must know comes through its pipe alone: everybody on the machine may read its arguments."""
    held = Caught(server, 2, Fault.hold())
    async with aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, processes=2, session=session):
        await held.reached()
        for pid in children():
            shown = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
            assert server.password.encode() not in shown
            assert server.url.encode() not in shown
        held.release()


async def test_foreign_session(tmp_path):
    """A session that somebody else opened cannot be opened once more; that is told at the call."""
    async with aiohttp.ClientSession() as foreign:
        with pytest.raises(aioartifact.InvalidArgumentError, match="not opened by this library"):
            aioartifact.download_many([], tmp_path, processes=2, session=foreign)


async def test_session_that_cannot_travel(server, tmp_path):
    """Nor can one with an SSL context."""
    async with aioartifact.session(server.url, verify=ssl.create_default_context()) as session:
        with pytest.raises(aioartifact.InvalidArgumentError, match="SSLContext"):
            aioartifact.download_many([], tmp_path, processes=2, session=session)


@pytest.mark.parametrize("processes", [0, -1, True, 1.5, "2"])
def test_number_of_processes_that_is_none(processes):
    """Told at the call, as other options are."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="processes"):
        aioartifact.download_many([], processes=processes)


@pytest.mark.parametrize(
    ("executable", "words"), [("/bin/false", "exit code 1"), ("/nowhere/python", "No such file"), ("", "no Python")]
)
async def test_process_that_cannot_be_started(server, session, tree, tmp_path, monkeypatch, executable, words):
    """A clear error instead of files that fail one by one."""
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(aioartifact.WorkerError, match=words):
        await aioartifact.download_folder(f"{server.url}/generic-local/t", tmp_path, processes=2, session=session)


SCRIPT = """
import asyncio, sys
import aioartifact

async def fetch():
    async with aioartifact.session(sys.argv[1], auth=("admin", sys.argv[2])) as session:
        url = f"{sys.argv[1]}/generic-local/t"
        await aioartifact.download_folder(url, sys.argv[3], processes=2, max_concurrency=2, session=session)

asyncio.run(fetch())
"""


@pytest.fixture
def held(server, tree):
    """Two requests that stop in the middle."""
    return Caught(server, 2, Fault.stall(after=10))


@pytest.fixture
def program(server, held, tmp_path):
    """A program without ``if __name__ == "__main__"`` that fetches the tree, in a group of its own."""
    (tmp_path / "script.py").write_text(SCRIPT)
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, tmp_path / "script.py", server.url, server.password, tmp_path / "data"],
            stderr=stderr,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    yield process
    process.kill()
    process.wait()


@pytest.fixture
async def script(held, program):
    """The program in the middle of two files."""
    await held.reached()
    yield program
    held.release()


async def test_interrupted_program(script, tree, tmp_path):
    """Ctrl-C reaches the program's whole group; its processes end with it, quietly, and leave whole files only."""
    pids = children(script.pid)
    assert len(pids) == 2
    os.killpg(script.pid, signal.SIGINT)
    for pid in {*pids, script.pid}:
        await gone(pid)
    errors = (tmp_path / "stderr").read_text()
    assert script.wait() != 0
    assert errors.count("Traceback") <= errors.count("KeyboardInterrupt") + errors.count("CancelledError")
    assert "_processes/worker.py" not in errors
    assert all(tree[path] == content for path, content in found(tmp_path / "data").items())


async def test_killed_program_leaves_no_orphan(script, tree, tmp_path):
    """A program that has no chance to say anything: its processes notice the closed pipe, tidy up and end."""
    pids = children(script.pid)
    assert len(pids) == 2
    script.kill()
    for pid in pids:
        await gone(pid)
    assert all(tree[path] == content for path, content in found(tmp_path / "data").items())


@dataclass(frozen=True)
class Odd:
    """Work of which the jobs say what is to happen."""

    def settled(self, job):
        return job[1] if job[0] == "settled" else None

    def server(self, job):
        return aioartifact._address.parse_server_url("https://host/artifactory")

    def lost(self, job, error, progress):
        return error

    @asynccontextmanager
    async def opened(self, session, progress):
        yield self._do

    async def _do(self, job):
        match job:
            case ["print", text]:
                print(text, flush=True)  # noqa: T201  # as a library might
                os.write(1, text.encode())
            case ["raise", text]:
                raise LookupError(text)
            case ["raise-odd", text]:
                raise Unpicklable(text)
            case ["die", code]:
                os._exit(code)
            case ["credentials", _]:
                return os.getpid()
        return job[1]


class Unpicklable(Exception):
    def __reduce__(self):
        raise TypeError("not that")


async def results(jobs, session, **options):
    async def source():
        for job in jobs:
            yield job

    options = {"processes": 2, "max_concurrency": 4, "progress": aioartifact.Progress()} | options
    async with run_in_processes(source(), Odd(), session=session, **options) as stream:
        return [result async for result in stream]


async def test_output_of_libraries_stays_out_of_the_pipe(session, capfd):
    """What is printed in a process goes to stderr."""
    assert sorted(await results([("print", "a" * 10), ("echo", "b")], session)) == ["a" * 10, "b"]
    assert capfd.readouterr().err.count("a" * 10) == 2


async def test_defect_in_a_process_is_raised_here(session):
    """What is no error of a file ends the call as itself, or as its like where it cannot travel."""
    with pytest.raises(LookupError, match="mine"):
        await results([("raise", "mine")], session)
    with pytest.raises(WorkerError, match="Unpicklable: odd"):
        await results([("raise-odd", "odd")], session)


async def test_settled_jobs_need_no_process(session, monkeypatch):
    """They come through although no process can be started."""
    monkeypatch.setattr(sys, "executable", "")
    assert await results([("settled", "a"), ("settled", "b")], session) == ["a", "b"]


async def test_many_jobs_and_a_deadly_one(session):
    """Each of many jobs comes back once; what was in the hands of dying processes is lost or done, never dropped."""
    jobs = [("echo", number) for number in range(2000)] + [("die", 3)]
    done = await results(jobs, session)
    lost = [result for result in done if isinstance(result, WorkerError)]
    numbers = [result for result in done if isinstance(result, int)]
    assert len(done) == len(jobs)
    assert len(set(numbers)) == len(numbers)
    assert {error.exit_code for error in lost} == {3}


MESSAGES = st.lists(
    st.one_of(
        st.just(End()),
        st.builds(Jobs, st.dictionaries(st.integers(), st.text()), st.just([])),
        st.builds(Done, st.dictionaries(st.integers(), st.binary())),
    )
)


@given(MESSAGES, st.data())
def test_messages_survive_any_cut(messages, data):
    """However a pipe cuts the bytes, the same messages come out."""
    stream = b"".join(map(encode, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    decoder = Decoder()
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [message for part in parts for message in decoder.feed(part)] == messages


def test_progress_of_a_dead_process_is_undone():
    """What finished stays, what was on its way is taken back, and names do not stay in flight."""
    relay = ProgressRelay(lambda: None, is_heard=False)
    progress = aioartifact.Progress()
    progress.expect(files=2)
    ledger = Ledger(progress)
    JOB.set(1)
    relay.started("a")
    relay.expect(size=10)
    relay.advance(10)
    relay.ended("a")
    relay.finish("transferred")
    JOB.set(2)
    relay.started("b")
    relay.expect(size=20)
    relay.advance(5)
    ledger.apply(pickle.loads(pickle.dumps(relay.take())))
    ledger.settle(1)
    assert progress.snapshot().active == ("b",)
    ledger.revert()
    now = progress.snapshot()
    assert (now.files_done, now.bytes_done, now.bytes_total, now.active) == (1, 10, 10, ())
    assert relay.take() == Moves()
