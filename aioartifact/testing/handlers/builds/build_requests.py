"""``POST api/build/{verb}/…``: what is to be done with a build."""

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from . import build_promotion, build_publication, build_removal, build_renaming

_VERBS = {
    "append": build_publication.append,
    "delete": build_removal.delete_listed,
    "promote": build_promotion.promote,
    "rename": build_renaming.rename,
    "retention": build_removal.apply_retention,
}


async def post(exchange: Exchange) -> Reply:
    """Do what the first part of the path says; as part of other requests, that is a name like any other."""
    handler = _VERBS.get(exchange.target.repository)
    if handler is None:
        exchange.record.is_known = False
        refuse(405, "Method Not Allowed")
    return await handler(exchange)
