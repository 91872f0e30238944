"""The public functions as their users' type checkers see them: checked by mypy and pyright, never run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_type

import aiohttp
import yarl

import aioartifact
from aioartifact.progress import log_sink, rich_sink, tqdm_sink


async def ask(server: str) -> None:
    """Values come out with their own types, not as Any."""
    assert_type(aioartifact.__version__, str)
    assert_type(aioartifact.authentification(server), tuple[str, str])
    assert_type(aioartifact.resolve_credentials(server), aioartifact.Credentials)
    assert_type(aioartifact.resolve_server(), aioartifact.ConfiguredServer)
    assert_type(aioartifact.url(server, repository="r", group_id="g", name="n", version="1.0.0"), str)
    assert_type(aioartifact.group_id_to_path("com.acme"), str)
    assert_type(await aioartifact.versions(server, "r", "g", "n"), list[str])
    assert_type(await aioartifact.latest_version(server, "r", "g", "n", method="aql", denied="raise"), str | None)
    assert_type(await aioartifact.versions(server, "r", "g", "n", scheme=len, where=str.isdigit), list[str])
    many = await aioartifact.versions_many(server, "r", [("g", "n")], scheme="maven", spec="[1,2)")
    assert_type(many, dict[tuple[str, str], aioartifact.ArtifactVersions])
    assert_type((await aioartifact.maven_metadata(server, "r", "g", "n")).release, str | None)
    lookup = await aioartifact.Lookup.open(server, "r", "g")
    assert_type(await lookup.append({"rate": 16000, "purpose": "prod"}), str)
    assert_type(await lookup.get("uid"), dict[str, bool | int | float | str | None])
    assert_type(await aioartifact.Lookup.latest_version(server, "r", "g", params={"rate": 1}), str | None)
    assert_type(await aioartifact.exists(server), bool)
    assert_type(await aioartifact.checksum(Path("a.bin"), "sha256"), str)
    assert_type(await aioartifact.rest_api_get(server), aioartifact.Response)


async def annotate(url: str) -> None:
    """Values of properties are lists, whatever was given."""
    await aioartifact.set_properties(url, {"stage": "tested", "language": ["de", "en"]})
    await aioartifact.update_properties(url, {"stage": None, "language": ("de",)}, recursive=True)
    await aioartifact.delete_properties(url, ["stage"])
    assert_type(await aioartifact.properties(url), dict[str, list[str]])


async def relocate(url: str, other: str) -> None:
    """What happened comes back as a value."""
    assert_type(await aioartifact.copy(url, other, overwrite=False), aioartifact.Relocation)
    assert_type(await aioartifact.move(url, other, dry_run=True), aioartifact.Relocation)
    assert_type((await aioartifact.delete(url)).files, tuple[aioartifact.FileInfo, ...] | None)
    await aioartifact.mkdir(url, parents=False, exist_ok=False)
    assert_type(await aioartifact.repositories(url, kind="local"), list[aioartifact.Repository])
    assert_type((await aioartifact.server_info(url)).capabilities, frozenset[str])
    assert_type(await aioartifact.ping(url), bool)
    assert_type(await aioartifact.diagnose(url), aioartifact.Diagnosis)


async def read(url: str) -> None:
    """Chunks and parts are bytes."""
    async with aioartifact.stream(url, start=5, sha256=None, if_none_match="etag") as body:
        assert_type(body, aioartifact.FileStream)
        assert_type(body.info, aioartifact.FileInfo)
        assert_type(body.content_range, str | None)
        async for chunk in body:
            assert_type(chunk, bytes)
    async with aioartifact.open(url) as file:
        assert_type(file, aioartifact.RemoteFile)
        assert_type(await file.read(5), bytes)
    assert_type(await aioartifact.read_bytes(url, end=5), bytes)
    assert_type(await aioartifact.read_bytes(url, sha256="0" * 64), bytes)
    assert_type(await aioartifact.write_bytes(url, b""), int)


async def look_into(url: str) -> None:
    """Members are values, their content is bytes."""
    assert_type(await aioartifact.list_archive(url), list[aioartifact.ArchiveMember])
    assert_type(await aioartifact.read_archive_member(url, "a", max_size=5), bytes)


async def list_files(url: str, folder: Path, *, folders: bool) -> None:
    """Without folders, entries are files; a downloaded file has a path."""
    async for file in aioartifact.walk(url):
        assert_type(file, aioartifact.FileInfo)
    assert_type(aioartifact.walk(url, folders=True), aioartifact.Listing)
    assert_type(aioartifact.walk(url, folders=folders), aioartifact.Listing)
    async with aioartifact.glob(url, "*") as found:
        assert_type([file.size async for file in found], list[int | None])
    assert_type(aioartifact.glob(url, "*", folders=True), aioartifact.Listing)
    report = await aioartifact.download_folder(url, folder)
    assert_type([done.path for done in report.downloaded], list[str])
    outcomes: list[aioartifact.Outcome] = [*report.downloaded, *report.failed]
    assert_type(outcomes[0].path, str | None)


async def walk_paths(url: str) -> None:
    """Paths make paths."""
    root = aioartifact.path(url)
    assert_type(root / "a" / "b", aioartifact.ArtifactoryPath)
    assert_type(root.parents, tuple[aioartifact.ArtifactoryPath, ...])
    async for child in root.iterdir():
        assert_type(child, aioartifact.ArtifactoryPath)
    async with root.open() as file:
        assert_type(file, aioartifact.RemoteFile)
    assert_type(await root.read_text(), str)


async def describe(url: str) -> int | None:
    """What the server described is distinguished by its type."""
    found = await aioartifact.info(url)
    if isinstance(found, aioartifact.FolderInfo):
        assert_type(found.children, tuple[aioartifact.Child, ...])
        return None
    assert_type(found.checksums, aioartifact.Checksums)
    return found.size


async def move(url: str, folder: Path) -> None:
    """One file down and up again; paths may be text or path objects."""
    assert_type(await aioartifact.download(url, folder, sha256="0" * 64), str)
    items: list[aioartifact.Item] = [url, (url, folder), (url, "a.bin", aioartifact.Checksums(md5="0" * 32))]
    assert_type(await aioartifact.download_many(items, folder), aioartifact.Report)
    assert_type(await aioartifact.deploy(folder / "a.bin", url, parameters={"stage": ["a", "b"]}), str)


async def locate(url: yarl.URL, path: aioartifact.ArtifactoryPath, folder: Path) -> None:
    """Paths and yarl's URLs are accepted wherever a URL is."""
    anything: aioartifact.URLLike = path
    assert_type(await aioartifact.download(path, folder), str)
    assert_type(await aioartifact.deploy(folder, url), str)
    assert_type(await aioartifact.exists(anything), bool)
    await aioartifact.download_many([path, url, str(url), (path, "a"), (url, folder)], folder)
    await aioartifact.deploy_many([(folder, path), (folder, url)], path)
    await aioartifact.sync(folder, path)
    await aioartifact.copy(path, url)
    assert_type(await aioartifact.copy_many([(path, url), (str(url), path)]), aioartifact.Report)
    assert_type((await aioartifact.move_many({str(url): path}.items())).moved, tuple[aioartifact.Outcome, ...])
    await aioartifact.delete_many([path, url, str(url)])
    assert_type(await aioartifact.versions(url, "r", "g", "n"), list[str])
    async with aioartifact.session(url, auth={url: ("user", "password")}, proxy=url) as session:
        assert_type(aioartifact.path(url, session=session), aioartifact.ArtifactoryPath)


