"""PUT and DELETE."""

import hashlib

import pytest

DATA = b"the content"
SHA1, MD5, SHA256 = (hashlib.new(name, DATA).hexdigest() for name in ("sha1", "md5", "sha256"))
WRONG = {"X-Checksum-Sha1": "0" * 40, "X-Checksum-Md5": "0" * 32, "X-Checksum-Sha256": "0" * 64}


async def test_deploy_answers_with_the_item(server, ask, admin):
    """201 describes the file by strings, and both links are the download URL."""
    answer = await ask(server, "PUT", "/generic-local/a/b.jar", headers=admin | {"X-Checksum-Sha1": SHA1}, body=DATA)
    document = answer.json()
    link = f"{server.url}/generic-local/a/b.jar"
    assert answer.status == 201
    assert answer.headers["location"] == link
    assert answer.headers["content-type"] == (
        "application/vnd.org.jfrog.artifactory.storage.ItemCreated+json;charset=ISO-8859-1"
    )
    assert document.pop("created").endswith("Z")
    assert document == {
        "repo": "generic-local",
        "path": "/a/b.jar",
        "createdBy": "admin",
        "downloadUri": link,
        "mimeType": "application/java-archive",
        "size": "11",
        "checksums": {"sha1": SHA1, "md5": MD5, "sha256": SHA256},
        "originalChecksums": {"sha1": SHA1, "sha256": SHA256},
        "uri": link,
    }
    assert server.read("generic-local/a/b.jar") == DATA


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 2_097_152, 5_000_001])
async def test_every_size_is_stored_whole(server, ask, size):
    """Empty, small and big bodies are stored with the right checksums."""
    data = bytes(size % 251 for _ in range(10)) * (size // 10) + b"z" * (size % 10)
    answer = await ask(server, "PUT", "/generic-local/a", body=data)
    assert answer.status == 201
    assert server.read("generic-local/a") == data
    assert server.checksums("generic-local/a")["sha256"] == hashlib.sha256(data).hexdigest()
    assert server.requests[0].bytes_received == size


async def test_chunked_body(server, talk, admin):
    """A body without a length is stored as well."""
    raw = (
        f"PUT /artifactory/generic-local/a HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n"
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    )
    assert (await talk(server.origin, raw.encode())).startswith(b"HTTP/1.1 201 ")
    assert server.read("generic-local/a") == b"abcdefg"


async def test_broken_chunks_are_refused(server, talk, admin):
    """A body whose framing is broken is 400, and nothing is stored."""
    raw = (
        f"PUT /artifactory/generic-local/a HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n"
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX"
    )
    assert b" 400 " in (await talk(server.origin, raw.encode())).partition(b"\r\n")[0]
    assert not server.exists("generic-local/a")


async def test_encoded_body_is_stored_as_sent(server, ask, admin):
    """A Content-Encoding says nothing to the server: artifacts are what was sent."""
    await ask(server, "PUT", "/generic-local/a.gz", headers=admin | {"Content-Encoding": "gzip"}, body=b"\x1f\x8bx")
    assert server.read("generic-local/a.gz") == b"\x1f\x8bx"


async def test_expect_100_continue(server, talk, admin):
    """The client gets 100 Continue before the body is read."""
    raw = (
        f"PUT /artifactory/generic-local/a HTTP/1.1\r\nHost: x\r\nAuthorization: {admin['Authorization']}\r\n"
        "Connection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"
    )
    answer = await talk(server.origin, raw.encode())
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


async def test_overwriting_keeps_creation_and_forgets_properties(server, ask):
    """New content drops properties and statistics, the same content keeps them; both are 201."""
    await ask(server, "PUT", "/generic-local/a;os=linux", body=DATA)
    created = (await ask(server, "GET", "/api/storage/generic-local/a")).json()["created"]
    await ask(server, "GET", "/generic-local/a")
    assert (await ask(server, "PUT", "/generic-local/a", body=DATA)).status == 201
    assert server.properties("generic-local/a") == {"os": ["linux"]}
    assert (await ask(server, "GET", "/api/storage/generic-local/a?stats")).json()["downloadCount"] == 1
    assert (await ask(server, "PUT", "/generic-local/a", body=b"other")).status == 201
    assert server.properties("generic-local/a") == {}
    assert (await ask(server, "GET", "/api/storage/generic-local/a?stats")).json()["downloadCount"] == 0
    assert (await ask(server, "GET", "/api/storage/generic-local/a")).json()["created"] == created


@pytest.mark.parametrize("header", WRONG)
async def test_wrong_checksum_is_refused(server, ask, admin, header):
    """Any checksum header that does not match is 409 and nothing is stored."""
    answer = await ask(server, "PUT", "/generic-local/a", headers=admin | {header: WRONG[header]}, body=DATA)
    sent = {name: WRONG[name] if name == header else "null" for name in WRONG}
    assert (answer.status, answer.message) == (
        409,
        "Checksum policy 'LocalRepoChecksumPolicy: CLIENT' rejected the artifact 'generic-local:a'. Checksums info:"
        " ChecksumsInfo{checksums={"
        f"SHA-1=ChecksumInfo{{type=SHA-1, original='{sent['X-Checksum-Sha1']}', actual='{SHA1}'}}, "
        f"MD5=ChecksumInfo{{type=MD5, original='{sent['X-Checksum-Md5']}', actual='{MD5}'}}, "
        f"SHA-256=ChecksumInfo{{type=SHA-256, original='{sent['X-Checksum-Sha256']}', actual='{SHA256}'}}}}}}",
    )
    assert not server.exists("generic-local/a")


@pytest.mark.parametrize(
    ("headers", "original"),
    [
        ({}, {"sha256": SHA256}),
        ({"X-Checksum-Sha1": SHA1.upper()}, {"sha1": SHA1.upper(), "sha256": SHA256}),
        ({"X-Checksum": MD5}, {"md5": MD5, "sha256": SHA256}),
        ({"X-Checksum": SHA1, "X-Checksum-Md5": MD5}, {"sha1": SHA1, "md5": MD5, "sha256": SHA256}),
    ],
)
async def test_right_checksums_become_originals(server, ask, admin, headers, original):
    """Checksums compare without case, and are recorded as the client wrote them."""
    answer = await ask(server, "PUT", "/generic-local/a", headers=admin | headers, body=DATA)
    assert (answer.status, answer.json()["originalChecksums"]) == (201, original)


async def test_server_policy_overlooks_checksums(server, ask, admin):
    """Under the server policy the actual checksums count as the originals."""
    server.create_repository("trusting", checksum_policy="server")
    answer = await ask(server, "PUT", "/trusting/a", headers=admin | WRONG, body=DATA)
    assert (answer.status, answer.json()["originalChecksums"]) == (201, {"sha1": SHA1, "md5": MD5, "sha256": SHA256})


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        pytest.param({"X-Checksum-Sha1": SHA1}, 201, None, id="sha1"),
        pytest.param({"X-Checksum-Sha256": SHA256.upper()}, 201, None, id="sha256"),
        pytest.param({"X-Checksum": SHA1}, 201, None, id="by length"),
        pytest.param({}, 400, "Checksum values not provided", id="nothing"),
        pytest.param({"X-Checksum-Md5": MD5}, 400, "Checksum values not provided", id="only md5"),
        pytest.param(
            {"X-Checksum-Sha1": "0" * 40},
            404,
            f"Checksum deploy failed. No existing file with SHA-1: {'0' * 40}",
            id="unknown sha1",
        ),
        pytest.param(
            {"X-Checksum-Sha256": "0" * 64, "X-Checksum-Sha1": SHA1},
            404,
            f"Checksum deploy failed. No existing file with SHA-256: {'0' * 64}",
            id="sha256 goes first",
        ),
        pytest.param({"X-Checksum-Sha1": "abc"}, 404, "Checksum deploy failed. Invalid SHA-1: abc", id="malformed"),
    ],
)
async def test_checksum_deploy(server, ask, admin, headers, status, message):
    """Known content is deployed without its bytes; all other cases differ by their text."""
    server.put("generic-local/known", DATA)
    deploy = admin | {"X-Checksum-Deploy": "true"} | headers
    answer = await ask(server, "PUT", "/generic-local/copy;k=v", headers=deploy, body=b"")
    assert answer.status == status
    if message:
        assert answer.message == message
        assert not server.exists("generic-local/copy")
    else:
        assert server.read("generic-local/copy") == DATA
        assert server.properties("generic-local/copy") == {"k": ["v"]}


