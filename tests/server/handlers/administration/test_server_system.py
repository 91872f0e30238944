"""What administrators may know: system information, configuration, and the storage summary."""

from xml.etree import ElementTree as ET

import pytest

from aioartifact.testing import ArtifactoryServer

ADMIN_ONLY = [
    ("GET", "/api/system"),
    ("GET", "/api/system/configuration"),
    ("GET", "/api/storageinfo"),
    ("POST", "/api/storageinfo/calculate"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ONLY)
async def test_system_calls_are_for_administrators(ask, basic, method, path):
    """Users are refused, the anonymous are challenged."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.add_user("user", password="pw")
        assert (await ask(server, method, path, headers=basic("user", "pw"), body=b"")).status == 403
        anonymous = await ask(server, method, path, headers={}, body=b"")
        assert (anonymous.status, "www-authenticate" in anonymous.headers) == (401, True)


async def test_system_information(server, ask):
    """Lines of text, with the version among them."""
    answer = await ask(server, "GET", "/api/system")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert b"artifactory.version             |  6.20.0\n" in answer.body
    assert (await ask(server, "GET", "/api/system/unknown")).message == "Not Found"


async def test_configuration_descriptor(ask):
    """XML that lists the local repositories and says how the server is set up."""
    async with ArtifactoryServer(anonymous=True, base_url="https://repo.example/x/") as server:
        server.create_repository("libs", package_type="maven", layout="maven-2-default", description="a < b")
        answer = await ask(server, "GET", "/api/system/configuration")
    config = ET.fromstring(answer.body)
    assert answer.headers["content-type"] == "application/xml"
    assert config.findtext("urlBase") == "https://repo.example/x"
    assert config.findtext("security/anonAccessEnabled") == "true"
    assert config.findtext("security/hideUnauthorizedResources") == "false"
    assert [[each.text for each in one] for one in config.find("localRepositories")] == [
        ["generic-local", "generic", None, "simple-default"],
        ["libs", "maven", "a < b", "maven-2-default"],
    ]


@pytest.fixture
async def filled():
    async with ArtifactoryServer() as server:
        server.create_repository("libs", package_type="maven")
        server.put("generic-local/a/b.bin", b"x" * 3072)
        server.put("generic-local/copy.bin", b"x" * 3072)
        server.put("libs/c.bin", b"y" * 1024)
        yield server


async def test_storage_summary(filled, ask):
    """Items, bytes and different contents are counted per repository and in total, in words for people."""
    document = (await ask(filled, "GET", "/api/storageinfo")).json()
    assert document["binariesSummary"] == {
        "binariesCount": "2",
        "binariesSize": "4.00 KB",
        "artifactsSize": "7.00 KB",
        "optimization": "57.14%",
        "itemsCount": "4",
        "artifactsCount": "3",
    }
    assert document["fileStoreSummary"]["storageType"] == "filesystem"
    generic, libs, total = document["repositoriesSummaryList"]
    assert generic == {
        "repoKey": "generic-local",
        "repoType": "LOCAL",
        "foldersCount": 1,
        "filesCount": 2,
        "usedSpace": "6.00 KB",
        "itemsCount": 3,
        "packageType": "Generic",
        "percentage": "85.71%",
    }
    assert (libs["repoKey"], libs["usedSpace"]) == ("libs", "1.00 KB")
    assert total == {
        "repoKey": "TOTAL",
        "repoType": "NA",
        "foldersCount": 1,
        "filesCount": 3,
        "usedSpace": "7.00 KB",
        "itemsCount": 4,
    }


async def test_storage_summary_is_kept_until_calculated_again(filled, ask):
    """What is deployed after a summary shows up in the next calculated one."""
    first = await ask(filled, "GET", "/api/storageinfo")
    filled.put("libs/new.bin", b"z" * 1024)
    assert (await ask(filled, "GET", "/api/storageinfo")).json()["repositoriesSummaryList"] == (
        first.json()["repositoriesSummaryList"]
    )
    calculated = await ask(filled, "POST", "/api/storageinfo/calculate", body=b"")
    assert calculated.status == 202
    assert calculated.json() == {"info": "Calculating storage summary scheduled to run successfully"}
    later = (await ask(filled, "GET", "/api/storageinfo")).json()
    assert later["binariesSummary"]["artifactsCount"] == "4"


async def test_storage_summary_of_nothing(server, ask):
    """An empty server has a summary, too; 7.x adds bytes and projects to it."""
    document = (await ask(server, "GET", "/api/storageinfo")).json()
    assert document["binariesSummary"]["optimization"] == "100%"
    assert document["repositoriesSummaryList"][0]["percentage"] == "0%"
    async with ArtifactoryServer(profile="7.x") as platform:
        generic, total = (await ask(platform, "GET", "/api/storageinfo")).json()["repositoriesSummaryList"]
        assert (generic["usedSpaceInBytes"], generic["projectKey"], total["usedSpaceInBytes"]) == (0, "default", 0)
