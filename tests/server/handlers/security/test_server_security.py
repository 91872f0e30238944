"""API keys, access tokens by form, groups, and what failed logins lead to."""

import base64
import json
from urllib.parse import urlencode

import pytest

from aioartifact.testing import ArtifactoryServer, ManualClock

KEYS, TOKENS = "/api/security/apiKey", "/api/security/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FILE = "/generic-local/a.bin"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def guarded(clock):
    """A server whose clock the test moves, with a user who may read and one group that may deploy."""
    async with ArtifactoryServer(clock=clock) as server:
        server.put("generic-local/a.bin", b"content")
        server.add_user("user", password="pw", groups=["writers"])
        server.grant("user", "generic-local", "r")
        server.grant_group("writers", "generic-local", "w")
        yield server


@pytest.fixture
def post(ask, admin):
    """Post a form, as the administrator unless *headers* say otherwise."""

    async def post(server, path, headers=None, **form):
        return await ask(
            server, "POST", path, headers=(admin if headers is None else headers) | FORM, body=encode(form)
        )

    return post


def encode(form: dict[str, str]) -> bytes:
    return urlencode(form).encode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_life_of_an_api_key(guarded, ask, basic):
    """Made once, replaced, revoked: each answer is a small document of its own shape."""
    user = basic("user", "pw")
    assert (await ask(guarded, "GET", KEYS, headers=user)).json() == {}
    created = await ask(guarded, "POST", KEYS, headers=user, body=b"")
    key = created.json()["apiKey"]
    assert (created.status, key[:5], len(key)) == (201, "AKCp8", 73)
    assert (await ask(guarded, "GET", KEYS, headers=user)).json() == {"apiKey": key}
    assert (await ask(guarded, "GET", FILE, headers={"X-JFrog-Art-Api": key})).status == 200
    again = await ask(guarded, "POST", KEYS, headers=user, body=b"")
    assert (again.status, again.json()) == (400, {"error": "Api key already exists for user: user"})
    replaced = await ask(guarded, "PUT", KEYS, headers=user, body=b"")
    assert (replaced.status, replaced.json()["apiKey"] == key) == (200, False)
    assert (await ask(guarded, "GET", FILE, headers={"X-JFrog-Art-Api": key})).status == 403
    revoked = await ask(guarded, "DELETE", KEYS, headers=user)
    assert revoked.json() == {"info": "Api key for user: 'user' has been successfully revoked"}
    assert (await ask(guarded, "PUT", KEYS, headers=user, body=b"")).status == 404


async def test_api_key_does_not_change_itself(guarded, ask):
    """Who shows an API key may neither replace nor revoke it."""
    key = {"X-JFrog-Art-Api": guarded.api_key}
    for method in ("PUT", "DELETE"):
        answer = await ask(guarded, method, KEYS, headers=key, body=b"")
        error = "The use of apiKey as authentication is forbidden for this api call"
        assert (answer.status, answer.json()) == (403, {"error": error})
    assert (await ask(guarded, "GET", KEYS, headers=key)).json() == {"apiKey": guarded.api_key}


async def test_all_api_keys_are_revoked_by_the_admin(guarded, ask, basic):
    """``deleteAll`` is for administrators, and takes away their own as well."""
    everyone = f"{KEYS}?deleteAll=1"
    assert (await ask(guarded, "DELETE", everyone, headers=basic("user", "pw"))).status == 403
    answer = await ask(guarded, "DELETE", everyone)
    assert answer.json() == {"info": "All api keys have been successfully revoked"}
    assert guarded.api_key == ""


async def test_api_key_of_another_user(guarded, ask, basic):
    """An administrator revokes the key of the user in the path, with any credentials, and keeps its own."""
    user, admin_key = basic("user", "pw"), guarded.api_key
    key = (await ask(guarded, "POST", KEYS, headers=user, body=b"")).json()["apiKey"]
    assert (await ask(guarded, "DELETE", f"{KEYS}/admin", headers=user)).status == 403
    missing = await ask(guarded, "DELETE", f"{KEYS}/missing")
    assert (missing.status, missing.json()) == (400, {"error": "Error revoking api key for user: missing"})
    revoked = await ask(guarded, "DELETE", f"{KEYS}/user", headers={"X-JFrog-Art-Api": admin_key})
    assert revoked.json() == {"info": "Api key for user: 'user' has been successfully revoked"}
    assert (await ask(guarded, "GET", FILE, headers={"X-JFrog-Art-Api": key})).status == 403
    assert guarded.api_key == admin_key


