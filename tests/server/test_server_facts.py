"""Rows of server-facts.md, sections 2 and 3: what a real server answered, and the embedded one once did not."""

import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from aioartifact.testing import ArtifactoryServer

pytestmark = pytest.mark.anyio

DATA = b"content"


@pytest.mark.parametrize("character", ["|", "*", "?", '"'])
@pytest.mark.parametrize("path", ["a{}b", "d/{}", "d{}/a", "d/e/a{}"])
async def test_row_2_1_invalid_characters(server, ask, character, path):
    """Names with one of four characters are refused for good, with a status that reads like a passing failure."""
    encoded = path.format(f"%{ord(character):02X}")
    message = f"Invalid path. '{character}' is not a valid name character: generic-local:{path.format(character)}"
    for target, body in ((encoded, DATA), (f"{encoded}/", b""), (encoded, b"x" * 1_000_000)):
        answer = await ask(server, "PUT", f"/generic-local/{target}", body=body)
        assert (answer.status, answer.message) == (500, message)
    assert (await ask(server, "MKCOL", f"/generic-local/{encoded}")).status == 500
    assert (await ask(server, "GET", "/api/storage/generic-local")).json()["children"] == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("%20a", "Path cannot have a space after a slash: generic-local: a"),
        ("d/%20a", "Path cannot have a space after a slash: generic-local:d/ a"),
        ("%20d/a", "Path cannot have a space after a slash: generic-local: d/a"),
        ("d/%20", "Path cannot have a space after a slash: generic-local:d/ "),
        ("d/a.", "Path element cannot end with a dot"),
        ("d./a", "Path element cannot end with a dot"),
        ("a...", "Path element cannot end with a dot"),
        ("a.%20", "Path element cannot end with a dot"),
        ("&", "Path cannot have single ampersand"),
        ("d/%26/a", "Path cannot have single ampersand"),
    ],
)
async def test_row_2_2_invalid_names(server, ask, path, message):
    """Leading blanks, dots at the end, a lone ampersand: refused wherever they stand in the path."""
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=DATA)
    assert (answer.status, answer.message) == (500, message)
    assert (await ask(server, "GET", "/api/storage/generic-local")).json()["children"] == []


@pytest.mark.parametrize("path", ["a&b", "a.b", ".a", "..a/b", "a b", "a&", "&a/b", "d /a"])
async def test_row_2_2_valid_names(server, ask, path):
    """Names that merely resemble those are stored as they are."""
    assert (await ask(server, "PUT", f"/generic-local/{path.replace(' ', '%20')}", body=DATA)).status == 201
    assert server.read(f"generic-local/{path}") == DATA


@pytest.mark.parametrize("path", ["f%7C", "f.", "%20f"])
async def test_row_2_2_copies_and_moves(server, ask, path):
    """Nothing gets such a name by another way."""
    server.put("generic-local/a", DATA)
    for verb in ("copy", "move"):
        answer = await ask(server, "POST", f"/api/{verb}/generic-local/a?to=/generic-local/{path}")
        assert answer.status == 400
    assert [child["uri"] for child in (await ask(server, "GET", "/api/storage/generic-local")).json()["children"]] == [
        "/a"
    ]


@pytest.mark.parametrize(("sent", "stored"), [("a%20", "a"), ("d/a%20%20", "d/a"), ("a%20b%20", "a b")])
async def test_row_2_3_trailing_blanks(server, ask, sent, stored):
    """Blanks at the end of a name are trimmed, and the answer says where the file is."""
    answer = await ask(server, "PUT", f"/generic-local/{sent};k=v", body=DATA)
    assert (answer.status, answer.json()["path"]) == (201, f"/{stored}")
    assert answer.headers["location"] == f"{server.url}/generic-local/{stored}"
    assert server.read(f"generic-local/{stored}") == DATA
    assert server.properties(f"generic-local/{stored}") == {"k": ["v"]}
    folder = await ask(server, "PUT", "/generic-local/f%20/", body=b"")
    assert (folder.status, folder.json()["path"]) == (201, "/f/")


