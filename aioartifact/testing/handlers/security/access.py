"""``/access/api``: the Access service of 7.x, beside Artifactory. Its errors have a code, its JSON no spaces."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...accounts import oidc
from ...accounts.tokens import Order, RejectedTokenError, Token, groups_of_scope, is_admin_scope
from ...protocol import jackson
from ...protocol.replies import CHALLENGE, RefusalError, Reply, refuse
from ...wire.exchange import Exchange
from . import access_groups, access_users, projects
from .access_requests import access_reply, identify, read_body, text_of
from .token_forms import listed

_BASE = "access/api/"
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    413: "TOO_LARGE",
    415: "MEDIA",
}
_LIFETIME = 31_536_000  # seconds, if a request does not name a lifetime
_GRANTS = ("client_credentials", "refresh_token")
_OIDC_TYPES = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}
_OIDC_ISSUED = "urn:ietf:params:oauth:token-type:access_token"
_USER_SCOPE = "applied-permissions/user"
_SCOPES = ("applied-permissions/", "system:", "api:", "artifact:")


async def respond(exchange: Exchange) -> Reply:
    """Answer a request to Access; refusals have the form of its errors."""
    method, path = exchange.request.method, exchange.target.path.removeprefix(_BASE)
    try:
        handlers = HANDLERS.get(path) or _ONE_ENTITY.get(_pattern(path)) or {}
        handler = handlers.get(method) or exchange.refuse_unknown()
        return await handler(exchange)
    except RefusalError as refusal:
        status = refusal.reply.status
        headers = {"WWW-Authenticate": CHALLENGE} if status == 401 else {}
        return access_reply({"errors": [{"code": _CODES[status], "message": refusal.message}]}, status, headers)


def _pattern(path: str) -> str:
    """Return a path with ``{}`` for the name of an entity, which is its third segment."""
    segments = path.split("/")
    return "/".join([*segments[:2], "{}", *segments[3:]])


async def ping(exchange: Exchange) -> Reply:
    """Answer that the service is up, to every client."""
    return Reply(200, {"Content-Type": "text/plain"}, b"OK")


async def create(exchange: Exchange) -> Reply:
    """Issue a token, or the next one for a refresh token."""
    wishes = await read_body(exchange)
    grant = wishes.get("grant_type", "client_credentials")
    if grant not in _GRANTS:
        refuse(400, f"Unsupported grant type: {grant}")
    if grant == "refresh_token":
        return _issued(exchange, _refreshed(exchange, wishes))
    identify(exchange)
    return _issued(exchange, _ordered(exchange, wishes))


async def list_own(exchange: Exchange) -> Reply:
    """List the tokens of the user, or those of all users to an administrator."""
    identify(exchange)
    tokens = exchange.instance.accounts.tokens
    return access_reply({"tokens": [_described(each) for each in tokens if _may_see(exchange, each)]})


async def get(exchange: Exchange) -> Reply:
    """Describe one token, ``me`` for the one that the request was sent with."""
    identify(exchange)
    token = _named(exchange)
    return access_reply(_described(token)) if token else refuse(404, "Token not found")


async def revoke(exchange: Exchange) -> Reply:
    """Revoke one token; the response for one that does not exist any more is 204."""
    identify(exchange)
    token = _named(exchange)
    if token is None:
        return Reply(204)
    exchange.instance.accounts.tokens.revoke(token)
    return Reply(200)


async def revoke_by_value(exchange: Exchange) -> Reply:
    """Revoke the token in the body, a JWT or a reference; the response for one that does not exist any more is 204."""
    identify(exchange)
    token = _find(exchange, text_of(await read_body(exchange), "token"))
    if token is None:
        return Reply(204)
    _demand_own(exchange, token)
    exchange.instance.accounts.tokens.revoke(token)
    return access_reply({"revoked-token-id": token.id})


async def exchange_identity(exchange: Exchange) -> Reply:
    """Issue an access token in exchange for the identity token of a trusted provider."""
    wishes, now = await read_body(exchange), exchange.instance.clock()
    for name, value in _OIDC_TYPES.items():
        if wishes.get(name) != value:
            refuse(400, f"Invalid {name}: {wishes.get(name)}")
    identity_token, provider = text_of(wishes, "subject_token"), text_of(wishes, "provider_name")
    if not identity_token or not provider:
        refuse(400, "subject_token and provider_name are required")
    accounts, name = exchange.instance.accounts, text_of(wishes, "identity_mapping_name")
    mapping = oidc.match(accounts.mappings, provider, name, identity_token, now)
    if mapping is None:
        refuse(401, "Bad Credentials")
    order = Order(
        username=mapping.username,
        scope=mapping.scope,
        audience=text_of(wishes, "audience") or "*@*",
        lifetime=mapping.lifetime,
        has_reference=wishes.get("include_reference_token") is True,
    )
    token = accounts.tokens.issue(order, now)
    document: dict[str, jackson.JSON] = {
        "access_token": token.text,
        "expires_in": mapping.lifetime,
        "scope": order.scope,
        "token_type": "Bearer",
        "issued_token_type": _OIDC_ISSUED,
        "username": order.username,
        **({"reference_token": token.reference} if token.reference else {}),
    }
    return access_reply(document)


_Handlers = dict[str, dict[str, Callable[[Exchange], Awaitable[Reply]]]]
_ONE_ENTITY: _Handlers = {
    "v1/tokens/{}": {"GET": get, "DELETE": revoke},
    "v1/projects/{}": {"GET": projects.get, "PUT": projects.update, "DELETE": projects.delete},
    "v2/users/{}": {"GET": access_users.get, "PATCH": access_users.update, "DELETE": access_users.delete},
    "v2/users/{}/groups": {"PATCH": access_users.update_groups},
    "v2/groups/{}": {"GET": access_groups.get, "PATCH": access_groups.update, "DELETE": access_groups.delete},
    "v2/groups/{}/members": {"PATCH": access_groups.update_members},
}
HANDLERS: _Handlers = {
    "v1/system/ping": {"GET": ping},
    "v1/tokens": {"GET": list_own, "POST": create},
    "v1/projects": {"GET": projects.list_all, "POST": projects.create},
    "v1/tokens/revoke": {"DELETE": revoke_by_value},
    "v1/oidc/token": {"POST": exchange_identity},
    "v2/users": {"GET": access_users.list_all, "POST": access_users.create},
    "v2/groups": {"GET": access_groups.list_all, "POST": access_groups.create},
}


def _ordered(exchange: Exchange, wishes: Mapping[str, Any]) -> Order:
    user = exchange.user
    username, scope = text_of(wishes, "username") or user.name, text_of(wishes, "scope") or _USER_SCOPE
    for word in scope.split():
        if not word.startswith(_SCOPES):
            refuse(400, f"Invalid scope: {word}")
    if not user.admin and (username != user.name or not _is_own(scope, user.groups)):
        refuse(403, f"User {user.name} is not permitted to create a token of scope {scope} for user {username}")
    return Order(
        username=username,
        scope=scope,
        audience=text_of(wishes, "audience") or "*@*",
        lifetime=_lifetime(wishes.get("expires_in", _LIFETIME)),
        description=text_of(wishes, "description"),
        is_refreshable=wishes.get("refreshable") is True,
        has_reference=wishes.get("include_reference_token") is True,
    )


def _is_own(scope: str, groups: frozenset[str]) -> bool:
    return not is_admin_scope(scope) and (groups_of_scope(scope) or frozenset()) <= groups


def _lifetime(wish: object) -> int | None:
    text = str(wish)
    if not text.isdecimal():
        refuse(400, f"Invalid value for expires_in: {text}")
    return int(text) or None


def _refreshed(exchange: Exchange, wishes: Mapping[str, Any]) -> Order:
    """Revoke the old token, and order one like it; the request may be sent with the old token itself."""
    tokens = exchange.instance.accounts.tokens
    old = tokens.refreshed_by(text_of(wishes, "refresh_token")) or refuse(401, "The refresh token is invalid")
    if _find(exchange, _presented(exchange)) is not old:
        identify(exchange)
        _demand_own(exchange, old)
    tokens.revoke(old)
    return old.order


def _named(exchange: Exchange) -> Token | None:
    """
    Return the token that the path names.

    Raises:
        RefusalError: 403 if it belongs to another user.
    """
    token_id = exchange.target.segments[-1]
    found = _find(exchange, _presented(exchange)) if token_id == "me" else None  # noqa: S105  # not a secret
    token = found or exchange.instance.accounts.tokens.get(token_id)
    if token:
        _demand_own(exchange, token)
    return token


def _presented(exchange: Exchange) -> str:
    return exchange.request.headers.get("Authorization", "").removeprefix("Bearer ")


def _find(exchange: Exchange, text: str) -> Token | None:
    tokens = exchange.instance.accounts.tokens
    try:
        return tokens.by_reference(text) or tokens.find(text)
    except RejectedTokenError:
        return None


def _may_see(exchange: Exchange, token: Token) -> bool:
    return exchange.user.admin or exchange.user.name.removeprefix("token:") == token.order.username


def _demand_own(exchange: Exchange, token: Token) -> None:
    if not _may_see(exchange, token):
        refuse(403, "Forbidden")


def _described(token: Token) -> dict[str, jackson.JSON]:
    description = {"description": token.order.description} if token.order.description else {}
    return listed(token) | {"scope": token.order.scope} | description


def _issued(exchange: Exchange, order: Order) -> Reply:
    token = exchange.instance.accounts.tokens.issue(order, exchange.instance.clock())
    document: dict[str, jackson.JSON] = {
        "token_id": token.id,
        "access_token": token.text,
        **({"refresh_token": token.refresh} if token.refresh else {}),
        **({"reference_token": token.reference} if token.reference else {}),
        **({} if order.lifetime is None else {"expires_in": order.lifetime}),
        "scope": order.scope,
        "token_type": "Bearer",
        **({"description": order.description} if order.description else {}),
    }
    return access_reply(document)
