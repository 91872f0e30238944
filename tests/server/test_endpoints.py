"""``docs/endpoints.md``: every call of its tables is made, in both editions."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioartifact.testing import ArtifactoryServer
from aioartifact.testing.app import _REST
from aioartifact.testing.handlers.security.access import HANDLERS
from aioartifact.testing.remote.calls import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"
ROW = re.compile(r"\| `([A-Z]+) (/[^`]*)` \| (\w+) \| (\w+) \|")
NAMES = {
    "repository": "libs",
    "folder": "org/app",
    "file": "org/app/1.0/app-1.0.jar",
    "new": "new",
    "packages": "pypi",
    "package": "app-1.0.zip",
    "user": "user",
    "group": "team",
    "target": "target",
    "project": "project",
    "build": "app",
}
PRO = "This REST API is available only in Artifactory Pro (see: jfrog.com/artifactory/features)."
FORM, JSON = {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json"}
BUILD = {"name": "app", "number": "2", "started": "2024-06-02T12:00:00.000+0000"}
IDENTITY = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "subject_token": "e30.e30.e30",
    "provider_name": "ci",
}
UPLOAD = (
    "".join(
        f'--xYz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {
            ":action": "file_upload",
            "name": "app",
            "version": "2.0",
            'content"; filename="app-2.0.zip': "x",
        }.items()
    ).encode()
    + b"--xYz--\r\n"
)
BODIES = {
    "POST /api/search/aql": ({}, b"items.find()"),
    "POST /api/search/buildArtifacts": (JSON, b'{"buildName": "app", "buildNumber": "1"}'),
    "PUT /api/build": (JSON, json.dumps(BUILD).encode()),
    "POST /api/build/append": (JSON, b"[]"),
    "POST /api/build/delete": (JSON, b'{"buildName": "app", "deleteAll": true}'),
    "POST /api/build/promote": (JSON, b'{"status": "released"}'),
    "POST /api/build/retention": (JSON, b'{"count": 1}'),
    "PATCH /api/metadata": (JSON, b'{"props": {"a": "c"}}'),
    "PUT /api/repositories": (JSON, b'{"rclass": "local"}'),
    "POST /api/repositories": (JSON, b'{"description": "changed"}'),
    "POST /api/security/token/revoke": (FORM, b"token_id=x"),
    "POST /api/security/token": (FORM, b"username=admin"),
    "PUT /api/security/users": (JSON, b'{"email": "new@example.com", "password": "pw"}'),
    "POST /api/security/users": (JSON, b'{"admin": false}'),
    "POST /api/security/users/authorization/changePassword": (
        JSON,
        b'{"userName": "user", "oldPassword": "pw", "newPassword1": "new", "newPassword2": "new"}',
    ),
    "PUT /api/security/groups": (JSON, b"{}"),
    "POST /api/security/groups": (JSON, b'{"description": "changed"}'),
    "PUT /api/security/permissions": (JSON, b'{"repositories": ["libs"]}'),
    "POST /api/v2/security/permissions": (JSON, b'{"repo": {"repositories": ["libs"]}}'),
    "PUT /api/v2/security/permissions": (JSON, b'{"repo": {"repositories": ["libs"]}}'),
    "POST /api/pypi": ({"Content-Type": "multipart/form-data; boundary=xYz"}, UPLOAD),
    "POST /access/api/v1/tokens": (JSON, b"{}"),
    "POST /access/api/v1/projects": (JSON, b'{"project_key": "new", "display_name": "New"}'),
    "PUT /access/api/v1/projects": (JSON, b'{"description": "changed"}'),
    "POST /access/api/v2/users": (JSON, b'{"username": "new", "email": "a@example.com", "password": "pw"}'),
    "PATCH /access/api/v2/users/{user}/groups": (JSON, b'{"add": ["team"]}'),
    "PATCH /access/api/v2/users": (JSON, b'{"email": "b@example.com"}'),
    "POST /access/api/v2/groups": (JSON, b'{"name": "new"}'),
    "PATCH /access/api/v2/groups/{group}/members": (JSON, b'{"add": ["user"]}'),
    "PATCH /access/api/v2/groups": (JSON, b'{"description": "us"}'),
    "DELETE /access/api/v1/tokens/revoke": (JSON, b'{"token": "x"}'),
    "POST /access/api/v1/oidc/token": (JSON, json.dumps(IDENTITY).encode()),
    "LOCK /{repository}/{file}": ({}, b"<lockinfo/>"),
    "MOVE /{repository}/{file}": ({"Destination": "/artifactory/libs/new"}, None),
    "PUT /{repository}/{file}:properties": ({}, b"<properties><a>c</a></properties>"),
}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield release, edition, method, path and what the page says of them."""
    for section in PAGE.read_text("utf-8").split("\n## "):
        profile = "7.x" if "7.x" in section.partition("\n")[0] else "6.20"
        for method, path, *served in ROW.findall(section):
            for edition, each in zip(("oss", "pro"), served, strict=True):
                yield profile, edition, method, path, each


