"""Maven's metadata, computed as files come and go, and merged in virtual repositories."""

import hashlib
import io
import zipfile

import pytest

from aioartifact.testing import ArtifactoryServer
from aioartifact.testing.clocks import ManualClock
from aioartifact.testing.layouts.maven_metadata import Build, parse

APP = "libs/org/acme/app"
SNAPSHOT = f"{APP}/1.0-SNAPSHOT"
METADATA = "maven-metadata.xml"


@pytest.fixture
def clock():
    """5 March 2024, 08:12:31 GMT."""
    return ManualClock(1_709_626_351)


@pytest.fixture(params=["oss", "pro"])
async def server(request, clock):
    """A server with a Maven repository, in both editions."""
    async with ArtifactoryServer(clock=clock, edition=request.param) as server:
        server.create_repository("libs", package_type="maven")
        yield server


@pytest.fixture
def deploy(server, ask):
    """Deploy files by plain PUT; gives the paths they are stored at."""

    async def deploy(*addresses):
        stored = []
        for address in addresses:
            answer = await ask(server, "PUT", f"/{address}", body=address.encode())
            assert answer.status == 201
            stored.append(answer.json()["path"].rpartition("/")[2])
        return stored

    return deploy


@pytest.fixture
def metadata(server, ask):
    """The metadata of a folder as it is served; None where there is none."""

    async def metadata(folder):
        answer = await ask(server, "GET", f"/{folder}/{METADATA}")
        assert answer.status in (200, 404)
        return parse(answer.body) if answer.status == 200 else None

    return metadata


async def test_poms_make_versions(deploy, metadata):
    """A jar is no version, a pom is one; the metadata is there when the deploy is answered."""
    await deploy(f"{APP}/1.0/app-1.0.jar")
    assert await metadata(APP) is None
    await deploy(f"{APP}/1.0/app-1.0.pom", f"{APP}/1.10/app-1.10.pom", f"{APP}/1.9/app-1.9.pom")
    found = await metadata(APP)
    assert (found.group, found.artifact, found.versions) == ("org.acme", "app", ("1.0", "1.9", "1.10"))
    assert (found.version, found.latest, found.release) == ("1.10", "1.10", "1.10")
    assert found.updated == "20240305081231"
    assert await metadata(f"{APP}/1.0") is None


async def test_computed_metadata_is_a_file(server, ask, deploy):
    """It is listed, has checksums, and belongs to the server itself; it takes the place of what a client deployed."""
    assert (await ask(server, "PUT", f"/{APP}/{METADATA}", body=b"<metadata/>")).status == 201
    await deploy(f"{APP}/1.0/app-1.0.pom")
    info = (await ask(server, "GET", f"/api/storage/{APP}/{METADATA}")).json()
    assert (info["createdBy"], info["modifiedBy"]) == ("admin", "_system_")
    served = (await ask(server, "GET", f"/{APP}/{METADATA}")).body
    assert b"<version>1.0</version>" in served
    for kind in ("sha1", "md5", "sha256"):
        answer = await ask(server, "GET", f"/{APP}/{METADATA}.{kind}")
        assert answer.body.decode() == hashlib.new(kind, served).hexdigest()


async def test_snapshots_are_numbered(deploy, metadata, clock):
    """Files of one deploy share a build, the next deploy is the next build; both kinds of metadata know it."""
    pom, jar = f"{SNAPSHOT}/app-1.0-SNAPSHOT.pom", f"{SNAPSHOT}/app-1.0-SNAPSHOT.jar"
    assert await deploy(pom, jar) == ["app-1.0-20240305.081231-1.pom", "app-1.0-20240305.081231-1.jar"]
    clock.advance(60)
    assert await deploy(pom, jar) == ["app-1.0-20240305.081331-2.pom", "app-1.0-20240305.081331-2.jar"]
    found = await metadata(SNAPSHOT)
    assert (found.version, found.build) == ("1.0-SNAPSHOT", Build(2, "20240305.081331"))
    assert {(file.extension, file.version) for file in found.files} == {
        ("jar", "1.0-20240305.081331-2"),
        ("pom", "1.0-20240305.081331-2"),
    }
    assert (await metadata(APP)).versions == ("1.0-SNAPSHOT",)


