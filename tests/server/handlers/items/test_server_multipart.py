"""Uploads in parts."""

import hashlib
from urllib.parse import urlsplit

import pytest

from aioartifact.testing import ArtifactoryServer
from aioartifact.testing.wire.signing import LIFETIME

PARTS = (b"1" * 100_000, b"2" * 100_000, b"end")
DATA = b"".join(PARTS)
SHA1, MD5, SHA256 = (hashlib.new(name, DATA).hexdigest() for name in ("sha1", "md5", "sha256"))


class Client:
    """What JFrog's client does, one request for each step."""

    def __init__(self, ask, server, headers):
        self.ask, self.server, self.headers, self.token = ask, server, headers, ""

    async def post(self, step, query="", headers=None):
        headers = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        return await self.ask(self.server, "POST", f"/api/v1/uploads/{step}?{query}", headers=headers, body=b"")

    async def create(self, path="a/b%20c.bin", repository="generic-local"):
        query = f"repoKey={repository}&repoPath={path}&partSizeMB=20"
        answer = await self.post("create", query, self.headers)
        if answer.status == 200:
            self.token = answer.json()["token"]
        return answer

    async def url(self, number):
        return (await self.post("urlPart", f"partNumber={number}")).json()["url"]

    async def put(self, number, data, headers=None):
        return await self.put_to(await self.url(number), data, headers)

    async def put_to(self, url, data, headers=None):
        where = urlsplit(url)
        return await self.ask(
            self.server,
            "PUT",
            f"{where.path}?{where.query}",
            headers=headers or {},
            body=data,
            origin=f"{where.scheme}://{where.netloc}",
        )

    async def complete(self, sha1=SHA1):
        return await self.post("complete", f"sha1={sha1}")

    async def status(self):
        return (await self.post("status")).json()

    async def finish(self):
        """Poll until nothing changes any more; returns every state seen."""
        seen = [await self.status()]
        while seen[-1]["status"] in ("QUEUED", "PROCESSING"):
            seen.append(await self.status())
        return seen

    async def deploy(self, checksum_token, path="/generic-local/a/b%20c.bin", sha1=SHA1):
        headers = self.headers | {
            "X-Checksum-Deploy": "true",
            "X-Checksum-Sha1": sha1,
            "X-Checksum-Md5": MD5,
            "X-Checksum": SHA256,
            "X-Checksum-Deploy-Token": checksum_token,
        }
        return await self.ask(self.server, "PUT", f"{path};k=v", headers=headers, body=b"")


@pytest.fixture
async def server():
    async with ArtifactoryServer(profile="7.x") as server:
        yield server


@pytest.fixture
def client(ask, server, admin):
    return Client(ask, server, admin)


@pytest.fixture
async def started(client):
    """A client that may put parts."""
    await client.create()
    return client


async def test_support(server, ask):
    """The 7.x release says that it takes parts."""
    answer = await ask(server, "GET", "/api/v1/uploads/config")
    assert (answer.status, answer.json()) == (200, {"supported": True})
    assert (await ask(server, "GET", "/api/v1/uploads/config", headers={})).status == 401


@pytest.mark.parametrize("options", [{"profile": "6.20"}, {"profile": "7.x", "edition": "oss"}])
async def test_servers_without_support(ask, admin, options):
    """Older ones and the open source edition do not know the calls."""
    async with ArtifactoryServer(**options) as old:
        assert (await ask(old, "GET", "/api/v1/uploads/config")).status == 404
        assert (await Client(ask, old, admin).create()).status == 404
        assert (await Client(ask, old, admin).complete()).status == 404


async def test_upload(server, started):
    """Parts in any order, one of them twice, become the file that the deploy refers to."""
    assert await started.status() == {"status": "PARTS", "progress": 0}
    await started.put(3, PARTS[2])
    await started.put(1, b"wrong")
    for number, data in enumerate(PARTS[:2], 1):
        answer = await started.put(number, data)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["etag"] == f'"{hashlib.md5(data).hexdigest()}"'
    completed = await started.complete(SHA1.upper())
    assert (completed.status, completed.body) == (202, b"")
    seen = await started.finish()
    assert [each["status"] for each in seen] == ["PROCESSING", "FINISHED"]
    assert seen[-1]["progress"] == 100
    assert not server.exists("generic-local/a/b c.bin")
    answer = await started.deploy(seen[-1]["checksumToken"])
    assert (answer.status, answer.json()["checksums"]["sha256"]) == (201, SHA256)
    assert server.read("generic-local/a/b c.bin") == DATA
    assert server.properties("generic-local/a/b c.bin") == {"k": ["v"]}


async def test_parts_need_no_credentials(server, started):
    """They are refused with any, and after a while also without."""
    assert (await started.put(1, PARTS[0], started.headers)).status == 400
    record = server.requests[-1]
    assert (record.origin, record.status) == ("storage", 400)


