"""Differences between the releases of Artifactory that a server can emulate."""

from dataclasses import dataclass
from typing import Literal

ProfileName = Literal["6.20", "7.x"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    A release to emulate.

    :data:`PROFILES` has two; ``dataclasses.replace`` derives others, for instance with lower limits.

    Attributes:
        version: Version in the response of ``api/system/version``.
        revision: Revision in the response of ``api/system/version``.
        server: Value of the header field ``Server``.
        jfrog_version: Value of the header field ``X-JFrog-Version``; None does not send it.
        is_platform: Whether a router in front of Artifactory responds to unknown paths, and Access is served, too.
            Pings then ignore credentials.
        bad_key_status: Status for an unknown API key in a header field.
        longest_suspension: Maximum delay after failed logins in seconds.
        aql_rows: Maximum rows of a query, after which a notification is sent; None for no limit.
        aql_size: Maximum characters of a query; None for no limit.
        aql_seconds: Maximum seconds of a query, which then gets 408; None for no limit.
        aql_parallel: Maximum queries at the same time; None for no limit.
        aql_patience: Maximum seconds that a query waits to start, before it gets 429.
        aql_archives: Whether queries may name the domains of archives and their entries.
        aql_json_errors: Whether errors of a query are JSON, not plain text.
        suffix_ranges: Whether ``bytes=-n`` means the last bytes, as in RFC 9110, or ``0-n``.
    """

    version: str
    revision: str
    server: str
    jfrog_version: str | None
    is_platform: bool
    bad_key_status: int
    longest_suspension: float
    aql_rows: int | None
    aql_size: int | None
    aql_seconds: float | None
    aql_parallel: int | None
    aql_patience: float
    aql_archives: bool
    aql_json_errors: bool = False
    suffix_ranges: bool = False


PROFILES: dict[ProfileName, Profile] = {
    "6.20": Profile(
        version="6.20.0",
        revision="62000900",
        server="Artifactory/6.20.0",
        jfrog_version=None,
        is_platform=False,
        bad_key_status=403,
        longest_suspension=5,
        aql_rows=None,
        aql_size=None,
        aql_seconds=None,
        aql_parallel=None,
        aql_patience=0,
        aql_archives=True,
    ),
    # The limits are those JFrog documents; where 7.x says 401 or 403 to an unknown API key, this says 401.
    "7.x": Profile(
        version="7.90.8",
        revision="79008900",
        server="Artifactory/7.90.8 79008900",
        jfrog_version="Artifactory/7.90.8 79008900",
        is_platform=True,
        bad_key_status=401,
        longest_suspension=60,
        aql_rows=500_000,
        aql_size=6_000,
        aql_seconds=900,
        aql_parallel=3,
        aql_patience=10,
        aql_archives=False,
    ),
}
