"""Building blocks of data loaders: each file once, in a known order, within a budget of bytes."""

import asyncio
import gc
import io
import json
import random
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioartifact
from aioartifact import ArchiveError, Checksums, FileInfo, InvalidArgumentError, NotFoundError, SessionError, data
from aioartifact.data import LoadedFile, Prefetch, iter_in_thread, partition, prefetch, shard, shuffled, tar_samples
from aioartifact.data.ahead import Budget
from aioartifact.data.tar_format import TarReader
from aioartifact.testing import Fault, ThreadedArtifactoryServer

WORKERS = Path(__file__).parent / "support/loader_workers.py"


def info(path: str, size: int | None) -> FileInfo:
    return FileInfo(f"http://h/artifactory/r/{path}", "r", path, size)


# shard, shuffled, partition


@given(st.integers(0, 60), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
def test_every_item_is_in_one_shard(count, world, workers, epoch):
    """Whatever the numbers of ranks and workers; the shards differ by one item at most."""
    items = shuffled(range(count), seed=3, epoch=epoch)
    shards = [
        shard(items, rank=rank, world=world, worker=worker, workers=workers)
        for rank in range(world)
        for worker in range(workers)
    ]
    assert sorted(item for each in shards for item in each) == list(range(count))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_an_order_is_the_same_for_ever():
    """A seed names one order for each epoch, in each version of Python and on each machine."""
    assert shuffled(range(10), seed=7) == [8, 3, 4, 2, 1, 9, 6, 0, 5, 7]
    assert shuffled(range(10), seed=7, epoch=1) == [9, 8, 5, 4, 6, 7, 3, 2, 1, 0]
    orders = {tuple(shuffled(range(10), seed=seed, epoch=epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_shuffling_is_fair():
    """Each item is about as often in each position."""
    counts = Counter(shuffled(range(5), seed=seed).index(0) for seed in range(5_000))
    assert all(900 < counts[position] < 1_100 for position in range(5))


def test_the_items_stay_as_they_are():
    """A list of the caller is not changed, and an iterator is enough."""
    items = list(range(5))
    shuffled(items, seed=1)
    assert items == list(range(5))
    assert sorted(shuffled(iter(items), seed=1)) == items
    assert shard(iter(items), rank=1, world=2) == [1, 3]


@given(st.lists(st.integers(0, 1_000)), st.integers(1, 6))
def test_parts_are_balanced(sizes, n):
    """Each item is in one part, in order; none is heavier than the mean and one item."""
    items = [info(f"{number}", size) for number, size in enumerate(sizes)]
    parts = partition(items, n)
    assert len(parts) == n
    assert sorted((item.path for part in parts for item in part), key=int) == [item.path for item in items]
    for part in parts:
        assert part == sorted(part, key=items.index)
        assert sum(item.size or 0 for item in part) <= sum(sizes) / n + max(sizes, default=0)


def test_other_weights():
    """By number, by a function, and with unknown sizes, which count as the mean."""
    assert [len(part) for part in partition(list("abcdefg"), 3, by="count")] == [3, 2, 2]
    assert partition([5, 1, 1, 1, 1, 1], 2, by=float) == [[5], [1, 1, 1, 1, 1]]
    unknown = [info("a", 10), info("b", None), info("c", 30), info("d", None)]
    assert [[item.path for item in part] for part in partition(unknown, 2)] == [["a", "c"], ["b", "d"]]
    assert sorted(map(len, partition([info("a", 0), info("b", 0)], 2))) == [1, 1]


@pytest.mark.parametrize(
    "call",
    [
        partial(shard, "text"),
        partial(shard, 5),
        partial(shard, [], rank=2, world=2),
        partial(shard, [], rank=-1),
        partial(shard, [], world=0),
        partial(shard, [], worker=1),
        partial(shard, [], workers=1.5),
        partial(shuffled, [], seed=1.5),
        partial(shuffled, [], seed=1, epoch="1"),
        partial(shuffled, "abc", seed=1),
        partial(partition, [1], 1),
        partial(partition, [], 0),
        partial(partition, [], 1, by="weight"),
        partial(partition, [1], 1, by=lambda _: -1),
        partial(partition, [1], 1, by=lambda _: float("nan")),
        partial(prefetch, "url"),
        partial(prefetch, 5),
        partial(prefetch, [], start=-1),
        partial(prefetch, [], buffer_bytes=0),
        partial(prefetch, [], max_concurrency=0),
        partial(prefetch, [], on_error="ignore"),
        partial(prefetch, [], destination=""),
        partial(prefetch, [], cache=5),
        partial(iter_in_thread, 5),
        partial(iter_in_thread, list, buffer=0),
    ],
    ids=lambda call: f"{call.func.__name__}{[*call.args, *call.keywords]}",
)
def test_bad_arguments(call):
    """Each is an error at the call."""
    with pytest.raises(InvalidArgumentError):
        call()


# prefetch


@pytest.fixture
def files(server) -> list[str]:
    """URLs of files of different sizes."""
    for number in range(30):
        server.put(f"generic-local/d/{number}.bin", content(number))
    return [f"{server.url}/generic-local/d/{number}.bin" for number in range(30)]


def content(number: int) -> bytes:
    return random.Random(number).randbytes(number * 1_000)


async def everything(loaded: Prefetch) -> list[LoadedFile]:
    async with loaded:
        return [file async for file in loaded]


async def listing(session, url: str) -> list[FileInfo]:
    found = [entry async for entry in aioartifact.walk(url, session=session)]
    return sorted(found, key=lambda entry: int(entry.name.split(".")[0]))


@pytest.mark.parametrize("ordered", [True, False])
async def test_files_arrive_once(session, files, ordered):
    """In order, or as they come; the bytes are those of the file."""
    async with prefetch(files, ordered=ordered, session=session) as loaded:
        found = [(file.index, file.item, file.url, file.data) async for file in loaded]
        assert loaded.position == 30
    expected = [(number, url, url, content(number)) for number, url in enumerate(files)]
    assert (found if ordered else sorted(found)) == expected


async def test_a_later_run_resumes(session, files):
    """The position of the first run is where the second begins; what was skipped is not requested."""
    order = shuffled(files, seed=1)
    async with prefetch(order, session=session) as first:
        taken = [await anext(first) for _ in range(12)]
        position = first.position
    for url in order[:12]:
        await aioartifact.delete(url, session=session)
    async with prefetch(order, start=position, session=session) as second:
        assert second.position == 12
        taken += [file async for file in second]
    assert [file.item for file in taken] == order
    assert [file.index for file in taken] == list(range(30))


@pytest.mark.slow
async def test_position_without_order(server, session, files):
    """It counts from the first item on: what was yielded out of turn is read again."""
    held = server.fail("GET", "**/0.bin", fault=Fault.hold())
    async with prefetch(files[:5], ordered=False, session=session) as loaded:
        indexes = [(await anext(loaded)).index for _ in range(4)]
        assert loaded.position == 0
        held.release()
        assert (await anext(loaded)).index == 0
        assert loaded.position == 5
    assert sorted(indexes) == [1, 2, 3, 4]


async def test_lazy_input(session, files):
    """Items are taken as they can start, also from an async iterable, which may be endless."""
    taken = 0

    async def endless() -> AsyncIterator[str]:
        nonlocal taken
        while True:
            yield files[taken % 30]
            taken += 1

    async with prefetch(endless(), max_concurrency=2, buffer_bytes=40_000, session=session) as loaded:
        for number in range(40):
            assert (await anext(loaded)).data == content(number % 30)
    assert taken < 90


async def test_the_budget_is_kept(server, session, files):
    """Reserved bytes bound what is in memory; one file that is larger is read alone."""
    server.put("generic-local/d/30.bin", b"x" * 200_000)
    infos = await listing(session, f"{server.url}/generic-local/d")
    async with prefetch(infos, buffer_bytes=100_000, session=session) as loaded:
        budget = loaded._ahead._budget
        peak, sizes = 0, []
        async for file in loaded:
            await asyncio.sleep(0)
            peak = max(peak, budget.used)
            sizes.append(len(file.data))
    assert sizes == [number * 1_000 for number in range(30)] + [200_000]
    assert 60_000 < peak <= 201_024


@pytest.mark.parametrize("ordered", [True, False])
async def test_unknown_sizes_do_not_deadlock(server, session, ordered):
    """Files that turn out to be larger than their reservation, with a budget for none of them."""
    urls = []
    for number in range(8):
        server.put(f"generic-local/u/{number}", b"%d" % number * 3_000_000)
        urls.append(f"{server.url}/generic-local/u/{number}")
    async with prefetch(urls, buffer_bytes=2_500_000, ordered=ordered, session=session) as loaded:
        found = [(file.index, file.data == b"%d" % file.index * 3_000_000) async for file in loaded]
    assert sorted(found) == [(number, True) for number in range(8)]


async def test_a_budget_admits_in_order():
    """A large item is not overtaken by small ones, and one that grows waits unless it is favoured."""
    budget, log = Budget(100), []
    await budget.reserve(80)

    async def feed() -> None:
        for size in (50, 10):
            await budget.reserve(size)
            log.append(size)

    async def grow() -> None:
        await budget.grow(0, 30)
        log.append(30)

    tasks = [asyncio.ensure_future(feed()), asyncio.ensure_future(grow())]
    for _ in range(3):
        await asyncio.sleep(0)
    assert log == []
    budget.favour(0)
    for _ in range(3):
        await asyncio.sleep(0)
    assert (log, budget.used) == ([30], 110)
    budget.release(110)
    await asyncio.gather(*tasks)
    assert (log, budget.used) == ([30, 50, 10], 60)


async def test_paths_below_a_destination(server, session, files, tmp_path):
    """Files keep their path in the repository; local files with the right content are not requested."""
    infos = await listing(session, f"{server.url}/generic-local/d")
    items = [*infos, (files[3], "named/three.bin"), (files[4], "pinned", Checksums(sha256="0" * 64))]
    async with prefetch(items, destination=tmp_path, on_error="yield", session=session) as loaded:
        found = [file async for file in loaded]
    for number, file in enumerate(found[:30]):
        assert (file.path, file.data) == (str(tmp_path / f"d/{number}.bin"), None)
        assert (tmp_path / f"d/{number}.bin").read_bytes() == content(number)
    assert (tmp_path / "named/three.bin").read_bytes() == content(3)
    assert [type(file.error) for file in found[31:]] == [aioartifact.IntegrityError]
    server.clear_log()
    async with prefetch([*infos, *infos], destination=tmp_path, session=session) as loaded:
        assert [file.path for file in found[:30]] * 2 == [file.path async for file in loaded]
    assert server.requests == []


@pytest.mark.parametrize("destination", [None, "out"])
async def test_a_cache_serves_later_epochs(server, session, files, tmp_path, destination):
    """Bytes or paths: what was read once is not requested again, nor is a server needed."""
    infos = await listing(session, f"{server.url}/generic-local/d")

    async def epoch(number: int, items: list[FileInfo | str], **options: object) -> list[bytes]:
        folder = destination and tmp_path / f"{destination}{number}"
        cache = aioartifact.Cache(tmp_path / "cache", **options)
        async with prefetch(items, destination=folder, cache=cache, session=session) as loaded:
            return [(file.data if folder is None else Path(file.path).read_bytes()) async for file in loaded]

    expected = [content(number) for number in range(30)]
    assert await epoch(0, infos) == expected
    server.clear_log()
    assert await epoch(1, infos) == expected
    assert await epoch(2, infos, offline=True) == expected
    assert server.requests == []
    with pytest.raises(aioartifact.NotCachedError):
        await epoch(3, [f"{server.url}/generic-local/d/other"], offline=True)


async def test_an_error_is_raised_when_it_is_its_turn(session, files):
    """Those before it are yielded; then it ends."""
    items = [*files[:3], files[0] + ".none", *files[3:]]
    found = []
    async with prefetch(items, session=session) as loaded:
        with pytest.raises(NotFoundError):
            found.extend([file async for file in loaded])
        assert [file async for file in loaded] == []
    async with prefetch(items, on_error="yield", session=session) as loaded:
        found = [file async for file in loaded]
    assert [file.index for file in found if file.error] == [3]
    assert len(found) == 31


async def test_a_bad_item_is_an_error_of_that_item(session, files):
    """So is a file that differs from its listing."""
    wrong = FileInfo(files[2], "generic-local", "d/2.bin", 5)
    async with prefetch([5, "ftp://x", wrong, files[1]], on_error="yield", session=session) as loaded:
        errors = [type(file.error) async for file in loaded]
    assert errors[:2] == [InvalidArgumentError, aioartifact.InvalidURLError]
    assert errors[2:] == [aioartifact.IntegrityError, type(None)]


async def test_an_input_that_fails_ends_the_block(session, files):
    """With the caller's own error."""

    def items():
        yield files[1]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await everything(prefetch(items(), session=session))


async def test_a_prefetch_is_opened_once(session, files):
    """And iterated over inside of its block."""
    loaded = prefetch(files, session=session)
    with pytest.raises(InvalidArgumentError, match="inside the block"):
        await anext(loaded)
    async with loaded:
        assert repr(loaded) == "<Prefetch position=0>"
    with pytest.raises(StopAsyncIteration):
        await anext(loaded)
    with pytest.raises(InvalidArgumentError, match="opened before"):
        async with loaded:
            pass


# iter_in_thread


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name == "aioartifact-data"}


@pytest.fixture
def remote(monkeypatch):
    """A server in a thread, for code without a loop; its credentials are in the environment."""
    with ThreadedArtifactoryServer() as server:
        monkeypatch.setenv("JF_URL", server.url)
        monkeypatch.setenv("JF_USER", server.username)
        monkeypatch.setenv("JF_PASSWORD", server.password)
        yield server


def put_all(server: ThreadedArtifactoryServer, count: int) -> list[str]:
    for number in range(count):
        server.put(f"generic-local/n/{number:04}", b"%d" % number)
    return [f"{server.url}/generic-local/n/{number:04}" for number in range(count)]


def test_a_plain_loop_reads_files(remote):
    """Twice in one process: each iteration has a loop and a session of its own."""
    urls = put_all(remote, 50)
    for _ in range(2):
        assert [file.data for file in iter_in_thread(lambda: prefetch(urls))] == [b"%d" % n for n in range(50)]
    assert threads() == set()


def test_an_early_break_ends_the_thread(remote):
    """The connections are closed, and the generator has run its last lines."""
    urls, closed = put_all(remote, 50), []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(10_000):
                yield number
        finally:
            closed.append(True)

    for make in (lambda: prefetch(urls), numbers):
        for _ in iter_in_thread(make):
            assert threads() != set()
            break
        gc.collect()
        assert threads() == set()
    assert closed == [True]


def test_results_do_not_pile_up():
    """The iterable waits for the loop."""
    made = []

    async def numbers() -> AsyncIterator[int]:
        for number in range(1_000):
            made.append(number)
            yield number

    with iter_in_thread(numbers, buffer=4) as iterator:
        for number in range(100):
            assert next(iterator) == number
            assert len(made) <= number + 6
    with pytest.raises(StopIteration):
        next(iterator)


def test_errors_cross_the_threads():
    """Those of the function, of what it returns, and of the iteration; then it has ended."""

    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    iterator = iter_in_thread(failing)
    assert next(iterator) == 1
    with pytest.raises(ZeroDivisionError):
        next(iterator)
    with pytest.raises(StopIteration):
        next(iterator)
    with pytest.raises(InvalidArgumentError, match="expected an async iterable"):
        next(iter_in_thread(lambda: [1, 2]))
    with pytest.raises(KeyError):
        next(iter_in_thread(lambda: {}["missing"]))
    assert threads() == set()


def test_close_before_the_first_result():
    """It has no thread then; closing twice is fine."""
    iterator = iter_in_thread(lambda: prefetch([]))
    iterator.close()
    iterator.close()
    assert list(iterator) == []


def workers(urls: list[str], *arguments: object) -> Any:
    """What tests/support/loader_workers.py answers."""
    # That a process with threads forks is what one of the tests is about.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", WORKERS, *map(str, arguments)]
    run = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return json.loads(run.stdout)


def test_a_fork_does_not_inherit_an_iteration(remote):
    """One that began before is an error in the child; one that did not begins there."""
    assert workers(put_all(remote, 3), "forked") == [SessionError.__name__, 0, "0", 0, "1", "2"]


def test_a_program_that_ends_in_the_middle(remote):
    """It exits at once, without a message."""
    urls = put_all(remote, 20)
    code = (
        "import sys; from aioartifact.data import iter_in_thread, prefetch; "
        "iterator = iter_in_thread(lambda: prefetch(sys.argv[1:])); print(next(iterator).data)"
    )
    run = subprocess.run([sys.executable, "-c", code, *urls], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "b'0'\n", "")


# The protocol of the workers of PyTorch's DataLoader. PyTorch itself is not imported: its wheel needs those of CUDA.


@pytest.mark.slow
@pytest.mark.parametrize(("method", "count"), [("fork", 2), ("spawn", 2), ("fork", 4)])
def test_workers_see_each_file_once(remote, method, count):
    """2 ranks x 2 or 4 workers, 2,000 files, 2 epochs: each file once, in the same order for the same seed."""
    urls = put_all(remote, 2_000)
    answer = workers(urls, "epochs", method, count)
    assert answer["codes"] == [0] * 2 * count
    for epoch in range(2):
        seen = [number for _, _, each, numbers in answer["seen"] if each == epoch for number in numbers]
        assert sorted(seen) == list(range(2_000))
    [first, second] = [numbers for rank, worker, _, numbers in answer["seen"] if (rank, worker) == (0, 0)]
    assert first != second
    assert workers(urls, "epochs", method, count) == answer


def test_a_killed_worker(remote):
    """Nothing of it stays, and another one reads everything."""
    assert workers(put_all(remote, 20), "killed") == [-9, 20]


# tar_samples


def tarred(members: list[tuple[str, bytes]], mode: str = "w", kind: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=kind) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


MEMBERS = [
    (f"train/{number:04}.{extension}", b"%d" % number * 700)
    for number in range(20)
    for extension in ("JPG", "cls", "seg.png")
]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
async def test_samples_of_shards(server, session, mode):
    """Files with one key are a sample; the shards are read one after the other."""
    urls = []
    for number in range(3):
        server.put(f"generic-local/t/{number}.tar", tarred(MEMBERS, mode))
        urls.append(f"{server.url}/generic-local/t/{number}.tar")
    async with aclosing(tar_samples(urls, session=session)) as samples:
        found = [sample async for sample in samples]
    assert len(found) == 60
    data = b"3" * 700
    assert found[3] == {"__key__": "train/0003", "__url__": urls[0], "jpg": data, "cls": data, "seg.png": data}
    assert [sample["__url__"] for sample in found[::20]] == urls


@given(
    st.lists(
        st.tuples(st.text("äab./", min_size=1, max_size=300).map(lambda name: f"k{name}x"), st.binary(max_size=1_200)),
        max_size=6,
    ),
    st.sampled_from(["w", "w:gz"]),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    st.integers(1, 700),
)
def test_a_reader_agrees_with_tarfile(members, mode, kind, step):
    """Names of any length, in chunks of any size."""
    data = tarred(members, mode, kind)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = [(member.name, archive.extractfile(member).read()) for member in archive.getmembers()]
    reader = TarReader("x.tar", 10_000)
    found = [each for start in range(0, len(data), step) for each in reader.feed(data[start : start + step])]
    reader.finish()
    assert found == expected


def test_what_is_no_file_is_skipped():
    """Folders, links, devices; their names are not those of the next file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in [("d" * 150, tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("p", tarfile.FIFOTYPE)]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "x" * 200
            archive.addfile(member)
        member = tarfile.TarInfo("a.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    reader = TarReader("x.tar", 10)
    assert list(reader.feed(file.getvalue())) == [("a.txt", b"abc")]
    reader.finish()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no archive at all" * 100, "is not a tar archive"),
        (tarred(MEMBERS)[:1_000], "ends in the middle"),
        (tarred(MEMBERS, "w:gz")[:200], "end too early|ends in the middle"),
        (tarred(MEMBERS, "w:gz")[:100] + b"\xff" * 100, "is damaged|end too early|ends in the middle"),
        (b"", "ends in the middle"),
        (tarred([("a.bin", b"x" * 20_000)]), "the limit is"),
        (tarred([("a.bin", b"x" * 6_000), ("a.cls", b"x" * 6_000)]), "more than 10000 bytes"),
        (tarred([("a.bin", b"1"), ("a.bin", b"2")]), "two files bin"),
    ],
    ids=range(8),
)
async def test_damaged_shards(server, session, data, message):
    """Each is an error that names the shard."""
    server.put("generic-local/t/bad.tar", data)
    async with aclosing(
        tar_samples(f"{server.url}/generic-local/t/bad.tar", max_bytes=10_000, session=session)
    ) as samples:
        with pytest.raises(ArchiveError, match=rf"bad\.tar: .*({message})"):
            assert [sample async for sample in samples] == []


async def test_bad_arguments_of_samples(session):
    """At the first step: it is a generator."""
    for bad in (5, [5]):
        with pytest.raises(InvalidArgumentError):
            await anext(tar_samples(bad, session=session))
    with pytest.raises(InvalidArgumentError):
        await anext(tar_samples([], max_bytes=0))


def test_samples_in_a_plain_loop(remote):
    """Through the bridge; an early break closes the stream."""
    remote.put("generic-local/t/0.tar", tarred(MEMBERS))
    url = f"{remote.url}/generic-local/t/0.tar"
    assert len(list(iter_in_thread(lambda: tar_samples(url)))) == 20
    for _ in iter_in_thread(lambda: tar_samples(url)):
        break
    gc.collect()
    assert threads() == set()


def test_names_are_documented():
    """Each public name of the module has a docstring, and an entry in the reference."""
    reference = Path(__file__).parent.parent.joinpath("docs/reference/api/data.md").read_text("utf-8")
    assert [name for name in data.__all__ if not getattr(data, name).__doc__ or f":: {name}" not in reference] == []