async def test_checksum_deploy_of_content_that_may_not_be_read(server, ask, basic):
    """Content the user cannot read is unknown to them."""
    server.put("generic-local/known", DATA)
    server.add_user("writer", password="pw")
    server.grant("writer", "generic-local", "w")
    headers = basic("writer", "pw") | {"X-Checksum-Deploy": "true", "X-Checksum-Sha1": SHA1}
    answer = await ask(server, "PUT", "/generic-local/copy", headers=headers, body=b"")
    assert (answer.status, answer.message) == (404, f"SHA-1:{SHA1} not found")


async def test_matrix_parameters_become_properties(server, ask):
    """Values are decoded by form rules, a repeated key has several values."""
    await ask(server, "PUT", "/generic-local/a;os=linux;os=win;note=a+b%2Bc%3B;empty", body=DATA)
    assert server.properties("generic-local/a") == {"os": ["linux", "win"], "note": ["a b+c;"], "empty": [""]}


@pytest.mark.parametrize("key", ["1k", "k*", "k+k", "a/b", "k%20"])
async def test_invalid_property_key(server, ask, key):
    """A key outside the grammar is 400 and nothing is stored."""
    answer = await ask(server, "PUT", f"/generic-local/a;{key}=v", body=DATA)
    assert (answer.status, answer.message) == (
        400,
        f"Property key: {key} is invalid due to Name must start with a letter and cannot contain whitespace or"
        " special characters",
    )
    assert not server.exists("generic-local/a")


