"""GET and HEAD of files and folders, header by header."""

import hashlib
import zlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from aioartifact.testing import ArtifactoryServer

DATA = bytes(range(256)) * 8
MODIFIED = datetime(2024, 3, 5, 8, 12, 31, 219000, tzinfo=UTC)
SHA1 = hashlib.sha1(DATA).hexdigest()
FILE = "/generic-local/org/app.jar"


@pytest.fixture
def stored(server):
    server.put("generic-local/org/app.jar", DATA, modified=MODIFIED)
    return server


async def test_file_has_exactly_these_headers(stored, ask):
    """A download carries the documented headers and no other."""
    answer = await ask(stored, "GET", FILE)
    date = answer.headers.pop("date")
    assert date.endswith(" GMT")
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers == {
        "server": "Artifactory/6.20.0",
        "x-artifactory-id": "6d70dcfd451c8e98:237a9c5d:1792f16ad1d:-8000",
        "x-artifactory-node-id": "artifactory-primary-0",
        "last-modified": "Tue, 05 Mar 2024 08:12:31 GMT",
        "etag": SHA1,
        "x-checksum-sha1": SHA1,
        "x-checksum-sha256": hashlib.sha256(DATA).hexdigest(),
        "x-checksum-md5": hashlib.md5(DATA).hexdigest(),
        "accept-ranges": "bytes",
        "x-artifactory-filename": "app.jar",
        "content-disposition": "attachment; filename=\"app.jar\"; filename*=UTF-8''app.jar",
        "content-type": "application/java-archive",
        "content-length": "2048",
        "connection": "close",
    }


async def test_head_is_get_without_body(stored, ask):
    """HEAD has the same headers, and no range applies to it."""
    get = await ask(stored, "GET", FILE)
    stored.clear_log()
    head = await ask(stored, "HEAD", FILE, headers=ask_range(0, 3))
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}
    assert stored.requests[0].bytes_sent == 0


def ask_range(first, last):
    from_admin = {"Authorization": "Basic YWRtaW46cGFzc3dvcmQ="}
    return {**from_admin, "Range": f"bytes={first}-{last}"}


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 5_000_000])
async def test_every_size_arrives_whole(server, ask, size):
    """Small files leave in one write, big ones by way of the kernel; the bytes are the same."""
    server.put_synthetic("generic-local/a.bin", size, seed=size)
    answer = await ask(server, "GET", "/generic-local/a.bin")
    assert answer.headers["content-length"] == str(size)
    assert answer.body == server.read("generic-local/a.bin")
    assert server.requests[0].bytes_sent == size