async def test_timestamps_of_the_client(deploy, metadata):
    """Maven gives its snapshots names itself; a file that comes after the pom is in the metadata at once."""
    await deploy(f"{SNAPSHOT}/app-1.0-20240101.101500-7.pom")
    assert (await metadata(SNAPSHOT)).build == Build(7, "20240101.101500")
    await deploy(f"{SNAPSHOT}/app-1.0-20240101.101500-7-sources.jar")
    assert ("sources", "jar") in {(file.classifier, file.extension) for file in (await metadata(SNAPSHOT)).files}


async def test_snapshots_without_timestamps(server, deploy, metadata):
    """In a repository of non-unique snapshots there is one build, whatever the names in the request."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="non-unique")
    assert await deploy(f"{SNAPSHOT}/app-1.0-20240101.101500-7.pom") == ["app-1.0-SNAPSHOT.pom"]
    found = await metadata(SNAPSHOT)
    assert (found.build, found.files) == (Build(1), ())


async def test_deployer_in_charge(server, ask, deploy, metadata):
    """Whatever metadata a snapshot changes is the deployer's there; releases are the server's all the same."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="deployer")
    assert (await ask(server, "PUT", f"/{SNAPSHOT}/{METADATA}", body=b"<metadata/>")).status == 201
    await deploy(f"{SNAPSHOT}/app-1.0-SNAPSHOT.pom", f"{SNAPSHOT}/app-1.0-SNAPSHOT.jar")
    assert (await ask(server, "DELETE", f"/{SNAPSHOT}/app-1.0-SNAPSHOT.jar")).status == 204
    assert server.read(f"{SNAPSHOT}/{METADATA}") == b"<metadata/>"
    assert await metadata(APP) is None
    await deploy(f"{APP}/1.0/app-1.0.pom")
    assert (await metadata(APP)).versions == ("1.0-SNAPSHOT", "1.0")


@pytest.mark.parametrize(
    ("options", "is_computed"),
    [
        pytest.param({"package_type": "gradle"}, True, id="gradle"),
        pytest.param({"package_type": "ivy"}, True, id="ivy"),
        pytest.param({"layout": "maven-2-default"}, True, id="layout"),
        pytest.param({}, False, id="generic"),
        pytest.param({"package_type": "npm"}, False, id="npm"),
    ],
)
async def test_repositories_with_metadata(server, deploy, metadata, options, is_computed):
    """Those of Maven's family and its layout; others keep poms as any other file."""
    server.create_repository("other", **options)
    await deploy("other/org/acme/app/1.0/app-1.0.pom")
    assert (await metadata("other/org/acme/app") is not None) == is_computed


async def test_deleting(server, ask, deploy, metadata):
    """Versions and builds that go leave the metadata; the last one takes it along."""
    await deploy(f"{APP}/1.0/app-1.0.pom", f"{APP}/1.1/app-1.1.pom", f"{APP}/1.1/app-1.1.jar")
    await deploy(f"{SNAPSHOT}/app-1.0-20240101.101500-1.pom", f"{SNAPSHOT}/app-1.0-20240102.101500-2.pom")
    for address in (f"{APP}/1.1/app-1.1.pom", f"{SNAPSHOT}/app-1.0-20240102.101500-2.pom"):
        assert (await ask(server, "DELETE", f"/{address}")).status == 204
    assert (await metadata(APP)).versions == ("1.0-SNAPSHOT", "1.0")
    assert (await metadata(SNAPSHOT)).build == Build(1, "20240101.101500")
    for folder in (f"{APP}/1.0", SNAPSHOT):
        assert (await ask(server, "DELETE", f"/{folder}")).status == 204
    assert await metadata(APP) is None


