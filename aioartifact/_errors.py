"""
All exceptions of the library.

ArtifactoryError
├── InvalidArgumentError (ValueError)           an invalid argument; no request was sent
│   └── InvalidURLError                         a URL or name that Artifactory does not accept
├── ConfigurationError                          a setting or a file is wrong
│   └── CredentialsError                        credentials are unreadable or unusable
├── SessionError (RuntimeError)                 closed, or of another event loop or process
├── TransportError (OSError)                    no usable response; retryable
│   ├── ConnectError (ConnectionError)          no connection, nothing was sent; retryable
│   ├── ConnectionLostError (ConnectionError)   the connection broke off; retryable
│   └── TransportTimeoutError (TimeoutError)    no byte within a time limit; retryable
├── ResponseError                               the server refused the request
│   ├── BadRequestError                         400
│   ├── AuthenticationError (PermissionError)   401
│   ├── ForbiddenError (PermissionError)        403
│   ├── NotFoundError (FileNotFoundError)       404
│   ├── ConflictError                           409, or 500 if a file is in the way
│   ├── RateLimitedError                        429; retryable
│   └── ServerError                             500 and above; retryable
├── ProtocolError                               a response that violates HTTP or the REST API
├── IncompleteListingError                      the server sent only a part of a listing
├── IntegrityError                              size or checksum differs
├── NotCachedError                              not in the cache, and the cache is offline
├── StoredElsewhereError                        a file was stored under another path
├── NotAFileError (IsADirectoryError)           a folder where a file is needed
├── NotAFolderError (NotADirectoryError)        a file where a folder is needed
├── AlreadyExistsError (FileExistsError)        the target exists
├── FolderNotEmptyError (OSError)               the folder is not empty
├── ChangedError                                a file changed since the plan; it was not touched
├── ArchiveError                                not an archive, or damaged, or too large
├── LookupTableError (RuntimeError)             a lookup table or a row of one is missing or exists
├── UnsafePathError (ValueError)                a listed name would leave the destination
└── LocalFileError (OSError)                    the local disk failed; has `errno` and `filename`
    └── LocalNotFoundError (FileNotFoundError)  a local file or folder does not exist

BatchError (ExceptionGroup) of bulk calls is defined in `_reports`, with the Report that it contains.

A message has the form "operation object: what happened", followed by the message of the server, the attempts and the
time, and, after a dash, the hint. No message contains a secret: URLs are masked.
"""

import errno
from collections.abc import Mapping
from typing import Any


class ArtifactoryError(Exception):
    """
    Base class of the errors of this library.

    Attributes:
        message: What happened, in one line.
        hint: What to try next, or None.
        retryable: Whether the same call may succeed later, without a change.
    """

    retryable = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} — {self.hint}" if self.hint else self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default rebuilds from args alone and would lose the keyword attributes.
        return _rebuild, (type(self), self.args, self._state())

    def _state(self) -> dict[str, Any]:
        return self.__dict__.copy()


def _rebuild(cls: type[ArtifactoryError], args: tuple[Any, ...], state: Mapping[str, Any]) -> ArtifactoryError:
    error = cls.__new__(cls, *args)
    error.args = args
    for name, value in state.items():
        setattr(error, name, value)
    return error


class InvalidArgumentError(ArtifactoryError, ValueError):
    """An argument is invalid; no request was sent."""


class InvalidURLError(InvalidArgumentError):
    """A URL or a name is not valid for Artifactory: no request was sent, or the server refused the name."""


