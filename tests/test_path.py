"""path(): names are dealt with here, everything else is a call that is tested elsewhere, with its budget."""

import pickle
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioartifact
from aioartifact import ArtifactoryPath

BASE = "https://host/artifactory"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/"), min_size=1).filter(
    lambda name: name not in (".", "..")
)


def path(text="libs/org/acme/app-1.0.tar.gz") -> ArtifactoryPath:
    return aioartifact.path(f"{BASE}/{text}")


def test_parts_of_a_path():
    """What pathlib calls name, stem and suffix, and what only Artifactory has."""
    jar = path()
    assert (jar.server, jar.repository, jar.path) == (BASE, "libs", "org/acme/app-1.0.tar.gz")
    assert (jar.name, jar.stem, jar.suffix) == ("app-1.0.tar.gz", "app-1.0.tar", ".gz")
    assert jar.suffixes == [".0", ".tar", ".gz"]
    assert jar.parts == ("libs", "org", "acme", "app-1.0.tar.gz")
    assert jar.parent == path("libs/org/acme")
    assert jar.parents == (path("libs/org/acme"), path("libs/org"), path("libs"))


def test_repository_as_a_path():
    """It is the top, its name is its key, and there is nothing to rename."""
    root = path("libs/")
    assert (root.name, root.path, root.parts, root.parents, root.parent) == ("libs", "", ("libs",), (), root)
    for change in (lambda: root.with_name("x"), lambda: root.with_suffix(".x"), lambda: root.with_stem("x")):
        with pytest.raises(aioartifact.InvalidArgumentError, match="is a repository"):
            change()


def test_path_is_its_url():
    """str() gives what every function takes; repr() says what it is."""
    odd = path("libs") / "a b" / "100%;#?"
    assert str(odd) == f"{BASE}/libs/a%20b/100%25%3B%23%3F"
    assert repr(odd) == f"ArtifactoryPath('{BASE}/libs/a%20b/100%25%3B%23%3F')"
    assert aioartifact.path(str(odd)) == odd


@given(names=st.lists(NAMES, min_size=1, max_size=4))
def test_joining_and_taking_apart(names):
    """Any name that Artifactory can hold goes in and comes out as itself, by the URL, too."""
    joined = path("libs").joinpath(*names)
    assert joined.parts == ("libs", *names)
    assert aioartifact.path(str(joined)).parts == joined.parts
    assert joined.parent / names[-1] == joined
    assert path("libs").joinpath(*joined.relative_to(path("libs")).parts) == joined


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param("a", "libs/a", id="name"),
        pytest.param("a/b", "libs/a/b", id="names"),
        pytest.param("a//b/", "libs/a/b", id="empty-segments"),
        pytest.param("", "libs", id="nothing"),
        pytest.param("%41", "libs/%2541", id="raw"),
        pytest.param(PurePosixPath("a/b"), "libs/a/b", id="pathlib"),
    ],
)
def test_joining(other, expected):
    """Names are raw, and empty segments are none."""
    assert path("libs") / other == path("libs").joinpath(other) == path(expected)


@pytest.mark.parametrize("other", ["/a", "..", "a/../b", ".", "a\nb", "\udc80", 5, None, PurePosixPath("/a")])
def test_joining_what_is_no_name(other):
    """What would lead elsewhere, or is nothing Artifactory can hold, is refused."""
    with pytest.raises(aioartifact.InvalidURLError):
        path("libs") / other


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda p: p.with_name("x y"), "libs/org/acme/x y", id="name"),
        pytest.param(lambda p: p.with_stem("x"), "libs/org/acme/x.gz", id="stem"),
        pytest.param(lambda p: p.with_suffix(".zst"), "libs/org/acme/app-1.0.tar.zst", id="suffix"),
        pytest.param(lambda p: p.with_suffix(""), "libs/org/acme/app-1.0.tar", id="no-suffix"),
    ],
)
def test_other_names(change, expected):
    """As pathlib does it."""
    assert change(path()) == path(expected)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: p.with_name("a/b"), id="name-with-slash"),
        pytest.param(lambda p: p.with_name(""), id="empty-name"),
        pytest.param(lambda p: p.with_suffix("gz"), id="suffix-without-dot"),
        pytest.param(lambda p: p.with_suffix("."), id="dot"),
        pytest.param(lambda p: p.with_suffix(".a/b"), id="suffix-with-slash"),
        pytest.param(lambda p: p.relative_to(path("other")), id="not-below"),
        pytest.param(lambda p: p.relative_to("libs"), id="no-url"),
    ],
)
def test_names_that_cannot_be(change):
    """Each is a ValueError, as in pathlib."""
    with pytest.raises(ValueError, match=r"."):
        change(path())


