"""Searches by name, coordinates, properties, checksums and path."""

import pytest

from aioartifact.testing import ArtifactoryServer

VENDOR = "application/vnd.org.jfrog.artifactory.search."
EMPTY = "The search term cannot be empty"
WILDCARDS = "Search term containing only wildcards is not permitted"
JAR = "libs/org/acme/app/1.0/app-1.0.jar"
SOURCES = "libs/org/acme/app/1.0/app-1.0-sources.jar"
SNAPSHOT = "libs/org/acme/app/1.1-SNAPSHOT/app-1.1-20240305.101231-2.jar"
ZIP = "generic-local/org/tool/tool-1.0.zip"


@pytest.fixture
async def libs(server):
    """A Maven and a generic repository with a few files."""
    server.create_repository("libs", package_type="maven", layout="maven-2-default")
    server.put(JAR, b"jar", properties={"os": ["linux", "win"], "stage": "done"})
    server.put(SOURCES, b"sources", properties={"os": "linux"})
    server.put(SNAPSHOT, b"snapshot")
    server.put("libs/org/odd/1.0/odd-2.0.jar", b"the folder says 1.0")
    server.put(ZIP, b"jar", properties={"OS": "linux"})
    return server


@pytest.fixture
def find(ask):
    """Search, and return the addresses that were found, sorted."""

    async def find(server, call, **keywords) -> list[str]:
        answer = await ask(server, "GET", f"/api/search/{call}", **keywords)
        assert answer.status == 200, answer.body
        start = f"{server.url}/api/storage/"
        results = answer.json()["results"]
        assert all(each["uri"].startswith(start) for each in results)
        return sorted(each["uri"].removeprefix(start) for each in results)

    return find


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("artifact?name=app", [SOURCES, JAR, SNAPSHOT]),
        ("artifact?name=APP", []),
        ("artifact?name=1.0", [ZIP, SOURCES, JAR]),
        ("artifact?name=*.zip", [ZIP]),
        ("artifact?name=tool-*", [ZIP]),
        ("artifact?name=?pp-1.0.ja?", [JAR]),
        ("artifact?name=%5Ba%5Dpp", []),
        ("artifact?name=acme", []),
        ("artifact?name=1.0&repos=libs", [SOURCES, JAR]),
        ("artifact?name=1.0&repos=libs,generic-local", [ZIP, SOURCES, JAR]),
        ("artifact?name=1.0&repos=unknown", []),
        ("artifact?name=1.0&repos=unknown,generic-local", [ZIP]),
        ("gavc?g=org.acme", [SOURCES, JAR, SNAPSHOT]),
        ("gavc?g=org.*&a=a?p", [SOURCES, JAR, SNAPSHOT]),
        ("gavc?g=org/acme", []),
        ("gavc?g=org", [ZIP]),
        ("gavc?a=app&v=1.0", [SOURCES, JAR]),
        ("gavc?v=1.0", [ZIP, SOURCES, JAR]),
        ("gavc?v=1.1-SNAPSHOT", [SNAPSHOT]),
        ("gavc?v=1.1-2024*", [SNAPSHOT]),
        ("gavc?v=1.1", []),
        ("gavc?c=sources", [SOURCES]),
        ("gavc?g=*&c=s*&repos=libs", [SOURCES]),
        ("gavc?a=tool&repos=libs", []),
        ("gavc?a=app&repos=unknown", []),
        ("gavc?a=odd", []),
        ("prop?os=linux", [SOURCES, JAR]),
        ("prop?os=linux&os=win", [JAR]),
        ("prop?os=linux&stage=done", [JAR]),
        ("prop?os=linux,win", []),
        ("prop?os=*", [SOURCES, JAR]),
        ("prop?os=", [SOURCES, JAR]),
        ("prop?os", [SOURCES, JAR]),
        ("prop?os=w?n", [JAR]),
        ("prop?o*=l*", [SOURCES, JAR]),
        ("prop??S=linux", [ZIP]),
        ("prop?os=linux&properties=x&repos=generic-local", []),
        ("prop?nothing=here", []),
    ],
)
async def test_search_finds(libs, find, call, expected):
    """Names, coordinates by the layout of each repository, properties; all of them with wildcards."""
    assert await find(libs, call) == sorted(expected)


