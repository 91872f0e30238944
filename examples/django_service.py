"""
A Django service in front of Artifactory, with asynchronous and synchronous views.

    export AIOARTIFACT_SERVER=https://artifactory.example.com/artifactory
    uvicorn --lifespan on django_service:application

It serves the repository `data-public`. `GET /files/emodb/db/1.1.0/db.zip` streams that
file; `GET /newest/emodb/db/db.zip` sends a small file of the newest version.
`service.py` also supports ranges, conditions and the credentials of clients.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

import aioartifact
from aioartifact import blocking

SERVER = os.environ["AIOARTIFACT_SERVER"]
REPOSITORY = "data-public"
FILES = aioartifact.path(f"{SERVER}/{REPOSITORY}")

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

settings.configure(ALLOWED_HOSTS=["127.0.0.1", "localhost"], ROOT_URLCONF=__name__)


async def send_file(request: ASGIRequest, file: str) -> StreamingHttpResponse:
    """Send a file, with the session of the service."""
    session = request.scope["state"]["artifactory"]
    opening = aioartifact.stream(FILES / file, session=session)
    stack = AsyncExitStack()
    try:
        body = await stack.enter_async_context(opening)
    except aioartifact.NotFoundError as error:
        raise Http404 from error
    # No Content-Length: the response is complete only if the whole file is verified.
    chunks = iter_chunks(stack, body)
    return StreamingHttpResponse(chunks, content_type=body.info.mime_type)


async def iter_chunks(
    stack: AsyncExitStack, body: aioartifact.FileStream
) -> AsyncIterator[bytes]:
    """Yield the chunks of a file, then close it."""
    async with stack:
        async for chunk in body:
            yield chunk


def send_newest(request: HttpRequest, group: str, name: str, file: str) -> HttpResponse:
    """Send a small file of the newest version; Django runs this view in a thread."""
    with blocking.session(SERVER) as session:
        dataset = (SERVER, REPOSITORY, group, name)
        version = blocking.latest_version(*dataset, denied="raise", session=session)
        if version is None:
            raise Http404
        url = FILES / group / name / version / file
        try:
            content = blocking.read_bytes(url, session=session)
        except blocking.NotFoundError as error:
            raise Http404 from error
    return HttpResponse(content, content_type="application/octet-stream")


urlpatterns = [
    path("files/<path:file>", send_file),
    path("newest/<slug:group>/<slug:name>/<str:file>", send_newest),
]


async def hold_session(scope: Message, receive: Receive, send: Send) -> None:
    """Keep the session of the service open; requests find it in their state."""
    await receive()  # the server starts
    async with aioartifact.session(SERVER) as scope["state"]["artifactory"]:
        await send({"type": "lifespan.startup.complete"})
        await receive()  # the server stops
    await send({"type": "lifespan.shutdown.complete"})


handle_request = get_asgi_application()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Run the lifespan, which Django does not support, and pass requests to Django."""
    handle = hold_session if scope["type"] == "lifespan" else handle_request
    await handle(scope, receive, send)