async def test_properties_without_the_right_to_annotate(server, ask, basic):
    """They are silently left out; the deploy succeeds."""
    server.add_user("writer", password="pw")
    server.grant("writer", "generic-local", "w")
    answer = await ask(server, "PUT", "/generic-local/a;k=v", headers=basic("writer", "pw"), body=DATA)
    assert answer.status == 201
    assert server.properties("generic-local/a") == {}


async def test_modification_time_of_the_client(server, ask, admin):
    """Last-Modified sets the time; admins may set both in milliseconds."""
    sent = admin | {"Last-Modified": "Tue, 05 Mar 2024 08:12:31 GMT"}
    await ask(server, "PUT", "/generic-local/a", headers=sent, body=DATA)
    exact = {"X-Artifactory-Last-Modified": "1709626351219", "X-Artifactory-Created": "1000"}
    await ask(server, "PUT", "/generic-local/b", headers=sent | exact, body=DATA)
    a = (await ask(server, "GET", "/api/storage/generic-local/a")).json()
    b = (await ask(server, "GET", "/api/storage/generic-local/b")).json()
    assert a["lastModified"] == "2024-03-05T08:12:31.000Z"
    assert (b["lastModified"], b["created"]) == ("2024-03-05T08:12:31.219Z", "1970-01-01T00:00:01.000Z")


