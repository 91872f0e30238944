"""
Domains of AQL, their fields, and the roads between them.

See: JFrog, "AQL Entities and Fields".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

Route = tuple[str, ...]


class Kind(Enum):
    """What the values of a field are."""

    STRING = "string"
    DATE = "date"
    LONG = "long"
    INTEGER = "integer"
    ITEM_TYPE = "item type"
    COMPUTED = "computed"  # exists in results only: neither a criterion nor an order


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field of a domain, seen from the domain that is searched.

    Attributes:
        route: Relations that lead from the searched domain to the field's; empty in the searched domain itself.
        name: Name without any prefix.
        kind: What its values are.
    """

    route: Route
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class PropertyKey:
    """
    ``@key``: the values of one property.

    Attributes:
        route: Relations that lead to the owner of the property.
        key: Key of the property; ``*`` for any.
    """

    route: Route
    key: str


@dataclass(frozen=True, slots=True)
class Fields:
    """
    Fields of a domain asked for together, as by ``"stat"`` or ``"*"``.

    Attributes:
        route: Relations that lead to the domain.
        fields: The fields: all of them, or those shown by default.
    """

    route: Route
    fields: tuple[Field, ...]


Selection = Field | PropertyKey | Fields


@dataclass(frozen=True, slots=True)
class _Domain:
    """
    A domain.

    Attributes:
        kinds: Its fields.
        hidden: Fields that only show when they are asked for.
        relations: Domains next to it, by the word that leads there.
    """

    kinds: Mapping[str, Kind]
    hidden: Collection[str] = ()
    relations: Mapping[str, str] = field(default_factory=dict)


def _strings(names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), Kind.STRING)


def _dates(names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), Kind.DATE)


_ITEM = _Domain(
    {
        **_strings("repo path name created_by modified_by original_md5 actual_md5 original_sha1 actual_sha1 sha256"),
        **_dates("created modified updated"),
        "type": Kind.ITEM_TYPE,
        "size": Kind.LONG,
        "depth": Kind.INTEGER,
        "repo_path_checksum": Kind.STRING,
        "id": Kind.LONG,
        "virtual_repos": Kind.COMPUTED,
    },
    hidden=(
        *("depth", "original_md5", "actual_md5", "original_sha1", "actual_sha1", "sha256"),
        *("repo_path_checksum", "id", "virtual_repos"),
    ),
    relations={
        "property": "property",
        "stat": "stat",
        "archive": "archive",
        "artifact": "artifact",
        "dependency": "dependency",
        "release_artifact": "release_artifact",
    },
)
_STAT = _Domain(
    {
        "downloaded": Kind.DATE,
        "downloads": Kind.INTEGER,
        "downloaded_by": Kind.STRING,
        "remote_downloaded": Kind.DATE,
        "remote_downloads": Kind.INTEGER,
        **_strings("remote_downloaded_by remote_origin remote_path"),
    },
    hidden=("remote_downloaded", "remote_downloads", "remote_downloaded_by", "remote_origin", "remote_path"),
    relations={"item": "item"},
)
_BUILD = _Domain(
    {**_strings("url name number"), **_dates("started created modified"), **_strings("created_by modified_by")},
    relations={"module": "module", "promotion": "build.promotion", "property": "build.property"},
)
_DOMAINS = {
    "item": _ITEM,
    "property": _Domain(_strings("key value"), relations={"item": "item"}),
    "stat": _STAT,
    "archive": _Domain({}, relations={"entry": "archive.entry", "item": "item"}),
    "archive.entry": _Domain(_strings("name path"), relations={"archive": "archive"}),
    "artifact": _Domain(
        _strings("name type sha1 md5"), hidden=("sha1", "md5"), relations={"item": "item", "module": "module"}
    ),
    "dependency": _Domain(
        _strings("name scope type sha1 md5"), hidden=("sha1", "md5"), relations={"item": "item", "module": "module"}
    ),
    "module": _Domain(
        _strings("name"),
        relations={
            "artifact": "artifact",
            "dependency": "dependency",
            "build": "build",
            "property": "module.property",
        },
    ),
    "module.property": _Domain(_strings("key value"), relations={"module": "module"}),
    "build": _BUILD,
    "build.property": _Domain(_strings("key value"), relations={"build": "build"}),
    "build.promotion": _Domain(
        {**_dates("created"), **_strings("created_by status repo comment user")}, relations={"build": "build"}
    ),
    "release": _Domain(
        {"id": Kind.LONG, **_dates("created"), **_strings("name version status signature type storing_repo")},
        hidden=("storing_repo",),
        relations={"release_artifact": "release_artifact"},
    ),
    "release_artifact": _Domain(
        {**dict.fromkeys(("id", "item_id", "bundle_id"), Kind.LONG), **_strings("path")},
        relations={"release": "release", "item": "item"},
    ),
}

SEARCHABLE = {
    "items": "item",
    "properties": "property",
    "stats": "stat",
    "archives": "archive",
    "archive.entries": "archive.entry",
    "builds": "build",
    "build.properties": "build.property",
    "build.promotions": "build.promotion",
    "modules": "module",
    "module.properties": "module.property",
    "artifacts": "artifact",
    "dependencies": "dependency",
    "releases": "release",
    "release_artifacts": "release_artifact",
}
"""First words of a query, and the domain each searches."""


def default_fields(domain: str) -> tuple[Field, ...]:
    """Fields a query shows without an include section."""
    return _fields(domain, (), everything=False).fields


def criterion_subject(domain: str, text: str) -> Field | PropertyKey:
    """
    Find what a criterion on *text* compares when *domain* is searched.

    Raises:
        KeyError: If there is not a such thing, or it exists in results only.
    """
    found = selection(domain, text)
    if isinstance(found, Fields) or (isinstance(found, Field) and found.kind is Kind.COMPUTED):
        raise KeyError(text)
    return found


def sort_field(domain: str, text: str) -> Field:
    """
    Find the field *text* names in a sort section.

    Raises:
        KeyError: If there is not a such field, or none that has an order.
    """
    found = criterion_subject(domain, text)
    if isinstance(found, PropertyKey):
        raise KeyError(text)
    return found


def selection(domain: str, text: str) -> Selection:
    """
    Find what the entry *text* of an include section asks for.

    Raises:
        KeyError: If the thing does not exist.
    """
    # Keys may have dots of their own, so a property is cut off before the route is split.
    prefix, at, key = text.partition("@")
    *steps, last = prefix.split(".")
    route = tuple(steps)
    owner = domain_at(domain, route)
    if at:
        return _property_key(owner, route, last, key)
    if last in _DOMAINS[owner].kinds:
        return Field(route, last, _DOMAINS[owner].kinds[last])
    if last == "*":
        return _fields(owner, route, everything=True)
    return _fields(domain_at(domain, (*route, last)), (*route, last), everything=False)


def domain_at(domain: str, route: Route) -> str:
    """
    Return the domain at the end of a road from *domain*.

    Raises:
        KeyError: If the road does not exist.
    """
    passed = {domain}
    for step in route:
        domain = _DOMAINS[domain].relations[step]
        if domain in passed:
            raise KeyError(step)
        passed.add(domain)
    return domain


def _property_key(owner: str, route: Route, before: str, key: str) -> PropertyKey:
    if before or not key or "property" not in _DOMAINS[owner].relations:
        raise KeyError(key)
    return PropertyKey(route, key)


def _fields(domain: str, route: Route, *, everything: bool) -> Fields:
    known = _DOMAINS[domain]
    names = [name for name in known.kinds if everything or name not in known.hidden]
    return Fields(route, tuple(Field(route, name, known.kinds[name]) for name in names))
