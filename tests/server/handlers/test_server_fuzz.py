"""
Whatever a client sends, the server answers or refuses it: never a 5xx, but for those the real server is known for.

One server takes everything, in order of invention; what earlier examples left behind is part of the fuzz.
"""

import json
import socket
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aioartifact.testing import ThreadedArtifactoryServer

pytestmark = pytest.mark.slow

ADMIN = "Authorization: Basic YWRtaW46cGFzc3dvcmQ="
READER = "Authorization: Basic cmVhZGVyOnB3"
# Artifactory's own 500s, see section 9.9 of the description: folders where no local repository takes them, and names.
KNOWN_500 = (
    "is not a local repository",
    "is not a valid name character",
    "Path cannot have a space after a slash",
    "Path element cannot end with a dot",
    "Path cannot have single ampersand",
    "Expected a file but found a folder",
    "Expected a folder but found a file",
    "must be a folder",
)


BUILD = {
    "name": "fuzzed",
    "number": "1",
    "started": "2024-06-01T12:00:00.000+0200",
    "url": "https://ci.example.com",
    "properties": {"k": "v"},
    "statuses": [{"status": "s", "timestampDate": 1, "repository": "r", "user": "u"}],
    "issues": {"aggregateBuildIssues": True, "aggregationBuildStatus": "x", "affectedIssues": [{"key": "A-1"}]},
    "buildRetention": {"count": 5, "minimumBuildDate": 0, "buildNumbersNotToBeDiscarded": ["1"]},
    "modules": [
        {
            "id": "m",
            "properties": {"k": "v"},
            "artifacts": [{"name": "b.txt", "sha1": "040f06fd774092478d450774f5ba30c5da78acc8", "path": "a/b.txt"}],
            "dependencies": [{"id": "d", "sha1": "0" * 40, "scopes": ["test"]}],
        }
    ],
}
PROMOTION = {
    "status": "s",
    "comment": "c",
    "ciUser": "u",
    "timestamp": "2024-06-01T12:00:00.000+0200",
    "dryRun": False,
    "sourceRepo": "generic-local",
    "targetRepo": "libs",
    "copy": True,
    "dependencies": True,
    "scopes": ["test"],
    "properties": {"k": ["v"]},
    "failFast": False,
}
DELETION = {"buildName": "fuzzed", "buildNumbers": ["2"], "deleteArtifacts": True, "deleteAll": False, "project": "x"}
SEARCH = {"buildName": "fuzzed", "buildNumber": "1", "repos": ["generic-local"]}


@pytest.fixture(scope="module", params=["6.20", "7.x"])
def fuzzed(request):
    """A server with a little of everything."""
    with ThreadedArtifactoryServer(anonymous=True, profile=request.param) as server:
        server.create_repository("libs", package_type="maven", layout="maven-2-default")
        server.create_repository("trusting", checksum_policy="server")
        itself = {"url": f"{server.url}/libs", "username": server.username, "password": server.password}
        server.create_repository("mirror", kind="remote", **itself)
        server.create_repository("all", kind="virtual", members=("libs", "mirror", "generic-local"), deploy_to="libs")
        server.enable_folder_download()
        server.put("generic-local/a/b.txt", b"content", properties={"k": ["v", "w"]})
        server.put("generic-local/a/ü [x]+%;.jar", b"PK", properties={"k": ""})
        server.put("libs/org/app/1.0/app-1.0.jar", b"jar")
        server.put("libs/org/app/1.1-SNAPSHOT/app-1.1-20240305.101231-1.jar", b"jar")
        _send(server, b"PUT", b"/api/build", [ADMIN], json.dumps(BUILD).encode())
        server.add_user("reader", password="pw")
        server.grant("reader", "**", "rw", "a/**")
        yield server
        assert _status(_send(server, b"GET", b"/api/system/ping", [ADMIN])) == 200


