"""What the name of a file says whatever the layout: checksum siblings, Maven's metadata, snapshots."""

METADATA = "maven-metadata.xml"
CHECKSUM_EXTENSIONS = ("sha1", "sha256", "md5")

_SNAPSHOT = "-SNAPSHOT"


def split_checksum(path: str) -> tuple[str, str]:
    """Split ``a.jar.sha1`` into ``a.jar`` and ``sha1``; the second is ``""`` for any other path."""
    target, _, extension = path.rpartition(".")
    return (target, extension) if extension in CHECKSUM_EXTENSIONS else (path, "")


def is_metadata(path: str) -> bool:
    """Tell whether this is Maven's ``maven-metadata.xml``, or a checksum of it."""
    return split_checksum(path)[0].rpartition("/")[2] == METADATA


def is_snapshot_metadata(path: str) -> bool:
    """Tell whether this is the metadata of one snapshot version: of a folder ``...-SNAPSHOT``."""
    return is_metadata(path) and path.rpartition("/")[0].endswith(_SNAPSHOT)


def is_overridable_snapshot(path: str) -> bool:
    """Tell whether this is a snapshot without a timestamp: each deploy takes the place of the one before."""
    folder, _, name = path.rpartition("/")
    return folder.endswith(_SNAPSHOT) and _SNAPSHOT in name


def is_expirable(path: str) -> bool:
    """Tell whether what is at *path* changes in the ordinary course of things, so that nobody may keep it."""
    return is_metadata(path) or is_overridable_snapshot(path)
