"""Where the cache is, unless the caller names a folder."""

import ntpath
import os
import posixpath
from collections.abc import Mapping

_NAME = "aioartifact"
_FALSE = {"", "0", "false", "no", "off"}


def default_folder(environ: Mapping[str, str], platform: str, home: str) -> str:
    """
    The folder for caches by the rules of the operating system, as platformdirs has them.

    Args:
        environ: Variables of the environment; ``AIOARTIFACT_CACHE`` names another folder.
        platform: ``sys.platform``.
        home: The home folder.
    """
    if chosen := environ.get("AIOARTIFACT_CACHE", "").strip():
        return chosen
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "").strip() or ntpath.join(home, "AppData", "Local")
        return ntpath.join(local, _NAME, "Cache")
    if platform == "darwin":
        return posixpath.join(home, "Library", "Caches", _NAME)
    chosen = environ.get("XDG_CACHE_HOME", "").strip()
    # The specification of XDG ignores relative paths.
    return posixpath.join(chosen if posixpath.isabs(chosen) else posixpath.join(home, ".cache"), _NAME)


def is_offline(environ: Mapping[str, str]) -> bool:
    """Whether the environment demands that no server is used."""
    return environ.get("AIOARTIFACT_OFFLINE", "").strip().lower() not in _FALSE


def resolved(folder: str) -> str:
    """*folder* as an absolute path, with the home folder in place of a leading ``~``."""
    return os.path.abspath(os.path.expanduser(folder))  # keeps a name of no user