def body_of(call: str) -> tuple[dict[str, str], bytes | None]:
    """Headers and body that the call needs; the longest start decides."""
    fitting = [start for start in BODIES if call.startswith(start)]
    if fitting:
        return BODIES[max(fitting, key=len)]
    return {}, b"" if call.startswith(("PUT", "POST", "PATCH")) else None


async def publish(ask, server) -> None:
    """Publish two runs of a build, and the artifact of the first."""
    properties = {"build.name": "app", "build.number": "1"}
    server.put("libs/app.bin", b"built", properties=properties)
    artifact = {"name": "app.bin", "sha1": server.checksums("libs/app.bin")["sha1"]}
    first = BUILD | {"number": "1", "modules": [{"id": "app", "artifacts": [artifact]}]}
    for document in (first, BUILD):
        await ask(server, "PUT", "/api/build", body=json.dumps(document).encode())


@pytest.mark.parametrize(
    ("profile", "edition", "method", "path", "served"),
    [pytest.param(*row, id=f"{row[1]} {row[2]} {row[3]}") for row in rows()],
)
async def test_endpoint_answers_as_the_page_says(ask, profile, edition, method, path, served):
    """Served, refused for want of Pro, or answered with the status of what is not served."""
    async with ArtifactoryServer(profile=profile, edition=edition, strict=served in ("yes", "Pro")) as server:
        server.create_repository("libs", package_type="maven", layout="maven-2-default")
        server.put(f"libs/{NAMES['file']}", b"content", properties={"a": "b", "version": "1.0"})
        server.create_repository("pypi", package_type="pypi")
        server.put(f"pypi/{NAMES['package']}", b"content", properties={"pypi.normalized.name": "app"})
        server.make_folder("libs/org/app")
        server.map_identity("ci", "admin", claims={})
        server.add_user("user", password="pw", groups=["team"])
        await publish(ask, server)
        if edition == "pro":
            target = json.dumps({"repositories": ["libs"]}).encode()
            await ask(server, "PUT", "/api/security/permissions/target", body=target)
        server.enable_folder_download()
        token = server.issue_token("admin")
        if "{project}" in path:
            project = b'{"project_key": "project", "display_name": "Project"}'
            headers = {"Authorization": f"Bearer {token}"} | JSON
            await ask(server, "POST", "/access/api/v1/projects", headers=headers, body=project, origin=server.origin)
        names = NAMES | {"sha1": server.checksums(f"libs/{NAMES['file']}")["sha1"]}
        headers, body = body_of(f"{method} {path}")
        credentials = {"Authorization": f"Bearer {token}"}
        is_beside = path.startswith(("/access/", "/router/"))
        answer = await ask(
            server,
            method,
            path.format_map(names),
            headers=credentials | headers,
            body=body,
            origin=server.origin if is_beside else None,
        )
    if served == "yes":
        assert answer.status < 400
    elif served == "Pro":
        assert (answer.status, answer.message.startswith(PRO)) == (400, True)
    else:
        assert answer.status == int(served)


def test_page_names_every_route():
    """Each method of the route tables has a row."""
    calls = {f"{method} {path}" for _, _, method, path, _ in rows()}
    routes = [(f"/{prefix}", handlers) for prefix, handlers in _REST]
    routes += [(f"/access/api/{path}", handlers) for path, handlers in HANDLERS.items()]
    missing = [
        f"{method} {path}"
        for path, handlers in routes
        for method in handlers
        if not any(re.match(rf"{method} {re.escape(path)}(?![\w])", call) for call in calls)
    ]
    assert missing == []


def test_every_call_of_the_control_interface_is_listed():
    """The table has the calls that are served, in their order."""
    table = PAGE.read_text("utf-8").partition("## Control over HTTP")[2]
    rows = re.findall(r"^\| `([A-Z]+) /([^`]*)` \|", table, flags=re.MULTILINE)
    assert rows == [(method, path) for method, path, _ in ROUTES]
