"""From a query's tree to one SELECT, and what of the row each of its columns becomes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .criteria import Conditions, required_roads
from .fields import Field, Fields, Kind, PropertyKey, Route, Selection, default_fields
from .sql import SQL, Parameter
from .syntax import AQLError, Junction, Query
from .tables import PROPERTY, TABLES, alias_at, column, is_stored, join, table_at, with_beginnings

Edition = Literal["oss", "pro"]

_ADDRESS = {"repo", "path", "name"}
# Fields of an item as they are printed; whatever is not named here follows in alphabetical order.
_PRINT_ORDER = (
    *("repo", "path", "name", "type", "size"),
    *("created", "created_by", "modified", "modified_by", "updated", "depth"),
)
# Tables whose rows are read together with the item that each belongs to.
_WITH_ITEM = ("property", "stat")
_STAT = ("stat",)


NO_ROWS = SQL("SELECT NULL WHERE 0")


@dataclass(frozen=True, slots=True)
class Branch:
    """
    Rows of another domain that are printed within those of the searched one.

    Attributes:
        route: Road to them; where a branch continues another one, its rows are printed within those of that one.
        fields: Fields of each, in printing order; none if only what is within them is printed.
        keys: Of properties, the keys that are wanted; none for all.
    """

    route: Route
    fields: tuple[Field, ...]
    keys: tuple[str, ...] = ()

    @property
    def is_of_properties(self) -> bool:
        """Whether these are properties."""
        return self.route[-1] == PROPERTY

    @property
    def is_part_of_property(self) -> bool:
        """Whether only the key or the value is printed, so that equal ones are one."""
        return self.is_of_properties and len(self.fields) == 1


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What a row of the answer has.

    Attributes:
        domain: Domain searched.
        main: Its fields, in printing order.
        branches: What is printed within it, each branch after the one that it continues.
    """

    domain: str
    main: tuple[Field, ...]
    branches: tuple[Branch, ...] = ()

    @property
    def names(self) -> set[str]:
        """Names of the main fields."""
        return {field.name for field in self.main}

    @property
    def is_nested(self) -> bool:
        """Whether rows of other tables are shown, so that what is searched takes several rows."""
        return bool(self.branches)


def print_position(name: str) -> tuple[int, str]:
    """Sort key of a field's name, or of a nested array's, in a printed row."""
    known = _PRINT_ORDER.index(name) if name in _PRINT_ORDER else len(_PRINT_ORDER)
    return known, name


def shown(query: Query) -> Shown:
    """Decide what the rows have: the include section's fields, or the defaults of the domain."""
    selected = [field for entry in query.include for field in _entry_fields(entry)]
    keyed: dict[Route, list[str]] = {}
    for entry in query.include:
        if isinstance(entry, PropertyKey):
            keyed.setdefault((*entry.route, PROPERTY), []).append(entry.key)
    main = {field for field in selected if not field.route} or set(default_fields(query.domain))
    nested = [field for field in selected if field.route and field.name != "id"]  # which is never printed
    roads = [road for road in (*keyed, *(field.route for field in nested)) if is_stored(query.domain, road)]
    branches = (
        _branch(query.domain, road, [field for field in nested if field.route == road], keyed.get(road, ()))
        for road in with_beginnings(roads)
    )
    prefix = TABLES[query.domain].prefix if query.domain in TABLES else ""
    return Shown(query.domain, _printed(main, prefix), tuple(branches))


def _branch(domain: str, route: Route, fields: Sequence[Field], keys: Sequence[str]) -> Branch:
    if route[-1:] == _STAT:
        return Branch(route, tuple(dict.fromkeys(fields)))
    if route[-1] != PROPERTY:
        return Branch(route, _printed(fields, table_at(domain, route).prefix))
    whole = tuple(Field(route, name, Kind.STRING) for name in ("key", "value"))
    printed = whole if keys else tuple(field for field in whole if field in fields)
    return Branch(route, printed, () if fields else tuple(keys))


def _printed(fields: Iterable[Field], prefix: str = "") -> tuple[Field, ...]:
    return tuple(sorted(dict.fromkeys(fields), key=lambda field: print_position(prefix + field.name)))


def validate(query: Query, rows: Shown, *, admin: bool, edition: Edition) -> None:
    """
    Refuse what the grammar allows and the server does not.

    Raises:
        AQLError: It sorts by what is not shown or twice by the same field, uses what the open-source edition
            lacks, or does not show the address of items where the server must know it.
    """
    _validate_sort(query, rows)
    if edition == "oss" and query.sort:
        raise AQLError("Sorting is not supported by AQL in the open source version\n")
    if edition == "oss" and (
        any(branch.keys for branch in rows.branches) or any(query.criteria.groups(Junction.RESULT_FILTER))
    ):
        raise AQLError("Filtering properties result is not supported by AQL in the open source version\n")
    if query.domain != "item" or rows.names >= _ADDRESS:
        return
    if "virtual_repos" in rows.names:
        raise AQLError(
            "When including virtual_repos field, the following fields are also required: repo, path and name."
        )
    if not admin:
        raise AQLError("For permissions reasons AQL demands the following fields: repo, path and name.")