async def test_api_keys_are_for_users(ask):
    """Anonymous requests have none, and neither has a token without an account."""
    async with ArtifactoryServer(anonymous=True) as server:
        server.grant("anonymous", "**")
        assert (await ask(server, "GET", KEYS, headers={})).status == 401
        stranger = bearer(server.issue_token("stranger"))
        assert (await ask(server, "GET", KEYS, headers=stranger)).status == 403


async def test_life_of_a_token(guarded, ask, post, basic, clock):
    """Issued to a user, good until it expires on the server's clock, and said to have expired after."""
    answer = await post(guarded, TOKENS, basic("user", "pw"), expires_in="60")
    document = answer.json()
    token = document.pop("access_token")
    assert (answer.status, document) == (
        200,
        {"scope": "api:* member-of-groups:*", "expires_in": 60, "token_type": "Bearer"},
    )
    now = int(clock())
    assert claims(token)["sub"].endswith("/users/user")
    assert (claims(token)["scp"], claims(token)["iat"], claims(token)["exp"]) == (document["scope"], now, now + 60)
    for headers in (bearer(token), basic("user", token)):
        assert (await ask(guarded, "GET", FILE, headers=headers)).status == 200
    assert (await ask(guarded, "GET", f"{FILE}?token={token}", headers={})).status == 200
    clock.advance(60)
    for path, headers in ((FILE, bearer(token)), (FILE, basic("user", token)), (f"{FILE}?token={token}", {})):
        late = await ask(guarded, "GET", path, headers=headers)
        assert (late.status, late.message) == (401, "Token failed verification: expired")
        assert "www-authenticate" in late.headers


async def test_tokens_that_are_not_accepted(guarded, ask, post, basic):
    """A changed token, a revoked one, one for another purpose, one of another name."""
    token = (await post(guarded, TOKENS, username="user")).json()["access_token"]
    changed = token[:-2] + ("aa" if token[-2:] != "aa" else "bb")
    for headers, status, message in (
        (bearer(changed), 401, "Token failed verification: signature"),
        (bearer("ey.\u00fc.x"), 401, "Token failed verification: signature"),
        (basic("other", token), 401, "Token principal mismatch."),
        (bearer(guarded.issue_token("user", scope="system:metrics:r")), 403, "Request path not allowed"),
    ):
        answer = await ask(guarded, "GET", FILE, headers=headers)
        assert (answer.status, answer.message) == (status, message)
    assert (await post(guarded, f"{TOKENS}/revoke", token=token)).body == b"Token revoked"
    revoked = await ask(guarded, "GET", FILE, headers=bearer(token))
    assert (revoked.status, revoked.message) == (401, "Token failed verification: revoked")


async def test_token_is_refreshed_without_credentials(guarded, ask, post, clock):
    """Both halves of the old pair are exchanged for a new pair, also after expiry, and once only."""
    old = (await post(guarded, TOKENS, username="user", refreshable="true", expires_in="60")).json()
    clock.advance(61)
    form = {"grant_type": "refresh_token", **{key: old[key] for key in ("refresh_token", "access_token")}}
    new = await post(guarded, TOKENS, {}, **form)
    assert (new.status, new.json()["expires_in"]) == (200, 60)
    assert new.json()["refresh_token"] != old["refresh_token"]
    assert (await ask(guarded, "GET", FILE, headers=bearer(new.json()["access_token"]))).status == 200
    again = await post(guarded, TOKENS, {}, **form)
    assert (again.status, again.json()["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="grant"),
        pytest.param({"scope": "everything"}, 400, "invalid_scope", id="scope"),
        pytest.param({"username": "stranger"}, 400, "invalid_scope", id="stranger without scope"),
        pytest.param({"expires_in": "soon"}, 400, "invalid_request", id="expiry"),
        pytest.param({"grant_type": "refresh_token"}, 400, "invalid_request", id="nothing to refresh"),
        pytest.param(
            {"grant_type": "refresh_token", "refresh_token": "x", "access_token": "y"}, 401, "invalid_grant", id="bad"
        ),
    ],
)
async def test_orders_that_are_refused(guarded, post, form, status, error):
    """Errors have the shape of OAuth."""
    answer = await post(guarded, TOKENS, **form)
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param({"username": "user"}, 200, id="own name"),
        pytest.param({"username": "admin"}, 403, id="another's name"),
        pytest.param({"scope": "member-of-groups:writers"}, 200, id="own group"),
        pytest.param({"scope": "member-of-groups:readers"}, 403, id="another group"),
        pytest.param({"scope": "jfrt@*:admin"}, 403, id="admin"),
        pytest.param({"expires_in": "3600"}, 200, id="longest"),
        pytest.param({"expires_in": "3601"}, 403, id="too long"),
        pytest.param({"expires_in": "0"}, 403, id="for ever"),
    ],
)
async def test_users_order_tokens_for_themselves(guarded, post, basic, form, status):
    """Other names, other groups and longer lives are for administrators."""
    assert (await post(guarded, TOKENS, basic("user", "pw"), **form)).status == status
    assert (await post(guarded, TOKENS, **form)).status == 200