async def test_row_2_3_trailing_blanks_do_not_evade_permissions(server, ask, basic):
    """Overwriting needs the right to delete, however the name is spelled."""
    server.put("generic-local/a", DATA)
    server.add_user("ci", password="pw")
    server.grant("ci", "generic-local", "rw")
    answer = await ask(server, "PUT", "/generic-local/a%20", headers=basic("ci", "pw"), body=b"other")
    assert answer.status == 403
    assert server.read("generic-local/a") == DATA


@pytest.mark.parametrize("path", ["a/f.txt/sub.txt", "a/f.txt/x/y/z"])
async def test_row_2_4_file_below_a_file(server, ask, path):
    """400, with the path of the file that is in the way."""
    server.put("generic-local/a/f.txt", DATA)
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=b"x")
    assert (answer.status, answer.message) == (400, "Parent a/f.txt must be a folder")


async def test_row_2_5_files_and_folders(server, ask):
    """500, whichever of the two is in the way."""
    server.put("generic-local/d/f", DATA)
    answer = await ask(server, "PUT", "/generic-local/d", body=b"x")
    assert (answer.status, answer.message) == (500, "Expected a file but found a folder, at: generic-local:d")
    answer = await ask(server, "PUT", "/generic-local/d/f/", body=b"")
    assert (answer.status, answer.message) == (500, "Expected a folder but found a file, at: generic-local:d/f")
    assert server.read("generic-local/d/f") == DATA


@pytest.mark.parametrize("path", ["d/f/g/", "d/f/g/h/"])
async def test_row_2_6_folder_below_a_file(server, ask, path):
    """500, with the path of the file that is in the way."""
    server.put("generic-local/d/f", DATA)
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=b"")
    assert (answer.status, answer.message) == (
        500,
        "Could not create file system item Parent d/f must be a folder",
    )


async def test_row_2_7_new_folder(server, ask):
    """``Location`` has no slash at its end, and nothing says by whom."""
    answer = await ask(server, "PUT", "/generic-local/d/e/", body=b"")
    document = answer.json()
    assert (answer.status, answer.headers["location"]) == (201, f"{server.url}/generic-local/d/e")
    assert document.pop("created")
    assert document == {"repo": "generic-local", "path": "/d/e/", "uri": f"{server.url}/generic-local/d/e/"}


async def test_row_2_11_mkcol_without_parent(server, ask):
    """409, with the path that was asked for."""
    answer = await ask(server, "MKCOL", "/generic-local/missing/a")
    assert (answer.status, answer.message) == (
        409,
        "Directory cannot be created: parent doesn't exist: generic-local:missing/a",
    )


@pytest.mark.parametrize(
    ("path", "properties"), [("dir;k=v/", {"k": ["v"]}), ("dir;a=1;b=x%2F/", {"a": ["1"], "b": ["x/"]})]
)
async def test_row_2_16_folder_with_parameters(server, ask, path, properties):
    """The slash makes a folder, and is not a part of the value; an encoded one is."""
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=b"")
    assert (answer.status, answer.json()["path"]) == (201, "/dir/")
    assert server.properties("generic-local/dir") == properties


@pytest.mark.parametrize("edition", ["oss", "pro"])
async def test_row_2_20_folder_that_ends_in_an_exclamation_mark(ask, edition):
    """What was stored below it can be read back: a folder of that name is not an archive."""
    async with ArtifactoryServer(edition=edition) as server:
        assert (await ask(server, "PUT", "/generic-local/d!/e/f", body=DATA)).status == 201
        assert (await ask(server, "GET", "/generic-local/d!/e/f")).body == DATA
        assert (await ask(server, "GET", "/generic-local/d!/e/missing")).message == "File not found."
        assert b'<a href="e/">' in (await ask(server, "GET", "/generic-local/d!/")).body


LOCK_INFO = b'<D:lockinfo xmlns:D="DAV:"><D:locktype><D:write/></D:locktype></D:lockinfo>'


