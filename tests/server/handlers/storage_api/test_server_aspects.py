"""What the storage API says besides the plain info: statistics, dates, rights, and properties as XML."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aioartifact.testing import ArtifactoryServer

VENDOR = "application/vnd.org.jfrog.artifactory.storage."
OLD, NEW = datetime(2024, 3, 5, 8, 12, 30, tzinfo=UTC), datetime(2024, 3, 5, 8, 12, 31, 219000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "newest"),
    [("f", "f/z/new.bin"), ("", "f/z/new.bin"), ("f/a.bin", "f/a.bin"), ("f/z/", "f/z/new.bin")],
)
@pytest.mark.parametrize(("zone", "offset"), [(UTC, "+0000"), (timezone(timedelta(hours=2)), "+0200")])
async def test_last_modified(ask, path, newest, zone, offset):
    """The newest file at or below the path, with an offset that has no colon and the header of its date."""
    async with ArtifactoryServer(time_zone=zone) as server:
        server.put("generic-local/f/a.bin", b"x", modified=OLD)
        server.put("generic-local/f/z/new.bin", b"x", modified=NEW)
        answer = await ask(server, "GET", f"/api/storage/generic-local/{path}?lastModified")
    date = OLD if newest.endswith("a.bin") else NEW
    local = date.astimezone(zone)
    assert answer.headers["content-type"] == VENDOR + "ItemLastModified+json"
    assert answer.headers["last-modified"] == f"{date:%a, %d %b %Y %H:%M:%S} GMT"
    assert answer.json() == {
        "uri": f"{server.url}/api/storage/generic-local/{newest}",
        "lastModified": f"{local:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03}{offset}",
    }


async def test_last_modified_of_what_may_be_read(server, ask, basic):
    """Files the user cannot read do not count."""
    server.put("generic-local/f/open", b"x", modified=OLD)
    server.put("generic-local/f/closed", b"x", modified=NEW)
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "r", "f/open")
    answer = await ask(server, "GET", "/api/storage/generic-local/f?lastModified", headers=basic("u", "pw"))
    assert answer.json()["uri"].endswith("/f/open")


@pytest.mark.parametrize("path", ["generic-local/missing", "unknown/a", "generic-local/empty"])
async def test_nothing_was_modified(server, ask, path):
    """No item, no repository, and a folder without files are 404."""
    server.make_folder("generic-local/empty")
    answer = await ask(server, "GET", f"/api/storage/{path}?lastModified")
    assert (answer.status, answer.message) == (404, "Unable to find item")


@pytest.mark.parametrize("query", ["lastModified", "permissions"])
async def test_aspects_of_pro(ask, query):
    """The open source edition refuses them."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await ask(server, "GET", f"/api/storage/generic-local?{query}")
    assert answer.status == 400
    assert answer.message.startswith("This REST API is available only in Artifactory Pro")


async def test_permissions(server, ask, basic):
    """Letters by user, for those who manage the path."""
    server.put("generic-local/a/b", b"x")
    for user, actions, path in (("u", "rm", "a/**"), ("u", "d", "a/b"), ("v", "nwr", "**"), ("w", "r", "other/**")):
        server.add_user(user, password="pw")
        server.grant(user, "generic-local", actions, path)
    server.grant_group("team", "generic-*", "rd", "a/*")
    expected = {
        "uri": f"{server.url}/api/storage/generic-local/a/b",
        "principals": {"users": {"u": ["r", "d", "m"], "v": ["r", "w", "n"]}, "groups": {"team": ["r", "d"]}},
    }
    for headers in (None, basic("u", "pw")):
        answer = await ask(server, "GET", "/api/storage/generic-local/a/b?permissions", headers=headers)
        assert answer.headers["content-type"] == VENDOR + "ItemPermissions+json"
        assert answer.json() == expected
    refused = await ask(server, "GET", "/api/storage/generic-local/a/b?permissions", headers=basic("v", "pw"))
    assert (refused.status, refused.message) == (
        403,
        "Request for 'generic-local:a/b' is forbidden for user: 'v'.",
    )


XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<properties>
  <a>2</a>
  <a>1</a>
  <b>x &lt; &amp;</b>
</properties>
"""


async def test_properties_as_xml(server, ask):
    """An element for each value, from the storage API and from the download URL."""
    server.put("generic-local/a", b"x", properties={"b": "x < &", "a": ["2", "1"]})
    storage = await ask(server, "GET", "/api/storage/generic-local/a?propertiesXml")
    download = await ask(server, "GET", "/generic-local/a?propertiesXml")
    for answer in (storage, download):
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/xml", XML)
    assert download.headers["etag"] == server.checksums("generic-local/a")["sha1"]


@pytest.mark.parametrize("prefix", ["", "/api/storage"])
async def test_no_properties_as_xml(server, ask, prefix):
    """Without properties it is the same 404 as in JSON."""
    server.put("generic-local/a", b"x")
    answer = await ask(server, "GET", f"{prefix}/generic-local/a?propertiesXml")
    assert (answer.status, answer.message) == (404, "No properties could be found.")


async def test_properties_of_a_download(server, ask):
    """The properties come under the file's headers, the link is no URL, and HEAD overlooks the parameter."""
    server.put("generic-local/d/a.jar", b"abc", properties={"k": "v"})
    answer = await ask(server, "GET", "/generic-local/d/a.jar?properties")
    assert answer.json() == {"properties": {"k": ["v"]}, "uri": "generic-local/d/a.jar"}
    assert answer.headers["content-type"] == VENDOR + "ItemProperties+json"
    assert answer.headers["etag"] == server.checksums("generic-local/d/a.jar")["sha1"]
    head = await ask(server, "HEAD", "/generic-local/d/a.jar?properties")
    assert (head.headers["content-length"], head.headers["content-type"]) == ("3", "application/java-archive")


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("storageinfo&stats&properties", "FileInfo"),
        ("stats&lastModified&properties", "StatsInfo"),
        ("lastModified&properties&permissions", "ItemLastModified"),
        ("properties&propertiesXml&permissions", "ItemProperties"),
        ("permissions", "ItemPermissions"),
        ("unknown", "FileInfo"),
    ],
)
async def test_first_of_several_queries_answers(server, ask, query, kind):
    """Of several parameters one decides, in the real server's order."""
    server.put("generic-local/a", b"x", properties={"k": "v"})
    answer = await ask(server, "GET", f"/api/storage/generic-local/a?{query}")
    assert answer.headers["content-type"] == f"{VENDOR}{kind}+json"


async def test_statistics_of_a_folder(server, ask):
    """Folders have zeros."""
    server.make_folder("generic-local/f")
    document = (await ask(server, "GET", "/api/storage/generic-local/f?stats")).json()
    assert (document["downloadCount"], document["lastDownloaded"]) == (0, 0)
