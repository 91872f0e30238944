"""Hundreds of files through random trouble, by a client that is killed again and again: nothing wrong, nothing lost."""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
FILES = int(os.environ.get("AIOARTIFACT_SOAK_FILES", "100"))
SEED = int(os.environ.get("AIOARTIFACT_SOAK_SEED") or random.randrange(2**32))
KILLS = max(3, FILES // 100)
# Seconds: an early end of patience is one more trouble, but where there is none, this machine must not make it.
STALL, NO_STALL = 3.0, 60.0
REDIRECTED = 9 * MIB  # larger files come from the storage; those from 8 MiB on can be resumed
ANSWERED, STORED = 8 * MIB + 123, 10 * MIB + 123

# Says of each file what became of it, one line each.
CLIENT = """
import json, sys, anyio, aioartifact
from aioartifact._transfer.receive import one_file

one_file._SAVE_EVERY = 0.01
job = json.loads(sys.stdin.readline())

async def main():
    options = {
        "auth": tuple(job["auth"]),
        "timeouts": aioartifact.Timeouts(stall=job["stall"]),
        "retry": aioartifact.RetryPolicy(attempts=3, backoff_initial=0.01),
    }
    items = [tuple(item) for item in job["items"]]
    call = getattr(aioartifact, job["call"])
    async with aioartifact.session(job["server"], **options) as session:
        async with call(items, job["place"], on_error="collect", session=session, **job["options"]) as outcomes:
            async for each in outcomes:
                assert (each.status == "failed") == isinstance(each.error, aioartifact.ArtifactoryError)
                print(json.dumps([each.url, each.path, each.status, repr(each.error)]), flush=True)

anyio.run(main)
"""

Content = dict[str, set[bytes]]  # what each path of the repository has held, by time


@pytest.fixture
def chance():
    """Random numbers that a later run can draw again."""
    print(f"AIOARTIFACT_SOAK_SEED={SEED} AIOARTIFACT_SOAK_FILES={FILES}")  # noqa: T201  # to repeat a failure
    return random.Random(SEED)


@pytest.fixture
async def server():
    """A server that sends the largest files from its storage."""
    async with ArtifactoryServer(redirect_over=REDIRECTED) as running:
        yield running


def made(chance: random.Random) -> dict[str, bytes]:
    """Small files in some folders, and a few that are large enough to be resumed."""
    small = {f"d{n % 7}/f{n}.bin": chance.randbytes(chance.randrange(1, 40_000)) for n in range(FILES)}
    large = {f"large{n}.bin": chance.randbytes(size) for n, size in enumerate((ANSWERED, STORED) * 2)}
    return small | large


def random_fetch_fault(chance: random.Random, size: int) -> Fault:
    """One of the ways in which a download goes wrong."""
    at = chance.randrange(size)
    return chance.choice(
        (
            Fault.reset(after=at),
            Fault.truncate(after=at),
            Fault.cut(after=at),
            Fault.flip(at=at),
            Fault.lose(),
            Fault.ignore_range(),
            Fault.status(500),
            Fault.wrong_etag(),
            Fault.retry_after(429, "0"),
            Fault.retry_after(503, "0"),
            Fault.overwrite(chance.randbytes(size)),
        )
    )


def random_send_fault(chance: random.Random, size: int) -> Fault:
    """One of the ways in which an upload goes wrong."""
    return chance.choice(
        (
            Fault.reset(),
            Fault.reset(after=chance.randrange(size)),
            Fault.lose(),
            Fault.status(500),
            Fault.status(403),
            Fault.retry_after(429, "0"),
            Fault.retry_after(503, "0"),
        )
    )


def script_trouble(
    server: ArtifactoryServer,
    chance: random.Random,
    held: Content,
    method: str,
    draw: Callable[[random.Random, int], Fault],
) -> None:
    """Let a third of the files go wrong, some more often than a client tries."""
    for path in sorted(held):
        for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 5))):
            fault = draw(chance, len(next(iter(held[path]))))
            held[path].update(fault.contents)
            server.fail(method, f"generic-local/{path}", times=1, fault=fault)


def script_storage_trouble(server: ArtifactoryServer, chance: random.Random) -> None:
    """Let signed addresses expire and the storage break off."""
    for after in (None, 2 * MIB, 7 * MIB):
        fault = Fault.status(403) if after is None else Fault.reset(after=after + chance.randrange(MIB))
        server.fail("GET", "storage:**", times=1, fault=fault)
    for path in chance.sample(range(FILES), 3):
        server.fail("GET", f"generic-local/d{path % 7}/f{path}.bin", times=1, fault=Fault.stall(after=1))


