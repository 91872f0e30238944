"""Searches for artifacts by name, coordinates, properties, checksums and path: ``GET api/search/...``."""

import re
from fnmatch import fnmatchcase
from functools import partial
from typing import NoReturn, TypeGuard
from urllib.parse import parse_qsl

from ...aql.sql import SQL
from ...protocol import ant_patterns, jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...storage import searches
from ...storage.searches import Algorithm
from ...storage.store import Item, Stats
from ...wire.exchange import Exchange
from ..request_checks import demand_pro, negotiated, refuse_in_text
from . import modules
from .search_results import (
    NOTHING,
    Search,
    answer,
    detailed,
    expanded,
    media_type,
    readable,
    refuse_anonymous,
    searched,
    uri,
)

_ALGORITHMS: tuple[Algorithm, ...] = ("sha1", "md5", "sha256")
_CHECKSUM = re.compile(r"[a-fA-F0-9*?]+")
_LEAST_DIGITS = 12
_NO_PROPERTIES = {"repos", "properties"}  # parameters of the search that do not name a property


async def quick(exchange: Exchange) -> Reply:
    """Answer ``artifact?name=``: files whose name contains a text, unless its ends are wildcards already."""
    name = exchange.target.query.get("name", "").strip()
    _demand_terms(exchange, [name])
    start, end = ("" if each in "*?" else "*" for each in (name[0], name[-1]))
    found = searches.named(f"{start}{name}{end}")
    conditions = [searches.FILES, searches.in_repositories(searched(exchange)), found]
    return await answer(exchange, Search(media="ArtifactSearchResult", conditions=conditions, entry=detailed))


async def gavc(exchange: Exchange) -> Reply:
    """Answer ``gavc?g=&a=&v=&c=``: modules by organization, name, version and classifier, with wildcards."""
    asked = {name: value for name in "gavc" if (value := exchange.target.query.get(name, "").strip())}
    if not asked:
        refuse_in_text(exchange, "Missing groupId or artifactId or version or classifier")
    _demand_terms(exchange, list(asked.values()))
    known = modules.organization(asked["g"]) if "g" in asked else {}
    known |= {token: asked[name] for name, token in (("a", "module"), ("c", "classifier")) if name in asked}
    conditions = [searches.FILES, modules.located(exchange, searched(exchange), known)]
    meets = partial(_has_coordinates, exchange, asked)
    search = Search(media="GavcSearchResult", conditions=conditions, entry=detailed, meets=meets)
    return await answer(exchange, search)


async def prop(exchange: Exchange) -> Reply:
    """Answer ``prop?key=value``: files and folders that have every one of the properties."""
    parameters = parse_qsl(exchange.target.raw_query, keep_blank_values=True)
    if not parameters:
        refuse(404, NOTHING)
    asked = [(key, value) for key, value in parameters if key not in _NO_PROPERTIES]
    if not asked:
        refuse_in_text(exchange, "The search term cannot be empty")
    if any(not key.strip("*?") for key, _ in asked):
        _refuse_wildcards(exchange)
    conditions = [searches.in_repositories(searched(exchange)), *(searches.having(*each) for each in asked)]
    return await answer(exchange, Search(media="MetadataSearchResult", conditions=conditions, entry=detailed))


async def checksum(exchange: Exchange) -> Reply:
    """
    Answer ``checksum?sha1=``, ``md5`` or ``sha256`` (Pro): files with this content; wildcards are allowed.

    The first of several is used, as on the real server. A request with none is a 400, whose text is not known.
    """
    demand_pro(exchange)
    query = exchange.target.query
    given: list[Algorithm] = [each for each in _ALGORITHMS if query.get(each, "").strip()]
    if not given:
        refuse(400, "The search term cannot be empty")
    algorithm = given[0]
    text = query[algorithm].strip()
    if not _CHECKSUM.fullmatch(text):
        refuse(400, "Checksum contains invalid characters")
    if len(re.sub("[*?]", "", text)) < _LEAST_DIGITS:
        refuse(400, "Not enough valid characters")
    found = searches.having_checksum(algorithm, text.lower())
    conditions = [searches.FILES, searches.in_repositories(searched(exchange)), found]
    return await answer(exchange, Search(media="ChecksumSearchResult", conditions=conditions, entry=detailed))


