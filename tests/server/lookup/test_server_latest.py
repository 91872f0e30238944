"""The latest of a module in place of a token, and what Maven's snapshots and metadata are stored as."""

from datetime import UTC, datetime

import pytest

from aioartifact.testing import ArtifactoryServer
from aioartifact.testing.clocks import ManualClock

APP = "libs/org/acme/app"
SNAPSHOT = f"{APP}/1.1-SNAPSHOT"


@pytest.fixture
def clock():
    """5 March 2024, 08:12:31 GMT."""
    return ManualClock(1_709_626_351)


@pytest.fixture
async def server(clock):
    """A Maven repository with some versions of a module; each file says what it is."""
    async with ArtifactoryServer(clock=clock) as server:
        server.create_repository("libs", package_type="maven")
        fill(server)
        yield server


def fill(server):
    for version in ("1.9", "1.10", "1.10-rc-1", "0.1"):
        put(server, f"{APP}/{version}/app-{version}.jar")
    put(server, f"{APP}/1.10/app-1.10-sources.jar")
    put(server, f"{APP}/1.9/app-1.9.zip")
    put(server, f"{APP}/2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar")
    for day, build in ((3, 2), (1, 1), (2, 10)):
        revision = f"2024010{day}.000000-{build}"
        put(server, f"{SNAPSHOT}/app-1.1-{revision}.jar", datetime(2024, 2, 10 - day, tzinfo=UTC))
    put(server, "libs/org/acme/app-extra/9.0/app-extra-9.0.jar")
    put(server, "libs/org/other/app/9.0/app-9.0.jar")


def put(server, address, when=None):
    server.put(address, address.rpartition("/")[2].encode(), created=when, modified=when)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("[RELEASE]/app-[RELEASE].jar", "app-1.10.jar", id="highest release by Maven's order"),
        pytest.param("[RELEASE]/app-[RELEASE]-sources.jar", "app-1.10-sources.jar", id="classifier"),
        pytest.param("%5BRELEASE%5D/app-%5BRELEASE%5D.zip", "app-1.9.zip", id="extension"),
        pytest.param("1.1-[INTEGRATION]/app-1.1-[INTEGRATION].jar", "app-1.1-20240101.000000-1.jar", id="by creation"),
        pytest.param("[INTEGRATION]/app-[INTEGRATION].jar", "app-2.0-SNAPSHOT.jar", id="integration of any version"),
        pytest.param("1.1-SNAPSHOT/app-1.1-SNAPSHOT.jar", "app-1.1-20240103.000000-2.jar", id="newest timestamp"),
        pytest.param("2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar", "app-2.0-SNAPSHOT.jar", id="no timestamps"),
    ],
)
async def test_latest(server, ask, path, name):
    """Tokens stand for the latest of the module; the response has the real name."""
    answer = await ask(server, "GET", f"/{APP}/{path}")
    assert (answer.status, answer.body.decode()) == (200, name)
    assert answer.headers["x-artifactory-filename"] == name


async def test_checksum_of_the_latest(server, ask):
    """The checksum sibling of a token's file is that of the file."""
    answer = await ask(server, "GET", f"/{APP}/[RELEASE]/app-[RELEASE].jar.sha1")
    assert answer.body.decode() == server.checksums(f"{APP}/1.10/app-1.10.jar")["sha1"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("[RELEASE]/app-[RELEASE].war", id="no such extension"),
        pytest.param("[RELEASE]/app-[INTEGRATION].jar", id="both tokens"),
        pytest.param("3.0-[INTEGRATION]/app-3.0-[INTEGRATION].jar", id="no such base version"),
        pytest.param("3.0-SNAPSHOT/app-3.0-SNAPSHOT.jar", id="no such snapshot"),
        pytest.param("[RELEASE]/x", id="not the layout's"),
    ],
)
async def test_nothing_to_stand_for(server, ask, path):
    """Where nothing fits the path is looked up as it is, and missing."""
    answer = await ask(server, "GET", f"/{APP}/{path}")
    assert (answer.status, answer.message) == (404, "File not found.")


async def test_latest_by_properties(server, ask):
    """Candidates that conflict with matrix parameters do not count."""
    server.put(f"{APP}/1.10/app-1.10.jar", b"x", properties={"status": "bad"})
    server.put(f"{APP}/1.9/app-1.9.jar", b"good", properties={"status": "good"})
    answer = await ask(server, "GET", f"/{APP}/[RELEASE]/app-[RELEASE].jar;status+=good")
    assert answer.body == b"good"


async def test_latest_of_what_may_be_read(server, ask, basic):
    """Versions the user may not read are none."""
    server.add_user("ann", password="pw")
    server.grant("ann", "libs", path="org/acme/app/1.9/**")
    ann = basic("ann", "pw")
    assert (await ask(server, "GET", f"/{APP}/[RELEASE]/app-[RELEASE].jar", headers=ann)).body == b"app-1.9.jar"


