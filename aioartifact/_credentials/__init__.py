"""
Who we are on a server: a value that guards its secret, and the places such values are kept.

Every parser here reads text or a mapping for one server and returns credentials, or None when its source does
not know that server. A server is recognised by host, port and whole path segments, never by a string prefix.

configparser, json and the codecs keep the text they choke on in their exceptions. Where that text may hold a
secret, our own error is raised after the except block, so that theirs is not even its context.
"""

from .lookup import resolve, resolve_ancestor
from .value import Credentials, parse_auth

__all__ = ["Credentials", "parse_auth", "resolve", "resolve_ancestor"]
