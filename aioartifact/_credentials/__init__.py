"""
Credentials: a value that guards its secret, and the sources that are searched for it.

Every parser here reads text or a mapping for one server and returns credentials, None if its source does not know
that server, or the reason why the source was skipped. A fault in the entry of the server itself is an error; any other
one must not fail calls. A server is recognised by host, port and whole path segments, never by a string prefix.

configparser, json and the codecs keep the text they choke on in their exceptions. Where that text may hold a
secret, our own error is raised after the except block, so that theirs is not even its context.
"""

from .provider import (
    CredentialsProvider,
    Provided,
    SendToken,
    ServerProvider,
    TokenRequest,
    TokenResponse,
    parse_auth,
    read_provided,
)
from .renewal import Validity, are_of_another_user, seconds_between_forced, user_of, validity
from .resolution import configured_servers, credential_files, resolve, resolve_ancestor
from .value import FOREIGN_HINT, HEADERS_HINT, Credentials, login_hint

__all__ = [
    "FOREIGN_HINT",
    "HEADERS_HINT",
    "Credentials",
    "CredentialsProvider",
    "Provided",
    "SendToken",
    "ServerProvider",
    "TokenRequest",
    "TokenResponse",
    "Validity",
    "are_of_another_user",
    "configured_servers",
    "credential_files",
    "login_hint",
    "parse_auth",
    "read_provided",
    "resolve",
    "resolve_ancestor",
    "seconds_between_forced",
    "user_of",
    "validity",
]