@pytest.mark.parametrize("edition", ["oss", "pro"])
async def test_row_2_9_webdav(ask, admin, edition):
    """The methods of WebDAV are a part of both editions."""
    async with ArtifactoryServer(edition=edition) as server:
        server.put("generic-local/d/a & b.txt", DATA)
        server.make_folder("generic-local/d/e")
        for depth, expected in (("0", ["/d/"]), ("1", ["/d/", "/d/a%20%26%20b.txt", "/d/e/"])):
            found = await ask(server, "PROPFIND", "/generic-local/d", headers=admin | {"Depth": depth})
            hrefs = [each.text for each in ET.fromstring(found.body).iter("{DAV:}href")]
            assert (found.status, sorted(hrefs)) == (207, [f"/artifactory/generic-local{path}" for path in expected])
        file = ET.fromstring((await ask(server, "PROPFIND", "/generic-local/d/a%20&%20b.txt")).body)
        assert [each.text for each in file.iter("{DAV:}getcontentlength")] == [str(len(DATA))]
        assert (await ask(server, "PROPFIND", "/generic-local/missing")).status == 404
        assert (await ask(server, "PROPPATCH", "/generic-local/d", body=b"<x/>")).status == 200
        assert (await ask(server, "UNLOCK", "/generic-local/d")).status == 204
        lock = await ask(server, "LOCK", "/generic-local/d")
        assert (lock.status, lock.message) == (400, "Bad lock request")
        lock = await ask(server, "LOCK", "/generic-local/d", body=LOCK_INFO)
        assert (lock.status, lock.headers["lock-token"][1:17]) == (200, "opaquelocktoken:")
        move = await ask(server, "MOVE", "/generic-local/d")
        assert (move.status, move.message) == (400, "Header 'Destination' is required.")
        destination = admin | {"Destination": f"{server.url}/generic-local/new%20name"}
        assert (await ask(server, "MOVE", "/generic-local/d", headers=destination)).status == 200
        assert server.read("generic-local/new name/a & b.txt") == DATA
        assert not server.exists("generic-local/d")


@pytest.mark.parametrize(
    "destination", ["http://elsewhere/other/x", "%zz", "http://[", "/artifactory/generic-local/a|b"]
)
async def test_row_2_9_move_to_nowhere(server, ask, admin, destination):
    """A destination outside of the server is refused, and everything stays."""
    server.put("generic-local/a", DATA)
    answer = await ask(server, "MOVE", "/generic-local/a", headers=admin | {"Destination": destination})
    assert answer.status == 400
    assert server.read("generic-local/a") == DATA


