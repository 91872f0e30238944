"""Chooses the handler of a request for a repository path: old notations, archives and traces, else files."""

from ...protocol.replies import Reply
from ...wire.exchange import Exchange
from . import deploy, download, entries, explode, legacy, trace


async def get(exchange: Exchange) -> Reply:
    """Answer ``GET`` and ``HEAD /{repository}/{path}``."""
    target = exchange.target
    if legacy.is_properties(target.item_path):
        return legacy.redirect(exchange)
    if entries.is_entry(exchange):
        return await entries.retrieve(exchange)
    if "trace" in target.query and exchange.request.method == "GET":
        return trace.answer(exchange)
    return await download.retrieve(exchange)


async def put(exchange: Exchange) -> Reply:
    """Answer ``PUT /{repository}/{path}``."""
    if legacy.is_metadata(exchange.target.item_path):
        return await legacy.put(exchange)
    if explode.is_asked(exchange):
        return await explode.put(exchange)
    return await deploy.put(exchange)
