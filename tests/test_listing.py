"""ls(), walk() and glob(): the same entries by every way, whole or not at all."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import aioartifact
from aioartifact import FileInfo, Filter, FolderInfo
from aioartifact.testing import ArtifactoryServer, Fault
from aioartifact.testing.profiles import PROFILES

NO_LICENCE = Fault.status(400, message="This REST API is available only in Artifactory Pro (see: jfrog.com)")
NAMES = [
    "a b",
    "c++",
    "c#",
    "100%",
    "x;y",
    "ü",
    "日本",
    "a&b=c",
    "it's",
    "!bang",
    "[x]",
    ".hidden",
    "%41",
    "e\u0301",
    "*",
]


@pytest.fixture
def tree(server):
    """Files on three levels, hostile names among them, and an empty folder; their sizes by path."""
    sizes = {f"d{n % 3}/sub/f{n}.bin": n for n in range(12)} | {f"h/{name}/{name}.txt": 1 for name in NAMES}
    sizes |= {"top.txt": 3}
    for path, size in sizes.items():
        server.put(f"generic-local/t/{path}", bytes(size))
    server.make_folder("generic-local/t/empty/deep")
    server.put("generic-local/other/x.bin", b"x")
    return sizes


def below(listed) -> dict[str, int | None]:
    return {each.path.removeprefix("t/"): each.size if isinstance(each, FileInfo) else -1 for each in listed}


def refuse(server, *methods):
    """Let the server refuse ways of listing, for good."""
    if "file-list" in methods:
        server.fail("GET", "api/storage/generic-local/t", fault=NO_LICENCE)
    if "aql" in methods:
        server.fail("POST", "api/search/aql", fault=Fault.status(403), times=None)


async def test_one_level_costs_one_request(server, session, tree):
    """Each entry of the folder comes once, with its name and kind."""
    listing = aioartifact.ls(f"{server.url}/generic-local/t", session=session)
    assert not listing.is_complete
    found = [entry async for entry in listing]
    assert {entry.name: type(entry) for entry in found} == {
        **dict.fromkeys(["d0", "d1", "d2", "empty", "h"], FolderInfo),
        "top.txt": FileInfo,
    }
    assert listing.is_complete
    assert listing.method == "folders"
    server.assert_requests(["GET api/storage/generic-local/t"])


async def test_entries_of_a_level_can_be_asked_for(server, session, tree):
    """The URL of an entry leads to it, whatever its name."""
    async for folder in aioartifact.ls(f"{server.url}/generic-local/t/h", session=session):
        (file,) = [entry async for entry in aioartifact.ls(folder.url, session=session)]
        assert (await aioartifact.info(file.url, session=session)).path == file.path


@pytest.mark.parametrize(
    ("refused", "method", "requests"),
    [
        pytest.param([], "file-list", 1, id="file-list"),
        pytest.param(["file-list"], "aql", 2, id="aql"),
        pytest.param(["file-list", "aql"], "folders", 2 + 10 + len(NAMES), id="folders"),
    ],
)
async def test_tree_by_every_way(server, session, tree, refused, method, requests):
    """The first method that is not refused lists all files; the budget is one request, or one for each folder."""
    refuse(server, *refused)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    found = below([entry async for entry in listing])
    assert found == (dict.fromkeys(tree) if method == "folders" else tree)
    assert (listing.method, listing.is_complete) == (method, True)
    assert len(server.requests) == requests


@pytest.mark.parametrize("refused", [[], ["file-list"], ["file-list", "aql"]])
async def test_what_is_refused_is_not_asked_for_again(server, session, tree, refused):
    """The session remembers which ways the server refuses for good."""
    refuse(server, *refused)
    url = f"{server.url}/generic-local/t/d0"
    server.fail("GET", "api/storage/generic-local/t/d0", fault=NO_LICENCE) if refused else None
    for _ in range(2):
        server.clear_log()
        assert len([entry async for entry in aioartifact.walk(url, session=session)]) == 4
    assert len(server.requests) == (2 if "aql" in refused else 1)


@pytest.mark.parametrize("refused", [[], ["file-list"], ["file-list", "aql"]])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"depth": 1, "folders": True}, {"d0", "d1", "d2", "empty", "h", "top.txt"}, id="one-level"),
        pytest.param(
            {"depth": 2, "files": False, "folders": True, "exclude": "h"},
            {"d0", "d1", "d2", "empty"} | {"d0/sub", "d1/sub", "d2/sub", "empty/deep"},
            id="folders-of-two-levels",
        ),
        pytest.param({"include": "*/sub/f1*.bin"}, {"d1/sub/f1.bin", "d1/sub/f10.bin", "d2/sub/f11.bin"}, id="include"),
        pytest.param({"include": ["**/[*].txt", "top.*"]}, {"h/*/*.txt", "top.txt"}, id="several-patterns"),
        pytest.param(
            {"exclude": ["h/**", "d[!0]"]}, {"top.txt", *(f"d0/sub/f{n}.bin" for n in (0, 3, 6, 9))}, id="exclude"
        ),
    ],
)
async def test_part_of_a_tree(server, session, tree, refused, arguments, expected):
    """Depth, kinds and patterns mean the same by every way."""
    refuse(server, *refused)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session, **arguments)
    assert {*below([entry async for entry in listing])} == expected


async def test_patterns_keep_a_walk_out_of_folders(server, session, tree):
    """Where folders are asked one by one, those that nothing can match below are not."""
    refuse(server, "file-list", "aql")
    listing = aioartifact.walk(f"{server.url}/generic-local/t", include="d[01]/*/*.bin", exclude="d0", session=session)
    assert len([entry async for entry in listing]) == 4
    assert server.count("GET", "api/storage/**") == 1 + 3


async def test_whole_repository(server, session, tree):
    """The repository is a folder, and no entry of its own listing."""
    for refused in ([], ["file-list"]):
        server.fail("GET", "api/storage/generic-local", fault=NO_LICENCE) if refused else None
        listing = aioartifact.walk(f"{server.url}/generic-local", folders=True, depth=1, session=session)
        assert {entry.path for entry in [each async for each in listing]} == {"t", "other"}


async def test_missing_folder(server, session):
    """There is nothing to list, and one request says so."""
    with pytest.raises(aioartifact.NotFoundError):
        [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/none", session=session)]
    assert len(server.requests) == 1
    with pytest.raises(aioartifact.NotFoundError):
        [entry async for entry in aioartifact.ls(f"{server.url}/generic-local/none", session=session)]


@pytest.mark.parametrize("call", [aioartifact.ls, aioartifact.walk])
async def test_file_is_no_folder(server, session, tree, call):
    """A file has no entries."""
    with pytest.raises(aioartifact.NotAFolderError):
        [entry async for entry in call(f"{server.url}/generic-local/t/top.txt", session=session)]


async def test_anonymous_user_is_told_by_folders():
    """Who is not known gets neither File List nor AQL, and is not asked to try them twice."""
    async with ArtifactoryServer(anonymous=True) as server, aioartifact.session(server.url) as session:
        server.grant("anonymous", "generic-local")
        server.put("generic-local/t/a/b.bin", b"1")
        for _ in range(2):
            listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
            assert below([entry async for entry in listing]) == {"a/b.bin": None}
            assert listing.method == "folders"
        server.assert_counts({"GET api/storage/**": 1 + 2 + 2, "POST api/search/aql": 1})


async def test_open_source_edition_sorts_nothing():
    """There AQL answers in one piece, without an order; where the File List is refused, none is asked for."""
    async with ArtifactoryServer(edition="oss") as server:
        server.put("generic-local/t/a/b.bin", b"1")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            for _ in range(2):
                listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
                assert below([entry async for entry in listing]) == {"a/b.bin": 1}
                assert listing.method == "aql"
        server.assert_counts({"GET api/storage/**": 1, "POST api/search/aql": 2})


async def test_virtual_repository_shows_each_path_once(server, session):
    """A file of several members keeps no size: only a download shows which one it is."""
    server.create_repository("second")
    server.create_repository("all", kind="virtual", members=("generic-local", "second"))
    for repository, names in {"generic-local": "ab", "second": "bc"}.items():
        for name in names:
            server.put(f"{repository}/t/{name}", repository.encode())
    url = f"{server.url}/all/t"
    listed = below([entry async for entry in aioartifact.walk(url, session=session)])
    assert listed.keys() == {"a", "b", "c"}
    server.fail("GET", "api/storage/all/t", fault=NO_LICENCE)
    by_query = aioartifact.walk(url, session=session)
    assert below([entry async for entry in by_query]) == {"a": 13, "b": None, "c": 6}
    assert by_query.method == "aql"
    server.fail("POST", "api/search/aql", times=None, fault=Fault.status(403))
    assert below([entry async for entry in aioartifact.walk(url, session=session)]).keys() == {"a", "b", "c"}


async def test_virtual_repository_without_an_order():
    """Where nothing is sorted, each path still comes once."""
    async with ArtifactoryServer(edition="oss") as server:
        server.create_repository("second")
        server.create_repository("all", kind="virtual", members=("generic-local", "second"))
        for repository, names in {"generic-local": "ab", "second": "bc"}.items():
            for name in names:
                server.put(f"{repository}/t/{name}", repository.encode())
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            listing = aioartifact.walk(f"{server.url}/all/t", session=session)
            assert below([entry async for entry in listing]) == {"a": 13, "b": None, "c": 6}
            assert listing.method == "aql"


async def test_remote_repository_shows_its_cache(server, session):
    """What was not fetched yet is not there."""
    server.create_repository("mirror", kind="remote", url=f"{server.url}/generic-local")
    server.put("mirror/t/a.bin", b"1")
    server.put("generic-local/t/b.bin", b"2")
    listing = aioartifact.walk(f"{server.url}/mirror/t", session=session)
    assert below([entry async for entry in listing]) == {"a.bin": 1}


# Trouble


@pytest.mark.parametrize("fault", [Fault.truncate(after=700), Fault.cut(after=700), Fault.reset(after=700)])
@pytest.mark.parametrize("refused", [[], ["file-list"], ["file-list", "aql"]])
async def test_broken_answer_is_asked_for_again(server, session, tree, fault, refused):
    """An answer that breaks off is repeated, and no entry comes twice."""
    refuse(server, *refused)
    if refused == ["file-list"]:
        server.fail("POST", "api/search/aql", fault=fault)
    else:
        server.fail("GET", "api/storage/generic-local/t" if not refused else "api/storage/**/h", fault=fault)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    found = [entry async for entry in listing]
    assert len(found) == len(tree)
    assert {*below(found)} == {*tree}
    assert listing.is_complete


@pytest.mark.parametrize("fault", [Fault.truncate(after=700), Fault.cut(after=700)])
async def test_answer_that_always_breaks_is_an_error(server, session, tree, fault):
    """What came is not taken for the whole."""
    server.fail("GET", "api/storage/generic-local/t", fault=fault, times=None)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    with pytest.raises(aioartifact.TransportError):
        [entry async for entry in listing]
    assert not listing.is_complete


@pytest.mark.parametrize("refusal", [Fault.status(403), NO_LICENCE], ids=["sorted", "unsorted"])
async def test_query_that_always_breaks_costs_no_more_attempts(server, session, tree, refusal):
    """One listing has one budget of attempts, at whichever level it is retried."""
    server.fail("GET", "api/storage/generic-local/t", fault=refusal)
    server.fail("POST", "api/search/aql", fault=Fault.cut(after=10), times=None)
    with pytest.raises(aioartifact.TransportError):
        [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t", session=session)]
    server.assert_counts({"GET api/storage/**": 1, "POST api/search/aql": 3})


async def test_sorted_query_goes_on_behind_the_last_row(server, session, tree):
    """What came is not asked for again."""
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(403))
    server.fail("POST", "api/search/aql", fault=Fault.cut(after=6000))
    found = [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t", session=session)]
    assert len(found) == len(tree)
    first, second = [each.bytes_received for each in server.requests if each.method == "POST"]
    assert second > first, "the second query does not say behind which row"
    server.assert_counts({"GET api/storage/**": 1, "POST api/search/aql": 2})


async def test_broken_level_is_asked_for_again(server, session, tree):
    """One level, too, comes whole and once."""
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.cut(after=400))
    found = [entry.name async for entry in aioartifact.ls(f"{server.url}/generic-local/t", session=session)]
    assert sorted(found) == ["d0", "d1", "d2", "empty", "h", "top.txt"]


async def test_next_way_goes_on_where_one_turned_out_to_be_none(server, session, tree):
    """What an answer that is no File List showed before is not shown again."""
    entries = [{"uri": "/top.txt", "size": 3, "folder": False}]
    broken = json.dumps({"files": [*entries, 1]}).encode()
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(200, broken))
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    found = [entry async for entry in listing]
    assert (listing.method, len(found)) == ("aql", len(tree))


async def test_listing_that_is_too_long_to_go_on(server, session, tree, monkeypatch):
    """If more entries were yielded than are remembered, no other method can detect what is missing."""
    monkeypatch.setattr("aioartifact._listing.methods._MOST_SEEN", 0)
    broken = b'{"files": [{"uri": "/top.txt", "size": 3, "folder": false}, ' + b" " * 100_000 + b"1]}"
    server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(200, broken))
    listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
    with pytest.raises(aioartifact.IncompleteListingError, match="broke off"):
        [entry async for entry in listing]
    assert not listing.is_complete


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"errors": []}', b'{"files": [1]}', b'{"files": {}}', b"", b'{"files": ["' + b"x" * (1 << 21)],
)
async def test_what_is_no_listing_is_no_empty_folder(server, session, tree, body):
    """Whatever comes with a success status, nothing passes for a folder without files."""
    server.fail("GET", "api/storage/**", fault=Fault.status(200, body), times=None)
    server.fail("POST", "api/search/aql", fault=Fault.status(200, body), times=None)
    for call in (aioartifact.walk, aioartifact.ls):
        listing = call(f"{server.url}/generic-local/t", session=session)
        with pytest.raises((aioartifact.ProtocolError, aioartifact.TransportError, aioartifact.NotAFolderError)):
            [entry async for entry in listing]
        assert not listing.is_complete


NOTHING = Fault.status(200, b'{"results": [], "range": {"start_pos": 0, "end_pos": 0, "total": 0}}')
UNMATCHED = [
    pytest.param({"include": "**/*.none"}, id="pattern"),
    pytest.param({"where": Filter(min_size=10**9)}, id="size"),
    pytest.param({"where": Filter(properties={"os": "linux"})}, id="property"),
]


@pytest.mark.parametrize("options", UNMATCHED)
@pytest.mark.parametrize("folder", ["t", ""])
async def test_query_for_what_is_not_there_is_two_queries(server, session, tree, folder, options):
    """A second query, for any file, shows that the first result is valid; no folder is requested."""
    server.fail("GET", "api/storage/**", fault=NO_LICENCE)
    listing = aioartifact.walk(f"{server.url}/generic-local/{folder}", **options, session=session)
    assert [entry async for entry in listing] == []
    assert (listing.method, listing.is_complete) == ("aql", True)
    assert server.count("POST", "api/search/aql") == 2
    assert server.count("GET") <= 1


@pytest.mark.parametrize("options", UNMATCHED)
async def test_query_that_knows_nothing_is_not_believed(server, session, tree, options):
    """If even a query for any file exceeds the limit, folders are listed, as for a folder that does not exist."""
    refuse(server, "file-list")
    server.fail("POST", "api/search/aql", fault=NOTHING, times=2)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", **options, session=session)
    assert [entry async for entry in listing] == []
    assert (listing.method, listing.is_complete) == ("folders", True)
    with pytest.raises(aioartifact.NotFoundError):
        [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/none", **options, session=session)]


async def test_query_that_finds_files_elsewhere_is_not_believed(server, session):
    """A wildcard in the name of a folder also matches others; that proves nothing about this one."""
    server.make_folder("generic-local/a*")
    server.put("generic-local/abc/sub/x.bin", b"x")
    server.fail("GET", "api/storage/**", fault=NO_LICENCE)
    listing = aioartifact.walk(f"{server.url}/generic-local/a*", include="*.none", session=session)
    assert [entry async for entry in listing] == []
    assert listing.method == "folders"


async def test_query_for_everything_is_not_asked_twice(server, session, tree):
    """Without conditions, a second query would have the same result."""
    server.fail("GET", "api/storage/**", fault=NO_LICENCE)
    listing = aioartifact.walk(f"{server.url}/generic-local/t/empty", session=session)
    assert [entry async for entry in listing] == []
    assert listing.method == "folders"
    assert server.count("POST", "api/search/aql") == 1


async def test_trimmed_query_goes_on_behind_the_last_row():
    """A server that gives few rows at a time is asked until it has given all."""
    async with ArtifactoryServer(profile=_trimming(3)) as server:
        auth = (server.username, server.password)
        for n in range(10):
            server.put(f"generic-local/t/{n % 2}/{n}", b"1")
        server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(403))
        async with aioartifact.session(server.url, auth=auth) as session:
            listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
            found = [entry.path async for entry in listing]
        assert sorted(found) == sorted(f"t/{n % 2}/{n}" for n in range(10))
        assert listing.method == "aql"
        server.assert_counts({"GET api/storage/**": 1, "POST api/search/aql": 4})


async def test_trimmed_query_without_an_order_is_never_the_whole():
    """Where nothing is sorted there is no last row, so folders are walked, and nothing comes twice."""
    async with ArtifactoryServer(profile=_trimming(3), edition="oss") as server:
        for n in range(10):
            server.put(f"generic-local/t/{n % 2}/{n}", b"1")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
            found = [entry.path async for entry in listing]
        assert sorted(found) == sorted(f"t/{n % 2}/{n}" for n in range(10))
        assert listing.method == "folders"


def _trimming(rows):
    return replace(PROFILES["7.x"], aql_rows=rows)


async def test_rows_for_a_user_who_may_not_read_all():
    """Rows that are left out do not end the pages early."""
    async with ArtifactoryServer(profile=_trimming(3)) as server:
        server.add_user("ci", password="secret")
        server.grant("ci", "generic-local", path="t/open/**")
        for n in range(10):
            server.put(f"generic-local/t/{'open' if n % 3 else 'closed'}/{n}", b"1")
        server.fail("GET", "api/storage/generic-local/t", fault=Fault.status(403))
        async with aioartifact.session(server.url, auth=("ci", "secret")) as session:
            listing = aioartifact.walk(f"{server.url}/generic-local/t", session=session)
            found = [entry.path async for entry in listing]
        assert sorted(found) == [f"t/open/{n}" for n in range(10) if n % 3]
        assert listing.is_complete


async def test_folder_that_vanishes_meanwhile(server, session, tree):
    """What was deleted after its parent was listed is not there; the rest is."""
    refuse(server, "file-list", "aql")
    server.fail("GET", "api/storage/generic-local/t/d1", fault=Fault.status(404))
    found = below([entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t", session=session)])
    assert {*tree} - {*found} == {path for path in tree if path.startswith("d1/")}


async def test_leaving_early_closes_the_connection(server, session):
    """A loop that ends early leaves neither a connection nor a task, and the session can be used."""
    for n in range(300):
        server.put(f"generic-local/t/{n}", b"1")
    stall = server.fail("GET", "api/storage/generic-local/t", fault=Fault.stall(after=10_000))
    async with aioartifact.walk(f"{server.url}/generic-local/t", session=session) as listing:
        async for _ in listing:
            break
        assert not listing.is_complete
    assert [entry async for entry in listing] == []
    assert stall.hits == 1
    assert not session.connector._acquired
    assert len([entry async for entry in aioartifact.ls(f"{server.url}/generic-local/t", session=session)]) == 300


async def test_listing_without_a_session(server, tree, monkeypatch):
    """It opens one of its own, and closes it."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    assert len([entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t")]) == len(tree)
    async with aioartifact.ls(f"{server.url}/generic-local/t") as listing:
        assert (await anext(listing)).name == "d0"


