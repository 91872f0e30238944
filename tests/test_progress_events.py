"""Events: what a sink hears of transfers, over a real server; and the displays that listen."""

import io
import logging
import os
import subprocess
import sys

import pytest
from rich.console import Console
from tqdm import tqdm

import aioartifact
from aioartifact._progress import FileProgress
from aioartifact.progress import log_sink, rich_sink, tqdm_sink
from aioartifact.testing import Fault

BIG = 3 * 1024 * 1024


@pytest.fixture
def url(server):
    server.put("generic-local/t/a.bin", os.urandom(1000))
    server.put("generic-local/t/b.bin", os.urandom(BIG))
    return f"{server.url}/generic-local/t"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def progress(heard):
    return aioartifact.Progress(heard.append)


def kinds(heard, name: str) -> list[str]:
    """The events of one file, runs of the same kind as one."""
    kinds = [event.kind for event in heard if event.key.endswith(name)]
    return [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] != kind]


def milestones(heard, name: str) -> list[str]:
    """The same without bytes in flight: a file that takes a tenth of a second has some such events."""
    return [kind for kind in kinds(heard, name) if kind != "advanced"]


async def test_events_of_a_batch(session, url, tmp_path, progress, heard):
    """Known first; then each file from its start to its end, with its bytes; the last event has them all."""
    await aioartifact.download_folder(url, tmp_path, session=session, progress=progress)
    assert (heard[0].kind, heard[0].key, heard[0].files_total, heard[0].bytes_total) == ("planned", "", 2, BIG + 1000)
    assert milestones(heard, "a.bin") == ["started", "finished"]
    assert milestones(heard, "b.bin") == ["started", "finished"]
    ended = {event.key: (event.bytes, event.total) for event in heard if event.kind == "finished"}
    assert ended == {f"{url}/a.bin": (1000, 1000), f"{url}/b.bin": (BIG, BIG)}
    last = heard[-1]
    assert (last.files_finished, last.files_total, last.bytes_done) == (2, 2, BIG + 1000)


async def test_events_of_a_second_run(session, url, tmp_path, progress, heard):
    """What is there already is skipped, and its bytes are not waited for."""
    await aioartifact.download_folder(url, tmp_path, session=session)
    await aioartifact.download_folder(url, tmp_path, session=session, progress=progress)
    assert [event.kind for event in heard if event.key][-1] == "skipped"
    assert (heard[-1].files_finished, heard[-1].bytes_done, heard[-1].bytes_total) == (2, 0, 0)


async def test_events_of_a_failure(server, session, url, tmp_path, progress, heard):
    """Bytes that are lost are taken back before the end."""
    server.fail("GET", "generic-local/t/b.bin", times=None, fault=Fault.flip(at=BIG - 1))
    await aioartifact.download_folder(url, tmp_path, on_error="collect", session=session, progress=progress)
    assert kinds(heard, "b.bin")[-1] == "failed"
    assert (heard[-1].bytes_done, heard[-1].bytes_total) == (1000, 1000)
    assert [event.bytes for event in heard if event.kind == "failed"] == [0]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault.status(503), id="refused"),
        pytest.param(Fault.reset(after=0), id="lost-before-the-body"),
        pytest.param(Fault.reset(after=BIG // 2), id="lost-in-the-body"),
    ],
)
async def test_events_of_a_retry(server, session, url, tmp_path, progress, heard, fault):
    """Each further attempt is reported with its number, and the file ends normally."""
    server.fail("GET", "generic-local/t/b.bin", times=1, fault=fault)
    await aioartifact.download(f"{url}/b.bin", tmp_path, session=session, progress=progress)
    retries = [event for event in heard if event.kind == "retrying"]
    assert [(event.key, event.attempt) for event in retries] == [(f"{url}/b.bin", 2)]
    assert (heard[-1].kind, heard[-1].bytes, heard[-1].bytes_done) == ("finished", BIG, BIG)


async def test_events_of_a_deploy(session, server, url, tmp_path, progress, heard):
    """Uploads are reported like downloads."""
    (tmp_path / "c.bin").write_bytes(bytes(1000))
    await aioartifact.deploy(tmp_path / "c.bin", f"{url}/c.bin", session=session, progress=progress)
    assert milestones(heard, "c.bin") == ["started", "finished"]
    assert heard[-1].bytes == 1000


async def test_sink_that_raises_is_dropped(session, url, tmp_path, caplog):
    """A broken display is reported once, and does not affect the transfer."""

    def broken(event):
        raise ZeroDivisionError

    progress = aioartifact.Progress(broken)
    report = await aioartifact.download_folder(url, tmp_path, session=session, progress=progress)
    assert len(report.downloaded) == 2
    assert progress.snapshot().files_done == 2
    assert [record.exc_info[0] for record in caplog.records if record.levelno == logging.WARNING] == [ZeroDivisionError]