async def test_file_is_never_compressed(server, ask, admin):
    """Accept-Encoding changes nothing about an artifact, gzip inside or not."""
    packed = zlib.compress(b"x" * 1000)
    server.put("generic-local/a.gz", packed)
    answer = await ask(server, "GET", "/generic-local/a.gz", headers=admin | {"Accept-Encoding": "gzip, br"})
    assert answer.body == packed
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("name", "encoded", "raw"),
    [
        pytest.param("a b.txt", "a%20b.txt", "a b.txt", id="space"),
        pytest.param("a&b=c+d;e,f.txt", "a&b=c+d;e,f.txt", "a&b=c+d;e,f.txt", id="raw punctuation"),
        pytest.param("100%.txt", "100%25.txt", "100%.txt", id="percent"),
        pytest.param("ü日.txt", "%C3%BC%E6%97%A5.txt", "ü?.txt", id="beyond ascii"),
        pytest.param("a\r\nX: y.txt", "a%0D%0AX:%20y.txt", "a  X: y.txt", id="line break"),
    ],
)
async def test_file_names_in_headers(server, ask, name, encoded, raw):
    """The encoded name is exact; the raw one is Latin-1 and can never end a header."""
    server.put(f"generic-local/{name}", b"x")
    answer = await ask(server, "GET", "/generic-local/" + quote(name, safe=""))
    assert answer.headers["x-artifactory-filename"] == encoded
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{raw}\"; filename*=UTF-8''{encoded}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"If-None-Match": SHA1}, 304, id="bare etag"),
        pytest.param({"If-None-Match": f'"{SHA1}"'}, 200, id="quoted etag"),
        pytest.param({"If-None-Match": "*"}, 200, id="star"),
        pytest.param({"If-Modified-Since": "Tue, 05 Mar 2024 08:12:31 GMT"}, 304, id="same second"),
        pytest.param({"If-Modified-Since": "Tue, 05 Mar 2024 08:12:30 GMT"}, 200, id="modified since"),
        pytest.param(
            {"If-Modified-Since": "Tue, 05 Mar 2024 08:12:31 GMT", "If-None-Match": "x"}, 200, id="other etag wins"
        ),
        pytest.param(
            {"If-Modified-Since": "Tue, 05 Mar 2024 08:12:30 GMT", "If-None-Match": SHA1}, 200, id="newer date wins"
        ),
        pytest.param({"If-Match": "x"}, 200, id="if-match is ignored"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_conditional_requests(stored, ask, admin, headers, status, method):
    """Conditions compare the bare SHA-1 as text and the date by the second."""
    answer = await ask(stored, method, FILE, headers=admin | headers)
    assert answer.status == status
    if status == 304:
        assert (answer.body, answer.headers["etag"]) == (b"", SHA1)


@pytest.mark.parametrize(
    ("headers", "status", "content_range", "expected"),
    [
        pytest.param({"Range": "bytes=2-5"}, 206, "bytes 2-5/2048", DATA[2:6], id="both ends"),
        pytest.param({"Range": "bytes=2000-"}, 206, "bytes 2000-2047/2048", DATA[2000:], id="to the end"),
        pytest.param({"Range": "bytes=2048-"}, 416, "bytes */2048", b"", id="beyond"),
        pytest.param({"Range": "nonsense"}, 200, None, DATA, id="malformed"),
        pytest.param({"Range": "bytes=2-5", "If-Range": SHA1}, 206, "bytes 2-5/2048", DATA[2:6], id="same etag"),
        pytest.param({"Range": "bytes=2-5", "If-Range": f'"{SHA1}"'}, 200, None, DATA, id="quoted etag"),
        pytest.param({"Range": "bytes=2-5", "If-Range": "x"}, 200, None, DATA, id="other etag"),
    ],
)
async def test_ranges_on_the_wire(stored, ask, admin, headers, status, content_range, expected):
    """One range is 206 with the file's headers, an impossible one 416 with none of them."""
    answer = await ask(stored, "GET", FILE, headers=admin | headers)
    assert (answer.status, answer.body) == (status, expected)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(expected))
    assert (answer.headers.get("etag") == SHA1) is (status != 416)


async def test_several_ranges_are_multipart(stored, ask, admin):
    """Two ranges come as two parts, and the length is exact."""
    answer = await ask(stored, "GET", FILE, headers=admin | {"Range": "bytes=10-11,2-3"})
    part = (
        "--BCD64322345343217845286A\r\nContent-Type: application/java-archive\r\nContent-Range: bytes {}/2048\r\n\r\n"
    )
    expected = part.format("2-3").encode() + DATA[2:4]
    expected += b"\r\n" + part.format("10-11").encode() + DATA[10:12] + b"--BCD64322345343217845286A--\r\n"
    assert (answer.status, answer.body) == (206, expected)
    assert answer.headers["content-length"] == str(len(expected))
    assert answer.headers["content-type"] == "multipart/byteranges; boundary=BCD64322345343217845286A"


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha256"])
async def test_checksum_sibling_is_what_the_client_supplied(server, ask, algorithm):
    """A supplied checksum is served bare; one that was never supplied is 404 under the client policy."""
    server.put("generic-local/a", DATA)
    server.put("generic-local/b", DATA, original=False)
    server.create_repository("trusting", checksum_policy="server")
    server.put("trusting/b", DATA, original=False)
    found = await ask(server, "GET", f"/generic-local/a.{algorithm}")
    assert found.body.decode() == server.checksums("generic-local/a")[algorithm]
    assert found.headers["content-type"] == "application/x-checksum"
    assert "etag" not in found.headers
    assert (
        await ask(server, "GET", f"/generic-local/b.{algorithm}")
    ).message == "Checksum not found for generic-local/b"
    assert (await ask(server, "GET", f"/generic-local/c.{algorithm}")).message == "File not found."
    assert (await ask(server, "GET", f"/trusting/b.{algorithm}")).body == found.body


@pytest.mark.parametrize(
    ("matrix", "status"),
    [
        (";os=linux", 200),
        (";os=win", 404),
        (";other=x", 200),
        (";other+=x", 404),
        (";os+=linux", 200),
        (";os+", 200),
        (";os=", 200),
        (";multi=a;multi=b", 200),
        (";multi=a", 404),
    ],
)
async def test_matrix_parameters_select(server, ask, matrix, status):
    """Value sets must be equal where the item has the key; ``+`` demands the key."""
    server.put("generic-local/a", b"x", properties={"os": "linux", "multi": ["b", "a"]})
    answer = await ask(server, "GET", f"/generic-local/a{matrix}")
    assert answer.status == status
    if status == 404:
        assert answer.message == "File 'generic-local:a' was found, but mandatory properties do not match."