async def bad_checksum(exchange: Exchange) -> Reply:
    """
    Answer ``badChecksum?type=`` (Pro): files whose client supplied another checksum, or none.

    The text for an unknown type is invented.
    """
    demand_pro(exchange)
    asked = exchange.target.query.get("type", "")
    if not _is_algorithm(asked):
        refuse_in_text(exchange, f"Unknown checksum type: '{asked}'")
    found = searches.having_bad_checksum(asked)
    conditions = [searches.FILES, searches.in_repositories(searched(exchange)), found]
    entry = partial(_both_checksums, asked)
    return await answer(exchange, Search(media="BadChecksumSearchResult", conditions=conditions, entry=entry))


async def pattern(exchange: Exchange) -> Reply:
    """
    Answer ``pattern?pattern=repository:a/*/b.*`` (Pro): paths of files that match it segment by segment.

    The text for a virtual repository is invented.
    """
    refuse_anonymous(exchange)
    demand_pro(exchange)
    asked = exchange.target.query.get("pattern", "").strip()
    if not asked:
        refuse(400, "Unable to search for an empty pattern")
    if ":" not in asked:
        refuse(400, "Pattern must be formatted like [repo-key]:[pattern/to/search/for]")
    if "**" in asked:
        refuse(400, "Pattern cannot contain the '**' wildcard")
    key, _, path = asked.partition(":")
    repository = exchange.instance.repositories.get(key)
    if repository and repository.kind == "virtual":
        refuse(400, f"Pattern search is not supported in a virtual repository: {key}")
    content_type = negotiated(exchange, media_type("PatternResultFileSet"))
    segments = [segment for segment in path.replace("\\", "/").split("/") if segment]
    files = await exchange.instance.in_thread(partial(_paths, exchange, expanded(exchange, [key]), segments))
    shown = key.removesuffix("-cache") if repository and repository.kind == "cache" else key
    document = {"repoUri": exchange.link(shown), "sourcePattern": exchange.target.query["pattern"], "files": files}
    return json_reply(document, content_type)


def _is_algorithm(name: str) -> TypeGuard[Algorithm]:
    return name in _ALGORITHMS


def _demand_terms(exchange: Exchange, terms: list[str]) -> None:
    if not any(terms):
        refuse_in_text(exchange, "The search term cannot be empty")
    if all(not term.strip("*?") for term in terms):
        _refuse_wildcards(exchange)


def _refuse_wildcards(exchange: Exchange) -> NoReturn:
    refuse_in_text(exchange, "Search term containing only wildcards is not permitted")


def _has_coordinates(exchange: Exchange, asked: dict[str, str], item: Item) -> bool:
    found = modules.module_of(exchange, item)
    if found is None:
        return False
    layout, module = found
    values = {"g": {module.organization}, "a": {module.module}, "c": {module.classifier}}
    values["v"] = {*modules.revisions(layout, module)}
    return all(any(_is_like(asked[name], value) for value in values[name]) for name in asked)


def _is_like(wanted: str, text: str) -> bool:
    return fnmatchcase(text, wanted.replace("[", "[[]"))


def _both_checksums(algorithm: Algorithm, exchange: Exchange, item: Item, _stats: Stats) -> jackson.JSON:
    name = algorithm.capitalize()
    actual, supplied = getattr(item.actual, algorithm), getattr(item.original, algorithm)
    return {"uri": uri(exchange, item), f"server{name}": actual, f"client{name}": supplied or ""}


def _paths(exchange: Exchange, keys: list[str], segments: list[str]) -> list[str]:
    wanted = "/".join(segments)
    # The path column of items in the root is ".", so that a path of one segment begins with it in SQL.
    whole = wanted if len(segments) > 1 else f"./{wanted}"
    conditions = [searches.FILES, searches.at(keys, whole), SQL("depth = ?", (len(segments),))]
    with exchange.instance.store.reader() as connection:
        rows = readable(exchange, searches.find(connection, conditions))
        return [item.path for item, _ in rows if ant_patterns.matches(wanted, item.path)]