async def test_deleted_metadata_comes_back(server, ask, deploy, metadata):
    """As long as there is something to describe."""
    await deploy(f"{APP}/1.0/app-1.0.pom")
    assert (await ask(server, "DELETE", f"/{APP}/{METADATA}")).status == 204
    assert (await metadata(APP)).versions == ("1.0",)


async def test_deleting_what_may_be_deleted(server, ask, basic, deploy, metadata):
    """A folder that stays in part has the metadata of that part."""
    await deploy(f"{APP}/1.0/app-1.0.pom", f"{APP}/1.1/app-1.1.pom")
    server.add_user("ann", password="pw")
    server.grant("ann", "libs", "rwd", "org/acme/app/1.1/**")
    server.grant("ann", "libs", "rd", "org")
    answer = await ask(server, "DELETE", "/libs/org", headers=basic("ann", "pw"))
    assert answer.status == 403
    assert (await metadata(APP)).versions == ("1.0",)


async def test_misplaced_metadata_stays(server, ask, deploy):
    """Maven 2 deploys metadata of a snapshot into the folder of the artifact: that is not deleted."""
    misplaced = b"<metadata><versioning><snapshotVersions><snapshotVersion/></snapshotVersions></versioning></metadata>"
    await deploy(f"{APP}/readme.txt")
    assert (await ask(server, "PUT", f"/{APP}/{METADATA}", body=misplaced)).status == 201
    assert (await ask(server, "DELETE", f"/{APP}/readme.txt")).status == 204
    assert server.read(f"{APP}/{METADATA}") == misplaced


async def test_folder_in_the_place_of_metadata(server, deploy):
    """It stays, and the deploy succeeds."""
    server.make_folder(f"{APP}/{METADATA}")
    await deploy(f"{APP}/1.0/app-1.0.pom")


async def test_moving(server, ask, basic, deploy, metadata):
    """Both ends are up to date; WebDAV moves in both editions."""
    await deploy(f"{APP}/1.0/app-1.0.pom", f"{APP}/1.1/app-1.1.pom")
    target = f"{server.url.partition('//')[2].partition('/')[2]}/libs/com/acme/app/1.0"
    answer = await ask(
        server, "MOVE", f"/{APP}/1.0", headers=basic("admin", "password") | {"Destination": f"/{target}"}
    )
    assert answer.status == 200
    assert (await metadata(APP)).versions == ("1.1",)
    assert (await metadata("libs/com/acme/app")).versions == ("1.0",)


@pytest.fixture
async def both(server, clock):
    """A virtual repository of two local ones."""
    server.create_repository("more", package_type="maven")
    server.create_repository("all", kind="virtual", package_type="maven", members=("libs", "more"))


@pytest.mark.usefixtures("both")
async def test_virtual_repository_merges(server, ask, deploy, metadata, clock):
    """Versions of all members, the newest build of a snapshot, and checksums of the whole."""
    await deploy(f"{APP}/1.0/app-1.0.pom", f"{SNAPSHOT}/app-1.0-20240102.101500-2.pom")
    clock.advance(60)
    await deploy("more/org/acme/app/1.1/app-1.1.pom")
    await deploy("more/org/acme/app/1.0-SNAPSHOT/app-1.0-20240101.101500-3.pom")
    found = await metadata("all/org/acme/app")
    assert (found.versions, found.latest, found.release) == (("1.0-SNAPSHOT", "1.0", "1.1"), "1.1", "1.1")
    assert found.updated == "20240305081331"
    assert (await metadata("all/org/acme/app/1.0-SNAPSHOT")).build == Build(3, "20240101.101500")
    served = await ask(server, "GET", f"/all/org/acme/app/{METADATA}")
    sha1 = hashlib.sha1(served.body).hexdigest()
    assert served.headers["x-checksum-sha1"] == sha1
    assert served.headers["last-modified"] == "Tue, 05 Mar 2024 08:13:31 GMT"
    assert (await ask(server, "GET", f"/all/org/acme/app/{METADATA}.sha1")).body.decode() == sha1
    head = await ask(server, "HEAD", f"/all/org/acme/app/{METADATA}")
    assert head.headers["content-length"] == str(len(served.body))


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(("granted", "versions"), [("libs", ("1.0",)), ("more", ("1.1",)), ("*", ("1.0", "1.1"))])
async def test_merged_metadata_has_what_the_user_may_read(server, ask, basic, deploy, granted, versions):
    """Members that the user may not read add nothing."""
    await deploy(f"{APP}/1.0/app-1.0.pom", "more/org/acme/app/1.1/app-1.1.pom")
    server.add_user("ann", password="pw")
    server.grant("ann", granted, "r")
    server.grant("ann", "all", "r")
    answer = await ask(server, "GET", f"/all/org/acme/app/{METADATA}", headers=basic("ann", "pw"))
    assert parse(answer.body).versions == versions