async def test_folder(server, ask):
    """A trailing slash makes a folder, again and again; parameters become its properties."""
    for _ in range(2):
        answer = await ask(server, "PUT", "/generic-local/a/b/;k=v", body=b"")
        document = answer.json()
        assert (answer.status, document["path"]) == (201, "/a/b/")
        assert document["uri"] == f"{server.url}/generic-local/a/b/"
    assert server.properties("generic-local/a/b") == {"k": ["v"]}
    assert (await ask(server, "PUT", "/generic-local/", body=b"")).message == "Repository '' is not a local repository"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("folder", 500, "Expected a file but found a folder, at: generic-local:folder"),
        ("folder/file/x", 400, "Parent folder/file must be a folder"),
        ("folder/file/", 500, "Expected a folder but found a file, at: generic-local:folder/file"),
    ],
)
async def test_files_and_folders_do_not_replace_each_other(server, ask, path, status, message):
    """A file where a folder is, below a file, and the other way round."""
    server.put("generic-local/folder/file", DATA)
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=b"x")
    assert (answer.status, answer.message) == (status, message)
    assert server.read("generic-local/folder/file") == DATA


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param(SHA1, 201, None, id="digest"),
        pytest.param(f"{SHA1}  a.jar\n", 201, None, id="digest and name"),
        pytest.param("abc", 409, f"Checksum error for 'a.jar.sha1': received 'abc' but actual is '{SHA1}'", id="wrong"),
        pytest.param(
            "x" * 1025,
            409,
            "Suspicious checksum file, content length of 1025 bytes is bigger than allowed.",
            id="too long",
        ),
    ],
)
async def test_uploading_a_checksum(server, ask, body, status, message):
    """A checksum file is not stored; it sets what the client says about the target, even if wrong."""
    server.put("generic-local/a.jar", DATA, original=False)
    answer = await ask(server, "PUT", "/generic-local/a.jar.sha1", body=body.encode())
    assert answer.status == status
    if message:
        assert answer.message == message
    else:
        assert (answer.body, answer.headers["location"]) == (b"", f"{server.url}/generic-local/a.jar")
        assert (await ask(server, "GET", "/generic-local/a.jar.sha1")).body == SHA1.encode()
    assert not server.exists("generic-local/a.jar.sha1")


async def test_checksum_without_a_file(server, ask):
    """A checksum needs its file, and folders have none."""
    server.make_folder("generic-local/folder")
    missing = await ask(server, "PUT", "/generic-local/b.sha1", body=b"x")
    folder = await ask(server, "PUT", "/generic-local/folder.sha1", body=b"x")
    assert (missing.status, missing.message) == (
        404,
        "Target file to set checksum on doesn't exist: generic-local:b",
    )
    assert (folder.status, folder.message) == (
        409,
        "Checksum only supported for files (but found folder): generic-local:folder",
    )


async def test_deleting(server, ask):
    """A file or a whole folder goes with 204; what is not there is 404 with its text."""
    for path in ("a/b/c", "a/d", "ab", "a-b/c"):
        server.put(f"generic-local/{path}", DATA)
    answer = await ask(server, "DELETE", "/generic-local/a/")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers
    assert not server.exists("generic-local/a")
    assert not server.exists("generic-local/a/b/c")
    assert server.exists("generic-local/ab")
    assert server.exists("generic-local/a-b/c")
    missing = await ask(server, "DELETE", "/generic-local/a")
    assert (missing.status, missing.message) == (
        404,
        "Could not locate artifact 'generic-local:a' (Nothing to delete).",
    )
    assert (await ask(server, "PUT", "/generic-local/a/b/c", body=DATA)).status == 201


async def test_emptying_a_repository(server, ask, basic):
    """Only an admin may, and the repository stays."""
    server.put("generic-local/a/b", DATA)
    server.add_user("user", password="pw")
    server.grant("user", "generic-local", "rwd")
    refused = await ask(server, "DELETE", "/generic-local", headers=basic("user", "pw"))
    assert refused.message == (
        "Not enough permissions to delete content of repository 'generic-local' (by user: 'user')."
        " This requires admin privileges."
    )
    assert (await ask(server, "DELETE", "/generic-local")).status == 204
    assert (await ask(server, "GET", "/api/storage/generic-local")).json()["children"] == []
