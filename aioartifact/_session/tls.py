"""TLS: which certificate authorities to trust, and which client certificate to present."""

import os
import ssl
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from .._errors import ConfigurationError, InvalidArgumentError
from .._options import check_path
from .translation import reason

_FILE_VARIABLE, _FOLDER_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
"""How servers prove who they are: True, False, a file or folder of CA certificates, or a context."""
ClientCertificate: TypeAlias = str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]]


def tls_context(verify: Verify, cert: ClientCertificate | None) -> ssl.SSLContext | bool:
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            # The context belongs to the caller, and may serve other connections that must not present the certificate.
            raise InvalidArgumentError(
                "cert is given with an SSLContext as verify",
                hint="load the certificate into the context: context.load_cert_chain(...)",
            )
        return verify
    if verify is True and cert is None:
        return _default_context()
    context = _context(verify)
    if cert is not None:
        certificate, key = cert if isinstance(cert, tuple) else (cert, None)
        _show_certificate(context, check_path("cert", certificate), None if key is None else check_path("cert", key))
    return context


def _default_context() -> ssl.SSLContext | bool:
    """
    Return the context for the system's authorities, or for those in the environment; True means aiohttp's own.

    aiohttp builds its own when it is imported, and so misses what the environment sets later.
    """
    named = [os.environ.get(name, "") for name in (_FILE_VARIABLE, _FOLDER_VARIABLE)]
    return _environment_context(*((path, _changed(path)) for path in named)) if any(named) else True


def system_context() -> ssl.SSLContext:
    """Return the context for the system's authorities, or for those in the environment, whatever a session uses."""
    found = _default_context()
    return found if isinstance(found, ssl.SSLContext) else _environment_context(("", 0), ("", 0))


@lru_cache(4)  # OpenSSL needs a tenth of a second to read the usual 150 certificates
def _environment_context(_file: tuple[str, int], _folder: tuple[str, int]) -> ssl.SSLContext:
    """Have OpenSSL read the environment again; the arguments are the key of the cache."""
    return _new_context()


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _new_context(cafile: Path | None = None, capath: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cafile, capath=capath)
    context.set_alpn_protocols(("http/1.1",))  # as aiohttp does in its own: some servers would choose HTTP/2
    return context


def _show_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        # Without a password, OpenSSL would prompt for one on the terminal, and the session would wait for the input.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        hint = "give a PEM file with certificate and unencrypted key, or a pair of files"
        raise ConfigurationError(
            f"client certificate {certificate}: {reason(error)}", source=certificate, hint=hint
        ) from None


def _context(verify: bool | str | os.PathLike[str]) -> ssl.SSLContext:
    if verify is False:
        warnings.warn("TLS certificates are not verified: verify=False", UserWarning, stacklevel=2)
        context = _new_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if verify is True:
        return _new_context()
    path = Path(check_path("verify", verify))
    try:
        folder = path.is_dir()
        return _new_context(cafile=None if folder else path, capath=path if folder else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"CA certificates {path}: {reason(error)}", source=str(path)) from None
