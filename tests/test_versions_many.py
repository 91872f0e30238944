"""versions_many(): hundreds of artifacts for few requests, and a result for each."""

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

NAMES = [("com.acme", f"lib{number}") for number in range(5)]


def put(server, pairs, versions=("1.10.0", "1.9.0")):
    for group_id, name in pairs:
        for version in versions:
            server.put(f"generic-local/{group_id.replace('.', '/')}/{name}/{version}/{name}.zip", b"x")


def all_versions(found):
    return {pair: list(result.versions) for pair, result in found.items()}


@pytest.mark.parametrize(("method", "requests"), [("auto", 1), ("aql", 1), ("folder", 6)])
async def test_many_are_listed(server, session, method, requests):
    """Each artifact has its versions, in the order asked for; one that is not there has none."""
    put(server, NAMES)
    asked = [*NAMES[::-1], ("com.acme", "none"), NAMES[0]]
    found = await aioartifact.versions_many(server.url, "generic-local", iter(asked), method=method, session=session)
    assert list(found) == asked[:-1]
    assert found[NAMES[0]] == aioartifact.ArtifactVersions(*NAMES[0], ("1.9.0", "1.10.0"))
    assert found[NAMES[0]].latest == "1.10.0"
    assert (found[asked[5]].versions, found[asked[5]].error, found[asked[5]].latest) == ((), None, None)
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(f"com.acme.g{n % 20}", f"artifact-with-a-long-name-{n}") for n in range(500)], id="neighbours"),
        pytest.param([("com", f"a{n}") for n in range(500)], id="short-names"),
    ],
)
async def test_five_hundred_cost_three_requests(server, session, pairs):
    """There are no more than three queries, and what they bring beside is left out."""
    put(server, pairs, ["1.0.0"])
    put(server, [("com.acme.g1", "another"), ("com", "stranger")])
    found = await aioartifact.versions_many(server.url, "generic-local", pairs, session=session)
    assert all_versions(found) == {pair: ["1.0.0"] for pair in pairs}
    assert len(server.requests) <= 3


async def test_options_of_versions_hold_for_many(server, session):
    """Scheme, specifier and the rest mean what they mean for one."""
    put(server, NAMES[:2], ["1.0-SNAPSHOT", "1.0", "2.0", "x"])
    found = await aioartifact.versions_many(
        server.url, "generic-local", NAMES[:2], scheme="maven", spec="(,2)", prerelease=False, session=session
    )
    assert all_versions(found) == {pair: ["1.0"] for pair in NAMES[:2]}


NEWEST = [
    pytest.param(["1.0.0", "2.0.0-rc.1"], {}, "1.0.0", id="release-first"),
    pytest.param(["1.0.0-a", "1.0.0-b"], {}, "1.0.0-b", id="no-release"),
    pytest.param(["1.0.0", "2.0.0-rc.1"], {"prerelease": True}, "2.0.0-rc.1", id="pre-releases"),
    pytest.param(["1.0.0", "2.0.0-rc.1"], {"prerelease": False}, "1.0.0", id="releases"),
    pytest.param(["1.0.0", "2.0.0-rc.1"], {"spec": ">=1"}, "1.0.0", id="spec"),
    pytest.param(["1.0.0", "2.0.0-rc.1"], {"spec": ">=1.0.0-0"}, "2.0.0-rc.1", id="spec-names-one"),
    pytest.param(["1.0.0", "2.0.0-rc.1", "2.0.0-rc.2"], {"spec": ">1.0.0-x,!=1.0.0"}, "2.0.0-rc.2", id="spec-excludes"),
    pytest.param(["1.0", "1.1-SNAPSHOT"], {"scheme": "maven"}, "1.0", id="snapshot"),
    pytest.param(["1.0", "2.0a1", "2.0.dev3"], {"scheme": "pep440"}, "1.0", id="python"),
    pytest.param(["1.0", "2.0rc1"], {"scheme": "natural"}, "2.0rc1", id="scheme-without-pre-releases"),
    pytest.param(["x"], {}, None, id="no-version"),
]


