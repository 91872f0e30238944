"""
Versions without a request: the order of each scheme, specifiers, and what is picked of many names.

An order is a key, not a comparison: keys always compare, so no list of names can raise or depend on the order it
came in.
"""

from .maven import base_version
from .schemes import SchemeLike, SchemeName
from .selection import Selection, Where, selection_of

__all__ = ["SchemeLike", "SchemeName", "Selection", "Where", "base_version", "selection_of"]