def _send(server, method: bytes, target: bytes, headers, body: bytes = b"") -> bytes:
    """Make a request of raw bytes on a connection of its own, and return all that comes back."""
    where = urlsplit(server.url)
    lines = [f"Host: {where.netloc}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    head = b"%s %s%s HTTP/1.1\r\n" % (method, where.path.encode(), target)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(head + "\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def _status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1."), answer[:80]
    return int(answer.split(b" ", 2)[1])


def _assert_answered(answer: bytes) -> None:
    assert _status(answer) < 500 or any(each.encode() in answer for each in KNOWN_500), answer


methods = st.sampled_from(["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS", "MKCOL", "COPY", "BREW"])
users = st.sampled_from([[ADMIN], [ADMIN], [READER], [], ["Authorization: Basic x"], ["X-JFrog-Art-Api: x"]])
pieces = st.sampled_from(
    [
        *("a", "b.txt", "libs", "generic-local", "org", "app", "1.0", "app-1.0.jar", "[RELEASE]", "[INTEGRATION]"),
        *("/", "//", "/./", "..", "%2F", "%2e%2e", ";", ";k=v", ";k+=v", ";=", ";k=%", "!", "!/", ":properties"),
        *("%", "%zz", "%00", "%25", "%252B", "%0d%0a", "%ff", "+", "%2B", "ü", "%C3%BC", "%ED%A0%80", "\\", '"', "{"),
        *(".sha1", ".sha256", ".md5", "-SNAPSHOT", "maven-metadata.xml", "api", "storage", "x" * 300),
    ]
)
ENDPOINTS = [
    *(
        "",
        "/",
        "/generic-local/",
        "/libs/",
        "/trusting/",
        "/unknown/",
        "/list/generic-local/",
        "/webapp",
        "/ui/",
        "/api",
        "/api/",
    ),
    *("/api/storage/", "/api/storage/generic-local/", "/api/metadata/generic-local/", "/api/archive/download/libs/"),
    *("/api/copy/generic-local/", "/api/move/generic-local/", "/api/versions/libs/", "/api/repositories/"),
    *(f"/api/search/{name}" for name in ("aql", "artifact", "gavc", "prop", "checksum", "badChecksum", "pattern")),
    *(f"/api/search/{name}" for name in ("dates", "creation", "usage", "versions", "latestVersion", "archive", "x")),
    *("/api/system", "/api/system/configuration", "/api/system/version", "/api/storageinfo", "/api/security/apiKey"),
    *("/api/security/token", "/api/security/token/revoke", "/api/v1/uploads/config", "/api/v1/uploads/create"),
    *("/api/build", "/api/build/", "/api/build/fuzzed/", "/api/build/delete", "/api/search/buildArtifacts"),
    *(f"/api/build/{verb}/fuzzed/" for verb in ("append", "promote", "rename", "retention")),
    *("/artifactory-build-info/", "/api/builds/buildArtifacts/fuzzed/1/", "/api/search/dependency"),
    *("/api/v1/uploads/urlPart", "/api/v1/uploads/complete", "/api/v1/uploads/status", "/api/v1/uploads/abort"),
]
PARAMETERS = [
    *("list", "deep", "depth", "listFolders", "mdTimestamps", "includeRootPath", "properties", "propertiesXml"),
    *("stats", "lastModified", "permissions", "storageinfo", "trace", "recursive", "atomic", "to", "dry", "failFast"),
    *("name", "repos", "g", "a", "v", "c", "k", "md5", "sha1", "sha256", "type", "pattern", "from", "to", "query"),
    *("dateFields", "notUsedSince", "createdBefore", "remote", "archiveType", "includeChecksumFiles", "listFiles"),
    *("buildNumbers", "artifacts", "started", "diff", "buildRepo", "project", "async"),
    *("repoKey", "repoPath", "partSizeMB", "partNumber", "token", "sig", "deleteAll", "artifactory.disableRedirect"),
]
values = st.one_of(
    st.sampled_from(["", "0", "1", "-1", "9" * 30, "true", "*", "**/*", "a=b", "k=v;l=a,b|m=\\,", "generic-local"]),
    st.sampled_from(
        ["/generic-local/a", "libs/x", "generic-local:*.txt", "_any", "zip", "tar.gz", "created", "0" * 40]
    ),
    st.sampled_from(["2024-03-05", "9" * 18, "1.*", "org.app", "%", "%ff", "+", "[x", "('", "\\"]),
    st.text(max_size=8).map(lambda text: quote(text.encode("utf-8", "surrogatepass"))),
)
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS), values), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
targets = st.tuples(st.sampled_from(ENDPOINTS), st.lists(pieces, max_size=5).map("".join), queries).map(
    lambda parts: (parts[0] + parts[1] + (f"?{parts[2]}" if parts[2] else "")).encode("utf-8")
)
raw_targets = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map(str.encode),
    st.binary(max_size=20).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b"")),
).map(b"/generic-local/a/".__add__)
HEADERS = {
    "Range": ["bytes=0-1", "bytes=-1", "bytes=5-2,0-0,1-", "bytes=", "x=9-" + "9" * 30, "bytes=a-b=c"],
    "If-Range": ["x", '"x"', "Tue, 05 Mar 2024 08:12:31 GMT"],
    "If-Modified-Since": ["x", "Tue, 05 Mar 2024 08:12:31 GMT", "Tue, 35 Mar 9999 99:99:99 GMT"],
    "Last-Modified": ["Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"],
    "X-Artifactory-Last-Modified": ["-1", "9" * 30, "\u00b2"],
    "X-Checksum-Deploy": ["true", "maybe"],
    "X-Checksum-Sha1": ["", "0" * 40, "\u00fc"],
    "X-Checksum-Md5": ["\u00fc" * 32],
    "X-Artifactory-Created-By": ["\u00fc"],
    "X-Checksum": ["040f06fd774092478d450774f5ba30c5da78acc8", "x"],
    "X-Explode-Archive": ["true"],
    "X-Result-Detail": ["info, properties", ","],
    "Accept": ["text/plain", "application/json", ";;,", "*/*;q=x", "\u00fc/*"],
    "Content-Type": ["text/plain", "application/json", "application/x-www-form-urlencoded", "x"],
    "X-JFrog-Override-Base-Url": ["https://example.com", "\u00fc"],
    "X-Artifactory-Override-Base-Url": ["x y"],
}
headers = st.lists(
    st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.sampled_from(HEADERS[name]).map(f"{name}: {{}}".format)),
    max_size=3,
    unique_by=lambda line: line.partition(":")[0],
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["props", "k", "scope", "\ud800"]), inner)
    ),
    max_leaves=5,
)
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=40),
    st.sampled_from(
        [b"PK\x03\x04", b"{}", b'{"props": {"k": ["a", 1]}}', b'{"props": null}', b"grant_type=x&token=%ff"]
    ),
    documents.map(lambda value: json.dumps(value).encode()),
    documents.map(lambda value: json.dumps({"props": {"k": value}}).encode()),
)


