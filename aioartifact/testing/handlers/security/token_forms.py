"""``api/security/token``: access tokens by OAuth forms, as before 7.x."""

from typing import NoReturn
from urllib.parse import parse_qsl

from ...accounts.tokens import SERVICE_ID, Order, RejectedTokenError, Token, groups_of_scope, is_admin_scope
from ...protocol import jackson
from ...protocol.replies import RefusalError, Reply, json_reply, refuse
from ...wire.exchange import Exchange
from ..request_checks import is_true

LIFETIME = 3600  # seconds, if a request does not name a lifetime; the maximum for users who are not administrators

_REFRESH = {"grant_type", "refresh_token", "access_token"}
_WORDS = ("api:*", "member-of-groups:", "jfrt@")


async def create(exchange: Exchange) -> Reply:
    """Issue a token, or exchange one for the next; only an exchange without further parameters needs no credentials."""
    form = await read_form(exchange)
    is_refresh = form.get("grant_type") == "refresh_token"
    if not is_refresh or form.keys() != _REFRESH:
        exchange.identify()
        exchange.demand_user()
    if is_refresh:
        return _issue(exchange, _refreshed(exchange, form))
    if form.get("grant_type", "client_credentials") != "client_credentials":
        fail(400, "unsupported_grant_type", f"Unsupported grant type: {form['grant_type']}")
    return _issue(exchange, _ordered(exchange, form))


async def list_all(exchange: Exchange) -> Reply:
    """List the tokens that are valid."""
    exchange.identify()
    exchange.demand_admin()
    return json_reply({"tokens": [listed(each) for each in exchange.instance.accounts.tokens]}, "application/json")


async def revoke(exchange: Exchange) -> Reply:
    """Revoke a token, given its value or its id; a missing one is a success, too."""
    exchange.demand_admin()
    form, tokens = await read_form(exchange), exchange.instance.accounts.tokens
    if ("token" in form) == ("token_id" in form):
        fail(400, "invalid_request", "Either token or token_id must be provided, and not both")
    token = tokens.get(form["token_id"]) if "token_id" in form else _find(exchange, form["token"])
    if token:
        tokens.revoke(token)
    return Reply(200, {"Content-Type": "text/plain"}, b"Token revoked" if token else b"Token not found")


async def read_form(exchange: Exchange) -> dict[str, str]:
    """
    Read the form in the request's body.

    Raises:
        RefusalError: 415 if it is something else.
    """
    if exchange.request.content_type != "application/x-www-form-urlencoded":
        refuse(415, "Unsupported Media Type")
    body = await exchange.whole_body()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def listed(token: Token) -> dict[str, jackson.JSON]:
    """Describe a token without its value."""
    return {
        "token_id": token.id,
        "issuer": SERVICE_ID,
        "subject": token.subject,
        "issued_at": token.issued,
        **({} if token.expires is None else {"expiry": token.expires}),
        "refreshable": token.refresh is not None,
    }


def fail(status: int, error: str, description: str) -> NoReturn:
    """
    Refuse in the form of OAuth.

    Raises:
        RefusalError: Always.

    See: RFC 6749, section 5.2
    """
    raise RefusalError(
        json_reply({"error": error, "error_description": description}, "application/json", status=status)
    )


def _ordered(exchange: Exchange, form: dict[str, str]) -> Order:
    user, accounts = exchange.user, exchange.instance.accounts
    username = form.get("username") or user.name
    if username != user.name and not user.admin:
        exchange.deny(f"User {user.name} is not permitted to create a token for user {username}", servlet=False)
    scope = form.get("scope", "")
    if not scope and accounts.get(username) is None:
        fail(400, "invalid_scope", f"A scope is required for the token of {username}, who is no user")
    return Order(
        username=username,
        scope=_checked_scope(exchange, scope),
        audience=form.get("audience") or "jfrt@*",
        lifetime=_lifetime(exchange, form),
        is_refreshable=is_true(form.get("refreshable")),
    )


def _checked_scope(exchange: Exchange, scope: str) -> str:
    user = exchange.user
    for word in scope.split():
        if not word.startswith(_WORDS):
            fail(400, "invalid_scope", f"Invalid scope: {word}")
    groups = groups_of_scope(scope) or frozenset()
    if not user.admin and (is_admin_scope(scope) or not groups <= user.groups):
        exchange.deny(f"User {user.name} is not permitted to create a token of scope: {scope}", servlet=False)
    words = scope.split() or ["member-of-groups:*"]
    return " ".join(words if "api:*" in words else ["api:*", *words])


def _lifetime(exchange: Exchange, form: dict[str, str]) -> int | None:
    text = form.get("expires_in", str(LIFETIME))
    if not text.isdecimal():
        fail(400, "invalid_request", f"Invalid value for expires_in: {text}")
    seconds = int(text)
    if not exchange.user.admin and not 0 < seconds <= LIFETIME:
        message = f"User {exchange.user.name} can only create user token(s) for up to {LIFETIME} seconds"
        exchange.deny(message, servlet=False)
    return seconds or None


def _refreshed(exchange: Exchange, form: dict[str, str]) -> Order:
    """Revoke the old token, and order one like it."""
    if not form.keys() >= _REFRESH:
        fail(400, "invalid_request", "Both refresh_token and access_token are required")
    old = _find(exchange, form["access_token"], "invalid_grant", 401)
    if old is None or old.refresh is None or old.refresh != form["refresh_token"]:
        fail(401, "invalid_grant", "The refresh token is invalid")
    exchange.instance.accounts.tokens.revoke(old)
    return old.order


def _find(exchange: Exchange, text: str, error: str = "invalid_request", status: int = 400) -> Token | None:
    try:
        return exchange.instance.accounts.tokens.find(text)
    except RejectedTokenError as rejected:
        if str(rejected) == "revoked":
            return None
        fail(status, error, f"The token was not issued by this instance: {rejected}")


def _issue(exchange: Exchange, order: Order) -> Reply:
    token = exchange.instance.accounts.tokens.issue(order, exchange.instance.clock())
    document: dict[str, jackson.JSON] = {
        "scope": order.scope,
        "access_token": token.text,
        **({} if order.lifetime is None else {"expires_in": order.lifetime}),
        "token_type": "Bearer",
        **({"refresh_token": token.refresh} if token.refresh else {}),
    }
    return json_reply(document, "application/json", headers={"Cache-Control": "no-store"})
