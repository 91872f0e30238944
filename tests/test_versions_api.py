"""versions() and latest_version(): one request, honest about what it could not see."""

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

NAMES = ["1.10.0", "1.9.0", "v1.2.0", "2.0.0-rc1", "2.0.0", "2.0.0-3-gabc1234", "1.0", "notes", "1.0.0.0"]
SORTED = ["v1.2.0", "1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0", "2.0.0-3-gabc1234"]
ARGUMENTS = ("generic-local", "com.acme", "db")


@pytest.fixture
def artifact(server):
    for name in NAMES:
        server.put(f"generic-local/com/acme/db/{name}/db-{name}.zip", b"x")
    server.put("generic-local/com/acme/db/3.0.0", b"a file with the name of a version")
    return server.url


@pytest.mark.parametrize("method", ["auto", "folder", "aql"])
async def test_versions_cost_one_request(server, session, artifact, method):
    """Folders with semantic versions, in order, for one request by either way."""
    assert await aioartifact.versions(artifact, *ARGUMENTS, method=method, session=session) == SORTED
    assert len(server.requests) == 1


async def test_latest_version_costs_one_request(server, session, artifact):
    """The last of the order."""
    assert await aioartifact.latest_version(artifact, *ARGUMENTS, session=session) == SORTED[-1]
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["auto", "folder", "aql"])
async def test_versions_of_nothing(session, artifact, method):
    """What does not exist has no versions."""
    assert (
        await aioartifact.versions(artifact, "generic-local", "com.acme", "none", method=method, session=session) == []
    )
    assert await aioartifact.versions(artifact, "no-such-repository", "g", "n", method=method, session=session) == []
    assert await aioartifact.latest_version(artifact, "generic-local", "com.acme", "none", session=session) is None


async def test_versions_at_the_root_of_a_repository(server, session):
    """The group may be empty."""
    server.put("generic-local/tool/1.0.0/tool", b"x")
    for method in ("folder", "aql"):
        assert await aioartifact.versions(server.url, "generic-local", "", "tool", method=method, session=session) == [
            "1.0.0"
        ]


@pytest.mark.parametrize("group_id", ["com.acme", "com.artifactory"])
async def test_versions_of_a_server_with_another_context_path(monkeypatch, group_id):
    """The server is an argument: neither its path nor a group named artifactory misleads a call without a session."""
    async with ArtifactoryServer(context_path="/binaries") as other:
        monkeypatch.setenv("ARTIFACTORY_USERNAME", other.username)
        monkeypatch.setenv("ARTIFACTORY_API_KEY", other.password)
        other.put(f"generic-local/{group_id.replace('.', '/')}/db/1.0.0/db.zip", b"bytes")
        assert await aioartifact.versions(other.url, "generic-local", group_id, "db") == ["1.0.0"]


async def test_wrong_password_warns_and_is_tried_once(server, artifact):
    """The ancestor's [] for refused access comes with a warning, and the password is not tried twice."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.warns(UserWarning, match="401 Unauthorized: Bad credentials"):
            assert await aioartifact.versions(artifact, *ARGUMENTS, session=session) == []
        assert len(server.requests) == 1
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.versions(artifact, *ARGUMENTS, denied="raise", session=session)


async def test_anonymous_may_list_where_the_server_allows_it():
    """Anonymous access sends no credentials at all."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.grant("anonymous", "generic-local")
        server.put("generic-local/com/acme/db/1.0.0/db.zip", b"x")
        assert await aioartifact.versions(server.url, *ARGUMENTS) == ["1.0.0"]
        assert [request.had_credentials for request in server.requests] == [False]


async def test_query_takes_over_where_the_folder_is_refused(server, session, artifact):
    """A refused folder listing is asked for by AQL, and only then."""
    server.fail("GET", "api/storage/**", fault=Fault.status(403), times=None)
    assert await aioartifact.versions(artifact, *ARGUMENTS, session=session) == SORTED
    with pytest.raises(aioartifact.ForbiddenError):
        await aioartifact.versions(artifact, *ARGUMENTS, method="folder", denied="raise", session=session)


async def test_empty_query_after_a_refusal_is_a_refusal(server, session):
    """AQL leaves out what the user may not read: an empty answer proves nothing."""
    server.fail("GET", "api/storage/**", fault=Fault.status(403), times=None)
    with pytest.raises(aioartifact.ForbiddenError):
        await aioartifact.versions(server.url, *ARGUMENTS, denied="raise", session=session)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_server_that_is_down_is_never_no_versions(server, session, artifact, status):
    """A failing server raises, whatever *denied* says."""
    server.fail("*", "api/**", fault=Fault.status(status), times=None)
    with pytest.raises(aioartifact.ServerError):
        await aioartifact.versions(artifact, *ARGUMENTS, session=session)


async def test_trimmed_query_is_never_all_versions(server, session, artifact):
    """An answer that the server trimmed raises."""
    trimmed = b'{"results":[{"name":"1.0.0"}],"range":{"notification":"AQL query reached the search hard limit"}}'
    server.fail("POST", "api/search/aql", fault=Fault.status(200, trimmed))
    with pytest.raises(aioartifact.IncompleteListingError, match="hard limit"):
        await aioartifact.versions(artifact, *ARGUMENTS, method="aql", session=session)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("r", "g", ".."), "'..'"),
        (("r", "g..h", "n"), "empty"),
        (("r", "g", "n\n"), "control"),
        (("", "g", "n"), "names no repository"),
    ],
)
async def test_bad_names_are_told_at_the_call(arguments, message):
    """A name that no URL can hold is refused before a request."""
    with pytest.raises(aioartifact.InvalidURLError, match=message):
        await aioartifact.versions("https://host.invalid/artifactory", *arguments)


@pytest.mark.parametrize("options", [{"method": "list"}, {"denied": "ignore"}])
async def test_bad_options_are_told_at_the_call(options):
    """An unknown choice is named with those there are."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected one of"):
        await aioartifact.versions("https://host.invalid/artifactory", *ARGUMENTS, **options)


async def test_name_that_a_query_cannot_hold(session, artifact):
    """A double quote would change the query; it is refused."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="double quote"):
        await aioartifact.versions(artifact, "generic-local", "g", 'a"},{"b', method="aql", session=session)