def test_relations():
    """By whole parts, and only on one server."""
    jar = path()
    assert jar.relative_to(path("libs/org")) == PurePosixPath("acme/app-1.0.tar.gz")
    assert jar.relative_to(f"{BASE}/libs") == PurePosixPath("org/acme/app-1.0.tar.gz")
    assert jar.is_relative_to(jar)
    assert not jar.is_relative_to(path("libs/org/ac"))
    assert not jar.is_relative_to("https://other/artifactory/libs")


@pytest.mark.parametrize(
    ("pattern", "fits"), [("*.gz", True), ("acme/*", True), ("libs/*/*/*", True), ("*.jar", False), ("/acme/*", False)]
)
def test_match(pattern, fits):
    """From the right, as pathlib does it."""
    assert path().match(pattern) == fits


def test_paths_as_values():
    """Equal, hashable and sorted by address; other things are neither."""
    assert {path("libs/a"), path("libs/a/"), path("libs//a")} == {path("libs/a")}
    assert sorted([path("libs/b"), path("libs/a-b"), path("libs/a/c")]) == [
        path("libs/a/c"),
        path("libs/a-b"),
        path("libs/b"),
    ]
    assert path("libs/a") != f"{BASE}/libs/a"
    with pytest.raises(TypeError):
        path("libs/a") < "libs"  # noqa: B015  # comparing is the test
    with pytest.raises(AttributeError):
        path("libs/a").extra = 1


async def test_pickled_path_has_no_session(server, session):
    """Nothing of a session, and so no secret, goes into a pickle."""
    bound = aioartifact.path(f"{server.url}/generic-local/a", session=session)
    data = pickle.dumps(bound)
    assert server.password.encode() not in data
    assert pickle.loads(data) == bound


async def test_path_knows_the_servers_of_its_session():
    """Where the server ends is known to the session; the path keeps it."""
    async with aioartifact.session("https://host/some/where", auth=("u", "p")) as session:
        found = aioartifact.path("https://host/some/where/libs/a", session=session)
    assert (found.server, found.repository) == ("https://host/some/where", "libs")
    assert pickle.loads(pickle.dumps(found / "b")).repository == "libs"


@pytest.mark.parametrize("url", ["libs/a", "", BASE, f"{BASE}/libs/../a", "https://u:p@host/artifactory/libs"])
def test_path_of_no_item(url):
    """What is no item's URL is refused at the call."""
    with pytest.raises(aioartifact.InvalidURLError):
        aioartifact.path(url)


def test_path_with_something_else_for_a_session():
    """The mistake is named at the call."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected an aiohttp"):
        aioartifact.path(f"{BASE}/libs/a", session=object())


@pytest.fixture
async def root(server, session):
    server.put("generic-local/a/one.txt", "Grüße".encode())
    server.put("generic-local/a/b c/two", b"2")
    return aioartifact.path(f"{server.url}/generic-local", session=session)


async def test_questions(server, root):
    """One request each."""
    assert [await (root / "a").exists(), await (root / "x").exists()] == [True, False]
    assert [await (root / "a").is_dir(), await (root / "a/one.txt").is_dir(), await (root / "x").is_dir()] == [
        True,
        False,
        False,
    ]
    assert [await (root / "a").is_file(), await (root / "a/one.txt").is_file()] == [False, True]
    assert (await (root / "a/one.txt").stat()).size == 7
    assert len(server.requests) == 8
    with pytest.raises(FileNotFoundError):
        await (root / "x").stat()


async def test_iterdir(server, root):
    """Paths of one level, with the session; one request."""
    found = [child async for child in (root / "a").iterdir()]
    assert found == [root / "a/b c", root / "a/one.txt"]
    server.assert_requests(["GET api/storage/generic-local/a"])
    assert [child.name async for child in found[0].iterdir()] == ["two"]
    with pytest.raises(NotADirectoryError):
        await anext(found[1].iterdir())
    with pytest.raises(FileNotFoundError):
        await anext((root / "x").iterdir())


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("*", ["a"], id="one-level"),
        pytest.param("a/*", ["a/b c", "a/one.txt"], id="named-folder"),
        pytest.param("**/*.txt", ["a/one.txt"], id="all-levels"),
        pytest.param("a/*/two", ["a/b c/two"], id="folder-between"),
        pytest.param("*.none", [], id="nothing"),
    ],
)
async def test_glob(root, pattern, expected):
    """Files and folders that fit, as paths with the session."""
    found = [child async for child in root.glob(pattern)]
    assert sorted(found) == [root / each for each in expected]
    assert all([await child.exists() for child in found])


async def test_rglob(root):
    """The same on all levels."""
    assert sorted([child async for child in root.rglob("*o*")]) == [root / "a/b c/two", root / "a/one.txt"]
    assert [child async for child in (root / "a").rglob("two")] == [root / "a/b c/two"]


async def test_glob_of_no_pattern(server, root):
    """Refused before any request."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        await anext(root.glob("/a"))
    server.assert_requests([])


