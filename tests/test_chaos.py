"""Random faults of HTTP itself, thousands of requests: right bytes or a typed error, and nothing left behind."""

import asyncio
import gc
import hashlib
import operator
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.lowlevel
import pytest
from chaos_server import REPOSITORY, STYLES, UPLOAD_STYLES, ChaosServer
from raw_http import raw_server

import aioartifact
from aioartifact import ArtifactoryError, Checksums, RetryPolicy, Timeouts, TransportTimeoutError

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("AIOARTIFACT_CHAOS_REQUESTS", "600"))
SEED = os.environ.get("AIOARTIFACT_CHAOS_SEED", "1")
KINDS = {
    "download",
    "download_many",
    "read_bytes",
    "read_bytes-part",
    "stream",
    "open",
    "deploy",
    "deploy_many",
    "write_bytes",
}
SILENT_KINDS = {
    "download-silent",
    "read_bytes-silent",
    "stream-silent",
    "open-silent",
    "deploy-silent",
}
MIB = 1024 * 1024
HANG = 60.0  # seconds: no response takes that long, except those that never come
STALL = 0.3  # seconds: for those that never come
HARMLESS = {
    *(style.__name__ for style in (*STYLES, *UPLOAD_STYLES)),
    *("none", "sent_in_two_pieces", "interim", "stray", "partial_head"),
    *("redirected_to_storage", "redirected_without_checksums"),
}
# Parts with nothing in common but a size cannot be matched; the ETags of storage are others than those of Artifactory.
UNMATCHED = {"without_etag", "without_checksums", "redirected_without_checksums"}
LARGE = 9 * MIB  # of these, an interrupted download keeps what it has


