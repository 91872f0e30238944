"""The findings of `diagnose`: values, possible addresses of an Artifactory, and the evaluation of observations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol
from urllib.parse import urlsplit

from ._address import ServerURL, mask_url
from ._errors import ArtifactoryError, AuthenticationError, ForbiddenError
from ._models import Repository, Response, ServerInfo

Status = Literal["ok", "warn", "fail"]
_MOST_ADDRESSES = 8
_OWN_HEADERS = ("X-Artifactory-Id", "X-Artifactory-Node-Id", "X-JFrog-Version")
_SOON_DAYS = 14
_SLOW_SECONDS = 0.5
# Signed URLs and tokens are valid for minutes; servers allow a minute or so of difference.
_SKEW_SECONDS = 60.0
_CHECKSUMS = {"X-Checksum-Sha256": "SHA-256", "X-Checksum-Sha1": "SHA-1", "X-Checksum-Md5": "MD5"}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One check of a diagnosis.

    Attributes:
        check: Name of the check: ``"dns"``, ``"proxy"``, ``"connection"``, ``"tls"``, ``"address"``, ``"clock"``,
            ``"latency"``, ``"version"``, ``"credentials"``, ``"repositories"``, ``"listing"``, ``"aql"``,
            ``"ranges"``, ``"storage"`` or ``"checksums"``.
        status: ``"ok"``; ``"warn"`` if calls are slow, or some of them fail; ``"fail"`` if calls fail.
        text: Result of the check.
        hint: What to do, or None.
    """

    check: str
    status: Status
    text: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.status:<5} {self.check:<12}  {self.text}" + (f" — {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    The result of :func:`diagnose`.

    Attributes:
        url: Base address of the Artifactory that was found, otherwise the requested address.
        findings: Findings in the order of the checks; checks that depend on a failed one are missing.
    """

    url: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed; there may be warnings."""
        return all(finding.status != "fail" for finding in self.findings)

    def __getitem__(self, check: str) -> Finding:
        """
        Return the finding of a check.

        Raises:
            KeyError: If the check was not made.
        """
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    def __str__(self) -> str:
        return "\n".join([self.url, *map(str, self.findings)])


def address_candidates(expected: ServerURL, written: ServerURL) -> list[ServerURL]:
    """
    List possible base addresses of the Artifactory, the most likely one first.

    Args:
        expected: Server that the URL belongs to by the rules of the library.
        written: Server whose context path is the whole path of the URL.
    """
    path = written.context_path
    paths: list[tuple[str, ...]] = [expected.context_path, path, (*path, "artifactory"), ("artifactory",), ()]
    paths += [(*path[:length], *last) for length in range(len(path) - 1, 0, -1) for last in (("artifactory",), ())]
    return [ServerURL(written.scheme, written.host, written.port, each) for each in _unique(paths)][:_MOST_ADDRESSES]


def _unique(paths: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    doubled = ("artifactory", "artifactory")
    return dict.fromkeys(path for path in paths if path[-2:] != doubled)


def is_artifactory(response: Response) -> bool:
    """Return whether the response to a ping is that of an Artifactory, also one that requires credentials."""
    if response.status_code == 200:
        return response.text.strip() == "OK"
    if response.status_code in (401, 403):
        return _has_own_headers(response.headers) or _has_errors(response)
    # The router of a platform sends them with 404, too.
    return response.status_code >= 500 and _has_own_headers(response.headers)


def _has_own_headers(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in _OWN_HEADERS) or headers.get("Server", "").startswith("Artifactory")


def _has_errors(response: Response) -> bool:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get("errors"), list)


class SentCredentials(Protocol):
    """The attributes of credentials that are reported."""

    @property
    def kind(self) -> str:
        """Their kind."""
        ...

    @property
    def username(self) -> str:
        """Their user."""
        ...

    @property
    def source(self) -> str:
        """Where they come from."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """Sources that were skipped."""
        ...


def judge_failure(stage: str, server: ServerURL, problem: str, hint: str) -> Finding:
    """Report why no connection was opened."""
    return Finding(stage, "fail", f"{server.host if stage == 'dns' else server.origin}: {problem}", hint)


def judge_names(host: str, addresses: Sequence[str]) -> Finding:
    """Report the addresses of a host."""
    shown = ", ".join(addresses[:4]) + (f" and {len(addresses) - 4} more" if len(addresses) > 4 else "")
    return Finding("dns", "ok", shown if list(addresses) == [host] else f"{host} is {shown}")


def judge_proxy(proxy: str | None, *, is_of_environment: bool) -> Finding:
    """Report the proxy that requests to the server use."""
    if proxy is None:
        return Finding("proxy", "ok", "none")
    source = "the environment" if is_of_environment else "the argument proxy"
    return Finding("proxy", "ok", f"{mask_url(proxy)}, from {source}")


def judge_connection(peer: str, seconds: float) -> Finding:
    """Report how long a connection took to open."""
    return Finding("connection", "ok", f"{peer}, opened in {_milliseconds(seconds)}")


def judge_certificate(
    issuer: Sequence[Sequence[tuple[str, str]]], expires: datetime | None, version: str, now: datetime
) -> Finding:
    """
    Judge a certificate that was accepted.

    Args:
        issuer: Names of the authority, as ``ssl.SSLSocket.getpeercert`` returns them.
        expires: When it expires; None if certificates are not verified, and so not read.
        version: Version of TLS.
        now: Present time.
    """
    if expires is None:
        hint = "pass the CA certificates in verify= (--ca) instead"
        return Finding("tls", "warn", f"{version}; the certificate was not verified", hint)
    days = (expires - now).days
    text = f"{version}; certificate of {_name_of(issuer)}, valid until {expires:%Y-%m-%d}"
    if days < _SOON_DAYS:
        return Finding("tls", "warn", f"{text}, which is in {days} days", "ask its administrator to renew it")
    return Finding("tls", "ok", text)


def _name_of(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return the name of an issuer: its organisation, else its common name."""
    names = {key: value for part in parts for key, value in part}
    return names.get("organizationName") or names.get("commonName") or "an unnamed authority"


def judge_address(written: ServerURL, expected: ServerURL, found: ServerURL | None, problem: str = "") -> Finding:
    """Judge where the Artifactory was found: at the address in the URL, elsewhere on its host, or not at all."""
    if found is None:
        hint = "check the address: in the web interface of Artifactory, 'Set Me Up' shows it"
        return Finding("address", "fail", f"no Artifactory at {expected}: {problem}", hint)
    if found in (expected, written):
        return Finding("address", "ok", f"Artifactory at {found}")
    hint = f"use {found}"
    if "artifactory" not in found.context_path:
        hint += "; pass it to session() or --server, or set AIOARTIFACT_SERVER, since URLs do not show where it ends"
    return Finding("address", "fail", f"no Artifactory at {expected}, but at {found}", hint)


def judge_clock(date: str | None, now: datetime) -> Finding:
    """Compare the ``Date`` of a response with the clock of this machine."""
    try:
        server = parsedate_to_datetime(date or "")
    except ValueError:
        return Finding("clock", "warn", "the response has no valid Date", "check the proxy before the server")
    skew = (server.replace(tzinfo=server.tzinfo or UTC) - now).total_seconds()
    if abs(skew) <= _SKEW_SECONDS:
        return Finding("clock", "ok", "same time as the server")
    order = "behind" if skew > 0 else "ahead of"
    hint = "set the clock of the wrong one, with NTP: tokens and signed URLs expire too early or are not valid yet"
    return Finding("clock", "warn", f"this machine is {_span(abs(skew))} {order} the server", hint)


def _span(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def judge_latency(seconds: float) -> Finding:
    """Judge the time of a small request on an open connection."""
    text = f"{_milliseconds(seconds)} per request"
    if seconds < _SLOW_SECONDS:
        return Finding("latency", "ok", text)
    return Finding("latency", "warn", text, "raise Limits.max_concurrency for many small files")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def judge_version(info: ServerInfo | ArtifactoryError) -> Finding:
    """Report the version and the edition."""
    if isinstance(info, ServerInfo):
        edition = "with a Pro licence or higher" if info.edition == "pro" else "without a Pro licence (OSS)"
        return Finding("version", "ok", f"Artifactory {info.version}, {edition}")
    return Finding("version", "warn", f"not available: {info.message}", info.hint)


def judge_credentials(sent: SentCredentials | None, refusal: ArtifactoryError | None) -> Finding:
    """
    Judge whether the server accepts the credentials.

    Args:
        sent: Those of the session; None if they are unknown, as in a session that this library has not opened.
        refusal: The error of a request that was refused, or None.
    """
    text = "of the session" if sent is None else _described(sent)
    is_anonymous = sent is not None and sent.kind == "anonymous"
    if isinstance(refusal, AuthenticationError):
        what = "anonymous, and the server requires credentials" if is_anonymous else f"{text}: refused by the server"
        return Finding("credentials", "fail", what, refusal.hint)
    if isinstance(refusal, ForbiddenError):
        return Finding("credentials", "warn", f"{text}: {refusal.message}", refusal.hint)
    if sent is not None and sent.skipped:
        return Finding("credentials", "warn", text, f"skipped: {'; '.join(sent.skipped)}")
    return Finding("credentials", "ok", text)


def _described(credentials: SentCredentials) -> str:
    source = "the argument auth" if credentials.source == "argument" else credentials.source
    match credentials.kind:
        case "anonymous":
            return f"anonymous: {source}"
        case "basic":
            return f"user {credentials.username!r}, from {source}"
        case "bearer":
            return f"access token from {source}"
        case _:
            return f"API key from {source}"


def judge_repositories(found: Sequence[Repository] | ArtifactoryError) -> Finding:
    """Judge which repositories can be read."""
    if isinstance(found, ArtifactoryError):
        return Finding("repositories", "warn", f"not listed: {found.message}", found.hint)
    if not found:
        hint = "ask the administrator for read permission"
        return Finding("repositories", "warn", "none that these credentials may read", hint)
    keys = ", ".join(repository.key for repository in found[:3])
    return Finding("repositories", "ok", f"{len(found)} readable: {keys}{', …' if len(found) > 3 else ''}")


def judge_listing(folder: str, problem: ArtifactoryError | None) -> Finding:
    """Judge whether a folder can be listed."""
    if problem is None:
        return Finding("listing", "ok", f"{folder} can be listed")
    return Finding("listing", "fail", problem.message, problem.hint)


def judge_aql(problem: ArtifactoryError | None) -> Finding:
    """Judge whether queries are allowed."""
    if problem is None:
        return Finding("aql", "ok", "allowed")
    hint = "listing falls back to one request per folder, which is slower; aql() and search by date do not work"
    return Finding("aql", "warn", f"not allowed: {problem.message}", hint)


def judge_range(status: int, content_range: str | None) -> Finding:
    """Judge the response to a request for the first byte of a file."""
    if status == 206 and content_range and content_range.startswith("bytes 0-0/"):
        return Finding("ranges", "ok", "supported: downloads resume, and large files use several connections")
    if status in (200, 206):
        hint = "a proxy may remove the Range header; interrupted downloads start from the beginning"
        return Finding("ranges", "warn", f"not supported: status {status}", hint)
    return Finding("ranges", "fail", f"the file cannot be downloaded: status {status}", "check its permissions")


def judge_storage(server: ServerURL, location: str | None) -> Finding:
    """Report whether downloads are redirected to storage, and to which host."""
    host = urlsplit(location).netloc.rpartition("@")[2] if location else ""
    if host in ("", urlsplit(server.origin).netloc):
        return Finding("storage", "ok", "files come from the server itself")
    return Finding("storage", "ok", f"downloads are redirected to {host}, which must be reachable, too")


def judge_checksums(headers: Mapping[str, str], *, is_redirected: bool) -> Finding:
    """Judge the checksums in the response to a download."""
    found = [name for header, name in _CHECKSUMS.items() if headers.get(header)]
    if found:
        return Finding("checksums", "ok", f"sent with downloads: {', '.join(found)}")
    if is_redirected:
        return Finding("checksums", "ok", "not sent with redirects to storage; one more request verifies each file")
    hint = "a proxy may remove the X-Checksum headers; each download needs another request to be verified"
    return Finding("checksums", "warn", "not sent with downloads", hint)
