"""One request to one server, and a body that can be sent again."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field

from .._address import ServerURL, mask_url

# Files must arrive without a content coding: sizes, ranges and checksums refer to the stored bytes.
IDENTITY = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Upload:
    """
    A request body that can be sent again.

    Attributes:
        open: Starts a new pass over the bytes.
        size: Number of bytes.
        content: The bytes themselves, if they are in memory.
    """

    open: Callable[[], AsyncGenerator[bytes | memoryview, None]]
    size: int
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request to one server.

    Attributes:
        method: HTTP method.
        url: Complete URL, percent-encoded.
        server: Server whose credentials and back-off apply.
        headers: Header fields in addition to those of the session.
        body: Bytes, or an upload, or None.
        repeatable: Whether sending it twice does no more than sending it once.
        locate: Shows the position in the request that the message of a refusal names; None if it does not name one.
        is_for_file: Whether the body of the response is a file: its bytes must keep arriving, and are passed on as
            received, without removing a content coding.
        is_redirected: Whether the server redirected it, to the same host or another.
        redirected_to: Other host, with its port, to which the server redirected it, or None.
    """

    method: str
    url: str
    server: ServerURL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Upload | None = None
    repeatable: bool = True
    locate: Callable[[str], str | None] = lambda _: None
    is_for_file: bool = False
    is_redirected: bool = False
    redirected_to: str | None = None

    @property
    def label(self) -> str:
        """Prefix of messages: method, masked URL and origin of the response; of a signed URL only the host."""
        asked = f"{self.method} {mask_url(self.url)}"
        return f"{asked}, redirected to {self.redirected_to}" if self.redirected_to else asked
