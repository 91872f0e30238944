"""The secrets in an encrypted configuration of jfrog-cli: AES-256-GCM, base64 of nonce, ciphertext and tag."""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from .sources import Read, read_text, shown_path
from .value import Skipped

_VARIABLE = "JFROG_CLI_ENCRYPTION_KEY"
_KEY_LENGTH, _NONCE_LENGTH = 32, 12
_MASTER_KEY = re.compile(r"""^masterKey\s*:\s*(["']?)(?P<key>[^\s"'#]+)\1\s*(?:#.*)?$""", re.MULTILINE | re.IGNORECASE)


def security_path(folder: Path) -> Path:
    """Return the file with the master key in the *folder* of jfrog-cli."""
    return folder / "security" / "security.yaml"


def master_key(environ: Mapping[str, str], *, folder: Path, read: Read, home: Path) -> str | Skipped:
    """
    Find the key: in ``JFROG_CLI_ENCRYPTION_KEY``, or in the file ``*.key`` that it names, else in ``security.yaml``.

    Args:
        environ: Environment variables.
        folder: Folder of jfrog-cli.
        read: Reads a text file; None if it does not exist.
        home: Home folder of the user.
    """
    source, key = f"environment {_VARIABLE}", environ.get(_VARIABLE, "")
    if key.endswith(".key"):
        source, found = _content(Path(key), read, home)
        key = found.strip()
    elif not key:
        source, found = _content(security_path(folder), read, home)
        match = _MASTER_KEY.search(found)
        key = match["key"] if match else ""
    if not key:
        return Skipped(source, f"no key; {_VARIABLE} is not set")
    if len(key.encode("utf-8", "surrogateescape")) != _KEY_LENGTH:
        return Skipped(source, f"expected a key of {_KEY_LENGTH} characters")
    return key


def decrypted(secret: str, key: str) -> str | None:
    """
    Decrypt one secret; None if it was encrypted with another key, or is damaged.

    Raises:
        ImportError: If the package cryptography is not installed.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not secret:
        return ""
    try:
        sealed = base64.b64decode(secret, validate=True)
        nonce, ciphertext = sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:]
        return AESGCM(key.encode("utf-8", "surrogateescape")).decrypt(nonce, ciphertext, None).decode()
    except (binascii.Error, ValueError, InvalidTag):
        return None


def _content(path: Path, read: Read, home: Path) -> tuple[str, str]:
    """Return the name of a file, and its text; empty if it cannot be read."""
    name = shown_path(path, home)
    text = read_text(path, name, read)
    return f"file {name}", text if isinstance(text, str) else ""