@pytest.mark.parametrize(("names", "options", "newest"), NEWEST)
@pytest.mark.parametrize("method", ["aql", "folder"])
async def test_latest_is_what_latest_version_returns(server, session, names, options, newest, method):
    """A pre-release is the latest only if no release matches or the specifier names one."""
    put(server, NAMES[:1], names)
    call = {"method": method, "session": session, **options}
    found = (await aioartifact.versions_many(server.url, "generic-local", NAMES[:1], **call))[NAMES[0]]
    assert found.latest == await aioartifact.latest_version(server.url, "generic-local", *NAMES[0], **call) == newest
    assert list(found.versions) == await aioartifact.versions(server.url, "generic-local", *NAMES[0], **call)


def test_latest_of_versions_made_by_hand():
    """Without another value it is the last one; a copy and a comparison keep their meaning."""
    made = aioartifact.ArtifactVersions("g", "n", ("1.0.0", "1.1.0"))
    assert made.latest == "1.1.0"
    assert aioartifact.ArtifactVersions("g", "n").latest is None
    assert aioartifact.ArtifactVersions("g", "n", ("1.0.0", "1.1.0"), latest="1.0.0") == made


async def test_no_names_cost_nothing(server, session):
    """Nothing is asked about nothing."""
    assert await aioartifact.versions_many(server.url, "generic-local", [], session=session) == {}
    assert server.requests == []


async def test_trimmed_answer_is_asked_for_in_halves(server, session):
    """A trimmed query is never taken for the whole: less is asked for at a time."""
    put(server, NAMES)
    trimmed = b'{"results":[{"path":"com/acme/lib0","name":"1.9.0"}],"range":{"notification":"limit of rows"}}'
    server.fail("POST", "api/search/aql", fault=Fault.status(200, trimmed), times=1)
    found = await aioartifact.versions_many(server.url, "generic-local", NAMES, session=session)
    assert all_versions(found) == {pair: ["1.9.0", "1.10.0"] for pair in NAMES}
    assert len(server.requests) == 3
    server.fail("POST", "api/search/aql", fault=Fault.status(200, trimmed), times=None)
    with pytest.raises(aioartifact.IncompleteListingError, match="limit of rows"):
        await aioartifact.versions_many(server.url, "generic-local", NAMES, session=session)


@pytest.mark.parametrize("status", [400, 403])
async def test_folders_are_listed_where_queries_are_refused(server, session, status):
    """A refused query costs one request more than the folders."""
    put(server, NAMES)
    server.fail("POST", "api/search/aql", fault=Fault.status(status), times=None)
    found = await aioartifact.versions_many(server.url, "generic-local", NAMES, session=session)
    assert all_versions(found) == {pair: ["1.9.0", "1.10.0"] for pair in NAMES}
    assert len(server.requests) == 1 + len(NAMES)
    with pytest.raises(aioartifact.ResponseError):
        await aioartifact.versions_many(
            server.url, "generic-local", NAMES, method="aql", denied="raise", session=session
        )


async def test_name_that_a_query_cannot_hold_is_listed_by_its_folder(server, session):
    """A double quote would change the query; the folder is listed instead."""
    pairs = [("com.acme", 'a"b'), ("com.acme", "c")]
    put(server, pairs)
    found = await aioartifact.versions_many(server.url, "generic-local", pairs, session=session)
    assert all_versions(found) == {pair: ["1.9.0", "1.10.0"] for pair in pairs}
    with pytest.raises(aioartifact.InvalidArgumentError, match="double quote"):
        await aioartifact.versions_many(server.url, "generic-local", pairs, method="aql", session=session)


