"""The blocking functions as their users' type checkers see them: checked by mypy and pyright, never run."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import assert_type

import aioartifact
from aioartifact import blocking


def ask(server: str) -> None:
    """Values have their own types, not those of awaitables."""
    assert_type(blocking.versions(server, "r", "g", "n"), list[str])
    assert_type(blocking.latest_version(server, "r", "g", "n", method="aql", denied="raise"), str | None)
    assert_type(blocking.versions_many(server, "r", [("g", "n")]), dict[tuple[str, str], aioartifact.ArtifactVersions])
    assert_type(blocking.exists(server), bool)
    assert_type(blocking.url(server, repository="r", name="n"), str)
    assert_type(blocking.rest_api_get(server), blocking.Response)
    assert_type(blocking.resolve_credentials(server), aioartifact.Credentials)


def share(server: str) -> None:
    """A session is opened by a block, or closed by its user."""
    with blocking.session(server, retry=blocking.RetryPolicy.none(), limits=blocking.Limits()) as session:
        assert_type(session, blocking.Session)
        assert_type(session.closed, bool)
        with blocking.with_credentials(session, blocking.Credentials.bearer("t")) as tenant:
            assert_type(tenant, blocking.Session)
        blocking.download(server, Path("a"), session=session)
    opened = blocking.open_session(server)
    assert_type(opened, blocking.Session)
    opened.close()


def iterate(url: str) -> None:
    """Listings are iterators with attributes."""
    for entry in blocking.ls(url):
        assert_type(entry, aioartifact.FileInfo | aioartifact.FolderInfo)
    with blocking.walk(url, depth=1) as listing:
        assert_type(listing, blocking.FileListing)
        for file in listing:
            assert_type(file, aioartifact.FileInfo)
        assert_type(listing.is_complete, bool)
    for row in blocking.aql(url, "items.find()"):
        assert_type(row["name"], object)  # type: ignore[assert-type]  # Any


def transfer(urls: Iterator[str], folder: Path) -> None:
    """A bulk call returns a report; its twin iterates."""
    assert_type(blocking.download_many(urls, folder, on_error="collect"), blocking.Report)
    for outcome in blocking.iter_download_many(urls, folder):
        assert_type(outcome, blocking.Outcome)
    with blocking.iter_sync("a", "b", delete=True) as outcomes:
        assert_type(outcomes, blocking.Outcomes)
    assert_type(blocking.plan_sync("a", "b"), blocking.SyncPlan)
    assert_type(blocking.deploy(folder, "url"), str)


def read(url: str) -> None:
    """Streams and files."""
    with blocking.stream(url, start=5) as body:
        assert_type(body, blocking.FileStream)
        for chunk in body:
            assert_type(chunk, bytes)
    with blocking.open(url) as file:
        assert_type(file, blocking.RemoteFile)
        assert_type(file.read(5), bytes)


def walk_paths(url: str) -> None:
    """Paths make paths, and are accepted as URLs."""
    root = blocking.path(url)
    assert_type(root, blocking.ArtifactoryPath)
    assert_type(root / "a" / "b", blocking.ArtifactoryPath)
    assert_type(root.parents, tuple[blocking.ArtifactoryPath, ...])
    for child in root.iterdir():
        assert_type(child, blocking.ArtifactoryPath)
    assert_type(root.read_text(), str)
    assert_type(root.relative_to(url), PurePosixPath)
    blocking.download(root, "a")
    blocking.download_many([root, (root, "a")], "a")
    table = blocking.Lookup.open(url, "r", "g")
    assert_type(table, blocking.Lookup)
    assert_type(table.append({"rate": 1}), str)
