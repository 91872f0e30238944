"""
A web service that lists versions of datasets, and serves files of the newest version.

    python service.py https://artifactory.example.com/artifactory data-public

`GET /emodb/db` returns the versions. `GET /emodb/db/db.zip` streams that file of the
newest version, so a file of any size takes little memory. `HEAD`, `Range`, `If-Range`
and `If-None-Match` work as with any web server: players can seek, and caches can
revalidate. `GET /-/health` returns whether Artifactory is up.

All requests share one session, which is opened when the service starts. If a client
sends credentials, its requests use those, over the same connections.
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
    app = web.Application(middlewares=[translate_errors])
    app[SERVER] = server
    app[REPOSITORY] = repository
    app.cleanup_ctx.append(_open_session)
    app.add_routes(routes)
    return app


async def _open_session(app: web.Application) -> AsyncIterator[None]:
    # Clients of the service are waiting: few attempts, so that it fails soon.
    retry = aioartifact.RetryPolicy(attempts=2)
    async with aioartifact.session(app[SERVER], retry=retry) as app[SESSION]:
        yield


@web.middleware
async def translate_errors(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Translate errors of the library into responses of this service."""
    try:
        return await handler(request)
    except aioartifact.NotFoundError as error:
        raise web.HTTPNotFound(text="no such file") from error
    except aioartifact.InvalidArgumentError as error:
        raise web.HTTPBadRequest(text=error.message) from error
    except (aioartifact.AuthenticationError, aioartifact.ForbiddenError) as error:
        # Without credentials of the client, those of this service were refused.
        if "Authorization" not in request.headers:
            raise web.HTTPBadGateway(text="Artifactory refused this service") from error
        if isinstance(error, aioartifact.ForbiddenError):
            raise web.HTTPForbidden(text="no permission") from error
        raise web.HTTPUnauthorized(
            text="wrong credentials", headers={"WWW-Authenticate": "Basic"}
        ) from error
    except aioartifact.ArtifactoryError as error:
        if error.retryable:
            raise web.HTTPServiceUnavailable(text="try again later") from error
        raise web.HTTPBadGateway(text="unexpected response from Artifactory") from error


def _session(
    request: web.Request,
) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """Return the session of the service, or one with the credentials of the client."""
    shared = request.app[SESSION]
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return nullcontext(shared)
    try:
        own = (
            aioartifact.Credentials.bearer(value)
            if scheme.lower() == "bearer"
            else _login(scheme, value)
        )
    except (ValueError, aioartifact.CredentialsError):
        raise web.HTTPUnauthorized(
            text="malformed credentials", headers={"WWW-Authenticate": "Basic"}
        ) from None
    return aioartifact.with_credentials(shared, own)


def _login(scheme: str, value: str) -> aioartifact.Credentials:
    if scheme.lower() != "basic":
        raise ValueError
    user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    return aioartifact.Credentials.basic(user, password)


def _dataset(request: web.Request) -> tuple[str, str, str, str]:
    """Return the first four arguments of `versions()` for the requested dataset."""
    app, match = request.app, request.match_info
    return app[SERVER], app[REPOSITORY], match["group_id"], match["name"]


@routes.get("/-/health")
async def check_health(request: web.Request) -> web.StreamResponse:
    """Report whether Artifactory is up."""
    if await aioartifact.ping(request.app[SERVER], session=request.app[SESSION]):
        return web.Response(text="ok")
    raise web.HTTPServiceUnavailable(text="Artifactory is not ready")


@routes.get("/{group_id}/{name}")
async def list_versions(request: web.Request) -> web.StreamResponse:
    """Send all versions, in their order."""
    async with _session(request) as session:
        # denied="raise": an empty list would not show that the user has no permission.
        found = await aioartifact.versions(
            *_dataset(request), denied="raise", session=session
        )
    return web.json_response(found)


@routes.get("/{group_id}/{name}/{file}")
async def send_file(request: web.Request) -> web.StreamResponse:
    """Send a file of the newest version."""
    async with _session(request) as session:
        newest = await aioartifact.latest_version(
            *_dataset(request), denied="raise", session=session
        )
        if newest is None:
            raise web.HTTPNotFound(text="no such dataset")
        server, repository, group_id, name = _dataset(request)
        folder = aioartifact.url(
            server, repository=repository, group_id=group_id, name=name, version=newest
        )
        # A path refuses "..", and quotes special characters.
        file = aioartifact.path(folder) / request.match_info["file"]
        async with _open_range(request, str(file), session) as (body, is_part):
            response = web.StreamResponse(status=body.status, headers=_headers(body))
            # Some players request the whole file as a range.
            if is_part and body.status == 200 and body.content_length:
                response.set_status(206)
                response.headers["Content-Range"] = (
                    f"bytes 0-{body.content_length - 1}/{body.content_length}"
                )
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            # Send the last chunk when the stream has ended, so the file is verified.
            last = b""
            try:
                async for chunk in body:
                    if last:
                        await response.write(last)
                    last = chunk
                await response.write(last)
            except aioartifact.ArtifactoryError:
                # The status is already sent; a client rejects a body without an end.
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionResetError:
                pass  # the client has disconnected, as players do
    return response


@asynccontextmanager
async def _open_range(
    request: web.Request, url: str, session: aiohttp.ClientSession
) -> AsyncIterator[tuple[aioartifact.FileStream, bool]]:
    """Open the requested part of a file or all of it; yield whether it is a part."""
    try:
        span, is_part = request.http_range, "Range" in request.headers
    except ValueError:  # malformed, or several ranges: the whole file is valid, too
        span, is_part = slice(0, None), False
    condition = request.headers.get("If-None-Match")
    expected = request.headers.get("If-Range")
    async with aioartifact.stream(
        url,
        start=span.start or 0,
        end=span.stop,
        if_none_match=condition or None,
        session=session,
    ) as body:
        if not is_part or expected is None or expected == f'"{body.etag}"':
            yield body, is_part
            return
    # The file has changed, so the range does not apply (RFC 9110, 13.1.5).
    async with aioartifact.stream(url, session=session) as body:
        yield body, False


def _headers(body: aioartifact.FileStream) -> dict[str, str]:
    found = {
        "Content-Type": body.info.mime_type,
        "Content-Length": None
        if body.status == 304 or body.content_length is None
        else str(body.content_length),
        "Content-Range": body.content_range,
        "ETag": f'"{body.etag}"' if body.etag else None,
        "Accept-Ranges": "bytes",
    }
    return {name: value for name, value in found.items() if value is not None}


if __name__ == "__main__":
    web.run_app(make_app(*sys.argv[1:]), host="127.0.0.1")
