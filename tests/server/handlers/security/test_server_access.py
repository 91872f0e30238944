"""The Access service of 7.x: tokens and the exchange of identities."""

import base64
import json
from urllib.parse import urlencode

import pytest

from aioartifact.testing import ArtifactoryServer, ManualClock

TOKENS, EXCHANGE = "/access/api/v1/tokens", "/access/api/v1/oidc/token"
FILE = "/generic-local/a.bin"
IDENTITY = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "provider_name": "ci",
}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def platform(clock):
    async with ArtifactoryServer(profile="7.x", clock=clock) as server:
        server.put("generic-local/a.bin", b"content")
        server.add_user("user", token="cmVmdGtuOj" + "u" * 54, groups=["readers"])
        server.grant("user", "generic-local", "r")
        yield server


@pytest.fixture
def call(ask, platform):
    """Call Access with a JSON body, as the administrator unless *token* says otherwise."""

    async def call(method, path, body=None, *, token=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        credentials = bearer(token or platform.token) if headers is None else headers
        return await ask(platform, method, path, headers=credentials, body=data, origin=platform.origin)

    return call


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def identity_token(**claims):
    header, payload = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in ({}, claims))
    return f"{header.decode()}.{payload.decode()}.signature"


def refusal(answer):
    (error,) = answer.json()["errors"]
    return answer.status, error["code"]


async def test_token_with_everything(platform, call, ask, clock):
    """Refresh and reference tokens come on request; all of them do what the JWT does."""
    wishes = {
        "username": "user",
        "expires_in": 60,
        "refreshable": True,
        "include_reference_token": True,
        "description": "ci",
    }
    answer = await call("POST", TOKENS, wishes)
    document = answer.json()
    assert set(document) == {
        *("token_id", "access_token", "refresh_token", "reference_token"),
        *("expires_in", "scope", "token_type", "description"),
    }
    assert (document["expires_in"], document["scope"], document["token_type"]) == (
        60,
        "applied-permissions/user",
        "Bearer",
    )
    reference = document["reference_token"]
    assert (len(reference), reference[:10]) == (64, "cmVmdGtuOj")
    headers = [bearer(document["access_token"]), bearer(reference), {"X-JFrog-Art-Api": reference}]
    for each in headers:
        assert (await ask(platform, "GET", FILE, headers=each)).status == 200
    clock.advance(60)
    for each in headers:
        late = await ask(platform, "GET", FILE, headers=each)
        assert (late.status, late.message) == (401, "Token failed verification: expired")


async def test_answers_of_access_have_no_spaces(call):
    """Its JSON is compact, unlike Artifactory's."""
    assert (await call("GET", TOKENS)).body == b'{"tokens":[]}'


async def test_defaults_of_a_token(call):
    """Without wishes it is a token of the caller for a year; 0 seconds mean for ever."""
    answer = await call("POST", TOKENS, {})
    assert set(answer.json()) == {"token_id", "access_token", "expires_in", "scope", "token_type"}
    assert answer.json()["expires_in"] == 31_536_000
    assert "expires_in" not in (await call("POST", TOKENS, {"expires_in": 0})).json()


async def test_token_by_form(platform, ask):
    """Forms are read as well as JSON."""
    headers = bearer(platform.token) | {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"username": "user", "refreshable": "true"}).encode()
    answer = await ask(platform, "POST", TOKENS, headers=headers, body=body, origin=platform.origin)
    assert (answer.status, "refresh_token" in answer.json()) == (200, True)


async def test_refreshing_uses_up_the_old_token(platform, call, ask, clock):
    """The old token, just expired, is enough to get the next one; after that it is worth nothing."""
    old = (await call("POST", TOKENS, {"username": "user", "refreshable": True, "expires_in": 60})).json()
    wishes = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    clock.advance(61)
    stranger = await call("POST", TOKENS, wishes, token=platform.issue_token("stranger"))
    assert refusal(stranger) == (403, "FORBIDDEN")
    new = await call("POST", TOKENS, wishes, token=old["access_token"])
    assert new.status == 200
    assert refusal(await call("POST", TOKENS, wishes, token=old["access_token"])) == (401, "UNAUTHORIZED")
    assert (await ask(platform, "GET", FILE, headers=bearer(new.json()["access_token"]))).status == 200


async def test_own_tokens_are_listed_described_and_revoked(platform, call):
    """``me`` is the token of the request; users see theirs, administrators all."""
    mine = (await call("POST", TOKENS, {"username": "user", "description": "mine"})).json()
    other = (await call("POST", TOKENS, {})).json()
    token = mine["access_token"]
    listed = (await call("GET", TOKENS, token=token)).json()["tokens"]
    assert [each["token_id"] for each in listed] == [mine["token_id"]]
    assert len((await call("GET", TOKENS)).json()["tokens"]) == 2
    for name in ("me", mine["token_id"]):
        described = (await call("GET", f"{TOKENS}/{name}", token=token)).json()
        assert (described["description"], described["scope"]) == ("mine", "applied-permissions/user")
    assert refusal(await call("GET", f"{TOKENS}/{other['token_id']}", token=token)) == (403, "FORBIDDEN")
    assert refusal(await call("GET", f"{TOKENS}/unknown", token=token)) == (404, "NOT_FOUND")
    assert (await call("DELETE", f"{TOKENS}/me", token=token)).status == 200
    assert refusal(await call("GET", f"{TOKENS}/me", token=token)) == (401, "UNAUTHORIZED")
    assert (await call("DELETE", f"{TOKENS}/{mine['token_id']}")).status == 204


