"""Servers that refuse all logins of a user for a while, or until an administrator intervenes."""

import asyncio
import json
import re

import anyio
import pytest
from raw_http import checksum_headers, raw_server, response

import aioartifact
from aioartifact._session import STATES, Clock

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

COUNT = 30
JSON = {"Content-Type": "application/json;charset=ISO-8859-1"}
SUSPENDED = "This request is blocked due to recurrent login failures, please try again in {} seconds"
LOCKED = "User is Locked.\nContact System Administrator to Unlock The Account."
LISTED = json.dumps(
    {"files": [{"uri": f"/f{number}", "size": 7, "folder": False, "sha1": "a" * 40} for number in range(COUNT)]}
)


def as_json(message):
    document = {"errors": [{"status": 403, "message": message}]}
    return response(json.dumps(document).encode(), status=403, headers=JSON)


def as_page(message):
    page = f"<html><head><title>HTTP Status 403</title></head><body><p><b>Message</b> {message}</p></body></html>"
    return response(page.encode(), status=403, headers={"Content-Type": "text/html"})


REFUSALS = {
    "suspended": as_json(SUSPENDED.format(900)),
    "suspended-page": as_page(SUSPENDED.format(900)),
    "locked": as_json(LOCKED),
    "locked-page": as_page(LOCKED),
    "401": response(status=401),
}


def connect(server, attempts=3, **options):
    retry = aioartifact.RetryPolicy(attempts, backoff_initial=0)
    return aioartifact.session(server.url, auth=("user", "secret"), retry=retry, **options)


def local_files(folder):
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"f{number}").write_bytes(b"content")
    return folder


async def downloads(base, session, folder):
    urls = [f"{base}/r/f{number}" for number in range(COUNT)]
    return failures_of(await aioartifact.download_many(urls, folder / "new", on_error="collect", session=session))


async def uploads(base, session, folder):
    items = sorted(local_files(folder / "local").iterdir())
    return failures_of(await aioartifact.deploy_many(items, f"{base}/r/t", on_error="collect", session=session))


async def folder_upload(base, session, folder):
    local = local_files(folder / "local")
    call = aioartifact.deploy_folder(local, f"{base}/r/t", overwrite="always", on_error="collect", session=session)
    return failures_of(await call)


async def synced(base, session, folder):
    return failures_of(
        await aioartifact.sync(local_files(folder / "local"), f"{base}/r/t", on_error="collect", session=session)
    )


async def versions(base, session, _):
    pairs = [("g", f"n{number}") for number in range(COUNT)]
    found = await aioartifact.versions_many(base, "r", pairs, method="folder", session=session)
    return [each.error for each in found.values() if each.error]


def many(call):
    async def calls(base, session, _):
        items = [f"{base}/r/f{number}" for number in range(COUNT)]
        return failures_of(await call(items, on_error="collect", session=session))

    return calls


def at_once(call):
    async def calls(base, session, _):
        results = await asyncio.gather(
            *(call(f"{base}/r/f{number}", session) for number in range(COUNT)), return_exceptions=True
        )
        return [result for result in results if isinstance(result, Exception)]

    return calls


def failures_of(report):
    return [outcome.error for outcome in report.failed]


CALLS = {
    "download_many": downloads,
    "deploy_many": uploads,
    "deploy_folder": folder_upload,
    "sync": synced,
    "versions_many": versions,
    "copy": at_once(lambda url, session: aioartifact.copy(url, f"{url}.copy", session=session)),
    "move": at_once(lambda url, session: aioartifact.move(url, f"{url}.new", session=session)),
    "delete": at_once(lambda url, session: aioartifact.delete(url, session=session)),
    "copy_many": many(lambda urls, **o: aioartifact.copy_many([(url, f"{url}.copy") for url in urls], **o)),
    "move_many": many(lambda urls, **o: aioartifact.move_many([(url, f"{url}.new") for url in urls], **o)),
    "delete_many": many(aioartifact.delete_many),
    "update_properties": at_once(lambda url, session: aioartifact.update_properties(url, {"k": "v"}, session=session)),
}


@pytest.mark.filterwarnings("ignore:no versions listed")
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("name", [name for name in CALLS if name != "sync"])
async def test_first_refusal_ends_the_remaining_work(name, refusal, tmp_path):
    """One request; what was not requested says so."""
    async with raw_server(lambda _: refusal) as server, connect(server) as session:
        failures = await CALLS[name](server.url, session, tmp_path)
        assert len(server.requests) == 1
    assert len(failures) == COUNT
    kind = aioartifact.AuthenticationError if refusal is REFUSALS["401"] else aioartifact.ForbiddenError
    assert {type(failure) for failure in failures} == {kind}
    unsent = [failure for failure in failures if "not requested: " in str(failure)]
    assert len(unsent) >= COUNT - 1
    assert all("(401)" in str(failure) or "logins of this user were refused" in str(failure) for failure in unsent)


