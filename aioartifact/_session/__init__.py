"""
Everything that depends on how aiohttp works: sessions, client middlewares, and the translation of its exceptions.

A session is a plain ``aiohttp.ClientSession`` with a client middleware of this library, which handles every request, on
every hop of a redirect. A session that the user has opened is used as it is. Credentials are attached only for servers
that were named to the session, never as session-wide headers, because those follow a redirect to any host.
"""

from .additions import Middleware, TraceConfig, check_additions
from .attempts import Clock, Operation, ProgressCheck
from .connection_probe import ProbeFailure, probe_connection, proxy_of, resolve_host
from .exchange import Reply, fetch_response, send, start_operation, stream
from .opening import derived_session, new_session
from .small_files import SmallFiles, SmallUploads, prepare_small_files, prepare_small_uploads
from .small_responses import Begun, BegunRequest, BegunResponse, SmallResponse
from .state import STATES, SessionState, is_anonymous, spare_requests, state_of
from .telemetry import TELEMETRY, ObservedOperation, ObservedRequest, Observer
from .tls import ClientCertificate, Verify

__all__ = [
    "STATES",
    "TELEMETRY",
    "Begun",
    "BegunRequest",
    "BegunResponse",
    "ClientCertificate",
    "Clock",
    "Middleware",
    "ObservedOperation",
    "ObservedRequest",
    "Observer",
    "Operation",
    "ProbeFailure",
    "ProgressCheck",
    "Reply",
    "SessionState",
    "SmallFiles",
    "SmallResponse",
    "SmallUploads",
    "TraceConfig",
    "Verify",
    "check_additions",
    "derived_session",
    "fetch_response",
    "is_anonymous",
    "new_session",
    "prepare_small_files",
    "prepare_small_uploads",
    "probe_connection",
    "proxy_of",
    "resolve_host",
    "send",
    "spare_requests",
    "start_operation",
    "state_of",
    "stream",
]