@settings(max_examples=400)
@given(methods, targets, users, headers, bodies)
@example("GET", b"/generic-local/a/b.txt?properties=%ff", [ADMIN], [], b"")
def test_any_request_is_answered_or_refused(fuzzed, method, target, user, extra, body):
    """Endpoints with any path below, any parameters, headers and body."""
    _assert_answered(_send(fuzzed, method.encode(), target, [*user, *extra], body))


@given(st.sampled_from([b"GET", b"HEAD", b"PUT", b"DELETE"]), raw_targets)
def test_any_bytes_as_a_path_are_answered_or_refused(fuzzed, method, target):
    """Bytes that are no text, no URL, or no path."""
    _assert_answered(_send(fuzzed, method, target, [ADMIN]))


TOKENS = [
    *(
        "items",
        "builds",
        "archive.entries",
        ".",
        "find",
        "include",
        "sort",
        "offset",
        "limit",
        "transitive",
        "distinct",
    ),
    *("(", ")", "{", "}", "[", "]", ",", ":", "1", "-1", "9" * 30, "null", "true", '"', "\\", "\n"),
    *('"name"', '"path"', '"repo"', '"type"', '"size"', '"created"', '"@k"', '"@*"', '"*"', '"property.key"'),
    *('"artifact"', '"module"', '"module.build"', '"item.stat"', '"promotion.status"', '"artifact.module.@k"'),
    *('"property"', '"stat.downloads"', '"a*"', '"3d"', '"$or"', '"$and"', '"$msp"', '"$eq"', '"$gt"', '"$match"'),
]
IDIOMS = [
    'items.find({"repo":"generic-local","$or":[{"path":{"$match":"a/*"}},{"@k":{"$ne":"v"}}]}).include("name","@k")',
    'items.find({"$msp":[{"@k":"v"},{"@l":{"$nmatch":"w*"}}]},{"created":{"$last":"3d"}}).sort({"$asc":["name"]})',
    'items.find({"type":"any","size":{"$gt":1}}).include("*","property","stat").offset(1).limit(2)',
    'items.find({"$or":[{"artifact.module.build.name":"fuzzed"},{"dependency.module.build.@k":"v"}]}).include("name")',
    'builds.find({"promotion.status":"s","module.artifact.item.@k":"v"}).include("name","module.artifact.item","@k")',
    'dependencies.find({"module.build.started":{"$before":"1d"},"item.type":"any"}).include("*","module.@k")',
]


