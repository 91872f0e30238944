"""Content types by file extension, after Artifactory's ``mimetypes.xml``."""

DEFAULT = "application/octet-stream"
CHECKSUM = "application/x-checksum"

_BY_EXTENSION = {
    "asc": "text/plain",
    "bz2": "application/x-bzip2",
    "css": "text/css",
    "deb": "application/x-debian-package",
    "ear": "application/java-archive",
    "exe": "application/octet-stream",
    "gem": "application/x-rubygems",
    "gz": "application/x-gzip",
    "htm": "text/html",
    "html": "text/html",
    "ivy": "application/x-ivy+xml",
    "jar": "application/java-archive",
    "json": "application/json",
    "md5": CHECKSUM,
    "nupkg": "application/x-nupkg",
    "pom": "application/x-maven-pom+xml",
    "properties": "text/plain",
    "rpm": "application/x-rpm",
    "sha1": CHECKSUM,
    "sha256": CHECKSUM,
    "sha512": CHECKSUM,
    "tar": "application/x-tar",
    "tgz": "application/x-gzip",
    "txt": "text/plain",
    "war": "application/java-archive",
    "whl": "application/zip",
    "xml": "application/xml",
    "xsd": "application/xml",
    "yaml": "text/x-yaml",
    "yml": "text/x-yaml",
    "zip": "application/zip",
}


_DISPLAYABLE = {"pom": "application/xml", "md": "text/plain", "md5": "text/plain", "sha1": "text/plain"}


def displayable(name: str) -> str:
    """Return a content type that browsers show rather than save, where there is one."""
    return _DISPLAYABLE.get(name.rpartition(".")[2].lower()) or content_type(name)


def content_type(name: str) -> str:
    """Return the content type Artifactory gives a file of this name."""
    return _BY_EXTENSION.get(name.rpartition(".")[2].lower(), DEFAULT)
