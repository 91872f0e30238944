"""Remote repositories: what is fetched from another server, and what the cache makes of it."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from aioartifact.testing import ArtifactoryServer, Fault
from aioartifact.testing.clocks import ManualClock

pytestmark = pytest.mark.slow

WHEN = datetime(2024, 3, 5, 8, 12, 31, tzinfo=UTC)
FILE = "/far/org/a #%.txt"
URL = "/far/org/a%20%23%25.txt"
METADATA = "/far/org/app/maven-metadata.xml"


@pytest.fixture
async def upstream():
    """The server that is fetched from."""
    async with ArtifactoryServer() as server:
        server.put("generic-local/org/a #%.txt", b"content", modified=WHEN)
        yield server


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def server(upstream, clock):
    """The server with the remote repository ``far``."""
    async with ArtifactoryServer(clock=clock, anonymous=True) as server:
        server.create_repository("far", **settings(upstream))
        server.add_user("ann", password="pw")
        yield server


def settings(upstream, **more):
    """Point to the upstream, as its administrator."""
    credentials = {"username": upstream.username, "password": upstream.password}
    return {"kind": "remote", "url": f"{upstream.url}/generic-local/", **credentials, **more}


async def test_file_is_fetched_once(server, upstream, ask):
    """The first download asks with HEAD and fetches into the cache, the second comes from there."""
    for _ in range(2):
        answer = await ask(server, "GET", URL)
        assert (answer.status, answer.body) == (200, b"content")
        assert answer.headers["last-modified"] == "Tue, 05 Mar 2024 08:12:31 GMT"
        assert answer.headers["etag"] == upstream.checksums("generic-local/org/a #%.txt")["sha1"]
    upstream.assert_requests(["HEAD generic-local/org/a #%.txt", "GET generic-local/org/a #%.txt"])
    assert server.read("far-cache/org/a #%.txt") == b"content"


async def test_head_downloads_into_the_cache(server, ask):
    """Looking at a file stores it, too."""
    assert (await ask(server, "HEAD", URL)).headers["content-length"] == "7"
    assert server.exists("far-cache/org/a #%.txt")


async def test_range_of_what_is_not_there_yet(server, ask, admin):
    """Everything is fetched whatever part is asked for."""
    answer = await ask(server, "GET", URL, headers=admin | {"Range": "bytes=2-3"})
    assert (answer.status, answer.body) == (206, b"nt")


@pytest.mark.parametrize("size", [0, 65_537, 5_000_000])
async def test_any_size(server, upstream, ask, size):
    """Files of any size arrive whole."""
    upstream.put_synthetic("generic-local/big", size)
    assert (await ask(server, "GET", "/far/big")).body == upstream.read("generic-local/big")


async def test_storage_info_is_that_of_the_cache(server, upstream, ask):
    """Before the first download there is nothing; after it, the remote key answers as its cache, with the origin."""
    assert (await ask(server, "GET", f"/api/storage{URL}")).message == "Unable to find item"
    await ask(server, "GET", URL)
    info = (await ask(server, "GET", f"/api/storage{URL}")).json()
    assert (info["repo"], info["uri"]) == ("far-cache", f"{server.url}/api/storage/far-cache/org/a #%.txt")
    assert info["remoteUrl"] == f"{upstream.url}/generic-local/org/a #%.txt"
    assert info["originalChecksums"] == upstream.checksums("generic-local/org/a #%.txt")
    assert (await ask(server, "GET", "/api/storage/far-cache/org")).json()["children"] == [
        {"uri": "/a #%.txt", "folder": False}
    ]
    listed = (await ask(server, "GET", "/api/storage/far?list&deep=1")).json()
    assert (listed["uri"], len(listed["files"])) == (f"{server.url}/api/storage/far-cache", 1)


async def test_properties_of_a_cached_file(server, ask):
    """Properties set through the remote key belong to the cached file."""
    await ask(server, "GET", URL)
    assert (await ask(server, "PUT", f"/api/storage{URL}?properties=k=v")).status == 204
    assert server.properties("far-cache/org/a #%.txt") == {"k": ["v"]}
    assert (await ask(server, "GET", f"/api/storage{URL}?properties")).json()["properties"] == {"k": ["v"]}


async def test_folders(server, ask):
    """Folders of the cache are browsed; those of the upstream are no files."""
    refused = await ask(server, "GET", "/far/org")
    assert (refused.status, refused.message) == (404, "Expected file response but received directory response.")
    await ask(server, "GET", URL)
    assert (await ask(server, "GET", "/far/org")).headers["location"] == f"{server.url}/far/org/"
    page = (await ask(server, "GET", "/far/org/")).body.decode()
    assert ("<title>Index of far/org</title>" in page, "%23%25.txt" in page) == (True, True)


async def test_checksum_sibling_fetches_its_file(server, upstream, ask):
    """The checksum of a file that is not there yet is that of the file, fetched for it."""
    answer = await ask(server, "GET", URL + ".sha1")
    assert answer.body.decode() == upstream.checksums("generic-local/org/a #%.txt")["sha1"]
    upstream.assert_requests(["HEAD generic-local/org/a #%.txt", "GET generic-local/org/a #%.txt"])


async def test_refusals_become_404_and_are_remembered(server, upstream, ask, clock):
    """What the upstream lacks is 404 with its reason phrase, for half an hour without asking again."""
    for _ in range(2):
        answer = await ask(server, "GET", "/far/missing")
        assert (answer.status, answer.message) == (404, "Not Found")
    assert upstream.count("HEAD", "generic-local/missing") == 1
    upstream.put("generic-local/missing", b"late")
    clock.advance(1799)
    assert (await ask(server, "GET", "/far/missing")).status == 404
    clock.advance(1)
    assert (await ask(server, "GET", "/far/missing")).body == b"late"


@pytest.mark.parametrize(("status", "reason"), [(401, "Unauthorized"), (503, "Service Unavailable")])
async def test_any_refusal_is_a_404(server, upstream, ask, status, reason):
    """Whatever the upstream says, the client hears 404 and the reason phrase."""
    upstream.fail("HEAD", fault=Fault.status(status))
    answer = await ask(server, "GET", URL)
    assert (answer.status, answer.message) == (404, reason)


async def test_refusal_after_the_head(server, upstream, ask):
    """An upstream that refuses the download only is refused, too."""
    upstream.fail("GET", fault=Fault.status(404))
    assert (await ask(server, "GET", URL)).message == "Not Found"


async def test_wrong_credentials_for_the_upstream(server, upstream, ask):
    """Settings decide: with other ones what was missed is asked for again."""
    server.create_repository("far", kind="remote", url=f"{upstream.url}/generic-local")
    assert (await ask(server, "GET", URL)).message == "Unauthorized"
    server.create_repository("far", **settings(upstream))
    assert (await ask(server, "GET", URL)).status == 200


async def test_network_errors_put_the_upstream_offline_for_a_while(server, upstream, ask, clock):
    """After a network error nothing is asked for five minutes; what is cached is served meanwhile."""
    await ask(server, "GET", URL)
    upstream.fail("HEAD", fault=Fault.redirect("http://127.0.0.1:1/"))  # a closed port
    upstream.put("generic-local/b", b"b")
    failed = await ask(server, "GET", "/far/b")
    assert (failed.status, failed.message.startswith("far: Error in getting information for 'b' (")) == (404, True)
    offline = await ask(server, "GET", "/far/b")
    assert (offline.status, offline.message) == (404, "far: is assumed offline, 'far:b' is not found at 'b'.")
    assert (await ask(server, "GET", URL)).body == b"content"
    clock.advance(300)
    assert (await ask(server, "GET", "/far/b")).body == b"b"


async def test_unreachable_upstream_with_hard_fail(server, upstream, ask):
    """With hard fail a network error is the client's problem, each time."""
    server.create_repository("far", **settings(upstream, hard_fail=True))
    await upstream.abort()
    for _ in range(2):
        answer = await ask(server, "GET", "/far/b")
        assert answer.status == 500
        assert answer.message.startswith("Could not process download request: far: Error in getting information")


