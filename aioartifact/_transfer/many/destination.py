"""The folder that a bulk call writes to: what is made in it, and which names are given away."""

import hashlib
import os
from typing import NamedTuple

from ..._errors import InvalidArgumentError
from ..._files import Staging, TargetFile, find_target, folds_names, make_folder, resolve_folder
from ..local_paths import check_inside, folded

# Folders that are remembered as made; after so many, all are looked at again.
_MAX_FOLDERS = 4096


class Claim(NamedTuple):
    """
    A name that belongs to one item of a call.

    Attributes:
        real: The path that the item is written to, with all symbolic links followed.
        file: The file there.
    """

    real: str
    file: TargetFile


class Destination:
    """
    A folder that items are written to, each under a name of its own.

    Every method blocks, and is called by one thread at a time. The memory of the names is about 200 bytes for each.
    """

    def __init__(self, root: str, *, durable: bool = False) -> None:
        self.root = root
        self._durable = durable
        self._real_root: str | None = None
        self._entered: dict[str, str] = {}
        self._with_records: set[str] = set()
        # By the digest of a name as file systems may fold it: that of the first such name as it is. Then, where
        # the file system distinguishes them, those of the others.
        self._first: dict[bytes, bytes] = {}
        self._twins: set[bytes] = set()

    def claim(self, target: str, url: str) -> Claim:
        """
        Give *target* to the item at *url*, and make its folder.

        Raises:
            InvalidArgumentError: Another item has this target, perhaps by another spelling or another way.
            UnsafePathError: A symbolic link to a folder leads out of the destination.
            LocalFileError: The disk refused, or *target* is not a regular file, see `find_target`.
        """
        folder, name = os.path.split(target)
        real = self._enter(folder) + name
        file = find_target(target)
        if file.is_link:
            real, folder = file.path, os.path.dirname(file.path)
        exact, alike = _digest(real), folded(real)
        fold = exact if alike == real else _digest(alike)
        first = self._first.setdefault(fold, exact)
        if first is not exact:
            if first == exact or exact in self._twins or folds_names(folder):
                raise InvalidArgumentError(
                    f"{url}: another item of this call goes to {target} too", hint="give (url, path) pairs"
                )
            self._twins.add(exact)
        return Claim(real, file)

    def may_have_record(self, file: TargetFile) -> bool:
        """Whether an earlier run may have left a record beside *file*, which has been claimed."""
        return file.is_link or (bool(self._with_records) and os.path.dirname(file.path) in self._with_records)

    def _enter(self, folder: str) -> str:
        """Make *folder*, unless a link puts it outside the destination; return its real path, for a name to follow."""
        real = self._entered.get(folder)
        if real is None:
            if self._real_root is None:
                make_folder(self.root, durable=self._durable)
                self._real_root = resolve_folder(self.root)
            # Looked at before anything is made below: makedirs would follow the link.
            real = resolve_folder(folder)
            check_inside(self._real_root, real)
            make_folder(folder, durable=self._durable)
            if len(self._entered) >= _MAX_FOLDERS:
                self._entered.clear()
                self._with_records.clear()
            real = self._entered[folder] = os.path.join(real, "")
            if Staging.may_have_records(folder):
                self._with_records.add(folder)
        return real


def _digest(path: str) -> bytes:
    return hashlib.blake2b(path.encode(errors="surrogatepass"), digest_size=12).digest()
