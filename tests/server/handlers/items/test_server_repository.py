"""Requests for a repository path that are not about a file's bytes: WebDAV, old notations, traces, partial deletes."""

import pytest

from aioartifact.testing import ArtifactoryServer

METHODS = "mkcol,move,propfind,unlock,post,proppatch,options,lock,delete"


async def test_options(server, ask):
    """OPTIONS lists WebDAV and the methods, in lower case."""
    answer = await ask(server, "OPTIONS", "/generic-local/a")
    assert (answer.status, answer.body) == (200, b"")
    assert (answer.headers["dav"], answer.headers["ms-author-via"]) == ("1,2", "DAV")
    assert answer.headers["allow"] == METHODS


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_posts_are_not_allowed(server, ask, method):
    """The answer is empty and names what is allowed."""
    answer = await ask(server, method, "/generic-local/a", body=b"x")
    assert (answer.status, answer.headers["allow"], answer.body) == (405, "GET,PUT,DELETE", b"")


@pytest.mark.parametrize("method", ["PURGE", "SEARCH", "COPY"])
async def test_methods_that_are_not_served(server, ask, method):
    """Unknown methods, and COPY, are 405 with the list of methods."""
    answer = await ask(server, method, "/generic-local/a")
    assert (answer.status, answer.headers["allow"], answer.body) == (405, METHODS, b"")


async def test_webdav_outside_of_repositories(server, ask):
    """WebDAV methods are forbidden there, with an empty body."""
    answer = await ask(server, "MKCOL", "/unknown/a")
    assert (answer.status, answer.body) == (403, b"")


async def test_mkcol(server, ask):
    """MKCOL makes one folder below an existing one."""
    assert (await ask(server, "MKCOL", "/generic-local/a")).status == 201
    assert (await ask(server, "MKCOL", "/generic-local/a/b/")).status == 201
    info = (await ask(server, "GET", "/api/storage/generic-local/a/b")).json()
    assert (info["children"], info["createdBy"]) == ([], "admin")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("f", 405, "MKCOL can only be executed on non-existent resource: generic-local:f"),
        ("f/a", 405, "MKCOL can only be executed on non-existent resource: generic-local:f/a"),
        ("", 405, "MKCOL can only be executed on non-existent resource: generic-local:"),
        ("missing/a", 409, "Directory cannot be created: parent doesn't exist: generic-local:missing/a"),
        ("f/a/b", 500, "Could not create file system item Parent f/a must be a folder"),
    ],
)
async def test_mkcol_that_is_refused(server, ask, path, status, message):
    """What exists is 405, a missing parent 409, a parent that is a file 500."""
    server.put("generic-local/f/a", b"x")
    answer = await ask(server, "MKCOL", f"/generic-local/{path}")
    assert (answer.status, answer.message) == (status, message)


async def test_mkcol_needs_the_right_to_deploy(server, ask, basic):
    """A reader is refused."""
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "r")
    answer = await ask(server, "MKCOL", "/generic-local/a", headers=basic("u", "pw"))
    assert (answer.status, answer.message) == (
        403,
        "The user: 'u' is not permitted to deploy 'a' into 'generic-local:a'.",
    )


async def test_properties_by_the_old_notation(server, ask):
    """Readers are sent to the storage API."""
    server.put("generic-local/d/a", b"x", properties={"k": "v"})
    answer = await ask(server, "GET", "/generic-local/d/a:properties")
    assert (answer.status, answer.headers["location"]) == (
        302,
        f"{server.url}/api/storage/generic-local/d/a?propertiesXml",
    )


async def test_setting_properties_by_the_old_notation(server, ask):
    """An XML document replaces the item's properties."""
    server.put("generic-local/a", b"x", properties={"old": "o"})
    document = "<properties><k>1</k><k>ü &amp; 2</k><empty/></properties>".encode()
    answer = await ask(server, "PUT", "/generic-local/a:properties", body=document)
    assert (answer.status, answer.body) == (201, b"")
    assert server.properties("generic-local/a") == {"k": ["1", "ü & 2"], "empty": [""]}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("a:metadata", b"", 409, "Old metadata notation is not supported anymore: generic-local:a:metadata"),
        ("a:statistics", b"", 409, "Old metadata notation is not supported anymore: generic-local:a:statistics"),
        ("a:properties", b"<properties>", 400, "Failed to read properties: no element found: line 1, column 12"),
        ("b:properties", b"<properties/>", 404, "Could not find item at generic-local:b"),
    ],
)
async def test_old_notation_that_is_refused(server, ask, path, body, status, message):
    """Other metadata, malformed documents and missing items have different errors."""
    server.put("generic-local/a", b"x", properties={"k": "v"})
    answer = await ask(server, "PUT", f"/generic-local/{path}", body=body)
    assert (answer.status, answer.message) == (status, message)
    assert server.properties("generic-local/a") == {"k": ["v"]}