def select(query: Query, rows: Shown, conditions: Conditions, *, most: int | None) -> SQL:
    """
    Write the SELECT of a query.

    Its columns: the id of what is searched where rows are nested (NULL otherwise), then the main fields, then of each
    branch its id and its fields.

    Args:
        query: What to look for.
        rows: What to show.
        conditions: Compiles the criteria.
        most: Most rows to read, or None for all.

    Raises:
        AQLError: If a value does not fit its field or operator.
    """
    where = conditions.where(query.criteria)
    if query.domain not in TABLES:
        return NO_ROWS
    roads = conditions.routes(query.criteria)
    joined = _joins(query, rows, conditions, roads)
    is_multiplied = any(road not in _single_roads(query.domain) for road in roads)
    distinct = "DISTINCT " if query.distinct and (is_multiplied or not _is_unique(rows)) else ""
    text = (  # every value is a parameter
        f"SELECT {distinct}{', '.join(_columns(rows, is_distinct=query.distinct))}"  # noqa: S608 - see above
        f" FROM {_main_table(query.domain)}{joined.text} "
        f"WHERE {where.text}{_order(query, rows)} LIMIT ? OFFSET ?"
    )
    bounds = (-1 if most is None else most, query.offset)
    return SQL(text, joined.parameters + where.parameters + bounds)


def _main_table(domain: str) -> str:
    table = TABLES[domain]
    with_item = f" JOIN items AS i ON i.id = {table.alias}.item_id" if domain in _WITH_ITEM else ""
    return f"{table.name} AS {table.alias}{with_item}"


def _single_roads(domain: str) -> tuple[Route, ...]:
    """Roads to at most one row."""
    return {"item": (_STAT,), "property": (("item",), ("item", "stat")), "stat": (("item",),)}.get(domain, ())


def _validate_sort(query: Query, rows: Shown) -> None:
    fields = query.sort.fields if query.sort else ()
    nested = {field for branch in rows.branches for field in branch.fields}
    if not {*rows.main, *nested}.issuperset(fields):
        raise AQLError("Only the result fields are allowed to use in the sort section.")
    if len(set(fields)) < len(fields):
        raise AQLError("Duplicate fields, all the fields in the sort section should be unique.")


def _is_unique(rows: Shown) -> bool:
    if rows.is_nested:
        return not any(branch.is_part_of_property for branch in rows.branches)
    return rows.domain in ("item", "property") and ("id" in rows.names or rows.names >= _ADDRESS)


def _columns(rows: Shown, *, is_distinct: bool) -> list[str]:
    domain, table = rows.domain, TABLES[rows.domain]
    columns = [f"{table.alias}.{table.key}" if rows.is_nested else "NULL"]
    columns += [column(domain, field) for field in rows.main]
    for branch in rows.branches:
        columns.append("NULL" if is_distinct and branch.is_part_of_property else _branch_id(domain, branch))
        columns += [_branch_column(domain, field) for field in branch.fields]
    return columns


def _branch_id(domain: str, branch: Branch) -> str:
    """Name the column that distinguishes the rows of a branch, and is NULL if there is none."""
    if (domain, branch.route) == ("item", _STAT):
        return "i.id"  # a file that was never downloaded may have no statistics; they are printed all the same
    return f"{alias_at(domain, branch.route)}.{table_at(domain, branch.route).key}"


def _branch_column(domain: str, field: Field) -> str:
    if (domain, field.route, field.name) == ("item", _STAT, "downloads"):
        return "COALESCE(s.downloads, 0)"
    return column(domain, field)


def _joins(query: Query, rows: Shown, conditions: Conditions, roads: Iterable[Route]) -> SQL:
    required = required_roads(query.criteria)
    properties = {branch.route: branch.keys for branch in rows.branches if branch.is_of_properties}
    text = ""
    parameters: tuple[Parameter, ...] = ()
    for road in dict.fromkeys((*roads, *(branch.route for branch in rows.branches))):
        if query.domain in _WITH_ITEM and road == ("item",):
            continue
        text += join(query.domain, road, is_required=road in required)
        if road in properties:
            wanted = conditions.shown_property(query.criteria, road, properties[road])
            text += f" AND {wanted.text}"
            parameters += wanted.parameters
    return SQL(text, parameters)


def _order(query: Query, rows: Shown) -> str:
    if rows.is_nested:
        # Rows of what is searched must follow each other; as on the server, this takes the place of the sort section.
        # The plus keeps SQLite from walking the whole table to have the order for free.
        table = TABLES[query.domain]
        return f" ORDER BY +{table.alias}.{table.key}"
    if query.sort is None:
        return ""
    direction = "DESC" if query.sort.descending else "ASC"
    return " ORDER BY " + ", ".join(f"{column(query.domain, field)} {direction}" for field in query.sort.fields)


def _entry_fields(entry: Selection) -> tuple[Field, ...]:
    if isinstance(entry, Fields):
        return entry.fields
    return (entry,) if isinstance(entry, Field) else ()
