"""``/access/api/v1/projects``: projects, which are kept for clients and have no effect on repositories or rights."""

import re
from collections.abc import Mapping
from typing import Any

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from .access_requests import access_reply, demand_admin, read_body, text_of

_KEY = re.compile(r"[a-z][a-z0-9-]{1,31}")
_PRIVILEGES = ("manage_members", "manage_resources", "index_resources", "manage_security_assets", "allow_ignore_rules")
_DEFAULTS: dict[str, Any] = {
    "description": "",
    "storage_quota_bytes": -1,
    "soft_limit": False,
    "storage_quota_email_notification": True,
}


async def list_all(exchange: Exchange) -> Reply:
    """List the projects."""
    demand_admin(exchange)
    return access_reply(list(exchange.instance.accounts.projects.values()))


async def create(exchange: Exchange) -> Reply:
    """Create a project."""
    demand_admin(exchange)
    sent = await read_body(exchange)
    key, projects = text_of(sent, "project_key"), exchange.instance.accounts.projects
    if not _KEY.fullmatch(key):
        refuse(400, f"Illegal project key: {key}; 2 to 32 lowercase letters, digits and hyphens, first a letter")
    if not text_of(sent, "display_name"):
        refuse(400, "The display name of the project is missing")
    if key in projects:
        refuse(409, f"Project with key {key} already exists")
    projects[key] = _changed(_DEFAULTS | {"project_key": key}, sent)
    return access_reply(projects[key], 201)


async def get(exchange: Exchange) -> Reply:
    """Describe a project."""
    demand_admin(exchange)
    return access_reply(_find(exchange))


async def update(exchange: Exchange) -> Reply:
    """Change the fields of a project that are sent; its key stays."""
    demand_admin(exchange)
    project, sent = _find(exchange), await read_body(exchange)
    changed = exchange.instance.accounts.projects[exchange.target.segments[-1]] = _changed(project, sent)
    return access_reply(changed)


async def delete(exchange: Exchange) -> Reply:
    """Remove a project."""
    demand_admin(exchange)
    _find(exchange)
    del exchange.instance.accounts.projects[exchange.target.segments[-1]]
    return Reply(204)


def _find(exchange: Exchange) -> Mapping[str, Any]:
    key = exchange.target.segments[-1]
    return exchange.instance.accounts.projects.get(key) or refuse(404, f"Project with key {key} not found")


def _changed(project: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    old, new = project.get("admin_privileges") or {}, sent.get("admin_privileges") or {}
    if not isinstance(new, dict):
        refuse(400, "Error parsing json body")
    known = {name: sent[name] for name in ("display_name", *_DEFAULTS) if sent.get(name) is not None}
    privileges = {name: new.get(name, old.get(name, True)) for name in _PRIVILEGES}
    return {**project, **known, "admin_privileges": privileges}
