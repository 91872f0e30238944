"""Copying and moving."""

import pytest

from aioartifact.testing import ArtifactoryServer

RESULT = "application/vnd.org.jfrog.artifactory.storage.CopyOrMoveResult+json"


@pytest.fixture
async def server():
    """Two repositories, the first with a tree."""
    async with ArtifactoryServer() as server:
        server.create_repository("other")
        server.put("generic-local/org/acme/a", b"a", properties={"k": ["1", "2"]})
        server.put("generic-local/org/acme/lib/b", b"b")
        server.put("generic-local/org/acme/lib/c", b"c")
        yield server


@pytest.fixture
def relocate(ask):
    async def relocate(server, verb, source, to, headers=None):
        return await ask(server, "POST", f"/api/{verb}/{source}?to={to}", headers=headers, body=b"")

    return relocate


def messages(answer):
    assert answer.headers["content-type"] == RESULT
    return [(each["level"], each["message"]) for each in answer.json()["messages"]]


def tree(server, address):
    """Paths of files below *address*, relative to it."""
    candidates = ("a", "lib/b", "lib/c", "acme/a", "acme/lib/b", "acme/lib/c", "org/acme/a")
    return [path for path in candidates if server.exists(f"{address}/{path}")]


@pytest.mark.parametrize(("verb", "doing", "done"), [("copy", "copying", "copied"), ("move", "moving", "moved")])
@pytest.mark.parametrize("slash", ["/", ""])
async def test_folder(server, relocate, verb, doing, done, slash):
    """A folder arrives whole under its new name, with properties; only a move takes it away."""
    answer = await relocate(server, verb, "generic-local/org/acme", f"{slash}other/new/name")
    assert answer.status == 200
    assert messages(answer) == [
        (
            "INFO",
            f"{doing} generic-local:org/acme to other:new/name completed successfully,"
            f" 3 artifacts and 2 folders were {done}",
        )
    ]
    assert tree(server, "other/new/name") == ["a", "lib/b", "lib/c"]
    assert server.properties("other/new/name/a") == {"k": ["1", "2"]}
    assert server.read("other/new/name/lib/b") == b"b"
    assert server.exists("generic-local/org/acme") == (verb == "copy")
    assert server.exists("generic-local/org")


@pytest.mark.parametrize(
    ("source", "to", "expected"),
    [
        pytest.param("org/acme", "/other", "other/acme/a", id="folder into a root"),
        pytest.param("org/acme", "/other/there", "other/there/acme/a", id="folder into a folder"),
        pytest.param("org/acme", "/other/there/", "other/there/acme/a", id="folder into a folder with slash"),
        pytest.param("org/acme", "/other/x/y", "other/x/y/a", id="folder to a new name"),
        pytest.param("org/acme/a", "/other/there", "other/there/a", id="file into a folder"),
        pytest.param("org/acme/a", "/other/x/y", "other/x/y", id="file to a new name"),
        pytest.param("org/acme/a", "/generic-local/org/a2", "generic-local/org/a2", id="file in its repository"),
        pytest.param("org/acme/", "/generic-local/org2", "generic-local/org2/a", id="folder in its repository"),
        pytest.param("", "/other/all", "other/all/org/acme/a", id="whole repository"),
        pytest.param("", "/other", "other/org/acme/a", id="whole repository into a root"),
    ],
)
async def test_where_things_go(server, relocate, source, to, expected):
    """A target folder that exists takes the source in; any other target is its new name."""
    server.make_folder("other/there")
    answer = await relocate(server, "copy", f"generic-local/{source}", to)
    assert answer.status == 200
    assert server.read(expected) == b"a"


@pytest.mark.parametrize("verb", ["copy", "move"])
async def test_file_over_a_file(server, relocate, ask, verb):
    """The old file goes with its properties and downloads; the dates of the new one come along."""
    server.put("other/a", b"old", properties={"old": "o"})
    await ask(server, "GET", "/other/a")
    await ask(server, "GET", "/generic-local/org/acme/a")
    before = (await ask(server, "GET", "/api/storage/generic-local/org/acme/a")).json()
    assert (await relocate(server, verb, "generic-local/org/acme/a", "/other/a")).status == 200
    after = (await ask(server, "GET", "/api/storage/other/a")).json()
    stats = (await ask(server, "GET", "/api/storage/other/a?stats")).json()
    assert (server.read("other/a"), server.properties("other/a")) == (b"a", {"k": ["1", "2"]})
    assert [after[key] for key in ("created", "lastModified", "checksums", "originalChecksums")] == [
        before[key] for key in ("created", "lastModified", "checksums", "originalChecksums")
    ]
    assert stats["downloadCount"] == 0


