"""
The demo: upload real files of this machine to an Artifactory of its own, and download them again.

It is also an example: it uses public functions of aioartifact only.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import rmtree

import anyio
import click
from anyio.to_thread import run_sync

import aioartifact

from . import render
from .demo_files import bundle, local_artifacts
from .demo_server import demo_server
from .demo_steps import Steps

REPOSITORY = "generic-local"
GROUP = "demo"
DEPLOYS_AT_ONCE = 16
ASKED_FOR_VERSIONS = 3

Files = Mapping[str, Path]  # local files, by their paths below the group


async def run_demo(folder: Path | None, *, quick: bool, keep: bool, quiet: bool) -> None:
    """
    Run the demo.

    Args:
        folder: Where to store files; None for the system's temporary folder.
        quick: Whether to use fewer and smaller files.
        keep: Whether to keep the files at the end.
        quiet: Whether to show only the summary.

    Raises:
        click.ClickException: If a result is wrong.
    """
    with _workplace(folder, keep=keep) as place, demo_server(place) as server:
        steps, target = Steps(server.requests, quiet=quiet), place / "downloaded"
        files = _collect(steps, place, quick=quick)
        address = partial(aioartifact.url, server.url, repository=REPOSITORY, group_id=GROUP)
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            deploy = partial(aioartifact.deploy, session=session)
            versions = partial(aioartifact.versions, server.url, REPOSITORY, GROUP, session=session)
            download = partial(aioartifact.download_folder, address(), target, session=session)
            await _deploy(steps, {address(name=path): file for path, file in files.items()}, deploy)
            await _list_versions(steps, files, versions)
            await _download(steps, files, download)
            await _verify(steps, files, target)
            spoilt = _spoil(steps, files, target)
            await _download_again(steps, spoilt, download)
            await _verify(steps, files, target)
    steps.show()
    if keep:
        render.emit(f"Everything is left in {place}", {}, as_json=False)


@contextmanager
def _workplace(folder: Path | None, *, keep: bool) -> Iterator[Path]:
    """Create a folder for all files; it is removed at the end, also after a failure."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="aioartifact-demo-", dir=folder))
    try:
        yield place
    finally:
        if not keep:
            rmtree(place)


def _collect(steps: Steps, place: Path, *, quick: bool) -> Files:
    count, size = (400, 8 << 20) if quick else (2500, 64 << 20)
    with steps.begin("collect real files of this machine") as step:
        artifacts = [*local_artifacts(count), bundle(place / "bundle.tar", size)]
        files = {f"{each.name}/{each.version}/{path}": file for each in artifacts for path, file in each.files.items()}
        step.count(files.values())
    steps.note(f"{len(files)} files as {len(artifacts)} versions of {len({each.name for each in artifacts})} artifacts")
    return files


async def _deploy(steps: Steps, files: Mapping[str, Path], deploy: Callable[[Path, str], Awaitable[str]]) -> None:
    sizes = {file: file.stat().st_size for file in files.values()}
    progress = aioartifact.Progress()
    jobs = iter(files.items())

    async def work() -> None:
        for url, file in jobs:  # all workers share this iterator
            progress.started(file.name)
            await deploy(file, url)
            progress.ended(file.name)
            progress.advance(sizes[file])
            progress.finish("transferred")

    with steps.begin("deploy them", progress) as step:
        step.count(files.values())
        progress.expect(files=step.files, size=step.size)
        async with anyio.create_task_group() as workers:
            for _ in range(DEPLOYS_AT_ONCE):
                workers.start_soon(work)


async def _list_versions(steps: Steps, files: Files, versions: Callable[[str], Awaitable[list[str]]]) -> None:
    deployed = Counter(name for name, _ in dict.fromkeys(tuple(path.split("/")[:2]) for path in files))
    with steps.begin("list versions"):
        for name, count in deployed.most_common(ASKED_FOR_VERSIONS):
            found = await versions(name)
            steps.note(f"{name}: {', '.join(found)}")
            _demand(len(found) == count, f"{name} has {len(found)} versions, {count} were deployed")


async def _download(steps: Steps, files: Files, download: Callable[..., aioartifact.Batch]) -> None:
    progress = aioartifact.Progress()
    with steps.begin("download everything", progress) as step:
        report = await download(progress=progress)
        step.files, step.size = len(report.downloaded), report.bytes_downloaded
    _demand(step.files == len(files), f"{step.files} files were downloaded, {len(files)} were deployed")


async def _verify(steps: Steps, files: Files, target: Path) -> None:
    with steps.begin("compare SHA-256 with the originals") as step:
        copies, differing = await run_sync(_compare, files, target)
        step.count(copies)
    _demand(not differing, f"{len(differing)} files differ from their originals, the first is {differing[:1]}")
    _demand(len(copies) == len(files), f"{len(copies)} files are there, {len(files)} were deployed")


def _compare(files: Files, target: Path) -> tuple[list[Path], list[str]]:
    """Return all downloaded files, and the paths of those that differ from the deployed ones."""
    copies = [path for path in target.rglob("*") if path.is_file()]
    return copies, [path for path, file in files.items() if _sha256(file) != _sha256(target / path)]


def _sha256(path: Path) -> str:
    """Hash with the standard library, so that aioartifact does not check itself."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _spoil(steps: Steps, files: Files, target: Path) -> set[str]:
    """Delete one downloaded file, and flip the bits of one byte of another."""
    filled = sorted(path for path, file in files.items() if file.stat().st_size)
    deleted, corrupted = target / filled[0], target / filled[-1]
    with steps.begin("delete a file, corrupt another") as step:
        step.count([deleted, corrupted])
        deleted.unlink()
        with corrupted.open("r+b") as file:
            first = file.read(1)[0]
            file.seek(0)
            file.write(bytes([first ^ 0xFF]))
    return {str(deleted), str(corrupted)}


async def _download_again(steps: Steps, spoilt: set[str], download: Callable[..., aioartifact.Batch]) -> None:
    progress = aioartifact.Progress()
    with steps.begin("download everything again", progress) as step:
        report = await download(progress=progress)
        step.files, step.size = len(report.downloaded), report.bytes_downloaded
    for outcome in report.downloaded:
        steps.note(f"fetched {outcome.url.partition(f'/{GROUP}/')[2]}")
    steps.note(f"kept {len(report.unchanged)} others")
    fetched = {str(outcome.path) for outcome in report.downloaded}
    _demand(fetched == spoilt, f"{len(fetched)} files were fetched instead of the two: {sorted(fetched)[:5]}")


def _demand(held: bool, otherwise: str) -> None:
    if not held:
        raise click.ClickException(f"the demo failed: {otherwise}")
