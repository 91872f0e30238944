"""
A cache of files by their SHA-256, shared by projects and processes.

Correctness does not depend on locks: an entry is written under another name, hashed and renamed, and hashed again
whenever it is used. Locks only prevent several processes from downloading the same file at the same time.
"""

from .cache import Cache, CacheLike, OpenCache, cache_of, not_cached, opened_cache
from .records import KnownFile
from .store import CacheEntry, LinkMode

__all__ = [
    "Cache",
    "CacheEntry",
    "CacheLike",
    "KnownFile",
    "LinkMode",
    "OpenCache",
    "cache_of",
    "not_cached",
    "opened_cache",
]
