"""Bodies and tokens of deeply nested JSON: a refusal, not a failure."""

import base64

import pytest

from aioartifact.testing import ArtifactoryServer
from aioartifact.testing.protocol import jackson

pytestmark = pytest.mark.anyio

DEPTHS = [jackson.DEEPEST + 1, 1_000, 5_000, 100_000]
KINDS = {"arrays": ("[", "", "]"), "objects": ('{"a":', "1", "}"), "both": ('[{"a":', "1", "}]")}


def nested(kind: str, depth: int) -> str:
    start, inner, end = KINDS[kind]
    return start * depth + inner + end * depth


@pytest.fixture(scope="module")
async def server():
    async with ArtifactoryServer(profile="7.x") as running:
        running.put("generic-local/a", b"a")
        yield running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/repositories/new"),
        ("POST", "/api/repositories/generic-local"),
        ("PATCH", "/api/metadata/generic-local/a"),
        ("PUT", "/api/security/users/u"),
        ("PUT", "/api/security/groups/g"),
        ("PUT", "/api/security/permissions/p"),
        ("POST", "/api/v2/security/permissions/p"),
        ("POST", "/api/security/users/authorization/changePassword"),
        ("POST", "/access/api/v1/tokens"),
        ("POST", "/access/api/v1/projects"),
    ],
)
@pytest.mark.parametrize("wrapped", ["{}", '{{"key":{}}}', '{{"rclass":"local","props":{{"k":{}}}}}'])
async def test_deep_bodies_are_refused(server, ask, admin, kind, depth, method, path, wrapped):
    body = wrapped.format(nested(kind, depth)).encode()
    credentials = {"Authorization": f"Bearer {server.token}"} if path.startswith("/access/") else admin
    headers = credentials | {"Content-Type": "application/json"}
    assert (await ask(server, method, path, headers=headers, body=body)).status == 400


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", DEPTHS)
async def test_deep_tokens_are_refused(server, ask, kind, depth):
    claims = base64.urlsafe_b64encode(nested(kind, min(depth, 5_000)).encode()).decode().rstrip("=")
    answer = await ask(server, "GET", "/generic-local/a", headers={"Authorization": f"Bearer eyJ.{claims}.x"})
    assert answer.status in (400, 401, 403)


@pytest.mark.parametrize("kind", ["arrays", "objects"])
def test_deepest(kind):
    assert jackson.loads(nested(kind, jackson.DEEPEST))
    assert jackson.dumps(jackson.loads(nested(kind, jackson.DEEPEST)))
    with pytest.raises(ValueError, match="more than 100 levels"):
        jackson.loads(nested(kind, jackson.DEEPEST + 1))