@pytest.mark.usefixtures("both")
async def test_metadata_of_one_member_is_served_as_it_is(server, ask):
    """So is the first where no other can be read as metadata."""
    server.put(f"{APP}/{METADATA}", b"<metadata >\n</metadata>")
    server.put(f"more/org/acme/app/{METADATA}", b"broken")
    answer = await ask(server, "GET", f"/all/org/acme/app/{METADATA}")
    assert (answer.status, answer.body) == (200, b"<metadata >\n</metadata>")
    assert (await ask(server, "GET", f"/all/org/acme/none/{METADATA}")).status == 404


async def test_virtual_repository_merges_what_is_remote(server, ask, deploy, metadata, clock):
    """A remote member is asked, and asked again when its cache is stale."""
    async with ArtifactoryServer(clock=clock) as upstream:
        upstream.create_repository("far", package_type="maven")
        settings = {"url": f"{upstream.url}/far", "username": upstream.username, "password": upstream.password}
        server.create_repository("far", kind="remote", package_type="maven", metadata_seconds=60, **settings)
        server.create_repository("all", kind="virtual", package_type="maven", members=("far", "libs"))
        await ask(upstream, "PUT", "/far/org/acme/app/2.0/app-2.0.pom", body=b"<project/>")
        await deploy(f"{APP}/1.0/app-1.0.pom")
        for _ in range(2):
            assert (await metadata("all/org/acme/app")).versions == ("1.0", "2.0")
        await ask(upstream, "PUT", "/far/org/acme/app/3.0/app-3.0.pom", body=b"<project/>")
        clock.advance(61)
        assert (await metadata("all/org/acme/app")).versions == ("1.0", "2.0", "3.0")
        assert upstream.count("GET", "**/maven-metadata.xml") == 2


async def test_exploded_archive_and_copies(ask, basic, clock):
    """What arrives another way counts as well (Pro)."""
    async with ArtifactoryServer(clock=clock, edition="pro") as server:
        server.create_repository("libs", package_type="maven")
        server.create_repository("more", package_type="maven")
        body = zipped({"org/acme/app/1.0/app-1.0.pom": b"<project/>", "org/acme/app/1.1/app-1.1.pom": b"<project/>"})
        headers = basic("admin", "password") | {"X-Explode-Archive": "true"}
        assert (await ask(server, "PUT", "/libs/x.zip", headers=headers, body=body)).status == 200
        assert parse(server.read(f"{APP}/{METADATA}")).versions == ("1.0", "1.1")
        dry = await ask(server, "POST", "/api/copy/libs/org/acme/app/1.0?to=/more/org/acme/app/1.0&dry=1", body=b"")
        assert dry.status == 200
        assert not server.exists(f"more/org/acme/app/{METADATA}")
        await ask(server, "POST", "/api/copy/libs/org/acme/app/1.0?to=/more/org/acme/app/1.0", body=b"")
        assert parse(server.read(f"more/org/acme/app/{METADATA}")).versions == ("1.0",)


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