async def test_token_for_ever(guarded, post):
    """An administrator may ask for a token that does not expire; then nothing says when it does."""
    document = (await post(guarded, TOKENS, username="user", expires_in="0")).json()
    assert "expires_in" not in document
    assert "exp" not in claims(document["access_token"])


async def test_scope_decides_what_a_token_may(guarded, ask, post):
    """Groups of the scope count in place of the user's, and an admin scope permits everything."""
    for number, (username, scope, status) in enumerate(
        (
            ("user", "member-of-groups:readers", 403),
            ("user", "member-of-groups:*", 201),
            ("ci", "member-of-groups:writers", 201),
            ("ci", "jfrt@*:admin", 201),
        )
    ):
        token = (await post(guarded, TOKENS, username=username, scope=scope)).json()["access_token"]
        answer = await ask(guarded, "PUT", f"/generic-local/{number}", headers=bearer(token), body=b"")
        assert answer.status == status
    info = (await ask(guarded, "GET", "/api/storage/generic-local/2")).json()
    assert info["createdBy"] == "token:ci"


async def test_tokens_are_listed_and_revoked_by_the_admin(guarded, ask, post, basic, clock):
    """The list has their ids without their values; by id or by value, each can be revoked."""
    first = (await post(guarded, TOKENS, username="user", refreshable="true")).json()["access_token"]
    second = (await post(guarded, TOKENS, username="user", expires_in="0")).json()["access_token"]
    listed = (await ask(guarded, "GET", TOKENS)).json()["tokens"]
    assert [each["token_id"] for each in listed] == [claims(first)["jti"], claims(second)["jti"]]
    assert listed[0] == {
        "token_id": claims(first)["jti"],
        "issuer": claims(first)["iss"],
        "subject": claims(first)["sub"],
        "issued_at": int(clock()),
        "expiry": int(clock()) + 3600,
        "refreshable": True,
    }
    assert "expiry" not in listed[1]
    revoke = f"{TOKENS}/revoke"
    assert (await post(guarded, revoke, token_id=claims(first)["jti"])).body == b"Token revoked"
    assert (await post(guarded, revoke, token_id=claims(first)["jti"])).body == b"Token not found"
    assert (await post(guarded, revoke, token=first)).body == b"Token not found"
    for form in ({}, {"token": second, "token_id": "x"}, {"token": "of.another.instance"}):
        answer = await post(guarded, revoke, **form)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_request")
    assert (await ask(guarded, "GET", TOKENS, headers=basic("user", "pw"))).status == 403
    assert (await post(guarded, revoke, basic("user", "pw"), token=second)).status == 403
    assert (await ask(guarded, "POST", TOKENS, body=b"{}")).status == 415


async def test_tokens_are_not_for_the_anonymous(ask, post):
    """Anonymous users can neither issue nor get tokens."""
    async with ArtifactoryServer(anonymous=True) as server:
        assert (await post(server, TOKENS, {}, username="admin")).status == 401


async def test_groups_share_permissions(guarded, ask, basic):
    """What is granted to a group is granted to each of its members."""
    guarded.add_user("outsider", password="pw")
    for name, status in (("user", 201), ("outsider", 403)):
        answer = await ask(guarded, "PUT", f"/generic-local/{name}", headers=basic(name, "pw"), body=b"")
        assert answer.status == status


