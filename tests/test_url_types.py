"""Every function takes a URL as a str, as a yarl.URL and as an ArtifactoryPath, and a local path below ``~``."""

import os
from pathlib import Path

import pytest
from yarl import URL

import aioartifact

KINDS = {"str": str, "yarl": URL, "path": aioartifact.path}


@pytest.fixture(params=KINDS)
def as_url(request):
    return KINDS[request.param]


@pytest.fixture
def at(server):
    server.put("generic-local/d/a b#.bin", b"12345", properties={"k": "v"})
    server.put("generic-local/g/n/1.0.0/n.bin", b"1")
    return f"{server.url}/generic-local"


async def test_functions_of_one_item(server, session, at, as_url, tmp_path):
    """What they return does not depend on how the URL is given."""
    file, folder = as_url(f"{at}/d/a%20b%23.bin"), as_url(f"{at}/d")
    assert (await aioartifact.info(file, session=session)).size == 5
    assert await aioartifact.exists(file, session=session)
    assert await aioartifact.checksum(file, session=session) == "827ccb0eea8a706c4c34a16891f84e7b"
    assert await aioartifact.read_bytes(file, session=session) == b"12345"
    assert await aioartifact.properties(file, session=session) == {"k": ["v"]}
    assert (await aioartifact.rest_api_get(file, session=session)).content == b"12345"
    async with aioartifact.stream(file, session=session) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"12345"
    async with aioartifact.open(file, session=session) as opened:
        assert await opened.read(None) == b"12345"
    names = [entry.name async for entry in aioartifact.ls(folder, session=session)]
    assert names == [entry.name async for entry in aioartifact.walk(folder, session=session)] == ["a b#.bin"]
    assert [entry.name async for entry in aioartifact.glob(folder, "*.bin", session=session)] == names
    assert await aioartifact.download(file, tmp_path, session=session) == str(tmp_path / "a b#.bin")
    target = f"{at}/d/new.bin"
    assert await aioartifact.deploy(tmp_path / "a b#.bin", as_url(target), session=session) == target
    await aioartifact.write_bytes(as_url(target), b"1", session=session)
    await aioartifact.update_properties(as_url(target), {"a": "b"}, session=session)
    await aioartifact.set_properties(as_url(target), {"a": "c"}, session=session)
    await aioartifact.delete_properties(as_url(target), "a", session=session)
    await aioartifact.copy(as_url(target), as_url(f"{at}/d/copy.bin"), session=session)
    await aioartifact.move(as_url(target), as_url(f"{at}/d/moved.bin"), session=session)
    await aioartifact.delete(as_url(f"{at}/d/moved.bin"), session=session)
    await aioartifact.mkdir(as_url(f"{at}/made"), session=session)
    assert str(await aioartifact.path(file, session=session).rename(as_url(f"{at}/d/b"))) == f"{at}/d/b"


async def test_functions_of_many_items(server, session, at, as_url, tmp_path):
    """Items, pairs and folders."""
    file, folder = as_url(f"{at}/d/a%20b%23.bin"), as_url(f"{at}/d")
    await aioartifact.download_many([file, (file, "x/y")], tmp_path, session=session)
    assert (tmp_path / "a b#.bin").read_bytes() == (tmp_path / "x/y").read_bytes() == b"12345"
    await aioartifact.download_folder(folder, tmp_path / "tree", session=session)
    await aioartifact.deploy_many([(tmp_path / "x/y", as_url(f"{at}/d/z"))], folder, session=session)
    await aioartifact.deploy_folder(tmp_path / "tree", as_url(f"{at}/e"), session=session)
    assert await aioartifact.exists(f"{at}/d/z", session=session)
    await aioartifact.sync(folder, tmp_path / "mirror", session=session)
    plan = await aioartifact.plan_sync(tmp_path / "mirror", folder, session=session)
    assert not plan.changes
    report = await aioartifact.download_many([as_url(f"{at}/gone")], tmp_path, on_error="collect", session=session)
    assert report.failed[0].url == f"{at}/gone"


async def test_functions_of_a_server(server, session, at, as_url):
    """A base address; of a path, that of its server."""
    base = aioartifact.path(f"{at}/d") if as_url is aioartifact.path else as_url(server.url)
    assert await aioartifact.versions(base, "generic-local", "g", "n", session=session) == ["1.0.0"]
    assert await aioartifact.latest_version(base, "generic-local", "g", "n", session=session) == "1.0.0"
    many = await aioartifact.versions_many(base, "generic-local", [("g", "n")], session=session)
    assert many["g", "n"].versions == ("1.0.0",)
    assert await aioartifact.ping(base, session=session)
    assert (await aioartifact.server_info(base, session=session)).url == server.url
    assert await aioartifact.repositories(base, session=session)
    assert [each.name async for each in aioartifact.search(base, name="n.bin", session=session)] == ["n.bin"]
    query = 'items.find({"repo":"generic-local","name":"n.bin"})'
    assert [row["name"] async for row in aioartifact.aql(base, query, session=session)] == ["n.bin"]
    assert aioartifact.url(base, repository="r") == f"{server.url}/r"
    assert aioartifact.url(base) == server.url
    assert aioartifact.authentification(base) == ("anonymous", "")
    assert aioartifact.resolve_credentials(base).kind == "anonymous"
    await aioartifact.Lookup.create(base, "generic-local", "l", "1.0.0", ["a"], session=session)
    lookup = await aioartifact.Lookup.open(base, "generic-local", "l", session=session)
    assert lookup.server == server.url
    auth = (server.username, server.password)
    async with aioartifact.session(base, auth={base: auth}) as opened:
        assert await aioartifact.exists(f"{at}/d", session=opened)


