"""``api/pypi``: the simple index, uploads, and the properties that packages get."""

import hashlib
import re
from html import unescape
from urllib.parse import unquote, urljoin

import pytest

from aioartifact.testing import ArtifactoryServer

WHEEL = "my_app-1.0-py3-none-any.whl"
SDIST = "my_app-1.0.tar.gz"
LINK = re.compile(r'<a href="([^"]*)"( rel="internal")?(?: data-requires-python="([^"]*)")?>([^<]*)</a><br/>')
PROPERTIES = {
    "pypi.name": ["My.App"],
    "pypi.normalized.name": ["my-app"],
    "pypi.requires.python": [">=3.9, <4"],
    "pypi.summary": ["What it is for"],
    "pypi.version": ["1.0"],
}


@pytest.fixture
async def server():
    """A server with a repository for packages."""
    async with ArtifactoryServer(edition="pro") as server:
        server.create_repository("pypi", package_type="pypi")
        yield server


@pytest.fixture
def index(server, ask, basic):
    """The links of a page of the index, by their text."""

    async def index(path, user="admin", password="password"):
        answer = await ask(server, "GET", f"/api/pypi/{path}", headers=basic(user, password))
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
        return {text: (unescape(href), requires) for href, _, requires, text in LINK.findall(answer.body.decode())}

    return index


@pytest.fixture
def upload(server, ask, basic, form):
    """Upload as twine does; gives the answer."""

    async def upload(data, *args, repository="pypi", user="admin", password="password", **changes):
        headers, body = form(data, *args, **changes)
        return await ask(server, "POST", f"/api/pypi/{repository}", headers=headers | basic(user, password), body=body)

    return upload


async def test_upload(server, ask, upload, index, wheel, sdist):
    """Files are stored by project and version, have properties, and are in the index with their SHA-256."""
    for name, data in ((WHEEL, wheel()), (SDIST, sdist())):
        answer = await upload(data, name)
        assert (answer.status, answer.body) == (200, b"")
        assert server.read(f"pypi/My.App/1.0/{name}") == data
        assert server.properties(f"pypi/My.App/1.0/{name}") == PROPERTIES
    assert await index("pypi/simple/") == {"my-app": ("my-app/", "")}
    links = await index("pypi/simple/my-app/")
    assert list(links) == [WHEEL, SDIST]
    href, requires = links[WHEEL]
    assert unescape(requires) == ">=3.9, <4"
    assert href.partition("#sha256=")[2] == hashlib.sha256(wheel()).hexdigest()
    path = urljoin("/api/pypi/pypi/simple/my-app/", unquote(href.partition("#")[0]))
    answer = await ask(server, "GET", path)
    assert (answer.status, answer.body) == (200, wheel())
    head = await ask(server, "HEAD", path)
    assert head.headers["x-checksum-sha256"] == hashlib.sha256(wheel()).hexdigest()


@pytest.mark.parametrize("spelling", ["my-app", "My.App", "my_app", "MY-_.APP"])
async def test_spelling(server, index, wheel, spelling):
    """PEP 503: case, and which of three characters separates words, do not matter."""
    server.put(f"pypi/a/{WHEEL}", wheel())
    assert list(await index(f"pypi/simple/{spelling}/")) == [WHEEL]


@pytest.mark.parametrize("path", ["simple", "simple/my-app"])
async def test_missing_slash(server, ask, wheel, path):
    """Links are relative to a slash."""
    server.put(f"pypi/a/{WHEEL}", wheel())
    answer = await ask(server, "GET", f"/api/pypi/pypi/{path}")
    assert (answer.status, answer.headers["location"]) == (302, f"{server.url}/api/pypi/pypi/{path}/")


async def test_unknown_project(server, ask):
    """There is no page for it, which pip takes for no candidates."""
    assert (await ask(server, "GET", "/api/pypi/pypi/simple/nothing/")).status == 404


@pytest.mark.parametrize(
    ("name", "make"),
    [pytest.param(WHEEL, "wheel", id="wheel"), pytest.param(SDIST, "sdist", id="sdist")],
)
async def test_plain_deploys_are_indexed(server, ask, index, request, name, make):
    """Wherever they are put; properties of the request stay, and the answer is that of a deploy."""
    data = request.getfixturevalue(make)()
    answer = await ask(server, "PUT", f"/pypi/any/where/{name};a=b", body=data)
    assert answer.status == 201
    assert server.properties(f"pypi/any/where/{name}") == {"a": ["b"], **PROPERTIES}
    assert list(await index("pypi/simple/my-app/")) == [name]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param(WHEEL, b"no archive", id="broken"),
        pytest.param("my_app.txt", b"text", id="another-file"),
    ],
)
async def test_what_is_no_package_is_stored(server, ask, index, name, data):
    """It is a file as any other, and in no index."""
    assert (await ask(server, "PUT", f"/pypi/a/{name}", body=data)).status == 201
    assert server.properties(f"pypi/a/{name}") == {}
    assert await index("pypi/simple/") == {}


async def test_wheels_without_metadata(server, wheel, index):
    """Nor is a package that does not tell its name where the standard puts it."""
    server.put(f"pypi/a/{WHEEL}", wheel(folder="elsewhere"))
    server.put("pypi/a/b-1.0-py3-none-any.whl", wheel(name="", version=""))
    assert await index("pypi/simple/") == {}


