"""From a query's tree to one SELECT, and what of the row each of its columns becomes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .criteria import Conditions, column
from .errors import AQLError
from .fields import Field, Fields, Kind, PropertyKey, Selection, default_fields
from .sql import SQL, Parameter
from .syntax import Junction, Query

Edition = Literal["oss", "pro"]

_ADDRESS = {"repo", "path", "name"}
# Fields of an item as they are printed; whatever is not named here follows in alphabetical order.
_PRINT_ORDER = (
    *("repo", "path", "name", "type", "size"),
    *("created", "created_by", "modified", "modified_by", "updated", "depth"),
)
_ID = {"item": "i.id", "property": "p.id"}
_TABLES = {"item": "items AS i", "property": "properties AS p JOIN items AS i ON i.id = p.item_id"}
_WHOLE_PROPERTY = (Field(("property",), "key", Kind.STRING), Field(("property",), "value", Kind.STRING))


NO_ROWS = SQL("SELECT NULL WHERE 0")


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What a row of the answer has.

    Attributes:
        main: Fields of the searched domain, in printing order.
        properties: Fields of each property; none unless properties are included.
        keys: Keys of the properties wanted; none for all.
        stats: Fields of the download statistics; none unless they are included.
        items: Fields of the item that a property belongs to; none unless they are included.
    """

    main: tuple[Field, ...]
    properties: tuple[Field, ...] = ()
    keys: tuple[str, ...] = ()
    stats: tuple[Field, ...] = ()
    items: tuple[Field, ...] = ()

    @property
    def names(self) -> set[str]:
        """Names of the main fields."""
        return {field.name for field in self.main}

    @property
    def is_nested(self) -> bool:
        """Whether rows of other tables are shown, so that what is searched takes several rows."""
        return bool(self.properties or self.stats or self.items)


def print_position(name: str) -> tuple[int, str]:
    """Sort key of a field's name, or of a nested array's, in a printed row."""
    known = _PRINT_ORDER.index(name) if name in _PRINT_ORDER else len(_PRINT_ORDER)
    return known, name


def shown(query: Query) -> Shown:
    """Decide what the rows have: the include section's fields, or the defaults of the domain."""
    selected = [field for entry in query.include for field in _entry_fields(entry)]
    main = {field for field in selected if not field.route} or set(default_fields(query.domain))
    of_property = {field for field in selected if field.route == ("property",)}
    keyed = [entry.key for entry in query.include if isinstance(entry, PropertyKey) and not entry.route]
    return Shown(
        _printed(main),
        tuple(field for field in _WHOLE_PROPERTY if field in of_property or keyed),
        () if of_property else tuple(keyed),
        tuple(field for field in dict.fromkeys(selected) if field.route == ("stat",)),
        _printed(field for field in selected if query.domain == "property" and _is_of_item(field)),
    )


def _is_of_item(field: Field) -> bool:
    return field.route == ("item",) and field.name != "id"  # which is never printed


def _printed(fields: Iterable[Field]) -> tuple[Field, ...]:
    return tuple(sorted(dict.fromkeys(fields), key=lambda field: print_position(field.name)))


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
    if edition == "oss" and (rows.keys or any(query.criteria.groups(Junction.RESULT_FILTER))):
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

    Its columns: the id of what is searched where rows are nested (NULL otherwise), then the main fields, the fields
    of a property, those of the statistics, those of the item of a property.

    Args:
        query: What to look for.
        rows: What to show.
        conditions: Compiles the criteria.
        most: Most rows to read, or None for all.

    Raises:
        AQLError: A value does not fit its field or operator.
    """
    where = conditions.where(query.criteria)
    if query.domain not in _TABLES:
        return NO_ROWS
    joined = _joins(query, rows, conditions)
    distinct = "DISTINCT " if query.distinct and not _is_unique(rows) else ""
    text = (  # every value is a parameter
        f"SELECT {distinct}{', '.join(_columns(query.domain, rows))}"  # noqa: S608 - see above
        f" FROM {_TABLES[query.domain]}{joined.text} "
        f"WHERE {where.text}{_order(query, rows)} LIMIT ? OFFSET ?"
    )
    bounds = (-1 if most is None else most, query.offset)
    return SQL(text, joined.parameters + where.parameters + bounds)


def _entry_fields(entry: Selection) -> tuple[Field, ...]:
    if isinstance(entry, Fields):
        return entry.fields
    return (entry,) if isinstance(entry, Field) else ()


def _validate_sort(query: Query, rows: Shown) -> None:
    fields = query.sort.fields if query.sort else ()
    if not {*rows.main, *rows.properties, *rows.stats}.issuperset(fields):
        raise AQLError("Only the result fields are allowed to use in the sort section.")
    if len(set(fields)) < len(fields):
        raise AQLError("Duplicate fields, all the fields in the sort section should be unique.")


def _is_unique(rows: Shown) -> bool:
    if rows.is_nested:
        return len(rows.properties) in (0, len(_WHOLE_PROPERTY))
    return "id" in rows.names or rows.names >= _ADDRESS


def _columns(domain: str, rows: Shown) -> list[str]:
    of_property = [f"p.{field.name}" for field in rows.properties]
    of_item = [column(domain, field) for field in rows.items]
    main = [column(domain, field) for field in rows.main]
    return [_ID[domain] if rows.is_nested else "NULL", *main, *of_property, *map(_stat_column, rows.stats), *of_item]


def _stat_column(field: Field) -> str:
    # A file nobody has downloaded may have no statistics; its count is printed all the same.
    return "COALESCE(s.downloads, 0)" if field.name == "downloads" else column("item", field)


def _joins(query: Query, rows: Shown, conditions: Conditions) -> SQL:
    text = ""
    parameters: tuple[Parameter, ...] = ()
    if rows.stats or any(each.subject.route[-1:] == ("stat",) for each in query.criteria.comparisons()):
        text = " LEFT JOIN stats AS s ON s.item_id = i.id"
    if rows.properties:
        wanted = conditions.shown_property(query.criteria, rows.keys)
        text += f" LEFT JOIN properties AS p ON p.item_id = i.id AND {wanted.text}"
        parameters = wanted.parameters
    return SQL(text, parameters)


def _order(query: Query, rows: Shown) -> str:
    if rows.is_nested:
        # Rows of one item must follow each other; as on the server, this takes the place of the sort section.
        # The plus keeps SQLite from walking the whole table to have the order for free.
        return f" ORDER BY +{_ID[query.domain]}"
    if query.sort is None:
        return ""
    direction = "DESC" if query.sort.descending else "ASC"
    return " ORDER BY " + ", ".join(f"{column(query.domain, field)} {direction}" for field in query.sort.fields)
