"""Which failures are retried, and how long to wait before a retry; without I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import Self

from ._errors import InvalidArgumentError

# Transient: 408 and 5xx of RFC 9110 (15.5.9, 15.6), 429 of RFC 6585 (4), 425 of RFC 8470 (5.2).
# JFrog's own client (jfrog-client-go) retries 429 and everything from 500 on, but 501 and 505 are permanent.
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
# These concern the server, not one request (RFC 6585 section 4, RFC 9110 section 15.6.4).
_SLOW_DOWN = frozenset({429, 503})
# Only the text shows whether these are transient: requests to wait, final refusals, a server that is starting up.
_EXPLAINED = frozenset({400, 403, 500, 503})
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

_DELAY_SECONDS = re.compile(r"[0-9]+\Z")
_LOGIN_SUSPENDED = re.compile(r"recurrent login failures.{0,40}try again in ([0-9]+) second", re.IGNORECASE)
_USER_LOCKED = re.compile(r"\buser is locked\b", re.IGNORECASE)
_FOLDER_DOWNLOADS_BUSY = re.compile(r"too many folder download", re.IGNORECASE)
# The server sends no Retry-After; packing a folder for another user takes seconds, not milliseconds.
_FOLDER_DOWNLOADS_PAUSE = 1.0

# Less does not count as progress: connections that deliver one byte each would otherwise be resumed forever.
MIN_PROGRESS_BYTES = 64 * 1024
MIN_PROGRESS_ENTRIES = 10

# Artifactory needs a minute to start, and sends no Retry-After: check rarely, so as not to slow it down.
_START_PAUSE_MIN, _START_PAUSE_MAX = 1.0, 5.0

# 2.0 to a higher power overflows; every sensible back-off reaches its maximum long before.
_MAX_DOUBLINGS = 1000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How often transient failures are retried, and with which back-off.

    Back-off is exponential with full jitter, so that many clients do not retry at the same time. A longer
    ``Retry-After`` of the server is honoured.

    Attributes:
        attempts: Maximum attempts; 1 means no retries. For a download or a listing that breaks off, the count is reset
            if 64 KiB of the file, or 10 entries or a complete page of the listing, were received. For an upload it is
            never reset.
        backoff_initial: Maximum of the first pause in seconds; it doubles with every attempt.
        backoff_max: Maximum of all pauses in seconds, except for a ``Retry-After``.
        retry_after_max: Maximum ``Retry-After`` in seconds; a longer one ends the call. Also the maximum total wait for
            a server that is starting up, which does not count as an attempt.

    Raises:
        InvalidArgumentError: If *attempts* is not an integer of at least 1, or a time is not a finite number of at
            least 0.
    """

    attempts: int = 5
    backoff_initial: float = 0.5
    backoff_max: float = 30.0
    retry_after_max: float = 120.0

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        for name in ("backoff_initial", "backoff_max", "retry_after_max"):
            _check_seconds(name, getattr(self, name))

    @classmethod
    def none(cls) -> Self:
        """Return a policy without retries."""
        return cls(attempts=1)

    def delay_at_start(self, waited: float, *, draw: float, retry_after: float | None = None) -> float | None:
        """
        Return how long to wait for a server that is starting up.

        Args:
            waited: Seconds since the first such response.
            draw: Random number of the caller, at least 0 and below 1.
            retry_after: Seconds in the ``Retry-After`` of the response, or None.

        Returns:
            Seconds, or None to stop waiting: *retry_after_max* has passed, or the policy has one attempt.
        """
        remaining = self.retry_after_max - waited
        asked = retry_after or 0.0
        if self.attempts == 1 or remaining <= 0 or asked > remaining:
            return None
        pause = _START_PAUSE_MIN + (_START_PAUSE_MAX - _START_PAUSE_MIN) * draw
        return min(max(pause, asked), remaining)

    def next_delay(self, attempt: int, *, draw: float, retry_after: float | None = None) -> float | None:
        """
        Return how long to wait after the failure of *attempt*.

        The pause is ``min(backoff_max, backoff_initial * 2 ** (attempt - 1)) * draw``, and never shorter than
        *retry_after*.

        Args:
            attempt: Number of the attempt that failed; the first is 1.
            draw: Random number of the caller, at least 0 and below 1.
            retry_after: Seconds in the ``Retry-After`` of the response, or None.

        Returns:
            Seconds, or None to fail: no attempts are left, or *retry_after* exceeds *retry_after_max*.

        See: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("Full Jitter")
        """
        asked = retry_after or 0.0
        if attempt >= self.attempts or asked > self.retry_after_max:
            return None
        bound = min(self.backoff_max, self.backoff_initial * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS))
        return max(bound * draw, asked)


def _check_attempts(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidArgumentError(f"attempts={value!r}: expected a whole number of at least 1")


def _check_seconds(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < inf:
        raise InvalidArgumentError(f"{name}={value!r}: expected a finite number of seconds, at least 0")


def is_retryable_status(status: int) -> bool:
    """Return whether the HTTP *status* is transient, so that the same request may succeed later."""
    return status in _RETRYABLE


def asks_to_slow_down(status: int) -> bool:
    """Return whether *status* reports too many requests to the server, and not a failure of one."""
    return status in _SLOW_DOWN


def is_explained(status: int) -> bool:
    """Return whether only the text of a response with *status* shows if the same request may succeed later."""
    return status in _EXPLAINED


def is_idempotent(method: str) -> bool:
    """
    Return whether repeating a request with *method* (upper case, as sent) does no more than sending it once.

    See: RFC 9110, 9.2.2 "Idempotent Methods"
    """
    return method in _IDEMPOTENT


def retry_after_from_message(status: int, message: str) -> float | None:
    """
    Return the seconds to wait for a refusal that is transient only by its text.

    There are two such responses of Artifactory: 403 while logins are suspended ("recurrent login failures, please try
    again in N seconds"; correct credentials are refused as well) and 400 while too many folder downloads run.

    Returns:
        Seconds, or None if the refusal is final.

    See: JFrog documentation, "User Lock and Login Suspension"
    """
    if status == 403 and (match := _LOGIN_SUSPENDED.search(message)):
        return float(match[1])
    if status == 400 and _FOLDER_DOWNLOADS_BUSY.search(message):
        return _FOLDER_DOWNLOADS_PAUSE
    return None


def is_login_refused(status: int, message: str) -> bool:
    """
    Return whether a refusal is about all logins of a user, who is suspended or locked, and not about one item.

    See: JFrog documentation, "User Lock and Login Suspension"
    """
    return status == 403 and bool(_LOGIN_SUSPENDED.search(message) or _USER_LOCKED.search(message))


def read_retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """
    Return the seconds in a ``Retry-After``. A date is compared with the ``Date`` of the response, else with *now*.

    Returns:
        See :func:`parse_retry_after`.
    """
    sent = parse_http_date(headers.get("Date", ""))
    return parse_retry_after(headers.get("Retry-After"), now=sent or now)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """
    Return the seconds from *now* (an aware time) in a ``Retry-After`` header field.

    Returns:
        At least 0, also for a date in the past; None if the field is missing or malformed.

    See: RFC 9110, 10.2.3 "Retry-After"
    """
    if value is None:
        return None
    text = value.strip()
    if _DELAY_SECONDS.match(text):
        return float(text)
    date = parse_http_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def parse_http_date(text: str) -> datetime | None:
    """Parse a date in any of the forms of RFC 9110 section 5.6.7; None if it is malformed."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # OverflowError from absurd years and time zones
        return None
    # Of the three forms in RFC 9110 5.6.7, only that of asctime has no time zone; all are in GMT.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
