"""A server whose accounts are managed by REST."""

import json

import pytest

from aioartifact.testing import ArtifactoryServer


@pytest.fixture
async def server():
    """A server of the Pro edition with a file in a local repository and a user without rights."""
    async with ArtifactoryServer() as server:
        server.put("generic-local/open/a.bin", b"content", properties={"team": "data"})
        server.put("generic-local/secret/b.bin", b"content")
        server.add_user("user", password="pw")
        yield server


@pytest.fixture
def send(ask):
    """Send a JSON document, or nothing, as the administrator unless *headers* say otherwise."""

    async def send(server, method, path, document=None, headers=None):
        body = None if method in ("GET", "HEAD") else b"" if document is None else json.dumps(document).encode()
        return await ask(server, method, f"/api/{path}", headers=headers, body=body)

    return send