@pytest.mark.parametrize("path", ["/generic-local/missing", "/generic-local/org/missing", "/generic-local/a%00"])
async def test_missing_file(server, ask, path):
    """A missing file is the text clients look for."""
    assert (await ask(server, "GET", path)).message == "File not found."


async def test_paths_that_are_no_repository(server, ask):
    """An unknown key is the container's 404, a path outside the context the router's, a bad one 400."""
    assert (await ask(server, "GET", "/unknown/a")).message == "Not Found"
    assert (await ask(server, "PUT", "/unknown/a", body=b"x")).message == "Not Found"
    outside = await ask(server, "GET", "/elsewhere", origin=server.origin)
    assert (outside.status, outside.body) == (404, b"404 page not found")
    assert (await ask(server, "GET", "/generic-local/%zz")).status == 400


async def test_other_methods(server, ask):
    """POST and PATCH are not allowed on items; OPTIONS lists WebDAV."""
    for method in ("POST", "PATCH"):
        answer = await ask(server, method, "/generic-local/a", body=b"")
        assert (answer.status, answer.headers["allow"], answer.body) == (405, "GET,PUT,DELETE", b"")
    assert (await ask(server, "OPTIONS", "/generic-local/a")).headers["dav"] == "1,2"


async def test_folder_without_slash_is_a_redirect(stored, ask):
    """A folder's reader is sent to the path with a slash, without the query."""
    for path in ("/generic-local/org?x=y", "/generic-local"):
        answer = await ask(stored, "GET", path)
        assert answer.status == 302
        assert answer.headers["location"] == f"{stored.url}{path.partition('?')[0]}/"


async def test_folder_with_slash_is_an_index(server, ask):
    """The index lists folders first, links encoded, text escaped; HEAD is without body."""
    server.put("generic-local/org/a b<.txt", b"x" * 1500, modified=MODIFIED)
    server.put("generic-local/org/zoo/x", b"x")
    page = (await ask(server, "GET", "/generic-local/org/")).body.decode()
    assert page.index('<a href="zoo/">zoo/</a>') < page.index('<a href="a%20b%3C.txt">a b&lt;.txt</a>')
    assert '<a href="../">../</a>' in page
    assert "05-Mar-2024 08:12  1.46 KB" in page
    assert (await ask(server, "HEAD", "/generic-local/org/")).body == b""
    root = (await ask(server, "GET", "/generic-local/")).body.decode()
    assert '<a href="../">' not in root
    assert (await ask(server, "GET", "/generic-local/nowhere/")).message == "Couldn't find item: generic-local:nowhere"
    assert (await ask(server, "GET", "/generic-local/org/zoo/x/")).status == 404


async def test_legacy_browsing_prefix(stored, ask):
    """``list/`` in front of the repository shows the same page."""
    assert (await ask(stored, "GET", "/list/generic-local/org/")).body == (
        await ask(stored, "GET", "/generic-local/org/")
    ).body


async def test_properties_through_the_download_url(stored, ask):
    """The parameter turns a download into JSON under the file's headers."""
    stored.put("generic-local/p", b"x", properties={"b": "1", "a": ["y", "x"]})
    answer = await ask(stored, "GET", "/generic-local/p?properties")
    assert answer.json() == {"properties": {"a": ["y", "x"], "b": ["1"]}, "uri": "generic-local/p"}
    assert answer.headers["etag"] == stored.checksums("generic-local/p")["sha1"]
    assert (await ask(stored, "GET", f"{FILE}?properties")).message == "No properties could be found."


async def test_links_follow_the_proxy(stored, ask, admin):
    """Base URLs given by a proxy in front appear in links."""
    for header, value, base in (
        ("X-JFrog-Override-Base-Url", "https://repo.example", "https://repo.example/artifactory"),
        ("X-Artifactory-Override-Base-Url", "https://repo.example/x", "https://repo.example/x"),
    ):
        answer = await ask(stored, "GET", "/generic-local", headers=admin | {header: value})
        assert answer.headers["location"] == f"{base}/generic-local/"


@pytest.mark.parametrize("context_path", ["", "/deep/er"])
async def test_other_context_paths(ask, context_path):
    """The context path may be empty or deeper."""
    async with ArtifactoryServer(context_path=context_path) as server:
        server.put("generic-local/a", b"x")
        assert server.url == server.origin + context_path
        assert (await ask(server, "GET", "/generic-local/a")).body == b"x"