class Round:
    """
    Some files and uploads, over two sessions to one server: one for responses that come, one for those that may not.

    Attributes:
        results: How often each kind of call succeeded or failed, with the error's type.
        longest: Seconds of the longest call of each session.
    """

    def __init__(self, seed: str, folder: Path, cancelled_at_await: Callable[..., Awaitable[object]]) -> None:
        self.draw = random.Random(seed)
        self.server = ChaosServer(seed)
        self.results: Counter[str] = Counter()
        self.longest = {"answered": 0.0, "silent": 0.0}
        self.destination, self.sources = folder / "destination", folder / "sources"
        self.destination.mkdir(parents=True)
        self.sources.mkdir()
        self.old: dict[str, bytes | None] = {}
        self._cancelled_at_await = cancelled_at_await
        for number in range(12):
            self._make_file("whole", number, self.draw.choice((1, 100, 5000, 40_000, 300_000)))
            self._make_file("part", number, self.draw.choice((1, 5000, 300_000, 2_000_000)))
            self._make_file("pinned", number, self.draw.choice((1, 5000, 300_000)))
        for number in range(4):
            self._make_file("silent", number, self.draw.choice((1, 5000, 300_000)))
        self._make_file("whole", 12, self.draw.choice((0, LARGE, 0, 0)))

    def _make_file(self, kind: str, number: int, size: int) -> None:
        content = self.draw.randbytes(size)
        self.server.contents[f"{kind}/{number}.bin"] = [content]
        if kind == "part":
            return
        name = f"{kind}-{number}.bin"
        self.old[name] = self.draw.choice((None, None, b"old", content[::-1], content))
        if self.old[name] is not None:
            (self.destination / name).write_bytes(self.old[name])

    def url(self, path: str) -> str:
        return f"{self.origin}/{REPOSITORY}/{path}"

    async def run(self) -> int:
        """Run all calls at once, then once more without faults; return the number of requests."""
        async with raw_server(self.server.answer, body_limit=self.server.body_limit) as running:
            self.origin = running.url
            options = {
                "auth": ("user", "secret"),
                "retry": RetryPolicy(attempts=3, backoff_initial=0),
            }
            patient, impatient = Timeouts(stall=HANG, reply=HANG), Timeouts(stall=STALL, reply=STALL)
            async with (
                aioartifact.session(running.url, timeouts=patient, **options) as self.session,
                aioartifact.session(running.url, timeouts=impatient, **options) as self.impatient,
            ):
                async with asyncio.TaskGroup() as calls:
                    for call in self._calls():
                        calls.create_task(call)
                self._check_folder(may_hold_parts=True)
                self.server.is_calm = True
                await self._download_what_failed()
                self._check_folder(may_hold_parts=False)
            return len(running.requests)

    def _calls(self) -> list[Awaitable[None]]:
        calls = [
            self._timed(self._download_many(), "answered"),
            self._timed(self._deploy_many(), "answered"),
            self._outcome("download-silent", self._download, "silent/0.bin"),
            self._outcome("read_bytes-silent", self._read_whole, "silent/1.bin"),
            self._outcome("stream-silent", self._stream, "silent/2.bin"),
            self._outcome("open-silent", self._open, "silent/3.bin"),
            self._outcome("deploy-silent", self._deploy, "up/silent/1.bin"),
        ]
        for number in range(6):
            calls += [
                self._outcome("download", self._download, f"whole/{number}.bin"),
                self._outcome("read_bytes", self._read_whole, f"whole/{number}.bin"),
                self._outcome("stream", self._stream, f"whole/{number}.bin"),
                self._outcome("read_bytes-part", self._read_part, f"part/{number}.bin"),
                self._outcome("open", self._open, f"part/{number + 6}.bin"),
                self._outcome("write_bytes", self._write_bytes, f"up/bytes/{number}.bin"),
                self._outcome("deploy", self._deploy, f"up/one/{number}.bin"),
            ]
        return calls

    async def _timed(self, call: Awaitable[None], session: str) -> None:
        began = time.monotonic()
        with anyio.fail_after(HANG):
            await call
        self.longest[session] = max(self.longest[session], time.monotonic() - began)

    def _session_for(self, path: str) -> object:
        return self.impatient if "silent" in path else self.session

    async def _outcome(self, kind: str, function: Callable[[str], Awaitable[None]], path: str) -> None:
        call = self._timed(function(path), "silent" if kind.endswith("silent") else "answered")
        try:
            if self.draw.randrange(20):
                await call
            else:
                await self._cancelled(call, self.draw.randrange(1, 30))
        except ArtifactoryError as error:
            self._count_failure(kind, path, error)
        except asyncio.CancelledError:
            self.results[f"{kind}: cancelled"] += 1
        else:
            self.results[f"{kind}: right"] += 1

    async def _cancelled(self, call: Awaitable[None], number: int) -> None:
        async def attempt() -> None:
            await self._cancelled_at_await(call, number, asyncio.current_task())

        await asyncio.ensure_future(attempt())

    def _count_failure(self, kind: str, path: str, error: ArtifactoryError) -> None:
        assert self._has_cause(error, path), f"{kind}: {error!r}: {self._history(path)}"
        assert "secret" not in repr(error)
        self.results[f"{kind}: {type(error).__name__}"] += 1

    def _has_cause(self, error: ArtifactoryError, path: str) -> bool:
        """Whether a fault of the server explains the failure."""
        if isinstance(error, TransportTimeoutError):
            return "silent" in path
        harmless = HARMLESS - UNMATCHED if path.startswith("part") else HARMLESS
        return "silent" in path or not {*self._drawn(path)} <= harmless

    # --- downloads ---

    def _drawn(self, path: str) -> list[str]:
        """Names of all that was drawn for the requests of a file."""
        return [name for requests in self._history(path).values() for request in requests for name in request[2:]]

    def _history(self, path: str) -> dict[str, list[list[str]]]:
        """What was drawn for the requests of a file."""
        return {key: value for key, value in self.server.history.items() if key.endswith(path)}

    def _contents(self, path: str) -> list[bytes]:
        return self.server.contents[path]

    async def _download(self, path: str) -> None:
        target = self.destination / path.replace("/", "-")
        before = target.read_bytes() if target.exists() else None
        try:
            session = self._session_for(path)
            assert await aioartifact.download(self.url(path), target, session=session) == str(target)
        except ArtifactoryError:
            assert (target.read_bytes() if target.exists() else None) == before
            raise
        assert target.read_bytes() in self._contents(path), self._history(path)

    def _items(self) -> dict[str, object]:
        """What to download, by the name of its local file; files in ``pinned`` with a checksum."""
        items: dict[str, object] = {}
        for path, contents in self.server.contents.items():
            kind, number = path.removesuffix(".bin").split("/")
            name = f"{kind}-{number}.bin"
            if kind == "pinned":
                algorithm = self.draw.choice(("sha256", "sha1", "md5"))
                checksums = Checksums(**{algorithm: hashlib.new(algorithm, contents[0]).hexdigest()})
                items[name] = (self.url(path), name, checksums)
            elif kind == "whole" and int(number) >= 6:
                items[name] = (self.url(path), name)
        return items

    async def _download_many(self) -> None:
        items = self._items()
        report = await aioartifact.download_many(
            items.values(), self.destination, on_error="collect", max_concurrency=6, session=self.session
        )
        assert sorted(Path(outcome.path).name for outcome in report) == sorted(items)
        for outcome in report:
            name = Path(outcome.path).name
            target, path = self.destination / name, name.replace("-", "/")
            if outcome.error is not None:
                assert (target.read_bytes() if target.exists() else None) == self.old[name], self._history(path)
                self._count_failure("download_many", path, outcome.error)
            else:
                assert target.read_bytes() in self._contents(path), self._history(path)
                self.results["download_many: right"] += 1

    async def _download_what_failed(self) -> None:
        """Without faults every file arrives, whatever the faults have left behind."""
        whole = [path for path in self.server.contents if not path.startswith("part")]
        items = [(self.url(path), path.replace("/", "-")) for path in whole]
        await aioartifact.download_many(items, self.destination, session=self.session)
        for path in whole:
            assert (self.destination / path.replace("/", "-")).read_bytes() == self._contents(path)[-1], self._history(
                path
            )

    def _check_folder(self, *, may_hold_parts: bool) -> None:
        contents = self.server.contents
        large = {path.replace("/", "-") for path in contents if len(contents[path][-1]) >= LARGE}
        left = set(os.listdir(self.destination)) - set(self.old)
        if may_hold_parts:
            left = {name for name in left if not any(each in name for each in large)}
        assert not left

    async def _read_whole(self, path: str) -> None:
        received = await aioartifact.read_bytes(self.url(path), session=self._session_for(path))
        assert received in self._contents(path), self._history(path)

    async def _read_part(self, path: str) -> None:
        size = len(self._contents(path)[0])
        start = self.draw.randrange(size)
        end = self.draw.choice((None, self.draw.randrange(start, size + 1), size + 10))
        if start == 0 and end is None:
            end = size  # a whole file would be another kind
        part = await aioartifact.read_bytes(self.url(path), start=start, end=end, session=self.session)
        assert part in {content[start:end] for content in self._contents(path)}, f"{start}-{end}: {self._history(path)}"

    async def _stream(self, path: str) -> None:
        leaves_early = not self.draw.randrange(4)
        received = bytearray()
        async with aioartifact.stream(self.url(path), session=self._session_for(path)) as chunks:
            async for chunk in chunks:
                received += chunk
                if leaves_early:
                    return
        assert bytes(received) in self._contents(path), self._history(path)

    async def _open(self, path: str) -> None:
        """All that is read belongs to one content."""
        pieces: list[tuple[int, bytes, int]] = []
        async with aioartifact.open(self.url(path), session=self._session_for(path)) as file:
            for _ in range(self.draw.randrange(1, 6)):
                at, size = self.draw.randrange(file.size + 1), self.draw.choice((1, 1000, 300_000, -1))
                await file.seek(at)
                pieces.append((at, await file.read(size), size))
            opened_size = file.size
        assert any(
            len(content) == opened_size
            and all(piece == content[at : None if size < 0 else at + size] for at, piece, size in pieces)
            for content in self._contents(path)
        ), self._history(path)

    # --- uploads ---

    def _source(self, name: str) -> tuple[Path, bytes]:
        content = self.draw.randbytes(self.draw.choice((0, 1, 5000, 300_000, 2 * MIB)))
        source = self.sources / name
        source.write_bytes(content)
        return source, content

    async def _deploy(self, path: str) -> None:
        source, content = self._source(path.replace("/", "-"))
        session = self._session_for(path)
        await aioartifact.deploy(source, self.url(path), min_checksum_deploy=1000, session=session)
        assert self.server.uploads.get(path) == content, self._history(path)

    async def _write_bytes(self, path: str) -> None:
        content = self.draw.randbytes(self.draw.choice((0, 1, 5000, 300_000)))
        await aioartifact.write_bytes(self.url(path), content, session=self.session)
        assert self.server.uploads.get(path) == content, self._history(path)

    async def _deploy_many(self) -> None:
        sources = dict(self._source(f"{number}.bin") for number in range(16))
        report = await aioartifact.deploy_many(
            sources, self.url("up/many"), overwrite="always", on_error="collect", session=self.session
        )
        assert sorted(outcome.path for outcome in report) == sorted(map(str, sources))
        for outcome in report:
            source = Path(outcome.path)
            path = f"up/many/{source.name}"
            if outcome.error is not None:
                self._count_failure("deploy_many", path, outcome.error)
            else:
                assert self.server.uploads.get(path) == sources[source], self._history(path)
                self.results["deploy_many: right"] += 1


