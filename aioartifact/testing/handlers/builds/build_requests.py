"""``POST api/build/{verb}/…``: operations on a build; renaming (Pro) is implemented here."""

from functools import partial

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from ..request_checks import demand_pro
from . import build_promotion, build_publication, build_removal
from .build_access import BuildAccess, access, path_names
from .build_publication import publish_document
from .build_removal import delete_run


async def rename(exchange: Exchange) -> Reply:
    """Rename all runs of a build, before the response; a real server only starts that."""
    exchange.demand_user()
    (name,) = path_names(exchange, "api/build/rename", count=1)
    demand_pro(exchange)
    new_name = exchange.target.query.get("to", "")
    if not new_name.strip():
        refuse(400, "Please provide a new build name: to=name")
    builds = access(exchange)
    runs = builds.runs(name)
    if not runs:
        refuse(404, f"Could not find builds by the name '{name}'. No builds were renamed.")
    for run in runs:
        for action in "rdw":
            builds.demand(action, run)
    await exchange.instance.in_thread(partial(_rename, builds, name, new_name))
    message = f"Build renaming of '{name}' to '{new_name}' was successfully started.\n"
    return Reply(200, {"Content-Type": "text/plain"}, message.encode())


def _rename(builds: BuildAccess, name: str, new_name: str) -> None:
    if name == new_name:
        return
    with builds.exchange.instance.store.transaction():
        for run in builds.runs(name):
            document = builds.document(run) | {"name": new_name}
            delete_run(builds, run, with_artifacts=False)
            publish_document(builds, document)


_VERBS = {
    "append": build_publication.append,
    "delete": build_removal.delete_listed,
    "promote": build_promotion.promote,
    "rename": rename,
    "retention": build_removal.apply_retention,
}


async def post(exchange: Exchange) -> Reply:
    """Choose the operation by the first part of the path; in other requests, that is an ordinary name."""
    handler = _VERBS.get(exchange.target.repository)
    if handler is None:
        exchange.record.is_known = False
        refuse(405, "Method Not Allowed")
    return await handler(exchange)
