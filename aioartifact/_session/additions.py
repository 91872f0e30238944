"""What a user adds to the requests of a session: header fields, middlewares, traces."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp

from .._errors import InvalidArgumentError

TraceConfig: TypeAlias = aiohttp.TraceConfig
Middleware: TypeAlias = aiohttp.ClientMiddlewareType

# RFC 9110, sections 5.1 and 5.5; values only in ASCII, since servers do not agree on another encoding.
_NAME, _VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t\x20-\x7e]*")
_CREDENTIALS = frozenset({"authorization", "x-jfrog-art-api", "cookie", "proxy-authorization"})
# Fields that describe one request or its body cannot be the same for all requests.
_OWN = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"if-match", "if-none-match", "if-range", "range", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"}
)

# Options of aiohttp.TCPConnector that concern name resolution, addresses and idle connections.
_CONNECTOR_OPTIONS = frozenset(
    {"family", "force_close", "happy_eyeballs_delay", "interleave", "keepalive_timeout", "local_addr", "resolver"}
    | {"ttl_dns_cache", "use_dns_cache"}
)


@dataclass(frozen=True, slots=True)
class Additions:
    """
    What a user adds to the requests of a session.

    Attributes:
        headers: Header fields for the servers that the session knows.
        middlewares: Client middlewares, which run around the attempts of each request.
        trace_configs: Traces of aiohttp.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    middlewares: tuple[Middleware, ...] = ()
    trace_configs: tuple[TraceConfig, ...] = ()


def check_additions(headers: object, middlewares: object, trace_configs: object) -> Additions:
    """
    Check what a user adds, and return it; None means nothing.

    Raises:
        InvalidArgumentError: If an argument has the wrong type, or a header field is malformed, carries credentials, or
            is set by the library.
    """
    functions = _several("middlewares", middlewares)
    traces = _several("trace_configs", trace_configs)
    for each in functions:
        if not callable(each):
            raise InvalidArgumentError(f"middlewares: one is a {type(each).__name__}; expected functions")
    for each in traces:
        if not isinstance(each, aiohttp.TraceConfig):
            raise InvalidArgumentError(f"trace_configs: one is a {type(each).__name__}; expected aiohttp.TraceConfig")
    return Additions(_checked_headers(headers), functions, traces)


def check_connector_options(options: object) -> dict[str, Any]:
    """
    Return a user's options for aiohttp's connector.

    Raises:
        InvalidArgumentError: If they are not a mapping, or name an option that users must not set.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise InvalidArgumentError(f"connector_options is a {type(options).__name__}; expected a mapping")
    for name in options:
        if name not in _CONNECTOR_OPTIONS:
            raise InvalidArgumentError(
                f"connector_options: {name!r} is not one of {', '.join(sorted(_CONNECTOR_OPTIONS))}",
                hint="verify=, cert=, limits= and timeouts= set the others",
            )
    return dict(options)


def _several(name: str, values: object) -> tuple[Any, ...]:
    if values is None:
        return ()
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{name} is a {type(values).__name__}; expected several, such as a list")
    return tuple(values)


def _checked_headers(headers: object) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise InvalidArgumentError(f"headers is a {type(headers).__name__}; expected a mapping of names to values")
    for name, value in headers.items():
        _check_header(name, value)
    return dict(headers)


def _check_header(name: object, value: object) -> None:
    """Raise an error if a header field is not accepted; without its value, which may be a secret."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgumentError(f"headers: {name!r} is not the name of a header field")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise InvalidArgumentError(f"headers: the value of {name} is not a text in ASCII, without line breaks")
    if name.lower() in _CREDENTIALS:
        raise InvalidArgumentError(f"headers: {name} would be sent to every server", hint="give credentials in auth=")
    if name.lower() in _OWN:
        hint = "give it in user_agent=" if name.lower() == "user-agent" else None
        raise InvalidArgumentError(f"headers: {name} is set by this library", hint=hint)