async def test_secrets_are_in_no_event(server, session, tmp_path, progress, heard):
    """The key of an item that is refused for its credentials does not repeat them."""
    bad = f"http://user:s3cret@{server.url.removeprefix('http://')}/r/a?token=s3cret"
    await aioartifact.download_many([bad], tmp_path, on_error="collect", session=session, progress=progress)
    assert heard[-1].kind == "failed"
    assert "s3cret" not in repr(heard)


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_advances_are_told_ten_times_a_second(heard):
    """However often bytes arrive; lost bytes are reported at once."""
    clock = Clock()
    file = FileProgress(aioartifact.Progress(heard.append, clock=clock), "https://h/r/a", "a", 5000)
    with file:
        for _ in range(1000):
            clock.now += 0.001
            file.advance(5)
        advances = [event.bytes for event in heard if event.kind == "advanced"]
        file.advance(-4000)
    assert len(advances) == pytest.approx(10, abs=1)
    assert (heard[-1].kind, heard[-1].bytes, heard[-1].total) == ("advanced", 1000, 5000)


def test_file_of_unknown_size_ends_with_its_bytes_in_the_total(heard):
    """At the end all is known."""
    progress = aioartifact.Progress(heard.append)
    progress.expect(files=1)
    with FileProgress(progress, "https://h/r/a", "a") as file:
        file.advance(7)
        assert heard[-1].total is None
    file.finish("transferred")
    assert (heard[-1].bytes_done, heard[-1].bytes_total) == (7, 7)


# displays


async def test_rich_shows_the_whole_and_the_files(server, session, url, tmp_path):
    """One bar for everything, one for a file in flight, gone when it ends."""
    stall = server.fail("GET", "generic-local/t/b.bin", fault=Fault.stall(after=BIG // 2))
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with rich_sink(console) as sink:

        def watch(event):
            sink(event)
            if event.kind == "finished" and event.key.endswith("a.bin"):
                stall.release()

        progress = aioartifact.Progress(watch)
        await aioartifact.download_folder(url, tmp_path, session=session, progress=progress)
        bars = [(task.description, task.completed, task.total) for task in sink._display.tasks]
    assert bars == [("2/2 files", BIG + 1000, BIG + 1000)]
    assert "2/2 files" in screen.getvalue()


def event(kind: str, key: str, **values) -> aioartifact.TransferEvent:
    fields = {"bytes": 0, "total": 10, "attempt": 1, "files_finished": 0, "files_total": 20}
    return aioartifact.TransferEvent(kind, key, **{**fields, "bytes_done": 0, "bytes_total": 200, **values})


def test_rich_shows_at_most_eight_files():
    """A file without a bar gets one when another ends; names are shown as they stand in the URL."""
    with rich_sink(Console(file=io.StringIO())) as sink:
        for number in range(12):
            sink(event("started", f"https://h/r/%1B{number}[bold]"))
        assert len(sink._display.tasks) == 1 + 8
        sink(event("failed", "https://h/r/%1B3[bold]"))
        sink(event("advanced", "https://h/r/%1B11[bold]", bytes=4))
        names = [(task.description, task.completed) for task in sink._display.tasks[1:]]
    assert names == [(f"%1B{n}[bold]", 0) for n in (0, 1, 2, 4, 5, 6, 7)] + [("%1B11[bold]", 4)]


async def test_tqdm_counts_bytes(session, url, tmp_path):
    """The class the user gives shows one bar of bytes, and is closed at the end."""
    screen = io.StringIO()
    with tqdm_sink(tqdm, file=screen, mininterval=0) as sink:
        await aioartifact.download_folder(url, tmp_path, session=session, progress=aioartifact.Progress(sink))
    assert "3.00M/3.00M" in screen.getvalue()
    assert "2/2 files" in screen.getvalue()
    assert screen.getvalue().endswith("\n")


def test_tqdm_goes_back_when_bytes_are_lost():
    """A rewind is no second transfer."""
    screen = io.StringIO()
    with tqdm_sink(tqdm, file=screen, mininterval=0, unit="byte") as sink:
        for done in (50, 20, 200):
            sink(event("advanced", "https://h/r/a", bytes_done=done))
    assert "200/200" in screen.getvalue()
    assert "byte/s" in screen.getvalue()


def test_log_has_a_line_now_and_then(heard):
    """Not more often than asked for, and one at the end."""
    clock = Clock()
    with log_sink(10, write=heard.append, clock=clock) as sink:
        for second in range(25):
            clock.now = second
            sink(
                event("advanced", "https://h/r/a", files_finished=second, bytes_done=second << 20, bytes_total=25 << 20)
            )
    assert heard == [
        "10/20 files, 10.0 of 25.0 MiB",
        "20/20 files, 20.0 of 25.0 MiB",
        "24/20 files, 24.0 of 25.0 MiB",
    ]


def test_log_says_nothing_of_nothing(caplog):
    """A transfer that never began has no line; the logger of the module is the default."""
    with caplog.at_level(logging.INFO, "aioartifact.progress"):
        with log_sink():
            pass
        assert caplog.messages == []
        with log_sink() as sink:
            sink(event("planned", ""))
    assert caplog.messages == ["0/20 files, 0.0 of 0.0 MiB"]


@pytest.mark.parametrize("module", ["aioartifact", "aioartifact.progress"])
def test_import_loads_no_display(module):
    """Neither rich nor tqdm is needed, nor waited for."""
    code = f"import sys, {module}; print([name for name in ('rich', 'tqdm', 'aiohttp') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True).stdout in (
        "[]\n",
        "['aiohttp']\n",
    )