@pytest.mark.parametrize(
    "value", [None, 5, b"https://h/artifactory/r/a", Path("a"), object()], ids=lambda value: type(value).__name__
)
async def test_other_types(session, value):
    """An error of the library, which names what is accepted."""
    with pytest.raises(aioartifact.InvalidURLError, match="expected str, yarl"):
        await aioartifact.info(value, session=session)


async def test_home_folder(server, session, at, home):
    """A leading tilde is the home folder in every local path."""
    (home / "down").mkdir()
    url = f"{at}/g/n/1.0.0/n.bin"
    assert await aioartifact.download(url, "~/down", session=session) == str(home / "down" / "n.bin")
    assert await aioartifact.download(url, Path("~/down/b"), session=session) == str(home / "down" / "b")
    await aioartifact.download_many([url], "~/many", manifest="~/manifest", session=session)
    assert (home / "many/n.bin").exists()
    assert (home / "manifest").exists()
    await aioartifact.download_folder(f"{at}/g", "~/tree", session=session)
    await aioartifact.deploy("~/down/b", f"{at}/x", session=session)
    report = await aioartifact.deploy_many([Path("~/down/b"), ("~/down/b", "y")], f"{at}/many", session=session)
    assert len(report.deployed) == 2
    await aioartifact.deploy_folder("~/tree", f"{at}/tree", session=session)
    await aioartifact.sync(f"{at}/g", "~/mirror", manifest="~/synced", session=session)
    assert (home / "mirror/n/1.0.0/n.bin").exists()
    assert (await aioartifact.plan_sync("~/mirror", f"{at}/g", session=session)).source == str(home / "mirror")
    assert await aioartifact.checksum("~/down/b") == await aioartifact.checksum(home / "down/b")
    assert await aioartifact.remove_parts("~/down") == []
    with pytest.raises(aioartifact.ConfigurationError, match=str(home)):
        async with aioartifact.session(verify="~/no-ca.pem"):
            pass


async def test_tilde_elsewhere(session, at, tmp_path, monkeypatch):
    """Only a leading tilde that names a home folder is one."""
    monkeypatch.chdir(tmp_path)
    url = f"{at}/g/n/1.0.0/n.bin"
    for name in ("a~", "./~b", "~no-such-user-here"):
        assert await aioartifact.download(url, name, session=session) == str(tmp_path / os.path.normpath(name))


async def test_absolute_path_of_a_download(session, at, tmp_path, monkeypatch):
    """The result names the file wherever the caller changes to; an existing file, too."""
    monkeypatch.chdir(tmp_path)
    url = f"{at}/g/n/1.0.0/n.bin"
    for destination, name in ((".", "n.bin"), ("b", "b"), ("./c", "c")):
        assert await aioartifact.download(url, destination, session=session) == str(tmp_path / name)
    assert await aioartifact.download(url, "b", force_download=False, session=session) == str(tmp_path / "b")


@pytest.mark.parametrize(
    "url",
    [
        "h.example/artifactory",
        "h.example/artifactory/r/a",
        "https://h.example/artifactory",
        "h.example:443/artifactory",
    ],
)
def test_authentification_without_a_scheme(home, url):
    """The host and its path are enough, as in audfactory."""
    (home / ".artifactory_python.cfg").write_text("[h.example/artifactory]\nusername = u\npassword = p\n")
    assert aioartifact.authentification(url) == ("u", "p")


@pytest.mark.parametrize("url", ["", "/", "user:secret@h.example/artifactory", "ftp://h.example", "a b"])
def test_authentification_of_no_url(url):
    """What does not begin with a host stays an error."""
    with pytest.raises(aioartifact.InvalidURLError) as caught:
        aioartifact.authentification(url)
    assert "secret" not in str(caught.value)


async def test_slash_at_the_end(server, session, at, as_url, tmp_path):
    """A URL with a slash means into this folder, of every type."""
    (tmp_path / "f").write_bytes(b"1")
    into = as_url(f"{at}/into/")
    assert await aioartifact.deploy(tmp_path / "f", into, session=session) == f"{at}/into/f"
    await aioartifact.deploy_many([(tmp_path / "f", as_url(f"{at}/other/"))], f"{at}/d", session=session)
    await aioartifact.copy(f"{at}/g/n/1.0.0/n.bin", into, session=session)
    for path in ("into/f", "other/f", "into/n.bin"):
        assert isinstance(await aioartifact.info(f"{at}/{path}", session=session), aioartifact.FileInfo)