async def test_checksum_search(libs, find):
    """Each algorithm finds all files with the content, of several the first one counts, digits may be missing."""
    digests = libs.checksums(JAR)
    for algorithm, digest in digests.items():
        assert await find(libs, f"checksum?{algorithm}={digest}") == [ZIP, JAR]
        assert await find(libs, f"checksum?{algorithm}={digest.upper()}&repos=libs") == [JAR]
        assert await find(libs, f"checksum?{algorithm}={digest[:12]}*") == [ZIP, JAR]
        assert await find(libs, f"checksum?{algorithm}={digest[::-1]}") == []
    assert await find(libs, f"checksum?md5={digests['md5']}&sha1={'0' * 40}") == []


async def test_bad_checksum_search(server, ask):
    """Checksums of the client that differ or are missing are both reported."""
    server.put("generic-local/good", b"x")
    server.put("generic-local/none", b"x", original=False)
    server.create_repository("trusting", checksum_policy="server")
    await ask(server, "PUT", "/trusting/bad.sha1", body=b"")
    server.put("trusting/bad", b"x")
    await ask(server, "PUT", "/trusting/bad.sha1", body=b"0" * 40)
    digests = server.checksums("generic-local/none")
    start = f"{server.url}/api/storage"
    none = {"uri": f"{start}/generic-local/none", "serverMd5": digests["md5"], "clientMd5": ""}
    bad = {"uri": f"{start}/trusting/bad", "serverSha1": digests["sha1"], "clientSha1": "0" * 40}
    by_md5 = await ask(server, "GET", "/api/search/badChecksum?type=md5")
    by_sha1 = await ask(server, "GET", "/api/search/badChecksum?type=sha1&repos=trusting")
    assert by_md5.json() == {"results": [none]}
    assert by_sha1.json() == {"results": [bad]}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("libs:org/acme/*/1.0/*", [SOURCES, JAR]),
        ("libs:org/acme/*/1.?/*.jar", [SOURCES, JAR]),
        ("libs:/org//acme/app/1.0/app-1.0.jar", [JAR]),
        ("libs:org\\acme\\app\\*\\*-20*", [SNAPSHOT]),
        ("libs:*/*.jar", []),
        ("libs:org/acme/app/*", []),
        ("libs:org", []),
        ("libs:", []),
        ("generic-local:*.txt", ["generic-local/a.txt"]),
        ("generic-local:a.txt", ["generic-local/a.txt"]),
        ("unknown:*", []),
    ],
)
async def test_pattern_search(libs, ask, pattern, expected):
    """Wildcards stay in their segment, folders do not count, and what does not exist has no files."""
    libs.put("generic-local/a.txt", b"x")
    raw = pattern.replace("\\", "%5C")
    answer = await ask(libs, "GET", f"/api/search/pattern?pattern={raw}")
    document, key = answer.json(), pattern.partition(":")[0]
    assert answer.headers["content-type"] == VENDOR + "PatternResultFileSet+json"
    assert sorted(document.pop("files")) == sorted(path.removeprefix(f"{key}/") for path in expected)
    assert document == {"repoUri": f"{libs.url}/{key}", "sourcePattern": pattern}