async def test_latest_snapshot_by_date_of_the_deployer(server, ask):
    """Where deployers name snapshots, the one changed last is the latest."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="deployer")
    answer = await ask(server, "GET", f"/{SNAPSHOT}/app-1.1-SNAPSHOT.jar")
    assert answer.headers["x-artifactory-filename"] == "app-1.1-20240101.000000-1.jar"


async def test_latest_through_virtual_repositories(server, ask):
    """The latest is that of all members, read by the layout of each."""
    server.create_repository("generic")
    server.put("generic/org/acme/app/app-3.0.jar", b"generic")
    server.create_repository("v", kind="virtual", members=("generic", "libs"))
    answer = await ask(server, "GET", "/v/org/acme/app/[RELEASE]/app-[RELEASE].jar")
    assert answer.body == b"app-1.10.jar"
    assert (await ask(server, "GET", "/v/org/acme/app/app-[RELEASE].jar")).body == b"generic"


@pytest.mark.parametrize(("asked", "served"), [("jar", b"jar"), ("src", b"src"), ("doc", b"src")])
async def test_path_as_asked_wins_among_equals(server, ask, asked, served):
    """Of files of the same version, the one with the very path asked for is served, else another of the module."""
    server.create_repository("ivy", layout="ivy-default")
    for kind in ("jar", "src"):
        server.put(f"ivy/org/app/1.0/{kind}s/app-1.0.jar", kind.encode())
    assert (await ask(server, "GET", f"/ivy/org/app/[RELEASE]/{asked}s/app-[RELEASE].jar")).body == served


async def test_open_source_edition_knows_no_tokens(clock, ask):
    """Tokens are for Pro: here they are names that do not exist."""
    async with ArtifactoryServer(clock=clock, edition="oss") as server:
        server.create_repository("libs", package_type="maven")
        fill(server)
        for path in ("[RELEASE]/app-[RELEASE].jar", "1.1-SNAPSHOT/app-1.1-SNAPSHOT.jar"):
            assert (await ask(server, "GET", f"/{APP}/{path}")).message == "File not found."


async def test_deploying_a_snapshot(server, ask):
    """A snapshot is stored with a timestamp; the rest of the build, and its checksums, follow the first file."""
    path = f"/{APP}/4.0-SNAPSHOT/app-4.0-SNAPSHOT"
    stored = f"{APP}/4.0-SNAPSHOT/app-4.0-20240305.081231-1"
    answer = await ask(server, "PUT", f"{path}.jar", body=b"jar")
    assert (answer.status, answer.json()["path"]) == (201, f"/{stored.removeprefix('libs/')}.jar")
    assert (await ask(server, "PUT", f"{path}.pom", body=b"pom")).headers["location"] == f"{server.url}/{stored}.pom"
    sha1 = server.checksums(f"{stored}.jar")["sha1"].encode()
    checksum = await ask(server, "PUT", f"{path}.jar.sha1", body=sha1)
    assert (checksum.status, checksum.headers["location"]) == (201, f"{server.url}/{stored}.jar")
    assert (await ask(server, "GET", f"{path}.jar")).body == b"jar"


async def test_snapshots_without_timestamp(server, ask):
    """A repository without timestamps takes them away, and lets everybody who may deploy replace snapshots."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="non-unique")
    answer = await ask(server, "PUT", f"/{APP}/4.0-SNAPSHOT/app-4.0-20240305.081231-1.jar", body=b"jar")
    assert answer.json()["path"] == "/org/acme/app/4.0-SNAPSHOT/app-4.0-SNAPSHOT.jar"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("org/app/4.0-SNAPSHOT/app-4.0-SNAPSHOT.jar", 201),
        ("org/app/maven-metadata.xml", 201),
        ("org/app/4.0/app-4.0.jar", 403),
    ],
)
async def test_replacing_without_the_right_to_delete(server, ask, basic, path, status):
    """Metadata and snapshots are there to be replaced; for anything else it takes the right to delete."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="deployer")
    server.add_user("ann", password="pw")
    server.grant("ann", "libs", "rw")
    server.put(f"libs/{path}", b"old")
    answer = await ask(server, "PUT", f"/libs/{path}", headers=basic("ann", "pw"), body=b"new")
    assert answer.status == status


async def test_metadata_of_a_snapshot_is_not_taken(server, ask):
    """The server means to compute it: 202, and nothing is stored; checksums of metadata are overlooked."""
    answer = await ask(server, "PUT", f"/{SNAPSHOT}/maven-metadata.xml", body=b"<metadata/>")
    assert (answer.status, answer.body) == (202, b"")
    assert not server.exists(f"{SNAPSHOT}/maven-metadata.xml")
    assert (await ask(server, "PUT", f"/{APP}/maven-metadata.xml", body=b"<metadata/>")).status == 201
    assert (await ask(server, "PUT", f"/{APP}/maven-metadata.xml.sha1", body=b"wrong")).status == 200
    served = await ask(server, "GET", f"/{APP}/maven-metadata.xml.sha1")
    assert served.body.decode() == server.checksums(f"{APP}/maven-metadata.xml")["sha1"]


async def test_metadata_of_a_snapshot_by_its_deployer(server, ask):
    """Where deployers are in charge their metadata is stored."""
    server.create_repository("libs", package_type="maven", snapshot_behavior="deployer")
    assert (await ask(server, "PUT", f"/{SNAPSHOT}/maven-metadata.xml", body=b"<metadata/>")).status == 201
    assert server.read(f"{SNAPSHOT}/maven-metadata.xml") == b"<metadata/>"


async def test_metadata_takes_the_right_to_deploy(server, ask, basic):
    """Also what is thrown away may come from deployers only."""
    server.add_user("ann", password="pw")
    answer = await ask(server, "PUT", f"/{SNAPSHOT}/maven-metadata.xml", headers=basic("ann", "pw"), body=b"x")
    assert answer.status == 403


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("maven-metadata.xml", "no-store"),
        ("maven-metadata.xml.sha1", "no-store"),
        ("2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar", "no-store"),
        ("1.9/app-1.9.jar", None),
    ],
)
async def test_what_changes_is_not_to_be_kept(server, ask, path, expected):
    """Metadata and snapshots without timestamp forbid keeping them, releases do not."""
    server.put(f"{APP}/maven-metadata.xml", b"<metadata/>")
    assert (await ask(server, "GET", f"/{APP}/{path}")).headers.get("cache-control") == expected
