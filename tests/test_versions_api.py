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


async def test_refused_anonymous_user_sends_no_query():
    """A query would be refused, too."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.fail("GET", "api/storage/**", fault=Fault.status(403), times=None)
        with pytest.raises(aioartifact.ForbiddenError):
            await aioartifact.versions(server.url, *ARGUMENTS, denied="raise")
        assert [request.method for request in server.requests] == ["GET"]


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


@pytest.mark.parametrize("options", [{"method": "list"}, {"denied": "ignore"}, {"scheme": "calver"}])
async def test_bad_options_are_told_at_the_call(options):
    """An unknown choice is named with those there are."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="expected one of"):
        await aioartifact.versions("https://host.invalid/artifactory", *ARGUMENTS, **options)


async def test_name_that_a_query_cannot_hold(session, artifact):
    """A double quote would change the query; it is refused."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="double quote"):
        await aioartifact.versions(artifact, "generic-local", "g", 'a"},{"b', method="aql", session=session)


@pytest.mark.parametrize("method", ["folder", "aql"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"spec": ">=1.2,<2"}, ["v1.2.0", "1.9.0", "1.10.0"], id="spec"),
        pytest.param({"prerelease": False, "spec": "~=2.0"}, ["2.0.0", "2.0.0-3-gabc1234"], id="releases"),
        pytest.param({"prerelease": True}, ["2.0.0-rc1"], id="pre-releases"),
        pytest.param({"where": r"\d+\.\d+\.0"}, ["1.9.0", "1.10.0", "2.0.0"], id="where"),
        pytest.param({"scheme": "natural", "where": "[a-z]+"}, ["notes"], id="natural"),
        pytest.param({"scheme": "pep440", "spec": "<2"}, ["1.0", "1.0.0.0", "v1.2.0", "1.9.0", "1.10.0"], id="pep440"),
    ],
)
async def test_versions_that_are_wanted(server, session, artifact, method, options, expected):
    """What is left out costs no request; latest_version() is the last of them."""
    assert await aioartifact.versions(artifact, *ARGUMENTS, method=method, session=session, **options) == expected
    latest = await aioartifact.latest_version(artifact, *ARGUMENTS, method=method, session=session, **options)
    assert latest == expected[-1]
    assert len(server.requests) == 2


async def test_specifier_nonsense_is_told_at_the_call():
    """Before any request, with the part that is wrong."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="'=>1' is not a specifier"):
        await aioartifact.latest_version("https://host.invalid/artifactory", *ARGUMENTS, spec="=>1")


@pytest.fixture
def maven(server):
    """A Maven artifact with a release and two builds of a snapshot, one known by properties only."""
    for folder, version in [
        ("1.0", "1.0"),
        ("1.1-SNAPSHOT", "1.1-20240305.101231-1"),
        ("1.1-SNAPSHOT", "1.1-20240306.101231-2"),
    ]:
        path = f"generic-local/com/acme/app/{folder}/app-{version}.jar"
        server.put(path, b"jar", properties={"version": [version], "other": ["9.9"]})
    server.put("generic-local/com/acme/apple/2.0/apple-2.0.jar", b"jar", properties={"version": ["2.0"]})
    return server.url, "generic-local", "com.acme", "app"


@pytest.mark.parametrize("method", ["folder", "aql", "properties"])
async def test_snapshots_count_by_their_base_version(server, session, maven, method):
    """A snapshot is before its release, and all its builds are one version; one request, whatever the source."""
    found = await aioartifact.versions(*maven, scheme="maven", method=method, session=session)
    assert found == ["1.0", "1.1-SNAPSHOT"]
    assert await aioartifact.latest_version(
        *maven, scheme="maven", method=method, prerelease=False, session=session
    ) == ("1.0")
    assert len(server.requests) == 2


async def test_versions_from_a_property_of_ones_own(server, session):
    """Values are versions where they look like one; wildcards in names match nothing else."""
    server.put("generic-local/g/a*c/x.bin", b"x", properties={"release": ["1.0.0", "1.1.0", "stable"]})
    server.put("generic-local/g/abc/x.bin", b"y", properties={"release": ["3.0.0"]})
    arguments = (server.url, "generic-local", "g", "a*c")
    found = await aioartifact.versions(*arguments, method="properties", property_name="release", session=session)
    assert found == ["1.0.0", "1.1.0"]
    assert await aioartifact.versions(*arguments, method="properties", session=session) == []


METADATA = b"""<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>com.acme</groupId>
  <artifactId>app</artifactId>
  <version>1.0</version>
  <versioning>
    <latest>1.1-SNAPSHOT</latest>
    <release>1.0</release>
    <versions><version>1.0</version><version> 1.1-SNAPSHOT\n</version><version>0.9</version></versions>
    <lastUpdated>20240306101231</lastUpdated>
  </versioning>
</metadata>"""


