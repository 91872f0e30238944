"""What the name of a file says whatever the layout: checksum siblings, Maven's metadata, snapshots, invalid names."""

METADATA = "maven-metadata.xml"
CHECKSUM_EXTENSIONS = ("sha1", "sha256", "md5")

_INVALID = '|*?"'
_SNAPSHOT = "-SNAPSHOT"


def split_checksum(path: str) -> tuple[str, str]:
    """Split ``a.jar.sha1`` into ``a.jar`` and ``sha1``; the second is ``""`` for any other path."""
    target, _, extension = path.rpartition(".")
    return (target, extension) if extension in CHECKSUM_EXTENSIONS else (path, "")


def is_metadata(path: str) -> bool:
    """Return whether this is Maven's ``maven-metadata.xml``, or a checksum of it."""
    return split_checksum(path)[0].rpartition("/")[2] == METADATA


def is_snapshot_metadata(path: str) -> bool:
    """Return whether this is the metadata of one snapshot version: of a folder ``...-SNAPSHOT``."""
    return is_metadata(path) and path.rpartition("/")[0].endswith(_SNAPSHOT)


def is_overridable_snapshot(path: str) -> bool:
    """Return whether this is a snapshot without a timestamp: each deploy takes the place of the one before."""
    folder, _, name = path.rpartition("/")
    return folder.endswith(_SNAPSHOT) and _SNAPSHOT in name


def is_expirable(path: str) -> bool:
    """Return whether the item at *path* changes regularly, so that it must not be cached."""
    return is_metadata(path) or is_overridable_snapshot(path)


def path_problem(path: str, address: str) -> str:
    """
    Return why Artifactory cannot store anything at *path*, ``""`` if it can.

    Args:
        path: The path inside the repository.
        address: The path as messages name it.
    """
    for character in _INVALID:
        if character in path:
            return f"Invalid path. '{character}' is not a valid name character: {address}"
    segments = path.split("/")
    if any(segment.startswith(" ") for segment in segments):
        return f"Path cannot have a space after a slash: {address}"
    if any(segment.endswith(".") for segment in segments):
        return "Path element cannot end with a dot"
    return "Path cannot have single ampersand" if "&" in segments else ""