async def share(server: str) -> None:
    """A session is aiohttp's own, and every function takes it."""
    async with aioartifact.session(
        server,
        auth=aioartifact.Credentials.bearer("token"),
        retry=aioartifact.RetryPolicy.none(),
        timeouts=aioartifact.Timeouts(stall=10),
        limits=aioartifact.Limits(max_concurrency=4),
    ) as session:
        assert_type(session, aiohttp.ClientSession)
        await aioartifact.versions(server, "r", "g", "n", session=session)


class Vault:
    """A provider of a user."""

    async def credentials(self, *, force: bool) -> aioartifact.Credentials:
        return aioartifact.Credentials.bearer("token")


async def provide() -> aioartifact.Credentials:
    """A provider that is a function."""
    return await aioartifact.OIDC("github").credentials(force=False)


async def renew(server: str) -> None:
    """Whatever provides credentials is accepted as auth, alone or in a mapping."""
    provider: aioartifact.CredentialsProvider = Vault()
    auth: aioartifact.Auth = aioartifact.Command(["helper"], stdin="git")
    async with aioartifact.session(server, auth=provider) as shared:
        for each in (auth, provide, Vault(), ("user", "password"), aioartifact.RefreshingToken("a", "b")):
            async with aioartifact.with_credentials(shared, each) as session:
                assert_type(session, aiohttp.ClientSession)
    async with aioartifact.session(auth={server: provide, "https://host/artifactory": aioartifact.Keyring()}):
        pass


