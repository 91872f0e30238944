"""The storage API: what it says about files and folders."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from aioartifact.testing import ArtifactoryServer

VENDOR = "application/vnd.org.jfrog.artifactory.storage."
WHEN = datetime(2024, 3, 5, 8, 12, 31, 219000, tzinfo=UTC)


@pytest.fixture
async def stored():
    """A small tree on a server two hours east."""
    async with ArtifactoryServer(time_zone=timezone(timedelta(hours=2))) as server:
        server.put("generic-local/org/b.jar", b"bb", created=WHEN, modified=WHEN, original=False)
        server.put("generic-local/org/a ü#%.txt", b"a", created=WHEN, modified=WHEN)
        server.put("generic-local/org/Z/deep/c.bin", b"ccc", created=WHEN, modified=WHEN)
        yield server


async def test_file_info(stored, ask):
    """Sizes are text, dates carry the server's zone, links are not encoded."""
    answer = await ask(stored, "GET", "/api/storage/generic-local/org/b.jar/")
    document = answer.json()
    date = "2024-03-05T10:12:31.219+02:00"
    assert answer.headers["content-type"] == VENDOR + "FileInfo+json"
    assert "cache-control" not in answer.headers
    assert document.pop("lastUpdated").endswith("+02:00")
    assert document == {
        "repo": "generic-local",
        "path": "/org/b.jar",
        "created": date,
        "createdBy": "admin",
        "lastModified": date,
        "modifiedBy": "admin",
        "downloadUri": f"{stored.url}/generic-local/org/b.jar",
        "mimeType": "application/java-archive",
        "size": "2",
        "checksums": stored.checksums("generic-local/org/b.jar"),
        "originalChecksums": {"sha256": stored.checksums("generic-local/org/b.jar")["sha256"]},
        "uri": f"{stored.url}/api/storage/generic-local/org/b.jar",
    }


async def test_folder_info(stored, ask):
    """Children come folders first, then by name with upper case before lower, names as they are."""
    answer = await ask(stored, "GET", "/api/storage/generic-local/org")
    document = answer.json()
    assert answer.headers["content-type"] == VENDOR + "FolderInfo+json"
    assert answer.headers["cache-control"] == "no-store"
    assert document["path"] == "/org"
    assert document["children"] == [
        {"uri": "/Z", "folder": True},
        {"uri": "/a ü#%.txt", "folder": False},
        {"uri": "/b.jar", "folder": False},
    ]


async def test_repository_root(stored, ask):
    """The root's path is a slash, its link has none, and it has no creator."""
    document = (await ask(stored, "GET", "/api/storage/generic-local/")).json()
    assert (document["path"], document["uri"]) == ("/", f"{stored.url}/api/storage/generic-local")
    assert "createdBy" not in document
    assert document["children"] == [{"uri": "/org", "folder": True}]


@pytest.mark.parametrize("path", ["generic-local/missing", "unknown", "unknown/a", "generic-local/org/b.jar/x"])
async def test_missing_items(stored, ask, path):
    """Everything that is not there is the text clients look for."""
    answer = await ask(stored, "GET", f"/api/storage/{path}")
    assert (answer.status, answer.message) == (404, "Unable to find item")


async def test_head_of_an_info(stored, ask):
    """HEAD works on the REST API, other methods do not."""
    answer = await ask(stored, "HEAD", "/api/storage/generic-local/org")
    assert (answer.status, answer.body) == (200, b"")
    assert (await ask(stored, "POST", "/api/storage/generic-local/org", body=b"")).status == 405


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", ["/a ü#%.txt", "/b.jar"]),
        ("&listFolders=1", ["/Z", "/a ü#%.txt", "/b.jar"]),
        ("&deep=1", ["/Z/deep/c.bin", "/a ü#%.txt", "/b.jar"]),
        ("&deep=1&depth=2&listFolders=1", ["/Z", "/Z/deep", "/a ü#%.txt", "/b.jar"]),
        ("&deep=1&depth=0", ["/Z/deep/c.bin", "/a ü#%.txt", "/b.jar"]),
        ("&includeRootPath=1", ["/", "/a ü#%.txt", "/b.jar"]),
    ],
)
async def test_file_list_parameters(stored, ask, parameters, expected):
    """Deep, depth, folders and the root path choose what is listed."""
    document = (await ask(stored, "GET", f"/api/storage/generic-local/org?list{parameters}")).json()
    assert sorted(each["uri"] for each in document["files"]) == sorted(expected)