async def test_refused_password_is_tried_once(server, tree):
    """Servers lock users out who try on."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.raises(aioartifact.AuthenticationError):
            [entry async for entry in aioartifact.walk(f"{server.url}/generic-local/t", session=session)]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("call", "arguments", "complaint"),
    [
        pytest.param(aioartifact.ls, ["here"], "absolute URL", id="relative"),
        pytest.param(aioartifact.walk, ["https://host/artifactory"], "names no repository", id="no-repository"),
        pytest.param(aioartifact.glob, ["https://host/artifactory/r", "/a"], "no path has a segment", id="pattern"),
        pytest.param(aioartifact.glob, ["https://host/artifactory/r", ""], "expected a text", id="no-pattern"),
    ],
)
def test_bad_input_is_refused_at_the_call(call, arguments, complaint):
    """Nothing has to be iterated to learn of a mistake."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
        call(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [{"depth": 0}, {"depth": "2"}, {"files": False}, {"include": "a//b"}, {"exclude": [""]}, {"where": {"size": 1}}],
)
def test_bad_options_are_refused_at_the_call(arguments):
    """What cannot be listed is a mistake."""
    with pytest.raises(aioartifact.InvalidArgumentError):
        aioartifact.walk("https://host/artifactory/r", **arguments)


# Patterns and conditions


