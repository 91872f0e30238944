"""Settings of repositories that keep requests out or change answers."""

import pytest

from aioartifact.testing import ArtifactoryServer

FILE = "/libs/org/app/1.0/app-1.0.jar"
SNAPSHOT = "/libs/org/app/1.0-SNAPSHOT/app-1.0-20240101.000000-1.jar"


@pytest.fixture
async def configured(server):
    """Make the repository ``libs`` with some settings, a release and a snapshot in it."""

    def configured(**settings):
        server.create_repository("libs", package_type="maven", **settings)
        for path in (FILE, SNAPSHOT):
            server.put(path, b"jar")
        return server

    return configured


async def test_blacked_out(configured, ask):
    """A repository that is blacked out serves and takes nothing."""
    server = configured(blacked_out=True)
    for answer in (await ask(server, "GET", FILE), await ask(server, "PUT", FILE, body=b"new")):
        assert (answer.status, answer.message) == (
            404,
            "The repository 'libs' is blacked out and cannot serve artifact 'libs:org/app/1.0/app-1.0.jar'.",
        )
    assert server.read(FILE) == b"jar"


@pytest.mark.parametrize(
    ("setting", "refused", "served"), [("handle_releases", FILE, SNAPSHOT), ("handle_snapshots", SNAPSHOT, FILE)]
)
async def test_release_and_snapshot_policy(configured, ask, setting, refused, served):
    """Repositories for releases or snapshots only refuse the others."""
    server = configured(**{setting: False})
    for answer in (
        await ask(server, "GET", refused),
        await ask(server, "PUT", refused, body=b"new"),
    ):
        assert (answer.status, answer.message) == (
            409,
            f"The repository 'libs' rejected the resolution of an artifact 'libs:{refused.removeprefix('/libs/')}'"
            " due to conflict in the snapshot release handling policy.",
        )
    assert (await ask(server, "GET", served)).status == 200
    assert (await ask(server, "PUT", served, body=b"new")).status == 201


@pytest.mark.parametrize("settings", [{"includes": "com/**"}, {"excludes": "org/**,net/**"}])
async def test_patterns(configured, ask, settings):
    """What patterns keep out is missing for readers and a conflict for deployers."""
    server = configured(**settings)
    text = (
        "The repository 'libs' rejected the artifact 'libs:org/app/1.0/app-1.0.jar'"
        " due to its include/exclude pattern settings."
    )
    read, deployed = await ask(server, "GET", FILE), await ask(server, "PUT", FILE, body=b"new")
    assert [(each.status, each.message) for each in (read, deployed)] == [(404, text), (409, text)]


async def test_settings_come_before_permission(configured, ask, basic):
    """Settings that exclude content apply to every user."""
    server = configured(blacked_out=True)
    server.add_user("ann", password="pw")
    assert (await ask(server, "GET", FILE, headers=basic("ann", "pw"))).status == 404


@pytest.mark.parametrize(
    ("agent", "content_type"), [("Mozilla/5.0", "application/xml"), ("curl/8", "application/x-maven-pom+xml")]
)
async def test_content_browsing(configured, ask, admin, agent, content_type):
    """Where browsing is allowed files are shown rather than saved, and browsers get types they can show."""
    server = configured(content_browsing=True)
    server.put("libs/a.pom", b"<project/>")
    answer = await ask(server, "GET", "/libs/a.pom", headers=admin | {"User-Agent": agent})
    assert "content-disposition" not in answer.headers
    assert answer.headers["content-type"] == content_type


async def test_browsers_without_content_browsing(configured, ask, admin):
    """By default browsers save files like everybody."""
    answer = await ask(configured(), "GET", FILE, headers=admin | {"User-Agent": "Mozilla/5.0"})
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(("redirect", "status"), [(True, 302), (False, 200)])
async def test_redirects_by_repository(ask, redirect, status):
    """A repository may keep its downloads from being redirected."""
    async with ArtifactoryServer(redirect_over=0) as server:
        server.create_repository("libs", download_redirect=redirect)
        server.put("libs/a", b"x")
        assert (await ask(server, "GET", "/libs/a")).status == status


async def test_server_generated_checksums(server, ask, admin):
    """Such a repository overlooks wrong checksums and answers with its own."""
    server.create_repository("libs", checksum_policy="server")
    answer = await ask(server, "PUT", "/libs/a", headers=admin | {"X-Checksum-Sha1": "0" * 40}, body=b"x")
    assert (answer.status, answer.json()["originalChecksums"]) == (201, server.checksums("libs/a"))
    assert (await ask(server, "GET", "/libs/a.sha1")).body.decode() == server.checksums("libs/a")["sha1"]


async def test_conditional_request_for_a_checksum(configured, ask, admin):
    """A condition on a checksum is one on its file."""
    server = configured()
    tag = {"If-None-Match": server.checksums(FILE)["sha1"]}
    assert (await ask(server, "GET", FILE + ".sha1", headers=admin | tag)).status == 304
