"""Build info as CI servers publish it, and requests with JSON bodies."""

import hashlib
import json

import pytest

CONTENT = b"content"
SHA1 = hashlib.sha1(CONTENT).hexdigest()


@pytest.fixture
def sha1() -> str:
    """SHA-1 of the artifact of every build."""
    return SHA1


@pytest.fixture
def build():
    """Make the document of a run: number *n* of June 2024, with one artifact and one dependency."""

    def build(number=1, name="app", **fields):
        file = {"type": "bin", "sha1": SHA1, "md5": hashlib.md5(CONTENT).hexdigest()}
        module = {
            "id": "org:app:1.0",
            "properties": {"lang": "c"},
            "artifacts": [{"name": "app.bin", **file}],
            "dependencies": [{"id": "org:lib:2.0", "scopes": ["compile"], "sha1": "0" * 40}],
        }
        return {
            "version": "1.0.1",
            "name": name,
            "number": str(number),
            "started": f"2024-06-{int(number):02}T12:00:00.000+0200" if str(number).isdecimal() else "",
            "modules": [module],
            "properties": {"buildInfo.env.CI": "yes"},
        } | fields

    return build


@pytest.fixture
def send(ask, admin):
    """Make a request below ``api/build`` (or *path* below ``api/`` if it starts with a slash) with a JSON body."""

    async def send(server, method, path="", document=None, *, headers=None):
        body = None if document is None else json.dumps(document).encode()
        body = b"" if body is None and method in ("POST", "PUT") else body
        target = path if path.startswith("/") else f"/api/build/{path}".rstrip("/")
        sent = {"Content-Type": "application/json"} | (admin if headers is None else headers)
        return await ask(server, method, target, headers=sent, body=body)

    return send


@pytest.fixture
async def published(server, send, build):
    """Runs 1 to 3 of the build ``app``, and the artifact of the first one, with its properties."""
    properties = {"build.name": "app", "build.number": "1"}
    server.put("generic-local/app/1/app.bin", CONTENT, properties=properties)
    for number in (1, 2, 3):
        assert (await send(server, "PUT", "", build(number))).status == 204
    return server
