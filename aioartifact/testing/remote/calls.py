"""What each call of the control interface does with the server."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from aiohttp import web

from ..accounts.permission_targets import Grant
from ..accounts.principals import ANONYMOUS, User
from ..clocks import AdjustableClock, ManualClock
from ..control import Control
from ..protocol import ant_patterns
from ..repositories.definitions import Kind
from ..runner import Runner
from ..wire.faults import FaultHandle
from ..wire.log import RequestRecord
from .fault_input import fault_of
from .json_fields import BadInputError, Fields, only, parse

_BODY_LIMIT = 16 << 20  # bytes of JSON
_ACTIONS = "rwndm"
_LATEST = 250_000_000_000.0  # epoch seconds, in the year 9892: dates end with 9999


class NotFoundError(Exception):
    """What a call names does not exist."""


class ConflictError(Exception):
    """The call is understood, but the server cannot do it."""


@dataclass(slots=True)
class Call:
    """
    One request to control the server.

    Attributes:
        query: Parameters; *parameters* has the repeated ones.
        names: Decoded segments of the path in place of ``{}``.
        rest: Decoded segments in place of ``**``.
    """

    control: Control
    runner: Runner
    request: web.BaseRequest
    parameters: list[tuple[str, str]]
    names: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the query; the last of a repeated one."""
        return dict(self.parameters)

    async def fields(self) -> Fields:
        """Read the body, which must be a JSON object."""
        await self.expect_body()
        body = bytearray()
        async for data in self.body():
            body += data
            if len(body) > _BODY_LIMIT:
                raise BadInputError(f"the body has more than {_BODY_LIMIT} bytes")
        return Fields(parse(bytes(body)))

    def body(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives."""
        return self.runner.instance.read_timeouts.body(self.request)

    async def expect_body(self) -> None:
        """Let a client go on that waits for permission to send its body."""
        is_awaited = self.request.headers.get("Expect", "").lower() == "100-continue"
        if is_awaited and not self.request.content.at_eof():
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def in_thread(self, function: Callable[[], None]) -> None:
        """Run a blocking call in a thread of the server."""
        await self.runner.instance.in_thread(function)


Handler = Callable[[Call], Awaitable[Any]]


async def overview(call: Call) -> dict[str, Any]:
    """Describe the server, without its secrets."""
    instance = call.runner.instance
    return {
        "url": call.control.url,
        "storage_origin": call.control.storage_origin,
        "username": call.control.username,
        "edition": instance.edition,
        "repositories": list(instance.repositories),
        "users": [each.name for each in instance.accounts.users if not each.is_anonymous],
        "faults": len(call.runner.faults.all()),
        "requests": len(call.control.requests),
    }


async def reset(call: Call) -> None:
    """Return to the state at the start."""
    if call.runner.keeps_data:
        raise ConflictError("a server with --data cannot be reset: that would delete what the folder keeps")
    try:
        await call.in_thread(call.control.reset)
    except (LookupError, OSError, ValueError) as error:
        raise ConflictError(f"the server is empty, since its seed failed: {error}") from error


# Faults


async def add_fault(call: Call) -> dict[str, Any]:
    """Script a fault."""
    fields = await call.fields()
    method, path = fields.name("method", "GET"), fields.text("path", "**")
    times = fields.whole("times", 1, minimum=1) if fields.take("times", 1) is not None else None
    description = fields.take("fault")
    fault = fault_of(description)
    fields.finish()
    handle = call.control.fail(method.upper(), path.lstrip("/"), times=times, fault=fault)
    handle.description = description
    return _fault(handle)


async def list_faults(call: Call) -> dict[str, Any]:
    """List faults in the order in which they are tried."""
    return {"faults": [_fault(each) for each in call.runner.faults.all()]}


async def get_fault(call: Call) -> dict[str, Any]:
    """Show one fault."""
    return _fault(_handle(call))


async def delete_fault(call: Call) -> None:
    """Remove one fault."""
    call.runner.faults.remove(_handle(call))


async def release_fault(call: Call) -> dict[str, Any]:
    """Let the requests go on that wait in a fault."""
    handle = _handle(call)
    handle.release()
    return _fault(handle)


async def clear_faults(call: Call) -> None:
    """Remove all faults."""
    call.control.clear_faults()


def _handle(call: Call) -> FaultHandle:
    for each in call.runner.faults.all():
        if str(each.id) == call.names[0]:
            return each
    raise NotFoundError(f"no fault {call.names[0]!r}")


def _fault(handle: FaultHandle) -> dict[str, Any]:
    return {
        "id": handle.id,
        "method": handle.method,
        "path": handle.pattern,
        "fault": handle.description,
        "times_left": handle.left,
        "hits": handle.hits,
        "is_reached": handle.is_reached,
    }


# Requests


async def list_requests(call: Call) -> dict[str, Any]:
    """List the requests that match the query."""
    return {"requests": [each.as_dict() for each in _matching(call)]}


async def count_requests(call: Call) -> dict[str, Any]:
    """Count the requests that match the query."""
    records = _matching(call)
    return {
        "total": len(records),
        "lines": Counter(each.line for each in records),
        "connections": len({each.connection for each in records}),
        "max_in_flight": call.control.max_in_flight,
        "unknown_endpoints": call.control.unknown_endpoints,
    }


async def clear_requests(call: Call) -> None:
    """Forget the requests so far."""
    call.control.clear_log()


def _matching(call: Call) -> list[RequestRecord]:
    only(call.query, "method", "path", "status")
    method, path, status = (call.query.get(name) for name in ("method", "path", "status"))
    return [
        each
        for each in call.control.requests
        if (method is None or each.method == method.upper())
        and (path is None or ant_patterns.matches(path.lstrip("/"), each.pattern_path))
        and (status is None or str(each.status) == status)
    ]


# Accounts


async def list_users(call: Call) -> dict[str, Any]:
    """List users without their secrets."""
    return {"users": [_user(each) for each in call.runner.instance.accounts.users if not each.is_anonymous]}


async def add_user(call: Call) -> dict[str, Any]:
    """Add or replace a user."""
    fields = await call.fields()
    name = fields.name("name")
    secrets = {each: fields.name(each, None) for each in ("password", "api_key", "token")}
    admin, groups, is_expired = fields.flag("admin"), fields.texts("groups"), fields.flag("password_expired")
    fields.finish()
    if name == ANONYMOUS:
        raise BadInputError("'anonymous' stands for requests without credentials: grant it permissions instead")
    call.control.add_user(name, **secrets, admin=admin, groups=groups, password_expired=is_expired)
    return _user(_named(call, name))


async def delete_user(call: Call) -> None:
    """Remove a user with its permissions."""
    user = _named(call, call.names[0])
    if user.name in (call.control.username, ANONYMOUS):
        raise ConflictError(f"{user.name!r} cannot be removed")
    call.runner.instance.accounts.remove(user.name)


async def lock_user(call: Call) -> None:
    """Lock a user."""
    call.control.lock_user(_named(call, call.names[0]).name)


async def unlock_user(call: Call) -> None:
    """Unlock a user."""
    call.control.unlock_user(_named(call, call.names[0]).name)


async def issue_token(call: Call) -> dict[str, Any]:
    """Issue an access token."""
    fields = await call.fields()
    username, scope = fields.name("username"), fields.name("scope", "applied-permissions/user")
    lifetime = fields.whole("expires_in", None, minimum=1, maximum=10**9)
    fields.finish()
    return {"token": call.control.issue_token(username, scope=scope, expires_in=lifetime)}


async def list_grants(call: Call) -> dict[str, Any]:
    """List permissions in the order in which they were granted."""
    return {"grants": [_grant(each) for each in call.runner.instance.accounts.grants]}


async def add_grant(call: Call) -> dict[str, Any]:
    """Permit something to a user or a group."""
    fields = await call.fields()
    user, group = fields.name("user", None), fields.name("group", None)
    repository, actions, path = fields.name("repository"), fields.name("actions", "r"), fields.text("path", "**")
    fields.finish()
    if (user is None) == (group is None):
        raise BadInputError("the body needs either 'user' or 'group'")
    if not set(actions) <= set(_ACTIONS):
        raise BadInputError(f"'actions' of the body must be letters of {_ACTIONS}, not {actions!r}")
    grant = Grant(user or group, repository, actions, path.lstrip("/"), is_group=user is None)
    call.runner.instance.accounts.grant(grant)
    return _grant(grant)


async def clear_grants(call: Call) -> None:
    """Withdraw all permissions."""
    call.runner.instance.accounts.clear_grants()


def _named(call: Call, name: str) -> User:
    user = call.runner.instance.accounts.get(name)
    if user is None:
        raise NotFoundError(f"no user {name!r}")
    return user


def _user(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "admin": user.admin,
        "groups": sorted(user.groups),
        "password_expired": user.password_expired,
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "group" if grant.is_group else "user": grant.user,
        "repository": grant.repository,
        "actions": grant.actions,
        "path": grant.pattern,
    }


# Clock


async def get_clock(call: Call) -> dict[str, Any]:
    """Show the time of the server."""
    clock = call.runner.clock
    is_frozen = clock.is_frozen if isinstance(clock, AdjustableClock) else isinstance(clock, ManualClock)
    return {"now": clock(), "frozen": is_frozen}


async def set_clock(call: Call) -> dict[str, Any]:
    """Stop the clock or let it run, then move it."""
    fields = await call.fields()
    seconds, is_frozen = fields.number("advance", 0.0), fields.flag("frozen", None)
    fields.finish()
    clock = call.runner.clock
    if not isinstance(clock, AdjustableClock | ManualClock):
        raise ConflictError("the clock that this server was given cannot be moved")
    if clock() + seconds > _LATEST:
        raise BadInputError("'advance' of the body goes beyond the year 9999")
    if isinstance(clock, AdjustableClock):
        if is_frozen is not None:
            (clock.freeze if is_frozen else clock.resume)()
    elif is_frozen is False:
        raise ConflictError("the clock that this server was given stands still until it is moved")
    clock.advance(seconds)
    return await get_clock(call)


# Content


async def add_repository(call: Call) -> dict[str, Any]:
    """Create a repository, or change the settings of an existing one."""
    fields = await call.fields()
    key = fields.name("key")
    options: dict[str, Any] = {"kind": fields.text("kind", "local", choices=get_args(Kind))}
    for name in ("package_type", "layout", "description", "url", "username", "password", "deploy_to"):
        if (text := fields.text(name, None)) is not None:
            options[name] = text
    if members := fields.texts("members"):
        options["members"] = tuple(members)
    fields.finish()
    try:
        await call.in_thread(partial(call.control.create_repository, key, **options))
    except ValueError as error:
        raise BadInputError(str(error)) from None
    return {"key": key, "kind": options["kind"]}


async def put_item(call: Call) -> dict[str, Any]:
    """Store a file, or make a folder where the path ends in a slash."""
    properties: dict[str, list[str]] = {}
    for name, value in call.parameters:
        properties.setdefault(name, []).append(value)
    if not all(properties):
        raise BadInputError("a property needs a name: ?os=linux")
    if call.rest[-1:] == [""]:
        address = _address(call.rest[:-1])
        await _change(call, partial(call.control.make_folder, address, properties=properties))
        return {"path": address + "/"}
    address = _address(call.rest)
    await call.expect_body()
    with TemporaryDirectory(prefix="aioartifact-") as folder:
        local = Path(folder, "body")
        with local.open("wb") as file:  # noqa: ASYNC230  # writes go to the page cache
            async for data in call.body():
                file.write(data)
        await _change(call, partial(call.control.put, address, local, properties=properties))
    return {"path": address, **call.control.checksums(address)}


async def get_item(call: Call) -> web.Response:
    """Return the content of a file, without a request to Artifactory."""
    only(call.query)
    try:
        return web.Response(body=call.control.read(_address(call.rest)), content_type="application/octet-stream")
    except LookupError as error:
        raise NotFoundError(error.args[0]) from None
    except FileNotFoundError as error:
        raise NotFoundError(str(error)) from None


async def seed(call: Call) -> dict[str, Any]:
    """Store every file of a folder of this machine."""
    fields = await call.fields()
    folder, path = Path(fields.name("folder")), fields.name("path")
    fields.finish()
    address = _address(path.strip("/").split("/"), least=1)
    _check_folder(folder)
    await _change(call, partial(call.control.put_tree, address, folder))
    return {"path": address}


def _check_folder(folder: Path) -> None:
    if not folder.is_absolute() or not folder.is_dir():
        raise BadInputError(f"'folder' of the body must be the absolute path of a folder, not {str(folder)!r}")


async def _change(call: Call, change: Callable[[], None]) -> None:
    try:
        await call.in_thread(change)
    except LookupError as error:
        raise NotFoundError(error.args[0]) from None


def _address(segments: list[str], *, least: int = 2) -> str:
    if len(segments) < least or any(each in ("", ".", "..") or "/" in each or "\0" in each for each in segments):
        raise BadInputError(f"{'/'.join(segments)!r} is not the address of an item: repository/path")
    return "/".join(segments)


Route = tuple[str, str, Handler]
ROUTES: tuple[Route, ...] = (
    ("GET", "", overview),
    ("POST", "reset", reset),
    ("POST", "faults", add_fault),
    ("GET", "faults", list_faults),
    ("DELETE", "faults", clear_faults),
    ("GET", "faults/{}", get_fault),
    ("DELETE", "faults/{}", delete_fault),
    ("POST", "faults/{}/release", release_fault),
    ("GET", "requests", list_requests),
    ("DELETE", "requests", clear_requests),
    ("GET", "counts", count_requests),
    ("GET", "users", list_users),
    ("POST", "users", add_user),
    ("DELETE", "users/{}", delete_user),
    ("POST", "users/{}/lock", lock_user),
    ("POST", "users/{}/unlock", unlock_user),
    ("POST", "tokens", issue_token),
    ("GET", "grants", list_grants),
    ("POST", "grants", add_grant),
    ("DELETE", "grants", clear_grants),
    ("GET", "clock", get_clock),
    ("POST", "clock", set_clock),
    ("POST", "repositories", add_repository),
    ("POST", "seed", seed),
    ("PUT", "items/**", put_item),
    ("GET", "items/**", get_item),
)
