"""Where a file may be written, and under which name: the functions that keep a transfer inside its folder."""

import hashlib
import os
import re
import unicodedata

from .._address import ItemURL, check_name, has_surrogates
from .._errors import UnsafePathError
from .._files import resolve_folder

_NO_NAMES = frozenset({"", ".", ".."})
_MAX_UNITS = 255
_DIGEST_CHARACTERS = 32
# Reserved with any extension; the superscript digits count as digits there.
# See: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])[ ]*(?:\.|$)", re.IGNORECASE)
# The last alternative is a percent sign that would read as an escape of `windows_name`.
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*\x7f]|[. ]$|%(?=[0-9A-Fa-f]{2}|~)')


def local_path(root: str, relative: str | os.PathLike[str]) -> str:
    """
    Return where a listed file goes below *root*; on Windows with names that it allows.

    Raises:
        UnsafePathError: If the path is absolute or empty, or has a part that would lead elsewhere or cannot be a file
            name.
    """
    parts = _safe_parts(root, relative)
    return os.path.join(root, *map(local_name, parts)) if os.name == "nt" else os.path.join(root, relative)


def path_below(root: str, relative: str) -> str:
    """
    The path of a local file below *root*; its names are not changed.

    Raises:
        UnsafePathError: See :func:`local_path`.
    """
    return os.path.join(root, *_safe_parts(root, relative))


def _safe_parts(root: str, relative: str | os.PathLike[str]) -> list[str]:
    text = os.fspath(relative)
    parts = text.split("/")
    if not text.isascii():
        try:
            os.fsencode(text)
        except UnicodeEncodeError as error:
            raise UnsafePathError(f"{text!r}: the file system cannot express this name; refused") from error
    if "\0" in text or not _NO_NAMES.isdisjoint(parts):
        raise UnsafePathError(f"{text!r}: would be written outside {root}, or has no proper name; refused")
    return parts


def local_name(name: str) -> str:
    """The local name of a server's file with this *name*: the same, unless Windows does not allow it."""
    return windows_name(name) if os.name == "nt" else name


def check_inside(root: str, folder: str) -> None:
    """
    Make sure a resolved *folder* lies in the resolved *root*.

    Raises:
        UnsafePathError: If a symbolic link leads out of it.
    """
    if os.path.commonpath([root, folder]) != root:
        raise UnsafePathError(f"{folder}: lies outside {root}, a symbolic link leads there; refused")


def relative_path(base: str, path: str) -> str:
    """Path of a listed file below the listed folder *base*, both raw."""
    return path.removeprefix(f"{base}/") if base else path


def item_below(folder: ItemURL, relative: str) -> ItemURL:
    """
    Where a local file goes below *folder*.

    Raises:
        InvalidURLError: If the path is absolute, or Artifactory cannot hold one of its names.
    """
    for name in relative.split("/"):
        check_name(name)
    return folder / relative


def listed_below(folder: ItemURL, relative: str) -> ItemURL:
    """
    The item that a listing of *folder* names; a path that cannot be a local file is refused only when it is written.

    Raises:
        InvalidURLError: If the path cannot be expressed in UTF-8, and so not in a URL.
    """
    return item_below(folder, relative) if has_surrogates(relative) else folder / relative


def path_below_root(root: str, path: str) -> str:
    """
    Return the part of an absolute *path* below *root*, and a relative path as it is; blocks.

    If a symbolic link leads to the root, the path may start with the link or with its target.

    Raises:
        UnsafePathError: If *path* lies elsewhere.
    """
    if not os.path.isabs(path):
        return path
    for base in (os.path.abspath(root), resolve_folder(root)):
        prefix = os.path.join(base, "")
        if os.path.normcase(path).startswith(os.path.normcase(prefix)):
            return path[len(prefix) :]
    raise UnsafePathError(f"{path}: lies outside {root}; refused", hint="give a path below the destination")


def windows_name(name: str) -> str:
    """
    Map one segment of a server's path to a name that Windows can hold.

    What Windows refuses is percent-encoded; of a reserved device name, the first letter is. A safe name is unchanged.
    Names of more than 255 UTF-16 units are cut, and end in ``%~`` and a digest of the whole name. No two names map to
    the same one.
    """
    escaped = _UNSAFE.sub(_escape, name)
    if _DEVICE.match(name):
        escaped = f"%{ord(name[0]):02X}{escaped[1:]}"
    if _units(escaped) <= _MAX_UNITS:
        return escaped
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{_cut(escaped, _MAX_UNITS - len(digest) - 2)}%~{digest}"


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _units(name: str) -> int:
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


def _cut(name: str, units: int) -> str:
    return name.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")


def folded(name: str) -> str:
    """*name* as compared by file systems that ignore case and Unicode normalization."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