async def test_properties_decide(server, index):
    """A file with the property is listed, whoever set it; text and addresses are escaped."""
    properties = {"pypi.normalized.name": "a-b", "pypi.requires.python": '<4,>"3"'}
    server.put("pypi/x y#/a&b.zip", b"data", properties=properties)
    href, requires = (await index("pypi/simple/a-b/"))["a&amp;b.zip"]
    assert href.startswith("../../x%20y%23/a%26b.zip#sha256=")
    assert unescape(requires) == '<4,>"3"'


async def test_other_repositories(server, ask, upload, wheel):
    """Packages in another kind of repository have no index; one that is not there is 404."""
    server.put(f"generic-local/{WHEEL}", wheel())
    assert server.properties(f"generic-local/{WHEEL}") == {}
    assert (await ask(server, "GET", "/api/pypi/generic-local/simple/")).status == 400
    assert (await ask(server, "GET", "/api/pypi/nothing/simple/")).status == 404
    assert (await upload(wheel(), repository="generic-local")).status == 400


async def test_virtual_repository(server, index, upload, wheel):
    """It lists the files of all members, of one name the first, and takes uploads where it deploys to."""
    server.create_repository("more", package_type="pypi")
    server.create_repository("all", kind="virtual", package_type="pypi", members=("pypi", "more"), deploy_to="more")
    server.put(f"pypi/my/{WHEEL}", wheel())
    assert (await upload(wheel(), repository="all")).status == 200
    assert (
        await upload(wheel(version="2.0"), "my_app-2.0-py3-none-any.whl", repository="all", version="2.0")
    ).status == 200
    assert server.exists(f"more/My.App/1.0/{WHEEL}")
    links = await index("all/simple/my-app/")
    assert [href.partition("#")[0] for href, _ in links.values()] == [
        f"../../my/{WHEEL}",
        "../../My.App/2.0/my_app-2.0-py3-none-any.whl",
    ]


async def test_cached_packages(server, ask, index, wheel):
    """A remote repository lists what it has fetched."""
    async with ArtifactoryServer(edition="pro") as upstream:
        upstream.create_repository("pypi", package_type="pypi")
        upstream.put(f"pypi/my/{WHEEL}", wheel())
        settings = {"url": f"{upstream.url}/pypi", "username": upstream.username, "password": upstream.password}
        server.create_repository("far", kind="remote", package_type="pypi", **settings)
        assert await index("far/simple/") == {}
        assert (await ask(server, "GET", f"/api/pypi/far/my/{WHEEL}")).body == wheel()


async def test_rights(server, ask, upload, index, wheel):
    """Reading shows what the user may read; uploads take the rights of a deploy."""
    server.add_user("ann", password="pw")
    assert (await ask(server, "GET", "/api/pypi/pypi/simple/", headers={})).status == 401
    server.put(f"pypi/open/{WHEEL}", wheel())
    server.put("pypi/closed/x-1.0-py3-none-any.whl", wheel(name="closed"))
    server.grant("ann", "pypi", "r", "open/**")
    assert await index("pypi/simple/", "ann", "pw") == {"my-app": ("my-app/", "")}
    assert (await upload(wheel(), user="ann", password="pw")).status == 403
    server.grant("ann", "pypi", "rw", "My.App/**")
    assert (await upload(wheel(), user="ann", password="pw")).status == 200
    assert (await upload(wheel(), user="ann", password="pw")).status == 200, "the same content needs no right to delete"
    refused = await upload(wheel(version="other"), user="ann", password="pw")
    assert refused.status == 403
    assert "overwrite artifact" in refused.message  # what twine before 7 looks for with --skip-existing


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({":action": "submit"}, id="action"),
        pytest.param({"name": None}, id="no-name"),
        pytest.param({"version": ""}, id="no-version"),
        pytest.param({"name": ".."}, id="out-of-the-repository"),
        pytest.param({"version": "1/0"}, id="slash"),
        pytest.param({"file_name": "../x.whl"}, id="file-name"),
    ],
)
async def test_refused_uploads(server, upload, wheel, changes):
    """What does not tell where to store it is refused, and nothing is stored."""
    assert (await upload(wheel(), **changes)).status == 400
    assert not server.exists("pypi/My.App")


async def test_wrong_digest(server, upload, wheel):
    """Content that is not what the client says is refused, as in a deploy."""
    assert (await upload(wheel(), sha256_digest="0" * 64)).status == 409
    assert not server.exists("pypi/My.App")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        pytest.param("text/plain", b"x", 400, id="type"),
        pytest.param("multipart/form-data; boundary=xYz", b"--xYz\r\n", 400, id="cut"),
        pytest.param(
            "multipart/form-data; boundary=xYz",
            b'--xYz\r\nContent-Disposition: form-data; name="description"\r\n\r\n' + b"x" * (5 << 20),
            413,
            id="endless-field",
        ),
    ],
)
async def test_broken_forms(server, ask, basic, content_type, body, status):
    """They are refused."""
    headers = basic("admin", "password") | {"Content-Type": content_type}
    assert (await ask(server, "POST", "/api/pypi/pypi", headers=headers, body=body)).status == status


async def test_large_upload(server, upload):
    """A file of more than one batch arrives whole, though it looks like the boundary throughout."""
    data = b"\r\n--xYy" * 500_000
    assert (await upload(data)).status == 200
    assert server.read(f"pypi/My.App/1.0/{WHEEL}") == data


async def test_open_source_edition(ask):
    """It has no package indexes."""
    async with ArtifactoryServer(edition="oss") as server:
        server.create_repository("pypi", package_type="pypi")
        answer = await ask(server, "GET", "/api/pypi/pypi/simple/")
        assert (answer.status, answer.message) == (404, "Not Found")