@pytest.mark.parametrize(("hard_fail", "status"), [(False, 404), (True, 500)])
async def test_broken_download_leaves_nothing(server, upstream, ask, hard_fail, status):
    """A body that breaks off is an error, and not half a file in the cache."""
    server.create_repository("far", **settings(upstream, hard_fail=hard_fail))
    upstream.fail("GET", fault=Fault.truncate(after=3))
    assert (await ask(server, "GET", URL)).status == status
    assert not server.exists("far-cache/org/a #%.txt")
    assert (await ask(server, "GET", URL)).body == b"content"


async def test_silent_upstream(server, upstream, ask):
    """An upstream that says nothing is given up; a busy machine answers HEAD in that time."""
    server.create_repository("far", **settings(upstream, timeout_seconds=2))
    upstream.fail("GET", fault=Fault.stall(after=0))
    answer = await ask(server, "GET", URL)
    assert (answer.status, "Timed out when retrieving data for far:org/a #%.txt" in answer.message) == (404, True)


async def test_offline_repository(server, upstream, ask):
    """A repository that is set offline serves its cache and nothing else."""
    await ask(server, "GET", URL)
    server.create_repository("far", **settings(upstream, offline=True))
    assert (await ask(server, "GET", URL)).body == b"content"
    answer = await ask(server, "GET", "/far/b")
    assert (answer.status, answer.message) == (404, "far: is offline, 'far:b' is not found at 'b'.")