async def test_row_2_9_webdav_needs_rights(server, ask, basic):
    """A reader lists and changes nothing; a stranger does not even list."""
    server.put("generic-local/a", DATA)
    for name in ("reader", "stranger"):
        server.add_user(name, password="pw")
    server.grant("reader", "generic-local", "r")
    to = {"Destination": f"{server.url}/generic-local/b"}
    for method in ("LOCK", "UNLOCK", "PROPPATCH", "MOVE"):
        answer = await ask(server, method, "/generic-local/a", headers=basic("reader", "pw") | to, body=LOCK_INFO)
        assert answer.status == 403
    assert (await ask(server, "PROPFIND", "/generic-local/a", headers=basic("reader", "pw"))).status == 207
    assert (await ask(server, "PROPFIND", "/generic-local/a", headers=basic("stranger", "pw"))).status == 403
    assert server.read("generic-local/a") == DATA


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("PURGE", 405), ("COPY", 405)])
async def test_row_2_10_allow(server, ask, method, status):
    """The list is that of WebDAV alone."""
    answer = await ask(server, method, "/generic-local/a")
    assert (answer.status, answer.headers["allow"]) == (
        status,
        "mkcol,move,propfind,unlock,post,proppatch,options,lock,delete",
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
async def test_row_2_12_checksum_never_given(server, ask, algorithm):
    """The message names the file, not its checksum."""
    await ask(server, "PUT", "/generic-local/d/f", body=DATA)
    answer = await ask(server, "GET", f"/generic-local/d/f.{algorithm}")
    assert (answer.status, answer.message) == (404, "Checksum not found for generic-local/d/f")


async def test_row_2_13_checksum_as_a_resource(server, ask, admin):
    """Ranges are served, and HEAD has the headers of the file."""
    server.put("generic-local/f", DATA)
    digest = hashlib.sha1(DATA).hexdigest()
    part = await ask(server, "GET", "/generic-local/f.sha1", headers=admin | {"Range": "bytes=2-5"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, digest[2:6].encode(), "bytes 2-5/40")
    behind = await ask(server, "GET", "/generic-local/f.sha1", headers=admin | {"Range": "bytes=40-"})
    assert (behind.status, behind.headers["content-range"]) == (416, "bytes */40")
    head = await ask(server, "HEAD", "/generic-local/f.sha1")
    assert (head.status, head.headers["etag"], head.headers["accept-ranges"]) == (200, digest, "bytes")
    names = {"content-disposition", "x-artifactory-filename", "x-checksum-sha1", "x-checksum-md5", "x-checksum-sha256"}
    assert names <= head.headers.keys()
    assert head.headers["content-length"] == "40"


@pytest.mark.parametrize("path", ["f", "f.sha1"])
async def test_row_2_14_not_modified(server, ask, admin, path):
    """304 says nothing of a body that is not there."""
    server.put("generic-local/f", DATA)
    headers = admin | {"If-None-Match": hashlib.sha1(DATA).hexdigest()}
    answer = await ask(server, "GET", f"/generic-local/{path}", headers=headers)
    assert (answer.status, answer.body) == (304, b"")
    assert not {"content-type", "content-length", "transfer-encoding"} & answer.headers.keys()


ORIGIN = {
    "X-Artifactory-Created-By": "alice",
    "X-Artifactory-Modified-By": "bob",
    "X-Artifactory-Created": "1000",
    "X-Artifactory-Last-Modified": "2000",
}


async def test_row_2_15_names_and_dates_of_an_administrator(server, ask, admin, basic):
    """What replication sends is taken over; other users are who they are."""
    await ask(server, "PUT", "/generic-local/a", body=b"before")
    for _ in range(2):
        answer = await ask(server, "PUT", "/generic-local/a", headers=admin | ORIGIN, body=DATA)
        assert answer.json()["createdBy"] == "alice"
        info = (await ask(server, "GET", "/api/storage/generic-local/a")).json()
        assert (info["createdBy"], info["modifiedBy"]) == ("alice", "bob")
        assert (info["created"], info["lastModified"]) == ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z")
    await ask(server, "PUT", "/generic-local/a", body=b"later")
    info = (await ask(server, "GET", "/api/storage/generic-local/a")).json()
    assert (info["createdBy"], info["modifiedBy"]) == ("alice", "admin")
    server.add_user("ci", password="pw")
    server.grant("ci", "generic-local", "rwd")
    assert (await ask(server, "PUT", "/generic-local/b", headers=basic("ci", "pw") | ORIGIN, body=DATA)).json()[
        "createdBy"
    ] == "ci"


async def test_row_2_17_properties_as_xml(server, ask):
    """A declaration, and a line for each element."""
    server.put("generic-local/a", DATA, properties={"k": "v", "l": "w"})
    answer = await ask(server, "GET", "/api/storage/generic-local/a?propertiesXml")
    first, *lines = answer.body.decode().splitlines()
    assert first == '<?xml version="1.0" encoding="UTF-8"?>'
    assert [line.strip() for line in lines] == ["<properties>", "<k>v</k>", "<l>w</l>", "</properties>"]


async def test_row_2_18_unknown_date_field(server, ask):
    """The list has the fields in the server's order; the fourth of them is known, and finds nothing."""
    server.put("generic-local/a", DATA)
    answer = await ask(server, "GET", "/api/search/dates?from=0&dateFields=born")
    assert answer.message == (
        "Date field name 'born' unknown!, possible values are:"
        " [lastModified, created, lastDownloaded, remote_last_downloaded]"
    )
    answer = await ask(server, "GET", "/api/search/dates?from=0&dateFields=remote_last_downloaded")
    assert (answer.status, answer.message) == (404, "No results found.")


async def test_row_2_19_properties_by_aql(server, ask, basic):
    """Administrators find the properties of items by key, value and item; others get no rows."""
    server.put("generic-local/a.txt", DATA, properties={"k": ["v", "w"], "l": "x"})
    server.add_user("reader", password="pw")
    server.grant("reader", "**")
    query = b'properties.find({"key":"k","item.name":"a.txt"}).include("value","item.name")'
    answer = await ask(server, "POST", "/api/search/aql", body=query)
    assert sorted(answer.json()["results"], key=str) == [
        {"items": [{"name": "a.txt"}], "value": "v"},
        {"items": [{"name": "a.txt"}], "value": "w"},
    ]
    answer = await ask(server, "POST", "/api/search/aql", headers=basic("reader", "pw"), body=query)
    assert (answer.status, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 401)])