@st.composite
def spoiled(draw):
    """An idiom with a piece of itself, or of anything, in the wrong place."""
    idiom = draw(st.sampled_from(IDIOMS))
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(idiom))] * 2)))
    return idiom[:start] + draw(st.sampled_from(TOKENS) | st.text(max_size=3) | st.just("")) + idiom[stop:]


aql = st.one_of(
    st.lists(st.sampled_from(TOKENS), max_size=12).map("".join),
    spoiled(),
    st.text(max_size=20).map('items.find({{"name":{{"$match":"{}"}}}}).include("repo","path","name")'.format),
)


@given(aql, st.sampled_from([ADMIN, READER]), st.booleans())
@example('items.find({"size":' + "9" * 400 + "})", ADMIN, False)
@example("items.find(" + '{"$or":[' * 300 + ")", ADMIN, False)
def test_any_query_is_answered_or_refused(fuzzed, query, user, in_address):
    """AQL that means something, that nearly does, and that does not: rows, or 400."""
    data = query.encode("utf-8", "surrogatepass")
    target = b"/api/search/aql" + (b"?query=" + quote(data).encode() if in_address else b"")
    answer = _send(fuzzed, b"POST", target, [user], b"" if in_address else data)
    assert _status(answer) in (200, 400), answer
    if _status(answer) == 200:
        assert answer.endswith(b"}\n\r\n0\r\n\r\n")


def places(document, path=()):
    """Yield the path to every value in a document."""
    yield path
    inner = enumerate(document) if isinstance(document, list) else ()
    for key, value in document.items() if isinstance(document, dict) else inner:
        yield from places(value, (*path, key))


def changed(document, path, value):
    """Copy a document with another value at a path."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


@st.composite
def spoiled_documents(draw):
    """A request about builds, with another value at up to three places of its document."""
    method, target, document = draw(
        st.sampled_from(
            [
                (b"PUT", b"/api/build", BUILD),
                (b"PUT", b"/artifactory-build-info/x.json", BUILD),
                (b"POST", b"/api/build/append/fuzzed/1", BUILD["modules"]),
                (b"POST", b"/api/build/promote/fuzzed/1", PROMOTION),
                (b"POST", b"/api/build/retention/fuzzed", BUILD["buildRetention"]),
                (b"POST", b"/api/build/delete", DELETION),
                (b"POST", b"/api/search/buildArtifacts", SEARCH),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(document))))
        document = changed(document, path, draw(documents | st.sampled_from([2**70, 1e400, "\udc80/", "-1", "../x"])))
    return method, target, json.dumps(document).encode()


@settings(max_examples=300)
@given(spoiled_documents(), st.sampled_from([ADMIN, READER]))
def test_any_document_about_builds_is_answered_or_refused(fuzzed, request_, user):
    """Build info, promotions, retentions and deletions with anything where something else belongs."""
    method, target, body = request_
    _assert_answered(_send(fuzzed, method, target, [user, "Content-Type: application/json"], body))
    assert _status(_send(fuzzed, b"GET", b"/api/build", [ADMIN])) in (200, 404)