async def test_maven_metadata_is_read(server, session, maven):
    """What the file says, and versions by it; one request each."""
    server.put("generic-local/com/acme/app/maven-metadata.xml", METADATA)
    said = await aioartifact.maven_metadata(*maven, session=session)
    assert (said.latest, said.release) == ("1.1-SNAPSHOT", "1.0")
    assert said.versions == ("1.0", "1.1-SNAPSHOT", "0.9")
    assert said.last_updated.isoformat() == "2024-03-06T10:12:31+00:00"
    found = await aioartifact.versions(*maven, scheme="maven", method="maven-metadata", session=session)
    assert found == ["0.9", "1.0", "1.1-SNAPSHOT"]
    assert len(server.requests) == 2


async def test_maven_metadata_that_says_little(server, session, maven):
    """Nothing is required of the file but to be one."""
    server.put("generic-local/com/acme/app/maven-metadata.xml", b"<metadata><versioning/></metadata>")
    said = await aioartifact.maven_metadata(*maven, session=session)
    assert said == aioartifact.MavenMetadata(None, None, (), None)


async def test_maven_metadata_that_is_not_there(session, maven):
    """No file, no versions; asked for itself, it is missing."""
    assert await aioartifact.versions(*maven, method="maven-metadata", session=session) == []
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.maven_metadata(*maven, session=session)


BOMB = b"""<!DOCTYPE metadata [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<metadata><versioning><versions><version>&b;</version></versions></versioning></metadata>"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(BOMB, "declares a document type", id="entities"),
        pytest.param(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><metadata/>', "declares a document type", id="external"),
        pytest.param(b"<html><body/></html>", "its root is another element", id="html"),
        pytest.param(METADATA[:200], "no element found|unclosed token", id="cut"),
        pytest.param(b"", "no element found", id="empty"),
        pytest.param(b"<metadata/>", "it lists nothing", id="nothing"),
        pytest.param(b"<metadata><versions><version>1</version></versions></metadata>", "it lists nothing", id="level"),
        pytest.param(b"1.0\n1.1\n", "syntax error", id="text"),
    ],
)
async def test_maven_metadata_that_is_none(server, session, maven, content, message):
    """Anything else is an error, and no entity is ever expanded."""
    server.put("generic-local/com/acme/app/maven-metadata.xml", content)
    with pytest.raises(aioartifact.ProtocolError, match=message):
        await aioartifact.versions(*maven, method="maven-metadata", session=session)


async def test_maven_metadata_nested_deeply_is_read_in_one_pass(server, session, maven):
    """Levels upon levels are skipped, not remembered."""
    deep = b"<metadata>" + b"<x>" * 50_000 + b"</x>" * 50_000 + b"<versioning/></metadata>"
    server.put("generic-local/com/acme/app/maven-metadata.xml", deep)
    assert (await aioartifact.maven_metadata(*maven, session=session)).versions == ()


async def test_latest_version_by_the_server(server, session):
    """The server knows releases by the layout of the repository; one request."""
    server.create_repository("maven-local", package_type="maven")
    for version in ("1.9", "1.10", "2.0-SNAPSHOT"):
        server.put(f"maven-local/com/acme/app/{version}/app-{version}.jar", b"jar")
    arguments = (server.url, "maven-local", "com.acme", "app")
    assert await aioartifact.latest_version(*arguments, method="server", session=session) == "1.10"
    assert len(server.requests) == 1
    assert await aioartifact.latest_version(*arguments[:3], "none", method="server", session=session) is None


async def test_latest_version_by_a_server_without_licence():
    """The search needs Pro; that is no reason to say there is none."""
    async with (
        ArtifactoryServer(edition="oss") as oss,
        aioartifact.session(oss.url, auth=(oss.username, oss.password)) as session,
    ):
        with pytest.raises(aioartifact.BadRequestError):
            await aioartifact.latest_version(oss.url, *ARGUMENTS, method="server", session=session)


async def test_latest_version_by_the_server_heeds_no_rules_of_ours(server, session):
    """An option that would be ignored is refused before a request."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="lets the server decide"):
        await aioartifact.latest_version(server.url, *ARGUMENTS, method="server", spec=">=1", session=session)
    assert server.requests == []


async def test_latest_version_by_a_server_that_says_something_else(server, session):
    """A web page or an empty answer is no version."""
    for body in (b"", b"<html>login</html>"):
        server.fail("GET", "api/search/latestVersion", fault=Fault.status(200, body))
        with pytest.raises(aioartifact.ProtocolError, match="not a version"):
            await aioartifact.latest_version(server.url, *ARGUMENTS, method="server", session=session)


@pytest.mark.parametrize("method", ["auto", "server"])
async def test_refused_latest_version_warns(server, artifact, method):
    """An empty result has a warning, for every method."""
    async with aioartifact.session(server.url, auth=("admin", "wrong")) as session:
        with pytest.warns(UserWarning, match="401 Unauthorized") as warned:
            assert await aioartifact.latest_version(artifact, *ARGUMENTS, method=method, session=session) is None
        assert warned[0].filename == __file__
        with pytest.raises(aioartifact.AuthenticationError):
            await aioartifact.latest_version(artifact, *ARGUMENTS, method=method, denied="raise", session=session)