def ordinary(request):
    """What a server without a fault answers."""
    if request.method == "PUT":
        return response(status=201)
    if request.method == "POST":
        return response(b'{"messages":[]}', headers=JSON)
    if request.method in ("DELETE", "PATCH"):
        return response(status=204)
    if "/api/storage/r/f" in request.target:
        name = re.search(r"f\d+(\.\w+)?", request.target)[0]
        found = {"repo": "r", "path": f"/{name}", "downloadUri": "http://h/x", "size": "7"}
        return response(json.dumps(found).encode(), headers=JSON) if "." not in name else response(status=404)
    if "/api/storage/r/g" in request.target:
        return response(b'{"repo":"r","path":"/g","children":[]}', headers=JSON)
    if "/api/" in request.target:
        return response(status=404)
    return response(b"content", headers=checksum_headers(b"content"))


@pytest.mark.filterwarnings("ignore:no versions listed")
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_refusal_in_the_middle(call, refusal, tmp_path):
    """What is in flight ends, and no further request is sent."""
    good = 12

    def handler(request):
        return ordinary(request) if len(server.requests) <= good else refusal

    limits = aioartifact.Limits(max_concurrency=1, max_connections=1)
    async with raw_server(handler) as server, connect(server, limits=limits) as session:
        failures = await call(server.url, session, tmp_path)
        assert len(server.requests) == good + 1
    assert failures
    assert all(isinstance(each, aioartifact.AuthenticationError | aioartifact.ForbiddenError) for each in failures)


class SkippingClock:
    """A clock on which waiting takes no time."""

    def __init__(self, session):
        self.time = 0.0
        STATES[session].clock = Clock(now=lambda: self.time, sleep=self.sleep, draw=lambda: 0.0)

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("spelled", [as_json, as_page])
async def test_short_suspension_is_waited_for(spelled, tmp_path):
    """By one request; all others wait behind it, and no login is tried meanwhile."""

    def handler(request):
        return spelled(SUSPENDED.format(20)) if clock.time < 20 else ordinary(request)

    async with raw_server(handler) as server, connect(server) as session:
        clock = SkippingClock(session)
        assert await downloads(server.url, session, tmp_path) == []
        assert len(server.requests) == COUNT + 1


async def test_suspension_that_is_renewed(tmp_path):
    """Attempts are used up by one request, and the others are not sent."""
    refusal = as_json(SUSPENDED.format(20))
    async with raw_server(lambda _: refusal) as server, connect(server, attempts=3) as session:
        clock = SkippingClock(session)
        failures = await downloads(server.url, session, tmp_path)
        assert (len(failures), len(server.requests), clock.time) == (COUNT, 3, 40)


async def test_wrong_password_after_a_suspension(tmp_path):
    """A single login follows, and ends the rest."""

    def handler(_):
        return as_json(SUSPENDED.format(20)) if clock.time < 20 else response(status=401)

    async with raw_server(handler) as server, connect(server) as session:
        clock = SkippingClock(session)
        failures = await downloads(server.url, session, tmp_path)
        assert (len(failures), len(server.requests)) == (COUNT, 2)
        assert {type(failure) for failure in failures} == {aioartifact.AuthenticationError}


async def test_other_server(tmp_path):
    """The suspension is that of one server."""
    locked = REFUSALS["locked"]
    async with raw_server(lambda _: locked) as one, raw_server(ordinary) as other:
        auth = {one.url: ("user", "secret"), other.url: ("user", "secret")}
        urls = [f"{server.url}/r/{number}{name}" for number in range(9) for name, server in (("a", one), ("b", other))]
        async with aioartifact.session(auth=auth) as session:
            report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
        assert (len(one.requests), len(other.requests), len(report.failed)) == (1, 9, 9)


async def test_forbidden_item_is_not_a_refused_login(tmp_path):
    """A 403 about an item leaves the others alone."""
    refusal = as_json("User is not permitted to deploy; locked by policy")
    async with raw_server(lambda _: refusal) as server, connect(server) as session:
        failures = await downloads(server.url, session, tmp_path)
        assert (len(failures), len(server.requests)) == (COUNT, COUNT)


@pytest.mark.parametrize("spelled", [as_json, as_page])
@pytest.mark.parametrize("message", [SUSPENDED.format(900), LOCKED])
async def test_hint(spelled, message):
    """It is about the user, and not about the item or the base URL; so is that of the others."""
    async with raw_server(lambda _: spelled(message)) as server, connect(server) as session:
        results = await asyncio.gather(
            *(aioartifact.info(f"{server.url}/r/{name}", session=session) for name in "ab"), return_exceptions=True
        )
        assert [result.hint for result in results] == [results[0].hint] * 2
        assert "have an administrator unlock the user" in results[0].hint


@pytest.mark.parametrize("status", [401, 403])
async def test_refusal_of_a_redirect_target(status, tmp_path):
    """Storage that refuses a signed URL says nothing about the credentials of the server."""
    storage_refusal = REFUSALS["locked"] if status == 403 else response(status=401)
    async with raw_server(lambda _: storage_refusal, host="127.0.0.2") as storage:

        def handler(request):
            if "/api/" in request.target:
                return response(status=404)
            if request.target.endswith("0"):
                return response(status=302, headers={"Location": f"{storage.origin}/x"})
            return ordinary(request)

        async with raw_server(handler) as server, connect(server) as session:
            failures = await downloads(server.url, session, tmp_path)
            assert len(failures) == 3
            assert not [failure for failure in failures if "not requested" in str(failure)]
