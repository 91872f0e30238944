"""Versions of modules: ``GET api/search/versions``, ``api/search/latestVersion`` and ``api/versions`` (Pro)."""

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NoReturn
from urllib.parse import parse_qsl

from ...layouts.maven_order import maven_key
from ...protocol import ant_patterns, jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...storage import searches
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, negotiated, refuse_in_text
from . import modules
from .search_results import expanded, limit, media_type, readable, refuse_anonymous, searched, uri

_ANY = "_any"


@dataclass(frozen=True, slots=True)
class _Version:
    """A version of a module, and the names by which an integration is requested."""

    text: str
    is_integration: bool
    names: frozenset[str]


async def versions(exchange: Exchange) -> Reply:
    """
    Answer ``versions?g=&a=&v=``: every version of a module, newest first.

    A *v* without wildcards requests the integrations of a version. Of remote repositories, only the caches are
    searched, whatever ``remote`` says.
    """
    found, wanted = await _found(exchange), exchange.target.query.get("v", "").strip()
    if wanted and not _is_pattern(wanted):
        found = _integrations(found, wanted)
    if not found:
        _refuse_nothing()
    content_type = negotiated(exchange, media_type("ArtifactVersionsResult"))
    results: list[jackson.JSON] = [
        {"version": each.text, "integration": each.is_integration}
        for each in found
        if not _is_pattern(wanted) or ant_patterns.matches(wanted, each.text)
    ]
    return json_reply({"results": results[: limit(exchange)]}, content_type)


async def latest(exchange: Exchange) -> Reply:
    """Answer ``latestVersion?g=&a=&v=`` as text: the latest release, or integration if *v* asks for one."""
    found, wanted = await _found(exchange), exchange.target.query.get("v", "").strip()
    if not found:
        _refuse_nothing()
    if _is_pattern(wanted):
        found = [each for each in found if ant_patterns.matches(wanted, each.text)]
    elif wanted:
        found = _integrations(found, wanted)
    else:
        found = [each for each in found if not each.is_integration]
    if not found:
        refuse(404, f"Latest {'integration' if wanted else 'release'} version not found")
    return Reply(200, {"Content-Type": "text/plain"}, found[0].text.encode())


async def by_property(exchange: Exchange) -> Reply:
    """
    Answer ``api/versions/{repository}/{path}``: the highest value of the property ``version`` among files there.

    Both may be ``_any``; other parameters are properties the files must have. The text where there are none is
    invented.
    """
    refuse_anonymous(exchange)
    demand_pro(exchange)
    found = await exchange.instance.in_thread(partial(_highest, exchange))
    if found is None:
        _refuse_nothing()
    version, items = found
    artifacts: list[jackson.JSON] = [{"uri": uri(exchange, item)} for item in items]
    return json_reply({"version": version, "artifacts": artifacts}, "application/json")


def _refuse_nothing() -> NoReturn:
    refuse(404, "Unable to find artifact versions")


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _integrations(found: list[_Version], wanted: str) -> list[_Version]:
    return [each for each in found if each.is_integration and wanted in each.names]


async def _found(exchange: Exchange) -> list[_Version]:
    """Return every version of the requested module; the text where none is named is invented."""
    demand_pro(exchange)
    group, artifact = (exchange.target.query.get(name, "").strip() for name in "ga")
    if not (group and artifact):
        refuse_in_text(exchange, "Missing groupId or artifactId")
    return await exchange.instance.in_thread(partial(_sorted_versions, exchange, group, artifact))


def _sorted_versions(exchange: Exchange, group: str, artifact: str) -> list[_Version]:
    known = modules.organization(group) | {"module": artifact}
    conditions = [searches.FILES, modules.located(exchange, searched(exchange), known)]
    with exchange.instance.store.reader() as connection:
        rows = islice(readable(exchange, searches.find(connection, conditions)), limit(exchange))
        found = {version for item, _ in rows if (version := _version_of(exchange, item, group, artifact))}
    return sorted(found, key=_order, reverse=True)


def _order(version: _Version) -> tuple[object, ...]:
    return maven_key(version.text), version.text, version.is_integration, sorted(version.names)


def _version_of(exchange: Exchange, item: Item, group: str, artifact: str) -> _Version | None:
    found = modules.module_of(exchange, item)
    if found is None or (found[1].organization, found[1].module) != (group, artifact):
        return None
    layout, module = found
    names = modules.revisions(layout, module) | {module.base_revision}
    return _Version(layout.version(module), module.is_integration, names)


def _highest(exchange: Exchange) -> tuple[str, list[Item]] | None:
    target = exchange.target
    asked = [each for each in parse_qsl(target.raw_query, keep_blank_values=True) if each[0] != "listFiles"]
    keys = searched(exchange) if target.repository == _ANY else expanded(exchange, [target.repository])
    found = [searches.having(key, value) for key, value in [("version", ""), *asked]]
    if target.item_path not in ("", _ANY):
        found.append(searches.below(target.item_path))
    properties = exchange.instance.store.properties
    with exchange.instance.store.reader() as connection:
        rows = searches.find(connection, [searches.FILES, searches.in_repositories(keys), *found])
        by_version = [
            (value, item) for item, _ in readable(exchange, rows) for value in properties(item).get("version", ())
        ]
    if not by_version:
        return None
    highest = max((value for value, _ in by_version), key=lambda value: (maven_key(value), value))
    return highest, [item for value, item in by_version if value == highest] if target.query.get(
        "listFiles"
    ) == "1" else []
