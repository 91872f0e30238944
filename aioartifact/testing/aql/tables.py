"""
The tables behind the domains, and how the roads between domains become joins.

A domain without a table (archives, their entries, releases) is as if it had no rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .fields import Field, Route, domain_at


@dataclass(frozen=True, slots=True)
class Table:
    """
    The table of a domain.

    Attributes:
        name: Name of the table.
        alias: What it is called in a statement.
        array: Name of the array that its rows are printed in.
        prefix: What the names of its fields are printed with.
        key: Column of the primary key.
        owner: Column with the key of what its rows belong to, if they are properties; else ``""``.
    """

    name: str
    alias: str
    array: str
    prefix: str = ""
    key: str = "id"
    owner: str = ""


TABLES: Mapping[str, Table] = {
    "item": Table("items", "i", "items"),
    "property": Table("properties", "p", "properties", owner="item_id"),
    "stat": Table("stats", "s", "stats", key="item_id"),
    "artifact": Table("artifacts", "a", "artifacts", "artifact."),
    "dependency": Table("dependencies", "d", "dependencies", "dependency."),
    "module": Table("modules", "m", "modules", "module."),
    "module.property": Table("module_properties", "mp", "module.properties", "module.property.", owner="module_id"),
    "build": Table("builds", "b", "builds", "build."),
    "build.property": Table("build_properties", "bp", "build.properties", "build.property.", owner="build_id"),
    "build.promotion": Table("build_promotions", "bs", "build.promotions", "build.promotion."),
}
PROPERTY = "property"
"""The last step of every road to properties, whatever they belong to."""

_PROPERTIES = {"item": "property", "module": "module.property", "build": "build.property"}
# By domain and step: the column here, and the one there that is equal to it.
_LINKS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("item", "property"): ("id", "item_id"),
    ("item", "stat"): ("id", "item_id"),
    ("item", "artifact"): ("actual_sha1", "sha1"),
    ("item", "dependency"): ("actual_sha1", "sha1"),
    ("property", "item"): ("item_id", "id"),
    ("stat", "item"): ("item_id", "id"),
    ("artifact", "item"): ("sha1", "actual_sha1"),
    ("artifact", "module"): ("module_id", "id"),
    ("dependency", "item"): ("sha1", "actual_sha1"),
    ("dependency", "module"): ("module_id", "id"),
    ("module", "artifact"): ("id", "module_id"),
    ("module", "dependency"): ("id", "module_id"),
    ("module", "build"): ("build_id", "id"),
    ("module", "property"): ("id", "module_id"),
    ("module.property", "module"): ("module_id", "id"),
    ("build", "module"): ("id", "build_id"),
    ("build", "promotion"): ("id", "build_id"),
    ("build", "property"): ("id", "build_id"),
    ("build.property", "build"): ("build_id", "id"),
    ("build.promotion", "build"): ("build_id", "id"),
}
_NOT_STORED = {
    *("repo_path_checksum", "virtual_repos"),
    *("remote_downloaded", "remote_downloads", "remote_downloaded_by", "remote_origin", "remote_path"),
}


def is_stored(domain: str, route: Route) -> bool:
    """Return whether there is such a road from *domain*, and every domain on it has a table."""
    try:
        return domain in TABLES and all(domain_at(domain, each) in TABLES for each in steps(route))
    except KeyError:
        return False


def table_at(domain: str, route: Route) -> Table:
    """Return the table at the end of a road from *domain*."""
    return TABLES[domain_at(domain, route)]


def properties_at(domain: str, owner: Route) -> Table:
    """Return the table with the properties of the rows at the end of a road from *domain*."""
    return TABLES[_PROPERTIES[domain_at(domain, owner)]]


def alias_at(domain: str, route: Route) -> str:
    """Name the rows at the end of a road from *domain*: different roads lead to different rows."""
    passed = [table_at(domain, each).alias for each in steps(route)]
    return "_".join([passed[-1], *passed[:-1]]) if passed else TABLES[domain].alias


def column(domain: str, field: Field) -> str:
    """Name the column that a field is stored in, seen from *domain*; ``NULL`` where it is not stored."""
    if field.name in _NOT_STORED or not is_stored(domain, field.route):
        return "NULL"
    return f"{alias_at(domain, field.route)}.{field.name}"


def join(domain: str, route: Route, *, is_required: bool) -> str:
    """
    Write the join that adds the last step of a road from *domain* to the statement.

    Args:
        domain: Domain searched.
        route: The road.
        is_required: Leave out what has no row there.
    """
    before, step = route[:-1], route[-1]
    here, there = _LINKS[domain_at(domain, before), step]
    alias = alias_at(domain, route)
    kind, table = "JOIN" if is_required else "LEFT JOIN", table_at(domain, route)
    return f" {kind} {table.name} AS {alias} ON {alias}.{there} = {alias_at(domain, before)}.{here}"


def steps(route: Route) -> Iterator[Route]:
    """Yield the beginnings of a road, the shortest first, and the road itself."""
    return (route[:length] for length in range(1, len(route) + 1))


def with_beginnings(routes: Iterable[Route]) -> list[Route]:
    """Return roads with all their beginnings, each after its own and once."""
    return list(dict.fromkeys(each for route in routes for each in steps(route)))