async def fetch(urls: AsyncIterator[str], pairs: list[tuple[str, str]], folder: str) -> None:
    """A bulk call is awaited for a report, or opened for its outcomes."""
    progress = aioartifact.Progress()
    items: list[aioartifact.Item] = [folder, (folder, Path("a.bin"))]
    stop: aioartifact.OnError = "stop"
    never: aioartifact.Overwrite = "never"
    await aioartifact.download_many(items, on_error=stop, overwrite=never, manifest=Path("manifest"))
    heard: list[aioartifact.TransferEvent] = []
    sink: aioartifact.ProgressSink = heard.append
    await aioartifact.download_many(pairs, durable=True, progress=aioartifact.Progress(sink))
    with rich_sink() as bars, tqdm_sink(object), log_sink(5.0):
        await aioartifact.download_many(pairs, progress=aioartifact.Progress(bars))
    report = await aioartifact.download_many(urls, "data", on_error="collect", progress=progress)
    assert_type(report, aioartifact.Report)
    assert_type(report.failed, tuple[aioartifact.Outcome, ...])
    assert_type(progress.snapshot(), aioartifact.ProgressSnapshot)
    async with aioartifact.download_many(pairs) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, aioartifact.Outcome)
            assert_type(outcome.error, aioartifact.ArtifactoryError | None)
    try:
        await aioartifact.download_folder(folder, "tree", include="**/*.wav", exclude={"tmp/**"}, overwrite="never")
        await aioartifact.deploy_folder(Path("tree"), folder, include=iter(["*.bin"]), exclude=("a", "b"))
    except aioartifact.BatchError as batch:
        assert_type(batch.report, aioartifact.Report)
        assert_type(
            batch.exceptions, tuple[aioartifact.ArtifactoryError | ExceptionGroup[aioartifact.ArtifactoryError], ...]
        )


async def mirror(folder: str) -> None:
    """A plan is a value, and running it a bulk call."""
    plan = await aioartifact.plan_sync(folder, Path("data"), delete=True, include=["*.bin"], manifest=Path("manifest"))
    assert_type(aioartifact.SyncPlan.from_json(plan.to_json()), aioartifact.SyncPlan)
    assert_type(plan.of("fetch", "delete"), tuple[aioartifact.SyncAction, ...])
    assert_type(plan.actions[0].target, aioartifact.SyncFile | None)
    assert_type(await aioartifact.run_sync(plan, on_error="collect"), aioartifact.Report)
    async with aioartifact.sync(Path("data"), folder) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, aioartifact.Outcome)
