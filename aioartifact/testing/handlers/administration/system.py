"""Ping, version, usage reports, and information for administrators."""

import os
import platform
import threading
from xml.sax.saxutils import escape

from ...protocol import jackson
from ...protocol.replies import VENDOR, Reply, json_reply
from ...repositories.definitions import Repository
from ...wire.exchange import Exchange

_PRO_ADDONS = ("aql", "build", "filestore", "filtered-resources", "ldap", "properties", "rest", "search", "watch")


async def ping(exchange: Exchange) -> Reply:
    """Answer that the server is up: to users, and behind a router to every client, whatever the credentials."""
    if not exchange.instance.profile.is_platform:
        exchange.identify()
    return Reply(200, {"Content-Type": "text/plain"}, b"OK")


async def version(exchange: Exchange) -> Reply:
    """Answer with version, add-ons, and the hash of the license where there is one."""
    profile = exchange.instance.profile
    document: dict[str, jackson.JSON] = {"version": profile.version, "revision": profile.revision, "addons": []}
    if exchange.instance.edition == "pro":
        document |= {"addons": list(_PRO_ADDONS), "license": "0" * 40}
    return json_reply(document, f"{VENDOR}system.Version+json")


async def info(exchange: Exchange) -> Reply:
    """Describe the server in lines, to administrators."""
    exchange.demand_admin()
    instance = exchange.instance
    lines = {
        "artifactory.version": instance.profile.version,
        "artifactory.revision": instance.profile.revision,
        "artifactory.edition": instance.edition,
        "artifactory.timestamp": instance.iso(instance.now_ms()),
        "artifactory.repositories": str(len(instance.repositories)),
    }
    text = "".join(f"{key:<32}|  {value}\n" for key, value in lines.items())
    return Reply(200, {"Content-Type": "text/plain"}, f"SYSTEM INFORMATION DUMP\n\n{text}".encode())


async def details(exchange: Exchange) -> Reply:
    """Describe process and machine, to administrators; a part of what a real server reports."""
    exchange.demand_admin()
    document: dict[str, jackson.JSON] = {
        "osName": platform.system(),
        "numberOfCores": os.cpu_count() or 1,
        "activeThreads": threading.active_count(),
    }
    return json_reply(document, "application/json")


async def usage(exchange: Exchange) -> Reply:
    """Accept the usage that clients report, and discard it."""
    exchange.demand_user()
    await exchange.whole_body()
    return Reply(200)


async def plugins(exchange: Exchange) -> Reply:
    """List the user plugins, to administrators; there are none."""
    exchange.demand_admin()
    return json_reply({}, "application/json")


async def configuration(exchange: Exchange) -> Reply:
    """Print the configuration descriptor, to administrators; it has only the settings that this server supports."""
    exchange.demand_admin()
    instance = exchange.instance
    local = "".join(_descriptor(each) for each in instance.repositories.values() if each.kind == "local")
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<config>\n'
        f"  <urlBase>{escape(instance.base_url)}</urlBase>\n"
        "  <security>\n"
        f"    <anonAccessEnabled>{str(instance.accounts.allow_anonymous).lower()}</anonAccessEnabled>\n"
        f"    <hideUnauthorizedResources>{str(instance.hide_unauthorized).lower()}</hideUnauthorizedResources>\n"
        f"  </security>\n  <localRepositories>\n{local}  </localRepositories>\n</config>\n"
    )
    return Reply(200, {"Content-Type": "application/xml"}, text.encode())


def _descriptor(repository: Repository) -> str:
    return (
        f"    <localRepository>\n      <key>{escape(repository.key)}</key>\n"
        f"      <type>{escape(repository.package_type)}</type>\n"
        f"      <description>{escape(repository.description)}</description>\n"
        f"      <repoLayoutRef>{escape(repository.layout)}</repoLayoutRef>\n    </localRepository>\n"
    )
