"""What tests do with a server beside HTTP."""

import hashlib
from datetime import UTC, datetime

import pytest

from aioartifact.testing.control import synthetic


async def test_put_and_look(server, tmp_path):
    """Bytes, local files and synthetic content are stored without a request."""
    (tmp_path / "local").write_bytes(b"from a file")
    server.put("generic-local/a/b", b"bytes", properties={"one": "1", "two": ["2", "3"]})
    server.put("/generic-local/c/", tmp_path / "local")
    server.put_synthetic("generic-local/d", 3_000_000, seed=7)
    assert server.read("generic-local/a/b") == b"bytes"
    assert server.properties("generic-local/a/b") == {"one": ["1"], "two": ["2", "3"]}
    assert server.read("generic-local/c") == b"from a file"
    assert server.checksums("generic-local/c")["sha256"] == hashlib.sha256(b"from a file").hexdigest()
    assert server.read("generic-local/d") == b"".join(synthetic(3_000_000, 7))
    assert server.read("generic-local/d")[:4_000] != b"".join(synthetic(4_000, 8))
    assert server.exists("generic-local/a")
    assert not server.exists("generic-local/b")
    assert server.requests == []


async def test_put_tree(server, tmp_path):
    """A local folder goes up with its empty folders."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "x" / "y" / "f").write_bytes(b"f")
    (tmp_path / "g").write_bytes(b"g")
    server.put_tree("generic-local/up", tmp_path)
    assert server.read("generic-local/up/x/y/f") == b"f"
    assert server.read("generic-local/up/g") == b"g"
    assert server.exists("generic-local/up/empty")


async def test_times_and_originals(server, ask):
    """Times are set to the millisecond, and checksums may count as not supplied."""
    when = datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    server.put("generic-local/a", b"x", created=when, modified=when, original=False)
    info = (await ask(server, "GET", "/api/storage/generic-local/a")).json()
    assert info["created"] == info["lastModified"] == "2020-01-02T03:04:05.678Z"
    assert set(info["originalChecksums"]) == {"sha256"}


async def test_what_is_not_there(server):
    """Missing items and repositories are plain errors."""
    server.make_folder("generic-local/folder", properties={"k": "v"})
    assert server.properties("generic-local/folder") == {"k": ["v"]}
    for look in (server.read, server.checksums):
        for address in ("generic-local/missing", "generic-local/folder"):
            with pytest.raises(FileNotFoundError):
                look(address)
    with pytest.raises(FileNotFoundError):
        server.properties("generic-local/missing")
    with pytest.raises(LookupError, match="no repository 'unknown'"):
        server.put("unknown/a", b"x")


async def test_credentials_of_the_admin(server, ask, basic):
    """Password, API key and token all belong to the admin made at start."""
    assert (server.username, server.password) == ("admin", "password")
    for headers in (
        basic(server.username, server.api_key),
        {"X-JFrog-Art-Api": server.api_key},
        {"Authorization": f"Bearer {server.token}"},
    ):
        assert (await ask(server, "GET", "/api/system/version", headers=headers)).status == 200
