"""What the service told us: values, with no way to ask for more."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._checksums import Checksums


@dataclass(frozen=True, slots=True)
class FileInfo:
    """
    A file as the server describes it (JFrog "File Info").

    Attributes:
        url: Download URL, percent-encoded, rebuilt from the address that was asked for.
        repository: Repository key the server reports; for a remote repository that of its cache.
        path: Path inside the repository, raw, without a leading slash.
        size: Bytes; None where a listing does not tell.
        checksums: Checksums the server computed.
        created: When it was deployed, with time zone, or None.
        modified: When it was last modified, with time zone, or None.
        created_by: User who deployed it, or None.
        modified_by: User who last modified it, or None.
        mime_type: Media type by file extension, or None.
    """

    url: str
    repository: str
    path: str
    size: int | None = None
    checksums: Checksums = field(default_factory=Checksums)
    created: datetime | None = None
    modified: datetime | None = None
    created_by: str | None = None
    modified_by: str | None = None
    mime_type: str | None = None

    @property
    def name(self) -> str:
        """Last segment of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Child:
    """
    One entry of a folder.

    Attributes:
        name: Raw name.
        folder: Whether it is a folder.
    """

    name: str
    folder: bool


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """
    A folder or a repository as the server describes it (JFrog "Folder Info").

    Attributes:
        url: Its URL, percent-encoded, without a trailing slash.
        repository: Repository key the server reports.
        path: Path inside the repository, raw; ``""`` for the repository itself.
        children: Entries one level below, in the server's order (folders first).
        created: When it was made, with time zone, or None.
        modified: When it was last modified, with time zone, or None.
        created_by: User who made it, or None.
        modified_by: User who last modified it, or None.
    """

    url: str
    repository: str
    path: str
    children: tuple[Child, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
    created_by: str | None = None
    modified_by: str | None = None

    @property
    def name(self) -> str:
        """Last segment of the path; the repository key for the repository itself."""
        return self.path.rpartition("/")[2] or self.repository


# Only charsets: Python would also take names of its codecs that are none.
_CHARSET = re.compile(r"charset=\"?(utf-?8|utf-?16|iso-8859-\d+|us-ascii|windows-125\d)\b", re.IGNORECASE)


def decode_text(content: bytes, content_type: str) -> str:
    """
    Decode a body by the charset of its Content-Type, else UTF-8, else Latin-1.

    Artifactory's servlet layer writes Latin-1 and says so; its REST layer writes UTF-8 and often does not.
    """
    match = _CHARSET.search(content_type)
    for charset in (match[1] if match else "utf-8", "utf-8"):
        try:
            return content.decode(charset)
        except (LookupError, UnicodeError):
            continue
    return content.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Response:
    """
    An answer that has been read whole.

    Attributes:
        status_code: HTTP status code.
        content: Body.
        headers: Header fields; look-up ignores case.
        url: The URL asked for, without its query.
    """

    status_code: int
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    url: str

    @property
    def text(self) -> str:
        """Body as text, by the charset of its Content-Type, else UTF-8, else Latin-1."""
        return decode_text(self.content, self.headers.get("Content-Type", ""))

    def json(self) -> Any:
        """
        Body parsed as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        return json.loads(self.text)
