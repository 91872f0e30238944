"""
Artifactory Query Language: queries as values.

See: JFrog, "Artifactory Query Language".
"""

from .conditions import Condition, before, eq, ge, gt, last, le, lt, match, ne, not_match
from .criteria import Criteria, ItemFields, all_of, any_of, field, has_property, where
from .item_query import KEY, Items, items
from .prepared_queries import entries_below, files_with_property, folders_in, folders_in_each

__all__ = [
    "KEY",
    "Condition",
    "Criteria",
    "ItemFields",
    "Items",
    "all_of",
    "any_of",
    "before",
    "entries_below",
    "eq",
    "field",
    "files_with_property",
    "folders_in",
    "folders_in_each",
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