async def test_file_list_entries(stored, ask):
    """Sizes are numbers, folders have -1 and no digests; the document is sent chunked."""
    answer = await ask(stored, "GET", "/api/storage/generic-local/org?list&listFolders=1")
    document = answer.json()
    entries = {each.pop("uri"): each for each in document["files"]}
    sums = stored.checksums("generic-local/org/b.jar")
    assert answer.headers["content-type"] == VENDOR + "FileList+json"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert document["uri"] == f"{stored.url}/api/storage/generic-local/org"
    assert entries["/b.jar"] == {
        "size": 2,
        "lastModified": "2024-03-05T10:12:31.219+02:00",
        "folder": False,
        "sha1": sums["sha1"],
        "sha2": sums["sha256"],
    }
    assert (entries["/Z"]["size"], entries["/Z"]["folder"], "sha1" in entries["/Z"]) == (-1, True, False)


async def test_file_list_with_times_of_metadata(server, ask):
    """Items with properties report when these changed: at the last update of the item, the only stored time."""
    server.put("generic-local/plain", b"")
    server.put("generic-local/marked", b"", properties={"k": ["v", "w"]})
    updated = (await ask(server, "GET", "/api/storage/generic-local/marked")).json()["lastUpdated"]
    files = (await ask(server, "GET", "/api/storage/generic-local?list&mdTimestamps=1")).json()["files"]
    assert {each["uri"]: each.get("mdTimestamps") for each in files} == {
        "/marked": {"properties": updated},
        "/plain": None,
    }
    without = (await ask(server, "GET", "/api/storage/generic-local?list")).json()["files"]
    assert not any("mdTimestamps" in each for each in without)


async def test_long_file_list(server, ask):
    """Rows are streamed in several pieces and none is lost."""
    for number in range(1_201):
        server.put(f"generic-local/many/{number:04}", b"")
    document = (await ask(server, "GET", "/api/storage/generic-local/many?list&deep=1")).json()
    assert [each["uri"] for each in document["files"]] == [f"/{number:04}" for number in range(1_201)]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/org/b.jar?list", 400, "Expected a folder but found a file, at: generic-local:org/b.jar"),
        ("/missing?list", 404, "Unable to find item"),
        ("/org?list&deep=x", 400, 'For input string: "x"'),
    ],
)
async def test_file_list_errors(stored, ask, path, status, message):
    """Files, missing folders and malformed numbers have no list."""
    answer = await ask(stored, "GET", f"/api/storage/generic-local{path}")
    assert (answer.status, answer.message) == (status, message)


async def test_file_list_needs_pro_and_a_name(ask):
    """The open source edition refuses, and so does Pro to the anonymous."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await ask(server, "GET", "/api/storage/generic-local?list")
        assert answer.status == 400
        assert answer.message.startswith("This REST API is available only in Artifactory Pro (see: ")
        assert "x-artifactory-node-id" not in answer.headers
    async with ArtifactoryServer(anonymous=True) as server:
        server.grant("anonymous", "**")
        assert (await ask(server, "GET", "/api/storage/generic-local?list", headers={})).status == 401


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("properties", {"a": ["2", "1"], "b": ["x"]}),
        ("properties=", {"a": ["2", "1"], "b": ["x"]}),
        ("properties=b,c", {"b": ["x"]}),
    ],
)
async def test_properties(server, ask, query, expected):
    """All or the named keys, values always lists."""
    server.put("generic-local/a", b"x", properties={"b": "x", "a": ["2", "1"]})
    answer = await ask(server, "GET", f"/api/storage/generic-local/a?{query}")
    assert answer.json() == {"properties": expected, "uri": f"{server.url}/api/storage/generic-local/a"}
    assert answer.headers["content-type"] == VENDOR + "ItemProperties+json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["a?properties=other", "bare?properties", "missing?properties"])
async def test_no_properties(server, ask, path):
    """No such key, no property and no such item are the same 404."""
    server.put("generic-local/a", b"x", properties={"b": "x"})
    server.put("generic-local/bare", b"x")
    answer = await ask(server, "GET", f"/api/storage/generic-local/{path}")
    assert (answer.status, answer.message) == (404, "No properties could be found.")


async def test_statistics(ask):
    """Downloads count, HEADs do not; times are epoch milliseconds and 0 stands for never."""
    async with ArtifactoryServer(clock=lambda: 1709626351.219) as server:
        server.put("generic-local/a", b"x")
        before = (await ask(server, "GET", "/api/storage/generic-local/a?stats")).json()
        await ask(server, "HEAD", "/generic-local/a")
        await ask(server, "GET", "/generic-local/a")
        await ask(server, "GET", "/generic-local/a")
        answer = await ask(server, "GET", "/api/storage/generic-local/a?stats")
        missing = await ask(server, "GET", "/api/storage/generic-local/b?stats")
    assert (before["downloadCount"], before["lastDownloaded"], "lastDownloadedBy" in before) == (0, 0, False)
    assert answer.headers["content-type"] == VENDOR + "StatsInfo+json"
    assert answer.json() == {
        "uri": f"{server.url}/generic-local/a",
        "downloadCount": 2,
        "lastDownloaded": 1709626351219,
        "lastDownloadedBy": "admin",
        "remoteDownloadCount": 0,
        "remoteLastDownloaded": 0,
    }
    assert missing.message == "Unable to find item path"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a=1", {"a": ["1"]}, id="one"),
        pytest.param("a=1,2;b=3|c=4", {"a": ["1", "2"], "b": ["3"], "c": ["4"]}, id="several"),
        pytest.param(
            r"a=1\,2;b=x\=y;c=x\;y;d=x\|y", {"a": ["1,2"], "b": ["x=y"], "c": ["x;y"], "d": ["x|y"]}, id="escapes"
        ),
        pytest.param(r"a=x\y", {"a": [r"x\y"]}, id="other backslashes stay"),
        pytest.param("a;b=", {"a": [""], "b": [""]}, id="no value"),
        pytest.param("a=b=c;d=1", {"d": ["1"]}, id="two equals signs"),
        pytest.param("a=1,,2,,", {"a": ["1", "", "2"]}, id="empty values"),
        pytest.param(" a=1 ; b=2 ;", {"a": ["1"], "b": ["2"]}, id="blanks"),
    ],
)
async def test_setting_properties(server, ask, text, expected):
    """The list is read by the real server's rules; other keys stay."""
    server.put("generic-local/a", b"x", properties={"old": "o"})
    answer = await ask(server, "PUT", f"/api/storage/generic-local/a?properties={quote(text)}", body=b"")
    assert (answer.status, answer.body) == (204, b"")
    assert server.properties("generic-local/a") == {"old": ["o"]} | expected