async def run(job: dict[str, object], *, lines: int | None = None, trap=None) -> list[list[str]] | None:
    """Run the client; kill it after so many lines or when a request sits in the trap. None if it was killed."""
    said = []
    async with await anyio.open_process([sys.executable, "-c", CLIENT], stderr=None) as process:
        await process.stdin.send(json.dumps(job).encode() + b"\n")
        output = BufferedByteReceiveStream(process.stdout)

        async def spring() -> None:
            await trap.reached()
            process.kill()

        async with anyio.create_task_group() as group:
            if trap is not None:
                group.start_soon(spring)
            try:
                while len(said) != lines:
                    said.append(json.loads(await output.receive_until(b"\n", 1 << 16)))
                process.kill()
            except (anyio.EndOfStream, anyio.IncompleteRead):
                pass  # it has ended, or was killed
            code = await process.wait()
            group.cancel_scope.cancel()
    assert code in (0, -signal.SIGKILL)
    return said if code == 0 else None


async def run_to_the_end(server, chance, job, method, check) -> list[list[str]]:
    """Kill the client at moments that the dice and the server choose, then let it finish; check after each run."""
    number = len(job["items"])
    ends = []
    for _ in range(KILLS):
        after = chance.randrange(8 * MIB)
        place = chance.choice(("**large*", "storage:**")) if method == "GET" else "**large*"
        trap = server.fail(method, place, times=1, fault=Fault.stall(after=after))
        ends.append(await run(job, lines=chance.randrange(1, number // 2), trap=chance.choice((trap, None))))
        trap.release()
        check()
    assert None in ends
    said = await run(job)
    assert said is not None
    assert len(said) == number
    check()
    return said


def found(folder: Path) -> dict[str, bytes]:
    """Files that are complete by their names."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("[!.]*") if path.is_file()}


@pytest.mark.parametrize("manifest", [pytest.param(False, id="plain"), pytest.param(True, id="manifest")])
async def test_downloads_arrive_through_faults_and_kills(server, chance, tmp_path, manifest):
    """A file under its own name is one that the server has held; in the end each is the present one or reported."""
    held = {path: {content} for path, content in made(chance).items()}
    for path, (content,) in held.items():
        server.put(f"generic-local/{path}", content)
    script_trouble(server, chance, held, "GET", random_fetch_fault)
    script_storage_trouble(server, chance)
    folder = tmp_path / "files"
    folder.mkdir()
    job = {
        "call": "download_many",
        "server": server.url,
        "auth": [server.username, server.password],
        "items": [(f"{server.url}/generic-local/{path}", path) for path in held],
        "place": str(folder),
        "options": {"manifest": str(tmp_path / "manifest")} if manifest else {},
        "stall": STALL,
    }

    def check() -> None:
        for path, content in found(folder).items():
            assert content in held[path], path

    said = await run_to_the_end(server, chance, job, "GET", check)
    present = found(folder)
    for _, path, status, error in said:
        assert status == "failed" or Path(path).relative_to(folder).as_posix() in present, error
    server.clear_faults()
    assert {status for _, _, status, _ in await run(job | {"stall": NO_STALL}) or ()} <= {"downloaded", "unchanged"}
    assert found(folder) == {path: server.read(f"generic-local/{path}") for path in held}
    await aioartifact.remove_parts(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == set(held)


async def test_deploys_arrive_through_faults_and_kills(server, chance, tmp_path):
    """The server holds right bytes or none, whatever breaks; in the end each file, or its failure is reported."""
    contents = made(chance)
    for path, content in contents.items():
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    script_trouble(server, chance, {path: {content} for path, content in contents.items()}, "PUT", random_send_fault)
    job = {
        "call": "deploy_many",
        "server": server.url,
        "auth": [server.username, server.password],
        "items": [(str(tmp_path / path), path) for path in contents],
        "place": f"{server.url}/generic-local/",
        "options": {},
        "stall": STALL,
    }

    def check() -> None:
        for path, content in contents.items():
            address = f"generic-local/{path}"
            assert not server.exists(address) or server.read(address) == content, path

    said = await run_to_the_end(server, chance, job, "PUT", check)
    for _, path, status, error in said:
        address = f"generic-local/{Path(path).relative_to(tmp_path).as_posix()}"
        assert status == "failed" or server.exists(address), error
    server.clear_faults()
    assert {status for _, _, status, _ in await run(job | {"stall": NO_STALL}) or ()} <= {"deployed", "unchanged"}
    check()
    assert all(server.exists(f"generic-local/{path}") for path in contents)
