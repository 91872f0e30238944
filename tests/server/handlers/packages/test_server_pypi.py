"""``api/pypi``: the simple index, uploads, and the properties that packages get."""

import hashlib
import re
from html import unescape
from urllib.parse import unquote, urljoin

import pytest

from aioartifact.testing import ArtifactoryServer, Fault, ManualClock

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
    """Nor is a package without a name in the standard place."""
    server.put(f"pypi/a/{WHEEL}", wheel(folder="elsewhere"))
    server.put("pypi/a/b-1.0-py3-none-any.whl", wheel(name="", version=""))
    assert await index("pypi/simple/") == {}


async def test_properties_decide(server, index):
    """A file with the property is listed, whichever client set it; text and addresses are escaped."""
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


@pytest.fixture
async def upstream():
    """A server with packages, for remote repositories."""
    async with ArtifactoryServer(edition="pro") as upstream:
        upstream.create_repository("pypi", package_type="pypi")
        yield upstream


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def near(upstream, clock):
    """A server with a remote repository, and a virtual one of that and a local one."""
    async with ArtifactoryServer(edition="pro", clock=clock) as near:
        near.create_repository("pypi", package_type="pypi")
        credentials = {"username": upstream.username, "password": upstream.password}
        url = f"{upstream.url}/api/pypi/pypi"
        near.create_repository("far", kind="remote", package_type="pypi", url=url, **credentials)
        near.create_repository("all", kind="virtual", package_type="pypi", members=("pypi", "far"))
        yield near


@pytest.fixture
def index_of(near, ask, basic):
    """The links of a page, by their text; with the status of others."""

    async def index_of(path, user="admin", password="password"):
        answer = await ask(near, "GET", f"/api/pypi/{path}", headers=basic(user, password))
        if answer.status != 200:
            return answer.status
        return {text: (unescape(href), requires) for href, _, requires, text in LINK.findall(answer.body.decode())}

    return index_of


@pytest.mark.parametrize("repository", ["far", "all"])
async def test_index_of_an_upstream(near, upstream, ask, index_of, wheel, repository):
    """Files that were never fetched are listed with digest and versions of Python, and fetched through it."""
    upstream.put(f"pypi/My.App/1.0/a b/{WHEEL}", wheel())
    found = await index_of(f"{repository}/simple/my_app/")
    sha256 = hashlib.sha256(wheel()).hexdigest()
    assert found == {WHEEL: (f"../../My.App/1.0/a%20b/{WHEEL}#sha256={sha256}", "&gt;=3.9, &lt;4")}
    assert not near.exists(f"far-cache/My.App/1.0/a b/{WHEEL}")
    target = urljoin(f"/api/pypi/{repository}/simple/my_app/", found[WHEEL][0]).partition("#")[0]
    assert (await ask(near, "GET", target)).body == wheel()
    assert near.properties(f"far-cache/My.App/1.0/a b/{WHEEL}") == PROPERTIES
    assert await index_of(f"{repository}/simple/my-app/") == found
    assert await index_of(f"{repository}/simple/other/") == 404


async def test_index_is_kept_for_a_while(near, upstream, index_of, wheel, clock):
    upstream.put(f"pypi/a/{WHEEL}", wheel())
    assert set(await index_of("far/simple/my-app/")) == {WHEEL}
    later = "my_app-1.1-py3-none-any.whl"
    upstream.put(f"pypi/a/{later}", wheel(version="1.1"))
    assert set(await index_of("far/simple/my-app/")) == {WHEEL}
    assert upstream.count("GET", "api/pypi/**") == 1
    clock.advance(100_000)
    assert set(await index_of("far/simple/my-app/")) == {WHEEL, later}
    upstream.fail("GET", "api/pypi/**", times=None, fault=Fault.status(503))
    clock.advance(100_000)
    assert set(await index_of("far/simple/my-app/")) == {WHEEL, later}, "stale is better than nothing"


async def test_upstream_that_cannot_be_reached(near, upstream, ask, index_of, wheel):
    """What was fetched before is listed; a repository that fails hard says so."""
    upstream.put(f"pypi/a/{WHEEL}", wheel())
    assert (await ask(near, "GET", f"/api/pypi/far/a/{WHEEL}")).status == 200
    upstream.fail("GET", "api/pypi/**", times=None, fault=Fault.lose())
    assert set(await index_of("all/simple/my-app/")) == {WHEEL}
    assert await index_of("all/simple/other/") == 404
    url = "http://127.0.0.1:1/"
    near.create_repository("hard", kind="remote", package_type="pypi", url=url, hard_fail=True)
    assert await index_of("hard/simple/my-app/") == 500


async def test_local_packages_come_first(near, upstream, index_of, wheel):
    other = wheel(version="other")
    upstream.put(f"pypi/a/{WHEEL}", other)
    near.put(f"pypi/b/{WHEEL}", wheel())
    ((href, _),) = (await index_of("all/simple/my-app/")).values()
    assert href == f"../../b/{WHEEL}#sha256={hashlib.sha256(wheel()).hexdigest()}"


async def test_links_to_elsewhere_stay(upstream, index_of):
    """As those of pypi.org, whose files are on another host; markup in them stays markup."""
    html = (
        b'<a href="https://files.example.org/p/my_app-1.0.whl?a=1&amp;b=2#sha256=ab">x</a><a href="ftp://x/y.whl">y</a>'
    )
    upstream.fail("GET", "api/pypi/**", fault=Fault.replace(html))
    upstream.put("pypi/a/x-1.0-py3-none-any.whl", b"", properties={"pypi.normalized.name": "my-app"})
    assert await index_of("far/simple/my-app/") == {
        "my_app-1.0.whl": ("https://files.example.org/p/my_app-1.0.whl?a=1&b=2#sha256=ab", "")
    }


async def test_upstream_links_need_the_right_to_read(near, upstream, index_of, wheel):
    upstream.put(f"pypi/open/{WHEEL}", wheel())
    upstream.put(f"pypi/closed/{SDIST}", b"", properties={"pypi.normalized.name": "my-app"})
    near.add_user("ann", password="pw")
    near.grant("ann", "far", "r", "open/**")
    near.grant("ann", "pypi", "r")  # without which the virtual repository is closed
    assert set(await index_of("all/simple/my-app/")) == {WHEEL, SDIST}
    assert set(await index_of("all/simple/my-app/", "ann", "pw")) == {WHEEL}


async def test_reset_forgets_what_upstreams_had(upstream, ask, wheel):
    upstream.put(f"pypi/a/{WHEEL}", wheel())
    credentials = {"username": upstream.username, "password": upstream.password}
    url = f"{upstream.url}/api/pypi/pypi"

    def fill(server):
        server.create_repository("far", kind="remote", package_type="pypi", url=url, **credentials)

    async with ArtifactoryServer(edition="pro", seed=fill) as server:
        assert (await ask(server, "GET", "/api/pypi/far/simple/new/")).status == 404
        upstream.put("pypi/a/new-1.0-py3-none-any.whl", wheel(name="new"))
        assert (await ask(server, "GET", "/api/pypi/far/simple/new/")).status == 404
        server.reset()
        assert (await ask(server, "GET", "/api/pypi/far/simple/new/")).status == 200


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
    """An upload without a place to store it is refused, and nothing is stored."""
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