async def test_locked_users_are_told_so(guarded, ask, basic):
    """Whatever a locked user shows; unlocked, it is let in again."""
    guarded.lock_user("user")
    token = bearer(guarded.issue_token("user"))
    for headers in (basic("user", "pw"), basic("user", "wrong"), token):
        answer = await ask(guarded, "GET", FILE, headers=headers)
        assert answer.status == 403
        assert answer.message == "User is Locked.\nContact System Administrator to Unlock The Account."
    guarded.unlock_user("user")
    assert (await ask(guarded, "GET", FILE, headers=basic("user", "pw"))).status == 200


async def test_users_are_locked_after_failures(ask, basic):
    """The policy counts failures in a row; a success starts over."""
    async with ArtifactoryServer(lock_after=3) as server:
        server.add_user("user", password="pw")
        statuses = []
        for password in ("x", "x", "pw", "x", "x", "x", "pw"):
            path = "/api/system/version"
            statuses.append((await ask(server, "GET", path, headers=basic("user", password))).status)
        assert statuses == [401, 401, 200, 401, 401, 401, 403]


async def test_expired_passwords_are_refused(guarded, ask, basic):
    """With the right password, the response states that it has expired; with a wrong one, only that it is wrong."""
    guarded.add_user("late", password="pw", password_expired=True)
    right = await ask(guarded, "GET", FILE, headers=basic("late", "pw"))
    expected = "Your credentials have expired, You must change your password before trying to login again"
    assert (right.status, right.message) == (403, expected)
    assert (await ask(guarded, "GET", FILE, headers=basic("late", "x"))).status == 401


@pytest.mark.parametrize(("profile", "longest"), [("6.20", 5), ("7.x", 60)])
async def test_suspension_grows_with_each_failure(ask, basic, clock, profile, longest):
    """From the second failure on even the right password has to wait, longer each time, up to a limit."""
    async with ArtifactoryServer(profile=profile, suspend_logins=True, clock=clock) as server:
        server.add_user("user", password="pw")

        async def login(password):
            return await ask(server, "GET", "/api/system/version", headers=basic("user", password))

        assert (await login("x")).status == 401
        waits = []
        for _ in range(2 * longest + 2):
            assert (await login("x")).status == 401
            blocked = await login("pw")
            assert blocked.status == 403
            assert blocked.message.startswith("This request is blocked due to recurrent login failures, please try")
            waits.append(int(blocked.message.split()[-2]))
            clock.advance(waits[-1])
        assert waits == [min((number + 2) // 2, longest) for number in range(len(waits))]
        assert (await login("pw")).status == 200
        assert (await login("x")).status == 401
        assert (await login("pw")).status == 200


async def test_suspension_is_per_user(ask, basic, clock):
    """No user waits for the failures of another, and unknown names are just wrong."""
    async with ArtifactoryServer(suspend_logins=True, clock=clock) as server:
        server.add_user("user", password="pw")
        for name in ("user", "user", "stranger", "stranger", "stranger"):
            answer = await ask(server, "GET", "/api/system/version", headers=basic(name, "x"))
            assert (answer.status, answer.message) == (401, "Bad credentials")
        assert (await ask(server, "GET", "/api/system/version", headers=basic("user", "pw"))).status == 403
        assert (await ask(server, "GET", "/api/system/version")).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_well_known_password_stays_on_this_machine(host):
    """An address that other machines can reach needs a password that was given; an empty one counts as none."""
    for options in ({}, {"password": ""}):
        with pytest.raises(ValueError, match="the administrator needs a password of its own"):
            ArtifactoryServer(host=host, **options)


async def test_given_password(ask, basic):
    """It is the only one, and the well-known key and token are not valid beside it."""
    async with ArtifactoryServer() as known, ArtifactoryServer(host="0.0.0.0", password="given") as server:
        assert server.password == "given"
        for headers, status in (
            (basic("admin", "given"), 200),
            (basic("admin", known.password), 401),
            ({"X-JFrog-Art-Api": server.api_key}, 200),
            ({"X-JFrog-Art-Api": known.api_key}, 403),
            ({"Authorization": f"Bearer {server.token}"}, 200),
            ({"Authorization": f"Bearer {known.token}"}, 401),
        ):
            answer = await ask(server, "GET", "/api/system/version", headers=headers)
            assert answer.status == status