async def test_folder_over_a_folder(server, relocate):
    """What is only at the target stays."""
    server.put("other/x/acme/lib/b", b"old")
    server.put("other/x/acme/lib/d", b"d")
    assert (await relocate(server, "move", "generic-local/org/acme", "/other/x")).status == 200
    assert (server.read("other/x/acme/lib/b"), server.read("other/x/acme/lib/d")) == (b"b", b"d")


@pytest.mark.parametrize("verb", ["copy", "move"])
async def test_dry_run(server, relocate, ask, verb):
    """The response states what would happen, and nothing does; downloads counted meanwhile are kept."""
    server.put("other/a", b"old")
    await ask(server, "GET", "/other/a")
    answer = await relocate(server, verb, "generic-local/org/acme/a", "/other/a&dry=1")
    assert (answer.status, server.read("other/a")) == (200, b"old")
    assert server.exists("generic-local/org/acme/a")
    assert messages(answer)[0][1].startswith("Dry Run for ")
    assert (await ask(server, "GET", "/api/storage/other/a?stats")).json()["downloadCount"] == 1
    failing = await relocate(server, verb, "generic-local/missing", "/other/a&dry=1")
    assert failing.status == 404


@pytest.mark.parametrize(
    ("source", "to", "status", "message"),
    [
        ("generic-local/missing", "/other/x", 404, "Could not find item at generic-local:missing"),
        ("unknown/a", "/other/x", 404, "Could not find item at unknown:a"),
        (
            "generic-local/org/acme",
            "/unknown/x",
            400,
            "Could not find a local repository named unknown to copy to.",
        ),
        (
            "generic-local/org/acme",
            "/generic-local/org/acme/lib/inner",
            409,
            "Cannot copy generic-local:org/acme to generic-local:org/acme/lib/inner: a part of itself",
        ),
        (
            "generic-local/org/acme/a",
            "/generic-local/org/acme/a",
            409,
            "Cannot copy generic-local:org/acme/a to generic-local:org/acme/a: a part of itself",
        ),
        (
            "generic-local/org/acme/a",
            "/generic-local/org/acme",
            409,
            "Cannot copy generic-local:org/acme/a to generic-local:org/acme/a: a part of itself",
        ),
        (
            "generic-local",
            "/generic-local/x",
            409,
            "Cannot copy generic-local: to generic-local:x: a part of itself",
        ),
        (
            "shown/org/acme",
            "/other/x",
            400,
            "Only what is in a local repository or a cache can be copied: shown:org/acme",
        ),
        (
            "generic-local/org/acme",
            "/shown/x",
            400,
            "Could not find a local repository named shown to copy to.",
        ),
    ],
)
async def test_what_cannot_be_copied(server, relocate, source, to, status, message):
    """Missing sources, targets that take nothing, and parts of the source are refused in the shape of a result."""
    server.create_repository("shown", kind="virtual", members=("generic-local",), deploy_to="generic-local")
    answer = await relocate(server, "copy", source, to)
    assert (answer.status, messages(answer)) == (status, [("ERROR", message)])


@pytest.mark.parametrize("query", ["", "?to=", "?to=/"])
async def test_missing_target(server, ask, query):
    """Without a target it is an ordinary error."""
    answer = await ask(server, "POST", f"/api/copy/generic-local/org{query}", body=b"")
    assert (answer.status, answer.message) == (400, "The target of the operation is missing: to=/repository/path")


async def test_part_of_a_folder(server, relocate):
    """A conflict is reported and stays; the rest is moved, and the status is that of the last error."""
    server.make_folder("other/x/acme/lib/b")
    answer = await relocate(server, "move", "generic-local/org/acme", "/other/x")
    assert answer.status == 409
    assert messages(answer) == [
        ("ERROR", "other:x/acme/lib/b is a folder, not a file"),
        (
            "ERROR",
            "moving generic-local:org/acme to other:x/acme completed with 1 errors,"
            " 2 artifacts and 2 folders were moved",
        ),
    ]
    assert tree(server, "generic-local/org/acme") == ["lib/b"]
    assert tree(server, "other/x/acme") == ["a", "lib/b", "lib/c"]


