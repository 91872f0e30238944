"""
A web service in front of Artifactory: it lists the versions of datasets, and serves files of the newest one.

    python service.py https://artifactory.example.com/artifactory data-public

`GET /emodb/db` answers with the versions, `GET /emodb/db/db.zip` with that file of the newest version, as it arrives: a
file of any size takes little memory. One session, opened when the service starts, serves all requests.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable

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
    except aioartifact.ArtifactoryError as error:
        if error.retryable:
            raise web.HTTPServiceUnavailable(text="try again later") from error
        raise web.HTTPBadGateway(text="Artifactory gave no useful answer") from error


def _dataset(request: web.Request) -> tuple[str, str, str, str]:
    """Name the dataset that is asked for, as the functions of aioartifact take it."""
    app, asked = request.app, request.match_info
    return app[SERVER], app[REPOSITORY], asked["group_id"], asked["name"]


@routes.get("/{group_id}/{name}")
async def list_versions(request: web.Request) -> web.StreamResponse:
    """Answer with all versions, in their order."""
    # denied="raise": that the service may not look must not pass for "there are none".
    found = await aioartifact.versions(*_dataset(request), denied="raise", session=request.app[SESSION])
    return web.json_response(found)


@routes.get("/{group_id}/{name}/{file}")
async def send_file(request: web.Request) -> web.StreamResponse:
    """Pass a file of the newest version on."""
    session = request.app[SESSION]
    newest = await aioartifact.latest_version(*_dataset(request), denied="raise", session=session)
    if newest is None:
        raise web.HTTPNotFound(text="no such dataset")
    server, repository, group_id, name = _dataset(request)
    folder = aioartifact.url(server, repository=repository, group_id=group_id, name=name, version=newest)
    file = aioartifact.path(folder) / request.match_info["file"]  # refuses "..", and quotes what needs it
    async with aioartifact.stream(str(file), session=session) as chunks:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            async for chunk in chunks:
                await answer.write(chunk)
        except aioartifact.ArtifactoryError:
            # The status is already sent, and the bytes may be wrong: without an end, no client accepts them.
            if request.transport is not None:
                request.transport.abort()
    return answer


if __name__ == "__main__":
    web.run_app(make_app(*sys.argv[1:]), host="127.0.0.1")
