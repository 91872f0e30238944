"""
Access to local files, other than those that the cache (`_cache`) manages itself.

Functions that block say so, and must run in a thread (`_threads`). Callers pass whole batches: a hop into a thread
costs more than a small write.
"""

from .changes import check_reachable, check_seen, copy_file, delete_file, rename_file
from .folders import (
    TargetFile,
    check_folder,
    check_target,
    device_of,
    file_status,
    find_target,
    folds_names,
    free_space,
    is_file,
    is_folder,
    make_folder,
    no_space,
    resolve_folder,
    sync_folder,
)
from .manifest import Manifest, Stamp
from .open_files import is_still, lock
from .part_files import is_left_behind, private_part, remove_left_behind
from .source import (
    SMALL,
    Source,
    are_small,
    blocks_of,
    file_size,
    hash_file,
    opened,
    read_several_small,
    read_small,
    read_source,
    read_text_if_exists,
    source_of_bytes,
)
from .spool import Spool
from .staging import Staging
from .tree import TreeFile, list_tree
from .whole_file import write_file

__all__ = [
    "SMALL",
    "Manifest",
    "Source",
    "Spool",
    "Staging",
    "Stamp",
    "TargetFile",
    "TreeFile",
    "are_small",
    "blocks_of",
    "check_folder",
    "check_reachable",
    "check_seen",
    "check_target",
    "copy_file",
    "delete_file",
    "device_of",
    "file_size",
    "file_status",
    "find_target",
    "folds_names",
    "free_space",
    "hash_file",
    "is_file",
    "is_folder",
    "is_left_behind",
    "is_still",
    "list_tree",
    "lock",
    "make_folder",
    "no_space",
    "opened",
    "private_part",
    "read_several_small",
    "read_small",
    "read_source",
    "read_text_if_exists",
    "remove_left_behind",
    "rename_file",
    "resolve_folder",
    "source_of_bytes",
    "sync_folder",
    "write_file",
]