@pytest.mark.parametrize(("parameter", "reached"), [("", True), ("&recursive=1", True), ("&recursive=0", False)])
async def test_properties_of_a_folder(server, ask, parameter, reached):
    """By default, setting and deleting apply to everything below."""
    server.put("generic-local/f/g/a", b"x")
    path = "/api/storage/generic-local/f?properties=k"
    await ask(server, "PUT", f"{path}=v{parameter}", body=b"")
    assert server.properties("generic-local/f") == {"k": ["v"]}
    assert server.properties("generic-local/f/g/a") == ({"k": ["v"]} if reached else {})
    server.put("generic-local/f/g/b", b"x", properties={"k": "v", "l": "w"})
    assert (await ask(server, "DELETE", f"{path},other{parameter}")).status == 204
    assert server.properties("generic-local/f") == {}
    assert server.properties("generic-local/f/g/b") == ({"l": ["w"]} if reached else {"k": ["v"], "l": ["w"]})


async def test_properties_that_cannot_be_set(server, ask, basic):
    """Invalid keys, missing items, missing rights and the open source edition are refused."""
    server.put("generic-local/a", b"x")
    server.add_user("reader", password="pw")
    server.grant("reader", "generic-local", "rwd")
    for method in ("PUT", "DELETE"):
        for path, headers, status in (
            ("generic-local/missing?properties=k=v", None, 404),
            ("generic-local/a?properties=k=v", basic("reader", "pw"), 403),
            ("generic-local/a", None, 405),
        ):
            assert (await ask(server, method, f"/api/storage/{path}", headers=headers, body=b"")).status == status
    assert (await ask(server, "PUT", "/api/storage/generic-local/a?properties=1k=v", body=b"")).status == 400
    async with ArtifactoryServer(edition="oss") as oss:
        assert (await ask(oss, "PUT", "/api/storage/generic-local?properties=k=v", body=b"")).status == 400
    assert server.properties("generic-local/a") == {}


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/json", 200),
        ("text/html, application/json;q=0.5", 200),
        (VENDOR + "FolderInfo+json", 200),
        ("text/html", 406),
        (VENDOR + "FileInfo+json", 406),
    ],
)
async def test_media_type_must_be_acceptable(server, ask, admin, accept, status):
    """The vendor type, plain JSON or a wildcard; anything else is 406."""
    answer = await ask(server, "GET", "/api/storage/generic-local", headers=admin | {"Accept": accept})
    assert answer.status == status
    if status == 406:
        assert answer.message == f"Resource produces {VENDOR}FolderInfo+json but client only accepts [{accept}]"
