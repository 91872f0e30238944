"""
The entries below a folder, by a method that the server, its edition and the user allow.

Three methods, each the fallback of the one before it: File List (one request; Pro, not for anonymous users), AQL (one
request, or several where the server trims its responses; not for anonymous users), Folder Info of every folder (works
everywhere).
"""

from .arrays import collect
from .by_folders import fetch_info
from .methods import METHODS, list_files, list_folder, list_with_fallback
from .results import Batches, Entry, FileListing, Listing, ListingStatus, Method, Results
from .rows import Rows

__all__ = [
    "METHODS",
    "Batches",
    "Entry",
    "FileListing",
    "Listing",
    "ListingStatus",
    "Method",
    "Results",
    "Rows",
    "collect",
    "fetch_info",
    "list_files",
    "list_folder",
    "list_with_fallback",
]
