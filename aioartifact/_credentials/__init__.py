"""
Credentials: a value that hides its secret, and the sources in which credentials are looked up.

Each parser reads a text or a mapping for one server, and returns credentials, None if the source has no entry for the
server, or the reason why the source was skipped. An error in the entry of the server itself is raised; other errors
must not fail calls. Servers are compared by host, port and whole path segments, never by a string prefix.

Exceptions of configparser, json and the codecs contain the text that they could not parse. If it may contain a secret,
an error of this library is raised after the except block, so that the original exception is not its context.
"""

from .default_server import ConfiguredServer, default_server
from .helper_output import HelperInput, helper_input, read_helper_output
from .provider import (
    CredentialsProvider,
    RegisteredProvider,
    SendToken,
    ServerProvider,
    TokenRequest,
    TokenResponse,
    parse_auth,
    read_provided,
)
from .resolution import configured_servers, credential_files, resolve, resolve_ancestor
from .token_exchange import (
    IssuedToken,
    access_refresh_request,
    artifactory_refresh_request,
    exchange_request,
    github_request,
    read_github_token,
    read_token,
)
from .validity import Validity, are_of_another_user, seconds_between_forced, user_of, validity
from .value import FOREIGN_HINT, HEADERS_HINT, Credentials, login_hint

__all__ = [
    "FOREIGN_HINT",
    "HEADERS_HINT",
    "ConfiguredServer",
    "Credentials",
    "CredentialsProvider",
    "HelperInput",
    "IssuedToken",
    "RegisteredProvider",
    "SendToken",
    "ServerProvider",
    "TokenRequest",
    "TokenResponse",
    "Validity",
    "access_refresh_request",
    "are_of_another_user",
    "artifactory_refresh_request",
    "configured_servers",
    "credential_files",
    "default_server",
    "exchange_request",
    "github_request",
    "helper_input",
    "login_hint",
    "parse_auth",
    "read_github_token",
    "read_helper_output",
    "read_provided",
    "read_token",
    "resolve",
    "resolve_ancestor",
    "seconds_between_forced",
    "user_of",
    "validity",
]
