"""
A FastAPI service in front of Artifactory.

    export AIOARTIFACT_SERVER=https://artifactory.example.com/artifactory
    uvicorn fastapi_service:app

It serves the repository `data-public`. `GET /files/emodb/db/1.1.0/db.zip` streams that
file, so a file of any size takes little memory. `service.py` also supports ranges,
conditions and the credentials of clients.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiohttp
from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

import aioartifact

SERVER = os.environ["AIOARTIFACT_SERVER"]
FILES = aioartifact.path(f"{SERVER}/data-public")


@asynccontextmanager
async def open_session(app: FastAPI) -> AsyncIterator[dict[str, aiohttp.ClientSession]]:
    """Open the session of the service; requests find it in their state."""
    async with aioartifact.session(SERVER) as session:
        yield {"artifactory": session}


async def open_file(
    request: Request, path: str
) -> AsyncIterator[aioartifact.FileStream]:
    """Open the requested file until the response is sent or the client disconnects."""
    session = request.state.artifactory
    async with aioartifact.stream(FILES / path, session=session) as body:
        yield body


app = FastAPI(lifespan=open_session)


@app.get("/files/{path:path}")
async def send_file(
    body: Annotated[aioartifact.FileStream, Depends(open_file)],
) -> StreamingResponse:
    """Send a file."""
    # No Content-Length: the response is complete only if the whole file is verified.
    return StreamingResponse(body, media_type=body.info.mime_type)


@app.exception_handler(aioartifact.NotFoundError)
async def report_missing(
    request: Request, error: aioartifact.NotFoundError
) -> PlainTextResponse:
    """Respond with 404 for a file that Artifactory does not have."""
    return PlainTextResponse("no such file", 404)