async def test_nothing_is_kept_if_so_configured(server, upstream, ask):
    """Without local storage each request goes to the upstream: HEAD for HEAD, and the whole file for any part."""
    server.create_repository("far", **settings(upstream, store_locally=False))
    head = await ask(server, "HEAD", URL)
    assert (head.status, head.headers["content-length"]) == (200, "7")
    assert head.headers["x-checksum-sha256"] == upstream.checksums("generic-local/org/a #%.txt")["sha256"]
    assert (await ask(server, "GET", URL)).body == b"content"
    assert (await ask(server, "GET", URL + ".sha1")).body.decode() == head.headers["etag"]
    assert (await ask(server, "GET", "/far/missing")).message == "Not Found"
    assert not server.exists("far-cache/org")
    assert upstream.count("GET", "generic-local/org/*") == 2


async def test_upstream_without_checksums(server, upstream, ask):
    """Content without checksums gets those of its bytes; a HEAD that is passed on has none."""
    upstream.fail("*", times=None, fault=Fault.drop_checksums())
    assert (await ask(server, "GET", URL + ".sha1")).body.decode() == server.checksums("far-cache/org/a #%.txt")["sha1"]
    server.create_repository("far", **settings(upstream, store_locally=False))
    head = await ask(server, "HEAD", "/far/org/a%20%23%25.txt?fresh")
    assert head.headers["x-checksum-sha1"]
    await ask(server, "DELETE", URL)
    assert "x-checksum-sha1" not in (await ask(server, "HEAD", URL)).headers


@pytest.mark.parametrize(
    ("policy", "status"), [("generate-if-absent", 409), ("fail", 409), ("ignore-and-generate", 200), ("pass-thru", 200)]
)
async def test_wrong_checksums_of_the_upstream(server, upstream, ask, policy, status):
    """The remote policy decides about content that is not what the upstream says."""
    server.create_repository("far", **settings(upstream, checksum_policy=policy))
    upstream.fail("HEAD", fault=Fault.wrong_etag("0" * 40))
    assert (await ask(server, "GET", URL)).status == status
    if status == 200:
        wrong = policy == "pass-thru"
        assert (await ask(server, "GET", URL + ".sha1")).body.decode().startswith("0000") == wrong


async def test_delete_empties_the_cache(server, ask):
    """Deleting through the remote key deletes the copy; the file can be fetched again."""
    await ask(server, "GET", URL)
    assert (await ask(server, "DELETE", URL)).status == 204
    assert not server.exists("far-cache/org/a #%.txt")
    assert (await ask(server, "DELETE", URL)).status == 404
    assert (await ask(server, "GET", URL)).status == 200


@pytest.mark.parametrize("key", ["far", "far-cache"])
async def test_nothing_is_deployed(server, ask, key):
    """Neither a remote repository nor its cache takes deploys or folders."""
    answer = await ask(server, "PUT", f"/{key}/a", body=b"x")
    assert (answer.status, answer.message) == (404, f"Could not find a local repository named {key} to deploy to.")
    folder = await ask(server, "PUT", f"/{key}/a/", body=b"")
    assert (folder.status, folder.message) == (500, f"Repository '{key}' is not a local repository")


