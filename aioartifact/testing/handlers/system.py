"""Ping, version, and the list of repositories."""

from .. import jackson
from ..exchange import Exchange
from ..replies import VENDOR, Reply, json_reply

_PRO_ADDONS = ("aql", "build", "filestore", "filtered-resources", "ldap", "properties", "rest", "search", "watch")


async def ping(exchange: Exchange) -> Reply:
    """Answer that the server is up; whoever gets here may know."""
    return Reply(200, {"Content-Type": "text/plain"}, b"OK")


async def version(exchange: Exchange) -> Reply:
    """Answer with version, add-ons, and the hash of the license where there is one."""
    profile = exchange.instance.profile
    document: dict[str, jackson.JSON] = {"version": profile.version, "revision": profile.revision, "addons": []}
    if exchange.instance.edition == "pro":
        document |= {"addons": list(_PRO_ADDONS), "license": "0" * 40}
    return json_reply(document, f"{VENDOR}system.Version+json")


async def repositories(exchange: Exchange) -> Reply:
    """Answer with the repositories in which the user can read something."""
    query, accounts = exchange.target.query, exchange.instance.accounts
    document: list[jackson.JSON] = [
        {
            "key": each.key,
            **({"description": each.description} if each.description else {}),
            "type": each.kind.upper(),
            "url": exchange.link(each.key),
            "packageType": each.package_type.capitalize(),
        }
        for each in exchange.instance.repositories.values()
        if accounts.can_browse(exchange.user, each.key, "")
        and query.get("type", each.kind).lower() == each.kind
        and query.get("packageType", each.package_type).lower() == each.package_type
    ]
    content_type = f"{VENDOR}repositories.RepositoryDetailsList+json"
    return json_reply(document, content_type, headers={"Cache-Control": "no-store"})
