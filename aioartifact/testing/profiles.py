"""What differs between the releases of Artifactory that a server can stand for."""

from dataclasses import dataclass
from typing import Literal

ProfileName = Literal["6.20", "7.x"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    A release. :data:`PROFILES` holds two; ``dataclasses.replace`` makes more, for instance with lower limits.

    Attributes:
        version: As ``api/system/version`` prints it.
        revision: Likewise.
        server: Value of the header ``Server``.
        jfrog_version: Value of the header ``X-JFrog-Version``; None does not send it.
        is_platform: A router stands in front of Artifactory, which answers what it does not know, and Access is
            served beside it; pings need no credentials and look at none.
        bad_key_status: Status where the API key of a header is unknown.
        longest_suspension: Seconds up to which the wait after failed logins grows.
        aql_rows: Rows after which an AQL answer is cut off, with a notification; None for no limit.
        aql_size: Characters of the longest query; None for no limit.
        aql_seconds: Seconds after which a query is given up with 408; None for never.
        aql_parallel: Queries that may run at the same time; None for any number.
        aql_patience: Seconds that a query waits for its turn before it gets 429.
        aql_archives: Whether queries may name the domains of archives and their entries.
        aql_json_errors: Whether errors of a query are JSON rather than plain text.
        suffix_ranges: Whether ``bytes=-n`` asks for the last bytes, as RFC 9110 has it, rather than for ``0-n``.
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
