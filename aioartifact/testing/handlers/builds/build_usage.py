"""``GET api/search/dependency`` (Pro): the builds that depend on a file."""

from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage import builds as build_rows
from ...wire.exchange import Exchange
from ..editions import demand_pro
from .build_access import access

_LENGTHS = {"sha1": 40, "sha256": 64}


async def search_dependents(exchange: Exchange) -> Reply:
    """List the runs with a dependency of this content, the oldest first. [U] No results are an empty list."""
    exchange.demand_user()
    demand_pro(exchange)
    builds, store = access(exchange), exchange.instance.store
    digests = {kind: exchange.target.query.get(kind, "").lower() for kind in _LENGTHS}
    if not any(digests.values()):
        refuse(400, "Bad Request")
    for kind, digest in digests.items():
        if digest and len(digest) != _LENGTHS[kind]:
            refuse(400, f"Invalid {kind} checksum: {digest}")
    known = [item.sha1 for item in store.find_content(sha256=digests["sha256"])] if digests["sha256"] else []
    wanted = digests["sha1"] or next(filter(None, known), "")
    runs = [run for run in build_rows.dependent_runs(store, builds.repository, wanted) if builds.can("r", run)]
    listed: list[jackson.JSON] = [{"uri": builds.link(run.name, run.number)} for run in runs]
    return json_reply({"results": listed}, f"{VENDOR}search.DependencyBuilds+json")