async def test_urls_of_parts_expire(ask, admin):
    """They are good for a short while, and for their part only."""
    now = 1_700_000_000.0
    async with ArtifactoryServer(profile="7.x", clock=lambda: now) as server:
        client = Client(ask, server, admin)
        await client.create()
        url = await client.url(1)
        assert (await client.put_to(url.replace("/1?", "/2?"), b"x")).status == 403
        now += LIFETIME + 1
        assert (await client.put_to(url, b"x")).status == 403


async def test_signed_urls_of_files_take_no_parts(server, ask):
    """What was signed for a download cannot be written to."""
    answer = await ask(server, "PUT", "/generic-local/a", headers={}, body=b"x", origin=server.storage_origin)
    assert answer.status == 405


async def test_missing_parts_may_be_sent_later(server, started):
    """The upload can be completed again; before that, the response lists what is missing."""
    await started.put(1, PARTS[0])
    await started.put(3, PARTS[2])
    await started.complete()
    failed = (await started.finish())[-1]
    assert failed == {"status": "RETRYABLE_ERROR", "progress": 0, "error": "Parts are missing: 2"}
    await started.put(2, PARTS[1])
    assert (await started.complete()).status == 202
    assert (await started.finish())[-1]["status"] == "FINISHED"


async def test_upload_without_parts(started):
    """One is missing at least."""
    await started.complete()
    assert (await started.finish())[-1]["error"] == "Parts are missing: 1"


async def test_wrong_checksum(started):
    """Parts that are not what the client says are the end of the upload."""
    await started.put(1, b"other")
    await started.complete()
    failed = (await started.finish())[-1]
    assert failed["status"] == "NON_RETRYABLE_ERROR"
    assert failed["error"] == f"The parts have the SHA-1 {hashlib.sha1(b'other').hexdigest()}, not {SHA1}"
    assert (await started.post("urlPart", "partNumber=1")).message == (
        "The upload takes no parts: it is NON_RETRYABLE_ERROR"
    )
    await started.complete()
    assert (await started.status())["status"] == "NON_RETRYABLE_ERROR"


async def test_abort(started):
    """Nothing is left to do afterwards; a part that is on its way is refused."""
    url = await started.url(1)
    answer = await started.post("abort")
    assert (answer.status, answer.body) == (204, b"")
    assert (await started.put_to(url, PARTS[0])).status == 404
    await started.complete()
    assert (await started.status())["status"] == "ABORTED"


async def test_parts_after_completion(started):
    """A part that comes too late is refused."""
    url = await started.url(1)
    await started.complete()
    assert (await started.put_to(url, b"late")).status == 404


@pytest.mark.parametrize("number", ["0", "10001"])
async def test_numbers_of_parts(started, number):
    """They are those of object storage."""
    assert (await started.post("urlPart", f"partNumber={number}")).message == "partNumber must be from 1 to 10000"


@pytest.mark.parametrize("step", ["urlPart", "complete", "status", "abort"])
async def test_steps_need_the_token_of_the_upload(client, step):
    """Neither another token nor the user's own credentials will do."""
    client.token = "unknown"
    answer = await client.post(step)
    assert (answer.status, answer.message) == (401, "Bad props auth token: basictoken=unknown")
    assert (await client.post(step, headers=client.headers)).status == 401


async def test_completing_needs_a_checksum(started):
    """Without one there is nothing to compare."""
    assert (await started.post("complete")).status == 400


@pytest.mark.parametrize(
    "query", ["", "repoKey=generic-local", "repoKey=generic-local&repoPath=a", "repoPath=a&partSizeMB=20"]
)
async def test_creating_needs_all_parameters(client, query):
    """An upload without one of them is refused."""
    answer = await client.post("create", query, client.headers)
    assert (answer.status, answer.message) == (400, "repoKey, repoPath and partSizeMB are required")


async def test_creating_needs_the_right_to_deploy(server, ask, basic):
    """Who may not deploy to the path may not upload parts for it."""
    server.add_user("u", password="pw")
    client = Client(ask, server, basic("u", "pw"))
    assert (await client.create()).status == 403
    assert (await client.create(repository="unknown")).status == 404


async def test_token_of_another_file(started):
    """A finished upload can be deployed to its own path, with its own checksum, and nowhere else."""
    for number, data in enumerate(PARTS, 1):
        await started.put(number, data)
    await started.complete()
    token = (await started.finish())[-1]["checksumToken"]
    assert (await started.deploy(token, "/generic-local/other")).status == 404
    assert (await started.deploy(token, sha1="0" * 40)).status == 404
    assert (await started.deploy("unknown")).status == 404
    assert (await started.deploy(token)).status == 201


async def test_uploads_for_a_virtual_repository(server, client):
    """They are for the repository that takes its deploys."""
    server.create_repository("all", kind="virtual", members=("generic-local",), deploy_to="generic-local")
    await client.create(repository="all")
    for number, data in enumerate(PARTS, 1):
        await client.put(number, data)
    await client.complete()
    token = (await client.finish())[-1]["checksumToken"]
    assert (await client.deploy(token, "/all/a/b%20c.bin")).status == 201
    assert server.read("generic-local/a/b c.bin") == DATA