async def test_content(server, root):
    """Bytes and text, in and out; one request each."""
    note = root / "new/note.txt"
    assert await note.write_text("Grüße\r\n") == 9
    assert await note.read_text() == "Grüße\r\n"
    assert await note.write_bytes(b"\xff", parameters={"k": "v"}) == 1
    assert await note.read_bytes() == b"\xff"
    assert await note.read_text("latin-1") == "ÿ"
    assert len(server.requests) == 5
    assert server.properties("generic-local/new/note.txt") == {"k": ["v"]}
    with pytest.raises(UnicodeDecodeError):
        await note.read_text()
    async with note.open() as file:
        assert await file.read() == b"\xff"


async def test_mkdir(server, root):
    """The defaults are pathlib's."""
    await (root / "new").mkdir()
    with pytest.raises(FileExistsError):
        await (root / "new").mkdir()
    await (root / "new").mkdir(exist_ok=True)
    with pytest.raises(FileNotFoundError):
        await (root / "x/y").mkdir()
    await (root / "x/y").mkdir(parents=True)
    assert await (root / "x/y").is_dir()
    await root.mkdir(exist_ok=True)
    with pytest.raises(aioartifact.InvalidArgumentError, match="administrators"):
        await root.mkdir()


async def test_touch(server, root):
    """Makes an empty file, and never changes one."""
    await (root / "new").touch()
    assert server.read("generic-local/new") == b""
    before = await (root / "a/one.txt").stat()
    await (root / "a/one.txt").touch()
    assert await (root / "a/one.txt").stat() == before
    with pytest.raises(FileExistsError):
        await (root / "a/one.txt").touch(exist_ok=False)


async def test_unlink(server, root):
    """Files only: the server itself would delete a folder with all it holds."""
    with pytest.raises(IsADirectoryError):
        await (root / "a").unlink()
    with pytest.raises(FileNotFoundError):
        await (root / "x").unlink()
    await (root / "x").unlink(missing_ok=True)
    assert server.count("DELETE") == 0
    await (root / "a/one.txt").unlink()
    assert not server.exists("generic-local/a/one.txt")
    assert server.exists("generic-local/a/b c/two")


async def test_rmdir(server, root):
    """Empty folders only."""
    with pytest.raises(aioartifact.FolderNotEmptyError, match="2 entries"):
        await (root / "a").rmdir()
    with pytest.raises(NotADirectoryError):
        await (root / "a/one.txt").rmdir()
    with pytest.raises(FileNotFoundError):
        await (root / "x").rmdir()
    assert server.count("DELETE") == 0
    await (root / "empty").mkdir()
    await (root / "empty").rmdir()
    assert not server.exists("generic-local/empty")


async def test_rename_and_replace(server, root):
    """The first spares what is there, the second does not; both return the new path, with the session."""
    moved = await (root / "a/one.txt").rename(root / "new/name")
    assert moved == root / "new/name"
    assert await moved.read_text() == "Grüße"
    with pytest.raises(FileExistsError):
        await (root / "a/b c/two").rename(moved)
    replaced = await (root / "a/b c/two").replace(str(moved))
    assert await replaced.read_bytes() == b"2"
    with pytest.raises(aioartifact.InvalidArgumentError, match="whole_repository"):
        await root.rename(root / "all")


async def test_path_without_a_session(server, root, monkeypatch):
    """Each call opens one, with the credentials of the environment."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    assert await aioartifact.path(f"{root}/a/one.txt").read_text() == "Grüße"
    assert await (root.with_session(None) / "a/one.txt").exists()
