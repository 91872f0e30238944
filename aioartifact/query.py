"""
Queries in AQL as typed values; :func:`aioartifact.aql` sends them.

::

    from aioartifact import query

    newest = query.items(repo="models", name=query.match("*.onnx"), created=query.last("7d"))

Values are validated when the query is built, so a value cannot change the query. AQL has no escapes; values that it
cannot express raise an error.

See: JFrog, "Artifactory Query Language".
"""

from ._aql import (
    Condition,
    Criteria,
    ItemFields,
    Items,
    all_of,
    any_of,
    before,
    eq,
    field,
    ge,
    gt,
    has_property,
    items,
    last,
    le,
    lt,
    match,
    ne,
    not_match,
    where,
)

__all__ = [
    "Condition",
    "Criteria",
    "ItemFields",
    "Items",
    "all_of",
    "any_of",
    "before",
    "eq",
    "field",
    "ge",
    "gt",
    "has_property",
    "items",
    "last",
    "le",
    "lt",
    "match",
    "ne",
    "not_match",
    "where",
]

for _name in __all__:
    globals()[_name].__module__ = __name__  # what reprs, tracebacks and pickles show