def open_things() -> tuple[int, int]:
    """The number of descriptors and of tasks."""
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())


async def settle(before: tuple[int, int]) -> None:
    """Wait until no more descriptors and tasks are open than *before*."""
    with anyio.move_on_after(HANG):
        while any(map(operator.gt, open_things(), before)):
            await anyio.lowlevel.checkpoint()
    left = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not any(map(operator.gt, open_things(), before)), (left, asyncio.all_tasks())


@pytest.mark.timeout(300 + REQUESTS // 10)
async def test_files_are_right_or_fail_and_nothing_is_left(tmp_path, cancelled_at_await):
    """Each file is right, or has failed with a typed error and is as before; no descriptor and no task remains."""
    drawn: Counter[str] = Counter()
    results: Counter[str] = Counter()
    longest = {"answered": 0.0, "silent": 0.0}
    requests = number = 0
    began = time.monotonic()
    before = open_things()
    while requests < REQUESTS:
        number += 1
        folder = tmp_path / str(number)
        print(f"AIOARTIFACT_CHAOS_SEED={SEED}, round {number}, request {requests}")  # noqa: T201  # for a failure
        round_ = Round(f"{SEED}/{number}", folder, cancelled_at_await)
        requests += await round_.run()
        drawn += round_.server.drawn
        results += round_.results
        longest = {session: max(seconds, round_.longest[session]) for session, seconds in longest.items()}
        shutil.rmtree(folder)
        await settle(before)
        del round_
        gc.collect()  # nothing that was dropped may warn
    figures = (
        f"{requests} requests, {number} rounds, {time.monotonic() - began:.0f} s",
        f"descriptors and tasks before: {before}, after: {open_things()}",
        f"longest call: {longest} s",
        f"faults: {dict(drawn.most_common())}",
        f"results: {dict(sorted(results.items()))}",
    )
    print(*figures, sep="\n")  # noqa: T201  # for a long run
    assert {f"{kind}: right" for kind in KINDS} <= results.keys()
    assert {result.partition(":")[0] for result in results} == KINDS | SILENT_KINDS
    assert len(drawn) > 40
