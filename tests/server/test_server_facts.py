"""Rows of server-facts.md, sections 2 and 3: what a real server answered, and the embedded one once did not."""

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