async def test_row_3_1_anonymous_without_password(ask, basic, allowed, status):
    """The credentials of clients that always send some count as none."""
    async with ArtifactoryServer(anonymous=allowed) as server:
        server.put("generic-local/a", DATA)
        server.grant("anonymous", "generic-local")
        assert (await ask(server, "GET", "/generic-local/a", headers=basic("anonymous", ""))).status == status
        assert (await ask(server, "GET", "/generic-local/a", headers=basic("anonymous", "x"))).status == 401


@pytest.mark.parametrize("spelling", ["True", "TRUE", "tRuE"])
async def test_row_3_2_booleans_of_any_case(server, ask, admin, spelling):
    """Headers and forms are read as Java reads booleans."""
    server.put("generic-local/a", DATA)
    headers = admin | {"X-Checksum-Deploy": spelling, "X-Checksum-Sha1": hashlib.sha1(DATA).hexdigest()}
    assert (await ask(server, "PUT", "/generic-local/b", headers=headers, body=b"")).status == 201
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x", DATA)
    headers = admin | {"X-Explode-Archive": spelling}
    assert (await ask(server, "PUT", "/generic-local/z.zip", headers=headers, body=archive.getvalue())).status == 200
    assert server.read("generic-local/x") == DATA
    headers = admin | {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"username=admin&refreshable={spelling}".encode()
    assert "refresh_token" in (await ask(server, "POST", "/api/security/token", headers=headers, body=body)).json()


async def test_row_3_3_null_is_the_default(server, ask, admin):
    """Fields without a value are those that are not sent; in a change they go back to the default."""
    headers = admin | {"Content-Type": "application/json"}
    sent = {"rclass": "remote", "url": "http://example.org", "password": None, "username": None, "packageType": None}
    path = "/api/repositories/mirror"
    assert (await ask(server, "PUT", path, headers=headers, body=json.dumps(sent).encode())).status == 200
    assert (await ask(server, "GET", path)).json()["password"] == ""
    for value, shown in (("secret", "***"), (None, "")):
        body = json.dumps({"password": value}).encode()
        assert (await ask(server, "POST", path, headers=headers, body=body)).status == 200
        assert (await ask(server, "GET", path)).json()["password"] == shown
    wrong = await ask(server, "POST", path, headers=headers, body=b'{"password": 1}')
    assert wrong.status == 400


@pytest.mark.parametrize(("package_type", "enabled"), [("debian", True), ("generic", False)])
async def test_row_3_4_debian_repository(server, ask, package_type, enabled):
    """The configuration says which package types are on."""
    server.create_repository("r", package_type=package_type)
    assert (await ask(server, "GET", "/api/repositories/r")).json()["enableDebianSupport"] is enabled


@pytest.mark.parametrize("edition", ["oss", "pro"])
async def test_row_3_5_encrypted_password(ask, admin, basic, edition):
    """It works as the password of its user, and of no other user."""
    async with ArtifactoryServer(edition=edition) as server:
        server.add_user("ci", password="password")
        answer = await ask(server, "GET", "/api/security/encryptedPassword")
        encrypted = answer.body.decode()
        assert (answer.status, "password" in encrypted) == (200, False)
        assert (await ask(server, "GET", "/api/system/ping", headers=basic("admin", encrypted))).status == 200
        assert (await ask(server, "GET", "/api/system/ping", headers=basic("ci", encrypted))).status == 401
        token = {"Authorization": f"Bearer {server.issue_token('robot')}"}
        assert (await ask(server, "GET", "/api/security/encryptedPassword", headers=token)).status == 409
        assert (await ask(server, "GET", "/api/security/encryptedPassword", headers={})).status == 401


async def test_row_3_6_exploded_archive(server, ask, admin):
    """The answer has no body that a client could take for JSON."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x", DATA)
    headers = admin | {"X-Explode-Archive": "true"}
    answer = await ask(server, "PUT", "/generic-local/z.zip", headers=headers, body=archive.getvalue())
    assert (answer.status, answer.body) == (200, b"")


async def test_row_3_11_reports_of_clients(server, ask, admin):
    """What jf and the Java client call beside their work is served."""
    headers = admin | {"Content-Type": "application/json"}
    body = b'{"productId": "jfrog-cli-go/2.112", "features": [{"featureId": "rt_ping"}]}'
    assert (await ask(server, "POST", "/api/system/usage", headers=headers, body=body)).status in (200, 202)
    assert (await ask(server, "GET", "/api/system/info")).json()["numberOfCores"] > 0
    assert (await ask(server, "GET", "/api/plugins")).json() == {}


MODIFIED = datetime(2024, 3, 5, 8, 12, tzinfo=UTC)


async def test_row_2_8_html_listing(ask):
    """Every byte of a page, but for the address of the server."""
    async with ArtifactoryServer(clock=MODIFIED.timestamp) as server:
        server.put("generic-local/d/it's \u00e4 <&>.txt", b"x" * 1500, modified=MODIFIED)
        server.put("generic-local/d/empty", b"", modified=MODIFIED)
        server.make_folder("generic-local/d/sub")
        answer = await ask(server, "GET", "/generic-local/d/")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
        assert answer.body.decode().partition("<hr/><address")[0] == (
            '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n'
            "<head><title>Index of generic-local/d</title>\n</head>\n<body>\n<h1>Index of generic-local/d</h1>\n"
            "<pre>Name            Last modified      Size</pre><hr/>\n"
            '<pre><a href="../">../</a>\n'
            '<a href="sub/">sub/</a>            05-Mar-2024 08:12    -\n'
            '<a href="empty">empty</a>            05-Mar-2024 08:12  -\n'
            '<a href="it%27s%20%C3%A4%20%3C%26%3E.txt">it&apos;s &#228; &lt;&amp;&gt;.txt</a>'
            "   05-Mar-2024 08:12  1.46 KB\n"
            "</pre>\n"
        )


async def test_row_2_8_html_listing_of_a_root(server, ask):
    """The title of the root ends in a slash, an empty one says so, and short names are as wide as the heading."""
    page = (await ask(server, "GET", "/generic-local/")).body.decode()
    assert "<title>Index of generic-local/</title>" in page
    assert "<h1>Index of generic-local/</h1>" in page
    assert "<pre>No items found.\n</pre>" in page
    server.put("generic-local/a", DATA)
    page = (await ask(server, "GET", "/generic-local/")).body.decode()
    assert "<pre>Name  Last modified      Size</pre>" in page
    assert re.search(r"</a>      \d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d  7 bytes\n", page)


async def test_row_2_8_html_listing_without_permission(server, ask, basic):
    """A user who may not read gets an empty page; a folder that does not exist is 404 all the same."""
    server.put("generic-local/d/secret", DATA)
    server.add_user("ci", password="pw")
    answer = await ask(server, "GET", "/generic-local/d/", headers=basic("ci", "pw"))
    assert (answer.status, b"secret" in answer.body) == (200, False)
    assert (await ask(server, "GET", "/generic-local/x/", headers=basic("ci", "pw"))).status == 404


@pytest.mark.parametrize("edition", ["oss", "pro"])
async def test_row_3_7_snapshots_of_maven(ask, edition):
    """Plain PUTs of pom and jar are numbered, and resolve by the metadata that the server computes."""
    async with ArtifactoryServer(edition=edition) as server:
        server.create_repository("libs", package_type="maven")
        folder = "/libs/org/app/1.0-SNAPSHOT"
        for build in (1, 2):
            for extension in ("pom", "jar"):
                await ask(server, "PUT", f"{folder}/app-1.0-SNAPSHOT.{extension}", body=f"{extension} {build}".encode())
        root = ET.fromstring((await ask(server, "GET", f"{folder}/maven-metadata.xml")).body)
        assert root.findtext("versioning/snapshot/buildNumber") == "2"
        named = {each.findtext("extension"): each.findtext("value") for each in root.iter("snapshotVersion")}
        for extension in ("pom", "jar"):
            answer = await ask(server, "GET", f"{folder}/app-{named[extension]}.{extension}")
            assert answer.body == f"{extension} 2".encode()
        root = ET.fromstring((await ask(server, "GET", "/libs/org/app/maven-metadata.xml")).body)
        assert root.findtext("versioning/latest") == "1.0-SNAPSHOT"


async def test_row_3_8_storage_under_another_host_name(ask):
    """Clients that compare host names drop their credentials on the way; the name is an option."""
    for options, expected in (({}, "localhost"), ({"storage_host": "127.0.0.1"}, "127.0.0.1")):
        async with ArtifactoryServer(redirect_over=1, **options) as server:
            server.put("generic-local/a", DATA)
            location = (await ask(server, "GET", "/generic-local/a")).headers["location"]
            assert urlsplit(location).hostname == expected
            assert location.startswith(server.storage_origin)
            signed = await ask(
                server, "GET", location.removeprefix(server.storage_origin), headers={}, origin=server.storage_origin
            )
            assert signed.body == DATA


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PATCH", "/api/metadata/generic-local/a"), ("PUT", "/api/repositories/new"), ("POST", "/api/search/aql")),
        *(("PUT", "/api/build"), ("POST", "/api/build/append/app/1"), ("POST", "/api/build/promote/app/1")),
    ],
)
async def test_deeply_nested_documents_are_refused(server, ask, admin, method, path):
    """More levels than a parser can follow are a malformed request, not a fault of the server."""
    server.put("generic-local/a", DATA)
    body = b"items.find(" + b'{"$and":[' * 20_000 if path.endswith("aql") else b"[" * 100_000
    headers = admin if path.endswith("aql") else admin | {"Content-Type": "application/json"}
    assert (await ask(server, method, path, headers=headers, body=body)).status == 400
    assert (await ask(server, "GET", "/generic-local/a")).body == DATA


async def test_row_3_13_python_packages(ask):
    """A deployed package is in the index, with its SHA-256; pip and twine do their jobs in tests/witnesses."""
    async with ArtifactoryServer(edition="pro") as server:
        server.create_repository("pypi", package_type="pypi")
        server.put("pypi/app/1.0/app-1.0.zip", DATA, properties={"pypi.normalized.name": "app"})
        page = (await ask(server, "GET", "/api/pypi/pypi/simple/app/")).body.decode()
        digest = hashlib.sha256(DATA).hexdigest()
        assert f'<a href="../../app/1.0/app-1.0.zip#sha256={digest}" rel="internal">app-1.0.zip</a>' in page


async def test_row_3_9_users_groups_permissions(ask, admin, basic):
    """What jf, dohq-artifactory, the Java client and Terraform create decides who reads."""
    async with ArtifactoryServer() as server:
        server.put("generic-local/a.bin", b"content")
        for path, document in (
            ("security/groups/team", {}),
            ("security/users/ann", {"email": "ann@example.com", "password": "pw", "groups": ["team"]}),
            (
                "v2/security/permissions/target",
                {"repo": {"repositories": ["generic-local"], "actions": {"groups": {"team": ["read"]}}}},
            ),
        ):
            answer = await ask(server, "PUT", f"/api/{path}", body=json.dumps(document).encode())
            assert answer.status in (200, 201)
            assert (await ask(server, "GET", f"/api/{path}")).status == 200
        assert (await ask(server, "GET", "/api/security/permissions")).json()[0]["name"] == "target"
        assert (await ask(server, "GET", "/generic-local/a.bin", headers=basic("ann", "pw"))).status == 200
        assert (await ask(server, "DELETE", "/api/v2/security/permissions/target")).status == 200
        assert (await ask(server, "GET", "/generic-local/a.bin", headers=basic("ann", "pw"))).status == 403


@pytest.mark.parametrize("edition", ["oss", "pro"])
async def test_row_3_10_builds(ask, edition):
    """What a CI server publishes is read back, and its artifacts are found as jf does for ``dl --build``."""
    async with ArtifactoryServer(edition=edition) as server:
        server.put("generic-local/app.bin", DATA, properties={"build.name": "app", "build.number": "1"})
        artifact = {"name": "app.bin", "sha1": hashlib.sha1(DATA).hexdigest()}
        build = {"name": "app", "number": "1", "started": "2024-06-01T12:00:00.000+0000"}
        body = json.dumps(build | {"modules": [{"id": "app", "artifacts": [artifact]}]}).encode()
        assert (await ask(server, "PUT", "/api/build", body=body)).status == 204
        assert (await ask(server, "GET", "/api/build")).json()["builds"][0]["uri"] == "/app"
        assert (await ask(server, "GET", "/api/build/app/1")).json()["buildInfo"]["modules"][0]["id"] == "app"
        by_build = '"artifact.module.build.name":"app","artifact.module.build.number":"1"'
        query = f'items.find({{"$or":[{{"$and":[{{{by_build}}}]}}]}}).include("name","repo","path","actual_sha1")'
        (found,) = (await ask(server, "POST", "/api/search/aql", body=query.encode())).json()["results"]
        assert (found["name"], found["actual_sha1"]) == ("app.bin", artifact["sha1"])
        rows = (await ask(server, "POST", "/api/search/aql", body=b'builds.find({"name":"app"})')).json()["results"]
        assert [row["build.number"] for row in rows] == ["1"]


async def test_row_3_12_tokens_below_the_context_path(ask):
    """A token is issued where pyartifactory asks for it."""
    async with ArtifactoryServer(profile="7.x") as server:
        headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/x-www-form-urlencoded"}
        body = b"username=admin&expires_in=600&refreshable=False&scope=applied-permissions%2Fuser"
        answer = await ask(server, "POST", "/access/api/v1/tokens", headers=headers, body=body)
        assert (answer.status, answer.json()["token_type"]) == (200, "Bearer")


async def test_row_3_14_control_over_http(ask, tmp_path):
    """Tests in other languages script faults, read the log, add users, seed and reset by plain requests."""
    (tmp_path / "seed.bin").write_bytes(DATA)
    async with ArtifactoryServer(control=True) as server:
        token = {"Authorization": f"Bearer {server.control_token}"}

        async def control(method, path, /, **members):
            where = urlsplit(server.control_url)
            body = json.dumps(members).encode() if members else None
            origin = f"{where.scheme}://{where.netloc}"
            answer = await ask(server, method, f"{where.path}{path}", headers=token, body=body, origin=origin)
            assert answer.status in (200, 204), answer.body
            return answer.json() if answer.body else None

        await control("POST", "/seed", folder=str(tmp_path), path="generic-local/seeded")
        await control("POST", "/users", name="ann", password="pw")
        await control("POST", "/faults", fault={"status": {"status": 503}})
        statuses = [(await ask(server, "GET", "/generic-local/seeded/seed.bin")).status for _ in range(2)]
        assert statuses == [503, 200]
        logged = await control("GET", "/requests?path=generic-local/**")
        assert [each["status"] for each in logged["requests"]] == statuses
        assert "ann" in json.dumps(await control("GET", "/users"))
        await control("POST", "/reset")
        assert (await ask(server, "GET", "/generic-local/seeded/seed.bin")).status == 404


@pytest.mark.parametrize("path", ["/api/npm/npm/app", "/api/docker/docker/v2/", "/api/conan/conan/v1/ping"])
async def test_row_3_13_other_package_types(server, ask, path):
    """They are not served; docs/endpoints.md says so."""
    answer = await ask(server, "GET", path)
    assert (answer.status, answer.message) == (404, "Not Found")


def test_every_row_has_a_test():
    """The tables have the rows 2.1 to 2.20 and 3.1 to 3.14."""
    found = re.findall(r"def test_row_(\d+)_(\d+)_", Path(__file__).read_text("utf-8"))
    rows = {(int(section), int(row)) for section, row in found}
    assert rows == {(2, row) for row in range(1, 21)} | {(3, row) for row in range(1, 15)}