async def test_old_notation_needs_the_right_to_annotate(server, ask, basic):
    """The right to deploy is not enough."""
    server.put("generic-local/a", b"x")
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "rwd")
    headers = basic("u", "pw")
    answer = await ask(server, "PUT", "/generic-local/a:properties", headers=headers, body=b"<properties/>")
    assert (answer.status, answer.message) == (403, "The user: 'u' is not permitted to annotate 'generic-local:a'.")


async def test_colons_in_names(server, ask):
    """Other names with a colon are ordinary."""
    assert (await ask(server, "PUT", "/generic-local/a:1.0", body=b"x")).status == 201
    assert (await ask(server, "GET", "/generic-local/a:1.0")).body == b"x"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", "A file of 3 bytes with SHA-1 a9993e364706816aba3e25717850c26c9cd0d89d is there"),
        ("b", "Nothing is there: the answer is 404"),
        ("f", "A folder is there: the answer is its listing"),
    ],
)
async def test_trace(ask, admin, path, found):
    """What is asked for, by whom, and what is found, as text; it is no download."""
    async with ArtifactoryServer(clock=lambda: 1709626351.219) as server:
        server.put("generic-local/a", b"abc")
        server.make_folder("generic-local/f")
        headers = admin | {"If-None-Match": "x"}
        answer = await ask(server, "GET", f"/generic-local/{path}?trace", headers=headers)
        stats = (await ask(server, "GET", "/api/storage/generic-local/a?stats")).json()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert answer.body.decode().splitlines() == [
        f"Repo Path ID: generic-local:{path}",
        "Method Name: GET",
        "User: admin",
        "Time: 2024-03-05T08:12:31.219Z",
        "Steps:",
        f"Looking for '{path}' in the repository 'generic-local'",
        found,
        "Condition: If-None-Match: x",
    ]
    assert stats["downloadCount"] == 0


async def test_trace_of_what_may_not_be_read(server, ask, basic):
    """A trace reveals nothing that a download would not."""
    server.put("generic-local/a", b"abc")
    server.add_user("u", password="pw")
    assert (await ask(server, "GET", "/generic-local/a?trace", headers=basic("u", "pw"))).status == 403


@pytest.fixture
def partly_deletable(server):
    """A folder in which *u* may delete all but one file, and one with nothing else in it."""
    for path in ("f/a", "f/g/b", "f/g/kept", "f/h/c", "e/g/d"):
        server.put(f"generic-local/{path}", b"x")
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", "rd", "f")
    for path in ("f/a", "f/g", "f/g/b", "f/h/**", "e/**"):
        server.grant("u", "generic-local", "rd", path)
    return server


async def test_deleting_what_is_permitted(partly_deletable, ask, basic):
    """What may be deleted is gone, the rest and the folders on the way to it stay, and the answer says so."""
    server = partly_deletable
    answer = await ask(server, "DELETE", "/generic-local/f", headers=basic("u", "pw"))
    assert (answer.status, answer.message) == (
        403,
        "Not enough permissions to delete/overwrite all artifacts under 'generic-local:f'"
        " (user: 'u' needs DELETE permission).",
    )
    left = [path for path in ("f", "f/a", "f/g", "f/g/b", "f/g/kept", "f/h") if server.exists(f"generic-local/{path}")]
    assert left == ["f", "f/g", "f/g/kept"]
    assert (await ask(server, "DELETE", "/generic-local/e", headers=basic("u", "pw"))).status == 204
    assert not server.exists("generic-local/e")


async def test_deleting_all_or_nothing(partly_deletable, ask, basic):
    """With ``atomic`` nothing goes where something has to stay."""
    answer = await ask(partly_deletable, "DELETE", "/generic-local/f?atomic=true", headers=basic("u", "pw"))
    assert answer.status == 403
    assert partly_deletable.exists("generic-local/f/g/b")


async def test_deleting_without_any_right(ask):
    """Anonymous requests are refused without a challenge, unlike everywhere else."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/a", b"x")
        answer = await ask(server, "DELETE", "/generic-local/a", headers={})
    assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
    assert answer.message == (
        "Not enough permissions to delete/overwrite artifact 'generic-local:a'"
        " (user: 'anonymous' needs DELETE permission)."
    )


async def test_deleting_a_checksum(server, ask):
    """A checksum is no item: nothing is there to delete, and its file stays."""
    server.put("generic-local/a", b"x")
    assert (await ask(server, "DELETE", "/generic-local/a.sha1")).status == 404
    assert server.exists("generic-local/a")


async def test_downloads_of_what_was_deleted(server, ask):
    """What comes after does not inherit the count of what was there."""
    server.put("generic-local/a", b"x")
    await ask(server, "GET", "/generic-local/a")
    await ask(server, "DELETE", "/generic-local/a")
    server.put("generic-local/b", b"x")
    assert (await ask(server, "GET", "/api/storage/generic-local/b?stats")).json()["downloadCount"] == 0
