"""
``POST api/pypi/{repository}`` (Pro): what twine uploads.

See: PyPA, "Legacy upload API"; JFrog, "PyPI Repositories"
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from ...indexes import python_packages
from ...protocol.form_data import FormData, FormDataError, Part, boundary_of
from ...protocol.replies import Reply, refuse
from ...storage.blobs import Content
from ...storage.store import Checksums
from ...wire import intake
from ...wire.exchange import Exchange
from ..items import deploy
from .simple_index import demand_served

_FIELDS = 4 << 20  # bytes of all fields, the description among them
_Events = AsyncGenerator[Part | bytes | None, None]


@dataclass(slots=True)
class _Form:
    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    content: Content | None = None


async def post(exchange: Exchange) -> Reply:
    """Store the file of a form at ``{name}/{version}/{file name}``, as a deploy."""
    repository = deploy.enter_local(exchange, demand_served(exchange))
    form = await _read(exchange)
    fields = form.fields
    path = [fields.get("name", ""), fields.get("version", ""), form.file_name]
    if fields.get(":action") != "file_upload" or form.content is None or not all(map(_is_name, path)):
        refuse(400, "The upload needs an action, a name, a version, and a file")
    exchange.target = exchange.target.at("/".join(path))
    supplied = Checksums(md5=fields.get("md5_digest"), sha256=fields.get("sha256_digest"))
    await deploy.demand_deploy(exchange, supplied)
    await deploy.demand_valid_path(exchange)
    metadata = {"Name": path[0], "Version": path[1], "Summary": fields.get("summary")}
    properties = python_packages.properties({**metadata, "Requires-Python": fields.get("requires_python")})
    await deploy.store(exchange, repository, form.content, supplied, properties)
    return Reply(200)


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and not {"/", "\\"} & set(text)


async def _read(exchange: Exchange) -> _Form:
    """
    Read the form: the file becomes a blob, fields become text; of fields with the same name, the first counts.

    Raises:
        RefusalError: 400 if the body is not a form; 413 if its fields are too long.
    """
    form = _Form()
    try:
        async with aclosing(_events(exchange)) as events:
            async for event in events:
                if isinstance(event, Part):
                    await _take(exchange, form, event, events)
    except FormDataError as wrong:
        refuse(400, str(wrong))
    return form


async def _events(exchange: Exchange) -> _Events:
    splitter = FormData(boundary_of(exchange.request.headers.get("Content-Type", "")))
    async with aclosing(exchange.body()) as body:
        async for data in body:
            for event in splitter.feed(data):
                yield event
    splitter.finish()


async def _take(exchange: Exchange, form: _Form, part: Part, events: _Events) -> None:
    content = _content(events)
    if part.name == "content" and part.file_name is not None and form.content is None:
        form.file_name = part.file_name
        form.content = await intake.receive(exchange.instance, content)
        return
    text = bytearray()
    async with aclosing(content):
        async for data in content:
            text += data
            if len(text) + sum(map(len, form.fields.values())) > _FIELDS:
                refuse(413, "Request Entity Too Large")
    form.fields.setdefault(part.name, text.decode("utf-8", "replace"))


async def _content(events: _Events) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of the part that has begun."""
    async for event in events:
        if not isinstance(event, bytes):
            return
        yield event
