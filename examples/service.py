"""
A web service in front of Artifactory: it lists the versions of datasets, and serves files of the newest one.

    python service.py https://artifactory.example.com/artifactory data-public

`GET /emodb/db` answers with the versions, `GET /emodb/db/db.zip` with that file of the newest version, as it arrives: a
file of any size takes little memory. `HEAD`, `Range`, `If-Range` and `If-None-Match` work as with any web server, so
that players can seek and caches ask again. `GET /-/health` answers whether Artifactory does.

One session, opened when the service starts, serves all requests. A client that sends credentials uses its own, over the
same connections.
"""

import base64
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import aiohttp
from aiohttp import web

import aioartifact

SERVER = web.AppKey("server", str)
REPOSITORY = web.AppKey("repository", str)
SESSION = web.AppKey("session", aiohttp.ClientSession)

routes = web.RouteTableDef()


def make_app(server: str, repository: str) -> web.Application:
    """Make the service for one repository of *server*."""
    app = web.Application(middlewares=[explained])
    app[SERVER] = server
    app[REPOSITORY] = repository
    app.cleanup_ctx.append(_open_session)
    app.add_routes(routes)
    return app


async def _open_session(app: web.Application) -> AsyncIterator[None]:
    # A client of the service waits: rather fail soon than try for minutes.
    retry = aioartifact.RetryPolicy(attempts=2)
    async with aioartifact.session(app[SERVER], retry=retry) as app[SESSION]:
        yield


@web.middleware
async def explained(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer with a status of this service where Artifactory could not be asked."""
    try:
        return await handler(request)
    except aioartifact.NotFoundError as error:
        raise web.HTTPNotFound(text="no such file") from error
    except aioartifact.InvalidArgumentError as error:
        raise web.HTTPBadRequest(text=error.message) from error
    except (aioartifact.AuthenticationError, aioartifact.ForbiddenError) as error:
        if "Authorization" not in request.headers:  # the credentials of this service are no business of its clients
            raise web.HTTPBadGateway(text="Artifactory refused this service") from error
        if isinstance(error, aioartifact.ForbiddenError):
            raise web.HTTPForbidden(text="no permission") from error
        raise web.HTTPUnauthorized(text="wrong credentials", headers={"WWW-Authenticate": "Basic"}) from error
    except aioartifact.ArtifactoryError as error:
        if error.retryable:
            raise web.HTTPServiceUnavailable(text="try again later") from error
        raise web.HTTPBadGateway(text="Artifactory did not answer as expected") from error


def _session(request: web.Request) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """Return the session of the service, or one with the credentials that the client has sent."""
    shared = request.app[SESSION]
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return nullcontext(shared)
    try:
        own = aioartifact.Credentials.bearer(value) if scheme.lower() == "bearer" else _login(scheme, value)
    except (ValueError, aioartifact.CredentialsError):
        raise web.HTTPUnauthorized(text="malformed credentials", headers={"WWW-Authenticate": "Basic"}) from None
    return aioartifact.with_credentials(shared, own)


def _login(scheme: str, value: str) -> aioartifact.Credentials:
    if scheme.lower() != "basic":
        raise ValueError
    user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    return aioartifact.Credentials.basic(user, password)


def _dataset(request: web.Request) -> tuple[str, str, str, str]:
    """Name the dataset that is asked for, as the functions of aioartifact take it."""
    app, asked = request.app, request.match_info
    return app[SERVER], app[REPOSITORY], asked["group_id"], asked["name"]


@routes.get("/-/health")
async def check_health(request: web.Request) -> web.StreamResponse:
    """Answer whether Artifactory answers."""
    if await aioartifact.ping(request.app[SERVER], session=request.app[SESSION]):
        return web.Response(text="ok")
    raise web.HTTPServiceUnavailable(text="Artifactory is not ready")


@routes.get("/{group_id}/{name}")
async def list_versions(request: web.Request) -> web.StreamResponse:
    """Answer with all versions, in their order."""
    async with _session(request) as session:
        # denied="raise": an empty list would not show that the user has no permission.
        found = await aioartifact.versions(*_dataset(request), denied="raise", session=session)
    return web.json_response(found)


@routes.get("/{group_id}/{name}/{file}")
async def send_file(request: web.Request) -> web.StreamResponse:
    """Send a file of the newest version."""
    async with _session(request) as session:
        newest = await aioartifact.latest_version(*_dataset(request), denied="raise", session=session)
        if newest is None:
            raise web.HTTPNotFound(text="no such dataset")
        server, repository, group_id, name = _dataset(request)
        folder = aioartifact.url(server, repository=repository, group_id=group_id, name=name, version=newest)
        file = aioartifact.path(folder) / request.match_info["file"]  # refuses "..", and quotes other characters
        async with _opened(request, str(file), session) as (body, is_part):
            response = web.StreamResponse(status=body.status, headers=_headers(body))
            if is_part and body.status == 200 and body.content_length:  # all of it, which some players ask for so
                response.set_status(206)
                response.headers["Content-Range"] = f"bytes 0-{body.content_length - 1}/{body.content_length}"
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            # The last chunk is sent after the stream has ended, that is, when the bytes are verified.
            last = b""
            try:
                async for chunk in body:
                    if last:
                        await response.write(last)
                    last = chunk
                await response.write(last)
            except aioartifact.ArtifactoryError:
                # The status is already sent: without an end, no client accepts the bytes.
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionResetError:
                pass  # the client has left, as players do
    return response


@asynccontextmanager
async def _opened(
    request: web.Request, url: str, session: aiohttp.ClientSession
) -> AsyncIterator[tuple[aioartifact.FileStream, bool]]:
    """Open the part of a file that the client requests, or all of it; yield which of the two, too."""
    try:
        span, is_part = request.http_range, "Range" in request.headers
    except ValueError:  # several ranges, or malformed: then all of it is a right answer
        span, is_part = slice(0, None), False
    condition, expected = request.headers.get("If-None-Match"), request.headers.get("If-Range")
    async with aioartifact.stream(
        url, start=span.start or 0, end=span.stop, if_none_match=condition or None, session=session
    ) as body:
        if not is_part or expected is None or expected == f'"{body.etag}"':
            yield body, is_part
            return
    async with aioartifact.stream(url, session=session) as body:  # it has changed (RFC 9110, 13.1.5)
        yield body, False


def _headers(body: aioartifact.FileStream) -> dict[str, str]:
    found = {
        "Content-Type": body.info.mime_type,
        "Content-Length": None if body.status == 304 or body.content_length is None else str(body.content_length),
        "Content-Range": body.content_range,
        "ETag": f'"{body.etag}"' if body.etag else None,
        "Accept-Ranges": "bytes",
    }
    return {name: value for name, value in found.items() if value is not None}


if __name__ == "__main__":
    web.run_app(make_app(*sys.argv[1:]), host="127.0.0.1")