async def test_metadata_is_fetched_again(server, upstream, ask, clock):
    """Metadata is asked for again after two hours, and fetched if it changed."""
    upstream.put("generic-local/org/app/maven-metadata.xml", b"old")
    assert (await ask(server, "GET", METADATA)).body == b"old"
    upstream.put("generic-local/org/app/maven-metadata.xml", b"new")
    clock.advance(7199)
    assert (await ask(server, "GET", METADATA)).body == b"old"
    clock.advance(1)
    assert (await ask(server, "GET", METADATA)).body == b"new"
    clock.advance(7200)
    assert (await ask(server, "GET", METADATA)).body == b"new"
    assert upstream.count("GET", "**/maven-metadata.xml") == 2
    assert upstream.count("HEAD", "**/maven-metadata.xml") == 3


async def test_stale_metadata_is_better_than_none(server, upstream, ask, clock):
    """Where the upstream is gone the old metadata is served, also by the cache itself."""
    upstream.put("generic-local/org/app/maven-metadata.xml", b"old")
    await ask(server, "GET", METADATA)
    await upstream.abort()
    clock.advance(7200)
    assert (await ask(server, "GET", METADATA)).body == b"old"
    assert (await ask(server, "GET", METADATA.replace("far", "far-cache"))).body == b"old"


async def test_redirect_of_the_upstream(server, ask):
    """A redirect to storage is followed, without credentials."""
    async with ArtifactoryServer(redirect_over=0) as upstream:
        upstream.put("generic-local/org/a #%.txt", b"from storage")
        server.create_repository("far", **settings(upstream))
        assert (await ask(server, "GET", URL)).body == b"from storage"
        assert [each.origin for each in upstream.requests] == ["main", "main", "storage"]


async def test_many_at_once_fetch_once(server, upstream, ask):
    """Of requests for the same file at the same time one fetches."""
    handle = upstream.fail("GET", fault=Fault.hold())
    waiting = [asyncio.create_task(ask(server, "GET", URL)) for _ in range(5)]
    await handle.reached()
    handle.release()
    assert [answer.body for answer in await asyncio.gather(*waiting)] == [b"content"] * 5
    assert upstream.count("GET") == 1


async def test_cache_is_filled_by_hand(server, upstream, ask):
    """What a test puts into the remote repository lies in its cache, and is not fetched."""
    server.put("far/org/a #%.txt", b"by hand")
    assert server.read("far-cache/org/a #%.txt") == server.read("far/org/a #%.txt") == b"by hand"
    assert (await ask(server, "GET", URL)).body == b"by hand"
    assert upstream.requests == []


async def test_permission_on_remote_and_cache(server, ask, basic):
    """A right granted on the remote key or on its cache counts for both."""
    ann = basic("ann", "pw")
    refused = await ask(server, "GET", URL, headers=ann)
    assert (refused.status, "'far:org/a #%.txt' is forbidden" in refused.message) == (403, True)
    server.grant("ann", "far")
    assert (await ask(server, "GET", URL, headers=ann)).status == 200
    assert (await ask(server, "GET", URL.replace("far", "far-cache"), headers=ann)).status == 200
    assert (await ask(server, "GET", f"/api/storage{URL}", headers=ann)).json()["createdBy"] == "ann"
    server.grant("anonymous", "far-cache")
    assert (await ask(server, "GET", URL, headers={})).status == 200


async def test_patterns_are_not_even_asked_for(server, upstream, ask):
    """What the patterns keep out is refused without a request."""
    server.create_repository("far", **settings(upstream, excludes="org/**"))
    assert "include/exclude" in (await ask(server, "GET", URL)).message
    assert upstream.requests == []


async def test_loop(server, ask):
    """A server that would ask itself answers that it does."""
    server.create_repository("far", kind="remote", url=f"{server.url}/far", username="admin", password="password")
    assert (await ask(server, "GET", "/far/a")).message == "Not Found"
    assert [each.method for each in server.requests] == ["GET", "HEAD"]
    headers = {"Authorization": "Basic YWRtaW46cGFzc3dvcmQ=", "X-Artifactory-Originated": server.origin}
    answer = await ask(server, "GET", "/far/a", headers=headers)
    assert (answer.status, answer.message) == (404, "Recursive call detected for 'far:a'. Returning nothing.")


