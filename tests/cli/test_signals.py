"""Ctrl-C and SIGTERM: the command cleans up, says so, and ends with the code that shells know."""

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

import aioartifact
from aioartifact.cli import main, termination
from aioartifact.cli.errors import guarded
from aioartifact.cli.running import run
from aioartifact.cli.termination import heeding_signals
from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
LARGE = "generic-local/large.bin"
MIB = 1024 * 1024
SECONDS = 60  # for what only hangs if it is broken
# What runs in the background of a script has Ctrl-C ignored; here that must not depend on who runs the tests, nor what
# is said on how slow the machine is.
COMMAND = ["env", "--default-signal=INT,TERM", sys.executable, "-m", "aioartifact", "--quiet"]

on_each_signal = pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        pytest.param(signal.SIGINT, 130, "\ninterrupted\n", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, "terminated\n", id="SIGTERM"),
    ],
)


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def start(tmp_path):
    """Start a command whose temporary files would be found below the test's own folder."""
    processes = []

    def start(*words, command=COMMAND):
        process = subprocess.Popen(
            [*command, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def stalls():
    """Faults that bodies sit in; all are released at the end."""
    stalls = []
    yield stalls
    for stall in stalls:
        stall.release()


@pytest.fixture
def held(server, start, stalls):
    """Start a command, and return its process once the server has stopped in the middle of bodies."""

    def held(*words, pattern="generic-local/**", after=3, bodies=1, command=COMMAND):
        stalls.extend(server.fail("GET", pattern, times=1, fault=Fault.stall(after=after)) for _ in range(bodies))
        process = start(*words, command=command)
        assert all(stall.wait_reached(SECONDS) for stall in stalls)
        return process

    return held


def end(process, number):
    """Send a signal; return exit code, stdout and stderr."""
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


@on_each_signal
def test_download_leaves_no_partial_file(folder, held, tmp_path, number, code, said):
    """A signal in the middle of a file: its exit code, one line, nothing half-written."""
    process = held("download", f"{folder}/1.0.0/media/b.wav", "-d", tmp_path / "new")
    assert end(process, number) == (code, "", said)
    assert files_below(tmp_path) == []


@on_each_signal
def test_large_download_goes_on_afterwards(server, held, cli, tmp_path, number, code, said):
    """What has arrived of a large file is kept with its journal, and the same command fetches no more than the rest."""
    content = os.urandom(MIB) * 64
    server.put(LARGE, content)
    words = ("download", f"{server.url}/{LARGE}", "-d", tmp_path, "--max-concurrency", 1)  # over one connection
    assert end(held(*words, after=63 * MIB), number) == (code, "", said)
    assert sorted(path.partition(".bin.")[2].split(".")[-1] for path in files_below(tmp_path)) == ["journal", "part"]
    server.clear_log()
    assert cli(*words).code == 0
    assert files_below(tmp_path) == ["large.bin"]
    assert (tmp_path / "large.bin").read_bytes() == content
    first = next(request for request in server.requests if request.path == LARGE)
    assert first.headers["range"].startswith("bytes=")
    assert not first.headers["range"].startswith("bytes=0")


@on_each_signal
def test_sync_deletes_nothing(folder, held, tmp_path, number, code, said):
    """What was to be deleted at the end is left, and the file that was on its way is not there."""
    (tmp_path / "tool.bin").write_bytes(b"tool")
    process = held("sync", f"{folder}/1.0.0", tmp_path, "--delete", pattern=f"{FOLDER}/1.0.0/media/b.wav")
    assert end(process, number)[::2] == (code, said)
    assert (tmp_path / "tool.bin").exists()
    assert not (tmp_path / "media/b.wav").exists()


@pytest.mark.parametrize("pause", [0, 0.1, 0.3], ids=lambda pause: f"{pause}s")
@on_each_signal
def test_signal_twice(folder, held, tmp_path, number, code, said, pause):
    """timeout(1) sends SIGTERM to the process and to its group, a key may bounce: the second one changes nothing."""
    # The limit of the clean-up must not make the outcome depend on the machine.
    patient = (
        "import sys; from aioartifact.cli import termination; termination._PATIENCE = 3600; "
        "from aioartifact.__main__ import main; sys.exit(main())"
    )
    words = ("download", f"{folder}/1.0.0/media/b.wav", "-d", tmp_path)
    process = held(*words, command=[*COMMAND[:3], "-c", patient, "--quiet"])
    process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(pause)
    assert end(process, number) == (code, "", said)
    assert files_below(tmp_path) == []


STOPPED_AT = """
import os, signal, sys
from threading import Event

class Interruption:
    # Ctrl-C when a module is about to be imported, from a disk that takes its time.
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["STOPPED_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
            Event().wait()

sys.meta_path.insert(0, Interruption())
"""


@pytest.mark.parametrize(
    "module",
    [
        *("click", "rich", "aioartifact.cli", "aioartifact.cli.errors", "aioartifact.cli.program"),
        *("aioartifact._errors", "aiohttp", "aioartifact._api.session"),
    ],
)
def test_ctrl_c_during_start_up(tmp_path, module):
    """A signal while a module is imported: one line and the exit code of Ctrl-C, at once and without a traceback."""
    (tmp_path / "sitecustomize.py").write_text(STOPPED_AT)
    process = subprocess.run(
        [*COMMAND, "ls", "http://127.0.0.1:9/artifactory/repository"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "STOPPED_AT": module},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (process.returncode, process.stdout, process.stderr) == (130, "", "\ninterrupted\n")


HANGING = """
import asyncio, sys
from aioartifact.cli.errors import guarded
from aioartifact.cli.running import run
from aioartifact.cli.termination import heeding_signals

async def call():
    try:
        print("begun", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        await asyncio.Event().wait()

with heeding_signals():
    sys.exit(guarded(lambda: run(call)))
"""


@pytest.mark.parametrize(
    ("numbers", "codes"),
    [
        pytest.param([signal.SIGINT] * 3, {-signal.SIGINT, -signal.SIGTERM}, id="Ctrl-C, three times"),
        pytest.param([signal.SIGINT] * 2, {-signal.SIGTERM}, id="Ctrl-C, twice"),
        pytest.param([signal.SIGTERM] * 2, {-signal.SIGTERM}, id="SIGTERM, twice"),
        pytest.param([signal.SIGINT, signal.SIGTERM], {-signal.SIGTERM}, id="Ctrl-C, then SIGTERM"),
    ],
)
def test_clean_up_that_hangs_is_limited(start, numbers, codes):
    """A further signal ends the process, even if the clean-up waits for something that never happens."""
    process = start(HANGING, command=[*COMMAND[:2], sys.executable, "-c"])
    assert process.stdout.readline() == "begun\n"
    process.send_signal(numbers[0])
    assert process.stdout.readline() == "cleaning\n"
    for number in numbers[1:]:
        process.send_signal(number)
    assert process.wait(SECONDS) in codes


async def test_signal_in_the_moment_in_which_the_loop_responds(monkeypatch):
    """The second of two signals ends a clean-up that hangs, also if it arrives while the alarm is revoked."""
    cancellation = termination._Cancellation(asyncio.create_task(asyncio.sleep(0)))
    alarms = []

    def die_in(seconds):
        if seconds == 0 and len(cancellation.received) == 1:
            cancellation._handle(signal.SIGTERM, None)
        alarms.append(seconds)

    monkeypatch.setattr(termination, "_die_in", die_in)
    cancellation._handle(signal.SIGINT, None)
    cancellation._cancel()
    assert 0 in alarms
    assert alarms[-1] > 0


def test_sigterm_while_nobody_reads_the_output(server, start):
    """A write to a full pipe holds the event loop up; the command ends all the same."""
    server.put(LARGE, bytes(4 * MIB))
    process = start("cat", f"{server.url}/{LARGE}")
    assert process.stdout.read(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) in (-signal.SIGTERM, 143)


def test_sigterm_where_ctrl_c_is_ignored(folder, held, tmp_path):
    """As in the background of a script, where SIGTERM is the only way."""
    ignoring = [COMMAND[0], "--ignore-signal=INT", "--default-signal=TERM", *COMMAND[2:]]
    process = held("download", f"{folder}/1.0.0/media/b.wav", "-d", tmp_path, command=ignoring)
    assert end(process, signal.SIGTERM) == (143, "", "terminated\n")
    assert files_below(tmp_path) == []


def test_sigterm_that_is_ignored(folder, held, stalls, tmp_path):
    """Who starts the command with SIGTERM ignored has it ignored."""
    ignoring = [COMMAND[0], "--ignore-signal=TERM", *COMMAND[2:]]
    process = held("download", f"{folder}/1.0.0/media/b.wav", "-d", tmp_path, command=ignoring)
    process.send_signal(signal.SIGTERM)
    stalls[0].release()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert files_below(tmp_path) == ["b.wav"]


@pytest.fixture
def deadly():
    """SIGTERM would end this process, as it would most."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("deadly")
def test_sigterm_while_no_event_loop_runs(capfd):
    """As while a verb is being read or a question asked: the same line and code, and afterwards all is as before."""
    assert guarded(heeding_signals()(lambda: signal.raise_signal(signal.SIGTERM))) == 143
    assert capfd.readouterr().err == "terminated\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("deadly")
@on_each_signal
def test_signal_at_the_last_moment(capfd, number, code, said):
    """As the coroutine function returns: there is nothing left to cancel, and it is no traceback either."""

    async def call():
        signal.raise_signal(number)

    with heeding_signals():
        assert guarded(lambda: run(call)) == code
    assert capfd.readouterr().err == said.lstrip()  # the line break is of click


def test_signal_in_the_midst_of_a_callback(capfd):
    """The task is cancelled after the callback that is about to wake it, not between two of its steps."""
    failures = []

    async def call():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        woken = loop.create_future()

        def wake():
            if not woken.done():
                signal.raise_signal(signal.SIGINT)
                woken.set_result(None)

        loop.call_soon(wake)
        await woken
        await asyncio.Event().wait()

    with heeding_signals():
        assert guarded(lambda: run(call)) == 130
    assert capfd.readouterr().err == "interrupted\n"
    assert failures == []


class CtrlC:
    """Ctrl-C when the interpreter has executed a number of lines of Python."""

    def __init__(self, lines):
        self.is_due = False
        self._lines = lines

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._trace)

    def __exit__(self, *error):
        sys.settrace(self._before)

    def _trace(self, frame, event, argument):
        self._lines -= event == "line"
        if self._lines == 0 and not self.is_due:
            self.is_due = True
            signal.raise_signal(signal.SIGINT)
        return None if self.is_due else self._trace


@pytest.mark.parametrize("size", [2_000, MIB], ids=["small", "large"])
def test_ctrl_c_wherever_a_download_is(server, tmp_path, monkeypatch, size):
    """A Ctrl-C between any two lines: no error but its own, no file or the whole one."""
    monkeypatch.setattr(termination, "_PATIENCE", 3600)
    server.put(LARGE, content := os.urandom(size))
    failures = []

    async def call(ctrl_c, folder):
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            with ctrl_c:
                await aioartifact.download(f"{server.url}/{LARGE}", folder, session=session)
            await asyncio.sleep(0)  # for a signal at the very end

    interrupted = 0
    for lines in range(1, 100_000, 7):
        ctrl_c, folder = CtrlC(lines), tmp_path / str(lines)
        with heeding_signals():
            try:
                run(partial(call, ctrl_c, folder))
            except KeyboardInterrupt:
                interrupted += 1
        assert failures == []
        assert [path.read_bytes() for path in folder.glob("*")] in ([], [content])
        if not ctrl_c.is_due:
            break
    assert interrupted > 100


@pytest.mark.usefixtures("deadly")
def test_handler_is_there_for_the_command_only():
    """Nor does the event loop leave another one."""

    async def look():
        return signal.getsignal(signal.SIGTERM)

    with heeding_signals():
        outside = signal.getsignal(signal.SIGTERM)
        assert run(look) not in (outside, signal.SIG_DFL)
        assert signal.getsignal(signal.SIGTERM) is outside
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_command_in_a_thread(folder, capfd):
    """Only the main thread may have handlers; a program that calls the command in another one has its own."""
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(main, ["ls", folder]).result() == 0
    assert capfd.readouterr().out == "1.0.0/\n1.10.0/\n1.9.0/\n"