class ConfigurationError(ArtifactoryError):
    """
    A setting or a configuration file is wrong.

    Attributes:
        source: The file or variable, with the line if known.
    """

    def __init__(self, message: str, *, source: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.source = source


class CredentialsError(ConfigurationError):
    """Credentials cannot be read from their source, or cannot be sent."""


class SessionError(ArtifactoryError, RuntimeError):
    """A session was used after it was closed, in another event loop, or in another process."""


class TransportError(ArtifactoryError, OSError):
    """
    No usable response was received.

    Attributes:
        method: HTTP method of the request.
        url: Its URL, masked.
        attempts: Number of attempts.
        elapsed: Seconds from the first attempt to the last failure.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        attempts: int = 1,
        elapsed: float = 0.0,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.method = method
        self.url = url
        self.attempts = attempts
        self.elapsed = elapsed

    def __str__(self) -> str:
        tried = f" ({self.attempts} attempts in {self.elapsed:.1f} s)" if self.attempts > 1 else ""
        return f"{self.message}{tried}" + (f" — {self.hint}" if self.hint else "")


class ConnectError(TransportError, ConnectionError):
    """The server could not be reached; nothing was sent."""


class ConnectionLostError(TransportError, ConnectionError):
    """The connection broke off after the request was sent, or within a body."""


class TransportTimeoutError(TransportError, TimeoutError):
    """No connection was opened, or no byte received, within a time limit."""


class ResponseError(ArtifactoryError):
    """
    The server responded with an error status.

    Attributes:
        method: HTTP method of the request.
        url: Its URL, masked.
        status: HTTP status code.
        server_message: Message of the server, masked and shortened; may be empty.
        request_id: The server's request id, or None.
        attempts: Number of attempts.
        retry_after: Seconds in the ``Retry-After`` of the response, or None.
        redirected: Whether the request was redirected, so that another URL responded.
    """

    redirected: bool = False

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        status: int = 0,
        server_message: str = "",
        request_id: str | None = None,
        attempts: int = 1,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.method = method
        self.url = url
        self.status = status
        self.server_message = server_message
        self.request_id = request_id
        self.attempts = attempts
        self.retry_after = retry_after

    def __str__(self) -> str:
        tried = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        delay = f" (the server asks to wait {self.retry_after:.0f} s)" if self.retry_after else ""
        return f"{self.message}{tried}{delay}" + (f" — {self.hint}" if self.hint else "")


class BadRequestError(ResponseError):
    """400: the server does not accept the request."""


class AuthenticationError(ResponseError, PermissionError):
    """401: credentials are missing or wrong."""


class ForbiddenError(ResponseError, PermissionError):
    """403: the user does not have the permission."""


class NotFoundError(ResponseError, FileNotFoundError):
    """404: the item does not exist, or is hidden from the user."""


class ConflictError(ResponseError):
    """409: the server refused content, checksum or path; or 500, if a file is in the way of a folder."""


class RateLimitedError(ResponseError):
    """429: too many requests."""

    retryable = True


class ServerError(ResponseError):
    """500 and above: the server or a proxy failed; ``retryable`` is False if retries cannot help."""

    retryable = True


class ProtocolError(ArtifactoryError):
    """A successful response violates HTTP or the REST API, or exceeds the 64 MiB that are read into memory."""


class IncompleteListingError(ArtifactoryError):
    """The server sent only a part of a listing: it limited the rows, sent fewer than its count, or reported errors."""


class IntegrityError(ArtifactoryError):
    """
    Size or checksum differs from the expected one, of received bytes or in the record of the server.

    Attributes:
        algorithm: ``"size"``, ``"sha256"``, ``"sha1"`` or ``"md5"``.
        expected: The expected value.
        actual: The actual value.
    """

    def __init__(
        self,
        message: str,
        *,
        algorithm: str = "",
        expected: str = "",
        actual: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual


class NotCachedError(ArtifactoryError):
    """The cache does not have the file or the listing, and is offline, so no request was sent."""


class StoredElsewhereError(ArtifactoryError):
    """
    The server stored a file or a folder under another path than the requested one.

    Artifactory truncates a path at ``!``, and removes trailing blanks.

    Attributes:
        expected: The requested URL.
        actual: The URL of the stored item.
    """

    def __init__(self, message: str, *, expected: str = "", actual: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.expected = expected
        self.actual = actual


class NotAFileError(ArtifactoryError, IsADirectoryError):
    """The URL is that of a folder or a repository, but a file is needed."""


class NotAFolderError(ArtifactoryError, NotADirectoryError):
    """The URL is that of a file, but a folder is needed."""


class AlreadyExistsError(ArtifactoryError, FileExistsError):
    """The target of a new, copied or moved item exists, and may not be replaced."""


class FolderNotEmptyError(ArtifactoryError, OSError):
    """A folder cannot be removed because it is not empty."""


class ChangedError(ArtifactoryError):
    """A file has changed since the plan of a sync, so it was not touched."""


class ArchiveError(ArtifactoryError):
    """A file is not an archive, or is damaged; or a member is not a file, or is too large."""


class LookupTableError(ArtifactoryError, RuntimeError):
    """A lookup table or a row is missing, exists already, is malformed, or does not match the arguments."""


class UnsafePathError(ArtifactoryError, ValueError):
    """A path would be outside of the destination folder."""


class LocalFileError(ArtifactoryError, OSError):
    """
    An operation on the local disk failed: full, read-only, no permission, or a folder in the way.

    Attributes:
        errno: Error number of the operating system.
        filename: The path.
    """

    def __init__(self, message: str, *, errno: int | None = None, filename: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.errno = errno
        self.filename = filename

    def _state(self) -> dict[str, Any]:
        # OSError stores these two outside of __dict__.
        return {**super()._state(), "errno": self.errno, "filename": self.filename}

    @classmethod
    def from_os_error(cls, operation: str, path: str, error: OSError) -> "LocalFileError":
        """Return an error with the failed *operation* and *path*, and a hint if there is one."""
        reason = error.strerror or type(error).__name__
        hint = _DISK_HINTS.get(error.errno or 0)
        kind = LocalNotFoundError if error.errno == errno.ENOENT else cls
        return kind(f"{operation} {path}: {reason}", errno=error.errno, filename=path, hint=hint)


class LocalNotFoundError(LocalFileError, FileNotFoundError):
    """A local file or folder does not exist."""


_DISK_HINTS = {
    errno.ENOSPC: "free space on that file system, or choose another destination",
    errno.EDQUOT: "the disk quota is used up; choose another destination",
    errno.EACCES: "check the permissions of the file, and of the folders above it",
    errno.EPERM: "check the permissions of the file, and of the folders above it",
    errno.EROFS: "the file system is read-only; choose another destination",
    errno.EISDIR: "a folder has that name; choose another file name",
    errno.ENOTDIR: "a file is in the place of a folder; choose another destination",
    errno.ENAMETOOLONG: "choose a shorter file name",
    errno.ELOOP: "a symbolic link leads back to itself, or to a folder above it; remove the link",
    errno.ENOENT: "check the path; folders are not created for you here",
    errno.EMFILE: "too many open files; lower max_concurrency or raise `ulimit -n`",
    errno.ENFILE: "too many open files; lower max_concurrency or raise `ulimit -n`",
}


_BY_STATUS: dict[int, type[ResponseError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def error_for_status(status: int) -> type[ResponseError]:
    """Return the class of error for an HTTP *status* of 300 or above."""
    return ServerError if status >= 500 else _BY_STATUS.get(status, ResponseError)