async def test_remote_members_come_last(server, upstream, ask):
    """In a virtual repository nothing is fetched as long as a local repository or a cache has the file."""
    server.create_repository("v", kind="virtual", members=("far", "generic-local"))
    server.put("generic-local/org/a #%.txt", b"local")
    through = URL.replace("far", "v")
    assert (await ask(server, "GET", through)).body == b"local"
    assert upstream.requests == []
    await ask(server, "DELETE", URL.replace("far", "generic-local"))
    assert (await ask(server, "GET", through)).body == b"content"
    assert (await ask(server, "GET", f"/api/storage{through}")).json()["repo"] == "v"
    assert (await ask(server, "GET", "/v/missing")).message == "Could not find resource"


async def test_virtual_repository_refreshes_metadata(server, upstream, ask, clock):
    """Stale metadata in the cache of a member does not keep its upstream from being asked."""
    server.create_repository("v", kind="virtual", members=("far",))
    upstream.put("generic-local/org/app/maven-metadata.xml", b"old")
    path = METADATA.replace("far", "v")
    assert (await ask(server, "GET", path)).body == b"old"
    upstream.put("generic-local/org/app/maven-metadata.xml", b"new")
    clock.advance(7200)
    assert (await ask(server, "GET", path)).body == b"new"


async def test_hard_fail_of_a_member(server, upstream, ask):
    """A member that fails hard fails the virtual repository."""
    server.create_repository("far", **settings(upstream, hard_fail=True))
    server.create_repository("v", kind="virtual", members=("far",))
    await upstream.abort()
    assert (await ask(server, "GET", "/v/b")).status == 500


@pytest.mark.parametrize(("retrieves", "status"), [(False, 404), (True, 200)])
async def test_virtual_repository_asked_by_another_server(server, upstream, ask, retrieves, status):
    """Other servers get what is here; only by setting is something fetched for them."""
    server.create_repository("v", kind="virtual", members=("far",), retrieves_for_servers=retrieves)
    async with ArtifactoryServer() as third:
        login = {"username": server.username, "password": server.password}
        third.create_repository("mirror", kind="remote", url=f"{server.url}/v", **login)
        assert (await ask(third, "GET", URL.replace("far", "mirror"))).status == status


async def test_aql_finds_the_cache(server, ask, admin):
    """A query for the cache finds what was fetched, one for the remote key nothing."""
    await ask(server, "GET", URL)
    for key, count in (("far-cache", 1), ("far", 0)):
        body = f'items.find({{"repo":"{key}"}})'.encode()
        answer = await ask(server, "POST", "/api/search/aql", headers=admin | {"Content-Type": "text/plain"}, body=body)
        assert len(answer.json()["results"]) == count


async def test_cache_survives_the_server(upstream, ask, tmp_path):
    """Settings and cached files are there after a restart."""
    async with ArtifactoryServer(tmp_path) as server:
        server.create_repository("far", **settings(upstream))
        await ask(server, "GET", URL)
    await upstream.abort()
    async with ArtifactoryServer(tmp_path) as server:
        assert (await ask(server, "GET", URL)).body == b"content"


async def test_any_web_server_will_do(server, upstream, ask):
    """An upstream need not be Artifactory: here, a folder deep inside another one's path."""
    server.create_repository("far", **(settings(upstream) | {"url": f"{upstream.url}/generic-local/org"}))
    assert (await ask(server, "GET", "/far/a%20%23%25.txt")).body == b"content"


async def test_nothing_is_fetched_where_a_member_will_do(server, upstream, ask):
    """A member that lacks the property asked for still serves before anything is fetched."""
    server.create_repository("v", kind="virtual", members=("far", "generic-local"))
    server.put("generic-local/org/a #%.txt", b"local")
    assert (await ask(server, "GET", URL.replace("far", "v") + ";os=linux")).body == b"local"
    assert upstream.requests == []


@pytest.mark.parametrize("name", ["größe.bin", "a;b=c.txt", "a+b.txt", "100%.txt", "it's [x].txt"])
async def test_any_name(server, upstream, ask, name):
    """Names are encoded for the upstream as they must be."""
    upstream.put(f"generic-local/{name}", b"x")
    assert (await ask(server, "GET", f"/far/{quote(name, safe='')}")).body == b"x"
    assert server.exists(f"far-cache/{name}")
