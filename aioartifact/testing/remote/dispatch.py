"""Checks the token of a request, finds the call for its path, and turns errors into JSON."""

import hmac
import json
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from ..control import Control
from ..runner import Runner
from ..storage import full_disk, store
from .calls import ROUTES, Call, ConflictError, Handler, NotFoundError
from .json_fields import BadInputError


class RemoteControl:
    """
    Handles the requests that control one server.

    Args:
        control: The server.
        runner: What it consists of.
    """

    def __init__(self, control: Control, runner: Runner) -> None:
        self._control = control
        self._runner = runner

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Respond with JSON, or with the bytes of a file."""
        if not self._is_authorized(request):
            message = "send the control token: Authorization: Bearer TOKEN"
            return _reply(401, {"error": message}, {"WWW-Authenticate": "Bearer"})
        path, _, query = request.raw_path.partition("?")
        try:
            segments = [unquote(each, errors="strict") for each in path.removeprefix("/").split("/")]
        except UnicodeDecodeError:
            return _reply(400, {"error": f"the path {path!r} is not percent-encoded UTF-8"})
        found = {method: (handler, names, rest) for method, handler, names, rest in _matching(segments)}
        if not found:
            return _reply(404, {"error": f"no call for the path {path!r}"})
        method = "GET" if request.method == "HEAD" else request.method
        if method not in found:
            allowed = ", ".join(found)
            return _reply(405, {"error": f"{path} takes {allowed}, not {request.method}"}, {"Allow": allowed})
        handler, names, rest = found[method]
        parameters = parse_qsl(query, keep_blank_values=True)
        return await _answered(handler, Call(self._control, self._runner, request, parameters, names, rest))

    def _is_authorized(self, request: web.BaseRequest) -> bool:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self._runner.control_token}".encode())


def _matching(segments: list[str]) -> Iterator[tuple[str, Handler, list[str], list[str]]]:
    """Yield method, handler and what stands in place of ``{}`` and ``**`` for each route of a path."""
    for method, route, handler in ROUTES:
        pattern = route.split("/")
        rest = []
        given = segments
        if pattern[-1] == "**":
            pattern, given, rest = pattern[:-1], segments[: len(pattern) - 1], segments[len(pattern) - 1 :]
        if len(pattern) == len(given) and all(a in ("{}", b) for a, b in zip(pattern, given, strict=True)):
            yield method, handler, [b for a, b in zip(pattern, given, strict=True) if a == "{}"], rest


async def _answered(handler: Handler, call: Call) -> web.Response:
    try:
        value = await handler(call)
    except BadInputError as error:
        return _reply(400, {"error": str(error)})
    except NotFoundError as error:
        return _reply(404, {"error": str(error)})
    except (ConflictError, store.ConflictError) as error:
        return _reply(409, {"error": str(error)})
    except (OSError, sqlite3.Error) as error:
        if full_disk.is_full(error):
            return _reply(507, {"error": "the disk of the server is full"})
        if isinstance(error, sqlite3.Error):
            raise
        return _reply(500, {"error": f"{error.strerror}: {error.filename}" if error.strerror else str(error)})
    if isinstance(value, web.Response):
        return value
    return _reply(204, None) if value is None else _reply(200, value)


def _reply(status: int, value: Any, headers: dict[str, str] | None = None) -> web.Response:
    text = "" if value is None else json.dumps(value) + "\n"
    return web.Response(status=status, text=text or None, content_type="application/json", headers=headers)
