"""
Bodies of the type ``multipart/form-data``, taken apart as they arrive.

See: RFC 7578
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

_HEADERS = 16 << 10  # bytes that the headers of a part may have


class FormDataError(ValueError):
    """The body does not match its type; the text explains why."""


@dataclass(frozen=True, slots=True)
class Part:
    """
    The start of a part.

    Attributes:
        name: Name of the field.
        file_name: Name of the file in it; None for a field that is none.
    """

    name: str
    file_name: str | None


def boundary_of(content_type: str) -> bytes:
    """
    Return what separates the parts.

    Raises:
        FormDataError: If the type is another one, or names no boundary.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary:
        raise FormDataError("The body is no multipart/form-data")
    return boundary.encode("latin-1", "replace")


class FormData:
    """
    Splits a body: for each part a :class:`Part`, then its bytes in pieces, then None.

    Args:
        boundary: What separates the parts.
    """

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._data = bytearray(b"\r\n")  # so that the first delimiter is like the others
        self._inside = False
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Part | bytes | None]:
        """
        Take the next piece of the body.

        Raises:
            FormDataError: If a part has headers that make no sense.
        """
        self._data += data
        while not self._ended:
            start = self._data.find(self._delimiter)
            if start < 0:
                yield from self._up_to(len(self._data) - len(self._delimiter) + 1)
                return
            yield from self._up_to(start)
            after = len(self._delimiter)
            if self._data[after : after + 2] == b"--":
                self._ended = True
                yield from self._end_part()
                return
            stop = self._data.find(b"\r\n\r\n", after)
            if stop < 0:
                if len(self._data) > after + _HEADERS:
                    raise FormDataError("The headers of a part are too long")
                return
            yield from self._end_part()
            yield _part(bytes(self._data[after + 2 : stop + 4]))
            self._inside = True
            del self._data[: stop + 4]

    def finish(self) -> None:
        """
        State that the body has ended.

        Raises:
            FormDataError: If it is incomplete.
        """
        if not self._ended:
            raise FormDataError("The body ends in the middle of a part")

    def _up_to(self, stop: int) -> Iterator[bytes]:
        if stop <= 0:
            return
        piece = bytes(self._data[:stop])
        del self._data[:stop]
        if self._inside:
            yield piece

    def _end_part(self) -> Iterator[None]:
        if self._inside:
            self._inside = False
            yield None


def _part(headers: bytes) -> Part:
    message = BytesHeaderParser().parsebytes(headers)
    name = message.get_param("name", header="Content-Disposition")
    if not isinstance(name, str):
        raise FormDataError("A part has no name")
    return Part(name, message.get_filename())