@pytest.mark.parametrize("refused", [[], ["aql"]])
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("**/f1*.bin", {"d1/sub/f1.bin", "d1/sub/f10.bin", "d2/sub/f11.bin"}, id="deep"),
        pytest.param("d0/sub/f[0-3].bin", {"d0/sub/f0.bin", "d0/sub/f3.bin"}, id="below-a-folder"),
        pytest.param("top.txt", {"top.txt"}, id="no-wildcard"),
        pytest.param("h/[*]/[*].txt", {"h/*/*.txt"}, id="star-itself"),
        pytest.param("h/?/*", {"h/ü/ü.txt", "h/*/*.txt"}, id="one-character"),
        pytest.param("none/*.bin", set(), id="folder-that-is-not-there"),
        pytest.param("top.txt/*", set(), id="file-as-folder"),
        pytest.param("*.none", set(), id="nothing"),
    ],
)
async def test_glob_by_query_or_not(server, session, tree, refused, pattern, expected):
    """Whether AQL is there to ask or not, the same is found."""
    refuse(server, *refused)
    listing = aioartifact.glob(f"{server.url}/generic-local/t", pattern, session=session)
    assert {*below([entry async for entry in listing])} == expected
    assert listing.is_complete


async def test_glob_lets_the_server_choose(server, session, tree):
    """One query brings only what may fit."""
    listing = aioartifact.glob(f"{server.url}/generic-local/t", "**/*.txt", exclude="h", session=session)
    assert {*below([entry async for entry in listing])} == {"top.txt"}
    server.assert_requests(["POST api/search/aql"])