@pytest.mark.parametrize(
    ("call", "media"),
    [
        ("artifact?name=x", "ArtifactSearchResult"),
        ("gavc?g=x", "GavcSearchResult"),
        ("prop?x=y", "MetadataSearchResult"),
        (f"checksum?md5={'0' * 32}", "ChecksumSearchResult"),
        ("badChecksum?type=sha256", "BadChecksumSearchResult"),
    ],
)
async def test_search_without_results(server, ask, admin, call, media):
    """The list is empty; the media type is the vendor's, unless the client takes only plain JSON."""
    answer = await ask(server, "GET", f"/api/search/{call}")
    plain = await ask(server, "GET", f"/api/search/{call}", headers=admin | {"Accept": "application/json"})
    refused = await ask(server, "GET", f"/api/search/{call}", headers=admin | {"Accept": "text/html"})
    assert (answer.status, answer.body) == (200, b'{\n  "results" : [ ]\n}')
    assert answer.headers["content-type"] == f"{VENDOR}{media}+json"
    assert (plain.body, plain.headers["content-type"]) == (answer.body, "application/json")
    assert refused.status == 406
    assert refused.message == f"Resource produces {VENDOR}{media}+json but client only accepts [text/html]"


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        ("artifact", 400, EMPTY),
        ("artifact?name=%20", 400, EMPTY),
        ("artifact?name=*", 400, WILDCARDS),
        ("artifact?name=?*", 400, WILDCARDS),
        ("gavc", 400, "Missing groupId or artifactId or version or classifier"),
        ("gavc?g=&a=%20", 400, "Missing groupId or artifactId or version or classifier"),
        ("gavc?g=*&a=??", 400, WILDCARDS),
        ("prop", 404, "No results found."),
        ("prop?repos=generic-local", 400, EMPTY),
        ("prop?*=x", 400, WILDCARDS),
        ("checksum", 400, EMPTY),
        ("checksum?md5=xyz", 400, "Checksum contains invalid characters"),
        ("checksum?sha1=0123456789a*", 400, "Not enough valid characters"),
        ("badChecksum", 400, "Unknown checksum type: ''"),
        ("badChecksum?type=crc", 400, "Unknown checksum type: 'crc'"),
        ("pattern", 400, "Unable to search for an empty pattern"),
        ("pattern?pattern=abc", 400, "Pattern must be formatted like [repo-key]:[pattern/to/search/for]"),
        ("pattern?pattern=a:**/b", 400, "Pattern cannot contain the '**' wildcard"),
        ("pattern?pattern=all:*", 400, "Pattern search is not supported in a virtual repository: all"),
    ],
)
async def test_search_refuses(server, ask, call, status, message):
    """Invalid searches are reported with the texts of the real server."""
    server.create_repository("all", kind="virtual", members=("generic-local",))
    answer = await ask(server, "GET", f"/api/search/{call}")
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize("call", ["artifact", "gavc", "prop?repos=x", "badChecksum", "versions"])
async def test_text_errors_under_plain_json(server, ask, admin, call):
    """Texts of the resources pass the filter that wraps errors where plain JSON was negotiated."""
    answer = await ask(server, "GET", f"/api/search/{call}", headers=admin | {"Accept": "application/json"})
    wrapped = await ask(server, "GET", f"/api/search/{call}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert answer.body.decode() == wrapped.message


async def test_result_detail_of_a_file(libs, ask, admin):
    """Details are the file info, but with the client's own SHA-256, and the properties."""
    libs.put("libs/org/bare/1.0/bare-1.0.jar", b"x", original=False)
    info = (await ask(libs, "GET", f"/api/storage/{JAR}")).json()
    properties = {"os": ["linux", "win"], "stage": ["done"]}

    async def detailed(call, detail):
        answer = await ask(libs, "GET", f"/api/search/{call}", headers=admin | {"X-Result-Detail": detail})
        (result,) = answer.json()["results"]
        return result

    assert await detailed("artifact?name=app-1.0.jar", "info") == info
    assert await detailed("gavc?a=app&v=1.0&c=sources", "properties") == {
        "uri": f"{libs.url}/api/storage/{SOURCES}",
        "properties": {"os": ["linux"]},
    }
    assert await detailed("prop?stage=done", "info, properties") == info | {"properties": properties}
    by_checksum = await detailed(f"checksum?sha1={libs.checksums(JAR)['sha1']}&repos=libs", "properties,info")
    bare = await detailed("gavc?a=bare", "info, properties")
    assert by_checksum == info | {"properties": properties}
    assert (bare["originalChecksums"], bare["properties"]) == ({}, {})


async def test_folders_have_properties_too(server, ask, admin):
    """The property search finds folders and the root of a repository, with their children in the details."""
    server.make_folder("generic-local/a", properties={"kind": "box"})
    server.put("generic-local/a/b", b"x")
    answer = await ask(server, "GET", "/api/search/prop?kind=box", headers=admin | {"X-Result-Detail": "info"})
    (result,) = answer.json()["results"]
    assert result["children"] == [{"uri": "/b", "folder": False}]
    assert result == (await ask(server, "GET", "/api/storage/generic-local/a")).json()


async def test_virtual_repositories_expand(libs, find):
    """A virtual key stands for its members, which may be virtual, too."""
    libs.create_repository("inner", kind="virtual", members=("generic-local",))
    libs.create_repository("all", kind="virtual", members=("libs", "inner"))
    for call in ("artifact?name=1.0", "gavc?v=1.0", "prop?*s=linux", f"checksum?md5={libs.checksums(JAR)['md5']}"):
        everywhere = await find(libs, call)
        inside = [each for each in everywhere if each.startswith("generic-local/")]
        assert await find(libs, f"{call}&repos=all") == everywhere
        assert await find(libs, f"{call}&repos=inner") == inside


async def test_caches_are_searched(server, ask, find):
    """A remote key stands for its cache; the pattern search names the remote of a cache."""
    server.create_repository("far", kind="remote", url="http://127.0.0.1:9/far")
    server.put("generic-local/a/near.txt", b"x")
    server.put("far-cache/a/near.txt", b"x")
    cached = ["far-cache/a/near.txt"]
    assert await find(server, "artifact?name=near") == [*cached, "generic-local/a/near.txt"]
    assert await find(server, "artifact?name=near&repos=far") == cached
    assert await find(server, "artifact?name=near&repos=far-cache") == cached
    for key in ("far", "far-cache"):
        document = (await ask(server, "GET", f"/api/search/pattern?pattern={key}:a/*")).json()
        assert (document["repoUri"], document["files"]) == (f"{server.url}/far", ["a/near.txt"])


async def test_rows_depend_on_permission(ask, find, basic):
    """Users and the anonymous find what they may read; patterns are for users only."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/open/a.txt", b"x", properties={"p": "v"}, original=False)
        server.put("generic-local/closed/a.txt", b"x", properties={"p": "v"}, original=False)
        server.add_user("user", password="pw")
        server.grant("user", "generic-local", "r", "closed/**")
        server.grant("anonymous", "generic-local", "r", "open/**")
        user = basic("user", "pw")
        md5 = server.checksums("generic-local/open/a.txt")["md5"]
        for call in ("artifact?name=a.txt", "prop?p=v", f"checksum?md5={md5}", "badChecksum?type=md5"):
            assert await find(server, call, headers=user) == ["generic-local/closed/a.txt"]
            assert await find(server, call, headers={}) == ["generic-local/open/a.txt"]
        pattern = "/api/search/pattern?pattern=generic-local:*/*"
        assert (await ask(server, "GET", pattern, headers=user)).json()["files"] == ["closed/a.txt"]
        refused = await ask(server, "GET", pattern, headers={})
        assert (refused.status, refused.message) == (401, "Unauthorized")
        assert refused.headers["www-authenticate"] == 'Basic realm="Artifactory Realm"'


async def test_pattern_search_where_existence_is_hidden(ask):
    """The anonymous get 404 instead of a challenge."""
    async with ArtifactoryServer(anonymous=True, hide_unauthorized=True) as server:
        answer = await ask(server, "GET", "/api/search/pattern?pattern=generic-local:*", headers={})
        assert (answer.status, answer.message) == (404, "Resource not found")


@pytest.mark.parametrize(
    ("profile", "counts"), [("6.20", [1_200, 1_200, 1_000]), ("7.x", [1_200, 1_000, 1_000])], ids=["6.20", "7.x"]
)
async def test_rows_are_limited(ask, find, basic, profile, counts):
    """A thousand rows for the anonymous, and since 7.x for all but administrators; more come in several chunks."""
    async with ArtifactoryServer(anonymous=True, profile=profile) as server:
        for number in range(1_200):
            server.put(f"generic-local/many/{number}.txt", b"")
        server.add_user("user", password="pw")
        server.grant("user", "**")
        server.grant("anonymous", "**")
        for headers, count in zip((None, basic("user", "pw"), {}), counts, strict=True):
            assert len(set(await find(server, "artifact?name=.txt", headers=headers))) == count


@pytest.mark.parametrize(
    "call",
    [
        "search/checksum?md5=x",
        "search/badChecksum?type=md5",
        "search/pattern?pattern=a:b",
        "search/versions?g=a&a=b",
        "search/latestVersion?g=a&a=b",
        "versions/_any/_any",
    ],
)
async def test_search_in_the_open_source_edition(ask, call):
    """These need Pro, whatever is asked."""
    async with ArtifactoryServer(edition="oss") as server:
        answer = await ask(server, "GET", f"/api/{call}")
        assert answer.status == 400
        assert answer.message.startswith("This REST API is available only in Artifactory Pro (see: ")


@pytest.mark.parametrize("call", ["artifact?name=app", "gavc?a=app", "prop?os=linux", "creation?from=0"])
async def test_search_that_the_open_source_edition_has(ask, call):
    """Names, coordinates, properties and dates are for everybody."""
    async with ArtifactoryServer(edition="oss") as server:
        server.put("generic-local/org/app/app-1.0.zip", b"x", properties={"os": "linux"})
        answer = await ask(server, "GET", f"/api/search/{call}")
        assert (answer.status, len(answer.json()["results"])) == (200, 1)


async def test_search_with_another_method(server, ask, talk, admin):
    """Searches are asked for with GET, or with HEAD for the headers only."""
    line = f"HEAD /artifactory/api/search/artifact?name=x HTTP/1.1\r\nAuthorization: {admin['Authorization']}\r\n"
    head = await talk(server.origin, f"{line}Host: x\r\nConnection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert (await ask(server, "POST", "/api/search/artifact?name=x", body=b"")).status == 405
