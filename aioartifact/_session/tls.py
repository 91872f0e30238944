"""TLS as the session's caller wants it: whom to trust, and what to show."""

import os
import ssl
import warnings
from pathlib import Path
from typing import TypeAlias

from .._errors import ConfigurationError, InvalidArgumentError
from .._options import check_path
from .translation import reason

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
"""How servers prove who they are: True, False, a file or folder of CA certificates, or a context."""
ClientCertificate: TypeAlias = str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]]


def tls_context(verify: Verify, cert: ClientCertificate | None) -> ssl.SSLContext | bool:
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            # The context is its owner's, and may serve other connections that must not show the certificate.
            raise InvalidArgumentError(
                "cert is given with an SSLContext as verify",
                hint="load the certificate into the context: context.load_cert_chain(...)",
            )
        return verify
    if verify is True and cert is None:
        return True
    context = _context(verify)
    if cert is not None:
        certificate, key = cert if isinstance(cert, tuple) else (cert, None)
        _show_certificate(context, check_path("cert", certificate), None if key is None else check_path("cert", key))
    return context


def _show_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        # Without a password OpenSSL would ask for one on the terminal, and the event loop would wait for the answer.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        hint = "give a PEM file with certificate and unencrypted key, or a pair of files"
        raise ConfigurationError(
            f"client certificate {certificate}: {reason(error)}", source=certificate, hint=hint
        ) from None


def _context(verify: bool | str | os.PathLike[str]) -> ssl.SSLContext:
    if verify is False:
        warnings.warn("TLS certificates are not verified: verify=False", UserWarning, stacklevel=2)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if verify is True:
        return ssl.create_default_context()
    path = Path(check_path("verify", verify))
    try:
        folder = path.is_dir()
        return ssl.create_default_context(capath=path if folder else None, cafile=None if folder else path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"CA certificates {path}: {reason(error)}", source=str(path)) from None