async def test_anonymous_users_list_folders():
    """They may not query, so no query is sent."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.grant("anonymous", "generic-local")
        put(server, NAMES)
        found = await aioartifact.versions_many(server.url, "generic-local", NAMES)
        assert all_versions(found) == {pair: ["1.9.0", "1.10.0"] for pair in NAMES}
        assert {request.method for request in server.requests} == {"GET"}


async def test_query_that_knows_nothing_is_checked_by_folders(server, session):
    """No row at all may mean a repository that queries do not see."""
    put(server, NAMES)
    server.fail("POST", "api/search/aql", fault=Fault.status(200, b'{"results":[]}'))
    found = await aioartifact.versions_many(server.url, "generic-local", NAMES, session=session)
    assert all_versions(found) == {pair: ["1.9.0", "1.10.0"] for pair in NAMES}


@pytest.mark.parametrize("method", ["auto", "aql"])
async def test_wrong_password_warns_once_and_is_tried_once(server, method):
    """Every result carries the refusal; the password is not tried again."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.warns(UserWarning, match="no versions listed of 5 of 5 artifacts: .*401") as warned:
            found = await aioartifact.versions_many(server.url, "generic-local", NAMES, method=method, session=session)
        assert len(warned) == 1
        assert warned[0].filename == __file__
        assert {type(result.error) for result in found.values()} == {aioartifact.AuthenticationError}
        assert len(server.requests) == 1
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.versions_many(
                server.url, "generic-local", NAMES, method=method, denied="raise", session=session
            )


async def test_refused_folders_keep_their_error(server, session):
    """The others have their versions; with denied="raise" the first refusal is raised."""
    put(server, NAMES)
    server.fail("GET", "api/storage/generic-local/com/acme/lib1", fault=Fault.status(403), times=None)
    with pytest.warns(UserWarning, match="no versions listed of 1 of 5 artifacts"):
        found = await aioartifact.versions_many(server.url, "generic-local", NAMES, method="folder", session=session)
    assert isinstance(found[NAMES[1]].error, aioartifact.ForbiddenError)
    assert [bool(result.versions) for result in found.values()] == [True, False, True, True, True]
    with pytest.raises(aioartifact.ForbiddenError):
        await aioartifact.versions_many(
            server.url, "generic-local", NAMES, method="folder", denied="raise", session=session
        )


@pytest.mark.parametrize("method", ["auto", "folder", "aql"])
async def test_server_that_is_down_raises(server, session, method):
    """A failing server is never no versions."""
    server.fail("*", "api/**", fault=Fault.status(503), times=None)
    with pytest.raises(aioartifact.ServerError):
        await aioartifact.versions_many(server.url, "generic-local", NAMES, method=method, session=session)


async def test_failures_are_collected_where_asked(server, session):
    """One broken artifact does not hide the others."""
    put(server, NAMES)
    server.put("generic-local/com/acme/file", b"no folder")
    server.fail("GET", "api/storage/generic-local/com/acme/lib2", fault=Fault.status(500), times=None)
    pairs = [*NAMES, ("com.acme", "file")]
    found = await aioartifact.versions_many(
        server.url, "generic-local", pairs, method="folder", on_error="collect", session=session
    )
    errors = {name: type(result.error) for (_, name), result in found.items() if result.error}
    assert errors == {"lib2": aioartifact.ServerError, "file": aioartifact.NotAFolderError}
    with pytest.raises((aioartifact.ServerError, aioartifact.NotAFolderError)):
        await aioartifact.versions_many(
            server.url, "generic-local", pairs, method="folder", max_concurrency=1, session=session
        )


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        pytest.param(["com.acme.db"], {}, "'com.acme.db' is not an artifact", id="text"),
        pytest.param([("g", "n", "1.0.0")], {}, "name each by a pair", id="three"),
        pytest.param([("g", None)], {}, "is not an artifact", id="none"),
        pytest.param([("g", "..")], {}, r"'\.\.'", id="dots"),
        pytest.param(NAMES, {"method": "properties"}, "expected one of 'auto'", id="method"),
        pytest.param(NAMES, {"denied": "ignore"}, "expected one of", id="denied"),
        pytest.param(NAMES, {"on_error": "stop"}, "expected one of 'raise', 'collect'", id="on-error"),
        pytest.param(NAMES, {"max_concurrency": 0}, "max_concurrency=0", id="concurrency"),
        pytest.param(NAMES, {"spec": ">>1"}, "'>>1' is not a specifier", id="spec"),
    ],
)
async def test_bad_arguments_are_told_at_the_call(names, options, message):
    """Before any request, with what was expected."""
    with pytest.raises(aioartifact.InvalidArgumentError, match=message):
        await aioartifact.versions_many("https://host.invalid/artifactory", "r", names, **options)