async def test_glob_below_what_is_not_there(server, session):
    """That the folder itself is missing is not the same as a folder without matches."""
    with pytest.raises(aioartifact.NotFoundError):
        [entry async for entry in aioartifact.glob(f"{server.url}/generic-local/none", "*.bin", session=session)]


NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def dated(server):
    """Files that differ in size, date and properties."""
    for days in range(5):
        moment = NOW + timedelta(days=days, microseconds=1000)
        properties = {"os": ["linux", "win"][: 1 + days % 2], "n": str(days)} if days else {}
        server.put(f"generic-local/t/{days}", bytes(days), created=moment, modified=moment, properties=properties)


@pytest.mark.parametrize("refused", [[], ["aql"], ["file-list", "aql"]])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param(Filter(min_size=2, max_size=3), "23", id="size"),
        pytest.param(Filter(created_after=NOW + timedelta(days=3)), "34", id="created-after"),
        pytest.param(Filter(modified_before=NOW + timedelta(days=1)), "0", id="modified-before"),
        pytest.param(
            Filter(modified_before=NOW + timedelta(days=1, microseconds=1001)), "01", id="between-milliseconds"
        ),
        pytest.param(Filter(modified_after=NOW + timedelta(days=1, microseconds=999)), "1234", id="after-between"),
        pytest.param(Filter(properties={"os": "win"}), "13", id="property"),
        pytest.param(Filter(properties={"os": "*i*", "n": "?"}), "1234", id="property-pattern"),
        pytest.param(Filter(properties={"os": "*"}, min_size=4), "4", id="any-value-and-size"),
        pytest.param(Filter(properties={"os": "l_n%*"}), "", id="not-for-aql"),
        pytest.param(Filter(properties={"none": "*"}), "", id="no-such-property"),
        pytest.param(Filter(), "01234", id="nothing-asked"),
    ],
)
async def test_conditions_by_every_way(server, session, dated, refused, where, expected):
    """Size, dates and properties mean the same whether the server compares them or we do."""
    refuse(server, *refused)
    listing = aioartifact.walk(f"{server.url}/generic-local/t", where=where, session=session)
    assert {*below([entry async for entry in listing])} == {*expected}


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_size": "1"},
        {"max_size": True},
        {"created_after": NOW.replace(tzinfo=None)},
        {"modified_before": "2026"},
        {"properties": {"": "a"}},
        {"properties": {"a": 1}},
    ],
)
def test_bad_conditions(arguments):
    """What nothing can be compared with is refused."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected"):
        Filter(**arguments)
