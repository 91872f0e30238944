"""
The one home of local files.

What blocks says so, and belongs into a thread (`_threads`). Callers hand over whole batches: a hop into a thread
costs more than a small write.
"""

from .folders import (
    check_folder,
    check_target,
    file_status,
    folds_names,
    is_file,
    is_folder,
    make_folder,
    resolve_folder,
)
from .manifest import Manifest, Stamp
from .reading import Source, file_size, hash_file, read_blocks, read_source, read_text_if_exists
from .staging import Staging
from .tree import TreeFile, list_tree

__all__ = [
    "Manifest",
    "Source",
    "Staging",
    "Stamp",
    "TreeFile",
    "check_folder",
    "check_target",
    "file_size",
    "file_status",
    "folds_names",
    "hash_file",
    "is_file",
    "is_folder",
    "list_tree",
    "make_folder",
    "read_blocks",
    "read_source",
    "read_text_if_exists",
    "resolve_folder",
]