@pytest.mark.parametrize(
    ("query", "moved"),
    [
        pytest.param("&atomic=1", [], id="atomic"),
        pytest.param("&failFast=1", ["a"], id="fail fast"),
        pytest.param("&dry=1", [], id="dry"),
        pytest.param("", ["a", "lib/b"], id="neither"),
    ],
)
async def test_how_to_go_on_after_an_error(server, relocate, query, moved):
    """All or nothing, up to the first error, or as much as possible."""
    server.put("generic-local/org/acme/lib/aa", b"x")
    server.make_folder("other/acme/lib/aa")
    answer = await relocate(server, "move", "generic-local/org/acme", f"/other{query}")
    assert answer.status == 409
    assert [path for path in ("a", "lib/b") if not server.exists(f"generic-local/org/acme/{path}")] == moved


async def test_folder_where_a_file_is(server, relocate):
    """Nothing below can go either, and every item says so."""
    server.put("other/x/acme", b"file")
    answer = await relocate(server, "move", "generic-local/org/acme", "/other/x")
    assert (answer.status, len(messages(answer))) == (409, 6)
    assert tree(server, "generic-local/org/acme") == ["a", "lib/b", "lib/c"]
    assert server.read("other/x/acme") == b"file"


FILE = "generic-local:org/acme/a"


@pytest.mark.parametrize(
    ("verb", "source", "target", "message"),
    [
        pytest.param("copy", "w", "rw", f"copy '{FILE}'. Needs read", id="read the source"),
        pytest.param("move", "rw", "rw", f"move '{FILE}'. Needs delete", id="delete the source"),
        pytest.param("copy", "r", "r", "create 'other:a'. Needs write", id="write the target"),
        pytest.param("copy", "r", "rw", "override 'other:old'. Needs delete", id="overwrite the target"),
        pytest.param("copy", "r", "rd", "create 'other:old'. Needs write", id="write over the target"),
        pytest.param("copy", "r", "wd", None, id="copy"),
        pytest.param("move", "rd", "wd", None, id="move"),
    ],
)
async def test_rights(server, relocate, basic, verb, source, target, message):
    """The source is read and for a move deleted, the target is deployed to, and deleted where it exists."""
    server.put("other/old", b"old")
    server.add_user("u", password="pw")
    server.grant("u", "generic-local", source)
    server.grant("u", "other", target)
    to = "/other/old" if message is None or "old" in message else "/other/a"
    answer = await relocate(server, verb, "generic-local/org/acme/a", to, basic("u", "pw"))
    if message:
        level, text = messages(answer)[0]
        assert (answer.status, level, text) == (
            403,
            "ERROR",
            f"User doesn't have permissions to {message} permissions.",
        )
        assert server.exists("generic-local/org/acme/a")
    else:
        assert (answer.status, server.read("other/old")) == (200, b"a")


async def test_rights_of_anonymous_requests(relocate):
    """They are challenged."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.put("generic-local/a", b"x")
        answer = await relocate(server, "copy", "generic-local/a", "/generic-local/b", headers={})
        missing = await relocate(server, "copy", "generic-local/b", "/generic-local/c", headers={})
    assert (answer.status, "www-authenticate" in answer.headers) == (401, True)
    assert missing.status == 401


async def test_hidden_sources(relocate, basic):
    """Where existence is hidden, a source that may not be read looks missing."""
    async with ArtifactoryServer(hide_unauthorized=True) as server:
        server.put("generic-local/a", b"x")
        server.add_user("u", password="pw")
        answer = await relocate(server, "copy", "generic-local/a", "/generic-local/b", basic("u", "pw"))
    assert (answer.status, messages(answer)) == (404, [("ERROR", "Could not find item at generic-local:a")])


async def test_rules_of_the_target(server, relocate):
    """A target that would refuse a deploy of a path refuses it here."""
    server.create_repository("picky", excludes="**/b")
    answer = await relocate(server, "copy", "generic-local/org/acme/lib", "/picky")
    assert (answer.status, messages(answer)[0]) == (
        409,
        (
            "ERROR",
            "The repository 'picky' rejected the artifact 'picky:lib/b' due to its include/exclude pattern settings.",
        ),
    )
    assert (server.exists("picky/lib/b"), server.exists("picky/lib/c")) == (False, True)


async def test_open_source_edition(relocate):
    """It neither copies nor moves."""
    async with ArtifactoryServer(edition="oss") as server:
        server.put("generic-local/a", b"x")
        for verb in ("copy", "move"):
            answer = await relocate(server, verb, "generic-local/a", "/generic-local/b")
            assert answer.message.startswith("This REST API is available only in Artifactory Pro")


async def test_copies_share_their_bytes(server, relocate):
    """Deleting one does not harm the other."""
    await relocate(server, "copy", "generic-local/org/acme", "/other")
    await relocate(server, "move", "other/acme/a", "/other/b")
    assert (server.read("other/b"), server.read("generic-local/org/acme/a")) == (b"a", b"a")
