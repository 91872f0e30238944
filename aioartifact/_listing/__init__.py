"""
What there is below a folder, from whatever the server, its edition and the user allow.

A ladder of three rungs: File List (one request; Pro, not for anonymous users), AQL (one request, or several where
the server trims its answers; not for anonymous users), Folder Info of every folder (works everywhere).
"""

from .arrays import collect
from .info import fetch_info
from .ladder import METHODS, climb, list_files, list_folder
from .listing import Batches, Entry, Findings, Listing, Method, Results
from .rows import Rows

__all__ = [
    "METHODS",
    "Batches",
    "Entry",
    "Findings",
    "Listing",
    "Method",
    "Results",
    "Rows",
    "climb",
    "collect",
    "fetch_info",
    "list_files",
    "list_folder",
]