async def test_tokens_are_revoked_by_value(call):
    """A JWT or a reference names the token; one that is gone is 204."""
    token = (await call("POST", TOKENS, {"include_reference_token": True})).json()
    revoked = await call("DELETE", f"{TOKENS}/revoke", {"token": token["reference_token"]})
    assert (revoked.status, revoked.json()) == (200, {"revoked-token-id": token["token_id"]})
    assert (await call("DELETE", f"{TOKENS}/revoke", {"token": token["access_token"]})).status == 204


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        pytest.param({"grant_type": "password"}, (400, "BAD_REQUEST"), id="grant"),
        pytest.param({"scope": "all"}, (400, "BAD_REQUEST"), id="scope"),
        pytest.param({"expires_in": "soon"}, (400, "BAD_REQUEST"), id="expiry"),
        pytest.param([], (400, "BAD_REQUEST"), id="no object"),
        pytest.param({"username": "admin"}, (403, "FORBIDDEN"), id="another's name"),
        pytest.param({"scope": "applied-permissions/admin"}, (403, "FORBIDDEN"), id="admin"),
        pytest.param({"scope": "applied-permissions/groups:writers"}, (403, "FORBIDDEN"), id="another group"),
        pytest.param({"grant_type": "refresh_token"}, (401, "UNAUTHORIZED"), id="nothing to refresh"),
    ],
)
async def test_orders_that_access_refuses(platform, call, wishes, expected):
    """Errors have a code and a message."""
    assert refusal(await call("POST", TOKENS, wishes, token="cmVmdGtuOj" + "u" * 54)) == expected


async def test_access_wants_tokens(platform, call, admin):
    """Passwords, API keys and nothing at all are refused, and broken JSON is said to be."""
    for headers in ({}, admin, {"X-JFrog-Art-Api": platform.api_key}):
        answer = await call("GET", TOKENS, headers=headers)
        assert refusal(answer) == (401, "UNAUTHORIZED")
        assert "www-authenticate" in answer.headers
    broken = bearer(platform.token) | {"Content-Type": "application/json"}
    assert (await call("GET", "/access/api/v1/system/ping", headers={})).body == b"OK"
    assert refusal(await call("DELETE", f"{TOKENS}/revoke", headers=broken)) == (400, "BAD_REQUEST")
    assert refusal(await call("GET", "/access/api/v1/users")) == (404, "NOT_FOUND")
    assert refusal(await call("PUT", TOKENS)) == (404, "NOT_FOUND")


async def test_identity_is_exchanged(platform, call, ask, clock):
    """Without any credentials, the token of a trusted provider whose claims fit gives one of the mapped user."""
    platform.map_identity("ci", "user", claims={"sub": "repo:org/*", "ref": "main"})
    subject = identity_token(sub="repo:org/app", ref="main", exp=clock() + 60)
    answer = await call("POST", EXCHANGE, IDENTITY | {"subject_token": subject}, headers={})
    document = answer.json()
    token = document.pop("access_token")
    assert (answer.status, document) == (
        200,
        {
            "expires_in": 3600,
            "scope": "applied-permissions/user",
            "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "username": "user",
        },
    )
    assert (await ask(platform, "GET", FILE, headers=bearer(token))).status == 200


async def test_identity_mapping_by_name(platform, call, clock):
    """A request may ask for a mapping by name, and for a reference token."""
    platform.map_identity("ci", "first", claims={}, name="a")
    platform.map_identity("ci", "second", claims={}, name="b")
    wishes = IDENTITY | {"subject_token": identity_token(), "include_reference_token": True}
    assert (await call("POST", EXCHANGE, wishes, headers={})).json()["username"] == "first"
    document = (await call("POST", EXCHANGE, wishes | {"identity_mapping_name": "b"}, headers={})).json()
    assert (document["username"], len(document["reference_token"])) == ("second", 64)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"subject_token": identity_token(sub="other")}, (401, "UNAUTHORIZED"), id="other claims"),
        pytest.param({"subject_token": identity_token(sub="me", exp=1)}, (401, "UNAUTHORIZED"), id="expired"),
        pytest.param({"subject_token": identity_token(sub="me", exp="x")}, (401, "UNAUTHORIZED"), id="odd expiry"),
        pytest.param({"subject_token": "no.to.ken"}, (401, "UNAUTHORIZED"), id="no token"),
        pytest.param({"subject_token": "W10.W10.W10"}, (401, "UNAUTHORIZED"), id="no claims"),
        pytest.param({"provider_name": "other"}, (401, "UNAUTHORIZED"), id="other provider"),
        pytest.param({"identity_mapping_name": "other"}, (401, "UNAUTHORIZED"), id="other mapping"),
        pytest.param({"subject_token": ""}, (400, "BAD_REQUEST"), id="missing token"),
        pytest.param({"grant_type": "client_credentials"}, (400, "BAD_REQUEST"), id="grant"),
    ],
)
async def test_identities_that_are_not_exchanged(platform, call, changed, expected):
    """What is not mapped is no one, and what is missing is said."""
    platform.map_identity("ci", "user", claims={"sub": "me"}, name="only")
    wishes = IDENTITY | {"subject_token": identity_token(sub="me")} | changed
    assert refusal(await call("POST", EXCHANGE, wishes, headers={})) == expected


async def test_access_is_not_part_of_older_releases(server, ask):
    """In 6.20 these paths are not served."""
    answer = await ask(server, "GET", "/access/api/v1/system/ping", origin=server.origin)
    assert (answer.status, answer.body) == (404, b"404 page not found")
